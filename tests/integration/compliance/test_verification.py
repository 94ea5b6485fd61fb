# SPDX-License-Identifier: Apache-2.0
"""Who may send and receive, alike on a node and at the venue: claims, issuers, identities that are contracts."""

from pathlib import Path

import pytest
from eth_hash.auto import keccak

from stoken.chain.rpc import RpcClient
from stoken.chain.signatures import address_of, sign
from stoken.domain.refusals import Refusal
from stoken.issuance.calldata import interface
from tests.consortium import CLAIM_ISSUER, FOREVER, TOPIC
from tests.integration.compliance.world import ACCOUNTS, World
from tests.requirements import requirement

A, B, C = (ACCOUNTS[name] for name in "abc")
OK = "0x1"
_SIGNER = b"\x51" * 32
_CLAIM_PURPOSE, _ECDSA = 3, 1


@pytest.fixture
def world(rpc: RpcClient, tmp_path: Path) -> World:
    world = World(rpc, tmp_path)
    assert world.on_token("unpause") == OK
    return world


class TestClaims:
    @requirement("KYC-02")
    def test_an_expired_or_withdrawn_claim_refuses_purchases_and_allows_sales(self, world: World) -> None:
        assert world.attest("a", world.state.block_time + 2) == OK
        assert world.verdict(C, A) is None
        for _ in range(3):
            world.mine()
        assert world.verdict(C, A) is Refusal.INVESTOR_CLAIM_EXPIRED
        assert world.verdict(A, B) is None
        assert world.attest("a", FOREVER) == OK
        assert world.verdict(C, A) is None
        assert world.revoke("a", for_cause=False) == OK
        assert world.verdict(C, A) is Refusal.INVESTOR_NOT_VERIFIED
        assert world.verdict(A, B) is None

    @requirement("KYC-03")
    def test_the_removal_of_an_issuer_counts_in_the_next_block(self, world: World) -> None:
        issuer = address_of(CLAIM_ISSUER)
        assert world.state.issuers[issuer] == 1 << TOPIC
        assert world.verdict(A, B) is None
        data = interface("TrustedIssuersRegistry").encode("removeTrustedIssuer", issuer)
        assert world.act(world.suite["issuers"], data) == OK
        assert world.state.issuers[issuer] == 0
        assert world.verdict(A, B) is Refusal.INVESTOR_NOT_VERIFIED
        assert world.attest("b", FOREVER) != OK, "CLAIM_ISSUER_UNTRUSTED"
        data = interface("TrustedIssuersRegistry").encode("addTrustedIssuer", issuer, (TOPIC,))
        assert world.act(world.suite["issuers"], data) == OK
        assert world.verdict(A, B) is None

    @requirement("KYC-04")
    def test_sender_and_receiver_are_both_checked(self, world: World) -> None:
        stranger = b"\x77" * 20
        assert world.verdict(stranger, B, 0) is Refusal.SENDER_NOT_VERIFIED
        assert world.verdict(A, stranger) is Refusal.INVESTOR_NOT_VERIFIED
        assert world.revoke("a", for_cause=True) == OK
        assert world.verdict(A, B) is Refusal.SENDER_NOT_VERIFIED
        assert world.on_token("setAddressFrozen", C, True) == OK  # noqa: FBT003 - the contract's argument
        assert world.verdict(C, B) is Refusal.ACCOUNT_LEGAL_HOLD
        assert world.on_token("setAddressFrozen", C, False) == OK  # noqa: FBT003
        assert world.attest("c", world.state.block_time + 1) == OK
        for _ in range(3):
            world.mine()
        assert world.verdict(C, B) is None, "an expired claim does not stop a sale"


