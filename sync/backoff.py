"""How long to wait before the next attempt. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import Random
from typing import Final

SHORTEST_S: Final = 0.05
LONGEST_WISH_S: Final = 3600.0  # a far side that asks for more gets an attempt an hour; our decision


def full_jitter_s(failures: int, rng: Random, *, base_s: float = 0.5, cap_s: float = 10.0) -> float:
    """Seconds after `failures` failures in a row (from 1): anywhere up to the doubled base, so that sites spread."""
    ceiling_s = min(cap_s, base_s * 2 ** min(failures, 30))
    return max(SHORTEST_S, rng.uniform(0, ceiling_s))


def scheduled_s(attempts: int, delays_s: Sequence[float]) -> float | None:
    """Seconds to wait after `attempts` failed attempts; None once the schedule is used up."""
    return delays_s[attempts] if attempts < len(delays_s) else None


def retry_after_s(header: str | None, now: datetime) -> float | None:
    """`Retry-After` in seconds or as an HTTP date, within bounds; None for none or nonsense."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_WISH_S)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return min(max((at - now).total_seconds(), 0.0), LONGEST_WISH_S)
