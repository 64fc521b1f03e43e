"""One lane of the yard: booms, platform, the trucks in it, the outputs that drive it and the inputs it shows."""

from __future__ import annotations

from collections import deque
from typing import Final

from devices.simulator.boom import Boom
from devices.simulator.deck import Deck
from devices.simulator.driver import DISTANCE_M, Driver, Outlook, Phase
from devices.simulator.places import (
    APPROACH,
    FAR_APPROACH,
    HOLD_LINE_M,
    TURNED_M,
    Places,
    Span,
    mirrored,
    places_of,
)
from devices.simulator.specs import LaneSpec, TruckSpec

INPUTS: Final = (
    "approach",
    "entry_loop",
    "entry_beam",
    "exit_beam",
    "exit_loop",
    "entry_up",
    "entry_down",
    "exit_up",
    "exit_down",
    "fire",
    "power_ok",
    "local_button",
    "power_fail",
    "far_approach",
)
"""Terminals of the lane's module in their order; what the lane has not is 0. Loops, beams, limits: 1 = there."""

OUTPUTS: Final = (
    "entry_raise",
    "entry_lower",
    "exit_raise",
    "exit_lower",
    "entry_red",
    "entry_green",
    "exit_red",
    "exit_green",
    "back_out",
    "far_back_out",
)
BUTTON_S: Final = 2.0


