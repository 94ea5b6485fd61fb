// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ISecurityToken} from "../../../contracts/interfaces/ISecurityToken.sol";
import {Suite} from "../Suite.sol";

/// @notice What was held at a record date, whatever changes the balance afterwards.
contract RecordDatesTest is Suite {
    function setUp() public override {
        super.setUp();
        token.mint(alice, 100);
        token.mint(bob, 10);
    }

    function _expect(uint24 id, uint256 ofAlice, uint256 ofBob, uint256 ofCarol) private view {
        assertEq(token.balanceOfAt(alice, id), ofAlice);
        assertEq(token.balanceOfAt(bob, id), ofBob);
        assertEq(token.balanceOfAt(carol, id), ofCarol);
        assertEq(token.totalSupplyAt(id), ofAlice + ofBob + ofCarol);
    }

    function test_naming_one_records_block_and_time_and_counts_from_one() public {
        vm.expectEmit(address(token));
        emit ISecurityToken.RecordDateSet(1, 1000, START);
        assertEq(token.setRecordDate(), 1);
        vm.roll(1001);
        vm.warp(START + 9);
        assertEq(token.setRecordDate(), 2);
        assertEq(token.recordDates(), 2);
        (uint64 number, uint64 time) = token.recordDateOf(1);
        assertTrue(number == 1000 && time == START);
        (number, time) = token.recordDateOf(2);
        assertTrue(number == 1001 && time == START + 9);
    }

    function test_an_unknown_one_is_refused() public {
        for (uint24 id = 0; id < 3; id += 2) {
            bytes memory refusal = abi.encodeWithSelector(CaRecordDateInvalid.selector, uint256(id));
            vm.expectRevert(refusal);
            token.balanceOfAt(alice, id);
            vm.expectRevert(refusal);
            token.totalSupplyAt(id);
            vm.expectRevert(refusal);
            token.recordDateOf(id);
            if (id == 0) token.setRecordDate();
        }
    }

    function test_later_moves_do_not_change_what_was_held() public {
        token.setRecordDate();
        _expect(1, 100, 10, 0);
        vm.prank(alice);
        token.transfer(carol, 30);
        vm.prank(alice);
        token.transfer(bob, 1);
        _expect(1, 100, 10, 0);
        token.setRecordDate();
        vm.prank(carol);
        token.transfer(bob, 30);
        _expect(1, 100, 10, 0);
        _expect(2, 69, 11, 30);
    }

    function test_nothing_held_is_told_from_nothing_recorded() public {
        token.setRecordDate();
        token.mint(carol, 5);
        token.setRecordDate();
        token.setRecordDate();
        token.burn(carol, 5);
        token.setRecordDate();
        token.mint(carol, 7);
        _expect(1, 100, 10, 0);
        _expect(2, 100, 10, 5);
        _expect(3, 100, 10, 5);
        _expect(4, 100, 10, 0);
        assertEq(token.balanceOf(carol), 7);
    }

    function test_each_way_of_changing_a_balance_takes_the_snapshot() public {
        onboard(stranger, identityOf(alice), KOREA, GENERAL, KYC, LATER);
        bytes[7] memory acts = [
            abi.encodeCall(token.mint, (alice, 5)),
            abi.encodeCall(token.burn, (alice, 5)),
            abi.encodeCall(token.cancelFor, (alice, 5, "law", "file")),
            abi.encodeCall(token.forcedTransfer, (alice, bob, 5)),
            abi.encodeCall(token.settle, (alice, bob, 5)),
            abi.encodeCall(token.recoveryAddress, (alice, stranger, identityOf(alice))),
            abi.encodeCall(token.rescale, (alice, 200, 0, 0))
        ];
        for (uint256 i = 0; i < acts.length; i++) {
            uint256 state = vm.snapshotState();
            uint24 id = token.setRecordDate();
            if (i == 6) token.pause();
            (bool done,) = address(token).call(acts[i]);
            assertTrue(done);
            _expect(id, 100, 10, 0);
            assertEq(token.balanceOfAt(stranger, id), 0);
            assertTrue(token.balanceOf(alice) != 100);
            vm.revertToState(state);
        }
    }

    function test_moves_of_nothing_take_none() public {
        token.setRecordDate();
        vm.prank(alice);
        token.transfer(bob, 0);
        vm.prank(alice);
        token.transfer(alice, 100);
        _expect(1, 100, 10, 0);
        vm.prank(alice);
        token.transfer(bob, 1);
        _expect(1, 100, 10, 0);
    }
}
