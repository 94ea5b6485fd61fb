# SPDX-License-Identifier: Apache-2.0
"""What the kernel says of its clock, read as its header defines it."""

import ctypes

import pytest

from stoken.telemetry.kernel_clock import ClockReading, Timex, interpret, read_clock
from tests.requirements import requirement


@requirement("REG-07")
class TestInterpret:
    def test_the_offset_is_in_the_unit_that_the_status_names_and_the_error_in_microseconds(self) -> None:
        assert interpret(Timex(offset=-250, esterror=3, status=0x2001), 0) == ClockReading(-250, 3_000, True)  # noqa: FBT003
        assert interpret(Timex(offset=-250, esterror=3, status=0x0001), 0) == ClockReading(-250_000, 3_000, True)  # noqa: FBT003

    @pytest.mark.parametrize(("status", "state"), [(0x0040, 0), (0x2041, 5), (0x0001, 5)])
    def test_a_clock_that_nobody_keeps_is_not_synchronised(self, status: int, state: int) -> None:
        assert not interpret(Timex(status=status), state).synchronised

    def test_what_counts_is_the_offset_either_way_and_its_error(self) -> None:
        assert ClockReading(-700_000, 300_001, synchronised=True).divergence_ns == 1_000_001


class TestReadClock:
    def test_the_kernel_fills_the_structure(self) -> None:
        found = read_clock()
        assert found.error_ns >= 0
        assert found.error_ns % 1_000 == 0

    def test_the_structure_is_as_large_as_the_kernels(self) -> None:
        assert ctypes.sizeof(Timex) == 208
        assert (Timex.status.offset, Timex.tick.offset, Timex.tai.offset) == (40, 88, 160)
