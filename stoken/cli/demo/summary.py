# SPDX-License-Identifier: Apache-2.0
"""Steps 6 and 7: registers, invariants recomputed from the chain, and the one document that says it all."""

from typing import Any, Final, NamedTuple

from eth_hash.auto import keccak
from rich.box import SIMPLE_HEAD
from rich.table import Table

from stoken.cli.demo.play import Play, Security
from stoken.cli.demo.recount import Count

#: Holders of a register that are printed; the document holds all.
_SHOWN: Final = 5
_SETTLED: Final = "TradeSettled(bytes20,uint64,address,address,address,uint64,uint64,uint64,uint64)"

Json = dict[str, Any]


class Check(NamedTuple):
    """An invariant: two figures found in two ways, and whether they stand as they must."""

    name: str
    left: int
    right: int
    holds: bool


def document(play: Play, trades: list[Json], owners: tuple[int, int]) -> Json:
    """Read registers and cash as of the head, count them again from the chain, and put all in one document."""
    number, block_hash = play.node.head()
    play.await_block((number, block_hash))
    counts = {code: play.node.count(_hex(item.token), number) for code, item in play.securities.items()}
    cash = play.node.count(_hex(play.desk.suite["deposit"]), number)
    instruments = [_instrument(play, item, number) for item in play.securities.values()]
    return {
        "chain_id": play.desk.chain_id,
        "head": {"number": number, "hash": block_hash},
        "contracts": {name: _hex(address) for name, address in sorted(play.desk.suite.items())},
        "instruments": instruments,
        "orders": {"accepted": play.accepted, "refusals": dict(sorted(play.refusals.items()))},
        "refused_by_contracts": dict(sorted(play.chain_refusals.items())),
        "trades": len(trades),
        "settled_trades": sum(trade["status"] == "settled" for trade in trades),
        "settlement_transactions": _settlement_transactions(play, number),
        "cash": dict(sorted(cash.balances.items())),
        "invariants": [
            check._asdict() for check in [*_checks(play, instruments, counts, cash, number), _owners(owners)]
        ],
    }


def phases(play: Play) -> list[Json]:
    """Return how long each part took, and how many things it did a second."""
    return [{"name": p.name, "seconds": round(p.seconds, 3), "rate": round(p.rate, 1)} for p in play.phases]


def _instrument(play: Play, security: Security, number: int) -> Json:
    registrar, isin = play.institution("REGISTRAR"), security.issue.isin
    terms = next(item for item in play.client.get(registrar, "/instruments") if item["isin"] == isin)
    today = play.node.seoul_date()
    return {
        "isin": isin,
        "token": _hex(security.token),
        "registered": int(terms["registered"]),
        "minted": int(terms["minted"]),
        "register": _lines(play.client.get(registrar, f"/register/{isin}", block=number)),
        "record_date": today.isoformat(),
        "record_date_register": _lines(play.client.get(registrar, f"/register/{isin}", date=today)),
    }


def _lines(register: Json) -> list[Json]:
    return [{"address": line["account"], "units": int(line["units"])} for line in register["holdings"]]


def _checks(play: Play, instruments: list[Json], counts: dict[str, Count], cash: Count, number: int) -> list[Check]:
    found = []
    for (code, count), item in zip(counts.items(), instruments, strict=True):
        register = {line["address"]: line["units"] for line in item["register"]}
        total, supply = sum(register.values()), play.node.supply(item["token"], number)
        moved, issued = sum(count.balances.values()), count.minted - count.burned
        found += [
            Check(f"{code} register = totalSupply", total, supply, total == supply),
            Check(f"{code} minted - burned = logs", issued, moved, issued == moved),
            Check(f"{code} holdings = in the logs", *_same(register, count.balances)),
            Check(f"{code} minted <= registered", count.minted, item["registered"], count.minted <= item["registered"]),
        ]
    held = sum(cash.balances.values())
    found.append(Check("cash credited = cash held", play.credited, held, play.credited == held))
    return found


def _owners(owners: tuple[int, int]) -> Check:
    units, supply = owners
    return Check("owners at record date = supply", units, supply, units == supply)


def _same(left: dict[str, int], right: dict[str, int]) -> tuple[int, int, bool]:
    return len(left), len(right), left == right


def _settlement_transactions(play: Play, number: int) -> int:
    topic = "0x" + keccak(_SETTLED.encode()).hex()
    logs = play.node.logs(_hex(play.desk.suite["settlement"]), topic, number)
    return len({log["transactionHash"] for log in logs})


def show(play: Play, result: Json) -> None:
    """Print the document as a person reads it."""
    console = play.console
    console.print("[bold]7[/] Summary")
    console.print(f"\nBlock {result['head']['number']} {result['head']['hash']}", highlight=False)
    for code, item in zip(play.securities, result["instruments"], strict=True):
        console.print(_register_table(code, item))
    console.print(_refusals_table(result))
    console.print(_invariants_table(result))
    console.print(_phases_table(result))
    refused = sum(result["orders"]["refusals"].values())
    console.print(
        f"{result['orders']['accepted']:,} orders accepted, {refused} orders and requests refused;\n"
        f"{result['trades']:,} trades, {result['settled_trades']:,} of them settled, "
        f"in {result['settlement_transactions']:,} transactions.",
        highlight=False,
    )


def _register_table(code: str, item: Json) -> Table:
    lines = sorted(item["register"], key=lambda line: -line["units"])
    table = _table(f"Register of {code} ({item['isin']})", "Holder", "units")
    for line in lines[:_SHOWN]:
        table.add_row(line["address"], f"{line['units']:,}")
    if len(lines) > _SHOWN:
        table.add_row(f"… {len(lines) - _SHOWN:,} more", f"{sum(line['units'] for line in lines[_SHOWN:]):,}")
    table.add_section()
    table.add_row(_totals("as of this block", lines), f"{item['minted']:,}")
    at_date = item["record_date_register"]
    table.add_row(_totals(f"as of {item['record_date']}", at_date), f"{sum(line['units'] for line in at_date):,}")
    table.add_row("registered with the registrar", f"{item['registered']:,}")
    return table


def _totals(when: str, lines: list[Json]) -> str:
    return f"{len(lines):,} holders {when}"


def _refusals_table(result: Json) -> Table:
    by_gateway, by_contracts = result["orders"]["refusals"], result["refused_by_contracts"]
    table = _table("Refused, as must be", "Reason", "to the sender", "by a contract")
    for code in sorted({*by_gateway, *by_contracts}):
        table.add_row(code, str(by_gateway.get(code, "")), str(by_contracts.get(code, "")))
    return table


def _invariants_table(result: Json) -> Table:
    table = _table("Counted again from the chain", "Invariant", "left", "right", "")
    for check in result["invariants"]:
        verdict = "holds" if check["holds"] else "[bold red]BROKEN[/]"
        table.add_row(check["name"], f"{check['left']:,}", f"{check['right']:,}", verdict)
    return table


def _phases_table(result: Json) -> Table:
    table = _table("Time", "Phase", "seconds", "a second")
    for phase in result["phases"]:
        table.add_row(phase["name"], f"{phase['seconds']:,.1f}", f"{phase['rate']:,.1f}")
    return table


def _table(title: str, first: str, *figures: str) -> Table:
    table = Table(first, title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    for name in figures:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _hex(value: bytes) -> str:
    return "0x" + value.hex()
