"""What the slips of one truck take from declarations and send out for a time, as ledger changes. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from gate_service.domain.errors import MassError
from gate_service.domain.mass import Mass
from gate_service.domain.record import LedgerChange, LedgerKind

UNCHECKED: Final = -1
"""Limit of a reservation that a person asked for, or of a declaration that is not known here."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Share:
    """What one truck brings of one declaration; `quantity_milli` None where no goods line says how much."""

    mass: Mass
    quantity_milli: int | None = None

    def __add__(self, other: Share) -> Share:
        known = [q for q in (self.quantity_milli, other.quantity_milli) if q is not None]
        return Share(self.mass + other.mass, sum(known) if known else None)


def declaration_shares(slips: Iterable[Mapping[str, Any]]) -> dict[str, Share]:
    """By declaration number. A slip with several declarations does not say how they share it: it is left out."""
    shares: dict[str, Share] = {}
    for slip in slips:
        number, mass = _declaration_of(slip), _mass(slip.get("goods_gross_kg"))
        if number is None or mass is None:
            continue
        own = Share(mass, _quantity_milli(slip.get("goods")))
        shares[number] = shares[number] + own if number in shares else own
    return shares


def declaration_changes(
    slips: Iterable[Mapping[str, Any]], passage_id: str, kind: LedgerKind, seen_g: Mapping[str, int] | None = None
) -> list[LedgerChange]:
    """The share of each declaration; `seen_g` is what a reservation was judged on (grams of other trucks)."""
    return [
        LedgerChange(
            kind,
            number,
            passage_id,
            share.mass,
            (seen_g or {}).get(number, UNCHECKED),
            "" if share.quantity_milli is None else str(share.quantity_milli),
        )
        for number, share in declaration_shares(slips).items()
    ]


def seen_here_g(case: Mapping[str, Any]) -> dict[str, int]:
    """By declaration: what the ledger held of other trucks when this case was put together."""
    known = case.get("known")
    rows = known.get("declarations", ()) if isinstance(known, Mapping) else ()
    found = {row.get("number"): _mass(row.get("here_gross_kg")) for row in rows if isinstance(row, Mapping)}
    return {str(number): mass.grams for number, mass in found.items() if mass is not None}


def temporary_exits(slips: Iterable[Mapping[str, Any]], passage_id: str) -> list[LedgerChange]:
    """Goods that leave for a time (`return_due_at` set), by slip."""
    changes = []
    for slip in slips:
        due, enterprise = _moment(slip.get("return_due_at")), slip.get("enterprise")
        code = enterprise.get("customs_code") if isinstance(enterprise, Mapping) else None
        if due is not None:
            detail = json.dumps([str(code or ""), (due - _EPOCH) // timedelta(microseconds=1)])
            number = str(slip.get("slip_no"))
            changes.append(LedgerChange(LedgerKind.TEMPORARY_EXIT, number, passage_id, detail=detail))
    return changes


def _declaration_of(slip: Mapping[str, Any]) -> str | None:
    documents = slip.get("documents")
    rows = documents if isinstance(documents, list) else []
    numbers = {document.get("declaration_no") for document in rows if isinstance(document, Mapping)}
    number = numbers.pop() if len(numbers) == 1 else None
    return number if isinstance(number, str) and number else None


def _mass(value: object) -> Mass | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return Mass.from_kg(value)
    except MassError:
        return None


def _quantity_milli(goods: object) -> int | None:
    """Sum of the goods lines' quantities in thousandths; None where no line says one."""
    lines = goods if isinstance(goods, list) else []
    found = [line.get("quantity") for line in lines if isinstance(line, Mapping)]
    numbers = [q for q in found if isinstance(q, int | float) and not isinstance(q, bool)]
    try:
        return int(sum(Decimal(str(q)) for q in numbers) * 1000) if numbers else None
    except (InvalidOperation, OverflowError, ValueError):
        return None


def _moment(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) and value else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None
