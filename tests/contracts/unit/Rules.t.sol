// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import {Channels, IModularCompliance, RuleSet} from "../../../contracts/interfaces/IModularCompliance.sol";
import {ICompliance} from "../../../contracts/interfaces/ICompliance.sol";
import {Suite} from "../Suite.sol";

/// @notice The built-in rules: what they refuse, when they take effect, and how they count.
contract RulesTest is Suite {
    address internal foreigner = address(0xF7);
    address internal professional = address(0xF8);
    address internal spare = address(0xF9);

    function setUp() public override {
        super.setUp();
        onboard(foreigner, identityOf(foreigner), IRAN, GENERAL, KYC, LATER);
        onboard(professional, identityOf(professional), KOREA, PROFESSIONAL, KYC, LATER);
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

    function position(address account) internal view returns (uint256) {
        return compliance.positionOf(identityOf(account));
    }

    function test_moves_of_nothing_and_within_an_identity_are_asked_no_count() public {
        RuleSet memory rules = noRules();
        rules.capUnits = 100;
        issue(rules);
        token.mint(bob, 100);
        assertEq(token.verdict(bob, spare, 100, bob), "");
        assertTrue(compliance.canTransfer(bob, spare, 100), "one identity");
        assertTrue(compliance.canTransfer(bob, alice, 0));
        address[] memory to = new address[](2);
        (to[0], to[1]) = (alice, carol);
        vm.prank(bob);
        token.batchTransfer(to, new uint256[](2));
        assertTrue(position(bob) == 100 && position(alice) == 0);
    }

    function test_a_batch_under_rules_that_count_nothing() public {
        RuleSet memory rules = noRules();
        rules.lot = 10;
        issue(rules);
        token.mint(alice, 100);
        address[] memory to = new address[](2);
        uint256[] memory amounts = new uint256[](2);
        (to[0], to[1], amounts[0], amounts[1]) = (bob, carol, 10, 20);
        vm.prank(alice);
        token.batchTransfer(to, amounts);
        assertTrue(token.balanceOf(bob) == 10 && token.balanceOf(carol) == 20);
    }

    function test_rules_are_announced_before_a_token_is_bound() public {
        IModularCompliance alone = IModularCompliance(
            _proxy(complianceCode, abi.encodeCall(IModularCompliance.initialize, (address(this), noRules(), 0)))
        );
        RuleSet memory rules = noRules();
        rules.lot = 10;
        alone.announceRules(rules, 0);
        (uint32 version, RuleSet memory found) = alone.rules();
        assertTrue(version == 2 && found.lot == 10);
    }

    function test_countries_are_barred_by_list() public {
        RuleSet memory rules = noRules();
        rules.countries[IRAN >> 8] = 1 << (IRAN & 0xff);
        issue(rules);
        token.mint(alice, 10);
        refuse(foreigner, 1, abi.encodeWithSelector(JurisdictionBarred.selector, foreigner, IRAN));
        sell(bob, 1);
        vm.expectRevert(abi.encodeWithSelector(JurisdictionBarred.selector, foreigner, IRAN));
        token.mint(foreigner, 1);
    }

    function test_countries_are_admitted_by_list() public {
        RuleSet memory rules = noRules();
        rules.countriesAllowed = true;
        rules.countries[KOREA >> 8] = 1 << (KOREA & 0xff);
        issue(rules);
        token.mint(alice, 10);
        refuse(foreigner, 1, abi.encodeWithSelector(JurisdictionBarred.selector, foreigner, IRAN));
        onboard(stranger, identityOf(stranger), 65_535, GENERAL, KYC, LATER);
        refuse(stranger, 1, abi.encodeWithSelector(JurisdictionBarred.selector, stranger, uint16(65_535)));
        sell(bob, 1);
    }

    function test_an_empty_list_of_admitted_countries_admits_none() public {
        RuleSet memory rules = noRules();
        rules.countriesAllowed = true;
        issue(rules);
        vm.expectRevert(abi.encodeWithSelector(JurisdictionBarred.selector, alice, KOREA));
        token.mint(alice, 10);
    }

    function test_classes_are_admitted_by_bits() public {
        RuleSet memory rules = noRules();
        rules.classes = uint16(1 << GENERAL);
        issue(rules);
        token.mint(alice, 10);
        refuse(professional, 1, abi.encodeWithSelector(InvestorClassNotEligible.selector, professional, PROFESSIONAL));
        sell(bob, 1);
    }

    function test_quantities_are_multiples_of_the_lot() public {
        RuleSet memory rules = noRules();
        rules.lot = 10;
        issue(rules);
        token.mint(alice, 100);
        refuse(bob, 15, abi.encodeWithSelector(LotInvalid.selector, uint256(15), uint256(10)));
        sell(bob, 20);
        vm.expectRevert(abi.encodeWithSelector(LotInvalid.selector, uint256(1), uint256(10)));
        token.mint(alice, 1);
    }

    function test_the_cap_in_units_counts_all_accounts_of_an_identity() public {
        RuleSet memory rules = noRules();
        rules.capUnits = 100;
        issue(rules);
        token.mint(alice, 100);
        vm.expectRevert(abi.encodeWithSelector(HoldingLimit.selector, identityOf(alice), uint256(101), uint256(100)));
        token.mint(alice, 1);
        token.mint(carol, 90);
        sell(bob, 60);
        vm.prank(carol);
        token.transfer(spare, 40);
        assertEq(compliance.positionOf(identityOf(bob)), 100);
        refuse(spare, 1, abi.encodeWithSelector(HoldingLimit.selector, identityOf(bob), uint256(101), uint256(100)));
        vm.prank(bob);
        token.transfer(spare, 60);
        assertEq(compliance.positionOf(identityOf(bob)), 100);
        sell(bob, 0);
    }

    function test_the_lower_of_both_caps_decides_and_the_share_waits_for_transfers() public {
        RuleSet memory rules = noRules();
        rules.capUnits = 200;
        rules.capBps = 500;
        issue(rules);
        token.mint(alice, 200);
        for (uint160 i = 0; i < 9; i++) {
            address holder = address(0x4000 + i);
            onboard(holder);
            token.mint(holder, 200);
        }
        refuse(bob, 101, abi.encodeWithSelector(HoldingLimit.selector, identityOf(bob), uint256(101), uint256(100)));
        sell(bob, 100);
        token.burn(alice, 100);
        refuse(carol, 96, abi.encodeWithSelector(HoldingLimit.selector, identityOf(carol), uint256(96), uint256(95)));
    }

    function test_the_number_of_holders_is_limited_and_a_leaver_makes_room() public {
        RuleSet memory rules = noRules();
        rules.holderLimit = 2;
        issue(rules);
        token.mint(alice, 10);
        sell(bob, 5);
        assertEq(compliance.holders(), 2);
        refuse(carol, 1, abi.encodeWithSelector(HolderCountLimit.selector, uint256(3), uint256(2)));
        sell(spare, 1);
        sell(carol, 4);
        assertEq(compliance.holders(), 2);
        vm.expectRevert(abi.encodeWithSelector(HolderCountLimit.selector, uint256(3), uint256(2)));
        token.mint(professional, 1);
        token.burn(carol, 4);
        assertEq(compliance.holders(), 1);
        token.mint(professional, 1);
    }

    function test_rules_are_asked_in_their_order() public {
        RuleSet memory rules = noRules();
        rules.lot = 10;
        rules.classes = uint16(1 << GENERAL);
        rules.countries[IRAN >> 8] = 1 << (IRAN & 0xff);
        rules.capUnits = 500;
        rules.holderLimit = 1;
        issue(rules);
        token.mint(alice, 500);
        onboard(stranger, identityOf(stranger), IRAN, PROFESSIONAL, KYC, LATER);
        refuse(stranger, 501, abi.encodeWithSelector(LotInvalid.selector, uint256(501), uint256(10)));
        refuse(stranger, 510, abi.encodeWithSelector(JurisdictionBarred.selector, stranger, IRAN));
        refuse(professional, 510, abi.encodeWithSelector(InvestorClassNotEligible.selector, professional, PROFESSIONAL));
        refuse(bob, 510, abi.encodeWithSelector(HoldingLimit.selector, identityOf(bob), uint256(510), uint256(500)));
        refuse(bob, 100, abi.encodeWithSelector(HolderCountLimit.selector, uint256(2), uint256(1)));
        sell(bob, 500);
    }

    function test_acts_of_force_are_counted_but_not_judged() public {
        RuleSet memory rules = noRules();
        rules.capUnits = 100;
        issue(rules);
        token.mint(alice, 100);
        token.mint(bob, 100);
        token.forcedTransfer(alice, bob, 50);
        assertEq(position(bob), 150);
        assertEq(position(alice), 50);
        token.burn(bob, 60);
        assertEq(position(bob), 90);
    }

    function test_a_rule_set_takes_effect_at_its_block() public {
        RuleSet memory first = noRules();
        first.lot = 2;
        issue(first);
        token.mint(alice, 100);
        RuleSet memory second = noRules();
        second.lot = 3;
        vm.expectRevert(
            abi.encodeWithSelector(IModularCompliance.ComplianceNoticeTooShort.selector, uint64(1099), uint256(1100))
        );
        compliance.announceRules(second, 1099);
        vm.expectEmit(address(compliance));
        emit IModularCompliance.RuleSetAnnounced(2, 1100, second);
        compliance.announceRules(second, 1100);
        RuleSet memory third = noRules();
        third.lot = 5;
        vm.expectRevert(
            abi.encodeWithSelector(IModularCompliance.ComplianceNoticeTooShort.selector, uint64(1101), uint256(1102))
        );
        vm.roll(1002);
        compliance.announceRules(third, 1101);
        compliance.announceRules(third, 1200);
        vm.expectRevert(
            abi.encodeWithSelector(IModularCompliance.ComplianceNoticeTooShort.selector, uint64(1199), uint256(1200))
        );
        compliance.announceRules(third, 1199);
        uint256[3] memory blocks = [uint256(1099), 1199, 1200];
        uint256[3] memory lots = [uint256(2), 3, 5];
        for (uint32 i = 0; i < 3; i++) {
            vm.roll(blocks[i]);
            (uint32 version, RuleSet memory inForce) = compliance.rules();
            assertEq(version, i + 1);
            assertEq(inForce.lot, lots[i]);
            refuse(bob, 1, abi.encodeWithSelector(LotInvalid.selector, uint256(1), lots[i]));
            sell(bob, lots[i]);
        }
        (uint64 effectiveBlock, RuleSet memory announced) = compliance.ruleSet(2);
        assertTrue(effectiveBlock == 1100 && announced.lot == 3);
        assertEq(compliance.noticeBlocks(), 100);
    }

    function test_rules_take_effect_at_once_while_nothing_is_minted() public {
        issue(noRules());
        assertFalse(compliance.engaged());
        RuleSet memory rules = noRules();
        rules.lot = 10;
        compliance.announceRules(rules, 0);
        assertTrue(compliance.engaged());
        vm.expectRevert(abi.encodeWithSelector(LotInvalid.selector, uint256(1), uint256(10)));
        token.mint(alice, 1);
    }

    function test_the_first_limit_comes_before_the_first_mint() public {
        issue(noRules());
        token.mint(alice, 10);
        RuleSet memory rules = noRules();
        rules.capBps = 500;
        vm.expectRevert(abi.encodeWithSelector(IModularCompliance.CompliancePositionsUntracked.selector));
        compliance.announceRules(rules, 5000);
        IModularCompliance fresh = IModularCompliance(
            _proxy(complianceCode, abi.encodeCall(IModularCompliance.initialize, (address(this), rules, 100)))
        );
        vm.expectRevert(abi.encodeWithSelector(IModularCompliance.CompliancePositionsUntracked.selector));
        token.setCompliance(address(fresh));
        issue(noRules());
        rules.capBps = 10_001;
        vm.expectRevert(abi.encodeWithSelector(IModularCompliance.ComplianceRuleSetInvalid.selector));
        compliance.announceRules(rules, 5000);
    }

    function test_units_of_a_replaced_identity_are_counted_anew_on_request() public {
        RuleSet memory rules = noRules();
        rules.capUnits = 100;
        issue(rules);
        token.mint(alice, 60);
        token.mint(bob, 50);
        registry.updateIdentity(alice, address(0x5151));
        sell(carol, 10);
        assertEq(position(alice), 50, "still under the first identity");
        compliance.recount(alice);
        compliance.recount(alice);
        assertEq(position(alice), 0);
        assertEq(compliance.positionOf(address(0x5151)), 50);
        assertEq(compliance.holders(), 3);
        registry.deleteIdentity(alice);
        compliance.recount(alice);
        token.burn(alice, 20);
        assertEq(compliance.positionOf(address(0x5151)), 30);
        registry.updateIdentity(bob, identityOf(carol));
        compliance.recount(bob);
        assertEq(position(carol), 60);
        assertEq(compliance.holders(), 2);
    }

    function test_the_standards_hooks_count_like_the_suites_own() public {
        RuleSet memory rules = noRules();
        rules.capUnits = 100;
        compliance = IModularCompliance(
            _proxy(complianceCode, abi.encodeCall(IModularCompliance.initialize, (address(this), rules, 100)))
        );
        compliance.bindToken(address(token));
        assertTrue(compliance.isTokenBound(address(token)) && !compliance.isTokenBound(address(0)));
        vm.startPrank(address(token));
        compliance.created(alice, 70);
        compliance.transferred(alice, bob, 20);
        compliance.destroyed(bob, 5);
        assertEq(position(alice), 50);
        assertEq(position(bob), 15);
        compliance.destroyed(bob, 500);
        assertEq(position(bob), 0);
        vm.stopPrank();
        bytes memory refusal = abi.encodeWithSelector(IModularCompliance.ComplianceTokenOnly.selector, address(this));
        vm.expectRevert(refusal);
        compliance.created(alice, 1);
        vm.expectRevert(refusal);
        compliance.transferred(alice, bob, 1);
        vm.expectRevert(refusal);
        compliance.destroyed(alice, 1);
        vm.expectRevert(refusal);
        compliance.move(alice, bob, 1, 0, 0, 1, Channels.PLAIN);
        vm.expectRevert(refusal);
        compliance.recordMove(alice, bob, 1, 0, 0);
    }

    function test_one_token_is_bound_by_itself_or_by_the_owner() public {
        vm.expectRevert(abi.encodeWithSelector(IModularCompliance.ComplianceTokenBound.selector, address(token)));
        compliance.bindToken(alice);
        vm.expectRevert(abi.encodeWithSelector(IModularCompliance.ComplianceTokenNotBound.selector, alice));
        compliance.unbindToken(alice);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER")));
        compliance.unbindToken(address(token));
        vm.expectEmit(address(compliance));
        emit ICompliance.TokenUnbound(address(token));
        compliance.unbindToken(address(token));
        vm.expectRevert(abi.encodeWithSelector(IModularCompliance.ComplianceTokenNotBound.selector, address(0)));
        compliance.unbindToken(address(0));
        vm.expectEmit(address(compliance));
        emit ICompliance.TokenBound(address(token));
        compliance.bindToken(address(token));
        compliance.unbindToken(address(token));
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER")));
        compliance.bindToken(address(token));
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER")));
        compliance.announceRules(noRules(), 5000);
        assertTrue(IERC165(address(compliance)).supportsInterface(type(ICompliance).interfaceId));
        assertTrue(IERC165(address(compliance)).supportsInterface(0x01ffc9a7));
    }

    function test_to_bind_the_bound_token_again_changes_nothing() public {
        address[2] memory tokens = [address(token), address(1)];
        for (uint256 i = 0; i < 2; i++) {
            IModularCompliance fresh = IModularCompliance(
                _proxy(complianceCode, abi.encodeCall(IModularCompliance.initialize, (address(this), noRules(), 100)))
            );
            assertEq(fresh.getTokenBound(), address(0));
            assertFalse(fresh.isTokenBound(address(0)), "none is no token");
            fresh.bindToken(tokens[i]);
            vm.recordLogs();
            fresh.bindToken(tokens[i]);
            assertEq(vm.getRecordedLogs().length, 0, "no event");
            assertEq(fresh.getTokenBound(), tokens[i]);
            assertTrue(fresh.isTokenBound(tokens[i]));
            assertFalse(fresh.isTokenBound(tokens[1 - i]));
        }
    }
}
