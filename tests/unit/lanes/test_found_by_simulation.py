"""What seeds of `gate simulate` found in the lanes, each as the shortest play that shows it."""

import asyncio
from dataclasses import replace

import pytest

from gate_service.domain.commands import Actor, ActorKind, Command, CommandRequest, PlateRead, Role
from gate_service.domain.errors import NotPermittedError
from gate_service.domain.reading import Aspect, BoomPosition, Side
from gate_service.domain.record import LedgerKind
from lanes.guards import Layout, View
from lanes.signs import aspects
from lanes.snapshot import lane_snapshot
from lanes.states import LaneCommand, LaneEvent, LaneState, step
from tests.fakes.lane_rig import LaneRig
from tests.fakes.slips import sound_slip

SUPERVISOR = Actor("sue", Role.SUPERVISOR, ActorKind.USER)
CAMERA = Actor("camera", Role.DEVICE, ActorKind.TOKEN)
BETWEEN_BOOMS = Layout(has_weighbridge=False)


@pytest.fixture
async def narrow():
    """Two booms and nothing between them but the exit loop."""
    async with LaneRig(BETWEEN_BOOMS) as rig:
        rig.slips.slips = [sound_slip(type="7", documents=[], goods=[], category="transit")]
        await rig.run(2)
        yield rig


async def _do(rig, command, **fields):
    passage = rig.lane.passage
    version = passage and passage.facts_version
    request = CommandRequest(command, passage and passage.id, version, "other", "test", fields)
    answer = await rig.commands.carry_out(request, SUPERVISOR)
    await rig.run(0.2)
    return answer


async def _onto_platform(rig, kg=32_440):
    rig.see(approach="occupied")
    await rig.run(3)
    rig.see(approach="clear", entry_loop="occupied", entry_beam="occupied")
    await rig.run(0.5)
    rig.see(entry_loop="clear", entry_beam="clear")
    rig.kg = kg
    await rig.run(2)


async def _into_narrow(rig):
    rig.see(approach="occupied")
    await rig.run(3)
    rig.see(approach="clear", entry_loop="occupied")
    await rig.run(0.5)
    rig.see(entry_loop="clear", exit_loop="occupied")
    await rig.commands.plate(PlateRead("浙B00001"), CAMERA)
    await rig.run(12)
    assert rig.lane.state is LaneState.REVIEW


async def _drive_out(rig):
    for change in (
        {"exit_beam": "occupied"},
        {"exit_loop": "occupied"},
        {"exit_beam": "clear"},
        {"exit_loop": "clear"},
    ):
        rig.see(**change)
        await rig.run(0.3)


async def test_a_boom_raised_for_a_vehicle_that_is_gone_already_comes_down_again(rig):
    """Seed 3: the intention to lower was forgotten while the boom, just asked to rise, was still seen down."""
    await _onto_platform(rig)
    await rig.commands.plate(PlateRead("浙B99999"), CAMERA)
    await rig.run(12)
    assert rig.lane.state is LaneState.REVIEW
    rig.lane.fire(LaneEvent.DETAIN_DECIDED)
    rig.kg = 0  # gone, unseen
    rig.lane.booms.raise_boom(Side.ENTRY)
    rig.lane.booms.intend_lowering(Side.ENTRY)
    rig.lane.update()
    await rig.run(5)
    assert rig.barriers[Side.ENTRY].position is BoomPosition.DOWN


async def test_a_vehicle_that_stands_on_the_exit_loop_keeps_its_green_until_it_is_gone(narrow):
    """Seed 1: standing on the loop counted as driving under the boom, and the light went red before it moved."""
    await _into_narrow(narrow)
    await _do(narrow, Command.REFUSE, way="forward")
    await narrow.run(4)
    assert narrow.signals.shown[Side.EXIT] is Aspect.GREEN
    narrow.see(exit_loop="clear")
    await narrow.run(3)
    assert narrow.lane.state is LaneState.IDLE


async def test_a_vehicle_that_backs_off_the_exit_loop_has_not_crossed(narrow):
    """Seed 2: it counted as crossed, and the lane fell into its fault again and again."""
    await _into_narrow(narrow)
    await _do(narrow, Command.REFUSE, way="back_out")
    narrow.see(exit_loop="clear")
    await narrow.run(3)
    assert narrow.lane.state is LaneState.RETURNING
    assert "motion.unexplained" not in narrow.journal.events()


