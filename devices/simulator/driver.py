"""The driver: looks at lamps, booms and the vehicle ahead, and says where the front of the truck should stop next.

Drivers obey the lane: green and a boom seen up to drive on, the back-out lamp to reverse. They react after a second,
brake for a boom that comes down if they still can, and keep their distance. Behaviours are departures from that.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from devices.simulator.places import APPROACH, HOLD_LINE_M, STOP_LINE_M, Places
from devices.simulator.specs import TruckSpec
from devices.simulator.vehicle import NEAR_M, Vehicle

REACTION_S: Final = 1.0
DISTANCE_M: Final = 2.0
CRUISE: Final = 3.0  # m/s, walking pace signs at gates: 10 km/h
CRUISE_BACK: Final = 1.5
SHORT_OF_BOOM_M: Final = 1.0


class Phase(StrEnum):
    """What a driver is about."""

    COMING = "coming"  # towards the stop line
    AT_POST = "at_post"
    ENTERING = "entering"
    INSIDE = "inside"  # standing on the platform, or between the booms
    LEAVING = "leaving"
    BACKING = "backing"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a driver can see. Booms are None where the lane has none; `ahead_m`, `behind_m`: nearest bumper or None."""

    entry_up: bool | None
    exit_up: bool | None
    entry_green: bool
    entry_red: bool
    exit_green: bool
    back_out: bool
    ahead_m: float | None
    behind_m: float | None


