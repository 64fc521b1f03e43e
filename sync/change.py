"""One change of the central system, read and checked. Pure.

A change that cannot be read is a Rejection with its reason, never an error: one bad line must not stop a page. A slip
whose number and version can still be read makes the older copy unusable, for nobody knows what the newer one says.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gate_service.domain.errors import InputError, MassError
from gate_service.domain.events import JsonObject
from gate_service.domain.mass import Mass
from gate_service.domain.vehicle import comparable_plate
from sync.central.wire import read_moment

SlipCheck = Callable[[JsonObject], None]
"""Raises InputError for a slip that the rules could not read."""

NESTED: Final = {
    "slip": ("slips", "slip_no"),
    "declaration": ("declarations", "number"),
    "enterprise": ("enterprises", "customs_code"),
    "vehicle": ("vehicles", "plate"),
    "hold": ("holds", "id"),
}
"""Kind of change -> table of the copy, field that names it."""

REVOKED_STATUSES: Final = ("deleted", "void")
LARGEST_VERSION: Final = 2**62
LONGEST_KEY: Final = 200
TEXT, FLAG, MASS, NUMBER, MOMENT, OBJECT, ROWS, TEXTS = (
    "text",
    "flag",
    "mass",
    "number",
    "moment",
    "object",
    "rows",
    "texts",
)
HOLD_TARGETS: Final = ("slip", "document", "enterprise", "vehicle")
SLIP_FIELDS: Final = {
    **dict.fromkeys(("valid_from_at", "valid_until_at", "return_due_at"), MOMENT),
    **dict.fromkeys(("goods_gross_kg", "goods_net_kg", "total_kg"), MASS),
    **dict.fromkeys(("physical", "last_of_declaration"), FLAG),
    **dict.fromkeys(("pass_limit", "longest_stay_h"), NUMBER),
    **dict.fromkeys(("vehicle", "enterprise", "driver"), OBJECT),
    **dict.fromkeys(("containers", "documents", "goods", "holds"), ROWS),
    **dict.fromkeys(("site_ids", "seals"), TEXTS),
}
VEHICLE_FIELDS: Final = {"plate": TEXT, "trailer_plate": TEXT, "tare_kg": MASS, "trailer_tare_kg": MASS}
ROW_FIELDS: Final = {
    "goods": {"gross_kg": MASS, "net_kg": MASS, "quantity": NUMBER, "hazmat": OBJECT, "name": TEXT},
    "containers": {"number": TEXT, "tare_kg": MASS},
    "documents": {"number": TEXT, "licence": OBJECT, "inspection": OBJECT, "guarantee": OBJECT},
    "holds": {"id": TEXT, "target": OBJECT},
}
HAZMAT_FIELDS: Final = {
    **dict.fromkeys(("un_no", "name", "cas", "class", "packing_group", "storage_unit", "emergency_phone"), TEXT),
    "flag": FLAG,
    "net_kg": MASS,
    "packages": NUMBER,
    "subsidiary": TEXTS,
}
REGISTER_FIELDS: Final = {
    "declaration": {
        **dict.fromkeys(("total_gross_kg", "passed_gross_kg"), MASS),
        "total_quantity": NUMBER,
        "closed": FLAG,
        "trucks": TEXT,
    },
    "enterprise": {"customs_code": TEXT, "uscc": TEXT, "inside_fence": FLAG},
    "vehicle": {"valid_from_at": MOMENT, "valid_until_at": MOMENT, "longest_stay_h": NUMBER},
    "hold": {"target": OBJECT, "placed_by": TEXT},
}


@dataclass(frozen=True, slots=True)
class Change:
    """A change that can be applied. `table` is that of the copy; a tombstone without document keeps the one held."""

    table: str
    key: str
    version: int
    document: bytes | None
    is_tombstone: bool = False
    reason: str | None = None
    columns: Mapping[str, str | None] = field(default_factory=dict)
    at: str | None = None
    """When the centre says that it revoked the slip; the contract has no such field, some centres do."""

    @property
    def revokes_slip(self) -> bool:
        """Whether after this the slip lets nobody pass: a tombstone, or a status that says the same."""
        return self.table == "slips" and (self.is_tombstone or self.columns.get("status") in REVOKED_STATUSES)


@dataclass(frozen=True, slots=True)
class Rejection:
    """A change that cannot be read: why, what was found, and what it was about where that can be told."""

    reason: str
    found: str
    kind: str = ""
    key: str = ""
    version: int | None = None

    @property
    def unreadable_slip(self) -> Change | None:
        """What makes the older copy of this slip unusable; None where number or version cannot be told."""
        if self.kind != "slip" or not self.key or self.version is None:
            return None
        return Change("slips", self.key, self.version, None, reason=f"unreadable: {self.reason}"[:400])


def read_change(raw: object, check_slip: SlipCheck | None = None) -> Change | Rejection:
    """One line of a page."""
    if not isinstance(raw, dict):
        return Rejection("an object expected", _shown(raw))
    kind, version = raw.get("kind"), raw.get("version")
    if kind == "slip_revoked":
        return _read_tombstone(raw, "slips", raw.get("slip_no"), raw.get("reason"))
    if not isinstance(kind, str) or kind not in NESTED:
        return Rejection("kind: slip, slip_revoked, declaration, enterprise, vehicle or hold expected", _shown(raw))
    table, key_field = NESTED[kind]
    document = raw.get(kind)
    if not isinstance(document, dict):
        return Rejection(f"{kind}: an object expected", _shown(raw), kind, version=_version(version))
    key = document.get(key_field) or (document.get("uscc") if kind == "enterprise" else None)
    if raw.get("deleted") is True:
        return _read_tombstone(raw, table, key, raw.get("reason"))
    if kind == "slip":
        return read_slip_document(document, version, check_slip)
    return _read_register(kind, table, key, version, document)


def _read_register(kind: str, table: str, key: object, version: object, document: dict[str, Any]) -> Change | Rejection:
    """A declaration, enterprise, registered vehicle or hold."""
    number = _version(version)
    problem = _key_problem(key)
    if problem or not isinstance(key, str):
        return Rejection(problem or "", _shown(document), kind)
    if number is None:
        return Rejection(_version_problem(version) or "", _shown(document), kind, key)
    content, columns = _bytes(document), _columns(kind, document)
    problems = list(_problems(document, REGISTER_FIELDS[kind], ""))
    if kind == "hold" and (columns["target_type"] not in HOLD_TARGETS or not columns["target_id"]):
        problems.append(f"target: type of {', '.join(HOLD_TARGETS)} and an id expected")
    if content is None or problems:
        return Rejection("; ".join(problems) or "text in Unicode expected", _shown(document), kind, key, number)
    return Change(table, comparable_plate(key) if kind == "vehicle" else key, number, content, columns=columns)


def read_slip_document(document: object, version: object = None, check: SlipCheck | None = None) -> Change | Rejection:
    """A slip, out of a page or a single answer; without `version` its own is taken."""
    if not isinstance(document, dict):
        return Rejection("slip: an object expected", _shown(document), "slip")
    key = document.get("slip_no")
    number = _version(version if version is not None else document.get("version"))
    problem = _key_problem(key)
    if problem or not isinstance(key, str):
        return Rejection(problem or "", _shown(document), "slip")
    if number is None:
        return Rejection("version: a whole number from 0 expected", _shown(document), "slip", key)
    content = _bytes(document)
    problems = [] if content else ["text in Unicode expected"]
    problems += slip_problems(document)
    if not problems and check is not None:
        try:
            check(document)
        except InputError as error:
            problems.append(str(error))
    if problems:
        return Rejection("; ".join(problems[:5]), _shown(document), "slip", key, number)
    return Change("slips", key, number, content, columns=_columns("slip", document))


def slip_problems(document: Mapping[str, Any]) -> list[str]:
    """What in a slip is of another type than CONTRACT 3 says. Values outside the lists are the rules' to judge."""
    found = list(_problems(document, SLIP_FIELDS, ""))
    if isinstance(document.get("vehicle"), dict):
        found += _problems(document["vehicle"], VEHICLE_FIELDS, "vehicle.")
    for name, fields in ROW_FIELDS.items():
        rows = document.get(name)
        for number, line in enumerate(rows if isinstance(rows, list) else []):
            if isinstance(line, dict):
                found += _problems(line, fields, f"{name}[{number}].")
                if isinstance(line.get("hazmat"), dict):
                    found += _problems(line["hazmat"], HAZMAT_FIELDS, f"{name}[{number}].hazmat.")
    return found


