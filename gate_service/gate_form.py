"""The form for gate-registered goods (GACC Announcement 2023 No. 200): from its fields to a slip of type 5. Pure.

Grade 1 (building material, office goods, labour protection, daily consumption) may leave item and commodity number out,
grade 2 (everything else) the item number only; everything else is needed, so that the slip can pass at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from gate_service.domain.errors import InputError, MassError
from gate_service.domain.mass import Mass
from gate_service.domain.vehicle import comparable_plate

GRADE_1: Final = ("infrastructure", "office", "labour_protection", "living")
VALID_FOR: Final = timedelta(hours=24)  # site decision: the form is filled in for a truck that stands there
UNKNOWN_CREDIT: Final = None
"""The register of enterprises knows it; what it does not know counts as dishonest (RULES 4)."""


@dataclass(frozen=True, slots=True)
class GoodsLine:
    """One line of goods; masses in kilograms, None for a blank field."""

    name: str
    quantity: float | None
    unit: str
    gross_kg: float | None
    net_kg: float | None = None
    item_no: str = ""
    hs_code: str = ""


@dataclass(frozen=True, slots=True)
class GoodsForm:
    """The whole form."""

    direction: str
    plate: str
    category: str
    customs_code: str
    enterprise: str
    tare_kg: float | None
    goods: tuple[GoodsLine, ...]
    driver: str = ""
    trailer_plate: str = ""
    trailer_tare_kg: float | None = None


def read_form(form: GoodsForm, now: datetime) -> dict[str, Any]:
    """The slip without its number. Raises InputError with every field that is wanting."""
    wanting = [*_wanting(form)]
    if wanting:
        raise InputError("; ".join(wanting))
    lines = [_line(number, line) for number, line in enumerate(form.goods, start=1)]
    goods = sum((_mass(line["gross_kg"]) for line in lines), Mass(0))
    trailer = _mass(form.trailer_tare_kg or 0)
    total = goods + _mass(form.tare_kg or 0) + trailer
    return {
        "type": "5", "direction": form.direction, "bind": None, "status": "approved", "valid_from_at": now.isoformat(),
        "valid_until_at": (now + VALID_FOR).isoformat(), "pass_limit": 1,
        "vehicle": {
            "plate": comparable_plate(form.plate), "tare_kg": form.tare_kg,
            "trailer_plate": comparable_plate(form.trailer_plate) or None,
            "trailer_tare_kg": form.trailer_tare_kg if form.trailer_plate else None, "e_plate": None,
        },
        "containers": [], "seals": [], "goods_gross_kg": goods.to_json(), "goods_net_kg": None,
        "total_kg": total.to_json(), "documents": [], "goods": lines,
        "enterprise": {"customs_code": form.customs_code, "uscc": None, "name": form.enterprise,
                       "credit": UNKNOWN_CREDIT, "inside_fence": None},
        "driver": {"name": form.driver, "escort": None}, "holds": [], "physical": True, "category": form.category,
        "longest_stay_h": None, "return_due_at": None, "last_of_declaration": False, "signature": None,
    }  # fmt: skip


def _wanting(form: GoodsForm) -> Iterator[str]:
    """Every field that is missing or cannot be, by its name."""
    for name, text in (("plate", comparable_plate(form.plate)), ("customs_code", form.customs_code.strip()),
                       ("enterprise", form.enterprise.strip())):  # fmt: skip
        if not text:
            yield f"{name}: a text expected, found a blank"
    yield from _mass_wanting("tare_kg", form.tare_kg)
    if form.trailer_plate:
        yield from _mass_wanting("trailer_tare_kg", form.trailer_tare_kg)
    if not form.goods:
        yield "goods: at least one line expected, found none"
    for number, line in enumerate(form.goods, start=1):
        place = f"goods[{number}]"
        for name, text in (("name", line.name), ("unit", line.unit)):
            if not text.strip():
                yield f"{place}.{name}: a text expected, found a blank"
        if line.quantity is None or line.quantity <= 0:
            yield f"{place}.quantity: a number above 0 expected, found {line.quantity}"
        yield from _mass_wanting(f"{place}.gross_kg", line.gross_kg)
        if form.category not in GRADE_1 and not line.hs_code.strip():
            yield f"{place}.hs_code: expected for category {form.category} (grade 2), found a blank"


def _mass_wanting(name: str, value: float | None) -> Iterator[str]:
    try:
        mass = None if value is None else _mass(value)
    except MassError as error:
        yield f"{name}: {error}"
        return
    if mass is None or mass.grams <= 0:
        yield f"{name}: kilograms above 0 expected, found {'a blank' if value is None else value}"


def _mass(value: float) -> Mass:
    return Mass.from_kg(value)


def _line(number: int, line: GoodsLine) -> dict[str, Any]:
    return {
        "line": number, "item_no": line.item_no, "hs_code": line.hs_code, "name": line.name, "quantity": line.quantity,
        "unit": line.unit, "gross_kg": line.gross_kg, "net_kg": line.net_kg, "class": "gate_registered",
        "controls": [], "hazmat": None,
    }  # fmt: skip
