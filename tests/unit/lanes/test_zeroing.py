"""Zeroing the indicator from the terminal: only an empty lane at rest, recorded before it is sent, once."""

from dataclasses import replace

import pytest

from gate_service.domain.commands import Actor, ActorKind, Command, CommandRequest, Role
from gate_service.domain.errors import CommandRefusedError, InterlockError
from gate_service.domain.reading import Detector, Presence
from lanes.interlocks import CLEAR_HOLD_S, FRESH_S, forbids_zeroing
from lanes.snapshot import lane_snapshot
from tests.fakes.lane_rig import LaneRig
from tests.unit.lanes.test_interlocks import GOOD, NOW_S, _seen

OPERATOR = Actor("olga", Role.OPERATOR, ActorKind.USER)
ZERO = CommandRequest(Command.ZERO, reason_code="snow_or_mud")
EMPTY = replace(GOOD, has_passage=False, is_platform_at_rest=True)


def test_an_empty_lane_at_rest_may_be_zeroed() -> None:
    assert forbids_zeroing(EMPTY) is None


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"has_passage": True}, "vehicle_in_lane"),
        ({"is_platform_empty": False}, "platform_not_empty"),
        ({"is_platform_empty": None}, "platform_unknown"),
        ({"is_platform_at_rest": False}, "weight_in_motion"),
        ({"is_platform_at_rest": None}, "weight_in_motion"),
        ({"may_be_somebody": True}, "somebody_on_platform"),
        ({"inputs": None}, "inputs_unknown"),
        ({"now_monotonic_s": NOW_S + FRESH_S + 0.01}, "inputs_stale"),
        ({"clear_since_s": dict.fromkeys(Detector, NOW_S - CLEAR_HOLD_S + 0.01)}, "entry_beam_not_clear_long_enough"),
    ],
)
def test_each_thing_that_forbids_it(changes: dict[str, object], word: str) -> None:
    assert forbids_zeroing(replace(EMPTY, **changes)) == word


@pytest.mark.parametrize("detector", [Detector.ENTRY_BEAM, Detector.EXIT_BEAM, Detector.ENTRY_LOOP, Detector.EXIT_LOOP])
@pytest.mark.parametrize("presence", [Presence.OCCUPIED, Presence.UNKNOWN])
def test_nobody_stands_at_the_platforms_ends(detector: Detector, presence: Presence) -> None:
    seen = replace(_seen(detector, presence), has_passage=False, is_platform_at_rest=True)
    assert forbids_zeroing(seen) == f"{detector}_{presence}"


async def test_snow_is_zeroed_away_and_the_record_says_how_much_it_was() -> None:
    async with LaneRig() as rig:
        rig.kg = 60  # from before the service started: nobody saw how it came
        await rig.run(2)
        assert "zero" not in lane_snapshot(rig.lane)["commands"]
        await rig.run(60)
        assert "zero" in lane_snapshot(rig.lane)["commands"]
        answer = await rig.commands.carry_out(ZERO, OPERATOR)
        assert (answer, rig.zeroed) == ({"done": "zero", "displayed": "60"}, 1)
        entry = next(entry for entry in rig.journal.entries if entry.kind == "command")
        assert (entry.facts["command"], entry.facts["displayed"], entry.actor) == ("zero", "60", "user:olga")


async def test_who_steps_on_the_platform_is_not_zeroed_away_however_long_they_stand_there() -> None:
    async with LaneRig() as rig:
        await rig.run(2)
        rig.kg = 80
        for seconds in (2, 120):
            await rig.run(seconds)
            assert "zero" not in lane_snapshot(rig.lane)["commands"]
            with pytest.raises(InterlockError, match="somebody_on_platform"):
                await rig.commands.carry_out(ZERO, OPERATOR)
        rig.kg = 0
        await rig.run(1)
        assert "zero" in lane_snapshot(rig.lane)["commands"]


@pytest.mark.parametrize("kg", [60, -80])
async def test_what_came_slowly_or_hangs_below_zero_is_nobody(kg: int) -> None:
    async with LaneRig() as rig:
        await rig.run(2)
        rig.kg = 40 if kg > 0 else kg
        await rig.run(3 if kg > 0 else 1)
        rig.kg = kg
        await rig.run(61 if kg > 0 else 1)
        assert "zero" in lane_snapshot(rig.lane)["commands"]


async def test_what_may_be_a_vehicle_is_not_zeroed_away() -> None:
    async with LaneRig() as rig:
        rig.kg = 200
        await rig.run(2)
        assert "zero" not in lane_snapshot(rig.lane)["commands"]
        with pytest.raises(InterlockError, match="platform_not_empty"):
            await rig.commands.carry_out(ZERO, OPERATOR)
        assert rig.zeroed == 0


async def test_a_site_that_did_not_switch_it_on_refuses() -> None:
    async with LaneRig() as rig:
        rig.lane.ports = replace(rig.lane.ports, zero=None)
        await rig.run(2)
        assert "zero" not in lane_snapshot(rig.lane)["commands"]
        with pytest.raises(CommandRefusedError, match="not zeroed from here"):
            await rig.commands.carry_out(ZERO, OPERATOR)
