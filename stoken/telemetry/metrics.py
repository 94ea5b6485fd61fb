# SPDX-License-Identifier: Apache-2.0
"""Every metric, with what it counts; what is not listed here cannot be shown."""

from collections.abc import Iterable, Iterator, Mapping
from threading import Lock
from typing import Final, NamedTuple

from prometheus_client import CollectorRegistry, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

#: What a metric is read as.
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_COMMIT_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Definition(NamedTuple):
    """A metric: how Prometheus takes it, what it says, and its labels."""

    kind: str
    says: str
    labels: tuple[str, ...] = ()
    #: Which process shows it.
    part: str = "work"


#: The part of the gateway; the others are the worker's.
SERVE: Final = "serve"
_GAUGE: Final = "gauge"
_COUNTER: Final = "counter"
COMMIT_SECONDS: Final = "stoken_database_commit_seconds"
METRICS: Final[Mapping[str, Definition]] = {
    "stoken_ready": Definition(_GAUGE, "1 while the mirror is current and no alarm stands."),
    "stoken_alarm": Definition(_GAUGE, "1 for each alarm that stands.", ("alarm",)),
    "stoken_mirror_block": Definition(_GAUGE, "Last block in the mirror, -1 before the first."),
    "stoken_mirror_final_block": Definition(_GAUGE, "Last final block in the mirror."),
    "stoken_mirror_lag_blocks": Definition(_GAUGE, "Blocks between the mirror and the node's head, at the last look."),
    "stoken_mirror_lag_seconds": Definition(_GAUGE, "Age of the mirror's last block, by block time."),
    "stoken_mirror_looked_seconds": Definition(_GAUGE, "Time since the mirror last looked at the node."),
    "stoken_mirror_blocks_per_second": Definition(_GAUGE, "Blocks written a second, over the last beat."),
    "stoken_mirror_logs_per_second": Definition(_GAUGE, "Logs written a second, over the last beat."),
    "stoken_mirror_blocks_total": Definition(_COUNTER, "Blocks written by this process."),
    "stoken_mirror_logs_total": Definition(_COUNTER, "Logs written by this process."),
    "stoken_mirror_verified_block": Definition(
        _GAUGE, "Last block up to which receipts were shown to hash to their roots, -1 before the first."
    ),
    "stoken_mirror_verified_blocks_total": Definition(
        _COUNTER, "Blocks of history that this process compared with receipts that hash to their roots."
    ),
    "stoken_mirror_reorgs_total": Definition(_COUNTER, "Reorganisations that this process unwound."),
    "stoken_mirror_unwound_blocks_total": Definition(_COUNTER, "Blocks taken back by reorganisations."),
    "stoken_mirror_witness_disagreements_total": Definition(
        _COUNTER, "Looks at which the two nodes named different blocks of one number."
    ),
    "stoken_ledger_quarantined_logs": Definition(_GAUGE, "Malformed logs that changed nothing, in all."),
    "stoken_ledger_verified_rows_total": Definition(_COUNTER, "Rows that this process compared with the chain."),
    "stoken_ledger_verified_seconds": Definition(
        _GAUGE, "Time since the last full round of comparisons; absent before the first."
    ),
    "stoken_ledger_open_breaks": Definition(_GAUGE, "Rows that differ from the chain, with a case open."),
    "stoken_ledger_halted_tokens": Definition(_GAUGE, "Tokens closed to orders by a break or a drift."),
    "stoken_validators_alive": Definition(_GAUGE, "Validators alive; absent where the node names none."),
    "stoken_validators_total": Definition(_GAUGE, "Validators in all; absent where the node names none."),
    "stoken_outbox_transactions": Definition(
        _GAUGE, "Transactions in no block, by key: `signed` are queued, `broadcast` in flight.", ("sender", "status")
    ),
    "stoken_outbox_held": Definition(_GAUGE, "Transactions that a node keeps refusing for no listed reason.", ()),
    "stoken_outbox_gas": Definition(_GAUGE, "Gas that those may use.", ("sender", "status")),
    "stoken_outbox_oldest_seconds": Definition(
        _GAUGE, "Time for which the oldest transaction in no block was seen to wait by this process."
    ),
    "stoken_outbox_window": Definition(_GAUGE, "Transactions that may be in flight, by what the node refused."),
    "stoken_outbox_sends_total": Definition(_COUNTER, "Transactions sent to the node, each time."),
    "stoken_outbox_resends_total": Definition(_COUNTER, "Of those, the same bytes again."),
    "stoken_outbox_failures_total": Definition(
        _COUNTER, "Transactions without effect, by the code of the reason.", ("reason",)
    ),
    "stoken_signer_errors_total": Definition(_COUNTER, "Steps that ended because a signer did not sign."),
    "stoken_pool_transactions": Definition(_GAUGE, "Transactions in the node's pool; absent where it does not say."),
    "stoken_pool_limit": Definition(_GAUGE, "Transactions that the node's pool holds."),
    "stoken_step_seconds_total": Definition(_COUNTER, "Time spent in a step of the worker's loop.", ("step",)),
    "stoken_step_failures_total": Definition(
        _COUNTER, "Runs of a step that ended by an error, by its class.", ("step", "reason")
    ),
    COMMIT_SECONDS: Definition("histogram", "Time that a commit took in the database."),
    "stoken_http_requests_total": Definition(_COUNTER, "Requests answered, by class of status.", ("status",), SERVE),
    "stoken_http_requests_open": Definition(_GAUGE, "Requests under way.", (), SERVE),
    "stoken_orders_accepted_total": Definition(_COUNTER, "Orders that the venue took.", (), SERVE),
    "stoken_orders_refused_total": Definition(_COUNTER, "Orders that it refused, by code.", ("code",), SERVE),
    "stoken_orders_repeated_total": Definition(_COUNTER, "Orders that came again and got their answer.", (), SERVE),
    "stoken_orders_canceled_total": Definition(
        _COUNTER, "Orders cancelled, by the code of the rule; `none`: by broker or replacement.", ("code",), SERVE
    ),
    "stoken_orders_trades_total": Definition(_COUNTER, "Trades matched.", (), SERVE),
    "stoken_venue_up": Definition(
        _GAUGE, "1 while the venue answers; the others of it are absent otherwise.", (), SERVE
    ),
    "stoken_venue_orders_open": Definition(_GAUGE, "Orders in the books.", (), SERVE),
    "stoken_venue_journal_entries": Definition(_GAUGE, "Entries in the journal.", (), SERVE),
    "stoken_venue_queue": Definition(_GAUGE, "Entries and questions that wait for the venue.", (), SERVE),
    "stoken_venue_block": Definition(_GAUGE, "Last block in the journal, -1 before the first.", (), SERVE),
    "stoken_venue_lag_blocks": Definition(
        _GAUGE, "Final blocks of the ledger that are not in the journal; absent without its database.", (), SERVE
    ),
    "stoken_venue_ledger_current": Definition(_GAUGE, "1 while the ledger is current enough for orders.", (), SERVE),
    "stoken_venue_halted_tokens": Definition(
        _GAUGE, "Tokens closed to orders by a difference or a broken invariant.", (), SERVE
    ),
}


