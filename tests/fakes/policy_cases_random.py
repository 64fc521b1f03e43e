"""Passages made from a number: cases of every kind, bent in many ways at once, the same number the same case."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any, Final

from tests.fakes.policy_cases import (
    NOW,
    PLATE,
    SLIP_NO,
    TRAILER,
    case,
    document,
    empty_vehicle,
    goods_line,
    hazardous,
    hazmat_entry,
    outbound,
    registered_goods,
    service,
    slip,
)

Z2: Final = "Z3311I261122000000000002"
BEFORE: Final = "2026-11-20T08:00:00+08:00"
LATER: Final = "2026-11-22T08:00:30+08:00"


def _other(**changes: Any) -> dict[str, Any]:
    return slip(**({"slip_no": Z2, "documents": [document(number="QD2", declaration_no="2")]} | changes))


BASES: Final[tuple[Callable[[], dict[str, Any]], ...]] = (
    case,
    outbound,
    service,
    lambda: service(lane={"direction": "outbound"}, known={"came_in_kg": {PLATE: 29000}}),
    lambda: case(registered_goods()),
    lambda: outbound(registered_goods(category="other")),
    lambda: case(empty_vehicle(), weight={"gross_kg": 16200}),
    lambda: outbound(empty_vehicle(), weight={"gross_kg": 16200}),
    lambda: case(slip(type="7", total_kg=None, goods_gross_kg=None)),
    lambda: case(slip(), _other(type="7", total_kg=None, goods_gross_kg=None)),
    lambda: case(slip(), _other(), weight={"gross_kg": 43800}),
    lambda: case(slip(goods=hazardous(hazmat_entry(), hazmat_entry(un_no="1830", cas=None, **{"class": "8"})))),
    lambda: case(slip(goods=hazardous(hazmat_entry(quantity_kind="limited"), hazmat_entry(quantity_kind="excepted")))),
    lambda: case(slip(goods=hazardous(hazmat_entry(un_no="0027", cas=None, **{"class": "1.1D"}), hazmat_entry()))),
    lambda: case(slip(category="transit", documents=[document(state="submitted")])),
    lambda: outbound(slip(documents=[document(mode="batch", state="accepted")], return_due_at=LATER)),
    lambda: case(slip(goods=[goods_line(controls=["quota"])])),
    lambda: case(slip(type="4", enterprise=None)),
)


def _put(path: str, *values: Any) -> Callable[[random.Random, dict[str, Any]], None]:
    *way, last = path.split(".")

    def change(rng: random.Random, doc: dict[str, Any]) -> None:
        node: Any = doc
        for key in way:
            if isinstance(node, list):
                if not node:
                    return
                node = node[min(int(key), len(node) - 1)]
            else:
                node = node.get(key)
            if not isinstance(node, dict | list):
                return
        node[last] = copy.deepcopy(rng.choice(values))

    return change


def _hold(rng: random.Random, doc: dict[str, Any]) -> None:
    kind = rng.choice(("inspection", "quarantine", "risk", "licence", "safety", "police", "unheard_of"))
    targets = (
        ("vehicle", PLATE),
        ("vehicle", TRAILER),
        ("slip", SLIP_NO),
        ("enterprise", "3311660001"),
        ("document", "2"),
    )
    kind_of, name = rng.choice(targets)
    doc["known"].setdefault("holds", []).append({"kind": kind, "id": "H", "target": {"type": kind_of, "id": name}})


BENDS: Final = (
    _hold,
    _put("lane.kind", "declared", "non_declared"),
    _put("lane.direction", "inbound", "outbound"),
    _put("lane.hazmat", True, False, None),
    _put("lane.max_capacity_kg", None, 20000, 80000),
    _put("lane.interval_kg", None, 10, 20, 50),
    _put("lane.verified_until_at", None, BEFORE, NOW, LATER),
    _put("scanned", None, SLIP_NO, Z2, "Z404"),
    _put("found_by", "scan", "plate"),
    _put("vehicle.plate", PLATE, None, "浙B99999"),
    _put("vehicle.trailer_plate", None, "", TRAILER, "浙B0000挂"),
    _put("vehicle.containers", None, [], ["CSQU3054383"], ["CSQU1234567", "CSQU3054383"]),
    _put("vehicle.seals", None, [], ["E0001"], ["E9"]),
    _put("vehicle.legal_limit_kg", None, 29999, 49000),
    _put("weight", None, {}),
    _put("weight.gross_kg", 0, 9999.999, 29100, 30000.001, 30900, 31500, 80020),
    _put("weight.status", "ok", "overload", "error", None),
    _put("weight.stable", True, False, None),
    _put("source", "local", "central"),
    _put("as_of", None, BEFORE, NOW, LATER, "2026-11-22T04:00:00+08:00"),
    _put("claim", "not_needed", "granted", "refused", "unavailable"),
    _put("site_state.clock_error_s", 0, 29.9, 31, None),
    _put("site_state.holds_as_of", None, BEFORE, NOW),
    _put("site_state.devices_safe", True, False, None),
    _put("secret", None, "00ff", "abcd"),
    _put("slips.0.type", "1", "2", "3", "4", "5", "6", "7", "9"),
    _put("slips.0.bind", None, "1", "2", "3", "4"),
    _put("slips.0.status", "approved", "passed", None),
    _put("slips.0.valid_until_at", None, BEFORE, NOW, LATER),
    _put("slips.0.valid_from_at", None, BEFORE, NOW, LATER),
    _put("slips.0.site_ids", [], ["K1"], ["K1", "K2"], ["K2"]),
    _put("slips.0.category", None, "office", "other", "transit"),
    _put("slips.0.physical", True, False),
    _put("slips.0.total_kg", None, 30000, 30002),
    _put("slips.0.goods_gross_kg", None, 0, 13800),
    _put("slips.0.enterprise.credit", "advanced", "registered", "dishonest", None, "gold"),
    _put("slips.0.enterprise.inside_fence", True, False, None),
    _put("slips.0.signature", None, "e30.e30.AA"),
    _put("slips.0.last_of_declaration", True, False),
    _put("slips.0.longest_stay_h", None, 1, 100),
    _put("slips.0.documents.0.state", "submitted", "accepted", "summary_released", "released", "lost"),
    _put("slips.0.documents.0.mode", None, "ordinary", "two_step", "batch", "fast"),
    _put("slips.0.documents.0.licence", {"required": True, "verified_at_entry": False}, None),
    _put("slips.0.documents.0.inspection", {"required": True, "done": False}, None),
    _put("slips.0.documents.0.guarantee", {"required_cny": 5, "available_cny": 4.5}, None),
    _put("slips.0.goods.0.hazmat", hazmat_entry(), hazmat_entry(un_no="9999"), hazmat_entry(cas="1-1-1"), None),
    _put("known.used", {}, {SLIP_NO: 1}),
    _put("known.revoked", [], [SLIP_NO]),
    _put("known.inside", None, [], [PLATE]),
    _put("known.inside_since_at", {PLATE: BEFORE}, {}),
    _put("known.tares", {}, {PLATE: [13000, 13100, 13900]}, {PLATE: [13000, 13900, 13900]}),
    _put("known.enterprises", [], [{"customs_code": "3311660001", "credit": "advanced"}]),
    _put("known.declarations", [], [{"number": "331120261000000001", "trucks": "many", "total_gross_kg": 20000,
                                     "passed_gross_kg": 9000, "closed": True}]),
    _put("known.temporary_exits", [{"slip_no": "Z9", "customs_code": "3311660001", "return_due_at": BEFORE}], []),
    _put("policy", None, {"spot_check": {"registered": 0.5}}, {"register_on_declared_lane": False},
         {"declared_types": ["1", "5"]}, {"offline": {"slip_max_age_h": 0}}),
)  # fmt: skip


def random_case(number: int) -> dict[str, Any]:
    """One case; most of them have two to seven things out of order."""
    rng = random.Random(number)
    doc = rng.choice(BASES)()
    for bend in rng.sample(BENDS, rng.randrange(9)):
        bend(rng, doc)
    return doc
