// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC3643} from "../../../contracts/interfaces/IERC3643.sol";
import {IInstructions, Instruction} from "../../../contracts/interfaces/IInstructions.sol";
import {Vm} from "../Vm.sol";
import {HostileToken} from "../mocks/HostileToken.sol";
import {ProductionSuite} from "./ProductionSuite.sol";

/// @title InstructionsTest
/// @notice Moves of units outside a venue, signed by the managers of both accounts.
contract InstructionsTest is ProductionSuite {
    bytes32 private constant _GIFT = "GIFT";
    bytes32 private constant _DEED = keccak256("deed");
    uint256 private _last;

    function test_both_managers_move_units() public {
        Instruction memory given = _to(buyer);
        vm.expectEmit(address(instructions));
        emit IInstructions.Instructed(
            _digest(given), address(token), BROKER_1, BROKER_2, seller, buyer, 100, _GIFT, _DEED, given.nonce
        );
        instructions.instruct(given, _signed(given, SIGNER + BROKER_1_NO, SIGNER + BROKER_2_NO));
        assertEq(token.balanceOf(buyer), 100);
        assertEq(instructions.instructionOf(BROKER_1, given.nonce), _digest(given));
        assertEq(instructions.instructionDigest(given), _digest(given));
    }

    function test_one_manager_signs_alone_for_two_of_its_accounts() public {
        onboardAs(address(0x5E12), address(uint160(seller) + 1));
        Instruction memory given = _to(address(0x5E12));
        (given.reason, given.document) = (0, 0);
        bytes[2] memory signatures = _signed(given, SIGNER + BROKER_1_NO, 1);
        signatures[1] = "";
        instructions.instruct(given, signatures);
        assertEq(token.balanceOf(address(0x5E12)), 100);
    }

    /// @custom:requirement TRF-10
    function test_a_change_of_owner_needs_reason_and_document() public {
        bytes memory refusal = abi.encodeWithSelector(TransferReasonRequired.selector, seller, buyer);
        Instruction memory given = _to(buyer);
        given.reason = 0;
        _refuses(given, refusal);
        (given.reason, given.document) = (_GIFT, 0);
        _refuses(given, refusal);
    }

    /// @custom:requirement ACC-03
    function test_customer_and_own_units_never_mix() public {
        Instruction memory given = _to(house);
        (given.reason, given.document) = (0, 0);
        _refuses(given, abi.encodeWithSelector(SegregationViolation.selector, seller, house));
        address same = address(0x5E13);
        onboardWith(same, address(uint160(seller) + 1), 2);
        given = _to(same);
        _refuses(given, abi.encodeWithSelector(SegregationViolation.selector, seller, same));
        given = _to(house);
        instructions.instruct(given, _signed(given, SIGNER + BROKER_1_NO, SIGNER + BROKER_1_NO));
        assertEq(token.balanceOf(house), 100, "an explained change of owner");
        onboard(same = address(0x5E14), BROKER_2_NO, 2);
        given = _to(same);
        given.reason = 0;
        _refuses(given, abi.encodeWithSelector(TransferReasonRequired.selector, seller, same));
    }

    /// @custom:requirement TRF-15
    function test_empty_and_self_instructions_are_refused() public {
        Instruction memory given = _to(buyer);
        given.units = 0;
        _refuses(given, abi.encodeWithSelector(LotInvalid.selector, 0, 1));
        _refuses(_to(seller), abi.encodeWithSelector(SelfTransfer.selector, seller));
        _refuses(_to(address(0x99)), abi.encodeWithSelector(AccountUnknown.selector, address(0x99)));
        given = _to(buyer);
        given.deadline = uint40(block.timestamp) - 1;
        _refuses(given, abi.encodeWithSelector(TooLate.selector, given.deadline, block.timestamp));
    }

    /// @custom:requirement ACC-02
    function test_only_the_managers_sign() public {
        Instruction memory given = _to(buyer);
        _refusesBy(
            given, BROKER_2_NO, BROKER_2_NO, abi.encodeWithSelector(NotAccountManager.selector, seller, BROKER_2)
        );
        _refusesBy(given, BROKER_1_NO, BROKER_1_NO, abi.encodeWithSelector(NotAccountManager.selector, buyer, BROKER_1));
        bytes[2] memory signatures;
        uint256[2] memory others = [CARRIER + BROKER_1_NO, PERSON + BROKER_1_NO];
        for (uint256 i = 0; i < others.length; i++) {
            signatures = _signed(given, others[i], SIGNER + BROKER_2_NO);
            vm.expectRevert(abi.encodeWithSelector(SignatureInvalid.selector, vm.addr(others[i])));
            instructions.instruct(given, signatures);
        }
        signatures = _signed(given, SIGNER + BROKER_1_NO, SIGNER + BROKER_2_NO);
        given.units = 101;
        vm.expectPartialRevert(SignatureInvalid.selector);
        instructions.instruct(given, signatures);
    }

    function test_a_signature_serves_on_one_chain_alone() public {
        Instruction memory given = _to(buyer);
        bytes[2] memory signatures = _signed(given, SIGNER + BROKER_1_NO, SIGNER + BROKER_2_NO);
        vm.chainId(7);
        vm.expectPartialRevert(SignatureInvalid.selector);
        instructions.instruct(given, signatures);
    }

    /// @custom:requirement ACC-02
    function test_a_nonce_serves_one_instruction_once() public {
        Instruction memory given = _to(buyer);
        bytes[2] memory signatures = _signed(given, SIGNER + BROKER_1_NO, SIGNER + BROKER_2_NO);
        instructions.instruct(given, signatures);
        vm.expectRevert(abi.encodeWithSelector(DuplicateInstruction.selector, _digest(given)));
        instructions.instruct(given, signatures);
        Instruction memory another = _to(buyer);
        (another.nonce, another.units) = (given.nonce, 7);
        _refuses(another, abi.encodeWithSelector(NonceReplayed.selector, BROKER_1, given.nonce));
    }

    function test_a_batch_as_a_whole_moves_all_or_nothing() public {
        (Instruction[] memory list, bytes[2][] memory signatures) = _batch();
        vm.expectRevert(abi.encodeWithSelector(InsufficientSecurities.selector, seller, 9900, 20_000));
        instructions.instructAll(list, signatures);
        assertEq(token.balanceOf(buyer), 0);
        list[1].units = 50;
        signatures[1] = _signed(list[1], SIGNER + BROKER_1_NO, SIGNER + BROKER_2_NO);
        instructions.instructAll(list, signatures);
        assertEq(token.balanceOf(buyer), 250);
    }

    function test_an_itemised_batch_reports_what_fails() public {
        (Instruction[] memory list, bytes[2][] memory signatures) = _batch();
        vm.expectEmit(address(instructions));
        emit IInstructions.InstructionFailed(
            _digest(list[1]), abi.encodeWithSelector(InsufficientSecurities.selector, seller, 9900, 20_000)
        );
        vm.recordLogs();
        instructions.instructEach(list, signatures);
        assertEq(_failures(), 1, "no other failed");
        assertEq(token.balanceOf(buyer), 200);
        assertEq(instructions.instructionOf(BROKER_1, list[1].nonce), bytes32(0), "it may come again");
    }

    function test_it_names_the_registries_that_it_asks() public view {
        (address membersAt, address registryAt) = instructions.wiring();
        assertTrue(membersAt == address(members) && registryAt == address(registry));
    }

    function test_a_reason_is_told_up_to_its_1024th_byte() public {
        HostileToken hostile = new HostileToken();
        for (uint256 length = 1023; length < 1026; length++) {
            hostile.shout(length);
            Instruction[] memory list = new Instruction[](1);
            list[0] = _to(buyer);
            list[0].token = address(hostile);
            bytes[2][] memory signatures = new bytes[2][](1);
            signatures[0] = _signed(list[0], SIGNER + BROKER_1_NO, SIGNER + BROKER_2_NO);
            bytes memory reason = hostile.noise(length < 1024 ? length : 1024);
            vm.expectEmit(address(instructions));
            emit IInstructions.InstructionFailed(_digest(list[0]), reason);
            instructions.instructEach(list, signatures);
        }
    }

    function test_a_batch_needs_its_signatures_and_gas() public {
        (Instruction[] memory list, bytes[2][] memory signatures) = _batch();
        vm.expectRevert(IInstructions.InstructionsLengthMismatch.selector);
        instructions.instructAll(list, new bytes[2][](2));
        vm.expectRevert(IInstructions.InstructionsLengthMismatch.selector);
        instructions.instructEach(list, new bytes[2][](2));
        vm.expectPartialRevert(IInstructions.InstructionsGasTooLow.selector);
        instructions.instructEach{gas: 1_000_000}(list, signatures);
    }

    function test_the_tokens_refusals_hold() public {
        registrarAct(address(token), abi.encodeCall(IERC3643.setAddressFrozen, (seller, true)));
        _refuses(_to(buyer), abi.encodeWithSelector(AccountLegalHold.selector, seller));
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("INSTRUCTIONS")));
        token.instruct(seller, buyer, 1);
    }

    function testFuzz_instructions_conserve_units(uint96[4] memory units) public {
        for (uint256 i = 0; i < units.length; i++) {
            Instruction memory given = _to(i % 2 == 0 ? buyer : other);
            given.units = uint96(bound(units[i], 1, 2500));
            instructions.instruct(given, _signed(given, SIGNER + BROKER_1_NO, SIGNER + BROKER_2_NO));
        }
        assertEq(token.balanceOf(seller) + token.balanceOf(buyer) + token.balanceOf(other), token.totalSupply());
    }

    function test_it_says_which_registries_it_asks() public view {
        (address memberRegistry, address identityRegistry) = instructions.wiring();
        assertEq(memberRegistry, address(members));
        assertEq(identityRegistry, address(registry));
        bytes32 slot = keccak256(abi.encode(uint256(keccak256("stoken.storage.Instructions")) - 1));
        bytes32 found = vm.load(address(instructions), slot & ~bytes32(uint256(0xff)));
        assertEq(address(uint160(uint256(found))), address(members), "where ERC-7201 puts its state");
    }

    /// @dev Of what was recorded.
    function _failures() private returns (uint256 count) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; i++) {
            if (logs[i].topics[0] == IInstructions.InstructionFailed.selector) count++;
        }
    }

    function _batch() private returns (Instruction[] memory list, bytes[2][] memory signatures) {
        list = new Instruction[](3);
        signatures = new bytes[2][](3);
        for (uint256 i = 0; i < 3; i++) {
            list[i] = _to(buyer);
            if (i == 1) list[i].units = 20_000;
            signatures[i] = _signed(list[i], SIGNER + BROKER_1_NO, SIGNER + BROKER_2_NO);
        }
    }

    function _to(address account) private returns (Instruction memory) {
        return Instruction(seller, account, address(token), 100, _GIFT, _DEED, ++_last, LATER);
    }

    function _refuses(Instruction memory given, bytes memory refusal) private {
        _refusesBy(given, BROKER_1_NO, BROKER_2_NO, refusal);
    }

    function _refusesBy(Instruction memory given, uint256 first, uint256 second, bytes memory refusal) private {
        bytes[2] memory signatures = _signed(given, SIGNER + first, SIGNER + second);
        vm.expectRevert(refusal);
        instructions.instruct(given, signatures);
    }

    function _signed(Instruction memory given, uint256 first, uint256 second) private view returns (bytes[2] memory) {
        return [signatureOf(first, _digest(given)), signatureOf(second, _digest(given))];
    }

    function _digest(Instruction memory given) private view returns (bytes32) {
        bytes32 kind = keccak256(
            "Instruction(address from,address to,address token,uint96 units,bytes32 reason,bytes32 document,uint256 nonce,uint40 deadline)"
        );
        return typed("stoken Instructions", address(instructions), keccak256(abi.encode(kind, given)));
    }
}
