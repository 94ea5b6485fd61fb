// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IComplianceModule, Movement} from "../../interfaces/IComplianceModule.sol";
import {Refusals} from "../../interfaces/Refusals.sol";

/// @dev The owner of a compliance contract, as it states it.
interface IOwned {
    function owner() external view returns (address);
}

/// @title OwnersModule
/// @notice Base of modules whose entries are made by the owner of the rules. One contract serves any number of
/// compliance contracts, each with entries of its own; it has no owner and no settings, so that its code alone says
/// what it does.
abstract contract OwnersModule is IComplianceModule {
    mapping(address compliance => bool) private _serves;

    modifier onlyOwnerOf(address compliance) {
        // Who follows the events hears of a module when it is bound: an entry made before would go unheard.
        if (!_serves[compliance]) revert ComplianceUnknown(compliance);
        if (IOwned(compliance).owner() != msg.sender) revert Refusals.RoleRequired("OWNER");
        _;
    }

    /// @inheritdoc IComplianceModule
    function bind() external returns (uint16 capabilities) {
        _serves[msg.sender] = true;
        emit ComplianceBound(msg.sender);
        return _capabilities();
    }

    /// @inheritdoc IComplianceModule
    function unbind() external {
        // The entries stay, and more may be made: the module is asked until the announced block.
        emit ComplianceUnbound(msg.sender);
    }

    /// @inheritdoc IComplianceModule
    function move(Movement calldata movement) external returns (bytes4 allowed) {
        _judge(movement);
        _remember(movement);
        return IComplianceModule.check.selector;
    }

    /// @inheritdoc IComplianceModule
    function check(Movement calldata movement) external view returns (bytes4 allowed) {
        _judge(movement);
        return IComplianceModule.check.selector;
    }

    /// @dev Records a move that was allowed; a module without state has nothing to record.
    // solhint-disable-next-line no-empty-blocks
    function _remember(Movement calldata movement) internal virtual {}

    /// @dev Reverts with the refusal, if there is one; the one judgement behind both entries.
    function _judge(Movement calldata movement) internal view virtual;

    function _capabilities() internal pure virtual returns (uint16);
}
