"""One lane from arrival to crossing on virtual time, and what happens when something goes wrong on the way."""

from dataclasses import replace

import pytest

from gate_service.domain.commands import Actor, ActorKind, Command, CommandRequest, PlateRead, Role
from gate_service.domain.errors import CommandRefusedError, InterlockError, NotPermittedError, PassageChangedError
from gate_service.domain.passage import Disposition, Outcome
from gate_service.domain.reading import Aspect, BoomPosition, Detector, Presence, Side
from lanes.guards import Layout
from lanes.snapshot import lane_snapshot
from lanes.states import LaneState
from tests.fakes.lane_rig import LaneRig
from tests.fakes.slips import sound_slip

CAMERA = Actor("camera", Role.DEVICE, ActorKind.TOKEN)
SUPERVISOR = Actor("sue", Role.SUPERVISOR, ActorKind.USER)
OPERATOR = Actor("olga", Role.OPERATOR, ActorKind.USER)


async def _onto_platform(rig, *, kg=32_440):
    rig.see(approach="occupied")
    await rig.run(3)
    rig.see(approach="clear", entry_loop="occupied", entry_beam="occupied")
    await rig.run(0.5)
    rig.see(entry_loop="clear", entry_beam="clear")
    rig.kg = kg
    await rig.run(1)


async def _identify(rig, plate="浙B12345"):
    await rig.commands.plate(PlateRead(plate), CAMERA)
    await rig.commands.scan("Z3311I261122000000000001", CAMERA)


async def _drive_out(rig):
    for step in ({"exit_beam": "occupied"}, {"exit_loop": "occupied"}, {"exit_beam": "clear"}, {"exit_loop": "clear"}):
        rig.see(**step)
        if step == {"exit_beam": "clear"}:
            rig.kg = 0
        await rig.run(0.3)
    await rig.run(4)


def _ask(rig, command, **changes):
    passage = rig.lane.passage
    given = CommandRequest(command, passage and passage.id, passage and passage.facts_version, "other", "test")
    return replace(given, **changes)


async def test_a_lane_begins_in_fault_and_is_idle_once_its_devices_answer():
    async with LaneRig() as rig:
        assert rig.lane.state is LaneState.FAULT
        await rig.run(2)
        assert rig.lane.state is LaneState.IDLE


async def test_an_honest_truck_crosses_and_everything_is_recorded_before_it_is_done(rig):
    await _onto_platform(rig)
    await _identify(rig)
    await rig.run(3)
    assert rig.lane.state is LaneState.LEAVING
    assert rig.signals.shown[Side.EXIT] is Aspect.GREEN
    await _drive_out(rig)
    assert rig.lane.state is LaneState.IDLE
    assert rig.raises == [(Side.ENTRY, "admit"), (Side.EXIT, "release")]
    assert rig.violations == []
    last = rig.journal.entries[-1].passage
    assert (last["outcome"], last["verdict"]) == (Outcome.CROSSED, "release")
    assert [e for e in rig.journal.events() if e.startswith(("passage", "slip"))] == [
        "passage.arrived",
        "passage.weighed",
        "passage.decided",
        "passage.released",
        "slip.used",
        "passage.cleared",
    ]


async def test_the_entry_boom_stays_down_until_a_zero_was_seen(rig):
    rig.kg = 60
    await rig.run(1)
    rig.lane.deck = replace(rig.lane.deck, is_zero_seen=False)
    rig.see(approach="occupied")
    await rig.run(3)
    assert rig.lane.state is LaneState.APPROACH
    rig.kg = 0
    await rig.run(1)
    assert rig.lane.state is LaneState.ADMITTING


async def test_a_differing_plate_waits_for_a_person_and_the_boom_stays_down(rig):
    await _onto_platform(rig)
    await _identify(rig, plate="浙B99999")
    await rig.run(3)
    assert rig.lane.state is LaneState.REVIEW
    assert rig.barriers[Side.EXIT].position is BoomPosition.DOWN
    assert "plate_mismatch" in [check["reason_code"] for check in rig.lane.passage.assessment["checks"]]


