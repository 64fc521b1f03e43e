"""A vehicle that rocks is judged by what is shown, and the settled weight finds its answer ready, or is judged anew."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gate_service.domain.ports import Source
from lanes.deciding import REHEARSED_FOR_S
from lanes.states import LaneState
from tests.fakes.lane_rig import START, LaneRig
from tests.unit.lanes.test_controller import _identify, _onto_platform


def _decision(rig: LaneRig):
    return next(entry for entry in rig.journal.entries if entry.kind == "decision")


async def _settled(rig: LaneRig):
    """The weight stands still: the decision that follows."""
    rig.is_stable = True
    await rig.run(1)
    return _decision(rig)


async def test_the_settled_weight_is_released_without_a_look_up(rocking):
    before = rocking.slips.finds
    entry = await _settled(rocking)
    assert (entry.facts["verdict"], rocking.slips.finds) == ("release", before)
    assert rocking.lane.state in {LaneState.OPENING, LaneState.LEAVING}
    weighed, case = entry.passage["weighed"], entry.passage["case"]
    assert (weighed["is_stable"], weighed["gross"], case["weight"]["stable"]) == (True, 32_440_000, True)


async def test_the_case_says_when_it_was_judged_and_the_entry_when_it_was_decided(rocking):
    entry = await _settled(rocking)
    judged = entry.passage["case"]["now_at"]
    assert timedelta() <= entry.at - type(entry.at).fromisoformat(judged) <= timedelta(seconds=REHEARSED_FOR_S)


async def test_another_weight_than_the_one_shown_before_is_judged_anew(rocking):
    before = rocking.slips.finds
    rocking.kg = 39_000
    entry = await _settled(rocking)
    assert entry.facts["verdict"] != "release"
    assert rocking.slips.finds > before
    assert entry.passage["case"]["weight"]["gross_kg"] == 39_000


async def test_what_the_site_learns_in_between_is_judged(rocking):
    """The answer of the copy is another object now, though the weight is the same."""
    rocking.slips.known = {**rocking.slips.known, "revoked": [rocking.slips.slips[0]["slip_no"]]}
    entry = await _settled(rocking)
    assert entry.facts["verdict"] == "refuse"


async def test_a_rehearsal_that_grew_old_is_none(rocking):
    before = rocking.slips.finds
    rocking.clock.move(REHEARSED_FOR_S + 0.1)
    rocking.is_stable = True
    rocking.lane.weight_read(rocking._reading())
    await rocking.run(1)
    assert (_decision(rocking).facts["verdict"], rocking.slips.finds) == ("release", before + 1)


async def test_a_wall_clock_that_was_set_in_between_is_judged_by(rocking, monkeypatch):
    real = rocking.clock.now
    monkeypatch.setattr(rocking.clock, "now", lambda: real() + timedelta(hours=30))
    entry = await _settled(rocking)
    assert "copy_stale" in entry.facts["reasons"]


@pytest.mark.parametrize("mistake", ["_confirmed", "_rehearsal"])
async def test_a_mistake_of_ours_in_a_rehearsal_costs_nothing_but_its_answer(rocking, monkeypatch, mistake):
    def fail(*_):
        raise ValueError("a mistake of ours")

    monkeypatch.setattr(rocking.lane._decider, mistake, fail)
    await rocking.run(1)
    before = rocking.slips.finds
    entry = await _settled(rocking)
    assert (entry.facts["verdict"], rocking.slips.finds) == ("release", before + 1)


async def test_the_centre_is_asked_at_the_decision_itself(rocking):
    before = rocking.slips.finds
    rocking.slips.source = Source.CENTRAL
    entry = await _settled(rocking)
    assert (entry.passage["case"]["source"], rocking.slips.finds) == ("central", before + 1)


async def test_nothing_is_rehearsed_for_a_vehicle_that_is_not_released(rig):
    rig.slips.source = Source.LOCAL
    rig.slips.slips[0]["valid_until_at"] = (START - timedelta(days=1)).isoformat()
    rig.is_stable = False
    await _onto_platform(rig)
    await _identify(rig)
    await rig.run(3)
    before = rig.slips.finds
    entry = await _settled(rig)
    assert (entry.facts["verdict"] == "release", rig.slips.finds) == (False, before + 1)
