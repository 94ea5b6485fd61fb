// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {RuleSet} from "../../../contracts/interfaces/IModularCompliance.sol";
import {Suite} from "../Suite.sol";

/// @notice Transfers of a security token: what they move, what they refuse and in which order.
contract TransferTest is Suite {
    function setUp() public override {
        super.setUp();
        token.mint(alice, 1000);
    }

    function expect(bytes memory refusal, address from, address to, uint256 amount) internal {
        assertEq(token.verdict(from, to, amount, from), refusal, "verdict");
        vm.expectRevert(refusal);
        vm.prank(from);
        token.transfer(to, amount);
    }

    function test_units_move_between_verified_accounts() public {
        vm.prank(alice);
        assertTrue(token.transfer(bob, 400));
        assertEq(token.balanceOf(alice), 600);
        assertEq(token.balanceOf(bob), 400);
        assertEq(token.totalSupply(), 1000);
    }

    function test_zero_and_self_transfers_succeed_as_erc20_asks() public {
        vm.startPrank(alice);
        assertTrue(token.transfer(bob, 0));
        assertTrue(token.transfer(alice, 1000));
        vm.stopPrank();
        assertEq(token.balanceOf(alice), 1000);
    }

    function test_an_infinite_allowance_is_not_consumed() public {
        vm.prank(alice);
        token.approve(bob, type(uint256).max);
        vm.prank(bob);
        token.transferFrom(alice, bob, 10);
        assertEq(token.allowance(alice, bob), type(uint256).max);
    }

    function test_an_allowance_is_consumed_and_bounds_the_spender() public {
        vm.prank(alice);
        token.approve(bob, 15);
        vm.startPrank(bob);
        token.transferFrom(alice, carol, 10);
        assertEq(token.allowance(alice, bob), 5);
        bytes memory refusal =
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, bob, uint256(5), uint256(6));
        assertEq(token.verdict(alice, carol, 6, bob), refusal);
        vm.expectRevert(refusal);
        token.transferFrom(alice, carol, 6);
        vm.stopPrank();
    }

    function test_the_owner_itself_needs_no_allowance() public {
        vm.prank(alice);
        assertTrue(token.transferFrom(alice, bob, 10));
    }

    function test_an_expired_claim_does_not_stop_a_sale() public {
        onboard(stranger, identityOf(stranger), KOREA, GENERAL, KYC, START + 10);
        token.mint(stranger, 50);
        vm.warp(START + 11);
        vm.prank(stranger);
        assertTrue(token.transfer(bob, 50));
    }

    function test_an_expired_claim_stops_a_purchase() public {
        onboard(stranger, identityOf(stranger), KOREA, GENERAL, KYC, START + 10);
        vm.warp(START + 10);
        vm.prank(alice);
        token.transfer(stranger, 1);
        vm.warp(START + 11);
        expect(abi.encodeWithSelector(InvestorClaimExpired.selector, stranger, uint256(START + 10)), alice, stranger, 1);
    }

    function test_a_withdrawn_claim_stops_purchases_but_not_sales() public {
        token.mint(bob, 5);
        revoke(ISSUER_KEY, identityOf(bob), false);
        expect(abi.encodeWithSelector(InvestorNotVerified.selector, bob), alice, bob, 1);
        vm.prank(bob);
        assertTrue(token.transfer(alice, 5));
    }

    function test_a_revocation_for_cause_stops_both() public {
        token.mint(bob, 5);
        vm.prank(bob);
        token.transfer(alice, 1);
        revoke(ISSUER_KEY, identityOf(bob), true);
        expect(abi.encodeWithSelector(InvestorNotVerified.selector, bob), alice, bob, 1);
        expect(abi.encodeWithSelector(SenderNotVerified.selector, bob), bob, alice, 1);
    }

    function test_an_unregistered_sender_moves_nothing() public {
        token.mint(bob, 5);
        registry.deleteIdentity(bob);
        expect(abi.encodeWithSelector(SenderNotVerified.selector, bob), bob, alice, 1);
        expect(abi.encodeWithSelector(InvestorNotVerified.selector, stranger), alice, stranger, 1);
        expect(abi.encodeWithSelector(InvestorNotVerified.selector, address(0)), alice, address(0), 1);
    }

    function test_checks_come_in_their_order() public {
        RuleSet memory rules = noRules();
        rules.lot = 10;
        issue(rules);
        token.mint(alice, 100);
        address nobody = address(0xE5);
        token.mint(bob, 10);
        encumbrances.lock("a", address(token), alice, 1, 40, START + 100);
        token.setAddressFrozen(alice, true);
        token.setAddressFrozen(nobody, true);
        token.pause();
        expect(abi.encodeWithSelector(TokenPaused.selector), alice, nobody, 1001);
        token.unpause();
        expect(abi.encodeWithSelector(AccountLegalHold.selector, alice), alice, nobody, 1001);
        token.setAddressFrozen(alice, false);
        expect(abi.encodeWithSelector(AccountLegalHold.selector, nobody), alice, nobody, 1001);
        token.setAddressFrozen(nobody, false);
        expect(abi.encodeWithSelector(SenderNotVerified.selector, stranger), stranger, nobody, 1001);
        expect(abi.encodeWithSelector(InvestorNotVerified.selector, nobody), alice, nobody, 1001);
        expect(abi.encodeWithSelector(LotInvalid.selector, uint256(1001), uint256(10)), alice, bob, 1001);
        expect(
            abi.encodeWithSelector(InsufficientSecurities.selector, alice, uint256(100), uint256(1000)),
            alice,
            bob,
            1000
        );
        expect(abi.encodeWithSelector(LockupActive.selector, alice, uint256(60), uint256(70)), alice, bob, 70);
        vm.prank(alice);
        assertTrue(token.transfer(bob, 60));
    }

    function test_the_first_encumbrance_that_falls_short_is_named() public {
        encumbrances.lock("a", address(token), alice, 1, 300, START + 100);
        token.freezePartialTokens(alice, 200);
        expect(
            abi.encodeWithSelector(InsufficientSecurities.selector, alice, uint256(1000), uint256(1001)),
            alice,
            bob,
            1001
        );
        expect(abi.encodeWithSelector(LockupActive.selector, alice, uint256(700), uint256(701)), alice, bob, 701);
        expect(abi.encodeWithSelector(SecuritiesFrozen.selector, alice, uint256(500), uint256(501)), alice, bob, 501);
        vm.prank(alice);
        assertTrue(token.transfer(bob, 500));
    }

    function test_settlement_alone_settles() public {
        token.settle(alice, bob, 7);
        assertEq(token.balanceOf(bob), 7);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("SETTLEMENT")));
        vm.prank(alice);
        token.settle(alice, bob, 7);
    }

    function test_a_batch_moves_all_or_nothing_and_wants_equal_lengths() public {
        address[] memory to = new address[](2);
        (to[0], to[1]) = (bob, carol);
        uint256[] memory amounts = new uint256[](2);
        (amounts[0], amounts[1]) = (1, 2);
        vm.startPrank(alice);
        token.batchTransfer(to, amounts);
        assertEq(token.balanceOf(carol), 2);
        vm.expectRevert(abi.encodeWithSignature("SecurityTokenLengthMismatch()"));
        token.batchTransfer(to, one(uint256(1)));
        amounts[1] = 5000;
        vm.expectRevert();
        token.batchTransfer(to, amounts);
        vm.stopPrank();
        assertEq(token.balanceOf(bob), 1);
    }

    /// @dev To others, to oneself, to the same twice and of nothing, after a record date and with units frozen.
    function test_fuzz_a_batch_does_what_its_transfers_would_do_one_by_one(uint256 seed) public {
        address[3] memory holders = [alice, bob, carol];
        uint256[3] memory held = [uint256(1000), 0, 0];
        token.freezePartialTokens(alice, 100);
        token.setRecordDate();
        (address[] memory to, uint256[] memory amounts) = (new address[](6), new uint256[](6));
        for (uint256 i = 0; i < 6; i++) {
            seed = uint256(keccak256(abi.encode(seed)));
            to[i] = holders[seed % 3];
            amounts[i] = bound(seed >> 64, 0, held[0] - 100);
            held[0] -= amounts[i];
            held[seed % 3] += amounts[i];
        }
        vm.prank(alice);
        token.batchTransfer(to, amounts);
        for (uint256 i = 0; i < 3; i++) {
            assertEq(token.balanceOf(holders[i]), held[i], "balance");
            assertEq(token.balanceOfAt(holders[i], 1), i == 0 ? 1000 : 0, "at the record date");
        }
        assertEq(token.getFrozenTokens(alice), 100);
        (to, amounts) = (new address[](2), new uint256[](2));
        (to[0], to[1], amounts[0], amounts[1]) = (bob, carol, held[0] - 100, 1);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(SecuritiesFrozen.selector, alice, uint256(0), uint256(1)));
        token.batchTransfer(to, amounts);
    }

    function test_erc1404_gives_number_and_code() public view {
        assertEq(token.detectTransferRestriction(alice, bob, 1), 0);
        assertEq(token.messageForTransferRestriction(0), "");
        uint8 code = token.detectTransferRestriction(alice, bob, 1001);
        assertEq(token.messageForTransferRestriction(code), "INSUFFICIENT_SECURITIES");
        code = token.detectTransferRestriction(alice, stranger, 1);
        assertEq(token.messageForTransferRestriction(code), "INVESTOR_NOT_VERIFIED");
        assertEq(token.messageForTransferRestriction(200), "OTHER");
    }
}
