// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {ICompliance} from "./ICompliance.sol";

/// @notice The built-in rules; zero turns a rule off. `capUnits` and `capBps` (of the supply) cap the position of an
/// identity; `classes` has bit 1 << class for each class admitted; `countries` has a bit for each ISO 3166 numeric
/// code, barred, or admitted where `countriesAllowed`.
struct RuleSet {
    /// Units that an identity may hold at most.
    uint96 capUnits;
    /// Share of the supply that an identity may hold at most, in basis points.
    uint16 capBps;
    /// Investor classes admitted: bit 1 << class.
    uint16 classes;
    /// Identities that may hold units at most.
    uint32 holderLimit;
    /// Units of a transfer are a multiple of this.
    uint64 lot;
    /// Whether `countries` lists those admitted, not those barred.
    bool countriesAllowed;
    /// Bit (code % 256) of word (code / 256) for each ISO 3166 numeric code below 1024.
    uint256[4] countries;
}

/// @title IModularCompliance
/// @notice Compliance with built-in rules, asked in one call; rule sets are versioned and take effect at an
/// announced block. Positions and holders are counted by identity.
/// @dev Rules in order: lot, country, class, cap, number of holders. They bind the receiver; moves between accounts
/// of one identity meet none. A cap in per cent of the supply is judged at transfers, not at mint, while the supply is
/// still forming. Assumes that the token passes the registry's words of this very block.
interface IModularCompliance is ICompliance {
    /// @notice Another token, this one, is bound.
    error ComplianceTokenBound(address token);

    /// @notice Only the token bound may call.
    error ComplianceTokenOnly(address caller);

    /// @notice This token is not the one bound.
    error ComplianceTokenNotBound(address token);

    /// @notice The rule set would take effect before the earliest block allowed.
    error ComplianceNoticeTooShort(uint64 effectiveBlock, uint256 earliest);

    /// @notice A cap of more than 10,000 basis points says nothing.
    error ComplianceRuleSetInvalid();

    /// @notice A cap or holder limit would judge units that were never counted.
    error CompliancePositionsUntracked();

    /// @notice A rule set takes effect at a block; versions count from 1.
    event RuleSetAnnounced(uint32 indexed version, uint64 effectiveBlock, RuleSet rules);

    /// @notice Constructor of the proxy: everything belongs to `owner`; `rules` are version 1, effective at once.
    /// Positions are tracked from the first rule set on that caps them or limits the number of holders.
    function initialize(address owner, RuleSet calldata rules, uint64 noticeBlocks) external;

    /// @notice Announces the next rule set.
    /// @dev Requirements: the caller is the owner; the block is at least the notice ahead, unless nothing was minted,
    /// and not before that of the last announcement; the first cap or holder limit comes before the first mint.
    /// Emits {RuleSetAnnounced}.
    function announceRules(RuleSet calldata rules, uint64 effectiveBlock) external;

    /// @notice Checks a transfer or a mint and records it; reverts with the refusal.
    /// @dev Requirements: the caller is the token. The words are those of the identity registry.
    function move(address from, address to, uint256 amount, uint256 fromWord, uint256 toWord, uint256 supply) external;

    /// @notice Records a move that no rule judges: forced transfer, recovery, burn.
    /// @dev Requirements: the caller is the token.
    function recordMove(address from, address to, uint256 amount, uint256 fromWord, uint256 toWord) external;

    /// @notice The refusal that {move} would revert with, empty if none.
    function check(address from, address to, uint256 amount, uint256 fromWord, uint256 toWord, uint256 supply)
        external
        view
        returns (bytes memory refusal);

    /// @notice Whether the token must call at all: a rule was announced, positions are tracked or a module is bound.
    function engaged() external view returns (bool);

    /// @notice Blocks between an announcement and its effect.
    function noticeBlocks() external view returns (uint64);

    /// @notice The rule set in force now.
    function rules() external view returns (uint32 version, RuleSet memory rules);

    /// @notice A rule set by its version.
    function ruleSet(uint32 version) external view returns (uint64 effectiveBlock, RuleSet memory rules);

    /// @notice The units of an identity over all its accounts.
    function positionOf(address identity) external view returns (uint256);

    /// @notice The number of identities that hold units.
    function holders() external view returns (uint256);

    /// @notice Counts an account's units under its present identity, after its identity was replaced; anyone may call.
    /// @dev The units of an account whose identity was replaced stay counted under its first identity until this call.
    function recount(address account) external;
}
