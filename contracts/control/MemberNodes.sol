// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";

import {TypedData} from "./TypedData.sol";
import {IMemberNodes, Node} from "../interfaces/IMemberNodes.sol";

/// @title MemberNodes
/// @notice Which nodes take part for which member; two persons of the member change it.
abstract contract MemberNodes is TypedData, IMemberNodes {
    using EnumerableSet for EnumerableSet.Bytes32Set;

    /// @custom:storage-location erc7201:stoken.storage.MemberNodes
    struct NodesData {
        EnumerableSet.Bytes32Set ids;
        mapping(bytes32 id => Node) nodes;
        mapping(bytes32 id => bytes20) members;
    }

    uint8 private constant _ROLE_MAX = 2;

    bytes32 private constant _NODE = keccak256("Node(bytes32 high,bytes32 low,uint8 role,uint40 since,uint40 until)");
    bytes32 private constant _NODE_CHANGE = keccak256(
        "NodeChange(bytes20 member,Node[] add,bytes32[] remove,uint256 nonce,uint40 deadline)"
        "Node(bytes32 high,bytes32 low,uint8 role,uint40 since,uint40 until)"
    );

    bytes32 private constant _NODES =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.MemberNodes")) - 1)) & ~bytes32(uint256(0xff));

    /// @inheritdoc IMemberNodes
    function setNodes(
        bytes20 member,
        Node[] calldata add,
        bytes32[] calldata remove,
        uint256 nonce,
        uint40 deadline,
        bytes[2] calldata signatures
    ) external {
        _useChange(member, nonce, deadline);
        _checkPersons(member, _nodeChange(member, add, remove, nonce, deadline), signatures);
        for (uint256 i = 0; i < remove.length; ++i) {
            _removeNode(member, remove[i]);
        }
        for (uint256 i = 0; i < add.length; ++i) {
            _addNode(member, add[i]);
        }
    }

    /// @inheritdoc IMemberNodes
    function nodes() external view returns (bytes32[] memory) {
        return _nodesData().ids.values();
    }

    /// @inheritdoc IMemberNodes
    function nodeOf(bytes32 id) external view returns (bytes20 member, Node memory node, bool permitted) {
        NodesData storage $ = _nodesData();
        (member, node) = ($.members[id], $.nodes[id]);
        bool valid = block.timestamp >= node.since && block.timestamp <= node.until;
        permitted = valid && member != 0 && _isActive(member);
    }

    /// @dev Uses up a member's nonce within its deadline.
    function _useChange(bytes20 member, uint256 nonce, uint40 deadline) internal virtual;

    /// @dev Two persons of the member signed.
    function _checkPersons(bytes20 member, bytes32 digest, bytes[2] calldata signatures) internal view virtual;

    function _isActive(bytes20 member) internal view virtual returns (bool);

    function _addNode(bytes20 member, Node calldata node) private {
        NodesData storage $ = _nodesData();
        bytes32 id = keccak256(abi.encodePacked(node.high, node.low));
        if (node.high == 0 || node.role == 0 || node.role > _ROLE_MAX || node.since > node.until) {
            revert MemberNodesNodeInvalid(id);
        }
        if (!$.ids.add(id)) revert MemberNodesNodeTaken(id, $.members[id]);
        $.nodes[id] = node;
        $.members[id] = member;
        emit NodeAdded(id, member, node.high, node.low, node.role, node.since, node.until);
    }

    function _removeNode(bytes20 member, bytes32 id) private {
        NodesData storage $ = _nodesData();
        if ($.members[id] != member) revert MemberNodesNodeUnknown(id, member);
        $.ids.remove(id);
        delete $.nodes[id];
        delete $.members[id];
        emit NodeRemoved(id, member);
    }

    function _nodeChange(bytes20 member, Node[] calldata add, bytes32[] calldata remove, uint256 nonce, uint40 deadline)
        private
        view
        returns (bytes32)
    {
        bytes32[] memory added = new bytes32[](add.length);
        for (uint256 i = 0; i < add.length; ++i) {
            added[i] = keccak256(abi.encode(_NODE, add[i]));
        }
        bytes32 addHash = keccak256(abi.encodePacked(added));
        bytes32 removeHash = keccak256(abi.encodePacked(remove));
        return _digest(keccak256(abi.encode(_NODE_CHANGE, member, addHash, removeHash, nonce, deadline)));
    }

    function _nodesData() private pure returns (NodesData storage $) {
        bytes32 slot = _NODES;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
