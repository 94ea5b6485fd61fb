# SPDX-License-Identifier: Apache-2.0
"""Block time ascends and stays near UTC."""

import pytest

from stoken.mirror import BlockClock, MinedBlock
from stoken.mirror.clock import BlockTimeError
from tests.requirements import requirement

NOW = 1_700_000_000


def blocks(*times: int) -> list[MinedBlock]:
    return [MinedBlock(number, bytes(32), bytes(32), time, (), ()) for number, time in enumerate(times)]


def clock(skew: int = 30) -> BlockClock:
    return BlockClock(lambda: NOW * 1_000_000_000, skew)


@requirement("NET-07")
class TestBlockClock:
    def test_ascending_times_up_to_the_skew_pass(self) -> None:
        clock().check(NOW - 90, blocks(NOW - 90, NOW, NOW + 30))

    @pytest.mark.parametrize("times", [(99,), (100, 200, 199)])
    def test_a_time_that_runs_back_is_refused_and_named(self, times: tuple[int, ...]) -> None:
        with pytest.raises(BlockTimeError, match="1 s before the block it follows") as caught:
            BlockClock().check(100, blocks(*times))
        assert caught.value.details == {"block": len(times) - 1, "block_time": times[-1]}

    def test_a_time_ahead_of_utc_is_refused_until_utc_has_come_there(self) -> None:
        with pytest.raises(BlockTimeError, match="31 s ahead of UTC"):
            clock().check(0, blocks(NOW + 31))
        clock(31).check(0, blocks(NOW + 31))

    def test_a_time_long_past_is_history_not_an_error(self) -> None:
        clock().check(0, blocks(1))

    def test_nothing_to_write_is_nothing_to_check(self) -> None:
        clock().check(NOW, [])
