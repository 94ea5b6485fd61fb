// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {ICompliance} from "../interfaces/ICompliance.sol";
import {IERC3643} from "../interfaces/IERC3643.sol";
import {IModularCompliance} from "../interfaces/IModularCompliance.sol";
import {ISecurityToken, Roles} from "../interfaces/ISecurityToken.sol";
import {TokenChecks} from "./TokenChecks.sol";

/// @title TokenConversion
/// @notice Rescales accounts, for splits, consolidations and reductions of an issue.
abstract contract TokenConversion is TokenChecks {
    /// @dev See {ISecurityToken-rescale}.
    function rescale(address account, uint96 balance, uint96 frozen, uint96 encumbered)
        external
        onlyRole(Roles.CONVERT, "CONVERT")
    {
        Data storage $ = _data();
        uint256 cfg = $.cfg;
        if (cfg & _PAUSED == 0) revert ISecurityToken.SecurityTokenNotPaused();
        if (cfg & _TERMINATED != 0) revert InstrumentTerminated();
        uint256 locked = uint256(frozen) + encumbered;
        if (account == address(0) || locked > balance) revert ISecurityToken.SecurityTokenRescaleInvalid(account);
        uint256 word = _recorded($, cfg, account, $.accounts[account].word);
        $.accounts[account].word = word & ~uint256(type(uint208).max) | locked << 112 | balance;
        _logLocked($, account, _locked(word), frozen, encumbered);
        uint256 before = _balance(word);
        if (balance > before) _grow($, cfg, account, balance - before);
        else if (balance < before) _shrink($, cfg, account, before - balance);
    }

    function _logLocked(Data storage $, address account, uint256 locked, uint256 frozen, uint256 encumbered) private {
        uint256 encumberedBefore = $.encumbered[account];
        uint256 frozenBefore = locked - encumberedBefore;
        if (frozen > frozenBefore) emit IERC3643.TokensFrozen(account, frozen - frozenBefore);
        else if (frozen < frozenBefore) emit IERC3643.TokensUnfrozen(account, frozenBefore - frozen);
        if (encumbered != encumberedBefore) _setEncumbered($, account, encumbered);
    }

    /// @dev No rule judges what the issue as a whole decided; the position is counted all the same.
    function _grow(Data storage $, uint256 cfg, address account, uint256 units) private {
        uint256 supply = $.totalSupply;
        _requireRegistered($, supply, units);
        _setSupply($, cfg, supply + units);
        emit IERC20.Transfer(address(0), account, units);
        if (cfg & _NATIVE != 0) {
            (, uint256 word) = _registry(cfg).pair(address(0), account);
            IModularCompliance($.compliance).recordMove(address(0), account, units, 0, word);
        } else if (cfg & _ENGAGED != 0) {
            ICompliance($.compliance).created(account, units);
        }
    }

    function _shrink(Data storage $, uint256 cfg, address account, uint256 units) internal {
        _setSupply($, cfg, $.totalSupply - units);
        emit IERC20.Transfer(account, address(0), units);
        if (cfg & _NATIVE != 0) {
            (uint256 word,) = _registry(cfg).pair(account, address(0));
            IModularCompliance($.compliance).recordMove(account, address(0), units, word, 0);
        } else if (cfg & _ENGAGED != 0) {
            ICompliance($.compliance).destroyed(account, units);
        }
    }
}
