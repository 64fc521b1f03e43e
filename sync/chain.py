"""The hash chain of the record: what is hashed, byte for byte. Pure.

The hash of a record is SHA-256, in lower-case hexadecimal, over the UTF-8 bytes of one JSON array without any space:

    ["gate-record-1", site_id, epoch, number, at_us, kind, actor, lane, passage_id,
     facts_sha256, ledger_sha256, passage_sha256, [[queue, seq, passage_id, sha256], …], previous_hash]

- `number`, `at_us` and `seq` are whole numbers; everything else is text or null. There is no float and no object, so
  neither number forms nor the order of keys can differ between programs.
- Text is escaped as RFC 8785 (JCS) says: `\"`, `\\\\`, and below U+0020 the short forms or `\\u00xx`; nothing else.
- `facts_sha256` is over the stored bytes of `facts`, `ledger_sha256` over those of `ledger` (null for none),
  `passage_sha256` over the passage document this entry stored (null for none).
- The last list names every event of the entry in the order of the outbox, then of the feed, by SHA-256 of its payload.
- `previous_hash` of record 1 is 64 zeros.

A record that says how far its time can be trusted (`sync.time_mark`) has another first word and one more element, the
stored text of that, as the last but one:

    ["gate-record-2", …, [[queue, seq, passage_id, sha256], …], clock, previous_hash]
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Final

FORMAT: Final = "gate-record-1"
FORMAT_WITH_CLOCK: Final = "gate-record-2"
GENESIS: Final = "0" * 64


@dataclass(frozen=True, slots=True)
class EventMark:
    """One event of a record: its queue (`outbox` or `feed`), its number there, its passage, its payload's hash."""

    queue: str
    seq: int
    passage_id: str | None
    sha256: str


@dataclass(frozen=True, slots=True)
class Link:
    """All of one record that its hash covers."""

    site_id: str
    epoch: str
    number: int
    at_us: int
    kind: str
    actor: str
    lane: str | None
    passage_id: str | None
    facts_sha256: str
    ledger_sha256: str | None
    passage_sha256: str | None
    events: tuple[EventMark, ...]
    previous_hash: str
    clock: str | None = None


def canonical_bytes(link: Link) -> bytes:
    """The bytes that are hashed. Raises UnicodeEncodeError for text that is not Unicode (a lone surrogate)."""
    document = [
        FORMAT if link.clock is None else FORMAT_WITH_CLOCK,
        link.site_id,
        link.epoch,
        link.number,
        link.at_us,
        link.kind,
        link.actor,
        link.lane,
        link.passage_id,
        link.facts_sha256,
        link.ledger_sha256,
        link.passage_sha256,
        [[mark.queue, mark.seq, mark.passage_id, mark.sha256] for mark in link.events],
        *([] if link.clock is None else [link.clock]),
        link.previous_hash,
    ]
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def link_hash(link: Link) -> str:
    """The record's own hash, which the next record holds."""
    return sha256_hex(canonical_bytes(link))


def sha256_hex(content: bytes) -> str:
    """SHA-256 in lower-case hexadecimal."""
    return hashlib.sha256(content).hexdigest()
