"""From an entry to the bytes that are stored. Pure.

What cannot be stored faithfully is a programming error: TypeError or ValueError, before anything is written.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from gate_service.domain.events import Event, JsonObject
from gate_service.domain.record import Entry, FileRef, LedgerChange
from sync.chain import sha256_hex
from sync.columns import to_us

PASSAGE_KEYS: Final = ("id", "lane", "direction", "state", "opened_at", "closed_at")
_PLAIN: Final = (str, int, type(None))
_OBJECTS: Final = (dict, Mapping)  # dict first: asking an abstract class is slow
_LISTS: Final = (list, tuple)


@dataclass(frozen=True, slots=True)
class PassageRow:
    """The columns of one passage, as this entry leaves it."""

    id: str
    lane: str
    direction: str
    state: str
    plate: str | None
    verdict: str | None
    opened_at_us: int
    closed_at_us: int | None
    document: bytes
    sha256: str


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event ready to get its `seq`: everything of its payload but that number."""

    id: str
    type: str
    is_hazmat: bool
    passage_id: str | None
    at_us: int
    before_seq: bytes
    after_seq: bytes

    def payload(self, seq: int) -> bytes:
        """The frozen bytes: `{"id","seq","type","at","data"}` (CONTRACT 3)."""
        return b"%b%d%b" % (self.before_seq, seq, self.after_seq)


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One entry as bytes."""

    kind: str
    at_us: int
    actor: str
    lane: str | None
    passage_id: str | None
    facts: bytes
    facts_sha256: str
    ledger: bytes | None
    ledger_sha256: str | None
    changes: tuple[LedgerChange, ...]
    passage: PassageRow | None
    events: tuple[EventRow, ...]
    files: tuple[FileRef, ...] = ()


def encode_entry(entry: Entry) -> EntryRow:
    """Encode and check an entry whole, before anything is written. Raises TypeError or ValueError."""
    refuse_floats(entry.facts, "facts")
    facts = _to_json_fast(_with_files(entry) if entry.files else entry.facts)
    ledger = encode_ledger(entry.ledger) if entry.ledger else None
    return EntryRow(
        kind=entry.kind,
        at_us=to_us(entry.at),
        actor=entry.actor,
        lane=entry.lane,
        passage_id=entry.passage_id,
        facts=facts,
        facts_sha256=sha256_hex(facts),
        ledger=ledger,
        ledger_sha256=None if ledger is None else sha256_hex(ledger),
        changes=entry.ledger,
        passage=None if entry.passage is None else encode_passage(entry.passage, entry.passage_id),
        events=tuple(encode_event(event, entry.passage_id) for event in entry.events),
        files=entry.files,
    )


def _with_files(entry: Entry) -> dict[str, Any]:
    """The facts with the entry's files in them."""
    if "files" in entry.facts:
        raise ValueError("facts: no key `files` expected, it is made from the entry's files")
    named = [{"sha256": ref.sha256, "bytes": ref.size, "media_type": ref.media_type} for ref in entry.files]
    return {**entry.facts, "files": named}


def read_facts(stored: bytes) -> dict[str, Any]:
    """The facts of a record as stored; `{"erased": true}` where they were erased (`sync.erasure`)."""
    return dict(json.loads(stored)) if stored else {"erased": True}


def to_json(value: Any) -> bytes:
    """JSON in UTF-8 without spaces, keys in the order given. NaN and infinities raise ValueError."""
    return _ENCODER.encode(value).encode()


def _to_json_fast(value: Any) -> bytes:
    """As `to_json`, in a sixteenth of its time, for what holds no NaN or infinity: here they would become null.

    What only the standard library can write (whole numbers of more than 64 bits) is left to it.
    """
    try:
        return orjson.dumps(value, default=_plain, option=_ONLY_JSON)
    except TypeError:
        return to_json(value)


