// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAttestedIdentityRegistry} from "../../../contracts/interfaces/IAttestedIdentityRegistry.sol";
import {IRestraints} from "../../../contracts/interfaces/IRestraints.sol";
import {Suite} from "../Suite.sol";

/// @notice Holds, restrictions and suspension in the verification word.
contract RestraintsTest is Suite {
    uint256 private constant _RESTRICTED = 16;
    uint256 private constant _SUSPENDED = 32;
    uint256 private constant _NO_SALE = 64;
    uint256 private constant _NO_PURCHASE = 128;
    uint256 private constant _ALL = _RESTRICTED | _SUSPENDED | _NO_SALE | _NO_PURCHASE;

    /// @dev The bits are the same however the word is asked for: as sender, as receiver, in view and in transfer.
    function bits(address account) private returns (uint256 found) {
        found = registry.wordOf(account) & _ALL;
        (uint256 fromWord, uint256 toWord) = registry.pair(account, account);
        assertTrue(fromWord & _ALL == found && toWord & _ALL == found, "pair");
        (fromWord, toWord) = registry.pairRefreshed(account, account);
        assertTrue(fromWord & _ALL == found && toWord & _ALL == found, "first transfer");
        (fromWord, toWord) = registry.pairRefreshed(account, account);
        assertTrue(fromWord & _ALL == found && toWord & _ALL == found, "second transfer");
    }

    function test_a_hold_bars_sales_purchases_or_both_until_it_is_replaced() public {
        registry.refresh(one(alice));
        vm.expectEmit(address(registry));
        emit IRestraints.AccountHeld(alice, 1);
        registry.setHold(alice, 1);
        assertEq(bits(alice), _NO_SALE);
        registry.setHold(alice, 2);
        assertEq(bits(alice), _NO_PURCHASE);
        registry.setHold(alice, 3);
        assertEq(bits(alice), _NO_SALE | _NO_PURCHASE);
        assertEq(registry.holdOf(alice), 3);
        assertEq(bits(bob), 0);
        registry.setHold(alice, 0);
        assertEq(bits(alice), 0);
        assertTrue(registry.isVerified(alice), "verified all along");
    }

    function test_a_hold_stays_when_the_identity_changes_or_goes() public {
        registry.setHold(alice, 1);
        registry.updateIdentity(alice, address(0x1234));
        assertEq(bits(alice), _NO_SALE);
        registry.deleteIdentity(alice);
        assertEq(bits(alice), _NO_SALE);
        registry.registerIdentity(alice, address(0x1234), KOREA);
        assertEq(bits(alice), _NO_SALE);
        registry.setHold(stranger, 2);
        assertEq(bits(stranger), _NO_PURCHASE, "not registered");
    }

    function test_a_hold_of_an_unknown_effect_or_of_nobody_is_refused() public {
        vm.expectRevert(abi.encodeWithSelector(IRestraints.IdentityRegistryHoldInvalid.selector, uint8(4)));
        registry.setHold(alice, 4);
        vm.expectRevert(IAttestedIdentityRegistry.IdentityRegistryAddressZero.selector);
        registry.setHold(address(0), 1);
    }

    function test_a_restriction_of_all_issues_reaches_each_account_of_the_manager() public {
        registry.registerIdentity(stranger, identityOf(stranger), KOREA);
        address[] memory both = new address[](2);
        (both[0], both[1]) = (alice, stranger);
        registry.refresh(both);
        vm.expectEmit(address(registry));
        emit IRestraints.InstitutionRestricted(BROKER_A, address(0), true);
        registry.setRestriction(BROKER_A, address(0), true);
        assertEq(bits(alice), _RESTRICTED);
        assertEq(bits(bob), _RESTRICTED);
        assertEq(bits(stranger), 0, "no manager");
        (bool restricted, bytes20 manager) = registry.isRestricted(alice, address(token));
        assertTrue(restricted && manager == BROKER_A);
        (restricted, manager) = registry.isRestricted(stranger, address(token));
        assertTrue(!restricted && manager == 0);
        registry.setRestriction(BROKER_A, address(0), false);
        assertEq(bits(alice), 0);
    }

    function test_a_restriction_of_one_issue_leaves_the_others() public {
        registry.setRestriction(BROKER_A, address(token), true);
        assertEq(bits(alice), _RESTRICTED, "for some issue");
        (bool restricted,) = registry.isRestricted(alice, address(token));
        assertTrue(restricted);
        (restricted,) = registry.isRestricted(alice, address(this));
        assertFalse(restricted);
        registry.setRestriction(BROKER_A, address(0), true);
        registry.setRestriction(BROKER_A, address(token), false);
        assertEq(bits(alice), _RESTRICTED, "still for all");
        registry.setRestriction(BROKER_A, address(0), false);
        assertEq(bits(alice), 0);
    }

    function test_a_restraint_set_twice_changes_nothing() public {
        registry.setRestriction(BROKER_A, address(0), true);
        uint24 before = registry.epoch();
        vm.recordLogs();
        registry.setRestriction(BROKER_A, address(0), true);
        registry.setRestriction(BROKER_B, address(0), false);
        registry.setSuspended(false);
        assertEq(vm.getRecordedLogs().length, 0);
        assertEq(registry.epoch(), before);
        registry.setRestriction(BROKER_A, address(0), false);
        assertEq(bits(alice), 0);
    }

    function test_suspension_shows_at_once_in_every_word_and_is_stored_in_none() public {
        registry.refresh(one(alice));
        vm.expectEmit(address(registry));
        emit IRestraints.NetworkSuspended(true);
        registry.setSuspended(true);
        assertTrue(registry.networkSuspended());
        assertEq(bits(alice), _SUSPENDED);
        assertEq(bits(bob), _SUSPENDED);
        assertEq(bits(stranger), _SUSPENDED);
        (uint256 fromWord, uint256 toWord) = registry.pair(address(0), alice);
        assertTrue(fromWord == _SUSPENDED && toWord & _SUSPENDED != 0, "a mint sees it in its receiver");
        registry.setSuspended(false);
        assertEq(bits(alice), 0);
        assertEq(bits(bob), 0);
    }

    function test_restraints_are_set_by_agents_alone() public {
        vm.startPrank(stranger);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("AGENT")));
        registry.setHold(alice, 1);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("AGENT")));
        registry.setRestriction(BROKER_A, address(0), true);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("AGENT")));
        registry.setSuspended(true);
    }

    function test_fuzz_bits_follow_the_restraints_in_any_order(uint256 seed) public {
        uint8 effect = 0;
        bool suspended = false;
        bool[2] memory restricted;
        for (uint256 i = 0; i < 8; i++) {
            seed = uint256(keccak256(abi.encode(seed)));
            bool on = seed >> 8 & 1 != 0;
            uint256 choice = seed % 4;
            if (choice == 0) {
                registry.setHold(alice, effect = uint8(seed >> 8 & 3));
            } else if (choice == 1) {
                registry.setSuspended(suspended = on);
            } else {
                registry.setRestriction(
                    BROKER_A, choice == 2 ? address(0) : address(token), restricted[choice - 2] = on
                );
            }
            uint256 expected = uint256(effect) << 6 | (suspended ? _SUSPENDED : 0)
                | (restricted[0] || restricted[1] ? _RESTRICTED : 0);
            assertEq(bits(alice), expected);
        }
    }
}
