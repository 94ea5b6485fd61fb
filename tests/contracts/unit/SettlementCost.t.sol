// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC3643} from "../../../contracts/interfaces/IERC3643.sol";
import {IDvpSettlement, Order, Trade} from "../../../contracts/interfaces/IDvpSettlement.sol";
import {RuleSet} from "../../../contracts/interfaces/IModularCompliance.sol";
import {ISettlementModes} from "../../../contracts/interfaces/ISettlementModes.sol";
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
        Batch memory batch = _series(_TRADES);
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
        assertLe(cost, limit(80_000, 95_000), "gas for a settled trade");
    }

    function test_cost_of_20_trades_as_a_whole() public {
        _prepare();
        Batch memory batch = _series(_TRADES);
        uint256 cost =
            _costOf(abi.encodeCall(ISettlementModes.settleAll, (batch.orders, batch.signatures, batch.trades)));
        emit Cost("all or nothing", cost);
        assertLe(cost, limit(77_500, 90_000), "gas for a trade of a batch as a whole");
        batch = _series(_TRADES);
        cost = _costOf(abi.encodeCall(ISettlementModes.settleNet, (batch.orders, batch.signatures, batch.trades)));
        emit Cost("netted", cost);
        assertLe(cost, limit(75_000, 90_000), "gas for a trade of a netted batch");
        batch = _series(_TRADES);
        cost = _cost(batch);
        emit Cost("itemised", cost);
        assertLe(cost, limit(80_000, 95_000), "gas for a trade of an itemised batch");
    }

    /// @custom:requirement SET-12
    function test_100_trades_settle_in_one_transaction_in_every_mode() public {
        _prepare();
        credit(cash2, 100_000_000);
        bytes4[3] memory selectors = [
            IDvpSettlement.settleBatch.selector,
            ISettlementModes.settleAll.selector,
            ISettlementModes.settleNet.selector
        ];
        for (uint256 i = 0; i < selectors.length; i++) {
            Batch memory batch = _series(100);
            uint256 gas = _costOf(abi.encodeWithSelector(selectors[i], batch.orders, batch.signatures, batch.trades));
            emit Cost("of 100", gas / 5);
            assertLe(gas * _TRADES, 15_000_000, "gas of a transaction of 100 trades");
            assertTrue(settlement.settled(VENUE, lastTradeId), "the last one too");
        }
    }

    /// @dev Without rules; with three where they are set.
    function limit(uint256 without, uint256) internal pure virtual returns (uint256) {
        return without;
    }

    function _prepare() private {
        issuerAct(address(token), abi.encodeCall(IERC3643.mint, (buyer, 10)));
        credit(cash1, 1);
        settles(pair(bid(5000, 4), ask(5000, 4), 1, 5000));
    }

    function _costOf(bytes memory data) private returns (uint256) {
        vm.prank(venueSender);
        (bool success, bytes memory answer) = address(settlement).call(data);
        assertEq(answer, "");
        assertTrue(success);
        (, uint64 used,,,) = vm.lastCallGas();
        return used / _TRADES;
    }

    function _cost(Batch memory batch) private returns (uint256) {
        send(batch);
        (, uint64 used,,,) = vm.lastCallGas();
        return used / _TRADES;
    }

    function _series(uint256 count) private returns (Batch memory batch) {
        batch.orders = new Order[](2 * count);
        batch.signatures = new bytes[](2 * count);
        batch.trades = new Trade[](count);
        for (uint256 i = 0; i < count; i++) {
            batch.orders[2 * i] = bid(5000, 10);
            batch.orders[2 * i + 1] = ask(5000, 10);
            batch.signatures[2 * i] = signOrder(SIGNER + BROKER_2_NO, batch.orders[2 * i]);
            batch.signatures[2 * i + 1] = signOrder(SIGNER + BROKER_1_NO, batch.orders[2 * i + 1]);
            batch.trades[i] = Trade(++lastTradeId, uint16(2 * i), uint16(2 * i + 1), 10, 5000, uint40(block.timestamp));
        }
    }
}

/// @title RuledSettlementCostTest
contract RuledSettlementCostTest is SettlementCostTest {
    function rules() internal pure override returns (RuleSet memory set) {
        (set.capUnits, set.holderLimit, set.classes) = (50_000, 100, 1 << 1);
    }

    function limit(uint256, uint256 ruled) internal pure override returns (uint256) {
        return ruled;
    }
}
