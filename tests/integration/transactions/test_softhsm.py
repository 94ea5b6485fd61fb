# SPDX-License-Identifier: Apache-2.0
"""SoftHSM2 in the place of a security module: what it signs, the chain takes."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_hash.auto import keccak

from stoken.chain.signatures import recover
from stoken.errors import StartupError
from stoken.settings import SignerSettings
from stoken.transactions.keys import open_signers
from stoken.transactions.outbox import Outbox
from stoken.transactions.pkcs11 import Pkcs11Signer, open_pkcs11
from stoken.transactions.pkcs11_token import Token, TokenPlace, TokenRefusedError
from stoken.transactions.signer import SignerError
from tests.integration.transactions import softhsm
from tests.integration.transactions.write_path import WritePath

MODULE = softhsm.find_module()
pytestmark = pytest.mark.skipif(
    MODULE is None,
    reason="SoftHSM2 is not installed: apt-get install softhsm2, or name its module in STOKEN_TEST_PKCS11_MODULE",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the token's files are."""
    assert MODULE is not None
    made = tmp_path_factory.mktemp("softhsm")
    softhsm.make_token(MODULE, made)
    (made / "pin").write_text(f"{softhsm.PIN}\n")
    return made


@pytest.fixture
def place(folder: Path, monkeypatch: pytest.MonkeyPatch) -> TokenPlace:
    assert MODULE is not None
    monkeypatch.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
    return TokenPlace(MODULE, softhsm.TOKEN, softhsm.PIN)


@pytest.fixture
def token(place: TokenPlace) -> Iterator[Token]:
    made = Token(place, softhsm.KEYS)
    yield made
    made.close()


@pytest.fixture
def signers(place: TokenPlace, token: Token) -> list[Pkcs11Signer]:
    return list(open_pkcs11(place, softhsm.KEYS, token))


class TestPkcs11Signer:
    def test_its_signatures_have_a_low_s_and_are_by_the_key(self, signers: list[Pkcs11Signer]) -> None:
        # Of 40 signatures of a token about half have a high s.
        payloads = [bytes((at,)) for at in range(20)]
        for signer in signers:
            found = {recover(keccak(payload), signer.sign(payload)) for payload in payloads}
            assert found == {signer.address}

    def test_its_transactions_reach_the_chain(self, path: WritePath, signers: list[Pkcs11Signer]) -> None:
        keys = {signer.address: signer for signer in signers}
        path.sender = signers[0].address
        path.outbox = Outbox(keys, path.capabilities.chain_id, check=lambda _to, _data: None)
        path.take_over()
        path.enqueue("one")
        path.settle()
        assert path.row("one").status == "mined"
        assert path.nonce_on_chain() == 1

    def test_a_module_that_died_is_started_again(self, token: Token, signers: list[Pkcs11Signer]) -> None:
        assert token.process_id is not None
        os.kill(token.process_id, signal.SIGKILL)
        assert recover(keccak(b"x"), signers[0].sign(b"x")) == signers[0].address

    def test_a_token_that_comes_back_signs_again(self, folder: Path, token: Token, signers: list[Pkcs11Signer]) -> None:
        token.close()
        (folder / "tokens").rename(folder / "away")
        (folder / "tokens").mkdir()
        with pytest.raises(SignerError, match="NoSuchToken"):
            signers[0].sign(b"x")
        (folder / "tokens").rmdir()
        (folder / "away").rename(folder / "tokens")
        assert recover(keccak(b"x"), signers[0].sign(b"x")) == signers[0].address


class TestOpenPkcs11:
    @pytest.mark.parametrize(
        ("change", "said"),
        [({"label": "nobody's"}, "NoSuchToken"), ({"pin": "9999"}, "PinIncorrect")],
        ids=["no such token", "wrong PIN"],
    )
    def test_what_does_not_open_is_one_clear_line(self, place: TokenPlace, change: dict[str, str], said: str) -> None:
        with pytest.raises(StartupError, match=said):
            list(open_pkcs11(place._replace(**change), softhsm.KEYS))

    def test_a_wrong_pin_is_tried_once(self, place: TokenPlace) -> None:
        token = Token(place._replace(pin="9999"), softhsm.KEYS)
        for _ in range(2):
            with pytest.raises(TokenRefusedError, match="PinIncorrect"):
                token.points()
            assert token.process_id is None

    def test_a_label_without_a_key_is_one_clear_line(self, place: TokenPlace) -> None:
        with pytest.raises(StartupError, match="NoSuchKey"):
            list(open_pkcs11(place, ["nobody's"]))

    def test_a_key_of_another_curve_is_refused(self, place: TokenPlace) -> None:
        with pytest.raises(StartupError, match="no key of secp256k1"):
            list(open_pkcs11(place, [softhsm.OTHER_CURVE]))

    def test_the_settings_open_it(self, place: TokenPlace, folder: Path, signers: list[Pkcs11Signer]) -> None:
        settings = SignerSettings(
            pkcs11_module=place.module,
            pkcs11_token=softhsm.TOKEN,
            pkcs11_pin_file=folder / "pin",
            pkcs11_keys=softhsm.KEYS,
        )
        assert list(open_signers(settings)) == [signer.address for signer in signers]
