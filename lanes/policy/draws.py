"""Random draws under the day's secret (RULES 3, `spot_check`); the formula is `gate_service.domain.draws`."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from gate_service.domain.draws import commitment, fraction_of

__all__ = ["SPOT", "WEIGH", "commitment", "fraction_of", "is_drawn"]

SPOT: Final = "spot:"
WEIGH: Final = "weigh:"


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
