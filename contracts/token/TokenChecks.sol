// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {IAttestedIdentityRegistry} from "../interfaces/IAttestedIdentityRegistry.sol";
import {ICompliance} from "../interfaces/ICompliance.sol";
import {IEncumbrances} from "../interfaces/IEncumbrances.sol";
import {Channels, IModularCompliance} from "../interfaces/IModularCompliance.sol";
import {TokenState} from "./TokenState.sol";

/// @title TokenChecks
/// @notice Every check of a transfer, in its order; each gives the revert data, and both the transfer and the verdict
/// take it from here.
abstract contract TokenChecks is TokenState {
    uint256 private constant _REGISTERED = 1;
    uint256 private constant _VERIFIED = 2;
    uint256 private constant _CAUSE = 4;

    /// @dev A transfer with all checks; the compliance contract records what it allowed in the same call.
    function _transfer(address from, address to, uint256 amount, address spender, uint8 channel) internal {
        Data storage $ = _data();
        uint256 cfg = $.cfg;
        Account storage source = $.accounts[from];
        Account storage target = $.accounts[to];
        _revert(_halted(cfg, source, target, from, to));
        (uint256 fromWord, uint256 toWord) = _registry(cfg).pairRefreshed(from, to);
        _revert(_unidentified(from, to, fromWord, toWord));
        if (cfg & _NATIVE != 0) {
            IModularCompliance($.compliance).move(from, to, amount, fromWord, toWord, $.totalSupply, channel);
        } else if (cfg & _ENGAGED != 0) {
            _revert(_barredByForeign($, from, to, amount));
        }
        // Read after the call above, so that nothing it does can be overwritten.
        _revert(_uncovered($, from, source.word, amount, 0));
        _revert(_unallowed($, from, amount, spender));
        _spend($, from, amount, spender);
        _move(source, target, from, to, amount);
        if (cfg & (_ENGAGED | _NATIVE) == _ENGAGED) ICompliance($.compliance).transferred(from, to, amount);
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
        refusal = _halted(cfg, $.accounts[from], $.accounts[to], from, to);
        if (refusal.length != 0) return refusal;
        (uint256 fromWord, uint256 toWord) = _registry(cfg).pair(from, to);
        refusal = _unidentified(from, to, fromWord, toWord);
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
        return abi.encodeWithSelector(SecurityTokenComplianceRefused.selector, compliance, from, to, amount);
    }

    /// @dev Moves units between two words; the source covers them.
    function _move(Account storage source, Account storage target, address from, address to, uint256 amount) internal {
        if (from != to && amount != 0) {
            // Balances are bounded by the supply, so neither leaves its 112 bits.
            unchecked {
                source.word -= amount;
                target.word += amount;
            }
        }
        emit Transfer(from, to, amount);
    }

    /// @dev A transfer knows its channel by its function; the view by who would call it.
    function _channelOf(Data storage $, address spender) private view returns (uint8) {
        if (spender == address(0)) return Channels.PLAIN;
        if (spender == $.settlement) return Channels.VENUE;
        return spender == $.instructions ? Channels.INSTRUCTED : Channels.PLAIN;
    }

    function _halted(uint256 cfg, Account storage source, Account storage target, address from, address to)
        private
        view
        returns (bytes memory)
    {
        if (cfg & _PAUSED != 0) return abi.encodeWithSelector(TokenPaused.selector);
        if (source.word & _FROZEN != 0) return abi.encodeWithSelector(AccountLegalHold.selector, from);
        if (target.word & _FROZEN != 0) return abi.encodeWithSelector(AccountLegalHold.selector, to);
        return "";
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
        if (spender == from || spender == address(0)) return;
        uint256 allowance = $.allowances[from][spender];
        if (allowance != type(uint256).max) $.allowances[from][spender] = allowance - amount;
    }
}
