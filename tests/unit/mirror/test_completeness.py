# SPDX-License-Identifier: Apache-2.0
"""What a block's header says about its logs and receipts, recomputed."""

import pytest
from eth_hash.auto import keccak

from stoken.mirror import completeness
from stoken.mirror.blocks import Header, Log, decode_log
from stoken.mirror.completeness import IncompleteBlockError, LogsBloom, check_logs

_LOG = Log(7, 0, 0, b"\x01" * 20, b"\x02" * 64, b"data")


def _bloom(*logs: Log) -> int:
    """Compute a bloom as the yellow paper words it: three times 11 bits of each item's hash."""
    bloom = 0
    for log in logs:
        for item in (log.address, *(log.topics[at : at + 32] for at in range(0, len(log.topics), 32))):
            pairs = [int.from_bytes(keccak(item)[at : at + 2]) for at in (0, 2, 4)]
            bloom |= sum(1 << bit for bit in {pair % 2048 for pair in pairs})
    return bloom


def _header(bloom: int) -> Header:
    return Header(7, b"h" * 32, b"p" * 32, 0, bloom, bytes(32), ())


class TestCheckLogs:
    def test_complete_logs_pass(self) -> None:
        logs = [_LOG, _LOG._replace(log_index=1, address=b"\x03" * 20)]
        check_logs(_header(_bloom(*logs)), logs, LogsBloom())

    def test_a_gap_within_a_block_is_found(self) -> None:
        with pytest.raises(IncompleteBlockError, match="log 1 is missing"):
            check_logs(_header(_bloom(_LOG)), [_LOG, _LOG._replace(log_index=2)], LogsBloom())

    def test_a_missing_last_log_is_found_by_the_bloom(self) -> None:
        with pytest.raises(IncompleteBlockError, match="bloom"):
            check_logs(_header(_bloom(_LOG, _LOG._replace(address=b"\x03" * 20))), [_LOG], LogsBloom())


class TestDecodeLog:
    def test_an_anonymous_log_has_no_topics(self) -> None:
        answer = {
            "blockNumber": "0x7",
            "logIndex": "0x0",
            "transactionIndex": "0x1",
            "address": "0x" + "01" * 20,
            "topics": [],
            "data": "0x",
        }
        assert decode_log(answer) == Log(7, 0, 1, b"\x01" * 20, b"", b"")


class TestLogsBloom:
    def test_what_it_forgets_it_works_out_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(completeness, "_BLOOM_BITS_MAX", 3)
        bloom = LogsBloom()
        for number in (1, 2, 1, 3, 2):
            log = _LOG._replace(address=bytes([number]) * 20)
            assert bloom.of([log, _LOG]) == LogsBloom().of([log, _LOG]) == _bloom(log, _LOG)
