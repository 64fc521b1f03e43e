"""Every way out of RULES 8 through table, booms, lights, display and record; only what is usable now is offered."""

import pytest

from gate_service.domain.commands import Actor, ActorKind, Command, CommandRequest, PlateRead, Role
from gate_service.domain.errors import InputError, InterlockError
from gate_service.domain.passage import Disposition, Outcome
from gate_service.domain.reading import Aspect, BoomPosition, Side
from lanes.guards import Layout
from lanes.snapshot import lane_snapshot
from lanes.states import LaneState
from tests.fakes.lane_rig import LaneRig
from tests.fakes.slips import sound_slip

SUPERVISOR = Actor("sue", Role.SUPERVISOR, ActorKind.USER)
CAMERA = Actor("camera", Role.DEVICE, ActorKind.TOKEN)
ALL_WAYS = ("back_out", "turn_back", "divert", "escort")
ALL_INSPECTIONS = ("yard_inside", "yard_before", "at_premises")
FORWARD = [
    ({"exit_beam": "occupied"}, None),
    ({"exit_loop": "occupied"}, None),
    ({"exit_beam": "clear"}, 0),
    ({"exit_loop": "clear"}, None),
]


async def _do(rig, command, **fields):
    passage = rig.lane.passage
    version = passage and passage.facts_version
    request = CommandRequest(command, passage and passage.id, version, "other", "test", fields)
    answer = await rig.commands.carry_out(request, SUPERVISOR)
    await rig.run(0.2)
    return answer


async def _refused_on_platform(rig, **slip):
    rig.slips.slips = [sound_slip(**({"status": "void"} | slip))]
    await rig.run(2)
    rig.see(approach="occupied")
    await rig.run(3)
    rig.see(approach="clear", entry_loop="occupied", entry_beam="occupied")
    await rig.run(0.7)
    rig.see(entry_loop="clear", entry_beam="clear")
    rig.kg = 32_440
    await rig.commands.plate(PlateRead("浙B12345"), CAMERA)
    await rig.commands.scan("Z3311I261122000000000001", CAMERA)
    await rig.run(4)
    assert rig.lane.state is LaneState.REVIEW


async def _drive_out(rig):
    for change, kg in FORWARD:
        rig.see(**change)
        rig.kg = rig.kg if kg is None else kg
        await rig.run(0.3)
    await rig.run(4)


@pytest.fixture
async def rig():
    async with LaneRig(refuse_ways=ALL_WAYS, inspect_ways=ALL_INSPECTIONS) as rig:
        yield rig


@pytest.mark.parametrize(
    ("command", "way", "disposition", "says"),
    [
        (Command.TURN_BACK, "turn_back", Disposition.TURN_BACK, "turn round"),
        (Command.REFUSE, "divert", Disposition.DIVERT, "place you are shown"),
        (Command.REFUSE, "forward", Disposition.DIVERT, "place you are shown"),
        (Command.REFUSE, "escort", Disposition.ESCORT, "Follow the officer"),
        (Command.INSPECT, "turn_back", Disposition.YARD_BEFORE, "yard before the gate"),
    ],
)
async def test_a_refused_vehicle_leaves_forward_and_its_goods_do_not_pass(rig, command, way, disposition, says):
    await _refused_on_platform(rig)
    await _do(rig, command, way=way, escort="guard 3")
    await rig.run(2)
    assert (rig.lane.state, rig.raises[-1]) == (LaneState.DIVERTING, (Side.EXIT, "divert"))
    assert rig.signals.shown == {Side.ENTRY: Aspect.RED, Side.EXIT: Aspect.GREEN}
    assert says in lane_snapshot(rig.lane)["driver"]["en"]
    await _drive_out(rig)
    assert rig.lane.state is LaneState.IDLE
    last = rig.journal.entries[-1].passage
    assert (last["disposition"], last["outcome"]) == (disposition, Outcome.TURNED_BACK)
    assert "slip.used" not in rig.journal.events()
    assert rig.violations == []


@pytest.mark.parametrize("way", ["yard_inside", "at_premises"])
async def test_a_vehicle_to_be_inspected_inside_passes_with_its_goods(rig, way):
    hold = {"kind": "inspection", "id": "h1", "target": {"type": "slip", "id": None}, "reason": "x", "placed_by": "y"}
    await _refused_on_platform(rig, status="approved", holds=[hold])
    assert rig.lane.passage.verdict == "inspect"
    await _do(rig, Command.INSPECT, way=way)
    await rig.run(2)
    await _drive_out(rig)
    last = rig.journal.entries[-1].passage
    assert (last["disposition"], last["outcome"]) == (way, Outcome.CROSSED)
    assert "slip.used" in rig.journal.events()


async def test_an_escort_is_a_person_who_is_named(rig):
    await _refused_on_platform(rig)
    with pytest.raises(InputError, match="escort"):
        await _do(rig, Command.REFUSE, way="escort")
    await _do(rig, Command.REFUSE, way="escort", escort="guard 3")
    facts = [entry.facts for entry in rig.journal.entries if entry.kind == "command"][-1]
    assert facts["fields"] == {"way": "escort", "escort": "guard 3"}


