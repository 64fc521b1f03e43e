"""One vehicle's visit to a lane: facts that are added or replaced by a newer version, never edited in place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Self

from gate_service.domain.events import JsonObject
from gate_service.domain.mass import Mass
from gate_service.domain.reading import StabilityFrom
from gate_service.domain.slip_code import slip_no_in


class Disposition(StrEnum):
    """The way out that was chosen for the vehicle (RULES 8)."""

    RELEASE = "release"
    TURN_BACK = "turn_back"  # forward, and round beyond the gate
    DIVERT = "divert"  # forward, to a place of the site
    BACK_OUT = "back_out"
    ESCORT = "escort"  # forward, behind a person who is named
    YARD_INSIDE = "yard_inside"
    YARD_BEFORE = "yard_before"
    AT_PREMISES = "at_premises"  # let on into the zone, to be inspected at the enterprise's premises
    WITHDREW = "withdrew"  # left by itself before any decision was carried out


class Outcome(StrEnum):
    """How a passage ended."""

    CROSSED = "crossed"
    TURNED_BACK = "turned_back"
    WITHDREW = "withdrew"


@dataclass(frozen=True, slots=True)
class Weighed:
    """The weight of the whole vehicle: `status` other than ok has no gross. `frame` is the raw frame in hex.

    `alibi_id` names the indicator's own stored record, which is the legal source where there is one.
    """

    gross: Mass | None
    status: str
    is_stable: bool | None
    stability_from: StabilityFrom
    displayed: str | None
    frame: str
    at: datetime
    was_zeroed: bool
    was_whole: bool
    alibi_id: str | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """The facts of one passage. `facts_version` grows with every fact that a decision rests on.

    Null means unknown or not looked at; an empty tuple means looked and nothing there (as in a case document).
    `case` and `assessment` are the documents that were judged and answered, kept whole for replay.
    """

    id: str
    lane: str
    direction: str
    opened_at: datetime
    state: str
    facts_version: int = 1
    plate: str | None = None
    is_plate_looked_at: bool = False
    other_plates: tuple[str, ...] = ()  # read of the same vehicle and different: a person says which is right
    plates_set_aside: tuple[str, ...] = ()  # read, and a person said that they are not the vehicle's
    trailer_plate: str | None = None
    containers: tuple[str, ...] | None = None
    seals: tuple[str, ...] | None = None
    scanned: tuple[str, ...] = ()
    weighed: Weighed | None = None
    weight_curve: JsonObject | None = None  # the weight over time since the last zero (`lanes.curve`)
    case: JsonObject | None = None
    assessment: JsonObject | None = None
    explanation: Mapping[str, str] | None = None
    driver_text: Mapping[str, str] | None = None
    check_texts: tuple[Mapping[str, str], ...] = ()  # a sentence for each check of the assessment, in its order
    verdict: str | None = None  # of the rules
    override_by: str | None = None  # who may release against the verdict: operator, supervisor, two, nobody
    weight_told_at: datetime | None = None  # stamp of the weighing last told outside; each is told once
    decided_version: int | None = None  # facts_version that the assessment judged
    disposition: Disposition | None = None
    disposed_by: str | None = None  # service or user:<name>
    outcome: Outcome | None = None
    lane_to_go: Mapping[str, Any] | None = None  # in the wrong lane: `id` and `name` of the right one
    boom_up_at: datetime | None = None  # when the boom was seen up for a release
    crossed_at: datetime | None = None
    closed_at: datetime | None = None
    observed: tuple[str, ...] = ()  # what its vehicle was seen to be or do: longer_than_deck, followed_in, …
    note: str | None = None  # why a person sees it: restart, device_lost, ...

    def with_facts(self, **changes: Any) -> Self:
        """The passage with new facts to decide on: a newer version."""
        return replace(self, facts_version=self.facts_version + 1, **changes)

    def slip_nos(self) -> tuple[str, ...]:
        """Numbers of the slips that were judged, or else scanned."""
        if self.case is not None:
            found = tuple(str(slip.get("slip_no")) for slip in self.case.get("slips", ()) if isinstance(slip, Mapping))
            if found:
                return found
        return tuple(dict.fromkeys(slip_no_in(code) for code in self.scanned))

    def document(self) -> dict[str, Any]:
        """The passage as one JSON object without floats: masses in grams, times in RFC 3339."""
        document = {name: _plain(getattr(self, name)) for name in _NAMES}
        document["case"], document["assessment"] = self.case, self.assessment
        document["weight_curve"] = self.weight_curve
        return document


_NAMES: Final = tuple(field.name for field in fields(Passage))
_WEIGHED_NAMES: Final = tuple(field.name for field in fields(Weighed))


_AS_THEY_ARE: Final = frozenset({type(None), bool, int, str, dict})


def _plain(value: Any) -> Any:
    if type(value) in _AS_THEY_ARE:
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mass):
        return value.grams
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Weighed):
        return {name: _plain(getattr(value, name)) for name in _WEIGHED_NAMES}
    return value


def from_document(document: Mapping[str, Any]) -> Passage:
    """Read back what `document` wrote; unknown keys of later versions are left out."""
    values = {key: value for key, value in document.items() if key in _NAMES}
    for name in ("opened_at", "boom_up_at", "crossed_at", "closed_at", "weight_told_at"):
        if values.get(name):
            values[name] = datetime.fromisoformat(values[name])
    for name in ("containers", "seals", "scanned", "check_texts", "observed", "other_plates", "plates_set_aside"):
        if values.get(name) is not None:
            values[name] = tuple(values[name])
    if values.get("weighed"):
        weighed = dict(values["weighed"])
        weighed["gross"] = None if weighed["gross"] is None else Mass(weighed["gross"])
        weighed["stability_from"] = StabilityFrom(weighed["stability_from"])
        weighed["at"] = datetime.fromisoformat(weighed["at"])
        values["weighed"] = Weighed(**weighed)
    if values.get("disposition"):
        values["disposition"] = Disposition(values["disposition"])
    if values.get("outcome"):
        values["outcome"] = Outcome(values["outcome"])
    return Passage(**values)
