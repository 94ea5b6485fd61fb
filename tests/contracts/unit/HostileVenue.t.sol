// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CashParty} from "../../../contracts/interfaces/IDepositToken.sol";
import {Broker, Order, Trade} from "../../../contracts/interfaces/IDvpSettlement.sol";
import {Batches} from "./Batches.sol";

/// @title HostileVenueTest
/// @notice A venue that holds all orders and all its own keys moves nothing that a broker did not sign for.
contract HostileVenueTest is Batches {
    function test_it_cannot_sign_for_a_broker() public {
        (Order memory buy, Order memory sell) = (bid(5000, 100), ask(5000, 100));
        bytes memory forged = signOrder(SIGNER + VENUE_NO, buy);
        Batch memory batch = pairSigned(buy, forged, sell, signOrder(SIGNER + BROKER_1_NO, sell), 100, 5000);
        fails(batch, abi.encodeWithSelector(NotAccountManager.selector, buyer, VENUE));
        batch.signatures[0] = signOrder(CARRIER + VENUE_NO, buy);
        fails(batch, abi.encodeWithSelector(SignatureInvalid.selector, venueSender));
        batch.signatures[0] = "";
        fails(batch, abi.encodeWithSelector(SignatureInvalid.selector, address(0)));
    }

    function testFuzz_it_cannot_change_any_field_of_an_order(uint8 field, uint64 noise) public {
        (Order memory buy, Order memory sell) = (bid(5000, 100), ask(5000, 100));
        bytes memory signature = signOrder(SIGNER + BROKER_2_NO, buy);
        Order memory changed = _changed(buy, field % 9, uint64(bound(noise, 1, 1e9)));
        Batch memory batch = pairSigned(changed, signature, sell, signOrder(SIGNER + BROKER_1_NO, sell), 100, 5000);
        batch.trades[0].price = changed.price < 5000 ? changed.price : 5000;
        bytes32 before = holdings();
        Outcome[] memory list = outcomes(batch);
        assertEq(list.length, 1, "reported");
        assertTrue(list[0].refusal.length != 0, "refused");
        assertEq(holdings(), before, "nothing moved");
    }

    function _changed(Order memory order, uint256 field, uint64 noise) private pure returns (Order memory changed) {
        changed = abi.decode(abi.encode(order), (Order));
        if (field == 0) changed.price += noise;
        if (field == 1) changed.quantity += noise;
        if (field == 2) changed.nonce += noise;
        if (field == 3) changed.tradableUntil += uint40(noise);
        if (field == 4) changed.settleBy += uint40(noise);
        if (field == 5) changed.replaces += noise + 10;
        if (field == 6) changed.account = address(0x07E4);
        if (field == 7) changed.cashAccount = address(uint160(1 << 64) + uint160(noise));
        if (field == 8) changed.price -= 1 + noise % 4999;
    }

    function test_it_cannot_settle_above_the_limit_of_the_buyer() public {
        fails(pair(bid(5000, 100), ask(4000, 100), 100, 5001), unmatched("price"));
    }

    function test_it_cannot_settle_below_the_limit_of_the_seller() public {
        fails(pair(bid(5000, 100), ask(4000, 100), 100, 3999), unmatched("price"));
    }

    function test_it_cannot_deliver_for_nothing() public {
        fails(pair(bid(5000, 100), ask(0, 100), 100, 0), unmatched("price"));
    }

    function test_it_cannot_settle_more_than_ordered_at_once() public {
        fails(pair(bid(5000, 100), ask(5000, 200), 101, 5000), unmatched("quantity"));
        fails(pair(bid(5000, 200), ask(5000, 100), 101, 5000), unmatched("quantity"));
    }

    function test_it_cannot_settle_more_than_ordered_in_parts() public {
        (Order memory buy, Order memory sell) = (bid(5000, 100), ask(5000, 500));
        settles(pair(buy, sell, 60, 5000));
        fails(pair(buy, sell, 41, 5000), unmatched("quantity"));
        settles(pair(buy, sell, 40, 5000));
        fails(pair(buy, sell, 1, 5000), unmatched("quantity"));
        assertEq(token.balanceOf(buyer), 100);
    }

    function test_it_cannot_settle_more_than_ordered_within_a_batch() public {
        Batch memory batch = pair(bid(5000, 100), ask(5000, 500), 60, 5000);
        batch.trades = _again(batch.trades[0], 3);
        Outcome[] memory list = outcomes(batch);
        assertEq(list[0].refusal, "");
        assertEq(list[1].refusal, unmatched("quantity"));
        assertEq(list[2].refusal, unmatched("quantity"));
        assertEq(token.balanceOf(buyer), 60);
    }

    function test_it_cannot_settle_after_settle_by() public {
        Batch memory batch = pair(bid(5000, 100), ask(5000, 100), 100, 5000);
        uint40 deadline = batch.orders[0].settleBy;
        vm.warp(deadline + 1);
        fails(batch, abi.encodeWithSelector(TooLate.selector, deadline, deadline + 1));
        vm.warp(deadline);
        settles(batch);
    }

    function test_it_cannot_match_after_tradable_until() public {
        Batch memory batch = pair(bid(5000, 100), ask(5000, 100), 100, 5000);
        uint40 deadline = batch.orders[0].tradableUntil;
        vm.warp(deadline + 1);
        batch.trades[0].matchedAt = deadline + 1;
        fails(batch, abi.encodeWithSelector(TooLate.selector, deadline, deadline + 1));
    }

    function test_it_cannot_match_in_the_future() public {
        Batch memory batch = pair(bid(5000, 100), ask(5000, 100), 100, 5000);
        batch.trades[0].matchedAt = uint40(block.timestamp) + 1;
        fails(batch, unmatched("matchedAt"));
    }

    function test_it_cannot_settle_what_a_settled_replacement_replaced() public {
        (Order memory old, Order memory sell) = (bid(5000, 100), ask(5000, 500));
        settles(pair(old, sell, 10, 5000));
        Order memory replacement = bid(5000, 50);
        replacement.replaces = old.nonce;
        settles(pair(replacement, sell, 1, 5000));
        fails(pair(old, sell, 1, 5000), abi.encodeWithSelector(NonceReplayed.selector, BROKER_2, old.nonce));
        settles(pair(replacement, sell, 49, 5000));
        assertEq(token.balanceOf(buyer), 60);
    }

    /// @dev Known: until a replacement is filled the chain has not heard of it. A broker that must be sure cancels.
    function test_it_can_fill_the_old_order_first_and_the_replacement_as_well() public {
        Order memory old = bid(5000, 100);
        settles(pair(old, ask(5000, 100), 40, 5000));
        Order memory replacement = bid(5000, 50);
        replacement.replaces = old.nonce;
        settles(pair(old, ask(5000, 60), 60, 5000));
        settles(pair(replacement, ask(5000, 50), 50, 5000));
        assertEq(token.balanceOf(buyer), 150);
        Order memory next = bid(5000, 50);
        next.replaces = replacement.nonce;
        _cancelBid(replacement.nonce);
        fails(
            pair(replacement, ask(5000, 1), 1, 5000),
            abi.encodeWithSelector(NonceReplayed.selector, BROKER_2, replacement.nonce)
        );
        settles(pair(next, ask(5000, 50), 50, 5000));
    }

    function test_it_cannot_bring_a_replaced_order_back_within_the_batch() public {
        (Order memory old, Order memory sell) = (bid(5000, 100), ask(5000, 500));
        Order memory replacement = bid(5000, 50);
        replacement.replaces = old.nonce;
        Batch memory batch = pair(replacement, sell, 1, 5000);
        Batch memory second = pair(old, sell, 1, 5000);
        (Order[] memory orders, bytes[] memory signatures) = (new Order[](3), new bytes[](3));
        (orders[0], orders[1], orders[2]) = (batch.orders[0], batch.orders[1], second.orders[0]);
        (signatures[0], signatures[1]) = (batch.signatures[0], batch.signatures[1]);
        signatures[2] = second.signatures[0];
        (batch.orders, batch.signatures) = (orders, signatures);
        batch.trades = _again(batch.trades[0], 2);
        batch.trades[1].buy = 2;
        Outcome[] memory list = outcomes(batch);
        assertEq(list[0].refusal, "");
        assertEq(list[1].refusal, abi.encodeWithSelector(NonceReplayed.selector, BROKER_2, old.nonce));
    }

    function test_it_cannot_settle_a_cancelled_order() public {
        Order memory buy = bid(5000, 100);
        bytes32 digest = typed(
            "stoken DvpSettlement",
            address(settlement),
            keccak256(abi.encode(keccak256("OrderCancel(bytes20 broker,uint64 nonce)"), BROKER_2, buy.nonce))
        );
        settlement.cancelOrder(BROKER_2, buy.nonce, signatureOf(SIGNER + BROKER_2_NO, digest));
        bytes memory refusal = abi.encodeWithSelector(NonceReplayed.selector, BROKER_2, buy.nonce);
        fails(pair(buy, ask(5000, 100), 1, 5000), refusal);
    }

    function test_it_cannot_settle_a_trade_twice() public {
        Batch memory batch = pair(bid(5000, 500), ask(5000, 500), 100, 5000);
        settles(batch);
        bytes32 before = holdings();
        assertEq(outcomes(batch).length, 0, "passed over in silence");
        batch.trades = _again(batch.trades[0], 2);
        batch.trades[1].tradeId = batch.trades[0].tradeId;
        assertEq(outcomes(batch).length, 0);
        assertEq(holdings(), before);
    }

    function test_it_cannot_sell_a_buy_order() public {
        Batch memory batch = pair(bid(5000, 100), ask(5000, 100), 100, 5000);
        (batch.trades[0].buy, batch.trades[0].sell) = (1, 0);
        fails(batch, unmatched("side"));
        (batch.trades[0].buy, batch.trades[0].sell) = (0, 0);
        fails(batch, unmatched("side"));
    }

    function test_it_cannot_use_orders_for_another_venue() public {
        Order memory buy = bid(5000, 100);
        buy.venue = SUPERVISOR;
        fails(pair(buy, ask(5000, 100), 100, 5000), unmatched("venue"));
    }

    function test_it_moves_nothing_around_the_orders() public {
        vm.startPrank(venueSender);
        bytes memory settlementOnly = abi.encodeWithSelector(RoleRequired.selector, bytes32("SETTLEMENT"));
        CashParty memory payer = CashParty(cash2, BROKER_2, 1, buyer);
        CashParty memory payee = CashParty(cash1, BROKER_1, 1, seller);
        vm.expectRevert(settlementOnly);
        cash.settle(payer, payee, 1);
        vm.expectRevert(settlementOnly);
        cash.transferFrom(cash2, cash1, 1);
        vm.expectPartialRevert(RoleRequired.selector);
        token.settle(seller, buyer, 1);
        Trade memory trade;
        Order memory order;
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("SELF")));
        settlement.settleItem(trade, order, order, Broker(BROKER_2, 1), Broker(BROKER_1, 1));
        vm.stopPrank();
    }

    function test_only_its_sender_keys_send() public {
        Batch memory batch = pair(bid(5000, 100), ask(5000, 100), 100, 5000);
        bytes memory senderOnly = abi.encodeWithSelector(RoleRequired.selector, bytes32("SENDER"));
        rejects(address(this), batch, senderOnly);
        uint256[3] memory others = [SIGNER + VENUE_NO, PERSON + VENUE_NO, CARRIER + ISSUER_NO];
        for (uint256 i = 0; i < others.length; i++) {
            rejects(vm.addr(others[i]), batch, senderOnly);
        }
        revokeKey(VENUE_NO, VENUE, venueSender);
        rejects(venueSender, batch, senderOnly);
    }

    /// @dev Whatever it makes of two signed orders, both brokers get what they signed, or better.
    function testFuzz_brokers_get_what_they_signed(uint256 seed) public {
        (Order memory buy, Order memory sell) = (bid(5000, 100), ask(4000, 150));
        Batch memory batch = pair(buy, sell, 1, 4500);
        batch.trades = _again(batch.trades[0], 8);
        for (uint256 i = 0; i < 8; i++) {
            uint256 dice = uint256(keccak256(abi.encode(seed, i)));
            batch.trades[i].quantity = uint64(dice % 80);
            batch.trades[i].price = uint64(3500 + (dice >> 32) % 2000);
            batch.trades[i].tradeId = uint64((dice >> 64) % 6);
            if ((dice >> 96) % 8 == 0) batch.trades[i].sell = uint16(dice >> 104);
        }
        send(batch);
        uint256 units = token.balanceOf(buyer);
        uint256 paid = 10_000_000 - cash.balanceOf(cash2);
        assertLe(units, 100, "quantity of the buyer");
        assertLe(paid, units * 5000, "limit of the buyer");
        assertGe(paid, units * 4000, "limit of the seller");
        assertEq(paid, cash.balanceOf(cash1), "cash is conserved");
        assertEq(token.balanceOf(seller) + units, 10_000, "units are conserved");
    }

    function _cancelBid(uint64 nonce) private {
        bytes32 kind = keccak256("OrderCancel(bytes20 broker,uint64 nonce)");
        bytes32 hash = keccak256(abi.encode(kind, BROKER_2, nonce));
        bytes memory signature =
            signatureOf(SIGNER + BROKER_2_NO, typed("stoken DvpSettlement", address(settlement), hash));
        settlement.cancelOrder(BROKER_2, nonce, signature);
    }

    function _again(Trade memory trade, uint256 times) private returns (Trade[] memory trades) {
        trades = new Trade[](times);
        for (uint256 i = 0; i < times; i++) {
            trades[i] = abi.decode(abi.encode(trade), (Trade));
            if (i != 0) trades[i].tradeId = ++lastTradeId;
        }
    }
}
