// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title IEncumbrances
/// @notice Encumbered units: each encumbrance has an id, a kind and an end; the token keeps only the sum.
/// @dev Kinds: lock-up 1, pledge 2, trust mark 3, certificate 4, court order 5. Assumes that the token calls back
/// only {sums}.
interface IEncumbrances {
    /// @notice One encumbrance, packed in two words.
    struct Encumbrance {
        address token;
        uint96 units;
        address account;
        uint40 until;
        uint8 kind;
    }

    error EncumbrancesIdUsed(bytes32 id);
    error EncumbrancesIdUnknown(bytes32 id);
    error EncumbrancesKindUnsupported(uint8 kind);
    error EncumbrancesEmpty(bytes32 id);
    error EncumbrancesEndPassed(uint40 until, uint256 at);
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

    /// @notice The account that holds today what was encumbered on an account: another one after a recovery.
    function holderOf(address token, address account) external view returns (address);

    /// @notice One encumbrance; all zero if there is none.
    function encumbranceOf(bytes32 id) external view returns (Encumbrance memory);
}
