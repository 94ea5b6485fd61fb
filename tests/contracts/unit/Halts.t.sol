// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAttestedIdentityRegistry} from "../../../contracts/interfaces/IAttestedIdentityRegistry.sol";
import {IRestraints} from "../../../contracts/interfaces/IRestraints.sol";
import {ISecurityToken} from "../../../contracts/interfaces/ISecurityToken.sol";
import {Suite} from "../Suite.sol";

/// @notice What stops transfers and mints beside rules: termination, suspension, restriction, legal holds.
contract HaltsTest is Suite {
    uint256 private constant _RESTRICTED = 16;
    uint256 private constant _SUSPENDED = 32;
    uint256 private constant _NO_SALE = 64;
    uint256 private constant _NO_PURCHASE = 128;

    function setUp() public override {
        super.setUp();
        token.mint(alice, 100);
    }

    /// @dev The registry answers with these bits added to the words of sender and receiver.
    function _mark(address from, address to, uint256 ofSender, uint256 ofReceiver) private {
        (uint256 fromWord, uint256 toWord) = (registry.wordOf(from), registry.wordOf(to));
        bytes memory answer = abi.encode(fromWord | ofSender, toWord | ofReceiver);
        vm.mockCall(address(registry), abi.encodeCall(IAttestedIdentityRegistry.pair, (from, to)), answer);
        vm.mockCall(address(registry), abi.encodeCall(IAttestedIdentityRegistry.pairRefreshed, (from, to)), answer);
    }

    function _restrict(address account, bool restricted) private {
        vm.mockCall(
            address(registry),
            abi.encodeCall(IRestraints.isRestricted, (account, address(token))),
            abi.encode(restricted, BROKER_A)
        );
    }

    function _expect(bytes memory refusal) private {
        assertEq(token.verdict(alice, bob, 1, alice), refusal);
        uint256 state = vm.snapshotState();
        vm.prank(alice);
        (bool done, bytes memory answer) = address(token).call(abi.encodeCall(token.transfer, (bob, 1)));
        assertEq(done, refusal.length == 0);
        if (!done) assertEq(answer, refusal);
        vm.revertToState(state);
    }

    function _hold(address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(AccountLegalHold.selector, account);
    }

    function test_a_suspension_stops_transfers_and_mints() public {
        _mark(alice, bob, _SUSPENDED, _SUSPENDED);
        _expect(abi.encodeWithSelector(EmergencySuspension.selector));
        _mark(address(0), bob, 0, _SUSPENDED);
        vm.expectRevert(abi.encodeWithSelector(EmergencySuspension.selector));
        token.mint(bob, 1);
    }

    function test_a_restricted_institution_stops_its_accounts_where_the_issue_is_meant() public {
        bytes memory refusal = abi.encodeWithSelector(InstitutionTransferRestricted.selector, BROKER_A);
        _mark(alice, bob, _RESTRICTED, 0);
        _restrict(alice, false);
        _expect("");
        _restrict(alice, true);
        _expect(refusal);
        _mark(alice, bob, 0, _RESTRICTED);
        _restrict(bob, true);
        _expect(refusal);
        _mark(address(0), bob, 0, _RESTRICTED);
        vm.expectRevert(refusal);
        token.mint(bob, 1);
    }

    function test_legal_holds_stop_sales_or_purchases() public {
        _mark(alice, bob, _NO_SALE, 0);
        _expect(_hold(alice));
        _mark(alice, bob, _NO_PURCHASE, _NO_SALE);
        _expect("");
        _mark(alice, bob, 0, _NO_PURCHASE);
        _expect(_hold(bob));
        _mark(address(0), bob, 0, _NO_PURCHASE);
        vm.expectRevert(_hold(bob));
        token.mint(bob, 1);
        token.setAddressFrozen(carol, true);
        vm.expectRevert(_hold(carol));
        token.mint(carol, 1);
    }

    function test_the_first_in_order_is_named() public {
        token.setAddressFrozen(alice, true);
        _mark(alice, bob, _SUSPENDED | _RESTRICTED | _NO_SALE | 4, _SUSPENDED);
        _restrict(alice, true);
        token.pause();
        _expect(abi.encodeWithSelector(TokenPaused.selector));
        token.unpause();
        _expect(abi.encodeWithSelector(EmergencySuspension.selector));
    }

    function test_restriction_comes_before_hold_and_hold_before_identity() public {
        _mark(alice, bob, _RESTRICTED | _NO_SALE | 4, 0);
        _restrict(alice, true);
        _expect(abi.encodeWithSelector(InstitutionTransferRestricted.selector, BROKER_A));
        _restrict(alice, false);
        _expect(_hold(alice));
    }

    function test_burn_and_force_work_regardless() public {
        _mark(alice, bob, _SUSPENDED | _RESTRICTED | _NO_SALE, _SUSPENDED | _RESTRICTED | _NO_PURCHASE);
        _mark(alice, address(0), _SUSPENDED, 0);
        token.forcedTransfer(alice, bob, 1);
        token.burn(alice, 1);
        assertEq(token.balanceOf(bob), 1);
    }

    function test_an_instrument_ends_for_ever_once_nothing_is_left_of_it() public {
        vm.expectRevert(abi.encodeWithSelector(ISecurityToken.SecurityTokenUnitsOutstanding.selector, uint256(100)));
        token.terminate("file");
        token.burn(alice, 100);
        vm.expectRevert(abi.encodeWithSelector(LegalBasisRequired.selector));
        token.terminate(0);
        vm.expectEmit(address(token));
        emit ISecurityToken.Terminated(address(this), "file");
        token.terminate("file");
        assertTrue(token.terminated());
        bytes memory ended = abi.encodeWithSelector(InstrumentTerminated.selector);
        vm.expectRevert(ended);
        token.terminate("file");
        vm.expectRevert(ended);
        token.mint(alice, 1);
        vm.prank(alice);
        vm.expectRevert(ended);
        token.transfer(bob, 0);
        assertEq(token.verdict(alice, bob, 0, alice), ended);
        assertEq(token.detectTransferRestriction(alice, bob, 0), 16);
        assertEq(token.messageForTransferRestriction(16), "INSTRUMENT_TERMINATED");
        assertEq(token.messageForTransferRestriction(17), "EMERGENCY_SUSPENSION");
        assertEq(token.messageForTransferRestriction(18), "INSTITUTION_TRANSFER_RESTRICTED");
        token.pause();
        vm.expectRevert(ended);
        token.rescale(alice, 1, 0, 0);
        assertEq(token.verdict(alice, bob, 0, alice), abi.encodeWithSelector(TokenPaused.selector));
    }

    function test_settlement_and_instructions_move_units_without_allowance() public {
        token.settle(alice, bob, 1);
        vm.prank(instructions);
        token.instruct(alice, bob, 1);
        assertEq(token.balanceOf(bob), 2);
        assertEq(token.verdict(alice, bob, 1, address(this)), "");
        assertEq(token.verdict(alice, bob, 1, instructions), "");
        assertTrue(token.verdict(alice, bob, 1, carol).length != 0);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("INSTRUCTIONS")));
        token.instruct(alice, bob, 1);
    }
}
