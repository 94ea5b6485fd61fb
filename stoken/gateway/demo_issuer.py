# SPDX-License-Identifier: Apache-2.0
"""Issues access tokens for the demo and the tests; in production an OIDC provider does."""

from collections.abc import Callable
from typing import Self

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from stoken.domain.codes import Role
from stoken.gateway.auth import ALGORITHM, LIFE_SECONDS_MAX


class DemoIssuer:
    """A token issuer with one P-256 key."""

    def __init__(self, key: EllipticCurvePrivateKey, issuer: str, audience: str, clock: Callable[[], float]) -> None:
        """Take the signing key, what tokens are to name, and a clock in seconds UTC."""
        self._key = key
        self._issuer = issuer
        self._audience = audience
        self._clock = clock

    @classmethod
    def generate(cls, clock: Callable[[], float], issuer: str = "stoken-demo", audience: str = "stoken") -> Self:
        """Return an issuer with a fresh key."""
        return cls(generate_private_key(SECP256R1()), issuer, audience, clock)

    @classmethod
    def load(
        cls, pem: bytes, clock: Callable[[], float], issuer: str = "stoken-demo", audience: str = "stoken"
    ) -> Self:
        """Return an issuer with a stored key."""
        key = load_pem_private_key(pem, password=None)
        if not isinstance(key, EllipticCurvePrivateKey):
            raise TypeError("not an elliptic-curve key")
        return cls(key, issuer, audience, clock)

    @property
    def public_pem(self) -> bytes:
        """The public key that the gateway verifies with."""
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    @property
    def private_pem(self) -> bytes:
        """The private key, unencrypted: the demo's alone."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def token(self, lei: str, roles: Role, subject: str = "demo", life_seconds: int = LIFE_SECONDS_MAX) -> str:
        """Return an access token for an institution in its roles."""
        now = int(self._clock())
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": subject,
            "lei": lei,
            "roles": [role.name for role in Role if role in roles],
            "iat": now,
            "exp": now + life_seconds,
        }
        return jwt.encode(claims, self._key, algorithm=ALGORITHM)
