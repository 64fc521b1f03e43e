"""Conflicts between what the site did and what the centre says, and what claims need to be renewed and settled.

Revision 0003.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NUMBER: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Forward only."""
    op.create_table(
        "conflicts",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("slip_no", sa.String(), nullable=False),
        sa.Column("passage_id", sa.String(), nullable=False),
        sa.Column("found_at_us", NUMBER, nullable=False),
        sa.Column("found_record", NUMBER, nullable=True),
        sa.Column("facts", sa.LargeBinary(), nullable=False),
        sa.Column("closed_by", sa.String(), nullable=True),
        sa.Column("closed_at_us", NUMBER, nullable=True),
        sa.Column("closed_record", NUMBER, nullable=True),
        sa.Column("close_reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("conflicts_unrecorded", "conflicts", ["found_at_us"], sqlite_where=sa.text("found_record IS NULL"),
                    postgresql_where=sa.text("found_record IS NULL"))  # fmt: skip
    op.create_index("conflicts_open", "conflicts", ["found_at_us"], sqlite_where=sa.text("closed_at_us IS NULL"),
                    postgresql_where=sa.text("closed_at_us IS NULL"))  # fmt: skip
    op.add_column("claims", sa.Column("lane", sa.String(), nullable=True))
    op.create_index("slips_revoked", "slips", ["generation", "key"], sqlite_where=sa.text("is_tombstone"),
                    postgresql_where=sa.text("is_tombstone"))  # fmt: skip
