"""What is kept of records that are dropped or erased: ledger lines and stock that later records build on. Pure.

Kept of ledgers: every line about slips, declarations, exits, inspections, overrides and regimes, and the entry of a
vehicle that is still inside. Tares and vehicles that left go. Kept of the hazardous feed: what the stock adds up,
without vehicle, carrier and driver.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

from gate_service.domain.inventory import SIGNS
from gate_service.domain.record import LedgerKind
from sync.chain import sha256_hex

Line = tuple[Any, ...]
"""Record number, its time in microseconds, and one ledger change: kind, key, passage, grams or None, limit, and its
detail where it has one."""

GOES: Final = frozenset({LedgerKind.VEHICLE_IN, LedgerKind.VEHICLE_OUT, LedgerKind.TARE_SEEN})
ALWAYS: Final = frozenset(LedgerKind) - GOES


@dataclass(frozen=True, slots=True)
class Kept:
    """Of one dropped segment."""

    ledger: tuple[Line, ...] = ()
    stock: tuple[dict[str, Any], ...] = ()

    def packed(self) -> bytes:
        """As it is stored and hashed: compressed JSON."""
        document = {"ledger": self.ledger, "stock": self.stock}
        return zlib.compress(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(), 6)


def unpack(packed: bytes) -> Kept:
    """Read what `packed` wrote. Raises ValueError."""
    try:
        document = json.loads(zlib.decompress(packed))
        return Kept(tuple(tuple(line) for line in document["ledger"]), tuple(document["stock"]))
    except (zlib.error, KeyError, TypeError) as error:
        raise ValueError(f"kept of a segment: ledger and stock expected: {error}") from error


def kept_lines(number: int, at_us: int, ledger: bytes, inside: Collection[tuple[str, str]]) -> list[Line]:
    """The lines to keep of one record's ledger bytes; `inside` holds plate and passage of who is still in the zone."""
    kept: list[Line] = []
    for line in json.loads(ledger):
        kind, key, passage_id = line[:3]
        if kind in ALWAYS or (kind == LedgerKind.VEHICLE_IN and (key, passage_id) in inside):
            kept.append((number, at_us, *line))
    return kept


def kept_stock(payloads: Iterable[bytes]) -> list[dict[str, Any]]:
    """The events of the feed that change the stock, with what it adds up and nothing of vehicle and people."""
    kept = []
    for payload in payloads:
        event = json.loads(payload)
        if event["type"] in SIGNS:
            told = event["data"]
            slim = {name: told[name] for name in ("enterprise", "lines") if name in told}
            kept.append({"type": event["type"], "at": event["at"], "data": slim})
    return kept


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """A sealed run of records as table `segments` has it."""

    number: int
    first_record: int
    last_record: int
    root: str
    head: str
    epoch: str
    outbox_seq: int
    feed_seq: int
    last_at_us: int
    sealed_record: int
    dropped_record: int | None = None
    kept: bytes | None = None


SEGMENT_COLUMNS: Final = (
    "number, first_record, last_record, root, head, epoch, outbox_seq, feed_seq, last_at_us, sealed_record,"
    " dropped_record, kept"
)


def drop_hash(before: str, segment: SegmentRow, kept: bytes) -> str:
    """What the record of a drop holds: it covers this segment, what is kept of it, and every segment dropped before."""
    named = [
        before, segment.number, segment.first_record, segment.last_record, segment.root, segment.head, segment.epoch,
        segment.outbox_seq, segment.feed_seq, segment.last_at_us, segment.sealed_record, sha256_hex(kept),
    ]  # fmt: skip
    return sha256_hex(json.dumps(named, separators=(",", ":")).encode())
