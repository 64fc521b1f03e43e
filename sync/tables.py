"""Every table of the record, as SQLAlchemy Core sees them. No statements here.

Times are whole microseconds since 1970 UTC (`_us`): they sort and compare as numbers in both products, need no parsing,
and stand in the hash chain without a float. Masses are whole grams (`_g`). Bytes that are told or hashed are stored as
bytes and never written anew. Revisions that make these tables: `migrations/`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    false,
    text,
)

metadata: Final = MetaData()
Number: Final = BigInteger().with_variant(Integer, "sqlite")
"""64 bits in both; SQLite makes only `INTEGER PRIMARY KEY` the row number."""

EPOCH_START: Final = datetime(1970, 1, 1, tzinfo=UTC)


def to_us(at: datetime) -> int:
    """Whole microseconds since 1970 UTC; a naive time is a mistake and raises TypeError."""
    return (at - EPOCH_START) // timedelta(microseconds=1)


def from_us(at_us: int) -> datetime:
    """Aware UTC time."""
    return EPOCH_START + timedelta(microseconds=at_us)


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

# --- who is on duty, the emergency regime, and what people have settled; each change is a record of its own -----------

shifts = Table(
    "shifts",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("begun_by", String, nullable=False),
    Column("begun_at_us", Number, nullable=False),
    Column("begun_record", Number, nullable=False),
    Column("handed_by", String),
    Column("handed_at_us", Number),
    Column("handed_record", Number),
    Column("note", String),
    Column("matters", LargeBinary),  # JSON: the open matters as they were when it was handed over
)

regimes = Table(
    "regimes",
    metadata,
    Column("id", String, primary_key=True),
    Column("document", LargeBinary, nullable=False),  # JSON: as it was opened
    Column("opened_at_us", Number, nullable=False),
    Column("opened_record", Number, nullable=False),
    Column("closed_at_us", Number),
    Column("closed_by", String),
    Column("closed_record", Number),
    Column("close_reason", String),
)

settlements = Table(  # motion explained, an emergency raise reviewed, a passage of a regime reconciled
    "settlements",
    metadata,
    Column("subject", String, primary_key=True),  # record:<number>, or regime:<id>:<passage>
    Column("settled_by", String, nullable=False),
    Column("settled_at_us", Number, nullable=False),
    Column("settled_record", Number, nullable=False),
    Column("outcome", String, nullable=False),
    Column("note", String),
)

# --- the copy of what the centre knows. Rows of one `generation` are one consistent copy: a full resync fills the next
# --- generation beside the current one and swaps by one UPDATE of sync_state ------------------------------------------


def _copy(name: str, *extra: Column[Any] | Index) -> Table:
    return Table(
        name,
        metadata,
        Column("generation", Integer, primary_key=True, autoincrement=False),
        Column("key", String, primary_key=True),
        Column("version", Number, nullable=False),
        Column("document", LargeBinary),  # NULL in a tombstone that came before its document
        Column("is_tombstone", Boolean, nullable=False, server_default=false()),
        Column("reason", String),  # of the tombstone
        Column("as_of_us", Number, nullable=False),
        *extra,
    )


slips = _copy(
    "slips",
    Column("plate", String),
    Column("direction", String),
    Column("status", String),
    Index("slips_by_plate", "generation", "plate", "direction"),
    Index("slips_revoked", "generation", "key", sqlite_where=text("is_tombstone"),
          postgresql_where=text("is_tombstone")),
)  # fmt: skip
declarations = _copy("declarations")
enterprises = _copy("enterprises", Column("uscc", String), Index("enterprises_by_uscc", "generation", "uscc"))
vehicles = _copy("vehicles")
holds = _copy(
    "holds",
    Column("target_type", String),
    Column("target_id", String),
    Index("holds_by_target", "generation", "target_type", "target_id"),
)

site_holds = Table(  # safety holds of the zone authority, placed at this site; each change is a record of its own
    "site_holds",
    metadata,
    Column("id", String, primary_key=True),
    Column("target_type", String, nullable=False),
    Column("target_id", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("placed_by", String, nullable=False),
    Column("placed_at_us", Number, nullable=False),
    Column("placed_record", Number, nullable=False),
    Column("lifted_by", String),
    Column("lifted_at_us", Number),
    Column("lifted_record", Number),
    Column("lift_reason", String),
)

sync_state = Table(
    "sync_state",
    metadata,
    Column("name", String, primary_key=True),  # "changes" for the copy; free for other cursors
    Column("generation", Integer, nullable=False, server_default="0"),
    Column("cursor", String),
    Column("as_of_us", Number),
    Column("building_generation", Integer),  # a full resync under way, NULL for none
    Column("building_cursor", String),
)

rejections = Table(
    "rejections",
    metadata,
    Column("id", Number, primary_key=True),
    Column("at_us", Number, nullable=False),  # when last seen
    Column("kind", String, nullable=False),  # of the change; empty where it cannot be told
    Column("key", String, nullable=False),
    Column("version", Number),
    Column("reason", String, nullable=False),
    Column("found", String, nullable=False),  # the beginning of what came
    Column("times", Integer, nullable=False, server_default="1"),
    UniqueConstraint("kind", "key", "reason", "found", name="rejections_once"),
)

claims = Table(
    "claims",
    metadata,
    Column("passage_id", String, primary_key=True),
    Column("slips", LargeBinary, nullable=False),  # JSON list of slip numbers
    Column("state", String, nullable=False),  # as `sync.claim_rows` lists them
    Column("at_us", Number, nullable=False),
    Column("lease_until_us", Number),
    Column("due_at_us", Number),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("reason", String),
    Column("lane", String),
    Index("claims_by_state", "state", "due_at_us"),
)

conflicts = Table(  # what the site did against what the centre says; open until a person closes it
    "conflicts",
    metadata,
    Column("id", String, primary_key=True),  # made of kind, slip and passage: the same conflict is one
    Column("kind", String, nullable=False),
    Column("slip_no", String, nullable=False),
    Column("passage_id", String, nullable=False),
    Column("found_at_us", Number, nullable=False),
    Column("found_record", Number),  # NULL until the record holds it
    Column("facts", LargeBinary, nullable=False),  # JSON: both sides
    Column("closed_by", String),
    Column("closed_at_us", Number),
    Column("closed_record", Number),
    Column("close_reason", String),
    Index("conflicts_unrecorded", "found_at_us", sqlite_where=text("found_record IS NULL"),
          postgresql_where=text("found_record IS NULL")),
    Index("conflicts_open", "found_at_us", sqlite_where=text("closed_at_us IS NULL"),
          postgresql_where=text("closed_at_us IS NULL")),
)  # fmt: skip

policies = Table(  # stored policies; each change is a record of its own, and this outlives the records
    "policies",
    metadata,
    Column("version", String, primary_key=True),
    Column("text", LargeBinary, nullable=False),  # JSON, byte for byte as recorded
    Column("sha256", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("from_us", Number, nullable=False),
    Column("proposed_by", String, nullable=False),
    Column("proposed_at_us", Number, nullable=False),
    Column("proposed_record", Number, nullable=False),
    Column("approved_by", String),
    Column("approved_at_us", Number),
    Column("approved_record", Number),
    Column("withdrawn_by", String),
    Column("withdrawn_at_us", Number),
    Column("withdrawn_record", Number),
    Column("withdraw_reason", String),
)

# --- accounts --------------------------------------------------------------------------------------------------------

users = Table(
    "users",
    metadata,
    Column("name", String, primary_key=True),
    Column("role", String, nullable=False),
    Column("password_hash", String, nullable=False),
    Column("is_disabled", Boolean, nullable=False, server_default=false()),
    Column("created_at_us", Number, nullable=False),
    Column("password_changed_at_us", Number),
    Column("failed_sign_ins", Integer, nullable=False, server_default="0"),
    Column("locked_until_us", Number),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id_hash", String, primary_key=True),
    Column("user", String, ForeignKey("users.name"), nullable=False),
    Column("csrf_hash", String, nullable=False),
    Column("created_at_us", Number, nullable=False),
    Column("last_seen_at_us", Number, nullable=False),
    Column("ended_at_us", Number),
    Column("acted_at_us", Number),  # when its person last did something; NULL is since it was opened
    Column("locked_at_us", Number),
    Index("sessions_by_user", "user"),
)

second_factors = Table(
    "second_factors",
    metadata,
    Column("user", String, ForeignKey("users.name"), primary_key=True),
    Column("purpose", String, primary_key=True),  # sign_in, approval
    Column("sealed", LargeBinary, nullable=False),  # the shared secret, encrypted with the key beside the data
    Column("created_at_us", Number, nullable=False),
    Column("confirmed_at_us", Number),  # NULL until its first code was right
    Column("last_step", Number, nullable=False),  # newest time step used; no code counts twice
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("hash", String, primary_key=True),
    Column("user", String, ForeignKey("users.name"), nullable=False),
    Column("created_at_us", Number, nullable=False),
    Column("used_at_us", Number),
)

outside_identities = Table(  # who an OpenID Connect provider says somebody is
    "outside_identities",
    metadata,
    Column("issuer", String, primary_key=True),
    Column("subject", String, primary_key=True),
    Column("user", String, ForeignKey("users.name"), nullable=False),
    Column("linked_at_us", Number, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("name", String, primary_key=True),
    Column("scope", String, nullable=False),
    Column("hash", String, nullable=False),
    Column("lanes", LargeBinary),  # JSON list of lane ids; NULL is every lane
    Column("created_at_us", Number, nullable=False),
    Column("revoked_at_us", Number),
    UniqueConstraint("hash", name="tokens_hash"),
)

one_time_links = Table(
    "one_time_links",
    metadata,
    Column("hash", String, primary_key=True),
    Column("purpose", String, nullable=False),
    Column("user", String),
    Column("created_at_us", Number, nullable=False),
    Column("expires_at_us", Number, nullable=False),
    Column("used_at_us", Number),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("key", String, primary_key=True),
    Column("actor", String, primary_key=True),
    Column("request_sha256", String, nullable=False),
    Column("status", Integer),  # NULL while the first request still runs
    Column("answer", LargeBinary),
    Column("created_at_us", Number, nullable=False),
)

import sync.register_tables  # noqa: E402, F401 - further tables on the same metadata
