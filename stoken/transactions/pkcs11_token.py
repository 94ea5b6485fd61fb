# SPDX-License-Identifier: Apache-2.0
"""A PKCS#11 token in a process of its own: what hangs or crashes in a vendor's module is ended, and opened again."""

import signal
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from stoken.transactions.signer import SignerError

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    import pkcs11

#: Time for one signature, with all that has to be opened again for it.
TIMEOUT_SECONDS: Final = 5.0
_KILL_SECONDS: Final = 1.0


class TokenPlace(NamedTuple):
    """Where a token is, and what opens it."""

    module: Path
    label: str
    pin: str


class TokenRefusedError(SignerError):
    """The token refuses for a reason that trying again can only make worse, such as its PIN."""


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """What the token's process says: its keys' points, a signature, or why there is none."""

    points: dict[str, bytes] = {}
    signature: bytes = b""
    failure: str = ""
    final: bool = False


#: What runs in the process: its end of the pipe, the token, the labels of its keys.
Serve = Callable[[Connection, TokenPlace, Sequence[str]], None]


class Token:
    """The process, started when first asked and again after each failure; one thread at a time may ask."""

    def __init__(
        self, place: TokenPlace, keys: Sequence[str], serve: Serve | None = None, seconds: float = TIMEOUT_SECONDS
    ) -> None:
        """Take the token, its keys' labels, and how long one signature may take; nothing is started yet."""
        self._place = place
        self._keys = tuple(keys)
        self._serve = serve or serve_token
        self.seconds = seconds
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._points: Mapping[str, bytes] = {}
        self._refusal: str = ""

    @property
    def process_id(self) -> int | None:
        """The process, while one runs."""
        return None if self._process is None else self._process.pid

    def points(self) -> Mapping[str, bytes]:
        """Open the token and return CKA_EC_POINT of each key; SignerError where it does not open in time."""
        self._start(time.monotonic() + self.seconds)
        return self._points

    def sign(self, key: str, digest: bytes) -> bytes:
        """Return r and s over a digest; SignerError where the token gives none in time.

        A session that was lost meanwhile is opened again, once and within the same time.
        """
        deadline = time.monotonic() + self.seconds
        lost = self._process is not None
        try:
            return self._ask(key, digest, deadline)
        except TokenRefusedError:
            raise
        except SignerError:
            if not lost or time.monotonic() >= deadline:
                raise
        return self._ask(key, digest, deadline)

    def close(self) -> None:
        """End the process, also one that hangs."""
        if self._process is not None:
            self._process.kill()
            self._process.join(_KILL_SECONDS)
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None

    def _ask(self, key: str, digest: bytes, deadline: float) -> bytes:
        pipe = self._pipe or self._start(deadline)
        return self._exchange(pipe, msgspec.msgpack.encode((key, digest)), deadline).signature

    def _start(self, deadline: float) -> Connection:
        if self._refusal:
            raise TokenRefusedError(self._refusal)
        self.close()
        # A fork would take the database's and the node's connections along.
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        self._process = context.Process(target=self._serve, args=(theirs, self._place, self._keys), daemon=True)
        self._process.start()
        theirs.close()
        self._pipe = ours
        points = self._exchange(ours, None, deadline).points
        if self._points and points != self._points:
            self.close()
            raise SignerError(f"the token {self._place.label} holds other keys than when it was opened first")
        self._points = points
        return ours

    def _exchange(self, pipe: Connection, question: bytes | None, deadline: float) -> Answer:
        answer = self._answer(pipe, question, deadline)
        if answer.final:
            self._refusal = answer.failure
        if answer.failure:
            self.close()
            raise (TokenRefusedError if answer.final else SignerError)(answer.failure)
        return answer

    def _answer(self, pipe: Connection, question: bytes | None, deadline: float) -> Answer:
        """Exchange one message; an Answer with a failure where the process ended or does not answer in time."""
        try:
            if question is not None:
                pipe.send_bytes(question)
            if not pipe.poll(max(0.0, deadline - time.monotonic())):
                return Answer(failure=f"the token {self._place.label} does not answer in time")
            return msgspec.msgpack.decode(pipe.recv_bytes(), type=Answer)
        except (EOFError, OSError, msgspec.DecodeError) as error:
            return Answer(failure=f"the process of the token {self._place.label} ended: {type(error).__name__}")


def serve_token(pipe: Connection, place: TokenPlace, keys: Sequence[str]) -> None:
    """Open the token, send its keys' points, and sign until the other end is closed or something fails."""
    import pkcs11  # noqa: PLC0415 - needed in this process alone

    # An interrupt at the terminal is the worker's to handle.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        session = _open(place)
        signing = {key: session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=key) for key in keys}
        public = {key: session.get_key(object_class=pkcs11.ObjectClass.PUBLIC_KEY, label=key) for key in keys}
        points = {key: bytes(each[pkcs11.Attribute.EC_POINT]) for key, each in public.items()}
        pipe.send_bytes(msgspec.msgpack.encode(Answer(points)))
        while True:
            key, digest = msgspec.msgpack.decode(pipe.recv_bytes(), type=tuple[str, bytes])
            pipe.send_bytes(msgspec.msgpack.encode(Answer(signature=_sign(signing[key], digest))))
    except pkcs11.PKCS11Error as error:
        refused = (pkcs11.PinIncorrect, pkcs11.PinLocked, pkcs11.PinExpired, pkcs11.PinInvalid, pkcs11.PinLenRange)
        said = f"the token {place.label}: {type(error).__name__} {error}".rstrip()
        pipe.send_bytes(msgspec.msgpack.encode(Answer(failure=said, final=isinstance(error, refused))))
    except (EOFError, OSError):
        return


def _open(place: TokenPlace) -> "pkcs11.Session":
    import pkcs11  # noqa: PLC0415 - needed in this process alone

    return pkcs11.lib(str(place.module)).get_token(token_label=place.label).open(user_pin=place.pin)


def _sign(key: Any, digest: bytes) -> bytes:  # noqa: ANN401 - the library's classes differ by what a key may do
    import pkcs11  # noqa: PLC0415 - needed in this process alone

    return bytes(key.sign(digest, mechanism=pkcs11.Mechanism.ECDSA))
