// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IEncumbrances} from "../../../contracts/interfaces/IEncumbrances.sol";
import {IRegisteredQuantity} from "../../../contracts/interfaces/IRegisteredQuantity.sol";
import {Suite} from "../Suite.sol";

/// @notice Lock-ups hold until their time, and the registered quantity only rises.
contract EncumbrancesTest is Suite {
    function setUp() public override {
        super.setUp();
        token.mint(alice, 100);
    }

    function lock(bytes32 id, uint96 units, uint40 until) internal {
        encumbrances.lock(id, address(token), alice, 1, units, until);
    }

    function test_locked_units_stay_until_their_time_and_anyone_releases_them_then() public {
        vm.expectEmit(address(encumbrances));
        emit IEncumbrances.EncumbranceSet("a", address(token), alice, 1, 80, START + 100);
        lock("a", 80, START + 100);
        (uint96 lockup, uint96 pledged, uint96 restricted) = encumbrances.sums(address(token), alice);
        assertTrue(lockup == 80 && pledged == 0 && restricted == 0);
        vm.warp(START + 99);
        vm.expectRevert(
            abi.encodeWithSelector(IEncumbrances.EncumbrancesStillActive.selector, bytes32("a"), START + 100)
        );
        encumbrances.release("a");
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(LockupActive.selector, alice, uint256(20), uint256(21)));
        token.transfer(bob, 21);
        vm.warp(START + 100);
        vm.expectEmit(address(encumbrances));
        emit IEncumbrances.EncumbranceReleased("a");
        vm.prank(stranger);
        encumbrances.release("a");
        vm.prank(alice);
        token.transfer(bob, 100);
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesIdUnknown.selector, bytes32("a")));
        encumbrances.release("a");
    }

    function test_an_id_is_used_once_for_ever() public {
        lock("a", 10, START + 1);
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesIdUsed.selector, bytes32("a")));
        lock("a", 10, START + 1);
        vm.warp(START + 1);
        encumbrances.release("a");
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesIdUsed.selector, bytes32("a")));
        lock("a", 10, START + 10);
    }

    function test_only_free_units_are_locked() public {
        lock("a", 60, START + 10);
        vm.expectRevert(abi.encodeWithSelector(LockupActive.selector, alice, uint256(40), uint256(41)));
        lock("b", 41, START + 10);
        vm.expectRevert(abi.encodeWithSelector(InsufficientSecurities.selector, alice, uint256(100), uint256(101)));
        lock("b", 101, START + 10);
        token.freezePartialTokens(alice, 40);
        vm.expectRevert(abi.encodeWithSelector(SecuritiesFrozen.selector, alice, uint256(0), uint256(1)));
        lock("b", 1, START + 10);
        assertEq(encumbrances.encumbranceOf("a").units, 60);
        assertEq(encumbrances.encumbranceOf("b").units, 0);
    }

    function test_what_no_lock_may_say() public {
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesKindUnsupported.selector, uint8(2)));
        encumbrances.lock("a", address(token), alice, 2, 1, START + 1);
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesEmpty.selector, bytes32("a")));
        lock("a", 0, START + 1);
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesEndPassed.selector, START, uint256(START)));
        lock("a", 1, START);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER")));
        encumbrances.lock("a", address(token), alice, 1, 1, START + 1);
    }

    function test_the_registered_quantity_only_rises_and_by_the_owner() public {
        assertEq(quantity.quantityOf(address(token)), 1_000_000);
        vm.expectEmit(address(quantity));
        emit IRegisteredQuantity.QuantityRegistered(address(token), 1_000_001);
        quantity.register(address(token), 1_000_001);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRegisteredQuantity.RegisteredQuantityNotRaised.selector,
                address(token),
                uint96(1_000_001),
                uint96(1_000_001)
            )
        );
        quantity.register(address(token), 1_000_001);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER")));
        quantity.register(address(token), 2_000_000);
    }
}
