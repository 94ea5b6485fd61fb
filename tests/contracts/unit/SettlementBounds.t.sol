// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Order} from "../../../contracts/interfaces/IDvpSettlement.sol";
import {Key} from "../../../contracts/interfaces/IMemberRegistry.sol";
import {HostileToken} from "../mocks/HostileToken.sol";
import {Batches} from "./Batches.sol";

/// @title SettlementBoundsTest
/// @notice Where settlement begins and ends to take something: to the second, the trade id, the order and the byte.
contract SettlementBoundsTest is Batches {
    uint256 private constant _SECRET = SIGNER + 0x99;

    /// @custom:requirement SET-06
    function test_either_order_that_does_not_fit_is_refused() public {
        bytes32[5] memory fields = [bytes32("venue"), "side", "nonce", "replaces", "order"];
        for (uint256 i = 0; i < fields.length; i++) {
            fails(_odd(true, fields[i]), unmatched(fields[i]));
            fails(_odd(false, fields[i]), unmatched(fields[i]));
        }
    }

    function test_the_earlier_deadline_of_two_orders_counts_to_its_second() public {
        for (uint256 i = 0; i < 2; i++) {
            vm.warp(START);
            (Order memory buy, Order memory sell) = (bid(10, 5), ask(10, 5));
            Order memory earlier = i == 0 ? buy : sell;
            (earlier.tradableUntil, earlier.settleBy) = (START + 100, START + 300);
            Batch memory batch = pair(buy, sell, 5, 10);
            vm.warp(START + 300);
            batch.trades[0].matchedAt = START + 101;
            fails(batch, abi.encodeWithSelector(TooLate.selector, START + 100, START + 101));
            batch.trades[0].matchedAt = START + 100;
            vm.warp(START + 301);
            fails(batch, abi.encodeWithSelector(TooLate.selector, START + 300, START + 301));
            vm.warp(START + 300);
            settles(batch);
        }
    }

    function test_a_key_counts_from_its_first_second_and_retired_beyond_its_last() public {
        addKey(BROKER_2_NO, BROKER_2, Key(vm.addr(_SECRET), ORDER, START + 10, START + 20));
        vm.warp(START + 100);
        bytes memory refusal = abi.encodeWithSelector(SignatureInvalid.selector, vm.addr(_SECRET));
        settles(_matchedAt(START + 10));
        fails(_matchedAt(START + 21), refusal);
        retireKey(BROKER_2_NO, BROKER_2, vm.addr(_SECRET));
        settles(_matchedAt(START + 21));
        fails(_matchedAt(START + 9), refusal);
    }

    function test_a_key_cancels_within_its_validity_and_no_persons_does() public {
        addKey(BROKER_2_NO, BROKER_2, Key(vm.addr(_SECRET), ORDER, START + 10, START + 20));
        bytes memory refusal = abi.encodeWithSelector(SignatureInvalid.selector, vm.addr(_SECRET));
        for (uint40 second = 9; second < 22; second += 1) {
            vm.warp(START + second);
            bool valid = second > 9 && second < 21;
            if (!valid) vm.expectRevert(refusal);
            _cancel(second, _SECRET);
            assertEq(settlement.filled(BROKER_2, second), valid ? type(uint64).max : 0);
        }
        vm.expectRevert(abi.encodeWithSelector(SignatureInvalid.selector, vm.addr(PERSON + BROKER_2_NO)));
        _cancel(1, PERSON + BROKER_2_NO);
    }

    function test_an_order_that_replaces_none_voids_none() public {
        settles(pair(bid(10, 5), ask(10, 5), 5, 10));
        assertEq(settlement.filled(BROKER_1, 0), 0);
        assertEq(settlement.filled(BROKER_2, 0), 0);
    }

    function test_every_order_is_counted_by_itself() public {
        for (uint64 i = 1; i < 10; i++) {
            settles(pair(bid(10, 100), ask(10, 100), i, 10));
        }
        for (uint64 i = 1; i < 10; i++) {
            assertEq(settlement.filled(BROKER_1, i), i);
            assertEq(settlement.filled(BROKER_2, i), i);
        }
    }

    function test_every_trade_id_settles_once() public {
        uint64[6] memory ids = [uint64(1), 129, 257, 513, 1025, type(uint64).max];
        for (uint256 i = 0; i < ids.length; i++) {
            lastTradeId = ids[i] - 1;
            Batch memory batch = pair(bid(10, 5), ask(10, 5), 1, 10);
            assertFalse(settlement.settled(VENUE, ids[i]), "not by another");
            settles(batch);
            assertEq(outcomes(batch).length, 0, "passed over");
        }
    }

    function test_a_reason_is_told_up_to_its_1024th_byte() public {
        HostileToken hostile = new HostileToken();
        for (uint256 length = 1023; length < 1026; length++) {
            hostile.shout(length);
            (Order memory buy, Order memory sell) = (bid(10, 5), ask(10, 5));
            (buy.token, sell.token) = (address(hostile), address(hostile));
            fails(pair(buy, sell, 5, 10), hostile.noise(length < 1024 ? length : 1024));
        }
    }

    function test_it_says_which_registries_it_asks() public view {
        (address memberRegistry, address identityRegistry) = settlement.wiring();
        assertEq(memberRegistry, address(members));
        assertEq(identityRegistry, address(registry));
        bytes32 slot = keccak256(abi.encode(uint256(keccak256("stoken.storage.DvpSettlement")) - 1));
        bytes32 found = vm.load(address(settlement), slot & ~bytes32(uint256(0xff)));
        assertEq(address(uint160(uint256(found))), address(members), "where ERC-7201 puts its state");
    }

    /// @dev One of two orders, the buy or the sell, has a field that does not fit.
    function _odd(bool buys, bytes32 field) private returns (Batch memory batch) {
        (Order memory buy, Order memory sell) = (bid(10, 5), ask(10, 5));
        Order memory odd = buys ? buy : sell;
        if (field == "venue") odd.venue = SUPERVISOR;
        if (field == "side") odd.side = 3 - odd.side;
        if (field == "nonce") odd.nonce = 0;
        if (field == "replaces") odd.replaces = odd.nonce;
        batch = pair(buy, sell, 5, 10);
        if (field != "order") return batch;
        if (buys) batch.trades[0].buy = 2;
        else batch.trades[0].sell = 2;
    }

    function _matchedAt(uint40 second) private returns (Batch memory batch) {
        (Order memory buy, Order memory sell) = (bid(10, 5), ask(10, 5));
        bytes memory sellSignature = signOrder(SIGNER + BROKER_1_NO, sell);
        batch = pairSigned(buy, signOrder(_SECRET, buy), sell, sellSignature, 5, 10);
        batch.trades[0].matchedAt = second;
    }

    function _cancel(uint64 nonce, uint256 key) private {
        bytes32 kind = keccak256("OrderCancel(bytes20 broker,uint64 nonce)");
        bytes32 structHash = keccak256(abi.encode(kind, BROKER_2, nonce));
        bytes32 digest = typed("stoken DvpSettlement", address(settlement), structHash);
        settlement.cancelOrder(BROKER_2, nonce, signatureOf(key, digest));
    }
}
