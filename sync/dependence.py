"""Which events mean nothing without an earlier one: they wait while that one is parked, all others go on. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gate_service.domain.events import EventType
from sync.batching import Waiting

DEPENDS_ON: Final[dict[str, str]] = {
    EventType.PASSAGE_OVERRIDDEN: EventType.PASSAGE_DECIDED,  # against which decision?
    EventType.PASSAGE_RESOLVED: EventType.PASSAGE_DECIDED,  # what was missing in which decision?
    EventType.SLIP_RETURNED: EventType.SLIP_USED,
    EventType.DEVICE_RECOVERED: EventType.DEVICE_FAULT,
    EventType.REGIME_CLOSED: EventType.REGIME_OPENED,
}
"""Type -> the type it needs, about the same passage, device or regime."""

NEEDED: Final = tuple(sorted(set(DEPENDS_ON.values())))


@dataclass(frozen=True, slots=True)
class Parked:
    """A parked event that later ones may need: its type, what it is about, its place in the record."""

    type: str
    about: str
    order: tuple[int, int]


def about(event_type: str, passage_id: str | None, payload: bytes) -> str:
    """What an event is about, as far as dependence goes."""
    if passage_id is not None:
        return passage_id
    found: Any = json.loads(payload).get("data", {})
    if event_type in (EventType.DEVICE_FAULT, EventType.DEVICE_RECOVERED):
        return f"{found.get('lane')}/{found.get('device')}"
    return ""


def apart(waiting: Iterable[Waiting], parked: Sequence[Parked]) -> tuple[list[Waiting], int]:
    """Those that may go, and how many wait for a parked event."""
    if not parked:
        return list(waiting), 0
    first: dict[tuple[str, str], tuple[int, int]] = {}
    for one in parked:
        key = (one.type, one.about)
        first[key] = min(first.get(key, one.order), one.order)
    free, held = [], 0
    for event in waiting:
        if _waits(event, first):
            held += 1
        else:
            free.append(event)
    return free, held


def _waits(event: Waiting, first: dict[tuple[str, str], tuple[int, int]]) -> bool:
    needed = DEPENDS_ON.get(event.type)
    if needed is None:
        return False
    order = first.get((needed, about(event.type, event.passage_id, event.payload)))
    return order is not None and order < event.order
