// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDvpSettlement, Order, Trade} from "../../../contracts/interfaces/IDvpSettlement.sol";
import {IInstructions, Instruction} from "../../../contracts/interfaces/IInstructions.sol";
import {Hold} from "../../../contracts/interfaces/ISettlementModes.sol";
import {HostileToken} from "../mocks/HostileToken.sol";
import {Vm} from "../Vm.sol";
import {Batches} from "./Batches.sol";

/// @title GasLimitsTest
/// @notice Batches at the gas limit: what runs out fails alone, and nobody makes a good item fail by giving too little.
contract GasLimitsTest is Batches {
    uint256 private constant _BLOCK_GAS = 30_000_000;
    uint256 private constant _ITEM_GAS = 1_000_000;
    uint256 private constant _FLOOR_GAS = 50_000;
    uint256 private constant _AMPLE_GAS = 4_000_000;

    function test_earlier_trades_stand_when_the_last_runs_out_of_gas() public {
        Batch memory batch = _series(25);
        HostileToken burner = new HostileToken();
        burner.burnGas();
        (batch.orders[48].token, batch.orders[49].token) = (address(burner), address(burner));
        _sign(batch, 24);
        vm.recordLogs();
        (bool success,) = sendAs(venueSender, _BLOCK_GAS, batch);
        assertTrue(success);
        Outcome[] memory list = readOutcomes();
        assertEq(list.length, 25, "one outcome each");
        for (uint256 i = 0; i < 25; i++) {
            assertEq(settlement.settled(VENUE, batch.trades[i].tradeId), i != 24);
        }
        assertEq(list[24].tradeId, batch.trades[24].tradeId);
        assertEq(token.balanceOf(buyer), 24 * 10, "units of the others");
        assertEq(cash.balanceOf(cash1), 24 * 10 * 5_000, "and their cash, not the last one's");
        assertEq(settlement.filled(BROKER_2, batch.orders[48].nonce), 0, "nothing of the last is filled");
    }

    function test_trades_that_all_run_out_of_gas_are_each_reported() public {
        Batch memory batch = _series(25);
        HostileToken burner = new HostileToken();
        burner.burnGas();
        for (uint256 i = 0; i < 25; i++) {
            (batch.orders[2 * i].token, batch.orders[2 * i + 1].token) = (address(burner), address(burner));
            _sign(batch, i);
        }
        bytes32 before = holdings();
        vm.recordLogs();
        (bool success,) = sendAs(venueSender, _BLOCK_GAS, batch);
        assertTrue(success, "25 trades that burn all they get fit a block of 30 million gas");
        assertEq(readOutcomes().length, 25);
        assertEq(holdings(), before);
    }

    function testFuzz_too_little_gas_holds_all_or_nothing(uint256 gas) public {
        Batch memory batch = _series(2);
        bytes memory data = abi.encodeCall(modes.holdBatch, (batch.orders, batch.signatures, batch.trades));
        bool success = _withGas(gas, data);
        assertEq(token.heldOf(seller), success ? 20 : 0);
        assertEq(cash.heldOf(cash2), success ? 100_000 : 0);
    }

    function testFuzz_too_little_gas_settles_all_held_trades_or_none(uint256 gas) public {
        Hold[] memory holds = new Hold[](2);
        for (uint256 i = 0; i < 2; i++) {
            Batch memory batch = pair(bid(5_000, 10), ask(5_000, 10), 10, 5_000);
            holds[i] = holdOf(batch);
            vm.prank(venueSender);
            modes.holdBatch(batch.orders, batch.signatures, batch.trades);
        }
        bool success = _withGas(gas, abi.encodeCall(modes.settleHeld, (holds)));
        assertEq(token.balanceOf(buyer), success ? 20 : 0);
        assertEq(cash.balanceOf(cash1), success ? 100_000 : 0);
        assertEq(token.heldOf(seller), success ? 0 : 20);
    }

    function testFuzz_too_little_gas_fails_no_good_instruction(uint256 gas) public {
        Instruction[] memory list = new Instruction[](2);
        bytes[2][] memory signatures = new bytes[2][](2);
        for (uint256 i = 0; i < 2; i++) {
            list[i] = Instruction(seller, buyer, address(token), 10, "GIFT", keccak256("deed"), i + 1, LATER);
            bytes32 digest = instructions.instructionDigest(list[i]);
            signatures[i] = [signatureOf(SIGNER + BROKER_1_NO, digest), signatureOf(SIGNER + BROKER_2_NO, digest)];
        }
        bytes memory data = abi.encodeCall(IInstructions.instructEach, (list, signatures));
        (bool success,) = address(instructions).call{gas: bound(gas, _FLOOR_GAS, _AMPLE_GAS)}(data);
        assertEq(token.balanceOf(buyer), success ? 20 : 0);
    }

    function test_the_gas_that_an_item_needs_is_named() public {
        Batch memory batch = _series(1);
        (, bytes memory answer) = sendAs(venueSender, _ITEM_GAS, batch);
        _tooLittle(answer, IDvpSettlement.DvpSettlementGasTooLow.selector);
        bytes memory data = abi.encodeCall(IInstructions.instructEach, (new Instruction[](1), new bytes[2][](1)));
        (, answer) = address(instructions).call{gas: _ITEM_GAS}(data);
        _tooLittle(answer, IInstructions.InstructionsGasTooLow.selector);
    }

    /// @dev What an item gets, the 64th that a call withholds, and what it takes to record the outcome.
    function _tooLittle(bytes memory answer, bytes4 refusal) private pure {
        uint256 left;
        uint256 needed;
        assembly ("memory-safe") {
            left := mload(add(answer, 0x24))
            needed := mload(add(answer, 0x44))
        }
        assertEq(bytes32(bytes4(answer)), bytes32(refusal));
        assertEq(needed, _ITEM_GAS + _ITEM_GAS / 63 + 50_000, "needed");
        assertLe(left, _ITEM_GAS, "left");
    }

    function _withGas(uint256 gas, bytes memory data) private returns (bool success) {
        gas = bound(gas, _FLOOR_GAS, _AMPLE_GAS);
        vm.recordLogs();
        vm.prank(venueSender);
        (success,) = address(settlement).call{gas: gas}(data);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; i++) {
            assertTrue(logs[i].topics[0] != IDvpSettlement.TradeFailed.selector, "no good trade fails");
        }
    }

    function _series(uint256 count) private returns (Batch memory batch) {
        batch.orders = new Order[](2 * count);
        batch.signatures = new bytes[](2 * count);
        batch.trades = new Trade[](count);
        for (uint256 i = 0; i < count; i++) {
            (batch.orders[2 * i], batch.orders[2 * i + 1]) = (bid(5_000, 10), ask(5_000, 10));
            batch.trades[i] = Trade(++lastTradeId, uint16(2 * i), uint16(2 * i + 1), 10, 5_000, uint40(block.timestamp));
            _sign(batch, i);
        }
    }

    function _sign(Batch memory batch, uint256 at) private view {
        batch.signatures[2 * at] = signOrder(SIGNER + BROKER_2_NO, batch.orders[2 * at]);
        batch.signatures[2 * at + 1] = signOrder(SIGNER + BROKER_1_NO, batch.orders[2 * at + 1]);
    }
}
