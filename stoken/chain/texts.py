# SPDX-License-Identifier: Apache-2.0
"""What text a transaction may carry: every `string` and `bytes` of the suite's functions has one of a few forms.

Whatever is written on the chain every node keeps for ever, so no person may be named in it. Calldata is decoded by the
suite's own interfaces, acts within acts included; what these do not know, or what has another form, is not signed.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple, NoReturn

from stoken.chain import artifacts
from stoken.chain.codec import CodecError, Function, Interface
from stoken.chain.shapes import Found, Shape, read_texts, shape_of
from stoken.domain.refusals import Refusal
from stoken.errors import RefusedError


class Form(StrEnum):
    """The forms of text, and why each names nobody."""

    SIGNATURE = "65 bytes that recover a key, or none"
    CALL = "calldata of the suite, looked at in the same way, or none"
    REFERENCE = "urn:sha256: and 64 hexadecimal digits, or nothing"
    CLAIM = "a hash and a time in 64 bytes, or a reference"
    ISSUE_NAME = "name or symbol of an issue, as its public issue file has it"
    REASON = "revert data, which the contracts' own errors make"
    DERIVED = "what an earlier call of this table wrote"


_F = Form
_SIGNED: Final = MappingProxyType({"signature": _F.SIGNATURE})
_TWICE: Final = MappingProxyType({"accountSignature": _F.SIGNATURE, "partySignature": _F.SIGNATURE})
_EACH: Final = MappingProxyType({"signatures": _F.SIGNATURE})
_WRITTEN: Final = MappingProxyType({"signature": _F.DERIVED, "data": _F.DERIVED, "uri": _F.DERIVED})

_SIGNING: Final = (
    *("anchor", "attest", "cancel", "cancelOrder", "credit", "debit", "holdAccount", "move", "openAccount", "pay"),
    *("proposeMember", "registerProposed", "revoke", "suspendNetwork", "vote", "voteAct", "voteMember"),
)
_BATCHES: Final = (
    *("holdBatch", "instruct", "instructAll", "instructEach", "setKeys", "setNodes"),
    *("settleAll", "settleBatch", "settleNet"),
)

#: By function and argument; a function without text is not here.
FUNCTIONS: Final[Mapping[str, Mapping[str, Form]]] = {
    **dict.fromkeys(_SIGNING, _SIGNED),
    **dict.fromkeys(_BATCHES, _EACH),
    **dict.fromkeys(("encumber", "moveMarked", "releaseSigned"), _TWICE),
    # Of Authority; RegisteredQuantity has a `propose` with a signature.
    "execute": {"act.data": _F.CALL, "approvals": _F.SIGNATURE},
    "propose": {"act.data": _F.CALL, "approvals": _F.SIGNATURE, "signature": _F.SIGNATURE},
    "settleConfirmed": {**_EACH, "confirmationSignatures": _F.SIGNATURE},
    "registerAccounts": {"managerSignature": _F.SIGNATURE, "attestation": _F.SIGNATURE},
    "addClaim": {"signature": _F.SIGNATURE, "data": _F.CLAIM, "uri": _F.REFERENCE},
    "revokeClaim": {"data": _F.CLAIM},
    "createIssue": {"params.name": _F.ISSUE_NAME, "params.symbol": _F.ISSUE_NAME},
    "initialize": {"name_": _F.ISSUE_NAME, "symbol_": _F.ISSUE_NAME},
    "setName": {"name_": _F.ISSUE_NAME},
    "setSymbol": {"symbol_": _F.ISSUE_NAME},
    "setDocument": {"uri": _F.REFERENCE},
    "upgradeToAndCall": {"data": _F.CALL},
    # Of the proxy.
    "constructor": {"_data": _F.CALL},
}
#: By event and argument: what is emitted came in by a function above.
EVENTS: Final[Mapping[str, Mapping[str, Form]]] = {
    **dict.fromkeys(("ClaimAdded", "ClaimChanged", "ClaimRemoved"), _WRITTEN),
    "DocumentUpdated": {"uri": _F.DERIVED},
    "DocumentRemoved": {"uri": _F.DERIVED},
    "InstructionFailed": {"reason": _F.REASON},
    "TradeFailed": {"reason": _F.REASON},
    "UpdatedTokenInformation": {"newName": _F.DERIVED, "newSymbol": _F.DERIVED, "newVersion": _F.DERIVED},
}

_REFERENCE: Final = re.compile(r"urn:sha256:[0-9a-f]{64}")
#: Few digits in a row: no number of a person, account or telephone has so few.
_NAME: Final = re.compile(r"(?!.*[0-9]{5})[A-Za-z0-9][A-Za-z0-9 .,&()'/-]{0,127}")
_TEXT: Final = re.compile(r"(string|bytes)(\[\d*\])*")
_SIGNATURE_LENGTH: Final = 65
_STATEMENT_LENGTH: Final = 64
_SELECTOR: Final = 4


class _Checked(NamedTuple):
    name: str
    shape: Shape


def check(to: bytes, data: bytes, names: Collection[str] | None = None) -> None:
    """Raise PII_ON_CHAIN_FORBIDDEN where a transaction carries what may be text; an empty `to` creates a contract.

    With `names` only these are names and symbols of issues; without, any of the right form.
    """
    if to or not data:
        _check_call(data, names)
    else:
        _check_creation(data, names)


def texts_of(parameters: Collection[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the paths, as `act.data`, of the arguments of an ABI's function or event that can hold text."""
    for parameter in parameters:
        kind, name = str(parameter["type"]), str(parameter["name"])
        if kind.startswith("tuple"):
            for inner in texts_of(parameter["components"]):
                yield f"{name}.{inner}"
        elif _TEXT.fullmatch(kind):
            yield name


