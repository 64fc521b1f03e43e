"""What a record rests on where its beginning was dropped, and what was erased of the rest: read before it is checked.

Knows SQL, no file and no product. Whether it is to be believed is checked against the chain, which names all of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from sync.chain import GENESIS
from sync.kept import SEGMENT_COLUMNS, Kept, Line, SegmentRow, drop_hash, unpack
from sync.merkle import merkle_root

Row = tuple[Any, ...]
Query = Callable[..., Iterable[Row]]

ERASED: Final = "personal_data_erased"


@dataclass(frozen=True, slots=True)
class Erased:
    """What is left of the ledger of one erased record: the lines that were kept, and the hash of the bytes."""

    ledger_sha256: str | None
    lines: tuple[Line, ...]


@dataclass(slots=True)
class RecordBase:
    """Where the check of a record begins."""

    dropped: list[SegmentRow] = field(default_factory=list)
    sealed: list[SegmentRow] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    drop_hash: str = GENESIS
    erased: dict[int, Erased] = field(default_factory=dict)
    """By the number of the erased record."""
    erasures: dict[str, int] = field(default_factory=dict)
    """Erased passage -> the record that says so."""
    problems: list[tuple[str, int | None]] = field(default_factory=list)

    @property
    def records(self) -> int:
        """The last record that is dropped."""
        return self.dropped[-1].last_record if self.dropped else 0

    @property
    def head(self) -> str:
        """What the first record that is there must follow."""
        return self.dropped[-1].head if self.dropped else GENESIS

    def last_seq(self) -> dict[str, dict[str, int]]:
        """The last `seq` of each queue before the first record that is there, by epoch."""
        if not self.dropped:
            return {"outbox": {}, "feed": {}}
        last = self.dropped[-1]
        return {"outbox": {last.epoch: last.outbox_seq}, "feed": {last.epoch: last.feed_seq}}

    @property
    def epoch(self) -> str | None:
        """The epoch of the last record that is dropped."""
        return self.dropped[-1].epoch if self.dropped else None


def read_base(query: Query) -> RecordBase:
    """Read the segments, and who was erased."""
    base = RecordBase()
    expected = 1
    for row in query(f"SELECT {SEGMENT_COLUMNS} FROM segments ORDER BY number"):  # noqa: S608 - our own names
        segment = SegmentRow(*row)
        if segment.first_record != expected or segment.last_record < segment.first_record:
            base.problems.append((f"segment {segment.number}: from record {expected} expected", None))
        expected = segment.last_record + 1
        if segment.dropped_record is None:
            base.sealed.append(segment)
            continue
        if base.sealed:
            base.problems.append((f"segment {segment.number}: dropped before an older one", None))
        base.dropped.append(segment)
        base.drop_hash = drop_hash(base.drop_hash, segment, segment.kept or b"")
        try:
            base.kept.append(unpack(segment.kept or b""))
        except ValueError as error:
            base.problems.append((f"segment {segment.number}: {error}", None))
    _read_erasures(query, base)
    return base


def _read_erasures(query: Query, base: RecordBase) -> None:
    rows = query(f"SELECT number, facts FROM records WHERE kind = '{ERASED}' AND number > {base.records:d}")  # noqa: S608
    for number, facts in rows:
        try:
            said = json.loads(facts)
            lines: list[Line] = [tuple(line) for line in said["kept"]]
            found = {
                int(record): Erased(ledger_sha256, tuple(line for line in lines if line[0] == record))
                for record, ledger_sha256 in said["records"]
            }
            passage_id = str(said["passage_id"])
        except (ValueError, TypeError, KeyError) as error:
            base.problems.append((f"record {number}: what was erased cannot be read: {error}", number))
            continue
        base.erased.update(found)
        base.erasures[passage_id] = number


class SegmentRoots:
    """Computes the root of each sealed segment while its records pass by."""

    def __init__(self, sealed: Iterable[SegmentRow]) -> None:
        self._waiting = list(sealed)
        self._hashes: list[str] = []

    def passed(self, number: int, stored_hash: str) -> str | None:
        """One record, in order; what is wrong with the segment that ends here."""
        if not self._waiting or number < self._waiting[0].first_record:
            return None
        self._hashes.append(stored_hash)
        segment = self._waiting[0]
        if number < segment.last_record:
            return None
        hashes, self._hashes = self._hashes, []
        del self._waiting[0]
        try:
            root = merkle_root(hashes)
        except ValueError:
            root = ""
        if (root, stored_hash, len(hashes)) == (segment.root, segment.head, number - segment.first_record + 1):
            return None
        return f"segment {segment.number}: root and head of its records expected, found others"

    def rest(self) -> Iterable[SegmentRow]:
        """Segments whose end never came."""
        return self._waiting
