"""Routing before the lane: a bare scan or plate in, the lane to take out; and the right lane for one in the wrong lane.

The case is composed here: slips and what is known of them, draws made and kept, queues from the detectors, passage
times from the site's own newest passages. The choice itself is `lanes.routing`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from gate_service.domain.errors import InputError, NotFoundError
from gate_service.domain.events import JsonObject
from gate_service.domain.ports import Clock, Draws, PolicyAt, SlipAnswer, SlipSource
from gate_service.domain.vehicle import comparable_plate
from lanes.controller import LaneController
from lanes.policy.case import Case, LaneFacts
from lanes.policy.drawing import wanted_draws
from lanes.policy.draws import WEIGH
from lanes.policy.fields import Fields
from lanes.routing import LaneOption, choose, read_lane_option, read_routing, route_document
from lanes.states import LaneState
from sync.passage_times import PassageTimes

SHOWN_FOR: Final = timedelta(seconds=30)  # site decision: how long a display before the lanes shows one vehicle's lane
REFRESH_S: Final = 15.0
LONGEST: Final = 4096
ASK: Final = {"zh": "请出示核放单", "en": "Show your slip"}
NO_LANE: Final = {"zh": "请等候工作人员", "en": "Wait for the officer"}
GO_TO: Final = {"zh": "请走：{}", "en": "Take: {}"}


@dataclass(frozen=True, slots=True)
class RoutingPoint:
    """A place before the lanes with a reader and a display."""

    id: str
    name: Mapping[str, str]
    direction: str | None = None


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a reader saw."""

    scan: str | None
    plate: str | None
    directions: tuple[str, ...]
    point: str | None


