// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IEncumbrances} from "../../../contracts/interfaces/IEncumbrances.sol";
import {IModularCompliance, RuleSet} from "../../../contracts/interfaces/IModularCompliance.sol";
import {IRegistry, IToken} from "../Interfaces.sol";
import {Suite} from "../Suite.sol";

/// @title MarketHandler
/// @notice Calls everything that moves or holds back units, at random but never in vain: what would be refused is asked
/// before, and the answer must be what then happens. It is owner, agent and settlement of its own suite.
contract MarketHandler is Suite {
    uint256 private constant _LOCKUPS_MAX = 40;
    uint24 private constant _RECORD_DATES_MAX = 10;

    address[] public accounts;
    address[] public identities;
    bytes32[] public lockups;
    mapping(bytes32 id => IEncumbrances.Encumbrance) private _records;

    /// @notice What each account held, and the supply, when a record date was set.
    mapping(uint24 id => mapping(address account => uint256)) public heldAt;
    mapping(uint24 id => uint256) public supplyAt;

    /// @notice What was minted and burnt in all.
    uint256 public minted;
    uint256 public burnt;
    /// @notice The registered quantity as it was raised last.
    uint256 public registered;

    /// @notice A verdict that was not what the transfer did; each is a broken promise.
    uint256 public lies;
    /// @notice Units that reached an account that was not verified.
    uint256 public strays;
    /// @notice Moves that a rule in force, a freeze or an encumbrance should have stopped.
    uint256 public breaches;
    /// @notice Moves of units while the token was paused, other than by acts.
    uint256 public movesWhilePaused;

    /// @dev Forge also calls it at random: only the first time counts.
    function setUp() public override {
        if (address(token) != address(0)) return;
        super.setUp();
        RuleSet memory rules = noRules();
        rules.capUnits = 400_000;
        rules.holderLimit = 4;
        issue(rules);
        registered = 1_000_000;
        for (uint160 i = 0; i < 6; i++) {
            // Six accounts of four identities.
            address account = address(0xACC0 + i);
            address identity = address(0x1D00 + i % 4);
            accounts.push(account);
            if (i < 4) identities.push(identity);
            onboard(account, identity, KOREA, GENERAL, KYC, LATER);
            token.mint(account, 10_000);
            minted += 10_000;
        }
    }

    function accountCount() external view returns (uint256) {
        return accounts.length;
    }

    function identityCount() external view returns (uint256) {
        return identities.length;
    }

    function lockupCount() external view returns (uint256) {
        return lockups.length;
    }

    function theToken() external view returns (IToken) {
        return token;
    }

    function theCompliance() external view returns (IModularCompliance) {
        return compliance;
    }

    function theEncumbrances() external view returns (IEncumbrances) {
        return encumbrances;
    }

    function theRegistry() external view returns (IRegistry) {
        return registry;
    }

    /// @notice The units of an identity, over its accounts.
    function unitsOf(address identity) external view returns (uint256 units) {
        for (uint256 i = 0; i < accounts.length; i++) {
            if (registry.identity(accounts[i]) == identity) units += token.balanceOf(accounts[i]);
        }
    }

    /// @notice Whether the issuer attests every required topic of an account's identity now.
    function attested(address account) external view returns (bool) {
        (uint64 said, uint40 until, bool forCause) = registry.attestationOf(registry.identity(account), issuer);
        uint256[] memory required = topics.getClaimTopics();
        for (uint256 i = 0; i < required.length; i++) {
            if (said >> required[i] & 1 == 0) return false;
        }
        return until >= block.timestamp && !forCause;
    }

    // --- units -------------------------------------------------------------------------------------------------

    function transfer(uint256 from, uint256 to, uint256 units) external {
        address sender = _account(from);
        _move(sender, _account(to), bound(units, 0, token.balanceOf(sender) + 1), sender);
    }

    function transferFrom(uint256 from, uint256 to, uint256 by, uint256 units) external {
        address sender = _account(from);
        _move(sender, _account(to), bound(units, 0, token.balanceOf(sender)), _account(by));
    }

    function approve(uint256 owner, uint256 spender, uint256 units) external {
        vm.prank(_account(owner));
        token.approve(_account(spender), units);
    }

    function settle(uint256 from, uint256 to, uint256 units) external {
        address sender = _account(from);
        address receiver = _account(to);
        units = bound(units, 0, token.balanceOf(sender));
        bytes memory expected = token.verdict(sender, receiver, units, sender);
        try token.settle(sender, receiver, units) {
            _moved(sender, receiver, units, expected);
        } catch (bytes memory answer) {
            if (keccak256(answer) != keccak256(expected)) lies++;
        }
    }

    function mint(uint256 to, uint256 units) external {
        address receiver = _account(to);
        units = bound(units, 0, 250_000);
        try token.mint(receiver, units) {
            minted += units;
            if (!registry.isVerified(receiver)) strays++;
        } catch {}
    }

    function burn(uint256 from, uint256 units) external {
        address account = _account(from);
        units = bound(units, 0, _loose(account));
        token.burn(account, units);
        burnt += units;
    }

    function force(uint256 from, uint256 to, uint256 units) external {
        (address sender, address receiver) = (_account(from), _account(to));
        if (!registry.isVerified(receiver)) return;
        units = bound(units, 0, _loose(sender));
        token.forcedTransferFor(sender, receiver, units, "basis", "document");
    }

    /// @dev Only to a later account, since none may follow itself.
    function recover(uint256 from) external {
        uint256 lost = bound(from, 0, 1);
        (address source, address target) = (accounts[lost], accounts[lost + 4]);
        if (token.balanceOf(source) == 0) return;
        token.recoveryAddress(source, target, identities[lost]);
    }

    // --- what holds units back ---------------------------------------------------------------------------------

    function freeze(uint256 at, uint256 units) external {
        address account = _account(at);
        token.freezePartialTokens(account, bound(units, 0, _free(account)));
    }

    function unfreeze(uint256 at, uint256 units) external {
        address account = _account(at);
        token.unfreezePartialTokens(account, bound(units, 0, token.getFrozenTokens(account)));
    }

    function hold(uint256 at, uint256 dice) external {
        token.setAddressFrozen(_account(at), dice % 4 == 0);
    }

    function pause(uint256 dice) external {
        bool wanted = dice % 8 == 0;
        if (wanted == token.paused()) return;
        if (wanted) token.pause();
        else token.unpause();
    }

    /// @notice The units that an encumbrance still locks.
    function lockedBy(bytes32 id) public view returns (uint256) {
        return encumbrances.isActive(id, _records[id]) ? _records[id].units : 0;
    }

    function lockUp(uint256 at, uint256 units, uint256 time) external {
        address account = _account(at);
        uint256 free = _free(account);
        if (free == 0 || lockups.length == _LOCKUPS_MAX) return;
        bytes32 id = bytes32(lockups.length + 1);
        uint40 until = uint40(block.timestamp + bound(time, 1, 30 days));
        uint96 locked = uint96(bound(units, 1, free));
        try encumbrances.lock(id, address(token), account, 1, locked, until) {
            lockups.push(id);
            _records[id] = IEncumbrances.Encumbrance(address(token), locked, account, until, 1, address(0), 0);
        } catch {
            // A recovered account takes no more.
        }
    }

    function release(uint256 which) external {
        if (lockups.length == 0) return;
        bytes32 id = lockups[which % lockups.length];
        if (lockedBy(id) == 0 || _records[id].until > block.timestamp) return;
        encumbrances.release(id, _records[id]);
    }

    function setRecordDate() external {
        if (token.recordDates() == _RECORD_DATES_MAX) return;
        uint24 id = token.setRecordDate();
        supplyAt[id] = token.totalSupply();
        for (uint256 i = 0; i < accounts.length; i++) {
            heldAt[id][accounts[i]] = token.balanceOf(accounts[i]);
        }
    }

    // --- who may receive ---------------------------------------------------------------------------------------

    function attestFor(uint256 at, uint256 time) external {
        uint40 until = uint40(block.timestamp + bound(time, 0, 90 days));
        attest(ISSUER_KEY, identities[at % identities.length], KYC | SUITED, until);
    }

    function revokeOf(uint256 at, uint256 dice) external {
        if (dice % 4 == 0) revoke(ISSUER_KEY, identities[at % identities.length], dice % 8 == 0);
    }

    function refresh() external {
        registry.refresh(accounts);
    }

    function requireTopic(uint256 dice) external {
        bool required = topics.getClaimTopics().length == 2;
        if (required) topics.removeClaimTopic(7);
        else if (dice % 16 == 0) topics.addClaimTopic(7);
    }

    function announce(uint256 cap, uint256 limit, uint256 lot) external {
        RuleSet memory rules = noRules();
        rules.capUnits = uint64(bound(cap, 1, 500_000));
        rules.holderLimit = uint32(bound(limit, 1, 4));
        rules.lot = uint64(lot % 3 == 0 ? 5 : 0);
        compliance.announceRules(rules, uint64(block.number + 100));
    }

    function register(uint256 more) external {
        registered += bound(more, 1, 100_000);
        quantity.register(address(token), uint96(registered));
    }

    function pass(uint256 time, uint256 blocks) external {
        vm.warp(block.timestamp + bound(time, 1, 3 days));
        vm.roll(block.number + bound(blocks, 1, 150));
    }

    // --- helpers -----------------------------------------------------------------------------------------------

    function _move(address from, address to, uint256 units, address spender) private {
        bytes memory expected = token.verdict(from, to, units, spender);
        bool paused = token.paused();
        (, uint256 frozen, uint256 encumbered,) = token.accountOf(from);
        uint256 free = token.balanceOf(from) - frozen - encumbered;
        vm.prank(spender);
        (bool success, bytes memory answer) = address(token)
            .call(
                spender == from
                    ? abi.encodeCall(token.transfer, (to, units))
                    : abi.encodeCall(token.transferFrom, (from, to, units))
            );
        if (!success) {
            if (keccak256(answer) != keccak256(expected)) lies++;
            return;
        }
        if (paused) movesWhilePaused++;
        if (units > free) breaches++;
        _moved(from, to, units, expected);
    }

    /// @dev Limits bind only between identities.
    function _moved(address from, address to, uint256 units, bytes memory expected) private {
        if (expected.length != 0) lies++;
        if (!registry.isVerified(to)) strays++;
        address identity = registry.identity(to);
        if (units == 0 || registry.identity(from) == identity) return;
        (, RuleSet memory rules) = compliance.rules();
        if (rules.lot != 0 && units % rules.lot != 0) breaches++;
        if (compliance.positionOf(identity) > rules.capUnits) breaches++;
    }

    function _account(uint256 at) private view returns (address) {
        return accounts[at % accounts.length];
    }

    function _free(address account) private view returns (uint256) {
        (uint256 balance, uint256 frozen, uint256 encumbered,) = token.accountOf(account);
        return balance - frozen - encumbered;
    }

    /// @dev What an act of force may take.
    function _loose(address account) private view returns (uint256) {
        (uint256 balance,, uint256 encumbered,) = token.accountOf(account);
        return balance - encumbered;
    }
}
