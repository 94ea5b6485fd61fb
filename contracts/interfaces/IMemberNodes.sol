// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @notice A node of a member: its 64-byte public key (the id of an enode address) in two halves. Roles: VALIDATOR 1,
/// READER 2. Validity in block time, both ends included.
struct Node {
    /// First half of its public key.
    bytes32 high;
    /// Second half of its public key.
    bytes32 low;
    /// Validator 1, reader 2.
    uint8 role;
    /// First second of block time at which it may take part.
    uint40 since;
    /// Last second of block time at which it may take part.
    uint40 until;
}

/// @title IMemberNodes
/// @notice The nodes of the members: the source of node permissions.
interface IMemberNodes {
    /// @notice The node has no key or role, or ends before it begins.
    error MemberNodesNodeInvalid(bytes32 id);

    /// @notice The node is in the list already.
    error MemberNodesNodeTaken(bytes32 id, bytes20 member);

    /// @notice The node is not the member's.
    error MemberNodesNodeUnknown(bytes32 id, bytes20 member);

    /// @notice A node may take part for a member; `id` is the keccak256 of its public key.
    event NodeAdded(
        bytes32 indexed id, bytes20 indexed member, bytes32 high, bytes32 low, uint8 role, uint40 since, uint40 until
    );

    /// @notice A node may no longer take part.
    event NodeRemoved(bytes32 indexed id, bytes20 indexed member);

    /// @notice Changes a member's nodes; anyone relays.
    /// @dev Requirements: the deadline has not passed; the nonce is fresh for the member (shared with its key
    /// changes); two different active keys of the member with scope MEMBER signed `NodeChange` (EIP-712); added nodes
    /// are not in the list, have a key, a role and a validity; removed ones are the member's.
    /// Emits {NodeAdded} and {NodeRemoved} each.
    function setNodes(
        bytes20 member,
        Node[] calldata add,
        bytes32[] calldata remove,
        uint256 nonce,
        uint40 deadline,
        bytes[2] calldata signatures
    ) external;

    /// @notice The ids of all listed nodes.
    function nodes() external view returns (bytes32[] memory);

    /// @notice A node and its member, and whether it may take part now: within its validity, of an active member. All
    /// zero if it is not listed.
    function nodeOf(bytes32 id) external view returns (bytes20 member, Node memory node, bool permitted);
}
