"""A read is of the vehicle at the readers: the one in the lane, the next one at the approach, or nobody says whose."""

from datetime import timedelta

import pytest

from gate_service.domain.commands import Actor, ActorKind, Command, CommandRequest, PlateRead, Role
from gate_service.domain.errors import CommandRefusedError
from gate_service.domain.reading import Presence, Side
from gate_service.domain.record import FileRef
from gate_service.photo_desk import PhotoDesk
from lanes.guards import Layout
from lanes.post import MOST_KEPT
from lanes.reads import Whose, whose
from lanes.snapshot import lane_snapshot
from lanes.states import LaneState
from sync.files import FileStore
from tests.fakes.lane_rig import START, LaneRig
from tests.fakes.slips import sound_slip

CAMERA = Actor("camera", Role.DEVICE, ActorKind.TOKEN)
OPERATOR = Actor("olga", Role.OPERATOR, ActorKind.USER)
SLIP = "Z3311I261122000000000001"
OWN, OTHER = "浙B12345", "浙B99999"


async def _onto_platform(rig, *, plate=OWN):
    rig.see(approach="occupied")
    await rig.run(0.5)
    if plate is not None:
        await rig.commands.plate(PlateRead(plate), CAMERA)
    await rig.run(2.5)
    for change in (
        {"approach": "clear", "entry_loop": "occupied"},
        {"entry_beam": "occupied"},
        {"entry_loop": "clear"},
        {"entry_beam": "clear"},
    ):
        rig.see(**change)
        if change == {"entry_beam": "clear"}:
            rig.kg = 32_440
        await rig.run(0.5)
    await rig.run(0.5)


async def _drive_out(rig):
    for change in (
        {"exit_beam": "occupied"},
        {"exit_loop": "occupied"},
        {"exit_beam": "clear"},
        {"exit_loop": "clear"},
    ):
        rig.see(**change)
        if change == {"exit_beam": "clear"}:
            rig.kg = 0
        await rig.run(0.3)
    await rig.run(4)


def _facts(rig, kind):
    return [entry.facts for entry in rig.journal.entries if entry.kind == kind]


def _reasons(rig):
    return [check["reason_code"] for check in rig.lane.passage.assessment["checks"] if check["verdict"] != "release"]


async def test_the_next_trucks_slip_and_plate_release_nobody_who_stands_on_the_platform(rig):
    """The defect that this module is for: a vehicle without a slip was judged by those of the truck behind it."""
    await _onto_platform(rig, plate=None)
    rig.see(approach="occupied")
    await rig.run(0.3)
    assert await rig.commands.scan(SLIP, CAMERA) == {"kept_for_next": True}
    assert await rig.commands.plate(PlateRead(OWN), CAMERA) == {"kept_for_next": True}
    rig.slips.slips = []
    await rig.run(12)
    assert (rig.lane.passage.plate, rig.lane.passage.scanned) == (None, ())
    assert rig.lane.state is LaneState.REVIEW
    assert (Side.EXIT, "release") not in rig.raises
    assert [facts.get("scanned") or facts["plate"] for facts in _facts(rig, "read_for_next")] == [SLIP, OWN]


async def test_what_was_read_at_the_approach_is_taken_into_the_passage_of_that_vehicle(rig):
    await _onto_platform(rig)
    await rig.commands.scan(SLIP, CAMERA)
    await rig.run(3)
    assert rig.lane.state is LaneState.LEAVING
    first = rig.lane.passage.id
    rig.see(approach="occupied")
    await rig.run(0.3)
    await rig.commands.plate(PlateRead(OTHER), CAMERA)
    await rig.commands.scan("Z2", CAMERA)
    assert [kept.get("scanned") or kept["plate"] for kept in lane_snapshot(rig.lane)["kept_for_next"]] == [OTHER, "Z2"]
    taken_at = lane_snapshot(rig.lane)["kept_for_next"][0]["taken_at"]
    assert taken_at == (START + timedelta(seconds=rig.clock.now_s)).isoformat()
    await _drive_out(rig)
    passage = rig.lane.passage
    assert passage.id != first
    assert (passage.plate, passage.scanned, passage.is_plate_looked_at) == (OTHER, ("Z2",), True)
    taken = [facts for facts in _facts(rig, "identified") if facts.get("was_kept")]
    assert [facts.get("scanned") or facts["plate"] for facts in taken] == [OTHER, "Z2"]
    assert lane_snapshot(rig.lane)["kept_for_next"] == []
    assert rig.violations == []


