# SPDX-License-Identifier: Apache-2.0
"""The demo's market, ready to trade: a real chain, suite, gateway and worker, investors with units and cash."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from typing import Final
from zoneinfo import ZoneInfo

from rich.console import Console

from benchmarks.report import expect
from stoken.chain.rpc import RpcClient
from stoken.cli.demo import issuing, stage
from stoken.cli.demo.cast import Investor, assemble
from stoken.cli.demo.client import VenueClient
from stoken.cli.demo.desk import Desk, Ticket
from stoken.cli.demo.play import Play
from stoken.cli.demo.recount import Node
from stoken.cli.demo.stage import Stage
from stoken.domain.codes import Side

INSTRUMENT: Final = "BPL1"
#: Of the 300 units that the demo allots to each selling investor.
_SALES_EACH: Final = 250
_SETTLE_SECONDS_MAX: Final = 60
_PAUSE_SECONDS: Final = 0.2
_OPENING: Final = datetime(2026, 12, 1, 9, tzinfo=ZoneInfo("Asia/Seoul"))


@dataclass(frozen=True, slots=True)
class Market:
    """Sellers hold units, buyers hold cash, the venue is open."""

    stage: Stage
    play: Play
    rpc: RpcClient

    @property
    def isin(self) -> str:
        """Return the ISIN of the instrument."""
        return self.play.securities[INSTRUMENT].issue.isin

    @property
    def token(self) -> bytes:
        """Return the address of the instrument's token."""
        return self.play.securities[INSTRUMENT].token

    def ticket(self, investor: Investor, side: Side, price: int) -> Ticket:
        """Return a signed order of one unit."""
        return self.play.ticket(investor, INSTRUMENT, side, price, 1)

    def await_settlement(self, after: int) -> int:
        """Wait until each trade after this one has settled, and return the last."""
        venue, deadline = self.play.institution("VENUE"), time.monotonic() + _SETTLE_SECONDS_MAX
        while page := self.play.client.get(venue, "/trades", after=after):
            for trade in page:
                if trade["status"] == "matched":
                    self.stage.check()
                    expect("settlement in time", time.monotonic() < deadline, True)  # noqa: FBT003 - what is expected
                    time.sleep(_PAUSE_SECONDS)
                    break
                expect("status of a trade", trade["status"], "settled")
                after += 1
        return after

    def stop_processes(self) -> None:
        """End gateway and worker; the chain stays."""
        for child in self.stage.children:
            child.stop()


@contextmanager
def open_market(sales: int) -> Iterator[Market]:
    """Set up a market whose sellers can sell so many units one by one; take it down at the end."""
    cast = assemble(1, 2 * (sales // _SALES_EACH + 1))
    with stage.build(cast, None, None) as built, RpcClient(built.rpc_url, timeout=60) as rpc:
        node = Node(built.rpc_url, built.suite.deploy_block)
        desk = Desk(cast, built.suite.contracts, built.suite.chain_id, node.time())
        client = VenueClient(built.gateway_url, built.issuer, built.check)
        play = Play(cast, desk, client, node, Console(file=StringIO()))
        play.await_block(node.head())
        for step in (issuing.create_issues, issuing.onboard, issuing.allot, issuing.pay_in, issuing.admit):
            step(play)
        offset = int(_OPENING.timestamp()) - int(time.time())
        client.post(play.institution("VENUE"), "/clock", {"offset_seconds": offset})
        play.await_block(node.head())
        yield Market(built, play, rpc)
