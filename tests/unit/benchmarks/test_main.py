# SPDX-License-Identifier: Apache-2.0
"""A part of the benchmarks that waits for an answer that never comes ends, and says so."""

import time

import pytest

from benchmarks.__main__ import time_limit


class TestTimeLimit:
    def test_what_waits_too_long_is_interrupted(self) -> None:
        started = time.monotonic()
        with pytest.raises(RuntimeError, match="not done after 1 s"), time_limit(1):
            time.sleep(20)
        assert time.monotonic() - started < 10

    def test_what_ends_in_time_is_left_alone_afterwards(self) -> None:
        with time_limit(1):
            pass
        time.sleep(1.2)
