# SPDX-License-Identifier: Apache-2.0
"""How far the system clock is from UTC, as whoever disciplines it (chrony, ntpd, timesyncd) tells the kernel."""

import ctypes
import os
from typing import ClassVar, Final, NamedTuple

_UNSYNCHRONISED: Final = 0x0040
_NANOSECONDS: Final = 0x2000
_ERROR: Final = 5
_MICROSECOND_NS: Final = 1_000


class ClockReading(NamedTuple):
    """The offset still to be corrected and its estimated error; both mean little where nobody keeps the clock."""

    offset_ns: int
    error_ns: int
    synchronised: bool

    @property
    def divergence_ns(self) -> int:
        """Return how far from UTC the clock may be."""
        return abs(self.offset_ns) + self.error_ns


class Timex(ctypes.Structure):
    """The kernel's `struct timex`."""

    _fields_: ClassVar = [
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        ("seconds", ctypes.c_long),
        ("fraction", ctypes.c_long),
        ("tick", ctypes.c_long),
        ("ppsfreq", ctypes.c_long),
        ("jitter", ctypes.c_long),
        ("shift", ctypes.c_int),
        ("counters", ctypes.c_long * 5),
        ("tai", ctypes.c_int),
        ("reserved", ctypes.c_int * 11),
    ]


def read_clock() -> ClockReading:
    """Ask the kernel; nothing is changed and no right is needed."""
    found = Timex()
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(found))
    if state < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return interpret(found, state)


def interpret(found: Timex, state: int) -> ClockReading:
    """Read the kernel's answer: the offset is in microseconds unless it says nanoseconds, the error always in those."""
    unit = 1 if found.status & _NANOSECONDS else _MICROSECOND_NS
    synchronised = state != _ERROR and not found.status & _UNSYNCHRONISED
    return ClockReading(found.offset * unit, found.esterror * _MICROSECOND_NS, synchronised)