async def test_what_was_read_is_dropped_when_the_vehicle_at_the_approach_goes_away(rig):
    await _onto_platform(rig)
    rig.see(approach="occupied")
    await rig.run(0.3)
    await rig.commands.scan("Z2", CAMERA)
    rig.see(approach="clear")
    await rig.run(0.1)
    assert [(facts["because"], facts["reads"][0]["scanned"]) for facts in _facts(rig, "read_dropped")] == [
        ("approach_clear", "Z2")
    ]
    rig.see(approach="occupied")
    await rig.commands.scan(SLIP, CAMERA)
    assert rig.lane.passage.scanned == (SLIP,)  # before a poll says that somebody stands there
    await rig.run(3)
    await _drive_out(rig)
    assert rig.lane.passage.scanned == ()


async def test_kept_reads_go_when_the_approach_is_not_known_for_a_while(rig):
    await _onto_platform(rig)
    rig.see(approach="occupied")
    await rig.run(0.3)
    await rig.commands.scan("Z2", CAMERA)
    rig.see(approach="unknown")
    await rig.run(0.1)
    rig.see(approach="occupied")
    await rig.run(0.1)
    assert [facts["because"] for facts in _facts(rig, "read_dropped")] == ["approach_unknown"]
    assert rig.lane.kept == ()


async def test_a_read_under_an_unknown_approach_counts_for_nobody_and_calls_a_person(rig):
    await _onto_platform(rig)
    before = rig.lane.passage
    rig.see(approach="unknown")
    await rig.run(0.1)
    answers = [await rig.commands.scan(SLIP, CAMERA) for _ in range(2)]
    assert answers == [{"kept_for_next": False, "for_person": True}] * 2
    assert (rig.lane.passage.scanned, rig.lane.passage.facts_version) == (before.scanned, before.facts_version)
    assert rig.lane.attention == "read_unassigned"
    assert lane_snapshot(rig.lane)["attention"]["text"]["en"].startswith("Something was read")
    await rig.run(0.1)
    assert [(facts["scanned"], facts["passage_id"]) for facts in _facts(rig, "read_unassigned")] == [(SLIP, before.id)]
    assert rig.lane.kept == ()


async def test_silent_inputs_are_an_unknown_approach(rig):
    await _onto_platform(rig)
    rig.is_io_alive = False
    await rig.run(2)
    assert (await rig.commands.scan(SLIP, CAMERA))["for_person"] is True
    assert rig.lane.passage.scanned == ()
    assert rig.lane.attention == "inputs_stale"  # its own reason to look stays


async def test_readers_on_the_platform_read_the_vehicle_there_whoever_waits_behind_it():
    async with LaneRig(readers="platform") as rig:
        rig.slips.slips = [sound_slip()]
        await rig.run(2)
        await _onto_platform(rig)
        rig.see(approach="occupied")
        await rig.run(0.3)
        assert (await rig.commands.scan(SLIP, CAMERA))["passage_id"] == rig.lane.passage.id
        assert rig.lane.passage.scanned == (SLIP,)


@pytest.mark.parametrize(("has_entry", "at_approach"), [(True, True), (False, False)])
async def test_where_readers_stand_follows_the_entry_boom_unless_the_site_says(has_entry, at_approach):
    assert LaneRig(Layout(has_entry_barrier=has_entry)).lane.settings.reads_at_approach is at_approach
    said = LaneRig(Layout(has_entry_barrier=has_entry), readers="platform" if at_approach else "approach")
    assert said.lane.settings.reads_at_approach is not at_approach


async def _tail_at_approach(rig, *, plate):
    """Its front is on the platform, its tail still over the approach loop."""
    rig.see(approach="occupied")
    await rig.run(0.3)
    await rig.commands.plate(PlateRead(plate), CAMERA)
    await rig.run(2.7)
    rig.see(entry_loop="occupied", entry_beam="occupied")
    await rig.run(0.3)
    assert rig.lane.state is LaneState.ON_PLATFORM


async def test_a_long_vehicle_whose_tail_is_still_at_the_approach_is_read_as_itself(rig):
    await _tail_at_approach(rig, plate=OWN)
    await rig.commands.scan(SLIP, CAMERA)
    assert rig.lane.passage.scanned == (SLIP,)


