"""The record, the queues, the ledgers, the slip copy and the accounts.

Revision 0001, the first.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NUMBER: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
QUEUES: Final = ("outbox", "feed")
FROZEN: Final = ("epoch", "seq", "id", "record_number", "type", "passage_id", "at_us", "payload", "sha256")


def upgrade() -> None:
    """Forward only: a record is restored from a backup, never migrated back."""
    _make_record()
    _make_outbox()
    _make_feed()
    _make_ledgers()
    _make_slip_copy()
    _make_other_copies()
    _make_accounts()
    if op.get_context().dialect.name == "postgresql":
        _forbid_on_postgresql()
    else:
        _forbid_on_sqlite()


def _make_record() -> None:
    """The audit, and each passage's present document."""
    op.create_table(
        "meta",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("epoch", sa.String(), nullable=False),
        sa.Column("created_at_us", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "passages",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("opened_record", NUMBER, nullable=False),
        sa.Column("last_record", NUMBER, nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("plate", sa.String(), nullable=True),
        sa.Column("verdict", sa.String(), nullable=True),
        sa.Column("opened_at_us", NUMBER, nullable=False),
        sa.Column("closed_at_us", NUMBER, nullable=True),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("opened_record"),
    )
    op.create_index("passages_by_opened_at", "passages", ["opened_at_us"], unique=False)
    op.create_index("passages_by_plate", "passages", ["plate", "opened_record"], unique=False)
    op.create_index(
        "passages_open",
        "passages",
        ["opened_record"],
        unique=False,
        sqlite_where=sa.text("closed_at_us IS NULL"),
        postgresql_where=sa.text("closed_at_us IS NULL"),
    )
    op.create_table(
        "records",
        sa.Column("number", NUMBER, autoincrement=False, nullable=False),
        sa.Column("epoch", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at_us", NUMBER, nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("lane", sa.String(), nullable=True),
        sa.Column("passage_id", sa.String(), nullable=True),
        sa.Column("facts", sa.LargeBinary(), nullable=False),
        sa.Column("facts_sha256", sa.String(), nullable=False),
        sa.Column("ledger", sa.LargeBinary(), nullable=True),
        sa.Column("passage_sha256", sa.String(), nullable=True),
        sa.Column("previous_hash", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("records_by_passage", "records", ["passage_id", "number"], unique=False)


def _make_outbox() -> None:
    """Events for the central system."""
    op.create_table(
        "outbox",
        sa.Column("epoch", sa.String(), nullable=False),
        sa.Column("seq", NUMBER, autoincrement=False, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("record_number", NUMBER, nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("passage_id", sa.String(), nullable=True),
        sa.Column("at_us", NUMBER, nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("state", sa.String(), server_default="due", nullable=False),
        sa.Column("due_at_us", NUMBER, nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("delivered_at_us", NUMBER, nullable=True),
        sa.ForeignKeyConstraint(
            ["record_number"],
            ["records.number"],
        ),
        sa.PrimaryKeyConstraint("epoch", "seq"),
        sa.UniqueConstraint("id"),
    )
    op.create_index(
        "outbox_of_passage_waiting",
        "outbox",
        ["passage_id", "seq"],
        unique=False,
        sqlite_where=sa.text("state <> 'delivered'"),
        postgresql_where=sa.text("state <> 'delivered'"),
    )
    op.create_index(
        "outbox_waiting",
        "outbox",
        ["state", "due_at_us", "seq"],
        unique=False,
        sqlite_where=sa.text("state <> 'delivered'"),
        postgresql_where=sa.text("state <> 'delivered'"),
    )


def _make_feed() -> None:
    """Events for the zone authority."""
    op.create_table(
        "feed",
        sa.Column("epoch", sa.String(), nullable=False),
        sa.Column("seq", NUMBER, autoincrement=False, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("record_number", NUMBER, nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("passage_id", sa.String(), nullable=True),
        sa.Column("at_us", NUMBER, nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("state", sa.String(), server_default="due", nullable=False),
        sa.Column("due_at_us", NUMBER, nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("delivered_at_us", NUMBER, nullable=True),
        sa.ForeignKeyConstraint(
            ["record_number"],
            ["records.number"],
        ),
        sa.PrimaryKeyConstraint("epoch", "seq"),
        sa.UniqueConstraint("id"),
    )
    op.create_index(
        "feed_of_passage_waiting",
        "feed",
        ["passage_id", "seq"],
        unique=False,
        sqlite_where=sa.text("state <> 'delivered'"),
        postgresql_where=sa.text("state <> 'delivered'"),
    )
    op.create_index(
        "feed_waiting",
        "feed",
        ["state", "due_at_us", "seq"],
        unique=False,
        sqlite_where=sa.text("state <> 'delivered'"),
        postgresql_where=sa.text("state <> 'delivered'"),
    )


def _make_ledgers() -> None:
    """The site's ledgers."""
    op.create_table(
        "declaration_passed",
        sa.Column("declaration_no", sa.String(), nullable=False),
        sa.Column("passage_id", sa.String(), nullable=False),
        sa.Column("passed_g", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("declaration_no", "passage_id"),
    )
    op.create_table(
        "slip_uses",
        sa.Column("slip_no", sa.String(), nullable=False),
        sa.Column("passage_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("at_us", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("slip_no", "passage_id"),
    )
    op.create_table(
        "vehicles_inside",
        sa.Column("plate", sa.String(), nullable=False),
        sa.Column("since_us", NUMBER, nullable=False),
        sa.Column("passage_id", sa.String(), nullable=False),
        sa.Column("came_in_g", NUMBER, nullable=True),
        sa.PrimaryKeyConstraint("plate"),
    )
    op.create_table(
        "tares",
        sa.Column("plate", sa.String(), nullable=False),
        sa.Column("record_number", NUMBER, nullable=False),
        sa.Column("passage_id", sa.String(), nullable=False),
        sa.Column("tare_g", NUMBER, nullable=False),
        sa.ForeignKeyConstraint(
            ["record_number"],
            ["records.number"],
        ),
        sa.PrimaryKeyConstraint("plate", "record_number"),
    )


def _make_slip_copy() -> None:
    """The copy of slips, declarations and enterprises."""
    op.create_table(
        "declarations",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("version", NUMBER, nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=True),
        sa.Column("is_tombstone", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("as_of_us", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("generation", "key"),
    )
    op.create_table(
        "enterprises",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("version", NUMBER, nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=True),
        sa.Column("is_tombstone", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("as_of_us", NUMBER, nullable=False),
        sa.Column("uscc", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("generation", "key"),
    )
    op.create_index("enterprises_by_uscc", "enterprises", ["generation", "uscc"], unique=False)
    op.create_table(
        "slips",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("version", NUMBER, nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=True),
        sa.Column("is_tombstone", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("as_of_us", NUMBER, nullable=False),
        sa.Column("plate", sa.String(), nullable=True),
        sa.Column("direction", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("generation", "key"),
    )
    op.create_index("slips_by_plate", "slips", ["generation", "plate", "direction"], unique=False)


def _make_other_copies() -> None:
    """The copy of vehicles and holds, the cursors, the claims."""
    op.create_table(
        "rejections",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("at_us", NUMBER, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("version", NUMBER, nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("found", sa.String(), nullable=False),
        sa.Column("times", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("kind", "key", "reason", "found", name="rejections_once"),
    )
    op.create_table(
        "claims",
        sa.Column("passage_id", sa.String(), nullable=False),
        sa.Column("slips", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("at_us", NUMBER, nullable=False),
        sa.Column("lease_until_us", NUMBER, nullable=True),
        sa.Column("due_at_us", NUMBER, nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("passage_id"),
    )
    op.create_index("claims_by_state", "claims", ["state", "due_at_us"], unique=False)
    op.create_table(
        "holds",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("version", NUMBER, nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=True),
        sa.Column("is_tombstone", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("as_of_us", NUMBER, nullable=False),
        sa.Column("target_type", sa.String(), nullable=True),
        sa.Column("target_id", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("generation", "key"),
    )
    op.create_index("holds_by_target", "holds", ["generation", "target_type", "target_id"], unique=False)
    op.create_table(
        "sync_state",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("generation", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cursor", sa.String(), nullable=True),
        sa.Column("as_of_us", NUMBER, nullable=True),
        sa.Column("building_generation", sa.Integer(), nullable=True),
        sa.Column("building_cursor", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "vehicles",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("version", NUMBER, nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=True),
        sa.Column("is_tombstone", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("as_of_us", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("generation", "key"),
    )


def _make_accounts() -> None:
    """Who may come in."""
    op.create_table(
        "idempotency_keys",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("request_sha256", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("created_at_us", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("key", "actor"),
    )
    op.create_table(
        "one_time_links",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("user", sa.String(), nullable=True),
        sa.Column("created_at_us", NUMBER, nullable=False),
        sa.Column("expires_at_us", NUMBER, nullable=False),
        sa.Column("used_at_us", NUMBER, nullable=True),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_table(
        "tokens",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("lanes", sa.LargeBinary(), nullable=True),
        sa.Column("created_at_us", NUMBER, nullable=False),
        sa.Column("revoked_at_us", NUMBER, nullable=True),
        sa.PrimaryKeyConstraint("name"),
        sa.UniqueConstraint("hash", name="tokens_hash"),
    )
    op.create_table(
        "users",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("is_disabled", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at_us", NUMBER, nullable=False),
        sa.Column("password_changed_at_us", NUMBER, nullable=True),
        sa.Column("failed_sign_ins", sa.Integer(), server_default="0", nullable=False),
        sa.Column("locked_until_us", NUMBER, nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "sessions",
        sa.Column("id_hash", sa.String(), nullable=False),
        sa.Column("user", sa.String(), nullable=False),
        sa.Column("csrf_hash", sa.String(), nullable=False),
        sa.Column("created_at_us", NUMBER, nullable=False),
        sa.Column("last_seen_at_us", NUMBER, nullable=False),
        sa.Column("ended_at_us", NUMBER, nullable=True),
        sa.ForeignKeyConstraint(
            ["user"],
            ["users.name"],
        ),
        sa.PrimaryKeyConstraint("id_hash"),
    )
    op.create_index("sessions_by_user", "sessions", ["user"], unique=False)


def _forbid_on_sqlite() -> None:
    """Nothing written is altered or deleted."""
    for action in ("UPDATE", "DELETE"):
        _forbid(f"records_no_{action.lower()}", f"{action} ON records", "a record is never altered")
    for queue in QUEUES:
        _forbid(f"{queue}_no_delete", f"DELETE ON {queue}", "an event is never deleted")
        _forbid(f"{queue}_frozen", f"UPDATE OF {', '.join(FROZEN)} ON {queue}", "an event is never altered")


def _forbid(name: str, what: str, why: str) -> None:
    op.execute(f"CREATE TRIGGER {name} BEFORE {what} BEGIN SELECT RAISE(ABORT, '{why}'); END")


def _forbid_on_postgresql() -> None:
    """The same through one function."""
    op.execute(
        "CREATE FUNCTION gate_forbid() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = '23514'; END $$"
    )
    call = "EXECUTE FUNCTION gate_forbid"
    op.execute(
        "CREATE TRIGGER records_frozen BEFORE UPDATE OR DELETE ON records"
        f" FOR EACH ROW {call}('a record is never altered')"
    )
    for queue in QUEUES:
        op.execute(
            f"CREATE TRIGGER {queue}_no_delete BEFORE DELETE ON {queue}"
            f" FOR EACH ROW {call}('an event is never deleted')"
        )
        op.execute(
            f"CREATE TRIGGER {queue}_frozen BEFORE UPDATE OF {', '.join(FROZEN)} ON {queue}"
            f" FOR EACH ROW {call}('an event is never altered')"
        )
