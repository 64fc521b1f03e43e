"""A checkpoint: where the record stood at a moment, signed, so that whoever holds it sees a record cut shorter. Pure.

`{"format":"gate-checkpoint-1","site_id","epoch","records","head","outbox","feed","at","key","signature"}`; `records` is
the last number, `head` that record's hash, `outbox` and `feed` the last `seq` in the epoch. Signed (Ed25519) is the
JSON array without spaces of the first nine values in this order, as UTF-8; `key` and `signature` are base64url
without padding. See docs/operations.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from gate_service.domain.errors import InputError
from sync.record_key import RecordKey, is_signed_by

FORMAT: Final = "gate-checkpoint-1"
TEXTS: Final = ("site_id", "epoch", "head", "at", "key", "signature")
NUMBERS: Final = ("records", "outbox", "feed")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One checkpoint as it is sent and kept."""

    site_id: str
    epoch: str
    records: int
    head: str
    outbox: int
    feed: int
    at: str
    key: str
    signature: str

    def document(self) -> dict[str, Any]:
        """As it is sent."""
        return {"format": FORMAT, **asdict(self)}

    def is_genuine(self) -> bool:
        """Whether its own key signed it. Whose key that is, is for the reader to know."""
        return is_signed_by(self.key, self.signature, _signed_bytes(self.document()))


def sign(
    key: RecordKey, *, site_id: str, epoch: str, records: int, head: str, outbox: int, feed: int, at: str
) -> Checkpoint:
    """Make a checkpoint."""
    unsigned = Checkpoint(site_id, epoch, records, head, outbox, feed, at, key.public, "")
    return Checkpoint(
        site_id, epoch, records, head, outbox, feed, at, key.public, key.sign(_signed_bytes(unsigned.document()))
    )


def read_checkpoint(found: object) -> Checkpoint:
    """One document. Raises InputError for anything else; a wrong signature is not looked at here."""
    if not isinstance(found, Mapping) or found.get("format") != FORMAT:
        raise InputError(f"checkpoint: format {FORMAT} expected, found {json.dumps(found, default=str)[:80]}")
    for name in TEXTS:
        if not isinstance(found.get(name), str):
            raise InputError(f"checkpoint: {name}: text expected, found {found.get(name)!r}")
    for name in NUMBERS:
        if type(found.get(name)) is not int or found[name] < 0:
            raise InputError(f"checkpoint: {name}: a whole number expected, found {found.get(name)!r}")
    return Checkpoint(**{name: found[name] for name in (*TEXTS, *NUMBERS)})


def read_last(content: bytes) -> Checkpoint:
    """The newest checkpoint of a file: one document, an answer that holds it, or a list. Raises InputError."""
    try:
        found = [read_checkpoint(one) for one in _documents(json.loads(content))]
    except (ValueError, RecursionError) as error:
        raise InputError(f"checkpoint: JSON expected: {error}") from error
    if not found:
        raise InputError("checkpoint: at least one expected, none found")
    return max(found, key=lambda one: (one.at, one.records))


def _documents(found: object) -> Iterable[object]:
    if isinstance(found, list):
        return found
    if isinstance(found, dict):
        if isinstance(found.get("checkpoints"), list):
            return list(found["checkpoints"])
        if "checkpoint" in found:  # one answer of the centre, or a seal
            return [found["checkpoint"]]
    return [found]


def _signed_bytes(document: Mapping[str, Any]) -> bytes:
    names = ("format", "site_id", "epoch", "records", "head", "outbox", "feed", "at", "key")
    return json.dumps([document[name] for name in names], ensure_ascii=False, separators=(",", ":")).encode()
