// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAgentRole} from "../../../contracts/interfaces/IAgentRole.sol";
import {ISecurityToken, Roles, Wiring} from "../../../contracts/interfaces/ISecurityToken.sol";
import {IToken} from "../Interfaces.sol";
import {Suite} from "../Suite.sol";

/// @notice Which agent may do what, and that the extension is nothing by itself.
contract TokenRolesTest is Suite {
    struct Row {
        uint16 role;
        bytes32 name;
        bytes call;
    }

    address private constant _AGENT = address(0xA9E47);

    function _rows() private view returns (Row[] memory rows) {
        address[] memory who = one(alice);
        uint256[] memory units = one(uint256(0));
        bool[] memory yes = new bool[](1);
        rows = new Row[](22);
        rows[0] = Row(Roles.MINT, "MINT", abi.encodeCall(token.mint, (alice, 1)));
        rows[1] = Row(Roles.MINT, "MINT", abi.encodeCall(token.batchMint, (who, units)));
        rows[2] = Row(Roles.BURN, "BURN", abi.encodeCall(token.burn, (alice, 1)));
        rows[3] = Row(Roles.BURN, "BURN", abi.encodeCall(token.batchBurn, (who, units)));
        rows[4] = Row(Roles.BURN, "BURN", abi.encodeCall(token.cancelFor, (alice, 1, "law", "file")));
        rows[5] = Row(Roles.FREEZE_ADDRESS, "FREEZE_ADDRESS", abi.encodeCall(token.setAddressFrozen, (bob, true)));
        rows[6] = Row(Roles.FREEZE_ADDRESS, "FREEZE_ADDRESS", abi.encodeCall(token.batchSetAddressFrozen, (who, yes)));
        rows[7] = Row(Roles.FREEZE_UNITS, "FREEZE_UNITS", abi.encodeCall(token.freezePartialTokens, (alice, 1)));
        rows[8] = Row(Roles.FREEZE_UNITS, "FREEZE_UNITS", abi.encodeCall(token.unfreezePartialTokens, (alice, 0)));
        rows[9] = Row(Roles.FREEZE_UNITS, "FREEZE_UNITS", abi.encodeCall(token.batchFreezePartialTokens, (who, units)));
        rows[10] =
            Row(Roles.FREEZE_UNITS, "FREEZE_UNITS", abi.encodeCall(token.batchUnfreezePartialTokens, (who, units)));
        rows[11] = Row(Roles.FORCE, "FORCE", abi.encodeCall(token.forcedTransfer, (alice, bob, 1)));
        rows[12] = Row(Roles.FORCE, "FORCE", abi.encodeCall(token.batchForcedTransfer, (who, who, units)));
        rows[13] = Row(Roles.FORCE, "FORCE", abi.encodeCall(token.forcedTransferFor, (alice, bob, 1, "law", "file")));
        rows[14] =
            Row(Roles.RECOVER, "RECOVER", abi.encodeCall(token.recoveryAddress, (alice, stranger, identityOf(alice))));
        rows[15] = Row(Roles.PAUSE, "PAUSE", abi.encodeCall(token.pause, ()));
        rows[16] = Row(Roles.PAUSE, "PAUSE", abi.encodeCall(token.unpause, ()));
        rows[17] = Row(Roles.DOCUMENTS, "DOCUMENTS", abi.encodeCall(token.setDocument, ("terms", "", "hash")));
        rows[18] = Row(Roles.DOCUMENTS, "DOCUMENTS", abi.encodeCall(token.removeDocument, ("old")));
        rows[19] = Row(Roles.RECORD, "RECORD", abi.encodeCall(token.setRecordDate, ()));
        rows[20] = Row(Roles.CONVERT, "CONVERT", abi.encodeCall(token.rescale, (alice, 5, 0, 0)));
        rows[21] = Row(Roles.TERMINATE, "TERMINATE", abi.encodeCall(token.terminate, ("file")));
    }

    function _prepare(uint256 row) private {
        if (row == 16 || row == 20) token.pause();
        if (row == 21) token.burn(alice, 10);
    }

    function test_each_act_needs_its_role_and_no_other() public {
        token.mint(alice, 10);
        token.setDocument("old", "", "hash");
        onboard(stranger, identityOf(alice), KOREA, GENERAL, KYC, LATER);
        Row[] memory rows = _rows();
        uint16 all = 2047;
        for (uint256 i = 0; i < rows.length; i++) {
            uint256 state = vm.snapshotState();
            _prepare(i);
            token.addAgentFor(_AGENT, all & ~rows[i].role);
            vm.prank(_AGENT);
            (bool done, bytes memory refusal) = address(token).call(rows[i].call);
            assertFalse(done, vm.toString(i));
            assertEq(refusal, abi.encodeWithSelector(RoleRequired.selector, rows[i].name));
            token.addAgentFor(_AGENT, rows[i].role);
            vm.prank(_AGENT);
            (done,) = address(token).call(rows[i].call);
            assertTrue(done, vm.toString(i));
            token.removeAgent(_AGENT);
            vm.prank(_AGENT);
            (done, refusal) = address(token).call(rows[i].call);
            assertEq(refusal, abi.encodeWithSelector(RoleRequired.selector, bytes32("AGENT")));
            vm.revertToState(state);
        }
    }

    function test_events_say_what_an_agent_may_do() public {
        vm.expectEmit(address(token));
        emit IAgentRole.AgentAdded(_AGENT);
        vm.expectEmit(address(token));
        emit ISecurityToken.AgentRolesSet(_AGENT, 5);
        token.addAgentFor(_AGENT, 5);
        assertEq(token.rolesOf(_AGENT), 5);
        assertTrue(token.isAgent(_AGENT));
        token.addAgent(_AGENT);
        assertEq(token.rolesOf(_AGENT), type(uint16).max);
        token.removeAgent(_AGENT);
        assertEq(token.rolesOf(_AGENT), 0);
        assertFalse(token.isAgent(_AGENT));
    }

    function test_the_owner_alone_appoints_and_for_something() public {
        vm.expectRevert(abi.encodeWithSelector(ISecurityToken.SecurityTokenRolesInvalid.selector, uint16(0)));
        token.addAgentFor(_AGENT, 0);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER")));
        vm.prank(alice);
        token.addAgentFor(alice, Roles.MINT);
    }

    function test_the_extension_by_itself_is_nothing() public {
        IToken bare = IToken(token.extension());
        token.mint(alice, 10);
        Wiring memory wiring = wiringWith(address(compliance));
        vm.expectRevert();
        bare.initialize("Evil", "EVIL", "ZZ0000000BP1", wiring);
        bytes[6] memory calls = [
            abi.encodeCall(bare.addAgent, (address(this))),
            abi.encodeCall(bare.forcedTransfer, (alice, bob, 1)),
            abi.encodeCall(bare.setRecordDate, ()),
            abi.encodeCall(bare.upgradeToAndCall, (address(this), "")),
            abi.encodeCall(bare.mint, (alice, 1)),
            abi.encodeCall(bare.transfer, (bob, 1))
        ];
        for (uint256 i = 0; i < calls.length; i++) {
            (bool done,) = address(bare).call(calls[i]);
            assertFalse(done, vm.toString(i));
        }
        assertEq(bare.owner(), address(0));
        assertEq(token.balanceOf(alice), 10);
        assertTrue(address(bare).code.length != 0);
    }

    function test_an_unknown_function_is_refused_and_takes_no_money() public {
        (bool done, bytes memory answer) = address(token).call(abi.encodeWithSignature("unknown()"));
        assertTrue(!done && answer.length == 0);
        vm.deal(address(this), 1);
        (done,) = address(token).call{value: 1}("");
        assertFalse(done);
    }
}
