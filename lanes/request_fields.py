"""Reads what a request to a lane carries beyond its name: texts, sides, facts. Pure; raises InputError."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gate_service.domain.commands import CommandRequest
from gate_service.domain.errors import InputError
from gate_service.domain.reading import Side
from lanes.holding import LONGEST_S
from lanes.orientation import DIRECTIONS

LONGEST_TEXT: Final = 64
"""Longest plate, slip number, container or seal taken from a reader or a form."""


def facts_of(request: CommandRequest) -> dict[str, Any]:
    """What the record keeps of a request. Floats have no place there."""
    return {
        "command": request.command.value,
        "facts_version": request.facts_version,
        "reason_code": request.reason_code,
        "reason": request.reason,
        "fields": {key: value for key, value in request.fields.items() if not isinstance(value, float)},
    }


def read_text(name: str, value: object) -> str:
    """One text of a reader or a form. Raises InputError."""
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_TEXT or not value.isprintable():
        raise InputError(f"{name}: 1 to {LONGEST_TEXT} printable characters expected, found {value!r}"[:200])
    return value.strip()


def read_texts(name: str, value: object) -> tuple[str, ...]:
    """A list of them."""
    if not isinstance(value, list | tuple):
        raise InputError(f"{name}: a list of texts expected, found {value!r}"[:200])
    return tuple(read_text(name, item) for item in value)


def read_plate(name: str, value: object) -> str:
    """A plate as somebody typed it, in capitals and without spaces, as it is searched later. Raises InputError."""
    return "".join(read_text(name, value).split()).upper()


def read_side(fields: Mapping[str, Any]) -> Side:
    """Which boom; the exit where nothing is said."""
    try:
        return Side(fields.get("side", Side.EXIT.value))
    except ValueError:
        raise InputError(f"side: entry or exit expected, found {fields.get('side')!r}") from None


def read_hold_s(fields: Mapping[str, Any]) -> int | None:
    """For how long a boom is to be held open; None where that is not asked."""
    value = fields.get("hold_s")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LONGEST_S:
        raise InputError(f"hold_s: 1 to {LONGEST_S} whole seconds expected, found {value!r}"[:200])
    return value


def read_direction(fields: Mapping[str, Any]) -> str:
    """Which way a reversible lane is to be driven: named, never toggled."""
    value = fields.get("direction")
    if value not in DIRECTIONS:
        raise InputError(f"direction: one of {', '.join(DIRECTIONS)} expected, found {value!r}"[:200])
    return str(value)


def resolved_facts(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The facts that a person supplied, under the names that a passage has for them."""
    facts: dict[str, Any] = {}
    if "plate" in fields:
        facts |= {"plate": read_plate("plate", fields["plate"]), "is_plate_looked_at": True}
    if "trailer_plate" in fields:
        facts["trailer_plate"] = read_plate("trailer_plate", fields["trailer_plate"])
    if "slip_nos" in fields:
        facts["scanned"] = read_texts("slip_nos", fields["slip_nos"])
    for name in ("containers", "seals"):
        if name in fields:
            facts[name] = read_texts(name, fields[name])
    return facts
