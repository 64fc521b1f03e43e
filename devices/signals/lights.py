"""The lights of a lane as level outputs. Lamps go off before others go on: dark for a moment, never two at once."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Self

from devices.links.turns import Urgency
from devices.signals.lane_io import LaneIo, LightWiring
from gate_service.domain.reading import Aspect, Side


def lamp_levels(wiring: LightWiring, aspect: Aspect) -> dict[int, bool]:
    """Which lamps of one side burn: red stays on beside the lamp "drive back". Pure."""
    levels = {
        wiring.red: aspect in {Aspect.RED, Aspect.BACK_OUT},
        wiring.green: aspect is Aspect.GREEN,
        wiring.back_out: aspect is Aspect.BACK_OUT,
    }
    return {number: is_on for number, is_on in levels.items() if number is not None}


class IoSignals:
    """Implements the port `Signals` over a lane's outputs. A lost link leaves the lights to the module's safe state."""

    def __init__(self, lane_io: LaneIo) -> None:
        self._lane_io = lane_io

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to close: the module owns the link."""

    async def show(self, aspects: Mapping[Side, Aspect]) -> None:
        """Write what is not known to be so already. Raises DeviceError; some lamps may then have changed."""
        module = self._lane_io.module
        levels: dict[int, bool] = {}
        reds = {wiring.red for wiring in self._lane_io.settings.lights.values()}
        for side, aspect in aspects.items():
            levels |= lamp_levels(self._lane_io.settings.lights.get(side, LightWiring()), aspect)
        for number, is_on in sorted(levels.items(), key=lambda item: item[1]):
            if module.is_known(number, is_on=is_on):
                continue
            if is_on and number not in reds:  # green is a lease where the board has them: it must not outlive us
                await module.hold(number, urgency=Urgency.SIGNAL)
            else:
                await module.write(number, is_on=is_on, urgency=Urgency.SIGNAL)
