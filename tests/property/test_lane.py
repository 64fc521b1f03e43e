"""Whatever happens around a lane: nothing is lowered on anything not clear, nothing rises unrecorded."""

import asyncio

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gate_service.domain.commands import Actor, ActorKind, Command, CommandRequest, PlateRead, Role
from gate_service.domain.errors import GateError
from gate_service.domain.reading import BoomPosition, Detector
from lanes.guards import Layout
from lanes.interlocks import forbids_lowering
from lanes.snapshot import lane_snapshot
from lanes.states import OWNED_BY_PERSON, LaneState
from tests.fakes.lane_rig import LaneRig
from tests.fakes.slips import sound_slip

SUPERVISOR = Actor("sue", Role.SUPERVISOR, ActorKind.USER)
CAMERA = Actor("camera", Role.DEVICE, ActorKind.TOKEN)

PRESENCE = st.sampled_from(["clear", "clear", "occupied", "occupied", "unknown"])
HAPPENINGS = st.one_of(
    st.tuples(st.just("see"), st.sampled_from(list(Detector)), PRESENCE),
    st.tuples(st.just("weigh"), st.sampled_from([0, 0, 100, 32_440, 90_000])),
    st.tuples(st.just("wait"), st.sampled_from([0.05, 0.3, 1.1, 3.0])),
    st.tuples(st.just("fire"), st.sampled_from([True, False, False, None])),
    st.tuples(st.just("io"), st.booleans()),
    st.tuples(st.just("disk"), st.booleans()),
    st.tuples(st.just("boom"), st.sampled_from(list(BoomPosition))),
    st.tuples(st.just("scan")),
    st.tuples(st.just("plate"), st.sampled_from(["浙B12345", "浙B99999", None])),
    st.tuples(st.just("ask"), st.sampled_from(list(Command))),
    st.tuples(st.just("drive in")),
    st.tuples(st.just("drive out")),
)
LAYOUTS = st.sampled_from([Layout(), Layout(has_entry_barrier=False), Layout(has_weighbridge=False)])


async def _ask(rig, command):
    passage = rig.lane.passage
    request = CommandRequest(command, passage and passage.id, passage and passage.facts_version, "other", "test")
    pending = asyncio.ensure_future(rig.commands.carry_out(request, SUPERVISOR))
    for _ in range(20):
        await asyncio.sleep(0)
    if not pending.done():  # the record does not take it now; a real caller would wait
        pending.cancel()
    await asyncio.gather(pending, return_exceptions=True)


async def _happen(rig, happening):
    match happening:
        case ("see", detector, presence):
            rig.see(**{detector.value: presence})
        case ("weigh", kg):
            rig.kg = kg
        case ("wait", seconds):
            await rig.run(seconds)
        case ("fire", value):
            rig.fire = value
        case ("io", value):
            rig.is_io_alive = value
        case ("disk", value):
            rig.journal.writable = value
        case ("boom", position):
            next(iter(rig.barriers.values())).position = position
        case ("ask", command):
            await _ask(rig, command)
        case ("drive in",):
            await _drive_in(rig)
        case ("drive out",):
            await _drive_out(rig)
        case _:
            await _identify(rig, happening)
    await rig.run(0.05)


async def _identify(rig, happening):
    try:
        if happening[0] == "scan":
            await rig.commands.scan("Z3311I261122000000000001", CAMERA)
        else:
            await rig.commands.plate(PlateRead(happening[1]), CAMERA)
    except GateError:
        pass


async def _drive_in(rig):
    rig.see(**dict.fromkeys([d.value for d in Detector], "clear"))
    rig.see(approach="occupied")
    await rig.run(2.5)
    rig.see(approach="clear", entry_loop="occupied", entry_beam="occupied")
    await rig.run(0.4)
    rig.see(entry_loop="clear", entry_beam="clear")
    rig.kg = 32_440
    await rig.run(2)


async def _drive_out(rig):
    for change in (
        {"exit_beam": "occupied"},
        {"exit_loop": "occupied"},
        {"exit_beam": "clear"},
        {"exit_loop": "clear"},
    ):
        rig.see(**change)
        await rig.run(0.2)
    rig.kg = 0
    await rig.run(2)


async def _live(layout, happenings, lowering_rule=forbids_lowering):
    async with LaneRig(layout, lowering_rule=lowering_rule) as rig:
        rig.slips.slips = [sound_slip()]
        await rig.run(2)
        for happening in happenings:
            await _happen(rig, happening)
            shown = lane_snapshot(rig.lane)
            if rig.lane.state in OWNED_BY_PERSON:
                assert shown["commands"], f"no way on from {rig.lane.state}"
            if rig.fire and rig.is_io_alive:
                assert rig.lane.state == LaneState.FIRE
        return rig.violations


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(LAYOUTS, st.lists(HAPPENINGS, min_size=5, max_size=40))
def test_no_order_of_events_lowers_a_boom_on_anything_or_raises_one_unrecorded(layout, happenings):
    assert asyncio.run(_live(layout, happenings)) == []


def test_the_property_sees_a_missing_interlock():
    """The checker can fail: without the interlock a truck that stops under the boom is hit."""
    happenings = [("drive in",), ("scan",), ("plate", "浙B12345"), ("wait", 3.0)]
    happenings += [("see", Detector.EXIT_BEAM, "occupied"), ("see", Detector.EXIT_LOOP, "occupied"), ("wait", 3.0)]
    assert asyncio.run(_live(Layout(), happenings)) == []
    assert asyncio.run(_live(Layout(), happenings, lowering_rule=lambda *_: None)) != []
