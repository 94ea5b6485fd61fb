// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC3643} from "../../../contracts/interfaces/IERC3643.sol";
import {ILegalActions} from "../../../contracts/interfaces/ILegalActions.sol";
import {Order} from "../../../contracts/interfaces/IDvpSettlement.sol";
import {Hold} from "../../../contracts/interfaces/ISettlementModes.sol";
import {Answering} from "../mocks/Answering.sol";
import {CallingAccount, FalseToken, FeeCash, LockingToken} from "../mocks/HostileToken.sol";
import {Batches} from "./Batches.sol";

/// @title HostileTokensTest
/// @notice Tokens and cash of another make, and accounts with code: they harm at most those who signed for them.
contract HostileTokensTest is Batches {
    function test_a_token_that_answers_false_touches_nobodys_units() public {
        address none = address(new FalseToken());
        Order memory buy = bid(5_000, 10);
        Order memory sell = ask(5_000, 10);
        (buy.token, sell.token, buy.cash, sell.cash) = (none, none, none, none);
        bytes32 before = holdings();
        settles(pair(buy, sell, 10, 5_000));
        assertEq(holdings(), before, "nothing of the suite moved");
        settles(pair(bid(5_000, 10), ask(5_000, 10), 10, 5_000));
        assertEq(token.balanceOf(buyer), 10, "the venue goes on");
    }

    function test_cash_that_keeps_a_fee_is_none_unless_both_brokers_name_it() public {
        FeeCash fee = new FeeCash();
        fee.credit(cash2, 50_000);
        Order memory buy = bid(5_000, 10);
        Order memory sell = ask(5_000, 10);
        buy.cash = address(fee);
        fails(pair(buy, sell, 10, 5_000), unmatched("cash"));
        sell.cash = address(fee);
        settles(pair(buy, sell, 10, 5_000));
        assertEq(fee.balanceOf(cash1), 45_000, "the fee is theirs who signed for it");
        assertEq(cash.balanceOf(cash2), 10_000_000, "and no deposited won moved");
    }

    /// @dev Known: the answer is not read, since a token of the suite reverts instead.
    function test_a_recovery_on_a_token_that_answers_false_is_spent_and_moves_nothing() public {
        address none = address(new FalseToken());
        address successor = address(0x5E12);
        address identity = address(uint160(seller) + 1);
        onboardAs(successor, identity);
        registrarAct(address(legal), abi.encodeCall(ILegalActions.requestRecovery, (none, seller, successor, identity)));
        vm.warp(START + 3 days);
        legal.executeRecovery(1);
        assertEq(token.balanceOf(seller), 10_000);
        vm.expectRevert(abi.encodeWithSelector(ILegalActions.LegalActionsRecoveryNotWaiting.selector, 1));
        legal.executeRecovery(1);
    }

    /// @dev Known: cash held against a token that will not unlock stays held, since both legs come free together. Both
    /// brokers signed for that token; the suite's own always unlock.
    function test_cash_held_against_a_token_that_will_not_unlock_stays_held() public {
        LockingToken locking = new LockingToken(address(encumbrances));
        Order memory buy = bid(5_000, 10);
        Order memory sell = ask(5_000, 10);
        (buy.token, sell.token) = (address(locking), address(locking));
        Batch memory batch = pair(buy, sell, 10, 5_000);
        Hold memory held = holdOf(batch);
        vm.prank(venueSender);
        modes.holdBatch(batch.orders, batch.signatures, batch.trades);
        assertEq(cash.heldOf(cash2), 50_000);
        vm.warp(held.expiresAt + 1);
        vm.expectRevert(LockingToken.Locked.selector);
        modes.releaseHold(held);
        assertEq(cash.heldOf(cash2), 50_000);
    }

    /// @dev A token of the suite refuses by itself; of another the settlement asks who has the account's units.
    function test_a_recovered_account_has_no_units_held_of_any_token() public {
        Answering recovered = new Answering(Answering.Manner.ANSWER, abi.encode(other));
        LockingToken locking = new LockingToken(address(recovered));
        Order memory buy = bid(5_000, 10);
        Order memory sell = ask(5_000, 10);
        (buy.token, sell.token) = (address(locking), address(locking));
        Batch memory batch = pair(buy, sell, 10, 5_000);
        vm.recordLogs();
        vm.prank(venueSender);
        modes.holdBatch(batch.orders, batch.signatures, batch.trades);
        assertEq(readOutcomes()[0].refusal, abi.encodeWithSelector(AccountClosed.selector, seller));
        assertEq(cash.heldOf(cash2), 0);
    }

    function test_an_account_with_code_is_never_called() public {
        CallingAccount account =
            new CallingAccount(address(token), abi.encodeCall(IERC3643.batchTransfer, (none(), new uint256[](0))));
        onboardAs(address(account), address(uint160(buyer) + 1));
        vm.expectCall(address(account), "", 0);
        vm.prank(seller);
        token.transfer(address(account), 100);
        issuerAct(address(token), abi.encodeCall(IERC3643.mint, (address(account), 5)));
        vm.prank(address(account));
        token.transfer(seller, 50);
        registrarAct(address(token), abi.encodeCall(IERC3643.forcedTransfer, (address(account), seller, 5)));
        assertEq(token.balanceOf(address(account)), 50);
    }
}