async def test_a_resolved_plate_runs_the_rules_again_and_releases(rig):
    await _onto_platform(rig)
    await _identify(rig, plate="浙B99999")
    await rig.run(2)
    await rig.commands.carry_out(_ask(rig, Command.RESOLVE, fields={"plate": "浙B12345"}), OPERATOR)
    await rig.run(3)
    assert rig.lane.state is LaneState.LEAVING
    assert rig.lane.passage.disposed_by == "service"


async def test_only_a_supervisor_releases_against_a_review(rig):
    await _onto_platform(rig)
    await _identify(rig, plate="浙B99999")
    await rig.run(2)
    with pytest.raises(NotPermittedError):
        await rig.commands.carry_out(_ask(rig, Command.RELEASE), OPERATOR)
    assert rig.lane.state is LaneState.REVIEW
    await rig.commands.carry_out(_ask(rig, Command.RELEASE), SUPERVISOR)
    await rig.run(3)
    assert rig.lane.state is LaneState.LEAVING
    assert "passage.overridden" in rig.journal.events()


@pytest.mark.parametrize("change", [{"passage_id": "another"}, {"facts_version": 1}, {"facts_version": None}])
async def test_a_click_never_acts_on_another_vehicle_or_other_facts(rig, change):
    await _onto_platform(rig)
    await _identify(rig, plate="浙B99999")
    await rig.run(2)
    with pytest.raises(PassageChangedError):
        await rig.commands.carry_out(_ask(rig, Command.RELEASE, **change), SUPERVISOR)
    assert rig.lane.state is LaneState.REVIEW


async def test_a_refused_truck_backs_out_only_when_nobody_stands_behind(rig):
    rig.slips.slips = [sound_slip(status="void")]
    await _onto_platform(rig)
    await _identify(rig)
    rig.see(approach="occupied")
    await rig.run(2)
    assert rig.lane.passage.verdict == "refuse"
    with pytest.raises(InterlockError, match="approach_occupied"):
        await rig.commands.carry_out(_ask(rig, Command.TURN_BACK), OPERATOR)
    rig.see(approach="clear")
    await rig.run(1)
    await rig.commands.carry_out(_ask(rig, Command.TURN_BACK), OPERATOR)
    await rig.run(2)
    assert rig.lane.state is LaneState.RETURNING
    assert rig.signals.shown[Side.ENTRY] is Aspect.BACK_OUT
    rig.see(entry_beam="occupied")
    await rig.run(0.3)
    rig.kg = 0
    rig.see(entry_loop="occupied", approach="occupied")
    await rig.run(0.5)
    rig.see(entry_beam="clear", entry_loop="clear", approach="clear")
    await rig.run(5)
    assert rig.lane.state is LaneState.IDLE
    assert "slip.returned" in rig.journal.events()
    assert "slip.used" not in rig.journal.events()
    assert rig.claims.given_back


SECOND = Actor("sam", Role.SUPERVISOR, ActorKind.USER)


async def _held(rig):
    hold = {"kind": "inspection", "id": "h1", "target": {"type": "slip", "id": None}, "reason": "x", "placed_by": "y"}
    rig.slips.slips = [sound_slip(holds=[hold])]
    await _onto_platform(rig)
    await _identify(rig)
    await rig.run(2)
    assert rig.lane.passage.verdict == "inspect"
    answer = await rig.commands.carry_out(_ask(rig, Command.RELEASE), SUPERVISOR)
    assert rig.lane.state is LaneState.REVIEW
    return answer["pending"]["command_id"]


async def test_a_hold_is_released_by_two_and_both_are_recorded(rig):
    command_id = await _held(rig)
    await rig.commands.approve(command_id, SECOND)
    await rig.run(3)
    assert rig.lane.state is LaneState.LEAVING
    facts = [entry.facts for entry in rig.journal.entries if entry.kind == "command"][-1]
    assert (facts["approved_by"], rig.lane.passage.disposed_by) == ("user:sam", "user:sue")


@pytest.mark.parametrize("who", [SUPERVISOR, OPERATOR])
async def test_neither_the_one_who_asked_nor_an_operator_is_the_second_person(rig, who):
    command_id = await _held(rig)
    with pytest.raises(NotPermittedError):
        await rig.commands.approve(command_id, who)
    assert rig.lane.state is LaneState.REVIEW


