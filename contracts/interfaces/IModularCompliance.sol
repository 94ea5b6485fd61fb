// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {ICompliance} from "./ICompliance.sol";

/// @notice The built-in rules; zero turns a rule off. `capUnits` and `capBps` (of the supply) cap the position of an
/// identity; `classes` has bit 1 << class for each class admitted; `countries` has a bit for each ISO 3166 numeric
/// code, barred, or admitted where `countriesAllowed`. At most `windowUnits` reach an identity within
/// `windowSeconds`. `offVenueBarred` leaves a change of owner to settlement and to instructions with reason and
/// document.
struct RuleSet {
    /// Units that an identity may hold at most.
    uint64 capUnits;
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
    /// Units that may reach an identity within a window at most; zero for no limit.
    uint64 windowUnits;
    /// Length of a window in seconds.
    uint32 windowSeconds;
    /// Whether plain transfers between two identities are refused.
    bool offVenueBarred;
}

/// @title Channels
/// @notice By which way units move: a rule may ask for one.
library Channels {
    /// @dev ERC-20: by the holder or whom it allowed.
    uint8 internal constant PLAIN = 0;
    /// @dev A trade of the venue, by the settlement contract.
    uint8 internal constant VENUE = 1;
    /// @dev An account manager's signed instruction, by the instructions contract.
    uint8 internal constant INSTRUCTED = 2;
    uint8 internal constant MINT = 3;
}

