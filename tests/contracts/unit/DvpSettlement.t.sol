// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAttestedIdentityRegistry} from "../../../contracts/interfaces/IAttestedIdentityRegistry.sol";
import {IDvpSettlement, Order, Trade} from "../../../contracts/interfaces/IDvpSettlement.sol";
import {IERC3643} from "../../../contracts/interfaces/IERC3643.sol";
import {IMemberRegistry, Key} from "../../../contracts/interfaces/IMemberRegistry.sol";
import {HostileToken} from "../mocks/HostileToken.sol";
import {Batches} from "./Batches.sol";

/// @title DvpSettlementTest
contract DvpSettlementTest is Batches {
    uint256 private constant _CURVE = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    function test_a_trade_moves_units_and_money_at_once() public {
        settles(pair(bid(5000, 100), ask(5000, 100), 100, 5000));
        assertEq(token.balanceOf(buyer), 100);
        assertEq(token.balanceOf(seller), 9900);
        assertEq(cash.balanceOf(cash1), 500_000);
        assertEq(cash.balanceOf(cash2), 9_500_000);
        assertEq(settlement.filled(BROKER_2, 1), 100);
    }

    function test_the_event_says_it_all() public {
        Batch memory batch = pair(bid(5000, 100), ask(4000, 100), 30, 4500);
        vm.expectEmit(address(settlement));
        emit IDvpSettlement.TradeSettled(VENUE, 1, address(token), seller, buyer, 30, 4500, 1, 1);
        send(batch);
    }

    function test_the_digest_is_what_brokers_sign() public {
        Order memory order = bid(5000, 100);
        assertEq(settlement.orderDigest(order), orderDigest(order));
    }

    function test_a_failed_trade_stops_no_other() public {
        Batch memory batch = _series(5);
        batch.trades[2].price = 6000;
        Outcome[] memory list = outcomes(batch);
        assertEq(list.length, 5);
        for (uint256 i = 0; i < 5; i++) {
            assertEq(list[i].refusal, i == 2 ? unmatched("price") : bytes(""));
        }
        assertEq(token.balanceOf(buyer), 40);
    }

    function test_a_failed_trade_settles_later_under_its_id() public {
        Batch memory batch = pair(bid(5000, 4000), ask(5000, 4000), 3000, 5000);
        bytes memory refusal = abi.encodeWithSelector(InsufficientCash.selector, cash2, 10_000_000, 15_000_000);
        fails(batch, refusal);
        assertEq(settlement.filled(BROKER_2, 1), 0, "its fill was undone");
        credit(cash2, 5_000_000);
        settles(batch);
        assertEq(cash.balanceOf(cash2), 0);
    }

    function test_the_token_refuses_in_its_own_words() public {
        bytes memory refusal = abi.encodeWithSelector(InsufficientSecurities.selector, seller, 10_000, 10_001);
        fails(pair(bid(1, 20_000), ask(1, 20_000), 10_001, 1), refusal);
        registrarAct(address(token), abi.encodeCall(IERC3643.setAddressFrozen, (buyer, true)));
        refusal = abi.encodeWithSelector(AccountLegalHold.selector, buyer);
        fails(pair(bid(5000, 1), ask(5000, 1), 1, 5000), refusal);
    }

    function test_a_broker_with_both_sides_pays_itself() public {
        Order memory buy = bid(5000, 10);
        (buy.account, buy.cashAccount, buy.nonce) = (house, ownCash1, 1);
        Order memory sell = ask(5000, 10);
        sell.nonce = 2;
        credit(ownCash1, 50_000);
        bytes memory buySignature = signOrder(SIGNER + BROKER_1_NO, buy);
        settles(pairSigned(buy, buySignature, sell, signOrder(SIGNER + BROKER_1_NO, sell), 10, 5000));
        assertEq(cash.balanceOf(cash1), 50_000);
        assertEq(settlement.filled(BROKER_1, 1), 10);
        assertEq(settlement.filled(BROKER_1, 2), 10);
    }

    function test_one_cash_account_on_both_sides_still_needs_the_money() public {
        Order memory sell = bid(5000, 10);
        (sell.account, sell.side) = (other, 2);
        bytes memory signature = signOrder(SIGNER + BROKER_2_NO, sell);
        issuerAct(address(token), abi.encodeCall(IERC3643.mint, (other, 10)));
        Order memory buy = bid(2_000_000, 10);
        Batch memory batch = pairSigned(buy, signOrder(SIGNER + BROKER_2_NO, buy), sell, signature, 10, 2_000_000);
        fails(batch, abi.encodeWithSelector(InsufficientCash.selector, cash2, 10_000_000, 20_000_000));
        batch.trades[0].price = 5000;
        settles(batch);
        assertEq(cash.balanceOf(cash2), 10_000_000);
    }

    // --- What does not fit -------------------------------------------------------------------------------------

    /// @custom:requirement SET-06
    function test_trades_that_do_not_fit_their_orders_name_the_field() public {
        (Order memory buy, Order memory sell) = (bid(5000, 10), ask(5000, 10));
        sell.token = address(cash);
        fails(pair(buy, sell, 10, 5000), unmatched("token"));
        sell = ask(5000, 10);
        sell.cash = address(token);
        fails(pair(buy, sell, 10, 5000), unmatched("cash"));
        sell = ask(5000, 10);
        sell.nonce = 0;
        fails(pair(buy, sell, 10, 5000), unmatched("nonce"));
        sell = ask(5000, 10);
        sell.replaces = sell.nonce;
        fails(pair(buy, sell, 10, 5000), unmatched("replaces"));
        Batch memory batch = pair(buy, ask(5000, 10), 10, 5000);
        batch.trades[0].sell = 2;
        fails(batch, unmatched("order"));
        fails(pair(buy, ask(5000, 10), 0, 5000), abi.encodeWithSelector(LotInvalid.selector, 0, 1));
    }

    function test_accounts_must_be_known() public {
        Order memory buy = bid(5000, 10);
        buy.account = address(0xDEAD);
        bytes memory refusal = abi.encodeWithSelector(AccountUnknown.selector, address(0xDEAD));
        fails(pair(buy, ask(5000, 10), 10, 5000), refusal);
    }

    function test_every_order_needs_its_signature() public {
        Batch memory batch = pair(bid(5000, 10), ask(5000, 10), 10, 5000);
        batch.signatures = new bytes[](1);
        rejects(venueSender, batch, abi.encodeWithSelector(IDvpSettlement.DvpSettlementLengthMismatch.selector));
    }

    // --- Signatures and keys -----------------------------------------------------------------------------------

    function test_signatures_for_other_chains_contracts_or_tokens_do_not_count() public {
        (Order memory buy, Order memory sell) = (bid(5000, 10), ask(5000, 10));
        bytes32 hash = orderHash(buy);
        bytes32[3] memory digests = [
            typedAt("stoken DvpSettlement", address(settlement), block.chainid + 1, hash),
            typedAt("stoken DvpSettlement", address(0xD4), block.chainid, hash),
            typedAt("stoken DepositToken", address(settlement), block.chainid, hash)
        ];
        bytes memory sellSignature = signOrder(SIGNER + BROKER_1_NO, sell);
        for (uint256 i = 0; i < 3; i++) {
            bytes memory signature = signatureOf(SIGNER + BROKER_2_NO, digests[i]);
            _failsBySignature(pairSigned(buy, signature, sell, sellSignature, 10, 5000));
        }
        bytes memory forAnother = signOrder(SIGNER + BROKER_2_NO, buy);
        buy.token = address(0xD4);
        sell.token = address(0xD4);
        _failsBySignature(pairSigned(buy, forAnother, sell, signOrder(SIGNER + BROKER_1_NO, sell), 10, 5000));
    }

    function test_malleable_signatures_do_not_count() public {
        (Order memory buy, Order memory sell) = (bid(5000, 10), ask(5000, 10));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(SIGNER + BROKER_2_NO, orderDigest(buy));
        bytes memory sellSignature = signOrder(SIGNER + BROKER_1_NO, sell);
        bytes[4] memory variants = [
            abi.encodePacked(r, bytes32(_CURVE - uint256(s)), v ^ 7),
            abi.encodePacked(r, s, v - 27),
            abi.encodePacked(r, s, v, uint8(0)),
            abi.encodePacked(r, bytes32(uint256(s) | (uint256(v - 27) << 255)))
        ];
        for (uint256 i = 0; i < 4; i++) {
            bytes memory refusal = abi.encodeWithSelector(SignatureInvalid.selector, address(0));
            fails(pairSigned(buy, variants[i], sell, sellSignature, 10, 5000), refusal);
        }
    }

    function test_a_revoked_key_settles_nothing() public {
        Batch memory batch = pair(bid(5000, 10), ask(5000, 10), 10, 5000);
        address key = vm.addr(SIGNER + BROKER_2_NO);
        revokeKey(BROKER_2_NO, BROKER_2, key);
        fails(batch, abi.encodeWithSelector(SignatureInvalid.selector, key));
    }

    function test_a_retired_key_still_settles_earlier_orders() public {
        Batch memory batch = pair(bid(5000, 10), ask(5000, 10), 10, 5000);
        retireKey(BROKER_2_NO, BROKER_2, vm.addr(SIGNER + BROKER_2_NO));
        vm.warp(batch.orders[0].settleBy);
        settles(batch);
    }

    function test_a_key_counts_for_matches_within_its_validity() public {
        uint256 secret = SIGNER + 0x99;
        addKey(BROKER_2_NO, BROKER_2, Key(vm.addr(secret), ORDER, START + 10, START + 20));
        (Order memory buy, Order memory sell) = (bid(5000, 10), ask(5000, 10));
        Batch memory batch =
            pairSigned(buy, signOrder(secret, buy), sell, signOrder(SIGNER + BROKER_1_NO, sell), 10, 5000);
        vm.warp(START + 100);
        bytes memory refusal = abi.encodeWithSelector(SignatureInvalid.selector, vm.addr(secret));
        batch.trades[0].matchedAt = START + 9;
        fails(batch, refusal);
        batch.trades[0].matchedAt = START + 21;
        fails(batch, refusal);
        batch.trades[0].matchedAt = START + 20;
        settles(batch);
    }

    function test_keys_of_other_scopes_sign_no_orders() public {
        uint256 secret = SIGNER + 0x99;
        addKey(BROKER_2_NO, BROKER_2, Key(vm.addr(secret), INSTRUCTION | CASH, START, LATER));
        uint256[3] memory others = [secret, PERSON + BROKER_2_NO, CARRIER + BROKER_2_NO];
        (Order memory buy, Order memory sell) = (bid(5000, 10), ask(5000, 10));
        for (uint256 i = 0; i < 3; i++) {
            bytes memory signature = signOrder(others[i], buy);
            bytes memory refusal = abi.encodeWithSelector(SignatureInvalid.selector, vm.addr(others[i]));
            fails(pairSigned(buy, signature, sell, signOrder(SIGNER + BROKER_1_NO, sell), 10, 5000), refusal);
        }
    }

    function test_suspended_and_revoked_brokers_settle_nothing() public {
        Batch memory batch = pair(bid(5000, 10), ask(5000, 10), 10, 5000);
        registrarAct(address(members), abi.encodeCall(IMemberRegistry.setMemberStatus, (BROKER_2, 2)));
        fails(batch, abi.encodeWithSelector(BrokerSuspended.selector, BROKER_2));
        registrarAct(address(members), abi.encodeCall(IMemberRegistry.setMemberStatus, (BROKER_2, 3)));
        fails(batch, abi.encodeWithSelector(BrokerNotMember.selector, BROKER_2));
    }

    function test_an_order_is_recovered_once_however_many_trades_fill_it() public {
        Batch memory batch = pair(bid(5000, 10), ask(5000, 10), 1, 5000);
        batch.trades = new Trade[](10);
        for (uint256 i = 0; i < 10; i++) {
            batch.trades[i] = Trade(uint64(300 + i), 0, 1, 1, 5000, uint40(block.timestamp));
        }
        bytes memory asked = abi.encodeCall(IAttestedIdentityRegistry.managerOf, (buyer));
        vm.expectCall(address(identityStorage), asked, 1);
        send(batch);
        assertEq(token.balanceOf(buyer), 10);
    }

    // --- Cancelling --------------------------------------------------------------------------------------------

    function test_a_cancelled_order_is_void_and_its_neighbours_are_not() public {
        Batch memory batch = pair(bid(5000, 10), ask(5000, 10), 4, 5000);
        settles(batch);
        vm.expectEmit(address(settlement));
        emit IDvpSettlement.OrderCanceled(BROKER_2, 2);
        _cancel(BROKER_2, 2, SIGNER + BROKER_2_NO);
        assertEq(settlement.filled(BROKER_2, 1), 4);
        assertEq(settlement.filled(BROKER_2, 2), type(uint64).max);
        assertEq(settlement.filled(BROKER_2, 3), 0);
        vm.expectRevert(abi.encodeWithSelector(NonceReplayed.selector, BROKER_2, 2));
        _cancel(BROKER_2, 2, SIGNER + BROKER_2_NO);
        vm.expectRevert(unmatched("nonce"));
        _cancel(BROKER_2, 0, SIGNER + BROKER_2_NO);
    }

    function test_only_an_active_order_key_cancels() public {
        address key = vm.addr(CARRIER + BROKER_2_NO);
        vm.expectRevert(abi.encodeWithSelector(SignatureInvalid.selector, key));
        _cancel(BROKER_2, 1, CARRIER + BROKER_2_NO);
        key = vm.addr(SIGNER + BROKER_2_NO);
        retireKey(BROKER_2_NO, BROKER_2, key);
        vm.expectRevert(abi.encodeWithSelector(SignatureInvalid.selector, key));
        _cancel(BROKER_2, 1, SIGNER + BROKER_2_NO);
    }

    // --- Gas and hostile tokens --------------------------------------------------------------------------------

    function testFuzz_too_little_gas_reverts_the_batch(uint256 gas) public {
        Batch memory batch = _series(3);
        gas = bound(gas, 50_000, 3_000_000);
        vm.recordLogs();
        (bool success,) = sendAs(venueSender, gas, batch);
        if (!success) return assertEq(token.balanceOf(buyer), 0, "all or nothing");
        Outcome[] memory list = readOutcomes();
        assertEq(list.length, 3);
        for (uint256 i = 0; i < 3; i++) {
            assertEq(list[i].refusal, "", "no trade fails for want of gas");
        }
    }

    function test_too_little_gas_is_said() public {
        (bool success, bytes memory answer) = sendAs(venueSender, 900_000, _series(1));
        assertFalse(success);
        assertEq(bytes32(bytes4(answer)), bytes32(IDvpSettlement.DvpSettlementGasTooLow.selector));
    }

    function test_a_token_that_burns_gas_or_shouts_harms_only_its_own_trade() public {
        HostileToken hostile = new HostileToken();
        hostile.burnGas();
        Batch memory batch = _withHostile(hostile);
        Outcome[] memory list = outcomes(batch);
        assertEq(list[0].refusal, "", "burned all of its gas, and said nothing");
        assertFalse(settlement.settled(VENUE, batch.trades[0].tradeId));
        assertTrue(settlement.settled(VENUE, batch.trades[1].tradeId));

        hostile = new HostileToken();
        hostile.shout(100_000);
        list = outcomes(_withHostile(hostile));
        assertEq(list[0].refusal.length, 1024);
        assertEq(list[1].refusal, "");
    }

    function test_cash_that_is_no_contract_harms_only_its_own_trade() public {
        (Order memory buy, Order memory sell) = (bid(5000, 10), ask(5000, 10));
        (buy.cash, sell.cash) = (address(0xD4), address(0xD4));
        fails(pair(buy, sell, 10, 5000), "");
    }

    function test_it_names_the_registries_that_it_asks() public view {
        (address membersAt, address registryAt) = settlement.wiring();
        assertTrue(membersAt == address(members) && registryAt == address(registry));
    }

    function test_a_token_cannot_enter_again() public {
        HostileToken hostile = new HostileToken();
        Batch memory inner = _series(1);
        // Even if the venue itself is in the plot, and lists the token among its senders.
        addKey(VENUE_NO, VENUE, Key(address(hostile), SENDER, START, LATER));
        hostile.callBack(address(settlement), callOf(inner));
        (Order memory buy, Order memory sell) = (bid(5000, 10), ask(5000, 10));
        (buy.token, sell.token) = (address(hostile), address(hostile));
        settles(pair(buy, sell, 10, 5000));
        assertFalse(hostile.succeeded());
        assertEq(hostile.answer(), abi.encodeWithSelector(IDvpSettlement.DvpSettlementReentered.selector));
        settles(inner);
    }

    // --- Conservation ------------------------------------------------------------------------------------------

    function testFuzz_random_batches_conserve_units_and_cash(uint256 seed) public {
        Batch memory batch = _random(seed);
        uint256 supply = token.totalSupply();
        uint256 money = cash.totalSupply();
        Outcome[] memory list = outcomes(batch);
        uint256 bought;
        uint256 paid;
        for (uint256 i = 0; i < list.length; i++) {
            if (list[i].refusal.length != 0) continue;
            bought += batch.trades[i].quantity;
            paid += uint256(batch.trades[i].quantity) * batch.trades[i].price;
        }
        assertEq(list.length, batch.trades.length, "each trade has one outcome");
        assertEq(token.balanceOf(buyer), bought, "units came by settled trades alone");
        assertEq(token.balanceOf(seller) + bought, 10_000, "and from the seller");
        assertEq(cash.balanceOf(cash1), paid, "price times quantity");
        assertEq(cash.balanceOf(cash2) + paid, 10_000_000, "and nothing else");
        assertEq(token.totalSupply(), supply, "units are conserved");
        assertEq(cash.totalSupply(), money, "cash is conserved");
    }

    function _series(uint256 count) private returns (Batch memory batch) {
        batch.orders = new Order[](2 * count);
        batch.signatures = new bytes[](2 * count);
        batch.trades = new Trade[](count);
        for (uint256 i = 0; i < count; i++) {
            batch.orders[2 * i] = bid(5000, 10);
            batch.orders[2 * i + 1] = ask(5000, 10);
            _sign(batch, 2 * i);
            batch.trades[i] = Trade(++lastTradeId, uint16(2 * i), uint16(2 * i + 1), 10, 5000, uint40(block.timestamp));
        }
    }

    function _sign(Batch memory batch, uint256 at) private view {
        batch.signatures[at] = signOrder(SIGNER + BROKER_2_NO, batch.orders[at]);
        batch.signatures[at + 1] = signOrder(SIGNER + BROKER_1_NO, batch.orders[at + 1]);
    }

    function _withHostile(HostileToken hostile) private returns (Batch memory batch) {
        batch = _series(2);
        batch.orders[0].token = address(hostile);
        batch.orders[1].token = address(hostile);
        _sign(batch, 0);
    }

    /// @dev Orders of random limits and sizes, and trades that fit them often, but not always.
    function _random(uint256 seed) private returns (Batch memory batch) {
        batch.orders = new Order[](6);
        batch.signatures = new bytes[](6);
        batch.trades = new Trade[](12);
        for (uint256 i = 0; i < 3; i++) {
            uint256 dice = uint256(keccak256(abi.encode(seed, "order", i)));
            batch.orders[2 * i] = bid(uint64(4000 + dice % 2000), uint64(1 + (dice >> 32) % 3000));
            batch.orders[2 * i + 1] = ask(uint64(3000 + (dice >> 64) % 2000), uint64(1 + (dice >> 96) % 3000));
            if (i == 2 && dice >> 255 == 1) batch.orders[4].replaces = batch.orders[0].nonce;
            _sign(batch, 2 * i);
        }
        for (uint256 i = 0; i < 12; i++) {
            uint256 dice = uint256(keccak256(abi.encode(seed, "trade", i)));
            batch.trades[i] = Trade({
                tradeId: ++lastTradeId,
                buy: uint16(2 * (dice % 3)),
                sell: uint16(2 * ((dice >> 8) % 3) + 1),
                quantity: uint64((dice >> 16) % 1500),
                price: uint64(3500 + (dice >> 48) % 2000),
                matchedAt: uint40(block.timestamp)
            });
        }
    }

    function _failsBySignature(Batch memory batch) private {
        bytes32 before = holdings();
        Outcome[] memory list = outcomes(batch);
        assertEq(bytes32(bytes4(list[0].refusal)), bytes32(SignatureInvalid.selector));
        assertEq(holdings(), before);
    }

    function _cancel(bytes20 broker, uint64 nonce, uint256 key) private {
        bytes32 kind = keccak256("OrderCancel(bytes20 broker,uint64 nonce)");
        bytes32 structHash = keccak256(abi.encode(kind, broker, nonce));
        bytes32 digest = typed("stoken DvpSettlement", address(settlement), structHash);
        settlement.cancelOrder(broker, nonce, signatureOf(key, digest));
    }
}
