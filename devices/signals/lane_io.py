"""A lane's share of an I/O module: bits to detectors, boom positions and fire; outputs by their meaning."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from types import TracebackType
from typing import Any, Self

from devices.barrier.position import BoomWatch
from devices.signals.contacts import Contacts
from devices.signals.module import InputsAnswer, IoModule
from gate_service.domain.events import JsonObject
from gate_service.domain.ports import LaneSink
from gate_service.domain.reading import Detector, DeviceHealth, LaneInputs, Presence, Side


@dataclass(frozen=True, slots=True)
class BarrierWiring:
    """Input and output numbers of one barrier; `lower` None: the barrier's controller is the only closer."""

    up: int
    down: int
    raise_output: int
    lower_output: int | None = None
    travel_s: float = 8.0
    by_hand: int | None = None  # its switch or crank contact: on while somebody works the boom by hand


@dataclass(frozen=True, slots=True)
class LightWiring:
    """Output numbers of the lights of one side; None where there is no such lamp. `back_out`: entry side only."""

    red: int | None = None
    green: int | None = None
    back_out: int | None = None


@dataclass(frozen=True, slots=True)
class LaneIoSettings:
    """The wiring of one lane on its module."""

    lane: str
    detectors: Mapping[Detector, int]
    barriers: Mapping[Side, BarrierWiring]
    lights: Mapping[Side, LightWiring] = field(default_factory=dict)
    fire: int | None = None
    power_ok: int | None = None
    local_button: int | None = None
    power_fail: int | None = None
    normally_closed: frozenset[int] = frozenset()  # inputs whose 0 means "there"; see `contacts`
    second_contacts: Mapping[Detector, int] = field(default_factory=dict)
    far_approach: int | None = None
    queue: tuple[int, ...] = ()


