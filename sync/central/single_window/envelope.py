"""Envelopes of the single window: which message one holds, and where its body is. Pure.

The spellings EnvelopInfo, BussinessData, DelcareFlag and CommonResponeMessage are the real ones
(`docs/protocols/single-window.md`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gate_service.domain.errors import MessageUnknownError
from sync.central.warnings import WarningCode, shown, warning
from sync.central.xml import Fields, XmlDocument, parts, text_of

CLIENT_REPLY: Final = "CommonResponeMessage"
_MESSAGE: Final = re.compile(r"[A-Z]{3}\d{3}")
# Upwards the body is named after its content, not after the message.
_BODIES_UP: Final[Mapping[str, str]] = {"PassPortMessage": "SAS121"}


@dataclass(frozen=True, slots=True)
class Envelope:
    """A single-window message: its name, its body (empty where none was found), and what was odd."""

    message: str
    body: Fields
    warnings: tuple[str, ...] = ()


def open_envelope(document: XmlDocument) -> Envelope | None:
    """Open what the single window and the zone platform send; None for XML of another kind."""
    root, fields = document.root, document.fields
    if root == CLIENT_REPLY:
        return Envelope(CLIENT_REPLY, fields)
    if root == "Package":
        return _package(fields)
    if root == "Signature":
        packages = parts(fields, "Object", "Package")
        if not packages:
            raise MessageUnknownError(f"Object/Package under Signature expected, found {_names(fields)}")
        return _package(packages[0], len(packages) - 1)
    if root == "DxpMessage":
        return _dxp(fields)
    if _MESSAGE.fullmatch(root) or root in _BODIES_UP:  # the business part alone, as logs keep it
        return Envelope(_BODIES_UP.get(root, root), fields)
    return None


def _package(package: Fields, others: int = 0) -> Envelope:
    said = next((t.strip() for head in _heads(package) if (t := text_of(head, "message_type"))), "")
    bodies = [*parts(package, "DataInfo", "BussinessData"), *parts(package, "DataInfo", "BusinessData")]
    named = [name for body in bodies for name in body if _MESSAGE.fullmatch(name) or name in _BODIES_UP]
    notes = [*_pocket(package)]
    if others or len(named) > 1:
        found = f"one message in one envelope expected, found {1 + others} packages with {', '.join(named) or 'none'}"
        notes.append(warning(WarningCode.FIELD_REPEATED, found))
    if not named:
        if not said:
            raise MessageUnknownError(f"a message_type or a body under BussinessData expected, found {_names(package)}")
        notes.append(warning(WarningCode.BODY_MISSING, f"{said} under BussinessData expected, found {_names(bodies)}"))
        return Envelope(said, bodies[0] if bodies else {}, tuple(notes))
    message = _BODIES_UP.get(named[0], named[0])
    if said != message:
        notes.append(warning(WarningCode.MESSAGE_TYPE, f"message_type says {shown(said)}, the body is {message}"))
    content = parts({"body": list(bodies)}, "body", named[0])
    return Envelope(message, content[0] if content else {}, tuple(notes))


def _heads(package: Fields) -> list[Fields]:
    return [*parts(package, "EnvelopInfo"), *parts(package, "EnvelopeInfo")]


def _pocket(package: Fields) -> list[str]:
    """A message cut into several pockets is not whole in any one file."""
    for pocket in parts(package, "DataInfo", "PocketInfo"):
        total, number = text_of(pocket, "total_pocket_qty") or "", text_of(pocket, "cur_pocket_no") or ""
        if total.strip() not in {"", "0", "1"}:
            return [warning(WarningCode.POCKET_PART, f"pocket {shown(number)} of {shown(total)}: only a part")]
    return []


def _dxp(fields: Fields) -> Envelope:
    said = next((t.strip() for head in parts(fields, "MessageHead") if (t := text_of(head, "messageType"))), "")
    if not said:
        raise MessageUnknownError(f"MessageHead/messageType under DxpMessage expected, found {_names(fields)}")
    bodies = parts(fields, "MessageBody")
    notes = () if bodies else (warning(WarningCode.BODY_MISSING, f"MessageBody expected, found {_names(fields)}"),)
    return Envelope(said, bodies[0] if bodies else {}, notes)


def _names(fields: Fields | list[Fields]) -> str:
    group = fields if isinstance(fields, dict) else (fields[0] if fields else {})
    return ", ".join(map(shown, list(group)[:5])) or "nothing"
