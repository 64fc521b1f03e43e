"""What a person asks of a lane and its booms: leases, airlock, reversible lanes, emergencies, new settings, mains."""

from dataclasses import replace

import pytest

from gate_service.domain.commands import Actor, ActorKind, Command, CommandRequest, PlateRead, Role
from gate_service.domain.errors import CommandRefusedError, InputError, InterlockError
from gate_service.domain.reading import Aspect, BoomPosition, Side
from lanes.guards import Layout
from lanes.snapshot import lane_snapshot
from lanes.states import LaneState
from tests.fakes.lane_rig import LaneRig
from tests.fakes.slips import sound_slip

SUPERVISOR = Actor("sue", Role.SUPERVISOR, ActorKind.USER)
CAMERA = Actor("camera", Role.DEVICE, ActorKind.TOKEN)
REVERSIBLE = Layout(is_reversible=True)


def _request(rig, command, **fields):
    passage = rig.lane.passage
    return CommandRequest(command, passage and passage.id, passage and passage.facts_version, "other", "test", fields)


async def _do(rig, command, **fields):
    answer = await rig.commands.carry_out(_request(rig, command, **fields), SUPERVISOR)
    await rig.run(0.2)
    return answer


async def _onto_platform(rig):
    rig.see(approach="occupied")
    await rig.run(3)
    rig.see(approach="clear", entry_loop="occupied")
    await rig.run(0.2)
    rig.see(entry_beam="occupied")
    await rig.run(0.7)
    rig.see(entry_loop="clear", entry_beam="clear")
    rig.kg = 32_440
    await rig.commands.plate(PlateRead("浙B12345"), CAMERA)
    await rig.commands.scan("Z3311I261122000000000001", CAMERA)


async def _released(rig):
    rig.slips.slips = [sound_slip()]
    await rig.run(2)
    await _onto_platform(rig)
    await rig.run(5)
    assert rig.lane.state is LaneState.LEAVING


async def _drive_out(rig):
    for change in ({"exit_beam": "occupied"}, {"exit_loop": "occupied"}, {"exit_beam": "clear"}):
        rig.see(**change)
        await rig.run(0.3)
    rig.kg = 0
    rig.see(exit_loop="clear")
    await rig.run(4)


# Hold open, as a lease ------------------------------------------------------------------------------------------------


async def test_a_boom_held_open_comes_down_by_itself_when_the_lease_ends():
    async with LaneRig() as rig:
        await _released(rig)
        await _do(rig, Command.RAISE_BOOM, side="exit", hold_s=30)
        assert lane_snapshot(rig.lane)["held_open"]["exit"]["by"] == "user:sue"
        await _drive_out(rig)
        assert (rig.lane.state, rig.barriers[Side.EXIT].position) == (LaneState.CLEARING, BoomPosition.UP)
        await rig.run(30)
        assert (rig.lane.state, rig.barriers[Side.EXIT].position) == (LaneState.IDLE, BoomPosition.DOWN)
        assert lane_snapshot(rig.lane)["held_open"] == {}


async def test_a_lease_is_renewed_by_asking_again_and_ended_by_lowering():
    async with LaneRig() as rig:
        await _released(rig)
        await _do(rig, Command.RAISE_BOOM, side="exit", hold_s=20)
        await rig.run(15)
        await _do(rig, Command.RAISE_BOOM, side="exit", hold_s=600)
        await _drive_out(rig)
        await rig.run(30)
        assert rig.barriers[Side.EXIT].position is BoomPosition.UP
        await _do(rig, Command.LOWER_BOOM, side="exit")
        await rig.run(2)
        assert rig.barriers[Side.EXIT].position is BoomPosition.DOWN


async def test_a_lease_raises_nothing_and_is_no_longer_than_ten_minutes():
    async with LaneRig() as rig:
        await rig.run(2)
        with pytest.raises(CommandRefusedError, match="nothing recorded"):
            await _do(rig, Command.RAISE_BOOM, side="exit", hold_s=30)
        await _released(rig)
        for wrong in (0, 601, True, "30"):
            with pytest.raises(InputError, match="hold_s"):
                await _do(rig, Command.RAISE_BOOM, side="exit", hold_s=wrong)


