"""Registers, draws with committed secrets, inspections, assessments before arrival, and what reports count.

Revision 0008.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

NUMBER: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Forward only."""
    _risk()
    _registers()


def _risk() -> None:
    """Draws, inspections, assessments, reports."""
    op.create_table(
        "day_secrets",
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("commitment", sa.String(), nullable=False),
        sa.Column("committed_record", NUMBER, nullable=False),
        sa.Column("revealed_record", NUMBER, nullable=True),
        sa.PrimaryKeyConstraint("day"),
    )
    op.create_table(
        "draws",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("rate", sa.String(), nullable=False),
        sa.Column("is_drawn", sa.Boolean(), nullable=False),
        sa.Column("is_of_slip", sa.Boolean(), nullable=False),
        sa.Column("passage_id", sa.String(), nullable=False),
        sa.Column("record_number", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("name", "day"),
    )
    op.create_index("draws_by_day", "draws", ["day", "record_number"], unique=False)
    op.create_table(
        "inspected_slips",
        sa.Column("slip_no", sa.String(), nullable=False),
        sa.Column("passage_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("slip_no", "passage_id"),
    )
    op.create_table(
        "inspections",
        sa.Column("passage_id", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("ordered_at_us", NUMBER, nullable=False),
        sa.Column("found", sa.Boolean(), nullable=True),
        sa.Column("done_at_us", NUMBER, nullable=True),
        sa.Column("done_by", sa.String(), nullable=True),
        sa.Column("result", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("passage_id"),
    )
    op.create_table(
        "preassessments",
        sa.Column("slip_no", sa.String(), nullable=False),
        sa.Column("version", NUMBER, nullable=False),
        sa.Column("verdict", sa.String(), nullable=True),
        sa.Column("checks", sa.LargeBinary(), nullable=False),
        sa.Column("at_us", NUMBER, nullable=False),
        sa.Column("record_number", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("slip_no"),
    )
    op.create_index("preassessments_by_verdict", "preassessments", ["verdict", "at_us"], unique=False)
    op.create_table(
        "report_passages",
        sa.Column("passage_id", sa.String(), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("lane_kind", sa.String(), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("opened_at_us", NUMBER, nullable=False),
        sa.Column("boom_ms", NUMBER, nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("customs_code", sa.String(), nullable=False),
        sa.Column("enterprise", sa.String(), nullable=False),
        sa.Column("credit", sa.String(), nullable=False),
        sa.Column("goods", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("passage_id"),
    )
    op.create_index("report_passages_by_time", "report_passages", ["opened_at_us"], unique=False)


def _registers() -> None:
    """Vehicles, gate-registered goods, temporary exits, declarations."""
    op.create_table(
        "local_slips",
        sa.Column("slip_no", sa.String(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("plate", sa.String(), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at_us", NUMBER, nullable=False),
        sa.Column("made_record", NUMBER, nullable=False),
        sa.Column("voided_record", NUMBER, nullable=True),
        sa.PrimaryKeyConstraint("slip_no"),
    )
    op.create_index("local_slips_by_plate", "local_slips", ["plate", "direction"], unique=False)
    op.create_table(
        "service_vehicles",
        sa.Column("plate", sa.String(), nullable=False),
        sa.Column("valid_from_us", NUMBER, nullable=True),
        sa.Column("valid_until_us", NUMBER, nullable=True),
        sa.Column("longest_stay_h", sa.Integer(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("changed_at_us", NUMBER, nullable=False),
        sa.Column("changed_record", NUMBER, nullable=False),
        sa.Column("is_ended", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("plate"),
    )
    op.create_table(
        "temporary_exits",
        sa.Column("slip_no", sa.String(), nullable=False),
        sa.Column("passage_id", sa.String(), nullable=False),
        sa.Column("customs_code", sa.String(), nullable=False),
        sa.Column("return_due_us", NUMBER, nullable=False),
        sa.Column("left_at_us", NUMBER, nullable=False),
        sa.Column("return_passage_id", sa.String(), nullable=True),
        sa.Column("returned_at_us", NUMBER, nullable=True),
        sa.PrimaryKeyConstraint("slip_no"),
    )
    op.create_index("temporary_exits_by_enterprise", "temporary_exits", ["customs_code"], unique=False)
    op.add_column("declaration_passed", sa.Column("quantity_milli", NUMBER, nullable=True))
    op.add_column("declaration_passed", sa.Column("state", sa.String(), server_default="passed", nullable=False))
    op.create_index(
        "passages_closed",
        "passages",
        ["last_record"],
        unique=False,
        sqlite_where=sa.text("closed_at_us IS NOT NULL"),
        postgresql_where=sa.text("closed_at_us IS NOT NULL"),
    )