class Sample(NamedTuple):
    """A value of a metric, with its labels in the order of the definition."""

    name: str
    value: float
    labels: tuple[str, ...] = ()


class Counts:
    """What this process counted; safe to use from several threads."""

    def __init__(self, part: str = "work") -> None:
        """Start from nothing, as counters of Prometheus do; `part` says for which process."""
        self._part = part
        self._lock = Lock()
        self._values: dict[tuple[str, tuple[str, ...]], float] = {}
        self.registry = CollectorRegistry()
        shown_in = self.registry if METRICS[COMMIT_SECONDS].part == part else None
        self._commits = Histogram(
            COMMIT_SECONDS, METRICS[COMMIT_SECONDS].says, registry=shown_in, buckets=_COMMIT_BUCKETS
        )

    def add(self, name: str, amount: float = 1, *labels: str) -> None:
        """Add to a counter that METRICS lists."""
        if METRICS[name].kind != _COUNTER or len(labels) != len(METRICS[name].labels):
            raise KeyError(name)
        with self._lock:
            self._values[name, labels] = self._values.get((name, labels), 0) + amount

    def committed(self, seconds: float) -> None:
        """Note how long a commit took."""
        self._commits.observe(seconds)

    def samples(self) -> list[Sample]:
        """Return every counter; one without labels that never counted stands at 0."""
        with self._lock:
            known = dict(self._values)
        for name, definition in METRICS.items():
            if definition.kind == _COUNTER and not definition.labels and definition.part == self._part:
                known.setdefault((name, ()), 0)
        return [Sample(name, value, labels) for (name, labels), value in known.items()]


class _Samples(Collector):
    def __init__(self, samples: Iterable[Sample]) -> None:
        self._samples = samples

    @override
    def collect(self) -> Iterator[Metric]:
        families: dict[str, GaugeMetricFamily | CounterMetricFamily] = {}
        for name, value, labels in self._samples:
            definition = METRICS[name]
            family = families.get(name)
            if family is None:
                kind = GaugeMetricFamily if definition.kind == _GAUGE else CounterMetricFamily
                family = families[name] = kind(name, definition.says, labels=definition.labels)
            family.add_metric(list(labels), value)
        yield from families.values()


def render(counts: Counts, samples: Iterable[Sample]) -> bytes:
    """Return what Prometheus reads; KeyError where a sample is of no listed metric."""
    # A second series for each, with the time of its creation, says nothing here.
    disable_created_metrics()  # type: ignore[no-untyped-call] # published without it
    registry = CollectorRegistry()
    registry.register(_Samples([*samples, *counts.samples()]))
    return generate_latest(registry) + generate_latest(counts.registry)
