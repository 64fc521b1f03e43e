"""One good case for the rules, and short ways to bend it. Every test starts from a truck that is released."""

from __future__ import annotations

import copy
from typing import Any

from lanes.policy.engine import assess_document

Document = dict[str, Any]

SLIP_NO = "Z3311I261122000000000001"
PLATE = "浙B12345"
TRAILER = "浙B1234挂"
NOW = "2026-11-22T08:00:00+08:00"


def goods_line(**changes: Any) -> Document:
    line: Document = {
        "line": 1, "item_no": "A-1", "hs_code": "8542319000", "name": "goods", "quantity": 100, "unit": "007",
        "gross_kg": 200, "net_kg": 180, "class": "bonded", "controls": [], "hazmat": None,
    }  # fmt: skip
    return line | changes


def hazmat_entry(**changes: Any) -> Document:
    entry: Document = {
        "flag": True, "un_no": "1090", "name": "丙酮", "cas": "67-64-1", "class": "3", "subsidiary": [],
        "packing_group": "II", "net_kg": 160, "packages": 8, "storage_unit": "W3", "emergency_phone": "000",
        "quantity_kind": None,
    }  # fmt: skip
    return entry | changes


def hazardous(*entries: Document, gross_kg: float = 200) -> list[Document]:
    return [goods_line(line=n, gross_kg=gross_kg, hazmat=e) for n, e in enumerate(entries, 1)]


def document(**changes: Any) -> Document:
    base: Document = {
        "kind": "1", "number": "QD331126I000000001", "declaration_no": "331120261000000001", "mode": "ordinary",
        "state": "released", "licence": {"required": False, "verified_at_entry": False},
        "inspection": {"required": False, "done": False}, "guarantee": None,
    }  # fmt: skip
    return base | changes


def slip(**changes: Any) -> Document:
    """An approved inbound slip of 30 000 kg; `vehicle` given is merged."""
    vehicle = {"plate": PLATE, "tare_kg": 13000, "trailer_plate": TRAILER, "trailer_tare_kg": 1000, "e_plate": None}
    base: Document = {
        "slip_no": SLIP_NO, "version": 7, "type": "3", "direction": "inbound", "bind": "1", "status": "approved",
        "valid_from_at": None, "valid_until_at": "2026-11-25T00:00:00+08:00", "site_ids": ["K1"], "pass_limit": 1,
        "containers": [{"number": "CSQU3054383", "type": "22G1", "tare_kg": 2200}], "seals": ["E0001"],
        "goods_gross_kg": 13800, "goods_net_kg": 13000, "total_kg": 30000, "documents": [document()],
        "goods": [goods_line()],
        "enterprise": {"customs_code": "3311660001", "uscc": "91330000000000000X", "name": "Placeholder",
                       "credit": "registered", "inside_fence": True},
        "driver": None, "holds": [], "physical": True, "category": None, "longest_stay_h": None,
        "return_due_at": None, "last_of_declaration": False, "signature": None,
    }  # fmt: skip
    vehicle |= changes.pop("vehicle", {})
    return base | {"vehicle": vehicle} | changes


def registered_goods(**changes: Any) -> Document:
    """A type 5 slip: no bind, no documents."""
    return slip(**({"type": "5", "bind": None, "documents": [], "category": "office"} | changes))


def empty_vehicle(**changes: Any) -> Document:
    """A type 6 slip of 16 200 kg."""
    given = {"type": "6", "bind": None, "documents": [], "goods": [], "goods_gross_kg": None, "total_kg": 16200}
    return slip(**(given | changes))


def case(*slips: Document, **changes: Any) -> Document:
    """A good inbound case; lane, vehicle, weight, site_state and known are merged, everything else replaces."""
    base: Document = {
        "lane": {"kind": "declared", "direction": "inbound", "hazmat": True, "max_capacity_kg": 80000,
                 "interval_kg": 20, "verified_until_at": None},
        "site": "K1", "scanned": None, "found_by": "scan", "slips": list(slips) or [slip()],
        "vehicle": {"plate": PLATE, "trailer_plate": TRAILER, "containers": ["CSQU3054383"], "seals": ["E0001"],
                    "legal_limit_kg": None},
        "weight": {"gross_kg": 30000, "status": "ok", "stable": True, "fresh": True, "whole": True, "zeroed": True},
        "now_at": NOW, "source": "central", "as_of": NOW, "claim": "not_needed",
        "site_state": {"clock_error_s": 0, "holds_as_of": NOW, "devices_safe": True},
        "known": {}, "policy": None, "secret": "00ff",
    }  # fmt: skip
    for part in ("lane", "vehicle", "weight", "site_state", "known"):
        if isinstance(changes.get(part), dict):
            base[part] |= changes.pop(part)
    return copy.deepcopy(base | changes)


def outbound(*slips: Document, **changes: Any) -> Document:
    """The same case on the way out."""
    turned = [s | {"direction": "outbound"} for s in slips or (slip(),)]
    changes["lane"] = {"direction": "outbound"} | changes.get("lane", {})
    return case(*turned, **changes)


def service(**changes: Any) -> Document:
    """A registered vehicle without a slip on the non-declared lane."""
    known = {"vehicles": [{"plate": PLATE, "valid_from_at": None, "valid_until_at": None}]} | changes.pop("known", {})
    changes["lane"] = {"kind": "non_declared"} | changes.get("lane", {})
    policy = changes.pop("policy", {"spot_check": {"service": 0}})
    return case(**({"slips": [], "known": known, "policy": policy} | changes))


def non_declared(*slips: Document, **changes: Any) -> Document:
    """A case on the non-declared lane without spot checks."""
    changes["lane"] = {"kind": "non_declared"} | changes.get("lane", {})
    rates = {"advanced": 0, "registered": 0, "dishonest": 0, "service": 0}
    return case(*slips, **({"policy": {"spot_check": rates}} | changes))


def reasons(doc: Document) -> set[str]:
    return {check["reason_code"] for check in assess_document(doc)["checks"]}


def verdict_of(doc: Document, code: str) -> str | None:
    """The verdict this reason asks for in the case, or None where it did not fire."""
    return next((c["verdict"] for c in assess_document(doc)["checks"] if c["reason_code"] == code), None)
