"""What the plan expects of each truck is what the default policy says of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from devices.simulator.demo.draws import secret_for
from devices.simulator.demo.plan import first_visits
from devices.simulator.demo.site import INTERVAL_KG, MAX_CAPACITY_KG
from devices.simulator.demo.stories import Visit
from lanes.policy.engine import assess_document

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def case_of(visit: Visit, seed: int, **seen) -> dict:
    """The case as the service would compose it for this truck, alone on the platform, the centre answering."""
    truck, slip = visit.to_yard(), visit.slip(NOW)
    displayed_kg = (visit.mass_kg + INTERVAL_KG // 2) // INTERVAL_KG * INTERVAL_KG
    weighs = visit.lane.link is not None
    registered = {
        "plate": visit.plate,
        "valid_from_at": None,
        "valid_until_at": (NOW + timedelta(days=1)).isoformat(),
    }
    return {
        "lane": {
            "kind": visit.lane.kind,
            "direction": visit.lane.direction,
            "hazmat": visit.lane.is_hazmat,
            "max_capacity_kg": MAX_CAPACITY_KG if weighs else None,
            "interval_kg": INTERVAL_KG if weighs else None,
            "verified_until_at": (NOW + timedelta(days=1)).isoformat() if weighs else None,
        },
        "site": "K1",
        "scanned": visit.slip_no,
        "found_by": "scan",
        "slips": [slip] if slip else [],
        "vehicle": {
            "plate": truck["plate_read"],
            "trailer_plate": truck["trailer_plate_read"],
            "containers": truck["containers_read"],
            "seals": truck["seals_read"],
            "legal_limit_kg": None,
            **seen,
        },
        "weight": {"gross_kg": displayed_kg} if weighs else None,
        "now_at": NOW.isoformat(),
        "source": "central",
        "as_of": NOW.isoformat(),
        "claim": "refused" if visit.is_used_elsewhere else "not_needed",
        "site_state": {"clock_error_s": 0, "holds_as_of": NOW.isoformat(), "devices_safe": True},
        "known": {"vehicles": [registered] if visit.is_registered else []},
        "policy": None,
        "secret": secret_for(seed),
    }


def judged(visit: Visit, seed: int, **seen) -> tuple[str, tuple[str, ...]]:
    answer = assess_document(case_of(visit, seed, **seen))
    reasons = sorted(check["reason_code"] for check in answer["checks"] if check["verdict"] != "release")
    return answer["verdict"], tuple(reasons)


@pytest.mark.parametrize("seed", [1, 2, 3, 42])
def test_every_truck_gets_the_verdict_and_the_reasons_that_the_plan_expects(seed):
    for visit in first_visits(seed, 240):
        verdict, reasons = judged(visit, seed)
        if visit.expected.verdict is None:  # leaves before a decision; it would have been released or drawn
            assert set(reasons) <= {"spot_check"}
            continue
        assert (visit.story, verdict, reasons) == (visit.story, visit.expected.verdict, visit.expected.reasons)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_unread_plate_supplied_by_the_desk_gives_the_final_verdict(seed):
    unread = [visit for visit in first_visits(seed, 120) if visit.story == "unread_plate"]
    assert unread
    for visit in unread:
        assert visit.answer is not None
        verdict, _ = judged(visit, seed, **visit.answer.fields)
        assert verdict == visit.expected.final


def test_a_hazardous_load_of_the_demo_lacks_nothing():
    hazardous = [visit for visit in first_visits(1, 120) if visit.is_hazmat]
    assert {visit.lane.lane_id for visit in hazardous} == {"in-d1"}
    assert all(judged(visit, 1) == ("release", ()) for visit in hazardous)
