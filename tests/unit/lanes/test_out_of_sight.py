"""A lane that lost sight of its vehicle in a fault: another one that stands there then gets nothing of the first."""

from gate_service.domain.commands import Actor, ActorKind, Command, CommandRequest, PlateRead, Role
from gate_service.domain.reading import Side
from lanes.post import UNSEEN_S
from lanes.snapshot import lane_snapshot
from lanes.states import LaneState

SUPERVISOR = Actor("sue", Role.SUPERVISOR, ActorKind.USER)
CAMERA = Actor("camera", Role.DEVICE, ActorKind.TOKEN)


async def _do(rig, command, **fields):
    passage = rig.lane.passage
    version = passage and passage.facts_version
    await rig.commands.carry_out(
        CommandRequest(command, passage and passage.id, version, "other", "test", fields), SUPERVISOR
    )
    await rig.run(0.3)


async def _read_at_the_approach(rig):
    """Plate and slip are known; the vehicle is not let on, because the platform shows no zero."""
    rig.kg = 100
    rig.see(approach="occupied")
    await rig.run(0.5)
    await rig.commands.plate(PlateRead("浙B12345"), CAMERA)
    await rig.commands.scan("Z3311I261122000000000001", CAMERA)
    await rig.run(0.5)
    assert rig.lane.state is LaneState.APPROACH


async def _blind(rig, seconds):
    rig.is_io_alive = False
    await rig.run(seconds)
    assert rig.lane.state is LaneState.FAULT
    rig.is_io_alive = True
    await rig.run(1.3)


async def test_who_stands_at_the_approach_after_a_long_fault_is_a_persons_to_say(rig):
    await _read_at_the_approach(rig)
    first = rig.lane.passage.id
    await _blind(rig, 10)
    rig.kg = 0
    await rig.run(5)
    assert (rig.lane.state, rig.lane.passage.id) == (LaneState.REVIEW, first)
    assert lane_snapshot(rig.lane)["attention"]["text"]["en"].endswith("still the same vehicle?")
    assert rig.raises == []
    await _do(rig, Command.RESOLVE, crossed=False)  # no: the first one went away, this is another one
    await rig.run(3)
    assert (rig.lane.passage.plate, rig.lane.passage.scanned) == (None, ())
    assert rig.lane.passage.id != first


async def test_a_person_who_says_that_it_is_the_same_vehicle_lets_it_go_on(rig):
    await _read_at_the_approach(rig)
    await _blind(rig, 10)
    await _blind(rig, 1.2)  # once more, and short: nobody has said anything yet
    assert rig.lane.state is LaneState.REVIEW
    rig.kg = 0
    await _do(rig, Command.CLEAR_FAULT)
    await rig.run(2)
    assert rig.raises == [(Side.ENTRY, "admit")]
    assert rig.lane.passage.plate == "浙B12345"


async def test_in_a_short_fault_no_other_vehicle_can_take_its_place(rig):
    await _read_at_the_approach(rig)
    await _blind(rig, UNSEEN_S - 0.5)
    assert rig.lane.state is LaneState.APPROACH
    assert rig.lane.attention is None


async def test_who_was_seen_to_drive_away_during_the_fault_is_not_the_next_one(rig):
    """The indicator is silent, the loops are not: the first vehicle backs off, another one drives up."""
    await _read_at_the_approach(rig)
    rig.kg = None
    await rig.run(3)
    assert (rig.lane.state, rig.lane.attention) == (LaneState.FAULT, "weighbridge_stale")
    rig.see(approach="clear")
    await rig.run(0.7)
    rig.see(approach="occupied")
    rig.kg = 0
    await rig.run(5)
    assert (rig.lane.state, rig.raises) == (LaneState.REVIEW, [])


async def test_who_stays_in_sight_of_the_loops_while_the_indicator_is_silent_goes_on_by_itself(rig):
    await _read_at_the_approach(rig)
    rig.kg = None
    await rig.run(30)
    rig.kg = 0
    await rig.run(3)
    assert (rig.lane.state, rig.raises) == (LaneState.ADMITTING, [(Side.ENTRY, "admit")])


async def test_another_vehicle_on_the_platform_is_not_judged_by_what_was_read_of_the_first(rig):
    """Let on while nobody sees: the first one goes back, the next one drives on by the boom that is still up."""
    await _read_at_the_approach(rig)
    rig.kg = 0
    await rig.run(2)
    assert rig.lane.state is LaneState.ADMITTING
    rig.is_io_alive = False
    await rig.run(20)
    rig.see(approach="clear")
    rig.kg = 32_440
    await rig.run(1)
    rig.is_io_alive = True
    await rig.run(10)
    assert (rig.lane.state, rig.lane.attention) == (LaneState.REVIEW, "same_vehicle")
    assert rig.lane.passage.verdict is None
    assert (Side.EXIT, "release") not in rig.raises


async def test_a_weight_that_never_left_the_platform_is_the_same_vehicle(rig):
    await _read_at_the_approach(rig)
    rig.kg = 0
    await rig.run(2)
    for change in (
        {"approach": "clear", "entry_loop": "occupied"},
        {"entry_beam": "occupied"},
        {"entry_loop": "clear"},
    ):
        rig.see(**change)
        await rig.run(0.5)
    rig.kg = 32_440
    await rig.run(0.3)
    rig.is_io_alive = False
    await rig.run(20)
    assert rig.lane.state is LaneState.FAULT
    rig.is_io_alive = True
    rig.see(entry_beam="clear")
    await rig.run(6)
    assert rig.raises[-1] == (Side.EXIT, "release")
