"""Displayed numbers as text: sign, digits and decimals exactly as shown, never a float. Units by their one spelling."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Blanks are allowed after the sign and between groups of three digits (`-  1.640`, `1 460`), a dot may stand last
# (`000000.`), and a comma may stand for the dot (A&D). All seen in the field: reference notes of `csv` and `mt-sics`.
_NUMBER = re.compile(r" *([+-]?) *(\d{1,3}(?: \d{3})+(?!\d)|\d*)(?:[.,](\d*))? *")

UNITS = {"kg": "kg", "g": "g", "t": "t", "lb": "lb", "lbs": "lb", "oz": "oz", "ton": "short_ton", "tn": "short_ton"}


@dataclass(frozen=True, slots=True)
class Shown:
    """A number as the display shows it; minus zero is zero, with its sign kept beside it."""

    value: str
    is_minus_zero: bool


def shown(digits: str, *, decimals: int = 0, is_minus: bool = False) -> Shown:
    """Text of a number given as digits and the count of decimals. `digits` holds digits only, at least one."""
    padded = digits.rjust(decimals + 1, "0")
    whole, fraction = padded[: len(padded) - decimals], padded[len(padded) - decimals :]
    text = (whole.lstrip("0") or "0") + (f".{fraction}" if fraction else "")
    is_zero = not digits.strip("0")
    return Shown(f"-{text}" if is_minus and not is_zero else text, is_minus and is_zero)


def read_number(text: str) -> Shown | None:
    """Number of a text field, or None when the field is blank or anything else than one number."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        return None
    sign, whole, fraction = found.groups()
    whole, fraction = whole.replace(" ", ""), fraction or ""
    if not whole + fraction or not (whole + fraction).isascii():
        return None
    return shown(whole + fraction, decimals=len(fraction), is_minus=sign == "-")


def read_unit(text: str) -> str | None:
    """One spelling for a unit of mass as indicators write it (`Kg`, `LB`), or None for anything else."""
    return UNITS.get(text.strip().lower())
