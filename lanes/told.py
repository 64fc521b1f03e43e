"""The facts of a passage as events for the central system and the zone authority. Pure: passage in, events out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from gate_service.domain.events import Event, EventType
from gate_service.domain.passage import Passage
from gate_service.domain.reading import BoomPosition, DeviceHealth, Side
from gate_service.domain.record import Entry, LedgerChange, LedgerKind

NAMESPACE = UUID("6f0c7b1e-2f0a-5d0e-9a63-0d0c3a9b7f11")
"""Event ids come from the fact itself (passage, type, slip), so that telling a fact again tells the same event."""


def event(passage: Passage, kind: EventType, at: datetime, data: Mapping[str, Any], *, part: str = "") -> Event:
    """One event of a passage. `part` tells apart several of one type (slip number, facts version)."""
    body = {"passage_id": passage.id, "lane": passage.lane, "direction": passage.direction, **data}
    return Event(uuid5(NAMESPACE, f"{passage.id}/{kind!s}/{part}"), kind, at, body, passage.id)


def arrived(passage: Passage, at: datetime) -> Event:
    """The vehicle stands before the lane."""
    return event(passage, EventType.PASSAGE_ARRIVED, at, {})


def weighed(passage: Passage, at: datetime) -> Event:
    """The weight that the decision rests on, once per weighing."""
    w = passage.weighed
    assert w is not None
    data = {
        "gross_kg": None if w.gross is None else w.gross.to_json(),
        "status": w.status,
        "stability_from": w.stability_from.value,
        "weighed_at": w.at.isoformat(),
    }
    return event(passage, EventType.PASSAGE_WEIGHED, at, data, part=w.at.isoformat())


def decided(passage: Passage, at: datetime) -> Event:
    """What the rules say, with their reasons."""
    answer = passage.assessment or {}
    data = {
        "plate": passage.plate,
        "slips": list(passage.slip_nos()),
        "verdict": passage.verdict,
        "tier": answer.get("tier"),
        "checks": list(answer.get("checks", ())),
        "facts_version": passage.facts_version,
    }
    return event(passage, EventType.PASSAGE_DECIDED, at, data, part=f"{passage.facts_version}/{at.isoformat()}")


def acted(passage: Passage, kind: EventType, at: datetime, actor: str, reason_code: str | None) -> Event:
    """What was done with the vehicle, by whom and why."""
    data = {
        "by": actor,
        "reason_code": reason_code,
        "facts_version": passage.facts_version,
        "verdict": passage.verdict,
        "disposition": passage.disposition,
    }
    return event(passage, kind, at, data, part=f"{passage.facts_version}/{at.isoformat()}")


def slips_told(passage: Passage, kind: EventType, at: datetime) -> list[Event]:
    """`slip.used` or `slip.returned`, one for each slip of the passage; of two gates it says which (`gate`)."""
    gate = (passage.case or {}).get("gate")
    more = {} if gate is None else {"gate": gate}
    return [event(passage, kind, at, {"slip_no": number, **more}, part=number) for number in passage.slip_nos()]


def _slips(passage: Passage) -> Iterable[Mapping[str, Any]]:
    case = passage.case or {}
    return (slip for slip in case.get("slips", ()) if isinstance(slip, Mapping))


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def hazardous_lines(slip: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The goods lines of a slip that are hazardous (flag or UN number), as the zone authority is told."""
    lines = []
    for line in _objects(slip.get("goods")):
        hazmat = line.get("hazmat")
        if isinstance(hazmat, Mapping) and (hazmat.get("flag") is True or hazmat.get("un_no")):
            lines.append(
                {"line": line.get("line"), "goods_name": line.get("name"), "hs_code": line.get("hs_code"), **hazmat}
            )
    return lines


