// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Order} from "../../../contracts/interfaces/IDvpSettlement.sol";
import {CashConfirmation, ISettlementModes} from "../../../contracts/interfaces/ISettlementModes.sol";
import {Batches} from "./Batches.sol";

/// @title ConfirmedCashTest
/// @notice Trades that a cash agent confirms were paid outside the chain.
contract ConfirmedCashTest is Batches {
    /// @custom:requirement SET-03
    function test_units_move_with_the_confirmation() public {
        (Batch memory batch, CashConfirmation memory confirmation) = _trade();
        vm.expectEmit(address(settlement));
        emit ISettlementModes.CashConfirmed(VENUE, confirmation.tradeId, "wire 1", CASH_AGENT, 200_000);
        assertFalse(modes.confirmed(CASH_AGENT, "wire 1"));
        _send(batch, confirmation, SIGNER + CASH_AGENT_NO);
        assertEq(token.balanceOf(buyer), 40);
        assertEq(cash.balanceOf(cash2), 10_000_000, "no cash moves on the chain");
        assertTrue(modes.confirmed(CASH_AGENT, "wire 1"));
        assertTrue(settlement.settled(VENUE, confirmation.tradeId));
    }

    /// @custom:requirement SET-03
    function test_a_confirmation_must_be_the_trades() public {
        (Batch memory batch, CashConfirmation memory good) = _trade();
        for (uint256 i = 0; i < 7; i++) {
            CashConfirmation memory bad = abi.decode(abi.encode(good), (CashConfirmation));
            bytes32 field = "trade";
            if (i == 0) bad.venue = BROKER_1;
            if (i == 1) bad.tradeId++;
            if (i == 2) bad.token = address(cash);
            if (i == 3) bad.seller = house;
            if (i == 4) bad.buyer = other;
            if (i == 5) (bad.amount, field) = (199_999, "amount");
            if (i == 6) (bad.deadline, field) = (uint40(block.timestamp) - 1, "deadline");
            _refuses(batch, bad, SIGNER + CASH_AGENT_NO, field);
            _refuses(batch, bad, SIGNER + BROKER_2_NO, field);
        }
        uint256[4] memory others =
            [SIGNER + BROKER_2_NO, SIGNER + ISSUER_NO, CARRIER + CASH_AGENT_NO, PERSON + CASH_AGENT_NO];
        for (uint256 i = 0; i < others.length; i++) {
            _refuses(batch, good, others[i], "signer");
        }
        _send(batch, good, SIGNER + CASH_AGENT_NO);
    }

    /// @custom:requirement SET-03
    function test_a_reference_is_used_once() public {
        (Batch memory batch, CashConfirmation memory confirmation) = _trade();
        _send(batch, confirmation, SIGNER + CASH_AGENT_NO);
        (batch, confirmation) = _trade();
        _refuses(batch, confirmation, SIGNER + CASH_AGENT_NO, "ref");
    }

    function test_brokers_sign_that_no_cash_moves_on_the_chain() public {
        Batch memory batch = pair(bid(5000, 40), ask(5000, 40), 40, 5000);
        CashConfirmation memory confirmation = _confirmationOf(batch);
        bytes[] memory signatures = _signed(confirmation, SIGNER + CASH_AGENT_NO);
        vm.prank(venueSender);
        vm.expectRevert(unmatched("cash"));
        modes.settleConfirmed(batch.orders, batch.signatures, batch.trades, _list(confirmation), signatures);
        (batch,) = _trade();
        assertEq(outcomes(batch)[0].refusal, "", "nothing answers as cash");
        assertFalse(settlement.settled(VENUE, batch.trades[0].tradeId));
    }

    function test_each_trade_has_its_confirmation() public {
        (Batch memory batch,) = _trade();
        for (uint256 i = 0; i < 3; i++) {
            CashConfirmation[] memory confirmations = new CashConfirmation[](i & 1);
            bytes[] memory signatures = new bytes[](i >> 1);
            vm.prank(venueSender);
            vm.expectRevert(ISettlementModes.SettlementModesLengthMismatch.selector);
            modes.settleConfirmed(batch.orders, batch.signatures, batch.trades, confirmations, signatures);
        }
    }

    function _trade() private returns (Batch memory batch, CashConfirmation memory confirmation) {
        (Order memory buy, Order memory sell) = (bid(5000, 40), ask(5000, 40));
        (buy.cash, sell.cash) = (address(0), address(0));
        batch = pair(buy, sell, 40, 5000);
        confirmation = _confirmationOf(batch);
    }

    function _confirmationOf(Batch memory batch) private view returns (CashConfirmation memory) {
        return CashConfirmation(
            VENUE, batch.trades[0].tradeId, address(token), seller, buyer, 200_000, "wire 1", uint40(block.timestamp)
        );
    }

    function _send(Batch memory batch, CashConfirmation memory confirmation, uint256 key) private {
        bytes[] memory signatures = _signed(confirmation, key);
        vm.prank(venueSender);
        modes.settleConfirmed(batch.orders, batch.signatures, batch.trades, _list(confirmation), signatures);
    }

    function _refuses(Batch memory batch, CashConfirmation memory confirmation, uint256 key, bytes32 field) private {
        bytes[] memory signatures = _signed(confirmation, key);
        vm.prank(venueSender);
        vm.expectRevert(abi.encodeWithSelector(CashConfirmInvalid.selector, confirmation.ref, field));
        modes.settleConfirmed(batch.orders, batch.signatures, batch.trades, _list(confirmation), signatures);
    }

    function _list(CashConfirmation memory confirmation) private pure returns (CashConfirmation[] memory list) {
        list = new CashConfirmation[](1);
        list[0] = confirmation;
    }

    function _signed(CashConfirmation memory confirmation, uint256 key) private view returns (bytes[] memory list) {
        bytes32 kind = keccak256(
            "CashConfirmation(bytes20 venue,uint64 tradeId,address token,address seller,address buyer,uint96 amount,bytes32 ref,uint40 deadline)"
        );
        list = new bytes[](1);
        list[0] = signatureOf(
            key, typed("stoken DvpSettlement", address(settlement), keccak256(abi.encode(kind, confirmation)))
        );
    }
}
