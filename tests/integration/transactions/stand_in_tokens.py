# SPDX-License-Identifier: Apache-2.0
"""Programs in the place of a vendor's PKCS#11 module: each runs in the process of a token."""

import os
import sys
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection

import msgspec
from coincurve import PrivateKey

from stoken.transactions.pkcs11_token import Answer, TokenPlace

SECRET, OTHER = b"\x51" * 32, b"\x52" * 32


def point(secret: bytes = SECRET) -> bytes:
    return b"\x04\x41" + PrivateKey(secret).public_key.format(compressed=False)


def sound(pipe: Connection, _place: TokenPlace, keys: Sequence[str]) -> None:
    """Sign whatever is asked."""
    _say(pipe, Answer(dict.fromkeys(keys, point())))
    while True:
        _say(pipe, Answer(signature=_signature(pipe)))


def of_another_key(pipe: Connection, _place: TokenPlace, keys: Sequence[str]) -> None:
    """Sign with another key than the one shown."""
    _say(pipe, Answer(dict.fromkeys(keys, point())))
    while True:
        _say(pipe, Answer(signature=_signature(pipe, OTHER)))


def hanging(pipe: Connection, _place: TokenPlace, keys: Sequence[str]) -> None:
    """Open, and then hang without end."""
    _say(pipe, Answer(dict.fromkeys(keys, point())))
    pipe.recv_bytes()
    time.sleep(600)


def never_opening(_pipe: Connection, _place: TokenPlace, _keys: Sequence[str]) -> None:
    """Hang when opened."""
    time.sleep(600)


def signing_once(pipe: Connection, _place: TokenPlace, keys: Sequence[str]) -> None:
    """Lose the session after one signature."""
    _say(pipe, Answer(dict.fromkeys(keys, point())))
    _say(pipe, Answer(signature=_signature(pipe)))
    pipe.recv_bytes()
    _say(pipe, Answer(failure="SessionHandleInvalid"))


def crashing(pipe: Connection, _place: TokenPlace, keys: Sequence[str]) -> None:
    """End without a word when asked to sign."""
    _say(pipe, Answer(dict.fromkeys(keys, point())))
    pipe.recv_bytes()
    os._exit(1)


def exchanged(pipe: Connection, place: TokenPlace, keys: Sequence[str]) -> None:
    """Come back with another key; the label of the place names the file that says whether it was away."""
    if not place.module.exists():
        place.module.touch()
        signing_once(pipe, place, keys)
    _say(pipe, Answer(dict.fromkeys(keys, point(OTHER))))
    _say(pipe, Answer(signature=_signature(pipe, OTHER)))


def changed_pin(pipe: Connection, place: TokenPlace, keys: Sequence[str]) -> None:
    """Come back with another PIN, and count in a file how often it was tried."""
    tried = place.module.read_text() if place.module.exists() else ""
    place.module.write_text(tried + "x")
    if not tried:
        signing_once(pipe, place, keys)
    _say(pipe, Answer(failure="PinIncorrect", final=True))


def _say(pipe: Connection, answer: Answer) -> None:
    pipe.send_bytes(msgspec.msgpack.encode(answer))


def _signature(pipe: Connection, secret: bytes = SECRET) -> bytes:
    try:
        _, digest = msgspec.msgpack.decode(pipe.recv_bytes(), type=tuple[str, bytes])
    except EOFError:
        sys.exit()
    return PrivateKey(secret).sign_recoverable(digest, hasher=None)[:64]
