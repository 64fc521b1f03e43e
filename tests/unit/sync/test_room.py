"""Hours left: what is free above the reserve against what fills it."""

from dataclasses import replace

import pytest

from sync import room
from sync.database import Database, DatabaseSettings
from sync.journal import SqlJournal
from sync.room import DiskRoom, hours_left
from tests.fakes.moved_clock import MovedClock
from tests.fakes.record_entries import START, crossing, decision

GIB = 1024**3


@pytest.mark.parametrize(
    ("left", "per_h", "expected"),
    [(GIB, GIB / 10, 10), (GIB, 0, None), (GIB, -5, None), (-GIB, 1, 0), (GIB, 1, 99_999)],
)
def test_hours_are_whole_bounded_and_none_where_nothing_fills(left, per_h, expected):
    assert hours_left(left, per_h) == expected


@pytest.fixture
async def opened(tmp_path):
    clock = MovedClock(START)
    async with (
        Database(DatabaseSettings(tmp_path, reserve_bytes=0)) as database,
        SqlJournal(database, "K1", clock) as journal,
    ):
        database.settings = replace(database.settings, reserve_bytes=GIB)  # reckoned with, not asked of this machine
        yield database, journal, clock


async def test_the_fill_is_estimated_from_the_last_day_before_a_quarter_of_an_hour_was_seen(opened, monkeypatch):
    database, journal, clock = opened
    free = [100 * GIB]
    monkeypatch.setattr(room, "_free_bytes", lambda _: free[0])
    disk = DiskRoom(database, clock)
    await disk.look_once()
    assert disk.status()["hours_left"] is None
    for i in range(1, 51):
        await journal.write(decision(i))
        await journal.write(crossing(i))
    await disk.look_once()
    status = disk.status()
    assert status["measured"] is False
    assert 0.001 < disk._estimated_per_h / (50 * 6000 / 24) < 10
    assert status["free_mb"] == 100 * 1024
    clock.move(3600)
    free[0] -= 5 * GIB
    await disk.look_once()
    status = disk.status()
    assert status["measured"] is True
    assert status["hours_left"] == (95 - 1) // 5
    clock.move(2 * 86_400)  # what was written then is older than a day, the measurement too
    await disk.look_once()
    assert disk.status()["hours_left"] is None
