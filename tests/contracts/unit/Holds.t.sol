// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Conversion, Holding, IConversions} from "../../../contracts/interfaces/IConversions.sol";
import {Broker, IDvpSettlement, Order} from "../../../contracts/interfaces/IDvpSettlement.sol";
import {IERC3643} from "../../../contracts/interfaces/IERC3643.sol";
import {IDepositToken} from "../../../contracts/interfaces/IDepositToken.sol";
import {IEncumbrances} from "../../../contracts/interfaces/IEncumbrances.sol";
import {ILegalActions} from "../../../contracts/interfaces/ILegalActions.sol";
import {Hold, ISettlementModes} from "../../../contracts/interfaces/ISettlementModes.sol";
import {HostileToken} from "../mocks/HostileToken.sol";
import {Batches} from "./Batches.sol";

/// @title HoldsTest
/// @notice The states of a held trade: see Holds.tree.
contract HoldsTest is Batches {
    function test_both_legs_are_held() public {
        Batch memory batch = pair(bid(5000, 100), ask(5000, 100), 40, 5000);
        Hold memory hold = holdOf(batch);
        vm.expectEmit(address(cash));
        emit IDepositToken.CashHeld(cash2, 200_000);
        vm.expectEmit(address(settlement));
        emit ISettlementModes.TradeHeld(VENUE, hold.tradeId, hold);
        _send(batch);
        _assertHeld(hold);
        assertEq(settlement.filled(BROKER_1, 1), 40);
        assertEq(settlement.filled(BROKER_2, 1), 40);
        assertEq(cash.balanceOf(cash2), 10_000_000, "held cash is still the account's");
    }

    function test_a_hold_ends_with_the_earlier_of_its_orders() public {
        for (uint64 i = 0; i < 2; i++) {
            (Order memory buy, Order memory sell) = (bid(1, 1), ask(1, 1));
            (i == 0 ? buy : sell).settleBy -= 1 hours;
            Batch memory batch = pair(buy, sell, 1, 1);
            Hold memory hold = holdOf(batch);
            hold.expiresAt = uint40(block.timestamp) + 6 hours;
            _send(batch);
            assertEq(modes.holdOf(VENUE, hold.tradeId), keccak256(abi.encode(hold)), "hold");
        }
    }

    function test_a_leg_that_cannot_be_held_holds_neither() public {
        _holdFails(
            pair(bid(1_000_000, 100), ask(1, 100), 100, 1_000_000),
            abi.encodeWithSelector(InsufficientCash.selector, cash2, 10_000_000, 100_000_000)
        );
        _holdFails(
            pair(bid(1, 10_001), ask(1, 10_001), 10_001, 1),
            abi.encodeWithSelector(InsufficientSecurities.selector, seller, 10_000, 10_001)
        );
        _holdFails(pair(bid(2, 1), ask(3, 1), 1, 2), unmatched("price"));
        Order memory buy = bid(1, 1);
        buy.cashAccount = cash1;
        _holdFails(pair(buy, ask(1, 1), 1, 1), abi.encodeWithSelector(SegregationViolation.selector, buyer, cash1));
    }

    /// @custom:requirement SET-02
    function test_without_a_hold_a_leg_is_missing() public {
        Batch memory batch = pair(bid(5000, 100), ask(5000, 100), 40, 5000);
        _settleFails(holdOf(batch), abi.encodeWithSelector(DvpLegMissing.selector, batch.trades[0].tradeId));
    }

    function test_a_held_trade_is_passed_over_by_every_batch() public {
        (Batch memory batch, Hold memory hold) = _held();
        assertEq(outcomes(batch).length, 0);
        vm.recordLogs();
        _send(batch);
        assertEq(readOutcomes().length, 0);
        vm.prank(venueSender);
        vm.expectRevert(abi.encodeWithSelector(DuplicateInstruction.selector, bytes32(uint256(hold.tradeId))));
        modes.settleAll(batch.orders, batch.signatures, batch.trades);
        _assertHeld(hold);
    }

    function test_held_legs_settle_until_the_second_of_expiry() public {
        (, Hold memory hold) = _held();
        vm.warp(hold.expiresAt);
        vm.expectEmit(address(settlement));
        emit IDvpSettlement.TradeSettled(VENUE, hold.tradeId, address(token), seller, buyer, 40, 5000, 1, 1);
        _settle(hold);
        assertEq(token.balanceOf(buyer), 40);
        assertEq(cash.balanceOf(cash1), 200_000);
        assertEq(cash.balanceOf(cash2), 9_800_000);
        assertEq(cash.heldOf(cash2), 0);
        (,, uint256 encumbered,) = token.accountOf(seller);
        assertEq(encumbered, 0);
        assertTrue(settlement.settled(VENUE, hold.tradeId));
    }

    /// @custom:requirement SET-04
    function test_a_second_after_expiry_they_do_not() public {
        (, Hold memory hold) = _held();
        vm.warp(hold.expiresAt + 1);
        _settleFails(hold, abi.encodeWithSelector(HoldExpired.selector, hold.tradeId, hold.expiresAt));
        _assertHeld(hold);
    }

    function test_a_hold_that_fails_to_settle_stays() public {
        (, Hold memory hold) = _held();
        registrarAct(address(token), abi.encodeCall(IERC3643.setAddressFrozen, (buyer, true)));
        _settleFails(hold, abi.encodeWithSelector(AccountLegalHold.selector, buyer));
        _assertHeld(hold);
        vm.warp(block.timestamp + 1);
        registrarAct(address(token), abi.encodeCall(IERC3643.setAddressFrozen, (buyer, false)));
        _settle(hold);
        assertTrue(settlement.settled(VENUE, hold.tradeId));
    }

    function test_another_hold_is_not_the_one_that_was_made() public {
        (, Hold memory hold) = _held();
        hold.price = 1;
        _settleFails(hold, abi.encodeWithSelector(DvpLegMissing.selector, hold.tradeId));
        hold.price = 5000;
        hold.buyer = other;
        _settleFails(hold, abi.encodeWithSelector(DvpLegMissing.selector, hold.tradeId));
        hold.venue = BROKER_1;
        _settleFails(hold, unmatched("venue"));
    }

    function test_until_expiry_only_the_owner_releases() public {
        (, Hold memory hold) = _held();
        vm.warp(hold.expiresAt);
        vm.expectRevert(
            abi.encodeWithSelector(ISettlementModes.SettlementModesHoldActive.selector, hold.tradeId, hold.expiresAt)
        );
        modes.releaseHold(hold);
        registrarAct(address(settlement), abi.encodeCall(ISettlementModes.releaseHold, (hold)));
        _assertFree(hold);
    }

    /// @custom:requirement SET-04
    function test_after_expiry_anyone_releases_both_legs() public {
        (, Hold memory hold) = _held();
        vm.warp(hold.expiresAt + 1);
        vm.expectEmit(address(settlement));
        emit ISettlementModes.HoldReleased(VENUE, hold.tradeId);
        vm.prank(address(0xDEAD));
        modes.releaseHold(hold);
        _assertFree(hold);
        vm.expectRevert(abi.encodeWithSelector(DvpLegMissing.selector, hold.tradeId));
        modes.releaseHold(hold);
    }

    function test_a_settled_trade_is_neither_settled_again_nor_released() public {
        (Batch memory batch, Hold memory hold) = _held();
        _settle(hold);
        bytes32 before = holdings();
        vm.recordLogs();
        _settle(hold);
        _send(batch);
        assertEq(readOutcomes().length, 0);
        vm.warp(hold.expiresAt + 1);
        vm.expectRevert(abi.encodeWithSelector(DvpLegMissing.selector, hold.tradeId));
        modes.releaseHold(hold);
        assertEq(holdings(), before);
        hold.venue = BROKER_1;
        _settleFails(hold, unmatched("venue"));
    }

    function test_what_is_held_serves_nothing_else() public {
        _held();
        Batch memory batch = pair(bid(1000, 9990), ask(1000, 9990), 9990, 1000);
        fails(batch, abi.encodeWithSelector(SecuritiesFrozen.selector, seller, 9960, 9990));
        batch = pair(bid(1000, 9900), ask(1000, 9900), 9900, 1000);
        fails(batch, abi.encodeWithSelector(InsufficientCash.selector, cash2, 9_800_000, 9_900_000));
    }

    function test_what_is_held_is_not_pledged() public {
        _held();
        (uint96 lockup, uint96 pledged, uint96 restricted) = encumbrances.sums(address(token), seller);
        assertTrue(lockup == 0 && pledged == 0 && restricted == 0);
        issuerAct(
            address(encumbrances), abi.encodeCall(IEncumbrances.lock, ("l", address(token), seller, 1, 9_000, LATER))
        );
        assertEq(
            token.verdict(seller, buyer, 1_001, address(0)),
            abi.encodeWithSelector(LockupActive.selector, seller, 1_000, 1_001)
        );
        assertEq(
            token.verdict(seller, buyer, 961, address(0)),
            abi.encodeWithSelector(SecuritiesFrozen.selector, seller, 960, 961)
        );
        assertEq(token.verdict(seller, buyer, 960, address(0)), "");
    }

    function test_a_conversion_waits_until_no_hold_of_an_account_is_open() public {
        (, Hold memory hold) = _held();
        registrarAct(address(token), abi.encodeCall(IERC3643.pause, ()));
        Conversion memory conversion = Conversion(address(token), 1, 10, house, keccak256("resolution"));
        registrarAct(address(conversions), abi.encodeCall(IConversions.start, ("c", conversion)));
        Holding[] memory holdings = new Holding[](1);
        holdings[0].account = seller;
        vm.expectRevert(abi.encodeWithSelector(ConversionQuantityMismatch.selector, 40, 0));
        conversions.convert("c", holdings);
        vm.warp(hold.expiresAt + 1);
        modes.releaseHold(hold);
        conversions.convert("c", holdings);
        conversions.finish("c");
        assertEq(token.balanceOf(seller), 1_000);
        assertEq(token.totalSupply(), 1_000);
    }

    function test_an_order_cancelled_after_the_match_stays_void_when_its_hold_ends() public {
        (, Hold memory hold) = _held();
        bytes32 kind = keccak256("OrderCancel(bytes20 broker,uint64 nonce)");
        bytes32 digest =
            typed("stoken DvpSettlement", address(settlement), keccak256(abi.encode(kind, BROKER_1, uint64(1))));
        settlement.cancelOrder(BROKER_1, 1, signatureOf(SIGNER + BROKER_1_NO, digest));
        vm.warp(hold.expiresAt + 1);
        modes.releaseHold(hold);
        assertEq(settlement.filled(BROKER_1, 1), type(uint64).max);
        assertEq(settlement.filled(BROKER_2, 1), 0);
    }

    function test_a_hold_follows_the_recovery_of_its_account() public {
        address successor = address(0x5E12);
        address identity = address(uint160(seller) + 1);
        onboardAs(successor, identity);
        registrarAct(
            address(legal), abi.encodeCall(ILegalActions.requestRecovery, (address(token), seller, successor, identity))
        );
        vm.warp(START + 3 days);
        (, Hold memory hold) = _held();
        legal.executeRecovery(1);
        assertEq(token.heldOf(seller), 0);
        assertEq(token.heldOf(successor), 40);
        Batch memory batch = pair(bid(1, 1), ask(1, 1), 1, 1);
        _holdFails(batch, abi.encodeWithSelector(AccountClosed.selector, seller));
        _settle(hold);
        assertEq(token.balanceOf(successor), 10_000 - 40);
        assertEq(token.balanceOf(buyer), 40);
    }

    function test_nothing_is_released_while_a_batch_settles_or_another_is_released() public {
        (, Hold memory hold) = _held();
        vm.warp(hold.expiresAt + 1);
        HostileToken hostile = new HostileToken();
        hostile.callBack(address(settlement), abi.encodeCall(ISettlementModes.releaseHold, (hold)));
        bytes memory refusal = abi.encodeWithSelector(IDvpSettlement.DvpSettlementReentered.selector);
        settles(_tradeOf(hostile));
        assertEq(hostile.answer(), refusal, "while a batch settles");
        Batch memory batch = _tradeOf(hostile);
        _send(batch);
        hostile.callBack(address(settlement), abi.encodeCall(ISettlementModes.releaseHold, (hold)));
        registrarAct(address(settlement), abi.encodeCall(ISettlementModes.releaseHold, (holdOf(batch))));
        assertEq(hostile.answer(), refusal, "while another is released");
        assertFalse(hostile.succeeded());
        modes.releaseHold(hold);
        _assertFree(hold);
    }

    function test_a_release_opens_its_own_trade_and_no_other() public {
        uint64[3] memory ids = [uint64(1), 257, 513];
        Batch[] memory batches = new Batch[](3);
        for (uint256 i = 0; i < 3; i++) {
            lastTradeId = ids[i] - 1;
            batches[i] = pair(bid(10, 5), ask(10, 5), 5, 10);
            _send(batches[i]);
        }
        registrarAct(address(settlement), abi.encodeCall(ISettlementModes.releaseHold, (holdOf(batches[1]))));
        assertFalse(settlement.settled(VENUE, 257));
        settles(batches[1]);
        for (uint256 i = 0; i < 3; i += 2) {
            assertEq(outcomes(batches[i]).length, 0, "held, so passed over");
            _settle(holdOf(batches[i]));
            assertTrue(settlement.settled(VENUE, ids[i]));
        }
    }

    function test_a_release_gives_its_orders_back_what_it_counted_and_no_others() public {
        Hold[] memory holds = new Hold[](9);
        for (uint64 i = 1; i < 9; i++) {
            Batch memory batch = pair(bid(10, 100), ask(10, 100), 10 * i, 10);
            holds[i] = holdOf(batch);
            _send(batch);
        }
        vm.warp(holds[1].expiresAt + 1);
        for (uint64 i = 2; i < 9; i += 2) {
            modes.releaseHold(holds[i]);
        }
        for (uint64 i = 1; i < 9; i++) {
            assertEq(settlement.filled(BROKER_1, i), i % 2 == 0 ? 0 : 10 * i);
            assertEq(settlement.filled(BROKER_2, i), i % 2 == 0 ? 0 : 10 * i);
        }
    }

    function test_only_the_venue_holds_and_settles() public {
        (, Hold memory hold) = _held();
        Batch memory batch = pair(bid(1, 1), ask(1, 1), 1, 1);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("SENDER")));
        modes.holdBatch(batch.orders, batch.signatures, batch.trades);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("SENDER")));
        modes.settleHeld(_list(hold));
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("SELF")));
        modes.settleHeldItem(hold);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("SELF")));
        modes.holdItem(batch.trades[0], batch.orders[0], batch.orders[1], Broker(BROKER_2, 1), Broker(BROKER_1, 1));
    }

    /// @custom:requirement SET-02
    function testFuzz_holds_conserve_units_cash_and_fills(uint64 units, uint64 price, uint40 at, bool settles_) public {
        units = uint64(bound(units, 1, 10_000));
        price = uint64(bound(price, 1, 1000));
        Batch memory batch = pair(bid(price, units), ask(price, units), units, price);
        Hold memory hold = holdOf(batch);
        bytes32 before = holdings();
        _send(batch);
        assertEq(holdings(), before, "a hold moves nothing");
        vm.warp(bound(at, block.timestamp, uint256(hold.expiresAt) + 10));
        bool late = block.timestamp > hold.expiresAt;
        if (settles_) _settle(hold);
        else if (late) modes.releaseHold(hold);
        bool settled = settles_ && !late;
        assertEq(settlement.settled(VENUE, hold.tradeId), settled);
        assertEq(token.balanceOf(buyer), settled ? units : 0);
        assertEq(cash.balanceOf(cash1), settled ? uint256(units) * price : 0);
        assertEq(cash.balanceOf(cash1) + cash.balanceOf(cash2), cash.totalSupply());
        (,, uint256 encumbered,) = token.accountOf(seller);
        assertEq(encumbered * price, cash.heldOf(cash2), "both legs or none");
    }

    function _tradeOf(HostileToken hostile) private returns (Batch memory) {
        (Order memory buy, Order memory sell) = (bid(1, 1), ask(1, 1));
        (buy.token, sell.token) = (address(hostile), address(hostile));
        return pair(buy, sell, 1, 1);
    }

    function _held() private returns (Batch memory batch, Hold memory hold) {
        batch = pair(bid(5000, 100), ask(5000, 100), 40, 5000);
        hold = holdOf(batch);
        _send(batch);
        _assertHeld(hold);
    }

    function _send(Batch memory batch) private {
        vm.prank(venueSender);
        modes.holdBatch(batch.orders, batch.signatures, batch.trades);
    }

    function _settle(Hold memory hold) private {
        vm.prank(venueSender);
        modes.settleHeld(_list(hold));
    }

    function _list(Hold memory hold) private pure returns (Hold[] memory list) {
        list = new Hold[](1);
        list[0] = hold;
    }

    function _holdFails(Batch memory batch, bytes memory refusal) private {
        vm.recordLogs();
        _send(batch);
        Outcome[] memory list = readOutcomes();
        assertEq(list.length, 1, "reported");
        assertEq(list[0].refusal, refusal);
        assertEq(modes.holdOf(VENUE, batch.trades[0].tradeId), bytes32(0));
    }

    function _settleFails(Hold memory hold, bytes memory refusal) private {
        bytes32 before = holdings();
        vm.recordLogs();
        _settle(hold);
        Outcome[] memory list = readOutcomes();
        assertEq(list.length, 1, "reported");
        assertEq(list[0].refusal, refusal);
        assertEq(holdings(), before);
    }

    function _assertHeld(Hold memory hold) private view {
        assertEq(modes.holdOf(VENUE, hold.tradeId), keccak256(abi.encode(hold)));
        assertFalse(settlement.settled(VENUE, hold.tradeId));
        (,, uint256 encumbered,) = token.accountOf(seller);
        assertEq(encumbered, 40);
        assertEq(cash.heldOf(cash2), 200_000);
    }

    function _assertFree(Hold memory hold) private view {
        assertEq(modes.holdOf(VENUE, hold.tradeId), bytes32(0));
        assertFalse(settlement.settled(VENUE, hold.tradeId));
        (,, uint256 encumbered,) = token.accountOf(seller);
        assertEq(encumbered, 0);
        assertEq(cash.heldOf(cash2), 0);
        assertEq(settlement.filled(BROKER_1, 1), 0);
        assertEq(settlement.filled(BROKER_2, 1), 0);
    }
}
