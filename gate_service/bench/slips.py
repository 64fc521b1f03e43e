"""Made-up slips that the rules release: placeholders, each with a vehicle and a declaration of its own."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from gate_service.domain.ports import Clock
from sync.central.wire import ChangesPage
from sync.slip_cache import SlipCache

SITE: Final = "K1"
GROSS_KG: Final = 32440
CONTAINER: Final = "CSQU3054383"  # the example of ISO 6346
PAGE: Final = 500  # as the centre sends them


def slip_no(index: int) -> str:
    """Number of the slip with this index."""
    return f"Z3311I2611{index:014d}"


def plate(index: int) -> str:
    """Plate of its vehicle."""
    return f"浙B{index:05d}"


def slip(index: int, valid_until: datetime, documents: int = 1) -> dict[str, Any]:
    """Make an approved inbound slip of 32 440 kg bound to this site; the goods are spread over its documents."""
    goods_kg = 16240
    return {
        "slip_no": slip_no(index), "version": 1, "type": "3", "direction": "inbound", "bind": "1",
        "status": "approved", "valid_from_at": None, "valid_until_at": valid_until.isoformat(), "site_ids": [SITE],
        "pass_limit": 1,
        "vehicle": {
            "plate": plate(index), "tare_kg": 13000, "trailer_plate": None, "trailer_tare_kg": 1000, "e_plate": None,
        },
        "containers": [{"number": CONTAINER, "type": "22G1", "tare_kg": 2200}], "seals": [],
        "goods_gross_kg": goods_kg, "goods_net_kg": 16000, "total_kg": GROSS_KG,
        "documents": [_document(index, number) for number in range(documents)],
        "goods": [_goods(line, goods_kg // documents) for line in range(1, documents + 1)],
        "enterprise": {
            "customs_code": "3311660001", "uscc": "91330000000000000X", "name": "示例企业", "credit": "advanced",
            "inside_fence": True,
        },
        "driver": {"name": "示例", "escort": None}, "holds": [], "physical": True, "category": None,
        "longest_stay_h": None, "return_due_at": None, "last_of_declaration": False, "signature": None,
    }  # fmt: skip


def _document(index: int, number: int) -> dict[str, Any]:
    return {
        "kind": "1", "number": f"QD33I{index:08d}{number:04d}", "declaration_no": f"331126{index:08d}{number:04d}",
        "mode": "ordinary", "state": "released", "licence": {"required": False, "verified_at_entry": False},
        "inspection": {"required": False, "done": False}, "guarantee": None,
    }  # fmt: skip


def _goods(line: int, gross_kg: int) -> dict[str, Any]:
    return {
        "line": line, "item_no": f"A-{line}", "hs_code": "8542319000", "name": "电路", "quantity": 100, "unit": "007",
        "gross_kg": gross_kg, "net_kg": gross_kg - 2, "class": "bonded", "controls": [], "hazmat": None,
    }  # fmt: skip


async def fill_copy(cache: SlipCache, clock: Clock, first: int, count: int) -> None:
    """Put slips `first` and up into the site's copy, page by page, as the delta sync would."""
    now = clock.now()
    valid_until = now + timedelta(days=400)
    for start in range(first, first + count, PAGE):
        stop = min(start + PAGE, first + count)
        changes = [{"kind": "slip", "version": 1, "slip": slip(i, valid_until)} for i in range(start, stop)]
        await cache.apply_page(ChangesPage(changes, cursor=str(stop), more=stop < first + count, as_of=now))
