# SPDX-License-Identifier: Apache-2.0
"""What is counted is shown, what is not listed cannot be."""

import pytest

from stoken.telemetry.metrics import Counts, Sample, render


def _shown(counts: Counts, *samples: Sample) -> list[str]:
    return [line for line in render(counts, samples).decode().splitlines() if not line.startswith("#")]


class TestCounts:
    def test_a_counter_without_labels_begins_at_nothing(self) -> None:
        assert "stoken_mirror_reorgs_total 0.0" in _shown(Counts())

    def test_what_is_added_is_shown_by_label(self) -> None:
        counts = Counts()
        for reason in ("NOT_PERMITTED", "NOT_PERMITTED", "TRANSACTION_UNACCEPTABLE"):
            counts.add("stoken_outbox_failures_total", 1, reason)
        assert 'stoken_outbox_failures_total{reason="NOT_PERMITTED"} 2.0' in _shown(counts)

    @pytest.mark.parametrize(
        ("name", "labels"),
        [("stoken_unheard_of_total", ()), ("stoken_mirror_block", ()), ("stoken_outbox_failures_total", ())],
    )
    def test_what_is_no_listed_counter_is_refused(self, name: str, labels: tuple[str, ...]) -> None:
        with pytest.raises(KeyError):
            Counts().add(name, 1, *labels)

    def test_commits_fall_into_buckets(self) -> None:
        counts = Counts()
        counts.committed(0.002)
        shown = _shown(counts)
        assert 'stoken_database_commit_seconds_bucket{le="0.001"} 0.0' in shown
        assert 'stoken_database_commit_seconds_bucket{le="0.0025"} 1.0' in shown


class TestRender:
    def test_a_sample_of_no_listed_metric_is_refused(self) -> None:
        with pytest.raises(KeyError):
            render(Counts(), [Sample("stoken_unheard_of", 1)])

    def test_nothing_is_said_twice(self) -> None:
        shown = _shown(Counts(), Sample("stoken_mirror_block", 7))
        assert "stoken_mirror_block 7.0" in shown
        assert not [line for line in shown if "_created" in line]
        assert len(shown) == len(set(shown))
