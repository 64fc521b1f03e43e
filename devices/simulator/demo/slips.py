"""Release slips of the demo, in the public shape: consistent in every field, with placeholders for every name.

Built per slip type as the customs code lists ask (which document goes with which type); masses are whole kilograms.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

JsonDict = dict[str, Any]

CUSTOMS_DISTRICT: Final = "3311"
SLIP_DAY: Final = "260101"  # fixed: numbers, and so the draws, must not change with the day a demo is run on
VALID_FOR: Final = timedelta(days=3)
DOCUMENT_KIND: Final = {"1": "3", "2": "1", "3": "1", "4": "2", "7": "1"}
_LETTERS: Final = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", (n for n in range(10, 39) if n % 11), strict=True))


def plate_of(number: int) -> str:
    """A plate of the ordinary form that nobody can mistake for a real one: a counted number."""
    return f"浙B{number % 100_000:05d}"


def trailer_of(number: int) -> str:
    """The plate of the trailer behind `plate_of(number)`."""
    return f"浙B{number % 10_000:04d}挂"


def container_of(number: int) -> str:
    """A container number with its ISO 6346 check digit; owner code ZZZU is nobody's."""
    body = f"ZZZU{number % 1_000_000:06d}"
    total = sum((_LETTERS.get(c) or int(c)) << place for place, c in enumerate(body))
    return f"{body}{total % 11 % 10}"


def slip_no_of(number: int, direction: str, *, is_two_step: bool = False) -> str:
    """A slip number of 24 characters: Z, district, I or E, day, twelve more (two-step ones begin with T)."""
    way = "I" if direction == "inbound" else "E"
    serial = f"T{number:011d}" if is_two_step else f"{number:012d}"
    return f"Z{CUSTOMS_DISTRICT}{way}{SLIP_DAY}{serial}"


@dataclass(frozen=True, slots=True)
class Chemical:
    """A hazardous chemical with what the rules ask for. UN number, class and CAS are real; the rest is placeholder."""

    un_no: str
    zh: str
    cas: str
    hazard_class: str
    packing_group: str
    hs_code: str


CHEMICALS: Final = (  # UN number and class: ADR 2025 table A; CAS: GB 18218 table 1 (1824: CAS registry)
    Chemical("1090", "丙酮", "67-64-1", "3", "II", "2914110000"),
    Chemical("1170", "乙醇", "64-17-5", "3", "II", "2207100000"),
    Chemical("1230", "甲醇", "67-56-1", "3", "II", "2905110000"),
    Chemical("1824", "氢氧化钠溶液", "1310-73-2", "8", "II", "2815120000"),
)


@dataclass(frozen=True, slots=True)
class Load:
    """What a truck carries and is: everything a slip is made from. Masses in whole kilograms."""

    number: int
    slip_type: str
    direction: str
    tare_kg: int
    goods_kg: int = 0
    has_trailer: bool = False
    has_container: bool = False
    category: str | None = None
    credit: str = "registered"
    chemical: Chemical | None = None
    site_ids: tuple[str, ...] = ("K1",)
    holds: tuple[JsonDict, ...] = field(default=())

    @property
    def slip_no(self) -> str:
        """Its number."""
        return slip_no_of(self.number, self.direction, is_two_step=self.slip_type == "7")

    @property
    def trailer_tare_kg(self) -> int:
        """Zero without a trailer."""
        return 6_800 if self.has_trailer else 0

    @property
    def container_tare_kg(self) -> int:
        """Zero without a container; a 20-foot box weighs 2.2 t."""
        return 2_200 if self.has_container else 0

    @property
    def total_kg(self) -> int:
        """Vehicle, trailer, container and goods: what the weighbridge should show."""
        return self.tare_kg + self.trailer_tare_kg + self.container_tare_kg + self.goods_kg


