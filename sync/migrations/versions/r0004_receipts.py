"""What the zone authority answered to each attempt.

Revision 0004.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NUMBER: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Forward only."""
    op.create_table(
        "receipts",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("at_us", NUMBER, nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("receipts_by_event", "receipts", ["event_id", "id"], unique=False)
