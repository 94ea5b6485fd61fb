// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC3643} from "../../../contracts/interfaces/IERC3643.sol";
import {Order, Trade} from "../../../contracts/interfaces/IDvpSettlement.sol";
import {Batches} from "./Batches.sol";

/// @title SettlementCostTest
/// @notice Gas of whole transactions, their data included: run with --isolate, else they are cheaper than they are.
contract SettlementCostTest is Batches {
    event Cost(string what, uint256 gas);

    uint256 private constant _TRADES = 20;

    function test_cost_of_a_batch_of_20() public {
        issuerAct(address(token), abi.encodeCall(IERC3643.mint, (buyer, 10)));
        credit(cash1, 1);
        settles(pair(bid(5000, 4), ask(5000, 4), 1, 5000));
        Batch memory batch = _series();
        Trade[] memory trades = batch.trades;
        batch.trades = new Trade[](0);
        emit Cost("orders alone", _cost(batch));
        batch.trades = abi.decode(abi.encode(trades), (Trade[]));
        for (uint256 i = 0; i < _TRADES; i++) {
            batch.trades[i].price = 6000;
        }
        emit Cost("refused", _cost(batch));
        batch.trades = trades;
        uint256 cost = _cost(batch);
        emit Cost("settled", cost);
        assertLe(cost, 80_000, "gas for a settled trade");
    }

    function _cost(Batch memory batch) private returns (uint256) {
        send(batch);
        (, uint64 used,,,) = vm.lastCallGas();
        return used / _TRADES;
    }

    function _series() private returns (Batch memory batch) {
        batch.orders = new Order[](2 * _TRADES);
        batch.signatures = new bytes[](2 * _TRADES);
        batch.trades = new Trade[](_TRADES);
        for (uint256 i = 0; i < _TRADES; i++) {
            batch.orders[2 * i] = bid(5000, 10);
            batch.orders[2 * i + 1] = ask(5000, 10);
            batch.signatures[2 * i] = signOrder(SIGNER + BROKER_2_NO, batch.orders[2 * i]);
            batch.signatures[2 * i + 1] = signOrder(SIGNER + BROKER_1_NO, batch.orders[2 * i + 1]);
            batch.trades[i] = Trade(++lastTradeId, uint16(2 * i), uint16(2 * i + 1), 10, 5000, uint40(block.timestamp));
        }
    }
}
