# SPDX-License-Identifier: Apache-2.0
"""Asks the contracts now and then what they would answer, and compares with the local verdict at the same block."""

import sqlite3
from collections import deque
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Final, NamedTuple, Protocol, cast

import structlog
from sqlalchemy import Engine

from stoken.chain import artifacts
from stoken.chain.codec import Interface
from stoken.chain.reverts import encode_refusal
from stoken.compliance.verdict import Channel, transfer_verdict
from stoken.db import reading, unit_of_work
from stoken.domain import facts
from stoken.domain.chain_state import ChainState
from stoken.domain.facts import Address
from stoken.domain.refusals import Refusal
from stoken.domain.registrations import NOBODY
from stoken.drift import records
from stoken.drift.records import Difference
from stoken.drift.shelf import Shelf, Shelves
from stoken.ledger.feed import FeedBlock, decode_facts, final_blocks

#: Blocks and facts folded in one look; a worker that just started catches up in several.
_BLOCKS_MAX: Final = 200
_FACTS_MAX: Final = 5_000
#: Moves of the last blocks to choose from.
_RECENT_MAX: Final = 256
#: Neighbours among which an account is chosen.
_NEIGHBOURS: Final = 64
_log = structlog.get_logger()


class Node(Protocol):
    """What a node must answer: a JSON-RPC call."""

    def call(self, method: str, *params: object) -> Any:  # noqa: ANN401 - JSON as it came
        """Return the result of one call."""


class Sample(NamedTuple):
    """A move to ask both about."""

    token: Address
    sender: Address
    receiver: Address
    units: int
    channel: Channel


class DriftStep:
    """One step of the worker's loop; it keeps a state of its own, folded from the ledger's feed."""

    def __init__(
        self,
        engine: Engine,
        node: Node,
        suite: Mapping[str, Address],
        period_seconds: float,
        samples: int,
        clock: Callable[[], int],
        choose: Random,
    ) -> None:
        """Take work's database, the node, how often to ask and how much, a clock in nanoseconds and a chooser."""
        self._engine = engine
        self._node = node
        self._spenders = {
            Channel.PLAIN: NOBODY,
            Channel.VENUE: suite["settlement"],
            Channel.INSTRUCTED: suite["instructions"],
        }
        self._period_ns = int(period_seconds * 1_000_000_000)
        self._samples = samples
        self._clock = clock
        self._choose = choose
        self._verdict = Interface(artifacts.load("SecurityToken").abi).functions["verdict"]
        self._recent: deque[Sample] = deque(maxlen=_RECENT_MAX)
        self._due_ns = 0
        self._begin()

    def _begin(self) -> None:
        """Start before the first block, with tables in a new file."""
        self._recent.clear()
        self._shelves = Shelves()
        self._state = ChainState(self._shelves.table)

    def execute(self) -> int:
        """Compare what is due and return how many verdicts parted; nothing is asked before its time.

        Raises what the node raises; the next turn asks again. Where the temporary file fails, as on a full disk, its
        state is given up, and after the period folded anew.
        """
        now = self._clock()
        if not self._samples or now < self._due_ns:
            return 0
        try:
            return self._compare(now)
        except sqlite3.Error as error:
            _log.warning("drift.file_failed", reason=str(error), block=self._state.block_number)
            self._due_ns = now + self._period_ns
            self._shelves.close()
            self._begin()
            return 0

    def _compare(self, now: int) -> int:
        if not self._follow():
            return 0
        self._due_ns = now + self._period_ns
        if not self._state.tokens or self._account() is None or not self._is_canonical():
            return 0
        differences = [found for sample in self._chosen() if (found := self._difference(sample)) is not None]
        if differences and self._is_canonical():
            self._raise_alarm(differences, now)
            return len(differences)
        return 0

    def _follow(self) -> bool:
        """Fold final blocks, so many that no other step waits for long; return whether the last one is folded."""
        with reading(self._engine) as connection:
            blocks = final_blocks(connection, self._state.block_number, _BLOCKS_MAX)
        folded = 0
        for block in blocks:
            folded += self._fold(block)
            if folded > _FACTS_MAX:
                break
        self._shelves.tidy()
        return not blocks or (blocks[-1].number == self._state.block_number and len(blocks) < _BLOCKS_MAX)

    def _fold(self, block: FeedBlock) -> int:
        """Fold a block and return how many facts it has."""
        told = decode_facts(block.facts)
        self._state.apply_block(block.number, block.hash, block.time, told)
        for fact in told:
            if isinstance(fact, facts.Transferred) and NOBODY not in {fact.sender, fact.receiver}:
                channel = self._choose.choice(list(Channel))
                self._recent.append(Sample(fact.token, fact.sender, fact.receiver, fact.units, channel))
        return len(told)

    def _is_canonical(self) -> bool:
        """Tell whether the node has the block that the state stands at, under the same hash."""
        block = self._node.call("eth_getBlockByNumber", hex(self._state.block_number), False)  # noqa: FBT003
        return block is not None and bytes.fromhex(block["hash"][2:]) == self._state.block_hash

    def _chosen(self) -> list[Sample]:
        """Choose moves: some that happened lately, the others between any two accounts, at the edge of what passes."""
        choose, found = self._choose, list[Sample]()
        for place in range(self._samples):
            if self._recent and place % 2:
                found.append(choose.choice(self._recent))
                continue
            token = choose.choice(list(self._state.tokens))
            sender, receiver = self._account() or NOBODY, self._account() or NOBODY
            held = self._state.tokens[token].held_by(sender)
            units = choose.choice((0, 1, held.available, held.available + 1, held.balance, held.balance + 1))
            found.append(Sample(token, sender, receiver, units, choose.choice(list(Channel))))
        return found

    def _account(self) -> Address | None:
        """Choose an account among neighbours at a random address: of few each is as likely, of many nearly so."""
        accounts = cast("Shelf", self._state.accounts)
        near = accounts.near(self._choose.randbytes(len(NOBODY)), _NEIGHBOURS)
        return self._choose.choice(near) if near else None

    def _difference(self, sample: Sample) -> Difference | None:
        state = self._state
        token, sender, receiver, units, channel = sample
        local = transfer_verdict(
            *(state, token, sender, receiver, units, state.block_number, state.block_time), channel
        )
        if local is not None and local.refusal is Refusal.CODE_HASH_MISMATCH:
            # Of a module whose code is not known the venue foretells nothing; it takes no order under it.
            return None
        said = b"" if local is None else encode_refusal(local.refusal, local.arguments)
        data = self._verdict.encode(sender, receiver, units, self._spenders[channel])
        call = {"to": f"0x{token.hex()}", "data": f"0x{data.hex()}"}
        answer = self._node.call("eth_call", call, hex(state.block_number))
        chain = bytes(self._verdict.decode_output(bytes.fromhex(answer[2:])))
        if said == chain:
            return None
        return Difference(*sample, state.block_number, state.block_hash, said, chain)

    def _raise_alarm(self, differences: list[Difference], now: int) -> None:
        with unit_of_work(self._engine) as connection:
            found = [records.record(connection, difference, now) for difference in differences]
        for drift, difference in zip(found, differences, strict=True):
            _log.error(
                "verdict.drift",
                drift=drift.id,
                seen=drift.seen,
                token=f"0x{difference.token.hex()}",
                block=difference.block_number,
                local=f"0x{difference.local.hex()}",
                chain=f"0x{difference.chain.hex()}",
            )