def slip_for(load: Load, now: datetime) -> JsonDict:
    """The slip of a load, approved and valid from now on for a few days."""
    has_weights = load.slip_type != "7"  # a two-step slip declares no masses
    return {
        "slip_no": load.slip_no,
        "version": 1,
        "type": load.slip_type,
        "direction": load.direction,
        "bind": None if load.slip_type in {"5", "6"} else "2",
        "status": "approved",
        "valid_from_at": None,
        "valid_until_at": (now + VALID_FOR).isoformat(timespec="seconds"),
        "site_ids": list(load.site_ids),
        "pass_limit": 1,
        "vehicle": _vehicle(load, has_weights=has_weights),
        "containers": _containers(load),
        "seals": [f"E{load.number:06d}"] if load.has_container else [],
        "goods_gross_kg": load.goods_kg if has_weights and load.slip_type != "6" else None,
        "goods_net_kg": load.goods_kg * 95 // 100 if has_weights and load.slip_type != "6" else None,
        "total_kg": load.total_kg if has_weights else None,
        "documents": _documents(load),
        "goods": [] if load.slip_type in {"6", "7"} else [_goods_line(load)],
        "enterprise": enterprise_for(load.credit),
        "driver": {"name": "示例司机", "escort": "示例押运员" if load.chemical else None},
        "holds": [dict(hold) for hold in load.holds],
        "physical": True,
        "category": load.category,
        "longest_stay_h": None,
        "return_due_at": None,
        "last_of_declaration": False,
        "signature": None,
    }


def enterprise_for(credit: str) -> JsonDict:
    """One placeholder enterprise per credit, inside the fence."""
    serial = {"advanced": "0001", "registered": "0002", "dishonest": "0003"}[credit]
    return {
        "customs_code": f"331166{serial}",
        "uscc": f"9133000000000{serial}X",
        "name": f"示例企业 {serial}",
        "credit": credit,
        "inside_fence": True,
    }


def _vehicle(load: Load, *, has_weights: bool) -> JsonDict:
    return {
        "plate": plate_of(load.number),
        "tare_kg": load.tare_kg if has_weights else None,
        "trailer_plate": trailer_of(load.number) if load.has_trailer else None,
        "trailer_tare_kg": load.trailer_tare_kg if load.has_trailer and has_weights else None,
        "e_plate": None,
    }


def _containers(load: Load) -> list[JsonDict]:
    if not load.has_container:
        return []
    return [{"number": container_of(load.number), "type": "22G1", "tare_kg": load.container_tare_kg}]


def _documents(load: Load) -> list[JsonDict]:
    if load.slip_type in {"5", "6"}:
        return []
    way = "I" if load.direction == "inbound" else "E"
    mode, state = {
        "1": ("ordinary", "accepted"),  # enter first, declare later
        "4": ("batch", "accepted") if load.direction == "inbound" else ("ordinary", "released"),
        "7": ("two_step", "summary_released") if load.direction == "inbound" else ("two_step", "released"),
    }.get(load.slip_type, ("ordinary", "released"))
    return [
        {
            "kind": DOCUMENT_KIND[load.slip_type],
            "number": f"QD{CUSTOMS_DISTRICT}26{way}{load.number:09d}",
            "declaration_no": f"{CUSTOMS_DISTRICT}2026{1 if way == 'I' else 0}{load.number:09d}",
            "mode": mode,
            "state": state,
            "licence": {"required": False, "verified_at_entry": False},
            "inspection": {"required": False, "done": False},
            "guarantee": None,
        }
    ]


def _goods_line(load: Load) -> JsonDict:
    chemical = load.chemical
    is_first_grade = load.slip_type == "5" and load.category in {"office", "living", "infrastructure"}
    names = {"office": "复印纸", "living": "饮用水", "infrastructure": "水泥", "other": "包装材料"}
    return {
        "line": 1,
        "item_no": None if load.slip_type == "5" else f"A-{load.number}",
        "hs_code": chemical.hs_code if chemical else None if is_first_grade else "8542319000",
        "name": chemical.zh if chemical else names.get(load.category or "", "集成电路"),
        "quantity": 100,
        "unit": "007",
        "gross_kg": load.goods_kg,
        "net_kg": load.goods_kg * 95 // 100,
        "class": "bonded" if load.slip_type != "5" else "domestic",
        "controls": [],
        "hazmat": None if chemical is None else _hazmat(chemical, load),
    }


def _hazmat(chemical: Chemical, load: Load) -> JsonDict:
    return {
        "flag": True,
        "un_no": chemical.un_no,
        "name": chemical.zh,
        "cas": chemical.cas,
        "class": chemical.hazard_class,
        "subsidiary": [],
        "packing_group": chemical.packing_group,
        "net_kg": load.goods_kg * 95 // 100,
        "packages": 40,
        "sds": "https://sds.example/placeholder",
        "waybill_no": f"YD{load.number:010d}",
        "storage_unit": "W3",
        "emergency_phone": "0000-0000000",
        "quantity_kind": None,
    }
