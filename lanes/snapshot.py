"""One lane as pages, API and tests see it: the shape of `docs/architecture.md`, composed from the controller."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest
from typing import Any, Final

from gate_service.domain.commands import Command
from gate_service.domain.passage import Passage
from lanes.controller import LaneController
from lanes.interlocks import forbids_zeroing
from lanes.signs import STATE_TEXTS, attention_text, driver_line
from lanes.states import LaneEvent, LaneState, step
from lanes.verification import days_left, verification_state
from lanes.ways import INSPECTED, REFUSED, YARD_BEFORE, ways_now

OFFERED: Final[Mapping[Command, LaneEvent]] = {
    Command.RELEASE: LaneEvent.RELEASE_ASKED,
    Command.HOLD: LaneEvent.HOLD_ASKED,
    Command.REWEIGH: LaneEvent.REWEIGH_ASKED,
    Command.OPEN_LANE: LaneEvent.OPEN_ASKED,
    Command.CLEAR_FAULT: LaneEvent.CLEAR_ASKED,
}
"""Commands that map to one event whatever the lane; the ways out depend on the lane and are added in `commands`."""

ATTESTED: Final[Mapping[str, LaneEvent]] = {
    "crossed": LaneEvent.CROSSING_ATTESTED,
    "departed": LaneEvent.DEPARTURE_ATTESTED,
}


def _age_ms(lane: LaneController, taken_s: float | None) -> int | None:
    return None if taken_s is None else max(0, round((lane.clock.monotonic_s() - taken_s) * 1000))


def _weight(lane: LaneController) -> dict[str, Any] | None:
    reading = lane.deck.reading
    if lane.settings.deck is None or reading is None:
        return None
    return {
        "value_kg": None if reading.value is None else reading.value.to_json(),
        "status": reading.status.value,
        "stable": reading.is_stable,
        "stability_from": reading.stability_from.value,
        "state": weight_state(lane),
        "zero_fault": lane.zero_fault,
        "zero_seen": lane.deck.is_zero_seen,
        "age_ms": _age_ms(lane, reading.taken_monotonic_s),
    }


def weight_state(lane: LaneController) -> str:
    """What the platform is by its weight, in one word."""
    deck, now_s = lane.settings.deck, lane.clock.monotonic_s()
    reading = lane.deck.fresh(now_s)
    if deck is None or reading is None:
        return "no_data"
    if reading.value is None:
        return reading.status.value  # overload, underload, out_of_range, error
    if lane.deck.is_settled(now_s):
        return "settled"
    if lane.deck.is_loaded(deck, now_s):
        return "loaded"
    return "empty" if abs(reading.value) <= deck.zero_band else "not_at_zero"


def _weighbridge(lane: LaneController) -> dict[str, Any] | None:
    """The plate of the weighbridge, and how long its verification holds."""
    deck, until_at, now = lane.settings.deck, lane.settings.verified_until_at, lane.clock.now()
    if deck is None:
        return None
    return {
        "interval_kg": deck.interval.to_json(),
        "max_capacity_kg": deck.max_capacity.to_json(),
        "verified_until_at": None if until_at is None else until_at.isoformat(),
        "verification": verification_state(until_at, now),
        "verification_days_left": days_left(until_at, now),
    }


def _devices(lane: LaneController) -> list[dict[str, Any]]:
    return [
        {
            "device": health.device,
            "kind": health.kind,
            "fault": health.fault,
            "age_ms": _age_ms(lane, health.last_good_monotonic_s),
            "safe_state_confirmed": health.is_safe_state_confirmed,
            "rejects": dict(health.rejects or {}),
        }
        for health in lane.ports.device_healths()
    ]


def passage_snapshot(passage: Passage) -> dict[str, Any]:
    """A passage as a person needs it: facts, verdict, each check with its text in both languages."""
    answer = passage.assessment or {}
    case = passage.case or {}
    weighed = passage.weighed
    checks = [
        {**check, "text": text}
        for check, text in zip_longest(answer.get("checks", ()), passage.check_texts, fillvalue=None)
        if check is not None
    ]
    return {
        "id": passage.id,
        "lane": passage.lane,
        "direction": passage.direction,
        "facts_version": passage.facts_version,
        "opened_at": passage.opened_at.isoformat(),
        "plate": passage.plate,
        "other_plates": list(passage.other_plates),
        "trailer_plate": passage.trailer_plate,
        "containers": passage.containers,
        "seals": passage.seals,
        "scanned": list(passage.scanned),
        "slips": list(case.get("slips", ())),
        "gross_kg": None if weighed is None or weighed.gross is None else weighed.gross.to_json(),
        "stability_from": None if weighed is None else weighed.stability_from.value,
        "verdict": passage.verdict,
        "override_by": passage.override_by,
        "regime": None,
        "decided_version": passage.decided_version,
        "tier": answer.get("tier"),
        "checks": checks,
        "warnings": list(answer.get("warnings", ())),
        "lane_to_go": None if answer.get("lane") is None else {**answer["lane"], **(passage.lane_to_go or {})},
        "source": case.get("source"),
        "as_of": case.get("as_of"),
        "explanation": passage.explanation,
        "disposition": passage.disposition,
        "disposed_by": passage.disposed_by,
        "outcome": passage.outcome,
        "boom_up_at": passage.boom_up_at.isoformat() if passage.boom_up_at else None,
        "crossed_at": passage.crossed_at.isoformat() if passage.crossed_at else None,
        "closed_at": passage.closed_at.isoformat() if passage.closed_at else None,
        "observed": list(passage.observed),
        "weight_curve": None if passage.weight_curve is None else dict(passage.weight_curve),
        "note": passage.note,
    }


def _passage(lane: LaneController, passage: Passage) -> dict[str, Any]:
    """The passage, with its photos and who may release it now: this shift's overrides and an open regime counted."""
    shown = passage_snapshot(passage)
    shown["photos"] = [photo.sha256 for photo in lane.photos.of(passage.id)]
    if passage.verdict in {None, "release"}:
        return shown
    ground = lane.ground()
    regime = ground.regime_for(passage)
    shown["override_by"] = "operator" if regime else ground.who_may(passage)
    shown["regime"] = None if regime is None else regime.id
    return shown