class LaneIo:
    """Attaches to the module at construction, before the module is entered. Every poll reaches the sink."""

    def __init__(self, module: IoModule, settings: LaneIoSettings, sink: LaneSink) -> None:
        self.module = module
        self.settings = settings
        self._sink = sink
        self._clock = module.clock
        self._contacts = Contacts(settings.normally_closed, settings.second_contacts)
        self._booms = {
            side: BoomWatch(wiring.travel_s, closes_itself=wiring.lower_output is None)
            for side, wiring in settings.barriers.items()
        }
        self._told: dict[str, str | None] = {}
        self.inputs = _inputs_of(settings)
        self._latest: LaneInputs | None = None
        self._polled = asyncio.Event()
        module.attach(self)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to close: the module owns the link."""

    @property
    def power_ok(self) -> int | None:
        """The known-on input, if wired."""
        return self.settings.power_ok

    @property
    def safe_outputs(self) -> dict[int, bool]:
        """Commands and all lamps off, red on."""
        levels: dict[int, bool] = {}
        for barrier in self.settings.barriers.values():
            levels[barrier.raise_output] = False
            if barrier.lower_output is not None:
                levels[barrier.lower_output] = False
        for lights in self.settings.lights.values():
            levels |= {number: False for number in (lights.green, lights.back_out) if number is not None}
            levels |= {number: True for number in (lights.red,) if number is not None}
        return levels

    def latest(self) -> LaneInputs | None:
        """Give the newest poll, good or UNKNOWN; None before the first."""
        return self._latest

    async def next_poll(self) -> LaneInputs:
        """Wait for the next poll and give it. Polls come, good or UNKNOWN, as long as the module is entered."""
        await self._polled.wait()
        assert self._latest is not None
        return self._latest

    def boom(self, side: Side) -> BoomWatch:
        """What is known of one boom over time; its barrier says there what it ordered."""
        return self._booms[side]

    def answered(self, answer: InputsAnswer) -> None:
        """Turn one poll into the lane's inputs."""
        settings, bits, at_s = self.settings, answer.bits, answer.taken_monotonic_s
        is_on = self._contacts.is_on
        presences = {
            detector: self._contacts.presence(detector, bits, number, at_s)
            for detector, number in settings.detectors.items()
        }
        fire, button = is_on(bits, settings.fire), is_on(bits, settings.local_button)
        self._latest = LaneInputs(
            detectors=presences,
            booms={
                side: self._booms[side].see(
                    is_up=is_on(bits, wiring.up),
                    is_down=is_on(bits, wiring.down),
                    is_by_hand=is_on(bits, wiring.by_hand),
                    is_excused=bool(fire or button),
                    at_s=at_s,
                )
                for side, wiring in settings.barriers.items()
            },
            fire=fire,
            taken_at=answer.taken_at,
            taken_monotonic_s=at_s,
            unknown_because=answer.fault or self._broken_wire(),
            local_button=button,
            power_fail=is_on(bits, settings.power_fail),
            queue=tuple(self._presence(bits, number) for number in settings.queue),
            far_approach=None if settings.far_approach is None else self._presence(bits, settings.far_approach),
        )
        polled, self._polled = self._polled, asyncio.Event()
        polled.set()
        self._sink.inputs_read(self._latest)
        self._tell_healths()

    def _presence(self, bits: tuple[bool, ...] | None, number: int) -> Presence:
        """A loop with one contact only."""
        is_there = self._contacts.is_on(bits, number)
        if is_there is None:
            return Presence.UNKNOWN
        return Presence.OCCUPIED if is_there else Presence.CLEAR

    def module_health_changed(self, health: DeviceHealth) -> None:
        """Pass the module's health on."""
        self._sink.health_changed(health)

    def healths(self) -> list[DeviceHealth]:
        """What the lane's own wires say of themselves: broken ones, and the mains. Nothing where nothing is wired."""
        inputs, found = self._latest, []
        if inputs is None:
            return []
        lane, at_s = self.settings.lane, inputs.taken_monotonic_s
        if self.settings.second_contacts:
            found.append(DeviceHealth(f"{lane} wiring", "wiring", self._broken_wire(), at_s))
        if self.settings.power_fail is not None:
            fault = "mains power has failed" if inputs.power_fail else None
            found.append(DeviceHealth(f"{lane} mains", "power", fault, at_s))
        return found

    def snapshot(self) -> JsonObject:
        """Facts for the device page: what the lane's inputs mean now, by name."""
        inputs, lane = self._latest, self.settings.lane
        facts: dict[str, Any] = {"device": f"{lane} inputs", "kind": "lane_inputs", "fault": None, "age_ms": None}
        if inputs is None:
            return facts
        mains = "mains power has failed" if inputs.power_fail else None
        age_s = self._clock.monotonic_s() - inputs.taken_monotonic_s
        return facts | {
            "fault": inputs.unknown_because or mains,
            "age_ms": None if inputs.unknown_because else int(age_s * 1000),
            "detectors": {detector.value: presence.value for detector, presence in inputs.detectors.items()},
            "booms": {side.value: position.value for side, position in inputs.booms.items()},
            "switches": {
                name: getattr(inputs, name)
                for name in ("fire", "local_button", "power_fail")
                if getattr(self.settings, name) is not None
            },
        }

    def _broken_wire(self) -> str | None:
        return f"{self.settings.lane}: {'; '.join(self._contacts.broken.values())}" if self._contacts.broken else None

    def _tell_healths(self) -> None:
        for health in self.healths():
            if self._told.setdefault(health.device, None) != health.fault:
                self._told[health.device] = health.fault
                self._sink.health_changed(health)


def _inputs_of(settings: LaneIoSettings) -> frozenset[int]:
    """Input numbers that a lane uses."""
    booms = [(wiring.up, wiring.down, wiring.by_hand) for wiring in settings.barriers.values()]
    single = (settings.fire, settings.power_ok, settings.local_button, settings.power_fail, settings.far_approach)
    loops = (*settings.detectors.values(), *settings.second_contacts.values(), *settings.queue)
    wired = [*loops, *single, *chain(*booms)]
    return frozenset(number for number in wired if number is not None)
