// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC3643} from "../interfaces/IERC3643.sol";
import {ICompliance} from "../interfaces/ICompliance.sol";
import {IEncumbrances} from "../interfaces/IEncumbrances.sol";
import {Channels, IModularCompliance} from "../interfaces/IModularCompliance.sol";
import {IRegisteredQuantity} from "../interfaces/IRegisteredQuantity.sol";
import {ISecurityToken} from "../interfaces/ISecurityToken.sol";
import {TokenChecks} from "./TokenChecks.sol";

/// @title TokenActs
/// @notice What agents do with a security token: mint, burn, freeze, force, recover, pause; and what the encumbrances
/// contract does.
abstract contract TokenActs is TokenChecks {
    modifier onlyEncumbrances() {
        // Settlement locks what it holds until a later day.
        Data storage $ = _data();
        if (msg.sender != $.encumbrances && msg.sender != $.settlement) revert RoleRequired("ENCUMBRANCES");
        _;
    }

    /// @inheritdoc IERC3643
    function pause() external onlyAgent {
        Data storage $ = _data();
        if ($.cfg & _PAUSED != 0) revert TokenPaused();
        $.cfg |= _PAUSED;
        emit Paused(msg.sender);
    }

    /// @inheritdoc IERC3643
    function unpause() external onlyAgent {
        Data storage $ = _data();
        if ($.cfg & _PAUSED == 0) revert SecurityTokenNotPaused();
        $.cfg &= ~_PAUSED;
        emit Unpaused(msg.sender);
    }

    /// @inheritdoc IERC3643
    function setAddressFrozen(address userAddress, bool freeze) external onlyAgent {
        _setFrozen(userAddress, freeze);
    }

    /// @inheritdoc IERC3643
    function freezePartialTokens(address userAddress, uint256 amount) external onlyAgent {
        _freeze(userAddress, amount);
    }

    /// @inheritdoc IERC3643
    function unfreezePartialTokens(address userAddress, uint256 amount) external onlyAgent {
        _unfreeze(userAddress, amount);
    }

    /// @inheritdoc IERC3643
    function mint(address to, uint256 amount) external onlyAgent {
        _mint(to, amount);
    }

    /// @inheritdoc IERC3643
    function burn(address userAddress, uint256 amount) external onlyAgent {
        _burn(userAddress, amount);
    }

    /// @inheritdoc IERC3643
    function forcedTransfer(address from, address to, uint256 amount) external onlyAgent returns (bool) {
        _force(from, to, amount, 0, 0);
        return true;
    }

    /// @inheritdoc ISecurityToken
    function forcedTransferFor(address from, address to, uint256 units, bytes32 basis, bytes32 document)
        external
        onlyAgent
    {
        if (basis == 0 || document == 0) revert LegalBasisRequired();
        _force(from, to, units, basis, document);
    }

    /// @inheritdoc IERC3643
    function recoveryAddress(address lostWallet, address newWallet, address investorOnchainID)
        external
        onlyAgent
        returns (bool)
    {
        Data storage $ = _data();
        uint256 cfg = $.cfg;
        (uint256 lostWord, uint256 newWord) = _registry(cfg).pairRefreshed(lostWallet, newWallet);
        _requireIdentity(lostWallet, lostWord, investorOnchainID);
        _requireIdentity(newWallet, newWord, investorOnchainID);
        uint256 balance = _balance($.accounts[lostWallet].word);
        if (balance == 0 || lostWallet == newWallet) revert InsufficientSecurities(lostWallet, 0, 1);
        _relocate($, lostWallet, newWallet, balance);
        _record($, cfg, lostWallet, newWallet, balance, lostWord, newWord);
        emit RecoverySuccess(lostWallet, newWallet, investorOnchainID);
        return true;
    }

    /// @inheritdoc IERC3643
    function batchForcedTransfer(address[] calldata fromList, address[] calldata toList, uint256[] calldata amounts)
        external
        onlyAgent
    {
        _requireLength(fromList.length, amounts.length);
        _requireLength(toList.length, amounts.length);
        for (uint256 i = 0; i < amounts.length; i++) {
            _force(fromList[i], toList[i], amounts[i], 0, 0);
        }
    }

    /// @inheritdoc IERC3643
    function batchMint(address[] calldata toList, uint256[] calldata amounts) external onlyAgent {
        _requireLength(toList.length, amounts.length);
        for (uint256 i = 0; i < amounts.length; i++) {
            _mint(toList[i], amounts[i]);
        }
    }

    /// @inheritdoc IERC3643
    function batchBurn(address[] calldata userAddresses, uint256[] calldata amounts) external onlyAgent {
        _requireLength(userAddresses.length, amounts.length);
        for (uint256 i = 0; i < amounts.length; i++) {
            _burn(userAddresses[i], amounts[i]);
        }
    }

    /// @inheritdoc IERC3643
    function batchSetAddressFrozen(address[] calldata userAddresses, bool[] calldata freeze) external onlyAgent {
        _requireLength(userAddresses.length, freeze.length);
        for (uint256 i = 0; i < freeze.length; i++) {
            _setFrozen(userAddresses[i], freeze[i]);
        }
    }

    /// @inheritdoc IERC3643
    function batchFreezePartialTokens(address[] calldata userAddresses, uint256[] calldata amounts) external onlyAgent {
        _requireLength(userAddresses.length, amounts.length);
        for (uint256 i = 0; i < amounts.length; i++) {
            _freeze(userAddresses[i], amounts[i]);
        }
    }

    /// @inheritdoc IERC3643
    function batchUnfreezePartialTokens(address[] calldata userAddresses, uint256[] calldata amounts)
        external
        onlyAgent
    {
        _requireLength(userAddresses.length, amounts.length);
        for (uint256 i = 0; i < amounts.length; i++) {
            _unfreeze(userAddresses[i], amounts[i]);
        }
    }

    /// @inheritdoc ISecurityToken
    function lock(address account, uint96 units) external onlyEncumbrances {
        Data storage $ = _data();
        uint256 word = $.accounts[account].word;
        _revert(_uncovered($, account, word, units, 0));
        $.accounts[account].word = word + units * _LOCKED_UNIT;
        _setEncumbered($, account, $.encumbered[account] + units);
    }

    /// @inheritdoc ISecurityToken
    function unlock(address account, uint96 units) external onlyEncumbrances {
        Data storage $ = _data();
        $.accounts[account].word -= units * _LOCKED_UNIT;
        _setEncumbered($, account, $.encumbered[account] - units);
    }

    function _requireLength(uint256 left, uint256 right) internal pure {
        if (left != right) revert SecurityTokenLengthMismatch();
    }

    /// @dev Quantity, identity, rules; works while paused.
    function _mint(address to, uint256 amount) private {
        Data storage $ = _data();
        uint256 registered = IRegisteredQuantity($.quantity).quantityOf(address(this));
        if (registered == 0) revert NotRegistered(address(this));
        uint256 supply = $.totalSupply;
        // The registered quantity fits 96 bits; comparing what is left cannot overflow.
        if (amount > registered - supply) revert SupplyCapExceeded(registered, _saturatingAdd(supply, amount));
        uint256 cfg = $.cfg;
        (, uint256 toWord) = _registry(cfg).pairRefreshed(address(0), to);
        _revert(_unverified(to, toWord));
        if (cfg & _NATIVE != 0) {
            IModularCompliance($.compliance).move(address(0), to, amount, 0, toWord, supply, Channels.MINT);
        } else if (cfg & _ENGAGED != 0) {
            _revert(_barredByForeign($, address(0), to, amount));
        }
        $.totalSupply = uint96(supply + amount);
        $.accounts[to].word += amount;
        emit Transfer(address(0), to, amount);
        if (cfg & (_ENGAGED | _NATIVE) == _ENGAGED) ICompliance($.compliance).created(to, amount);
    }

    /// @dev No check of identity or rules: a holder is never stuck with units that must go.
    function _burn(address account, uint256 amount) private {
        Data storage $ = _data();
        uint256 cfg = $.cfg;
        _release($, account, amount);
        $.accounts[account].word -= amount;
        $.totalSupply -= uint96(amount);
        emit Transfer(account, address(0), amount);
        if (cfg & _NATIVE != 0) {
            (uint256 word,) = _registry(cfg).pair(account, address(0));
            IModularCompliance($.compliance).recordMove(account, address(0), amount, word, 0);
        } else if (cfg & _ENGAGED != 0) {
            ICompliance($.compliance).destroyed(account, amount);
        }
    }

    function _force(address from, address to, uint256 amount, bytes32 basis, bytes32 document) private {
        Data storage $ = _data();
        uint256 cfg = $.cfg;
        (uint256 fromWord, uint256 toWord) = _registry(cfg).pairRefreshed(from, to);
        _revert(_unverified(to, toWord));
        _release($, from, amount);
        _move($.accounts[from], $.accounts[to], from, to, amount);
        emit ForcedTransfer(msg.sender, from, to, amount, basis, document);
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
    function _relocate(Data storage $, address lost, address successor, uint256 balance) private {
        uint256 word = $.accounts[lost].word;
        uint256 encumbered = $.encumbered[lost];
        uint256 frozen = _locked(word) - encumbered;
        if (frozen != 0) emit TokensUnfrozen(lost, frozen);
        $.accounts[lost].word = word & ~(_FROZEN | type(uint208).max);
        $.accounts[successor].word += balance + _locked(word) * _LOCKED_UNIT;
        emit Transfer(lost, successor, balance);
        if (frozen != 0) emit TokensFrozen(successor, frozen);
        if (word & _FROZEN != 0) {
            emit AddressFrozen(lost, false, msg.sender);
            _setFrozen(successor, true);
        }
        if (encumbered == 0) return;
        _setEncumbered($, lost, 0);
        _setEncumbered($, successor, $.encumbered[successor] + encumbered);
        IEncumbrances($.encumbrances).relocate(lost, successor);
    }

    function _setFrozen(address account, bool freeze) private {
        Data storage $ = _data();
        if (freeze) $.accounts[account].word |= _FROZEN;
        else $.accounts[account].word &= ~_FROZEN;
        emit AddressFrozen(account, freeze, msg.sender);
    }

    function _freeze(address account, uint256 amount) private {
        Data storage $ = _data();
        uint256 word = $.accounts[account].word;
        _revert(_uncovered($, account, word, amount, 0));
        $.accounts[account].word = word + amount * _LOCKED_UNIT;
        emit TokensFrozen(account, amount);
    }

    function _unfreeze(address account, uint256 amount) private {
        Data storage $ = _data();
        uint256 word = $.accounts[account].word;
        uint256 frozen = _locked(word) - $.encumbered[account];
        if (amount > frozen) revert SecuritiesFrozen(account, frozen, amount);
        $.accounts[account].word = word - amount * _LOCKED_UNIT;
        emit TokensUnfrozen(account, amount);
    }

    function _setEncumbered(Data storage $, address account, uint256 encumbered) private {
        $.encumbered[account] = encumbered;
        emit EncumberedUnits(account, uint96(encumbered));
    }

    function _requireIdentity(address account, uint256 word, address identity) private pure {
        if (identity == address(0) || address(uint160(word >> 96)) != identity) {
            revert SecurityTokenIdentityMismatch(account, identity);
        }
    }

    function _saturatingAdd(uint256 left, uint256 right) private pure returns (uint256) {
        return right > type(uint256).max - left ? type(uint256).max : left + right;
    }
}
