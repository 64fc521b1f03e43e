"""Tables of people: accounts and what they sign in with, shifts, the emergency regime, what they settled.

On the metadata of `sync.columns`; no statements here. Times are microseconds since 1970 UTC (`_us`).
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, UniqueConstraint, false

from sync.columns import Number, metadata

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