def _problems(document: Mapping[str, Any], fields: Mapping[str, str], place: str) -> Iterator[str]:
    for name, expected in fields.items():
        value = document.get(name)
        if value is not None and not _fits(value, expected):
            yield f"{place}{name}: {expected} expected, found {_shown(value, 60)}"


def _fits(value: object, expected: str) -> bool:
    if expected == TEXT:
        return isinstance(value, str) or type(value) is int
    if expected == FLAG:
        return isinstance(value, bool)
    if expected == OBJECT:
        return isinstance(value, dict)
    if expected in (ROWS, TEXTS):
        inner = dict if expected == ROWS else str
        return isinstance(value, list) and all(isinstance(item, inner) for item in value)
    if expected == MOMENT:
        return value == "" or read_moment(value) is not None
    if value == "":
        return True  # blank is unknown
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return expected == NUMBER or _is_mass(value)


def _is_mass(value: float) -> bool:
    try:
        return Mass.from_kg(value).grams >= 0
    except MassError:
        return False


def _read_tombstone(raw: Mapping[str, Any], table: str, key: object, reason: object) -> Change | Rejection:
    problem = _key_problem(key) or _version_problem(raw.get("version"))
    if problem or not isinstance(key, str):
        return Rejection(problem or "", _shown(raw), str(raw.get("kind"))[:40])
    if table == "vehicles":
        key = comparable_plate(key)
    text = reason[:400] if isinstance(reason, str) and _bytes(reason) else None
    at = read_moment(raw.get("at", raw.get("revoked_at")))
    moment = None if at is None else at.isoformat()
    return Change(table, key, raw["version"], None, is_tombstone=True, reason=text, at=moment)


