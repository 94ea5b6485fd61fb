// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IBlackout} from "../../../contracts/interfaces/IBlackout.sol";
import {IComplianceModule} from "../../../contracts/interfaces/IComplianceModule.sol";
import {IConditionalApproval} from "../../../contracts/interfaces/IConditionalApproval.sol";
import {Channels, IModularCompliance, RuleSet} from "../../../contracts/interfaces/IModularCompliance.sol";
import {ChannelModule, ObligingModule, PickyModule, ReceiptsModule, UnwillingModule} from "../mocks/Modules.sol";
import {Suite} from "../Suite.sol";

/// @notice Module contracts: how they come and go with versions, and what the two of the suite refuse.
contract ModulesTest is Suite {
    IConditionalApproval internal approval;
    IBlackout internal blackout;

    function setUp() public override {
        super.setUp();
        approval = IConditionalApproval(deploy("ConditionalApproval"));
        blackout = IBlackout(deploy("Blackout"));
    }

    function add(address module) internal {
        compliance.addModule(module, 0);
    }

    function sell(address to, uint256 amount) internal {
        vm.prank(alice);
        token.transfer(to, amount);
    }

    function refuse(address to, uint256 amount, bytes memory refusal) internal {
        assertEq(token.verdict(alice, to, amount, alice), refusal, "verdict");
        vm.expectRevert(refusal);
        sell(to, amount);
    }

    function test_a_module_is_part_of_a_version_from_its_block_on() public {
        RuleSet memory rules = noRules();
        rules.lot = 2;
        issue(rules);
        token.mint(alice, 100);
        address module = address(new PickyModule(10));
        bytes memory picky = abi.encodeWithSelector(PickyModule.Picky.selector, module);
        vm.expectRevert(
            abi.encodeWithSelector(IModularCompliance.ComplianceNoticeTooShort.selector, uint64(1099), uint256(1100))
        );
        compliance.addModule(module, 1099);
        vm.expectEmit(address(compliance));
        emit IModularCompliance.RuleSetAnnounced(2, 1100, rules);
        vm.expectEmit(address(compliance));
        emit IModularCompliance.ModuleAdded(2, module, 0, module.codehash);
        compliance.addModule(module, 1100);
        rules.lot = 5;
        compliance.announceRules(rules, 1200);
        vm.expectEmit(address(compliance));
        emit IModularCompliance.ModuleRemoved(4, module);
        compliance.removeModule(module, 1300);
        assertFalse(compliance.isModuleBound(module));
        sell(bob, 10);
        vm.roll(1100);
        assertTrue(compliance.isModuleBound(module));
        refuse(bob, 10, picky);
        sell(bob, 2);
        vm.roll(1200);
        refuse(bob, 2, abi.encodeWithSelector(LotInvalid.selector, uint256(2), uint256(5)));
        refuse(bob, 10, picky);
        assertEq(compliance.getModules().length, 1);
        vm.roll(1300);
        sell(bob, 10);
        assertEq(compliance.getModules().length, 0);
        assertEq(compliance.modules(3)[0], module);
        assertEq(compliance.modules(4).length, 0);
    }

    function test_the_order_of_binding_does_not_change_the_verdict() public {
        address[] memory made = new address[](4);
        for (uint256 i = 0; i < 4; i++) {
            made[i] = address(new PickyModule(7));
        }
        add(made[2]);
        add(made[0]);
        add(made[3]);
        add(made[1]);
        token.mint(alice, 100);
        address[] memory asked = compliance.getModules();
        for (uint256 i = 1; i < 4; i++) {
            assertTrue(asked[i - 1] < asked[i]);
        }
        refuse(bob, 7, abi.encodeWithSelector(PickyModule.Picky.selector, asked[0]));
        compliance.removeModule(asked[0], 1100);
        compliance.removeModule(asked[2], 1100);
        compliance.addModule(asked[0], 1200);
        vm.roll(1100);
        refuse(bob, 7, abi.encodeWithSelector(PickyModule.Picky.selector, asked[1]));
        vm.roll(1200);
        refuse(bob, 7, abi.encodeWithSelector(PickyModule.Picky.selector, asked[0]));
        sell(bob, 8);
    }

    function test_built_in_rules_refuse_before_modules() public {
        add(address(new PickyModule(7)));
        RuleSet memory rules = noRules();
        rules.offVenueBarred = true;
        compliance.announceRules(rules, 0);
        token.mint(alice, 100);
        refuse(bob, 7, abi.encodeWithSelector(OffVenueSaleBarred.selector));
    }

    function test_a_module_with_state_records_what_it_allows_and_nothing_else() public {
        ReceiptsModule receipts = new ReceiptsModule(1, 2);
        add(address(receipts));
        token.mint(alice, 100);
        address who = identityOf(bob);
        onboard(stranger, who, KOREA, GENERAL, KYC, LATER);
        sell(bob, 1);
        sell(stranger, 1);
        sell(bob, 0);
        vm.prank(bob);
        token.transfer(stranger, 1);
        assertEq(receipts.receipts(who), 2);
        refuse(bob, 1, abi.encodeWithSelector(ReceiptsModule.TooManyReceipts.selector, who, uint256(2)));
        token.forcedTransfer(alice, bob, 5);
        token.burn(bob, 5);
        assertEq(receipts.receipts(who), 2);
        assertEq(receipts.receipts(identityOf(alice)), 0, "a mint is not asked");
    }

    function test_a_module_may_ask_for_mints() public {
        add(address(new ReceiptsModule(3, 1)));
        token.mint(alice, 1);
        address who = identityOf(alice);
        bytes memory refusal = abi.encodeWithSelector(ReceiptsModule.TooManyReceipts.selector, who, uint256(1));
        assertFalse(compliance.canTransfer(address(0), alice, 1));
        vm.expectRevert(refusal);
        token.mint(alice, 1);
    }

    function test_a_verdict_asks_the_modules_that_the_move_would_ask() public {
        RuleSet memory rules = noRules();
        rules.countries[IRAN >> 8] = 1 << (IRAN & 0xff);
        issue(rules);
        address spare = address(0xF9);
        onboard(spare, identityOf(alice), IRAN, GENERAL, KYC, LATER);
        onboard(stranger, identityOf(stranger), IRAN, GENERAL, KYC, LATER);
        add(address(new PickyModule(0)));
        add(address(new PickyModule(7)));
        add(address(new ChannelModule(2, Channels.MINT)));
        assertTrue(compliance.canTransfer(address(0), alice, 7), "only the last is asked about mints");
        token.mint(alice, 107);
        assertTrue(compliance.canTransfer(alice, spare, 7), "no rule binds who keeps units");
        assertTrue(compliance.canTransfer(alice, bob, 0), "none is asked about nothing");
        bytes memory barred = abi.encodeWithSelector(JurisdictionBarred.selector, stranger, IRAN);
        refuse(stranger, 0, barred);
        refuse(stranger, 7, barred);
        refuse(bob, 1, abi.encodeWithSelector(ChannelModule.OtherChannel.selector, Channels.PLAIN));
    }

    function test_a_verdict_is_empty_where_every_module_allows() public {
        add(address(new PickyModule(7)));
        add(address(new ReceiptsModule(3, 2)));
        assertTrue(compliance.canTransfer(address(0), alice, 7));
        token.mint(alice, 100);
        assertTrue(compliance.canTransfer(alice, bob, 6));
        assertEq(token.verdict(alice, bob, 6, alice), "");
        sell(bob, 6);
    }

    function test_a_module_that_states_no_state_is_asked_and_never_told() public {
        ReceiptsModule receipts = new ReceiptsModule(0, 2);
        add(address(receipts));
        token.mint(alice, 100);
        sell(bob, 1);
        assertEq(receipts.receipts(identityOf(bob)), 0);
    }

    function test_what_a_module_recorded_of_a_refused_move_never_was() public {
        ReceiptsModule receipts = new ReceiptsModule(1, 2);
        add(address(receipts));
        add(address(new PickyModule(7)));
        token.mint(alice, 100);
        vm.prank(alice);
        (bool success,) = address(token).call(abi.encodeCall(token.transfer, (bob, 7)));
        assertFalse(success);
        assertEq(receipts.receipts(identityOf(bob)), 0);
    }

    function test_only_the_owner_binds_willing_contracts_once_and_twenty_five_at_most() public {
        address module = address(new ObligingModule(0));
        bytes4 invalid = IModularCompliance.ComplianceModuleInvalid.selector;
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER")));
        compliance.addModule(module, 0);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER")));
        compliance.removeModule(module, 0);
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(invalid, alice));
        compliance.addModule(alice, 0);
        address strange = address(new ObligingModule(4));
        vm.expectRevert(abi.encodeWithSelector(invalid, strange));
        compliance.addModule(strange, 0);
        address unwilling = address(new UnwillingModule());
        vm.expectRevert(abi.encodeWithSelector(UnwillingModule.Unwilling.selector));
        compliance.addModule(unwilling, 0);
        vm.expectRevert(abi.encodeWithSelector(IModularCompliance.ComplianceModuleNotBound.selector, module));
        compliance.removeModule(module, 0);
        add(module);
        vm.expectRevert(abi.encodeWithSelector(IModularCompliance.ComplianceModuleBound.selector, module));
        compliance.addModule(module, 0);
        for (uint256 i = 1; i < 25; i++) {
            add(address(new ObligingModule(0)));
        }
        address last = address(new ObligingModule(0));
        vm.expectRevert(abi.encodeWithSelector(IModularCompliance.ComplianceModulesTooMany.selector));
        compliance.addModule(last, 0);
        token.mint(alice, 10);
        sell(bob, 10);
    }

    function test_a_transfer_needs_an_approval_of_exactly_it() public {
        add(address(approval));
        token.mint(alice, 100);
        bytes memory unapproved = abi.encodeWithSelector(DualControlRequired.selector);
        refuse(bob, 10, unapproved);
        bytes32 id = keccak256(abi.encode(address(compliance), alice, bob, 10));
        vm.expectEmit(address(approval));
        emit IConditionalApproval.TransferApproved(address(compliance), id, alice, bob, 10, START + 50);
        approval.approve(address(compliance), alice, bob, 10, START + 50);
        assertEq(approval.approvedUntil(address(compliance), alice, bob, 10), START + 50);
        refuse(bob, 11, unapproved);
        refuse(carol, 10, unapproved);
        vm.warp(START + 50);
        vm.expectEmit(address(approval));
        emit IConditionalApproval.ApprovalUsed(id);
        sell(bob, 10);
        refuse(bob, 10, unapproved);
        approval.approve(address(compliance), alice, bob, 10, START + 50);
        vm.warp(START + 51);
        refuse(bob, 10, unapproved);
        approval.approve(address(compliance), alice, bob, 10, START + 99);
        approval.approve(address(compliance), alice, bob, 10, 0);
        refuse(bob, 10, unapproved);
    }

    function test_an_approval_of_one_token_serves_no_other() public {
        add(address(approval));
        token.mint(alice, 100);
        approval.approve(address(compliance), alice, bob, 10, LATER);
        issue(noRules());
        add(address(approval));
        token.mint(alice, 100);
        refuse(bob, 10, abi.encodeWithSelector(DualControlRequired.selector));
    }

    function test_an_insider_is_barred_from_its_side_until_the_time() public {
        add(address(blackout));
        token.mint(alice, 100);
        token.mint(bob, 100);
        vm.expectEmit(address(blackout));
        emit IBlackout.BlackoutSet(address(compliance), identityOf(bob), 2, START + 50);
        blackout.setBlackout(address(compliance), identityOf(bob), 2, START + 50);
        (uint8 sides, uint40 until) = blackout.blackoutOf(address(compliance), identityOf(bob));
        assertTrue(sides == 2 && until == START + 50);
        bytes memory barred = abi.encodeWithSelector(InsiderBlackout.selector, identityOf(bob), uint256(START + 50));
        refuse(bob, 10, barred);
        token.mint(bob, 1);
        vm.prank(bob);
        token.transfer(alice, 10);
        vm.warp(START + 50);
        refuse(bob, 10, barred);
        vm.warp(START + 51);
        sell(bob, 10);
        blackout.setBlackout(address(compliance), identityOf(alice), 3, START + 90);
        refuse(bob, 1, abi.encodeWithSelector(InsiderBlackout.selector, identityOf(alice), uint256(START + 90)));
        blackout.setBlackout(address(compliance), identityOf(alice), 0, START + 90);
        sell(bob, 1);
    }

    function test_an_insider_who_may_not_sell_may_buy() public {
        add(address(blackout));
        token.mint(alice, 100);
        blackout.setBlackout(address(compliance), identityOf(bob), 1, START + 50);
        sell(bob, 10);
        bytes memory barred = abi.encodeWithSelector(InsiderBlackout.selector, identityOf(bob), uint256(START + 50));
        vm.prank(bob);
        vm.expectRevert(barred);
        token.transfer(alice, 1);
    }

    function test_the_suites_modules_state_whether_they_keep_state() public {
        address[2] memory modules = [address(blackout), address(approval)];
        for (uint16 i = 0; i < 2; i++) {
            vm.expectEmit(address(compliance));
            emit IModularCompliance.ModuleAdded(2 + i, modules[i], i, modules[i].codehash);
            add(modules[i]);
        }
    }

    function test_entries_are_the_owners_of_a_compliance_contract_that_was_bound() public {
        bytes memory unknown = abi.encodeWithSelector(IComplianceModule.ComplianceUnknown.selector, address(compliance));
        vm.expectRevert(unknown);
        approval.approve(address(compliance), alice, bob, 1, LATER);
        vm.expectRevert(unknown);
        blackout.setBlackout(address(compliance), alice, 1, LATER);
        vm.expectEmit(address(approval));
        emit IComplianceModule.ComplianceBound(address(compliance));
        add(address(approval));
        add(address(blackout));
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER")));
        approval.approve(address(compliance), alice, bob, 1, LATER);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER")));
        blackout.setBlackout(address(compliance), alice, 1, LATER);
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(IBlackout.BlackoutSidesInvalid.selector, uint8(4)));
        blackout.setBlackout(address(compliance), alice, 4, LATER);
        token.mint(alice, 10);
        vm.expectEmit(address(approval));
        emit IComplianceModule.ComplianceUnbound(address(compliance));
        compliance.removeModule(address(approval), 1100);
        approval.approve(address(compliance), alice, bob, 10, LATER);
        sell(bob, 10);
    }

    function test_units_counted_anew_are_told_by_an_event() public {
        RuleSet memory rules = noRules();
        rules.holderLimit = 10;
        issue(rules);
        token.mint(alice, 10);
        registry.updateIdentity(alice, address(0x5151));
        vm.expectEmit(address(compliance));
        emit IModularCompliance.AccountRecounted(alice, address(0x5151));
        compliance.recount(alice);
    }
}
