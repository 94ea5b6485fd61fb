// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title IEncumbrances
/// @notice Encumbered units: each encumbrance has an id, a kind and an end; the token keeps only the sum.
/// @dev Kinds: lock-up 1, pledge 2, trust mark 3, certificate 4, court order 5. Assumes that the token calls back
/// only {sums}.
interface IEncumbrances {
    /// @notice One encumbrance, packed in two words.
    struct Encumbrance {
        /// The security.
        address token;
        /// Units; zero once it has ended.
        uint96 units;
        /// The account when it was made, before any recovery.
        address account;
        /// From this block time in seconds on it may be released.
        uint40 until;
        /// Its kind, by number.
        uint8 kind;
    }

    /// @notice The id was used before.
    error EncumbrancesIdUsed(bytes32 id);

    /// @notice There is no such encumbrance, or it has ended.
    error EncumbrancesIdUnknown(bytes32 id);

    /// @notice Encumbrances of this kind are not made here.
    error EncumbrancesKindUnsupported(uint8 kind);

    /// @notice An encumbrance of no units says nothing.
    error EncumbrancesEmpty(bytes32 id);

    /// @notice The end does not lie ahead of the block time `at`.
    error EncumbrancesEndPassed(uint40 until, uint256 at);

    /// @notice The end has not come yet.
    error EncumbrancesStillActive(bytes32 id, uint40 until);

    /// @notice Units of an account are encumbered until a block time.
    event EncumbranceSet(
        bytes32 indexed id, address indexed token, address indexed account, uint8 kind, uint96 units, uint40 until
    );

    /// @notice An encumbrance ended.
    event EncumbranceReleased(bytes32 indexed id);

    /// @notice The encumbrances of a lost account went with its units.
    event EncumbrancesMoved(address indexed token, address indexed from, address indexed to);

    /// @notice Constructor of the proxy: everything belongs to `owner`.
    function initialize(address owner) external;

    /// @notice Encumbers units of an account.
    /// @dev Requirements: the caller is the owner; a fresh id; kind lock-up; units above zero and free; `until` lies
    /// ahead. Emits {EncumbranceSet}.
    function lock(bytes32 id, address token, address account, uint8 kind, uint96 units, uint40 until) external;

    /// @notice Ends an encumbrance.
    /// @dev Requirements: a lock-up whose end has come, by anyone. Emits {EncumbranceReleased}.
    function release(bytes32 id) external;

    /// @notice Moves the encumbrances of a lost account, as the token recovers it.
    /// @dev Requirements: the caller is the token. Emits {EncumbrancesMoved}.
    function relocate(address from, address to) external;

    /// @notice The encumbered units of an account by the rank in which they are named in a refusal.
    function sums(address token, address account)
        external
        view
        returns (uint96 lockup, uint96 pledged, uint96 restricted);

    /// @notice One encumbrance; all zero if there is none.
    function encumbranceOf(bytes32 id) external view returns (Encumbrance memory);
}
