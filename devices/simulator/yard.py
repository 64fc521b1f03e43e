"""The simulated yard: every lane's physics, stepped with yard time. Knows no protocol, no clock and no wire.

The same yard serves unit tests (step it by hand) and the wire process (stepped with real time times the speed). It is
deterministic: the same seed, the same calls and the same steps give the same positions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil
from random import Random
from typing import Any, Final

from devices.simulator.boom import UP_DEG
from devices.simulator.driver import Driver
from devices.simulator.judge import BoomSeen, Judge, VehicleSeen
from devices.simulator.specs import LaneSpec, TruckSpec
from devices.simulator.yard_lane import INPUTS, YardLane

LONGEST_STEP_S: Final = 0.05
"""Booms move 1.5 degrees and trucks 15 cm in it; the platform's oscillation is still computed well."""


@dataclass(frozen=True, slots=True)
class YardEvent:
    """Something that happened in the yard, past tense, at a yard time."""

    at_s: float
    kind: str
    lane: str
    truck: TruckSpec | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


class Yard:
    """All lanes. `step` lets time pass; `write_output` is what a wire does; `listen` hears what happens."""

    def __init__(
        self, lanes: Iterable[LaneSpec], trucks: Iterable[TruckSpec] = (), *, seed: int = 0, judge: Judge | None = None
    ) -> None:
        self.lanes = {spec.id: YardLane(spec) for spec in lanes}
        self.judge = judge or Judge()
        self.now_s = 0.0
        self._seed = seed
        self._opened_s: float | None = None
        self._was_busy: set[str] = set()
        self._listeners: list[Callable[[YardEvent], None]] = []
        self._shown: dict[tuple[str, str], str] = {
            (name, side): "down" for name, lane in self.lanes.items() for side in lane.booms
        }
        self.expected = 0
        self.gone = 0
        for truck in trucks:
            self.add_truck(truck)

    def listen(self, listener: Callable[[YardEvent], None]) -> None:
        """Call this with every event, in order."""
        self._listeners.append(listener)

    def add_truck(self, truck: TruckSpec) -> None:
        """One more truck at the end of its lane's queue. Its dwell is drawn here unless the plan names it."""
        self.lanes[truck.lane].queue.append(truck)
        self.expected += 1

    def dwell_s(self, truck: TruckSpec) -> float:
        """How long this driver takes to find the slip: the same for the same seed and truck."""
        if truck.dwell_s is not None:
            return truck.dwell_s
        drawn_s = Random(f"{self._seed}:{truck.id}:dwell").uniform(3.0, 7.0)  # noqa: S311 - repeatable on purpose
        return drawn_s * 2 if truck.behaviour == "slow" else drawn_s

    @property
    def is_open(self) -> bool:
        """Whether trucks come."""
        return self._opened_s is not None

    def open(self) -> None:
        """Let trucks come: their times count from now."""
        self._opened_s = self.now_s

    def step(self, dt_s: float) -> None:
        """Let yard time pass, in short steps."""
        parts = max(1, ceil(dt_s / LONGEST_STEP_S - 1e-9))
        for _ in range(parts):
            self._step(dt_s / parts)

    def _step(self, dt_s: float) -> None:
        self.now_s += dt_s
        for name, lane in self.lanes.items():
            was_quiet = lane.is_quiet()
            for kind, driver in lane.step(self.now_s, dt_s, opened_s=self._opened_s):
                self._tell(name, kind, driver)
            is_busy = not (was_quiet and lane.is_quiet())
            if is_busy or name in self._was_busy:  # one look more: the judge must see a boom come to rest
                self._show_to_judge(name, lane)
                self._tell_booms(name, lane)
            (self._was_busy.add if is_busy else self._was_busy.discard)(name)

    def _tell(self, lane: str, kind: str, driver: Driver) -> None:
        detail: dict[str, Any] = {}
        if kind == "crossed":
            self.judge.crossed(lane, driver.truck.id, driver.truck.plate, driver.truck.plate_read, self.now_s)
        if kind == "backed_out":
            detail["by_himself"] = driver.by_himself
        if kind in ("left", "backed_out"):
            self.gone += 1
        self._emit(YardEvent(self.now_s, kind, lane, driver.truck, detail))

    def _emit(self, event: YardEvent) -> None:
        for listener in self._listeners:
            listener(event)

    def _show_to_judge(self, name: str, lane: YardLane) -> None:
        vehicles = [VehicleSeen(driver.truck.id, *lane.stretch(driver)) for driver in lane.drivers]
        places = {"entry": lane.places.entry_boom_m, "exit": lane.places.exit_boom_m}
        for side, boom in lane.booms.items():
            self.judge.look(name, side, BoomSeen(places[side] or 0.0, boom.angle_deg), vehicles, self.now_s)

    def _tell_booms(self, name: str, lane: YardLane) -> None:
        for side, boom in lane.booms.items():
            shown = "up" if boom.is_up else "down" if boom.is_down else "moving"
            if shown != self._shown[name, side]:
                self._shown[name, side] = shown
                self._emit(YardEvent(self.now_s, "boom", name, detail={"side": side, "position": shown}))

    def write_output(self, lane: str, output: str, *, on: bool) -> bool:
        """An output of the lane's module changed; returns whether it rose. Tell the judge from the wire, not here."""
        return self.lanes[lane].write(output, on=on)

    def press_button(self, lane: str, side: str, way: str) -> None:
        """The local button of a boom: motion by hand, which the judge counts apart."""
        self.judge.button_pressed(lane, side, way, self.now_s)
        self.lanes[lane].press_button(side, way)

    def switch(self, lane: str, part: str, name: str, *, on: bool, amount: float = 0.0) -> None:
        """A fault of the yard by name. Raises ValueError for one that it does not know.

        Parts: `entry_boom`, `exit_boom` (`stuck`; `moves_up`, `moves_down`: by itself, for the judge's own test), an
        input's name (`stays_on`, `stays_off`), `platform` (`snow`: shows `amount` kg with nothing on it), and empty:
        the whole lane (`fire`; `no_power`: 24 V gone; `no_mains`: on its battery, everything works on).
        """
        where = self.lanes[lane]
        boom = where.booms.get(part.removesuffix("_boom"))
        match (part, name):
            case (_, "stuck") if boom is not None:
                boom.jam(on=on)
            case (_, "moves_up" | "moves_down") if boom is not None:
                boom.target_deg = (UP_DEG if name == "moves_up" else 0.0) if on else None
            case (_, "stays_on" | "stays_off") if part in INPUTS:
                where.forced.pop(part, None)
                if on:
                    where.forced[part] = name == "stays_on"
            case ("platform", "snow"):
                where.deck.zero_kg = amount if on else 0.0
            case ("", "fire"):
                where.is_fire = on
            case ("", "no_power"):
                where.has_power = not on
            case ("", "no_mains"):
                where.has_mains = not on
            case _:
                raise ValueError(f"lane {lane}: no fault {name!r} of {part or 'the lane'!r}")

    def state(self) -> dict[str, Any]:
        """Positions of everything, for people and for tests of determinism."""
        return {
            "yard_s": round(self.now_s, 3),
            "lanes": {name: _lane_state(lane) for name, lane in self.lanes.items()},
        }


def _lane_state(lane: YardLane) -> dict[str, Any]:
    return {
        "vehicles": [
            {
                "truck": driver.truck.id,
                "plate": driver.truck.plate,
                "phase": driver.phase.value,
                "front_m": round(driver.vehicle.x_m, 3),
                "rear_m": round(driver.vehicle.rear_m, 3),
                "speed": round(driver.vehicle.speed, 3),
            }
            for driver in lane.drivers
        ],
        "booms": {side: round(boom.angle_deg, 1) for side, boom in lane.booms.items()},
        "platform_kg": round(lane.deck.shown_kg, 1),
        "outputs": sorted(name for name, on in lane.outputs.items() if on),
        "inputs": sorted(name for name, on in lane.inputs().items() if on),
        "queued": len(lane.queue),
    }
