"""Masses as customs messages write them: decimal kilograms, signed, with more decimals than a weighbridge has."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

# Bounded, so that no message makes us compute with a number of a thousand digits; the schemas allow 19 with 5 decimals.
_WEIGHT: Final = re.compile(r"[+-]?(?:\d{1,19}(?:\.\d{0,10})?|\.\d{1,10})", re.ASCII)


def weight_kg(text: str | None) -> Decimal | None:
    """The mass a text says, exactly; None for a blank, and for what is no plain decimal number."""
    stripped = (text or "").strip()
    return Decimal(stripped) if _WEIGHT.fullmatch(stripped) else None
