# SPDX-License-Identifier: Apache-2.0
"""The model's half for payouts by record date: each line once, within the totals, as the payer signs."""

from collections.abc import Sequence
from typing import Final

from tests.simulation.decisions import Decisions
from tests.simulation.terms import Line, Payout, Refusal

_PAYER: Final = b"PAYER".ljust(32, b"\0")


class Payouts(Decisions):
    """One issue, its investors, and the cash of their brokers."""

    def open_payout(self, key: bytes, payout: Payout) -> Refusal | None:
        """Announce a payout of all units of a record date."""
        if key in self.payouts:
            return "DistributionIdUsed", (key,)
        if not payout.pool.amount:
            return "DistributionEmpty", (key,)
        if payout.pool.withheld > payout.pool.amount:
            return "CaPoolMismatch", (payout.pool.amount, payout.pool.withheld)
        dates = self.record_dates
        if not 0 < payout.record <= len(dates) or dates[payout.record - 1].supply != payout.pool.units:
            return "CaRecordDateInvalid", (payout.record,)
        self.payouts[key] = payout
        return None

    def pay(self, key: bytes, lines: Sequence[Line], signer: bytes) -> Refusal | None:
        """Record lines as paid, all or none."""
        payout, refusal = self._opened(key)
        if payout is None:
            return refusal
        total, paid = payout.paid_total, dict(payout.paid)
        for line in lines:
            if payout.lines.get(line.account) != line:
                return "DistributionProofInvalid", (key, line.account)
            if line.account in paid:
                return "DistributionLinePaid", (key, line.account)
            paid[line.account] = line
            total = total.plus(line)
            for pool, sum_ in zip(payout.pool[1:], total[1:], strict=True):
                if sum_ > pool:
                    return "CaPoolMismatch", (pool, sum_)
        if signer != payout.payer:
            return "RoleRequired", (_PAYER,)
        payout.paid, payout.paid_total = paid, total
        return None

    def close_payout(self, key: bytes, document: bytes) -> Refusal | None:
        """End a payout of which all is paid, or a document says why not."""
        payout, refusal = self._opened(key)
        if payout is None:
            return refusal
        if not any(document) and payout.paid_total[2:] != payout.pool[2:]:
            return "CaPoolMismatch", (payout.pool.amount, payout.paid_total.amount)
        payout.ended = True
        return None

    def _opened(self, key: bytes) -> tuple[Payout | None, Refusal | None]:
        payout = self.payouts.get(key)
        if payout is None:
            return None, ("DistributionIdUnknown", (key,))
        return (None, ("DistributionClosed", (key,))) if payout.ended else (payout, None)

    def paid(self) -> dict[str, object]:
        """Return what is compared of the latest payouts."""
        found: dict[str, object] = {}
        for key, each in self.latest_payouts():
            terms = (each.token, each.record, each.payer, *each.pool[1:], each.root, each.document)
            found[f"payout {key.hex()}"] = (terms, *each.paid_total[1:], each.ended)
            found |= {f"paid {key.hex()} {address.hex()}": address in each.paid for address in self.accounts}
        return found

    def latest_payouts(self) -> Sequence[tuple[bytes, Payout]]:
        """Return the payouts that are compared."""
        return list(self.payouts.items())[-2:]