# Both booms as an airlock ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_pair", [True, False])
async def test_in_an_interlocked_pair_the_exit_boom_waits_until_the_entry_boom_is_down(is_pair):
    async with LaneRig(is_pair=is_pair) as rig:
        rig.slips.slips = [sound_slip()]
        await rig.run(2)
        await _onto_platform(rig)
        rig.see(entry_loop="occupied")  # somebody close behind keeps the entry boom up
        await rig.run(1)
        rig.see(entry_loop="clear")
        rig.barriers[Side.ENTRY].position = BoomPosition.UP
        seen = set()
        for _ in range(60):
            await rig.run(0.1)
            up = {side for side, barrier in rig.barriers.items() if barrier.position is not BoomPosition.DOWN}
            seen.add(frozenset(up))
        assert rig.lane.state is LaneState.LEAVING
        assert (frozenset(Side) in seen) is not is_pair


async def test_an_emergency_does_not_wait_for_the_other_boom_of_a_pair():
    async with LaneRig(is_pair=True) as rig:
        await rig.run(2)
        await _do(rig, Command.EMERGENCY_RAISE)
        await rig.run(2)
        assert {barrier.position for barrier in rig.barriers.values()} == {BoomPosition.UP}


# Emergencies ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fields", "up"), [({}, {"entry", "exit"}), ({"side": "exit"}, {"exit"})])
async def test_an_emergency_vehicle_is_let_through_by_one_person_and_kept_for_review(fields, up):
    async with LaneRig() as rig:
        await rig.run(2)
        await _do(rig, Command.EMERGENCY_RAISE, **fields)
        await rig.run(2)
        assert {side.value for side, b in rig.barriers.items() if b.position is BoomPosition.UP} == up
        entry = next(entry for entry in rig.journal.entries if entry.kind == "emergency_raise")
        assert (entry.actor, set(entry.facts["sides"]), entry.facts["raise"]) == ("user:sue", up, "emergency")
        assert (rig.lane.state, rig.lane.attention) == (LaneState.FAULT, "emergency_raised")
        assert rig.violations == []
        await _do(rig, Command.CLEAR_FAULT)
        await rig.run(4)
        assert rig.lane.state is LaneState.IDLE


# A reversible lane ----------------------------------------------------------------------------------------------------


@pytest.fixture
async def turning():
    async with LaneRig(REVERSIBLE) as rig:
        rig.far = "clear"
        await rig.run(2)
        yield rig


async def test_a_reversible_lane_turns_by_a_recorded_command_and_drives_the_other_way(turning):
    rig = turning
    await _do(rig, Command.TURN_LANE, direction="outbound")
    assert (rig.lane.settings.direction, rig.journal.kinds()[-2:]) == ("outbound", ["command", "lane_turned"])
    assert "turn_lane" in lane_snapshot(rig.lane)["commands"]
    rig.far = "occupied"  # the vehicle comes from the other end: its approach is the far one
    await rig.run(3)
    assert (rig.lane.state, rig.lane.passage.direction) == (LaneState.ADMITTING, "outbound")
    assert rig.barriers[Side.EXIT].position is BoomPosition.UP  # what was the exit boom lets it on
    assert rig.barriers[Side.ENTRY].position is BoomPosition.DOWN
    assert rig.signals.shown == {Side.EXIT: Aspect.GREEN, Side.ENTRY: Aspect.RED}
    assert rig.violations == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda rig: setattr(rig, "far", "occupied"), "far_approach_not_clear"),
        (lambda rig: setattr(rig, "far", "unknown"), "far_approach_not_clear"),
        (lambda rig: setattr(rig, "far", None), "far_approach_not_clear"),
    ],
)
async def test_a_reversible_lane_is_not_turned_on_anybody(turning, change, why):
    change(turning)
    await turning.run(0.7)
    with pytest.raises(InterlockError, match=why):
        await _do(turning, Command.TURN_LANE, direction="outbound")
    assert turning.lane.settings.direction == "inbound"


async def test_a_lane_with_a_vehicle_before_it_is_not_turned(turning):
    turning.see(approach="occupied")
    await turning.run(1)
    with pytest.raises(CommandRefusedError):
        await _do(turning, Command.TURN_LANE, direction="outbound")


