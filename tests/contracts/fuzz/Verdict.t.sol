// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IBlackout} from "../../../contracts/interfaces/IBlackout.sol";
import {IConditionalApproval} from "../../../contracts/interfaces/IConditionalApproval.sol";
import {RuleSet} from "../../../contracts/interfaces/IModularCompliance.sol";
import {GarbageModule, PickyModule, ReceiptsModule} from "../mocks/Modules.sol";
import {Suite} from "../Suite.sol";

/// @notice In any state, the verdict is what the transfer does; and nothing creates or loses units.
contract VerdictTest is Suite {
    struct State {
        uint8 flags;
        uint16 balance;
        uint16 lockup;
        uint16 frozen;
        uint16 amount;
        uint16 allowance;
        uint8 identities;
        uint8 rules;
        uint16 cap;
        uint16 bps;
        uint8 lot;
        uint16 age;
        uint8 market;
        uint16 window;
        uint8 modules;
    }

    function testFuzz_the_verdict_is_the_revert_data_of_the_transfer(State memory state) public {
        _prepare(state);
        bool direct = state.flags & 1 == 0;
        address spender = direct ? alice : carol;
        bytes memory expected = token.verdict(alice, bob, state.amount, spender);
        uint256 snapshot = vm.snapshotState();
        vm.prank(spender);
        (bool success, bytes memory answer) = address(token)
            .call(
                direct
                    ? abi.encodeCall(token.transfer, (bob, state.amount))
                    : abi.encodeCall(token.transferFrom, (alice, bob, state.amount))
            );
        assertEq(success, expected.length == 0);
        if (!success) assertEq(answer, expected);
        _assertConserved();
        vm.revertToState(snapshot);
        if (!direct) return;
        expected = token.verdict(alice, bob, state.amount, address(this));
        (success, answer) = address(token).call(abi.encodeCall(token.settle, (alice, bob, state.amount)));
        assertEq(success, expected.length == 0, "settlement");
        if (!success) assertEq(answer, expected);
        _assertConserved();
    }

    function _prepare(State memory state) private {
        RuleSet memory rules = noRules();
        if (state.rules & 1 != 0) rules.capUnits = uint64(bound(state.cap, 1, 1500));
        if (state.rules & 2 != 0) rules.capBps = uint16(bound(state.bps, 1, 10_000));
        if (state.rules & 4 != 0) rules.classes = uint16(1 << PROFESSIONAL);
        if (state.rules & 8 != 0) rules.holderLimit = 2;
        if (state.rules & 16 != 0) rules.lot = state.lot % 8;
        if (state.rules & 32 != 0) rules.countries[1] = type(uint256).max;
        if (state.market & 1 != 0) {
            (rules.windowUnits, rules.windowSeconds) =
            (uint64(bound(state.window, 1, 600)), state.market & 2 == 0 ? 5 : 9);
        }
        rules.offVenueBarred = state.market & 12 == 12;
        issue(noRules());
        bool late = state.rules & 64 != 0;
        RuleSet memory none = noRules();
        none.holderLimit = 100;
        compliance.announceRules(none, 0);
        if (!late) {
            // In force from the next block on, so that the mint below meets no rule but the counters run.
            compliance.announceRules(rules, 1001);
        }
        uint256 balance = bound(state.balance, 1, 1000);
        token.mint(alice, balance);
        token.mint(carol, 300);
        if (state.rules & 128 != 0) token.mint(bob, 200);
        if (late) compliance.announceRules(rules, 1100);
        _bind(state);
        vm.roll(state.rules & 2 == 0 && state.modules == 0 ? 1001 : 1100);
        uint96 lockup = uint96(bound(state.lockup, 0, balance));
        if (lockup != 0) encumbrances.lock("a", address(token), alice, 1, lockup, START + 1000);
        token.freezePartialTokens(alice, bound(state.frozen, 0, balance - lockup));
        vm.prank(alice);
        token.approve(carol, state.allowance);
        state.amount = uint16(bound(state.amount, 0, balance + 10));
        _twist(state);
    }

    /// @dev Modules at random, in force with the rules; each refuses some of the moves.
    function _bind(State memory state) private {
        if (state.modules & 7 == 7) {
            IConditionalApproval approval = IConditionalApproval(deploy("ConditionalApproval"));
            compliance.addModule(address(approval), 1100);
            approval.approve(address(compliance), alice, bob, state.amount, START + state.modules % 16);
        }
        if (state.modules & 24 == 24) {
            IBlackout blackout = IBlackout(deploy("Blackout"));
            compliance.addModule(address(blackout), 1100);
            blackout.setBlackout(address(compliance), identityOf(bob), state.modules % 4, START + state.modules % 16);
        }
        if (state.modules & 32 != 0) compliance.addModule(address(new ReceiptsModule(3, state.market % 2)), 1100);
        if (state.modules & 64 != 0) compliance.addModule(address(new PickyModule(state.amount % 100)), 1100);
        if (state.modules & 0x84 == 0x84) {
            address module = address(new GarbageModule(1, GarbageModule.Kind(state.market % 7)));
            compliance.addModule(module, 1100);
        }
    }

    function _twist(State memory state) private {
        if (state.flags & 0x0e == 0x0e) token.pause();
        if (state.flags & 0x31 == 0x30) token.setAddressFrozen(alice, true);
        if (state.flags & 0xc1 == 0xc0) token.setAddressFrozen(bob, true);
        uint8 kind = state.identities % 9;
        if (kind == 1) revoke(ISSUER_KEY, identityOf(alice), true);
        if (kind == 2) revoke(ISSUER_KEY, identityOf(bob), false);
        if (kind == 3) revoke(ISSUER_KEY, identityOf(bob), true);
        if (kind == 4) registry.deleteIdentity(alice);
        if (kind == 5) attest(ISSUER_KEY, identityOf(bob), KYC, START + 5);
        if (kind == 6) topics.addClaimTopic(7);
        if (kind == 7) registry.updateIdentity(bob, identityOf(alice));
        if (kind == 8) attest(ISSUER_KEY, identityOf(alice), KYC, START + 5);
        if (state.identities & 0x80 != 0) compliance.recount(bob);
        vm.warp(START + bound(state.age, 0, 12));
    }

    function _assertConserved() private view {
        uint256 sum = token.balanceOf(alice) + token.balanceOf(bob) + token.balanceOf(carol);
        assertEq(sum, token.totalSupply(), "supply is the sum of balances");
        (uint256 balance, uint256 frozen, uint256 encumbered,) = token.accountOf(alice);
        assertLe(frozen + encumbered, balance, "no more is held back than there is");
        uint256 positions = compliance.positionOf(identityOf(alice)) + compliance.positionOf(identityOf(bob))
            + compliance.positionOf(identityOf(carol));
        assertEq(positions, sum, "positions are the sum of accounts");
    }
}
