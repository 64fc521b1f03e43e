"""What one transaction of the record holds: audit fact, passage as it now is, ledger changes, events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gate_service.domain.events import Event, JsonObject
from gate_service.domain.mass import Mass


class LedgerKind(StrEnum):
    """What happened to an entry of the site's ledgers."""

    SLIP_RESERVED = "slip_reserved"  # at the decision
    SLIP_USED = "slip_used"  # at the proof of crossing
    SLIP_RETURNED = "slip_returned"  # turned back or never crossed
    VEHICLE_IN = "vehicle_in"
    VEHICLE_OUT = "vehicle_out"
    TARE_SEEN = "tare_seen"  # an empty vehicle was weighed
    DECLARATION_PASSED = "declaration_passed"  # goods mass of one truck against its declaration; `detail` thousandths
    DECLARATION_RESERVED = "declaration_reserved"  # with the decision; `limit` grams of others seen, below 0 unchecked
    DECLARATION_RETURNED = "declaration_returned"  # turned back or never crossed
    TEMPORARY_EXIT = "temporary_exit"  # key slip; `detail` is JSON [customs code, return due in us]
    TEMPORARY_RETURN = "temporary_return"  # key slip
    INSPECTION_ORDERED = "inspection_ordered"  # key place; `detail` is a JSON list of slips
    INSPECTION_DONE = "inspection_done"  # key `found` or `nothing`; `detail` is JSON [by, what]
    OVERRIDE_USED = "override_used"  # released against a reason; key <shift>/<reason_code>
    REGIME_USED = "regime_used"  # released in the emergency regime; key its id, `limit` its number of passages
    PAPER_TYPED = "paper_typed"  # a passage that was written on paper; key the regime's id, or `paper`


@dataclass(frozen=True, slots=True)
class LedgerChange:
    """One line for a ledger: `key` is the slip number, plate, declaration number, shift and reason, or regime."""

    kind: LedgerKind
    key: str
    passage_id: str
    mass: Mass | None = None
    limit: int = 1  # of SLIP_RESERVED the `pass_limit` (SlipTakenError), of REGIME_USED the passages of the regime
    detail: str = ""  # what else the kind carries


@dataclass(frozen=True, slots=True)
class FileRef:
    """A file beside the record, known by its SHA-256 (lower-case hexadecimal). Only what is on disk is referred to."""

    sha256: str
    size: int  # bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One transaction. It is on disk whole or not at all, and what it reports has happened or may now be done.

    `kind` is the audit word (`decision`, `command`, `boom_raise`, `state`, `weighed`, `sign_in`, ...); `actor` is
    `service`, `user:<name>` or `token:<name>`. `facts` is stored byte for byte and must hold no floats (masses in
    grams, durations in milliseconds). `passage` is the whole passage document after this entry, None where the entry
    is about no passage; it carries at least `id`, `lane`, `direction`, `state`, `opened_at`, `closed_at`. `files` are
    named in the stored facts too (key `files`), so that the chain holds their hashes.
    """

    kind: str
    at: datetime
    actor: str
    facts: JsonObject
    lane: str | None = None
    passage_id: str | None = None
    passage: JsonObject | None = None
    ledger: tuple[LedgerChange, ...] = ()
    events: tuple[Event, ...] = ()
    files: tuple[FileRef, ...] = ()
