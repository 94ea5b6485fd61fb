// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Order} from "../../../contracts/interfaces/IDvpSettlement.sol";
import {Batches} from "./Batches.sol";

/// @title DvpSettlementTest
contract DvpSettlementTest is Batches {
    function test_a_trade_moves_units_and_money_at_once() public {
        settles(pair(bid(5000, 100), ask(5000, 100), 100, 5000));
        assertEq(token.balanceOf(buyer), 100);
        assertEq(token.balanceOf(seller), 9900);
        assertEq(cash.balanceOf(cash1), 500_000);
        assertEq(cash.balanceOf(cash2), 9_500_000);
        assertEq(settlement.filled(BROKER_2, 1), 100);
    }

    function test_the_digest_is_what_brokers_sign() public {
        Order memory order = bid(5000, 100);
        assertEq(settlement.orderDigest(order), orderDigest(order));
    }
}
