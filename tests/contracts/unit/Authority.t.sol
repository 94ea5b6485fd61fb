// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Act, IAuthority} from "../../../contracts/interfaces/IAuthority.sol";
import {IERC3643} from "../../../contracts/interfaces/IERC3643.sol";
import {Founder, Key} from "../../../contracts/interfaces/IMemberRegistry.sol";
import {IRegisteredQuantity} from "../../../contracts/interfaces/IRegisteredQuantity.sol";
import {ISecurityToken} from "../../../contracts/interfaces/ISecurityToken.sol";
import {IGoverned} from "../Interfaces.sol";
import {ProductionSuite} from "./ProductionSuite.sol";

/// @title AuthorityTest
contract AuthorityTest is ProductionSuite {
    function test_it_owns_everything_and_the_deployer_nothing() public view {
        assertEq(IGoverned(address(authority)).owner(), address(authority));
        assertEq(IGoverned(address(members)).owner(), address(authority));
        assertEq(topics.owner(), address(authority));
        assertEq(issuers.owner(), address(authority));
        assertEq(identityStorage.owner(), address(authority));
        assertEq(registry.owner(), address(authority));
        assertEq(IGoverned(address(quantity)).owner(), address(authority));
        assertEq(IGoverned(address(encumbrances)).owner(), address(authority));
        assertEq(IGoverned(address(settlement)).owner(), address(authority));
        assertEq(IGoverned(address(cash)).owner(), address(authority));
        assertEq(IGoverned(address(factory)).owner(), address(authority));
        assertEq(token.owner(), address(authority));
        assertEq(IGoverned(address(compliance)).owner(), address(authority));
        assertTrue(token.isAgent(address(authority)));
        assertTrue(registry.isAgent(address(authority)));
        assertFalse(token.isAgent(address(this)));
        assertFalse(registry.isAgent(address(this)));
    }

    function test_an_act_of_two_institutions_is_carried_out_once() public {
        Act memory act = actOf(address(token), abi.encodeCall(IERC3643.pause, ()));
        bytes[] memory both = approvals(act, REGISTRAR_NO, SUPERVISOR_NO);
        bytes32 digest = actDigest(act);
        assertEq(authority.actDigest(act), digest);
        vm.expectEmit(address(authority));
        emit IAuthority.ActExecuted(
            digest, address(token), IERC3643.pause.selector, REGISTRAR, SUPERVISOR, act.basis, act.document
        );
        authority.execute(act, both);
        assertTrue(token.paused());
        assertTrue(authority.executed(digest));
        vm.expectRevert(abi.encodeWithSelector(DuplicateInstruction.selector, digest));
        authority.execute(act, both);
    }

    function test_one_institution_is_not_enough() public {
        Act memory act = actOf(address(token), abi.encodeCall(IERC3643.pause, ()));
        bytes[] memory one = new bytes[](1);
        one[0] = approvals(act, REGISTRAR_NO, VENUE_NO)[0];
        _refuses(act, one, abi.encodeWithSelector(DualControlRequired.selector));
        _refuses(act, new bytes[](0), abi.encodeWithSelector(DualControlRequired.selector));
        vm.prank(address(authority));
        members.admit(REGISTRAR, (1 << 3) | (1 << 6), new Key[](0));
        _refuses(act, approvals(act, REGISTRAR_NO, REGISTRAR_NO), abi.encodeWithSelector(DualControlRequired.selector));
    }

    function test_each_approval_needs_its_role_in_order() public {
        Act memory act = actOf(address(token), abi.encodeCall(IERC3643.pause, ()));
        bytes memory registrar = abi.encodeWithSelector(RoleRequired.selector, bytes32(uint256(1 << 3)));
        bytes memory second = abi.encodeWithSelector(RoleRequired.selector, bytes32(uint256((1 << 6) | (1 << 9))));
        _refuses(act, approvals(act, VENUE_NO, REGISTRAR_NO), registrar);
        _refuses(act, approvals(act, ISSUER_NO, VENUE_NO), registrar);
        _refuses(act, approvals(act, REGISTRAR_NO, ISSUER_NO), second);
    }

    function test_quantity_issue_mint_and_lock_need_issuer_and_registrar() public {
        bytes memory data = abi.encodeCall(IRegisteredQuantity.register, (address(token), 2_000_000));
        Act memory act = actOf(address(quantity), data);
        bytes memory refusal = abi.encodeWithSelector(RoleRequired.selector, bytes32(uint256(1 | (1 << 5))));
        _refuses(act, approvals(act, REGISTRAR_NO, VENUE_NO), refusal);
        authority.execute(act, approvals(act, ISSUER_NO, REGISTRAR_NO));
        assertEq(quantity.quantityOf(address(token)), 2_000_000);
    }

    function test_only_active_instruction_keys_approve() public {
        Act memory act = actOf(address(token), abi.encodeCall(IERC3643.pause, ()));
        bytes[] memory both = approvals(act, REGISTRAR_NO, VENUE_NO);
        bytes[] memory wrong = approvals(act, REGISTRAR_NO, VENUE_NO);
        wrong[1] = signatureOf(CARRIER + VENUE_NO, actDigest(act));
        _refuses(act, wrong, abi.encodeWithSelector(SignatureInvalid.selector, venueSender));
        wrong[1] = signatureOf(SIGNER + VENUE_NO, keccak256("something else"));
        vm.expectPartialRevert(SignatureInvalid.selector);
        authority.execute(act, wrong);
        address key = vm.addr(SIGNER + VENUE_NO);
        retireKey(VENUE_NO, VENUE, key);
        _refuses(act, both, abi.encodeWithSelector(SignatureInvalid.selector, key));
    }

    function test_an_act_has_a_deadline_and_a_target_function() public {
        Act memory act = actOf(address(token), abi.encodeCall(IERC3643.pause, ()));
        bytes[] memory both = approvals(act, REGISTRAR_NO, VENUE_NO);
        vm.warp(START + 1);
        _refuses(act, both, abi.encodeWithSelector(TooLate.selector, START, START + 1));
        act = actOf(address(token), hex"123456");
        _refuses(act, both, abi.encodeWithSelector(IAuthority.AuthorityActMalformed.selector));
    }

    function test_acts_of_force_need_basis_and_document() public {
        bytes[] memory acts = new bytes[](6);
        acts[0] = abi.encodeCall(IERC3643.setAddressFrozen, (buyer, true));
        acts[1] = abi.encodeCall(IERC3643.freezePartialTokens, (seller, 1));
        acts[2] = abi.encodeCall(IERC3643.forcedTransfer, (seller, buyer, 1));
        acts[3] = abi.encodeCall(IERC3643.recoveryAddress, (seller, house, buyer));
        acts[4] = abi.encodeCall(IERC3643.burn, (seller, 1));
        acts[5] = abi.encodeCall(ISecurityToken.forcedTransferFor, (seller, buyer, 1, "basis", "document"));
        for (uint256 i = 0; i < acts.length; i++) {
            Act memory act = actOf(address(token), acts[i]);
            act.basis = 0;
            _refuses(act, new bytes[](0), abi.encodeWithSelector(LegalBasisRequired.selector));
            act = actOf(address(token), acts[i]);
            act.document = 0;
            _refuses(act, new bytes[](0), abi.encodeWithSelector(LegalBasisRequired.selector));
        }
    }

    function test_the_callee_speaks_for_itself() public {
        Act memory act = actOf(address(token), abi.encodeCall(IERC3643.unpause, ()));
        act.salt = 99;
        bytes memory refusal = abi.encodeWithSelector(ISecurityToken.SecurityTokenNotPaused.selector);
        _refuses(act, approvals(act, REGISTRAR_NO, VENUE_NO), refusal);
        assertFalse(authority.executed(actDigest(act)), "it may be tried again");
    }

    function test_policies_change_by_an_act_alone() public {
        bytes4 selector = IERC3643.pause.selector;
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER")));
        authority.setPolicy(selector, 1, 1, 0);
        vm.startPrank(address(authority));
        authority.setPolicy(selector, 1 << 6, 1 << 9, 0);
        (uint16 first, uint16 second,) = authority.policyOf(selector);
        assertEq(first, 1 << 6);
        assertEq(second, 1 << 9);
        vm.expectRevert(abi.encodeWithSelector(IAuthority.AuthorityPolicyInvalid.selector, selector));
        authority.setPolicy(selector, 0, 1, 0);
        vm.stopPrank();
    }

    function test_its_implementation_is_locked() public {
        IAuthority code = IAuthority(deploy("Authority"));
        vm.expectRevert();
        code.initialize(address(this), address(this), new Founder[](0));
    }

    function _refuses(Act memory act, bytes[] memory list, bytes memory refusal) private {
        vm.expectRevert(refusal);
        authority.execute(act, list);
    }
}
