"""Release slips for tests: placeholders that pass every rule unless changed."""

from __future__ import annotations

from typing import Any


def sound_slip(**changes: Any) -> dict[str, Any]:
    """A slip of type 3, inbound, in order: vehicle 13 t, trailer 1 t, container 2.2 t, goods 16.24 t."""
    slip: dict[str, Any] = {
        "slip_no": "Z3311I261122000000000001", "version": 7, "type": "3", "direction": "inbound", "bind": "1",
        "status": "approved", "valid_from_at": None, "valid_until_at": "2026-12-25T00:00:00+08:00", "site_ids": ["K1"],
        "pass_limit": 1,
        "vehicle": {
            "plate": "浙B12345", "tare_kg": 13000, "trailer_plate": None, "trailer_tare_kg": 1000, "e_plate": None,
        },
        "containers": [{"number": "CSQU3054383", "type": "22G1", "tare_kg": 2200}], "seals": [],
        "goods_gross_kg": 16240, "goods_net_kg": 16000, "total_kg": 32440,
        "documents": [
            {
                "kind": "1", "number": "QD331126I000000001", "declaration_no": "331120261000000001", "mode": "ordinary",
                "state": "released", "licence": {"required": False, "verified_at_entry": False},
                "inspection": {"required": False, "done": False}, "guarantee": None,
            }
        ],
        "goods": [
            {
                "line": 1, "item_no": "A-1", "hs_code": "8542319000", "name": "电路", "quantity": 100, "unit": "007",
                "gross_kg": 16240, "net_kg": 16000, "class": "bonded", "controls": [], "hazmat": None,
            }
        ],
        "enterprise": {
            "customs_code": "3311660001", "uscc": "91330000000000000X", "name": "示例企业", "credit": "advanced",
            "inside_fence": True,
        },
        "driver": {"name": "示例", "escort": None}, "holds": [], "physical": True, "category": None,
        "longest_stay_h": None, "return_due_at": None, "last_of_declaration": False, "signature": None,
    }  # fmt: skip
    return {**slip, **changes}