async def test_an_approval_ends_after_five_minutes(rig):
    command_id = await _held(rig)
    rig.clock.move(301)
    with pytest.raises(PassageChangedError):
        await rig.commands.approve(command_id, SECOND)


async def test_an_approval_ends_when_a_fact_changes(rig):
    command_id = await _held(rig)
    await rig.commands.plate(PlateRead("浙B12345", trailer_plate="浙B0001挂"), CAMERA)
    await rig.run(1)
    with pytest.raises(PassageChangedError):
        await rig.commands.approve(command_id, SECOND)
    assert rig.lane.state is LaneState.REVIEW


async def test_nobody_releases_a_used_slip(rig):
    rig.slips.known = {"used": {"Z3311I261122000000000001": 1}}
    await _onto_platform(rig)
    await _identify(rig)
    await rig.run(2)
    with pytest.raises(NotPermittedError):
        await rig.commands.carry_out(_ask(rig, Command.RELEASE), SUPERVISOR)


async def test_a_truck_that_gives_up_before_the_boom_ends_its_passage(rig):
    rig.journal.writable = True
    rig.lane.deck = replace(rig.lane.deck, is_zero_seen=False)
    rig.kg = 100
    rig.see(approach="occupied")
    await rig.run(1)
    rig.see(approach="clear")
    rig.kg = 0
    await rig.run(3)
    assert rig.lane.state is LaneState.IDLE
    assert rig.journal.entries[-1].passage["disposition"] == Disposition.WITHDREW


async def test_a_lost_io_module_is_a_fault_within_two_seconds_and_comes_back_by_itself(rig):
    rig.is_io_alive = False
    await rig.run(2)
    assert rig.lane.state is LaneState.FAULT
    assert rig.lane.attention == "inputs_stale"
    rig.is_io_alive = True
    await rig.run(2)
    assert rig.lane.state is LaneState.IDLE


async def test_a_truck_released_when_the_module_died_waits_for_a_person(rig):
    await _onto_platform(rig)
    await _identify(rig)
    await rig.run(3)
    rig.is_io_alive = False
    await rig.run(2)
    rig.is_io_alive = True
    await rig.run(3)
    assert rig.lane.state is LaneState.REVIEW
    assert rig.barriers[Side.EXIT].position is BoomPosition.UP


async def test_fire_stops_every_lowering_and_a_person_rearms(rig):
    await _onto_platform(rig)
    await _identify(rig)
    await rig.run(3)
    rig.fire = True
    await _drive_out(rig)
    assert rig.lane.state is LaneState.FIRE
    assert rig.barriers[Side.EXIT].position is BoomPosition.UP
    with pytest.raises(CommandRefusedError):
        await rig.commands.carry_out(_ask(rig, Command.CLEAR_FAULT), SUPERVISOR)
    rig.fire = False
    await rig.run(2)
    assert rig.lane.state is LaneState.FIRE
    assert rig.lane.passage is None  # released before the fire and proven gone: hazardous goods are told, fire or not
    assert rig.journal.entries[-1].passage["outcome"] == Outcome.CROSSED
    await rig.commands.carry_out(_ask(rig, Command.CLEAR_FAULT), SUPERVISOR)
    await rig.run(4)
    assert rig.lane.state is LaneState.IDLE
    assert rig.violations == []


async def test_a_record_that_cannot_be_written_closes_the_lane_and_no_boom_rises(rig):
    rig.journal.writable = False
    await rig.run(0.5)
    assert rig.lane.state is LaneState.CLOSED
    rig.see(approach="occupied")
    await rig.run(5)
    assert rig.raises == []


async def test_no_boom_rises_while_its_reason_is_not_on_disk(rig):
    rig.see(approach="occupied")
    rig.journal.writable = False
    await rig.run(0.1)
    rig.journal.writable = True
    rig.lane.state = LaneState.IDLE
    await rig.run(2)
    assert rig.violations == []