@pytest.mark.parametrize("gap_s", [None, 0.2])
async def test_bumper_to_bumper_nothing_is_read_into_a_vehicle_whose_plate_nobody_knows(rig, gap_s):
    """The one behind would lend it plate and slip: with neither of its own, nothing would contradict them."""
    await _tail_at_approach(rig, plate=None)
    if gap_s is not None:  # shorter than the hold time of a detector: as a coupling
        rig.see(approach="clear")
        await rig.run(gap_s)
        rig.see(approach="occupied")
        await rig.run(0.1)
    for read in (rig.commands.plate(PlateRead(OTHER), CAMERA), rig.commands.scan("Z2", CAMERA)):
        assert await read == {"kept_for_next": False, "for_person": True}
    assert (rig.lane.passage.plate, rig.lane.passage.scanned) == (None, ())
    assert rig.lane.attention == "read_unassigned"
    rig.see(entry_loop="clear", entry_beam="clear")  # whole on the platform: who stands at the post now is the next one
    rig.kg = 32_440
    await rig.run(0.5)
    assert await rig.commands.scan("Z2", CAMERA) == {"kept_for_next": True}


async def test_the_slip_of_a_vehicle_whose_plate_was_not_readable_counts_and_a_person_reads_its_plate(rig):
    await _tail_at_approach(rig, plate=None)
    await rig.commands.scan(SLIP, CAMERA)
    assert (rig.lane.passage.plate, rig.lane.passage.scanned) == (None, (SLIP,))
    for read in (rig.commands.scan("Z2", CAMERA), rig.commands.plate(PlateRead(OTHER), CAMERA)):
        assert await read == {"kept_for_next": False, "for_person": True}
    assert (rig.lane.passage.plate, rig.lane.passage.scanned) == (None, (SLIP,))


async def test_bumper_to_bumper_the_plate_of_the_one_behind_contradicts_the_known_one(rig):
    await _tail_at_approach(rig, plate=OWN)
    await rig.commands.plate(PlateRead(OTHER), CAMERA)
    assert (rig.lane.passage.plate, rig.lane.passage.other_plates) == (OWN, (OTHER,))


@pytest.mark.parametrize(("gap_s", "is_next"), [(0.2, False), (0.7, True)])
async def test_a_coupling_over_the_approach_loop_is_no_gap_between_two_vehicles(rig, gap_s, is_next):
    await _tail_at_approach(rig, plate=OWN)
    rig.see(approach="clear")
    await rig.run(gap_s)
    rig.see(approach="occupied")
    await rig.run(0.1)
    assert ("kept_for_next" in await rig.commands.scan(SLIP, CAMERA)) is is_next


async def test_bumper_to_bumper_the_whole_vehicle_on_the_platform_is_past_the_readers(rig):
    rig.see(approach="occupied")
    await rig.run(3)
    rig.see(entry_loop="occupied", entry_beam="occupied")
    await rig.run(0.5)
    rig.see(entry_loop="clear", entry_beam="clear")
    rig.kg = 32_440
    await rig.run(0.5)
    assert await rig.commands.scan("Z2", CAMERA) == {"kept_for_next": True}


async def test_an_unread_plate_never_replaces_a_known_one_and_counts_as_looked_at(rig):
    rig.see(approach="occupied")
    await rig.run(0.3)
    await rig.commands.plate(PlateRead(None), CAMERA)
    assert (rig.lane.passage.plate, rig.lane.passage.is_plate_looked_at) == (None, True)
    await rig.commands.plate(PlateRead(OWN, trailer_plate="浙B0001挂", containers=("C1",), seals=()), CAMERA)
    version = rig.lane.passage.facts_version
    answer = await rig.commands.plate(PlateRead(None), CAMERA)
    passage = rig.lane.passage
    assert (passage.plate, passage.trailer_plate, passage.containers, passage.seals) == (OWN, "浙B0001挂", ("C1",), ())
    assert answer == {"passage_id": passage.id, "facts_version": version}


async def test_two_plates_read_of_one_vehicle_wait_for_a_person(rig):
    await _onto_platform(rig, plate=OWN)
    await rig.commands.plate(PlateRead(OTHER), CAMERA)
    await rig.commands.scan(SLIP, CAMERA)
    await rig.run(3)
    assert (rig.lane.passage.plate, rig.lane.passage.other_plates) == (OWN, (OTHER,))
    assert (rig.lane.state, _reasons(rig)) == (LaneState.REVIEW, ["plate_mismatch"])
    assert lane_snapshot(rig.lane)["passage"]["other_plates"] == [OTHER]
    passage = rig.lane.passage
    said = CommandRequest(Command.RESOLVE, passage.id, passage.facts_version, "plate_misread", "looked", {"plate": OWN})
    await rig.commands.carry_out(said, OPERATOR)
    await rig.commands.plate(PlateRead(OTHER), CAMERA)  # the camera stays wrong: a person has said so already
    await rig.run(2)
    assert (rig.lane.passage.other_plates, rig.lane.state) == ((), LaneState.LEAVING)


