"""Plates and container numbers: one written form for comparing, and the ISO 6346 check digit."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_PLATE_FILLERS: Final = str.maketrans("", "", " ·•・.-\t\n\r\u3000")
_CONTAINER_SHAPE: Final = re.compile(r"[A-Z]{4}[0-9]{7}")
# ISO 6346: letters count from 10 upwards and skip the multiples of 11 (11, 22, 33).
_LETTER_VALUES: Final = dict(
    zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", (n for n in range(10, 39) if n % 11), strict=True),
)


def comparable_plate(text: str) -> str:
    """A plate without spaces and dots, in capitals and ordinary-width characters; only for comparing."""
    return unicodedata.normalize("NFKC", text).translate(_PLATE_FILLERS).upper()


def comparable_container(text: str) -> str:
    """A container number without spaces and hyphens, in capitals; only for comparing."""
    return unicodedata.normalize("NFKC", text).translate(_PLATE_FILLERS).upper()


def comparable_seal(text: str) -> str:
    """A seal number without spaces, in capitals; only for comparing."""
    return unicodedata.normalize("NFKC", text).replace(" ", "").upper()


def container_check_digit_fits(number: str) -> bool:
    """Whether a container number is four letters and seven digits whose last is the ISO 6346 check digit."""
    number = comparable_container(number)
    if not _CONTAINER_SHAPE.fullmatch(number):
        return False
    total = sum((_LETTER_VALUES.get(c) or int(c)) << place for place, c in enumerate(number[:10]))
    return total % 11 % 10 == int(number[10])
