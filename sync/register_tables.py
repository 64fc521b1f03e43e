"""Tables of the registers and of the risk work, on the metadata of `sync.columns`. No statements here.

Ledgers (`declaration_passed` in `sync.tables`, `temporary_exits`, `inspections`) are made from the records' ledger
changes and checked against them by `gate verify`; the rest is changed in the transaction of the record that says so.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, String, Table, false

from sync.columns import Number, metadata

temporary_exits = Table(
    "temporary_exits",
    metadata,
    Column("slip_no", String, primary_key=True),
    Column("passage_id", String, nullable=False),
    Column("customs_code", String, nullable=False),
    Column("return_due_us", Number, nullable=False),
    Column("left_at_us", Number, nullable=False),
    Column("return_passage_id", String),  # empty text: told by a person, of no passage here
    Column("returned_at_us", Number),
    Index("temporary_exits_by_enterprise", "customs_code"),
)

inspections = Table(
    "inspections",
    metadata,
    Column("passage_id", String, primary_key=True),
    Column("place", String, nullable=False),  # yard_inside, yard_before, at_premises
    Column("ordered_at_us", Number, nullable=False),
    Column("found", Boolean),  # NULL: not done yet
    Column("done_at_us", Number),
    Column("done_by", String),
    Column("result", String),  # what was found, or a remark
)

inspected_slips = Table(  # which slips an order is about; found by slip at the next look-up
    "inspected_slips",
    metadata,
    Column("slip_no", String, primary_key=True),
    Column("passage_id", String, primary_key=True),
)

day_secrets = Table(
    "day_secrets",
    metadata,
    Column("day", String, primary_key=True),  # 2026-11-28, in the zone's own time
    Column("secret", String, nullable=False),  # hex
    Column("commitment", String, nullable=False),
    Column("committed_record", Number, nullable=False),
    Column("revealed_record", Number),
)

draws = Table(
    "draws",
    metadata,
    Column("name", String, primary_key=True),  # spot:… or weigh:… with slip number or plate
    Column("day", String, primary_key=True),
    Column("rate", String, nullable=False),  # a fraction, as 1/20
    Column("is_drawn", Boolean, nullable=False),
    Column("is_of_slip", Boolean, nullable=False),  # kept for good; that of a plate for its day
    Column("passage_id", String, nullable=False),
    Column("record_number", Number, nullable=False),
    Index("draws_by_day", "day", "record_number"),
)

service_vehicles = Table(  # the site's own lines of the register of vehicles, beside the centre's
    "service_vehicles",
    metadata,
    Column("plate", String, primary_key=True),
    Column("valid_from_us", Number),
    Column("valid_until_us", Number),
    Column("longest_stay_h", Integer),
    Column("note", String, nullable=False),
    Column("changed_by", String, nullable=False),
    Column("changed_at_us", Number, nullable=False),
    Column("changed_record", Number, nullable=False),
    Column("is_ended", Boolean, nullable=False, server_default=false()),
)

local_slips = Table(  # gate-registered goods by the form at the gate
    "local_slips",
    metadata,
    Column("slip_no", String, primary_key=True),
    Column("document", LargeBinary, nullable=False),
    Column("plate", String, nullable=False),
    Column("direction", String, nullable=False),
    Column("made_by", String, nullable=False),
    Column("made_at_us", Number, nullable=False),
    Column("made_record", Number, nullable=False),
    Column("voided_record", Number),
    Index("local_slips_by_plate", "plate", "direction"),
)

preassessments = Table(
    "preassessments",
    metadata,
    Column("slip_no", String, primary_key=True),
    Column("version", Number, nullable=False),
    Column("verdict", String),  # NULL: nothing to judge before departure (other site, passed, book only)
    Column("checks", LargeBinary, nullable=False),
    Column("at_us", Number, nullable=False),
    Column("record_number", Number, nullable=False),
    Index("preassessments_by_verdict", "verdict", "at_us"),
)

report_passages = Table(  # closed passages as reports count them; made again from the record at any time
    "report_passages",
    metadata,
    Column("passage_id", String, primary_key=True),
    Column("lane", String, nullable=False),
    Column("lane_kind", String, nullable=False),
    Column("direction", String, nullable=False),
    Column("opened_at_us", Number, nullable=False),
    Column("boom_ms", Number),  # arrival to boom up; NULL where none rose for a release
    Column("outcome", String, nullable=False),
    Column("verdict", String, nullable=False),  # the strictest of all its decisions
    Column("customs_code", String, nullable=False),
    Column("enterprise", String, nullable=False),
    Column("credit", String, nullable=False),
    Column("goods", LargeBinary, nullable=False),  # JSON list of HS headings
    Index("report_passages_by_time", "opened_at_us"),
)
