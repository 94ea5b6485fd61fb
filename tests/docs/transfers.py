# SPDX-License-Identifier: Apache-2.0
"""The transfers that docs/explanation/a-transfer-in-storage-reads.md walks through; as a program, writes its figures.

python -m tests.docs.transfers
"""

import re
import tempfile
from pathlib import Path

from stoken.chain.rpc import RpcClient
from stoken.db import open_engine, schema
from stoken.issuance.calldata import interface
from stoken.network.anvil import Anvil
from tests.consortium import BROKER_1, BROKER_2, ISSUER, REGISTRAR, VENUE, Holder
from tests.docs.programs import ROOT, load
from tests.integration.write_world import ISIN, WriteWorld

PAGE = ROOT / "docs/explanation/a-transfer-in-storage-reads.md"
#: A figure of the page: a block of text under the name of its case.
BLOCK = r"(<!-- {case} -->\n```text\n)(.*?)(```)"
#: Identities are the reversed bytes, so that the figures tell them from accounts.
SELLER = Holder(b"\x51" * 19 + b"\x1d", BROKER_1)
BUYER = Holder(b"\x52" * 19 + b"\x2d", BROKER_2)
EXAMPLE = load("examples/trace_transfer.py")
NO_RULES = (0, 0, 0, 0, 0, False, (0, 0, 0, 0), 0, 0, False)
THREE_RULES = (5000, 0, 1 << 1, 100, 0, False, (0, 0, 0, 0), 0, 0, False)


class TracingAnvil(Anvil):
    """A node that keeps the steps of its transactions for debug_traceTransaction."""

    def __init__(self) -> None:
        super().__init__(block_seconds=None, keep_history=True)
        self._options += ("--steps-tracing",)


class Market(WriteWorld):
    """One issue under a rule set, with two holders."""

    def open(self, rules: tuple[object, ...]) -> None:
        desk = self.desk
        self.turn()
        data = interface("SuiteFactory").encode("createIssue", (ISIN, "Busan", "BPL1", rules, 100, bytes(32)))
        assert self.carry("issue", desk.act(self.suite["factory"], data, ISSUER, REGISTRAR)).status == "done"
        self.carry("onboard-1", desk.onboard(SELLER))
        self.carry("onboard-2", desk.onboard(BUYER))
        self.token = self._token()
        self.carry("register", desk.register(self.token, 1_000))
        self.carry("mint-1", desk.mint(self.token, SELLER, 500))
        self.carry("mint-2", desk.mint(self.token, BUYER, 100))
        self.carry("unpause", desk.unpause(self.token))

    def make_stale(self) -> None:
        """Drop a topic that nobody requires beside the one required, which makes all words stale."""
        topics = interface("ClaimTopicsRegistry")
        for name in ("addClaimTopic", "removeClaimTopic"):
            act = self.desk.act(self.suite["topics"], topics.encode(name, 7), REGISTRAR, VENUE)
            assert self.carry(name, act).status == "done"

    def transfer(self) -> str:
        """Let the seller's own key move ten units, and return the transaction's hash."""
        account = f"0x{SELLER.account.hex()}"
        self.rpc.call("anvil_impersonateAccount", account)
        data = interface("SecurityToken").encode("transfer", BUYER.account, 10)
        call = {"from": account, "to": f"0x{self.token.hex()}", "data": f"0x{data.hex()}"}
        sent = self.rpc.call("eth_sendTransaction", {**call, "gas": hex(1_000_000), "gasPrice": "0x0"})
        self.rpc.call("evm_mine")
        return str(sent)


def figures(folder: Path) -> dict[str, str]:
    """Return what the example prints of each case."""
    found = {}
    for case, rules in (("plain", NO_RULES), ("rules", THREE_RULES)):
        engine = open_engine(f"sqlite:///{folder}/{case}.db")
        schema.upgrade(engine)
        with TracingAnvil() as node, RpcClient(node.url) as rpc:
            market = Market(engine, rpc)
            market.open(rules)
            market.transfer()
            found[case] = printed(node.url, market.transfer())
            if case == "plain":
                market.make_stale()
                found["stale"] = printed(node.url, market.transfer())
    return found


def printed(url: str, transaction: str) -> str:
    return "".join(f"{line}\n" for line in EXAMPLE.lines(url, transaction))


def main() -> None:
    """Write the figures into the page."""
    text = PAGE.read_text()
    with tempfile.TemporaryDirectory() as folder:
        for case, block in figures(Path(folder)).items():
            text = re.sub(BLOCK.format(case=case), rf"\g<1>{block}\g<3>", text, flags=re.DOTALL)
    PAGE.write_text(text)


if __name__ == "__main__":
    main()
