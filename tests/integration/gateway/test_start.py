# SPDX-License-Identifier: Apache-2.0
"""What a gateway says in the journal when it starts: its rulebook, and up to where its code decides."""

import asyncio
from dataclasses import replace

import msgspec

from stoken.bootstrap import Gateway as Served
from stoken.orders.actor import VenueActor
from stoken.orders.entries import DECISIONS, VenueOpened, decode
from stoken.orders.feed import BlockFeed
from stoken.orders.journal import Journal
from tests.integration.gateway.harness import Gateway


def openings(gateway: Gateway) -> list[int]:
    entries = [decode(row.entry) for row in Journal(gateway.services.market).rows()]
    return [entry.decisions for entry in entries if isinstance(entry, VenueOpened)]


class TestStart:
    def test_a_journal_of_an_older_version_is_told_once_from_where_the_newer_one_decides(
        self, gateway: Gateway
    ) -> None:
        opened = gateway.run(gateway.actor.read(lambda venue: venue.state.opened))
        gateway.run(gateway.actor.submit(msgspec.structs.replace(opened, decisions=0)))
        gateway.run(gateway.actor.stop())

        async def start() -> int:
            actor = VenueActor.open(gateway.services.market, gateway.clock)
            services = replace(gateway.services, actor=actor)
            await Served(services, BlockFeed(actor, services.ledger), opened, gateway.monitor).start()
            found = await actor.read(lambda venue: venue.state.decisions)
            await actor.stop()
            return found

        assert [asyncio.run(start()) for _ in range(2)] == [DECISIONS, DECISIONS]
        assert openings(gateway) == [DECISIONS, 0, DECISIONS]
