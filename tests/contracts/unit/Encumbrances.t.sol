// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IEncumbrances} from "../../../contracts/interfaces/IEncumbrances.sol";
import {IRegisteredQuantity} from "../../../contracts/interfaces/IRegisteredQuantity.sol";
import {ConsentsSuite} from "../Consents.sol";

/// @notice Lock-ups, certificates and court orders; and the registered quantity, which only rises.
contract EncumbrancesTest is ConsentsSuite {
    function lock(bytes32 id, uint96 units, uint40 until) internal {
        encumbrances.lock(id, address(token), alice, 1, units, until);
    }

    /// @custom:requirement ISS-08
    function test_locked_units_stay_until_their_time_and_anyone_releases_them_then() public {
        vm.expectEmit(address(encumbrances));
        emit IEncumbrances.EncumbranceSet("a", address(token), alice, 1, 80, START + 100, address(0), 0);
        lock("a", 80, START + 100);
        (uint96 lockup, uint96 pledged, uint96 restricted) = encumbrances.sums(address(token), alice);
        assertTrue(lockup == 80 && pledged == 0 && restricted == 0);
        vm.warp(START + 99);
        vm.expectRevert(
            abi.encodeWithSelector(IEncumbrances.EncumbrancesStillActive.selector, bytes32("a"), START + 100)
        );
        encumbrances.release("a", lockupOf(80, START + 100));
        refuses(alice, bob, 21, abi.encodeWithSelector(LockupActive.selector, alice, uint256(20), uint256(21)));
        vm.warp(START + 100);
        vm.expectEmit(address(encumbrances));
        emit IEncumbrances.EncumbranceReleased("a");
        vm.prank(stranger);
        encumbrances.release("a", lockupOf(80, START + 100));
        vm.prank(alice);
        token.transfer(bob, 100);
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesIdUnknown.selector, bytes32("a")));
        encumbrances.release("a", lockupOf(80, START + 100));
    }

    function test_an_id_is_used_once_for_ever() public {
        lock("a", 10, START + 1);
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesIdUsed.selector, bytes32("a")));
        lock("a", 10, START + 1);
        vm.warp(START + 1);
        encumbrances.release("a", lockupOf(10, START + 1));
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesIdUsed.selector, bytes32("a")));
        lock("a", 10, START + 10);
    }

    function test_only_free_units_are_locked() public {
        lock("a", 60, START + 10);
        vm.expectRevert(abi.encodeWithSelector(LockupActive.selector, alice, uint256(40), uint256(41)));
        lock("b", 41, START + 10);
        vm.expectRevert(abi.encodeWithSelector(InsufficientSecurities.selector, alice, uint256(100), uint256(101)));
        lock("b", 101, START + 10);
        token.freezePartialTokens(alice, 40);
        vm.expectRevert(abi.encodeWithSelector(SecuritiesFrozen.selector, alice, uint256(0), uint256(1)));
        lock("b", 1, START + 10);
        assertTrue(encumbrances.isActive("a", lockupOf(60, START + 10)));
        assertFalse(encumbrances.isActive("b", lockupOf(1, START + 10)));
    }

    function test_what_no_lock_may_say() public {
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesKindUnsupported.selector, uint8(2)));
        encumbrances.lock("a", address(token), alice, 2, 1, START + 1);
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesEmpty.selector, bytes32("a")));
        lock("a", 0, START + 1);
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesEndPassed.selector, START, uint256(START)));
        lock("a", 1, START);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER")));
        encumbrances.lock("a", address(token), alice, 1, 1, START + 1);
    }

    function test_a_record_told_wrongly_is_unknown() public {
        lock("a", 10, START + 1);
        vm.warp(START + 1);
        IEncumbrances.Encumbrance memory wrong = lockupOf(11, START + 1);
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesIdUnknown.selector, bytes32("a")));
        encumbrances.release("a", wrong);
        wrong = lockupOf(10, START + 1);
        wrong.account = bob;
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesIdUnknown.selector, bytes32("a")));
        encumbrances.release("a", wrong);
    }

    /// @custom:requirement TRF-07
    function test_a_certificate_restricts_until_its_return() public {
        set("c", certificateOf(70));
        refuses(alice, bob, 31, abi.encodeWithSelector(SecuritiesRestricted.selector, alice, uint256(30), uint256(31)));
        vm.expectRevert(
            abi.encodeWithSelector(IEncumbrances.EncumbrancesStillActive.selector, bytes32("c"), START + 100)
        );
        encumbrances.release("c", certificateOf(70));
        free("c", certificateOf(70));
        vm.prank(alice);
        token.transfer(bob, 100);
    }

    function test_a_certificate_ends_at_its_time_by_anyone() public {
        set("c", certificateOf(70));
        vm.warp(START + 100);
        vm.prank(stranger);
        encumbrances.release("c", certificateOf(70));
        assertEq(token.verdict(alice, bob, 100, address(0)), "");
    }

    function test_a_certificate_needs_purpose_end_and_no_party() public {
        IEncumbrances.Encumbrance memory record = certificateOf(1);
        record.reason = 0;
        vm.expectRevert(LegalBasisRequired.selector);
        this.setIt("c", record);
        record = certificateOf(1);
        record.until = START;
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesEndPassed.selector, START, uint256(START)));
        this.setIt("c", record);
        record = certificateOf(1);
        record.party = dan;
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesPartyInvalid.selector, dan));
        this.setIt("c", record);
    }

    function test_a_court_order_lasts_until_authority_lifts_it() public {
        vm.expectEmit(address(encumbrances));
        emit IEncumbrances.EncumbranceDecreed("o", BASIS, DOCUMENT);
        encumbrances.decree("o", orderOf(100), BASIS);
        vm.warp(START + 3650 days);
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesKindUnsupported.selector, uint8(5)));
        encumbrances.release("o", orderOf(100));
        vm.expectRevert(LegalBasisRequired.selector);
        encumbrances.lift("o", orderOf(100), BASIS, 0);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER")));
        encumbrances.lift("o", orderOf(100), BASIS, DOCUMENT);
        encumbrances.lift("o", orderOf(100), BASIS, DOCUMENT);
        (, uint96 pledged, uint96 restricted) = encumbrances.sums(address(token), alice);
        assertTrue(pledged == 0 && restricted == 0);
    }

    function test_authority_lifts_nothing_but_court_orders_and_trust_marks() public {
        lock("l", 10, START + 10);
        set("p", pledgeOf(10));
        set("c", certificateOf(10));
        IEncumbrances.Encumbrance[3] memory records = [lockupOf(10, START + 10), pledgeOf(10), certificateOf(10)];
        bytes32[3] memory ids = [bytes32("l"), "p", "c"];
        for (uint256 i = 0; i < 3; i++) {
            vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesKindUnsupported.selector, records[i].kind));
            encumbrances.lift(ids[i], records[i], BASIS, DOCUMENT);
            assertTrue(encumbrances.isActive(ids[i], records[i]));
        }
    }

    function test_no_signature_lifts_a_court_order() public {
        encumbrances.decree("o", orderOf(100), BASIS);
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesKindUnsupported.selector, uint8(5)));
        this.freeIt("o", orderOf(100));
    }

    function test_what_no_decree_may_say() public {
        vm.expectRevert(LegalBasisRequired.selector);
        encumbrances.decree("o", orderOf(1), 0);
        IEncumbrances.Encumbrance memory record = orderOf(1);
        record.reason = 0;
        vm.expectRevert(LegalBasisRequired.selector);
        encumbrances.decree("o", record, BASIS);
        record = orderOf(1);
        record.until = START + 1;
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesEndInvalid.selector, START + 1));
        encumbrances.decree("o", record, BASIS);
        record = orderOf(1);
        record.party = dan;
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesPartyInvalid.selector, dan));
        encumbrances.decree("o", record, BASIS);
        record = markOf(1);
        record.party = address(0);
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesPartyInvalid.selector, address(0)));
        encumbrances.decree("o", record, BASIS);
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesKindUnsupported.selector, uint8(2)));
        encumbrances.decree("o", pledgeOf(1), BASIS);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER")));
        encumbrances.decree("o", orderOf(1), BASIS);
    }

    function test_the_kinds_are_named_in_their_rank() public {
        lock("a", 10, START + 10);
        set("p", pledgeOf(20));
        set("c", certificateOf(30));
        token.freezePartialTokens(alice, 25);
        (uint96 lockup, uint96 pledged, uint96 restricted) = encumbrances.sums(address(token), alice);
        assertTrue(lockup == 10 && pledged == 20 && restricted == 30);
        refuses(alice, bob, 91, abi.encodeWithSelector(LockupActive.selector, alice, uint256(90), uint256(91)));
        refuses(alice, bob, 71, abi.encodeWithSelector(SecuritiesPledged.selector, alice, uint256(70), uint256(71)));
        refuses(alice, bob, 41, abi.encodeWithSelector(SecuritiesRestricted.selector, alice, uint256(40), uint256(41)));
        refuses(alice, bob, 16, abi.encodeWithSelector(SecuritiesFrozen.selector, alice, uint256(15), uint256(16)));
        vm.prank(alice);
        token.transfer(bob, 15);
    }

    function test_a_recovery_takes_everything_along_and_never_closes_a_circle() public {
        onboard(stranger, identityOf(alice), KOREA, GENERAL, KYC, LATER);
        set("p", pledgeOf(20));
        set("c", certificateOf(30));
        token.recoveryAddress(alice, stranger, identityOf(alice));
        (, uint96 pledged, uint96 restricted) = encumbrances.sums(address(token), stranger);
        assertTrue(pledged == 20 && restricted == 30);
        assertEq(encumbrances.holderOf(address(token), alice), stranger);
        vm.expectRevert(abi.encodeWithSelector(AccountClosed.selector, alice));
        this.setIt("q", pledgeOf(1));
        vm.expectRevert(abi.encodeWithSelector(AccountClosed.selector, alice));
        token.recoveryAddress(stranger, alice, identityOf(alice));
        free("p", pledgeOf(20));
        (, pledged, restricted) = encumbrances.sums(address(token), stranger);
        assertTrue(pledged == 0 && restricted == 30);
    }

    function test_the_registered_quantity_only_rises_and_by_the_owner() public {
        assertEq(quantity.quantityOf(address(token)), 1_000_000);
        vm.expectEmit(address(quantity));
        emit IRegisteredQuantity.QuantityRegistered(address(token), 1_000_001);
        quantity.register(address(token), 1_000_001);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRegisteredQuantity.RegisteredQuantityNotRaised.selector,
                address(token),
                uint96(1_000_001),
                uint96(1_000_001)
            )
        );
        quantity.register(address(token), 1_000_001);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER")));
        quantity.register(address(token), 2_000_000);
    }

    function setIt(bytes32 id, IEncumbrances.Encumbrance memory record) external {
        set(id, record);
    }

    function freeIt(bytes32 id, IEncumbrances.Encumbrance memory record) external {
        free(id, record);
    }
}
