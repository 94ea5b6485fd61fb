// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDvpSettlement, Order, Trade} from "../../../contracts/interfaces/IDvpSettlement.sol";
import {Hold} from "../../../contracts/interfaces/ISettlementModes.sol";
import {Vm} from "../Vm.sol";
import {ProductionSuite} from "./ProductionSuite.sol";

/// @title Batches
/// @notice Signed orders and batches of them, as brokers and the venue make them.
abstract contract Batches is ProductionSuite {
    struct Batch {
        Order[] orders;
        bytes[] signatures;
        Trade[] trades;
    }

    /// @dev What became of a trade: the refusal is empty if it settled.
    struct Outcome {
        uint64 tradeId;
        bytes refusal;
    }

    uint64 internal lastTradeId;
    mapping(bytes20 broker => uint64) internal lastNonce;

    function bid(uint64 price, uint64 units) internal returns (Order memory) {
        return _order(1, buyer, cash2, price, units, ++lastNonce[BROKER_2]);
    }

    function ask(uint64 price, uint64 units) internal returns (Order memory) {
        return _order(2, seller, cash1, price, units, ++lastNonce[BROKER_1]);
    }

    function signOrder(uint256 key, Order memory order) internal view returns (bytes memory) {
        return signatureOf(key, orderDigest(order));
    }

    function orderDigest(Order memory order) internal view returns (bytes32) {
        return typed("stoken DvpSettlement", address(settlement), orderHash(order));
    }

    function orderHash(Order memory order) internal pure returns (bytes32) {
        bytes32 kind = keccak256(
            "Order(bytes20 venue,address account,address cashAccount,address token,address cash,uint8 side,uint64 price,uint64 quantity,uint64 nonce,uint40 tradableUntil,uint40 settleBy,uint64 replaces)"
        );
        return keccak256(abi.encode(kind, order));
    }

    /// @dev One trade of two orders, each signed by its broker.
    function pair(Order memory buy, Order memory sell, uint64 units, uint64 price) internal returns (Batch memory) {
        return pairSigned(
            buy, signOrder(SIGNER + BROKER_2_NO, buy), sell, signOrder(SIGNER + BROKER_1_NO, sell), units, price
        );
    }

    function pairSigned(
        Order memory buy,
        bytes memory buySignature,
        Order memory sell,
        bytes memory sellSignature,
        uint64 units,
        uint64 price
    ) internal returns (Batch memory batch) {
        batch.orders = new Order[](2);
        (batch.orders[0], batch.orders[1]) = (buy, sell);
        batch.signatures = new bytes[](2);
        (batch.signatures[0], batch.signatures[1]) = (buySignature, sellSignature);
        batch.trades = new Trade[](1);
        batch.trades[0] = Trade(++lastTradeId, 0, 1, units, price, uint40(block.timestamp));
    }

    /// @dev What holding the batch's one trade makes of it.
    function holdOf(Batch memory batch) internal pure returns (Hold memory) {
        (Order memory buy, Order memory sell) = (batch.orders[0], batch.orders[1]);
        return Hold({
            venue: VENUE,
            tradeId: batch.trades[0].tradeId,
            token: buy.token,
            cash: buy.cash,
            seller: sell.account,
            buyer: buy.account,
            sellerCash: sell.cashAccount,
            buyerCash: buy.cashAccount,
            sellerBroker: BROKER_1,
            buyerBroker: BROKER_2,
            sellNonce: sell.nonce,
            buyNonce: buy.nonce,
            quantity: batch.trades[0].quantity,
            price: batch.trades[0].price,
            expiresAt: buy.settleBy
        });
    }

    /// @dev The one place where a batch is encoded.
    function callOf(Batch memory batch) internal pure returns (bytes memory) {
        return abi.encodeCall(IDvpSettlement.settleBatch, (batch.orders, batch.signatures, batch.trades));
    }

    function send(Batch memory batch) internal {
        (bool success,) = sendAs(venueSender, gasleft(), batch);
        assertTrue(success, "the batch went through");
    }

    function sendAs(address sender, uint256 gas, Batch memory batch) internal returns (bool, bytes memory) {
        bytes memory data = callOf(batch);
        vm.prank(sender);
        return address(settlement).call{gas: gas}(data);
    }

    /// @dev A batch that is refused as a whole.
    function rejects(address sender, Batch memory batch, bytes memory refusal) internal {
        (bool success, bytes memory answer) = sendAs(sender, gasleft(), batch);
        assertFalse(success);
        assertEq(answer, refusal);
    }

    /// @dev Sends a batch and reads what became of its trades, in order; a trade passed over leaves nothing.
    function outcomes(Batch memory batch) internal returns (Outcome[] memory list) {
        vm.recordLogs();
        send(batch);
        return readOutcomes();
    }

    function readOutcomes() internal returns (Outcome[] memory list) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        list = new Outcome[](logs.length);
        uint256 count;
        for (uint256 i = 0; i < logs.length; i++) {
            bytes32 kind = logs[i].topics[0];
            bool failed = kind == IDvpSettlement.TradeFailed.selector;
            if (!failed && kind != IDvpSettlement.TradeSettled.selector) continue;
            bytes memory refusal = failed ? abi.decode(logs[i].data, (bytes)) : bytes("");
            list[count++] = Outcome(uint64(uint256(logs[i].topics[2])), refusal);
        }
        assembly ("memory-safe") {
            mstore(list, count)
        }
    }

    /// @dev Sends a batch of one trade that must settle.
    function settles(Batch memory batch) internal {
        Outcome[] memory list = outcomes(batch);
        assertEq(list.length, 1, "one outcome");
        assertEq(list[0].refusal, "", "the trade settled");
        assertTrue(settlement.settled(VENUE, list[0].tradeId), "its id is done");
    }

    /// @dev Sends a batch of one trade that must fail for exactly this reason, and move nothing.
    function fails(Batch memory batch, bytes memory refusal) internal {
        bytes32 before = holdings();
        Outcome[] memory list = outcomes(batch);
        assertEq(list.length, 1, "one outcome");
        assertEq(list[0].refusal, refusal, "the reason");
        assertFalse(settlement.settled(VENUE, batch.trades[0].tradeId), "its id stays open");
        assertEq(holdings(), before, "nothing moved");
    }

    function unmatched(bytes32 field) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(SettlementUnmatched.selector, field);
    }

    /// @dev A hash over everybody's units and cash.
    function holdings() internal view returns (bytes32) {
        return keccak256(
            abi.encode(
                token.balanceOf(seller),
                token.balanceOf(buyer),
                token.balanceOf(other),
                token.balanceOf(house),
                cash.balanceOf(cash1),
                cash.balanceOf(cash2),
                cash.balanceOf(ownCash1)
            )
        );
    }

    function _order(uint8 side, address account, address cashAccount, uint64 price, uint64 units, uint64 nonce)
        private
        view
        returns (Order memory)
    {
        return Order({
            venue: VENUE,
            account: account,
            cashAccount: cashAccount,
            token: address(token),
            cash: address(cash),
            side: side,
            price: price,
            quantity: units,
            nonce: nonce,
            tradableUntil: uint40(block.timestamp) + 6 hours,
            settleBy: uint40(block.timestamp) + 7 hours,
            replaces: 0
        });
    }
}
