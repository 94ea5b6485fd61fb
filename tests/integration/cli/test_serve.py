# SPDX-License-Identifier: Apache-2.0
"""`stoken serve` as a process of its own: it listens, answers, and drains at SIGTERM."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from stoken.network.process import reserve


@pytest.fixture
def serving(settings: dict[str, str], tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running gateway and its address."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("STOKEN_")}
    command = [sys.executable, "-m", "stoken.cli", "serve", "--json"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, env=inherited | settings, stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout is not None
    with process:
        # One JSON document over some lines.
        told = "".join(iter(process.stdout.readline, "}\n")) + "}"
        yield process, json.loads(told)["url"]
        process.kill()


def _ask_until_it_is_gone(url: str) -> None:
    with httpx.Client() as client, suppress(httpx.TransportError):
        while client.get(f"{url}/problems/LOT_INVALID").status_code == 200:
            pass


def _begun(url: str, length: int) -> socket.socket:
    """Return a connection on which a request has begun: its head is sent, its body is not."""
    port = int(url.rpartition(":")[2])
    opened = socket.create_connection(("127.0.0.1", port), timeout=30)
    head = f"POST /orders HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\ncontent-length: {length}"
    opened.sendall(f"{head}\r\n\r\n".encode())
    return opened


@pytest.fixture
def watched_at(settings: dict[str, str]) -> str:
    """Let the gateway show how it stands, and return where."""
    port = reserve(0)
    settings["STOKEN_MONITORING__PORT"] = str(port)
    return f"http://127.0.0.1:{port}"


class TestMetrics:
    def test_without_the_worker_it_shows_its_own_and_not_to_its_clients(
        self, watched_at: str, serving: tuple[subprocess.Popen[str], str]
    ) -> None:
        process, url = serving
        assert httpx.post(f"{url}/orders", json={}).status_code == 401
        shown = httpx.get(f"{watched_at}/metrics").text
        assert 'stoken_http_requests_total{status="4xx"} 1.0' in shown
        assert "stoken_venue_up 1.0" in shown
        assert "stoken_mirror_block" not in shown
        assert httpx.get(f"{watched_at}/health/ready").json()["alarms"] == ["ledger"]
        assert httpx.get(f"{url}/metrics").status_code == 404
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


class TestServe:
    def test_it_answers_and_ends_cleanly_at_sigterm(self, serving: tuple[subprocess.Popen[str], str]) -> None:
        process, url = serving
        assert httpx.get(f"{url}/health").json() == {"status": "up"}
        ready = httpx.get(f"{url}/ready")
        assert (ready.status_code, ready.json()["journal"], ready.json()["ledger_current"]) == (503, True, False)
        assert httpx.post(f"{url}/orders", json={}).status_code == 401
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0

    def test_f34_under_load_it_answers_what_is_under_way_and_ends_in_time(
        self, serving: tuple[subprocess.Popen[str], str]
    ) -> None:
        process, url = serving
        crowd = [threading.Thread(target=_ask_until_it_is_gone, args=(url,)) for _ in range(8)]
        for each in crowd:
            each.start()
        body = b'{"client_order_id":"c1"}'
        with _begun(url, len(body)) as under_way, _begun(url, len(body)):
            under_way.sendall(body[:4])
            time.sleep(1)
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            under_way.sendall(body[4:])
            assert under_way.recv(64).startswith(b"HTTP/1.1 401")
            # Another client never says the rest of what it began, and keeps nobody.
            assert process.wait(30) == 0
        assert time.monotonic() - began < 30
        for each in crowd:
            each.join(10)
            assert not each.is_alive()

    def test_after_a_kill_it_opens_the_same_venue_again(
        self, serving: tuple[subprocess.Popen[str], str], settings: dict[str, str]
    ) -> None:
        process, _ = serving
        process.kill()
        process.wait()
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("STOKEN_")}
        other = settings | {"STOKEN_VENUE__LEI": "ZZZZ0000000000000210"}
        ended = subprocess.run(
            [sys.executable, "-m", "stoken.cli", "serve"],
            env=inherited | other,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 1
        assert ended.stderr == "stoken: STARTUP: the journal belongs to another venue or another chain\n"