/// @title IModularCompliance
/// @notice Compliance with built-in rules, asked in one call, and up to 25 module contracts; rule sets are versioned, a
/// version says exactly which rules and which modules, and takes effect at an announced block. Positions, holders and
/// windows are counted by identity.
/// @dev Rules in order: lot, country, class, cap, number of holders, window, sale off the venue; then the modules in
/// ascending order of their addresses. The first refusal decides, and no order of binding changes it. Built-in rules
/// bind the receiver; moves between accounts of one identity meet none, nor do burns and acts of force, which are
/// counted in positions and use up no window. A cap in per cent of the supply is judged at transfers, not at mint,
/// while the supply is still forming. A window begins with the first receipt after the last one ended, a mint included,
/// and lasts `windowSeconds` of block time. A plain transfer of units between identities is a sale off the venue. While
/// a module that keeps state is asked, nothing moves. Assumes that the token passes the registry's words of this very
/// block.
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

    /// @notice The module is in the latest rules already.
    error ComplianceModuleBound(address module);

    /// @notice The module is not in the latest rules.
    error ComplianceModuleNotBound(address module);

    /// @notice There is no code at the module's address, or it states unknown capabilities.
    error ComplianceModuleInvalid(address module);

    /// @notice 25 modules are bound already.
    error ComplianceModulesTooMany();

    /// @notice The module neither allowed the move nor refused it as modules do.
    error ComplianceModuleFailed(address module);

    /// @notice Modules are in force, which judge each move for itself.
    error ComplianceModulesInForce();

    /// @notice Modules are being asked about another move.
    error ComplianceReentered();

    /// @notice A rule set takes effect at a block; versions count from 1.
    event RuleSetAnnounced(uint32 indexed version, uint64 effectiveBlock, RuleSet rules);

    /// @notice A module is part of the rule set from this version on; the code hash says what it does.
    event ModuleAdded(uint32 indexed version, address indexed module, uint16 capabilities, bytes32 codeHash);

    /// @notice A module is no longer part of the rule set from this version on.
    event ModuleRemoved(uint32 indexed version, address indexed module);

    /// @notice Units reached an identity by an act that no rule judges: what {Transfer} said last used up no window.
    event UnitsRelocated(address indexed sender, address indexed receiver, uint256 units);

    /// @notice An account's units count under another identity from now on.
    event AccountRecounted(address indexed account, address indexed identity);

    /// @notice Constructor of the proxy: everything belongs to `owner`; `rules` are version 1, effective at once.
    /// Positions are tracked from the first rule set on that caps them or limits the number of holders.
    function initialize(address owner, RuleSet calldata rules, uint64 noticeBlocks) external;

    /// @notice Announces the next rule set, with the modules of the last one.
    /// @dev Requirements: the caller is the owner; the block is at least the notice ahead, unless nothing was minted,
    /// and not before that of the last announcement; the first cap, holder limit or window comes before the first mint;
    /// a window has both units and seconds. Emits {RuleSetAnnounced}.
    function announceRules(RuleSet calldata rules, uint64 effectiveBlock) external;

    /// @notice Announces the next rule set: the last one with one module more.
    /// @dev Requirements: as for {announceRules}; the module is a contract, not part of the last rule set, lets itself
    /// be bound and states known capabilities; 25 modules are the most. Emits {RuleSetAnnounced} and {ModuleAdded}.
    function addModule(address module, uint64 effectiveBlock) external;

    /// @notice Announces the next rule set: the last one without a module. The module cannot prevent it.
    /// @dev Requirements: as for {announceRules}; the module is part of the last rule set. Emits {RuleSetAnnounced} and
    /// {ModuleRemoved}.
    function removeModule(address module, uint64 effectiveBlock) external;

    /// @notice Checks a transfer or a mint and records it; reverts with the refusal.
    /// @dev Requirements: the caller is the token. The words are those of the identity registry; the channel is one of
    /// {Channels}.
    function move(
        address from,
        address to,
        uint256 amount,
        uint256 fromWord,
        uint256 toWord,
        uint256 supply,
        uint8 channel
    ) external;

    /// @notice Checks and records transfers of one sender, each after those before it, as {move} would one by one;
    /// reverts with the first refusal.
    /// @dev Requirements: the caller is the token; no module is in force, see {takesBatches}; the lists are of one
    /// length. The supply, the channel and the sender's word are those of all.
    function moveMany(
        address from,
        address[] calldata toList,
        uint256[] calldata amounts,
        uint256 fromWord,
        uint256[] calldata toWords,
        uint256 supply,
        uint8 channel
    ) external;

    /// @notice Records a move that no rule judges: forced transfer, recovery, burn.
    /// @dev Requirements: the caller is the token, after it emitted the move. Emits {UnitsRelocated} where units reach
    /// another identity.
    function recordMove(address from, address to, uint256 amount, uint256 fromWord, uint256 toWord) external;

    /// @notice The refusal that {move} would revert with, empty if none.
    function check(
        address from,
        address to,
        uint256 amount,
        uint256 fromWord,
        uint256 toWord,
        uint256 supply,
        uint8 channel
    ) external view returns (bytes memory refusal);

    /// @notice Whether the token must call at all: a rule was announced, positions are tracked or a module is bound.
    function engaged() external view returns (bool);

    /// @notice Whether {moveMany} judges now: no module is in force.
    function takesBatches() external view returns (bool);

    /// @notice Blocks between an announcement and its effect.
    function noticeBlocks() external view returns (uint64);

    /// @notice The rule set in force now.
    function rules() external view returns (uint32 version, RuleSet memory rules);

    /// @notice A rule set by its version.
    /// @dev Requirements: the version was announced, else RuleVersionUnknown.
    function ruleSet(uint32 version) external view returns (uint64 effectiveBlock, RuleSet memory rules);

    /// @notice The modules of a rule set, in the order in which they are asked.
    /// @dev Requirements: the version was announced, else RuleVersionUnknown.
    function modules(uint32 version) external view returns (address[] memory);

    /// @notice The modules in force now, in the order in which they are asked.
    function getModules() external view returns (address[] memory);

    /// @notice Whether a module is in force now.
    function isModuleBound(address module) external view returns (bool);

    /// @notice What an identity has received in its window, which began at `since`; zero if it never received any under
    /// a window limit.
    function windowOf(address identity) external view returns (uint256 units, uint256 since);

    /// @notice The units of an identity over all its accounts.
    function positionOf(address identity) external view returns (uint256);

    /// @notice The number of identities that hold units.
    function holders() external view returns (uint256);

    /// @notice Counts an account's units under its present identity, after its identity was replaced; anyone may call.
    /// @dev The units of an account whose identity was replaced stay counted under its first identity until this call.
    /// Emits {AccountRecounted}.
    function recount(address account) external;
}
