"""Tailgating, a second vehicle, wrong way, a person on the platform, a long vehicle: each its event, state and line."""

import pytest

from gate_service.domain.commands import Actor, ActorKind, Command, CommandRequest, PlateRead, Role
from gate_service.domain.passage import Outcome
from gate_service.domain.reading import BoomPosition, Side
from lanes.guards import Layout
from lanes.snapshot import lane_snapshot
from lanes.states import LaneState
from tests.fakes.lane_rig import LaneRig
from tests.fakes.slips import sound_slip

SUPERVISOR = Actor("sue", Role.SUPERVISOR, ActorKind.USER)
CAMERA = Actor("camera", Role.DEVICE, ActorKind.TOKEN)


def _told(rig):
    return [entry.facts["what"] for entry in rig.journal.entries if entry.kind == "motion_unexplained"]


async def _do(rig, command, **fields):
    passage = rig.lane.passage
    version = passage and passage.facts_version
    request = CommandRequest(command, passage and passage.id, version, "other", "test", fields)
    await rig.commands.carry_out(request, SUPERVISOR)
    await rig.run(0.3)


async def _onto_platform(rig, kg=32_440):
    rig.see(approach="occupied")
    await rig.run(3)
    rig.see(approach="clear", entry_loop="occupied")
    await rig.run(0.2)
    rig.see(entry_beam="occupied")
    await rig.run(0.5)
    rig.see(entry_loop="clear")
    await rig.run(0.6)
    rig.see(entry_beam="clear")
    rig.kg = kg
    await rig.run(0.3)


async def _identify(rig):
    await rig.commands.plate(PlateRead("浙B12345"), CAMERA)
    await rig.commands.scan("Z3311I261122000000000001", CAMERA)


async def test_one_vehicle_that_drives_on_and_off_is_no_second_one(rig):
    await _onto_platform(rig)
    await _identify(rig)
    await rig.run(4)
    assert rig.lane.state is LaneState.LEAVING
    assert _told(rig) == []
    assert rig.lane.passage.observed == ()


async def test_who_comes_in_behind_stops_the_release_and_is_told(rig):
    await _onto_platform(rig)
    await rig.run(0.5)
    rig.see(entry_loop="occupied")
    await rig.run(0.2)
    rig.see(entry_beam="occupied")
    await rig.run(0.3)
    assert (rig.lane.state, rig.lane.attention) == (LaneState.REVIEW, "followed_in")
    await _identify(rig)
    await rig.run(4)
    assert (rig.lane.state, _told(rig)) == (LaneState.REVIEW, ["followed_in"])
    assert rig.lane.passage.observed == ("followed_in",)
    assert rig.barriers[Side.EXIT].position is BoomPosition.DOWN
    assert "motion.unexplained" in rig.journal.events()


async def test_who_comes_in_bumper_to_bumper_is_told_by_the_weight_of_the_one_before(rig):
    """The entry loop sees one vehicle without end; the beam was clear while the first one stood on the platform."""
    rig.see(approach="occupied")
    await rig.run(3)
    for change in ({"entry_loop": "occupied"}, {"entry_beam": "occupied"}, {"entry_beam": "clear"}):
        rig.see(**change)
        if change == {"entry_beam": "clear"}:
            rig.kg = 15_000
        await rig.run(0.7)
    assert _told(rig) == []  # it may stop there
    rig.see(entry_beam="occupied")
    await rig.run(0.7)
    assert (rig.lane.state, _told(rig)) == (LaneState.REVIEW, ["followed_in"])
    assert rig.barriers[Side.ENTRY].position is BoomPosition.UP


async def test_a_vehicle_that_rolls_back_over_the_edge_and_in_again_is_the_same_one(rig):
    await _onto_platform(rig)
    for change, kg in (
        ({"entry_beam": "occupied"}, 32_440),
        ({"entry_loop": "occupied"}, 14_000),
        ({"entry_beam": "clear"}, 0),
        ({"entry_beam": "occupied"}, 0),
        ({"entry_loop": "clear"}, 14_000),
        ({"entry_beam": "clear"}, 32_440),
    ):
        rig.see(**change)
        rig.kg = kg
        await rig.run(0.7)
    assert _told(rig) == []


