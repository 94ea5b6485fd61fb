// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IERC3643} from "../interfaces/IERC3643.sol";
import {ICompliance} from "../interfaces/ICompliance.sol";
import {IEncumbrances} from "../interfaces/IEncumbrances.sol";
import {IModularCompliance} from "../interfaces/IModularCompliance.sol";
import {ISecurityToken, Roles} from "../interfaces/ISecurityToken.sol";
import {TokenConversion} from "./TokenConversion.sol";

/// @title TokenActs
/// @notice What agents do with a security token but for minting: burn, freeze, force, recover, pause.
abstract contract TokenActs is TokenConversion {
    /// @dev See {IERC3643-pause}.
    function pause() external onlyRole(Roles.PAUSE, "PAUSE") {
        Data storage $ = _data();
        if ($.cfg & _PAUSED != 0) revert TokenPaused();
        $.cfg |= _PAUSED;
        emit IERC3643.Paused(msg.sender);
    }

    /// @dev See {IERC3643-unpause}.
    function unpause() external onlyRole(Roles.PAUSE, "PAUSE") {
        Data storage $ = _data();
        if ($.cfg & _PAUSED == 0) revert ISecurityToken.SecurityTokenNotPaused();
        $.cfg &= ~_PAUSED;
        emit IERC3643.Unpaused(msg.sender);
    }

    /// @dev See {IERC3643-setAddressFrozen}.
    function setAddressFrozen(address userAddress, bool freeze)
        external
        onlyRole(Roles.FREEZE_ADDRESS, "FREEZE_ADDRESS")
    {
        _setFrozen(userAddress, freeze);
    }

    /// @dev See {IERC3643-freezePartialTokens}.
    function freezePartialTokens(address userAddress, uint256 amount)
        external
        onlyRole(Roles.FREEZE_UNITS, "FREEZE_UNITS")
    {
        _freeze(userAddress, amount);
    }

    /// @dev See {IERC3643-unfreezePartialTokens}.
    function unfreezePartialTokens(address userAddress, uint256 amount)
        external
        onlyRole(Roles.FREEZE_UNITS, "FREEZE_UNITS")
    {
        _unfreeze(userAddress, amount);
    }

    /// @dev See {IERC3643-burn}.
    function burn(address userAddress, uint256 amount) external onlyRole(Roles.BURN, "BURN") {
        _burn(userAddress, amount);
    }

    /// @dev See {IERC3643-forcedTransfer}.
    function forcedTransfer(address from, address to, uint256 amount)
        external
        onlyRole(Roles.FORCE, "FORCE")
        returns (bool)
    {
        _force(from, to, amount, 0, 0);
        return true;
    }

    /// @dev See {ISecurityToken-forcedTransferFor}.
    function forcedTransferFor(address from, address to, uint256 units, bytes32 basis, bytes32 document)
        external
        onlyRole(Roles.FORCE, "FORCE")
    {
        if (basis == 0 || document == 0) revert LegalBasisRequired();
        _force(from, to, units, basis, document);
    }

    /// @dev See {IERC3643-recoveryAddress}.
    function recoveryAddress(address lostWallet, address newWallet, address investorOnchainID)
        external
        onlyRole(Roles.RECOVER, "RECOVER")
        returns (bool)
    {
        Data storage $ = _data();
        uint256 cfg = $.cfg;
        (uint256 lostWord, uint256 newWord) = _registry(cfg).pairRefreshed(lostWallet, newWallet);
        _requireIdentity(lostWallet, lostWord, investorOnchainID);
        _requireIdentity(newWallet, newWord, investorOnchainID);
        uint256 balance = _balance($.accounts[lostWallet].word);
        if (balance == 0 || lostWallet == newWallet) revert InsufficientSecurities(lostWallet, 0, 1);
        _relocate($, cfg, lostWallet, newWallet, balance);
        _record($, cfg, lostWallet, newWallet, balance, lostWord, newWord);
        emit IERC3643.RecoverySuccess(lostWallet, newWallet, investorOnchainID);
        return true;
    }

    /// @dev See {IERC3643-batchForcedTransfer}.
    function batchForcedTransfer(address[] calldata fromList, address[] calldata toList, uint256[] calldata amounts)
        external
        onlyRole(Roles.FORCE, "FORCE")
    {
        _requireLength(fromList.length, amounts.length);
        _requireLength(toList.length, amounts.length);
        for (uint256 i = 0; i < amounts.length; i++) {
            _force(fromList[i], toList[i], amounts[i], 0, 0);
        }
    }

    /// @dev See {IERC3643-batchBurn}.
    function batchBurn(address[] calldata userAddresses, uint256[] calldata amounts)
        external
        onlyRole(Roles.BURN, "BURN")
    {
        _requireLength(userAddresses.length, amounts.length);
        for (uint256 i = 0; i < amounts.length; i++) {
            _burn(userAddresses[i], amounts[i]);
        }
    }

    /// @dev See {IERC3643-batchSetAddressFrozen}.
    function batchSetAddressFrozen(address[] calldata userAddresses, bool[] calldata freeze)
        external
        onlyRole(Roles.FREEZE_ADDRESS, "FREEZE_ADDRESS")
    {
        _requireLength(userAddresses.length, freeze.length);
        for (uint256 i = 0; i < freeze.length; i++) {
            _setFrozen(userAddresses[i], freeze[i]);
        }
    }

    /// @dev See {IERC3643-batchFreezePartialTokens}.
    function batchFreezePartialTokens(address[] calldata userAddresses, uint256[] calldata amounts)
        external
        onlyRole(Roles.FREEZE_UNITS, "FREEZE_UNITS")
    {
        _requireLength(userAddresses.length, amounts.length);
        for (uint256 i = 0; i < amounts.length; i++) {
            _freeze(userAddresses[i], amounts[i]);
        }
    }

    /// @dev See {IERC3643-batchUnfreezePartialTokens}.
    function batchUnfreezePartialTokens(address[] calldata userAddresses, uint256[] calldata amounts)
        external
        onlyRole(Roles.FREEZE_UNITS, "FREEZE_UNITS")
    {
        _requireLength(userAddresses.length, amounts.length);
        for (uint256 i = 0; i < amounts.length; i++) {
            _unfreeze(userAddresses[i], amounts[i]);
        }
    }

    /// @dev See {ISecurityToken-cancelFor}.
    function cancelFor(address account, uint96 units, bytes32 basis, bytes32 document)
        external
        onlyRole(Roles.BURN, "BURN")
    {
        if (basis == 0 || document == 0) revert LegalBasisRequired();
        _burn(account, units);
        emit ISecurityToken.UnitsCanceled(msg.sender, account, units, basis, document);
    }

    /// @dev No check of identity or rules: a holder is never stuck with units that must go.
    function _burn(address account, uint256 amount) private {
        Data storage $ = _data();
        uint256 cfg = $.cfg;
        _release($, account, amount);
        $.accounts[account].word = _recorded($, cfg, account, $.accounts[account].word) - amount;
        _shrink($, cfg, account, amount);
    }

    function _force(address from, address to, uint256 amount, bytes32 basis, bytes32 document) private {
        Data storage $ = _data();
        uint256 cfg = $.cfg;
        (uint256 fromWord, uint256 toWord) = _registry(cfg).pairRefreshed(from, to);
        _revert(_unverified(to, toWord));
        _release($, from, amount);
        _move(cfg, from, to, $.accounts[from].word, $.accounts[to].word, amount);
        emit ISecurityToken.ForcedTransfer(msg.sender, from, to, amount, basis, document);
        _record($, cfg, from, to, amount, fromWord, toWord);
    }

    /// @dev Tells the compliance contract of a move that no rule judged.
    function _record(
        Data storage $,
        uint256 cfg,
        address from,
        address to,
        uint256 amount,
        uint256 fromWord,
        uint256 toWord
    ) private {
        if (cfg & _NATIVE != 0) {
            IModularCompliance($.compliance).recordMove(from, to, amount, fromWord, toWord);
        } else if (cfg & _ENGAGED != 0) {
            ICompliance($.compliance).transferred(from, to, amount);
        }
    }

    /// @dev Unfreezes what an act of force lacks, and no more; encumbered units stay.
    function _release(Data storage $, address account, uint256 amount) private {
        uint256 word = $.accounts[account].word;
        uint256 frozen = _locked(word) - $.encumbered[account];
        _revert(_uncovered($, account, word, amount, frozen));
        uint256 free = _balance(word) - _locked(word);
        if (amount > free) _unfreeze(account, amount - free);
    }

    /// @dev Everything of a lost account goes along: units, frozen or encumbered, and a freeze of the account itself.
    function _relocate(Data storage $, uint256 cfg, address lost, address successor, uint256 balance) private {
        uint256 word = _recorded($, cfg, lost, $.accounts[lost].word);
        uint256 encumbered = $.encumbered[lost];
        uint256 frozen = _locked(word) - encumbered;
        if (frozen != 0) emit IERC3643.TokensUnfrozen(lost, frozen);
        $.accounts[lost].word = word & ~(_FROZEN | type(uint208).max);
        $.accounts[successor].word =
            _recorded($, cfg, successor, $.accounts[successor].word) + balance + _locked(word) * _LOCKED_UNIT;
        emit IERC20.Transfer(lost, successor, balance);
        if (frozen != 0) emit IERC3643.TokensFrozen(successor, frozen);
        if (word & _FROZEN != 0) {
            emit IERC3643.AddressFrozen(lost, false, msg.sender);
            _setFrozen(successor, true);
        }
        if (encumbered == 0) return;
        _setEncumbered($, lost, 0);
        _setEncumbered($, successor, $.encumbered[successor] + encumbered);
        $.held[successor] += $.held[lost];
        delete $.held[lost];
        $.accounts[lost].word |= _CLOSED;
        IEncumbrances($.encumbrances).relocate(lost, successor);
    }

    function _setFrozen(address account, bool freeze) private {
        Data storage $ = _data();
        if (freeze) $.accounts[account].word |= _FROZEN;
        else $.accounts[account].word &= ~_FROZEN;
        emit IERC3643.AddressFrozen(account, freeze, msg.sender);
    }

    function _freeze(address account, uint256 amount) private {
        Data storage $ = _data();
        uint256 word = $.accounts[account].word;
        _revert(_uncovered($, account, word, amount, 0));
        $.accounts[account].word = word + amount * _LOCKED_UNIT;
        emit IERC3643.TokensFrozen(account, amount);
    }

    function _unfreeze(address account, uint256 amount) private {
        Data storage $ = _data();
        uint256 word = $.accounts[account].word;
        uint256 frozen = _locked(word) - $.encumbered[account];
        if (amount > frozen) revert SecuritiesFrozen(account, frozen, amount);
        $.accounts[account].word = word - amount * _LOCKED_UNIT;
        emit IERC3643.TokensUnfrozen(account, amount);
    }

    function _requireIdentity(address account, uint256 word, address identity) private pure {
        if (identity == address(0) || address(uint160(word >> 96)) != identity) {
            revert ISecurityToken.SecurityTokenIdentityMismatch(account, identity);
        }
    }
}
