"""Slips looked up ahead of the decision: at hand when asked for, and never older than what was written since."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from gate_service.domain.ports import Source
from gate_service.domain.record import Entry, LedgerChange, LedgerKind
from sync.central.wire import ChangesPage
from sync.database import Database, DatabaseSettings
from sync.journal import SqlJournal
from sync.slip_cache import SlipCache
from sync.slip_source import AHEAD_KEPT, CentralSlipSource
from tests.fakes.moved_clock import MovedClock
from tests.fakes.slips import sound_slip

NOW = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
QUESTION = {"scanned": ("Z1",), "plate": "浙B12345", "direction": "inbound", "passage_id": "p1"}


class CountingDatabase(Database):
    reads = 0

    async def read(self, fn):
        self.reads += 1
        return await super().read(fn)


@pytest.fixture
async def parts(tmp_path):
    clock = MovedClock()
    async with (
        CountingDatabase(DatabaseSettings(tmp_path, reserve_bytes=0)) as database,
        SqlJournal(database, "K1", clock) as journal,
    ):
        cache = SlipCache(database, clock)
        await cache.apply_page(page(1))
        source = CentralSlipSource(database, cache, clock)
        yield database, journal, cache, source
        await source.settle()


def page(version, **changes):
    slip = sound_slip(slip_no="Z1", version=version, **changes)
    return ChangesPage([{"kind": "slip", "version": version, "slip": slip}], "c", more=False, as_of=NOW)


def reserved_by_another():
    ledger = (LedgerChange(LedgerKind.SLIP_RESERVED, "Z1", "p2"),)
    return Entry("decision", NOW, "service", {}, ledger=ledger)


async def looked_ahead(source):
    source.look_ahead(**QUESTION)
    await source.settle()


async def test_an_answer_looked_up_ahead_is_given_without_reading_again(parts):
    database, _, _, source = parts
    expected = await source.find(**QUESTION)
    await looked_ahead(source)
    reads = database.reads
    answer = await source.find(**QUESTION)
    assert (answer, answer.source, database.reads) == (expected, Source.LOCAL, reads)


async def test_it_is_given_once_and_a_second_judgement_reads_anew(parts):
    database, _, _, source = parts
    await looked_ahead(source)
    await source.find(**QUESTION)
    reads = database.reads
    await source.find(**QUESTION)
    assert database.reads > reads


async def test_a_slip_that_changed_since_is_seen(parts):
    _, _, cache, source = parts
    await looked_ahead(source)
    await cache.apply_page(page(2, status="void"))
    assert (await source.find(**QUESTION)).slips[0]["status"] == "void"


async def test_a_slip_that_another_lane_reserved_since_is_seen(parts):
    _, journal, _, source = parts
    await looked_ahead(source)
    await journal.write(reserved_by_another())
    assert (await source.find(**QUESTION)).known["used"] == {"Z1": 1}


async def test_an_entry_that_touches_no_ledger_leaves_it_standing(parts):
    database, journal, _, source = parts
    await looked_ahead(source)
    await journal.write(Entry("boom_raise", NOW, "service", {"side": "entry"}))
    reads = database.reads
    await source.find(**QUESTION)
    assert database.reads == reads


async def test_what_is_written_during_the_look_ahead_makes_it_old(parts):
    _, journal, _, source = parts
    source.look_ahead(**QUESTION)
    await journal.write(reserved_by_another())
    await source.settle()
    assert (await source.find(**QUESTION)).known["used"] == {"Z1": 1}


@pytest.mark.parametrize("change", [{"scanned": ("Z2",)}, {"plate": None}, {"direction": "outbound"}])
async def test_another_question_of_the_same_passage_is_asked_anew(parts, change):
    database, _, _, source = parts
    await looked_ahead(source)
    reads = database.reads
    await source.find(**QUESTION | change)
    assert database.reads > reads


async def test_vehicles_that_never_come_to_a_decision_are_forgotten(parts):
    database, _, _, source = parts
    await looked_ahead(source)
    for _ in range(AHEAD_KEPT):
        source.look_ahead(**QUESTION | {"passage_id": str(uuid4())})
        await source.settle()
    reads = database.reads
    await source.find(**QUESTION)
    assert database.reads > reads