class RoutingDesk:
    """Constructed in `bootstrap`; `lanes` fills up there."""

    def __init__(
        self,
        *,
        lanes: Mapping[str, LaneController],
        slips: SlipSource,
        draws: Draws,
        times: PassageTimes,
        clock: Clock,
        policy_at: PolicyAt,
        points: Sequence[RoutingPoint] = (),
    ) -> None:
        self._lanes = lanes
        self._slips = slips
        self._draws = draws
        self._times = times
        self._clock = clock
        self._policy_at = policy_at
        self._points = {point.id: point for point in points}
        self._shown: dict[str, tuple[datetime, dict[str, Any]]] = {}

    async def refresh(self) -> float:
        """A step of the keeper: measured passage times."""
        await self._times.refresh()
        return REFRESH_S

    async def route(self, document: JsonObject) -> dict[str, Any]:
        """The shapes of `gate route`, or a bare `scan` or `plate`. Raises InputError, NotFoundError for a point."""
        if document.get("scan") is None and document.get("plate") is None:
            asked = {"policy": self._policy_at(self._clock.now()), **document}
            asked.setdefault("lanes", self._lane_documents())
            return await asyncio.to_thread(route_document, asked)
        asked_for = self._read(document)
        answer = await self._find(asked_for)
        found = await self._routed(asked_for, answer)
        if asked_for.point is not None:
            self._shown[asked_for.point] = (self._clock.now(), found)
        return found

    def point(self, point_id: str) -> dict[str, Any]:
        """What the display of a point shows now. Raises NotFoundError."""
        point = self._points.get(point_id)
        if point is None:
            raise NotFoundError(f"point {point_id!r}: one of {sorted(self._points)} expected"[:200])
        at, found = self._shown.get(point_id, (None, None))
        is_fresh = at is not None and self._clock.now() - at < SHOWN_FOR
        lane = found["lane"] if found and is_fresh else None
        driver = found["driver"] if found and is_fresh else ASK
        return {"point": point.id, "name": dict(point.name), "lane": lane, "driver": dict(driver)}

    def redirect(self, case: Case) -> dict[str, Any] | None:
        """For a vehicle in the wrong lane: the one it should have taken, where one fits now."""
        options = [read_lane_option(Fields(row, "lane")) for row in self._lane_documents()]
        lane_id = choose(options, case).lane_id
        return None if lane_id is None else {"id": lane_id, "name": dict(self._lanes[lane_id].settings.name)}

    def _read(self, document: JsonObject) -> _Asked:
        scan, plate = (_text(document, name) for name in ("scan", "plate"))
        point = _text(document, "point")
        if point is not None and point not in self._points:
            raise NotFoundError(f"point {point!r}: one of {sorted(self._points)} expected"[:200])
        direction = document.get("direction") or (self._points[point].direction if point else None)
        if direction not in (None, "inbound", "outbound"):
            raise InputError(f"direction: inbound, outbound or null expected, found {direction!r}"[:200])
        directions = ("inbound", "outbound") if direction is None else (str(direction),)
        return _Asked(scan, plate.upper() if plate else None, directions, point)

    async def _find(self, asked: _Asked) -> SlipAnswer:
        """By the scan; else by the plate, one way after the other until slips are found."""
        scanned = [asked.scan] if asked.scan else []
        for direction in asked.directions:
            answer = await self._slips.find(scanned=scanned, plate=asked.plate, direction=direction, passage_id="")
            if answer.slips or scanned:
                break
        return answer

    async def _routed(self, asked: _Asked, answer: SlipAnswer) -> dict[str, Any]:
        problem = _problem(asked, answer)
        slips = [str(slip.get("slip_no")) for slip in answer.slips]
        common = {
            "slips": slips, "plate": asked.plate, "problem": problem, "source": answer.source.value,
            "as_of": None if answer.as_of is None else answer.as_of.isoformat(),
        }  # fmt: skip
        if problem in {"slip_unknown", "not_registered"}:
            return {"lane": None, "refused": {}, "driver": dict(NO_LANE), **common}
        document = {
            "lanes": self._lane_documents(), "slips": list(answer.slips), "vehicle": {"plate": asked.plate},
            "known": dict(answer.known), "policy": self._policy_at(self._clock.now()),
        }  # fmt: skip
        lanes, case = await asyncio.to_thread(read_routing, document)
        case = replace(case, now=self._clock.now())
        if not answer.slips and len(asked.directions) == 1:
            lanes = [lane for lane in lanes if lane.direction == asked.directions[0]]
        draws = await self._draws.draw(_weigh_draws(lanes, case), "")
        chosen = choose(lanes, replace(case, draws=draws))
        return {**chosen.as_document(), **self._told(chosen.lane_id, lanes), **common}

    def _told(self, lane_id: str | None, lanes: Iterable[LaneOption]) -> dict[str, Any]:
        """Name, queue and wait of the chosen lane, and the line for the display."""
        if lane_id is None:
            return {"driver": dict(NO_LANE)}
        option = next(lane for lane in lanes if lane.lane_id == lane_id)
        name = self._lanes[lane_id].settings.name
        return {
            "name": dict(name),
            "queue": None if option.queue is None else int(option.queue),
            "wait_s": None if option.wait_s is None else round(float(option.wait_s), 1),
            "driver": {language: GO_TO[language].format(name[language]) for language in ("zh", "en")},
        }

    def _lane_documents(self) -> list[dict[str, Any]]:
        return [self._lane_document(lane) for lane in self._lanes.values()]

    def _lane_document(self, lane: LaneController) -> dict[str, Any]:
        settings = lane.settings
        shut = lane.state in {LaneState.CLOSED, LaneState.FIRE} or lane.is_closing_asked
        return {
            "id": settings.id,
            "kind": settings.kind,
            "direction": settings.direction,
            "open": not shut,
            "healthy": lane.state is not LaneState.FAULT,
            "hazmat": settings.allows_hazmat,
            "weighs": settings.deck is not None,
            "max_capacity_kg": None if settings.deck is None else settings.deck.max_capacity.to_json(),
            "queue": lane.queue_length(),
            "mean_passage_s": round(self._times.mean_s(settings.id), 3),
        }


def _weigh_draws(lanes: Iterable[LaneOption], case: Case) -> list[Any]:
    """RULES 1: the draw is made before routing. A tier may depend on the lane: drawn once, at the first lane's rate."""
    wanted: dict[str, Any] = {}
    for lane in lanes:
        for one in wanted_draws(replace(case, lane=LaneFacts(kind=lane.kind, direction=lane.direction))):
            if one.name.startswith(WEIGH):
                wanted.setdefault(one.name, one)
    return list(wanted.values())


def _problem(asked: _Asked, answer: SlipAnswer) -> str | None:
    """What a person should know beside the lane, in the words of the rules."""
    if asked.scan is not None:
        return None if answer.slips else "slip_unknown"
    if answer.slips:
        return "slip_ambiguous" if len(answer.slips) > 1 else None
    plate = comparable_plate(asked.plate or "")
    listed = {comparable_plate(str(line.get("plate"))) for line in answer.known.get("vehicles", ())}
    return None if plate in listed else "not_registered"


def _text(document: JsonObject, name: str) -> str | None:
    value = document.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST or not value.isprintable():
        raise InputError(f"{name}: 1 to {LONGEST} printable characters expected, found {value!r}"[:200])
    return value.strip()
