"""Shifts, the emergency regime and what is typed in afterwards, overrides counted, second factors, idle locks.

Revision 0007.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

NUMBER: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Forward only."""
    _duty()
    _accounts()
    op.create_index("records_by_kind", "records", ["kind", "number"], unique=False)


def _duty() -> None:
    op.create_table(
        "shifts",
        sa.Column("number", NUMBER, autoincrement=False, nullable=False),
        sa.Column("begun_by", sa.String(), nullable=False),
        sa.Column("begun_at_us", NUMBER, nullable=False),
        sa.Column("begun_record", NUMBER, nullable=False),
        sa.Column("handed_by", sa.String(), nullable=True),
        sa.Column("handed_at_us", NUMBER, nullable=True),
        sa.Column("handed_record", NUMBER, nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("matters", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "override_uses",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("passage_id", sa.String(), nullable=False),
        sa.Column("at_us", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("key", "passage_id"),
    )
    op.create_table(
        "regimes",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("opened_at_us", NUMBER, nullable=False),
        sa.Column("opened_record", NUMBER, nullable=False),
        sa.Column("closed_at_us", NUMBER, nullable=True),
        sa.Column("closed_by", sa.String(), nullable=True),
        sa.Column("closed_record", NUMBER, nullable=True),
        sa.Column("close_reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "regime_uses",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("passage_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("at_us", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("key", "passage_id"),
    )
    op.create_table(
        "settlements",
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("settled_by", sa.String(), nullable=False),
        sa.Column("settled_at_us", NUMBER, nullable=False),
        sa.Column("settled_record", NUMBER, nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("subject"),
    )


def _accounts() -> None:
    op.create_table(
        "second_factors",
        sa.Column("user", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at_us", NUMBER, nullable=False),
        sa.Column("confirmed_at_us", NUMBER, nullable=True),
        sa.Column("last_step", NUMBER, nullable=False),
        sa.ForeignKeyConstraint(["user"], ["users.name"]),
        sa.PrimaryKeyConstraint("user", "purpose"),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("user", sa.String(), nullable=False),
        sa.Column("created_at_us", NUMBER, nullable=False),
        sa.Column("used_at_us", NUMBER, nullable=True),
        sa.ForeignKeyConstraint(["user"], ["users.name"]),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_table(
        "outside_identities",
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("user", sa.String(), nullable=False),
        sa.Column("linked_at_us", NUMBER, nullable=False),
        sa.ForeignKeyConstraint(["user"], ["users.name"]),
        sa.PrimaryKeyConstraint("issuer", "subject"),
    )
    op.add_column("sessions", sa.Column("acted_at_us", NUMBER, nullable=True))
    op.add_column("sessions", sa.Column("locked_at_us", NUMBER, nullable=True))
