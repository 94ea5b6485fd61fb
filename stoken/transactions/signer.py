# SPDX-License-Identifier: Apache-2.0
"""Who signs transactions: by default a key from an encrypted keystore, decrypted once at start."""

import json
import os
from pathlib import Path
from typing import Protocol

from eth_hash.auto import keccak

from stoken.chain.signatures import address_of, load_key, recover, sign
from stoken.chain.transactions import legacy_fields, signed_legacy, signing_payload
from stoken.errors import StartupError, UnavailableError


class SignerError(UnavailableError):
    """A signer does not answer, or not by its key: nothing is stored, and the decision waits."""

    code = "SIGNER_UNAVAILABLE"
    title = "The signer does not answer as it must."


class Signer(Protocol):
    """Signs for one sender; it never sees a database, a node or a nonce's meaning."""

    @property
    def address(self) -> bytes:
        """The sender."""

    def sign(self, payload: bytes) -> bytes:
        """Return r, s and v (27 or 28) over the keccak hash of the payload; SignerError where that takes too long."""


def sign_transaction(
    signer: Signer, nonce: int, gas: int, to: bytes, data: bytes, chain_id: int
) -> tuple[bytes, bytes]:
    """Return a signed transaction and its hash.

    SignerError unless the signature has a low s and is by the sender's key.
    """
    fields = legacy_fields(nonce, gas, to, data)
    payload = signing_payload(fields, chain_id)
    signature = signer.sign(payload)
    if recover(keccak(payload), signature) != signer.address:
        raise SignerError(f"what signs for 0x{signer.address.hex()} has another key, or a high s")
    return signed_legacy(fields, signature, chain_id)


class KeystoreSigner:
    """A key in memory, read from an encrypted keystore (Web3 Secret Storage v3)."""

    def __init__(self, secret: bytes) -> None:
        """Take the decrypted key."""
        self._key = load_key(secret)
        self._address = address_of(self._key)

    @classmethod
    def open(cls, path: Path, password: str) -> "KeystoreSigner":
        """Decrypt a keystore; raises StartupError in one line where file or password are wrong."""
        from eth_account import Account  # noqa: PLC0415 - slow to import, and needed once

        try:
            secret = Account.decrypt(json.loads(path.read_text()), password)
        except OSError as error:
            raise StartupError(f"the keystore {path} cannot be read: {error.strerror}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise StartupError(f"the keystore {path} does not open with this password") from error
        return cls(bytes(secret))

    @property
    def address(self) -> bytes:
        """The sender."""
        return self._address

    def sign(self, payload: bytes) -> bytes:
        """Return r, s and v over the keccak hash of the payload."""
        return sign(self._key, keccak(payload))


def create_keystore(path: Path, secret: bytes, password: str, work_factor: int | None = None) -> None:
    """Write an encrypted keystore, readable by its owner alone; an existing file is never overwritten.

    A `work_factor` below that of scrypt's usual 2**18 opens faster, and is for keys that are thrown away.
    """
    from eth_account import Account  # noqa: PLC0415 - slow to import, and needed once

    content = json.dumps(Account.encrypt(secret, password, iterations=work_factor))
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise StartupError(f"the keystore {path} exists: it is not overwritten") from error
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
