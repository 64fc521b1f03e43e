"""Draws that anybody can check: a day's secret, committed by its hash first, revealed when the day is over. Pure.

RULES 3: HMAC-SHA-256 under the day's secret of a prefix and a slip number (plate where there is none), first 8 bytes
big-endian as a fraction of 2^64, is below the rate.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any, Final

_WHOLE: Final = 2**64
ZONE_TIME: Final = timezone(timedelta(hours=8))
"""The day of a draw is the zone's own: China has one time, UTC+8."""
COMMITTED, REVEALED, MADE = "day_secret_committed", "day_secret_revealed", "draws_made"
"""Kinds of the records that a third party needs."""


@dataclass(frozen=True, slots=True)
class WantedDraw:
    """A draw the rules ask for. That of a slip is kept for good, that of a plate for its day."""

    name: str
    rate: Fraction
    is_of_slip: bool


def fraction_of(secret: bytes, name: str) -> Fraction:
    """The first eight bytes, big-endian, of HMAC-SHA-256(secret, name) as a fraction of 2^64."""
    digest = hmac.new(secret, name.encode(), hashlib.sha256).digest()
    return Fraction(int.from_bytes(digest[:8], "big"), _WHOLE)


def commitment(secret: bytes) -> str:
    """What is published at the day's start: the SHA-256 of the secret, in hex."""
    return hashlib.sha256(secret).hexdigest()


def day_of(at: datetime) -> date:
    """The zone's day of a moment."""
    return at.astimezone(ZONE_TIME).date()


def derived(master: bytes, day: date) -> bytes:
    """The secret of one day out of a site's own: revealing it tells nothing of the master or of another day."""
    return hmac.new(master, f"day:{day.isoformat()}".encode(), hashlib.sha256).digest()


def problems_of(
    entries: Iterable[tuple[int, str, Mapping[str, Any]]], *, is_whole: bool = True
) -> Iterator[tuple[int, str]]:
    """What does not hold in the record's draws, with its record: (number, kind, facts) in, in their order.

    A draw of a day whose secret is not revealed yet is not judged; nor, where the record's beginning was dropped
    (`is_whole` False), one of a day whose commitment was dropped with it.
    """
    committed: dict[str, str] = {}
    made: dict[str, list[tuple[int, str, str, bool]]] = {}
    for number, kind, facts in entries:
        day = str(facts.get("day"))
        if kind == COMMITTED:
            committed[day] = str(facts.get("sha256"))
        elif day not in committed and not is_whole:
            continue
        elif kind == MADE:
            if facts.get("sha256") != committed.get(day):
                yield number, f"draws of {day}: commitment {committed.get(day)} expected, found {facts.get('sha256')}"
            made.setdefault(day, []).extend((number, *line) for line in facts.get("draws", ()))
        elif kind == REVEALED:
            yield from _judged(number, facts, committed.get(day), made.get(day, ()))


def _judged(
    number: int, facts: Mapping[str, Any], committed: str | None, made: Iterable[tuple[int, str, str, bool]]
) -> Iterator[tuple[int, str]]:
    day = facts.get("day")
    try:
        secret = bytes.fromhex(str(facts.get("secret")))
    except ValueError:
        yield number, f"secret of {day}: hexadecimal digits expected"
        return
    if commitment(secret) != committed:
        yield number, f"secret of {day}: one with the SHA-256 {committed} expected, found {commitment(secret)}"
        return
    for at, name, rate, drawn in made:
        if (fraction_of(secret, name) < Fraction(rate)) is not drawn:
            yield at, f"draw {name} at {rate} on {day}: {not drawn} by the revealed secret, found {drawn}"
