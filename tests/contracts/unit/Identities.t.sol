// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAttestedIdentityRegistry, OnboardingBatch} from "../../../contracts/interfaces/IAttestedIdentityRegistry.sol";
import {IIdentityRegistry} from "../../../contracts/interfaces/IIdentityRegistry.sol";
import {
    IClaimTopicsMask,
    IEpochSource,
    IIdentityProfiles,
    ITrustedIssuersMask
} from "../../../contracts/interfaces/IVerificationSources.sol";
import {IIssuers} from "../Interfaces.sol";
import {Suite} from "../Suite.sol";

/// @notice Onboarding, attestations, the verification word and the registries that it is worked out from.
contract IdentitiesTest is Suite {
    function submit(OnboardingBatch memory batch, uint256 managerKey, uint256 issuerKey) internal {
        bytes32 digest = digestOf(batch);
        registry.registerAccounts(batch, signatureOf(managerKey, digest), signatureOf(issuerKey, digest));
    }

    function word(address account) internal view returns (uint256) {
        return registry.wordOf(account);
    }

    /// @dev The stored word itself: words is the fifth field, after four slots of addresses.
    function stored(address account) internal view returns (uint256) {
        bytes32 base =
            keccak256(abi.encode(uint256(keccak256("stoken.storage.IdentityRegistry")) - 1)) & ~bytes32(uint256(0xff));
        return uint256(vm.load(address(registry), keccak256(abi.encode(account, uint256(base) + 4))));
    }

    function list(uint256 left, uint256 right) internal pure returns (uint256[] memory values) {
        values = new uint256[](2);
        (values[0], values[1]) = (left, right);
    }

    function test_onboarding_binds_account_manager_identity_and_claims() public {
        OnboardingBatch memory batch = batchOf(stranger, identityOf(stranger), 840, PROFESSIONAL, KYC, LATER);
        bytes32 digest = digestOf(batch);
        vm.expectEmit(address(registry));
        emit IIdentityRegistry.IdentityRegistered(stranger, identityOf(stranger));
        vm.expectEmit(address(registry));
        emit IAttestedIdentityRegistry.AccountBound(stranger, BROKER_A, identityOf(stranger), 840, PROFESSIONAL, 1);
        vm.expectEmit(address(registry));
        emit IAttestedIdentityRegistry.ClaimAttested(identityOf(stranger), issuer, KYC, LATER);
        registry.registerAccounts(batch, signatureOf(BROKER_A_KEY, digest), signatureOf(ISSUER_KEY, digest));
        (bytes20 manager, uint8 ownerType) = registry.managerOf(stranger);
        assertEq(bytes32(manager), bytes32(BROKER_A));
        assertEq(ownerType, 1);
        assertTrue(registry.isVerified(stranger) && registry.contains(stranger));
        assertEq(registry.identity(stranger), identityOf(stranger));
        assertEq(registry.investorCountry(stranger), 840);
        uint256 expected = uint256(uint160(identityOf(stranger))) << 96 | uint256(840) << 80 | uint256(PROFESSIONAL)
            << 72 | uint256(LATER) << 32 | uint256(registry.epoch()) << 8 | 3;
        assertEq(word(stranger), expected);
        (uint64 topicBits, uint40 until, bool forCause) = registry.attestationOf(identityOf(stranger), issuer);
        assertTrue(topicBits == KYC && until == LATER && !forCause);
    }

    function test_both_signatures_must_be_right() public {
        OnboardingBatch memory batch = batchOf(stranger, identityOf(stranger), KOREA, GENERAL, KYC, LATER);
        vm.expectRevert(abi.encodeWithSelector(SignatureInvalid.selector, vm.addr(BROKER_B_KEY)));
        submit(batch, BROKER_B_KEY, ISSUER_KEY);
        vm.expectRevert(abi.encodeWithSelector(SignatureInvalid.selector, vm.addr(REGISTRAR_KEY)));
        submit(batch, REGISTRAR_KEY, ISSUER_KEY);
        vm.expectRevert(abi.encodeWithSelector(SignatureInvalid.selector, issuer2));
        submit(batch, BROKER_A_KEY, ISSUER_2_KEY);
        bytes memory short = new bytes(64);
        vm.expectRevert(abi.encodeWithSelector(SignatureInvalid.selector, address(0)));
        registry.registerAccounts(batch, short, short);
        batch.manager = REGISTRAR;
        vm.expectRevert(abi.encodeWithSelector(SignatureInvalid.selector, vm.addr(REGISTRAR_KEY)));
        submit(batch, REGISTRAR_KEY, ISSUER_KEY);
    }

    function test_a_batch_is_taken_once_and_in_time() public {
        OnboardingBatch memory batch = batchOf(stranger, identityOf(stranger), KOREA, GENERAL, KYC, LATER);
        submit(batch, BROKER_A_KEY, ISSUER_KEY);
        assertTrue(registry.nonceUsed(issuer, batch.nonce));
        vm.expectRevert(abi.encodeWithSelector(NonceReplayed.selector, BROKER_A, batch.nonce));
        submit(batch, BROKER_A_KEY, ISSUER_KEY);
        batch.manager = BROKER_B;
        vm.expectRevert(abi.encodeWithSelector(NonceReplayed.selector, bytes20(issuer), batch.nonce));
        submit(batch, BROKER_B_KEY, ISSUER_KEY);
        vm.warp(batch.deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(TooLate.selector, uint256(batch.deadline), uint256(batch.deadline) + 1));
        submit(batch, BROKER_A_KEY, ISSUER_KEY);
    }

    function test_a_batch_refuses_what_it_may_not_bind() public {
        OnboardingBatch memory batch = batchOf(alice, identityOf(alice), KOREA, GENERAL, KYC, LATER);
        vm.expectRevert(abi.encodeWithSelector(IIdentityProfiles.IdentityRegistryStorageAccountStored.selector, alice));
        submit(batch, BROKER_A_KEY, ISSUER_KEY);
        batch = batchOf(stranger, address(0), KOREA, GENERAL, KYC, LATER);
        vm.expectRevert(abi.encodeWithSelector(IIdentityProfiles.IdentityRegistryStorageAddressZero.selector));
        submit(batch, BROKER_A_KEY, ISSUER_KEY);
        batch = batchOf(stranger, identityOf(stranger), KOREA, GENERAL, KYC, LATER);
        batch.items[0].ownerType = 3;
        vm.expectRevert(
            abi.encodeWithSelector(IAttestedIdentityRegistry.IdentityRegistryOwnerTypeInvalid.selector, uint8(3))
        );
        submit(batch, BROKER_A_KEY, ISSUER_KEY);
        batch = batchOf(stranger, identityOf(stranger), KOREA, GENERAL, KYC | 1 << 9, LATER);
        vm.expectRevert(abi.encodeWithSelector(ClaimIssuerUntrusted.selector, issuer));
        submit(batch, BROKER_A_KEY, ISSUER_KEY);
        batch = batchOf(stranger, identityOf(stranger), KOREA, GENERAL, KYC, LATER);
        batch.claimIssuer = issuer2;
        vm.expectRevert(abi.encodeWithSelector(ClaimIssuerUntrusted.selector, issuer2));
        submit(batch, BROKER_A_KEY, ISSUER_2_KEY);
    }

    function test_an_identity_without_trusted_claims_is_not_verified_whatever_it_says() public {
        registry.registerIdentity(stranger, address(this), KOREA);
        assertTrue(registry.contains(stranger));
        assertFalse(registry.isVerified(stranger));
        assertFalse(registry.isVerified(address(0xdead)));
        assertFalse(registry.isVerified(address(0)));
    }

    function test_a_required_topic_above_the_mask_is_met_by_nobody() public {
        topics.addClaimTopic(1000);
        assertFalse(registry.isVerified(alice));
        topics.removeClaimTopic(1000);
        assertTrue(registry.isVerified(alice));
    }

    function test_where_no_topic_is_required_registration_is_enough() public {
        topics.removeClaimTopic(1);
        topics.removeClaimTopic(1);
        registry.registerIdentity(stranger, identityOf(stranger), KOREA);
        assertTrue(registry.isVerified(stranger));
        assertEq(uint40(word(stranger) >> 32), type(uint40).max);
    }

    function test_several_issuers_count_to_the_latest_and_several_topics_to_the_earliest() public {
        topics.addClaimTopic(7);
        assertFalse(registry.isVerified(alice));
        attest(ISSUER_KEY, identityOf(alice), KYC | SUITED, START + 100);
        assertEq(uint40(word(alice) >> 32), START + 100);
        issuers.addTrustedIssuer(issuer2, one(uint256(1)));
        attest(ISSUER_2_KEY, identityOf(alice), KYC, START + 200);
        assertEq(uint40(word(alice) >> 32), START + 100);
        attest(ISSUER_KEY, identityOf(alice), SUITED, START + 300);
        assertEq(uint40(word(alice) >> 32), START + 200);
        issuers.updateIssuerClaimTopics(issuer2, one(uint256(7)));
        assertFalse(registry.isVerified(alice));
    }

    function test_a_change_of_topics_or_issuers_makes_stored_words_stale_at_once() public {
        registry.refresh(one(alice));
        assertTrue(stored(alice) != 0);
        uint24 before = registry.epoch();
        topics.addClaimTopic(7);
        assertEq(registry.epoch(), before + 1);
        assertFalse(registry.isVerified(alice));
        topics.removeClaimTopic(7);
        issuers.removeTrustedIssuer(issuer);
        assertEq(registry.epoch(), before + 3);
        assertFalse(registry.isVerified(alice));
        issuers.addTrustedIssuer(issuer, one(uint256(1)));
        assertTrue(registry.isVerified(alice));
    }

    function test_a_stale_word_takes_the_walk_in_view_and_transfer_and_the_transfer_rewrites_it() public {
        token.mint(alice, 10);
        registry.refresh(one(bob));
        topics.addClaimTopic(7);
        assertEq(uint24(stored(bob) >> 8), registry.epoch() - 1);
        bytes memory refusal = abi.encodeWithSelector(InvestorNotVerified.selector, bob);
        assertEq(token.verdict(alice, bob, 1, alice), refusal);
        vm.prank(alice);
        vm.expectRevert(refusal);
        token.transfer(bob, 1);
        attest(ISSUER_KEY, identityOf(bob), KYC | SUITED, LATER);
        assertEq(token.verdict(alice, bob, 1, alice), "");
        vm.prank(alice);
        token.transfer(bob, 1);
        assertEq(uint24(stored(bob) >> 8), registry.epoch());
        assertEq(stored(bob), word(bob));
    }

    function test_a_renewal_is_seen_although_the_stored_word_has_expired() public {
        registry.refresh(one(alice));
        vm.warp(LATER + 1);
        assertFalse(registry.isVerified(alice));
        attest(ISSUER_KEY, identityOf(alice), KYC, LATER + 100);
        assertTrue(registry.isVerified(alice));
    }

    function test_an_attestation_replaces_what_its_issuer_said_before() public {
        registry.refresh(one(alice));
        attest(ISSUER_KEY, identityOf(alice), KYC, START + 5);
        assertEq(stored(alice), 0);
        vm.warp(START + 6);
        assertFalse(registry.isVerified(alice));
        attest(ISSUER_KEY, identityOf(alice), 0, LATER);
        assertFalse(registry.isVerified(alice));
    }

    function test_a_revocation_reaches_every_account_of_the_identity() public {
        address[] memory wallets = new address[](20);
        for (uint256 i = 0; i < 20; i++) {
            wallets[i] = address(uint160(0x9000 + i));
            onboard(wallets[i], identityOf(stranger), KOREA, GENERAL, KYC, LATER);
            if (i == 2) registry.refresh(one(wallets[1]));
        }
        registry.refresh(one(wallets[0]));
        registry.refresh(wallets);
        uint24 before = registry.epoch();
        revoke(ISSUER_KEY, identityOf(stranger), false);
        for (uint256 i = 0; i < 20; i++) {
            assertFalse(registry.isVerified(wallets[i]));
        }
        registry.refresh(one(bob));
        revoke(ISSUER_KEY, identityOf(bob), false);
        assertEq(registry.epoch(), before, "others keep their words");
        assertEq(stored(bob), 0);
    }

    function test_sixteen_words_of_an_identity_are_stored_and_further_ones_worked_out() public {
        address[] memory wallets = new address[](18);
        for (uint256 i = 0; i < 18; i++) {
            wallets[i] = address(uint160(0x9000 + i));
            onboard(wallets[i], identityOf(stranger), KOREA, GENERAL, KYC, LATER);
        }
        registry.refresh(wallets);
        registry.refresh(wallets);
        assertTrue(stored(wallets[15]) != 0 && stored(wallets[16]) == 0 && stored(wallets[17]) == 0);
        assertTrue(registry.isVerified(wallets[17]));
        token.mint(wallets[16], 5);
        vm.prank(wallets[16]);
        token.transfer(wallets[17], 5);
        assertEq(token.balanceOf(wallets[17]), 5);
        assertEq(stored(wallets[17]), 0);
        attest(ISSUER_KEY, identityOf(stranger), 0, LATER);
        assertTrue(stored(wallets[0]) == 0 && !registry.isVerified(wallets[0]) && !registry.isVerified(wallets[17]));
        attest(ISSUER_KEY, identityOf(stranger), KYC, LATER);
        registry.refresh(one(wallets[17]));
        assertTrue(stored(wallets[17]) != 0, "room again");
    }

    function test_no_epoch_comes_back() public {
        bytes32 slot = bytes32(
            uint256(
                keccak256(abi.encode(uint256(keccak256("stoken.storage.IdentityRegistry")) - 1))
                    & ~bytes32(uint256(0xff))
            )
        );
        registry.refresh(one(alice));
        uint256 first = stored(alice);
        assertEq(uint24(first >> 8), registry.epoch());
        uint256 packed = uint256(vm.load(address(registry), slot));
        uint256 epochs = uint256(type(uint24).max) << 168;
        vm.store(address(registry), slot, bytes32(packed & ~epochs | uint256(type(uint24).max - 1) << 168));
        assertEq(registry.epoch(), type(uint24).max - 1);
        registry.advanceEpoch();
        assertEq(registry.epoch(), type(uint24).max);
        attest(ISSUER_KEY, identityOf(alice), 0, LATER);
        assertFalse(registry.isVerified(alice));
        bytes memory spent = abi.encodeWithSelector(IAttestedIdentityRegistry.IdentityRegistryEpochsSpent.selector);
        vm.expectRevert(spent);
        registry.advanceEpoch();
        vm.expectRevert(spent);
        topics.addClaimTopic(9);
        assertEq(registry.epoch(), type(uint24).max, "an earlier one would make old words count");
        vm.prank(bob);
        token.transfer(carol, 0);
    }

    function test_a_revocation_for_cause_stands_until_the_same_issuer_attests_anew() public {
        issuers.addTrustedIssuer(issuer2, one(uint256(1)));
        revoke(ISSUER_2_KEY, identityOf(alice), true);
        revoke(ISSUER_2_KEY, identityOf(alice), true);
        revoke(ISSUER_2_KEY, identityOf(alice), false);
        (uint64 topicBits,, bool forCause) = registry.attestationOf(identityOf(alice), issuer2);
        assertTrue(topicBits == 0 && forCause);
        attest(ISSUER_KEY, identityOf(alice), KYC, LATER);
        issuers.removeTrustedIssuer(issuer2);
        assertEq(uint8(word(alice)), 5, "registered, for cause");
        issuers.addTrustedIssuer(issuer2, one(uint256(1)));
        attest(ISSUER_2_KEY, identityOf(alice), 0, 0);
        assertEq(uint8(word(alice)), 3, "registered, verified");
    }

    function test_issuers_sign_revocations_once_and_only_while_trusted() public {
        bytes32 digest = revocationDigest(issuer, identityOf(alice), true, 77_777);
        bytes memory signature = signatureOf(ISSUER_KEY, digest);
        vm.expectRevert(abi.encodeWithSelector(SignatureInvalid.selector, vm.addr(ISSUER_2_KEY)));
        registry.revoke(issuer, identityOf(alice), true, 77_777, START, signatureOf(ISSUER_2_KEY, digest));
        registry.revoke(issuer, identityOf(alice), true, 77_777, START, signature);
        vm.expectRevert(abi.encodeWithSelector(NonceReplayed.selector, bytes20(issuer), uint256(77_777)));
        registry.revoke(issuer, identityOf(alice), true, 77_777, START, signature);
        digest = revocationDigest(issuer2, identityOf(alice), true, 1);
        vm.expectRevert(abi.encodeWithSelector(ClaimIssuerUntrusted.selector, issuer2));
        registry.revoke(issuer2, identityOf(alice), true, 1, START, signatureOf(ISSUER_2_KEY, digest));
        vm.warp(START + 1);
        vm.expectRevert(abi.encodeWithSelector(TooLate.selector, uint256(START), uint256(START) + 1));
        registry.revoke(issuer, identityOf(alice), true, 77_778, START, signature);
    }

    function test_agents_keep_the_registry_by_the_standards_functions() public {
        registry.refresh(one(alice));
        registry.updateCountry(alice, 840);
        assertEq(stored(alice), 0);
        assertEq(registry.investorCountry(alice), 840);
        registry.updateClass(alice, PROFESSIONAL);
        assertEq(uint8(word(alice) >> 72), PROFESSIONAL);
        vm.expectEmit(address(registry));
        emit IAttestedIdentityRegistry.AccountBound(alice, BROKER_A, identityOf(bob), 840, PROFESSIONAL, 1);
        registry.updateIdentity(alice, identityOf(bob));
        assertEq(registry.firstIdentityOf(alice), identityOf(alice));
        assertEq(uint8(word(alice)), 11, "registered, verified, replaced");
        registry.deleteIdentity(alice);
        assertEq(word(alice), 8);
        address[] memory accounts = new address[](1);
        accounts[0] = alice;
        uint16[] memory countries = new uint16[](1);
        countries[0] = 410;
        registry.batchRegisterIdentity(accounts, one(identityOf(alice)), countries);
        assertTrue(registry.isVerified(alice));
        (bytes20 manager, uint8 ownerType) = registry.managerOf(alice);
        assertTrue(manager == 0 && ownerType == 0);
        vm.expectRevert(abi.encodeWithSelector(IAttestedIdentityRegistry.IdentityRegistryLengthMismatch.selector));
        registry.batchRegisterIdentity(accounts, new address[](2), countries);
        vm.expectRevert(abi.encodeWithSelector(IAttestedIdentityRegistry.IdentityRegistryLengthMismatch.selector));
        registry.batchRegisterIdentity(accounts, one(alice), new uint16[](0));
        vm.expectRevert(abi.encodeWithSelector(AccountUnknown.selector, stranger));
        registry.updateCountry(stranger, 1);
        vm.expectRevert(abi.encodeWithSelector(IIdentityProfiles.IdentityRegistryStorageAddressZero.selector));
        registry.updateIdentity(alice, address(0));
    }

    function test_agents_and_owners_alone_write() public {
        bytes[] memory calls = new bytes[](11);
        calls[0] = abi.encodeCall(registry.registerIdentity, (stranger, stranger, 1));
        calls[1] = abi.encodeCall(registry.deleteIdentity, (alice));
        calls[2] = abi.encodeCall(registry.updateCountry, (alice, 1));
        calls[3] = abi.encodeCall(registry.updateIdentity, (alice, bob));
        calls[4] = abi.encodeCall(registry.updateClass, (alice, 1));
        calls[5] = abi.encodeCall(registry.batchRegisterIdentity, (new address[](0), new address[](0), new uint16[](0)));
        calls[6] = abi.encodeCall(registry.setIdentityRegistryStorage, (address(store)));
        calls[7] = abi.encodeCall(registry.setClaimTopicsRegistry, (address(topics)));
        calls[8] = abi.encodeCall(registry.setTrustedIssuersRegistry, (address(issuers)));
        calls[9] = abi.encodeCall(registry.addAgent, (alice));
        calls[10] = abi.encodeCall(registry.upgradeToAndCall, (address(store), ""));
        for (uint256 i = 0; i < calls.length; i++) {
            vm.prank(alice);
            (bool success, bytes memory answer) = address(registry).call(calls[i]);
            assertFalse(success);
            assertEq(
                answer,
                abi.encodeWithSelector(RoleRequired.selector, bytes32(i < 6 ? bytes5("AGENT") : bytes5("OWNER")))
            );
        }
        registry.refresh(one(alice));
        uint24 before = registry.epoch();
        vm.startPrank(alice);
        registry.advanceEpoch();
        registry.forget(alice);
        assertTrue(registry.epoch() == before && stored(alice) != 0, "without effect");
        bytes memory refusal = abi.encodeWithSelector(RoleRequired.selector, bytes32("AGENT"));
        vm.expectRevert(refusal);
        store.addIdentityToStorage(stranger, stranger, 1);
        vm.expectRevert(refusal);
        store.addProfile(stranger, stranger, 1, 1, 1, BROKER_A);
        vm.expectRevert(refusal);
        store.removeIdentityFromStorage(alice);
        vm.expectRevert(refusal);
        store.modifyStoredClass(alice, 1);
        vm.expectRevert(refusal);
        store.modifyStoredIdentity(alice, bob);
        vm.expectRevert(refusal);
        store.modifyStoredInvestorCountry(alice, 1);
    }

    function test_the_owner_replaces_sources_that_know_the_registry() public {
        uint24 before = registry.epoch();
        registry.setClaimTopicsRegistry(address(topics));
        registry.setTrustedIssuersRegistry(address(issuers));
        registry.setIdentityRegistryStorage(address(store));
        registry.advanceEpoch();
        assertEq(registry.epoch(), before + 4);
        topics.unbindIdentityRegistry(address(registry));
        vm.expectRevert(
            abi.encodeWithSelector(IAttestedIdentityRegistry.IdentityRegistrySourceUnbound.selector, address(topics))
        );
        registry.setClaimTopicsRegistry(address(topics));
        store.unbindIdentityRegistry(address(registry));
        assertEq(store.linkedIdentityRegistries().length, 0);
        vm.expectRevert(
            abi.encodeWithSelector(IAttestedIdentityRegistry.IdentityRegistrySourceUnbound.selector, address(store))
        );
        registry.setIdentityRegistryStorage(address(store));
    }

    function test_the_registry_names_its_sources() public view {
        assertEq(registry.identityStorage(), address(store));
        assertEq(registry.topicsRegistry(), address(topics));
        assertEq(registry.issuersRegistry(), address(issuers));
        assertEq(registry.memberRegistry(), address(members));
    }

    function test_nothing_is_attested_of_no_identity() public {
        vm.expectRevert(abi.encodeWithSelector(IAttestedIdentityRegistry.IdentityRegistryAddressZero.selector));
        attest(ISSUER_KEY, address(0), KYC, LATER);
    }

    function test_issuers_come_with_their_topics() public {
        address code = deploy("TrustedIssuersRegistry");
        bytes memory call =
            abi.encodeCall(IIssuers.initialize, (address(this), address(registry), one(issuer), new uint256[][](0)));
        vm.expectRevert(abi.encodeWithSelector(ITrustedIssuersMask.TrustedIssuersRegistryTopicsInvalid.selector));
        _proxy(code, call);
    }

    function test_topics_are_unique_and_at_most_fifteen() public {
        vm.expectRevert(abi.encodeWithSelector(IClaimTopicsMask.ClaimTopicsRegistryTopicRequired.selector, uint256(1)));
        topics.addClaimTopic(1);
        for (uint256 i = 2; i <= 15; i++) {
            topics.addClaimTopic(i);
        }
        assertEq(topics.getClaimTopics().length, 15);
        vm.expectRevert(abi.encodeWithSelector(IClaimTopicsMask.ClaimTopicsRegistryFull.selector));
        topics.addClaimTopic(16);
    }

    function test_issuers_are_unique_at_most_fifty_and_have_one_to_fifteen_topics() public {
        assertTrue(issuers.isTrustedIssuer(issuer) && issuers.hasClaimTopic(issuer, 7));
        assertFalse(issuers.hasClaimTopic(issuer, 2));
        vm.expectRevert(
            abi.encodeWithSelector(ITrustedIssuersMask.TrustedIssuersRegistryIssuerTrusted.selector, issuer)
        );
        issuers.addTrustedIssuer(issuer, one(uint256(1)));
        vm.expectRevert(abi.encodeWithSelector(ITrustedIssuersMask.TrustedIssuersRegistryAddressZero.selector));
        issuers.addTrustedIssuer(address(0), one(uint256(1)));
        vm.expectRevert(abi.encodeWithSelector(ITrustedIssuersMask.TrustedIssuersRegistryTopicsInvalid.selector));
        issuers.addTrustedIssuer(issuer2, new uint256[](0));
        vm.expectRevert(abi.encodeWithSelector(ITrustedIssuersMask.TrustedIssuersRegistryTopicsInvalid.selector));
        issuers.updateIssuerClaimTopics(issuer, new uint256[](16));
        vm.expectRevert(abi.encodeWithSelector(ClaimIssuerUntrusted.selector, issuer2));
        issuers.removeTrustedIssuer(issuer2);
        vm.expectRevert(abi.encodeWithSelector(ClaimIssuerUntrusted.selector, issuer2));
        issuers.getTrustedIssuerClaimTopics(issuer2);
        for (uint160 i = 1; i < 50; i++) {
            issuers.addTrustedIssuer(address(0x7000 + i), list(1, 500));
        }
        assertEq(issuers.getTrustedIssuersForClaimTopic(500).length, 49);
        assertEq(issuers.getTrustedIssuersForClaimTopic(7).length, 1);
        assertEq(issuers.getTrustedIssuers().length, 50);
        vm.expectRevert(abi.encodeWithSelector(ITrustedIssuersMask.TrustedIssuersRegistryFull.selector));
        issuers.addTrustedIssuer(issuer2, one(uint256(1)));
        assertTrue(registry.isVerified(alice));
        issuers.removeTrustedIssuer(issuer);
        assertFalse(registry.isVerified(alice));
        assertFalse(issuers.isTrustedIssuer(issuer));
        assertEq(issuers.getTrustedIssuerClaimTopics(address(0x7001)).length, 2);
        assertEq(issuers.topicMaskOf(address(0x7031)), 2);
        assertEq(issuers.topicMaskOf(issuer), 0);
    }

    function test_sources_tell_at_most_three_hundred_registries() public {
        vm.expectRevert(abi.encodeWithSelector(IEpochSource.EpochSourceRegistryBound.selector, address(registry)));
        topics.bindIdentityRegistry(address(registry));
        vm.expectRevert(abi.encodeWithSelector(IEpochSource.EpochSourceRegistryUnknown.selector, alice));
        topics.unbindIdentityRegistry(alice);
        vm.expectRevert(
            abi.encodeWithSelector(IIdentityProfiles.IdentityRegistryStorageRegistryBound.selector, address(registry))
        );
        store.bindIdentityRegistry(address(registry));
        vm.expectRevert(
            abi.encodeWithSelector(IIdentityProfiles.IdentityRegistryStorageRegistryUnknown.selector, alice)
        );
        store.unbindIdentityRegistry(alice);
        for (uint160 i = 1; i < 300; i++) {
            topics.bindIdentityRegistry(address(0x7000 + i));
            store.bindIdentityRegistry(address(0x7000 + i));
        }
        vm.expectRevert(abi.encodeWithSelector(IEpochSource.EpochSourceFull.selector));
        topics.bindIdentityRegistry(alice);
        vm.expectRevert(abi.encodeWithSelector(IIdentityProfiles.IdentityRegistryStorageFull.selector));
        store.bindIdentityRegistry(alice);
        topics.unbindIdentityRegistry(address(0x7001));
        assertTrue(topics.isBoundIdentityRegistry(address(registry)));
        assertFalse(topics.isBoundIdentityRegistry(address(0x7001)));
    }

    function test_owners_alone_change_the_sources() public {
        bytes memory refusal = abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER"));
        vm.startPrank(alice);
        vm.expectRevert(refusal);
        topics.addClaimTopic(9);
        vm.expectRevert(refusal);
        topics.removeClaimTopic(1);
        vm.expectRevert(refusal);
        issuers.addTrustedIssuer(alice, one(uint256(1)));
        vm.expectRevert(refusal);
        issuers.removeTrustedIssuer(issuer);
        vm.expectRevert(refusal);
        issuers.updateIssuerClaimTopics(issuer, one(uint256(1)));
        vm.expectRevert(refusal);
        topics.bindIdentityRegistry(alice);
        vm.expectRevert(refusal);
        topics.unbindIdentityRegistry(address(registry));
        vm.expectRevert(refusal);
        store.bindIdentityRegistry(alice);
        vm.expectRevert(refusal);
        store.unbindIdentityRegistry(address(registry));
    }

    /// @dev What the packed word says is what went in, for every value.
    function testFuzz_the_word_keeps_every_field(
        address account,
        address identity,
        uint16 country,
        uint8 class,
        uint40 until
    ) public {
        if (account == address(0) || identity == address(0) || registry.contains(account)) return;
        // An identity that is known already keeps what was said of it before, which this replaces.
        until = uint40(bound(until, 1, type(uint40).max));
        onboard(account, identity, country, class, KYC, until);
        uint256 packed = word(account);
        assertEq(address(uint160(packed >> 96)), identity);
        assertEq(uint16(packed >> 80), country);
        assertEq(uint8(packed >> 72), class);
        assertEq(uint40(packed >> 32), until);
        assertEq(uint24(packed >> 8), registry.epoch());
        assertEq(uint8(packed), 3);
        assertEq(registry.isVerified(account), until >= block.timestamp);
    }
}
