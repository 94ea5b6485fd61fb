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
#: In the place of an index: each item of an array of structs.
_ALL: Final = -1


class Text(NamedTuple):
    """An argument that can hold text: its path, as `act.data`, and how to find it among the decoded arguments."""

    path: str
    at: tuple[int, ...]


class _Checked(NamedTuple):
    function: Function
    texts: tuple[Text, ...]


def check(to: bytes, data: bytes, names: Collection[str] | None = None) -> None:
    """Raise PII_ON_CHAIN_FORBIDDEN where a transaction carries what may be text; an empty `to` creates a contract.

    With `names` only these are names and symbols of issues; without, any of the right form.
    """
    if to or not data:
        _check_call(data, names)
    else:
        _check_creation(data, names)


def texts_of(parameters: Collection[Mapping[str, Any]]) -> Iterator[Text]:
    """Yield the arguments of an ABI's function or event that can hold text."""
    for at, parameter in enumerate(parameters):
        kind, name = str(parameter["type"]), str(parameter["name"])
        if kind.startswith("tuple"):
            each = (_ALL,) * kind.count("[")
            for inner in texts_of(parameter["components"]):
                yield Text(f"{name}.{inner.path}", (at, *each, *inner.at))
        elif _TEXT.fullmatch(kind):
            yield Text(name, (at,))


def _check_call(data: bytes, names: Collection[str] | None) -> None:
    if not data:
        return
    known = _functions().get(data[:4])
    if known is None:
        _refuse("call", f"0x{data[:4].hex()} is no function of the suite")
    try:
        arguments = known.function.decode_call(data)
    except CodecError as error:
        _refuse(known.function.name, str(error))
    if known.function.encode(*arguments) != data:
        _refuse(known.function.name, "is followed by bytes that no argument names")
    _check_texts(known.function.name, known.texts, arguments, names)


def _check_creation(data: bytes, names: Collection[str] | None) -> None:
    for name in artifacts.names():
        artifact = artifacts.load(name)
        if not artifact.bytecode or not data.startswith(artifact.bytecode):
            continue
        inputs: list[Any] = next((entry["inputs"] for entry in artifact.abi if entry["type"] == "constructor"), [])
        coder, encoded = Interface(artifact.abi).constructor, data[len(artifact.bytecode) :]
        arguments = coder.decode(encoded, 0)
        if coder.encode(arguments) != encoded:
            _refuse(name, "is followed by bytes that no argument names")
        _check_texts("constructor", tuple(texts_of(inputs)), arguments, names)
        return
    _refuse("creation", "is no contract of the suite")


def _check_texts(function: str, texts: Collection[Text], arguments: Any, names: Collection[str] | None) -> None:  # noqa: ANN401 - decoded
    for text in texts:
        form = FUNCTIONS[function][text.path]
        for value in _values(arguments, text.at):
            if form is Form.CALL:
                _check_call(value, names)
            elif not _CHECKS[form](value, names):
                _refuse(f"{function}.{text.path}", f"must be {form}")


def _values(arguments: Any, at: tuple[int, ...]) -> Iterator[Any]:  # noqa: ANN401 - decoded
    """Yield the values of an argument, each item of an array."""
    if not at:
        if isinstance(arguments, tuple):
            for item in arguments:
                yield from _values(item, at)
        else:
            yield arguments
        return
    head, *rest = at
    for item in arguments if head == _ALL else (arguments[head],):
        yield from _values(item, tuple(rest))


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
                found.setdefault(function.selector, _Checked(function, tuple(texts_of(entry["inputs"]))))
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
