"""The trucks of a seed: what they carry, what they present, how their drivers behave. All drawn, nothing decided."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from random import Random
from typing import Any, Final

from devices.simulator.demo.slips import CHEMICALS, Load, plate_of, slip_for
from devices.simulator.specs import TruckSpec
from gate_service.simulation.lanes import SimLane

STORIES: Final = {
    "plain": 50,
    "hazmat": 10,
    "used_again": 8,
    "unread": 4,
    "unknown_slip": 3,
    "no_slip": 3,
    "overweight": 5,
    "hold": 3,
    "slow": 4,
    "gives_up": 3,
    "tailgates": 3,
    "leaves_on_red": 2,
    "stops_under_boom": 4,
    "long": 2,
    "gap": 4,
}
"""What may happen, and how often of about a hundred."""

TYPES: Final = {"declared": ("2", "3", "4"), "non_declared": ("5", "6")}
BEHAVIOURS: Final = ("slow", "gives_up", "tailgates", "leaves_on_red", "stops_under_boom")


@dataclass(frozen=True, slots=True)
class Comer:
    """One truck, and the slip that the centre knows for it (None: nothing new)."""

    truck: TruckSpec
    slip: dict[str, Any] | None
    story: str


class Traffic:
    """Draws the trucks of one seed, one after the other."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._count = 0
        self._presented: dict[str, list[TruckSpec]] = {}

    def next_for(self, lane: SimLane, now: datetime) -> Comer:
        """The next truck of a lane."""
        rng = self._rng
        story = rng.choices(list(STORIES), list(STORIES.values()))[0]
        earlier = self._presented.get(lane.id, [])
        self._count += 1
        if story == "used_again" and earlier:
            again = replace(rng.choice(earlier), id=f"t{self._count}", arrive_after_s=rng.uniform(1.0, 20.0))
            return Comer(again, None, story)
        load = self._load(lane, story)
        slip = slip_for(load, now)
        if story == "hold":
            slip["holds"] = [{"kind": "inspection", "id": f"H{self._count}", "reason": "drawn", "placed_by": "centre"}]
        truck = self._truck(lane, story, load)
        if story in {"plain", "hazmat"}:
            self._presented.setdefault(lane.id, []).append(truck)
        return Comer(truck, None if story in {"unknown_slip", "no_slip"} else slip, story)

    def _load(self, lane: SimLane, story: str) -> Load:
        rng = self._rng
        is_hazmat = story == "hazmat" and lane.kind == "declared"
        slip_type = rng.choice(TYPES[lane.kind])
        return Load(
            number=self._count,
            slip_type=slip_type,
            direction=lane.direction,
            tare_kg=13_000,
            goods_kg=0 if slip_type == "6" else rng.randrange(4_000, 20_000, 20),
            category="other" if slip_type == "5" else None,
            chemical=rng.choice(CHEMICALS) if is_hazmat else None,
            site_ids=("K1",) if rng.random() < 0.6 else (),
        )

    def _truck(self, lane: SimLane, story: str, load: Load) -> TruckSpec:
        rng = self._rng
        length_m = 22.0 if story == "long" else rng.choice((8.0, 12.0, 16.0))
        mass_kg = load.total_kg * 13 // 10 if story == "overweight" else load.total_kg
        return TruckSpec(
            id=f"t{self._count}",
            lane=lane.id,
            length_m=length_m,
            mass_kg=mass_kg,
            plate=plate_of(load.number),
            plate_read=None if story == "unread" else plate_of(load.number),
            arrive_after_s=rng.uniform(1.0, 40.0),
            after=rng.choice(("lane", "approach")),
            gap_m=(5.0, 8.0) if story == "gap" and length_m > 12.0 else None,
            scan=() if story == "no_slip" else (load.slip_no,),
            behaviour=story if story in BEHAVIOURS else "plain",
            dwell_s=rng.uniform(1.0, 12.0),
            patience_s=rng.uniform(5.0, 60.0),
            pause_s=rng.uniform(2.0, 20.0),
            story=story,
        )
