# SPDX-License-Identifier: Apache-2.0
"""The examples run, against a stand-in node that answers from a list of transfers."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest
from typing_extensions import override

from stoken.chain import eip712
from stoken.chain.signatures import address_of, load_key, recover
from stoken.domain.signed_order import SignedOrder
from stoken.gateway.routes.orders import OrderBody
from tests.docs.programs import load

RECOUNT = load("examples/recount_register.py")
SIGN = load("examples/sign_order.py")
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


class TestSignOrder:
    KEY = bytes(31) + b"\x07"
    TERMS: ClassVar = {
        "chain_id": 270204,
        "settlement": "0x" + "5e" * 20,
        "venue": "ZZZZ0000000000000113",
        "cash": "0x" + "ca" * 20,
        "client_order_id": "A-1",
        "isin": "ZZBUSANPL019",
        "account": ALICE,
        "cash_account": BORA,
        "token": TOKEN,
        "side": "BUY",
        "price": "5000",
        "quantity": "10",
        "nonce": "1",
        "tradable_until": 1_800_000_000,
        "settle_by": 1_800_003_600,
    }

    def test_the_gateway_recovers_the_brokers_key(self) -> None:
        body = msgspec.convert(SIGN.body(self.TERMS, self.KEY), OrderBody)
        signed = SignedOrder(
            venue=b"ZZZZ0000000000000113",
            account=bytes.fromhex(ALICE[2:]),
            cash_account=bytes.fromhex(BORA[2:]),
            token=bytes.fromhex(TOKEN[2:]),
            cash=b"\xca" * 20,
            side=1,
            price=5000,
            quantity=10,
            nonce=1,
            tradable_until=1_800_000_000,
            settle_by=1_800_003_600,
        )
        digest = eip712.order(eip712.domain(eip712.DVP_SETTLEMENT, 270204, b"\x5e" * 20), signed)
        assert recover(digest, bytes.fromhex(body.signature[2:])) == address_of(load_key(self.KEY))
