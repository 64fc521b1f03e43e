"""Text that people write and people read: what of it cannot be seen, and may turn the rest around. Pure."""

from __future__ import annotations

import re
from typing import Final

HIDDEN: Final = (
    r"\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, C0 without tabulator and new line, and C1
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # Unicode Annex 9, 2: explicit directions reorder what is read
    r"\u200b\u2028\u2029\u2060\ufeff"  # no width, or a line end that no log knows
)
"""What no text may hold, inside a character class; in a text of one line tabulator and new line neither."""
HIDDEN_IN_LINE: Final = HIDDEN + r"\t\n"
_TEXT: Final = re.compile(f"[{HIDDEN}]")
_LINE: Final = re.compile(f"[{HIDDEN_IN_LINE}]")


def hidden_in(text: str, *, is_one_line: bool = False) -> str | None:
    """The first control or direction character of a text, as `U+202E at 3`; None where there is none."""
    found = (_LINE if is_one_line else _TEXT).search(text)
    return None if found is None else f"U+{ord(found[0]):04X} at {found.start() + 1}"
