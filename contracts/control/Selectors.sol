// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import {OwnableUpgradeable} from "@openzeppelin/contracts-upgradeable/access/OwnableUpgradeable.sol";

import {IAgentRole} from "../interfaces/IAgentRole.sol";
import {IAuthority} from "../interfaces/IAuthority.sol";
import {IERC3643} from "../interfaces/IERC3643.sol";
import {IIdentityRegistry} from "../interfaces/IIdentityRegistry.sol";
import {IIdentityRegistryStorage} from "../interfaces/IIdentityRegistryStorage.sol";
import {ILegalActions} from "../interfaces/ILegalActions.sol";
import {IMemberVotes} from "../interfaces/IMemberVotes.sol";
import {IRestraints} from "../interfaces/IRestraints.sol";
import {ISecurityToken} from "../interfaces/ISecurityToken.sol";
import {ISuiteFactory} from "../interfaces/ISuiteFactory.sol";

/// @title Selectors
/// @notice Which functions of the suite use force, and which change code or who decides.
library Selectors {
    /// @notice What is done to holders, institutions or the network without them.
    function isForce(bytes4 selector) internal pure returns (bool) {
        return _isForceOfToken(selector) || _isFreeze(selector) || _isMeasure(selector) || _isLegalAction(selector)
            || _isOfIdentities(selector);
    }

    /// @notice Code behind an existing proxy is replaced.
    function isUpgrade(bytes4 selector) internal pure returns (bool) {
        return selector == UUPSUpgradeable.upgradeToAndCall.selector;
    }

    /// @notice Code of issues to come is replaced.
    function isNewCode(bytes4 selector) internal pure returns (bool) {
        return selector == ISuiteFactory.setImplementations.selector;
    }

    /// @notice A proxy goes back to the code before its last upgrade.
    function isRollback(bytes4 selector) internal pure returns (bool) {
        return selector == IAuthority.rollback.selector;
    }

    /// @notice Another contract takes over: as owner, as agent, or as what a token or the identity registry asks. What
    /// its code does then counts.
    function isSwap(bytes4 selector) internal pure returns (bool) {
        return selector == OwnableUpgradeable.transferOwnership.selector || isAppointment(selector)
            || selector == IERC3643.setCompliance.selector || selector == IERC3643.setIdentityRegistry.selector
            || selector == IIdentityRegistry.setIdentityRegistryStorage.selector
            || selector == IIdentityRegistry.setClaimTopicsRegistry.selector
            || selector == IIdentityRegistry.setTrustedIssuersRegistry.selector;
    }

    /// @notice Somebody becomes an agent, who acts alone from then on.
    function isAppointment(bytes4 selector) internal pure returns (bool) {
        return selector == IAgentRole.addAgent.selector || selector == ISecurityToken.addAgentFor.selector
            || selector == IIdentityRegistryStorage.bindIdentityRegistry.selector;
    }

    /// @notice Who decides is decided anew: what an act needs, or who votes.
    function isConstitution(bytes4 selector) internal pure returns (bool) {
        return selector == IAuthority.setPolicy.selector || selector == IMemberVotes.setVoting.selector;
    }

    function _isForceOfToken(bytes4 selector) private pure returns (bool) {
        return selector == IERC3643.forcedTransfer.selector || selector == IERC3643.batchForcedTransfer.selector
            || selector == ISecurityToken.forcedTransferFor.selector || selector == IERC3643.recoveryAddress.selector
            || selector == IERC3643.burn.selector || selector == IERC3643.batchBurn.selector
            || selector == ISecurityToken.cancelFor.selector || selector == ISecurityToken.rescale.selector
            || selector == ISecurityToken.terminate.selector;
    }

    function _isFreeze(bytes4 selector) private pure returns (bool) {
        return selector == IERC3643.setAddressFrozen.selector || selector == IERC3643.batchSetAddressFrozen.selector
            || selector == IERC3643.freezePartialTokens.selector
            || selector == IERC3643.batchFreezePartialTokens.selector
            || selector == IERC3643.unfreezePartialTokens.selector
            || selector == IERC3643.batchUnfreezePartialTokens.selector;
    }

    function _isMeasure(bytes4 selector) private pure returns (bool) {
        return selector == IRestraints.setHold.selector || selector == IRestraints.setRestriction.selector
            || selector == IRestraints.setSuspended.selector || selector == ILegalActions.impose.selector
            || selector == ILegalActions.confirm.selector || selector == ILegalActions.lift.selector;
    }

    function _isOfIdentities(bytes4 selector) private pure returns (bool) {
        return
            selector == IIdentityRegistry.deleteIdentity.selector
                || selector == IIdentityRegistry.updateIdentity.selector;
    }

    function _isLegalAction(bytes4 selector) private pure returns (bool) {
        return selector == ILegalActions.forceTransfers.selector || selector == ILegalActions.correct.selector
            || selector == ILegalActions.requestRecovery.selector || selector == ILegalActions.cancelRecovery.selector;
    }
}
