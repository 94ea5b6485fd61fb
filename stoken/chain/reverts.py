# SPDX-License-Identifier: Apache-2.0
"""Why a contract refused: revert data decoded by selector, never by a hand-kept map of numbers."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from eth_hash.auto import keccak

from stoken.chain import artifacts
from stoken.chain.codec import CodecError, Coder, Error, Interface, Value, coder
from stoken.chain.rpc import NodeError
from stoken.domain.refusals import REFUSALS, Refusal, error_name
from stoken.errors import ContractRevertedError

_SELECTOR: Final = 4
_BY_ERROR: Final = {
    error_name(refusal): refusal for refusal, meaning in REFUSALS.items() if meaning.arguments is not None
}


class Revert(NamedTuple):
    """A decoded revert: the custom error and its arguments; `refusal` where the error is one."""

    error: str
    arguments: Mapping[str, Value]
    refusal: Refusal | None = None

    @property
    def code(self) -> str:
        """The code that every channel shows."""
        return ContractRevertedError.code if self.refusal is None else self.refusal.value

    def to_error(self) -> ContractRevertedError:
        """Return the exception for this revert, bytes shown as hex."""
        details = {name: _shown(value) for name, value in self.arguments.items()}
        return ContractRevertedError(self.error, details, None if self.refusal is None else self.refusal.value)


def decode_revert(data: bytes) -> Revert:
    """Decode revert data; what no artifact knows is named by its selector."""
    if not data:
        return Revert("EmptyRevert", {})
    error = _errors().get(data[:_SELECTOR])
    if error is None:
        return Revert("UnknownError", {"data": data})
    try:
        arguments = error.decode(data)
    except CodecError:
        return Revert("MalformedRevert", {"data": data})
    return Revert(error.name, arguments, _BY_ERROR.get(error.name))


def encode_refusal(refusal: Refusal, arguments: Sequence[Value]) -> bytes:
    """Return the data with which the contracts revert for this refusal; ValueError where they know no such error."""
    selector, inputs = _coding(refusal)
    return selector + inputs.encode(tuple(arguments))


@lru_cache(maxsize=len(Refusal))
def _coding(refusal: Refusal) -> tuple[bytes, Coder]:
    declared = REFUSALS[refusal].arguments
    if declared is None:
        raise ValueError(f"{refusal.value} is no error of a contract")
    parameters = _parameters(declared)
    selector = keccak(f"{error_name(refusal)}({','.join(each['type'] for each in parameters)})".encode())[:_SELECTOR]
    return selector, coder({"type": "tuple", "components": parameters})


def revert_of(error: NodeError) -> Revert | None:
    """Return what a node's error to a call or an estimate reverted with; None where it is no revert."""
    data = error.data.get("data") if isinstance(error.data, dict) else error.data  # anvil and geth, or nested
    if isinstance(data, str) and data.startswith("0x"):
        return decode_revert(bytes.fromhex(data[2:]))
    return Revert("EmptyRevert", {}) if "revert" in error.rpc_message.lower() else None


@lru_cache(maxsize=1)
def _errors() -> dict[bytes, Error]:
    known = _refusals() | _builtin()
    for name in artifacts.names():
        known |= Interface(artifacts.load(name).abi).errors
    return known


def _refusals() -> dict[bytes, Error]:
    return Interface(
        [
            {"type": "error", "name": error_name(refusal), "inputs": _parameters(meaning.arguments)}
            for refusal, meaning in REFUSALS.items()
            if meaning.arguments is not None
        ]
    ).errors


def _builtin() -> dict[bytes, Error]:
    return Interface(
        [
            {"type": "error", "name": "Error", "inputs": _parameters("string message")},
            {"type": "error", "name": "Panic", "inputs": _parameters("uint256 code")},
        ]
    ).errors


def _parameters(arguments: str) -> list[dict[str, Any]]:
    pairs = (argument.split() for argument in arguments.split(",") if argument)
    return [{"type": kind, "name": name} for kind, name in pairs]


def _shown(value: Value) -> str | int | bool | None:
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    return value if isinstance(value, str | int | bool) else str(value)
