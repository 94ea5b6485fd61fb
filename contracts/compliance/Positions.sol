// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IModularCompliance} from "../interfaces/IModularCompliance.sol";
import {ComplianceState} from "./ComplianceState.sol";
import {Rules} from "./Rules.sol";

/// @title Positions
/// @notice What each identity holds, how many hold anything, and what each received in its window.
abstract contract Positions is ComplianceState {
    uint256 private constant _REPLACED = 8;

    /// @dev The identity under which an account's units are counted: its own, unless that was ever replaced.
    function _counted(address account, uint256 word) internal view returns (address identity) {
        if (word & _REPLACED == 0) return address(uint160(word >> 96));
        identity = _data().countedAs[account];
        if (identity == address(0)) identity = _registry().firstIdentityOf(account);
    }

    /// @dev Moves units between the positions of two identities, given the words they hold and the one the receiver
    /// is to hold, zero where there is none.
    function _record(
        Data storage $,
        uint256 head,
        Position storage source,
        Position storage target,
        uint256 sent,
        uint256 received,
        uint256 word,
        uint256 amount
    ) internal {
        uint256 counted = head;
        if (sent != 0) (source.word, counted) = _taken(counted, sent, amount);
        if (word != 0) {
            target.word = word;
            counted = _given(counted, received);
        }
        if (counted != head) $.head = counted;
    }

    /// @dev The word of a position that gave units, and the head without a holder who gave its last.
    function _taken(uint256 head, uint256 sent, uint256 amount) internal pure returns (uint256 left, uint256 counted) {
        // Never more than was counted: no mistake of a count may keep a burn or a court's order from happening.
        uint256 held = sent & Rules.UNITS;
        uint256 taken = held > amount ? amount : held;
        // No limb is left: positions are bounded by the supply, and holders by the positions.
        unchecked {
            return (sent - taken, held != 0 && held == taken ? head - _HOLDER : head);
        }
    }

    /// @dev The head with a holder more, if units reach a position that had none.
    function _given(uint256 head, uint256 received) internal pure returns (uint256) {
        unchecked {
            return received & Rules.UNITS == 0 ? head + _HOLDER : head;
        }
    }

    function _recordBetween(address sender, address receiver, uint256 amount) internal {
        Data storage $ = _data();
        uint256 head = $.head;
        if (head & _LOCKED != 0) revert IModularCompliance.ComplianceReentered();
        if (sender == receiver || amount == 0 || head & _TRACKING == 0) return;
        (Position storage source, Position storage target) = ($.positions[sender], $.positions[receiver]);
        uint256 received = target.word;
        _record($, head, source, target, source.word, received, receiver == address(0) ? 0 : received + amount, amount);
    }

    function _recordByAccount(address from, address to, uint256 amount) internal {
        (uint256 fromWord, uint256 toWord) = _registry().pair(from, to);
        _recordBetween(_counted(from, fromWord), _counted(to, toWord), amount);
    }

    /// @dev The position words of both identities; the zero identity, which mints, has none.
    function _words(uint256 head, Position storage source, Position storage target, address sender)
        internal
        view
        returns (uint256 sent, uint256 received)
    {
        if (head & _TRACKING == 0) return (0, 0);
        if (sender != address(0)) sent = source.word;
        received = target.word;
    }

    /// @dev The latest of the versions whose block has come; zero, which has no rules, if none has.
    function _versionInForce(Data storage $, uint256 head) internal view returns (uint32 version) {
        version = _latest(head);
        if (head & _PENDING == 0 || $.effectiveBlock <= block.number) return version;
        do {
            version--;
        } while (version != 0 && $.sets[version].effectiveBlock > block.number);
    }

    function _latest(uint256 head) internal pure returns (uint32) {
        return uint32(head >> 192);
    }
}
