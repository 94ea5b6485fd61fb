# SPDX-License-Identifier: Apache-2.0
"""Which keys the settings name."""

from pathlib import Path

import pytest

from stoken.chain.signatures import address_of
from stoken.errors import StartupError
from stoken.settings import SignerSettings
from stoken.transactions.keys import founding_policy, open_signers, retired_keys
from stoken.transactions.signer import create_keystore

FIRST, SECOND = b"\x41" * 32, b"\x42" * 32


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, secret in (("first", FIRST), ("second", SECOND)):
        create_keystore(tmp_path / name, secret, "x", work_factor=2)
    return tmp_path


class TestOpenSigners:
    def test_every_keystore_is_a_key_in_the_settings_order(self, folder: Path) -> None:
        settings = SignerSettings(keystore_file=folder / "first", keystore_files=(folder / "second",), password="x")
        assert list(open_signers(settings)) == [address_of(FIRST), address_of(SECOND)]

    def test_a_key_named_twice_is_refused(self, folder: Path) -> None:
        settings = SignerSettings(keystore_file=folder / "first", keystore_files=(folder / "first",), password="x")
        with pytest.raises(StartupError, match="named twice"):
            open_signers(settings)

    def test_without_a_key_there_is_no_start(self) -> None:
        with pytest.raises(StartupError, match="who sends"):
            open_signers(SignerSettings())

    def test_a_token_without_its_pin_is_one_clear_line(self) -> None:
        with pytest.raises(StartupError, match="PKCS11_PIN_FILE is not set"):
            open_signers(SignerSettings(pkcs11_module=Path("module.so"), pkcs11_keys=("sender",)))

    def test_a_pin_that_cannot_be_read_is_one_clear_line(self, tmp_path: Path) -> None:
        settings = SignerSettings(
            pkcs11_module=Path("module.so"), pkcs11_pin_file=tmp_path / "none", pkcs11_keys=("sender",)
        )
        with pytest.raises(StartupError, match=r"PIN file .* cannot be read"):
            open_signers(settings)


class TestRetiredKeys:
    def test_they_are_addresses(self) -> None:
        assert retired_keys(SignerSettings(retired=("0x" + "11" * 20,))) == {b"\x11" * 20}

    @pytest.mark.parametrize("text", ["0x11", "me"])
    def test_anything_else_is_refused(self, text: str) -> None:
        with pytest.raises(StartupError, match="no address"):
            retired_keys(SignerSettings(retired=(text,)))


class TestFoundingPolicy:
    def test_it_is_a_digest(self) -> None:
        assert founding_policy(SignerSettings(key_policy="0x" + "11" * 32)) == b"\x11" * 32
        assert founding_policy(SignerSettings()) is None

    @pytest.mark.parametrize("text", ["0x11", "", "mine"])
    def test_anything_else_is_refused(self, text: str) -> None:
        with pytest.raises(StartupError, match="no digest"):
            founding_policy(SignerSettings(key_policy=text))
