# SPDX-License-Identifier: Apache-2.0
"""Access tokens: who calls, for which institution, in which roles."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from stoken.domain.codes import Role
from stoken.errors import StartupError, UnauthenticatedError

ALGORITHM: Final = "ES256"
LIFE_SECONDS_MAX: Final = 300
_CACHED_MAX: Final = 10_000
_CLAIMS: Final = ("exp", "iat", "iss", "aud", "sub", "lei", "roles")


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever calls: a subject acting for one institution."""

    subject: str
    lei: str
    roles: Role
    expires_at: int

    @property
    def member(self) -> bytes:
        """The institution's id on chain."""
        return self.lei.encode()


class TokenVerifier:
    """Verifies ES256 tokens of one issuer; a verified token is remembered by its hash until it expires."""

    def __init__(self, public_key_pem: bytes, issuer: str, audience: str, clock: Callable[[], float]) -> None:
        """Take the issuer's public key (P-256, PEM); `clock` returns seconds UTC."""
        key = load_pem_public_key(public_key_pem)
        if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
            raise StartupError("the access-token key is not a P-256 public key")
        self._key = key
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._verified: dict[bytes, Principal] = {}

    def verify(self, authorization: str | None) -> Principal:
        """Return the principal of an Authorization header, or raise UnauthenticatedError."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise UnauthenticatedError
        digest = sha256(token.encode()).digest()
        principal = self._verified.get(digest)
        if principal is None:
            principal = self._decode(token)
            self._remember(digest, principal)
        if principal.expires_at <= self._clock():
            self._verified.pop(digest, None)
            raise UnauthenticatedError("the access token has expired")
        return principal

    def _decode(self, token: str) -> Principal:
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=[ALGORITHM],
                issuer=self._issuer,
                audience=self._audience,
                # The times are compared with our own clock below and on every later use.
                options={"require": list(_CLAIMS), "verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
        except jwt.PyJWTError as error:
            raise UnauthenticatedError(f"the access token is not valid: {error}") from error
        return self._principal(claims)

    def _principal(self, claims: dict[str, Any]) -> Principal:
        issued_at, expires_at = claims["iat"], claims["exp"]
        if type(issued_at) is not int or type(expires_at) is not int:
            raise UnauthenticatedError("the access token's times are not integers")
        if expires_at - issued_at > LIFE_SECONDS_MAX or issued_at > self._clock() + 1:
            raise UnauthenticatedError(f"an access token lives at most {LIFE_SECONDS_MAX} seconds")
        return Principal(str(claims["sub"]), _lei(claims["lei"]), _roles(claims["roles"]), expires_at)

    def _remember(self, digest: bytes, principal: Principal) -> None:
        if len(self._verified) >= _CACHED_MAX:
            now = self._clock()
            self._verified = {key: kept for key, kept in self._verified.items() if kept.expires_at > now}
        if len(self._verified) < _CACHED_MAX:
            self._verified[digest] = principal


def _lei(claim: object) -> str:
    if not isinstance(claim, str) or len(claim) != 20 or not claim.isascii():  # noqa: PLR2004 - an LEI's length
        raise UnauthenticatedError("the access token names no institution")
    return claim


def _roles(claim: object) -> Role:
    if not isinstance(claim, list):
        raise UnauthenticatedError("the access token's roles are not a list")
    roles = Role(0)
    for name in claim:
        if name not in Role.__members__:
            raise UnauthenticatedError("the access token names an unknown role")
        roles |= Role[name]
    return roles