class Driver:
    """One driver in one truck. `step` drives for a while and returns the names of what happened."""

    def __init__(self, truck: TruckSpec, places: Places) -> None:
        self.truck = truck
        self.places = places
        self.vehicle = Vehicle(truck, HOLD_LINE_M)
        self.phase = Phase.COMING
        self.by_himself = False
        self._wish: Phase | None = None
        self._wish_s = 0.0
        self._waited_s = 0.0
        self._paused_s = 0.0
        self._has_crossed = False

    def step(self, view: Outlook, dt_s: float) -> list[str]:
        """Look, decide, drive. Names: at_post, entering, on_platform, leaving, crossed, backing, left, backed_out."""
        before = self.phase
        self._decide(view, dt_s)
        happened = [] if self.phase is before else [self.phase.value]
        cruise = CRUISE_BACK if self.phase is Phase.BACKING else CRUISE
        if self.truck.behaviour == "slow":
            cruise /= 2
        if self.phase in (Phase.AT_POST, Phase.INSIDE):
            self.vehicle.acceleration = 0.0
        else:
            self.vehicle.steer_to(self._target_m(view), cruise, dt_s)
        return happened + self._arrive(dt_s)

    def _decide(self, view: Outlook, dt_s: float) -> None:
        """Take up a wish once it has been seen for the reaction time."""
        wish = self._wished(view, dt_s)
        if wish is not self._wish:
            self._wish, self._wish_s = wish, 0.0
        self._wish_s += dt_s
        if wish is not None and self._wish_s >= REACTION_S:
            self.phase, self._wish = wish, None

    def _wished(self, view: Outlook, dt_s: float) -> Phase | None:
        match self.phase:
            case Phase.COMING:
                is_free = view.ahead_m is None and not view.entry_red
                return Phase.ENTERING if self.places.is_open_platform and is_free else None
            case Phase.AT_POST:
                return self._wished_at_post(view, dt_s)
            case Phase.ENTERING if self.vehicle.is_standing and view.back_out:
                return Phase.BACKING if self._is_before_entry() or view.ahead_m is not None else None
            case Phase.INSIDE:
                return self._wished_inside(view)
            case Phase.BACKING if self.vehicle.is_standing and not view.back_out and not self.by_himself:
                return Phase.LEAVING if self._may_leave(view) else None  # sent the other way after all
            case _:
                return None

    def _wished_at_post(self, view: Outlook, dt_s: float) -> Phase | None:
        self._waited_s += dt_s
        if self.truck.behaviour == "gives_up":
            if self._waited_s < self.truck.patience_s:
                return None
            self.by_himself = True
            return Phase.BACKING
        if view.back_out:
            return Phase.BACKING
        if self.places.entry_boom_m is None:
            if self.places.is_open_platform:
                return Phase.ENTERING if view.ahead_m is None and not view.entry_red else None
            return Phase.LEAVING if self._may_leave(view) else None
        ignores_lamps = self.truck.behaviour in ("tailgates", "creeps_behind", "leaves_on_red")
        if not view.entry_up or not (view.entry_green or ignores_lamps):
            return None
        return Phase.ENTERING if self.places.stop_inside_m(self.truck.length_m) is not None else Phase.LEAVING

    def _wished_inside(self, view: Outlook) -> Phase | None:
        if self._may_leave(view):
            return Phase.LEAVING
        return Phase.BACKING if view.back_out and view.entry_up is not False else None

    def _may_leave(self, view: Outlook) -> bool:
        if view.exit_up is None:
            return view.exit_green
        return view.exit_up and (view.exit_green or self.truck.behaviour == "leaves_on_red")

    def _is_before_entry(self) -> bool:
        boom_m = self.places.entry_boom_m
        return boom_m is not None and self.vehicle.x_m < boom_m

    def _target_m(self, view: Outlook) -> float:
        """Where the front should stop, all things seen."""
        if self.phase is Phase.BACKING:
            return self._target_back_m(view)
        target_m = self._wanted_m()
        for boom_m, is_up in ((self.places.entry_boom_m, view.entry_up), (self.places.exit_boom_m, view.exit_up)):
            if boom_m is not None and is_up is False:
                stop_m = boom_m - SHORT_OF_BOOM_M
                can_stop = self.vehicle.x_m + self.vehicle.emergency_stop_m() < boom_m
                if can_stop:
                    target_m = min(target_m, max(stop_m, self.vehicle.x_m))
        if view.ahead_m is not None:
            target_m = min(target_m, max(view.ahead_m - DISTANCE_M, self.vehicle.x_m))
        return target_m

    def _wanted_m(self) -> float:
        if self.phase is Phase.COMING:
            return STOP_LINE_M
        if self._is_creeping():
            return self.places.platform[0] - SHORT_OF_BOOM_M if self.places.platform else self.vehicle.x_m
        if self.phase is Phase.ENTERING:
            return self.places.stop_inside_m(self.truck.length_m) or self.vehicle.x_m
        boom_m = self.places.exit_boom_m
        if self.truck.behaviour == "stops_under_boom" and boom_m is not None and self._paused_s < self.truck.pause_s:
            return boom_m + self.truck.length_m / 2
        return self.places.gone_m + self.truck.length_m + 5.0

    def _is_creeping(self) -> bool:
        is_at_it = self.phase is Phase.ENTERING and self.truck.behaviour == "creeps_behind"
        return is_at_it and self._paused_s < self.truck.pause_s

    def _target_back_m(self, view: Outlook) -> float:
        length_m, boom_m = self.truck.length_m, self.places.entry_boom_m
        target_m = HOLD_LINE_M
        if boom_m is not None and view.entry_up is False and self.vehicle.rear_m > boom_m:
            target_m = boom_m + SHORT_OF_BOOM_M + length_m
        if view.behind_m is not None:
            target_m = max(target_m, view.behind_m + DISTANCE_M + length_m)
        return min(target_m, self.vehicle.x_m)

    def _arrive(self, dt_s: float) -> list[str]:
        """What the new position means."""
        vehicle, places = self.vehicle, self.places
        if self.phase is Phase.COMING and vehicle.is_standing and abs(vehicle.x_m - STOP_LINE_M) <= 2 * NEAR_M:
            self.phase = Phase.AT_POST
            return ["at_post"]
        if self._is_creeping():
            self._paused_s += dt_s if vehicle.is_standing else 0.0
            return []
        if self.phase is Phase.ENTERING and vehicle.is_standing and vehicle.x_m >= self._wanted_m() - 2 * NEAR_M:
            self.phase = Phase.INSIDE
            return ["on_platform"]
        if self.phase is Phase.BACKING and vehicle.x_m <= HOLD_LINE_M + 2 * NEAR_M:
            self.phase = Phase.GONE
            return ["backed_out"]
        if self.phase is not Phase.LEAVING:
            return []
        if vehicle.is_standing and places.exit_boom_m is not None and vehicle.covers(places.exit_boom_m):
            self._paused_s += dt_s
        happened = []
        if not self._has_crossed and vehicle.rear_m > places.exit_line_m:
            self._has_crossed = True
            happened.append("crossed")
        if vehicle.rear_m > places.gone_m:
            self.phase = Phase.GONE
            happened.append("left")
        return happened

    @property
    def has_left_approach(self) -> bool:
        """Whether the next truck may come forward."""
        return self.phase is Phase.GONE or (self.phase is not Phase.BACKING and self.vehicle.rear_m > APPROACH[1])

    @property
    def has_cleared(self) -> bool:
        """Whether the truck is clear of every detector of the lane, forward or back."""
        return self.phase is Phase.GONE or (self._has_crossed and self.vehicle.rear_m > self.places.exit_end_m)
