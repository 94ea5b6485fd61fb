// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Movement} from "../../interfaces/IComplianceModule.sol";
import {IConditionalApproval} from "../../interfaces/IConditionalApproval.sol";
import {Refusals} from "../../interfaces/Refusals.sol";
import {OwnersModule} from "./OwnersModule.sol";

/// @title ConditionalApproval
contract ConditionalApproval is OwnersModule, IConditionalApproval {
    uint16 private constant _STATEFUL = 1;

    /// @dev The last second of an approval, zero for none.
    mapping(bytes32 id => uint40 until) private _approvals;

    /// @inheritdoc IConditionalApproval
    function approve(address compliance, address from, address to, uint96 units, uint40 until)
        external
        onlyOwnerOf(compliance)
    {
        bytes32 id = _idOf(compliance, from, to, units);
        _approvals[id] = until;
        emit TransferApproved(compliance, id, from, to, units, until);
    }

    /// @inheritdoc IConditionalApproval
    function approvedUntil(address compliance, address from, address to, uint96 units) external view returns (uint40) {
        return _approvals[_idOf(compliance, from, to, units)];
    }

    function _judge(Movement calldata movement) internal view override {
        // Approvals are given by the owner of the rules, an Authority, under whose policy two institutions sign.
        if (_approvals[_idOf(movement)] < block.timestamp) revert Refusals.DualControlRequired();
    }

    function _remember(Movement calldata movement) internal override {
        bytes32 id = _idOf(movement);
        delete _approvals[id];
        emit ApprovalUsed(id);
    }

    function _idOf(Movement calldata movement) private view returns (bytes32) {
        return _idOf(msg.sender, movement.from, movement.to, movement.amount);
    }

    function _capabilities() internal pure override returns (uint16) {
        return _STATEFUL;
    }

    function _idOf(address compliance, address from, address to, uint256 units) private pure returns (bytes32) {
        return keccak256(abi.encode(compliance, from, to, units));
    }
}
