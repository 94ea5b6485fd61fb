// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {RuleSet} from "../../../contracts/interfaces/IModularCompliance.sol";
import {PickyModule, ReceiptsModule} from "../mocks/Modules.sol";
import {Suite} from "../Suite.sol";
import {Vm} from "../Vm.sol";

/// @notice A batch does what its transfers do one after another: the same refusal to the byte, or the same state.
contract BatchesTest is Suite {
    struct State {
        uint16 rules;
        uint16 cap;
        uint8 bps;
        uint8 window;
        uint8 lot;
        uint8 holders;
        uint8 twists;
        uint8 kind;
        uint8 size;
        uint8[8] to;
        uint8[8] amounts;
    }

    uint256 private constant _ITEMS = 8;

    /// @dev A second account of alice's identity, and one of bob's.
    address private _spare = address(0xA2);
    address private _other = address(0xB3);
    address private _held = address(0xE5);

    function testFuzz_a_batch_is_its_transfers_one_after_another(State memory state) public {
        _prepare(state);
        (address[] memory to, uint256[] memory amounts) = _items(state);
        uint256 snapshot = vm.snapshotState();
        vm.recordLogs();
        vm.prank(alice);
        (bool success, bytes memory answer) = address(token).call(abi.encodeCall(token.batchTransfer, (to, amounts)));
        bytes memory logs = abi.encode(vm.getRecordedLogs());
        bytes memory reached = _state();
        vm.revertToState(snapshot);
        vm.recordLogs();
        for (uint256 i = 0; i < to.length; i++) {
            vm.prank(alice);
            (bool passed, bytes memory refusal) =
                address(token).call(abi.encodeCall(token.transfer, (to[i], amounts[i])));
            if (passed) continue;
            assertFalse(success, "the batch passed where a transfer does not");
            assertEq(answer, refusal, "refusal");
            return;
        }
        assertTrue(success, "the batch was refused where its transfers pass");
        assertEq(logs, abi.encode(vm.getRecordedLogs()), "events");
        assertEq(reached, _state(), "state");
    }

    function _prepare(State memory state) private {
        RuleSet memory rules = noRules();
        if (state.rules & 1 != 0) rules.capUnits = uint64(bound(state.cap, 1, 400));
        if (state.rules & 2 != 0) rules.capBps = uint16(bound(uint256(state.bps) * 10, 100, 3000));
        if (state.rules & 4 != 0) rules.classes = uint16(1 << GENERAL);
        if (state.rules & 8 != 0) rules.holderLimit = uint32(bound(state.holders, 3, 7));
        if (state.rules & 16 != 0) rules.lot = state.lot % 3;
        if (state.rules & 32 != 0) rules.countries[1] = uint256(1) << (IRAN - 256);
        if (state.rules & 64 != 0) {
            (rules.windowUnits, rules.windowSeconds) = (uint64(bound(state.window, 1, 200)), 5);
        }
        rules.offVenueBarred = state.rules & 0x380 == 0x380;
        issue(noRules());
        RuleSet memory none = noRules();
        none.holderLimit = 100;
        bool engaged = state.rules & 0xc00 != 0;
        if (engaged) compliance.announceRules(none, 0);
        if (engaged) compliance.announceRules(rules, 1001);
        if (engaged && state.kind & 0xc0 == 0xc0) {
            address module =
                state.kind & 1 == 0 ? address(new PickyModule(state.amounts[1])) : address(new ReceiptsModule(1, 2));
            compliance.addModule(module, 1001);
        }
        _onboardAll(state);
        token.mint(alice, 300);
        token.mint(carol, 50);
        if (state.twists & 1 != 0) token.mint(_spare, 20);
        if (state.twists & 2 != 0) token.mint(_other, 20);
        // Some start with the announced version still pending in the head.
        vm.roll(1001);
        _twist(state);
    }

    function _onboardAll(State memory state) private {
        uint8 class = state.kind & 8 == 0 ? GENERAL : PROFESSIONAL;
        onboard(_spare, identityOf(alice), KOREA, GENERAL, KYC, LATER);
        onboard(_other, identityOf(bob), KOREA, GENERAL, KYC, LATER);
        onboard(_held, identityOf(_held), state.kind & 16 == 0 ? KOREA : IRAN, class, KYC, LATER);
    }

    function _twist(State memory state) private {
        if (state.twists & 4 != 0) encumbrances.lock("a", address(token), alice, 1, 100, START + 1000);
        if (state.twists & 8 != 0) token.freezePartialTokens(alice, 50);
        if (state.twists & 0x30 == 0x30) token.setAddressFrozen(_held, true);
        if (state.twists & 64 != 0) token.setRecordDate();
        if (state.twists & 0x81 == 0x81) registry.updateIdentity(_other, address(0x5151));
        if (state.twists & 0x83 == 0x83) compliance.recount(_other);
        if (state.kind & 6 == 6) registry.updateIdentity(alice, identityOf(carol));
        if (state.kind & 0x21 == 0x21) topics.addClaimTopic(7);
        if (state.kind & 0x3f == 0x10) token.pause();
        // A first receipt opens a window, which the batch then finds half full or ended.
        if (state.rules & 0x1000 == 0) return;
        vm.prank(alice);
        (bool success,) = address(token).call(abi.encodeCall(token.transfer, (bob, 6)));
        if (success) vm.warp(START + state.window % 8);
    }

    function _items(State memory state) private view returns (address[] memory to, uint256[] memory amounts) {
        address[8] memory anybody = [bob, carol, _spare, _other, _held, alice, bob, stranger];
        uint256 size = 1 + state.size % _ITEMS;
        (to, amounts) = (new address[](size), new uint256[](size));
        for (uint256 i = 0; i < size; i++) {
            // A stranger, who ends every batch, is rare; so are amounts that take all.
            uint256 at = state.to[i] % 64;
            to[i] = at == 63 ? anybody[7] : anybody[at % 7];
            amounts[i] = state.amounts[i] >= 250 ? 300 : state.amounts[i] % 16 * 6;
        }
    }

    function _state() private view returns (bytes memory state) {
        address[6] memory accounts = [alice, bob, carol, _spare, _other, _held];
        state = abi.encode(compliance.holders(), token.totalSupply());
        for (uint256 i = 0; i < 6; i++) {
            (uint256 units, uint256 since) = compliance.windowOf(identityOf(accounts[i]));
            (uint256 balance, uint256 frozen, uint256 encumbered,) = token.accountOf(accounts[i]);
            uint256 at = token.recordDates() == 0 ? 0 : token.balanceOfAt(accounts[i], 1);
            uint256 position = compliance.positionOf(identityOf(accounts[i]));
            state = abi.encodePacked(state, abi.encode(balance, frozen, encumbered, at, position, units, since));
        }
        return abi.encodePacked(state, compliance.positionOf(address(0x5151)));
    }
}
