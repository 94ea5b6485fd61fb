// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IAgentRole} from "../../../contracts/interfaces/IAgentRole.sol";
import {IERC3643} from "../../../contracts/interfaces/IERC3643.sol";
import {IModularCompliance} from "../../../contracts/interfaces/IModularCompliance.sol";
import {ISecurityToken} from "../../../contracts/interfaces/ISecurityToken.sol";
import {Suite} from "../Suite.sol";
import {Vm} from "../Vm.sol";

/// @notice The events of a token say what changed, and no more: from them alone its state can be rebuilt.
contract TokenEventsTest is Suite {
    bytes32[] private _topics;
    bytes[] private _data;
    address private _spare = address(0xF6);

    function setUp() public override {
        super.setUp();
        token.mint(alice, 1001);
        onboard(_spare, identityOf(alice), KOREA, GENERAL, KYC, LATER);
    }

    /// @dev What is said from here on is looked at.
    modifier heard() {
        vm.recordLogs();
        _;
    }

    function _expect(bytes32 topic, bytes memory data) private {
        _topics.push(topic);
        _data.push(data);
    }

    /// @dev Indexed arguments come first, each a word, as if they were encoded with the others.
    function _said() private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 count;
        for (uint256 i = 0; i < logs.length; i++) {
            if (logs[i].emitter != address(token)) continue;
            assertTrue(count < _topics.length, "an event too many");
            assertEq(logs[i].topics[0], _topics[count], "which event");
            bytes memory data = logs[i].data;
            for (uint256 j = logs[i].topics.length - 1; j > 0; j--) {
                data = abi.encodePacked(logs[i].topics[j], data);
            }
            assertEq(data, _data[count++], "its arguments");
        }
        assertEq(count, _topics.length, "an event is missing");
        delete _topics;
        delete _data;
    }

    function _information(string memory name, string memory symbol, address identity) private {
        _expect(IERC3643.UpdatedTokenInformation.selector, abi.encode(name, symbol, uint8(0), "1.0.0", identity));
    }

    function test_a_new_token_says_everything_about_itself() public heard {
        issue(noRules());
        token.pause();
        Vm.Log[] memory logs = vm.getRecordedLogs();
        bytes32[2] memory events = [
            keccak256(abi.encode("Busan", "BPL1", uint8(0), "1.0.0", address(0))), keccak256(abi.encode(address(this)))
        ];
        uint256[5] memory found;
        for (uint256 i = 0; i < logs.length; i++) {
            if (logs[i].emitter != address(token)) continue;
            (bytes32 topic, bytes32 data) = (logs[i].topics[0], keccak256(logs[i].data));
            if (topic == IERC3643.UpdatedTokenInformation.selector && data == events[0]) found[0]++;
            if (topic == IERC3643.Paused.selector && data == events[1]) found[1]++;
            if (topic == IERC3643.IdentityRegistryAdded.selector && logs[i].topics[1] == _word(address(registry))) {
                found[2]++;
            }
            if (topic == IERC3643.ComplianceAdded.selector && logs[i].topics[1] == _word(address(compliance))) {
                found[3]++;
            }
            if (topic == IAgentRole.AgentAdded.selector && logs[i].topics[1] == 0) found[4]++;
        }
        uint256[5] memory wanted = [uint256(1), 2, 1, 1, 0];
        for (uint256 i = 0; i < 5; i++) {
            assertEq(found[i], wanted[i], vm.toString(i));
        }
        assertEq(token.name(), "Busan");
        assertEq(token.symbol(), "BPL1");
        assertEq(token.rolesOf(address(0)), 0);
    }

    function _word(address account) private pure returns (bytes32) {
        return bytes32(uint256(uint160(account)));
    }

    function test_what_it_says_of_itself_is_said_again_at_each_change() public heard {
        token.setName("New");
        _information("New", "BPL1", address(0));
        token.setSymbol("N");
        _information("New", "N", address(0));
        token.setOnchainID(carol);
        _information("New", "N", carol);
        token.setIdentityRegistry(address(registry));
        _expect(IERC3643.IdentityRegistryAdded.selector, abi.encode(registry));
        _said();
        address next =
            _proxy(complianceCode, abi.encodeCall(IModularCompliance.initialize, (address(this), noRules(), 100)));
        token.setCompliance(next);
        _expect(IERC3643.ComplianceAdded.selector, abi.encode(next));
        _said();
    }

    function test_pauses_and_freezes_say_who_did_it() public heard {
        address agent = address(0xA6);
        token.addAgentFor(agent, 4 | 64);
        vm.recordLogs();
        vm.startPrank(agent);
        token.pause();
        _expect(IERC3643.Paused.selector, abi.encode(agent));
        token.unpause();
        _expect(IERC3643.Unpaused.selector, abi.encode(agent));
        token.setAddressFrozen(alice, true);
        _expect(IERC3643.AddressFrozen.selector, abi.encode(alice, true, agent));
        token.setAddressFrozen(alice, false);
        _expect(IERC3643.AddressFrozen.selector, abi.encode(alice, false, agent));
        vm.stopPrank();
        _said();
    }

    function test_units_are_minted_burned_and_frozen_with_exact_events() public heard {
        token.mint(bob, 7);
        _expect(IERC20.Transfer.selector, abi.encode(address(0), bob, 7));
        token.freezePartialTokens(bob, 3);
        _expect(IERC3643.TokensFrozen.selector, abi.encode(bob, 3));
        token.unfreezePartialTokens(bob, 1);
        _expect(IERC3643.TokensUnfrozen.selector, abi.encode(bob, 1));
        token.burn(bob, 5);
        _expect(IERC20.Transfer.selector, abi.encode(bob, address(0), 5));
        token.burn(bob, 2);
        _expect(IERC3643.TokensUnfrozen.selector, abi.encode(bob, 2));
        _expect(IERC20.Transfer.selector, abi.encode(bob, address(0), 2));
        _said();
    }

    function test_encumbered_units_are_never_released_as_frozen_ones() public heard {
        encumbrances.lock("a", address(token), alice, 1, 300, START + 10);
        token.freezePartialTokens(alice, 100);
        vm.expectRevert(abi.encodeWithSelector(SecuritiesFrozen.selector, alice, uint256(100), uint256(101)));
        token.unfreezePartialTokens(alice, 101);
        token.unfreezePartialTokens(alice, 100);
        assertEq(token.getFrozenTokens(alice), 0);
    }

    function test_an_approval_says_who_may_spend_how_much() public heard {
        vm.prank(alice);
        assertTrue(token.approve(bob, 9));
        _expect(IERC20.Approval.selector, abi.encode(alice, bob, 9));
        vm.prank(bob);
        token.transferFrom(alice, carol, 9);
        _expect(IERC20.Transfer.selector, abi.encode(alice, carol, 9));
        assertEq(token.allowance(alice, bob), 0);
        _said();
    }

    function test_a_recovery_says_what_went_along() public heard {
        encumbrances.lock("a", address(token), alice, 1, 300, START + 10);
        token.freezePartialTokens(alice, 1);
        token.setAddressFrozen(alice, true);
        vm.recordLogs();
        assertTrue(token.recoveryAddress(alice, _spare, identityOf(alice)));
        _expect(IERC3643.TokensUnfrozen.selector, abi.encode(alice, 1));
        _expect(IERC20.Transfer.selector, abi.encode(alice, _spare, 1001));
        _expect(IERC3643.TokensFrozen.selector, abi.encode(_spare, 1));
        _expect(IERC3643.AddressFrozen.selector, abi.encode(alice, false, this));
        _expect(IERC3643.AddressFrozen.selector, abi.encode(_spare, true, this));
        _expect(ISecurityToken.EncumberedUnits.selector, abi.encode(alice, 0));
        _expect(ISecurityToken.EncumberedUnits.selector, abi.encode(_spare, 300));
        _expect(IERC3643.RecoverySuccess.selector, abi.encode(alice, _spare, identityOf(alice)));
        _said();
    }

    function test_a_recovery_of_free_units_says_that_alone() public heard {
        token.burn(alice, 1000);
        vm.recordLogs();
        assertTrue(token.recoveryAddress(alice, _spare, identityOf(alice)));
        _expect(IERC20.Transfer.selector, abi.encode(alice, _spare, 1));
        _expect(IERC3643.RecoverySuccess.selector, abi.encode(alice, _spare, identityOf(alice)));
        _said();
        assertFalse(token.isFrozen(_spare));
    }

    function test_a_recovery_wants_units_two_accounts_and_an_identity() public heard {
        bytes memory nothing = abi.encodeWithSelector(InsufficientSecurities.selector, _spare, 0, 1);
        vm.expectRevert(nothing);
        token.recoveryAddress(_spare, alice, identityOf(alice));
        nothing = abi.encodeWithSelector(InsufficientSecurities.selector, alice, 0, 1);
        vm.expectRevert(nothing);
        token.recoveryAddress(alice, alice, identityOf(alice));
        bytes4 mismatch = ISecurityToken.SecurityTokenIdentityMismatch.selector;
        vm.expectRevert(abi.encodeWithSelector(mismatch, stranger, address(0)));
        token.recoveryAddress(stranger, address(0xE5), address(0));
    }

    function test_the_zero_address_is_appointed_for_nothing() public heard {
        vm.expectRevert(abi.encodeWithSelector(ISecurityToken.SecurityTokenRolesInvalid.selector, uint16(1)));
        token.addAgentFor(address(0), 1);
        token.addAgentFor(address(1), 1);
        assertEq(token.rolesOf(address(1)), 1);
    }

    function test_nobody_permits_for_the_zero_address() public heard {
        vm.expectRevert(abi.encodeWithSelector(SignatureInvalid.selector, address(0)));
        token.permit(address(0), bob, 9, START, 27, bytes32(0), bytes32(0));
    }

    function test_a_single_unit_is_remembered_at_a_record_date() public heard {
        token.mint(bob, 1);
        token.setRecordDate();
        token.burn(bob, 1);
        assertEq(token.balanceOfAt(bob, 1), 1);
        assertEq(token.balanceOf(bob), 0);
    }
}
