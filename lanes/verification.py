"""How long the verification of a lane's weighbridge is still valid: shown before it ends. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

SOON: Final = timedelta(days=30)
"""A verification is arranged in weeks, not in days. Site decision."""


def verification_state(until_at: datetime | None, now: datetime) -> str:
    """`valid`, `ends_soon`, `ended`, or `unknown` where the site has not said until when."""
    if until_at is None:
        return "unknown"
    if now > until_at:
        return "ended"
    return "ends_soon" if until_at - now <= SOON else "valid"


def days_left(until_at: datetime | None, now: datetime) -> int | None:
    """Whole days until it ends, never below zero; None where that is not known."""
    return None if until_at is None else max(0, (until_at - now).days)
