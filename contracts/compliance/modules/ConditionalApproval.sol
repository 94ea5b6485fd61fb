// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Movement} from "../../interfaces/IComplianceModule.sol";
import {IConditionalApproval} from "../../interfaces/IConditionalApproval.sol";
import {Refusals} from "../../interfaces/Refusals.sol";
import {OwnersModule} from "./OwnersModule.sol";

/// @title ConditionalApproval
contract ConditionalApproval is OwnersModule, IConditionalApproval {
    uint16 private constant _STATEFUL = 1;

    /// @dev By compliance contract and hash of (from, to, units): the last second of an approval, zero for none.
    mapping(address compliance => mapping(bytes32 move => uint40 until)) private _approvals;

    /// @inheritdoc IConditionalApproval
    function approve(address compliance, address from, address to, uint96 units, uint40 until)
        external
        onlyOwnerOf(compliance)
    {
        _approvals[compliance][_keyOf(from, to, units)] = until;
        emit TransferApproved(compliance, from, to, units, until);
    }

    /// @inheritdoc IConditionalApproval
    function approvedUntil(address compliance, address from, address to, uint96 units) external view returns (uint40) {
        return _approvals[compliance][_keyOf(from, to, units)];
    }

    function _judge(Movement calldata movement) internal view override {
        uint40 until = _approvals[msg.sender][_keyOf(movement.from, movement.to, movement.amount)];
        // Approvals are given by the owner of the rules, an Authority, under whose policy two institutions sign.
        if (until < block.timestamp) revert Refusals.DualControlRequired();
    }

    function _remember(Movement calldata movement) internal override {
        delete _approvals[msg.sender][_keyOf(movement.from, movement.to, movement.amount)];
        emit ApprovalUsed(msg.sender, movement.from, movement.to, uint96(movement.amount));
    }

    function _capabilities() internal pure override returns (uint16) {
        return _STATEFUL;
    }

    function _keyOf(address from, address to, uint256 units) private pure returns (bytes32) {
        return keccak256(abi.encode(from, to, units));
    }
}
