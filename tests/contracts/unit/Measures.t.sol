// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Act, Grounds} from "../../../contracts/interfaces/IAuthority.sol";
import {IERC3643} from "../../../contracts/interfaces/IERC3643.sol";
import {AccountHold, ILegalActions, MeasureTerms, Suspension} from "../../../contracts/interfaces/ILegalActions.sol";
import {Key} from "../../../contracts/interfaces/IMemberRegistry.sol";
import {Vm} from "../Vm.sol";
import {LegalSuite} from "./LegalSuite.sol";

/// @title MeasuresTest
/// @notice Pauses, restrictions, holds and freezes: see Measures.tree.
contract MeasuresTest is LegalSuite {
    uint8 private constant _ISSUE = 1;
    uint8 private constant _INSTITUTION = 2;
    uint8 private constant _ACCOUNT = 3;
    uint8 private constant _NETWORK = 4;
    uint8 private constant _UNITS = 5;

    /// @custom:requirement TRF-14
    function test_a_measure_says_who_why_and_until_when() public {
        MeasureTerms memory terms = MeasureTerms(_ISSUE, 0, START + 1 days, address(token), 0, 0);
        Act memory act = nextAct(abi.encodeCall(ILegalActions.impose, (terms)));
        bytes[] memory both = approvals(act, REGISTRAR_NO, SUPERVISOR_NO);
        vm.expectEmit(address(legal));
        emit ILegalActions.MeasureImposed(1, _ISSUE, address(token), 0, 0, 0, START + 1 days, false, groundsOf(act));
        authority.execute(act, both);
        assertTrue(token.paused());
        ILegalActions.Measure memory measure = legal.measureOf(1);
        assertEq(bytes32(measure.grounds.author), bytes32(REGISTRAR));
        assertEq(bytes32(measure.grounds.approver), bytes32(SUPERVISOR));
        assertEq(measure.grounds.basis, act.basis);
        assertEq(measure.grounds.document, act.document);
        assertEq(measure.status, 1);
        assertEq(authority.acting().basis, 0, "grounds last as long as the call");
    }

    function test_measures_bar_an_institution_an_account_units_and_the_network() public {
        uint64 all = _impose(_INSTITUTION, 0, address(0), BROKER_1, 0);
        assertTrue(_restricts(address(0)));
        _impose(_INSTITUTION, 0, address(token), BROKER_1, 0);
        assertTrue(_restricts(address(token)));
        _lift(all);
        assertFalse(_restricts(address(0)));
        assertTrue(_restricts(address(token)));
        uint64 network = _impose(_NETWORK, 0, address(0), 0, 0);
        assertTrue(registry.networkSuspended());
        _lift(network);
        assertFalse(registry.networkSuspended());
        uint64 frozen = _impose(_ACCOUNT, 0, address(token), bytes20(seller), 0);
        assertTrue(token.isFrozen(seller));
        _lift(frozen);
        assertFalse(token.isFrozen(seller));
        uint64 units = _impose(_UNITS, 0, address(token), bytes20(seller), 100);
        assertEq(token.getFrozenTokens(seller), 100);
        _lift(units);
        assertEq(token.getFrozenTokens(seller), 0);
    }

    function test_lifting_one_of_two_does_not_lift_the_other() public {
        uint64 first = _impose(_ISSUE, 0, address(token), 0, 0);
        uint64 second = _impose(_ISSUE, 0, address(token), 0, 0);
        assertEq(legal.countOf(_ISSUE, address(token), 0, 0), 2);
        _lift(first);
        assertTrue(token.paused());
        _lift(second);
        assertFalse(token.paused());
    }

    function test_holds_are_counted_by_effect() public {
        uint64 sales = _impose(_ACCOUNT, 1, address(0), bytes20(seller), 0);
        assertEq(registry.holdOf(seller), 1);
        uint64 both = _impose(_ACCOUNT, 3, address(0), bytes20(seller), 0);
        assertEq(registry.holdOf(seller), 3);
        _lift(both);
        assertEq(registry.holdOf(seller), 1);
        _lift(sales);
        assertEq(registry.holdOf(seller), 0);
    }

    function test_what_was_barred_before_stays_barred() public {
        registrarAct(address(token), abi.encodeCall(IERC3643.pause, ()));
        uint64 id = _impose(_ISSUE, 0, address(token), 0, 0);
        _lift(id);
        assertTrue(token.paused());
    }

    function test_what_was_released_by_another_act_is_lifted_all_the_same() public {
        uint64 id = _impose(_ISSUE, 0, address(token), 0, 0);
        vm.warp(START + 1);
        registrarAct(address(token), abi.encodeCall(IERC3643.unpause, ()));
        _lift(id);
        assertFalse(token.paused());
        id = _impose(_UNITS, 0, address(token), bytes20(seller), 100);
        registrarAct(address(token), abi.encodeCall(IERC3643.unfreezePartialTokens, (seller, 70)));
        _lift(id);
        assertEq(token.getFrozenTokens(seller), 0);
    }

    function test_anyone_lifts_a_measure_whose_time_has_passed_and_nobody_earlier() public {
        _imposeUntil(START + 1 days);
        bytes memory owner = abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER"));
        vm.warp(START + 1 days);
        vm.expectRevert(owner);
        legal.lift(1);
        vm.warp(START + 1 days + 1);
        Grounds memory nothing;
        vm.expectEmit(address(legal));
        emit ILegalActions.MeasureLifted(1, nothing);
        legal.lift(1);
        assertFalse(token.paused());
        vm.expectRevert(abi.encodeWithSelector(ILegalActions.LegalActionsMeasureNotActive.selector, 1));
        legal.lift(1);
        _imposeUntil(0);
        vm.warp(START + 1000 days);
        vm.expectRevert(owner);
        legal.lift(2);
    }

    function test_terms_fit_their_scope() public {
        address at = address(token);
        _invalid(MeasureTerms(0, 0, 0, at, 0, 0));
        _invalid(MeasureTerms(6, 0, 0, at, 0, 0));
        _invalid(MeasureTerms(_ISSUE, 0, 0, address(0), 0, 0));
        _invalid(MeasureTerms(_ISSUE, 0, 0, at, BROKER_1, 0));
        _invalid(MeasureTerms(_ISSUE, 1, 0, at, 0, 0));
        _invalid(MeasureTerms(_ISSUE, 0, 0, at, 0, 1));
        _invalid(MeasureTerms(_ISSUE, 0, START, at, 0, 0));
        _invalid(MeasureTerms(_INSTITUTION, 0, 0, at, 0, 0));
        _invalid(MeasureTerms(_ACCOUNT, 0, 0, address(0), bytes20(seller), 0));
        _invalid(MeasureTerms(_ACCOUNT, 4, 0, address(0), bytes20(seller), 0));
        _invalid(MeasureTerms(_ACCOUNT, 1, 0, at, bytes20(seller), 0));
        _invalid(MeasureTerms(_ACCOUNT, 1, 0, address(0), 0, 0));
        _invalid(MeasureTerms(_NETWORK, 0, 0, at, 0, 0));
        _invalid(MeasureTerms(_NETWORK, 0, 0, address(0), BROKER_1, 0));
        _invalid(MeasureTerms(_UNITS, 0, 0, at, 0, 1));
        _invalid(MeasureTerms(_UNITS, 0, 0, at, bytes20(seller), 0));
        _invalid(MeasureTerms(_UNITS, 0, 0, address(0), bytes20(seller), 1));
    }

    function test_nobody_imposes_or_confirms_alone() public {
        bytes memory owner = abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER"));
        vm.expectRevert(owner);
        legal.impose(MeasureTerms(_ISSUE, 0, 0, address(token), 0, 0));
        vm.expectRevert(owner);
        legal.confirm(1, 0);
        vm.prank(address(authority));
        vm.expectRevert(LegalBasisRequired.selector);
        legal.impose(MeasureTerms(_ISSUE, 0, 0, address(token), 0, 0));
    }

    function test_the_supervisor_alone_suspends_the_network_at_once() public {
        Suspension memory suspension = _suspension(1);
        bytes memory signature = _signed(suspension, SUPERVISOR_NO);
        legal.suspendNetwork(suspension, signature);
        assertTrue(registry.networkSuspended());
        assertEq(bytes32(legal.measureOf(1).grounds.author), bytes32(SUPERVISOR));
        assertTrue(legal.nonceUsed(SUPERVISOR, 1));
        vm.expectRevert(abi.encodeWithSelector(NonceReplayed.selector, SUPERVISOR, 1));
        legal.suspendNetwork(suspension, signature);
        _lift(1);
        assertFalse(registry.networkSuspended());
    }

    function test_only_an_active_key_of_a_supervisor_suspends() public {
        Suspension memory suspension = _suspension(1);
        bytes memory signature = _signed(suspension, REGISTRAR_NO);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32(uint256(1 << 9))));
        legal.suspendNetwork(suspension, signature);
        bytes32 hash = _suspensionHash(suspension);
        _refusesSuspension(suspension, typedAt("stoken LegalActions", address(legal), 1, hash));
        _refusesSuspension(suspension, typed("stoken LegalActions", address(this), hash));
        _refusesSuspension(suspension, typed("stoken Authority", address(legal), hash));
        signature = _signed(suspension, SUPERVISOR_NO);
        vm.expectRevert(abi.encodeWithSelector(SignatureInvalid.selector, address(0)));
        legal.suspendNetwork(suspension, _reshaped(signature));
        vm.expectRevert(abi.encodeWithSelector(SignatureInvalid.selector, address(0)));
        legal.suspendNetwork(suspension, bytes.concat(signature, hex"00"));
        address key = vm.addr(SIGNER + SUPERVISOR_NO);
        retireKey(SUPERVISOR_NO, SUPERVISOR, key);
        vm.expectRevert(abi.encodeWithSelector(SignatureInvalid.selector, key));
        legal.suspendNetwork(suspension, signature);
    }

    function test_a_suspension_has_a_basis_and_a_deadline() public {
        Suspension memory suspension = _suspension(1);
        suspension.document = 0;
        bytes memory signature = _signed(suspension, SUPERVISOR_NO);
        vm.expectRevert(LegalBasisRequired.selector);
        legal.suspendNetwork(suspension, signature);
        suspension = _suspension(1);
        suspension.basis = 0;
        signature = _signed(suspension, SUPERVISOR_NO);
        vm.expectRevert(LegalBasisRequired.selector);
        legal.suspendNetwork(suspension, signature);
        suspension = _suspension(1);
        signature = _signed(suspension, SUPERVISOR_NO);
        vm.warp(START + 1 hours + 1);
        vm.expectRevert(abi.encodeWithSelector(TooLate.selector, START + 1 hours, START + 1 hours + 1));
        legal.suspendNetwork(suspension, signature);
    }

    function test_a_manager_holds_its_own_account_for_72_hours() public {
        _hold(seller, START + 72 hours, 1, BROKER_1_NO);
        assertEq(registry.holdOf(seller), 3);
        assertTrue(legal.measureOf(1).provisional);
        vm.warp(START + 72 hours + 1);
        refusesLegal(
            abi.encodeCall(ILegalActions.confirm, (1, 0)),
            abi.encodeWithSelector(TooLate.selector, START + 72 hours, START + 72 hours + 1)
        );
        legal.lift(1);
        assertEq(registry.holdOf(seller), 0);
    }

    function test_two_other_institutions_confirm_a_hold() public {
        _hold(seller, START + 72 hours, 1, BROKER_1_NO);
        legalAct(abi.encodeCall(ILegalActions.confirm, (1, START + 90 days)));
        vm.warp(START + 73 hours);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER")));
        legal.lift(1);
        bytes memory again = abi.encodeCall(ILegalActions.confirm, (1, 0));
        refusesLegal(again, abi.encodeWithSelector(ILegalActions.LegalActionsNotProvisional.selector, 1));
        vm.warp(START + 90 days + 1);
        legal.lift(1);
        assertEq(registry.holdOf(seller), 0);
    }

    function test_the_manager_does_not_confirm_its_own_hold() public {
        vm.prank(address(authority));
        members.admit(BROKER_1, (1 << 4) | (1 << 6), new Key[](0));
        _hold(seller, START + 72 hours, 1, BROKER_1_NO);
        Act memory act = nextAct(abi.encodeCall(ILegalActions.confirm, (1, 0)));
        bytes[] memory both = approvals(act, REGISTRAR_NO, BROKER_1_NO);
        vm.expectRevert(DualControlRequired.selector);
        authority.execute(act, both);
    }

    function test_a_hold_is_of_ones_own_account_short_and_not_repeated() public {
        _refusesHold(
            seller, START + 1, BROKER_2_NO, abi.encodeWithSelector(NotAccountManager.selector, seller, BROKER_2)
        );
        _refusesHold(
            seller,
            START + 72 hours + 1,
            BROKER_1_NO,
            abi.encodeWithSelector(
                ILegalActions.LegalActionsHoldTooLong.selector, START + 72 hours + 1, START + 72 hours
            )
        );
        _refusesHold(
            seller,
            0,
            BROKER_1_NO,
            abi.encodeWithSelector(ILegalActions.LegalActionsHoldTooLong.selector, 0, START + 72 hours)
        );
        _hold(seller, START + 1 hours, 1, BROKER_1_NO);
        vm.warp(START + 2 hours);
        _refusesHold(
            seller,
            START + 3 hours,
            BROKER_1_NO,
            abi.encodeWithSelector(ILegalActions.LegalActionsHoldRepeated.selector, seller, START + 1 hours + 30 days)
        );
    }

    function test_lifting_carries_its_grounds() public {
        uint64 id = _impose(_ISSUE, 0, address(token), 0, 0);
        Act memory act = nextAct(abi.encodeCall(ILegalActions.lift, (id)));
        bytes[] memory both = approvals(act, REGISTRAR_NO, SUPERVISOR_NO);
        vm.expectEmit(address(legal));
        emit ILegalActions.MeasureLifted(id, groundsOf(act));
        authority.execute(act, both);
        assertEq(legal.measureOf(id).status, 2);
        id = _impose(_ISSUE, 0, address(token), 0, 0);
        vm.prank(address(authority));
        vm.expectRevert(LegalBasisRequired.selector);
        legal.lift(id);
    }

    function test_what_others_released_is_not_released_again() public {
        uint64 units = _impose(_UNITS, 0, address(token), bytes20(seller), 1);
        uint64 account = _impose(_ACCOUNT, 0, address(token), bytes20(seller), 0);
        registrarAct(address(token), abi.encodeCall(IERC3643.unfreezePartialTokens, (seller, 1)));
        registrarAct(address(token), abi.encodeCall(IERC3643.setAddressFrozen, (seller, false)));
        vm.recordLogs();
        _lift(units);
        _lift(account);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; i++) {
            assertFalse(logs[i].emitter == address(token), "the token had nothing to release");
        }
        units = _impose(_UNITS, 0, address(token), bytes20(seller), 1);
        _lift(units);
        assertEq(token.getFrozenTokens(seller), 0, "one unit alone");
    }

    function test_a_hold_of_one_side_says_which() public {
        _impose(_ACCOUNT, 2, address(0), bytes20(seller), 0);
        assertEq(registry.holdOf(seller), 2);
    }

    function test_a_hold_is_confirmed_until_its_last_second_for_a_time_to_come() public {
        _hold(seller, START + 72 hours, 1, BROKER_1_NO);
        vm.warp(START + 72 hours);
        refusesLegal(
            abi.encodeCall(ILegalActions.confirm, (1, START + 72 hours)),
            abi.encodeWithSelector(ILegalActions.LegalActionsTermsInvalid.selector, _ACCOUNT)
        );
        Act memory act = nextAct(abi.encodeCall(ILegalActions.confirm, (1, START + 73 hours)));
        bytes[] memory both = approvals(act, REGISTRAR_NO, SUPERVISOR_NO);
        vm.expectEmit(address(legal));
        emit ILegalActions.MeasureConfirmed(1, START + 73 hours, groundsOf(act));
        authority.execute(act, both);
    }

    function test_a_manager_does_not_ask_for_its_own_confirmation() public {
        vm.prank(address(authority));
        members.admit(BROKER_1, (1 << 4) | (1 << 3), new Key[](0));
        _hold(seller, START + 72 hours, 1, BROKER_1_NO);
        Act memory act = nextAct(abi.encodeCall(ILegalActions.confirm, (1, 0)));
        bytes[] memory both = approvals(act, BROKER_1_NO, SUPERVISOR_NO);
        vm.expectRevert(DualControlRequired.selector);
        authority.execute(act, both);
    }

    function test_neither_persons_nor_other_members_suspend_or_hold() public {
        Suspension memory suspension = _suspension(1);
        bytes32 digest = typed("stoken LegalActions", address(legal), _suspensionHash(suspension));
        bytes memory signature = signatureOf(PERSON + SUPERVISOR_NO, digest);
        vm.expectRevert(abi.encodeWithSelector(SignatureInvalid.selector, vm.addr(PERSON + SUPERVISOR_NO)));
        legal.suspendNetwork(suspension, signature);
        signature = _signed(suspension, ISSUER_NO);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32(uint256(1 << 9))));
        legal.suspendNetwork(suspension, signature);
        AccountHold memory hold = AccountHold(seller, "FTRA", keccak256("suspicion"), START + 1, 1, LATER);
        signature = signatureOf(PERSON + BROKER_1_NO, typed("stoken LegalActions", address(legal), _holdHash(hold)));
        vm.expectRevert(abi.encodeWithSelector(SignatureInvalid.selector, vm.addr(PERSON + BROKER_1_NO)));
        legal.holdAccount(hold, signature);
    }

    function test_a_hold_is_used_once_until_its_deadline() public {
        assertFalse(legal.nonceUsed(BROKER_1, 77));
        AccountHold memory hold = AccountHold(seller, "FTRA", keccak256("suspicion"), START + 1, 77, START);
        bytes memory signature = _signedHold(hold, BROKER_1_NO);
        vm.warp(START + 1);
        vm.expectRevert(abi.encodeWithSelector(TooLate.selector, START, START + 1));
        legal.holdAccount(hold, signature);
        vm.warp(START);
        legal.holdAccount(hold, signature);
        assertTrue(legal.nonceUsed(BROKER_1, 77));
        vm.expectRevert(abi.encodeWithSelector(NonceReplayed.selector, BROKER_1, 77));
        legal.holdAccount(hold, signature);
    }

    function test_an_account_is_held_again_when_it_has_rested() public {
        _hold(seller, START + 1 hours, 1, BROKER_1_NO);
        vm.warp(START + 1 hours + 30 days - 1);
        _refusesHold(
            seller,
            START + 1 hours + 30 days,
            BROKER_1_NO,
            abi.encodeWithSelector(ILegalActions.LegalActionsHoldRepeated.selector, seller, START + 1 hours + 30 days)
        );
        vm.warp(START + 1 hours + 30 days);
        _hold(seller, START + 2 hours + 30 days, 2, BROKER_1_NO);
        assertTrue(legal.measureOf(2).provisional);
    }

    function testFuzz_a_subject_is_barred_as_long_as_a_measure_is_active(uint256 seed) public {
        uint256 active;
        for (uint256 i = 1; i <= 4; i++) {
            _impose(_ACCOUNT, 0, address(token), bytes20(seller), 0);
            active++;
        }
        for (uint64 i = 1; i <= 4; i++) {
            if (seed >> i & 1 == 0) continue;
            _lift(i);
            active--;
            assertEq(token.isFrozen(seller), active > 0);
            assertEq(legal.countOf(_ACCOUNT, address(token), bytes20(seller), 0), active);
        }
    }

    function _impose(uint8 scope, uint8 effect, address at, bytes20 subject, uint96 units) private returns (uint64) {
        MeasureTerms memory terms = MeasureTerms(scope, effect, 0, at, subject, units);
        return abi.decode(legalAct(abi.encodeCall(ILegalActions.impose, (terms))), (uint64));
    }

    function _imposeUntil(uint40 until) private {
        legalAct(abi.encodeCall(ILegalActions.impose, (MeasureTerms(_ISSUE, 0, until, address(token), 0, 0))));
    }

    function _lift(uint64 id) private {
        legalAct(abi.encodeCall(ILegalActions.lift, (id)));
    }

    /// @dev Whether the seller's manager is restricted, for an issue or for all.
    function _restricts(address issue) private view returns (bool restricted) {
        (restricted,) = registry.isRestricted(seller, issue);
    }

    function _invalid(MeasureTerms memory terms) private {
        refusesLegal(
            abi.encodeCall(ILegalActions.impose, (terms)),
            abi.encodeWithSelector(ILegalActions.LegalActionsTermsInvalid.selector, terms.scope)
        );
    }

    function _suspension(uint256 nonce) private pure returns (Suspension memory) {
        return Suspension("CAPITAL_MARKETS_ACT", keccak256("order"), 0, nonce, START + 1 hours);
    }

    function _signed(Suspension memory suspension, uint256 number) private view returns (bytes memory) {
        bytes32 digest = typed("stoken LegalActions", address(legal), _suspensionHash(suspension));
        return signatureOf(SIGNER + number, digest);
    }

    function _suspensionHash(Suspension memory suspension) private pure returns (bytes32) {
        bytes32 kind =
            keccak256("Suspension(bytes32 basis,bytes32 document,uint40 until,uint256 nonce,uint40 deadline)");
        return keccak256(abi.encode(kind, suspension));
    }

    function _refusesSuspension(Suspension memory suspension, bytes32 digest) private {
        bytes memory signature = signatureOf(SIGNER + SUPERVISOR_NO, digest);
        vm.expectPartialRevert(SignatureInvalid.selector);
        legal.suspendNetwork(suspension, signature);
    }

    /// @dev The same signature with the other s.
    function _reshaped(bytes memory signature) private pure returns (bytes memory) {
        (bytes32 r, bytes32 s, uint8 v) = (bytes32(0), bytes32(0), uint8(signature[64]));
        assembly ("memory-safe") {
            r := mload(add(signature, 0x20))
            s := mload(add(signature, 0x40))
        }
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        return abi.encodePacked(r, order - uint256(s), v == 27 ? 28 : 27);
    }

    function _hold(address account, uint40 until, uint256 nonce, uint256 number) private {
        AccountHold memory hold = AccountHold(account, "FTRA", keccak256("suspicion"), until, nonce, LATER);
        legal.holdAccount(hold, _signedHold(hold, number));
    }

    function _refusesHold(address account, uint40 until, uint256 number, bytes memory refusal) private {
        AccountHold memory hold = AccountHold(account, "FTRA", keccak256("suspicion"), until, 77, LATER);
        bytes memory signature = _signedHold(hold, number);
        vm.expectRevert(refusal);
        legal.holdAccount(hold, signature);
    }

    function _signedHold(AccountHold memory hold, uint256 number) private view returns (bytes memory) {
        return signatureOf(SIGNER + number, typed("stoken LegalActions", address(legal), _holdHash(hold)));
    }

    function _holdHash(AccountHold memory hold) private pure returns (bytes32) {
        bytes32 kind = keccak256(
            "AccountHold(address account,bytes32 basis,bytes32 document,uint40 until,uint256 nonce,uint40 deadline)"
        );
        return keccak256(abi.encode(kind, hold));
    }
}
