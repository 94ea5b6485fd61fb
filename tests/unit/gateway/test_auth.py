# SPDX-License-Identifier: Apache-2.0
"""Access tokens: what is taken, and everything that is refused."""

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256K1, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from stoken.domain.codes import Role
from stoken.errors import StartupError, UnauthenticatedError
from stoken.gateway.auth import TokenVerifier
from stoken.gateway.demo_issuer import DemoIssuer

LEI = "ZZZZ0000000000001665"
BROKER = Role.ACCOUNT_MANAGER


class Clock:
    """A clock that stands until a test moves it."""

    def __init__(self) -> None:
        self.seconds = 1_800_000_000

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def issuer(clock: Clock) -> DemoIssuer:
    return DemoIssuer.generate(clock)


@pytest.fixture
def verifier(issuer: DemoIssuer, clock: Clock) -> TokenVerifier:
    return TokenVerifier(issuer.public_pem, "stoken-demo", "stoken", clock)


def claims(clock: Clock, **changes: object) -> dict[str, Any]:
    now = clock.seconds
    good = {"iss": "stoken-demo", "aud": "stoken", "sub": "s", "lei": LEI, "roles": ["ACCOUNT_MANAGER"]}
    return {name: value for name, value in {**good, "iat": now, "exp": now + 60, **changes}.items() if value != ...}


def encode(issuer: DemoIssuer, payload: dict[str, Any]) -> str:
    return jwt.encode(payload, issuer.private_pem, algorithm="ES256")


def bad_claims() -> Iterator[dict[str, Any]]:
    for name in ("iss", "aud", "sub", "lei", "roles", "iat", "exp"):
        yield {name: ...}
    yield {"iss": "another"}
    yield {"aud": "another"}
    yield {"lei": "short"}
    yield {"lei": 7}
    yield {"roles": "ACCOUNT_MANAGER"}
    yield {"roles": ["KING"]}
    yield {"exp": 1_799_999_999}
    yield {"exp": 1_800_000_301}
    yield {"iat": 1_800_000_100, "exp": 1_800_000_300}
    yield {"exp": "soon"}


class TestVerify:
    def test_a_good_token_names_institution_and_roles(self, issuer: DemoIssuer, verifier: TokenVerifier) -> None:
        principal = verifier.verify("Bearer " + issuer.token(LEI, BROKER | Role.ISSUER, "alice"))
        assert principal.member == LEI.encode()
        assert principal.subject == "alice"
        assert principal.roles == BROKER | Role.ISSUER

    @pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer a.b.c", "Bearer \x00"])
    def test_no_token_is_refused(self, verifier: TokenVerifier, header: str | None) -> None:
        with pytest.raises(UnauthenticatedError):
            verifier.verify(header)

    @pytest.mark.parametrize("changes", list(bad_claims()), ids=str)
    def test_a_wrong_claim_is_refused(
        self, issuer: DemoIssuer, verifier: TokenVerifier, clock: Clock, changes: dict[str, Any]
    ) -> None:
        with pytest.raises(UnauthenticatedError):
            verifier.verify("Bearer " + encode(issuer, claims(clock, **changes)))

    def test_a_token_without_a_signature_is_refused(self, verifier: TokenVerifier, clock: Clock) -> None:
        with pytest.raises(UnauthenticatedError):
            verifier.verify("Bearer " + jwt.encode(claims(clock), None, algorithm="none"))

    def test_the_public_key_is_no_shared_secret(
        self, issuer: DemoIssuer, verifier: TokenVerifier, clock: Clock
    ) -> None:
        header, payload, _ = encode(issuer, claims(clock)).split(".")
        header = urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').rstrip(b"=").decode()
        key = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
        signature = urlsafe_b64encode(key.sign(f"{header}.{payload}".encode(), issuer.public_pem)).rstrip(b"=")
        with pytest.raises(UnauthenticatedError):
            verifier.verify(f"Bearer {header}.{payload}.{signature.decode()}")

    def test_another_kind_of_key_is_refused(self, verifier: TokenVerifier, clock: Clock) -> None:
        rsa = generate_rsa(65_537, 2_048)
        for token in (
            jwt.encode(claims(clock), rsa, algorithm="RS256"),
            jwt.encode(claims(clock), generate_private_key(SECP256K1()), algorithm="ES256K"),
            jwt.encode(claims(clock), generate_private_key(SECP256R1()), algorithm="ES256"),
        ):
            with pytest.raises(UnauthenticatedError):
                verifier.verify("Bearer " + token)

    def test_a_remembered_token_still_expires(self, issuer: DemoIssuer, verifier: TokenVerifier, clock: Clock) -> None:
        header = "Bearer " + issuer.token(LEI, BROKER, life_seconds=60)
        assert verifier.verify(header) is verifier.verify(header)
        clock.seconds += 60
        with pytest.raises(UnauthenticatedError):
            verifier.verify(header)

    def test_a_stored_key_issues_the_same_tokens(
        self, issuer: DemoIssuer, verifier: TokenVerifier, clock: Clock
    ) -> None:
        again = DemoIssuer.load(issuer.private_pem, clock)
        assert verifier.verify("Bearer " + again.token(LEI, BROKER)).lei == LEI


class TestConstruction:
    def test_a_key_of_another_curve_is_refused(self, clock: Clock) -> None:
        public = generate_private_key(SECP256K1()).public_key()
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        with pytest.raises(StartupError):
            TokenVerifier(pem, "i", "a", clock)
