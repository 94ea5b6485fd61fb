// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {IAttestedIdentityRegistry} from "../interfaces/IAttestedIdentityRegistry.sol";
import {ICompliance} from "../interfaces/ICompliance.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IEncumbrances} from "../interfaces/IEncumbrances.sol";
import {Channels, IModularCompliance} from "../interfaces/IModularCompliance.sol";
import {IRestraints} from "../interfaces/IRestraints.sol";
import {ISecurityToken} from "../interfaces/ISecurityToken.sol";
import {TokenSnapshots} from "./TokenSnapshots.sol";

/// @title TokenChecks
/// @notice Every check of a transfer, in its order; each gives the revert data, and both the transfer and the verdict
/// take it from here.
abstract contract TokenChecks is TokenSnapshots {
    uint256 private constant _REGISTERED = 1;
    uint256 private constant _VERIFIED = 2;
    uint256 private constant _CAUSE = 4;
    uint256 private constant _RESTRICTED = 16;
    uint256 private constant _SUSPENDED = 32;
    uint256 private constant _NO_SALE = 64;
    uint256 private constant _NO_PURCHASE = 128;

    /// @dev A transfer with all checks; the compliance contract records what it allowed in the same call.
    function _transfer(address from, address to, uint256 amount, address spender, uint8 channel) internal {
        uint256 cfg = _openCfg();
        (uint256 fromWord, uint256 toWord) = _registry(cfg).pairRefreshed(from, to);
        _transferBetween(cfg, from, to, amount, spender, channel, fromWord, toWord);
    }

    /// @dev The same for one sender and many receivers, as if they were sent one after another: words are asked for in
    /// one call, and the compliance contract in one more. Where that one asks others, who may look at balances, or is
    /// of another make, each transfer is made for itself.
    function _transferMany(address from, address[] calldata toList, uint256[] calldata amounts) internal {
        uint256 cfg = _openCfg();
        (uint256 fromWord, uint256[] memory words) = _registry(cfg).wordsFrom(from, toList);
        Data storage $ = _data();
        bool engaged = cfg & _ENGAGED != 0;
        if (engaged && (cfg & _NATIVE == 0 || !IModularCompliance($.compliance).takesBatches())) {
            for (uint256 i = 0; i < amounts.length; i++) {
                _transferBetween(_openCfg(), from, toList[i], amounts[i], from, Channels.PLAIN, fromWord, words[i]);
            }
            return;
        }
        (uint256 count, bytes memory refusal) = _sendMany(cfg, from, toList, amounts, fromWord, words);
        if (engaged && count != 0) {
            assembly ("memory-safe") {
                mstore(words, count)
            }
            IModularCompliance($.compliance)
                .moveMany(from, toList[:count], amounts[:count], fromWord, words, $.totalSupply, Channels.PLAIN);
        }
        _revert(refusal);
    }

    /// @dev What {_transfer} would revert with.
    function _refusal(address from, address to, uint256 amount, address spender)
        internal
        view
        returns (bytes memory refusal)
    {
        Data storage $ = _data();
        uint256 cfg = $.cfg;
        uint8 channel = _channelOf($, spender);
        if (channel != Channels.PLAIN) spender = from;
        refusal = _closed(cfg);
        if (refusal.length != 0) return refusal;
        (uint256 fromWord, uint256 toWord) = _registry(cfg).pair(from, to);
        refusal = _ineligible(cfg, $.accounts[from].word, $.accounts[to].word, from, to, fromWord, toWord);
        if (refusal.length != 0) return refusal;
        if (cfg & _NATIVE != 0) {
            refusal = IModularCompliance($.compliance).check(from, to, amount, fromWord, toWord, $.totalSupply, channel);
        } else if (cfg & _ENGAGED != 0) {
            refusal = _barredByForeign($, from, to, amount);
        }
        if (refusal.length != 0) return refusal;
        refusal = _uncovered($, from, $.accounts[from].word, amount, 0);
        if (refusal.length != 0) return refusal;
        return _unallowed($, from, amount, spender);
    }

    function _registry(uint256 cfg) internal pure returns (IAttestedIdentityRegistry) {
        return IAttestedIdentityRegistry(address(uint160(cfg)));
    }

    /// @dev What keeps units from being created for an account, but for rules and quantity.
    function _unreceivable(uint256 cfg, address to, uint256 toWord) internal view returns (bytes memory refusal) {
        refusal = _halted(cfg, address(0), to, 0, toWord);
        if (refusal.length != 0) return refusal;
        refusal = _held(_data().accounts[to].word, toWord & _NO_PURCHASE, to);
        return refusal.length == 0 ? _unverified(to, toWord) : refusal;
    }

    /// @dev What the receiver lacks, as mint and forced transfer ask it too.
    function _unverified(address to, uint256 toWord) internal view returns (bytes memory) {
        if (toWord & _VERIFIED == 0) return abi.encodeWithSelector(InvestorNotVerified.selector, to);
        uint256 until = uint40(toWord >> 32);
        if (until >= block.timestamp) return "";
        return abi.encodeWithSelector(InvestorClaimExpired.selector, to, until);
    }

    /// @dev Balance, then encumbrances; `releasable` units of those locked do not count against the amount.
    function _uncovered(Data storage $, address from, uint256 word, uint256 amount, uint256 releasable)
        internal
        view
        returns (bytes memory)
    {
        uint256 balance = _balance(word);
        if (amount > balance) {
            return abi.encodeWithSelector(InsufficientSecurities.selector, from, balance, amount);
        }
        uint256 locked = _locked(word) - releasable;
        return amount > balance - locked ? _shortfall($, from, balance, locked, amount) : bytes("");
    }

    /// @dev The answer of a compliance contract of another make; what it reverts with is the refusal.
    function _barredByForeign(Data storage $, address from, address to, uint256 amount)
        internal
        view
        returns (bytes memory)
    {
        address compliance = $.compliance;
        (bool success, bytes memory answer) =
            compliance.staticcall(abi.encodeCall(ICompliance.canTransfer, (from, to, amount)));
        if (success && answer.length >= 32 && uint256(bytes32(answer)) == 1) return "";
        if (!success && answer.length != 0) return answer;
        return
            abi.encodeWithSelector(ISecurityToken.SecurityTokenComplianceRefused.selector, compliance, from, to, amount);
    }

    /// @dev Moves units between two accounts; the source's word covers them.
    function _move(uint256 cfg, address from, address to, uint256 source, uint256 target, uint256 amount) internal {
        if (from != to && amount != 0) {
            Data storage $ = _data();
            // Balances are bounded by the supply, so neither leaves its 112 bits.
            unchecked {
                $.accounts[from].word = _recorded($, cfg, from, source) - amount;
                $.accounts[to].word = _recorded($, cfg, to, target) + amount;
            }
        }
        emit IERC20.Transfer(from, to, amount);
    }

    /// @dev Sends until a transfer is refused for anything but rules, and says how many the rules are to judge: where
    /// the balance falls short they come first. Nothing is called meanwhile, so the sender's word is written once.
    function _sendMany(
        uint256 cfg,
        address from,
        address[] calldata toList,
        uint256[] calldata amounts,
        uint256 fromWord,
        uint256[] memory words
    ) private returns (uint256 count, bytes memory refusal) {
        Data storage $ = _data();
        uint256 source = _recorded($, cfg, from, $.accounts[from].word);
        for (; count < amounts.length; ++count) {
            (address to, uint256 amount) = (toList[count], amounts[count]);
            Account storage receiver = $.accounts[to];
            uint256 target = receiver.word;
            refusal = _ineligible(cfg, source, target, from, to, fromWord, words[count]);
            if (refusal.length != 0) return (count, refusal);
            if (amount > _balance(source) - _locked(source)) {
                refusal = _uncovered($, from, source, amount, 0);
                return (count + 1, refusal);
            }
            if (from != to && amount != 0) {
                // As in {_move}.
                unchecked {
                    source -= amount;
                    receiver.word = _recorded($, cfg, to, target) + amount;
                }
            }
            emit IERC20.Transfer(from, to, amount);
        }
        $.accounts[from].word = source;
    }

    function _transferBetween(
        uint256 cfg,
        address from,
        address to,
        uint256 amount,
        address spender,
        uint8 channel,
        uint256 fromWord,
        uint256 toWord
    ) private {
        Data storage $ = _data();
        uint256 source = $.accounts[from].word;
        uint256 target = $.accounts[to].word;
        _revert(_ineligible(cfg, source, target, from, to, fromWord, toWord));
        if (cfg & _ENGAGED != 0) {
            if (cfg & _NATIVE != 0) {
                IModularCompliance($.compliance).move(from, to, amount, fromWord, toWord, $.totalSupply, channel);
            } else {
                _revert(_barredByForeign($, from, to, amount));
            }
            // Read after the call, so that nothing it does can be overwritten.
            (source, target) = ($.accounts[from].word, $.accounts[to].word);
        }
        _requireCovered($, from, source, amount);
        if (spender != from) _spend($, from, amount, spender);
        _move(cfg, from, to, source, target, amount);
        if (cfg & (_ENGAGED | _NATIVE) == _ENGAGED) ICompliance($.compliance).transferred(from, to, amount);
    }

    /// @dev The usual case is seen at a glance: what is locked never exceeds the balance.
    function _requireCovered(Data storage $, address from, uint256 word, uint256 amount) private view {
        if (amount > _balance(word) - _locked(word)) _revert(_uncovered($, from, word, amount, 0));
    }

    /// @dev The configuration, if transfers are possible at all.
    function _openCfg() private view returns (uint256 cfg) {
        cfg = _data().cfg;
        if (cfg & (_PAUSED | _TERMINATED) != 0) _revert(_closed(cfg));
    }

    /// @dev A transfer knows its channel by its function; the view by who would call it.
    function _channelOf(Data storage $, address spender) private view returns (uint8) {
        if (spender == address(0)) return Channels.PLAIN;
        if (spender == $.settlement) return Channels.VENUE;
        return spender == $.instructions ? Channels.INSTRUCTED : Channels.PLAIN;
    }

    function _closed(uint256 cfg) private pure returns (bytes memory) {
        if (cfg & (_PAUSED | _TERMINATED) == 0) return "";
        return abi.encodeWithSelector(cfg & _PAUSED != 0 ? TokenPaused.selector : InstrumentTerminated.selector);
    }

    /// @dev The supervisor's suspension of the network, then the restrictions of sender's and receiver's manager.
    function _halted(uint256 cfg, address from, address to, uint256 fromWord, uint256 toWord)
        private
        view
        returns (bytes memory refusal)
    {
        if ((fromWord | toWord) & (_SUSPENDED | _RESTRICTED) == 0) return "";
        if ((fromWord | toWord) & _SUSPENDED != 0) return abi.encodeWithSelector(EmergencySuspension.selector);
        if (fromWord & _RESTRICTED != 0) refusal = _restricted(cfg, from);
        if (refusal.length == 0 && toWord & _RESTRICTED != 0) refusal = _restricted(cfg, to);
    }

    function _restricted(uint256 cfg, address account) private view returns (bytes memory) {
        (bool restricted, bytes20 manager) = IRestraints(address(_registry(cfg))).isRestricted(account, address(this));
        return restricted ? abi.encodeWithSelector(InstitutionTransferRestricted.selector, manager) : bytes("");
    }

    function _held(uint256 word, uint256 hold, address account) private pure returns (bytes memory) {
        if (hold == 0 && word & _FROZEN == 0) return "";
        return abi.encodeWithSelector(AccountLegalHold.selector, account);
    }

    /// @dev Everything about both accounts but balances, in its order; the usual case is seen at a glance.
    function _ineligible(
        uint256 cfg,
        uint256 source,
        uint256 target,
        address from,
        address to,
        uint256 fromWord,
        uint256 toWord
    ) private view returns (bytes memory refusal) {
        uint256 concerns = ((source | target) & _FROZEN) | ((fromWord | toWord) & (_SUSPENDED | _RESTRICTED))
            | (fromWord & (_CAUSE | _NO_SALE)) | (toWord & _NO_PURCHASE);
        if (
            concerns == 0 && fromWord & _REGISTERED != 0 && toWord & _VERIFIED != 0
                && uint40(toWord >> 32) >= block.timestamp
        ) return "";
        refusal = _halted(cfg, from, to, fromWord, toWord);
        if (refusal.length != 0) return refusal;
        refusal = _held(source, fromWord & _NO_SALE, from);
        if (refusal.length != 0) return refusal;
        refusal = _held(target, toWord & _NO_PURCHASE, to);
        return refusal.length == 0 ? _unidentified(from, to, fromWord, toWord) : refusal;
    }

    /// @dev A sender's claims may have expired: it may always sell, unless a claim was revoked for cause.
    function _unidentified(address from, address to, uint256 fromWord, uint256 toWord)
        private
        view
        returns (bytes memory)
    {
        if (fromWord & (_REGISTERED | _CAUSE) != _REGISTERED) {
            return abi.encodeWithSelector(SenderNotVerified.selector, from);
        }
        return _unverified(to, toWord);
    }

    /// @dev The first of lock-up, pledge, restriction and frozen that falls short.
    function _shortfall(Data storage $, address from, uint256 balance, uint256 locked, uint256 amount)
        private
        view
        returns (bytes memory)
    {
        (uint256 lockup, uint256 pledged, uint256 restricted) = IEncumbrances($.encumbrances).sums(address(this), from);
        bytes4 selector = SecuritiesFrozen.selector;
        uint256 held = locked;
        if (amount > balance - lockup) {
            (selector, held) = (LockupActive.selector, lockup);
        } else if (amount > balance - lockup - pledged) {
            (selector, held) = (SecuritiesPledged.selector, lockup + pledged);
        } else if (amount > balance - lockup - pledged - restricted) {
            (selector, held) = (SecuritiesRestricted.selector, lockup + pledged + restricted);
        }
        return abi.encodeWithSelector(selector, from, balance - held, amount);
    }

    /// @dev Whoever moves its own units needs no allowance.
    function _unallowed(Data storage $, address from, uint256 amount, address spender)
        private
        view
        returns (bytes memory)
    {
        if (spender == from || spender == address(0)) return "";
        uint256 allowance = $.allowances[from][spender];
        if (allowance >= amount) return "";
        return abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, spender, allowance, amount);
    }

    function _spend(Data storage $, address from, uint256 amount, address spender) private {
        _revert(_unallowed($, from, amount, spender));
        uint256 allowance = $.allowances[from][spender];
        if (allowance != type(uint256).max) $.allowances[from][spender] = allowance - amount;
    }
}
