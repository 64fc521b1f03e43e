"""A decision is on its way to the disk: what happens meanwhile, and what of it is done once it is there."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from gate_service.domain.errors import SlipTakenError
from gate_service.domain.reading import BoomPosition, Side
from lanes.states import LaneEvent, LaneState
from tests.fakes.lane_rig import LaneRig


@dataclass
class Writing:
    """A lane whose record holds decisions back until `reach_disk`."""

    rig: LaneRig
    gate: asyncio.Event
    refusal: Exception | None = None

    async def reach_disk(self) -> None:
        self.gate.set()
        await self.rig.run(0.5)

    @property
    def exit_raises(self) -> list[Side]:
        return [side for side, _ in self.rig.raises if side is Side.EXIT]

    def verdicts(self) -> list[object]:
        return [entry.facts["verdict"] for entry in self.rig.journal.entries if entry.kind == "decision"]


@pytest.fixture(params=["at once", "judged then"])
async def writing(rocking, monkeypatch, request):
    """A release was judged, at once from a rehearsal or after a look-up, and is not on disk yet."""
    writing, real = Writing(rocking, asyncio.Event()), rocking.journal.write

    async def write(entry):
        if entry.kind == "decision":
            await writing.gate.wait()
            if writing.refusal is not None:
                raise writing.refusal
        return await real(entry)

    monkeypatch.setattr(rocking.journal, "write", write)
    if request.param == "judged then":
        monkeypatch.setattr(rocking.lane._decider, "at_once", lambda _: None)
    rocking.is_stable = True
    await rocking.run(0.3)
    assert rocking.lane.state is LaneState.DECIDING
    return writing


async def test_nothing_moves_before_it_is_on_disk_and_then_the_boom_rises(writing):
    await writing.rig.run(1)
    assert writing.exit_raises == []
    await writing.reach_disk()
    assert (writing.exit_raises, writing.verdicts()) == ([Side.EXIT], ["release"])
    assert writing.rig.violations == []


async def test_judged_anew_meanwhile_the_first_answer_stands_in_the_record_and_moves_nothing(writing):
    """A hold came with the same facts of the vehicle: only the place in the queue tells the answers apart."""
    writing.rig.slips.known = {**writing.rig.slips.known, "revoked": [writing.rig.slips.slips[0]["slip_no"]]}
    assert writing.rig.lane.fire(LaneEvent.FACTS_CHANGED)
    await writing.reach_disk()
    assert (writing.verdicts(), writing.exit_raises) == (["release", "refuse"], [])
    assert writing.rig.lane.state is LaneState.REVIEW


async def test_a_fire_meanwhile_is_dealt_with_whole_at_once_and_nothing_is_released_in_it(writing):
    writing.rig.fire = True
    await writing.rig.run(0.1)
    assert writing.rig.lane.state is LaneState.FIRE
    await writing.reach_disk()
    assert (writing.exit_raises, writing.rig.lane.state) == ([], LaneState.FIRE)


async def test_a_stop_meanwhile_moves_nothing_though_the_decision_reaches_the_disk(writing):
    asyncio.get_running_loop().call_later(0.05, writing.gate.set)  # while the stop waits for the record
    await writing.rig.lane.__aexit__(None, None, None)
    await asyncio.sleep(0)
    assert (writing.verdicts(), writing.exit_raises) == (["release"], [])
    assert writing.rig.barriers[Side.EXIT].position is BoomPosition.DOWN


async def test_a_mistake_of_ours_once_the_slip_was_taken_calls_a_person(writing, monkeypatch):
    def fail(_):
        raise ValueError("a mistake of ours")

    monkeypatch.setattr(writing.rig.lane, "with_weight", fail)  # asked as it is judged anew
    writing.refusal = SlipTakenError("held by another passage")
    await writing.reach_disk()
    assert (writing.rig.lane.state, writing.exit_raises) == (LaneState.REVIEW, [])


async def test_what_else_is_due_waits_for_the_next_poll_and_no_longer(rocking, monkeypatch):
    """The frame that settles the weight begins the decision and nothing else; any other step is followed by all."""
    minded = []
    monkeypatch.setattr(rocking.lane, "mind_the_booms", minded.append)
    rocking.is_stable = True
    rocking.lane.weight_read(rocking._reading())
    assert (rocking.lane.state, minded) == (LaneState.DECIDING, [])
    rocking.lane.inputs_read(rocking._inputs())
    assert len(minded) == 1
