# SPDX-License-Identifier: Apache-2.0
"""`stoken contracts inspect`, `upgrade` and `rollback`: what stands on the chain, and the acts that change its code."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from stoken.chain import suite as suites
from stoken.chain.provenance import Inspected
from stoken.chain.rpc import RpcClient
from stoken.chain.suite import Suite
from stoken.chain.upgrades import Signatures, Terms, Upgrade
from stoken.cli.output import Json, emit, table
from stoken.settings import load_settings

_COLUMNS = ("name", "address", "implementation", "code_hash", "audit_expires_at")
_CHANGED = "A contract as `inspect` names it."
_HELP = "A contract as `inspect` names it, or `issues` for the code of issues to come."


def inspect(*, json: Json = False) -> None:
    """Show addresses, implementations, code hashes, owners and audits of the suite and of each issue."""
    from stoken.chain import provenance  # noqa: PLC0415 - only commands that ask the node load it

    with _suite() as (rpc, suite):
        contracts = [_shown(contract) for contract in provenance.inspect(rpc, suite)]
    emit({"contracts": contracts}, table(contracts, _COLUMNS), as_json=json)


Basis = Annotated[str, typer.Option(help="The legal basis: a code of at most 32 characters.")]
Document = Annotated[str, typer.Option(help="The hash of the decision's document, 32 bytes in hex.")]
Deadline = Annotated[int, typer.Option(help="Until when the act may be executed, in seconds since 1970.")]
Salt = Annotated[int, typer.Option(help="Tells equal acts apart.")]
Approval = Annotated[list[str] | None, typer.Option(help="A signature over the digest; twice, in the policy's order.")]
Vote = Annotated[list[str] | None, typer.Option(help="A member's signature over the vote's digest; one a member.")]


def upgrade(  # noqa: PLR0913 - an option each
    name: Annotated[str, typer.Argument(help=_HELP)],
    implementations: Annotated[list[str], typer.Argument(help="Deployed code; for `issues` token and compliance.")],
    *,
    compatibility: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="The compatibility test's report.")],
    basis: Basis,
    document: Document,
    deadline: Deadline,
    salt: Salt = 0,
    approval: Approval = None,
    vote: Vote = None,
    json: Json = False,
) -> None:
    """Prepare an upgrade: what two institutions and the members sign, and the calls that propose, vote and execute."""
    from stoken.chain import upgrades  # noqa: PLC0415 - only commands that ask the node load it

    codes = [_bytes(each, 20, "an implementation") for each in implementations]
    terms, signed = _terms(basis, document, salt, deadline), _signed(approval, vote)
    report = compatibility.read_bytes()
    with _suite() as (rpc, suite):
        prepared = upgrades.prepare(rpc, suite, name, codes, report, terms, signed)
    _show(prepared, as_json=json)


def rollback(
    name: Annotated[str, typer.Argument(help=_CHANGED)],
    *,
    basis: Basis,
    document: Document,
    deadline: Deadline,
    salt: Salt = 0,
    approval: Approval = None,
    vote: Vote = None,
    json: Json = False,
) -> None:
    """Prepare the way back to the code before the last upgrade, signed as an upgrade is; it waits hours, not days."""
    from stoken.chain import upgrades  # noqa: PLC0415 - only commands that ask the node load it

    terms, signed = _terms(basis, document, salt, deadline), _signed(approval, vote)
    with _suite() as (rpc, suite):
        prepared = upgrades.prepare_rollback(rpc, suite, name, terms, signed)
    _show(prepared, as_json=json)


def _terms(basis: str, document: str, salt: int, deadline: int) -> Terms:
    if len(basis.encode()) > 32 or not basis:  # noqa: PLR2004 - a word
        raise typer.BadParameter("the basis has 1 to 32 characters")
    return Terms(basis.encode().ljust(32, b"\0"), _bytes(document, 32, "the document"), salt, deadline)


def _signed(approvals: list[str] | None, votes: list[str] | None) -> Signatures:
    return Signatures(
        [_bytes(each, 65, "an approval") for each in approvals or []],
        [_bytes(each, 65, "a vote") for each in votes or []],
    )


def _show(prepared: Upgrade, *, as_json: bool) -> None:
    shown = _calls(prepared)
    lines = [f"{key:<10}{value}" for key, value in shown.items() if isinstance(value, str)]
    emit(shown, [*lines, *(f"{'vote':<10}{vote}" for vote in shown["votes"])], as_json=as_json)


@contextmanager
def _suite() -> Iterator[tuple[RpcClient, Suite]]:
    from stoken import bootstrap  # noqa: PLC0415 - loads the whole gateway, which help does not need

    settings = load_settings()
    suite = suites.load(settings.suite_file)
    rpc, capabilities = bootstrap.connect(settings)
    bootstrap.check_chain(suite, capabilities)
    with rpc:
        yield rpc, suite


def _shown(contract: Inspected) -> dict[str, str | int | bool]:
    return {key: f"0x{value.hex()}" if isinstance(value, bytes) else value for key, value in contract._asdict().items()}


def _calls(prepared: Upgrade) -> dict[str, str | list[str]]:
    return {
        "to": f"0x{prepared.authority.hex()}",
        "target": f"0x{prepared.act.target.hex()}",
        "data": f"0x{prepared.act.data.hex()}",
        "digest": f"0x{prepared.digest.hex()}",
        "ballot": f"0x{prepared.members.hex()}",
        "to_vote": f"0x{prepared.vote_digest.hex()}",
        "propose": f"0x{prepared.propose.hex()}" if prepared.propose else "needs two approvals of the digest",
        "execute": f"0x{prepared.execute.hex()}",
        "votes": [f"0x{vote.hex()}" for vote in prepared.votes],
    }


def _bytes(value: str, length: int, what: str) -> bytes:
    try:
        found = bytes.fromhex(value.removeprefix("0x"))
    except ValueError as error:
        raise typer.BadParameter(f"{what} is not hexadecimal") from error
    if len(found) != length:
        raise typer.BadParameter(f"{what} has {length} bytes, not {len(found)}")
    return found
