// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Positions} from "../../../contracts/compliance/Positions.sol";
import {Symbolic} from "./Symbolic.sol";

/// @notice Counting a move keeps the sum of two positions, the windows beside them and the number of holders.
contract PositionsSymbolic is Symbolic, Positions {
    uint256 private constant _UNITS = type(uint112).max;

    function check_a_move_is_taken_from_one_position_and_added_to_the_other(
        address sender,
        address receiver,
        uint256 sent,
        uint256 received,
        uint96 amount
    ) external {
        _start(sender, receiver, sent, received, amount);
        _recordBetween(sender, receiver, amount);
        (uint256 source, uint256 target) = (_data().positions[sender].word, _data().positions[receiver].word);
        assert((source & _UNITS) + amount == sent & _UNITS);
        assert(target & _UNITS == (received & _UNITS) + amount);
        assert(source >> 112 == sent >> 112 && target >> 112 == received >> 112);
    }

    function check_holders_are_those_with_units(
        address sender,
        address receiver,
        uint256 sent,
        uint256 received,
        uint96 amount,
        uint32 holders
    ) external {
        _start(sender, receiver, sent, received, amount);
        vm.assume(holders >= 2 && holders < type(uint32).max);
        uint256 rest = _TRACKING | uint256(holders) << 192 >> 32;
        _data().head = rest;
        _recordBetween(sender, receiver, amount);
        uint256 left = _data().positions[sender].word & _UNITS == 0 ? 1 : 0;
        uint256 came = received & _UNITS == 0 && amount != 0 ? 1 : 0;
        if (amount == 0) left = 0;
        assert(uint32(_data().head >> 160) == holders - left + came);
        assert(_data().head & ~(uint256(type(uint32).max) << 160) == rest & ~(uint256(type(uint32).max) << 160));
    }

    function check_a_burn_never_fails_for_a_count(address sender, uint256 sent, uint96 amount) external {
        vm.assume(sender != address(0));
        _data().head = _TRACKING | _HOLDER;
        _data().positions[sender].word = sent;
        (bool done,) = address(this).call(abi.encodeCall(this.burn, (sender, amount)));
        assert(done);
        uint256 held = sent & _UNITS;
        assert(_data().positions[sender].word & _UNITS == (held > amount ? held - amount : 0));
        assert(_data().positions[sender].word >> 112 == sent >> 112);
        bool leaves = held != 0 && held <= amount;
        assert(_data().head == (leaves ? _TRACKING : _TRACKING | _HOLDER));
    }

    function burn(address sender, uint256 amount) external {
        _recordBetween(sender, address(0), amount);
    }

    function _start(address sender, address receiver, uint256 sent, uint256 received, uint96 amount) private {
        vm.assume(sender != receiver && sender != address(0) && receiver != address(0));
        vm.assume(sent & _UNITS <= type(uint96).max && received & _UNITS <= type(uint96).max);
        vm.assume(sent & _UNITS >= amount);
        _data().head = _TRACKING | 2 * _HOLDER;
        _data().positions[sender].word = sent;
        _data().positions[receiver].word = received;
    }
}
