"""Conflicts: found in the transaction in which the two sides meet, told once, closed by a person with a reason."""

from datetime import UTC, datetime

import pytest

from gate_service.domain.errors import InputError, NotFoundError
from sync.central.wire import ChangesPage
from sync.conflicts import Conflicts
from sync.database import Database, DatabaseSettings
from sync.journal import SqlJournal
from sync.slip_cache import SlipCache
from tests.fakes.moved_clock import MovedClock
from tests.fakes.record_entries import crossing, decision, passage_id, slip_no
from tests.fakes.slips import sound_slip

TEN = datetime(2026, 11, 1, 10, 0, tzinfo=UTC)


class Rig:
    def __init__(self, database, journal, clock):
        self.database, self.journal, self.clock = database, journal, clock
        self.cache = SlipCache(database, clock)
        self.conflicts = Conflicts(database, journal, clock)
        self.pages = 0

    async def page(self, *changes):
        self.pages += 1
        await self.cache.apply_page(ChangesPage(list(changes), f"c{self.pages}", False, TEN))
        while await self.conflicts.record_once() == 0:
            pass
        return await self.conflicts.listed()

    async def told(self):
        rows = await self.database.read(
            lambda c: c.exec_driver_sql("SELECT payload FROM outbox WHERE type = 'security.alarm'").fetchall()
        )
        return [row[0] for row in rows]


@pytest.fixture
async def rig(tmp_path):
    clock = MovedClock(TEN)
    async with (
        Database(DatabaseSettings(tmp_path, reserve_bytes=0)) as database,
        SqlJournal(database, "K1", clock) as journal,
    ):
        yield Rig(database, journal, clock)


def revoked(number, version=8, **more):
    return {"kind": "slip_revoked", "version": version, "slip_no": number, "reason": "recalled", **more}


async def test_a_slip_revoked_at_the_centre_and_used_here_is_listed_with_both_sides_and_told_once(rig):
    await rig.journal.write(decision(1))
    await rig.journal.write(crossing(1))
    (found,) = await rig.page(revoked(slip_no(1), at="2026-11-01T10:00:00+00:00"))
    assert (found["kind"], found["slip_no"], found["passage_id"]) == ("revoked", slip_no(1), passage_id(1))
    assert found["here"] == {"state": "used", "at": "2026-11-01T08:00:01.500000+00:00"}
    assert found["centre"]["revoked_at"] == "2026-11-01T10:00:00+00:00"
    assert found["centre"]["reason"] == "recalled"
    (alarm,) = await rig.told()
    assert b"slip_conflict" in alarm
    assert len(await rig.page(revoked(slip_no(1), version=9))) == 1
    assert len(await rig.told()) == 1


async def test_a_slip_that_is_void_by_its_status_counts_as_revoked(rig):
    await rig.journal.write(decision(1))
    changed = sound_slip(slip_no=slip_no(1), version=8, status="void")
    (found,) = await rig.page({"kind": "slip", "version": 8, "slip": changed})
    assert (found["here"]["state"], found["centre"]["reason"]) == ("reserved", "void")


async def test_a_revocation_heard_at_a_look_up_first_is_found_too(rig):
    await rig.journal.write(decision(1))
    await rig.cache.apply_slip(sound_slip(slip_no=slip_no(1), version=8, status="void"), TEN)
    assert len(await rig.conflicts.listed()) == 1


async def test_a_revocation_of_a_slip_that_nobody_used_is_no_conflict(rig):
    await rig.journal.write(decision(1))
    passed = sound_slip(slip_no=slip_no(1), version=7, status="passed")
    assert await rig.page(revoked(slip_no(2)), {"kind": "slip", "version": 7, "slip": passed}) == []


async def test_a_conflict_is_open_until_a_person_says_what_was_done(rig):
    await rig.journal.write(decision(1))
    (found,) = await rig.page(revoked(slip_no(1)))
    with pytest.raises(InputError):
        await rig.conflicts.close(found["id"], "  ", "user:sup")
    closed = await rig.conflicts.close(found["id"], "the truck was called back", "user:sup")
    assert (closed["closed_by"], closed["close_reason"]) == ("user:sup", "the truck was called back")
    assert await rig.conflicts.open_count() == 0
    with pytest.raises(NotFoundError):
        await rig.conflicts.close(found["id"], "again", "user:sup")
    assert [record.kind for record in await rig.journal.records()][-2:] == ["conflict_found", "conflict_closed"]
    (again,) = await rig.page(revoked(slip_no(1), version=9))
    assert again["closed_by"] == "user:sup"
