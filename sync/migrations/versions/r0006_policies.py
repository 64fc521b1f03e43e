"""Stored policies: proposed, approved, withdrawn, each by whom, when and in which record.

Revision 0006.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

NUMBER: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Forward only."""
    op.create_table(
        "policies",
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("from_us", NUMBER, nullable=False),
        sa.Column("proposed_by", sa.String(), nullable=False),
        sa.Column("proposed_at_us", NUMBER, nullable=False),
        sa.Column("proposed_record", NUMBER, nullable=False),
        sa.Column("approved_by", sa.String(), nullable=True),
        sa.Column("approved_at_us", NUMBER, nullable=True),
        sa.Column("approved_record", NUMBER, nullable=True),
        sa.Column("withdrawn_by", sa.String(), nullable=True),
        sa.Column("withdrawn_at_us", NUMBER, nullable=True),
        sa.Column("withdrawn_record", NUMBER, nullable=True),
        sa.Column("withdraw_reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("version"),
    )
