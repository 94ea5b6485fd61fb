// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {CashEntry, CashMove, CashParty, IDepositToken} from "../../../contracts/interfaces/IDepositToken.sol";
import {Key} from "../../../contracts/interfaces/IMemberRegistry.sol";
import {Vm} from "../Vm.sol";
import {ProductionSuite} from "./ProductionSuite.sol";

/// @notice Cash to its last won: whole balances, nobody's accounts, and one event for each change.
contract CashBoundsTest is ProductionSuite {
    uint256 private constant _ALL = 10_000_000;

    address private _fresh = address(0xCA59);
    CashParty private _payer;
    CashParty private _payee;
    CashParty private _nobody;

    function setUp() public override {
        super.setUp();
        _payer = CashParty(cash2, BROKER_2, 1, buyer);
        _payee = CashParty(cash1, BROKER_1, 1, seller);
        _nobody = CashParty(_fresh, 0, 0, other);
    }

    function _wants(address from, address to, uint256 amount) private {
        vm.expectEmit(address(cash));
        emit IERC20.Transfer(from, to, amount);
    }

    function _holds(address account, uint256 free, uint256 held) private view {
        assertEq(cash.balanceOf(account), free + held);
        (,, uint256 balance) = cash.accountOf(account);
        assertEq(balance, free + held);
        assertEq(cash.heldOf(account), held);
    }

    /// @dev What an account could pay now, and not one won more.
    function _pays(CashParty memory payer, uint256 free) private {
        vm.startPrank(address(settlement));
        vm.expectRevert(abi.encodeWithSelector(InsufficientCash.selector, payer.cashAccount, free, free + 1));
        cash.settle(payer, payer, free + 1);
        cash.settle(payer, payer, free);
        vm.stopPrank();
    }

    function _credit(IDepositToken at, address account, uint96 amount, bytes32 ref, uint256 key)
        private
        view
        returns (bytes memory)
    {
        CashEntry memory entry = CashEntry(account, amount, ref, LATER);
        bytes32 kind = keccak256("CashCredit(address account,uint96 amount,bytes32 ref,uint40 deadline)");
        bytes32 digest = typed("stoken DepositToken", address(at), keccak256(abi.encode(kind, entry)));
        return abi.encodeCall(IDepositToken.credit, (entry, signatureOf(key, digest)));
    }

    function _refuses(address at, bytes memory call, bytes memory refusal) private {
        (bool done, bytes memory answer) = at.call(call);
        assertFalse(done);
        assertEq(answer, refusal);
    }

    function test_all_won_together_reach_the_word_and_no_more() public {
        uint96 left = uint96(type(uint88).max - _ALL);
        bytes memory call = _credit(cash, cash1, left + 1, "one too many", SIGNER + CASH_AGENT_NO);
        bytes memory refusal = abi.encodeWithSelector(IDepositToken.DepositTokenAmountInvalid.selector, left + 1);
        _refuses(address(cash), call, refusal);
        assertFalse(cash.referenceUsed("one too many"));
        credit(cash1, left);
        assertEq(cash.totalSupply(), type(uint88).max);
        (bytes20 member, uint8 kind, uint256 balance) = cash.accountOf(cash1);
        assertTrue(member == BROKER_1 && kind == 1 && balance == left);
    }

    function test_a_whole_balance_can_be_debited_paid_held_and_moved() public {
        uint256 state = vm.snapshotState();
        CashEntry memory entry = CashEntry(cash2, uint96(_ALL), "all", LATER);
        cash.debit(entry, signatureOf(SIGNER + CASH_AGENT_NO, entryDigest("CashDebit", entry)));
        _holds(cash2, 0, 0);
        vm.revertToState(state);
        vm.prank(address(settlement));
        _wants(cash2, cash1, _ALL);
        cash.settle(_payer, _payee, _ALL);
        _holds(cash1, _ALL, 0);
        vm.revertToState(state);
        _net(-int256(_ALL), int256(_ALL), 0);
        _holds(cash1, _ALL, 0);
        vm.revertToState(state);
        vm.prank(address(settlement));
        cash.hold(_payer, _payee, _ALL);
        _holds(cash2, 0, _ALL);
        vm.revertToState(state);
        openCash(_fresh, BROKER_2, 1);
        _move(CashMove(BROKER_2, cash2, _fresh, uint96(_ALL), 1, LATER), SIGNER + BROKER_2_NO);
        _holds(_fresh, _ALL, 0);
    }

    function test_nets_are_paid_in_and_out_with_an_event_for_each_that_is_not_zero() public {
        vm.recordLogs();
        _net(-7, 7, 0);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 2);
        _isTransfer(logs[0], cash2, address(settlement), 7);
        _isTransfer(logs[1], address(settlement), cash1, 7);
        _holds(cash2, _ALL - 7, 0);
        _holds(cash1, 7, 0);
        _holds(ownCash1, 0, 0);
    }

    function _net(int256 first, int256 second, int256 third) private {
        CashParty[] memory parties = new CashParty[](3);
        (parties[0], parties[1], parties[2]) = (_payer, _payee, CashParty(ownCash1, BROKER_1, 2, house));
        int256[] memory nets = new int256[](3);
        (nets[0], nets[1], nets[2]) = (first, second, third);
        vm.prank(address(settlement));
        cash.settleNet(parties, nets);
    }

    function _isTransfer(Vm.Log memory log, address from, address to, uint256 amount) private pure {
        assertEq(log.topics[0], IERC20.Transfer.selector);
        assertEq(log.topics[1], bytes32(uint256(uint160(from))));
        assertEq(log.topics[2], bytes32(uint256(uint160(to))));
        assertEq(log.data, abi.encode(amount));
    }

    function test_held_cash_comes_back_or_is_paid_to_the_won() public {
        vm.prank(address(settlement));
        cash.hold(_payer, _payee, 9);
        _holds(cash2, _ALL - 9, 9);
        _pays(_payer, _ALL - 9);
        vm.prank(address(settlement));
        cash.release(cash2, 4);
        _holds(cash2, _ALL - 5, 5);
        _pays(_payer, _ALL - 5);
        vm.prank(address(settlement));
        _wants(cash2, cash1, 5);
        cash.settleHeld(cash2, cash1, 5);
        _holds(cash2, _ALL - 5, 0);
        _holds(cash1, 5, 0);
    }

    function test_who_pays_and_who_is_paid_must_own_their_accounts() public {
        CashParty memory wrong = CashParty(cash1, BROKER_2, 1, seller);
        bytes memory refusal = abi.encodeWithSelector(SegregationViolation.selector, seller, cash1);
        bytes memory unknown = abi.encodeWithSelector(SegregationViolation.selector, other, _fresh);
        vm.startPrank(address(settlement));
        _refuses(address(cash), abi.encodeCall(IDepositToken.hold, (_payer, wrong, 1)), refusal);
        _refuses(address(cash), abi.encodeCall(IDepositToken.hold, (wrong, _payer, 0)), refusal);
        _refuses(address(cash), abi.encodeCall(IDepositToken.settle, (_payer, wrong, 1)), refusal);
        _refuses(address(cash), abi.encodeCall(IDepositToken.settle, (wrong, _payer, 0)), refusal);
        _refuses(address(cash), abi.encodeCall(IDepositToken.settle, (_nobody, _payer, 0)), unknown);
        _refuses(address(cash), abi.encodeCall(IDepositToken.settle, (_payer, _nobody, 1)), unknown);
        _refuses(address(cash), abi.encodeCall(IDepositToken.hold, (_payer, _nobody, 1)), unknown);
        vm.stopPrank();
    }

    function _move(CashMove memory order, uint256 key) private {
        (bool done,) = address(cash).call(_moving(order, key));
        assertTrue(done);
    }

    function _moving(CashMove memory order, uint256 key) private view returns (bytes memory) {
        bytes32 kind =
            keccak256("CashMove(bytes20 member,address from,address to,uint96 amount,uint256 nonce,uint40 deadline)");
        bytes32 digest = typed("stoken DepositToken", address(cash), keccak256(abi.encode(kind, order)));
        return abi.encodeCall(IDepositToken.move, (order, signatureOf(key, digest)));
    }

    function test_cash_is_moved_by_a_key_for_cash_of_the_member_that_has_both_accounts() public {
        openCash(_fresh, BROKER_1, 1);
        credit(cash1, 5);
        CashMove memory order = CashMove(BROKER_2, cash1, _fresh, 5, 1, LATER);
        bytes memory refusal = abi.encodeWithSelector(SegregationViolation.selector, cash1, _fresh);
        _refuses(address(cash), _moving(order, SIGNER + BROKER_2_NO), refusal);
        order.member = BROKER_1;
        uint256[2] memory keys = [PERSON + BROKER_1_NO, CARRIER + BROKER_1_NO];
        for (uint256 i = 0; i < 2; i++) {
            refusal = abi.encodeWithSelector(SignatureInvalid.selector, vm.addr(keys[i]));
            _refuses(address(cash), _moving(order, keys[i]), refusal);
        }
        _move(order, SIGNER + BROKER_1_NO);
        _holds(_fresh, 5, 0);
    }

    function test_nobody_moves_cash_of_nobody() public {
        CashMove memory order = CashMove(0, _fresh, address(0xCA60), 1, 1, LATER);
        bytes memory refusal = abi.encodeWithSelector(SignatureInvalid.selector, vm.addr(0xBAD));
        _refuses(address(cash), _moving(order, 0xBAD), refusal);
    }

    function test_a_failed_members_held_cash_goes_along_and_is_counted() public {
        vm.prank(address(settlement));
        cash.hold(_payer, _payee, 9);
        address[] memory accounts = only(cash2);
        vm.prank(address(authority));
        vm.expectEmit(address(cash));
        emit IDepositToken.CustomerCashMoved(BROKER_2, BROKER_1, accounts, _ALL, _ALL);
        cash.moveCustomerCash(BROKER_2, BROKER_1, accounts);
        _holds(cash2, _ALL - 9, 9);
    }

    function test_cash_of_no_member_goes_to_nobody() public {
        vm.prank(address(authority));
        vm.expectRevert(abi.encodeWithSelector(SegregationViolation.selector, _fresh, _fresh));
        cash.moveCustomerCash(0, BROKER_1, only(_fresh));
    }

    /// @dev Zero is no cash agent: whoever signs for nobody credits nothing.
    function test_without_a_cash_agent_nobody_credits() public {
        IDepositToken bare = IDepositToken(
            _proxy(
                deploy("DepositToken"),
                abi.encodeCall(
                    IDepositToken.initialize, (address(authority), address(members), address(settlement), bytes20(0))
                )
            )
        );
        bytes memory refusal = abi.encodeWithSelector(SignatureInvalid.selector, vm.addr(0xBAD));
        _refuses(address(bare), _credit(bare, _fresh, 1, "in", 0xBAD), refusal);
    }

    function test_a_cash_agent_without_the_role_credits_nothing() public {
        vm.startPrank(address(authority));
        cash.setCashAgent(ISSUER);
        uint256 key = SIGNER + ISSUER_NO;
        bytes memory call = _credit(cash, cash1, 1, "in", key);
        _refuses(address(cash), call, abi.encodeWithSelector(SignatureInvalid.selector, vm.addr(key)));
        members.admit(ISSUER, 1 | 1 << 7, new Key[](0));
        vm.stopPrank();
        (bool done,) = address(cash).call(call);
        assertTrue(done);
        assertTrue(cash.referenceUsed("in"));
    }
}
