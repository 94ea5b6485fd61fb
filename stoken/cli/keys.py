# SPDX-License-Identifier: Apache-2.0
"""`stoken keys`: the key policy, the record of its ceremonies, and approvals under it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from eth_hash.auto import keccak
from sqlalchemy import Engine

from stoken.bootstrap import open_databases
from stoken.chain import eip712
from stoken.chain import suite as suites
from stoken.chain.suite import Suite
from stoken.cli import key_files
from stoken.cli.output import Json, emit, table
from stoken.db import reading, schema, unit_of_work
from stoken.domain.codes import Custody, KeyAct
from stoken.errors import InvalidInputError, NotFoundError
from stoken.settings import load_settings
from stoken.transactions import key_policy
from stoken.transactions.key_gate import approval_payload
from stoken.transactions.key_policy import Ceremony
from stoken.transactions.keys import open_signers

app = typer.Typer(help="The key policy, its ceremonies, and approvals under it.", add_completion=False)

Draft = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The version, as `draft` prints it.")]
_HOLDERS = ("act", "required", "of", "key", "institution", "custody")
_CEREMONIES = ("version", "held_at", "recorded_at", "acts", "signers", "digest")
_SIGNATURE_BYTES = 65


@app.command()
def policy(*, json: Json = False) -> None:
    """Show the key policy in force: for each kind of act how many of which keys must approve."""
    past = _past()
    if not past:
        raise NotFoundError("no key policy is on record: acts need the approvals of the contracts alone")
    shown = key_files.document(past[-1].statement)
    rows = [
        {"act": name, "required": rule["required"], "of": len(rule["holders"]), **holder}
        for name, rule in shown["rules"].items()
        for holder in rule["holders"]
    ]
    emit({**shown, "digest": _hex(past[-1].digest)}, table(rows, _HOLDERS), as_json=json)


@app.command()
def ceremonies(*, json: Json = False) -> None:
    """Show every ceremony on record: who signed, which keys came and went, when, under which version.

    Signatures and order of all of them are checked first; 1 where the record is not what was signed.
    """
    past = _past()
    before: list[Ceremony | None] = [None, *past]
    shown = [_ceremony(last, each) for last, each in zip(before, past, strict=False)]
    lines = [line for each in shown for line in _lines(each)]
    emit({"ceremonies": shown}, [*table(shown, _CEREMONIES), "", *lines], as_json=json)


@app.command()
def draft(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Rules, document, held_at, deadline.")],
    *,
    json: Json = False,
) -> None:
    """Print the next version, to be given to those who sign it, with the version that it follows filled in."""
    with _database() as (engine, suite), reading(engine) as connection:
        version, previous = key_policy.following(key_policy.history(connection, _separator(suite)))
    statement = msgspec.structs.replace(key_files.read(file), version=version, previous=previous)
    shown = key_files.document(statement)
    emit(shown, [msgspec.json.format(msgspec.json.encode(shown)).decode()], as_json=json)


@app.command()
def sign(file: Draft, *, json: Json = False) -> None:
    """Sign a version with every key that STOKEN_SIGNER__* names, on whatever machine or module these are."""
    statement = key_files.read(file)
    payload = eip712.key_policy_payload(_separator(suites.load(load_settings().suite_file)), statement)
    signatures = _signed(payload)
    emit({"digest": _hex(keccak(payload)), "signatures": signatures}, signatures.values(), as_json=json)


@app.command()
def record(
    file: Draft,
    *,
    signature: Annotated[list[str], typer.Option(help="A signature of 65 bytes in hex; once for each key.")],
    json: Json = False,
) -> None:
    """Record a version, which is in force at once; the same version again changes nothing."""
    signatures = [_signature(each) for each in signature]
    statement = key_files.read(file)
    with _database() as (engine, suite), unit_of_work(engine) as connection:
        made = key_policy.record(connection, _separator(suite), statement, signatures, time.time_ns())
    lines = [f"version {statement.version} is in force: {_hex(made.digest)}"]
    emit({"version": statement.version, "digest": _hex(made.digest)}, lines, as_json=json)


@app.command()
def approve(
    request: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="An act as `POST /requests` takes it.")],
    *,
    tenant: Annotated[str, typer.Option(help="LEI of the institution that sends the request.")],
    deadline: Annotated[int, typer.Option(min=0, help="Until when it counts, in seconds since 1970.")],
    json: Json = False,
) -> None:
    """Approve a request with every key that STOKEN_SIGNER__* names: what belongs in its `key_approvals`."""
    from stoken.cli.key_requests import act_of  # noqa: PLC0415 - loads the whole gateway, which help does not need

    suite = suites.load(load_settings().suite_file)
    key, data, kind = act_of(request, tenant, suite["authority"])
    separator = eip712.domain(eip712.KEY_POLICY, suite.chain_id, suite["authority"])
    signatures = _signed(approval_payload(separator, key, data, deadline))
    given = [{"signature": each, "deadline": deadline} for each in signatures.values()]
    emit(
        {"act": kind, "key_approvals": given},
        [f"act: {kind}", msgspec.json.encode({"key_approvals": given}).decode()],
        as_json=json,
    )


@contextmanager
def _database() -> Iterator[tuple[Engine, Suite]]:
    settings = load_settings()
    suite = suites.load(settings.suite_file)
    engine, market = open_databases(settings)
    market.dispose()
    try:
        schema.check(engine)
        yield engine, suite
    finally:
        engine.dispose()


def _past() -> list[Ceremony]:
    with _database() as (engine, suite), reading(engine) as connection:
        return key_policy.history(connection, _separator(suite))


def _separator(suite: Suite) -> bytes:
    return eip712.domain(eip712.KEY_POLICY, suite.chain_id, suite["authority"])


def _signed(payload: bytes) -> dict[str, str]:
    signers = open_signers(load_settings().signer).values()
    return {_hex(each.address): _hex(each.sign(payload)) for each in signers}


def _signature(text: str) -> bytes:
    try:
        signature = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        signature = b""
    if len(signature) != _SIGNATURE_BYTES:
        raise InvalidInputError(f"a signature must be {_SIGNATURE_BYTES} bytes of hex", {"field": "signature"})
    return signature


def _ceremony(last: Ceremony | None, ceremony: Ceremony) -> dict[str, Any]:
    statement = ceremony.statement
    before, now = _keys(last), _keys(ceremony)
    acts = key_policy.changed_acts(None if last is None else last.statement, statement)
    return {
        "version": statement.version,
        "held_at": _instant(statement.held_at),
        "recorded_at": _instant(ceremony.recorded_at_ns // 1_000_000_000),
        "acts": " ".join(KeyAct(act).name.lower() for act in acts),
        "under_version": statement.version - 1,
        "document": _hex(statement.document),
        "signers": len(ceremony.signers),
        "signed_by": [{"key": _hex(each), **{**before, **now}[each]} for each in sorted(ceremony.signers)],
        "keys_added": [{"key": _hex(each), **now[each]} for each in sorted(now.keys() - before.keys())],
        "keys_removed": [{"key": _hex(each), **before[each]} for each in sorted(before.keys() - now.keys())],
        "digest": _hex(ceremony.digest),
    }


def _keys(ceremony: Ceremony | None) -> dict[bytes, dict[str, str]]:
    rules = () if ceremony is None else ceremony.statement.rules
    return {
        holder.key: {"institution": holder.institution.decode(), "custody": Custody(holder.custody).name.lower()}
        for rule in rules
        for holder in rule.holders
    }


def _lines(shown: dict[str, Any]) -> Iterator[str]:
    yield f"version {shown['version']}, under version {shown['under_version']}, minutes {shown['document']}"
    for what in ("signed_by", "keys_added", "keys_removed"):
        for each in shown[what]:
            yield f"  {what.replace('_', ' '):<13}{each['key']}  {each['institution']}  {each['custody']}"


def _instant(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _hex(value: bytes) -> str:
    return f"0x{value.hex()}"
