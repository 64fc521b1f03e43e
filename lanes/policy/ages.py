"""Ages and limits in time, exact to the microsecond and without leaving the calendar's range."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

_MICROSECOND: Final = timedelta(microseconds=1)
_MICROSECONDS_PER_HOUR: Final = 3_600_000_000
_MICROSECONDS_PER_SECOND: Final = 1_000_000


def microseconds(start: datetime, end: datetime) -> int:
    """From start to end; negative where the end is earlier."""
    return (end - start) // _MICROSECOND


def hours_between(start: datetime, end: datetime) -> float:
    """Hours from start to end, for showing."""
    return round(microseconds(start, end) / _MICROSECONDS_PER_HOUR, 3)


def age_exceeds(as_of: datetime, now: datetime, limit_h: Fraction) -> bool:
    """Whether more than `limit_h` hours have passed; exactly the limit has not."""
    return microseconds(as_of, now) > limit_h * _MICROSECONDS_PER_HOUR


def is_stale(as_of: datetime | None, now: datetime, limit_h: Fraction) -> bool:
    """RULES 6: exactly the limit is not stale, a limit of 0 always is, `as_of` missing or in the future is."""
    return limit_h == 0 or as_of is None or as_of > now or age_exceeds(as_of, now, limit_h)


def error_crosses_end(end: datetime, now: datetime, error_us: int, *, after_h: Fraction = Fraction(0)) -> bool:
    """Whether now ± error lies on both sides of an end that is itself still good (`end` plus `after_h` hours)."""
    past_us = microseconds(end, now) - after_h * _MICROSECONDS_PER_HOUR
    return past_us - error_us <= 0 < past_us + error_us


def error_crosses_start(start: datetime, now: datetime, error_us: int) -> bool:
    """Whether now ± error lies on both sides of a start that is itself good."""
    past_us = microseconds(start, now)
    return past_us - error_us < 0 <= past_us + error_us


def error_microseconds(error_s: Fraction) -> int:
    """An error bound in microseconds, rounded up."""
    return -int(-error_s * _MICROSECONDS_PER_SECOND // 1)