def encode_ledger(changes: tuple[LedgerChange, ...]) -> bytes:
    """Ledger changes as `[[kind, key, passage_id, grams or null, limit], …]`, each with its detail where it has one."""
    return _to_json_fast([_ledger_line(change) for change in changes])


def _ledger_line(change: LedgerChange) -> list[Any]:
    grams = change.mass.grams if change.mass else None
    line = [change.kind.value, change.key, change.passage_id, grams, change.limit]
    return [*line, change.detail] if change.detail else line


def encode_passage(document: JsonObject, passage_id: str | None) -> PassageRow:
    """Encode a passage document; it may hold masses in kilograms, for the chain covers its stored bytes.

    Its numbers are finite: what comes from outside is read so (`sync.central.wire`), and the rules make none other.
    """
    missing = [key for key in PASSAGE_KEYS if key not in document]
    if missing:
        raise TypeError(f"passage document: {', '.join(PASSAGE_KEYS)} expected, {', '.join(missing)} missing")
    if document["id"] != passage_id:
        raise ValueError(f"passage document: id {passage_id!r} of the entry expected, found {document['id']!r}")
    content = _to_json_fast(document)
    closed_at = document["closed_at"]
    return PassageRow(
        id=document["id"],
        lane=document["lane"],
        direction=document["direction"],
        state=document["state"],
        plate=document.get("plate"),
        verdict=document.get("verdict"),
        opened_at_us=parse_us(document["opened_at"]),
        closed_at_us=None if closed_at is None else parse_us(closed_at),
        document=content,
        sha256=sha256_hex(content),
    )


def encode_event(event: Event, passage_id: str | None) -> EventRow:
    """Encode an event; its numbers may have at most three decimals (masses in kilograms)."""
    refuse_long_decimals(event.data, event.type.value)
    event_id, kind = str(event.id), str(event.type)  # hexadecimal and dashes, as type and time need no escaping
    return EventRow(
        id=event_id,
        type=kind,
        is_hazmat=event.type.is_hazmat,
        passage_id=event.passage_id or passage_id,
        at_us=to_us(event.at),
        before_seq=f'{{"id":"{event_id}","seq":'.encode(),
        after_seq=b',"type":"%b","at":"%b","data":%b}'
        % (kind.encode(), event.at.isoformat().encode(), _to_json_fast(event.data)),
    )


def parse_us(at: str | datetime) -> int:
    """RFC 3339 text, or a time, as whole microseconds."""
    return to_us(datetime.fromisoformat(at) if isinstance(at, str) else at)


def refuse_floats(value: object, place: str) -> None:
    """Raise TypeError at the first float or key that is not text: facts hold grams and milliseconds."""
    if isinstance(value, _PLAIN):
        return
    if isinstance(value, float):
        raise TypeError(f"{place}: whole numbers expected (grams, milliseconds), found the float {value!r}")
    if isinstance(value, _OBJECTS):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise TypeError(f"{place}: text keys expected, found {key!r}")
            refuse_floats(inner, f"{place}.{key}")
    elif isinstance(value, _LISTS):
        for index, inner in enumerate(value):
            refuse_floats(inner, f"{place}[{index}]")


def refuse_long_decimals(value: object, place: str) -> None:
    """Raise TypeError at the first number with more than three decimals (CONTRACT: masses have at most three)."""
    if isinstance(value, _PLAIN):
        return
    if isinstance(value, float) and not (math.isfinite(value) and round(value, 3) == value):
        raise TypeError(f"{place}: a number with at most three decimals expected, found {value!r}")
    if isinstance(value, _OBJECTS):
        for key, inner in value.items():
            if not isinstance(inner, _PLAIN):
                refuse_long_decimals(inner, f"{place}.{key}")
    elif isinstance(value, _LISTS):
        for index, inner in enumerate(value):
            if not isinstance(inner, _PLAIN):
                refuse_long_decimals(inner, f"{place}[{index}]")


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"JSON: text, whole number, list or object expected, found {type(value).__name__}")


_ONLY_JSON: Final = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS  # those are mistakes here
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)