def hazmat(passage: Passage, kind: EventType, at: datetime) -> list[Event]:
    """One event for each slip that carries hazardous goods: what entered, left or was turned away."""
    events = []
    for slip in _slips(passage):
        lines = hazardous_lines(slip)
        if not lines:
            continue
        driver = slip.get("driver")
        enterprise = slip.get("enterprise")
        gross = passage.weighed.gross if passage.weighed else None
        data = {
            "slip_no": slip.get("slip_no"),
            "vehicle": {"plate": passage.plate, "declared": slip.get("vehicle")},
            "containers": slip.get("containers"),
            "enterprise": enterprise,
            "driver": driver,
            "lines": lines,
            "declared_total_kg": slip.get("total_kg"),
            "declared_goods_gross_kg": slip.get("goods_gross_kg"),
            "weighed_gross_kg": None if gross is None else gross.to_json(),
            "verdict": passage.verdict,
            "tables_edition": (passage.assessment or {}).get("hazmat_edition"),
        }
        events.append(event(passage, kind, at, data, part=str(slip.get("slip_no"))))
    return events


def crossing(passage: Passage, at: datetime) -> list[Event]:
    """Everything that is told when a vehicle has gone through, in one transaction."""
    kind = EventType.HAZMAT_ENTERED if passage.direction == "inbound" else EventType.HAZMAT_EXITED
    cleared = event(passage, EventType.PASSAGE_CLEARED, at, {"disposition": passage.disposition})
    return [*slips_told(passage, EventType.SLIP_USED, at), *hazmat(passage, kind, at), cleared]


def departure(passage: Passage, at: datetime) -> list[Event]:
    """Everything that is told when a vehicle did not go through."""
    data = {"disposition": passage.disposition, "by": passage.disposed_by, "verdict": passage.verdict}
    turned = event(passage, EventType.PASSAGE_TURNED_BACK, at, data)
    return [
        *slips_told(passage, EventType.SLIP_RETURNED, at),
        *hazmat(passage, EventType.HAZMAT_TURNED_AWAY, at),
        turned,
    ]


def inspection_ordered(passage: Passage, at: datetime, actor: str) -> tuple[Event, LedgerChange]:
    """A vehicle is sent to be inspected: where, what for, and which slips it is about."""
    place = str(passage.disposition)
    checks = (passage.assessment or {}).get("checks", ())
    reasons = [check["reason_code"] for check in checks if check["verdict"] != "release"]
    slips = list(passage.slip_nos())
    data = {"place": place, "by": actor, "slips": slips, "plate": passage.plate, "reasons": reasons}
    change = LedgerChange(LedgerKind.INSPECTION_ORDERED, place, passage.id, detail=json.dumps(slips))
    return event(passage, EventType.INSPECTION_ORDERED, at, data, part=at.isoformat()), change


def device_entry(health: DeviceHealth, lane: str, at: datetime, event_id: UUID) -> Entry:
    """A device fell into or came out of a fault; outputs that somebody else writes are an alarm besides."""
    kind = EventType.DEVICE_FAULT if health.fault else EventType.DEVICE_RECOVERED
    data = {"lane": lane, "device": health.device, "kind": health.kind, "fault": health.fault}
    events = [Event(event_id, kind, at, data)]
    if health.fault and health.is_tampered:
        alarm = {"what": "foreign_write", "lane": lane, "device": health.device, "found": health.fault}
        events.append(Event(uuid5(NAMESPACE, f"{event_id}/foreign_write"), EventType.SECURITY_ALARM, at, alarm))
    return Entry(kind.value, at, "service", data, lane=lane, events=tuple(events))


def unexplained(
    lane: str, what: str, passage: Passage | None, booms: Mapping[Side, BoomPosition], *, is_by_hand: bool
) -> dict[str, Any]:
    """One line of the ledger of unexplained motion: what moved, where the booms were, by hand or not."""
    return {
        "lane": lane,
        "what": what,
        "by_hand": is_by_hand,
        "passage_id": None if passage is None else passage.id,
        "booms": {side.value: place.value for side, place in booms.items()},
    }


def button_used(state: str, booms: Mapping[Side, BoomPosition]) -> dict[str, Any]:
    """Somebody in sight of a boom used its button: what moves next was moved by hand."""
    return {"state": state, "booms": {side.value: place.value for side, place in booms.items()}}