async def test_a_tailgater_under_the_exit_boom_is_told_and_the_boom_stays_up_over_both(rig):
    await _onto_platform(rig)
    await _identify(rig)
    await rig.run(4)
    for change in (
        {"exit_beam": "occupied"},
        {"exit_loop": "occupied"},
        {"exit_beam": "clear"},
        {"exit_beam": "occupied"},
    ):
        rig.see(**change)
        await rig.run(0.7)
    assert (rig.lane.state, rig.lane.attention, _told(rig)) == (LaneState.CLEARING, "tailgated", ["tailgated"])
    assert rig.barriers[Side.EXIT].position is BoomPosition.UP
    rig.kg = 0
    for change in ({"exit_beam": "clear"}, {"exit_loop": "clear"}):
        rig.see(**change)
        await rig.run(0.7)
    await rig.run(4)
    assert (rig.lane.state, rig.violations) == (LaneState.IDLE, [])
    assert rig.journal.entries[-1].passage["outcome"] == Outcome.CROSSED


async def test_a_beam_that_drops_out_over_a_coupling_is_no_tailgater(rig):
    await _onto_platform(rig)
    await _identify(rig)
    await rig.run(4)
    for change, s in (
        ({"exit_beam": "occupied"}, 0.6),
        ({"exit_loop": "occupied"}, 0.6),
        ({"exit_beam": "clear"}, 0.2),
        ({"exit_beam": "occupied"}, 0.6),
    ):
        rig.see(**change)
        await rig.run(s)
    assert _told(rig) == []


async def test_something_that_comes_in_from_the_exit_stops_an_idle_lane(rig):
    rig.see(exit_loop="occupied")
    await rig.run(0.3)
    assert (rig.lane.state, rig.lane.attention, _told(rig)) == (LaneState.FAULT, "wrong_way", ["wrong_way"])


async def test_something_at_the_exit_while_a_vehicle_is_weighed_is_told_and_the_lane_goes_on(rig):
    await _onto_platform(rig)
    rig.see(exit_loop="occupied")
    await rig.run(0.3)
    assert (rig.lane.state, rig.lane.attention, _told(rig)) == (LaneState.WEIGHING, "wrong_way", ["wrong_way"])
    await rig.run(3)
    assert _told(rig) == ["wrong_way"]


async def test_a_person_on_an_empty_platform_is_told_once_and_nobody_is_let_on_meanwhile(rig):
    rig.kg = 80
    await rig.run(2)
    assert rig.lane.attention is None
    await rig.run(2)
    assert (rig.lane.state, rig.lane.attention, _told(rig)) == (LaneState.IDLE, "light_load", ["light_load"])
    rig.see(approach="occupied")
    await rig.run(3)
    assert rig.lane.state is LaneState.APPROACH
    assert rig.barriers[Side.ENTRY].position is BoomPosition.DOWN
    rig.kg = 0
    await rig.run(2)
    assert (rig.lane.state, _told(rig)) == (LaneState.ADMITTING, ["light_load"])


async def test_what_stays_on_the_platform_for_a_minute_is_no_person(rig):
    rig.kg = 80
    await rig.run(75)
    assert rig.lane.attention == "zero_off"


async def test_a_motorcycle_on_an_open_platform_is_judged_without_a_weight():
    async with LaneRig(Layout(has_entry_barrier=False)) as rig:
        rig.slips.slips = [sound_slip()]
        await rig.run(2)
        rig.see(approach="occupied")
        await rig.run(0.5)
        rig.see(approach="clear", entry_beam="occupied")
        await rig.run(0.5)
        rig.see(entry_beam="clear")
        rig.kg = 260
        await rig.run(4)
        assert (rig.lane.state, rig.lane.passage.observed) == (LaneState.ON_PLATFORM, ("light_load",))
        await _identify(rig)
        await rig.run(35)
        assert (rig.lane.state, rig.lane.attention) == (LaneState.REVIEW, "light_load")


async def test_a_vehicle_longer_than_the_platform_is_judged_without_a_weight_at_once(rig):
    rig.see(approach="occupied")
    await rig.run(3)
    rig.see(approach="clear", entry_loop="occupied", entry_beam="occupied")
    await rig.run(0.7)
    rig.see(entry_loop="clear", exit_beam="occupied")
    rig.kg = 30_000
    await _identify(rig)
    await rig.run(4)
    assert (rig.lane.state, rig.lane.attention) == (LaneState.REVIEW, "longer_than_deck")
    assert "weight_missing" in [check["reason_code"] for check in rig.lane.passage.assessment["checks"]]
    assert rig.lane.passage.weighed.was_whole is False