class TestIdentitiesThatAreContracts:
    def made(self, world: World) -> tuple[bytes, bytes]:
        """A claim issuer and, for account b, an identity; both managed by the funded account, neither admitted yet."""
        factory, key = world.suite["identities"], bytes.fromhex(world.funded[2:])
        encode = interface("IdentityFactory").encode
        salt = bytes(31) + b"\x01"
        assert world.call(factory, encode("createClaimIssuer", salt, key)) == OK
        assert world.call(factory, encode("createIdentities", (salt,), (key,))) == OK
        issuer, identity = (
            bytes(
                interface("IdentityFactory")
                .functions[function]
                .decode_output(self.ask(world, factory, encode(function, salt, key)))
            )
            for function in ("claimIssuerAddress", "identityAddress")
        )
        assert world.call(identity, interface("Identity").encode("initialize", salt, key)) == OK
        signer = keccak(address_of(_SIGNER).rjust(32, b"\0"))
        assert world.call(issuer, interface("ClaimIssuer").encode("addKey", signer, _CLAIM_PURPOSE, _ECDSA)) == OK
        trusted = interface("TrustedIssuersRegistry").encode("addTrustedIssuer", issuer, (TOPIC,))
        assert world.act(world.suite["issuers"], trusted) == OK
        bound = interface("IdentityRegistry").encode("updateIdentity", B, identity)
        assert world.act(world.suite["registry"], bound) == OK
        return issuer, identity

    def ask(self, world: World, target: bytes, data: bytes) -> bytes:
        answer = world.rpc.call("eth_call", {"to": "0x" + target.hex(), "data": "0x" + data.hex()}, "latest")
        return bytes.fromhex(str(answer)[2:])

    def admit(self, world: World, *addresses: bytes, admitted: bool = True) -> None:
        for address in addresses:
            code = bytes.fromhex(str(world.rpc.call("eth_getCode", "0x" + address.hex(), "latest"))[2:])
            data = interface("IdentityRegistry").encode("setCodeAdmitted", keccak(code), admitted)
            assert world.act(world.suite["registry"], data) == OK

    def claim(self, world: World, issuer: bytes, identity: bytes, until: int) -> bytes:
        """Add a claim to the identity, and return its data."""
        data = keccak(b"document") + until.to_bytes(32)
        words = identity.rjust(32, b"\0") + TOPIC.to_bytes(32) + (96).to_bytes(32) + len(data).to_bytes(32)
        digest = keccak(b"\x19Ethereum Signed Message:\n32" + keccak(words + data))
        arguments = (TOPIC, _ECDSA, issuer, sign(_SIGNER, digest), data, "")
        assert world.call(identity, interface("Identity").encode("addClaim", *arguments)) == OK
        return data

    def test_claims_of_admitted_code_are_worth_the_same_to_contract_and_venue(self, world: World) -> None:
        issuer, identity = self.made(world)
        self.admit(world, issuer, identity)
        assert world.verdict(A, B) is Refusal.INVESTOR_NOT_VERIFIED
        data = self.claim(world, issuer, identity, world.state.block_time + 4)
        assert world.verdict(A, B) is None
        for _ in range(5):
            world.mine()
        assert world.verdict(A, B) is Refusal.INVESTOR_CLAIM_EXPIRED
        data = self.claim(world, issuer, identity, FOREVER)
        assert world.verdict(A, B) is None
        world.compare()
        revoked = interface("ClaimIssuer").encode("revokeClaim", identity, TOPIC, data)
        assert world.call(issuer, revoked) == OK
        assert world.verdict(A, B) is Refusal.INVESTOR_NOT_VERIFIED
        self.claim(world, issuer, identity, FOREVER - 1)
        assert world.verdict(A, B) is None
        removed = interface("Identity").encode("removeClaim", keccak(issuer.rjust(32, b"\0") + TOPIC.to_bytes(32)))
        assert world.call(identity, removed) == OK
        assert world.verdict(A, B) is Refusal.INVESTOR_NOT_VERIFIED

    def test_claims_of_other_code_are_worth_nothing_at_the_venue(self, world: World) -> None:
        issuer, identity = self.made(world)
        self.claim(world, issuer, identity, FOREVER)
        assert identity not in world.state.notes
        assert world.state.verified_until(identity, world.state.block_time) == 0