async def test_a_used_slip_does_not_pass_through_the_yard_inside(rig):
    """Seeds 2 and 3: an inspection inside took a refused vehicle in, and its slip was used a second time."""
    rig.slips.known = {"used": {"Z3311I261122000000000001": 1}}
    await _onto_platform(rig)
    await rig.commands.plate(PlateRead("浙B12345"), CAMERA)
    await rig.commands.scan("Z3311I261122000000000001", CAMERA)
    await rig.run(5)
    assert rig.lane.passage.verdict == "refuse"
    with pytest.raises(NotPermittedError):
        await _do(rig, Command.INSPECT)
    assert rig.barriers[Side.EXIT].position is BoomPosition.DOWN


async def test_the_slips_of_a_vehicle_sent_to_the_yard_inside_are_reserved_with_the_command(rig):
    await _onto_platform(rig)
    await rig.commands.plate(PlateRead("浙B99999"), CAMERA)
    await rig.commands.scan("Z3311I261122000000000001", CAMERA)
    await rig.run(5)
    await _do(rig, Command.INSPECT)
    command = next(entry for entry in rig.journal.entries if entry.kind == "command")
    assert [change.kind for change in command.ledger] == [
        LedgerKind.SLIP_RESERVED,
        LedgerKind.DECLARATION_RESERVED,
        LedgerKind.INSPECTION_ORDERED,
    ]


async def test_a_second_vehicle_on_the_platform_is_told_and_gets_a_passage_of_its_own(rig):
    await _onto_platform(rig)
    await rig.commands.plate(PlateRead("浙B12345"), CAMERA)
    await rig.commands.scan("Z3311I261122000000000001", CAMERA)
    await rig.run(5)
    first = rig.lane.passage.id
    await _drive_out(rig)  # and the platform stays loaded: somebody came in behind
    await rig.run(3)
    assert rig.lane.passage is not None
    assert rig.lane.passage.id != first
    assert rig.lane.state in {LaneState.ON_PLATFORM, LaneState.WEIGHING, LaneState.DECIDING, LaneState.REVIEW}
    told = next(entry for entry in rig.journal.entries if entry.kind == "motion_unexplained")
    assert told.facts["what"] == "second_vehicle"
    assert rig.violations == []


async def test_a_second_crossing_on_one_decision_is_told_and_the_boom_stays_off_it(rig):
    await _onto_platform(rig)
    await rig.commands.plate(PlateRead("浙B12345"), CAMERA)
    await rig.commands.scan("Z3311I261122000000000001", CAMERA)
    await rig.run(5)
    rig.see(exit_beam="occupied")
    await rig.run(0.3)
    rig.see(exit_loop="occupied")
    await rig.run(0.3)
    rig.see(exit_beam="clear")
    rig.kg = 0
    await rig.run(0.3)
    rig.see(exit_loop="clear")
    await rig.run(0.8)
    assert rig.lane.passage is None
    await _drive_out(rig)
    await rig.run(5)
    told = [entry.facts["what"] for entry in rig.journal.entries if entry.kind == "motion_unexplained"]
    assert told == ["crossed_unknown"]
    assert rig.journal.events().count("slip.used") == 1
    assert rig.violations == []


async def test_a_closed_lane_whose_boom_is_up_can_be_opened_and_lowers_it_first(rig):
    """Seed 1: closed by a lost record with a boom up, it could never be opened again."""
    rig.journal.writable = False
    await rig.run(1)
    assert rig.lane.state is LaneState.CLOSED
    rig.barriers[Side.EXIT].position = BoomPosition.UP
    rig.journal.writable = True
    await rig.run(1)
    await _do(rig, Command.OPEN_LANE)
    await rig.run(4)
    assert rig.lane.state is LaneState.IDLE
    assert rig.barriers[Side.EXIT].position is BoomPosition.DOWN


async def test_a_vehicle_on_an_open_platform_that_no_passage_knows_gets_one():
    """Seed 1: after a restart it stood there for ever, beyond the approach loop, in an idle lane."""
    async with LaneRig(Layout(has_entry_barrier=False)) as rig:
        rig.kg = 32_440
        await rig.run(5)
        assert rig.lane.passage is not None
        assert rig.lane.state is not LaneState.IDLE


