# SPDX-License-Identifier: Apache-2.0
"""What `stoken mirror status` shows."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import Connection

from stoken.ledger import breaks
from stoken.ledger.digest import digest
from stoken.ledger.sweep import Swept, read_sweep
from stoken.mirror.heartbeat import Beat, Limits, health, last_beat
from stoken.mirror.roots import read_roots
from stoken.mirror.store import read_checkpoint

_SECOND_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Standing:
    """The mirror at a moment; None stands for what nobody knows."""

    current: bool
    block: int
    block_hash: str
    block_time: int
    final_block: int
    roots_block: int
    roots_blocks_per_second: int
    roots_logs_per_second: int
    finality_rule: str
    head: int | None
    lag_blocks: int | None
    looked_ago_seconds: int | None
    blocks_per_second: int
    logs_per_second: int
    open_cases: int
    halted_tokens: list[str]
    verified_rows: int
    verified_ago_seconds: int | None
    digest: str | None

    def document(self) -> dict[str, Any]:
        """Return it for programs."""
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """Yield it for people."""
        behind = (
            "the node does not answer" if self.lag_blocks is None else f"{self.lag_blocks} blocks behind {self.head}"
        )
        yield f"block {self.block} ({self.block_hash}), final {self.final_block}; {behind}"
        looked = "never" if self.looked_ago_seconds is None else f"{self.looked_ago_seconds} s ago"
        yield f"final by {self.finality_rule}"
        yield f"last look {looked}: {self.blocks_per_second} blocks/s, {self.logs_per_second} logs/s"
        whole = (
            "no full round yet" if self.verified_ago_seconds is None else f"last full {self.verified_ago_seconds} s ago"
        )
        rate = f"{self.roots_blocks_per_second} blocks/s, {self.roots_logs_per_second} logs/s"
        yield f"receipts hash to their roots up to block {self.roots_block}; history at {rate}"
        yield f"compared with the chain: {self.verified_rows} rows, {whole}; {self.open_cases} open cases"
        orders = "taken" if self.current else "refused"
        yield f"orders are {orders}; halted: {', '.join(self.halted_tokens) or 'nothing'}"
        if self.digest is not None:
            yield f"digest {self.digest}"


def standing(
    connection: Connection, head: int | None, now_ns: int, limits: Limits, rule: str, *, with_digest: bool
) -> Standing:
    """Read where the mirror stands; `head` is the node's, `rule` that of finality in words."""
    at, beat, swept = read_checkpoint(connection), last_beat(connection), read_sweep(connection)
    roots = read_roots(connection)
    halted = sorted({*breaks.halted_tokens(connection), *breaks.broken(connection)[0]})
    return Standing(
        current=health(connection, now_ns, limits).current and b"" not in halted,
        block=at.number,
        block_hash=f"0x{at.hash.hex()}",
        block_time=at.time,
        final_block=at.final_number,
        roots_block=roots.number,
        roots_blocks_per_second=roots.per_second(roots.blocks),
        roots_logs_per_second=roots.per_second(roots.logs),
        finality_rule=rule,
        head=head,
        lag_blocks=None if head is None else max(0, head - at.number),
        looked_ago_seconds=None if beat is None else _ago(now_ns, beat.looked_at_ns),
        blocks_per_second=_rate(beat, 0 if beat is None else beat.blocks),
        logs_per_second=_rate(beat, 0 if beat is None else beat.logs),
        open_cases=len(breaks.cases(connection, only_open=True)),
        halted_tokens=[f"0x{token.hex()}" if token else "all" for token in halted],
        verified_rows=swept.rows or swept.completed_rows,
        verified_ago_seconds=_completed(swept, now_ns),
        digest=digest(connection) if with_digest else None,
    )


def _rate(beat: Beat | None, done: int) -> int:
    return 0 if beat is None or not beat.period_ns else done * _SECOND_NS // beat.period_ns


def _completed(swept: Swept, now_ns: int) -> int | None:
    return _ago(now_ns, swept.completed_at_ns) if swept.completed_at_ns else None


def _ago(now_ns: int, then_ns: int) -> int:
    return (now_ns - then_ns) // _SECOND_NS
