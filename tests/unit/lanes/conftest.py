"""A lane ready for its first vehicle, and one whose vehicle rocks, for every test of the lanes that asks for one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gate_service.domain.ports import Source
from lanes.states import LaneState
from tests.fakes.lane_rig import LaneRig
from tests.fakes.slips import sound_slip


@pytest.fixture
async def rig() -> AsyncIterator[LaneRig]:
    """Idle, its devices good, with one sound slip to be found."""
    async with LaneRig() as rig:
        rig.slips.slips = [sound_slip()]
        await rig.run(2)
        yield rig


@pytest.fixture
async def rocking(rig: LaneRig) -> LaneRig:
    """A vehicle whole on the platform, identified, its weight not settled; slips come from the site's copy."""
    from tests.unit.lanes.test_controller import _identify, _onto_platform

    rig.slips.source = Source.LOCAL
    rig.is_stable = False
    await _onto_platform(rig)
    await _identify(rig)
    await rig.run(3)
    assert rig.lane.state is LaneState.WEIGHING
    return rig