@pytest.mark.parametrize(
    "state",
    [
        LaneState.APPROACH, LaneState.ADMITTING, LaneState.ON_PLATFORM, LaneState.WEIGHING, LaneState.DECIDING,
        LaneState.OPENING, LaneState.LEAVING, LaneState.DIVERTING, LaneState.RETURNING, LaneState.CLEARING,
    ],
)  # fmt: skip
def test_a_person_can_take_over_whatever_a_lane_waits_for(state):
    outcome = step(state, View(has_passage=True), LaneEvent.HOLD_ASKED)
    assert outcome.to is LaneState.REVIEW
    assert not {LaneCommand.ADMIT, LaneCommand.RAISE_RELEASE_BOOM} & set(outcome.commands)


def test_after_a_restart_a_vehicle_that_withdrew_moves_no_boom():
    """Seed 108: the entry boom was lowered by itself."""
    view = View(has_passage=True)
    assert step(LaneState.REVIEW, view, LaneEvent.VEHICLE_WITHDREW).handled
    assert not step(LaneState.REVIEW, replace(view, is_for_person=True), LaneEvent.VEHICLE_WITHDREW).handled


def test_a_vehicle_under_the_exit_boom_keeps_its_green_only_where_nobody_can_follow_on_it():
    up = {Side.ENTRY: BoomPosition.DOWN, Side.EXIT: BoomPosition.UP}
    assert aspects(LaneState.CLEARING, Layout(), up, is_still_in=True)[Side.EXIT] is Aspect.GREEN
    assert aspects(LaneState.CLEARING, Layout(), up)[Side.EXIT] is Aspect.RED
    single = Layout(has_weighbridge=False, has_entry_barrier=False)
    assert aspects(LaneState.CLEARING, single, {Side.EXIT: BoomPosition.UP}, is_still_in=True)[Side.EXIT] is Aspect.RED


@pytest.mark.parametrize(("kg", "says"), [(60, "zero_off"), (-80, "zero_off"), (320, "something_on_platform")])
async def test_a_platform_without_zero_is_warned_of_before_a_vehicle_comes(rig, kg, says):
    rig.kg = 40 if kg > 0 else kg  # snow comes slowly
    await rig.run(3 if kg > 0 else 0)
    rig.kg = kg
    await rig.run(9)
    assert rig.lane.attention is None
    await rig.run(2)
    assert rig.lane.attention == says
    assert rig.journal.events().count("device.fault") == 1
    rig.kg = 0
    await rig.run(1)
    assert rig.lane.attention is None
    assert "device.recovered" in rig.journal.events()


async def test_a_vehicle_whose_admittance_was_lost_while_it_was_recorded_is_admitted_later(rig):
    """Seed 125: the lane stayed in `admitting` with its boom down, for ever."""
    rig.journal.writable = True
    rig.see(approach="occupied")
    write = rig.journal.write
    release = asyncio.Event()

    async def slow(entry):
        if entry.kind == "boom_raise":
            await release.wait()
        return await write(entry)

    rig.journal.write = slow
    await rig.run(1)
    assert rig.lane.state is LaneState.ADMITTING
    rig.see(exit_loop="occupied")
    await rig.run(0.2)
    release.set()
    await rig.run(0.2)
    assert rig.lane.state is LaneState.APPROACH
    assert rig.raises == []
    rig.see(exit_loop="clear")
    await rig.run(3)
    assert rig.raises == [(Side.ENTRY, "admit")]


async def test_who_followed_in_where_no_weight_tells_it_is_taken_up_by_a_person(narrow):
    """Seed 1 of two hours: it stood on the exit loop of a clearing lane for ever, the boom up and the light red."""
    await _into_narrow(narrow)
    await _do(narrow, Command.RELEASE)
    await narrow.run(2)
    narrow.see(exit_loop="clear")
    await narrow.run(0.6)
    narrow.see(exit_loop="occupied")
    await narrow.run(70)
    assert (narrow.lane.state, narrow.lane.passage, narrow.lane.is_escalated) == (LaneState.CLEARING, None, True)
    assert narrow.barriers[Side.EXIT].position is BoomPosition.UP
    await _do(narrow, Command.CLEAR_FAULT)
    await narrow.run(12)
    assert (narrow.lane.state, narrow.lane.passage.verdict) == (LaneState.REVIEW, "review")
    await _do(narrow, Command.REFUSE, way="forward")
    narrow.see(exit_loop="clear")
    await narrow.run(4)
    assert (narrow.lane.state, narrow.violations) == (LaneState.IDLE, [])
    assert "clear_fault" not in lane_snapshot(narrow.lane)["commands"]
