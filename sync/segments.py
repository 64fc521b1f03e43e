"""Seals runs of records under one root, and drops a sealed run whole once it was kept long enough and all is told.

A drop is one small entry of the record: from its commit on the segment is gone, its root stays. The rows are then
deleted in pieces, so that no decision waits; a stop in between is finished at the next start.
"""

# ruff: noqa: S608 - the only names put into statements are our own

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from sync.chain import GENESIS
from sync.kept import SEGMENT_COLUMNS, Kept, Line, SegmentRow, drop_hash, kept_lines, kept_stock
from sync.merkle import merkle_root
from sync.statements import run, scalar

QUEUES: Final = ("outbox", "feed")
LARGEST: Final = 100_000  # records of one segment: their hashes are read at once
PIECE: Final = 400  # records deleted in one transaction: a few milliseconds of the writer

DELETES: Final = (
    ("outbox", "record_number"),
    ("feed", "record_number"),
    ("tares", "record_number"),
    ("files", "record_number"),
    ("records", "number"),
)
"""What goes with its record, in the order that foreign keys ask for."""


@dataclass(frozen=True, slots=True)
class Drop:
    """A segment that may go: what stays of it, and the files that go with it."""

    segment: SegmentRow
    kept: bytes
    drop_hash: str
    records: int


def segments(connection: Connection) -> list[SegmentRow]:
    """Every segment ever sealed, oldest first."""
    return [SegmentRow(*row) for row in run(connection, f"SELECT {SEGMENT_COLUMNS} FROM segments ORDER BY number")]


def dropped_to(connection: Connection) -> int:
    """The last record that is dropped, 0 for none."""
    return int(
        scalar(connection, "SELECT COALESCE(MAX(last_record), 0) FROM segments WHERE dropped_record IS NOT NULL")
    )


def next_segment(connection: Connection, before_us: int) -> SegmentRow | None:
    """What would be sealed now: the records after the last segment that were written before a moment; None for none.

    `sealed_record` is left 0 for the entry that seals it.
    """
    last = run(
        connection,
        "SELECT number, last_record, epoch, outbox_seq, feed_seq FROM segments ORDER BY number DESC LIMIT 1",
    ).fetchone()
    number, first = (1, 1) if last is None else (last[0] + 1, last[1] + 1)
    rows = run(
        connection,
        "SELECT number, hash, epoch, at_us FROM records WHERE number >= ? ORDER BY number LIMIT ?",
        (first, LARGEST),
    ).fetchall()
    old = max((index for index, row in enumerate(rows) if row[3] < before_us), default=-1)
    if old < 0:
        return None
    taken = rows[: old + 1]
    end, head, epoch, _ = taken[-1]
    before = (0, 0) if last is None or last[2] != epoch else (last[3], last[4])
    seqs = [max(_last_seq(connection, queue, epoch, end), seq) for queue, seq in zip(QUEUES, before, strict=True)]
    root = merkle_root(row[1] for row in taken)
    return SegmentRow(number, first, end, root, head, epoch, seqs[0], seqs[1], max(row[3] for row in taken), 0)


def _last_seq(connection: Connection, queue: str, epoch: str, end: int) -> int:
    """The last `seq` in the epoch up to a record; 0 where there is none, or none any more."""
    return int(
        scalar(
            connection,
            f"SELECT seq FROM {queue} WHERE epoch = ? AND record_number <= ? ORDER BY record_number DESC, seq DESC"
            " LIMIT 1",
            (epoch, end),
        )
        or 0
    )


def facts_of(segment: SegmentRow) -> dict[str, Any]:
    """What the sealing entry says."""
    return {
        "segment": segment.number, "first": segment.first_record, "last": segment.last_record, "root": segment.root,
        "head": segment.head, "epoch": segment.epoch, "outbox_seq": segment.outbox_seq, "feed_seq": segment.feed_seq,
        "last_at_us": segment.last_at_us,
    }  # fmt: skip


