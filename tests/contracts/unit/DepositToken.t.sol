// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {
    CashAccount,
    CashEntry,
    CashMove,
    CashParty,
    IDepositToken
} from "../../../contracts/interfaces/IDepositToken.sol";
import {IMemberRegistry, Key} from "../../../contracts/interfaces/IMemberRegistry.sol";
import {ProductionSuite} from "./ProductionSuite.sol";

/// @title DepositTokenTest
contract DepositTokenTest is ProductionSuite {
    bytes20 private constant _OTHER_AGENT = "ZZZZ0000000000002247";

    address private _fresh = address(0xCA59);

    function test_a_cash_agent_opens_credits_and_debits() public {
        CashAccount memory opening = CashAccount(_fresh, BROKER_2, 2, 900, LATER);
        vm.expectEmit(address(cash));
        emit IDepositToken.CashAccountOpened(_fresh, BROKER_2, 2);
        cash.openAccount(opening, _signed(openingDigest(opening)));
        CashEntry memory entry = CashEntry(_fresh, 1000, "in", LATER);
        vm.expectEmit(address(cash));
        emit IERC20.Transfer(address(0), _fresh, 1000);
        vm.expectEmit(address(cash));
        emit IDepositToken.CashCredited("in", _fresh, 1000);
        cash.credit(entry, _signed(entryDigest("CashCredit", entry)));
        entry = CashEntry(_fresh, 400, "out", LATER);
        vm.expectEmit(address(cash));
        emit IERC20.Transfer(_fresh, address(0), 400);
        vm.expectEmit(address(cash));
        emit IDepositToken.CashDebited("out", _fresh, 400);
        cash.debit(entry, _signed(entryDigest("CashDebit", entry)));
        (bytes20 member, uint8 kind, uint256 balance) = cash.accountOf(_fresh);
        assertEq(bytes32(member), bytes32(BROKER_2));
        assertEq(kind, 2);
        assertEq(balance, 600);
        assertEq(cash.totalSupply(), 10_000_600);
        assertTrue(cash.referenceUsed("in"));
    }

    function test_a_member_moves_cash_between_its_accounts_of_one_kind() public {
        openCash(_fresh, BROKER_2, 1);
        CashMove memory order = CashMove(BROKER_2, cash2, _fresh, 400, 1, LATER);
        vm.expectEmit(address(cash));
        emit IERC20.Transfer(cash2, _fresh, 400);
        vm.expectEmit(address(cash));
        emit IDepositToken.CashInstructed(BROKER_2, 1, cash2, _fresh, 400);
        cash.move(order, _moved(order, BROKER_2_NO));
        assertEq(cash.balanceOf(_fresh), 400);
        assertEq(cash.totalSupply(), 10_000_000);
        _moveFails(order, BROKER_2_NO, abi.encodeWithSelector(NonceReplayed.selector, BROKER_2, 1));
        order.nonce = 2;
        _moveFails(order, BROKER_1_NO, abi.encodeWithSelector(SignatureInvalid.selector, vm.addr(SIGNER + BROKER_1_NO)));
        order.amount = 0;
        _moveFails(order, BROKER_2_NO, abi.encodeWithSelector(IDepositToken.DepositTokenAmountInvalid.selector, 0));
        order.amount = 10_000_000;
        _moveFails(order, BROKER_2_NO, abi.encodeWithSelector(InsufficientCash.selector, cash2, 9_999_600, 10_000_000));
        order.to = cash2;
        _moveFails(order, BROKER_2_NO, abi.encodeWithSelector(SelfTransfer.selector, cash2));
        order.to = cash1;
        _moveFails(order, BROKER_2_NO, abi.encodeWithSelector(SegregationViolation.selector, cash2, cash1));
        order.deadline = uint40(block.timestamp) - 1;
        _moveFails(order, BROKER_2_NO, abi.encodeWithSelector(TooLate.selector, order.deadline, block.timestamp));
    }

    /// @custom:requirement ACC-03
    function test_customers_cash_never_becomes_a_members_own() public {
        credit(cash1, 100);
        CashMove memory order = CashMove(BROKER_1, cash1, ownCash1, 100, 1, LATER);
        _moveFails(order, BROKER_1_NO, abi.encodeWithSelector(SegregationViolation.selector, cash1, ownCash1));
        order = CashMove(BROKER_1, cash2, cash1, 100, 1, LATER);
        _moveFails(order, BROKER_1_NO, abi.encodeWithSelector(SegregationViolation.selector, cash2, cash1));
    }

    function test_a_failed_members_customer_cash_moves_whole() public {
        address[] memory accounts = new address[](1);
        accounts[0] = cash2;
        vm.expectEmit(address(cash));
        emit IDepositToken.CustomerCashMoved(BROKER_2, BROKER_1, accounts, 10_000_000, 10_000_000);
        registrarAct(address(cash), abi.encodeCall(IDepositToken.moveCustomerCash, (BROKER_2, BROKER_1, accounts)));
        (bytes20 member, uint8 kind, uint256 balance) = cash.accountOf(cash2);
        assertEq(bytes32(member), bytes32(BROKER_1));
        assertEq(kind, 1);
        assertEq(balance, 10_000_000);
        assertEq(cash.totalSupply(), 10_000_000);
    }

    function test_only_customer_cash_of_the_failed_member_moves_and_only_by_two_institutions() public {
        address[] memory accounts = new address[](1);
        accounts[0] = cash2;
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER")));
        cash.moveCustomerCash(BROKER_2, BROKER_1, accounts);
        vm.startPrank(address(authority));
        vm.expectRevert(abi.encodeWithSelector(SegregationViolation.selector, cash2, cash2));
        cash.moveCustomerCash(BROKER_1, BROKER_2, accounts);
        accounts[0] = ownCash1;
        vm.expectRevert(abi.encodeWithSelector(SegregationViolation.selector, ownCash1, ownCash1));
        cash.moveCustomerCash(BROKER_1, BROKER_2, accounts);
        vm.expectRevert(abi.encodeWithSelector(IDepositToken.DepositTokenMemberUnchanged.selector, BROKER_2));
        cash.moveCustomerCash(BROKER_2, BROKER_2, accounts);
        vm.expectRevert(abi.encodeWithSelector(BrokerNotMember.selector, bytes20("nobody")));
        cash.moveCustomerCash(BROKER_2, "nobody", accounts);
        vm.stopPrank();
    }

    function test_held_cash_is_neither_debited_nor_paid() public {
        vm.startPrank(address(settlement));
        cash.hold(CashParty(cash2, BROKER_2, 1, buyer), CashParty(cash1, BROKER_1, 1, seller), 9_000_000);
        vm.expectRevert(abi.encodeWithSelector(InsufficientCash.selector, cash2, 1_000_000, 1_000_001));
        cash.settle(CashParty(cash2, BROKER_2, 1, buyer), CashParty(cash1, BROKER_1, 1, seller), 1_000_001);
        vm.stopPrank();
        CashEntry memory entry = CashEntry(cash2, 1_000_001, "out", LATER);
        bytes memory signature = _signed(entryDigest("CashDebit", entry));
        vm.expectRevert(abi.encodeWithSelector(InsufficientCash.selector, cash2, 1_000_000, 1_000_001));
        cash.debit(entry, signature);
        assertEq(cash.balanceOf(cash2), 10_000_000);
        vm.prank(address(settlement));
        cash.release(cash2, 9_000_000);
        assertEq(cash.heldOf(cash2), 0);
    }

    function test_nets_add_up_to_zero() public {
        CashParty[] memory parties = new CashParty[](2);
        (parties[0], parties[1]) = (CashParty(cash2, BROKER_2, 1, buyer), CashParty(cash1, BROKER_1, 1, seller));
        int256[] memory nets = new int256[](2);
        (nets[0], nets[1]) = (-10, 11);
        vm.prank(address(settlement));
        vm.expectRevert(abi.encodeWithSelector(IDepositToken.DepositTokenNetUnbalanced.selector, int256(1)));
        cash.settleNet(parties, nets);
        (nets[0], nets[1]) = (-10_000_001, 10_000_001);
        vm.prank(address(settlement));
        vm.expectRevert(abi.encodeWithSelector(InsufficientCash.selector, cash2, 10_000_000, 10_000_001));
        cash.settleNet(parties, nets);
    }

    function test_only_settlement_holds_releases_and_nets() public {
        bytes memory refusal = abi.encodeWithSelector(RoleRequired.selector, bytes32("SETTLEMENT"));
        CashParty memory party = CashParty(cash2, BROKER_2, 1, buyer);
        vm.expectRevert(refusal);
        cash.hold(party, party, 1);
        vm.expectRevert(refusal);
        cash.release(cash2, 0);
        vm.expectRevert(refusal);
        cash.settleHeld(cash2, cash1, 0);
        vm.expectRevert(refusal);
        cash.settleNet(new CashParty[](0), new int256[](0));
    }

    function _moveFails(CashMove memory order, uint256 broker, bytes memory refusal) private {
        bytes memory signature = _moved(order, broker);
        vm.expectRevert(refusal);
        cash.move(order, signature);
    }

    function _moved(CashMove memory order, uint256 broker) private view returns (bytes memory) {
        bytes32 kind =
            keccak256("CashMove(bytes20 member,address from,address to,uint96 amount,uint256 nonce,uint40 deadline)");
        return
            signatureOf(
                SIGNER + broker, typed("stoken DepositToken", address(cash), keccak256(abi.encode(kind, order)))
            );
    }

    function test_a_reference_is_used_once() public {
        CashEntry memory entry = CashEntry(cash1, 1000, "in", LATER);
        bytes memory signature = _signed(entryDigest("CashCredit", entry));
        cash.credit(entry, signature);
        vm.expectRevert(abi.encodeWithSelector(DuplicateInstruction.selector, bytes32("in")));
        cash.credit(entry, signature);
        bytes memory debitSignature = _signed(entryDigest("CashDebit", entry));
        vm.expectRevert(abi.encodeWithSelector(DuplicateInstruction.selector, bytes32("in")));
        cash.debit(entry, debitSignature);
    }

    function test_a_credit_is_no_debit() public {
        CashEntry memory entry = CashEntry(cash2, 1000, "in", LATER);
        bytes memory signature = _signed(entryDigest("CashCredit", entry));
        vm.expectPartialRevert(SignatureInvalid.selector);
        cash.debit(entry, signature);
    }

    function test_only_cash_keys_of_cash_agents_sign() public {
        CashEntry memory entry = CashEntry(cash1, 1000, "in", LATER);
        bytes32 digest = entryDigest("CashCredit", entry);
        uint256[3] memory others = [SIGNER + BROKER_1_NO, CARRIER + CASH_AGENT_NO, PERSON + CASH_AGENT_NO];
        for (uint256 i = 0; i < 3; i++) {
            bytes memory signature = signatureOf(others[i], digest);
            vm.expectRevert(abi.encodeWithSelector(SignatureInvalid.selector, vm.addr(others[i])));
            cash.credit(entry, signature);
        }
    }

    function test_another_cash_agent_touches_no_deposit_until_it_takes_over() public {
        assertEq(bytes32(cash.cashAgent()), bytes32(CASH_AGENT));
        Key[] memory keys = new Key[](1);
        keys[0] = Key(vm.addr(0xBA2), SIGNING, 0, LATER);
        vm.prank(address(authority));
        members.admit(_OTHER_AGENT, 1 << 7, keys);
        CashEntry memory entry = CashEntry(cash2, 1000, "out", LATER);
        bytes memory signature = signatureOf(0xBA2, entryDigest("CashDebit", entry));
        bytes memory refusal = abi.encodeWithSelector(SignatureInvalid.selector, vm.addr(0xBA2));
        vm.expectRevert(refusal);
        cash.debit(entry, signature);
        bytes memory crediting = signatureOf(0xBA2, entryDigest("CashCredit", entry));
        vm.expectRevert(refusal);
        cash.credit(entry, crediting);
        CashAccount memory opening = CashAccount(_fresh, BROKER_1, 1, 900, LATER);
        bytes memory asking = signatureOf(0xBA2, openingDigest(opening));
        vm.expectRevert(refusal);
        cash.openAccount(opening, asking);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER")));
        cash.setCashAgent(_OTHER_AGENT);
        vm.startPrank(address(authority));
        vm.expectRevert(abi.encodeWithSelector(BrokerNotMember.selector, bytes20("X")));
        cash.setCashAgent("X");
        vm.expectEmit(address(cash));
        emit IDepositToken.CashAgentSet(_OTHER_AGENT);
        cash.setCashAgent(_OTHER_AGENT);
        vm.stopPrank();
        cash.debit(entry, signature);
        assertEq(cash.balanceOf(cash2), 9_999_000);
        entry.ref = "former";
        bytes memory late = _signed(entryDigest("CashDebit", entry));
        vm.expectPartialRevert(SignatureInvalid.selector);
        cash.debit(entry, late);
    }

    function test_a_retired_key_credits_nothing() public {
        CashEntry memory entry = CashEntry(cash1, 1000, "in", LATER);
        bytes memory signature = _signed(entryDigest("CashCredit", entry));
        address key = vm.addr(SIGNER + CASH_AGENT_NO);
        retireKey(CASH_AGENT_NO, CASH_AGENT, key);
        vm.expectRevert(abi.encodeWithSelector(SignatureInvalid.selector, key));
        cash.credit(entry, signature);
    }

    function test_statements_have_a_deadline() public {
        CashEntry memory entry = CashEntry(cash1, 1000, "in", START);
        bytes memory signature = _signed(entryDigest("CashCredit", entry));
        vm.warp(START + 1);
        vm.expectRevert(abi.encodeWithSelector(TooLate.selector, START, START + 1));
        cash.credit(entry, signature);
    }

    function test_amounts_and_accounts_are_checked() public {
        _refusesCredit(
            CashEntry(_fresh, 1, "a", LATER),
            abi.encodeWithSelector(IDepositToken.DepositTokenAccountUnknown.selector, _fresh)
        );
        _refusesCredit(
            CashEntry(cash1, 0, "b", LATER), abi.encodeWithSelector(IDepositToken.DepositTokenAmountInvalid.selector, 0)
        );
        _refusesCredit(
            CashEntry(cash1, 1 << 88, "c", LATER),
            abi.encodeWithSelector(IDepositToken.DepositTokenAmountInvalid.selector, 1 << 88)
        );
        CashEntry memory entry = CashEntry(cash1, 1, "d", LATER);
        bytes memory signature = _signed(entryDigest("CashDebit", entry));
        vm.expectRevert(abi.encodeWithSelector(InsufficientCash.selector, cash1, 0, 1));
        cash.debit(entry, signature);
        entry.amount = 0;
        signature = _signed(entryDigest("CashDebit", entry));
        vm.expectRevert(abi.encodeWithSelector(IDepositToken.DepositTokenAmountInvalid.selector, 0));
        cash.debit(entry, signature);
    }

    function test_accounts_open_once_for_active_members() public {
        bytes memory exists = abi.encodeWithSelector(IDepositToken.DepositTokenAccountExists.selector, cash1);
        _refusesOpening(CashAccount(cash1, BROKER_1, 1, 900, LATER), exists);
        bytes memory unknown = abi.encodeWithSelector(BrokerNotMember.selector, bytes20("X"));
        _refusesOpening(CashAccount(_fresh, "X", 1, 900, LATER), unknown);
        bytes memory invalid = abi.encodeWithSelector(IDepositToken.DepositTokenAccountInvalid.selector, _fresh, 3);
        _refusesOpening(CashAccount(_fresh, BROKER_1, 3, 900, LATER), invalid);
        invalid = abi.encodeWithSelector(IDepositToken.DepositTokenAccountInvalid.selector, address(0), 1);
        _refusesOpening(CashAccount(address(0), BROKER_1, 1, 900, LATER), invalid);
        CashAccount memory opening = CashAccount(_fresh, BROKER_1, 1, 900, LATER);
        cash.openAccount(opening, _signed(openingDigest(opening)));
        bytes memory replayed = abi.encodeWithSelector(NonceReplayed.selector, CASH_AGENT, 900);
        _refusesOpening(CashAccount(address(1), BROKER_1, 1, 900, LATER), replayed);
    }

    function test_cash_moves_by_settlement_alone() public {
        bytes memory refusal = abi.encodeWithSelector(RoleRequired.selector, bytes32("SETTLEMENT"));
        vm.startPrank(cash2);
        vm.expectRevert(refusal);
        cash.transfer(cash1, 1);
        vm.expectRevert(refusal);
        cash.approve(cash1, 1);
        vm.expectRevert(refusal);
        cash.transferFrom(cash2, cash1, 1);
        vm.stopPrank();
        assertEq(cash.allowance(cash2, cash1), 0);
        vm.expectRevert(refusal);
        cash.settle(CashParty(cash2, BROKER_2, 1, buyer), CashParty(cash1, BROKER_1, 1, seller), 1);
    }

    function testFuzz_settlement_conserves_cash(uint96 amount, bool same) public {
        CashParty memory payer = CashParty(cash2, BROKER_2, 1, buyer);
        CashParty memory payee = same ? payer : CashParty(cash1, BROKER_1, 1, seller);
        vm.prank(address(settlement));
        (bool success,) = address(cash).call(abi.encodeCall(IDepositToken.settle, (payer, payee, amount)));
        assertEq(success, amount <= 10_000_000);
        assertEq(cash.balanceOf(cash1) + cash.balanceOf(cash2), 10_000_000);
        assertEq(cash.balanceOf(cash1), success && !same ? amount : 0);
    }

    function test_it_is_whole_won() public view {
        assertEq(cash.name(), "Deposited won");
        assertEq(cash.symbol(), "KRW");
        assertEq(cash.decimals(), 0);
        (address membersAt, address settlementAt) = cash.wiring();
        assertEq(membersAt, address(members));
        assertEq(settlementAt, address(settlement));
    }

    function test_its_implementation_is_locked() public {
        IDepositToken code = IDepositToken(deploy("DepositToken"));
        vm.expectRevert();
        code.initialize(address(this), address(this), address(this), CASH_AGENT);
    }

    function _refusesCredit(CashEntry memory entry, bytes memory refusal) private {
        bytes memory signature = _signed(entryDigest("CashCredit", entry));
        vm.expectRevert(refusal);
        cash.credit(entry, signature);
    }

    function _refusesOpening(CashAccount memory opening, bytes memory refusal) private {
        bytes memory signature = _signed(openingDigest(opening));
        vm.expectRevert(refusal);
        cash.openAccount(opening, signature);
    }

    function _signed(bytes32 digest) private pure returns (bytes memory) {
        return signatureOf(SIGNER + CASH_AGENT_NO, digest);
    }
}
