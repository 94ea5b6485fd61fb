// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Founder, IMemberRegistry, Key} from "../../../contracts/interfaces/IMemberRegistry.sol";
import {IGoverned} from "../Interfaces.sol";
import {ProductionSuite} from "./ProductionSuite.sol";

/// @title MemberRegistryTest
contract MemberRegistryTest is ProductionSuite {
    address private _fresh = vm.addr(0x9999);

    function test_founders_are_active_with_their_keys() public view {
        (uint16 roles, uint8 status) = members.memberOf(BROKER_1);
        assertEq(roles, 1 << 4);
        assertEq(status, 1);
        (bytes20 member, uint8 scopes, uint8 keyStatus, uint40 since, uint40 until) =
            members.keyOf(vm.addr(SIGNER + BROKER_1_NO));
        assertEq(bytes32(member), bytes32(BROKER_1));
        assertEq(uint256(scopes) << 128 | keyStatus, uint256(SIGNING) << 128 | 1);
        assertEq(uint256(since) << 128 | until, uint256(LATER));
        assertEq(IGoverned(address(members)).owner(), address(authority));
    }

    function test_two_persons_change_keys() public {
        Key memory key = Key(_fresh, ORDER, START, LATER);
        vm.expectEmit(address(members));
        emit IMemberRegistry.KeyAdded(_fresh, BROKER_1, ORDER, START, LATER);
        addKey(BROKER_1_NO, BROKER_1, key);
        assertEq(bytes32(members.authorise(_fresh, ORDER, START)), bytes32(BROKER_1));
        vm.expectEmit(address(members));
        emit IMemberRegistry.KeyRetired(_fresh);
        retireKey(BROKER_1_NO, BROKER_1, _fresh);
        vm.expectEmit(address(members));
        emit IMemberRegistry.KeyRevoked(_fresh);
        revokeKey(BROKER_1_NO, BROKER_1, _fresh);
    }

    function test_one_person_alone_changes_nothing() public {
        bytes32 digest = keyChangeDigest(BROKER_1, new Key[](0), none(), none(), 7, LATER);
        bytes memory signature = signatureOf(PERSON + BROKER_1_NO, digest);
        vm.expectRevert(DualControlRequired.selector);
        members.setKeys(BROKER_1, new Key[](0), none(), none(), 7, LATER, [signature, signature]);
    }

    function test_persons_of_another_member_and_other_keys_change_nothing() public {
        uint256[3] memory others = [PERSON + BROKER_2_NO, SIGNER + BROKER_1_NO, CARRIER + BROKER_1_NO];
        bytes32 digest = keyChangeDigest(BROKER_1, new Key[](0), none(), none(), 7, LATER);
        bytes memory right = signatureOf(PERSON + BROKER_1_NO, digest);
        for (uint256 i = 0; i < 3; i++) {
            bytes memory wrong = signatureOf(others[i], digest);
            vm.expectRevert(abi.encodeWithSelector(SignatureInvalid.selector, vm.addr(others[i])));
            members.setKeys(BROKER_1, new Key[](0), none(), none(), 7, LATER, [right, wrong]);
        }
        vm.expectRevert(abi.encodeWithSelector(SignatureInvalid.selector, address(0)));
        members.setKeys(bytes20(0), new Key[](0), none(), none(), 7, LATER, [bytes(""), bytes("")]);
    }

    function test_a_change_counts_once_and_in_time() public {
        bytes32 digest = keyChangeDigest(BROKER_1, new Key[](0), none(), none(), 7, START + 1);
        bytes[2] memory signatures =
            [signatureOf(PERSON + BROKER_1_NO, digest), signatureOf(PERSON + 0x800 + BROKER_1_NO, digest)];
        members.setKeys(BROKER_1, new Key[](0), none(), none(), 7, START + 1, signatures);
        assertTrue(members.nonceUsed(BROKER_1, 7));
        vm.expectRevert(abi.encodeWithSelector(NonceReplayed.selector, BROKER_1, 7));
        members.setKeys(BROKER_1, new Key[](0), none(), none(), 7, START + 1, signatures);
        vm.warp(START + 2);
        vm.expectRevert(abi.encodeWithSelector(TooLate.selector, START + 1, START + 2));
        members.setKeys(BROKER_1, new Key[](0), none(), none(), 8, START + 1, signatures);
    }

    function test_a_key_belongs_to_one_member_for_ever() public {
        address key = vm.addr(SIGNER + BROKER_1_NO);
        revokeKey(BROKER_1_NO, BROKER_1, key);
        _refusesKey(
            Key(key, ORDER, START, LATER),
            abi.encodeWithSelector(IMemberRegistry.MemberRegistryKeyTaken.selector, key, BROKER_1)
        );
    }

    function test_kinds_of_keys_are_apart() public {
        bytes memory refusal = abi.encodeWithSelector(IMemberRegistry.MemberRegistryKeyInvalid.selector, _fresh);
        uint8[5] memory mixed = [0, MEMBER | ORDER, ORDER | SENDER, MEMBER | SENDER, 32];
        for (uint256 i = 0; i < 5; i++) {
            _refusesKey(Key(_fresh, mixed[i], START, LATER), refusal);
        }
        _refusesKey(Key(_fresh, ORDER, LATER, START), refusal);
        refusal = abi.encodeWithSelector(IMemberRegistry.MemberRegistryKeyInvalid.selector, address(0));
        _refusesKey(Key(address(0), ORDER, START, LATER), refusal);
    }

    function test_a_status_of_a_key_only_rises() public {
        address key = vm.addr(SIGNER + BROKER_1_NO);
        revokeKey(BROKER_1_NO, BROKER_1, key);
        _refusesEnd(BROKER_1_NO, BROKER_1, key);
        _refusesEnd(BROKER_2_NO, BROKER_2, vm.addr(SIGNER + VENUE_NO));
    }

    function test_a_retired_key_counts_for_orders_only() public {
        address key = vm.addr(SIGNER + BROKER_1_NO);
        retireKey(BROKER_1_NO, BROKER_1, key);
        assertEq(bytes32(members.authorise(key, ORDER, LATER + 1)), bytes32(BROKER_1));
        assertEq(bytes32(members.authorise(key, INSTRUCTION, START)), 0);
        assertEq(bytes32(members.authorise(key, CASH, START)), 0);
        revokeKey(BROKER_1_NO, BROKER_1, key);
        assertEq(bytes32(members.authorise(key, ORDER, START)), 0);
    }

    function test_a_key_counts_within_its_validity_and_scope() public {
        addKey(BROKER_1_NO, BROKER_1, Key(_fresh, INSTRUCTION, START + 10, START + 20));
        assertEq(bytes32(members.authorise(_fresh, INSTRUCTION, START + 9)), 0);
        assertEq(bytes32(members.authorise(_fresh, INSTRUCTION, START + 10)), bytes32(BROKER_1));
        assertEq(bytes32(members.authorise(_fresh, INSTRUCTION, START + 20)), bytes32(BROKER_1));
        assertEq(bytes32(members.authorise(_fresh, INSTRUCTION, START + 21)), 0);
        assertEq(bytes32(members.authorise(_fresh, ORDER, START + 10)), 0);
        assertEq(bytes32(members.authoriseRole(_fresh, INSTRUCTION, 1 << 4, START + 10)), bytes32(BROKER_1));
        assertEq(bytes32(members.authoriseRole(_fresh, INSTRUCTION, 1 << 3, START + 10)), 0);
    }

    function test_nothing_counts_of_a_suspended_member() public {
        address key = vm.addr(SIGNER + BROKER_1_NO);
        vm.startPrank(address(authority));
        members.setMemberStatus(BROKER_1, 2);
        assertEq(bytes32(members.authorise(key, ORDER, START)), 0);
        members.admit(BROKER_1, 1 << 4, new Key[](0));
        assertEq(bytes32(members.authorise(key, ORDER, START)), 0);
        members.setMemberStatus(BROKER_1, 1);
        assertEq(bytes32(members.authorise(key, ORDER, START)), bytes32(BROKER_1));
        for (uint8 status = 0; status <= 4; status += 4) {
            vm.expectRevert(abi.encodeWithSelector(IMemberRegistry.MemberRegistryStatusInvalid.selector, status));
            members.setMemberStatus(BROKER_1, status);
        }
        vm.expectRevert(abi.encodeWithSelector(IMemberRegistry.MemberRegistryMemberInvalid.selector, bytes20("X")));
        members.setMemberStatus("X", 1);
        vm.stopPrank();
    }

    function test_a_revoked_member_does_not_come_back() public {
        vm.startPrank(address(authority));
        members.setMemberStatus(BROKER_1, 3);
        bytes memory refusal = abi.encodeWithSelector(IMemberRegistry.MemberRegistryMemberInvalid.selector, BROKER_1);
        vm.expectRevert(refusal);
        members.admit(BROKER_1, 1 << 4, new Key[](0));
        for (uint8 status = 1; status <= 4; status++) {
            vm.expectRevert(refusal);
            members.setMemberStatus(BROKER_1, status);
        }
        vm.stopPrank();
        assertEq(bytes32(members.authorise(vm.addr(SIGNER + BROKER_1_NO), ORDER, START)), 0);
    }

    function test_only_the_owner_admits() public {
        bytes memory refusal = abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER"));
        vm.expectRevert(refusal);
        members.admit("X", 1, new Key[](0));
        vm.expectRevert(refusal);
        members.setMemberStatus(BROKER_1, 2);
        vm.expectRevert(refusal);
        IGoverned(address(members)).upgradeToAndCall(address(this), "");
    }

    function test_nobody_initialises_it_again() public {
        vm.expectRevert();
        members.initialize(address(this), new Founder[](0));
        IMemberRegistry code = IMemberRegistry(deploy("MemberRegistry"));
        vm.expectRevert();
        code.initialize(address(this), new Founder[](0));
    }

    function _refusesKey(Key memory key, bytes memory refusal) private {
        Key[] memory add = new Key[](1);
        add[0] = key;
        _refuses(BROKER_2_NO, BROKER_2, add, none(), refusal);
    }

    function _refusesEnd(uint256 number, bytes20 member, address key) private {
        bytes memory refusal = abi.encodeWithSelector(IMemberRegistry.MemberRegistryKeyUnknown.selector, key, member);
        _refuses(number, member, new Key[](0), only(key), refusal);
    }

    function _refuses(uint256 number, bytes20 member, Key[] memory add, address[] memory end, bytes memory refusal)
        private
    {
        bytes32 digest = keyChangeDigest(member, add, end, end, 77, LATER);
        bytes[2] memory signatures =
            [signatureOf(PERSON + number, digest), signatureOf(PERSON + 0x800 + number, digest)];
        vm.expectRevert(refusal);
        members.setKeys(member, add, end, end, 77, LATER, signatures);
    }
}