async def test_the_same_plate_written_otherwise_is_no_other_plate(rig):
    await _onto_platform(rig, plate=OWN)
    await rig.commands.plate(PlateRead("浙B·12345"), CAMERA)
    assert (rig.lane.passage.plate, rig.lane.passage.other_plates) == (OWN, ())


async def test_two_plates_read_of_the_next_vehicle_both_come_with_it(rig):
    await _onto_platform(rig)
    await rig.commands.scan(SLIP, CAMERA)
    await rig.run(3)
    rig.see(approach="occupied")
    await rig.run(0.3)
    for plate in (OTHER, None, "浙B88888"):
        await rig.commands.plate(PlateRead(plate), CAMERA)
    await _drive_out(rig)
    assert (rig.lane.passage.plate, rig.lane.passage.other_plates) == (OTHER, ("浙B88888",))


async def test_a_repeat_is_answered_as_before_and_recorded_once(rig):
    await _onto_platform(rig)
    first = await rig.commands.scan(SLIP, CAMERA, "r-1")
    rig.see(approach="occupied")
    await rig.run(0.3)
    again = await rig.commands.scan(SLIP, CAMERA, "r-1")  # its answer was lost, the next truck is there by now
    assert again["passage_id"] == first["passage_id"]
    assert rig.lane.kept == ()
    for _ in range(2):
        assert await rig.commands.scan("Z2", CAMERA, "r-2") == {"kept_for_next": True}
        assert await rig.commands.scan("Z3", CAMERA) == {"kept_for_next": True}
    await rig.run(0.1)
    assert [facts["scanned"] for facts in _facts(rig, "read_for_next")] == ["Z2", "Z3"]
    # A read of its own with the same content is of who stands there now.
    assert await rig.commands.scan(SLIP, CAMERA, "r-3") == {"kept_for_next": True}


async def test_no_more_reads_are_kept_than_a_truck_can_have(rig):
    await _onto_platform(rig)
    rig.see(approach="occupied")
    await rig.run(0.3)
    for index in range(MOST_KEPT):
        await rig.commands.scan(f"Z{index}", CAMERA)
    with pytest.raises(CommandRefusedError):
        await rig.commands.scan("one-more", CAMERA)
    assert len(rig.lane.kept) == MOST_KEPT


async def test_a_late_read_of_a_released_vehicle_is_refused_as_ever(rig):
    await _onto_platform(rig)
    await rig.commands.scan(SLIP, CAMERA)
    await rig.run(3)
    assert rig.lane.state is LaneState.LEAVING
    with pytest.raises(CommandRefusedError):
        await rig.commands.scan("Z2", CAMERA)


async def test_kept_reads_go_when_another_vehicle_comes_in_between(rig):
    await _onto_platform(rig)
    rig.see(approach="occupied")
    await rig.run(0.3)
    await rig.commands.scan("Z2", CAMERA)
    rig.see(entry_loop="occupied")
    await rig.run(0.2)
    rig.see(entry_beam="occupied")
    await rig.run(0.3)
    assert rig.lane.passage.observed == ("followed_in",)
    assert [facts["because"] for facts in _facts(rig, "read_dropped")] == ["followed_in"]


async def test_kept_reads_go_when_the_vehicle_on_the_platform_gets_a_passage_of_its_own():
    """Without an entry boom B drives on behind A and C closes up: the approach looks as if B still stood there."""
    async with LaneRig(Layout(has_entry_barrier=False), readers="approach") as rig:
        rig.slips.slips = [sound_slip()]
        await rig.run(2)
        await _onto_platform(rig)
        await rig.commands.scan(SLIP, CAMERA)
        await rig.run(3)
        assert rig.lane.state is LaneState.LEAVING
        rig.see(approach="occupied")
        await rig.run(0.3)
        await rig.commands.scan("Z2", CAMERA)
        for change in ({"exit_beam": "occupied"}, {"exit_loop": "occupied"}, {"exit_beam": "clear"}):
            rig.see(**change)
            await rig.run(0.3)
        rig.see(exit_loop="clear", entry_beam="occupied")
        await rig.run(0.7)
        rig.see(entry_beam="clear")
        await rig.run(6)
        assert "second_vehicle" in [facts["what"] for facts in _facts(rig, "motion_unexplained")]
        assert rig.lane.passage.scanned == ()
        assert [facts["because"] for facts in _facts(rig, "read_dropped")] == ["another_vehicle"]
        assert await rig.commands.scan("Z3", CAMERA) == {"kept_for_next": True}


