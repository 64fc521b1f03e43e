"""Sealed segments that may be dropped whole, facts that can be erased, files by their hash, time with its trust.

Revision 0005.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NUMBER: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
QUEUES: Final = ("outbox", "feed")
RECORD_FROZEN: Final = (
    "number", "epoch", "kind", "at_us", "actor", "lane", "passage_id", "facts_sha256", "passage_sha256", "clock",
    "previous_hash", "hash",
)  # fmt: skip
EVENT_FROZEN: Final = ("epoch", "seq", "id", "record_number", "type", "passage_id", "at_us", "sha256")
DROPPED_TO: Final = "COALESCE((SELECT MAX(last_record) FROM segments WHERE dropped_record IS NOT NULL), 0)"


def upgrade() -> None:
    """Forward only."""
    op.add_column("records", sa.Column("clock", sa.String(), nullable=True))
    op.create_table(
        "segments",
        sa.Column("number", NUMBER, autoincrement=False, nullable=False),
        sa.Column("first_record", NUMBER, nullable=False),
        sa.Column("last_record", NUMBER, nullable=False),
        sa.Column("root", sa.String(), nullable=False),
        sa.Column("head", sa.String(), nullable=False),
        sa.Column("epoch", sa.String(), nullable=False),
        sa.Column("outbox_seq", NUMBER, nullable=False),
        sa.Column("feed_seq", NUMBER, nullable=False),
        sa.Column("last_at_us", NUMBER, nullable=False),
        sa.Column("sealed_record", NUMBER, nullable=False),
        sa.Column("dropped_record", NUMBER, nullable=True),
        sa.Column("kept", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "files",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("record_number", NUMBER, nullable=False),
        sa.Column("bytes", NUMBER, nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", "record_number"),
    )
    op.create_index("files_by_record", "files", ["record_number"], unique=False)
    op.create_index("outbox_by_record", "outbox", ["record_number"], unique=False)
    op.create_index("tares_by_record", "tares", ["record_number"], unique=False)
    if op.get_context().dialect.name == "postgresql":
        _forbid_on_postgresql()
    else:
        _forbid_on_sqlite()


def _forbid_on_sqlite() -> None:
    """Rows go only with a dropped segment; contents only to nothing, and of an event only once it is delivered."""
    for name in (
        "records_no_update",
        "records_no_delete",
        *(f"{q}_{w}" for q in QUEUES for w in ("no_delete", "frozen")),
    ):
        op.execute(f"DROP TRIGGER {name}")
    never = "a record is never altered"
    _forbid("records_no_update", f"UPDATE OF {', '.join(RECORD_FROZEN)} ON records", never)
    _forbid(
        "records_only_erased",
        "UPDATE OF facts, ledger ON records WHEN length(NEW.facts) > 0 OR length(COALESCE(NEW.ledger, X'')) > 0"
        " OR (OLD.ledger IS NULL) <> (NEW.ledger IS NULL)",
        never,
    )
    _forbid("records_no_delete", f"DELETE ON records WHEN OLD.number > {DROPPED_TO}", never)
    for queue in QUEUES:
        _forbid(
            f"{queue}_no_delete",
            f"DELETE ON {queue} WHEN OLD.record_number > {DROPPED_TO}",
            "an event is never deleted",
        )
        _forbid(f"{queue}_frozen", f"UPDATE OF {', '.join(EVENT_FROZEN)} ON {queue}", "an event is never altered")
        _forbid(
            f"{queue}_only_erased",
            f"UPDATE OF payload ON {queue} WHEN length(NEW.payload) > 0 OR OLD.state <> 'delivered'",
            "an event is never altered",
        )


def _forbid(name: str, what: str, why: str) -> None:
    op.execute(f"CREATE TRIGGER {name} BEFORE {what} BEGIN SELECT RAISE(ABORT, '{why}'); END")


def _forbid_on_postgresql() -> None:
    """The same; a condition that asks another table needs a function of its own there."""
    op.execute(
        "CREATE FUNCTION gate_forbid_early() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF (to_jsonb(OLD) ->> TG_ARGV[1])::bigint > {DROPPED_TO} THEN"
        " RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = '23514'; END IF; RETURN OLD; END $$"
    )
    op.execute("DROP TRIGGER records_frozen ON records")
    never = "'a record is never altered'"
    _forbid_there("records_frozen", f"UPDATE OF {', '.join(RECORD_FROZEN)} ON records", f"gate_forbid({never})")
    _forbid_there(
        "records_only_erased",
        "UPDATE OF facts, ledger ON records",
        f"gate_forbid({never})",
        "length(NEW.facts) > 0 OR length(COALESCE(NEW.ledger, ''::bytea)) > 0"
        " OR (OLD.ledger IS NULL) <> (NEW.ledger IS NULL)",
    )
    _forbid_there("records_no_delete", "DELETE ON records", f"gate_forbid_early({never}, 'number')")
    for queue in QUEUES:
        op.execute(f"DROP TRIGGER {queue}_no_delete ON {queue}")
        op.execute(f"DROP TRIGGER {queue}_frozen ON {queue}")
        _forbid_there(
            f"{queue}_no_delete",
            f"DELETE ON {queue}",
            "gate_forbid_early('an event is never deleted', 'record_number')",
        )
        never_altered = "gate_forbid('an event is never altered')"
        _forbid_there(f"{queue}_frozen", f"UPDATE OF {', '.join(EVENT_FROZEN)} ON {queue}", never_altered)
        _forbid_there(
            f"{queue}_only_erased",
            f"UPDATE OF payload ON {queue}",
            never_altered,
            "length(NEW.payload) > 0 OR OLD.state <> 'delivered'",
        )


def _forbid_there(name: str, what: str, call: str, when: str = "") -> None:
    condition = f" WHEN ({when})" if when else ""
    op.execute(f"CREATE TRIGGER {name} BEFORE {what} FOR EACH ROW{condition} EXECUTE FUNCTION {call}")
