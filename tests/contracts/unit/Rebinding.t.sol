// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAttestedIdentityRegistry, OnboardingBatch} from "../../../contracts/interfaces/IAttestedIdentityRegistry.sol";
import {IRebinding} from "../../../contracts/interfaces/IRebinding.sol";
import {Suite} from "../Suite.sol";

/// @notice The customers of a failed broker go to another one.
contract RebindingTest is Suite {
    event Spent(uint256 gas);

    function test_accounts_go_to_the_new_manager_with_all_else_unchanged() public {
        token.mint(alice, 10);
        registry.setHold(bob, 1);
        registry.setRestriction(BROKER_A, address(0), true);
        uint256 before = registry.wordOf(alice);
        assertTrue(before & 16 != 0);
        address[] memory accounts = new address[](2);
        (accounts[0], accounts[1]) = (alice, bob);
        registry.refresh(accounts);
        vm.expectEmit(address(registry));
        emit IAttestedIdentityRegistry.AccountBound(alice, BROKER_B, identityOf(alice), KOREA, GENERAL, 1);
        vm.expectEmit(address(registry));
        emit IAttestedIdentityRegistry.AccountBound(bob, BROKER_B, identityOf(bob), KOREA, GENERAL, 1);
        vm.expectEmit(address(registry));
        emit IRebinding.AccountsRebound(BROKER_A, BROKER_B, 2, 2, keccak256(abi.encode(bytes32(0), accounts)));
        registry.rebindAccounts(BROKER_A, BROKER_B, accounts);
        (bytes20 manager, uint8 ownerType) = registry.managerOf(alice);
        assertTrue(manager == BROKER_B && ownerType == 1);
        assertEq(registry.wordOf(alice), before & ~uint256(16), "no longer restricted, nothing else changed");
        assertEq(registry.holdOf(bob), 1);
        assertEq(token.balanceOf(alice), 10);
        (manager,) = registry.managerOf(carol);
        assertEq(bytes32(manager), bytes32(BROKER_A));
    }

    function test_only_customers_of_the_named_manager_go_and_all_or_none() public {
        address[] memory accounts = new address[](2);
        (accounts[0], accounts[1]) = (alice, stranger);
        vm.expectRevert(abi.encodeWithSelector(AccountUnknown.selector, stranger));
        registry.rebindAccounts(BROKER_A, BROKER_B, accounts);
        registry.registerIdentity(stranger, identityOf(stranger), KOREA);
        vm.expectRevert(abi.encodeWithSelector(NotAccountManager.selector, stranger, BROKER_A));
        registry.rebindAccounts(BROKER_A, BROKER_B, accounts);
        vm.expectRevert(abi.encodeWithSelector(NotAccountManager.selector, stranger, bytes20(0)));
        registry.rebindAccounts(0, BROKER_B, one(stranger));
        vm.expectRevert(abi.encodeWithSelector(NotAccountManager.selector, alice, BROKER_B));
        registry.rebindAccounts(BROKER_B, BROKER_A, one(alice));
        (bytes20 manager,) = registry.managerOf(alice);
        assertEq(bytes32(manager), bytes32(BROKER_A));
        assertEq(registry.procedureOf(BROKER_A, BROKER_B).count, 0);
    }

    function test_an_institutions_own_account_never_becomes_anothers() public {
        OnboardingBatch memory batch = batchOf(stranger, identityOf(stranger), KOREA, GENERAL, KYC, LATER);
        batch.items[0].ownerType = 2;
        bytes32 digest = digestOf(batch);
        registry.registerAccounts(batch, signatureOf(BROKER_A_KEY, digest), signatureOf(ISSUER_KEY, digest));
        vm.expectRevert(abi.encodeWithSelector(SegregationViolation.selector, stranger, address(0)));
        registry.rebindAccounts(BROKER_A, BROKER_B, one(stranger));
    }

    function test_the_new_manager_is_an_active_account_manager() public {
        vm.expectRevert(abi.encodeWithSelector(BrokerNotMember.selector, REGISTRAR));
        registry.rebindAccounts(BROKER_A, REGISTRAR, one(alice));
        vm.expectRevert(abi.encodeWithSelector(BrokerNotMember.selector, bytes20("nobody")));
        registry.rebindAccounts(BROKER_A, "nobody", one(alice));
        vm.expectRevert(abi.encodeWithSelector(IRebinding.IdentityRegistrySameManager.selector, BROKER_A));
        registry.rebindAccounts(BROKER_A, BROKER_A, one(alice));
        members.setMemberStatus(BROKER_B, 2);
        vm.expectRevert(abi.encodeWithSelector(BrokerNotMember.selector, BROKER_B));
        registry.rebindAccounts(BROKER_A, BROKER_B, one(alice));
    }

    function test_the_owner_alone_rebinds() public {
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER")));
        registry.rebindAccounts(BROKER_A, BROKER_B, one(alice));
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("AGENT")));
        vm.prank(stranger);
        store.modifyStoredManagers(BROKER_A, BROKER_B, one(alice));
    }

    /// @dev The drill: every account goes, shown by count and hash, in batches below 15 million gas.
    function test_ten_thousand_accounts_go_in_one_procedure() public {
        store.addAgent(address(this));
        bytes32 expected = 0;
        for (uint256 batch = 0; batch < 20; batch++) {
            expected = this.moveFiveHundred(batch, expected);
        }
        assertEq(registry.procedureOf(BROKER_A, BROKER_B).count, 10_000);
        assertEq(registry.procedureOf(BROKER_A, BROKER_B).accountsHash, expected);
    }

    /// @dev A call of its own, so that its memory is given back.
    function moveFiveHundred(uint256 batch, bytes32 hash) external returns (bytes32) {
        address[] memory accounts = new address[](500);
        for (uint256 i = 0; i < accounts.length; i++) {
            accounts[i] = address(uint160(uint256(keccak256(abi.encode(batch, i)))));
            store.addProfile(accounts[i], identityOf(accounts[i]), KOREA, GENERAL, 1, BROKER_A);
        }
        uint256 before = gasleft();
        registry.rebindAccounts(BROKER_A, BROKER_B, accounts);
        emit Spent(before - gasleft());
        assertLe(before - gasleft(), 15_000_000, "a batch");
        for (uint256 i = 0; i < accounts.length; i++) {
            (bytes20 manager, uint8 ownerType) = registry.managerOf(accounts[i]);
            assertTrue(manager == BROKER_B && ownerType == 1);
        }
        return keccak256(abi.encode(hash, accounts));
    }
}
