"""The score of a drill: right, stricter, wrong and dangerous; late costs a little."""

from dataclasses import replace

import pytest

from devices.simulator.demo.plan import visits_from
from gate_service.cli.drill_score import score


@pytest.fixture(scope="module")
def visit():
    """A truck that the desk must turn back, by the plan."""
    source = visits_from(1, 0)
    return next(v for v in source if v.expected.final == "refuse" and v.answer.command == "turn_back")


def passage(visit, disposition, seconds=30):
    return {
        "scanned": [visit.slip_no] if visit.slip_no else [],
        "plate": visit.plate,
        "disposition": disposition,
        "opened_at": "2026-11-24T08:00:00+00:00",
        "closed_at": f"2026-11-24T08:{seconds // 60:02}:{seconds % 60:02}+00:00",
    }


@pytest.mark.parametrize(
    ("disposition", "points", "is_dangerous"),
    [("back_out", 10, False), ("divert", 10, False), ("yard_inside", 0, False), ("release", 0, True), (None, 0, False)],
)
def test_what_was_done_with_a_refused_truck(visit, disposition, points, is_dangerous):
    found = score([visit], [passage(visit, disposition)], 1.0)
    assert (found["points"], found["of"], found["dangerous"]) == (points, 10, int(is_dangerous))


def test_stricter_than_right_gets_half_and_late_costs_a_point_each_time(visit):
    inspected = replace(visit, answer=None, expected=replace(visit.expected, verdict="inspect", final="inspect"))
    assert score([inspected], [passage(visit, "back_out")], 1.0)["points"] == 5
    assert score([visit], [passage(visit, "back_out", 300)], 1.0)["points"] == 8
    assert score([visit], [passage(visit, "back_out", 30)], 10.0)["points"] == 8
    assert score([visit], [passage(visit, "back_out", 3000)], 1.0)["points"] == 5


def test_a_truck_that_needs_nobody_is_not_scored_and_one_that_was_lost_gets_nothing(visit):
    honest = replace(visit, answer=None, expected=replace(visit.expected, verdict="release", final="release"))
    assert score([honest], [], 1.0) == {
        "trucks_for_a_person": 0, "points": 0, "of": 0, "percent": 100, "dangerous": 0, "marks": [],
    }  # fmt: skip
    assert score([visit], [], 1.0)["percent"] == 0