def _key_problem(key: object) -> str | None:
    if isinstance(key, str) and 0 < len(key.strip()) <= LONGEST_KEY and _bytes(key) is not None and "\0" not in key:
        return None
    return f"its number: text of 1 to {LONGEST_KEY} characters expected, found {_shown(key, 60)}"


def _version_problem(version: object) -> str | None:
    return None if _version(version) is not None else f"version: a whole number expected, found {_shown(version, 60)}"


def _version(value: object) -> int | None:
    return value if type(value) is int and 0 <= value <= LARGEST_VERSION else None


def _columns(kind: str, document: Mapping[str, Any]) -> dict[str, str | None]:
    """What the copy is searched by."""
    if kind == "slip":
        vehicle = document.get("vehicle") or {}
        plate = _text(vehicle.get("plate"))
        return {
            "plate": comparable_plate(plate) if plate else None,
            "direction": _text(document.get("direction")),
            "status": _text(document.get("status")),
        }
    if kind == "enterprise":
        return {"uscc": _text(document.get("uscc"))}
    if kind != "hold":
        return {}
    target = document.get("target") if isinstance(document.get("target"), dict) else {}
    assert isinstance(target, dict)
    target_type, target_id = _text(target.get("type")), _text(target.get("id"))
    if target_type == "vehicle" and target_id:
        target_id = comparable_plate(target_id)
    return {"target_type": target_type, "target_id": target_id}


def _text(value: object) -> str | None:
    return value.strip() if isinstance(value, str) and value.strip() else None


def _bytes(value: object) -> bytes | None:
    """JSON in UTF-8; None where the text holds half a surrogate pair."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return None


def _shown(value: object, longest: int = 600) -> str:
    """A piece of what was found, in plain characters."""
    return json.dumps(value, ensure_ascii=True, default=str)[:longest]
