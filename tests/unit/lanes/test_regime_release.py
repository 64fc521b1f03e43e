"""A release in the emergency regime on a lane: recorded with the regime, counted, and refused once it is used up."""

import pytest

from gate_service.domain.commands import Actor, ActorKind, Command, CommandRequest, PlateRead, Role
from gate_service.domain.errors import NotPermittedError
from gate_service.domain.ports import Source
from gate_service.domain.record import LedgerKind
from lanes.snapshot import lane_snapshot
from lanes.states import LaneState
from tests.fakes.duty import HandDuty
from tests.fakes.lane_rig import LaneRig
from tests.fakes.slips import sound_slip

OPERATOR = Actor("olga", Role.OPERATOR, ActorKind.USER)
CAMERA = Actor("camera", Role.DEVICE, ActorKind.TOKEN)


@pytest.fixture
async def rig():
    """A lane whose copy is of unknown age: the line is lost."""
    async with LaneRig(duty=HandDuty()) as rig:
        rig.slips.slips = [sound_slip()]
        rig.slips.source, rig.slips.as_of = Source.LOCAL, None
        await rig.run(2)
        rig.see(approach="occupied")
        await rig.run(3)
        rig.see(approach="clear", entry_loop="occupied", entry_beam="occupied")
        await rig.run(0.5)
        rig.see(entry_loop="clear", entry_beam="clear")
        rig.kg = 32_440
        await rig.run(1)
        await rig.commands.plate(PlateRead("浙B12345"), CAMERA)
        await rig.commands.scan("Z3311I261122000000000001", CAMERA)
        await rig.run(3)
        yield rig


async def release(rig):
    passage = rig.lane.passage
    return await rig.commands.carry_out(
        CommandRequest(Command.RELEASE, passage.id, passage.facts_version, "customs_instruction"), OPERATOR
    )


async def test_without_a_regime_an_operator_releases_nothing_stale(rig):
    assert rig.lane.state is LaneState.REVIEW
    with pytest.raises(NotPermittedError):
        await release(rig)


async def test_in_a_regime_the_release_is_recorded_with_it_and_counted(rig):
    duty = rig.lane.ports.duty
    duty.open_regime(rig.clock.now())
    shown = lane_snapshot(rig.lane)["passage"]
    assert (shown["override_by"], shown["regime"]) == ("operator", "r-1")
    await release(rig)
    entry = next(entry for entry in rig.journal.entries if entry.kind == "command")
    assert (entry.facts["regime"], entry.actor) == ("r-1", "user:olga")
    kinds = {change.kind: change for change in entry.ledger}
    assert (kinds[LedgerKind.REGIME_USED].key, kinds[LedgerKind.REGIME_USED].limit) == ("r-1", 2)
    assert {c.key for c in entry.ledger if c.kind is LedgerKind.OVERRIDE_USED} == {
        f"7/{code}" for code in entry.facts["overrides"]
    }
    assert duty.open.used == 1


async def test_a_regime_that_ended_meanwhile_releases_nothing(rig):
    duty = rig.lane.ports.duty
    duty.open_regime(rig.clock.now())
    rig.clock.move(8 * 3600)
    with pytest.raises(NotPermittedError):
        await release(rig)