async def test_a_way_that_the_lane_has_not_is_refused_with_those_it_has():
    async with LaneRig(refuse_ways=("back_out",)) as rig:
        await _refused_on_platform(rig)
        with pytest.raises(InputError, match=r"one of \['back_out'\] expected"):
            await _do(rig, Command.REFUSE, way="turn_back")


async def test_only_ways_that_can_be_taken_now_are_offered_and_the_others_say_why(rig):
    await _refused_on_platform(rig)
    shown = lane_snapshot(rig.lane)
    assert shown["ways"] == ["back_out", "turn_back", "divert", "escort"]
    assert shown["inspect_ways"] == ["yard_inside", "yard_before", "at_premises"]
    assert shown["ways_blocked"] == {}
    rig.see(approach="occupied")
    await rig.run(0.3)
    shown = lane_snapshot(rig.lane)
    assert "back_out" not in shown["ways"]
    assert shown["ways_blocked"] == {"back_out": "approach_occupied"}
    assert "turn_back" in shown["commands"]


async def test_with_no_way_usable_the_yard_before_the_gate_is_none_either():
    async with LaneRig(refuse_ways=("back_out",), inspect_ways=("yard_before",)) as rig:
        await _refused_on_platform(rig)
        rig.see(approach="occupied")
        await rig.run(0.3)
        shown = lane_snapshot(rig.lane)
        assert (shown["ways"], shown["inspect_ways"]) == ([], ["yard_inside"])
        assert set(shown["ways_blocked"]) == {"back_out", "yard_before"}


async def test_no_ways_are_offered_without_a_vehicle(rig):
    await rig.run(2)
    shown = lane_snapshot(rig.lane)
    assert (shown["ways"], shown["ways_blocked"]) == ([], {})


async def test_a_vehicle_backs_out_only_when_the_light_upstream_is_seen_red(rig):
    await _refused_on_platform(rig)
    rig.lane.shown = {Side.ENTRY: Aspect.GREEN, Side.EXIT: Aspect.RED}
    with pytest.raises(InterlockError, match="upstream_not_red"):
        await rig.commands.carry_out(_request(rig, Command.TURN_BACK, way="back_out"), SUPERVISOR)
    await rig.run(0.5)
    await _do(rig, Command.TURN_BACK, way="back_out")
    await rig.run(2)
    assert rig.signals.shown[Side.ENTRY] is Aspect.BACK_OUT


def _request(rig, command, **fields):
    passage = rig.lane.passage
    return CommandRequest(command, passage.id, passage.facts_version, "other", "test", fields)


async def test_who_drives_up_behind_a_vehicle_that_backs_out_stops_it(rig):
    await _refused_on_platform(rig)
    await _do(rig, Command.TURN_BACK, way="back_out")
    await rig.run(2)
    assert rig.lane.state is LaneState.RETURNING
    rig.see(approach="occupied")
    await rig.run(0.3)
    assert (rig.lane.state, rig.lane.attention) == (LaneState.REVIEW, "way_blocked")
    assert rig.signals.shown[Side.ENTRY] is Aspect.RED
    await rig.run(2)
    assert rig.barriers[Side.ENTRY].position is BoomPosition.DOWN
    rig.see(approach="clear")
    await rig.run(1)
    await _do(rig, Command.TURN_BACK, way="back_out")
    await rig.run(1.5)
    assert rig.lane.state is LaneState.RETURNING


async def test_the_vehicle_that_backs_out_does_not_block_its_own_way(rig):
    await _refused_on_platform(rig)
    await _do(rig, Command.TURN_BACK, way="back_out")
    await rig.run(2)
    for change in ({"entry_beam": "occupied"}, {"entry_loop": "occupied"}, {"approach": "occupied"}):
        rig.see(**change)
        await rig.run(0.3)
    assert rig.lane.state is LaneState.RETURNING
    rig.kg = 0
    rig.see(entry_beam="clear", entry_loop="clear", approach="clear")
    await rig.run(5)
    assert (rig.lane.state, rig.journal.entries[-1].passage["outcome"]) == (LaneState.IDLE, Outcome.TURNED_BACK)


@pytest.mark.parametrize(
    "layout",
    [
        Layout(),
        Layout(has_entry_barrier=False),
        Layout(has_weighbridge=False),
        Layout(has_weighbridge=False, has_entry_barrier=False),
    ],
)
async def test_every_layout_has_a_way_out_for_a_vehicle_that_a_person_holds(layout):
    async with LaneRig(layout, refuse_ways=ALL_WAYS) as rig:
        rig.slips.slips = [sound_slip(status="void")]
        await rig.run(2)
        rig.see(approach="occupied")
        await rig.run(0.3)
        await _do(rig, Command.HOLD)
        assert rig.lane.state is LaneState.REVIEW
        assert lane_snapshot(rig.lane)["ways"]
