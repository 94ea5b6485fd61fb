// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IModularCompliance, RuleSet} from "../../../contracts/interfaces/IModularCompliance.sol";
import {Suite} from "../Suite.sol";

/// @notice The rules about how units reach an identity: in a window of time, and by which channel.
contract MarketRulesTest is Suite {
    address internal spare = address(0xF9);

    function setUp() public override {
        super.setUp();
        onboard(spare, identityOf(bob), KOREA, GENERAL, KYC, LATER);
    }

    function sell(address to, uint256 amount) internal {
        vm.prank(alice);
        token.transfer(to, amount);
    }

    function refuse(address to, uint256 amount, bytes memory refusal) internal {
        assertEq(token.verdict(alice, to, amount, alice), refusal, "verdict");
        assertFalse(compliance.canTransfer(alice, to, amount));
        vm.expectRevert(refusal);
        sell(to, amount);
    }

    function exceeds(address account, uint256 units, uint256 limit) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(SubscriptionLimit.selector, identityOf(account), units, limit);
    }

    function windowed(uint64 units, uint32 length) internal pure returns (RuleSet memory rules) {
        (rules.windowUnits, rules.windowSeconds) = (units, length);
    }

    function assertWindow(address account, uint256 units, uint256 since) internal view {
        (uint256 used, uint256 start) = compliance.windowOf(identityOf(account));
        assertEq(used, units, "used");
        assertEq(start, since, "since");
    }

    function test_units_received_within_a_window_are_limited_per_identity() public {
        issue(windowed(100, 60));
        token.mint(alice, 100);
        vm.warp(START + 60);
        token.mint(alice, 100);
        sell(bob, 70);
        refuse(spare, 31, exceeds(bob, 101, 100));
        sell(spare, 30);
        assertWindow(bob, 100, START + 60);
        assertEq(compliance.positionOf(identityOf(bob)), 100);
        sell(carol, 1);
        vm.prank(bob);
        token.transfer(spare, 70);
        assertWindow(bob, 100, START + 60);
    }

    function test_a_window_ends_at_its_second_and_the_next_begins_with_a_receipt() public {
        issue(windowed(100, 60));
        token.mint(alice, 100);
        sell(bob, 100);
        vm.warp(START + 59);
        vm.expectRevert(exceeds(bob, 101, 100));
        token.mint(bob, 1);
        vm.warp(START + 60);
        token.mint(bob, 1);
        assertWindow(bob, 1, START + 60);
        vm.warp(START + 500);
        token.mint(bob, 100);
        assertWindow(bob, 100, START + 500);
    }

    function test_what_leaves_makes_no_room_in_a_window() public {
        issue(windowed(100, 60));
        token.mint(alice, 100);
        sell(bob, 100);
        vm.prank(bob);
        token.transfer(carol, 100);
        assertWindow(bob, 100, START);
        vm.prank(carol);
        vm.expectRevert(exceeds(bob, 101, 100));
        token.transfer(bob, 1);
        sell(bob, 0);
    }

    function test_acts_of_force_use_up_no_window() public {
        issue(windowed(100, 60));
        token.mint(alice, 100);
        vm.expectEmit(address(token));
        emit IERC20.Transfer(alice, bob, 90);
        vm.expectEmit(address(compliance));
        emit IModularCompliance.UnitsRelocated(identityOf(alice), identityOf(bob), 90);
        token.forcedTransfer(alice, bob, 90);
        assertWindow(bob, 0, 0);
        assertEq(compliance.positionOf(identityOf(bob)), 90);
        sell(bob, 10);
        token.forcedTransfer(bob, carol, 100);
        assertWindow(bob, 10, START);
        token.burn(carol, 100);
        assertEq(compliance.positionOf(identityOf(carol)), 0);
        assertEq(compliance.holders(), 0);
    }

    function test_a_window_goes_on_under_the_next_rule_set() public {
        issue(windowed(100, 60));
        token.mint(alice, 100);
        sell(bob, 40);
        compliance.announceRules(windowed(50, 600), 1100);
        compliance.announceRules(noRules(), 1200);
        compliance.announceRules(windowed(60, 1000), 1300);
        vm.warp(START + 100);
        vm.roll(1100);
        refuse(bob, 11, exceeds(bob, 51, 50));
        sell(bob, 10);
        assertWindow(bob, 50, START);
        vm.roll(1200);
        sell(bob, 20);
        assertWindow(bob, 50, START);
        vm.roll(1300);
        refuse(bob, 11, exceeds(bob, 61, 60));
        vm.warp(START + 1000);
        sell(bob, 11);
        assertWindow(bob, 11, START + 1000);
    }

    function test_a_window_has_units_and_seconds_and_comes_before_the_first_mint() public {
        bytes memory invalid = abi.encodeWithSelector(IModularCompliance.ComplianceRuleSetInvalid.selector);
        vm.expectRevert(invalid);
        compliance.announceRules(windowed(1, 0), 0);
        vm.expectRevert(invalid);
        compliance.announceRules(windowed(0, 1), 0);
        token.mint(alice, 1);
        vm.expectRevert(abi.encodeWithSelector(IModularCompliance.CompliancePositionsUntracked.selector));
        compliance.announceRules(windowed(1, 1), 5000);
    }

    /// @custom:requirement TRF-10
    function test_a_sale_off_the_venue_is_barred() public {
        RuleSet memory rules = noRules();
        rules.offVenueBarred = true;
        issue(rules);
        bytes memory barred = abi.encodeWithSelector(OffVenueSaleBarred.selector);
        token.mint(alice, 100);
        refuse(bob, 1, barred);
        vm.prank(alice);
        token.approve(carol, 10);
        vm.prank(carol);
        vm.expectRevert(barred);
        token.transferFrom(alice, bob, 1);
        address[] memory receivers = new address[](1);
        receivers[0] = bob;
        vm.prank(alice);
        vm.expectRevert(barred);
        token.batchTransfer(receivers, one(uint256(1)));
        assertEq(token.verdict(alice, bob, 40, address(this)), "", "settlement is the venue");
        token.settle(alice, bob, 40);
        vm.prank(bob);
        token.transfer(spare, 40);
        sell(bob, 0);
        token.forcedTransfer(spare, alice, 40);
        assertEq(token.balanceOf(alice), 100);
    }

    function test_only_the_plain_channel_is_off_the_venue() public {
        RuleSet memory rules = noRules();
        rules.offVenueBarred = true;
        issue(rules);
        (uint256 fromWord, uint256 toWord) = registry.pair(alice, bob);
        for (uint8 channel = 0; channel < 4; channel++) {
            bytes memory refusal = compliance.check(alice, bob, 1, fromWord, toWord, 100, channel);
            assertEq(refusal.length == 0, channel != 0);
        }
        assertTrue(compliance.canTransfer(address(0), bob, 1));
    }

    function test_windows_come_after_the_number_of_holders_and_before_the_channel() public {
        RuleSet memory rules = windowed(100, 60);
        rules.offVenueBarred = true;
        rules.holderLimit = 2;
        issue(rules);
        token.mint(alice, 100);
        vm.warp(START + 60);
        token.mint(alice, 100);
        token.mint(bob, 1);
        refuse(carol, 101, abi.encodeWithSelector(HolderCountLimit.selector, uint256(3), uint256(2)));
        refuse(bob, 100, exceeds(bob, 101, 100));
        refuse(bob, 99, abi.encodeWithSelector(OffVenueSaleBarred.selector));
    }

    function test_a_version_that_was_never_announced_is_unknown() public {
        compliance.announceRules(windowed(5, 6), 0);
        (, RuleSet memory rules) = compliance.ruleSet(2);
        assertTrue(rules.windowUnits == 5 && rules.windowSeconds == 6 && !rules.offVenueBarred);
        for (uint32 version = 0; version < 4; version += 3) {
            vm.expectRevert(abi.encodeWithSelector(RuleVersionUnknown.selector, version));
            compliance.ruleSet(version);
            vm.expectRevert(abi.encodeWithSelector(RuleVersionUnknown.selector, version));
            compliance.modules(version);
        }
    }
}
