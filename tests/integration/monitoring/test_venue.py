# SPDX-License-Identifier: Apache-2.0
"""What a gateway says of itself: order flow as its clients and its journal have it, on both databases."""

import asyncio
import json
from typing import Any

import httpx
from sqlalchemy import delete

from stoken.db import unit_of_work
from stoken.domain import facts
from stoken.domain.codes import Role, Side
from stoken.mirror import tables
from stoken.mirror.store import Checkpoint, write_checkpoint
from stoken.monitoring.listener import answer, listening
from stoken.orders.entries import LedgerHealthChanged
from stoken.settings import MonitoringSettings
from stoken.telemetry.metrics import METRICS, SERVE
from tests.integration.gateway.harness import Gateway
from tests.unit.orders.factories import BPL1, BROKERS, TOKENS, address


def read(text: str) -> dict[str, float]:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def asked(gateway: Gateway, path: str) -> tuple[int, Any]:
    """Ask as Prometheus does: from another thread, while the loop runs."""
    status, _, body = gateway.run(asyncio.to_thread(answer, gateway.monitor, path))
    return status, read(body.decode()) if path == "/metrics" else json.loads(body)


class TestMetrics:
    def test_orders_are_counted_by_what_became_of_them(self, gateway: Gateway) -> None:
        body = gateway.order("seller", Side.SELL, 30)
        for _ in range(2):
            assert gateway.as_broker("POST", "/orders", body).status_code == 201
        gateway.sell(quantity=970)
        gateway.sell(quantity=1)
        gateway.buy(quantity=20)
        gateway.apply([facts.UnitsFrozen(TOKENS[BPL1], address("seller"), 900)])
        _, shown = asked(gateway, "/metrics")
        assert shown["stoken_orders_accepted_total"] == 3
        assert shown["stoken_orders_repeated_total"] == 1
        assert shown['stoken_orders_refused_total{code="INSUFFICIENT_SECURITIES"}'] == 1
        assert shown['stoken_orders_canceled_total{code="SECURITIES_FROZEN"}'] == 1
        assert shown["stoken_orders_trades_total"] == 1
        assert (shown["stoken_venue_orders_open"], shown["stoken_venue_up"]) == (1, 1)
        entries = gateway.run(gateway.actor.read(lambda venue: venue.state.sequence))
        assert shown["stoken_venue_journal_entries"] == entries

    def test_requests_are_counted_by_class_of_status(self, gateway: Gateway) -> None:
        _, before = asked(gateway, "/metrics")
        gateway.call("GET", f"/book/{BPL1}", Role.ACCOUNT_MANAGER, BROKERS[0])
        gateway.call("GET", f"/book/{BPL1}")
        gateway.call("GET", "/nowhere")
        _, after = asked(gateway, "/metrics")
        ok, refused = (f'stoken_http_requests_total{{status="{each}"}}' for each in ("2xx", "4xx"))
        assert after[ok] - before[ok] == 1
        assert after[refused] == 2
        assert after["stoken_http_requests_open"] == 0

    def test_the_journal_lags_by_the_final_blocks_it_has_not_read(self, gateway: Gateway) -> None:
        with unit_of_work(gateway.services.ledger) as connection:
            connection.execute(delete(tables.checkpoint))
            write_checkpoint(connection, Checkpoint(9, bytes(32), gateway.block + 4, 0))
        _, shown = asked(gateway, "/metrics")
        assert (shown["stoken_venue_block"], shown["stoken_venue_lag_blocks"]) == (gateway.block, 4)

    def test_a_gateway_shows_its_own_alone(self, gateway: Gateway) -> None:
        gateway.sell()
        _, shown = asked(gateway, "/metrics")
        assert {METRICS[name.partition("{")[0]].part for name in shown} == {SERVE}


class TestReady:
    def test_only_while_the_ledger_is_current_and_no_token_is_halted(self, gateway: Gateway) -> None:
        assert asked(gateway, "/health/ready") == (200, {"ready": True, "alarms": [], "block": 1})
        for change, alarms in (
            (LedgerHealthChanged(0, current=False), ["ledger"]),
            (LedgerHealthChanged(0, current=True, broken=(TOKENS[BPL1],)), ["halted"]),
        ):
            gateway.run(gateway.actor.submit(change))
            status, found = asked(gateway, "/health/ready")
            assert (status, found["alarms"]) == (503, alarms)

    def test_not_without_a_venue_that_answers(self, gateway: Gateway) -> None:
        assert asked(gateway, "/health/live") == (200, {"live": True})
        gateway.run(gateway.actor.stop())
        assert asked(gateway, "/health/live") == (503, {"live": False})
        assert asked(gateway, "/health/ready")[1]["alarms"] == ["venue"]
        gateway.monitor.enter(None)
        _, shown = asked(gateway, "/metrics")
        assert shown["stoken_venue_up"] == 0
        assert "stoken_venue_block" not in shown


class TestListening:
    def test_a_gateway_is_asked_on_a_port_of_its_own(self, gateway: Gateway) -> None:
        with listening(gateway.monitor, MonitoringSettings(port=0)) as url:
            shown = gateway.run(asyncio.to_thread(httpx.get, f"{url}/metrics"))
        assert read(shown.text)["stoken_venue_up"] == 1
        assert gateway.call("GET", "/metrics").status_code == 404
