"""Every reason code on both sides of its edge. A row: code, a case that fires it, its verdict, one that does not."""

from __future__ import annotations

import pytest

from lanes.policy.reasons import REASONS
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
    non_declared,
    outbound,
    registered_goods,
    service,
    slip,
    verdict_of,
)

Z2 = "Z3311I261122000000000002"
BACK = "2026-11-22T07:59:59+08:00"
LATER = "2026-11-22T08:00:01+08:00"
BOX = {"number": "CSQU3054383", "tare_kg": 2200}
OTHER_BOX = {"number": "HLXU4074106", "tare_kg": 2200}
SHARED = {"number": "331120261000000001", "trucks": "many", "total_gross_kg": 30000, "passed_gross_kg": 0}
EXIT = {"slip_no": "Z9", "customs_code": "3311660001", "return_due_at": BACK, "returned_at": None}


def other(**changes):
    return slip(**({"slip_no": Z2, "documents": [document(number="QD2", declaration_no="2")]} | changes))


def docs(**changes):
    return slip(documents=[document(**changes)])


def batch(available, credit="registered", **changes):
    given = document(mode="batch", state="accepted", guarantee=available, **changes)
    enterprise = {"customs_code": "3311660001", "credit": credit, "inside_fence": True}
    return slip(documents=[given], enterprise=enterprise)


def shared(passed, **changes):
    known = {"declarations": [SHARED | {"passed_gross_kg": passed} | changes.pop("declaration", {})]}
    return case(slip(bind="3", **changes), known=known)


def hold(kind, target_type, target):
    return {"holds": [{"kind": kind, "id": "H1", "target": {"type": target_type, "id": target}}]}


def chemical(**changes):
    return slip(goods=hazardous(hazmat_entry(**changes)))


def mixed(*entries, gross_kg=200):
    return case(slip(goods=hazardous(*entries, gross_kg=gross_kg)))


def explosive(un_no, hazard_class, **changes):
    return hazmat_entry(un_no=un_no, cas=None, **{"class": hazard_class}, **changes)


def local(**changes):
    return case(**({"source": "local"} | changes))


def aged(hours, *slips, **changes):
    """A local case whose copy is so many hours old at ten in the morning."""
    return case(*slips, **({"source": "local", "now_at": "2026-11-22T20:00:00+08:00",
        "as_of": f"2026-11-22T{20 - hours:02d}:00:00+08:00",
        "site_state": {"holds_as_of": "2026-11-22T20:00:00+08:00"}} | changes))  # fmt: skip


