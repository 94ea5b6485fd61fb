# SPDX-License-Identifier: Apache-2.0
"""The write path to contracts that log what they are told: what ledger and outbox follow, on any node."""

from secrets import token_bytes

from sqlalchemy import Engine

from stoken.chain.rpc import RpcClient
from stoken.ledger.projection import LedgerProjection
from stoken.mirror import Finality, MirrorStep
from tests.emitter import calldata, runtime
from tests.integration.transactions.write_path import WritePath
from tests.ledger_events import NOBODY, SUITE, TOKEN, Emitted, address, issue, transfer

#: Without calldata it logs, or reverts once somebody called it with the caller's address.
GUARD = b"\x6a" * 20
_GUARD = bytes.fromhex("36600f57335460175760006000a0005b60016000355500" + "5b60006000fd")
#: What stands at these addresses: from the first block on, or put there.
CODE = {**dict.fromkeys([TOKEN, *SUITE.values()], runtime()), GUARD: _GUARD}


def put_code(rpc: RpcClient) -> None:
    """Put the contracts on an anvil."""
    for place, code in CODE.items():
        rpc.call("anvil_setCode", f"0x{place.hex()}", f"0x{code.hex()}")


class EmittingPath(WritePath):
    """Outbox, mirror with ledger, and confirmation of a sender of its own; blocks come from elsewhere."""

    def __init__(
        self, engine: Engine, rpc: RpcClient, finality: Finality | None = None, secret: bytes | None = None
    ) -> None:
        super().__init__(engine, rpc, secret or token_bytes(32))
        self.mirror = MirrorStep(engine, rpc, [LedgerProjection(SUITE)], finality)
        self.take_over()

    def emit(self, key: str, event: Emitted) -> None:
        self.enqueue(key, to=event[0], data=calldata(event), gas=300_000)

    def create_issue(self) -> None:
        self.emit("issue", issue())

    def mint(self, key: str, holder: int, units: int) -> None:
        self.emit(key, transfer(NOBODY, address(holder), units))

    def round(self) -> None:
        """Run the worker's steps once; raises what the first of them raises."""
        self.mirror.execute()
        self.roots.execute()
        self.broadcast.execute()
        self.confirm.execute()

    def follow_as_the_worker(self) -> None:
        """Run the steps in turn, so that confirmation sees what an unwinding left."""
        while not self.mirror.execute().caught_up:
            self.roots.execute()
            self.confirm.execute()
        while self.roots.execute():
            pass
        self.confirm.execute()

    def resend(self) -> None:
        """Send what no block holds, as after the resend period."""
        self.now += 5
        self.broadcast.execute()
