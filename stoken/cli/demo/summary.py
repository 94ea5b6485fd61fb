# SPDX-License-Identifier: Apache-2.0
"""Steps 6 and 7: registers, invariants recomputed from the chain, and the one document that says it all."""

from typing import Any, Final, NamedTuple

from eth_hash.auto import keccak
from rich.table import Table

from stoken.cli.demo.play import Play, Security
from stoken.cli.demo.recount import Count

_SETTLED: Final = "TradeSettled(bytes20,uint64,address,address,address,uint64,uint64,uint64,uint64)"

Json = dict[str, Any]


class Check(NamedTuple):
    """An invariant: two figures found in two ways, and whether they stand as they must."""

    name: str
    left: int
    right: int
    holds: bool


def document(play: Play, trades: list[Json]) -> Json:
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
        "invariants": [check._asdict() for check in _checks(play, instruments, counts, cash, number)],
        "phases": [{"name": p.name, "seconds": round(p.seconds, 3), "rate": round(p.rate, 1)} for p in play.phases],
    }


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
        found += [
            Check(f"{code}: units in the register = totalSupply", total, supply, total == supply),
            Check(
                f"{code}: minted - burned = units in the Transfer logs",
                count.minted - count.burned,
                sum(count.balances.values()),
                count.minted - count.burned == sum(count.balances.values()),
            ),
            Check(f"{code}: holders as counted = in the register", *_same(count.balances, register)),
            Check(
                f"{code}: minted <= registered", count.minted, item["registered"], count.minted <= item["registered"]
            ),
        ]
    held = sum(cash.balances.values())
    found.append(Check("cash: credited = held by the brokers", play.credited, held, play.credited == held))
    return found


def _same(left: dict[str, int], right: dict[str, int]) -> tuple[int, int, bool]:
    return len(left), len(right), left == right


def _settlement_transactions(play: Play, number: int) -> int:
    topic = "0x" + keccak(_SETTLED.encode()).hex()
    logs = play.node.logs(_hex(play.desk.suite["settlement"]), topic, number)
    return len({log["transactionHash"] for log in logs})


def show(play: Play, result: Json) -> None:
    """Print the document as a person reads it."""
    console = play.console
    console.print(f"\n[bold]As of block {result['head']['number']}[/] {result['head']['hash']}")
    for item in result["instruments"]:
        console.print(_register_table(item))
    refusals = Table("Refused with", "orders and requests", "by contracts", title="Refusals")
    for code in sorted({*result["orders"]["refusals"], *result["refused_by_contracts"]}):
        by_contract = result["refused_by_contracts"].get(code, 0)
        refusals.add_row(code, str(result["orders"]["refusals"].get(code, 0)), str(by_contract or ""))
    console.print(refusals)
    invariants = Table("Invariant", "left", "right", "", title="Recounted from the chain")
    for check in result["invariants"]:
        invariants.add_row(
            check["name"], f"{check['left']:,}", f"{check['right']:,}", "holds" if check["holds"] else "BROKEN"
        )
    console.print(invariants)
    console.print(
        f"{result['orders']['accepted']:,} orders accepted, {sum(result['orders']['refusals'].values())} refused; "
        f"{result['trades']:,} trades, {result['settled_trades']:,} settled in "
        f"{result['settlement_transactions']:,} transactions."
    )


_SHOWN: Final = 5


def _register_table(item: Json) -> Table:
    lines = sorted(item["register"], key=lambda line: -line["units"])
    table = Table("Holder", "units", title=f"Register of {item['isin']} ({len(lines)} holders)")
    for line in lines[:_SHOWN]:
        table.add_row(line["address"], f"{line['units']:,}")
    if len(lines) > _SHOWN:
        table.add_row(f"… {len(lines) - _SHOWN} more", f"{sum(line['units'] for line in lines[_SHOWN:]):,}")
    table.add_section()
    table.add_row(f"all, of {item['registered']:,} registered", f"{sum(line['units'] for line in lines):,}")
    return table


def _hex(value: bytes) -> str:
    return "0x" + value.hex()