def _check_call(data: bytes, names: Collection[str] | None) -> None:
    if not data:
        return
    known = _functions().get(data[:_SELECTOR])
    if known is None:
        _refuse("call", f"0x{data[:_SELECTOR].hex()} is no function of the suite")
    _check_texts(known.name, _texts(known.name, known.shape, data, _SELECTOR), names)


def _check_creation(data: bytes, names: Collection[str] | None) -> None:
    for name in artifacts.names():
        artifact = artifacts.load(name)
        if not artifact.bytecode or not data.startswith(artifact.bytecode):
            continue
        inputs: list[Any] = next((entry["inputs"] for entry in artifact.abi if entry["type"] == "constructor"), [])
        found = _texts(name, shape_of(inputs), data, len(artifact.bytecode))
        _check_texts("constructor", found, names)
        return
    _refuse("creation", "is no contract of the suite")


def _texts(name: str, shape: Shape, data: bytes, at: int) -> Found:
    try:
        return read_texts(shape, data, at)
    except CodecError as error:
        _refuse(name, str(error))


def _check_texts(function: str, found: Found, names: Collection[str] | None) -> None:
    for path, value in found:
        form = FUNCTIONS[function][path]
        if form is Form.CALL:
            _check_call(value, names)
        elif not _CHECKS[form](value, names):
            _refuse(f"{function}.{path}", f"must be {form}")


def _is_signature(value: bytes, _: Collection[str] | None) -> bool:
    return not value or (len(value) == _SIGNATURE_LENGTH and value[-1] in {27, 28})


def _is_reference(value: str, _: Collection[str] | None) -> bool:
    return not value or bool(_REFERENCE.fullmatch(value))


def _is_claim(value: bytes, _: Collection[str] | None) -> bool:
    if len(value) == _STATEMENT_LENGTH:
        return int.from_bytes(value[32:]) < 2**40
    return bool(_REFERENCE.fullmatch(value.decode("ascii", errors="replace")))


def _is_name(value: str, names: Collection[str] | None) -> bool:
    return bool(_NAME.fullmatch(value)) and (names is None or value in names)


_CHECKS: Final[Mapping[Form, Callable[[Any, Collection[str] | None], bool]]] = {
    Form.SIGNATURE: _is_signature,
    Form.REFERENCE: _is_reference,
    Form.CLAIM: _is_claim,
    Form.ISSUE_NAME: _is_name,
}


@cache
def _functions() -> dict[bytes, _Checked]:
    found: dict[bytes, _Checked] = {}
    for name in artifacts.names():
        interface = Interface(artifacts.load(name).abi)
        for entry in artifacts.load(name).abi:
            if entry["type"] == "function" and entry["stateMutability"] not in {"view", "pure"}:
                function = next(each for each in interface.functions.values() if _is_entry(each, entry))
                found.setdefault(function.selector, _Checked(function.name, shape_of(entry["inputs"])))
    return found


def _is_entry(function: Function, entry: Mapping[str, Any]) -> bool:
    return function.name == entry["name"] and function.signature == _signature(entry)


def _signature(entry: Mapping[str, Any]) -> str:
    return f"{entry['name']}({','.join(map(_type, entry['inputs']))})"


def _type(parameter: Mapping[str, Any]) -> str:
    kind = str(parameter["type"])
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(map(_type, parameter['components']))}){kind.removeprefix('tuple')}"


def _refuse(field: str, reason: str) -> NoReturn:
    raise RefusedError(Refusal.PII_ON_CHAIN_FORBIDDEN, f"{field} {reason}", {"field": field})