async def test_who_drives_up_while_the_turn_is_recorded_stops_it(turning):
    write = turning.journal.write

    async def write_and_see(entry):
        turning.far = "occupied"
        await turning.run(0.1)
        return await write(entry)

    turning.journal.write = write_and_see
    with pytest.raises(InterlockError, match="far_approach"):
        await turning.commands.carry_out(_request(turning, Command.TURN_LANE, direction="outbound"), SUPERVISOR)
    assert (turning.lane.settings.direction, turning.lane.is_turned) == ("inbound", False)


async def test_a_turned_lane_is_still_turned_after_a_restart_and_can_be_turned_back(turning):
    await _do(turning, Command.TURN_LANE, direction="outbound")
    again = LaneRig(REVERSIBLE)
    again.journal.entries, again.far = turning.journal.entries, "clear"
    async with again:
        await again.run(2)
        assert (again.lane.settings.direction, again.lane.is_turned) == ("outbound", True)
        await _do(again, Command.TURN_LANE, direction="inbound")
        assert (again.lane.settings.direction, again.lane.is_turned) == ("inbound", False)
        assert (await _do(again, Command.TURN_LANE, direction="inbound"))["direction"] == "inbound"


async def test_a_lane_that_is_not_reversible_is_not_turned_and_a_direction_is_named():
    async with LaneRig() as rig:
        await rig.run(2)
        with pytest.raises(CommandRefusedError, match="not a reversible lane"):
            await _do(rig, Command.TURN_LANE, direction="outbound")
        with pytest.raises(InputError, match="direction"):
            await _do(rig, Command.TURN_LANE)


# New settings, one lane at a time -------------------------------------------------------------------------------------


async def test_a_closed_lane_takes_new_settings_and_an_open_one_does_not():
    async with LaneRig() as rig:
        await rig.run(2)
        fresh = replace(rig.lane.settings, refuse_way="escort", allows_hazmat=False)
        rig.lane.ports = replace(rig.lane.ports, fresh_settings=lambda: fresh)
        with pytest.raises(CommandRefusedError, match="close it first"):
            await _do(rig, Command.RECONFIGURE_LANE)
        await _do(rig, Command.CLOSE_LANE)
        assert "reconfigure_lane" in lane_snapshot(rig.lane)["commands"]
        answer = await _do(rig, Command.RECONFIGURE_LANE)
        assert answer["changed"] == ["allows_hazmat", "refuse_way"]
        assert rig.lane.settings.ways_out()[0] == "escort"
        entry = next(entry for entry in rig.journal.entries if entry.kind == "lane_reconfigured")
        assert entry.facts["changed"]["refuse_way"] == ["back_out", "escort"]
        await _do(rig, Command.OPEN_LANE)
        assert rig.lane.state is LaneState.IDLE


# Mains ----------------------------------------------------------------------------------------------------------------


async def test_on_battery_an_empty_lane_takes_nobody_in_and_comes_back_with_the_mains():
    async with LaneRig() as rig:
        await rig.run(2)
        rig.mains_failed = True
        rig.see(approach="occupied")
        await rig.run(3)
        assert (rig.lane.state, rig.lane.attention) == (LaneState.FAULT, "mains_failed")
        assert rig.raises == []
        rig.mains_failed = False
        await rig.run(3)
        assert rig.lane.state is LaneState.ADMITTING


async def test_on_battery_the_vehicle_inside_is_finished_first():
    async with LaneRig() as rig:
        rig.slips.slips = [sound_slip()]
        await rig.run(2)
        await _onto_platform(rig)
        rig.mains_failed = True
        await rig.run(5)
        assert rig.lane.state is LaneState.LEAVING
        await _drive_out(rig)
        await rig.run(4)
        assert (rig.lane.state, rig.lane.passage, rig.violations) == (LaneState.FAULT, None, [])
        assert {boom.position for boom in rig.barriers.values()} == {BoomPosition.DOWN}
        rig.mains_failed = False
        await rig.run(3)
        assert rig.lane.state is LaneState.IDLE
