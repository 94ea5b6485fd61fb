// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IClaimNotes} from "../../../contracts/interfaces/IClaimNotes.sol";
import {Answering} from "../mocks/Answering.sol";
import {IdentityContracts} from "./IdentityContracts.sol";

/// @notice Identities and issuers that lie, revert, spend all gas or answer without end: the holder is not verified,
/// and nobody else is hurt.
contract HostileIdentitiesTest is IdentityContracts {
    uint256 private constant _QUESTIONS_GAS = 400_000;

    function hostile(Answering.Manner manner, bytes memory answer) private returns (address) {
        return address(new Answering(manner, answer));
    }

    function bind(address identity_) private {
        registry.updateIdentity(stranger, identity_);
    }

    function claimOf(address of_, address by) private pure returns (bytes memory) {
        bytes memory data = statement(LATER);
        return abi.encode(uint256(1), uint256(1), by, signed(of_, data), data, "");
    }

    function assertUnverifiedAndHarmless() private {
        uint256 before = gasleft();
        assertFalse(registry.isVerified(stranger));
        assertLe(before - gasleft(), _QUESTIONS_GAS, "bounded gas");
        vm.expectRevert(abi.encodeWithSelector(InvestorNotVerified.selector, stranger));
        token.mint(stranger, 1);
        token.mint(alice, 10);
        vm.prank(alice);
        token.transfer(bob, 10);
    }

    function test_hostile_identities_are_not_verified() public {
        for (uint256 manner = 1; manner <= 3; manner++) {
            bind(hostile(Answering.Manner(manner), ""));
            assertUnverifiedAndHarmless();
        }
    }

    function test_an_identity_that_shows_anothers_claim_is_not_verified() public {
        address other = create("other", address(this));
        bind(hostile(Answering.Manner.ANSWER, claimOf(other, address(claimIssuer))));
        assertUnverifiedAndHarmless();
    }

    function test_an_identity_that_names_an_issuer_of_its_own_is_not_verified() public {
        address yes = hostile(Answering.Manner.ANSWER, abi.encode(true));
        bind(hostile(Answering.Manner.ANSWER, claimOf(address(this), yes)));
        assertUnverifiedAndHarmless();
    }

    function test_garbage_is_no_claim() public {
        bytes memory good = claimOf(address(this), address(claimIssuer));
        for (uint256 word = 0; word < 7; word++) {
            bytes memory bad = bytes.concat(good);
            assembly ("memory-safe") {
                mstore(add(add(bad, 0x20), mul(word, 0x20)), not(0))
            }
            bind(hostile(Answering.Manner.ANSWER, bad));
            assertUnverifiedAndHarmless();
        }
        bind(hostile(Answering.Manner.ANSWER, new bytes(191)));
        assertUnverifiedAndHarmless();
    }

    function test_what_an_answer_says_lies_beyond_its_end_is_no_claim() public {
        bytes memory good = claimOf(address(this), address(claimIssuer));
        for (uint256 word = 3; word < 5; word++) {
            for (uint256 place = 0; place < 3; place++) {
                bytes memory bad = bytes.concat(good);
                uint256 offset = [type(uint256).max, good.length, good.length - 31][place];
                assembly ("memory-safe") {
                    mstore(add(add(bad, 0x20), mul(word, 0x20)), offset)
                }
                bind(hostile(Answering.Manner.ANSWER, bad));
                assertFalse(registry.isVerified(stranger));
            }
        }
    }

    function test_no_time_beyond_the_last_is_one() public {
        address foreign = hostile(Answering.Manner.ANSWER, abi.encode(uint256(type(uint40).max)));
        registry.setCodeAdmitted(foreign.codehash, true);
        issuers.addTrustedIssuer(foreign, one(uint256(1)));
        bind(hostile(Answering.Manner.ANSWER, claimOf(address(this), foreign)));
        assertTrue(registry.isVerified(stranger));
        Answering(foreign).set(Answering.Manner.ANSWER, abi.encode(uint256(type(uint40).max) + 1));
        assertFalse(registry.isVerified(stranger));
    }

    function test_a_caller_that_gives_little_gas_is_told_or_runs_out_and_never_told_no() public {
        add(statement(LATER));
        bytes memory question = abi.encodeCall(registry.isVerified, (stranger));
        uint256 told;
        for (uint256 gas = 20_000; gas < 400_000; gas += 5_000) {
            (bool done, bytes memory answer) = address(registry).staticcall{gas: gas}(question);
            if (done) {
                assertTrue(abi.decode(answer, (bool)), "verified whatever the gas");
            } else if (answer.length != 0) {
                assertEq(bytes32(bytes4(answer)), bytes32(IClaimNotes.IdentityRegistryGasTooLow.selector));
                told++;
            }
        }
        assertTrue(told != 0);
    }

    function testFuzz_no_answer_of_an_identity_breaks_the_walk(bytes calldata answer, uint8 place, uint256 value)
        public
    {
        bytes memory bad = claimOf(address(this), address(claimIssuer));
        uint256 at = bound(place, 0, bad.length / 32 - 1) * 32;
        assembly ("memory-safe") {
            mstore(add(add(bad, 0x20), at), value)
        }
        bind(hostile(Answering.Manner.ANSWER, bad));
        assertFalse(registry.isVerified(stranger));
        bind(hostile(Answering.Manner.ANSWER, answer));
        assertFalse(registry.isVerified(stranger));
    }

    function test_hostile_issuers_verify_nobody_and_stop_nobody() public {
        add(statement(LATER));
        for (uint256 manner = 1; manner <= 3; manner++) {
            address bad = hostile(Answering.Manner(manner), "");
            issuers.addTrustedIssuer(bad, one(uint256(1)));
        }
        issuers.addTrustedIssuer(hostile(Answering.Manner.ANSWER, abi.encode(uint256(2))), one(uint256(1)));
        issuers.addTrustedIssuer(hostile(Answering.Manner.ANSWER, abi.encode(true, true)), one(uint256(1)));
        assertTrue(registry.isVerified(stranger), "the honest issuer counts");
        identity.removeClaim(claimId());
        assertFalse(registry.isVerified(stranger));
    }

    function test_a_foreign_issuer_is_asked_the_standards_question() public {
        address foreign = hostile(Answering.Manner.ANSWER, abi.encode(true));
        issuers.addTrustedIssuer(foreign, one(uint256(1)));
        identity.addClaim(1, 1, foreign, "any", statement(LATER), "");
        assertTrue(registry.isVerified(stranger));
        registry.pairRefreshed(alice, stranger);
        Answering(foreign).set(Answering.Manner.ANSWER, abi.encode(false));
        assertFalse(registry.isVerified(stranger), "exact, since its words are never stored");
    }

    function test_a_foreign_identity_with_an_honest_claim_is_verified_exactly() public {
        address foreign = hostile(Answering.Manner.ANSWER, "");
        Answering(foreign).set(Answering.Manner.ANSWER, claimOf(foreign, address(claimIssuer)));
        bind(foreign);
        assertTrue(registry.isVerified(stranger));
        registry.pairRefreshed(alice, stranger);
        Answering(foreign).set(Answering.Manner.REVERT, "");
        assertFalse(registry.isVerified(stranger));
    }

    function test_the_gas_of_a_walk_is_bounded_by_fifty_issuers_that_spend_all() public {
        address burner = hostile(Answering.Manner.SPEND_ALL_GAS, "");
        bind(burner);
        for (uint256 i = 0; i < 48; i++) {
            issuers.addTrustedIssuer(hostile(Answering.Manner.SPEND_ALL_GAS, ""), one(uint256(1)));
        }
        uint256 before = gasleft();
        assertFalse(registry.isVerified(stranger));
        assertLe(before - gasleft(), 2_500_000, "bounded gas");
    }

    function test_senders_are_not_asked() public {
        add(statement(LATER));
        token.mint(stranger, 10);
        address burner = hostile(Answering.Manner.SPEND_ALL_GAS, "");
        bind(burner);
        vm.expectCall(burner, "", 0);
        vm.prank(stranger);
        token.transfer(alice, 4);
        assertEq(token.balanceOf(alice), 4, "a sale needs no claim");
    }

    function test_a_holder_of_a_hostile_identity_can_be_burned_and_forced() public {
        add(statement(LATER));
        token.mint(stranger, 10);
        for (uint256 manner = 1; manner <= 3; manner++) {
            bind(hostile(Answering.Manner(manner), ""));
            token.burn(stranger, 1);
            token.forcedTransfer(stranger, alice, 1);
        }
        registry.deleteIdentity(stranger);
        token.burn(stranger, 1);
        token.forcedTransfer(stranger, alice, 1);
        assertEq(token.balanceOf(stranger), 2);
    }

    function test_the_verdict_does_not_depend_on_the_gas_that_a_caller_gives() public {
        add(statement(LATER));
        (bool done, bytes memory answer) =
            address(registry).staticcall{gas: 150_000}(abi.encodeCall(registry.isVerified, (stranger)));
        if (done) assertTrue(abi.decode(answer, (bool)), "verified whatever the gas");
        (done, answer) = address(registry).staticcall{gas: 120_000}(abi.encodeCall(registry.isVerified, (stranger)));
        assertFalse(done);
        assertEq(bytes32(bytes4(answer)), bytes32(IClaimNotes.IdentityRegistryGasTooLow.selector));
    }
}
