// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IModularCompliance, RuleSet} from "../../../contracts/interfaces/IModularCompliance.sol";
import {ObligingModule} from "../mocks/Modules.sol";
import {ReentrantCompliance} from "../mocks/ReentrantCompliance.sol";
import {Suite} from "../Suite.sol";

/// @notice The entry for batches of the compliance contract, and a compliance contract that acts while it is asked.
contract HostileBatchesTest is Suite {
    function setUp() public override {
        super.setUp();
        RuleSet memory rules = noRules();
        (rules.capUnits, rules.holderLimit) = (60, 2);
        issue(rules);
    }

    function test_the_token_alone_has_batches_recorded() public {
        token.mint(alice, 10);
        address[3] memory callers = [address(this), alice, address(compliance)];
        for (uint256 i = 0; i < callers.length; i++) {
            vm.expectRevert(abi.encodeWithSelector(IModularCompliance.ComplianceTokenOnly.selector, callers[i]));
            vm.prank(callers[i]);
            compliance.moveMany(alice, one(bob), one(uint256(1)), 0, one(uint256(0)), 100, 0);
        }
        assertEq(compliance.positionOf(identityOf(alice)), 10);
    }

    function test_no_batch_passes_by_a_module() public {
        token.mint(alice, 10);
        assertTrue(compliance.takesBatches());
        compliance.addModule(address(new ObligingModule(0)), 1100);
        assertTrue(compliance.takesBatches(), "not before its block");
        vm.roll(1100);
        assertFalse(compliance.takesBatches());
        (uint256 fromWord, uint256 toWord) = registry.pair(alice, bob);
        vm.expectRevert(abi.encodeWithSelector(IModularCompliance.ComplianceModulesInForce.selector));
        vm.prank(address(token));
        compliance.moveMany(alice, one(bob), one(uint256(1)), fromWord, one(toWord), 100, 0);
        vm.prank(alice);
        token.batchTransfer(one(bob), one(uint256(1)));
        assertEq(compliance.positionOf(identityOf(bob)), 1, "each for itself");
    }

    function test_the_rules_judge_a_batch_item_after_item() public {
        token.mint(alice, 60);
        (address[] memory to, uint256[] memory amounts) = (new address[](2), new uint256[](2));
        (to[0], to[1], amounts[0], amounts[1]) = (bob, carol, 20, 20);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(HolderCountLimit.selector, uint256(3), uint256(2)));
        token.batchTransfer(to, amounts);
        // The last units of a holder who leaves make room for one who comes.
        (to[0], amounts[0]) = (alice, 1);
        amounts[1] = 60;
        vm.prank(alice);
        token.batchTransfer(to, amounts);
        assertEq(compliance.holders(), 1);
        token.mint(bob, 10);
        vm.prank(carol);
        vm.expectRevert(abi.encodeWithSelector(HoldingLimit.selector, identityOf(bob), uint256(61), uint256(60)));
        (to[0], to[1], amounts[0], amounts[1]) = (bob, bob, 50, 1);
        token.batchTransfer(to, amounts);
    }

    function test_a_rule_refuses_before_the_balance_and_after_an_earlier_item() public {
        token.mint(alice, 50);
        (address[] memory to, uint256[] memory amounts) = (new address[](2), new uint256[](2));
        (to[0], to[1], amounts[0], amounts[1]) = (bob, bob, 10, 61);
        vm.expectRevert(abi.encodeWithSelector(HoldingLimit.selector, identityOf(bob), uint256(71), uint256(60)));
        vm.prank(alice);
        token.batchTransfer(to, amounts);
        (to[1], amounts[0], amounts[1]) = (stranger, 61, 1);
        vm.expectRevert(abi.encodeWithSelector(HoldingLimit.selector, identityOf(bob), uint256(61), uint256(60)));
        vm.prank(alice);
        token.batchTransfer(to, amounts);
        (amounts[0], amounts[1]) = (10, 1);
        vm.expectRevert(abi.encodeWithSelector(InvestorNotVerified.selector, stranger));
        vm.prank(alice);
        token.batchTransfer(to, amounts);
    }

    function test_what_compliance_does_while_it_is_asked_about_a_batch_is_not_overwritten() public {
        ReentrantCompliance hostile = new ReentrantCompliance();
        token.setCompliance(address(hostile));
        token.mint(alice, 100);
        vm.prank(alice);
        token.approve(address(hostile), 100);
        hostile.prepare(address(token), abi.encodeCall(token.transferFrom, (alice, carol, 40)));
        vm.prank(alice);
        token.batchTransfer(one(bob), one(uint256(30)));
        assertEq(token.balanceOf(alice), 30);
        assertEq(token.balanceOf(bob), 30);
        assertEq(token.balanceOf(carol), 40);
        // What the batch has taken is gone for whoever comes in between.
        hostile.prepare(address(token), abi.encodeCall(token.transferFrom, (alice, carol, 1)));
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(InsufficientSecurities.selector, alice, uint256(0), uint256(1)));
        token.batchTransfer(one(bob), one(uint256(30)));
    }
}
