"""A lane ready for its first vehicle, for every test of the lanes that asks for one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.fakes.lane_rig import LaneRig
from tests.fakes.slips import sound_slip


@pytest.fixture
async def rig() -> AsyncIterator[LaneRig]:
    """Idle, its devices good, with one sound slip to be found."""
    async with LaneRig() as rig:
        rig.slips.slips = [sound_slip()]
        await rig.run(2)
        yield rig
