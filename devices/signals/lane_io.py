"""A lane's share of an I/O module: bits to detectors, boom positions and fire; outputs by their meaning."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from devices.barrier.position import boom_position
from devices.signals.module import InputsAnswer, IoModule
from gate_service.domain.ports import LaneSink
from gate_service.domain.reading import BoomPosition, Detector, DeviceHealth, LaneInputs, Presence, Side


@dataclass(frozen=True, slots=True)
class BarrierWiring:
    """Input and output numbers of one barrier; `lower` None: the barrier's controller is the only closer."""

    up: int
    down: int
    raise_output: int
    lower_output: int | None = None
    travel_s: float = 8.0


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


class LaneIo:
    """Attaches to the module at construction, before the module is entered. Every poll reaches the sink."""

    def __init__(self, module: IoModule, settings: LaneIoSettings, sink: LaneSink) -> None:
        self.module = module
        self.settings = settings
        self._sink = sink
        self._between_since_s: dict[Side, float] = {}
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
    def inputs(self) -> frozenset[int]:
        """Input numbers the lane uses."""
        settings = self.settings
        limits = [number for wiring in settings.barriers.values() for number in (wiring.up, wiring.down)]
        single = [number for number in (settings.fire, settings.power_ok, settings.local_button) if number is not None]
        return frozenset([*settings.detectors.values(), *limits, *single])

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

    def answered(self, answer: InputsAnswer) -> None:
        """Turn one poll into the lane's inputs."""
        settings = self.settings
        self._latest = LaneInputs(
            detectors={detector: _presence(answer.bits, number) for detector, number in settings.detectors.items()},
            booms={side: self._position(side, wiring, answer) for side, wiring in settings.barriers.items()},
            fire=_bit(answer.bits, settings.fire),
            taken_at=answer.taken_at,
            taken_monotonic_s=answer.taken_monotonic_s,
            unknown_because=answer.fault if answer.bits is None else None,
            local_button=_bit(answer.bits, settings.local_button),
        )
        polled, self._polled = self._polled, asyncio.Event()
        polled.set()
        self._sink.inputs_read(self._latest)

    def module_health_changed(self, health: DeviceHealth) -> None:
        """Pass the module's health on."""
        self._sink.health_changed(health)

    def _position(self, side: Side, wiring: BarrierWiring, answer: InputsAnswer) -> BoomPosition:
        bits, at_s = answer.bits, answer.taken_monotonic_s
        is_up = None if bits is None else bits[wiring.up]
        is_down = None if bits is None else bits[wiring.down]
        if is_up is False and is_down is False:
            self._between_since_s.setdefault(side, at_s)
        elif bits is not None:  # a lost poll does not restart the travel time
            self._between_since_s.pop(side, None)
        between_s = at_s - self._between_since_s.get(side, at_s)
        return boom_position(is_up=is_up, is_down=is_down, between_s=between_s, travel_s=wiring.travel_s)


def _bit(bits: tuple[bool, ...] | None, number: int | None) -> bool | None:
    return None if bits is None or number is None else bits[number]


def _presence(bits: tuple[bool, ...] | None, number: int) -> Presence:
    if bits is None:
        return Presence.UNKNOWN
    return Presence.OCCUPIED if bits[number] else Presence.CLEAR
