// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Movement} from "../interfaces/IComplianceModule.sol";
import {Channels, RuleSet} from "../interfaces/IModularCompliance.sol";
import {Refusals} from "../interfaces/Refusals.sol";

/// @title Rules
/// @notice A rule set in few words, and what its built-in rules say of a move.
/// @dev First word: capUnits:64 | windowUnits:64 | windowSeconds:32 | holderLimit:32 | capBps:16 | classes:16 |
/// modules:8 | flags:24, from the high bits down, where `modules` is the number of module contracts.
library Rules {
    struct Packed {
        /// capUnits:64 | windowUnits:64 | windowSeconds:32 | holderLimit:32 | capBps:16 | classes:16 | modules:8 |
        /// flags:24; flags: countries matter 1, listed ones are admitted 2, there is a lot 4, sales off the venue are
        /// barred 8.
        uint256 word;
        /// From this block on.
        uint64 effectiveBlock;
        uint64 lot;
        /// Bit (code % 256) of word (code / 256) for each country listed.
        uint256[4] countries;
        /// @dev Module contracts in ascending order of their addresses: capabilities:96 | module:160.
        uint256[25] modules;
    }

    uint256 internal constant UNITS = type(uint112).max;

    uint256 private constant _COUNTRIES = 1;
    uint256 private constant _COUNTRIES_ALLOWED = 2;
    uint256 private constant _LOT = 4;
    uint256 private constant _OFF_VENUE = 8;
    /// @dev The bits of the length of a window: it is never zero where there is one.
    uint256 private constant _WINDOW = uint256(type(uint32).max) << 96;
    uint256 private constant _BPS = 10_000;

    function pack(Packed storage packed, RuleSet memory rules, uint64 effectiveBlock, uint256[] memory modules)
        internal
    {
        uint256 flags = rules.countriesAllowed ? _COUNTRIES | _COUNTRIES_ALLOWED : 0;
        for (uint256 i = 0; i < 4; i++) {
            if (rules.countries[i] == 0) continue;
            flags |= _COUNTRIES;
            packed.countries[i] = rules.countries[i];
        }
        if (rules.lot != 0) flags |= _LOT;
        if (rules.offVenueBarred) flags |= _OFF_VENUE;
        for (uint256 i = 0; i < modules.length; i++) {
            packed.modules[i] = modules[i];
        }
        packed.word = uint256(rules.capUnits) << 192 | uint256(rules.windowUnits) << 128 | uint256(rules.windowSeconds)
            << 96 | uint256(rules.holderLimit) << 64 | uint256(rules.capBps) << 48 | uint256(rules.classes) << 32
            | modules.length << 24 | flags;
        (packed.effectiveBlock, packed.lot) = (effectiveBlock, rules.lot);
    }

    function unpack(Packed storage packed) internal view returns (RuleSet memory rules) {
        uint256 word = packed.word;
        rules.capUnits = uint64(word >> 192);
        rules.capBps = uint16(word >> 48);
        rules.classes = uint16(word >> 32);
        rules.holderLimit = uint32(word >> 64);
        rules.lot = packed.lot;
        rules.countriesAllowed = word & _COUNTRIES_ALLOWED != 0;
        rules.countries = packed.countries;
        rules.windowUnits = uint64(word >> 128);
        rules.windowSeconds = uint32(word >> 96);
        rules.offVenueBarred = word & _OFF_VENUE != 0;
    }

    /// @dev Whether a rule set counts positions: a cap, a limit of holders or of a window.
    function counts(RuleSet memory rules) internal pure returns (bool) {
        return rules.capUnits != 0 || rules.capBps != 0 || rules.holderLimit != 0 || rules.windowUnits != 0;
    }

    /// @dev A share is at most the whole; a window has both a limit and a length, or neither.
    function valid(RuleSet memory rules) internal pure returns (bool) {
        return rules.capBps <= _BPS && (rules.windowUnits == 0) == (rules.windowSeconds == 0);
    }

    /// @dev The refusal of the first built-in rule that says no, empty if none does, and the receiver's position word
    /// after the move. `sent` and `received` are the position words of both identities before it.
    function judge(
        Packed storage packed,
        uint256 word,
        Movement memory move,
        uint256 sent,
        uint256 received,
        uint256 holders
    ) internal view returns (bytes memory refusal, uint256 target) {
        if (word & _LOT != 0) {
            uint256 lot = packed.lot;
            if (move.amount % lot != 0) {
                return (abi.encodeWithSelector(Refusals.LotInvalid.selector, move.amount, lot), 0);
            }
        }
        if (word & _COUNTRIES != 0) {
            uint16 country = uint16(move.toWord >> 80);
            if (_bars(packed, word, country)) {
                return (abi.encodeWithSelector(Refusals.JurisdictionBarred.selector, move.to, country), 0);
            }
        }
        uint256 classes = uint16(word >> 32);
        if (classes != 0) {
            uint8 class = uint8(move.toWord >> 72);
            if (classes >> class & 1 == 0) {
                return (abi.encodeWithSelector(Refusals.InvestorClassNotEligible.selector, move.to, class), 0);
            }
        }
        if (move.amount == 0) return ("", received);
        refusal = _limits(word, move, sent, received & UNITS, holders);
        if (refusal.length != 0) return (refusal, 0);
        // Neither limb overflows: a position is bounded by the supply, what a window took by its limit.
        unchecked {
            target = received + move.amount;
        }
        if (word & _WINDOW != 0) {
            (refusal, target) = _window(word, move, received, target & UNITS);
            if (refusal.length != 0) return (refusal, 0);
        }
        // A mint has a channel of its own; instructions carry their reason and document.
        if (word & _OFF_VENUE != 0 && move.channel == Channels.PLAIN) {
            refusal = abi.encodeWithSelector(Refusals.OffVenueSaleBarred.selector);
        }
    }

    function _bars(Packed storage packed, uint256 word, uint16 country) private view returns (bool) {
        bool listed = country < 1024 && packed.countries[country >> 8] >> (country & 0xff) & 1 != 0;
        return listed != (word & _COUNTRIES_ALLOWED != 0);
    }

    function _limits(uint256 word, Movement memory move, uint256 sent, uint256 held, uint256 holders)
        private
        pure
        returns (bytes memory)
    {
        uint256 position;
        unchecked {
            position = held + move.amount;
        }
        uint256 limit = _cap(word, move.supply, move.sender == address(0));
        if (position > limit) {
            return abi.encodeWithSelector(Refusals.HoldingLimit.selector, move.receiver, position, limit);
        }
        uint256 holderLimit = uint32(word >> 64);
        if (holderLimit == 0 || held != 0) return "";
        // A holder who leaves makes room for the one who comes.
        bool leaves = move.sender != address(0) && sent & UNITS == move.amount;
        holders = leaves ? holders : holders + 1;
        if (holders <= holderLimit) return "";
        return abi.encodeWithSelector(Refusals.HolderCountLimit.selector, holders, holderLimit);
    }

    /// @dev The receiver's word after the move, if its window has room. A window begins with the first receipt after
    /// the last one ended, so that it needs one word and no history.
    function _window(uint256 word, Movement memory move, uint256 received, uint256 units)
        private
        view
        returns (bytes memory, uint256)
    {
        (uint256 limit, uint256 length) = (uint64(word >> 128), uint32(word >> 96));
        uint256 since = received >> 216;
        unchecked {
            uint256 used = uint104(received >> 112);
            if (block.timestamp >= since + length) (since, used) = (block.timestamp, 0);
            used += move.amount;
            if (used > limit) {
                return (abi.encodeWithSelector(Refusals.SubscriptionLimit.selector, move.receiver, used, limit), 0);
            }
            return ("", since << 216 | used << 112 | units);
        }
    }

    /// @dev The lower of both caps; the one in parts of the supply waits until the supply has formed.
    function _cap(uint256 word, uint256 supply, bool mints) private pure returns (uint256 limit) {
        limit = word >> 192;
        if (limit == 0) limit = type(uint256).max;
        uint256 bps = uint16(word >> 48);
        if (bps == 0 || mints) return limit;
        uint256 share = supply * bps / _BPS;
        return share < limit ? share : limit;
    }
}
