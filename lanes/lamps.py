"""Keeps a lane's lights as its state wants them; what could not be shown is shown again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from gate_service.domain.errors import DeviceError
from lanes.orientation import turned_sides
from lanes.signs import aspects

if TYPE_CHECKING:
    from lanes.controller import LaneController

TRY_AGAIN_S: Final = 0.1


async def keep_lights(lane: LaneController, wanted: asyncio.Event) -> None:
    """Task of a lane: look whenever `wanted` is set, for ever."""
    while True:
        await wanted.wait()
        wanted.clear()
        is_still_in = lane.passage is not None and lane.passage.disposition is not None
        aspect = aspects(lane.state, lane.settings.layout, lane.boom_positions(), is_still_in=is_still_in)
        if aspect == lane.shown:
            continue
        try:
            await lane.ports.signals.show(turned_sides(aspect) if lane.is_turned else aspect)
        except DeviceError:
            lane.shown = {}
            await lane.clock.sleep(TRY_AGAIN_S)
        else:
            lane.shown = aspect
            lane.changed()
