# SPDX-License-Identifier: Apache-2.0
"""Keys on a PKCS#11 token: what hangs, dies or comes back otherwise stores nothing and holds up nobody."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stoken.chain.signatures import address_of
from stoken.chain.transactions import sign_legacy
from stoken.errors import StartupError
from stoken.transactions.pkcs11 import Pkcs11Signer, open_pkcs11
from stoken.transactions.pkcs11_token import Serve, Token, TokenPlace, TokenRefusedError
from stoken.transactions.signer import SignerError, sign_transaction
from tests.integration.transactions import stand_in_tokens as stand_ins

LABEL = "sender"
TO = b"\x01" * 20


class Opened:
    """A signer over a stand-in, and the token it asks."""

    def __init__(self, serve: Serve, module: Path = Path("module"), seconds: float = 5) -> None:
        place = TokenPlace(module, "venue", "1234")
        self.token = Token(place, [LABEL], serve, seconds)
        self.signer: Pkcs11Signer
        (self.signer,) = open_pkcs11(place, [LABEL], self.token)

    def sign(self) -> tuple[bytes, bytes]:
        return sign_transaction(self.signer, 1, 21_000, TO, b"data", 5)


@pytest.fixture
def tokens() -> Iterator[list[Token]]:
    """Tokens to be closed after the test."""
    opened: list[Token] = []
    yield opened
    for token in opened:
        token.close()


class TestSign:
    def test_its_transaction_is_that_of_the_key(self, tokens: list[Token]) -> None:
        opened = Opened(stand_ins.sound)
        tokens.append(opened.token)
        assert opened.signer.address == address_of(stand_ins.SECRET)
        assert opened.sign() == sign_legacy(stand_ins.SECRET, 1, 21_000, TO, b"data", 5)

    def test_a_signature_by_another_key_is_an_unavailable_signer(self, tokens: list[Token]) -> None:
        opened = Opened(stand_ins.of_another_key)
        tokens.append(opened.token)
        with pytest.raises(SignerError, match="is not by 0x") as raised:
            opened.sign()
        assert raised.value.retryable

    def test_a_session_that_was_lost_is_opened_again(self, tokens: list[Token]) -> None:
        opened = Opened(stand_ins.signing_once)
        tokens.append(opened.token)
        first = opened.token.process_id
        assert opened.sign() == opened.sign()
        assert opened.token.process_id != first

    def test_a_module_that_crashes_each_time_is_an_unavailable_signer(self, tokens: list[Token]) -> None:
        opened = Opened(stand_ins.crashing)
        tokens.append(opened.token)
        with pytest.raises(SignerError, match="ended"):
            opened.sign()

    def test_a_token_that_hangs_is_left_at_the_deadline(self, tokens: list[Token]) -> None:
        opened = Opened(stand_ins.hanging)
        tokens.append(opened.token)
        opened.token.seconds = 0.2
        process, started = opened.token.process_id, time.monotonic()
        with pytest.raises(SignerError, match="in time"):
            opened.sign()
        assert time.monotonic() - started < 3
        assert opened.token.process_id is None
        with pytest.raises(ProcessLookupError):
            os.kill(process or 0, 0)

    def test_another_key_under_the_same_label_is_not_taken(self, tokens: list[Token], tmp_path: Path) -> None:
        opened = Opened(stand_ins.exchanged, tmp_path / "away")
        tokens.append(opened.token)
        opened.sign()
        with pytest.raises(SignerError, match="other keys"):
            opened.sign()

    def test_a_pin_that_is_refused_is_tried_once(self, tokens: list[Token], tmp_path: Path) -> None:
        opened = Opened(stand_ins.changed_pin, tmp_path / "tries")
        tokens.append(opened.token)
        opened.sign()
        for _ in range(3):
            with pytest.raises(TokenRefusedError, match="PinIncorrect"):
                opened.sign()
        assert (tmp_path / "tries").read_text() == "xx"


class TestOpenPkcs11:
    def test_a_token_that_does_not_open_in_time_is_one_clear_line(self) -> None:
        with pytest.raises(StartupError, match="in time"):
            Opened(stand_ins.never_opening, seconds=0.2)

    def test_a_module_that_is_none_is_one_clear_line(self, tmp_path: Path) -> None:
        place = TokenPlace(tmp_path / "none.so", "venue", "1234")
        with pytest.raises(StartupError, match=r"none\.so"):
            list(open_pkcs11(place, [LABEL]))
