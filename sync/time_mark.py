"""How far a record's time can be trusted, as each record says it. Pure.

Stored as `[source, offset_ms, error_ms]` in JSON without spaces: `source` is `central` (the `Date` of the central
system's answers), `kernel` (a time daemon keeps this machine's clock, as the kernel tells) or `none`. `offset_ms` is
how far this clock is ahead of the source, null where the source does not say; `error_ms` bounds the error of `at_us`,
null for unknown. Unknown is a state: it is never written as zero.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class TimeMark:
    """Trust in the wall clock at one moment. Milliseconds."""

    source: str
    offset_ms: int | None
    error_ms: int | None

    def text(self) -> str:
        """As it is stored and hashed."""
        return f'["{self.source}",{_number(self.offset_ms)},{_number(self.error_ms)}]'


def _number(value: int | None) -> str:
    return "null" if value is None else str(value)


UNKNOWN: Final = TimeMark("none", None, None)
SOURCES: Final = ("central", "kernel", "none")
TimeMarks = Callable[[], TimeMark]
"""Asked for the trust of now, once a record; must not block."""


def read_mark(text: str) -> TimeMark:
    """Read what `text` wrote. Raises ValueError."""
    found = json.loads(text)
    if not isinstance(found, list) or len(found) != 3 or found[0] not in SOURCES:
        raise ValueError(f"clock: [source, offset_ms, error_ms] expected, found {text[:80]!r}")
    if not all(value is None or type(value) is int for value in found[1:]):
        raise ValueError(f"clock: whole milliseconds or null expected, found {text[:80]!r}")
    return TimeMark(*found)


def best_of(marks: Iterable[TimeMark]) -> TimeMark:
    """The mark with the smallest error bound; unknown where none has one."""
    known = [mark for mark in marks if mark.error_ms is not None]
    return min(known, key=lambda mark: mark.error_ms or 0, default=UNKNOWN)
