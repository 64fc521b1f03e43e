"""Tables of the copy of what the centre knows, of claims and conflicts with it, and of what the site sets itself.

On the metadata of `sync.columns`; no statements here. Rows of one `generation` are one consistent copy: a full resync
fills the next generation beside the current one and swaps by one UPDATE of sync_state.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, String, Table, UniqueConstraint, false, text

from sync.columns import Number, metadata


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
