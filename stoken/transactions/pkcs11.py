# SPDX-License-Identifier: Apache-2.0
"""Keys that never leave a security module: it signs a digest, and low s, v and the signer are ours to make sure of."""

from collections.abc import Iterator, Sequence

from eth_hash.auto import keccak

from stoken.chain.signatures import address_of_point, complete
from stoken.errors import StartupError
from stoken.transactions.pkcs11_token import Token, TokenPlace
from stoken.transactions.signer import SignerError


class Pkcs11Signer:
    """One key of a token, named there by its label."""

    def __init__(self, token: Token, label: str, address: bytes) -> None:
        """Take the token that holds the key, and the address that the key is to have."""
        self._token = token
        self._label = label
        self._address = address

    @property
    def address(self) -> bytes:
        """The sender."""
        return self._address

    def sign(self, payload: bytes) -> bytes:
        """Return r, s and v over the keccak hash of the payload; SignerError where the token gives none in time."""
        digest = keccak(payload)
        signature = complete(digest, self._token.sign(self._label, digest), self._address)
        if not signature:
            raise SignerError(f"what the token signs with {self._label} is not by 0x{self._address.hex()}")
        return signature


def open_pkcs11(place: TokenPlace, labels: Sequence[str], token: Token | None = None) -> Iterator[Pkcs11Signer]:
    """Yield the signers of these keys; StartupError where the token does not open, or a key is none of secp256k1."""
    opened = token or Token(place, labels)
    try:
        points = opened.points()
    except SignerError as error:
        raise StartupError(f"no keys from the PKCS#11 module {place.module}: {error}") from error
    for label in labels:
        address = address_of_point(points.get(label, b""))
        if not address:
            raise StartupError(f"the key {label} on the token {place.label} is no key of secp256k1")
        yield Pkcs11Signer(opened, label, address)
