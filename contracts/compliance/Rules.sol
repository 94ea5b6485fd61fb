// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Refusals} from "../interfaces/Refusals.sol";
import {RuleSet} from "../interfaces/IModularCompliance.sol";

/// @title Rules
/// @notice A rule set in five words, and what its rules say of a move.
/// @dev First word: capUnits:96 | capBps:16 | classes:16 | holderLimit:32 | lot:64 | flags:32, from the high
/// bits down; the flags say whether countries matter, and how.
library Rules {
    struct Packed {
        /// capUnits:96 | capBps:16 | classes:16 | holderLimit:32 | lot:64 | flags:32; flags: countries matter 1, listed
        /// ones are admitted 2.
        uint256 word;
        /// From this block on.
        uint64 effectiveBlock;
        /// Bit (code % 256) of word (code / 256) for each country listed.
        uint256[4] countries;
    }

    /// @notice A move as the token describes it.
    struct Move {
        address to;
        uint256 amount;
        uint256 toWord;
        uint256 supply;
    }

    /// @notice The identities of a move and their positions before it.
    struct Pair {
        address sender;
        address receiver;
        uint256 sent;
        uint256 received;
    }

    uint256 private constant _COUNTRIES = 1;
    uint256 private constant _COUNTRIES_ALLOWED = 2;
    uint256 private constant _BPS = 10_000;

    function pack(Packed storage packed, RuleSet calldata rules, uint64 effectiveBlock) internal {
        uint256 flags = rules.countriesAllowed ? _COUNTRIES | _COUNTRIES_ALLOWED : 0;
        for (uint256 i = 0; i < 4; i++) {
            if (rules.countries[i] == 0) continue;
            flags |= _COUNTRIES;
            packed.countries[i] = rules.countries[i];
        }
        packed.word = uint256(rules.capUnits) << 160 | uint256(rules.capBps) << 144 | uint256(rules.classes) << 128
            | uint256(rules.holderLimit) << 96 | uint256(rules.lot) << 32 | flags;
        packed.effectiveBlock = effectiveBlock;
    }

    function unpack(Packed storage packed) internal view returns (RuleSet memory rules) {
        uint256 word = packed.word;
        rules.capUnits = uint96(word >> 160);
        rules.capBps = uint16(word >> 144);
        rules.classes = uint16(word >> 128);
        rules.holderLimit = uint32(word >> 96);
        rules.lot = uint64(word >> 32);
        rules.countriesAllowed = word & _COUNTRIES_ALLOWED != 0;
        rules.countries = packed.countries;
    }

    /// @dev Whether a rule set counts positions: a cap or a limit of holders.
    function counts(RuleSet calldata rules) internal pure returns (bool) {
        return rules.capUnits != 0 || rules.capBps != 0 || rules.holderLimit != 0;
    }

    /// @dev Whether any rule is on.
    function any(Packed storage packed) internal view returns (bool) {
        return packed.word != 0;
    }

    /// @dev The refusal of the first rule that says no, empty if none does.
    function refusal(Packed storage packed, uint256 word, Move memory move, Pair memory pair, uint256 holders)
        internal
        view
        returns (bytes memory)
    {
        uint256 lot = uint64(word >> 32);
        if (lot != 0 && move.amount % lot != 0) {
            return abi.encodeWithSelector(Refusals.LotInvalid.selector, move.amount, lot);
        }
        uint16 country = uint16(move.toWord >> 80);
        if (word & _COUNTRIES != 0 && _bars(packed, word, country)) {
            return abi.encodeWithSelector(Refusals.JurisdictionBarred.selector, move.to, country);
        }
        uint256 classes = uint16(word >> 128);
        uint8 class = uint8(move.toWord >> 72);
        if (classes != 0 && classes >> class & 1 == 0) {
            return abi.encodeWithSelector(Refusals.InvestorClassNotEligible.selector, move.to, class);
        }
        return move.amount == 0 ? bytes("") : _limits(word, move, pair, holders);
    }

    function _bars(Packed storage packed, uint256 word, uint16 country) private view returns (bool) {
        bool listed = country < 1024 && packed.countries[country >> 8] >> (country & 0xff) & 1 != 0;
        return listed != (word & _COUNTRIES_ALLOWED != 0);
    }

    function _limits(uint256 word, Move memory move, Pair memory pair, uint256 holders)
        private
        pure
        returns (bytes memory)
    {
        uint256 limit = _cap(word, move.supply, pair.sender == address(0));
        uint256 position = pair.received + move.amount;
        if (position > limit) {
            return abi.encodeWithSelector(Refusals.HoldingLimit.selector, pair.receiver, position, limit);
        }
        uint256 holderLimit = uint32(word >> 96);
        if (holderLimit == 0 || pair.received != 0) return "";
        // A holder who leaves makes room for the one who comes.
        bool leaves = pair.sender != address(0) && pair.sent == move.amount;
        holders = leaves ? holders : holders + 1;
        if (holders <= holderLimit) return "";
        return abi.encodeWithSelector(Refusals.HolderCountLimit.selector, holders, holderLimit);
    }

    /// @dev The lower of both caps; the one in parts of the supply waits until the supply has formed.
    function _cap(uint256 word, uint256 supply, bool mints) private pure returns (uint256 limit) {
        limit = word >> 160;
        if (limit == 0) limit = type(uint256).max;
        uint256 bps = uint16(word >> 144);
        if (bps == 0 || mints) return limit;
        uint256 share = supply * bps / _BPS;
        return share < limit ? share : limit;
    }
}
