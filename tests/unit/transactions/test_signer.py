# SPDX-License-Identifier: Apache-2.0
"""The keystore is encrypted, private, and opens with its password alone."""

from pathlib import Path

import pytest

from stoken.chain.signatures import address_of
from stoken.chain.transactions import sign_legacy
from stoken.errors import StartupError
from stoken.transactions.signer import KeystoreSigner, create_keystore, sign_transaction

SECRET = b"\x33" * 32


@pytest.fixture(scope="module")
def keystore(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "sender.json"
    create_keystore(path, SECRET, "correct horse")
    return path


class TestKeystoreSigner:
    def test_it_signs_as_the_key_does(self, keystore: Path) -> None:
        signer = KeystoreSigner.open(keystore, "correct horse")
        assert signer.address == address_of(SECRET)
        assert sign_transaction(signer, 1, 21_000, b"", b"", 5) == sign_legacy(SECRET, 1, 21_000, b"", b"", 5)

    def test_a_wrong_password_is_one_clear_line(self, keystore: Path) -> None:
        with pytest.raises(StartupError, match="does not open with this password"):
            KeystoreSigner.open(keystore, "wrong")

    def test_a_missing_file_is_one_clear_line(self, tmp_path: Path) -> None:
        with pytest.raises(StartupError, match="cannot be read"):
            KeystoreSigner.open(tmp_path / "none.json", "")

    def test_something_else_than_a_keystore_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "other.json").write_text("{}")
        with pytest.raises(StartupError, match="does not open"):
            KeystoreSigner.open(tmp_path / "other.json", "")


class TestCreateKeystore:
    def test_only_its_owner_may_read_it(self, keystore: Path) -> None:
        assert keystore.stat().st_mode & 0o777 == 0o600

    def test_the_key_is_not_in_it(self, keystore: Path) -> None:
        assert SECRET.hex() not in keystore.read_text()

    def test_an_existing_one_is_not_overwritten(self, keystore: Path) -> None:
        with pytest.raises(StartupError, match="is not overwritten"):
            create_keystore(keystore, SECRET, "x")