async def test_an_approach_that_was_unknown_under_the_tail_does_not_say_who_stands_there_now(rig):
    rig.see(approach="occupied")
    await rig.run(3)
    rig.see(entry_loop="occupied", entry_beam="occupied")
    await rig.run(0.3)
    rig.see(approach="unknown")
    await rig.run(0.3)
    rig.see(approach="occupied")
    await rig.run(0.3)
    assert (await rig.commands.scan(SLIP, CAMERA))["for_person"] is True
    assert rig.lane.passage.scanned == ()


async def test_after_a_restart_nothing_kept_is_given_to_anybody(rig):
    await _onto_platform(rig)
    rig.see(approach="occupied")
    await rig.run(0.3)
    await rig.commands.scan("Z2", CAMERA)
    again = LaneRig()
    again.journal.open, again.kg = [rig.lane.passage.document()], rig.kg
    again.see(approach="occupied")
    async with again:
        await again.run(0.2)
        assert again.lane.kept == ()
        assert (await again.commands.scan(SLIP, CAMERA)).get("passage_id") is None
        await again.run(3)
        assert again.lane.passage.scanned == ()


@pytest.mark.parametrize(
    ("state", "approach", "has_left", "expected"),
    [
        (LaneState.APPROACH, Presence.OCCUPIED, None, Whose.PASSAGE),
        (LaneState.ADMITTING, Presence.OCCUPIED, False, Whose.PASSAGE),
        (LaneState.ADMITTING, Presence.OCCUPIED, True, Whose.UNSURE),
        (LaneState.WEIGHING, Presence.OCCUPIED, True, Whose.NEXT),
        (LaneState.REVIEW, Presence.OCCUPIED, None, Whose.UNSURE),
        (LaneState.REVIEW, Presence.OCCUPIED, False, Whose.PASSAGE),
        (LaneState.WEIGHING, Presence.CLEAR, True, Whose.PASSAGE),
        (LaneState.APPROACH, Presence.UNKNOWN, False, Whose.UNSURE),
    ],
)
def test_whose_a_read_is(state, approach, has_left, expected):
    for gone_in, known in ((False, False), (True, True), (True, False)):
        found = whose(
            has_passage=True, state=state, approach=approach, has_left=has_left, has_gone_in=gone_in,
            is_checked=known,
        )  # fmt: skip
        is_tail = state is not LaneState.APPROACH and has_left is False and gone_in
        assert found is (Whose.UNSURE if is_tail and not known else expected)


@pytest.mark.parametrize(
    ("state", "approach", "expected"),
    [
        (LaneState.CLEARING, Presence.OCCUPIED, Whose.NEXT),
        (LaneState.CLEARING, Presence.UNKNOWN, Whose.PASSAGE),
        (LaneState.IDLE, Presence.OCCUPIED, Whose.PASSAGE),
        (LaneState.CLOSED, Presence.OCCUPIED, Whose.PASSAGE),
    ],
)
def test_without_a_passage_a_read_is_kept_only_while_the_lane_clears(state, approach, expected):
    found = whose(has_passage=False, state=state, approach=approach, has_left=True, has_gone_in=True, is_checked=False)
    assert found is expected


# Photos ----------------------------------------------------------------------------------------------------------

PHOTOS = [FileRef(str(number) * 64, 1000, "image/jpeg") for number in range(6)]


def _take(rig, photo):
    """As the photo desk does, without file and record."""
    of = rig.lane.photo_begins()
    rig.lane.photo_taken(photo, of)
    return of.owner


async def _next_at_approach(rig):
    """One is judged and leaves, the next stands at the approach."""
    await _onto_platform(rig)
    await rig.commands.scan(SLIP, CAMERA)
    await rig.run(3)
    rig.see(approach="occupied")
    await rig.run(0.3)


def _shown(rig):
    return lane_snapshot(rig.lane)["passage"]["photos"]


async def test_photos_of_the_vehicle_in_the_lane_are_shown_with_it_alone_and_change_no_fact(rig):
    await _onto_platform(rig)
    before = rig.lane.passage
    assert {_take(rig, photo) for photo in PHOTOS} == {Whose.PASSAGE}
    assert _shown(rig) == [photo.sha256 for photo in PHOTOS[-4:]]
    assert rig.lane.passage is before
    await rig.commands.scan(SLIP, CAMERA)
    await rig.run(3)
    await _drive_out(rig)
    rig.see(approach="occupied")
    await rig.run(0.5)
    assert (rig.lane.passage.id != before.id, _shown(rig)) == (True, [])


