# SPDX-License-Identifier: Apache-2.0
"""The write path over one node and one database, as the tests drive it; run as a program, one round of it."""

import sys
from dataclasses import replace

from sqlalchemy import Engine, select

from stoken.chain.capabilities import Capabilities, probe
from stoken.chain.rpc import RpcClient
from stoken.chain.transactions import contract_address
from stoken.db import open_engine, reading, unit_of_work
from stoken.ledger.roots import RootsStep
from stoken.mirror import MirrorStep
from stoken.mirror.reader import ChainReader
from stoken.transactions import outbox as module
from stoken.transactions.broadcast import BroadcastStep
from stoken.transactions.confirm import ConfirmStep
from stoken.transactions.outbox import Outbox, OutboxRow
from stoken.transactions.signer import KeystoreSigner
from stoken.transactions.tables import outbox as table
from stoken.transactions.watch import WatchStep
from stoken.transactions.withdraw import WithdrawStep

SECRET = b"\x2a" * 32
#: Without calldata it logs nothing of interest (LOG0); with calldata it reverts with that.
ECHO = bytes.fromhex("6015600c60003960156000f3" + "36600a5760006000a0005b3660006000373660" + "00fd")


class WritePath:
    """Outbox, broadcast, mirror and confirmation of one sender."""

    def __init__(self, engine: Engine, rpc: RpcClient, *secrets: bytes, holder: str = "one") -> None:
        secrets = secrets or (SECRET,)
        self.engine, self.rpc = engine, rpc
        self.now = 0.0
        capabilities = self.capabilities = probe(rpc)
        signers = [KeystoreSigner(each) for each in secrets]
        self.sender = signers[0].address
        self.signers = {signer.address: signer for signer in signers}
        # These contracts are the tests' own.
        self.outbox = Outbox(self.signers, capabilities.chain_id, holder=holder, check=lambda _to, _data: None)
        self.mirror = MirrorStep(engine, rpc)
        self.roots = RootsStep(engine, ChainReader(rpc), lambda: 0)
        self.broadcast = BroadcastStep(engine, rpc, capabilities, resend_seconds=5, clock=lambda: self.now)
        self.confirm = ConfirmStep(engine, rpc)
        self.withdraw = WithdrawStep(engine, self.outbox, capabilities)
        self.watch = WatchStep(engine, rpc, self.outbox, clock=lambda: self.now)

    @property
    def echo(self) -> bytes:
        """The address of the first transaction's contract."""
        return contract_address(self.sender, 0)

    def capabilities_of(self, client: str) -> Capabilities:
        """Return the node's answers as if it were another client."""
        return replace(self.capabilities, client=client)

    def take_over(self) -> None:
        self.outbox.take_over(self.engine, self.rpc)

    def enqueue(self, key: str, to: bytes = b"\x0e" * 20, data: bytes = b"", gas: int = 100_000) -> OutboxRow:
        with unit_of_work(self.engine) as connection:
            return self.outbox.enqueue(
                connection, key=key, sender=self.sender, to=to, data=data, gas=gas, purpose="test"
            )

    def order(self, key: str, owner: str, gas: int = 100_000) -> OutboxRow:
        """Enqueue for an owner, on whatever key falls to it."""
        with unit_of_work(self.engine) as connection:
            return self.outbox.enqueue(
                connection, key=key, to=b"\x0e" * 20, data=b"", gas=gas, purpose="test", owner=owner
            )

    def deploy_echo(self) -> None:
        self.enqueue("deploy", to=b"", data=ECHO)
        self.settle()

    def settle(self) -> None:
        """Send, mine a block, mirror it and confirm."""
        self.broadcast.execute()
        self.rpc.call("evm_mine")
        self.follow()

    def follow(self) -> None:
        self.mirror.run_to_head()
        while self.roots.execute():
            pass
        self.confirm.execute()

    def row(self, key: str) -> OutboxRow:
        with reading(self.engine) as connection:
            row = module.read(connection, key)
        assert row is not None
        return row

    def raw(self, key: str) -> bytes:
        with reading(self.engine) as connection:
            return connection.execute(select(table.c.raw).where(table.c.key == key)).scalar_one()

    def nonce_on_chain(self) -> int:
        return int(self.rpc.call("eth_getTransactionCount", f"0x{self.sender.hex()}", "latest"), 16)


def main() -> None:
    """Take over, decide one transaction under the given key unless it is known, and send: failpoints end it early."""
    database_url, rpc_url, key = sys.argv[1:]
    path = WritePath(open_engine(database_url), RpcClient(rpc_url))
    path.take_over()
    path.enqueue(key)
    path.broadcast.execute()


if __name__ == "__main__":
    main()
