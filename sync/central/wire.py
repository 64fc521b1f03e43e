"""The central system's answers, read from bytes. Pure. What cannot be used raises CentralError."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from gate_service.domain.errors import CentralError

LONGEST_NUMBER: Final = 25  # digits; a longer one is no count, mass or version and costs time to read
LONGEST_CURSOR: Final = 4096


@dataclass(frozen=True, slots=True)
class ChangesPage:
    """One page of changes, each still as it came."""

    changes: Sequence[Any]
    cursor: str
    more: bool
    as_of: datetime


@dataclass(frozen=True, slots=True)
class RejectedEvent:
    """An event that the centre will not take, and why."""

    event_id: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class EventsAnswer:
    """What became of a batch of events."""

    accepted: tuple[tuple[int, int], ...]
    rejected: tuple[RejectedEvent, ...]

    def accepts(self, seq: int) -> bool:
        """Whether `seq` lies in an accepted range."""
        return any(first <= seq <= last for first, last in self.accepted)


def read_json(body: bytes, what: str) -> Any:
    """JSON without surprises: NaN, 1e999 and numbers of a thousand digits come as text and fail where a number is due.

    So nothing from outside holds a number that is not finite.
    """
    try:
        return json.loads(body, parse_constant=str, parse_int=_whole, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise CentralError(f"{what}: JSON expected, found {body[:60]!r} ({error})") from error


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) <= LONGEST_NUMBER else digits


def _finite(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits


def read_moment(value: object) -> datetime | None:
    """RFC 3339 with offset as UTC; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
        return None if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def read_changes(body: bytes) -> ChangesPage:
    """`GET /v1/changes`. The frame must hold; what a single change holds is judged one by one, later."""
    raw = read_json(body, "changes")
    if not isinstance(raw, dict):
        raise CentralError(f"changes: an object expected, found {type(raw).__name__}")
    changes, cursor, as_of = raw.get("changes"), raw.get("cursor"), read_moment(raw.get("as_of"))
    if not isinstance(changes, list) or not isinstance(cursor, str) or not 0 < len(cursor) <= LONGEST_CURSOR:
        raise CentralError("changes: a list of changes and a cursor expected")
    if as_of is None:
        raise CentralError(f"changes: as_of with offset expected, found {str(raw.get('as_of'))[:60]!r}")
    return ChangesPage(changes, cursor, raw.get("more") is True, as_of)


def read_events_answer(body: bytes) -> EventsAnswer:
    """`POST /v1/events`."""
    raw = read_json(body, "events answer")
    if not isinstance(raw, dict) or not isinstance(raw.get("accepted"), list):
        raise CentralError("events answer: an object with accepted ranges expected")
    accepted = []
    for pair in raw["accepted"]:
        if not (isinstance(pair, list) and len(pair) == 2 and all(type(n) is int for n in pair)):
            raise CentralError(f"events answer: ranges [first, last] expected, found {str(pair)[:60]!r}")
        accepted.append((pair[0], pair[1]))
    rejected = raw.get("rejected")
    rows = [row for row in rejected if isinstance(row, dict)] if isinstance(rejected, list) else []
    return EventsAnswer(
        tuple(accepted),
        tuple(
            RejectedEvent(str(row.get("id")), str(row.get("code"))[:80], str(row.get("message"))[:400]) for row in rows
        ),
    )


def read_problem_code(body: bytes) -> str:
    """The `code` of a problem document, or an empty text."""
    try:
        raw = read_json(body, "problem")
    except CentralError:
        return ""
    return str(raw.get("code", ""))[:80] if isinstance(raw, dict) else ""
