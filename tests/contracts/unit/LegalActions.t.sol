// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Act} from "../../../contracts/interfaces/IAuthority.sol";
import {IERC3643} from "../../../contracts/interfaces/IERC3643.sol";
import {ForcedMove, ILegalActions, MeasureTerms} from "../../../contracts/interfaces/ILegalActions.sol";
import {ISecurityToken} from "../../../contracts/interfaces/ISecurityToken.sol";
import {LegalSuite} from "./LegalSuite.sol";

/// @title LegalActionsTest
/// @notice Forced moves, corrections, recoveries (see LegalActions.tree), and which functions use force.
contract LegalActionsTest is LegalSuite {
    address private _successor = address(0x5ECC);
    address private _third = address(0x7412D);

    function setUp() public override {
        super.setUp();
        _bind(_successor);
        _bind(_third);
    }

    /// @custom:requirement TRF-11
    function test_a_forced_transfer_carries_its_grounds() public {
        Act memory act = nextAct(abi.encodeCall(ILegalActions.forceTransfers, (_moves(seller, buyer, 100))));
        bytes[] memory both = approvals(act, REGISTRAR_NO, SUPERVISOR_NO);
        vm.expectEmit(address(legal));
        emit ILegalActions.UnitsForced(1, address(token), seller, buyer, 100, groundsOf(act));
        vm.expectEmit(address(token));
        emit ISecurityToken.ForcedTransfer(address(legal), seller, buyer, 100, act.basis, act.document);
        authority.execute(act, both);
        assertEq(token.balanceOf(buyer), 100);
    }

    function test_units_are_canceled() public {
        legalAct(abi.encodeCall(ILegalActions.forceTransfers, (_moves(seller, address(0), 100))));
        assertEq(token.balanceOf(seller), 9_900);
        assertEq(token.totalSupply(), 9_900);
    }

    function test_all_customers_of_an_institution_move_in_one_act_with_equal_totals() public {
        ForcedMove[] memory moves = new ForcedMove[](2);
        moves[0] = ForcedMove(address(token), seller, buyer, 4_000);
        moves[1] = ForcedMove(address(token), seller, other, 6_000);
        legalAct(abi.encodeCall(ILegalActions.forceTransfers, (moves)));
        assertEq(token.balanceOf(buyer) + token.balanceOf(other), 10_000);
        moves[1].units = 1;
        refusesLegal(
            abi.encodeCall(ILegalActions.forceTransfers, (moves)),
            abi.encodeWithSelector(InsufficientSecurities.selector, seller, 0, 4_000)
        );
    }

    /// @custom:requirement TRF-12
    function test_a_correction_names_the_original_and_the_cause() public {
        bytes memory data =
            abi.encodeCall(ILegalActions.correct, (keccak256("entry"), "WRONG_ACCOUNT", _moves(seller, buyer, 7)));
        Act memory act = nextAct(data);
        bytes[] memory both = approvals(act, REGISTRAR_NO, SUPERVISOR_NO);
        vm.expectEmit(address(legal));
        emit ILegalActions.CorrectionEntered(1, keccak256("entry"), "WRONG_ACCOUNT", groundsOf(act));
        authority.execute(act, both);
        assertEq(token.balanceOf(buyer), 7);
        ForcedMove[] memory moves = _moves(seller, buyer, 7);
        refusesLegal(
            abi.encodeCall(ILegalActions.correct, (0, "CAUSE", moves)), abi.encodePacked(LegalBasisRequired.selector)
        );
        refusesLegal(
            abi.encodeCall(ILegalActions.correct, ("entry", 0, moves)), abi.encodePacked(LegalBasisRequired.selector)
        );
        bytes memory empty = abi.encodePacked(ILegalActions.LegalActionsEmpty.selector);
        refusesLegal(abi.encodeCall(ILegalActions.correct, ("entry", "CAUSE", new ForcedMove[](0))), empty);
        refusesLegal(abi.encodeCall(ILegalActions.forceTransfers, (new ForcedMove[](0))), empty);
    }

    /// @custom:requirement TRF-11
    function test_force_needs_two_institutions_a_basis_and_a_document() public {
        bytes memory data = abi.encodeCall(ILegalActions.forceTransfers, (_moves(seller, buyer, 1)));
        Act memory act = nextAct(data);
        bytes[] memory one = new bytes[](1);
        one[0] = approvals(act, REGISTRAR_NO, SUPERVISOR_NO)[0];
        vm.expectRevert(DualControlRequired.selector);
        authority.execute(act, one);
        act.document = 0;
        bytes[] memory both = approvals(act, REGISTRAR_NO, SUPERVISOR_NO);
        vm.expectRevert(LegalBasisRequired.selector);
        authority.execute(act, both);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER")));
        legal.forceTransfers(_moves(seller, buyer, 1));
    }

    function test_a_stranger_moves_corrects_and_recovers_nothing() public {
        bytes memory refusal = abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER"));
        ForcedMove[] memory moves = _moves(seller, buyer, 1);
        address identity = registry.identity(seller);
        vm.expectRevert(refusal);
        legal.forceTransfers(moves);
        vm.expectRevert(refusal);
        legal.correct("entry", "CAUSE", moves);
        vm.expectRevert(refusal);
        legal.requestRecovery(address(token), seller, _successor, identity);
    }

    function test_every_function_of_force_is_known_as_such() public view {
        string[21] memory force = [
            "forcedTransfer(address,address,uint256)",
            "batchForcedTransfer(address[],address[],uint256[])",
            "forcedTransferFor(address,address,uint256,bytes32,bytes32)",
            "recoveryAddress(address,address,address)",
            "burn(address,uint256)",
            "batchBurn(address[],uint256[])",
            "cancelFor(address,uint96,bytes32,bytes32)",
            "terminate(bytes32)",
            "rescale(address,uint96,uint96,uint96)",
            "setAddressFrozen(address,bool)",
            "batchSetAddressFrozen(address[],bool[])",
            "freezePartialTokens(address,uint256)",
            "batchFreezePartialTokens(address[],uint256[])",
            "unfreezePartialTokens(address,uint256)",
            "batchUnfreezePartialTokens(address[],uint256[])",
            "setHold(address,uint8)",
            "setRestriction(bytes20,address,bool)",
            "setSuspended(bool)",
            "forceTransfers((address,address,address,uint96)[])",
            "correct(bytes32,bytes32,(address,address,address,uint96)[])",
            "impose((uint8,uint8,uint40,address,bytes20,uint96))"
        ];
        for (uint256 i = 0; i < force.length; i++) {
            assertTrue(authority.isForce(bytes4(keccak256(bytes(force[i])))), force[i]);
        }
        assertTrue(authority.isForce(ILegalActions.confirm.selector));
        assertTrue(authority.isForce(ILegalActions.lift.selector));
        assertTrue(authority.isForce(ILegalActions.requestRecovery.selector));
        assertTrue(authority.isForce(ILegalActions.cancelRecovery.selector));
        assertFalse(authority.isForce(IERC3643.mint.selector));
        assertFalse(authority.isForce(IERC3643.pause.selector));
    }

    /// @custom:requirement ACC-06
    function test_a_recovery_waits_three_days_and_anyone_carries_it_out() public {
        uint64 id = _request(seller, _successor);
        vm.warp(START + 3 days - 1);
        vm.expectRevert(abi.encodeWithSelector(RecoveryCooldown.selector, START + 3 days, START + 3 days - 1));
        legal.executeRecovery(id);
        vm.warp(START + 3 days);
        vm.expectEmit(address(legal));
        emit ILegalActions.RecoveryExecuted(id, address(token), seller, _successor);
        legal.executeRecovery(id);
        assertEq(token.balanceOf(_successor), 10_000);
        assertEq(legal.recoveryOf(id).status, 2);
        bytes memory refusal = abi.encodeWithSelector(ILegalActions.LegalActionsRecoveryNotWaiting.selector, id);
        vm.expectRevert(refusal);
        legal.executeRecovery(id);
        refusesLegal(abi.encodeCall(ILegalActions.cancelRecovery, (id)), refusal);
    }

    function test_a_request_says_when_it_may_be_carried_out_and_on_what_grounds() public {
        address identity = registry.identity(seller);
        bytes memory data =
            abi.encodeCall(ILegalActions.requestRecovery, (address(token), seller, _successor, identity));
        Act memory act = nextAct(data);
        bytes[] memory both = approvals(act, REGISTRAR_NO, SUPERVISOR_NO);
        vm.expectEmit(address(legal));
        emit ILegalActions.RecoveryRequested(
            1, address(token), seller, _successor, identity, uint40(START + 3 days), groundsOf(act)
        );
        authority.execute(act, both);
    }

    function test_a_recovery_is_canceled_while_it_waits() public {
        uint64 id = _request(seller, _successor);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER")));
        legal.cancelRecovery(id);
        Act memory act = nextAct(abi.encodeCall(ILegalActions.cancelRecovery, (id)));
        bytes[] memory both = approvals(act, REGISTRAR_NO, SUPERVISOR_NO);
        vm.expectEmit(address(legal));
        emit ILegalActions.RecoveryCanceled(id, groundsOf(act));
        authority.execute(act, both);
        assertEq(legal.recoveryOf(id).status, 3);
        vm.warp(START + 3 days);
        vm.expectRevert(abi.encodeWithSelector(ILegalActions.LegalActionsRecoveryNotWaiting.selector, id));
        legal.executeRecovery(id);
        assertEq(token.balanceOf(seller), 10_000);
    }

    function test_a_recovery_stays_within_one_identity() public {
        address identity = registry.identity(seller);
        bytes memory refusal =
            abi.encodeWithSelector(ILegalActions.LegalActionsIdentityMismatch.selector, buyer, identity);
        _refusesRequest(seller, buyer, identity, refusal);
        refusal = abi.encodeWithSelector(ILegalActions.LegalActionsIdentityMismatch.selector, seller, address(1));
        _refusesRequest(seller, _successor, address(1), refusal);
        refusal = abi.encodeWithSelector(ILegalActions.LegalActionsIdentityMismatch.selector, address(9), address(0));
        _refusesRequest(address(9), _successor, address(0), refusal);
        _refusesRequest(seller, seller, identity, abi.encodeWithSelector(SelfTransfer.selector, seller));
        uint64 id = _request(seller, _successor);
        vm.warp(START + 3 days);
        vm.prank(address(authority));
        registry.updateIdentity(_successor, address(0x99));
        vm.expectRevert(
            abi.encodeWithSelector(ISecurityToken.SecurityTokenIdentityMismatch.selector, _successor, identity)
        );
        legal.executeRecovery(id);
    }

    /// @custom:requirement ACC-06
    function test_measures_follow_a_recovered_account() public {
        _measure(MeasureTerms(3, 0, 0, address(token), bytes20(seller), 0));
        _measure(MeasureTerms(3, 3, 0, address(0), bytes20(seller), 0));
        _measure(MeasureTerms(5, 0, 0, address(token), bytes20(seller), 40));
        _recover(seller, _successor);
        assertTrue(token.isFrozen(_successor));
        assertFalse(token.isFrozen(seller));
        assertEq(registry.holdOf(_successor), 3);
        assertEq(token.getFrozenTokens(_successor), 40);
        refusesLegal(
            abi.encodeCall(ILegalActions.impose, (MeasureTerms(3, 0, 0, address(token), bytes20(seller), 0))),
            abi.encodeWithSelector(ILegalActions.LegalActionsAccountRecovered.selector, seller, _successor)
        );
        for (uint64 id = 1; id <= 3; id++) {
            legalAct(abi.encodeCall(ILegalActions.lift, (id)));
        }
        assertFalse(token.isFrozen(_successor));
        assertEq(uint256(registry.holdOf(_successor)) + registry.holdOf(seller), 0);
        assertEq(token.getFrozenTokens(_successor), 0);
    }

    function test_measures_follow_there_and_back_again() public {
        _measure(MeasureTerms(3, 0, 0, address(token), bytes20(seller), 0));
        _recover(seller, _successor);
        _recover(_successor, _third);
        _recover(_third, seller);
        assertTrue(token.isFrozen(seller));
        legalAct(abi.encodeCall(ILegalActions.lift, (1)));
        assertFalse(token.isFrozen(seller));
    }

    function test_a_frozen_successor_stays_frozen() public {
        registrarAct(address(token), abi.encodeCall(IERC3643.setAddressFrozen, (_successor, true)));
        _measure(MeasureTerms(3, 0, 0, address(token), bytes20(seller), 0));
        _recover(seller, _successor);
        legalAct(abi.encodeCall(ILegalActions.lift, (1)));
        assertTrue(token.isFrozen(_successor));
    }

    function test_an_account_frozen_before_its_measure_stays_frozen_at_its_successor() public {
        registrarAct(address(token), abi.encodeCall(IERC3643.setAddressFrozen, (seller, true)));
        _measure(MeasureTerms(3, 0, 0, address(token), bytes20(seller), 0));
        _recover(seller, _successor);
        legalAct(abi.encodeCall(ILegalActions.lift, (1)));
        assertTrue(token.isFrozen(_successor));
    }

    function test_measures_of_both_accounts_bar_the_successor_and_no_longer() public {
        _measure(MeasureTerms(3, 0, 0, address(token), bytes20(seller), 0));
        _measure(MeasureTerms(3, 0, 0, address(token), bytes20(_successor), 0));
        _recover(seller, _successor);
        legalAct(abi.encodeCall(ILegalActions.lift, (1)));
        assertTrue(token.isFrozen(_successor));
        legalAct(abi.encodeCall(ILegalActions.lift, (2)));
        assertFalse(token.isFrozen(_successor));
    }

    function test_a_hold_of_one_side_follows_and_a_lost_account_can_be_held() public {
        _recover(seller, _successor);
        _measure(MeasureTerms(3, 3, 0, address(0), bytes20(seller), 0));
        assertEq(registry.holdOf(seller), 3);
        _measure(MeasureTerms(3, 1, 0, address(0), bytes20(_successor), 0));
        _recover(_successor, _third);
        assertEq(registry.holdOf(_third), 1);
    }

    function test_units_of_a_lost_account_are_frozen_where_they_are() public {
        _recover(seller, _successor);
        refusesLegal(
            abi.encodeCall(ILegalActions.impose, (MeasureTerms(5, 0, 0, address(token), bytes20(seller), 1))),
            abi.encodeWithSelector(ILegalActions.LegalActionsAccountRecovered.selector, seller, _successor)
        );
    }

    function test_no_account_succeeds_another_after_it_was_lost_itself() public {
        _recover(seller, _successor);
        issuerAct(address(token), abi.encodeCall(IERC3643.mint, (_third, 5)));
        uint64 id = _request(_third, seller);
        vm.warp(vm.getBlockTimestamp() + 3 days);
        vm.expectRevert(abi.encodeWithSelector(ILegalActions.LegalActionsAccountRecovered.selector, seller, _successor));
        legal.executeRecovery(id);
    }

    function test_its_implementation_is_locked_and_the_proxy_initialised() public {
        vm.expectRevert();
        legal.initialize(address(this), address(this), address(this));
        ILegalActions code = ILegalActions(deploy("LegalActions"));
        vm.expectRevert();
        code.initialize(address(this), address(this), address(this));
    }

    function _bind(address account) private {
        address identity = registry.identity(seller);
        vm.prank(address(authority));
        registry.registerIdentity(account, identity, 410);
    }

    function _moves(address from, address to, uint96 units) private view returns (ForcedMove[] memory moves) {
        moves = new ForcedMove[](1);
        moves[0] = ForcedMove(address(token), from, to, units);
    }

    function _measure(MeasureTerms memory terms) private {
        legalAct(abi.encodeCall(ILegalActions.impose, (terms)));
    }

    function _request(address lost, address successor) private returns (uint64) {
        address identity = registry.identity(lost);
        bytes memory data = abi.encodeCall(ILegalActions.requestRecovery, (address(token), lost, successor, identity));
        return abi.decode(legalAct(data), (uint64));
    }

    function _refusesRequest(address lost, address successor, address identity, bytes memory refusal) private {
        bytes memory data = abi.encodeCall(ILegalActions.requestRecovery, (address(token), lost, successor, identity));
        refusesLegal(data, refusal);
    }

    function _recover(address lost, address successor) private {
        uint64 id = _request(lost, successor);
        vm.warp(vm.getBlockTimestamp() + 3 days);
        legal.executeRecovery(id);
    }
}