TABLE = [
    # 1. lanes
    ("wrong_lane_class", non_declared(slip()), "refuse", case(slip())),
    ("wrong_lane_class", case(registered_goods(), policy={"register_on_declared_lane": False}), "refuse",
     case(registered_goods())),
    ("wrong_lane_class", service(lane={"kind": "declared"}, policy={"register_on_declared_lane": False}), "refuse",
     service(lane={"kind": "declared"})),
    ("wrong_lane_class", non_declared(slip(type="4")), "refuse",
     non_declared(slip(type="4"), policy={"declared_types": ["1", "2", "3", "7"]})),
    ("wrong_direction", case(slip(direction="outbound")), "refuse", case()),
    ("wrong_direction", case(slip(direction=None)), "refuse", outbound()),
    # 2. identity and the slip
    ("slip_unknown", case(slips=[], scanned="Z404"), "review", case(scanned=SLIP_NO)),
    ("slip_unknown", case(slips=[], found_by="plate"), "review", case(found_by="plate")),
    ("slip_unknown", case(scanned=Z2), "review", service()),
    ("slip_ambiguous", case(slip(), other(), found_by="plate"), "review", case(slip(), other(), found_by="scan")),
    ("slip_ambiguous", case(slip(), other(), found_by="plate"), "review",
     case(slip(), other(status="passed"), found_by="plate")),
    ("slip_ambiguous", case(slip(), other(), found_by="plate"), "review",
     case(slip(), other(), found_by="plate", scanned=Z2)),
    ("slip_ambiguous", case(slip(), other(), found_by="plate"), "review",
     case(slip(), other(), found_by="plate", known={"used": {Z2: 1}})),
    ("slip_ambiguous", case(slip(), other(), found_by="plate", known={"used": {Z2: 0}}), "review",
     case(slip(), other(site_ids=["K2"]), found_by="plate")),
    ("slip_signature_invalid", case(slip(signature="e30.e30.AA")), "inspect", case(slip(signature=None))),
    ("slip_revoked", case(known={"revoked": [SLIP_NO]}), "refuse", case(known={"revoked": [Z2]})),
    ("slip_revoked", case(slips=[], scanned="Z1", known={"revoked": ["Z1"]}), "refuse", case(slips=[], scanned="Z1")),
    ("slip_not_approved", case(slip(status="applied")), "refuse", case(slip(status="approved"))),
    ("slip_not_approved", case(slip(status=None)), "refuse", case()),
    ("slip_expired", case(slip(valid_until_at=BACK)), "refuse", case(slip(valid_until_at=NOW))),
    ("slip_not_yet_valid", case(slip(valid_from_at=LATER)), "refuse", case(slip(valid_from_at=NOW))),
    ("slip_used", case(known={"used": {SLIP_NO: 1}}), "refuse", case(known={"used": {SLIP_NO: 0}})),
    ("slip_used", case(slip(pass_limit=2), known={"used": {SLIP_NO: 2}}), "refuse",
     case(slip(pass_limit=2), known={"used": {SLIP_NO: 1}})),
    ("slip_used", case(claim="refused"), "refuse", case(claim="granted")),
    ("slip_other_site", case(slip(site_ids=["K2"])), "refuse", case(slip(site_ids=["K2", "K1"]))),
    ("slip_other_site", case(slip(site_ids=["K2"])), "refuse", case(slip(site_ids=[]))),
    ("slip_book_only", case(slip(physical=False)), "refuse", case(slip(physical=True))),
    ("slip_inconsistent", case(registered_goods(bind="1")), "review", case(registered_goods())),
    ("slip_inconsistent", case(registered_goods(documents=[document()])), "review", case(registered_goods(bind=""))),
    ("slip_inconsistent", case(slip(documents=[])), "review", case(slip(bind=None))),
    ("slip_inconsistent", case(slip(bind="2", documents=[document(), document(number="Q2")])), "review",
     case(slip(bind="2"))),
    ("slip_inconsistent", case(slip(), other(documents=[document()])), "review",
     case(slip(), other(bind="3", documents=[document()]))),
    ("slip_inconsistent", case(slip(type="8")), "review", case(slip(type="2"))),
    ("slip_inconsistent", case(slip(type=None)), "review", case()),
    ("slip_inconsistent", case(slip(type=3)), "review", case()),
    ("slip_inconsistent", case(slip(bind="4")), "review", case(slip(bind="3"))),
    ("slip_inconsistent", case(docs(kind="4")), "review", case(docs(kind=None))),
    ("slip_inconsistent", case(docs(mode="fast")), "review", case(docs(mode=None))),
    ("slip_inconsistent", case(docs(state="lost")), "review", case(docs(state="accepted"))),
    ("slip_inconsistent", case(docs(state=None)), "review", case()),
    ("slip_inconsistent", case(slip(vehicle={"tare_kg": None})), "review", case(slip(vehicle={"tare_kg": 0}))),
    ("slip_inconsistent", case(slip(goods_gross_kg=None)), "review",
     case(slip(type="7", goods_gross_kg=None, total_kg=None))),
    ("slip_inconsistent", case(slip(total_kg="")), "review", case(empty_vehicle())),
    ("plate_unread", case(vehicle={"plate": None}), "review", case()),
    ("plate_unread", case(vehicle={"plate": ""}), "review", case(vehicle={"plate": "浙B99999"})),
    ("plate_mismatch", case(vehicle={"plate": "浙B99999"}), "review", case(vehicle={"plate": "浙b·12345"})),
    ("plate_mismatch", case(slip(), other(vehicle={"plate": "浙B99999"})), "review", case(slip(), other())),
    ("trailer_mismatch", case(vehicle={"trailer_plate": "浙B0000挂"}), "review", case()),
    ("trailer_mismatch", case(vehicle={"trailer_plate": ""}), "review", case(vehicle={"trailer_plate": None})),
    ("trailer_mismatch", case(slip(vehicle={"trailer_plate": None})), "review",
     case(slip(vehicle={"trailer_plate": None}), vehicle={"trailer_plate": ""})),
    ("container_mismatch", case(vehicle={"containers": []}), "review", case(vehicle={"containers": None})),
    ("container_mismatch", case(vehicle={"containers": ["HLXU4074106"]}), "review",
     case(vehicle={"containers": ["CSQU 305438-3"]})),
    ("container_mismatch", case(slip(containers=[BOX, OTHER_BOX])), "review",
     case(slip(containers=[OTHER_BOX, BOX]), vehicle={"containers": ["CSQU3054383", "HLXU4074106"]})),
    ("container_number_invalid", case(vehicle={"containers": ["CSQU1234567"]}), "review", case()),
    ("container_number_invalid", case(slip(containers=[{"number": "CSQU3054384"}])), "review",
     case(slip(containers=[]))),
    ("seal_mismatch", case(vehicle={"seals": []}), "inspect", case(vehicle={"seals": None})),
    ("seal_mismatch", case(vehicle={"seals": ["E0001", "E0002"]}), "inspect", case(vehicle={"seals": ["e0001"]})),
    ("not_looked_at", case(vehicle={"seals": None}), "release", case(slip(seals=[]), vehicle={"seals": None})),
    ("not_looked_at", case(vehicle={"containers": None}), "release", case(vehicle={"containers": []})),
    ("not_looked_at", case(vehicle={"trailer_plate": None}), "release", case()),
    ("total_weight_sum", case(slip(total_kg=30001.001)), "release", case(slip(total_kg=30001))),
    ("total_weight_sum", case(empty_vehicle(total_kg=16202)), "release", case(empty_vehicle(total_kg=16201))),
    ("total_weight_sum", case(slip(total_kg=29998)), "release", case(slip(total_kg=29998, goods_gross_kg=None))),
    ("gate_field_missing", case(registered_goods(goods=[])), "review", case(slip(goods=[]))),
    ("gate_field_missing", case(registered_goods(goods=[goods_line(unit=" ")])), "review",
     case(registered_goods(goods=[goods_line(item_no=None, hs_code=None)]))),
    ("gate_field_missing", case(registered_goods(category="other", goods=[goods_line(hs_code="")])), "review",
     case(registered_goods(category=None, goods=[goods_line(item_no="")]))),
    ("gate_field_missing", case(registered_goods(goods=[goods_line(gross_kg=None)])), "review",
     case(registered_goods(goods=[goods_line(gross_kg=0, quantity=0)]))),
    ("not_registered", service(known={"vehicles": []}), "refuse", service()),
    ("not_registered", service(known={"vehicles": [{"plate": PLATE, "valid_until_at": BACK}]}), "refuse",
     service(known={"vehicles": [{"plate": PLATE, "valid_until_at": NOW}]})),
    ("not_registered", service(known={"vehicles": []}), "refuse",
     service(known={"vehicles": []}, vehicle={"plate": None})),
    ("not_registered", service(known={"vehicles": []}), "refuse", service(known={"vehicles": []}, scanned="Z1")),
    ("already_inside", case(known={"inside": [PLATE]}), "review", case(known={"inside": []})),
    ("not_inside", outbound(known={"inside": []}), "review", outbound(known={"inside": [PLATE]})),
    ("not_inside", outbound(known={"inside": []}), "review", outbound(known={"inside": None})),
    ("overstay", outbound(slip(longest_stay_h=2), known={"inside_since_at": {PLATE: "2026-11-22T05:59:59+08:00"}}),
     "release", outbound(slip(longest_stay_h=2), known={"inside_since_at": {PLATE: "2026-11-22T06:00:00+08:00"}})),
    ("overstay", service(lane={"direction": "outbound"}, known={
        "vehicles": [{"plate": PLATE, "longest_stay_h": 1}], "inside_since_at": {PLATE: "2026-11-22T06:00:00+08:00"}}),
     "release", service(known={
        "vehicles": [{"plate": PLATE, "longest_stay_h": 1}], "inside_since_at": {PLATE: "2026-11-22T06:00:00+08:00"}})),
    # 3. documents
    ("document_not_released", case(docs(state="summary_released")), "review", case(docs(state="released"))),
    ("document_not_released", case(docs(mode="two_step", state="accepted")), "review",
     case(docs(mode="two_step", state="summary_released"))),
    ("document_not_released", outbound(docs(mode="two_step", state="summary_released")), "review",
     outbound(docs(mode="two_step", state="released"))),
    ("document_not_released", case(docs(mode="batch", state="submitted")), "review",
     case(docs(mode="batch", state="accepted"))),
    ("document_not_released", case(slip(type="1", documents=[document(state="submitted")])), "review",
     case(slip(type="1", documents=[document(state="accepted")]))),
    ("document_not_released", outbound(slip(type="1", documents=[document(state="accepted")])), "review",
     case(slip(category="transit", documents=[document(state="submitted")]))),
    ("guarantee_insufficient", outbound(batch({"required_cny": 100.01, "available_cny": 100})), "review",
     outbound(batch({"required_cny": 100, "available_cny": 100}))),
    ("guarantee_insufficient", outbound(batch(None)), "review", case(batch(None))),
    ("guarantee_insufficient", outbound(batch(None)), "review", outbound(batch(None, credit="advanced"))),
    ("guarantee_exempt", outbound(batch(None, credit="advanced")), "release",
     outbound(batch({"required_cny": 1, "available_cny": 1}, credit="advanced"))),
    ("licence_not_verified", case(docs(licence={"required": True, "verified_at_entry": False})), "inspect",
     case(docs(licence={"required": True, "verified_at_entry": True}))),
    ("licence_not_verified", outbound(docs(licence={"required": True})), "inspect", outbound(docs(licence=None))),
    ("inspection_due", case(docs(inspection={"required": True, "done": False})), "inspect",
     case(docs(inspection={"required": True, "done": True}))),
    ("hold", case(slip(holds=[{"kind": "risk", "id": "H"}])), "inspect", case()),
    ("hold", case(known=hold("police", "slip", SLIP_NO)), "detain", case(known=hold("police", "slip", Z2))),
    ("hold", case(known=hold("licence", "document", "331120261000000001")), "inspect",
     case(known=hold("licence", "slip", "331120261000000001"))),
    ("hold", case(known=hold("risk", "enterprise", "91330000000000000X")), "inspect",
     case(known=hold("risk", "enterprise", "X"))),
    ("hold", case(known=hold("safety", "vehicle", TRAILER), vehicle={"trailer_plate": None}), "inspect",
     case(known=hold("safety", "vehicle", "浙B0001挂"))),
    ("hold", service(known=hold("police", "vehicle", PLATE)), "detain", service(known=hold("police", "slip", PLATE))),
    ("hold", case(slip(category="transit"), known=hold("quarantine", "slip", SLIP_NO)), "inspect",
     case(slip(category="transit"), known=hold("inspection", "slip", SLIP_NO))),
    ("hold", case(known=hold("unheard_of", "slip", SLIP_NO)), "inspect", case(known=hold("risk", "slip", "Z3"))),
    ("hold", case(known=hold("risk", "vehicle", "浙B9999挂"), vehicle={"trailer_plate": "浙B9999挂"}), "inspect",
     case(slip(category="transit"), known=hold("risk", "vehicle", "浙B9999挂"),
          vehicle={"trailer_plate": "浙B9999挂"})),
    ("hold", service(known=hold("risk", "vehicle", PLATE)), "inspect", service(known=hold("risk", "vehicle", "浙B1"))),
    ("hold", case(known=hold("risk", "misspelt", SLIP_NO)), "inspect", case(known=hold("risk", "misspelt", "Z3"))),
    ("hold", case(known=hold("risk", "misspelt", "浙B·12345")), "inspect", case(known=hold("risk", "misspelt", "x"))),
    ("spot_check", case(registered_goods(), policy={"spot_check": {"registered": 1}}), "inspect",
     case(registered_goods(), policy={"spot_check": {"registered": 0}})),
    ("spot_check", case(registered_goods(), secret=None), "inspect",
     case(registered_goods(), secret=None, policy={"spot_check": {"registered": 0}})),
    ("spot_check", case(registered_goods(enterprise=None), policy={"spot_check": {"registered": 0}}), "inspect",
     case(slip(enterprise=None))),
    ("spot_check", service(policy={"spot_check": {"service": 1}}), "inspect", service()),
    ("declaration_exceeded", shared(17100.001), "review", shared(17100)),
    ("declaration_exceeded", shared(17100.001), "review", shared(17100.001, declaration={"trucks": "one"})),
    ("declaration_short", shared(15299.999, last_of_declaration=True), "review",
     shared(15300, last_of_declaration=True)),
    ("declaration_short", shared(0, declaration={"closed": True}), "review", shared(0)),
    ("outside_fence", case(slip(type="4", enterprise={"credit": "registered", "inside_fence": False})), "review",
     case(slip(type="3", enterprise={"credit": "registered", "inside_fence": False}))),
    ("outside_fence", case(slip(type="4", enterprise={"credit": "registered", "inside_fence": False})), "review",
     case(slip(type="4"))),
    ("return_overdue", outbound(slip(return_due_at=LATER), known={"temporary_exits": [EXIT]}), "review",
     outbound(known={"temporary_exits": [EXIT]})),
    ("return_overdue", outbound(slip(return_due_at=LATER), known={"temporary_exits": [EXIT]}), "review",
     outbound(slip(return_due_at=LATER), known={"temporary_exits": [EXIT | {"return_due_at": NOW}]})),
    ("return_overdue", outbound(slip(return_due_at=LATER), known={"temporary_exits": [EXIT]}), "review",
     outbound(slip(return_due_at=LATER), known={"temporary_exits": [EXIT | {"returned_at": BACK}]})),
    # 4. weight: strict allows max(100 kg, 3 % of 30 000 kg) = 900 kg
    ("weight_mismatch", case(weight={"gross_kg": 30900.001}), "review", case(weight={"gross_kg": 30900})),
    ("weight_mismatch", case(weight={"gross_kg": 29099.999}), "review", case(weight={"gross_kg": 29100})),
    ("weight_mismatch", outbound(weight={"gross_kg": 31501}), "review", outbound(weight={"gross_kg": 31500})),
    ("over_capacity", case(weight={"gross_kg": 80000.001}), "refuse", case(weight={"gross_kg": 80000})),
    ("over_capacity", case(weight={"gross_kg": None, "status": "overload"}), "refuse",
     case(weight={"gross_kg": None, "status": "error"})),
    ("over_capacity", case(vehicle={"legal_limit_kg": 29999}), "refuse", case(vehicle={"legal_limit_kg": 30000})),
    ("weight_missing", case(weight=None), "review", case()),
    *[("weight_missing", case(weight={flag: None}), "review", service(weight={flag: None}))
      for flag in ("stable", "fresh", "whole", "zeroed", "status", "gross_kg")],
    ("weight_missing", case(lane={"verified_until_at": BACK}), "review", case(lane={"verified_until_at": NOW})),
    ("weight_missing", case(registered_goods(), weight=None, secret=None), "review",
     case(registered_goods(), weight=None, policy={"spot_check": {}}, draws={f"weigh:{SLIP_NO}": False})),
    ("not_empty", case(empty_vehicle(), weight={"gross_kg": 17820.001}), "review",
     case(empty_vehicle(), weight={"gross_kg": 17820})),
    ("not_empty", case(empty_vehicle(), weight={"gross_kg": 17000}, known={"tares": {PLATE: [12000]}}), "review",
     case(empty_vehicle(), weight={"gross_kg": 16000}, known={"tares": {PLATE: [12000]}})),
    ("service_gain", service(lane={"direction": "outbound"}, known={"came_in_kg": {PLATE: 3000}},
                             weight={"gross_kg": 3200.001}), "review",
     service(lane={"direction": "outbound"}, known={"came_in_kg": {PLATE: 3000}}, weight={"gross_kg": 3200})),
    ("service_gain", service(lane={"direction": "outbound"}, known={"came_in_kg": {PLATE: 3000}}), "review",
     service(known={"came_in_kg": {PLATE: 3000}})),
    ("tare_drift", case(known={"tares": {PLATE: [10000, 10000, 10300.001]}}), "release",
     case(known={"tares": {PLATE: [10000, 10000, 10300]}})),
    ("tare_drift", case(known={"tares": {PLATE: [10000, 10400, 10400]}}), "review",
     case(known={"tares": {PLATE: [10000, 10400]}})),
    # 5. hazardous chemicals
    ("hazmat_lane", case(chemical(), lane={"hazmat": False}), "refuse", case(chemical())),
    ("hazmat_lane", case(slip(goods=hazardous(hazmat_entry(quantity_kind="limited"), gross_kg=8000.001)),
                         lane={"hazmat": False}), "refuse",
     case(slip(goods=hazardous(hazmat_entry(quantity_kind="limited"), gross_kg=8000)), lane={"hazmat": False})),
    ("hazmat_lane", case(chemical(quantity_kind="excepted", packages=1001), lane={"hazmat": False}), "refuse",
     case(chemical(quantity_kind="excepted", packages=1000), lane={"hazmat": False})),
    ("hazmat_lane", case(chemical(flag=False), lane={"hazmat": False}), "refuse",
     case(chemical(flag=False, un_no=None), lane={"hazmat": False})),
    ("hazmat_undeclared", case(registered_goods(goods=hazardous(hazmat_entry()))), "inspect", case(chemical())),
    *[("hazmat_incomplete", case(chemical(**{field: None})), "review", case(chemical(**kept)))
      for field, kept in (("un_no", {}), ("name", {"cas": None}), ("class", {}), ("net_kg", {"net_kg": 0}),
                          ("storage_unit", {}), ("emergency_phone", {}))],
    ("hazmat_un_unknown", case(chemical(un_no="9999")), "review", case(chemical(un_no="UN 1090"))),
    ("hazmat_un_unknown", case(chemical(un_no="3002", **{"class": "6.1"})), "review", case(chemical(un_no=None))),
    ("hazmat_un_unknown", case(chemical(un_no="1169")), "review", case(chemical(un_no="1798", **{"class": "8"}))),
    ("hazmat_class_mismatch", case(chemical(**{"class": "8"})), "review", case(chemical())),
    ("hazmat_class_mismatch", case(chemical(un_no="1978", **{"class": "2.4"})), "review",
     case(chemical(un_no="1978", **{"class": "2.1"}))),
    ("hazmat_class_mismatch", mixed(explosive("0004", "1.2D")), "review", mixed(explosive("0004", "1.1"))),
    ("hazmat_class_mismatch", mixed(explosive("0004", "1.1A")), "review", mixed(explosive("0004", "1.1D"))),
    ("hazmat_cas_invalid", case(chemical(cas="67-64-2")), "review", case(chemical(cas=None))),
    ("hazmat_mixing", mixed(hazmat_entry(), explosive("0004", "1.1D")), "review",
     mixed(hazmat_entry(), hazmat_entry(un_no="2031", **{"class": "8"}, subsidiary=["5.1"]))),
    ("hazmat_mixing", mixed(explosive("0004", "1.1D"), explosive("0005", "1.1F")), "review",
     mixed(explosive("0004", "1.1D"), explosive("0004", "1.1D"))),
    ("hazmat_mixing", mixed(hazmat_entry(), explosive("0116", "1.4G")), "review",
     mixed(hazmat_entry(), explosive("0012", "1.4"))),
    ("hazmat_mixing", mixed(explosive("3221", "4.1", subsidiary=["1"]), explosive("1325", "4.1")), "review",
     mixed(explosive("3221", "4.1", subsidiary=["1"]), explosive("3221", "4.1", subsidiary=["1"]))),
    ("hazmat_mixing", mixed(explosive("2211", "9"), explosive("0004", "1.1D")), "review",
     mixed(explosive("3268", "9"), explosive("0004", "1.1D"))),
    ("hazmat_mixing", mixed(hazmat_entry(quantity_kind="limited"), explosive("0004", "1.1D")), "review",
     mixed(hazmat_entry(quantity_kind="excepted"), explosive("0004", "1.1D"))),
    ("hazmat_mixing", mixed(hazmat_entry(), explosive("9999", "77")), "review",
     mixed(hazmat_entry(quantity_kind="limited"), explosive("9999", "77"))),
    # 6. when the centre cannot be reached
    ("copy_stale", aged(5), "review", aged(4)),
    ("copy_stale", local(as_of=None), "review", case(as_of=None)),
    ("copy_stale", local(as_of=LATER), "review", local(as_of=NOW)),
    ("copy_stale", local(slips=[chemical()]), "review",
     local(slips=[chemical()], policy={"offline": {"hazmat_max_age_h": 1}})),
    ("holds_stale", local(site_state={"holds_as_of": "2026-11-21T07:59:59+08:00"}), "review",
     local(site_state={"holds_as_of": "2026-11-21T08:00:00+08:00"})),
    ("holds_stale", local(site_state={"holds_as_of": None}), "review", case(site_state={"holds_as_of": None})),
    ("holds_stale", local(policy={"offline": {"hold_max_age_h": 0}}), "review", local()),
    ("claim_unavailable", local(slips=[slip(site_ids=[])], claim="unavailable"), "review",
     local(claim="unavailable")),
    ("claim_unavailable", local(slips=[slip(site_ids=["K1", "K2"])], claim=None), "review",
     local(slips=[slip(site_ids=["K1", "K2"])], claim="granted")),
    ("clock_untrusted", case(slip(valid_until_at=LATER), site_state={"clock_error_s": 1.001}), "review",
     case(slip(valid_until_at=LATER), site_state={"clock_error_s": 1})),
    ("clock_untrusted", case(slip(valid_from_at=BACK), site_state={"clock_error_s": 1.001}), "review",
     case(slip(valid_from_at=BACK), site_state={"clock_error_s": 1})),
    ("clock_untrusted", aged(4, site_state={"clock_error_s": 1, "holds_as_of": "2026-11-22T20:00:00+08:00"}), "review",
     aged(4, source="central", site_state={"clock_error_s": 1})),
    ("clock_untrusted", case(lane={"verified_until_at": LATER}, site_state={"clock_error_s": 2}), "review",
     case(lane={"verified_until_at": None}, site_state={"clock_error_s": 2})),
    ("clock_untrusted", case(site_state={"clock_error_s": None}), "review", case(site_state={"clock_error_s": 60})),
    ("clock_untrusted", outbound(slip(return_due_at=LATER), known={"temporary_exits": [EXIT]},
                                 site_state={"clock_error_s": 2}), "review",
     outbound(known={"temporary_exits": [EXIT]}, site_state={"clock_error_s": 2})),
    ("device_unconfirmed", case(site_state={"devices_safe": None}), "review", case(site_state={"devices_safe": True})),
    ("device_unconfirmed", case(site_state={"devices_safe": False}), "review", case(site_state={})),
    ("record_unwritable", case(site_state={"record_writable": False}), "review", case()),
]  # fmt: skip


@pytest.mark.parametrize(("code", "fires", "verdict", "quiet"), TABLE, ids=[f"{n}-{r[0]}" for n, r in enumerate(TABLE)])
def test_the_reason_fires_with_its_verdict_and_stays_quiet_beyond_its_edge(code, fires, verdict, quiet):
    assert verdict_of(fires, code) == verdict
    assert verdict_of(quiet, code) is None


def test_every_reason_code_has_a_row():
    assert {row[0] for row in TABLE} == set(REASONS)
