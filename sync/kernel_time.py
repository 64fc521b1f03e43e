"""What the kernel says of this machine's clock: whether a time daemon (chrony, ntpd, PTP) keeps it, and how well.

One read-only `adjtimex` call (adjtimex(2), `modes` 0 needs no privilege). Where the call is missing: unknown.
"""

from __future__ import annotations

import ctypes
import math
from typing import Final

from sync.time_mark import UNKNOWN, TimeMark

STA_UNSYNC: Final = 0x0040  # linux/timex.h
STA_NANO: Final = 0x2000  # linux/timex.h: `offset` is in nanoseconds, else microseconds
TIME_ERROR: Final = 5  # adjtimex(2): the clock is not synchronised


class _Timex(ctypes.Structure):
    """`struct timex` of linux/timex.h on 64 bits, as far as it is read; the kernel writes 208 bytes."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 208),
    )


def _find_call() -> ctypes._NamedFuncPointer | None:
    try:
        return ctypes.CDLL(None).adjtimex
    except (OSError, AttributeError):  # not on every platform
        return None


_adjtimex: Final = _find_call()


def kernel_mark() -> TimeMark:
    """Trust by the kernel: its bound on the error where a daemon disciplines the clock, else unknown."""
    if _adjtimex is None:
        return UNKNOWN
    timex = _Timex()
    state = int(_adjtimex(ctypes.byref(timex)))
    return read_state(state, timex.status, timex.offset, timex.maxerror)


def read_state(state: int, status: int, offset: int, maxerror_us: int) -> TimeMark:
    """Read the answer of one call."""
    if state in (-1, TIME_ERROR) or status & STA_UNSYNC:
        return UNKNOWN
    per_ms = 1_000_000 if status & STA_NANO else 1000
    return TimeMark("kernel", round(offset / per_ms), math.ceil((maxerror_us + abs(offset) * 1000 // per_ms) / 1000))
