# SPDX-License-Identifier: Apache-2.0
"""How many blocks a request covers, against what nodes say of too many."""

import pytest

from stoken.chain.rpc import NodeError, OversizedError, TimedOutError
from stoken.errors import LedgerUnavailableError
from stoken.mirror.completeness import IncompleteBlockError
from stoken.mirror.window import Window

#: As geth, Besu, Nethermind, Erigon and hosted nodes put it.
REFUSALS = [
    NodeError(-32005, "Requested range exceeds maximum range limit"),
    NodeError(-32602, "block range too large"),
    NodeError(-32602, "Invalid params: Requested range exceeds maximum range limit"),
    NodeError(-32003, "response too large"),
    NodeError(-32000, "query returned more than 10000 results"),
    NodeError(-32000, "exceed maximum block range: 5000"),
    NodeError(-32002, "request timed out"),
    OversizedError("413"),
    TimedOutError("ReadTimeout"),
]
OTHERS = [
    NodeError(-32602, "invalid argument 0: hex string without 0x prefix"),
    NodeError(-32000, "header not found"),
    LedgerUnavailableError("connection refused"),
    IncompleteBlockError("block 7: log 0 is missing"),
]


class TestRefused:
    @pytest.mark.parametrize("refusal", REFUSALS, ids=str)
    def test_a_range_that_is_too_large_is_halved(self, refusal: LedgerUnavailableError) -> None:
        window = Window()
        assert window.refused(1_000, refusal)
        assert window.size == 500

    @pytest.mark.parametrize("error", OTHERS, ids=str)
    def test_any_other_error_is_not_about_the_range(self, error: LedgerUnavailableError) -> None:
        window = Window()
        size = window.size
        assert not window.refused(1_000, error)
        assert window.size == size

    def test_a_single_block_cannot_be_halved(self) -> None:
        assert not Window().refused(1, REFUSALS[0])


class TestAnswered:
    def test_the_range_grows_up_to_its_maximum(self) -> None:
        window, sizes = Window(blocks_max=100), []
        for _ in range(4):
            sizes.append(window.size)
            window.answered(window.size, 0)
        assert sizes == [8, 32, 100, 100]

    def test_full_blocks_keep_it_small(self) -> None:
        window = Window(logs=1_000)
        window.answered(8, 4_000)
        assert window.size == 2
        window.answered(2, 9_000)
        assert window.size == 1

    def test_what_was_refused_is_not_asked_for_until_much_was_answered(self) -> None:
        window = Window(blocks_max=64)
        window.refused(64, REFUSALS[0])
        for _ in range(31):
            window.answered(window.size, 0)
            assert window.size == 32
        window.answered(window.size, 0)
        assert window.size == 64