async def test_a_boom_that_does_not_arrive_is_a_fault(rig):
    rig.barriers[Side.ENTRY].works = False
    rig.see(approach="occupied")
    await rig.run(3)
    assert rig.lane.state is LaneState.FAULT
    assert rig.lane.attention == "boom_failed"


async def test_after_a_restart_the_open_passage_is_shown_to_a_person_and_nothing_moves(rig):
    await _onto_platform(rig)
    await _identify(rig, plate="浙B99999")
    await rig.run(2)
    document = rig.lane.passage.document()
    again = LaneRig()
    again.journal.open = [document]
    again.kg = 32_440
    async with again:
        await again.run(3)
        assert again.lane.state is LaneState.REVIEW
        assert (again.lane.passage.note, again.lane.passage.id) == ("restart", document["id"])
        assert again.raises == []


async def test_after_a_restart_it_is_told_that_a_request_to_a_second_person_is_gone(rig):
    await _held(rig)
    [asked] = [entry for entry in rig.journal.entries if entry.facts.get("waits_for")]
    for document, note in (
        (rig.lane.passage.document(), "restart_asked"),
        (rig.lane.passage.with_facts().document(), "restart"),  # other facts had ended it before
    ):
        again = LaneRig()
        again.journal.open, again.journal.entries = [document], [asked]
        async with again:
            assert again.lane.passage.note == note
            assert again.lane.approvals.waiting(again.lane.passage, again.clock.monotonic_s()) is None


async def test_who_let_a_vehicle_go_stays_named_when_somebody_takes_it_over(rig):
    command_id = await _held(rig)
    await rig.commands.approve(command_id, SECOND)
    await rig.run(3)
    await rig.commands.carry_out(_ask(rig, Command.HOLD), OPERATOR)
    assert (rig.lane.state, rig.lane.passage.disposed_by) == (LaneState.REVIEW, "user:sue")


async def test_after_a_restart_a_late_read_is_judged_and_a_person_finishes(rig):
    await _onto_platform(rig)
    await _identify(rig, plate="浙B99999")
    await rig.run(3)
    again = LaneRig()
    again.journal.open = [rig.lane.passage.document()]
    again.kg, again.slips.slips = rig.kg, rig.slips.slips
    async with again:
        await again.run(3)
        await _identify(again)
        await again.run(3)
        assert (again.lane.passage.verdict, again.lane.state) == ("release", LaneState.REVIEW)
        assert again.raises == []
        await again.commands.carry_out(_ask(again, Command.RELEASE), OPERATOR)
        await again.run(2)
        assert again.lane.state is LaneState.LEAVING


async def test_after_a_restart_a_truck_that_stands_before_the_lane_is_admitted_when_a_person_says_so(rig):
    rig.see(approach="occupied")
    await rig.run(0.3)
    again = LaneRig()
    again.journal.open = [rig.lane.passage.document()]
    again.slips.slips = rig.slips.slips
    again.see(approach="occupied")
    async with again:
        await again.run(5)
        assert again.lane.state is LaneState.REVIEW
        assert again.raises == []
        assert "clear_fault" in lane_snapshot(again.lane)["commands"]
        await again.commands.carry_out(_ask(again, Command.CLEAR_FAULT), OPERATOR)
        await again.run(3)
        assert (again.lane.state, again.raises) == (LaneState.ADMITTING, [(Side.ENTRY, "admit")])


async def test_a_vehicle_before_the_only_boom_can_be_sent_back_from_the_loop_it_stands_on():
    rig = LaneRig(Layout(has_weighbridge=False, has_entry_barrier=False))
    async with rig:
        await rig.run(2)
        rig.see(approach="occupied")
        await rig.run(0.3)
        await _identify(rig)
        await rig.run(1)
        assert rig.lane.state is LaneState.REVIEW
        await rig.commands.carry_out(_ask(rig, Command.TURN_BACK), OPERATOR)
        assert (rig.lane.state, rig.raises) == (LaneState.RETURNING, [])


async def test_a_task_of_the_lane_that_fails_by_our_fault_closes_the_lane_and_says_so(rig):
    async def show(_: object) -> None:
        raise RuntimeError("a mistake of ours")

    rig.signals.show = show
    rig.see(approach="occupied")
    await rig.run(3)
    assert (rig.lane.state, rig.lane.attention) == (LaneState.CLOSED, "service_fault")