class YardLane:
    """A lane's physics. `outputs` are levels; booms act on rising edges only."""

    def __init__(self, spec: LaneSpec) -> None:
        self.spec = spec
        self.places: Places = places_of(spec)
        self.booms: dict[str, Boom] = {}
        if self.places.entry_boom_m is not None:
            self.booms["entry"] = Boom()
        if self.places.exit_boom_m is not None:
            self.booms["exit"] = Boom()
        self.deck = Deck()
        self.queue: deque[TruckSpec] = deque()
        self.drivers: list[Driver] = []
        self.outputs = dict.fromkeys(OUTPUTS, False)
        self.is_fire = False
        self.has_power = True
        self.has_mains = True
        self.forced: dict[str, bool] = {}
        self._button_until_s = -1.0
        self._now_s = 0.0
        self._clear_since_s = 0.0

    def write(self, output: str, *, on: bool) -> bool:
        """Set an output level; returns whether that was a rising edge. A raise wins over a lower at the same time."""
        rises = on and not self.outputs[output]
        self.outputs[output] = on
        side, _, way = output.partition("_")
        if rises and side in self.booms:
            if way == "raise":
                self.booms[side].start_raising()
            elif way == "lower" and not self.outputs[f"{side}_raise"]:
                self.booms[side].start_lowering()
        return rises

    def press_button(self, side: str, way: str) -> None:
        """Somebody in sight of the boom uses the local button."""
        boom = self.booms[side]
        if way == "raise":
            boom.start_raising()
        else:
            boom.start_lowering()
        self._button_until_s = self._now_s + BUTTON_S

    def is_quiet(self) -> bool:
        """Whether a step would change nothing."""
        moving = any(boom.is_moving for boom in self.booms.values())
        return not self.drivers and not moving and self.deck.is_resting

    def step(self, now_s: float, dt_s: float, *, opened_s: float | None) -> list[tuple[str, Driver]]:
        """Let a while pass; returns what happened to which truck. `opened_s` None: no truck comes yet."""
        self._now_s = now_s
        happened: list[tuple[str, Driver]] = []
        if opened_s is not None and (comer := self._next_comer(now_s, opened_s)) is not None:
            self.drivers.append(comer)
            happened.append(("arrived", comer))
        if self.is_quiet():
            return happened
        for boom in self.booms.values():
            boom.step(dt_s)
        for place, driver in enumerate(self.drivers):
            happened += [(name, driver) for name in driver.step(self._outlook(place), dt_s)]
        if self.places.platform is not None:
            self.deck.step(*self._on_platform(self.places.platform), dt_s)
        if any(driver.phase is Phase.GONE for driver in self.drivers):
            self.drivers = [driver for driver in self.drivers if driver.phase is not Phase.GONE]
        return happened

    def _next_comer(self, now_s: float, opened_s: float) -> Driver | None:
        """The first of the queue, once it is its time and the lane, or the approach, is free for it."""
        if not self.queue:
            return None
        truck = self.queue[0]
        if truck.after == "lane":
            is_free = all(driver.has_cleared for driver in self.drivers)
        elif truck.after == "bumper":
            is_free = all(driver.vehicle.rear_m > HOLD_LINE_M + DISTANCE_M for driver in self.drivers)
        else:
            is_free = all(driver.has_left_approach for driver in self.drivers)
        if not is_free:
            self._clear_since_s = now_s
        if not is_free or now_s < max(opened_s, self._clear_since_s) + truck.arrive_after_s:
            return None
        self.queue.popleft()
        self._clear_since_s = now_s
        return Driver(truck, self.places.turned() if truck.comes_from == "far" else self.places)

    def _on_platform(self, platform: tuple[float, float]) -> tuple[float, float]:
        true_kg = push_kg = 0.0
        for driver in self.drivers:
            load_kg = driver.vehicle.load_on(driver.places.platform or platform)
            true_kg += load_kg
            push_kg += driver.vehicle.push() * load_kg / driver.truck.mass_kg
        return true_kg, push_kg

    def _outlook(self, place: int) -> Outlook:
        """What a driver sees; who comes from the far end has the exit's boom and lights before it."""
        comes_from = self.drivers[place].truck.comes_from
        near, far = ("exit", "entry") if comes_from == "far" else ("entry", "exit")
        entry, leave = self.booms.get(near), self.booms.get(far)
        same_way = [driver.truck.comes_from == comes_from for driver in self.drivers]
        ahead = [driver.vehicle.rear_m for driver, same in zip(self.drivers[:place], same_way, strict=False) if same]
        ahead += [TURNED_M - d.vehicle.x_m for d, same in zip(self.drivers, same_way, strict=True) if not same]
        behind = [driver.vehicle.x_m for driver in self.drivers[place + 1 :] if driver.vehicle.x_m > HOLD_LINE_M]
        return Outlook(
            entry_up=None if entry is None else entry.is_up,
            exit_up=None if leave is None else leave.is_up,
            entry_green=self.outputs[f"{near}_green"],
            entry_red=self.outputs[f"{near}_red"],
            exit_green=self.outputs[f"{far}_green"],
            back_out=self.outputs["far_back_out" if comes_from == "far" else "back_out"],
            ahead_m=min(ahead, default=None),
            behind_m=max(behind, default=None),
        )

    def stretch(self, driver: Driver) -> Span:
        """From where to where a vehicle is, in metres from the near end, whichever way it drives."""
        span = driver.vehicle.rear_m, driver.vehicle.x_m
        return mirrored(span) if driver.truck.comes_from == "far" else span

    def _is_over(self, driver: Driver, loop: Span) -> bool:
        return driver.vehicle.is_over(mirrored(loop) if driver.truck.comes_from == "far" else loop)

    def inputs(self) -> dict[str, bool]:
        """Every terminal by name as it is now. Without 24 V all are 0, the known-on one included."""
        if not self.has_power:
            return dict.fromkeys(INPUTS, False)
        shown = dict.fromkeys(INPUTS, False)
        places = self.places
        loops = [("approach", APPROACH), ("entry_loop", places.entry_loop), ("exit_loop", places.exit_loop)]
        if self.spec.reversible:
            loops.append(("far_approach", FAR_APPROACH))
        for name, loop in loops:
            shown[name] = loop is not None and any(self._is_over(driver, loop) for driver in self.drivers)
        if places.platform is not None:
            bodies = [self.stretch(driver) for driver in self.drivers]
            for name, beam_m in zip(("entry_beam", "exit_beam"), places.platform, strict=True):
                shown[name] = any(rear_m < beam_m < front_m for rear_m, front_m in bodies)
        for side, boom in self.booms.items():
            shown[f"{side}_up"], shown[f"{side}_down"] = boom.is_up, boom.is_down
        shown["fire"] = self.is_fire
        shown["power_ok"] = True
        shown["power_fail"] = not self.has_mains
        shown["local_button"] = self._now_s < self._button_until_s
        shown.update(self.forced)
        return shown
