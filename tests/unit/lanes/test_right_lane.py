"""The right lane, told by name; queues by the detectors; what a second gate takes; inspections at premises."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gate_service.domain.commands import Command
from gate_service.domain.passage import Disposition
from gate_service.domain.record import LedgerKind
from gate_service.routing_desk import RoutingDesk
from lanes.deciding import Decider
from lanes.policy.engine import assess_document
from lanes.policy.preassess import preassess
from lanes.snapshot import passage_snapshot
from lanes.states import LaneState
from tests.fakes.lane_rig import START, LaneRig
from tests.fakes.slips import sound_slip
from tests.unit.lanes.test_controller import OPERATOR, _ask, _identify, _onto_platform


class NoDraws:
    async def draw(self, wanted: Any, passage_id: str) -> dict[str, bool]:
        return {one.name: False for one in wanted}


class Measured:
    def __init__(self, **means: float) -> None:
        self.means = means

    def mean_s(self, lane: str) -> float:
        return self.means.get(lane, 60.0)


def desk_over(*rigs: LaneRig, **means: float) -> RoutingDesk:
    lanes = {one.lane.settings.id: one.lane for one in rigs}
    return RoutingDesk(
        lanes=lanes, slips=rigs[0].slips, draws=NoDraws(), times=Measured(**means),  # type: ignore[arg-type]
        clock=rigs[0].clock, policy_at=lambda _: None,
    )  # fmt: skip


def renamed(one: LaneRig, lane_id: str, **changes: Any) -> LaneRig:
    name = {"zh": f"通道{lane_id}", "en": lane_id}
    one.lane.settings = replace(one.lane.settings, id=lane_id, name=name, **changes)
    one.lane.state = LaneState.IDLE
    return one


async def test_a_vehicle_in_the_wrong_lane_reads_the_right_one_and_the_record_keeps_it(rig):
    out = renamed(LaneRig(), "out-1", direction="outbound")
    decider: Decider = rig.lane._decider
    decider._redirect = desk_over(rig, out).redirect
    rig.slips.slips = [sound_slip(direction="outbound")]
    await _onto_platform(rig)
    await _identify(rig)
    await rig.run(3)
    passage = rig.lane.passage
    assert (rig.lane.state, passage.verdict) == (LaneState.REVIEW, "refuse")
    assert passage.driver_text == {"zh": "请改走：通道out-1", "en": "Please use: out-1"}
    assert passage.explanation["en"].endswith("Lane to take: out-1.")
    assert passage_snapshot(passage)["lane_to_go"]["id"] == "out-1"
    out.lane.state = LaneState.FAULT  # no lane fits now: the class is all there is to say
    rig.slips.known = {}
    await rig.commands.judge_again("test", "service", {LaneState.REVIEW})
    await rig.run(1)
    assert rig.lane.passage.lane_to_go is None
    assert rig.lane.passage.driver_text["en"] != "Please use: out-1"


async def test_the_shorter_wait_wins_by_detectors_and_measured_times(rig):
    other = renamed(LaneRig(), "in-2")
    other.lane.sight = rig.lane.sight  # nobody there: a lane whose detectors are not known comes last
    desk = desk_over(renamed(rig, "in-1"), other, **{"in-1": 30.0, "in-2": 100.0})
    rig.slips.slips = [sound_slip()]
    assert (await desk.route({"scan": "Z"}))["lane"] == "in-1"
    rig.see(approach="occupied")
    await rig.run(0.3)
    assert rig.lane.queue_length() == 1
    assert (await desk.route({"scan": "Z"}))["lane"] == "in-2"
    other.lane.sight = rig.lane.sight
    found = await desk.route({"scan": "Z"})
    assert (found["lane"], found["queue"], found["wait_s"]) == ("in-1", 1, 30.0)


async def test_sent_to_be_inspected_at_its_premises_it_goes_on_and_the_order_is_written(rig):
    await _onto_platform(rig)
    await _identify(rig, plate="浙B99999")
    await rig.run(3)
    assert rig.lane.state is LaneState.REVIEW
    await rig.commands.carry_out(_ask(rig, Command.INSPECT, fields={"place": "at_premises"}), OPERATOR)
    await rig.run(3)
    assert rig.lane.state is LaneState.LEAVING
    passage = rig.lane.passage
    assert passage.disposition is Disposition.AT_PREMISES
    assert passage.boom_up_at is not None
    (command,) = [entry for entry in rig.journal.entries if entry.kind == "command"]
    orders = [change for change in command.ledger if change.kind is LedgerKind.INSPECTION_ORDERED]
    assert [(order.key, order.passage_id) for order in orders] == [("at_premises", passage.id)]
    assert rig.violations == []


def test_a_second_gate_takes_what_passed_the_first_and_nothing_else():
    def verdict(status: str, gate: str) -> str:
        case = {
            "lane": {"kind": "declared", "direction": "inbound"}, "site": "K1", "gate": gate,
            "now_at": START.isoformat(), "slips": [sound_slip(status=status)], "source": "central", "scanned": "Z",
        }  # fmt: skip
        codes = [check["reason_code"] for check in assess_document(case)["checks"]]
        return "refused" if "slip_not_approved" in codes else "taken"

    assert [verdict(status, "second") for status in ("approved", "first_gate_passed")] == ["refused", "taken"]
    assert [verdict(status, "first") for status in ("approved", "first_gate_passed")] == ["taken", "refused"]
    assert [verdict("approved", gate) for gate in ("single", "second")] == ["taken", "refused"]
    past = sound_slip(status="first_gate_passed")
    assert preassess(past, site="K1", gate="second", now=START) == ()
