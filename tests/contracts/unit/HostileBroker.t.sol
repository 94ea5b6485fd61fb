// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IMemberRegistry, Key} from "../../../contracts/interfaces/IMemberRegistry.sol";
import {Order, Trade} from "../../../contracts/interfaces/IDvpSettlement.sol";
import {Batches} from "./Batches.sol";

/// @title HostileBrokerTest
/// @notice A broker that reads the calldata of a batch gets no hold of anybody's order, account or cash.
contract HostileBrokerTest is Batches {
    /// @dev Broker 1 sold 40 of the 100 units that broker 2 bid for, and has the whole batch before it.
    function _partlyFilled() private returns (Batch memory batch) {
        batch = pair(bid(5000, 100), ask(4000, 40), 40, 4000);
        settles(batch);
        Order memory more = ask(4000, 60);
        batch = pairSigned(batch.orders[0], batch.signatures[0], more, signOrder(SIGNER + BROKER_1_NO, more), 60, 5000);
    }

    function test_it_cannot_use_the_rest_of_a_partly_filled_order() public {
        Batch memory batch = _partlyFilled();
        bytes32 before = holdings();
        bytes memory senderOnly = abi.encodeWithSelector(RoleRequired.selector, bytes32("SENDER"));
        uint256[3] memory own = [SIGNER + BROKER_1_NO, CARRIER + BROKER_1_NO, PERSON + BROKER_1_NO];
        for (uint256 i = 0; i < own.length; i++) {
            rejects(vm.addr(own[i]), batch, senderOnly);
        }
        assertEq(holdings(), before);
        assertEq(settlement.filled(BROKER_2, batch.orders[0].nonce), 40);
    }

    function test_it_cannot_use_the_rest_as_a_venue_of_its_own() public {
        Batch memory batch = _partlyFilled();
        Key[] memory no = new Key[](0);
        registrarAct(address(members), abi.encodeCall(IMemberRegistry.admit, (BROKER_1, (1 << 4) | (1 << 6), no)));
        vm.recordLogs();
        sendAs(vm.addr(CARRIER + BROKER_1_NO), gasleft(), batch);
        assertEq(readOutcomes()[0].refusal, unmatched("venue"));
    }

    function test_it_cannot_put_its_own_account_into_the_order() public {
        Batch memory batch = _partlyFilled();
        batch.orders[0].account = house;
        batch.orders[0].cashAccount = ownCash1;
        bytes32 before = holdings();
        assertTrue(outcomes(batch)[0].refusal.length != 0);
        assertEq(holdings(), before);
    }

    function test_it_cannot_sell_or_buy_for_accounts_of_another_broker() public {
        Order memory sell = ask(5000, 10);
        sell.account = other;
        Order memory buy = bid(5000, 10);
        Batch memory batch = pair(buy, sell, 10, 5000);
        fails(batch, abi.encodeWithSelector(NotAccountManager.selector, other, BROKER_1));
        Order memory stolen = bid(5000, 10);
        batch = pairSigned(stolen, signOrder(SIGNER + BROKER_1_NO, stolen), ask(5000, 10), "", 10, 5000);
        fails(batch, abi.encodeWithSelector(NotAccountManager.selector, buyer, BROKER_1));
    }

    function test_an_account_of_its_own_lends_its_standing_to_no_other_in_the_batch() public {
        Batch memory batch;
        batch.orders = new Order[](4);
        batch.signatures = new bytes[](4);
        batch.trades = new Trade[](3);
        batch.orders[0] = bid(5000, 30);
        batch.signatures[0] = signOrder(SIGNER + BROKER_2_NO, batch.orders[0]);
        for (uint16 i = 1; i < 4; i++) {
            batch.orders[i] = ask(5000, 10);
            if (i == 2) batch.orders[i].account = other;
            batch.signatures[i] = signOrder(SIGNER + BROKER_1_NO, batch.orders[i]);
            batch.trades[i - 1] = Trade(++lastTradeId, 0, i, 10, 5000, uint40(block.timestamp));
        }
        Outcome[] memory list = outcomes(batch);
        assertEq(list[0].refusal, "");
        assertEq(list[1].refusal, abi.encodeWithSelector(NotAccountManager.selector, other, BROKER_1));
        assertEq(list[2].refusal, "");
    }

    function test_it_cannot_pay_with_the_cash_of_another_broker() public {
        credit(cash1, 1_000_000);
        Order memory buy = bid(5000, 10);
        buy.cashAccount = cash1;
        bytes memory refusal = abi.encodeWithSelector(SegregationViolation.selector, buyer, cash1);
        fails(pair(buy, ask(5000, 10), 10, 5000), refusal);
    }

    function test_it_cannot_pay_its_own_purchase_with_clients_cash() public {
        credit(cash1, 1_000_000);
        Order memory buy = bid(5000, 10);
        (buy.account, buy.cashAccount, buy.nonce) = (house, cash1, 77);
        Order memory sell = ask(5000, 10);
        Batch memory batch = pairSigned(
            buy, signOrder(SIGNER + BROKER_1_NO, buy), sell, signOrder(SIGNER + BROKER_1_NO, sell), 10, 5000
        );
        fails(batch, abi.encodeWithSelector(SegregationViolation.selector, house, cash1));
    }

    function test_it_cannot_take_clients_proceeds_as_its_own() public {
        Order memory sell = ask(5000, 10);
        sell.cashAccount = ownCash1;
        bytes memory refusal = abi.encodeWithSelector(SegregationViolation.selector, seller, ownCash1);
        fails(pair(bid(5000, 10), sell, 10, 5000), refusal);
    }

    function test_it_cannot_cancel_an_order_of_another_broker() public {
        bytes32 kind = keccak256("OrderCancel(bytes20 broker,uint64 nonce)");
        bytes32 digest =
            typed("stoken DvpSettlement", address(settlement), keccak256(abi.encode(kind, BROKER_2, uint64(1))));
        vm.expectRevert(abi.encodeWithSelector(SignatureInvalid.selector, vm.addr(SIGNER + BROKER_1_NO)));
        settlement.cancelOrder(BROKER_2, 1, signatureOf(SIGNER + BROKER_1_NO, digest));
    }

    function test_it_cannot_void_an_order_of_another_broker_by_replacing_it() public {
        Order memory buy = bid(5000, 10);
        Order memory sell = ask(5000, 10);
        sell.nonce = 50;
        sell.replaces = buy.nonce;
        settles(pair(buy, sell, 5, 5000));
        settles(pair(buy, sell, 5, 5000));
        assertEq(settlement.filled(BROKER_2, buy.nonce), 10);
    }

    function test_it_cannot_trade_with_itself_through_one_account() public {
        Order memory sell = ask(5000, 10);
        sell.account = buyer;
        fails(pair(bid(5000, 10), sell, 10, 5000), abi.encodeWithSelector(SelfTransfer.selector, buyer));
    }
}
