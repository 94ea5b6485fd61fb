// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IClaimNotes} from "../../../contracts/interfaces/IClaimNotes.sol";
import {IClaimIssuer, IIdentity, IIdentityFactory, IKeyHolder} from "../../../contracts/interfaces/IIdentity.sol";
import {Answering} from "../mocks/Answering.sol";
import {IdentityContracts} from "./IdentityContracts.sol";

/// @notice Identities and claim issuers that are contracts, and what the registry makes of them.
contract IdentityContractsTest is IdentityContracts {
    function test_a_claim_of_a_trusted_issuer_verifies_and_is_noted() public {
        assertFalse(registry.isVerified(stranger));
        bytes memory data = statement(LATER);
        bytes memory signature = signed(address(identity), data);
        vm.expectEmit(address(identity));
        emit IIdentity.ClaimAdded(claimId(), 1, 1, address(claimIssuer), signature, data, "");
        vm.expectEmit(address(registry));
        emit IClaimNotes.ClaimNoted(address(identity), address(claimIssuer), 1, LATER, identityCode, issuerCode);
        assertEq(identity.addClaim(1, 1, address(claimIssuer), signature, data, ""), claimId());
        assertTrue(registry.isVerified(stranger));
        assertEq(uint40(registry.wordOf(stranger) >> 32), LATER);
        assertEq(identity.getClaimIdsByTopic(1).length, 1);
        (uint256 topic, uint256 scheme, address by, bytes memory kept,,) = identity.getClaim(claimId());
        assertTrue(topic == 1 && scheme == 1 && by == address(claimIssuer));
        assertEq(kept, signature);
        token.mint(stranger, 5);
        assertEq(token.balanceOf(stranger), 5);
    }

    function test_words_from_admitted_code_are_stored_and_nobody_is_asked_again() public {
        add(statement(LATER));
        registry.pairRefreshed(alice, stranger);
        vm.expectCall(address(identity), abi.encodeWithSelector(IIdentity.getClaim.selector), 0);
        (, uint256 word) = registry.pairRefreshed(alice, stranger);
        assertTrue(word & 2 != 0);
    }

    function test_a_key_that_goes_leaves_the_others() public {
        bytes32[4] memory keys = [keyOf(address(1)), keyOf(address(2)), keyOf(address(3)), keyOf(vm.addr(SIGNER))];
        for (uint256 i = 0; i < 3; i++) {
            claimIssuer.addKey(keys[i], i == 1 ? 1 : 3, 1);
        }
        uint24 before = registry.epoch();
        claimIssuer.removeKey(keys[1], 1);
        assertEq(registry.epoch(), before, "what a manager may, no claim rests on");
        bytes32[] memory left = claimIssuer.getKeysByPurpose(3);
        assertTrue(left.length == 3 && left[0] == keys[3] && left[1] == keys[0] && left[2] == keys[2]);
        claimIssuer.removeKey(keys[3], 3);
        assertEq(registry.epoch(), before + 1);
        left = claimIssuer.getKeysByPurpose(3);
        assertTrue(left.length == 2 && left[0] == keys[2] && left[1] == keys[0]);
        assertEq(claimIssuer.getKeysByPurpose(1).length, 1);
    }

    function test_no_word_waits_for_the_keys_of_an_issuer_that_is_not_trusted() public {
        IClaimIssuer other = IClaimIssuer(factory.createClaimIssuer("other", address(this)));
        other.addKey(keyOf(address(1)), 3, 1);
        uint24 before = registry.epoch();
        vm.expectEmit(address(registry));
        emit IClaimNotes.IssuerNotesVoided(address(other));
        other.removeKey(keyOf(address(1)), 3);
        assertEq(registry.epoch(), before);
    }

    function test_words_from_other_code_are_not_stored_and_stay_exact() public {
        add(statement(LATER));
        registry.setCodeAdmitted(issuerCode, false);
        assertFalse(registry.isAdmittedCode(issuerCode));
        registry.pairRefreshed(alice, stranger);
        vm.expectCall(address(identity), abi.encodeWithSelector(IIdentity.getClaim.selector), 2);
        registry.pairRefreshed(alice, stranger);
        claimIssuer.revokeClaim(address(identity), 1, statement(LATER));
        assertFalse(registry.isVerified(stranger));
    }

    function test_a_revoked_claim_stays_revoked_whatever_its_signature() public {
        bytes memory data = statement(LATER);
        add(data);
        registry.pairRefreshed(alice, stranger);
        vm.expectEmit(address(claimIssuer));
        emit IClaimIssuer.ClaimRevoked(address(identity), 1, keccak256(abi.encode(address(identity), uint256(1), data)));
        vm.expectEmit(address(registry));
        emit IClaimNotes.ClaimNoted(address(identity), address(claimIssuer), 1, 0, identityCode, issuerCode);
        claimIssuer.revokeClaim(address(identity), 1, data);
        assertFalse(registry.isVerified(stranger), "in the same block");
        assertTrue(claimIssuer.isClaimRevoked(address(identity), 1, data));
        claimIssuer.addKey(keyOf(vm.addr(0x777)), 3, 1);
        bytes memory other = signedBy(0x777, address(identity), data);
        assertFalse(claimIssuer.isClaimValid(address(identity), 1, other, data), "another key's signature");
        vm.expectRevert(
            abi.encodeWithSelector(
                IClaimIssuer.ClaimIssuerClaimRevoked.selector,
                keccak256(abi.encode(address(identity), uint256(1), data))
            )
        );
        claimIssuer.revokeClaim(address(identity), 1, data);
        add(statement(LATER + 1));
        assertTrue(registry.isVerified(stranger), "issued anew with other data");
    }

    function test_malleable_and_foreign_signatures_are_refused() public view {
        bytes memory data = statement(LATER);
        bytes memory good = signed(address(identity), data);
        assertTrue(claimIssuer.isClaimValid(address(identity), 1, good, data));
        (bytes32 r, bytes32 s, uint8 v) = parts(good);
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        bytes memory highS = abi.encodePacked(r, bytes32(order - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        bytes[5] memory bad = [
            highS,
            abi.encodePacked(r, s, v - 27),
            abi.encodePacked(good, uint8(0)),
            bytes(""),
            signedBy(0x999, address(identity), data)
        ];
        for (uint256 i = 0; i < bad.length; i++) {
            assertFalse(claimIssuer.isClaimValid(address(identity), 1, bad[i], data));
        }
        assertFalse(claimIssuer.isClaimValid(address(this), 1, good, data), "another identity");
        assertFalse(claimIssuer.isClaimValid(address(identity), 2, good, data), "another topic");
        assertFalse(claimIssuer.isClaimValid(address(identity), 1, good, statement(LATER + 1)), "other data");
    }

    function test_a_claim_expires_and_is_then_told_from_none() public {
        add(statement(START + 100));
        vm.warp(START + 100);
        assertTrue(registry.isVerified(stranger));
        vm.warp(START + 101);
        assertFalse(registry.isVerified(stranger));
        assertEq(uint40(registry.wordOf(stranger) >> 32), START + 100);
        vm.expectRevert(abi.encodeWithSelector(InvestorClaimExpired.selector, stranger, uint256(START) + 100));
        token.mint(stranger, 1);
        bytes memory data = statement(START + 100);
        assertFalse(claimIssuer.isClaimValid(address(identity), 1, signed(address(identity), data), data));
    }

    function test_an_attestation_that_counts_is_enough_and_a_claim_takes_over_after_it() public {
        attest(ISSUER_KEY, address(identity), KYC, START + 50);
        add(statement(START + 100));
        assertEq(uint40(registry.wordOf(stranger) >> 32), START + 50);
        registry.refresh(one(stranger));
        vm.warp(START + 51);
        assertTrue(registry.isVerified(stranger));
        assertEq(uint40(registry.wordOf(stranger) >> 32), START + 100);
    }

    function test_removing_a_claim_or_the_issuer_or_its_key_ends_verification_at_once() public {
        add(statement(LATER));
        registry.refresh(one(stranger));
        uint256 before = vm.snapshotState();
        identity.removeClaim(claimId());
        assertFalse(registry.isVerified(stranger), "claim");
        assertEq(identity.getClaimIdsByTopic(1).length, 0);
        vm.expectRevert(abi.encodeWithSelector(IIdentity.IdentityClaimUnknown.selector, claimId()));
        identity.removeClaim(claimId());
        vm.revertToState(before);
        issuers.removeTrustedIssuer(address(claimIssuer));
        assertFalse(registry.isVerified(stranger), "issuer");
        vm.revertToState(before);
        vm.expectEmit(address(registry));
        emit IClaimNotes.IssuerNotesVoided(address(claimIssuer));
        claimIssuer.removeKey(keyOf(vm.addr(SIGNER)), 3);
        assertFalse(registry.isVerified(stranger), "key");
    }

    function test_a_claim_replaces_the_one_before() public {
        add(statement(LATER));
        bytes memory data = statement(LATER + 5);
        bytes memory signature = signed(address(identity), data);
        vm.expectEmit(address(identity));
        emit IIdentity.ClaimChanged(claimId(), 1, 1, address(claimIssuer), signature, data, documentUrn());
        identity.addClaim(1, 1, address(claimIssuer), signature, data, documentUrn());
        assertEq(identity.getClaimIdsByTopic(1).length, 1);
        assertEq(uint40(registry.wordOf(stranger) >> 32), LATER + 5);
    }

    function test_no_text_but_references_goes_on_chain() public {
        bytes[5] memory texts = [
            bytes("Hong Gildong"),
            bytes(""),
            abi.encode(bytes32("Hong Gildong"), "x"),
            abi.encode(uint256(1), uint256(1) << 40),
            bytes("urn:sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef")
        ];
        for (uint256 i = 0; i < texts.length; i++) {
            bytes memory signature = signed(address(identity), texts[i]);
            assertFalse(claimIssuer.isClaimValid(address(identity), 1, signature, texts[i]));
            vm.expectRevert(PiiOnChainForbidden.selector);
            identity.addClaim(1, 1, address(claimIssuer), signature, texts[i], "");
        }
        bytes memory data = bytes(documentUrn());
        bytes memory good = signed(address(identity), data);
        vm.expectRevert(PiiOnChainForbidden.selector);
        identity.addClaim(1, 1, address(claimIssuer), good, data, "https://example.org/hong");
        identity.addClaim(1, 1, address(claimIssuer), good, data, documentUrn());
        assertEq(uint40(registry.wordOf(stranger) >> 32), type(uint40).max, "a reference holds until revoked");
    }

    function test_a_claim_that_its_issuer_does_not_hold_valid_is_not_added() public {
        bytes memory data = statement(LATER);
        bytes memory signature = signed(address(identity), data);
        bytes memory refusal =
            abi.encodeWithSelector(IIdentity.IdentityClaimInvalid.selector, address(claimIssuer), uint256(1));
        vm.expectRevert(refusal);
        identity.addClaim(1, 2, address(claimIssuer), signature, data, "");
        vm.expectRevert(refusal);
        identity.addClaim(1, 1, address(claimIssuer), new bytes(65), data, "");
        vm.expectRevert(abi.encodeWithSelector(IIdentity.IdentityClaimInvalid.selector, issuer, uint256(1)));
        identity.addClaim(1, 1, issuer, signature, data, "");
    }

    function test_claims_of_a_topic_are_at_most_fifty() public {
        bytes memory data = statement(LATER);
        for (uint256 i = 0; i < 50; i++) {
            address willing = address(new Answering(Answering.Manner.ANSWER, abi.encode(true)));
            identity.addClaim(1, 1, willing, new bytes(65), data, "");
        }
        bytes memory signature = signed(address(identity), data);
        vm.expectRevert(abi.encodeWithSelector(IIdentity.IdentityClaimsFull.selector, uint256(1)));
        identity.addClaim(1, 1, address(claimIssuer), signature, data, "");
    }

    function test_keys_alone_change_what_is_theirs() public {
        bytes memory data = statement(LATER);
        bytes memory signature = signed(address(identity), data);
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32(uint256(3))));
        identity.addClaim(1, 1, address(claimIssuer), signature, data, "");
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32(uint256(3))));
        identity.removeClaim(claimId());
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32(uint256(3))));
        claimIssuer.revokeClaim(address(identity), 1, data);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32(uint256(1))));
        identity.addKey(keyOf(alice), 1, 1);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32(uint256(1))));
        identity.removeKey(keyOf(address(this)), 1);
        vm.stopPrank();
        identity.addKey(keyOf(alice), 3, 1);
        vm.startPrank(alice);
        identity.addClaim(1, 1, address(claimIssuer), signature, data, "");
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32(uint256(1))));
        identity.addKey(keyOf(bob), 3, 1);
        vm.stopPrank();
    }

    function test_keys_have_purposes() public {
        bytes32 key = keyOf(alice);
        identity.addKey(key, 2, 1);
        identity.addKey(key, 4, 1);
        (uint256[] memory purposes, uint256 keyType, bytes32 found) = identity.getKey(key);
        assertTrue(purposes.length == 2 && purposes[0] == 2 && purposes[1] == 4 && keyType == 1 && found == key);
        assertTrue(identity.keyHasPurpose(key, 4) && !identity.keyHasPurpose(key, 3));
        assertTrue(identity.keyHasPurpose(keyOf(address(this)), 3), "management may do what the others may");
        assertFalse(identity.keyHasPurpose(key, 300));
        assertEq(identity.getKeysByPurpose(2).length, 1);
        assertEq(identity.getKeysByPurpose(3).length, 0);
        identity.removeKey(key, 2);
        identity.removeKey(key, 4);
        (purposes, keyType, found) = identity.getKey(key);
        assertTrue(purposes.length == 0 && keyType == 0 && found == 0);
        bytes32 first = keyOf(address(this));
        identity.addKey(first, 2, 1);
        identity.removeKey(first, 2);
        vm.expectRevert(IKeyHolder.IdentityLastManagementKey.selector);
        identity.removeKey(first, 1);
        identity.addKey(key, 1, 1);
        identity.removeKey(first, 1);
        assertFalse(identity.keyHasPurpose(first, 1));
        assertEq(identity.getKeysByPurpose(1)[0], key);
    }

    function test_bad_keys_are_refused() public {
        vm.expectRevert(abi.encodeWithSelector(IKeyHolder.IdentityPurposeInvalid.selector, uint256(0)));
        identity.addKey(keyOf(alice), 0, 1);
        vm.expectRevert(abi.encodeWithSelector(IKeyHolder.IdentityPurposeInvalid.selector, uint256(5)));
        identity.addKey(keyOf(alice), 5, 1);
        vm.expectRevert(abi.encodeWithSelector(IKeyHolder.IdentityKeyTypeInvalid.selector, uint256(2)));
        identity.addKey(keyOf(alice), 1, 2);
        vm.expectRevert(abi.encodeWithSelector(IKeyHolder.IdentityKeyUnknown.selector, keyOf(alice)));
        identity.removeKey(keyOf(alice), 1);
        for (uint160 i = 1; i <= 32; i++) {
            identity.addKey(keyOf(address(i)), 3, 1);
        }
        vm.expectRevert(IKeyHolder.IdentityKeysFull.selector);
        identity.addKey(keyOf(address(99)), 3, 1);
    }

    function test_who_manages_an_issuer_does_not_thereby_sign_claims() public {
        bytes memory data = statement(LATER);
        claimIssuer.addKey(keyOf(vm.addr(0x777)), 1, 1);
        assertFalse(claimIssuer.isClaimValid(address(identity), 1, signedBy(0x777, address(identity), data), data));
    }

    function test_the_factory_makes_each_identity_once_where_it_said() public {
        bytes32 salt = "salt";
        address expected = factory.identityAddress(salt, alice);
        assertEq(create(salt, alice), expected);
        assertEq(create(salt, alice), expected, "again");
        assertTrue(create(salt, bob) != expected, "another key");
        assertEq(expected.codehash, identityCode);
        assertEq(address(claimIssuer).codehash, issuerCode);
        assertEq(factory.claimIssuerAddress("issuer", address(this)), address(claimIssuer));
        assertEq(factory.createClaimIssuer("issuer", address(this)), address(claimIssuer));
        vm.expectRevert(IIdentityFactory.IdentityFactoryLengthMismatch.selector);
        factory.createIdentities(new bytes32[](2), new address[](1));
    }

    function test_the_first_key_is_the_one_that_the_address_was_made_for() public {
        IIdentity fresh = IIdentity(create("salt", alice));
        assertFalse(fresh.keyHasPurpose(keyOf(alice), 1), "not written yet");
        assertFalse(fresh.keyHasPurpose(keyOf(address(0)), 1));
        vm.expectRevert(abi.encodeWithSelector(IKeyHolder.IdentityKeyUnproven.selector, bob));
        fresh.initialize("salt", bob);
        vm.expectRevert(abi.encodeWithSelector(IKeyHolder.IdentityKeyUnproven.selector, alice));
        fresh.initialize("pepper", alice);
        vm.expectEmit(address(fresh));
        emit IKeyHolder.KeyAdded(keyOf(alice), 1, 1);
        fresh.initialize("salt", alice);
        assertTrue(fresh.keyHasPurpose(keyOf(alice), 1));
        vm.expectRevert(abi.encodeWithSelector(IKeyHolder.IdentityKeyWritten.selector, alice));
        fresh.initialize("salt", alice);
        vm.expectRevert(abi.encodeWithSelector(IKeyHolder.IdentityKeyWritten.selector, address(this)));
        claimIssuer.initialize("issuer", address(this));
    }

    function test_anyone_may_note_a_claim_but_only_its_parties_make_words_stale() public {
        add(statement(LATER));
        registry.refresh(one(stranger));
        vm.expectEmit(address(registry));
        emit IClaimNotes.ClaimNoted(address(identity), address(claimIssuer), 1, LATER, identityCode, issuerCode);
        vm.prank(alice);
        registry.claimChanged(address(identity), address(claimIssuer), 1);
        vm.expectCall(address(identity), abi.encodeWithSelector(IIdentity.getClaim.selector), 0);
        registry.pairRefreshed(alice, stranger);
    }

    function test_other_code_and_topics_beyond_the_mask_are_not_noted() public {
        vm.recordLogs();
        registry.claimChanged(address(this), address(claimIssuer), 1);
        registry.claimChanged(address(identity), address(this), 1);
        registry.claimChanged(address(identity), address(claimIssuer), 64);
        registry.voidNotes();
        assertEq(vm.getRecordedLogs().length, 0);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER")));
        registry.setCodeAdmitted(identityCode, true);
    }
}
