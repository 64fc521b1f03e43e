"""Which lane a vehicle should take, and every condition each other lane fails."""

from __future__ import annotations

import pytest

from gate_service.domain.errors import CaseError
from lanes.routing import route_document
from tests.fakes.policy_cases import SLIP_NO, empty_vehicle, hazardous, hazmat_entry, registered_goods, slip


def lane(lane_id="L1", **changes):
    base = {
        "id": lane_id, "kind": "declared", "direction": "inbound", "open": True, "healthy": True, "hazmat": True,
        "weighs": True, "max_capacity_kg": 80000, "queue": 0, "mean_passage_s": 40,
    }  # fmt: skip
    return base | changes


def routed(*lanes, slips=None, **changes):
    given = [slip()] if slips is None else slips
    return route_document(
        {"lanes": list(lanes), "slips": given, "vehicle": {}, "policy": None, "secret": "00"} | changes
    )


CHEMICAL = slip(goods=hazardous(hazmat_entry()))
LIMITED = slip(goods=hazardous(hazmat_entry(quantity_kind="limited")))


@pytest.mark.parametrize(
    ("option", "slips", "failed"),
    [
        (lane(open=False), None, ["lane_closed"]),
        (lane(open=None), None, ["lane_closed"]),
        (lane(healthy=False), None, ["device_unhealthy"]),
        (lane(kind="non_declared"), None, ["wrong_lane_class"]),
        (lane(direction="outbound"), None, ["wrong_direction"]),
        (lane(max_capacity_kg=29999), None, ["over_capacity"]),
        (lane(max_capacity_kg=30000), None, []),
        (lane(max_capacity_kg=None), None, []),
        (lane(hazmat=False), None, []),
        (lane(hazmat=False), [CHEMICAL], ["hazmat_lane"]),
        (lane(hazmat=False), [LIMITED], []),
        (lane(weighs=False), None, ["no_weighbridge"]),
        (lane(weighs=False), [], []),
        (lane(kind="non_declared", weighs=False), [], []),
        (
            lane(open=False, healthy=False, kind="non_declared", direction="outbound", max_capacity_kg=1,
                 hazmat=False, weighs=False),
            [CHEMICAL],
            ["lane_closed", "device_unhealthy", "wrong_lane_class", "wrong_direction", "over_capacity",
             "hazmat_lane", "no_weighbridge"],
        ),
    ],
)  # fmt: skip
def test_a_lane_that_does_not_fit_tells_every_failed_condition(option, slips, failed):
    answer = routed(option, slips=slips)
    assert answer == ({"lane": None, "refused": {"L1": failed}} if failed else {"lane": "L1", "refused": {}})


def test_weighs_left_out_is_true():
    option = lane()
    del option["weighs"]
    assert routed(option)["lane"] == "L1"


def test_the_shortest_wait_wins_and_ties_go_to_the_first_listed():
    rows = (("A", 3, 30), ("B", 2, 45), ("C", 1, 90))
    lanes = [lane(n, queue=q, mean_passage_s=s) for n, q, s in rows]
    assert routed(*lanes) == {"lane": "A", "refused": {}}
    assert routed(*lanes, lane("D", queue=1, mean_passage_s=89.9))["lane"] == "D"
    assert routed(lane("A", queue=None), lane("B", queue=9))["lane"] == "B"


def test_the_draw_is_made_before_routing():
    option = lane(kind="non_declared", weighs=False)
    drawn = {"spot_check": {"registered": 0}}
    for make in (registered_goods(), empty_vehicle()):
        assert routed(option, slips=[make], draws={f"weigh:{SLIP_NO}": True})["lane"] is None
        assert routed(option, slips=[make], draws={f"weigh:{SLIP_NO}": False})["lane"] == "L1"
        assert routed(option, slips=[make], secret=None, policy=drawn)["refused"] == {"L1": ["no_weighbridge"]}


def test_registered_goods_take_a_declared_lane_only_where_policy_lets_them():
    assert routed(lane(), slips=[registered_goods()])["lane"] == "L1"
    policy = {"register_on_declared_lane": False}
    assert routed(lane(), slips=[registered_goods()], policy=policy)["refused"] == {"L1": ["wrong_lane_class"]}
    assert routed(lane(), slips=[], policy=policy)["refused"] == {"L1": ["wrong_lane_class"]}


def test_no_lane_is_no_answer_and_a_doubled_lane_is_a_mistake():
    assert route_document({}) == {"lane": None, "refused": {}}
    with pytest.raises(CaseError, match=r"lanes\[1\]\.id"):
        routed(lane("A"), lane("A"))
