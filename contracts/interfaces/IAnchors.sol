// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @notice The root of an institution's records of one kind and period, signed by the institution.
struct Anchor {
    bytes20 member;
    uint8 kind;
    uint64 period;
    bytes32 root;
    uint40 deadline;
}

/// @title IAnchors
/// @notice Roots of records that lie off the chain, so that nobody can rewrite them later.
/// @dev Kinds: audit chain 1, journal 2, omnibus sub-ledger 3, report 4. A period is a number of the institution's
/// choosing within a kind, as 20261124 for a day.
interface IAnchors {
    error AnchorsKindInvalid(uint8 kind);
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
