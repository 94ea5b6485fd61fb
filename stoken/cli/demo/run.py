# SPDX-License-Identifier: Apache-2.0
"""Plays the whole job in seven steps, and judges what it saw."""

import time
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from rich.console import Console

from stoken.cli.demo import bypass, flow, issuing, law, scenes, stage, summary
from stoken.cli.demo.cast import assemble
from stoken.cli.demo.client import VenueClient
from stoken.cli.demo.desk import Desk
from stoken.cli.demo.play import DemoError, Phase, Play
from stoken.cli.demo.recount import Node

#: The market day of the demo, whatever the time is: a Tuesday, in Seoul.
_DAY: Final = datetime(2026, 12, 1, tzinfo=ZoneInfo("Asia/Seoul"))
_BEFORE_OPENING: Final = _DAY.replace(hour=8, minute=30)
_OPEN: Final = _DAY.replace(hour=9)
_CROWD_MIN: Final = 2


def run(
    *, json_file: Path | None, rpc_url: str | None, database_url: str | None, seed: int, investors: int, orders: int
) -> None:
    """Play the demo; raises DemoError where something was not seen that must be seen."""
    console = Console(highlight=False)
    started = time.perf_counter()
    cast = assemble(seed, max(investors, _CROWD_MIN))
    console.print("[bold]1[/] A chain is started, the contract suite deployed")
    with stage.build(cast, rpc_url, database_url) as scenery:
        node = Node(scenery.rpc_url, scenery.suite.deploy_block)
        desk = Desk(cast, scenery.suite.contracts, scenery.suite.chain_id, node.time())
        client = VenueClient(scenery.gateway_url, scenery.issuer, scenery.check)
        play = Play(cast, desk, client, node, console)
        play.phases.append(Phase("chain and suite", time.perf_counter() - started, 1))
        _prepare(play)
        trades = _trade(play, flow.plan(play, seed, orders))
        result = _read(play, trades) | {"restarts": scenery.restarts(), "phases": summary.phases(play)}
    summary.show(play, result)
    if json_file is not None:
        json_file.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n")
    _judge(result)
    console.print(f"All that must hold, holds. {time.perf_counter() - started:.0f} seconds in all.")


def _prepare(play: Play) -> None:
    investors = len(play.cast.investors)
    with play.step(1, "Gateway and worker start", "gateway and worker", 2):
        play.await_block(play.node.head())
    with play.step(2, "Two instruments are created and registered", "issue", 2):
        issuing.create_issues(play)
    with play.step(3, f"Brokers onboard {investors:,} investors", "onboarding", investors):
        issuing.onboard(play)
    with play.step(3, "Units are allotted; the entrustor's are locked up for twelve months", "allotment", 2):
        issuing.allot(play)
        issuing.revoke_sanctioned(play)
    with play.step(3, "Cash is paid in, and allocated to investors", "cash", investors):
        issuing.pay_in(play)
        issuing.admit(play)


def _trade(play: Play, pairs: list[flow.Pair]) -> list[dict[str, Any]]:
    with play.step(4, "Orders that must be refused are refused, by gateway and contracts", "refusals", 20):
        _set_clock(play, _BEFORE_OPENING)
        scenes.before_the_opening(play)
        _set_clock(play, _OPEN)
        for scene in scenes.OF_THE_DAY:
            scene(play)
        bypass.bypass(play)
    with play.step(5, f"{2 * len(pairs):,} orders meet in the book: equal prices trade", "orders", 2 * len(pairs)):
        flow.trade(play, pairs)
    with play.step(5, "Trades settle, units against cash, in batches", "settlement after the last order", len(pairs)):
        return flow.await_settlement(play)


def _read(play: Play, trades: list[dict[str, Any]]) -> dict[str, Any]:
    with play.step(6, "A record date is named, units are pledged, a court moves units", "acts of law", 3):
        date = law.record_date(play)
        law.pledge(play)
        law.forced_transfer(play)
    with play.step(6, "Registers are read, and counted again from the chain", "register and recount"):
        return summary.document(play, trades, law.owners_at(play, date))


def _set_clock(play: Play, moment: datetime) -> None:
    offset = int(moment.timestamp()) - int(time.time())
    play.client.post(play.institution("VENUE"), "/clock", {"offset_seconds": offset})


def _judge(result: dict[str, Any]) -> None:
    broken = [check["name"] for check in result["invariants"] if not check["holds"]]
    if broken:
        raise DemoError(f"broken: {', '.join(broken)}")
    if result["settled_trades"] != result["trades"]:
        raise DemoError(f"{result['trades'] - result['settled_trades']} trades did not settle")
