"""Every table of the record, as SQLAlchemy Core sees them. No statements here.

Here the record itself and its ledgers; `sync.copy_tables`, `sync.people_tables` and `sync.register_tables` hold the
rest, on the same metadata. Times are whole microseconds since 1970 UTC (`_us`): they sort and compare as numbers in
both products, need no parsing, and stand in the hash chain without a float. Masses are whole grams (`_g`). Bytes that
are told or hashed are stored as bytes and never written anew. Revisions that make these tables: `migrations/`.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table, text

from sync import copy_tables, people_tables, register_tables
from sync.columns import Number, metadata

__all__ = ["copy_tables", "metadata", "people_tables", "register_tables"]

meta = Table(
    "meta",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("site_id", String, nullable=False),
    Column("epoch", String, nullable=False),
    Column("created_at_us", Number, nullable=False),
)

# --- the audit: one row per transaction, chained; triggers refuse UPDATE and DELETE --------------------------------

records = Table(
    "records",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("epoch", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("at_us", Number, nullable=False),
    Column("actor", String, nullable=False),
    Column("lane", String),
    Column("passage_id", String),
    Column("facts", LargeBinary, nullable=False),  # empty once erased; the hash stays
    Column("facts_sha256", String, nullable=False),
    Column("ledger", LargeBinary),  # canonical bytes of the entry's ledger changes; NULL for none, empty once erased
    Column("passage_sha256", String),  # of the passage document after this entry; NULL where unchanged
    Column("clock", String),  # how far `at_us` can be trusted (`sync.time_mark`); NULL before revision 0005
    Column("previous_hash", String, nullable=False),
    Column("hash", String, nullable=False),
    Index("records_by_passage", "passage_id", "number"),
    Index("records_by_kind", "kind", "number"),
)

passages = Table(
    "passages",
    metadata,
    Column("id", String, primary_key=True),
    Column("opened_record", Number, nullable=False, unique=True),  # pages are cut by it
    Column("last_record", Number, nullable=False),
    Column("lane", String, nullable=False),
    Column("direction", String, nullable=False),
    Column("state", String, nullable=False),
    Column("plate", String),
    Column("verdict", String),
    Column("opened_at_us", Number, nullable=False),
    Column("closed_at_us", Number),
    Column("document", LargeBinary, nullable=False),
    Index("passages_by_plate", "plate", "opened_record"),
    Index("passages_by_opened_at", "opened_at_us"),
    Index("passages_closed", "last_record", sqlite_where=text("closed_at_us IS NOT NULL"),
          postgresql_where=text("closed_at_us IS NOT NULL")),
    Index("passages_open", "opened_record", sqlite_where=text("closed_at_us IS NULL"),
          postgresql_where=text("closed_at_us IS NULL")),
)  # fmt: skip


# --- what is to be told: never deleted; triggers refuse to alter anything but the delivery's columns ----------------


def _queue(name: str) -> Table:
    """The events for one party. `state` is due, delivered or parked; `due_at_us` is when to try next."""
    return Table(
        name,
        metadata,
        Column("epoch", String, primary_key=True),
        Column("seq", Number, primary_key=True, autoincrement=False),  # gapless within the epoch, from 1
        Column("id", String, nullable=False, unique=True),
        Column("record_number", Number, ForeignKey("records.number"), nullable=False),
        Column("type", String, nullable=False),
        Column("passage_id", String),
        Column("at_us", Number, nullable=False),
        Column("payload", LargeBinary, nullable=False),
        Column("sha256", String, nullable=False),
        Column("state", String, nullable=False, server_default="due"),
        Column("due_at_us", Number, nullable=False),
        Column("attempts", Integer, nullable=False, server_default="0"),
        Column("reason", String),  # why it is parked, or why the last attempt failed
        Column("delivered_at_us", Number),
        Index(f"{name}_waiting", "state", "due_at_us", "seq", sqlite_where=text("state <> 'delivered'"),
              postgresql_where=text("state <> 'delivered'")),
        Index(f"{name}_of_passage_waiting", "passage_id", "seq", sqlite_where=text("state <> 'delivered'"),
              postgresql_where=text("state <> 'delivered'")),
    )  # fmt: skip


outbox = _queue("outbox")  # for the central system
Index("outbox_by_record", outbox.c.record_number)  # how a segment is dropped
feed = _queue("feed")  # hazmat events for the zone authority
Index("feed_by_record", feed.c.record_number, feed.c.seq)  # how the authority reads it again

receipts = Table(  # what the zone authority answered, attempt by attempt
    "receipts",
    metadata,
    Column("id", Number, primary_key=True),
    Column("event_id", String, nullable=False),
    Column("at_us", Number, nullable=False),
    Column("status", Integer),  # NULL: no whole answer came
    Column("answer", String, nullable=False),
    Index("receipts_by_event", "event_id", "id"),
)

# --- what becomes of old records, and what lies beside them --------------------------------------------------------

segments = Table(  # a run of records under one root; dropped whole, the row stays
    "segments",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("first_record", Number, nullable=False),
    Column("last_record", Number, nullable=False),
    Column("root", String, nullable=False),  # RFC 6962 tree over the records' hashes
    Column("head", String, nullable=False),  # hash of the last record
    Column("epoch", String, nullable=False),  # of the last record, and the last `seq` of both queues then
    Column("outbox_seq", Number, nullable=False),
    Column("feed_seq", Number, nullable=False),
    Column("last_at_us", Number, nullable=False),
    Column("sealed_record", Number, nullable=False),
    Column("dropped_record", Number),
    Column("kept", LargeBinary),  # what ledgers and stock still need of it (`sync.kept`)
)

files = Table(  # what records refer to by hash (`sync.files`); the record's facts name them too, under the chain
    "files",
    metadata,
    Column("sha256", String, primary_key=True),
    Column("record_number", Number, primary_key=True),
    Column("bytes", Number, nullable=False),
    Column("media_type", String, nullable=False),
    Index("files_by_record", "record_number"),
)

# --- ledgers: made from the records' ledger changes, and checked against them by `gate verify` -----------------------

slip_uses = Table(
    "slip_uses",
    metadata,
    Column("slip_no", String, primary_key=True),
    Column("passage_id", String, primary_key=True),
    Column("state", String, nullable=False),  # reserved, used, returned
    Column("at_us", Number, nullable=False),  # of the last change
)

vehicles_inside = Table(
    "vehicles_inside",
    metadata,
    Column("plate", String, primary_key=True),
    Column("since_us", Number, nullable=False),
    Column("passage_id", String, nullable=False),
    Column("came_in_g", Number),
)

tares = Table(
    "tares",
    metadata,
    Column("plate", String, primary_key=True),
    Column("record_number", Number, ForeignKey("records.number"), primary_key=True),
    Column("passage_id", String, nullable=False),
    Column("tare_g", Number, nullable=False),
    Index("tares_by_record", "record_number"),
)

declaration_passed = Table(
    "declaration_passed",
    metadata,
    Column("declaration_no", String, primary_key=True),
    Column("passage_id", String, primary_key=True),
    Column("passed_g", Number, nullable=False),
    Column("quantity_milli", Number),  # thousandths of the declared unit; NULL where the slip does not say
    Column("state", String, nullable=False, server_default="passed"),  # reserved, passed, returned
)

override_uses = Table(  # releases against a reason, counted by shift
    "override_uses",
    metadata,
    Column("key", String, primary_key=True),  # <shift number>/<reason_code>
    Column("passage_id", String, primary_key=True),
    Column("at_us", Number, nullable=False),
)

regime_uses = Table(  # passages that an emergency regime let go, or that were written on paper meanwhile
    "regime_uses",
    metadata,
    Column("key", String, primary_key=True),  # the regime's id, or `paper` for entries outside any regime
    Column("passage_id", String, primary_key=True),
    Column("state", String, nullable=False),  # released, paper
    Column("at_us", Number, nullable=False),
)
