"""A hold placed while a vehicle waits in the lane: the rules run again on what is known now."""

from lanes.states import LaneState
from tests.unit.lanes.test_controller import OPERATOR, Command, _ask, _identify, _onto_platform

WAITING = {LaneState.REVIEW, LaneState.DECIDING}
HOLD = {
    "kind": "safety",
    "id": "safety-1",
    "target": {"type": "vehicle", "id": "浙B12345"},
    "reason": "leak",
    "placed_by": "user:duty",
}


async def test_a_waiting_vehicle_that_a_new_hold_means_is_no_longer_released_by_a_resolved_fact(rig):
    await _onto_platform(rig)
    await _identify(rig, plate="浙B99999")
    await rig.run(3)
    assert rig.lane.state is LaneState.REVIEW
    rig.slips.known = {**rig.slips.known, "holds": [HOLD]}
    assert await rig.commands.judge_again("safety-1", "user:duty", WAITING)
    await rig.run(1)
    assert "hold" in [check["reason_code"] for check in rig.lane.passage.assessment["checks"]]
    assert any(entry.kind == "judged_again" and entry.actor == "user:duty" for entry in rig.journal.entries)
    await rig.commands.carry_out(_ask(rig, Command.RESOLVE, fields={"plate": "浙B12345"}), OPERATOR)
    await rig.run(3)
    assert rig.lane.state is LaneState.REVIEW
    await rig.commands.carry_out(_ask(rig, Command.RELEASE), OPERATOR)  # a hold is released by two: it waits
    await rig.run(3)
    assert rig.lane.state is LaneState.REVIEW


async def test_a_lifted_hold_lets_a_waiting_vehicle_go(rig):
    rig.slips.known = {**rig.slips.known, "holds": [HOLD]}
    await _onto_platform(rig)
    await _identify(rig)
    await rig.run(3)
    assert rig.lane.state is LaneState.REVIEW
    rig.slips.known = {**rig.slips.known, "holds": []}
    assert await rig.commands.judge_again("safety-1", "user:duty", WAITING)
    await rig.run(3)
    assert rig.lane.state is LaneState.LEAVING


async def test_an_empty_lane_has_nothing_to_judge(rig):
    assert not await rig.commands.judge_again("safety-1", "user:duty", WAITING)