async def test_a_release_whose_vehicle_rolls_back_is_authorised_still_and_shown_to_a_person(rig):
    await _onto_platform(rig)
    await _identify(rig)
    await rig.run(3)
    for step in ({"exit_beam": "occupied"}, {"exit_loop": "occupied"}, {"exit_loop": "clear"}, {"exit_beam": "clear"}):
        rig.see(**step)
        await rig.run(0.4)
    await rig.run(3)
    assert "slip.used" not in rig.journal.events()
    assert rig.lane.passage is not None
    assert rig.violations == []


async def test_a_released_truck_that_is_seen_no_more_is_neither_crossed_nor_back_until_a_person_says(rig):
    await _onto_platform(rig)
    await _identify(rig)
    await rig.run(3)
    assert rig.lane.state is LaneState.LEAVING
    rig.kg = 0
    await rig.run(4)
    assert rig.lane.state is LaneState.REVIEW
    assert not {"slip.used", "slip.returned"} & set(rig.journal.events())
    await rig.commands.carry_out(_ask(rig, Command.RESOLVE, fields={"crossed": True}), OPERATOR)
    await rig.run(3)
    assert rig.lane.state is LaneState.IDLE
    assert "slip.used" in rig.journal.events()


async def test_a_boom_moved_by_hand_in_an_idle_lane_is_recorded_as_unexplained(rig):
    rig.barriers[Side.EXIT].position = BoomPosition.UP
    await rig.run(1)
    assert rig.lane.state is LaneState.FAULT
    assert "motion.unexplained" in rig.journal.events()


async def test_a_lane_without_weighbridge_releases_on_papers_alone():
    layout = Layout(has_weighbridge=False, has_entry_barrier=False)
    async with LaneRig(layout) as rig:
        rig.slips.slips = [sound_slip(type="7", documents=[], goods=[], category="transit")]
        await rig.run(2)
        rig.see(approach="occupied")
        await rig.run(1)
        await _identify(rig)
        await rig.run(2)
        assert rig.lane.state in {LaneState.LEAVING, LaneState.REVIEW}
        assert rig.lane.passage.weighed is None


async def test_unknown_detectors_hold_the_boom_up(rig):
    await _onto_platform(rig)
    await _identify(rig)
    await rig.run(3)
    rig.detectors[Detector.EXIT_LOOP] = Presence.UNKNOWN
    await rig.run(10)
    assert rig.barriers[Side.EXIT].position is BoomPosition.UP


async def test_the_local_button_is_recorded_once_for_each_use_and_before_what_it_moved(rig):
    rig.button = True
    await rig.run(0.5)
    rig.barriers[Side.EXIT].position = BoomPosition.UP
    await rig.run(1)
    rig.button = False
    await rig.run(0.2)
    kinds = rig.journal.kinds()
    assert kinds.count("local_button") == 1
    assert kinds.index("local_button") < kinds.index("motion_unexplained")


async def test_each_passage_is_judged_under_the_policy_of_its_moment_and_keeps_its_version():
    stricter = {"weigh": "always", "tolerance_kg": 0, "tolerance_pct": 0}
    tiers = dict.fromkeys(("strict", "standard", "relaxed"), stricter)
    in_force = [None]
    async with LaneRig(policy_at=lambda _: in_force[-1]) as rig:
        rig.slips.slips = [sound_slip()]
        await rig.run(2)
        await _onto_platform(rig, kg=32_800)  # 355 kg off: within 3 %, not within nothing
        await _identify(rig)
        await rig.run(3)
        first = rig.lane.passage
        assert (first.verdict, first.assessment["policy_version"]) == ("release", "2026-11-01")
        await _drive_out(rig)
        in_force.append({"version": "later", "tiers": tiers, "assign": []})
        await _onto_platform(rig, kg=32_800)
        await _identify(rig)
        await rig.run(3)
        second = rig.lane.passage
        assert (second.verdict, second.assessment["policy_version"]) == ("review", "later")
        assert second.case["policy"]["version"] == "later"
