"""The ledger of unexplained motion: what asks for a word of a person, and that a word once given is shown with it."""

from datetime import UTC, datetime

import pytest

from gate_service.domain.errors import CommandRefusedError
from gate_service.domain.record import Entry
from sync.database import Database, DatabaseSettings
from sync.journal import SqlJournal
from sync.motion_queries import LINES, NEWEST_FIRST, OPEN, MotionLedger
from sync.shifts import Shifts

AT = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


class Clock:
    def now(self):
        return AT

    def monotonic_s(self):
        return 0.0

    async def sleep(self, duration_s):
        del duration_s


@pytest.fixture
async def record(tmp_path):
    async with Database(DatabaseSettings(tmp_path, reserve_bytes=0)) as database, SqlJournal(database, "K1") as journal:
        yield database, journal, MotionLedger(database), Shifts(database, journal, Clock())


async def _write(journal, kind, actor="service", lane="in-1", **facts):
    return await journal.write(Entry(kind, AT, actor, facts, lane))


async def test_every_motion_without_a_command_stands_there_and_nothing_else_does(record):
    _, journal, ledger, _ = record
    await _write(journal, "decision")
    first = await _write(journal, "motion_unexplained", what="wrong_way")
    second = await _write(journal, "local_button", state="closed")
    third = await _write(journal, "emergency_raise", "user:olga", sides=["exit"])
    page = await ledger.page(10, None, open_only=False)
    assert [(line["number"], line["what"], line["needs"]) for line in page["motions"]] == [
        (third, "emergency_raise", "review"),
        (second, "local_button", None),
        (first, "wrong_way", "explanation"),
    ]
    assert (page["open"], page["before"]) == (2, None)


async def test_the_ledger_of_some_lanes_counts_and_shows_theirs_only(record):
    _, journal, ledger, _ = record
    ours = await _write(journal, "motion_unexplained", what="wrong_way")
    await _write(journal, "motion_unexplained", lane="in-2", what="wrong_way")
    page = await ledger.page(10, None, open_only=True, lanes={"in-1"})
    assert ([line["number"] for line in page["motions"]], page["open"]) == ([ours], 1)


async def test_a_word_is_shown_with_its_motion_and_stands(record):
    _, journal, ledger, shifts = record
    number = await _write(journal, "motion_unexplained", what="light_load")
    await shifts.settle(f"record:{number}", "user:olga", "cleaning", "sweeper", {})
    with pytest.raises(CommandRefusedError):
        await shifts.settle(f"record:{number}", "user:sue", "other", "no", {})
    page = await ledger.page(10, None, open_only=False)
    settled = page["motions"][0]["settled"]
    assert (settled["by"], settled["outcome"], settled["note"]) == ("user:olga", "cleaning", "sweeper")
    assert page["open"] == 0
    assert (await ledger.page(10, None, open_only=True))["motions"] == []


async def test_pages_go_on_where_the_last_one_ended_over_lines_that_are_settled(record):
    _, journal, ledger, shifts = record
    numbers = [await _write(journal, "motion_unexplained", what=str(n)) for n in range(9)]
    for number in numbers[2:7]:
        await shifts.settle(f"record:{number}", "user:olga", "cleaning", None, {})
    page = await ledger.page(3, None, open_only=True)
    assert [line["number"] for line in page["motions"]] == [numbers[8], numbers[7], numbers[1]]
    rest = await ledger.page(3, page["before"], open_only=True)
    assert ([line["number"] for line in rest["motions"]], rest["before"]) == ([numbers[0]], None)


async def test_the_direction_of_a_lane_is_found_again(record):
    _, journal, _, _ = record
    assert await journal.newest("lane_turned", "in-1") is None
    await _write(journal, "lane_turned", direction="outbound")
    await _write(journal, "lane_turned", direction="inbound")
    await _write(journal, "lane_turned", lane="in-2", direction="outbound")
    assert await journal.newest("lane_turned", "in-1") == {"direction": "inbound"}


@pytest.mark.parametrize("more", ["", OPEN])
async def test_the_ledger_costs_what_moved_not_what_was_ever_recorded(record, more):
    database, _, _, _ = record
    asked = (LINES + more + NEWEST_FIRST).replace("?", "9")
    rows = await database.read(lambda c: c.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}").fetchall())
    plan = " ".join(str(row[3]) for row in rows)
    assert "USING INDEX records_by_kind (kind=?" in plan
    assert "SCAN r " not in f"{plan} "
