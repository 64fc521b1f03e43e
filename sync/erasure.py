"""Erases the personal data of one passage and leaves the chain whole: contents go, their hashes stay.

Erased are the facts of its records, the payloads of its events at the central outbox (all delivered), its plate in
passage and tares, its slip of the form and its draws (`sync.erasure_traces`); what the ledgers need is kept in the
entry that says who erased what and why. The hazardous feed keeps what the zone authority was told until its segment
is dropped (docs/operations.md says why).
"""

# ruff: noqa: S608 - the only names put into statements are our own

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection

from gate_service.domain.errors import InputError, NotFoundError
from gate_service.domain.plain_text import hidden_in
from gate_service.domain.ports import Clock
from gate_service.domain.record import Entry
from sync import erasure_traces
from sync.chain import sha256_hex
from sync.journal import SqlJournal
from sync.kept import Line, kept_lines
from sync.segments import dropped_to
from sync.statements import marks, run, scalar

KIND: Final = "personal_data_erased"
STAYS: Final = (
    "id", "lane", "direction", "opened_at", "state", "facts_version", "verdict", "decided_version", "disposition",
    "outcome", "crossed_at", "closed_at", "weight_told_at",
)  # fmt: skip
"""Of a passage's document: when, where and with what end; nothing of vehicle, goods, scans and people."""
PIECE: Final = 500


async def erase_passage(journal: SqlJournal, clock: Clock, passage_id: str, reason: str, actor: str) -> dict[str, Any]:
    """Erase, and answer `{"passage_id", "record", "records", "events"}`.

    Raises NotFoundError, and InputError for a passage that is open, erased, inside, or not told everywhere yet.
    """
    if not reason.strip():
        raise InputError("erase: a reason expected")
    if (hidden := hidden_in(reason)) is not None:
        raise InputError(f"reason: no control or direction characters expected, found {hidden}")
    database = journal.database
    found = await database.read(lambda connection: _find(connection, passage_id))
    facts = {"passage_id": passage_id, "records": found["records"], "kept": found["kept"], "reason": reason.strip()}
    entry = Entry(KIND, clock.now(), actor, facts, passage_id=passage_id, passage=found["document"])
    events = 0

    def blank(connection: Connection, _number: int) -> None:
        nonlocal events
        _refuse_untold(connection, passage_id, found["traces"].records)
        events = _blank(connection, passage_id, [number for number, _ in found["records"]])
        erasure_traces.blank(connection, found["traces"])

    number = await journal.write(entry, blank)
    return {"passage_id": passage_id, "record": number, "records": len(found["records"]), "events": events}


def _find(connection: Connection, passage_id: str) -> dict[str, Any]:
    row = run(
        connection, "SELECT document, closed_at_us, last_record FROM passages WHERE id = ?", (passage_id,)
    ).fetchone()
    if row is None or row[2] <= dropped_to(connection):
        raise NotFoundError(f"passage {passage_id}: not in the record")
    document: Mapping[str, Any] = json.loads(row[0])
    if row[1] is None:
        raise InputError(f"passage {passage_id}: a closed passage expected, found it open")
    if document.get("erased"):
        raise InputError(f"passage {passage_id}: its personal data are erased already")
    if scalar(connection, "SELECT COUNT(*) FROM vehicles_inside WHERE passage_id = ?", (passage_id,)):
        raise InputError(f"passage {passage_id}: its vehicle is still in the zone; erase once it has left")
    traces = erasure_traces.find(connection, passage_id, document, row[1])
    _refuse_untold(connection, passage_id, traces.records)
    kept: list[Line] = []
    records: list[tuple[int, str | None]] = []
    rows = run(
        connection,
        f"SELECT number, at_us, ledger FROM records WHERE (passage_id = ? OR number IN ({marks(traces.records)}))"
        " AND number > ? ORDER BY number",
        (passage_id, *traces.records, dropped_to(connection)),
    )
    for number, at_us, ledger in rows.fetchall():
        records.append((number, None if ledger is None else sha256_hex(ledger)))
        if ledger:
            kept += kept_lines(number, at_us, ledger, ())
    stays = {name: document[name] for name in STAYS if name in document}
    return {"document": {**stays, "erased": True}, "records": records, "kept": kept, "traces": traces}


def _refuse_untold(connection: Connection, passage_id: str, records: Sequence[int]) -> None:
    for queue in ("outbox", "feed"):
        waiting = scalar(
            connection,
            f"SELECT COUNT(*) FROM {queue} WHERE (passage_id = ? OR record_number IN ({marks(records)}))"
            " AND state <> 'delivered'",
            (passage_id, *records),
        )
        if waiting:
            raise InputError(f"passage {passage_id}: every event delivered expected, {waiting} wait in the {queue}")


def _blank(connection: Connection, passage_id: str, records: list[int]) -> int:
    """Empty the contents; how many events that were."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete=ON")  # overwrite, not only unlink, from here on
    events = 0
    for start in range(0, len(records), PIECE):
        piece = tuple(records[start : start + PIECE])
        run(
            connection,
            "UPDATE records SET facts = ?, ledger = CASE WHEN ledger IS NULL THEN ledger ELSE ? END"
            f" WHERE number IN ({marks(piece)})",
            (b"", b"", *piece),
        )
        emptied = f"UPDATE outbox SET payload = ? WHERE record_number IN ({marks(piece)})"
        events += run(connection, emptied, (b"", *piece)).rowcount
        run(connection, f"DELETE FROM files WHERE record_number IN ({marks(piece)})", piece)  # then the files go too
    run(connection, "DELETE FROM tares WHERE passage_id = ?", (passage_id,))
    return events
