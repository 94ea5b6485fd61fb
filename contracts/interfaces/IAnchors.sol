// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @notice The root of an institution's records of one kind and period, signed by the institution.
struct Anchor {
    /// The institution: 20 characters of its LEI.
    bytes20 member;
    /// Audit chain 1, journal 2, omnibus sub-ledger 3, report 4.
    uint8 kind;
    /// A number of the institution's choosing, used once for each kind.
    uint64 period;
    /// The root of the records.
    bytes32 root;
    /// Last block time in seconds at which it is taken.
    uint40 deadline;
}

/// @title IAnchors
/// @notice Roots of records that lie off the chain, so that nobody can rewrite them later.
/// @dev Kinds: audit chain 1, journal 2, omnibus sub-ledger 3, report 4. A period is a number of the institution's
/// choosing within a kind, as 20261124 for a day.
interface IAnchors {
    /// @notice There is no such kind of records.
    error AnchorsKindInvalid(uint8 kind);

    /// @notice A root of zero anchors nothing.
    error AnchorsRootZero();

    /// @notice An institution's root of a kind and period; it never changes.
    event Anchored(bytes20 indexed member, uint8 indexed kind, uint64 indexed period, bytes32 root);

    /// @notice Constructor of the proxy: everything belongs to `owner`.
    function initialize(address owner, address memberRegistry) external;

    /// @notice Anchors a root; anyone relays.
    /// @dev Requirements: the deadline has not passed; a kind and a root; the EIP-712 signature over the anchor of an
    /// active INSTRUCTION key of the member; no root for this member, kind and period yet. Emits {Anchored}.
    function anchor(Anchor calldata item, bytes calldata signature) external;

    /// @notice The root of a member, kind and period; zero if there is none.
    function rootOf(bytes20 member, uint8 kind, uint64 period) external view returns (bytes32);
}
