# SPDX-License-Identifier: Apache-2.0
"""A history on an anvil: one token, many holders; dense with a thousand Transfer events a block, sparse with ten."""

from collections.abc import Iterator
from random import Random
from typing import Final

from stoken.chain.rpc import RpcClient
from stoken.ledger.decode import topic_of
from stoken.ledger.signatures import EVENTS, ContractKind
from tests import emitter
from tests.ledger_events import NOBODY, SUITE, TOKEN, address, issue

_A_TRANSACTION: Final = 100
_TRANSACTIONS_A_BLOCK: Final = 10
A_BLOCK: Final = _A_TRANSACTION * _TRANSACTIONS_A_BLOCK
#: Events a block of a sparse history: one transaction has them all.
SPARSE: Final = 10
_HOLDERS: Final = 10_000
_UNITS: Final = 1_000_000_000
_GAS: Final = 1_000_000


class History:
    """Blocks `first` to `last` full of one token's transfers; the token's creation lies before them."""

    def __init__(self, rpc: RpcClient, *, sparse: bool = False) -> None:
        """Create the token on a node that mines when told to."""
        self._rpc = rpc
        self._transactions = 1 if sparse else _TRANSACTIONS_A_BLOCK
        self._events = SPARSE if sparse else _A_TRANSACTION
        self._words = _transfers()
        emitter.install(rpc, [SUITE[ContractKind.FACTORY.value]])
        rpc.call("anvil_setCode", "0x" + TOKEN.hex(), _transfers_of_calldata())
        emitter.mine(rpc, [issue()])
        self.last = int(rpc.call("eth_blockNumber"), 16)
        self.first = self.last + 1

    @property
    def events(self) -> int:
        """Return how many transfers there are."""
        return (self.last + 1 - self.first) * self._transactions * self._events

    def mine(self, blocks: int) -> None:
        """Add so many blocks."""
        (sender,) = self._rpc.call("eth_accounts")
        for _ in range(blocks):
            data = [b"".join(next(self._words) for _ in range(self._events)) for _ in range(self._transactions)]
            self._rpc.batch([("eth_sendTransaction", [_transaction(sender, each)]) for each in data])
            self._rpc.call("evm_mine")
        self.last += blocks


def _transfers() -> Iterator[bytes]:
    """Yield the three words of each event: first every holder is given units, then they pass them on."""
    random = Random(1)  # noqa: S311 - the same history in each run
    padded = [address(index).rjust(32, b"\0") for index in range(_HOLDERS)]
    for holder in padded:
        yield NOBODY.rjust(32, b"\0") + holder + _UNITS.to_bytes(32)
    while True:
        sender, receiver = random.sample(padded, 2)
        yield sender + receiver + random.randint(1, 1_000).to_bytes(32)


def _transaction(sender: str, data: bytes) -> dict[str, str]:
    return {"from": sender, "to": "0x" + TOKEN.hex(), "data": "0x" + data.hex(), "gas": hex(_GAS), "gasPrice": "0x0"}


def _transfers_of_calldata() -> str:
    """Assemble code that logs a Transfer for every three words of calldata: from, to, units."""
    (transfer,) = (event for event in EVENTS if (event.kind, event.name) == (ContractKind.TOKEN, "Transfer"))
    loop, start = "02", "6000"  # at = 0
    body = (
        "5b" + "36811015" + "60{end}57"  # to the end unless at < CALLDATASIZE
        "8060400135" + "600052"  # memory[0] = calldata[at + 64]
        "8060200135" + "8135"  # push calldata[at + 32], calldata[at]
        "7f" + topic_of(transfer).hex() + "60206000a3"  # LOG3 of one word of memory
        "606001" + f"60{loop}56"  # at += 96, and again
    )
    end = (len(start) + len(body.format(end="00"))) // 2
    return "0x" + start + body.format(end=f"{end:02x}") + "5b00"
