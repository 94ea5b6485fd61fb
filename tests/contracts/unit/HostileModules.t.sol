// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IComplianceModule} from "../../../contracts/interfaces/IComplianceModule.sol";
import {IModularCompliance, RuleSet} from "../../../contracts/interfaces/IModularCompliance.sol";
import {GarbageModule, Questioner, ReentrantModule, ScriptedModule} from "../mocks/Modules.sol";
import {Suite} from "../Suite.sol";

/// @notice Modules that mean harm: the worst they can do is refuse, and they can always be removed.
contract HostileModulesTest is Suite {
    function setUp() public override {
        super.setUp();
        RuleSet memory rules = noRules();
        rules.holderLimit = 100;
        issue(rules);
    }

    function sell(address to, uint256 amount) internal {
        vm.prank(alice);
        token.transfer(to, amount);
    }

    function refuse(address to, uint256 amount, bytes memory refusal) internal {
        assertEq(token.verdict(alice, to, amount, alice), refusal, "verdict");
        vm.expectRevert(refusal);
        sell(to, amount);
    }

    function test_any_other_answer_than_yes_or_a_short_refusal_is_failure() public {
        token.mint(alice, 100);
        for (uint16 capabilities = 0; capabilities < 2; capabilities++) {
            for (uint256 kind = 0; kind < 7; kind++) {
                uint256 snapshot = vm.snapshotState();
                address module = address(new GarbageModule(capabilities, GarbageModule.Kind(kind)));
                compliance.addModule(module, 1100);
                vm.roll(1100);
                refuse(bob, 1, abi.encodeWithSelector(IModularCompliance.ComplianceModuleFailed.selector, module));
                token.forcedTransfer(alice, bob, 1);
                token.burn(bob, 1);
                uint256 before = gasleft();
                compliance.removeModule(module, 1200);
                assertTrue(before - gasleft() < 600_000, "it cannot make its removal dear");
                vm.roll(1200);
                sell(bob, 1);
                vm.revertToState(snapshot);
            }
        }
    }

    function test_a_module_that_says_nothing_does_not_repeat_the_one_before() public {
        bytes memory yes = abi.encode(IComplianceModule.check.selector);
        for (uint16 capabilities = 0; capabilities < 2; capabilities++) {
            ScriptedModule first = new ScriptedModule(capabilities);
            ScriptedModule second = new ScriptedModule(capabilities);
            if (first > second) (first, second) = (second, first);
            issue(noRules());
            compliance.addModule(address(first), 0);
            compliance.addModule(address(second), 0);
            token.mint(alice, 100);
            first.script(false, yes);
            uint256[3] memory sizes = [uint256(0), 4, 31];
            for (uint256 i = 0; i < 3; i++) {
                second.script(false, _start(yes, sizes[i]));
                refuse(bob, 1, abi.encodeWithSelector(IModularCompliance.ComplianceModuleFailed.selector, second));
            }
            second.script(true, yes);
            refuse(bob, 1, yes);
            second.script(false, yes);
            sell(bob, 1);
        }
    }

    function test_a_refusal_is_passed_on_up_to_512_bytes() public {
        ScriptedModule module = new ScriptedModule(0);
        compliance.addModule(address(module), 0);
        token.mint(alice, 100);
        bytes memory longest = _start("", 512);
        longest[511] = "!";
        module.script(true, longest);
        refuse(bob, 1, longest);
        module.script(true, _start("", 513));
        refuse(bob, 1, abi.encodeWithSelector(IModularCompliance.ComplianceModuleFailed.selector, module));
        module.script(true, "!");
        refuse(bob, 1, "!");
    }

    function test_nothing_moves_while_a_module_is_asked() public {
        ReentrantModule module = new ReentrantModule();
        onboard(address(module));
        compliance.addModule(address(module), 0);
        token.mint(alice, 100);
        token.mint(address(module), 100);
        token.addAgent(address(module));
        registry.updateIdentity(carol, address(0x5151));
        bytes[7] memory calls = [
            abi.encodeCall(token.transfer, (bob, 1)),
            abi.encodeCall(token.transfer, (address(module), 1)),
            abi.encodeCall(token.mint, (bob, 1)),
            abi.encodeCall(token.burn, (alice, 1)),
            abi.encodeCall(token.forcedTransfer, (alice, bob, 1)),
            abi.encodeCall(token.transfer, (bob, 0)),
            abi.encodeCall(token.batchTransfer, (one(bob), one(uint256(1))))
        ];
        bytes memory reentered = abi.encodeWithSelector(IModularCompliance.ComplianceReentered.selector);
        for (uint256 i = 0; i < calls.length; i++) {
            module.prepare(address(token), calls[i]);
            vm.expectRevert(reentered);
            sell(bob, 10);
        }
        module.prepare(address(compliance), abi.encodeCall(compliance.recount, (carol)));
        vm.expectRevert(reentered);
        sell(bob, 10);
        assertEq(token.balanceOf(alice), 100);
    }

    function test_a_verdict_given_while_a_module_is_asked_is_that_of_the_transfer() public {
        ReentrantModule module = new ReentrantModule();
        compliance.addModule(address(module), 0);
        token.mint(alice, 100);
        Questioner questioner = new Questioner();
        module.prepare(
            address(questioner),
            abi.encodeCall(questioner.ask, (address(token), abi.encodeCall(token.verdict, (alice, bob, 1, alice))))
        );
        sell(bob, 10);
        assertEq(questioner.answer(), abi.encodeWithSelector(IModularCompliance.ComplianceReentered.selector));
        sell(bob, 10);
        assertEq(token.balanceOf(bob), 20, "the lock is gone after each move");
    }

    function test_a_module_cannot_change_what_is_in_force() public {
        ReentrantModule module = new ReentrantModule();
        compliance.addModule(address(module), 0);
        token.mint(alice, 100);
        bytes memory mine = abi.encodeCall(compliance.removeModule, (address(module), 5000));
        module.prepare(address(compliance), mine);
        refuseInMove(abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER")));
        module.prepare(address(compliance), abi.encodeCall(compliance.move, (alice, bob, 1, 0, 0, 1, 0)));
        refuseInMove(abi.encodeWithSelector(IModularCompliance.ComplianceTokenOnly.selector, address(module)));
    }

    function refuseInMove(bytes memory refusal) private {
        vm.expectRevert(refusal);
        sell(bob, 10);
    }

    /// @dev The first bytes of a text, with zeros behind it.
    function _start(bytes memory text, uint256 size) private pure returns (bytes memory start) {
        start = new bytes(size);
        for (uint256 i = 0; i < size && i < text.length; i++) {
            start[i] = text[i];
        }
    }
}
