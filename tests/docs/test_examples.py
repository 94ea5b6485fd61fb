# SPDX-License-Identifier: Apache-2.0
"""The examples run, against a stand-in node that answers from a list of transfers."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from typing_extensions import override

from tests.docs.programs import load

RECOUNT = load("examples/recount_register.py")
TOKEN = "0x" + "aa" * 20
NOBODY, ALICE, BORA = "0x" + "00" * 20, "0x" + "a1" * 20, "0x" + "b0" * 20


class StandInNode(BaseHTTPRequestHandler):
    """Answers as a node that holds 6,000 blocks and one token."""

    transfers: ClassVar = [(1, NOBODY, ALICE, 100), (2, ALICE, BORA, 30), (5500, BORA, NOBODY, 10)]

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answers: dict[str, Callable[..., Any]] = {
            "eth_blockNumber": lambda: hex(6000),
            "eth_call": lambda *_: hex(90),
            "eth_getLogs": self.logs,
        }
        result = answers[request["method"]](*request["params"])
        body = json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent."""

    def logs(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        first, last = int(query["fromBlock"], 16), int(query["toBlock"], 16)
        assert last - first < 5000
        return [
            {"topics": [RECOUNT.TRANSFER, self._topic(sender), self._topic(receiver)], "data": hex(units)}
            for block, sender, receiver, units in self.transfers
            if first <= block <= last
        ]

    @staticmethod
    def _topic(address: str) -> str:
        return "0x" + "00" * 12 + address[2:]


@pytest.fixture
def node() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), StandInNode)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def document(tmp_path: Path, bora_units: str) -> str:
    path = tmp_path / "demo.json"
    lines = [{"address": ALICE, "units": "70"}, {"address": BORA, "units": bora_units}]
    instrument = {"isin": "ZZBUSANPL019", "token": TOKEN, "registered": "100", "minted": "90", "register": lines}
    path.write_text(json.dumps({"head": {"number": 6000}, "instruments": [instrument]}))
    return str(path)


class TestRecountRegister:
    def test_a_register_that_follows_from_the_logs_is_equal(
        self, node: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert RECOUNT.main(["--rpc", node, "--json", document(tmp_path, "20")]) == 0
        assert capsys.readouterr().out == "ZZBUSANPL019: equal: 2 holders, 90 units, supply 90, registered 100\n"

    def test_a_register_that_differs_by_one_unit_ends_with_an_error(self, node: str, tmp_path: Path) -> None:
        assert RECOUNT.main(["--rpc", node, "--json", document(tmp_path, "21")]) == 1

    def test_one_token_is_printed_by_holder(self, node: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert RECOUNT.main(["--rpc", node, "--token", TOKEN]) == 0
        assert capsys.readouterr().out == f"{ALICE} 70\n{BORA} 20\n"

    def test_an_unreachable_node_gives_one_line(self) -> None:
        with pytest.raises(SystemExit, match="does not answer"):
            RECOUNT.main(["--rpc", "http://127.0.0.1:1", "--token", TOKEN])