def _approval(lane: LaneController) -> dict[str, Any] | None:
    now_s = lane.clock.monotonic_s()
    pending = lane.approvals.waiting(lane.passage, now_s)
    return None if pending is None else pending.shown(now_s)


def _driver(lane: LaneController) -> Mapping[str, str]:
    passage = lane.passage
    if lane.state is LaneState.REVIEW and passage is not None and passage.driver_text is not None:
        return passage.driver_text
    disposition = None if passage is None else passage.disposition
    return driver_line(lane.state, disposition)


def _attention(lane: LaneController) -> dict[str, Any] | None:
    code = lane.attention
    if code is None:
        return None
    text = dict(attention_text(code, lane.state))
    return {"code": code, "text": text, "since_at": lane.since_at.isoformat(), "escalated": lane.is_escalated}


def _takes(lane: LaneController, event: LaneEvent) -> bool:
    return step(lane.state, lane.view(), event).handled


def _usable(lane: LaneController) -> dict[str, Any]:
    """Ways out that can be taken now, the site's own choice first: these alone are offered; the others say why not."""
    found = ways_now(lane)
    usable = [way for way, why in found.items() if why is None]
    return {
        "ways": [way for way in usable if way in REFUSED],
        "inspect_ways": [way for way in usable if way not in REFUSED],
        "ways_blocked": {way: why for way, why in found.items() if why is not None},
    }


def attests(lane: LaneController) -> list[str]:
    """What a person may say of a vehicle that the detectors lost: it has gone forward, or back."""
    if lane.passage is None:
        return []
    return [said for said, event in ATTESTED.items() if _takes(lane, event)]


def _offered_ways(lane: LaneController) -> list[Command]:
    """By the table alone: what blocks a way this moment is said in `ways_blocked`, and the command says it again."""
    if lane.passage is None:
        return []
    refused = any(_takes(lane, REFUSED[way].event) for way in lane.settings.ways_out())
    inspected = any(
        refused if way == YARD_BEFORE else _takes(lane, INSPECTED[way].event) for way in lane.settings.inspections()
    )
    return [*([Command.REFUSE, Command.TURN_BACK] if refused else []), *([Command.INSPECT] if inspected else [])]


def commands(lane: LaneController) -> list[str]:
    """Commands that the lane would take now; the role of the person is not looked at."""
    offered = [command for command, event in OFFERED.items() if _takes(lane, event)]
    offered += _offered_ways(lane)
    if lane.passage is not None:
        offered.append(Command.RESOLVE)
    if _takes(lane, LaneEvent.TURN_ASKED):
        offered.append(Command.TURN_LANE)
    if lane.state is LaneState.CLOSED and lane.passage is None and lane.ports.fresh_settings is not None:
        offered.append(Command.RECONFIGURE_LANE)
    if lane.state is not LaneState.CLOSED and not lane.is_closing_asked:
        offered.append(Command.CLOSE_LANE)
    if lane.ports.zero is not None and forbids_zeroing(lane.surroundings(lane.clock.monotonic_s())) is None:
        offered.append(Command.ZERO)
    offered += [Command.RAISE_BOOM, Command.LOWER_BOOM, Command.EMERGENCY_RAISE]
    order = list(Command)
    return [command.value for command in sorted(set(offered), key=order.index)]


def lane_snapshot(lane: LaneController) -> dict[str, Any]:
    """The whole lane."""
    inputs = lane.sight.inputs
    return {
        "id": lane.settings.id,
        "name": dict(lane.settings.name),
        "kind": lane.settings.kind,
        "direction": lane.settings.direction,
        "hazmat": lane.settings.allows_hazmat,
        "state": lane.state.value,
        "state_text": dict(STATE_TEXTS[lane.state]),
        "since_at": lane.since_at.isoformat(),
        "revision": lane.revision,
        "weight": _weight(lane),
        "weighbridge": _weighbridge(lane),
        "reversible": lane.settings.layout.is_reversible,
        "queue": lane.queue_length(),
        "mains_failed": None if inputs is None else inputs.power_fail,
        "held_open": lane.holding.shown(lane.clock.monotonic_s()),
        "booms": {side.value: position.value for side, position in lane.boom_positions().items()},
        "detectors": {} if inputs is None else {d.value: p.value for d, p in inputs.detectors.items()},
        "lights": {side.value: aspect.value for side, aspect in lane.shown.items()},
        "fire": None if inputs is None else inputs.fire,
        "local_button": None if inputs is None else inputs.local_button,
        "power_fail": None if inputs is None else inputs.power_fail,
        "inputs_age_ms": _age_ms(lane, None if inputs is None else inputs.taken_monotonic_s),
        "devices": _devices(lane),
        "attention": _attention(lane),
        "closing_asked": lane.is_closing_asked,
        "passage": None if lane.passage is None else _passage(lane, lane.passage),
        "approval": _approval(lane),
        "kept_for_next": [read.as_record() for read in lane.kept],
        "driver": dict(_driver(lane)),
        "commands": commands(lane),
        **_usable(lane),
        "admitting_waits_for": lane.admitting_waits_for(),
        "attests": attests(lane),
    }
