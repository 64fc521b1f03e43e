"""Goes through a record once, in order, and says what does not hold. Knows SQL, no product.

Where the beginning was dropped it starts from the root that was kept (`sync.record_base`); what was erased is held to
the entry that says so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from sync.chain import GENESIS, EventMark, Link, link_hash, sha256_hex
from sync.encoding import encode_passage, parse_us
from sync.ledger_replay import LedgerReplay, Schema
from sync.record_base import RecordBase, SegmentRoots, read_base
from sync.segments import facts_of

Row = tuple[Any, ...]
Query = Callable[..., Iterable[Row]]
"""Runs one SELECT (with `?` places) and gives its rows."""

STATES: Final = {"due", "delivered", "parked"}
EVENTS: Final = (
    "SELECT record_number, epoch, seq, id, type, passage_id, at_us, payload, sha256, state FROM {0}"
    " WHERE record_number > {1:d} ORDER BY record_number, seq"
)
Files = Callable[[str], bool]
"""Whether the file of this SHA-256 is there and is what its name says."""


@dataclass(slots=True)
class Report:
    """What was found. No findings: the record holds."""

    records: int = 0
    outbox: int = 0
    feed: int = 0
    hazmat_events: int = 0
    sealed_records: int | None = None
    dropped_to: int = 0
    dropped_segments: int = 0
    erased_passages: list[str] = field(default_factory=list)
    files: int = 0
    orphan_files: int = 0
    checkpoint: str | None = None
    key: str | None = None
    findings: list[str] = field(default_factory=list)
    first_broken_record: int | None = None

    @property
    def holds(self) -> bool:
        """Whether nothing was found wanting."""
        return not self.findings

    def found(self, message: str, record: int | None = None) -> None:
        """Add a finding; the lowest record named is the first broken one."""
        self.findings.append(message)
        if record is not None and (self.first_broken_record is None or record < self.first_broken_record):
            self.first_broken_record = record


@dataclass(frozen=True, slots=True)
class _Told:
    """One row of outbox or feed."""

    record_number: int
    epoch: str
    seq: int
    id: str
    type: str
    passage_id: str | None
    at_us: int
    payload: bytes
    sha256: str
    state: str


class _Queue:
    """One queue, read beside the records."""

    def __init__(self, name: str, query: Query, above: int, last_seq: dict[str, int]) -> None:
        self.name = name
        self.last_seq = last_seq
        self._rows: Iterator[Row] = iter(query(EVENTS.format(name, above)))
        self._next = self._advance()

    def of_record(self, number: int) -> Iterator[_Told]:
        """Rows up to this record; a row that belongs to no record comes with the next one that exists."""
        while self._next is not None and self._next.record_number <= number:
            yield self._next
            self._next = self._advance()

    def rest(self) -> Iterator[_Told]:
        """Rows after the last record."""
        while self._next is not None:
            yield self._next
            self._next = self._advance()

    def _advance(self) -> _Told | None:
        row = next(self._rows, None)
        return None if row is None else _Told(*row)


class RecordCheck:
    """One pass over a record; findings go into the report."""

    def __init__(
        self,
        query: Query,
        report: Report,
        watched: Collection[int] = (),
        *,
        files: Files | None = None,
        is_segmented: bool = True,
        schema: Schema | None = None,
    ) -> None:
        """`watched`: numbers of records whose hashes are wanted afterwards (`hashes`). `files` None: not looked at.

        `is_segmented` False is a database from before revision 0005.
        """
        self._query = query
        self._report = report
        self._watched = watched
        self._files = files
        self._is_segmented = is_segmented
        self._schema = schema
        self.base = read_base(query) if is_segmented else RecordBase()
        seqs = self.base.last_seq()
        self._queues = tuple(_Queue(name, query, self.base.records, seqs[name]) for name in ("outbox", "feed"))
        self._roots = SegmentRoots(self.base.sealed)
        self._ledger = LedgerReplay()
        self._passages: dict[str, tuple[int, int, str]] = {}  # id -> first record, last record, document's hash
        self._epoch = self.base.epoch
        self._anchored = GENESIS  # what the chain says of everything dropped
        self._named: list[Row] = []  # files that records name
        self._sealed: dict[int, dict[str, Any]] = {}
        self._dropped: dict[int, int] = {}  # segment -> the record of its drop
        self.hashes = {segment.last_record: segment.head for segment in self.base.dropped}

    def last_seq(self, queue: str, epoch: str) -> int:
        """The last number seen of a queue in an epoch, 0 for none."""
        return next(q for q in self._queues if q.name == queue).last_seq.get(epoch, 0)

    def run(self) -> None:
        """Check everything."""
        meta = list(self._query("SELECT site_id, epoch FROM meta"))
        if len(meta) != 1:
            self._report.found(f"meta: one row expected, {len(meta)} found")
            return
        site_id, epoch = meta[0]
        for message, record in self.base.problems:
            self._report.found(message, record)
        for kept in self.base.kept:
            self._ledger.follow_kept(kept.ledger)
        self._check_records(site_id)
        self._check_base()
        if self._epoch is not None and self._epoch != epoch:
            self._report.found(f"meta: epoch {self._epoch} of the last record expected, found {epoch}")
        for queue in self._queues:
            for told in queue.rest():
                self._report.found(f"{queue.name} {told.seq}: of record {told.record_number}, which does not exist")
        self._check_passages()
        self._check_files()
        for message, record in self._ledger.differences(self._query, self.base.records, self._schema):
            self._report.found(message, record)

    def _check_records(self, site_id: str) -> None:
        expected, previous_hash = self.base.records + 1, self.base.head
        columns = (
            "number, epoch, kind, at_us, actor, lane, passage_id, facts, facts_sha256, ledger, passage_sha256,"
            f" previous_hash, hash, {'clock' if self._is_segmented else 'NULL'}"
        )
        above = self.base.records
        for row in self._query(f"SELECT {columns} FROM records WHERE number > {above:d} ORDER BY number"):  # noqa: S608
            number, stored_previous, stored_hash = row[0], row[11], row[12]
            if number != expected:
                self._report.found(f"record {expected}: missing, the next found is {number}", expected)
            elif stored_previous != previous_hash:
                self._report.found(f"record {number}: does not follow record {number - 1} (previous hash)", number)
            try:
                computed = self._link_of(row, site_id)
            except (TypeError, ValueError, KeyError) as error:  # SQLite lets any kind of value into any column
                self._report.found(f"record {number}: cannot be read: {error}", number)
            else:
                if computed != stored_hash:
                    self._report.found(f"record {number}: contents do not give its hash", number)
            wrong = self._roots.passed(number, stored_hash)
            if wrong is not None:
                self._report.found(wrong, number)
            if number in self._watched:
                self.hashes[number] = stored_hash
            self._report.records = number
            expected, previous_hash = number + 1, stored_hash

    def _link_of(self, row: Row, site_id: str) -> str:
        """Check one record's own parts and compute its hash."""
        number, epoch, kind, at_us, actor, lane, passage_id, facts, facts_sha256, ledger, passage_sha256 = row[:11]
        is_erased = number in self.base.erased and facts == b""
        if not is_erased and sha256_hex(facts) != facts_sha256:
            self._report.found(f"record {number}: facts do not give their hash", number)
        if self._epoch not in (None, epoch) and kind != "epoch_started":
            self._report.found(f"record {number}: epoch {self._epoch} expected, found {epoch}", number)
        self._epoch = epoch
        marks = self._check_events(number, epoch, is_erased=is_erased)
        ledger_sha256 = None if ledger is None else sha256_hex(ledger)
        if is_erased and ledger == b"":
            self._ledger.follow_kept(self.base.erased[number].lines)
            ledger_sha256 = self.base.erased[number].ledger_sha256
        elif ledger is not None:
            self._ledger.follow(ledger, number, at_us)
        self._note_own(kind, facts, number)
        if passage_sha256 is not None and passage_id is not None:
            first = self._passages.get(passage_id, (number, 0, ""))[0]
            self._passages[passage_id] = (first, number, passage_sha256)
        link = Link(
            site_id=site_id,
            epoch=epoch,
            number=number,
            at_us=at_us,
            kind=kind,
            actor=actor,
            lane=lane,
            passage_id=passage_id,
            facts_sha256=facts_sha256,
            ledger_sha256=ledger_sha256,
            passage_sha256=passage_sha256,
            events=marks,
            previous_hash=row[11],
            clock=row[13],
        )
        return link_hash(link)

    def _note_own(self, kind: str, facts: bytes, number: int) -> None:
        """What records say of the record itself, and the files that they name."""
        if facts == b"":
            return
        if kind == "segment_dropped":
            said = json.loads(facts)
            self._anchored = said["dropped_sha256"]
            self._dropped[said["segment"]] = number
        elif kind == "personal_data_erased":
            passage_id = json.loads(facts)["passage_id"]
            self._report.erased_passages.append(passage_id)
            self._ledger.forget_tares(passage_id)
        elif kind == "segment_sealed":
            self._sealed[number] = json.loads(facts)
        elif self._files is not None and b'"files":' in facts:
            files = json.loads(facts).get("files", ())
            self._named += [(number, file["sha256"], file["bytes"], file["media_type"]) for file in files]

    def _check_base(self) -> None:
        """What was dropped and sealed must be what the chain says; and nothing that was sealed may be missing."""
        report, base = self._report, self.base
        report.dropped_to, report.dropped_segments = base.records, len(base.dropped)
        if self._anchored != base.drop_hash:
            report.found("segments: what is noted as dropped is not what the record says was dropped", base.records + 1)
        for segment in (*base.dropped, *base.sealed):
            told = self._dropped.get(segment.number)
            if (segment.dropped_record is None) != (segment.kept is None) or (
                segment.dropped_record != told and (segment.dropped_record or 0) > base.records
            ):
                report.found(
                    f"segment {segment.number}: dropped by record {told} expected, noted {segment.dropped_record}"
                )
        for segment in self._roots.rest():
            report.found(f"segment {segment.number}: record {segment.last_record} expected, none found")
        rows = {segment.sealed_record: facts_of(segment) for segment in base.sealed}
        for number, facts in self._sealed.items():
            if facts["last"] > base.records and rows.get(number) != facts:
                report.found(f"record {number}: what it says was sealed is not what is noted", number)

    def _check_files(self) -> None:
        """Every file that a record names is noted, there, and what its name says."""
        if self._files is None:
            return
        rows: set[Row] = set()
        if self._is_segmented:
            above = self.base.records
            columns = "record_number, sha256, bytes, media_type"
            rows = set(self._query(f"SELECT {columns} FROM files WHERE record_number > {above:d}"))  # noqa: S608
        for named in sorted(set(self._named), key=str):
            number, digest = named[:2]
            self._report.files += 1
            if named not in rows:
                self._report.found(f"record {number}: file {digest} is not noted as it was named", number)
            if not self._files(digest):
                self._report.found(f"record {number}: file {digest} is missing or not what its name says", number)
        for number, digest, *_ in sorted(rows - set(self._named), key=str):
            known = number if isinstance(number, int) else None
            self._report.found(f"files: {digest} is noted for record {number}, which does not name it", known)

    def _check_events(self, number: int, epoch: str, *, is_erased: bool) -> tuple[EventMark, ...]:
        """Check the record's events and give their marks as the chain wants them."""
        marks: list[EventMark] = []
        hazmat: dict[str, set[str]] = {"outbox": set(), "feed": set()}
        for queue in self._queues:
            for told in queue.of_record(number):
                place = f"{queue.name} {told.seq} (record {told.record_number})"
                is_empty = is_erased and told.payload == b"" and queue.name == "outbox"
                for fault in self._faults_of(queue, told, number, epoch, is_empty=is_empty):
                    self._report.found(f"{place}: {fault}", min(told.record_number, number))
                queue.last_seq[told.epoch] = told.seq
                sha256 = told.sha256 if is_empty else sha256_hex(told.payload)
                marks.append(EventMark(queue.name, told.seq, told.passage_id, sha256))
                if told.type.startswith("hazmat."):
                    hazmat[queue.name].add(told.id)
        for event_id in sorted(hazmat["outbox"] ^ hazmat["feed"]):
            missing_in = "feed" if event_id in hazmat["outbox"] else "outbox"
            self._report.found(f"record {number}: hazmat event {event_id} is missing in the {missing_in}", number)
        self._report.hazmat_events += len(hazmat["feed"])
        self._report.outbox += sum(mark.queue == "outbox" for mark in marks)
        self._report.feed += sum(mark.queue == "feed" for mark in marks)
        return tuple(marks)

    def _faults_of(self, queue: _Queue, told: _Told, number: int, epoch: str, *, is_empty: bool) -> Iterator[str]:
        if told.record_number != number:
            yield "belongs to a record that does not exist"
        expected_seq = queue.last_seq.get(told.epoch, 0) + 1
        if told.seq != expected_seq:
            yield f"seq {expected_seq} expected"
        if told.epoch != epoch:
            yield f"epoch {epoch} of its record expected, found {told.epoch}"
        if not is_empty and sha256_hex(told.payload) != told.sha256:
            yield "payload does not give its hash"
        if told.state not in STATES:
            yield f"state due, delivered or parked expected, found {told.state!r}"
        if is_empty:
            if told.state != "delivered":
                yield "erased, and not delivered"
        elif not _names_itself(told):
            yield "id, seq, type or time differ from the payload"

    def _check_passages(self) -> None:
        columns = "id, opened_record, last_record, lane, direction, state, plate, verdict, opened_at_us, closed_at_us"
        above = self.base.records
        select = f"SELECT {columns}, document FROM passages WHERE last_record > {above:d} ORDER BY opened_record"  # noqa: S608
        for row in self._query(select):
            known = self._passages.pop(row[0], None)
            if known is None:
                self._report.found(f"passage {row[0]}: no record speaks of it", row[1])
                continue
            first, last, sha256 = known
            if isinstance(row[1], int) and row[1] <= above:
                first = row[1]  # opened in a segment that is dropped
            if not isinstance(row[10], bytes):
                self._report.found(f"passage {row[0]}: a document in bytes expected", last)
            elif row[1:3] != (first, last):
                self._report.found(f"passage {row[0]}: records {first} to {last} expected, found {row[1:3]}", last)
            elif sha256_hex(row[10]) != sha256:
                self._report.found(f"passage {row[0]}: its document is not the one of record {last}", last)
            elif _passage_columns(row[10], row[0]) != row[3:10]:
                self._report.found(f"passage {row[0]}: its columns differ from its document", last)
        for passage_id, (_first, last, _) in self._passages.items():
            self._report.found(f"passage {passage_id}: missing, record {last} stored it", last)


def _names_itself(told: _Told) -> bool:
    try:
        payload = json.loads(told.payload)
        found = (payload["id"], payload["seq"], payload["type"], parse_us(payload["at"]))
    except (ValueError, KeyError, TypeError):
        return False
    return found == (told.id, told.seq, told.type, told.at_us)


def _passage_columns(document: bytes, passage_id: str) -> Row | None:
    try:
        row = encode_passage(json.loads(document), passage_id)
    except (ValueError, TypeError):
        return None
    return (row.lane, row.direction, row.state, row.plate, row.verdict, row.opened_at_us, row.closed_at_us)
