# SPDX-License-Identifier: Apache-2.0
"""A key at a remote signer with the HTTP API of Web3Signer: payloads go there, signatures come back."""

from collections.abc import Iterable, Iterator
from typing import Final

import httpx
from eth_hash.auto import keccak

from stoken.errors import StartupError
from stoken.transactions.signer import SignerError

TIMEOUT_SECONDS: Final = 5
_OK: Final = 200
_PUBLIC_KEY_BYTES: Final = 64
_SIGNATURE_BYTES: Final = 65


class RemoteSigner:
    """One key of a remote signer, named there by its public key."""

    def __init__(self, client: httpx.Client, identifier: str, address: bytes) -> None:
        """Take the client with the signer's address as its base."""
        self._client = client
        self._identifier = identifier
        self._address = address

    @property
    def address(self) -> bytes:
        """The sender."""
        return self._address

    def sign(self, payload: bytes) -> bytes:
        """Return r, s and v over the keccak hash of the payload; SignerError where the signer gives none in time."""
        path = f"/api/v1/eth1/sign/{self._identifier}"
        try:
            answer = self._client.post(path, json={"data": f"0x{payload.hex()}"})
        except httpx.HTTPError as error:
            raise SignerError(f"no answer from the remote signer: {type(error).__name__}") from error
        if answer.status_code != _OK:
            raise SignerError(f"the remote signer answers HTTP {answer.status_code}")
        signature = _bytes(answer.text.strip().strip('"'))
        if len(signature) != _SIGNATURE_BYTES:
            raise SignerError("the remote signer answers with something else than a signature")
        return signature


def open_remote(
    url: str, addresses: Iterable[bytes], transport: httpx.BaseTransport | None = None
) -> Iterator[RemoteSigner]:
    """Yield the signers of these addresses; StartupError where the remote signer does not answer or lacks a key."""
    client = httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS, trust_env=False, transport=transport)
    try:
        answer = client.get("/api/v1/eth1/publicKeys")
        names = answer.json() if answer.status_code == _OK else None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise StartupError(f"no list of keys from the remote signer at {url}: {type(error).__name__}") from error
    if not isinstance(names, list):
        raise StartupError(f"the remote signer at {url} answers HTTP {answer.status_code} instead of its keys")
    known = {_address(str(name)): str(name) for name in names}
    for address in addresses:
        if address not in known:
            raise StartupError(f"the remote signer at {url} has no key 0x{address.hex()}")
        yield RemoteSigner(client, known[address], address)


def _address(public_key: str) -> bytes:
    key = _bytes(public_key)[-_PUBLIC_KEY_BYTES:]
    return keccak(key)[12:] if len(key) == _PUBLIC_KEY_BYTES else b""


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        return b""
