# SPDX-License-Identifier: Apache-2.0
"""How `stoken mirror` shows evaluations of the quantity invariants, and cases with their notices."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from stoken.cli.output import table
from stoken.ledger.breaks import Break, Notice
from stoken.ledger.reconciliation import Evaluation
from stoken.ledger.verification import INVARIANTS
from stoken.parties.receipts import Receipt

_COLUMNS: Final = ("block", "invariant", "subject", "lhs", "rhs", "holds", "at_close", "evaluated_at")
NOTICE_COLUMNS: Final = (
    *("block", "invariant", "subject", "place", "to", "institution"),
    *("stamped_at", "read_at", "acknowledged_at", "acknowledged_by"),
)
CASE_COLUMNS: Final = ("block", "table", "key", "field", "mirror", "chain", "opened_at", "closed_at", "closed_by")


def rows(found: Sequence[Evaluation]) -> list[dict[str, Any]]:
    """Return evaluations for programs."""
    return [
        {
            "block": item.block_number,
            "block_hash": f"0x{item.block_hash.hex()}",
            "invariant": item.invariant,
            "subject": item.subject,
            "lhs": item.lhs,
            "rhs": item.rhs,
            "holds": item.holds,
            "at_close": item.at_close,
            "evaluated_at": _instant(item.evaluated_at_ns),
        }
        for item in found
    ]


def lines(found: Sequence[Evaluation]) -> Iterator[str]:
    """Yield evaluations for people."""
    yield from table(rows(found), _COLUMNS)
    yield f"{len(found)} evaluations, {sum(not item.holds for item in found)} broken"


def cases(found: Sequence[Break], told: Sequence[Notice]) -> list[dict[str, Any]]:
    """Return cases with the notices of those that are broken invariants."""
    return [
        {
            "block": case.block_number,
            "block_hash": f"0x{case.block_hash.hex()}",
            "table": case.table,
            "key": ",".join(f"0x{part.hex()}" if isinstance(part, bytes) else str(part) for part in case.key),
            "field": case.field,
            "mirror": case.mirror,
            "chain": case.chain,
            "opened_at": _instant(case.opened_at_ns),
            "closed_at": _instant(case.closed_at_ns),
            "closed_by": case.closed_by,
            "notices": [_notice(each) for each in told if _is_of(each, case)],
        }
        for case in found
    ]


def _is_of(notice: Notice, case: Break) -> bool:
    return case.table == INVARIANTS and notice[:3] == (case.block_number, *case.key)


def _notice(notice: Notice) -> dict[str, Any]:
    return {
        "to": notice.recipient,
        "institution": notice.institution.decode("ascii", "replace") or None,
        "stamped_at": _instant(notice.stamped_at_ns),
    }


def notices(found: Sequence[Notice], seen: Mapping[str, Receipt]) -> list[dict[str, Any]]:
    """Return notices with the instant of each hop; None where nobody saw or acknowledged it yet."""
    return [
        {
            "id": each.id,
            "block": each.block_number,
            "invariant": each.invariant,
            "subject": each.subject,
            "place": each.place,
            **_notice(each),
            "read_at": _instant(receipt and receipt.read_at_ns),
            "acknowledged_at": _instant(receipt and receipt.acknowledged_at_ns),
            "acknowledged_by": receipt and receipt.acknowledged_by,
        }
        for each in found
        for receipt in [seen.get(each.id)]
    ]


def _instant(at_ns: int | None) -> str | None:
    if at_ns is None:
        return None
    return datetime.fromtimestamp(at_ns / 1_000_000_000, UTC).isoformat(timespec="milliseconds")
