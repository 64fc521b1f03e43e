"""What must hold after every step, told from outside: positions, wire edges, what was delivered, what was committed.

It asks no controller what it believes; only `states` compares a lane's word with what it was told.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection

from devices.simulator.yard import Yard
from gate_service.domain.reading import Detector, LaneInputs, Presence, Side

FRESH_S: Final = 2.0
"""A command may wait 1 s for its turn (`VALID_S` of the barrier) after a look that was 0.5 s old, then a time-out."""

CLEAR_S: Final = 0.45
"""The interlock holds for 0.5 s of the polls' own stamps; what arrived is a little later than that."""

UNDER: Final = {
    Side.ENTRY: (Detector.ENTRY_LOOP, Detector.ENTRY_BEAM),
    Side.EXIT: (Detector.EXIT_BEAM, Detector.EXIT_LOOP),
}
MOST_VIOLATIONS: Final = 20

Book = dict[str, Any]


@dataclass(slots=True)
class _Seen:
    """What a lane was told."""

    inputs: LaneInputs | None = None
    clear_since_s: dict[Detector, float] = field(default_factory=dict)
    may_move: bool = False  # a person or a new passage set the lane going since the service started
    state: str = ""


class Watch:
    """Counts steps, keeps violations and a digest of everything that happened."""

    def __init__(self, yard: Yard, now_s: Callable[[], float]) -> None:
        self.steps = 0
        self.violations: list[Book] = []
        self.raises: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.trace: Callable[[str], None] | None = None
        self._yard = yard
        self._now_s = now_s
        self._digest = hashlib.sha256()
        self._seen = {name: _Seen() for name in yard.lanes}
        self._reasons: dict[tuple[str, str], str] = {}
        self._falling: set[tuple[str, str]] = set()
        self._last_record = 0
        self._last_hash: str | None = None
        self._uses: dict[str, set[str]] = {}
        self.pass_limits: dict[str, int] = {}
        self.truck_of: dict[str, str] = {}
        self._findings = 0

    @property
    def digest(self) -> str:
        """The same for the same seed, byte for byte."""
        return self._digest.hexdigest()[:16]

    def note(self, text: str) -> None:
        """Something happened."""
        line = f"{self._now_s():.4f} {text}"
        self._digest.update(line.encode())
        if self.trace is not None:
            self.trace(line)

    def violate(self, kind: str, lane: str | None, **detail: Any) -> None:
        """Something happened that must never happen."""
        self.note(f"VIOLATION {kind} {lane} {detail}")
        if len(self.violations) < MOST_VIOLATIONS:
            self.violations.append({"kind": kind, "lane": lane, "at_s": round(self._now_s(), 3), **detail})

    # Told from around the service -------------------------------------------------------------------------------

    def restarted(self) -> None:
        """The service starts anew: nothing recorded before lets a boom move."""
        self._reasons.clear()
        for seen in self._seen.values():
            seen.may_move, seen.inputs, seen.state = False, None, ""
            seen.clear_since_s.clear()

    def delivered(self, lane: str, inputs: LaneInputs) -> None:
        """A poll is about to reach its lane."""
        seen = self._seen[lane]
        seen.inputs = inputs
        seen.clear_since_s = {
            detector: seen.clear_since_s.get(detector, inputs.taken_monotonic_s)
            for detector, presence in inputs.detectors.items()
            if presence is Presence.CLEAR
        }

    def stepped(self, lane: str, state: str) -> None:
        """The lane has taken a step."""
        self.steps += 1
        seen = self._seen[lane]
        if state != seen.state:
            seen.state = state
            self.note(f"{lane} {state}")
        inputs = seen.inputs
        if inputs is not None and inputs.fire is True and state != "fire":
            self.violate("fire_not_obeyed", lane, state=state)
        for finding in self._yard.judge.findings[self._findings :]:
            self._findings += 1
            if finding.kind in {"boom_on_vehicle", "motion_without_command"}:
                self.violate(finding.kind, finding.lane, **dict(finding.detail))

    # Edges on the wire ------------------------------------------------------------------------------------------

    def edge(self, lane: str, side: str, way: str) -> None:
        """A boom command reached the module's output."""
        self.note(f"{lane} {side} {way}")
        self._yard.judge.edge_seen(lane, side, way, self._yard.now_s)
        if way == "raise":
            self._judge_raise(lane, side)
        else:
            self._judge_lowering(lane, side)

    def _judge_raise(self, lane: str, side: str) -> None:
        reason = self._reasons.pop((lane, side), None)
        is_reopening = (lane, side) in self._falling
        self._falling.discard((lane, side))
        if reason is None and not is_reopening:
            self.violate("raise_without_record", lane, side=side)
        self.raises[reason or "reopen"] += 1

    def _judge_lowering(self, lane: str, side: str) -> None:
        self._falling.add((lane, side))
        seen = self._seen[lane]
        if not seen.may_move:
            self.violate("motion_by_restart", lane, side=side)
        why = _not_freshly_clear(seen, Side(side), self._yard_s())
        if why is not None:
            self.violate("lowered_not_clear", lane, side=side, found=why)

    def _yard_s(self) -> float:
        return self._now_s()

    # The record -------------------------------------------------------------------------------------------------

    def committed(self, connection: Connection) -> None:
        """A transaction was committed: look at what is new in the record."""
        rows = connection.exec_driver_sql(
            "SELECT number, kind, lane, passage_id, facts, previous_hash, hash FROM records WHERE number > ?"
            " ORDER BY number",
            (self._last_record,),
        ).fetchall()
        if rows:
            self._look_at_used(connection)
        connection.rollback()
        for number, kind, lane, passage_id, facts, previous, own in rows:
            if number != self._last_record + 1 or (self._last_hash is not None and previous != self._last_hash):
                self.violate("record_gap", lane, record=number, expected=self._last_record + 1)
            self._last_record, self._last_hash = number, own
            self.note(f"record {number} {kind} {own}")
            self.kinds[kind] += 1
            if lane in self._seen:
                self._take(kind, lane, passage_id, json.loads(facts))

    def _take(self, kind: str, lane: str, passage_id: str | None, facts: Book) -> None:
        if kind in {"passage_opened", "command", "emergency_raise"}:
            self._seen[lane].may_move = True
        if kind == "passage_opened" and passage_id is not None:
            self.name_truck(lane, passage_id)
        if kind in {"crossing", "departure"}:
            for side in ("entry", "exit"):
                self._reasons.pop((lane, side), None)
        reason = facts.get("reason") if kind == "boom_raise" else facts.get("raise")
        if reason is not None and reason != "reopen":
            for side in facts.get("sides") or [self._side_of(str(reason), facts)]:
                self._reasons[lane, str(side)] = str(reason)

    @staticmethod
    def _side_of(reason: str, facts: Book) -> str:
        if "side" in facts:
            return str(facts["side"])
        return "entry" if reason in {"admit", "return"} else "exit"

    def name_truck(self, lane: str, passage_id: str) -> None:
        """The vehicle a new passage is about: the foremost in the lane that has not crossed."""
        crossed = {one.truck for one in self._yard.judge.crossings}
        for driver in self._yard.lanes[lane].drivers:
            if driver.truck.id not in crossed and not driver.has_cleared:
                self.truck_of[passage_id] = driver.truck.id
                self.note(f"{lane} {passage_id[:8]} is about {driver.truck.id}")
                return

    def _look_at_used(self, connection: Connection) -> None:
        rows = connection.exec_driver_sql(
            "SELECT passage_id, payload FROM outbox WHERE record_number > ? AND type = 'slip.used'",
            (self._last_record,),
        ).fetchall()
        for passage_id, payload in rows:
            slip_no = json.loads(payload)["data"]["slip_no"]
            users = self._uses.setdefault(slip_no, set())
            users.add(passage_id)
            if len(users) > self.pass_limits.get(slip_no, 1):
                self.violate("slip_used_too_often", None, slip_no=slip_no, times=len(users))


def _not_freshly_clear(seen: _Seen, side: Side, now_s: float) -> str | None:
    inputs = seen.inputs
    if inputs is None or inputs.unknown_because is not None:
        return "inputs unknown"
    if now_s - inputs.taken_monotonic_s > FRESH_S:
        return f"inputs {now_s - inputs.taken_monotonic_s:.2f} s old"
    if inputs.fire is not False:
        return "fire"
    for detector in UNDER[side]:
        if detector not in inputs.detectors:
            continue
        since_s = seen.clear_since_s.get(detector)
        if since_s is None or now_s - since_s < CLEAR_S:
            return f"{detector} {inputs.detectors[detector]}"
    return None
