// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Measures} from "./Measures.sol";
import {Grounds} from "../interfaces/IAuthority.sol";
import {IERC3643} from "../interfaces/IERC3643.sol";
import {IIdentityRegistry} from "../interfaces/IIdentityRegistry.sol";
import {ForcedMove, ILegalActions} from "../interfaces/ILegalActions.sol";
import {IMemberRegistry} from "../interfaces/IMemberRegistry.sol";
import {ISecurityToken} from "../interfaces/ISecurityToken.sol";

/// @title LegalActions
contract LegalActions is Measures {
    uint40 private constant _COOLDOWN = 3 days;

    uint8 private constant _WAITING = 1;
    uint8 private constant _EXECUTED = 2;
    uint8 private constant _CANCELED = 3;

    /// @inheritdoc ILegalActions
    function initialize(address owner, address memberRegistry, address identityRegistry) external initializer {
        __Ownable_init(owner);
        _data().members = IMemberRegistry(memberRegistry);
        _data().registry = identityRegistry;
    }

    /// @inheritdoc ILegalActions
    function forceTransfers(ForcedMove[] calldata moves) external onlyOwner {
        if (moves.length == 0) revert LegalActionsEmpty();
        Grounds memory grounds = _grounds();
        for (uint256 i = 0; i < moves.length; ++i) {
            _force(moves[i], grounds);
        }
    }

    /// @inheritdoc ILegalActions
    function correct(bytes32 original, bytes32 cause, ForcedMove[] calldata entries) external onlyOwner {
        if (entries.length == 0) revert LegalActionsEmpty();
        if (original == 0 || cause == 0) revert LegalBasisRequired();
        Grounds memory grounds = _grounds();
        for (uint256 i = 0; i < entries.length; ++i) {
            emit CorrectionEntered(_force(entries[i], grounds), original, cause, grounds);
        }
    }

    /// @inheritdoc ILegalActions
    function requestRecovery(address token, address lost, address successor, address identity)
        external
        onlyOwner
        returns (uint64 id)
    {
        if (lost == successor) revert SelfTransfer(lost);
        _requireIdentity(lost, identity);
        _requireIdentity(successor, identity);
        Grounds memory grounds = _grounds();
        uint40 eta = uint40(block.timestamp) + _COOLDOWN;
        id = _nextId();
        _data().recoveries[id] = Recovery(token, lost, successor, identity, eta, _WAITING);
        emit RecoveryRequested(id, token, lost, successor, identity, eta, grounds);
    }

    /// @inheritdoc ILegalActions
    function executeRecovery(uint64 id) external {
        Recovery storage recovery = _waiting(id);
        if (block.timestamp < recovery.eta) revert RecoveryCooldown(recovery.eta, block.timestamp);
        recovery.status = _EXECUTED;
        (address token, address lost, address successor) = (recovery.token, recovery.lost, recovery.successor);
        emit RecoveryExecuted(id, token, lost, successor);
        _follow(token, lost, successor, IERC3643(token).isFrozen(successor));
        // The token compares both accounts' identity with the one given, as they stand today.
        IERC3643(token).recoveryAddress(lost, successor, recovery.identity);
    }

    /// @inheritdoc ILegalActions
    function cancelRecovery(uint64 id) external onlyOwner {
        _waiting(id).status = _CANCELED;
        emit RecoveryCanceled(id, _grounds());
    }

    /// @inheritdoc ILegalActions
    function recoveryOf(uint64 id) external view returns (Recovery memory) {
        return _data().recoveries[id];
    }

    function _force(ForcedMove calldata move, Grounds memory grounds) private returns (uint64 id) {
        id = _nextId();
        emit UnitsForced(id, move.token, move.from, move.to, move.units, grounds);
        if (move.to == address(0)) {
            ISecurityToken(move.token).cancelFor(move.from, move.units, grounds.basis, grounds.document);
        } else {
            ISecurityToken(move.token)
                .forcedTransferFor(move.from, move.to, move.units, grounds.basis, grounds.document);
        }
    }

    function _waiting(uint64 id) private view returns (Recovery storage recovery) {
        recovery = _data().recoveries[id];
        if (recovery.status != _WAITING) revert LegalActionsRecoveryNotWaiting(id);
    }

    function _requireIdentity(address account, address identity) private view {
        if (identity == address(0) || IIdentityRegistry(_data().registry).identity(account) != identity) {
            revert LegalActionsIdentityMismatch(account, identity);
        }
    }
}
