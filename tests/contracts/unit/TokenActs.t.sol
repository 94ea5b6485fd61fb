// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IAgentRole} from "../../../contracts/interfaces/IAgentRole.sol";
import {IERC1643} from "../../../contracts/interfaces/IERC1643.sol";
import {IERC3643} from "../../../contracts/interfaces/IERC3643.sol";
import {IEncumbrances} from "../../../contracts/interfaces/IEncumbrances.sol";
import {ISecurityToken} from "../../../contracts/interfaces/ISecurityToken.sol";
import {IToken} from "../Interfaces.sol";
import {ForeignCompliance} from "../mocks/ForeignCompliance.sol";
import {Suite} from "../Suite.sol";

/// @notice What agents, the owner and the encumbrances contract do with a token.
contract TokenActsTest is Suite {
    function setUp() public override {
        super.setUp();
        token.mint(alice, 1000);
    }

    function test_a_token_starts_paused_and_mints_while_paused() public {
        issue(noRules());
        token.pause();
        assertTrue(token.paused());
        token.mint(alice, 10);
        token.forcedTransfer(alice, bob, 4);
        token.burn(bob, 4);
        assertEq(token.totalSupply(), 6);
        vm.expectRevert(abi.encodeWithSelector(TokenPaused.selector));
        token.pause();
        token.unpause();
        vm.expectRevert(abi.encodeWithSignature("SecurityTokenNotPaused()"));
        token.unpause();
    }

    function test_nothing_is_minted_without_or_beyond_the_registered_quantity() public {
        token.mint(bob, 999_000);
        vm.expectRevert(abi.encodeWithSelector(SupplyCapExceeded.selector, uint256(1_000_000), uint256(1_000_001)));
        token.mint(bob, 1);
        vm.expectRevert(abi.encodeWithSelector(SupplyCapExceeded.selector, uint256(1_000_000), type(uint256).max));
        token.mint(bob, type(uint256).max);
        token.burn(bob, 1);
        token.mint(bob, 1);
        IToken bare = IToken(
            _proxy(
                tokenCode,
                abi.encodeCall(
                    ISecurityToken.initialize, ("n", "s", bytes12(0), wiringWith(address(new ForeignCompliance())))
                )
            )
        );
        vm.expectRevert(abi.encodeWithSelector(NotRegistered.selector, address(bare)));
        bare.mint(bob, 1);
    }

    function test_only_verified_accounts_receive_mints_and_forced_transfers() public {
        bytes memory refusal = abi.encodeWithSelector(InvestorNotVerified.selector, stranger);
        vm.expectRevert(refusal);
        token.mint(stranger, 1);
        vm.expectRevert(refusal);
        token.forcedTransfer(alice, stranger, 1);
    }

    function test_agents_alone_act_and_an_owner_is_no_agent() public {
        token.removeAgent(address(this));
        bytes memory refusal = abi.encodeWithSelector(RoleRequired.selector, bytes32("AGENT"));
        bytes[] memory calls = new bytes[](16);
        calls[0] = abi.encodeCall(token.pause, ());
        calls[1] = abi.encodeCall(token.unpause, ());
        calls[2] = abi.encodeCall(token.setAddressFrozen, (alice, true));
        calls[3] = abi.encodeCall(token.freezePartialTokens, (alice, 1));
        calls[4] = abi.encodeCall(token.unfreezePartialTokens, (alice, 1));
        calls[5] = abi.encodeCall(token.mint, (alice, 1));
        calls[6] = abi.encodeCall(token.burn, (alice, 1));
        calls[7] = abi.encodeCall(token.forcedTransfer, (alice, bob, 1));
        calls[8] = abi.encodeCall(token.recoveryAddress, (alice, bob, alice));
        calls[9] = abi.encodeCall(token.batchMint, (one(alice), one(uint256(1))));
        calls[10] = abi.encodeCall(token.batchBurn, (one(alice), one(uint256(1))));
        calls[11] = abi.encodeCall(token.batchForcedTransfer, (one(alice), one(bob), one(uint256(1))));
        calls[12] = abi.encodeCall(token.batchSetAddressFrozen, (one(alice), new bool[](1)));
        calls[13] = abi.encodeCall(token.batchFreezePartialTokens, (one(alice), one(uint256(1))));
        calls[14] = abi.encodeCall(token.batchUnfreezePartialTokens, (one(alice), one(uint256(1))));
        calls[15] = abi.encodeCall(token.forcedTransferFor, (alice, bob, 1, bytes32("b"), bytes32("d")));
        for (uint256 i = 0; i < calls.length; i++) {
            (bool success, bytes memory answer) = address(token).call(calls[i]);
            assertFalse(success);
            assertEq(answer, refusal);
        }
    }

    function test_the_owner_alone_sets_up() public {
        bytes memory refusal = abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER"));
        bytes[] memory calls = new bytes[](8);
        calls[0] = abi.encodeCall(token.setName, ("x"));
        calls[1] = abi.encodeCall(token.setSymbol, ("x"));
        calls[2] = abi.encodeCall(token.setOnchainID, (alice));
        calls[3] = abi.encodeCall(token.setIdentityRegistry, (address(registry)));
        calls[4] = abi.encodeCall(token.setCompliance, (address(compliance)));
        calls[5] = abi.encodeCall(token.addAgent, (alice));
        calls[6] = abi.encodeCall(token.removeAgent, (alice));
        calls[7] = abi.encodeCall(token.upgradeToAndCall, (tokenCode, ""));
        for (uint256 i = 0; i < calls.length; i++) {
            vm.prank(alice);
            (bool success, bytes memory answer) = address(token).call(calls[i]);
            assertFalse(success);
            assertEq(answer, refusal);
            (success,) = address(token).call(calls[i]);
            assertTrue(success || i == 4, "owner");
        }
    }

    function test_ownership_changes_hands_in_two_steps() public {
        token.transferOwnership(alice);
        assertEq(token.owner(), address(this));
        vm.prank(alice);
        token.acceptOwnership();
        assertEq(token.owner(), alice);
    }

    function test_ownership_is_never_given_up() public {
        (bool success, bytes memory answer) = address(token).call(abi.encodeWithSignature("renounceOwnership()"));
        assertFalse(success);
        assertEq(answer, abi.encodeWithSignature("GovernedOwnerRequired()"));
        assertEq(token.owner(), address(this));
    }

    function test_proxy_and_implementation_are_initialised_once() public {
        vm.expectRevert(abi.encodeWithSignature("InvalidInitialization()"));
        token.initialize("x", "y", bytes12(0), wiringWith(address(compliance)));
        vm.expectRevert(abi.encodeWithSignature("InvalidInitialization()"));
        IToken(tokenCode).initialize("x", "y", bytes12(0), wiringWith(address(compliance)));
    }

    function test_batches_refuse_unequal_lengths() public {
        bytes[] memory calls = new bytes[](7);
        calls[0] = abi.encodeCall(token.batchMint, (one(alice), new uint256[](2)));
        calls[1] = abi.encodeCall(token.batchBurn, (one(alice), new uint256[](2)));
        calls[2] = abi.encodeCall(token.batchForcedTransfer, (one(alice), new address[](2), one(uint256(1))));
        calls[3] = abi.encodeCall(token.batchForcedTransfer, (new address[](2), one(alice), one(uint256(1))));
        calls[4] = abi.encodeCall(token.batchSetAddressFrozen, (one(alice), new bool[](2)));
        calls[5] = abi.encodeCall(token.batchFreezePartialTokens, (one(alice), new uint256[](0)));
        calls[6] = abi.encodeCall(token.batchUnfreezePartialTokens, (one(alice), new uint256[](0)));
        for (uint256 i = 0; i < calls.length; i++) {
            (bool success, bytes memory answer) = address(token).call(calls[i]);
            assertFalse(success);
            assertEq(answer, abi.encodeWithSignature("SecurityTokenLengthMismatch()"));
        }
    }

    function test_batches_do_what_their_items_do() public {
        bool[] memory freeze = new bool[](1);
        freeze[0] = true;
        token.batchMint(one(bob), one(uint256(50)));
        token.batchFreezePartialTokens(one(bob), one(uint256(20)));
        token.batchUnfreezePartialTokens(one(bob), one(uint256(5)));
        token.batchSetAddressFrozen(one(bob), freeze);
        token.batchForcedTransfer(one(bob), one(alice), one(uint256(10)));
        token.batchBurn(one(bob), one(uint256(10)));
        (uint256 balance, uint256 frozen, uint256 encumbered, bool whole) = token.accountOf(bob);
        assertEq(balance, 30);
        assertEq(frozen, 15);
        assertEq(encumbered, 0);
        assertTrue(whole && token.isFrozen(bob));
        assertEq(token.getFrozenTokens(bob), 15);
    }

    function test_force_unfreezes_only_what_is_missing() public {
        token.freezePartialTokens(alice, 900);
        vm.expectEmit(address(token));
        emit IERC3643.TokensUnfrozen(alice, 50);
        vm.expectEmit(address(token));
        emit IERC20.Transfer(alice, bob, 150);
        vm.expectEmit(address(token));
        emit ISecurityToken.ForcedTransfer(address(this), alice, bob, 150, "basis", "document");
        token.forcedTransferFor(alice, bob, 150, "basis", "document");
        assertEq(token.getFrozenTokens(alice), 850);
        token.burn(alice, 849);
        assertEq(token.getFrozenTokens(alice), 1);
    }

    function test_force_wants_a_basis_and_a_document_where_it_can_name_them() public {
        vm.expectRevert(abi.encodeWithSelector(LegalBasisRequired.selector));
        token.forcedTransferFor(alice, bob, 1, 0, "document");
        vm.expectRevert(abi.encodeWithSelector(LegalBasisRequired.selector));
        token.forcedTransferFor(alice, bob, 1, "basis", 0);
    }

    function test_force_does_not_touch_encumbered_units() public {
        encumbrances.lock("a", address(token), alice, 1, 400, START + 10);
        token.freezePartialTokens(alice, 600);
        bytes memory refusal = abi.encodeWithSelector(LockupActive.selector, alice, uint256(600), uint256(601));
        vm.expectRevert(refusal);
        token.burn(alice, 601);
        vm.expectRevert(refusal);
        token.forcedTransfer(alice, bob, 601);
        token.burn(alice, 600);
        assertEq(token.getFrozenTokens(alice), 0);
    }

    function test_no_more_is_frozen_or_released_than_there_is() public {
        token.freezePartialTokens(alice, 600);
        vm.expectRevert(abi.encodeWithSelector(SecuritiesFrozen.selector, alice, uint256(400), uint256(401)));
        token.freezePartialTokens(alice, 401);
        vm.expectRevert(
            abi.encodeWithSelector(InsufficientSecurities.selector, alice, uint256(1000), type(uint256).max)
        );
        token.freezePartialTokens(alice, type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(SecuritiesFrozen.selector, alice, uint256(600), uint256(601)));
        token.unfreezePartialTokens(alice, 601);
    }

    function test_a_deleted_or_changed_identity_never_bricks_a_holder() public {
        registry.deleteIdentity(alice);
        token.burn(alice, 100);
        token.forcedTransfer(alice, bob, 900);
        assertEq(token.balanceOf(bob), 900);
    }

    function test_recovery_moves_everything_to_an_account_of_the_same_identity() public {
        address spare = address(0xF6);
        onboard(spare, identityOf(alice), KOREA, GENERAL, KYC, LATER);
        token.freezePartialTokens(alice, 100);
        encumbrances.lock("a", address(token), alice, 1, 300, START + 10);
        token.setAddressFrozen(alice, true);
        vm.expectEmit(address(token));
        emit IERC3643.RecoverySuccess(alice, spare, identityOf(alice));
        token.recoveryAddress(alice, spare, identityOf(alice));
        (uint256 balance, uint256 frozen, uint256 encumbered, bool whole) = token.accountOf(spare);
        assertEq(balance, 1000);
        assertEq(frozen, 100);
        assertEq(encumbered, 300);
        assertTrue(whole);
        (balance, frozen, encumbered, whole) = token.accountOf(alice);
        assertEq(balance + frozen + encumbered, 0);
        assertFalse(whole);
        vm.expectRevert(abi.encodeWithSelector(AccountClosed.selector, alice));
        encumbrances.lock("b", address(token), alice, 1, 1, START + 10);
        vm.warp(START + 10);
        encumbrances.release("a", IEncumbrances.Encumbrance(address(token), 300, alice, START + 10, 1, address(0), 0));
        (,, encumbered,) = token.accountOf(spare);
        assertEq(encumbered, 0);
    }

    function test_recovery_refuses_a_foreign_identity_and_an_empty_account() public {
        bytes4 mismatch = bytes4(keccak256("SecurityTokenIdentityMismatch(address,address)"));
        vm.expectRevert(abi.encodeWithSelector(mismatch, bob, identityOf(alice)));
        token.recoveryAddress(alice, bob, identityOf(alice));
        vm.expectRevert(abi.encodeWithSelector(mismatch, alice, identityOf(bob)));
        token.recoveryAddress(alice, bob, identityOf(bob));
        vm.expectRevert(abi.encodeWithSelector(InsufficientSecurities.selector, bob, uint256(0), uint256(1)));
        token.recoveryAddress(bob, bob, identityOf(bob));
    }

    function test_a_foreign_compliance_contract_is_asked_and_told_by_the_standards_hooks() public {
        ForeignCompliance foreign = new ForeignCompliance();
        token.setCompliance(address(foreign));
        assertEq(compliance.getTokenBound(), address(0));
        token.mint(alice, 1);
        vm.prank(alice);
        token.transfer(bob, 2);
        token.forcedTransfer(alice, bob, 1);
        token.burn(bob, 1);
        assertEq(foreign.hooks(), 10_102);
        foreign.set(true, bob);
        bytes memory refusal = abi.encodeWithSelector(ForeignCompliance.Barred.selector, bob);
        assertEq(token.verdict(alice, bob, 1, alice), refusal);
        vm.prank(alice);
        vm.expectRevert(refusal);
        token.transfer(bob, 1);
        foreign.set(false, address(0));
        refusal = abi.encodeWithSelector(
            ISecurityToken.SecurityTokenComplianceRefused.selector, address(foreign), alice, bob, uint256(1)
        );
        assertEq(token.verdict(alice, bob, 1, alice), refusal);
        assertEq(token.detectTransferRestriction(alice, bob, 1), 255);
        vm.prank(alice);
        vm.expectRevert(refusal);
        token.transfer(bob, 1);
    }

    function test_a_registry_of_another_make_is_refused() public {
        vm.expectRevert(
            abi.encodeWithSelector(ISecurityToken.SecurityTokenRegistryUnsupported.selector, address(compliance))
        );
        token.setIdentityRegistry(address(compliance));
        assertEq(token.identityRegistry(), address(registry));
    }

    function test_compliance_alone_asks_for_a_refresh() public {
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("COMPLIANCE")));
        token.refreshCompliance();
    }

    function test_encumbrances_and_settlement_alone_lock() public {
        bytes memory refusal = abi.encodeWithSelector(RoleRequired.selector, bytes32("ENCUMBRANCES"));
        address[3] memory others = [alice, instructions, address(compliance)];
        for (uint256 i = 0; i < others.length; i++) {
            vm.startPrank(others[i]);
            vm.expectRevert(refusal);
            token.lock(alice, 1);
            vm.expectRevert(refusal);
            token.unlock(alice, 1);
            vm.stopPrank();
        }
        vm.prank(address(encumbrances));
        token.lock(alice, 3);
        // The test is the settlement contract of this suite.
        token.lock(alice, 2);
        (,, uint256 encumbered,) = token.accountOf(alice);
        assertTrue(encumbered == 5 && token.heldOf(alice) == 2);
        vm.expectRevert();
        token.unlock(alice, 3);
        token.unlock(alice, 2);
        (,, encumbered,) = token.accountOf(alice);
        assertTrue(encumbered == 3 && token.heldOf(alice) == 0);
    }

    function test_a_permit_is_signed_once_for_this_token_and_in_time() public {
        (uint256 key, address owner) = (0x0111, vm.addr(0x0111));
        bytes32 body = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                owner,
                bob,
                uint256(9),
                uint256(0),
                uint256(START)
            )
        );
        bytes32 digest = typedAt("stoken SecurityToken", address(token), body);
        assertEq(digest, keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), body)), "domain separator");
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        token.permit(owner, bob, 9, START, v, r, s);
        assertEq(token.allowance(owner, bob), 9);
        assertEq(token.nonces(owner), 1);
        vm.expectPartialRevert(SignatureInvalid.selector);
        token.permit(owner, bob, 9, START, v, r, s);
        bytes32 high = bytes32(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141 - uint256(s));
        vm.expectRevert(abi.encodeWithSelector(SignatureInvalid.selector, address(0)));
        token.permit(owner, bob, 9, START, v == 27 ? 28 : 27, r, high);
        vm.warp(START + 1);
        vm.expectRevert(abi.encodeWithSelector(ISecurityToken.SecurityTokenPermitExpired.selector, uint256(START)));
        token.permit(owner, bob, 9, START, v, r, s);
    }

    function test_what_it_says_of_itself() public {
        token.setName("New");
        token.setSymbol("N");
        token.setOnchainID(carol);
        assertEq(token.name(), "New");
        assertEq(token.symbol(), "N");
        assertEq(token.onchainID(), carol);
        assertEq(token.version(), "1.0.0");
        assertEq(token.decimals(), 0);
        assertEq(bytes32(token.isin()), bytes32("ZZ0000000BP1"));
        (address q, address e, address s, address d) = token.wiring();
        assertTrue(q == address(quantity) && e == address(encumbrances) && s == address(this) && d == instructions);
        (, string memory name,, uint256 chainId, address at,,) = token.eip712Domain();
        assertEq(name, "stoken SecurityToken");
        assertTrue(chainId == block.chainid && at == address(token));
        bytes4[6] memory ids = [bytes4(0x01ffc9a7), 0x36372b07, 0xa219a025, 0x9d8ff7da, 0x84b0196e, 0xab84a5c8];
        for (uint256 i = 0; i < ids.length; i++) {
            assertTrue(token.supportsInterface(ids[i]));
        }
        assertTrue(token.supportsInterface(type(IERC3643).interfaceId));
        assertTrue(token.supportsInterface(type(IERC1643).interfaceId));
        assertTrue(token.supportsInterface(type(IAgentRole).interfaceId));
        assertTrue(token.supportsInterface(type(ISecurityToken).interfaceId));
        assertFalse(token.supportsInterface(0xffffffff));
    }
}
