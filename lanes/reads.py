"""What a lane's camera and scanner read: what a read says, whose vehicle it is of, what a passage learns from it. Pure.

A read is of the vehicle at the readers. Where these stand before the entry boom that may be the next one already, while
the vehicle of the passage is on the platform: whose a read is comes from the approach loop, never from the order of
messages alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from gate_service.domain.commands import PlateRead
from gate_service.domain.passage import Passage
from gate_service.domain.reading import Presence
from gate_service.domain.vehicle import comparable_plate
from lanes.request_fields import read_text
from lanes.states import LaneState

MOST_OTHER_PLATES: Final = 4
"""Different plates kept beside the first; a person decides from the first of them. Site decision."""


class Whose(StrEnum):
    """Of which vehicle a read is."""

    PASSAGE = "passage"
    NEXT = "next"  # at the approach, while the one of the passage is past it
    UNSURE = "unsure"  # the approach loop does not say


@dataclass(frozen=True, slots=True)
class Read:
    """One read. `facts` as the record keeps them: `scanned`, or the plate with what else was looked at."""

    facts: Mapping[str, Any]
    read_id: str | None
    taken_at: datetime  # when the service took it
    by: str

    @property
    def content(self) -> str:
        """The same text for the same read: a repeat is known by it."""
        return f"{self.read_id}|{sorted((name, str(value)) for name, value in self.facts.items())}"

    def as_record(self) -> dict[str, Any]:
        """For record and snapshot."""
        return {**self.facts, "read_id": self.read_id, "taken_at": self.taken_at.isoformat()}


def scan_facts(code: str) -> dict[str, Any]:
    """What a scan says. Raises InputError."""
    return {"scanned": read_text("code", code)}


def plate_facts(read: PlateRead) -> dict[str, Any]:
    """What a camera says. Raises InputError."""
    return {
        "plate": None if read.plate is None else read_text("plate", read.plate).upper(),
        "trailer_plate": read.trailer_plate,
        "containers": None if read.containers is None else list(read.containers),
        "seals": None if read.seals is None else list(read.seals),
        "is_plate_looked_at": True,
    }


def whose(
    *,
    has_passage: bool,
    state: LaneState,
    approach: Presence | None,
    has_left: bool | None,
    has_gone_in: bool,
    is_checked: bool,
) -> Whose:
    """Of which vehicle a read is that comes now from a reader at the approach.

    `has_left`: the vehicle of the passage was seen to leave the approach; None where that is not known. `has_gone_in`:
    its front was seen beyond it, so that what the loop sees is its tail or another bumper close behind. Then a read
    is its own only where it `is_checked`: one of another vehicle would not pass unnoticed.
    """
    if not has_passage:
        is_next = state is LaneState.CLEARING and approach is Presence.OCCUPIED
        return Whose.NEXT if is_next else Whose.PASSAGE
    if approach is Presence.UNKNOWN:
        return Whose.UNSURE
    if state is LaneState.APPROACH or approach is not Presence.OCCUPIED:
        return Whose.PASSAGE  # nobody else is at the readers: where it is past them, a late read of it
    if has_left is None:
        return Whose.UNSURE
    if not has_left:
        return Whose.UNSURE if has_gone_in and not is_checked else Whose.PASSAGE
    return Whose.UNSURE if state is LaneState.ADMITTING else Whose.NEXT  # there it may have rolled back


def learned(passage: Passage, facts: Mapping[str, Any]) -> Passage:
    """The passage with what a read says of its vehicle; the same object where it says nothing new.

    What was not looked at, or could not be read, never replaces what is known. Another plate than the known one stands
    beside it until a person says which is right; see `_another` for one that comes after a decision.
    """
    if "scanned" in facts:
        code = facts["scanned"]
        return passage if code in passage.scanned else passage.with_facts(scanned=(*passage.scanned, code))
    changes: dict[str, Any] = {} if passage.is_plate_looked_at else {"is_plate_looked_at": True}
    for name in ("trailer_plate", "containers", "seals"):
        value = facts[name]
        value = tuple(value) if isinstance(value, list) else value
        if value is not None and value != getattr(passage, name):
            changes[name] = value
    plate = facts["plate"]
    if plate is not None and passage.plate is None:
        changes["plate"] = plate
    elif plate is not None and _is_another(passage, plate):
        changes |= _another(passage, plate)
    return passage.with_facts(**changes) if changes else passage


def _is_another(passage: Passage, plate: str) -> bool:
    known = (passage.plate or "", *passage.other_plates, *passage.plates_set_aside)
    return comparable_plate(plate) not in {comparable_plate(other) for other in known}


def _another(passage: Passage, plate: str) -> dict[str, Any]:
    """A second plate. One that comes after a decision on a single plate is a better look, and is judged anew."""
    is_in_doubt = bool(passage.other_plates or passage.plates_set_aside)
    if passage.decided_version is not None and not is_in_doubt:
        return {"plate": plate}
    if len(passage.other_plates) >= MOST_OTHER_PLATES:
        return {}
    return {"other_plates": (*passage.other_plates, plate)}


def plate_decided(passage: Passage, plate: str) -> dict[str, Any]:
    """Facts beside the plate that a person says is right: the others were looked at, and count no more."""
    read = (passage.plate, *passage.other_plates, *passage.plates_set_aside)
    aside = [other for other in read if other is not None and comparable_plate(other) != comparable_plate(plate)]
    return {"other_plates": (), "plates_set_aside": tuple(dict.fromkeys(aside))}
