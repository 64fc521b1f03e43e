"""The demo's summary: what counts, what makes it a failure, and whose verdict was not the plan's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from devices.simulator.demo.plan import first_visits
from gate_service.cli.demo_summary import crossings_recorded, is_consistent, passage_line, summary, surprises

VISITS = first_visits(1, 12)
REPORT = {
    "checks": 900, "crossings": 1, "boom_on_vehicle": 0, "motion_without_command": 0, "crossing_without_record": 0,
    "violations": 0, "by_button": 0,
}  # fmt: skip


def passage_of(visit, verdict, reasons=()):
    checks = [{"reason_code": reason, "verdict": "review"} for reason in reasons]
    return {
        "id": f"p{visit.number}", "lane": visit.lane.lane_id, "scanned": [visit.slip_no] if visit.slip_no else [],
        "plate": visit.plate, "tier": "strict", "verdict": verdict, "gross_kg": 30_000,
        "checks": [*checks, {"reason_code": "not_looked_at", "verdict": "release"}],
        "crossed_at": datetime(2026, 11, 22, tzinfo=UTC).isoformat() if verdict == "release" else None,
    }  # fmt: skip


def as_expected():
    kept = [visit for visit in VISITS if visit.expected.verdict is not None]
    return [
        passage_of(v, v.expected.final, [r for r in v.expected.reasons if v.expected.final == v.expected.verdict])
        for v in kept
    ]


def whole(**changes):
    found = summary(
        trucks=12,
        report=REPORT,
        passages=as_expected(),
        events={"recorded": 40, "delivered": 40, "parked": 0},
        hazmat={"recorded": 1, "delivered": 1},
        chain="ok",
    )
    return {**found, **changes}


def test_warnings_are_no_reasons():
    assert passage_line(passage_of(VISITS[0], "release"))["reasons"] == []


def test_every_key_of_the_contract_is_there():
    found = whole()
    assert {"trucks", "yard", "verdicts", "passages", "events", "hazmat", "chain", "violations"} <= set(found)
    assert set(found["yard"]) == {
        "checks", "crossings", "boom_on_vehicle", "motion_without_command", "crossing_without_record",
    }  # fmt: skip
    assert sum(found["verdicts"].values()) == 11  # one of a dozen gives up


def test_only_what_crossed_is_brought_to_the_judge():
    passages = as_expected()
    assert len(crossings_recorded(passages)) == sum(p["verdict"] == "release" for p in passages)


@pytest.mark.parametrize(
    "changes",
    [
        {"violations": 1},
        {"chain": "record 7 is broken"},
        {"events": {"recorded": 40, "delivered": 39, "parked": 0}},
        {"events": {"recorded": 40, "delivered": 40, "parked": 1}},
        {"hazmat": {"recorded": 1, "delivered": 0}},
    ],
)
def test_anything_lost_or_violated_is_a_failure(changes):
    assert is_consistent(whole())
    assert not is_consistent(whole(**changes))


def test_verdicts_as_planned_are_no_surprise():
    assert surprises(VISITS, as_expected()) == []


def test_another_verdict_another_reason_and_a_missing_passage_are_surprises():
    passages = as_expected()
    assert len(surprises(VISITS, passages[1:])) == 1
    passages[0] = {**passages[0], "verdict": "review"}
    assert len(surprises(VISITS, passages)) == 1
    undecided = next(v for v in VISITS if v.expected.verdict is None)
    assert len(surprises(VISITS, [*as_expected(), passage_of(undecided, "release")])) == 1
