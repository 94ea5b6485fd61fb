// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SecurityToken} from "../../../contracts/token/SecurityToken.sol";
import {Symbolic} from "./Symbolic.sol";

/// @notice A registry that verifies everybody for ever.
contract Everybody {
    uint256 private constant _WORD = uint256(type(uint40).max) << 32 | 3;

    function pairRefreshed(address, address) external pure returns (uint256, uint256) {
        return (_WORD, _WORD);
    }

    function wordsFrom(address, address[] calldata receivers) external pure returns (uint256, uint256[] memory words) {
        words = new uint256[](receivers.length);
        for (uint256 i = 0; i < words.length; i++) {
            words[i] = _WORD;
        }
        return (_WORD, words);
    }
}

/// @notice The token, with words of any content: what may be in them is said by each check.
contract OpenToken is SecurityToken {
    uint256 private constant _SHIFT = 112;

    constructor(address registry) SecurityToken(address(1)) {
        _data().cfg = uint160(registry);
    }

    function put(address account, uint256 word, uint256 encumbered) external {
        _data().accounts[account].word = word;
        _data().encumbered[account] = encumbered;
    }

    function setRecordId(uint24 id) external {
        _data().cfg |= uint256(id) << 168;
    }

    function setSettlement(address settlement) external {
        _data().settlement = settlement;
    }

    function wordOf(address account) external view returns (uint256) {
        return _data().accounts[account].word;
    }

    function encumberedOf(address account) external view returns (uint256) {
        return _data().encumbered[account];
    }

    function parts(uint256 word) external pure returns (uint256 balance, uint256 locked) {
        return (_balance(word), _locked(word));
    }
}

/// @notice Units are neither made nor lost, and nothing leaves its bits in an account's word.
contract TokenSymbolic is Symbolic {
    uint256 private constant _BALANCE = type(uint112).max;
    uint256 private constant _REST = ~uint256(type(uint208).max);
    uint256 private constant _FLAGS = uint256(0xff) << 232;

    OpenToken private _token;

    function setUp() public {
        _token = new OpenToken(address(new Everybody()));
        _token.setSettlement(address(this));
    }

    function check_balance_and_locked_make_up_their_bits(uint256 word) external view {
        (uint256 balance, uint256 locked) = _token.parts(word);
        assert(word & ~_REST == (balance | locked << 112));
        assert(balance <= type(uint112).max && locked <= type(uint96).max);
    }

    function check_a_transfer_conserves_units(
        address from,
        address to,
        address other,
        uint256[3] calldata words,
        uint24 recordId,
        uint256 amount
    ) external {
        vm.assume(from != to && other != from && other != to);
        _put(from, words[0]);
        _put(to, words[1]);
        _put(other, words[2]);
        _token.setRecordId(recordId);
        vm.prank(from);
        _token.transfer(to, amount);
        (uint256 source, uint256 target) = (_token.wordOf(from), _token.wordOf(to));
        assert((source & _BALANCE) + amount == words[0] & _BALANCE);
        assert(target & _BALANCE == (words[1] & _BALANCE) + amount);
        assert(_token.wordOf(other) == words[2]);
        assert(_kept(source, words[0]) && _kept(target, words[1]));
        assert(source >> 112 & type(uint96).max <= source & _BALANCE);
    }

    function check_a_transfer_to_oneself_changes_nothing(address account, uint256 word, uint256 amount) external {
        _put(account, word);
        vm.prank(account);
        _token.transfer(account, amount);
        assert(_token.wordOf(account) == word);
    }

    function check_a_spender_moves_no_more_than_it_is_allowed(
        address owner,
        address spender,
        address to,
        uint256[2] calldata words,
        uint256 allowed,
        uint256 amount
    ) external {
        vm.assume(owner != spender && owner != to);
        _put(owner, words[0]);
        _put(to, words[1]);
        vm.prank(owner);
        _token.approve(spender, allowed);
        vm.prank(spender);
        _token.transferFrom(owner, to, amount);
        assert(amount <= allowed);
        uint256 left = allowed == type(uint256).max ? allowed : allowed - amount;
        assert(_token.allowance(owner, spender) == left);
    }

    function check_locked_units_stay_within_their_bits_and_the_balance(
        address account,
        uint256 word,
        uint96 encumbered,
        uint96 units
    ) external {
        _put(account, word);
        vm.assume(encumbered <= word >> 112 & type(uint96).max);
        _token.put(account, word, encumbered);
        _token.lock(account, units);
        uint256 locked = _token.wordOf(account);
        assert(locked & _BALANCE == word & _BALANCE && locked & _REST == word & _REST);
        assert(locked >> 112 & type(uint96).max == (word >> 112 & type(uint96).max) + units);
        assert(locked >> 112 & type(uint96).max <= locked & _BALANCE);
        assert(_token.encumberedOf(account) == uint256(encumbered) + units);
        _token.unlock(account, units);
        assert(_token.wordOf(account) == word && _token.encumberedOf(account) == encumbered);
    }

    /// @dev What holds of every account: the supply, which holds the balance, fits 96 bits; no more is locked.
    function _put(address account, uint256 word) private {
        vm.assume(word & _BALANCE <= type(uint96).max / 4);
        vm.assume(word >> 112 & type(uint96).max <= word & _BALANCE);
        _token.put(account, word, 0);
    }

    /// @dev Locked units and flags are as they were.
    function _kept(uint256 word, uint256 before) private pure returns (bool) {
        return word & _FLAGS == before & _FLAGS && uint96(word >> 112) == uint96(before >> 112);
    }
}
