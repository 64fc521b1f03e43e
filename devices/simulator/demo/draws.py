"""Draws under the day's secret, computed here anew from the public rule, so that a drawn truck is known beforehand.

Deliberately not the engine's own code: the two must agree, and the demo shows when they do not.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

SPOT_RATES: Final = {"advanced": 0.01, "registered": 0.05, "dishonest": 1.0, "service": 0.02}  # default policy, RULES 4


def secret_for(seed: int) -> str:
    """The day's secret of a demo run, as hex; the same for the same seed."""
    return hashlib.sha256(f"demo secret {seed}".encode()).hexdigest()


def fraction(secret: str, purpose: str, key: str) -> float:
    """RULES 3: HMAC-SHA-256 of purpose + key, its first 8 bytes big-endian as a fraction of 2 to the 64th."""
    digest = hmac.new(bytes.fromhex(secret), f"{purpose}{key}".encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def is_spot_checked(secret: str, key: str, rate_name: str) -> bool:
    """Whether the default policy draws this slip (or plate, for a vehicle without one) for a spot check."""
    return fraction(secret, "spot:", key) < SPOT_RATES[rate_name]