async def test_a_photo_of_the_vehicle_at_the_approach_is_shown_and_recorded_with_its_own_passage(rig):
    await _next_at_approach(rig)
    assert _take(rig, PHOTOS[0]) is Whose.NEXT
    assert _take(rig, PHOTOS[0]) is Whose.NEXT  # sent again, its answer was lost: the record names a file once
    assert _shown(rig) == []
    await _drive_out(rig)
    assert _shown(rig) == [PHOTOS[0].sha256]
    [entry] = [entry for entry in rig.journal.entries if entry.kind == "photo"]
    assert (entry.passage_id, entry.passage, entry.files) == (rig.lane.passage.id, None, (PHOTOS[0],))


async def test_a_photo_is_dropped_when_the_vehicle_at_the_approach_goes_away(rig):
    await _onto_platform(rig)
    rig.see(approach="occupied")
    await rig.run(0.3)
    _take(rig, PHOTOS[0])
    rig.see(approach="clear")
    await rig.run(0.5)
    assert rig.lane.photos.kept == ()


async def test_a_photo_that_may_show_either_vehicle_is_shown_with_neither(rig):
    await _onto_platform(rig)
    rig.see(approach="unknown")
    await rig.run(0.3)
    assert _take(rig, PHOTOS[0]) is Whose.UNSURE
    assert (_shown(rig), rig.lane.photos.kept) == ([], ())


async def test_a_passage_names_all_photos_of_its_vehicle_at_the_approach_and_shows_the_newest(rig):
    await _next_at_approach(rig)
    for photo in PHOTOS:
        _take(rig, photo)
    await _drive_out(rig)
    assert _shown(rig) == [photo.sha256 for photo in PHOTOS[-4:]]
    [entry] = [entry for entry in rig.journal.entries if entry.kind == "photo"]
    assert entry.files == tuple(PHOTOS)


async def test_a_photo_that_is_on_its_way_as_its_vehicle_s_passage_begins_is_shown_and_recorded_with_that(rig):
    await _next_at_approach(rig)
    of = rig.lane.photo_begins()
    await _drive_out(rig)
    rig.lane.photo_taken(PHOTOS[0], of)
    await rig.run(0.3)
    assert (of.owner, _shown(rig)) == (Whose.NEXT, [PHOTOS[0].sha256])
    [entry] = [entry for entry in rig.journal.entries if entry.kind == "photo"]
    assert (entry.passage_id, entry.passage, entry.files) == (rig.lane.passage.id, None, (PHOTOS[0],))


async def test_a_photo_that_is_on_its_way_as_another_vehicle_comes_to_the_approach_is_shown_with_neither(rig):
    await _next_at_approach(rig)
    of = rig.lane.photo_begins()
    for presence in ("clear", "occupied"):
        rig.see(approach=presence)
        await rig.run(0.5)
    rig.lane.photo_taken(PHOTOS[0], of)
    assert rig.lane.photos.kept == ()
    await _drive_out(rig)
    assert _shown(rig) == []


async def test_a_late_photo_of_the_vehicle_that_has_left_takes_none_from_the_one_that_is_there(rig):
    await _onto_platform(rig)
    late = rig.lane.photo_begins()
    await rig.commands.scan(SLIP, CAMERA)
    await rig.run(3)
    await _drive_out(rig)
    rig.see(approach="occupied")
    await rig.run(0.5)
    _take(rig, PHOTOS[0])
    rig.lane.photo_taken(PHOTOS[1], late)
    assert (late.owner, _shown(rig)) == (Whose.PASSAGE, [PHOTOS[0].sha256])


async def test_a_slow_photo_is_of_the_vehicle_that_was_there_as_it_was_begun_to_be_sent(rig, tmp_path):
    await _onto_platform(rig)
    desk = PhotoDesk(FileStore(tmp_path), rig.journal, rig.clock)

    async def receive():
        rig.see(approach="occupied")
        await rig.run(0.5)
        return b"a photo"

    answer = await desk.take(rig.lane, receive, "image/jpeg", CAMERA)
    assert answer["passage_id"] == rig.lane.passage.id
    assert _shown(rig) == [answer["sha256"]]
    assert rig.lane.photos.kept == ()
