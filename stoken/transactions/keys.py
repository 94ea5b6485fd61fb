# SPDX-License-Identifier: Apache-2.0
"""The sender keys that the settings name, opened once at start."""

from collections.abc import Iterator
from pathlib import Path

from stoken.errors import StartupError
from stoken.settings import SignerSettings
from stoken.transactions.pkcs11 import open_pkcs11
from stoken.transactions.pkcs11_token import TokenPlace
from stoken.transactions.remote import open_remote
from stoken.transactions.signer import KeystoreSigner, Signer

_ADDRESS_BYTES = 20
_DIGEST_BYTES = 32


def open_signers(settings: SignerSettings) -> dict[bytes, Signer]:
    """Return the signers by address, in the settings' order.

    Raises StartupError in one line where a key does not open, where none is named, or one is named twice.
    """
    signers: dict[bytes, Signer] = {}
    for signer in _signers(settings):
        if signer.address in signers:
            raise StartupError(f"the key 0x{signer.address.hex()} is named twice")
        signers[signer.address] = signer
    if not signers:
        raise StartupError("STOKEN_SIGNER__KEYSTORE_FILE and STOKEN_SIGNER__PASSWORD are not set: who sends?")
    return signers


def retired_keys(settings: SignerSettings) -> frozenset[bytes]:
    """Return the addresses of keys that only finish what they carry; StartupError for what is no address."""
    return frozenset(parse_address(text, "STOKEN_SIGNER__RETIRED") for text in settings.retired)


def founding_policy(settings: SignerSettings) -> bytes | None:
    """Return the digest that the key policy must begin with; StartupError for what is no digest."""
    if settings.key_policy is None:
        return None
    digest = _bytes(settings.key_policy)
    if len(digest) != _DIGEST_BYTES:
        raise StartupError(f"STOKEN_SIGNER__KEY_POLICY is {settings.key_policy}, which is no digest of 32 bytes")
    return digest


def parse_address(text: str, setting: str) -> bytes:
    """Read an address of a setting; StartupError for what is none."""
    address = _bytes(text)
    if len(address) != _ADDRESS_BYTES:
        raise StartupError(f"{setting} names {text}, which is no address")
    return address


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        return b""


def _signers(settings: SignerSettings) -> Iterator[Signer]:
    files = (*((settings.keystore_file,) if settings.keystore_file else ()), *settings.keystore_files)
    if settings.password is not None:
        for path in files:
            yield KeystoreSigner.open(path, settings.password.get_secret_value())
    if settings.remote_url is not None:
        yield from open_remote(
            settings.remote_url,
            [parse_address(text, "STOKEN_SIGNER__REMOTE_ADDRESSES") for text in settings.remote_addresses],
        )
    if settings.pkcs11_module is not None:
        place = TokenPlace(settings.pkcs11_module, settings.pkcs11_token, _pin(settings.pkcs11_pin_file))
        yield from open_pkcs11(place, settings.pkcs11_keys)


def _pin(path: Path | None) -> str:
    if path is None:
        raise StartupError("STOKEN_SIGNER__PKCS11_PIN_FILE is not set: with which PIN does the token open?")
    try:
        return path.read_text().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise StartupError(f"the PIN file {path} cannot be read: {type(error).__name__}") from error
