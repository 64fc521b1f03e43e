"""Random draws that can be checked afterwards: HMAC-SHA-256 under the day's secret (RULES 3, `spot_check`)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from fractions import Fraction
from typing import Final

SPOT: Final = "spot:"
WEIGH: Final = "weigh:"
_WHOLE: Final = 2**64


def fraction_of(secret: bytes, name: str) -> Fraction:
    """The first eight bytes, big-endian, of HMAC-SHA-256(secret, name) as a fraction of 2^64."""
    digest = hmac.new(secret, name.encode(), hashlib.sha256).digest()
    return Fraction(int.from_bytes(digest[:8], "big"), _WHOLE)


def is_drawn(prefix: str, subject: str, rate: Fraction, secret: bytes | None, kept: Mapping[str, bool]) -> bool:
    """Whether the subject (slip number, or plate where there is none) is drawn at this rate.

    A draw that was made before is kept (RULES 3: "drawn once per slip and kept"). Without a secret every draw with a
    rate above 0 counts as drawn.
    """
    name = prefix + subject
    if name in kept:
        return kept[name]
    if rate == 0:
        return False
    return secret is None or fraction_of(secret, name) < rate


def commitment(secret: bytes) -> str:
    """What is published at the day's start: the SHA-256 of the secret, in hex."""
    return hashlib.sha256(secret).hexdigest()
