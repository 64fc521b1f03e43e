"""The faults of a seed: each begins at a drawn moment and ends after a drawn time; `heal` ends them all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any, Final

from devices.simulator.yard import Yard
from gate_service.simulation.site import SimSite

BETWEEN_S: Final = (1.0, 40.0)
OFTEN_S: Final = (0.2, 2.0)
MOST_TURNS: Final = 60
"""A kill falls after so many turns of the loop at most, counted from a drawn moment: at any await."""

Switch = Callable[[bool], None]


class Faults:
    """Draws and switches. Detectors fail occupied only: they are wired so (`reference/devices.md` 1.2)."""

    def __init__(self, site: SimSite, rng: Random) -> None:
        self._site = site
        self._rng = rng
        self._on: dict[str, Switch] = {}
        self.counts: dict[str, int] = {}

    async def rage(self) -> None:
        """Task: one fault after the other, several at a time."""
        while True:
            is_narrow = self._site.inject == "believe-zeros"  # what this protection is against, and often
            await asyncio.sleep(self._rng.uniform(*(OFTEN_S if is_narrow else BETWEEN_S)))
            name = "module_zeros" if is_narrow else self._rng.choice(NAMES)
            self.counts[name] = self.counts.get(name, 0) + 1
            self._site.watch.note(f"fault {name}")
            if name == "kill":
                await self._kill()
            elif name == "button":
                self._press_button()
            elif name == "clock":
                self._site.clock.offset_s = self._rng.choice((0.0, 0.0, self._rng.uniform(-600.0, 600.0)))
            else:
                self._begin(name)

    def heal(self) -> None:
        """Everything works again, and the service runs."""
        for switch in self._on.values():
            switch(False)
        self._on.clear()
        self._site.clock.offset_s = 0.0
        self._site.centre.faults.heal()
        self._site.authority.faults.heal()
        if self._site.running is None:
            self._site.start()

    def _begin(self, name: str) -> None:
        lane = self._rng.choice(self._site.lanes)
        shortest_s, longest_s = DURATIONS.get(name, (0.5, 30.0))
        duration_s = self._rng.uniform(shortest_s, longest_s)
        switch = self._switch(name, lane.id)
        key = f"{name} {lane.id}"
        if key in self._on:
            return
        self._on[key] = switch
        switch(True)
        asyncio.get_running_loop().call_later(duration_s, self._end, key)

    def _end(self, key: str) -> None:
        switch = self._on.pop(key, None)
        if switch is not None:
            self._site.watch.note(f"end {key}")
            switch(False)

    def _switch(self, name: str, lane: str) -> Switch:  # noqa: PLR0911 - one line for each fault
        site, rng = self._site, self._rng
        yard, module, indicator = site.yard, site.modules[lane], site.indicators.get(lane)
        sides = list(yard.lanes[lane].booms)
        match name:
            case "module_dead" | "module_late" | "module_zeros":
                field = {"module_dead": "is_dead", "module_late": "is_late", "module_zeros": "answers_zeros"}[name]
                return _setter(module, field)
            case "indicator_silent" | "indicator_garbage" if indicator is not None:
                return _setter(indicator, "is_silent" if name == "indicator_silent" else "sends_garbage")
            case "boom_stuck":
                return _yard_switch(yard, lane, f"{rng.choice(sides)}_boom", "stuck")
            case "detector":
                return _yard_switch(
                    yard, lane, rng.choice(("approach", "entry_loop", "exit_beam", "exit_loop")), "stays_on"
                )
            case "snow":
                amount = rng.uniform(20.0, 400.0)
                return lambda on: yard.switch(lane, "platform", "snow", on=on, amount=amount)
            case "fire" | "no_power":
                return _yard_switch(yard, lane, "", name)
            case "disk":
                return lambda on: setattr(site.disk, "fault", "disk full" if on else None)
            case "centre_down" | "centre_slow" | "centre_loses" | "centre_refuses":
                return _setter(site.centre.faults, LINE_FIELDS[name.removeprefix("centre_")])
            case "authority_down" | "authority_loses":
                return _setter(site.authority.faults, LINE_FIELDS[name.removeprefix("authority_")])
            case _:
                return lambda _: None

    async def _kill(self) -> None:
        for _ in range(self._rng.randrange(MOST_TURNS)):
            await asyncio.sleep(0)
        self._site.kill()
        await asyncio.sleep(self._rng.uniform(0.3, 20.0))
        if self._site.running is None:
            self._site.start()

    def _press_button(self) -> None:
        """The local button in sight of the boom: lowered only where the person sees that nothing is there."""
        lane = self._rng.choice(self._site.lanes)
        yard_lane = self._site.yard.lanes[lane.id]
        side = self._rng.choice(list(yard_lane.booms))
        way = self._rng.choice(("raise", "lower"))
        place = {"entry": yard_lane.places.entry_boom_m, "exit": yard_lane.places.exit_boom_m}[side] or 0.0
        near = any(
            rear_m - 8.0 < place < front_m + 8.0 for rear_m, front_m in map(yard_lane.stretch, yard_lane.drivers)
        )
        if way == "raise" or not near:
            self._site.yard.press_button(lane.id, side, way)


def _setter(thing: Any, field: str) -> Switch:
    return lambda on: setattr(thing, field, on)


def _yard_switch(yard: Yard, lane: str, part: str, name: str) -> Switch:
    return lambda on: yard.switch(lane, part, name, on=on)


LINE_FIELDS: Final = {"down": "is_down", "slow": "is_slow", "loses": "loses_answers", "refuses": "refuses"}
NAMES: Final = (
    "module_dead",
    "module_late",
    "module_zeros",
    "indicator_silent",
    "indicator_garbage",
    "boom_stuck",
    "detector",
    "snow",
    "fire",
    "no_power",
    "disk",
    "centre_down",
    "centre_slow",
    "centre_loses",
    "centre_refuses",
    "authority_down",
    "authority_loses",
    "kill",
    "kill",
    "button",
    "clock",
)
DURATIONS: Final = {"module_zeros": (0.3, 8.0), "centre_down": (5.0, 300.0), "authority_down": (5.0, 300.0)}
