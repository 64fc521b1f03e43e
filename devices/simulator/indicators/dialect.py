"""What one protocol is to an emulator: how a display goes on the line, how a question is answered. Pure data."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from devices.simulator.indicators.display import Shown


@dataclass(frozen=True, slots=True)
class Dialect:
    """One protocol as one indicator is set up for it.

    `is_asked`: it speaks only when asked. `question` finds one whole question in what was heard; `answer` may be empty.
    `zeroes`: the questions that set its zero. `spoil` makes the check of a frame wrong; None: there is no check.
    `first` comes once, at power-on.
    """

    frame: Callable[[Shown], bytes]
    is_asked: bool = False
    question: re.Pattern[bytes] | None = None
    answer: Callable[[bytes, Shown], bytes] | None = None
    spoil: Callable[[bytes], bytes] | None = None
    has_unit: bool = True
    first: bytes = b""
    zeroes: frozenset[bytes] = frozenset()


def chosen(options: dict[str, str], key: str, allowed: tuple[str, ...]) -> str:
    """Take an option out of the rest; the first allowed is the default. Raises ValueError."""
    value = options.pop(key, allowed[0])
    if value not in allowed:
        raise ValueError(f"{key}: one of {', '.join(allowed)} expected, found {value!r}")
    return value
