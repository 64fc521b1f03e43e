"""A sink that keeps what drivers put into it, a lane's standard wiring, and waiting without guessing how long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from devices.signals.lane_io import BarrierWiring, LaneIoSettings, LightWiring
from gate_service.domain.reading import Detector, DeviceHealth, LaneInputs, Reading, Side


class KeepingSink:
    def __init__(self) -> None:
        self.readings: list[Reading] = []
        self.inputs: list[LaneInputs] = []
        self.health: list[DeviceHealth] = []
        self.weighed = asyncio.Event()

    def weight_read(self, reading: Reading) -> None:
        self.readings.append(reading)
        self.weighed.set()

    def inputs_read(self, inputs: LaneInputs) -> None:
        self.inputs.append(inputs)

    def health_changed(self, health: DeviceHealth) -> None:
        self.health.append(health)

    @property
    def latest(self) -> LaneInputs:
        return self.inputs[-1]


def wiring(travel_s: float = 8.0, **changes: object) -> LaneIoSettings:
    settings: dict[str, object] = {
        "lane": "in-d1",
        "detectors": {
            Detector.APPROACH: 0,
            Detector.ENTRY_LOOP: 1,
            Detector.ENTRY_BEAM: 2,
            Detector.EXIT_BEAM: 3,
            Detector.EXIT_LOOP: 4,
        },
        "barriers": {
            Side.ENTRY: BarrierWiring(up=5, down=6, raise_output=0, lower_output=1, travel_s=travel_s),
            Side.EXIT: BarrierWiring(up=7, down=8, raise_output=2, lower_output=3, travel_s=travel_s),
        },
        "lights": {Side.ENTRY: LightWiring(4, 5, 8), Side.EXIT: LightWiring(6, 7)},
        "fire": 9,
        "power_ok": 10,
        "local_button": 11,
    }
    return LaneIoSettings(**(settings | changes))  # type: ignore[arg-type]


def believed(inputs: list[LaneInputs]) -> int:
    """How many of these looks at the inputs counted: what is noticed at once, or soon, shows in looks and not in
    seconds of a busy machine.
    """
    return sum(look.unknown_because is None for look in inputs)


def missed_until_told(health: list[DeviceHealth], before: Mapping[str, int]) -> int:
    """How many answers were missing or wrong, since those before, when the first of these told of a fault."""
    first = next(one for one in health if one.fault)
    return sum(first.rejects.values()) - sum(before.values())


async def until(holds: Callable[[], object], within_s: float = 20.0) -> None:
    """Wait until something holds; the failure shows the time that was allowed."""
    end = asyncio.get_running_loop().time() + within_s
    while not holds():
        assert asyncio.get_running_loop().time() < end, f"did not come true within {within_s} s"
        await asyncio.sleep(0.005)