def insert(connection: Connection, segment: SegmentRow, sealed_record: int) -> None:
    """Note a sealed segment, in the transaction of its entry."""
    run(
        connection,
        "INSERT INTO segments (number, first_record, last_record, root, head, epoch, outbox_seq, feed_seq, last_at_us,"
        " sealed_record) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            segment.number, segment.first_record, segment.last_record, segment.root, segment.head, segment.epoch,
            segment.outbox_seq, segment.feed_seq, segment.last_at_us, sealed_record,
        ),
    )  # fmt: skip


def why_not_droppable(connection: Connection, segment: SegmentRow, before_us: int) -> str | None:
    """Why the segment stays; None where it may go. `before_us`: everything in it must be older."""
    if segment.last_at_us >= before_us:
        return "kept for its time"
    for queue in QUEUES:
        waiting = scalar(
            connection,
            f"SELECT COUNT(*) FROM {queue} WHERE state <> 'delivered' AND record_number <= ?",
            (segment.last_record,),
        )
        if waiting:
            return f"{waiting} events of it wait in the {queue}"
    if scalar(
        connection,
        "SELECT COUNT(*) FROM passages WHERE closed_at_us IS NULL AND opened_record <= ?",
        (segment.last_record,),
    ):
        return "a passage of it is open"
    return None


def prepare_drop(connection: Connection) -> tuple[SegmentRow, str] | None:
    """The oldest segment that is not dropped, and the hash over those that are; None where all are dropped."""
    before = GENESIS
    for segment in segments(connection):
        if segment.dropped_record is None:
            return segment, before
        before = drop_hash(before, segment, segment.kept or b"")
    return None


def read_drop(connection: Connection, segment: SegmentRow, before: str) -> Drop:
    """Read what has to stay of a segment. Its rows no longer change, so this needs no transaction with the drop."""
    inside = {(row[0], row[1]) for row in run(connection, "SELECT plate, passage_id FROM vehicles_inside")}
    span = (segment.first_record, segment.last_record)
    lines: list[Line] = []
    erased: dict[int, list[Line]] | None = None
    rows = run(
        connection,
        "SELECT number, at_us, ledger FROM records WHERE number BETWEEN ? AND ? AND ledger IS NOT NULL ORDER BY number",
        span,
    )
    for number, at_us, ledger in rows.fetchall():
        if ledger:
            lines += kept_lines(number, at_us, ledger, inside)
            continue
        if erased is None:
            erased = erased_lines(connection, segment.first_record)
        lines += erased.get(number, [])
    payloads = run(
        connection,
        "SELECT payload FROM feed WHERE record_number BETWEEN ? AND ? ORDER BY record_number, seq",
        span,
    )
    packed = Kept(tuple(lines), tuple(kept_stock(row[0] for row in payloads if row[0]))).packed()
    return Drop(segment, packed, drop_hash(before, segment, packed), segment.last_record - segment.first_record + 1)


def erased_lines(connection: Connection, above: int) -> dict[int, list[Line]]:
    """The ledger lines that were kept when personal data were erased, by the record that they are of."""
    found: dict[int, list[Line]] = {}
    rows = run(connection, "SELECT facts FROM records WHERE kind = 'personal_data_erased' AND number > ?", (above,))
    for (facts,) in rows.fetchall():
        for line in json.loads(facts)["kept"]:
            found.setdefault(line[0], []).append(tuple(line))
    return found


def note_drop(connection: Connection, drop: Drop, dropped_record: int) -> None:
    """Mark the segment as dropped, in the transaction of its entry."""
    run(
        connection,
        "UPDATE segments SET dropped_record = ?, kept = ? WHERE number = ?",
        (dropped_record, drop.kept, drop.segment.number),
    )


def delete_piece(connection: Connection) -> int:
    """Delete some rows that belong to dropped segments; how many records, 0 once nothing is left of them."""
    end = dropped_to(connection)
    first = scalar(connection, "SELECT MIN(number) FROM records")
    if first is None or first > end:
        return 0
    last = min(end, first + PIECE - 1)
    run(connection, "DELETE FROM passages WHERE opened_record <= ? AND last_record <= ?", (last, last))
    run(connection, "DELETE FROM receipts WHERE event_id IN (SELECT id FROM feed WHERE record_number <= ?)", (last,))
    for table, column in DELETES:
        run(connection, f"DELETE FROM {table} WHERE {column} <= ?", (last,))
    return int(last - first + 1)