async def test_a_weight_that_nothing_drove_on_is_no_weight_of_a_vehicle(rig):
    rig.see(approach="occupied")
    await rig.run(3)
    rig.see(approach="clear")
    rig.kg = 32_440
    await _identify(rig)
    await rig.run(5)
    assert (rig.lane.state, rig.lane.attention) == (LaneState.REVIEW, "sudden_load")
    assert "weight_missing" in [check["reason_code"] for check in rig.lane.passage.assessment["checks"]]
    assert rig.lane.passage.weight_curve["is_sudden"] is True


async def test_a_standing_vehicle_that_weighs_another_mass_than_it_was_judged_by_is_noted(rig):
    rig.slips.slips = [sound_slip(status="void")]
    await _onto_platform(rig)
    await _identify(rig)
    await rig.run(4)
    rig.kg = 32_440 - 100  # the driver got out
    await rig.run(3)
    assert rig.lane.passage.observed == ()
    rig.kg = 30_000
    await rig.run(3)
    assert (rig.lane.attention, rig.lane.passage.observed) == ("weight_moved", ("weight_moved",))


async def test_a_convoy_that_never_leaves_the_approach_clear_gets_a_passage_for_each_vehicle(rig):
    seen = []
    for _ in range(3):
        rig.see(approach="occupied")  # the next one closes up at once
        await rig.run(0.5)
        await _identify(rig)
        await rig.run(2.5)
        rig.see(entry_loop="occupied")
        await rig.run(0.2)
        rig.see(entry_beam="occupied")
        await rig.run(0.7)
        rig.see(entry_loop="clear")
        await rig.run(0.6)
        rig.see(entry_beam="clear")
        rig.kg = 32_440
        seen.append(rig.lane.passage.id)
        await rig.run(4)
        for change in (
            {"exit_beam": "occupied"},
            {"exit_loop": "occupied"},
            {"exit_beam": "clear"},
            {"exit_loop": "clear"},
        ):
            rig.see(**change)
            await rig.run(0.3)
        rig.kg = 0
        await rig.run(4)
    assert len(set(seen)) == 3
    assert rig.journal.events().count("passage.cleared") == 3
    assert (_told(rig), rig.violations) == ([], [])


@pytest.mark.parametrize("is_released", [True, False])
async def test_a_vehicle_that_leaves_by_the_local_button_is_booked_whatever_the_lane_is_in(rig, is_released):
    if not is_released:
        rig.slips.slips = [sound_slip(status="void")]
    await _onto_platform(rig)
    await _identify(rig)
    await rig.run(4)
    rig.journal.writable = False
    await rig.run(1)
    assert rig.lane.state is LaneState.CLOSED
    rig.button = True
    await rig.run(0.3)
    rig.button = False
    rig.barriers[Side.EXIT].position = BoomPosition.UP
    for change in (
        {"exit_beam": "occupied"},
        {"exit_loop": "occupied"},
        {"exit_beam": "clear"},
        {"exit_loop": "clear"},
    ):
        rig.see(**change)
        await rig.run(0.3)
    await rig.run(1)
    rig.journal.writable = True
    await rig.run(2)
    assert "local_button" in rig.journal.kinds()
    if is_released:  # proven by the detectors: the crossing that was decided
        assert (rig.lane.passage, rig.journal.kinds()[-1]) == (None, "crossing")
        return
    assert _told(rig) == ["crossed"]
    assert next(e for e in rig.journal.entries if e.kind == "motion_unexplained").facts["by_hand"] is True
    assert rig.lane.passage is not None  # a person says where it is
    await _do(rig, Command.RESOLVE, crossed=True)
    assert rig.lane.passage is None


async def test_where_two_loops_say_that_a_queue_stands_the_lane_says_how_long_it_is(rig):
    assert lane_snapshot(rig.lane)["queue"] == 0
    rig.see(approach="occupied")
    await rig.run(0.3)
    assert lane_snapshot(rig.lane)["queue"] == 1
    rig.queue = ("occupied", "occupied", "clear", "occupied")
    await rig.run(0.3)
    assert lane_snapshot(rig.lane)["queue"] == 3
    rig.queue = ("occupied", "unknown")
    await rig.run(0.3)
    assert lane_snapshot(rig.lane)["queue"] is None
    rig.is_io_alive = False
    rig.queue = ()
    await rig.run(2)
    assert rig.lane.state is LaneState.FAULT


async def test_the_next_vehicle_at_the_approach_counts_beside_the_one_on_the_platform(rig):
    await _onto_platform(rig)
    rig.see(approach="occupied")
    await rig.run(0.3)
    assert lane_snapshot(rig.lane)["queue"] == 2
