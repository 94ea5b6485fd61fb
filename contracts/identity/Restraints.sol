// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ClaimNotes} from "./ClaimNotes.sol";
import {IRestraints} from "../interfaces/IRestraints.sol";
import {IIdentityProfiles} from "../interfaces/IVerificationSources.sol";

/// @title Restraints
/// @notice Holds, restrictions and suspension, as bits of the word.
abstract contract Restraints is ClaimNotes {
    uint8 private constant _HOLD_MAX = 3;

    /// @inheritdoc IRestraints
    function setHold(address account, uint8 effect) external onlyAgent {
        if (account == address(0)) revert IdentityRegistryAddressZero();
        if (effect > _HOLD_MAX) revert IdentityRegistryHoldInvalid(effect);
        Data storage $ = _data();
        $.holds[account] = effect;
        emit AccountHeld(account, effect);
        delete $.words[account];
    }

    /// @inheritdoc IRestraints
    function setRestriction(bytes20 manager, address token, bool restricted) external onlyAgent {
        Data storage $ = _data();
        if ($.restrictions[manager][token] == restricted) return;
        $.restrictions[manager][token] = restricted;
        if (restricted) {
            $.restrictionCounts[manager]++;
            $.restrictionCount++;
        } else {
            $.restrictionCounts[manager]--;
            $.restrictionCount--;
        }
        emit InstitutionRestricted(manager, token, restricted);
        // A manager's accounts are too many to forget one by one.
        _advance();
    }

    /// @inheritdoc IRestraints
    function setSuspended(bool suspended) external onlyAgent {
        if (networkSuspended() == suspended) return;
        _data().current ^= uint32(_SUSPENDED);
        emit NetworkSuspended(suspended);
    }

    /// @inheritdoc IRestraints
    function holdOf(address account) external view returns (uint8 effect) {
        return _data().holds[account];
    }

    /// @inheritdoc IRestraints
    function isRestricted(address account, address token) external view returns (bool restricted, bytes20 manager) {
        Data storage $ = _data();
        (manager,) = IIdentityProfiles($.identityStorage).managerOf(account);
        restricted = $.restrictions[manager][address(0)] || $.restrictions[manager][token];
    }

    /// @inheritdoc IRestraints
    function networkSuspended() public view returns (bool) {
        return _data().current & _SUSPENDED != 0;
    }
}
