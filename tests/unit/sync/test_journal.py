import asyncio
import json
import re
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gate_service.domain.errors import LedgerRefusedError, RecordError, SlipTakenError
from gate_service.domain.events import EventType
from gate_service.domain.mass import Mass
from gate_service.domain.record import LedgerChange, LedgerKind
from sync.database import Database, DatabaseSettings
from sync.journal import SqlJournal
from sync.record_queries import PassageFilter
from sync.seal import read_seal
from sync.verify import verify_directory
from tests.fakes.record_entries import START, crossing, decision, event, note, passage, passage_id, slip_no


@pytest.fixture
def settings(tmp_path):
    return DatabaseSettings(tmp_path, reserve_bytes=0)


@pytest.fixture
async def database(settings):
    async with Database(settings) as database:
        yield database


@pytest.fixture
async def journal(database):
    async with SqlJournal(database, "K1") as journal:
        yield journal


def rows(sql):
    return lambda connection: [tuple(row) for row in connection.exec_driver_sql(sql)]


async def test_one_entry_is_record_passage_events_feed_and_ledger_in_one(journal, database, tmp_path):
    assert await journal.write(decision(1)) == 1
    assert await journal.write(crossing(1)) == 2
    outbox = await database.read(rows("SELECT seq, type, payload, record_number, state FROM outbox ORDER BY seq"))
    assert [(seq, kind, record) for seq, kind, _, record, _ in outbox] == [
        (1, "passage.decided", 1),
        (2, "passage.released", 1),
        (3, "slip.used", 2),
        (4, "hazmat.entered", 2),
        (5, "passage.cleared", 2),
    ]
    assert all(json.loads(payload)["seq"] == seq for seq, _, payload, _, _ in outbox)
    assert {state for *_, state in outbox} == {"due"}
    feed = await database.read(rows("SELECT seq, type, id, payload FROM feed"))
    assert [(seq, kind) for seq, kind, _, _ in feed] == [(1, "hazmat.entered")]
    assert json.loads(feed[0][3])["seq"] == 1
    view = await journal.passage(passage_id(1))
    assert view is not None
    assert view.document == passage(1, "idle", closed=True)
    assert (view.opened_record, view.last_record) == (1, 2)
    assert verify_directory(tmp_path).holds


async def test_numbers_have_no_gaps_though_some_entries_fail(journal, tmp_path):
    failing = replace(decision(99), ledger=(LedgerChange(LedgerKind.TARE_SEEN, "浙B00099", passage_id(99)),))
    entries = [decision(i) if i % 3 else failing for i in range(60)]
    answers = await asyncio.gather(*(journal.write(entry) for entry in entries), return_exceptions=True)
    kept = [answer for answer in answers if isinstance(answer, int)]
    assert sorted(kept) == list(range(1, 41))
    assert all(isinstance(answer, int | TypeError) for answer in answers)
    report = verify_directory(tmp_path)
    assert (report.records, report.outbox, report.findings) == (40, 80, [])


async def test_an_event_that_was_already_told_is_not_told_again_and_its_entry_stands(journal, database, tmp_path):
    await journal.write(decision(1))
    told = await database.read(rows("SELECT id, seq FROM outbox ORDER BY seq"))
    new = event(2, EventType.PASSAGE_DECIDED)
    assert await journal.write(replace(note(2), events=(event(1, EventType.PASSAGE_DECIDED), new))) == 2
    assert await database.read(rows("SELECT id, seq FROM outbox ORDER BY seq")) == [*told, (str(new.id), len(told) + 1)]
    assert verify_directory(tmp_path).holds


async def test_one_entry_that_tells_an_event_twice_is_refused_whole(journal):
    twice = (event(1, EventType.PASSAGE_DECIDED), event(1, EventType.PASSAGE_DECIDED))
    with pytest.raises(RecordError, match=r"UNIQUE.*outbox\.id"):
        await journal.write(replace(note(1), events=twice))
    assert await journal.write(note(2)) == 1


async def test_facts_with_floats_are_refused_and_nothing_is_written(journal):
    with pytest.raises(TypeError, match="float"):
        await journal.write(note(1, {"gross_kg": 1.5}))
    assert await journal.write(note(1)) == 1


async def test_an_event_of_no_passage_takes_none(journal, database):
    await journal.write(replace(note(1), events=(replace(event(1, EventType.LANE_OPENED), passage_id=None),)))
    assert await database.read(rows("SELECT passage_id FROM outbox")) == [(None,)]


async def test_a_slip_goes_to_as_many_passages_as_its_limit(journal):
    await journal.write(decision(1, slip="Z1"))
    await journal.write(replace(decision(1, slip="Z1"), events=()))
    with pytest.raises(SlipTakenError, match="slip Z1"):
        await journal.write(decision(2, slip="Z1"))
    await journal.write(decision(2, slip="Z1", limit=2))
    with pytest.raises(SlipTakenError):
        await journal.write(decision(3, slip="Z1", limit=2))


async def test_of_many_at_once_exactly_one_gets_the_slip(journal, tmp_path):
    attempts = [journal.write(decision(i, slip=f"Z{i % 5}")) for i in range(100)]
    answers = await asyncio.gather(*attempts, return_exceptions=True)
    assert sum(isinstance(answer, int) for answer in answers) == 5
    assert sum(isinstance(answer, SlipTakenError) for answer in answers) == 95
    assert verify_directory(tmp_path).holds


async def test_a_slip_given_back_can_be_taken_by_another_and_a_used_one_never_is_given_back(journal):
    def back(i):
        return replace(note(i), ledger=(LedgerChange(LedgerKind.SLIP_RETURNED, "Z1", passage_id(i)),))

    await journal.write(decision(1, slip="Z1"))
    await journal.write(back(1))
    await journal.write(decision(2, slip="Z1"))
    await journal.write(crossing(2, slip="Z1"))
    with pytest.raises(LedgerRefusedError, match="a crossing stands"):
        await journal.write(back(2))
    await journal.write(replace(decision(2, slip="Z1"), events=()))  # the same passage again changes nothing
    facts = await journal.ledger_facts(["Z1"], [], passage_id="another")
    assert facts.used == {"Z1": 1}
    assert (await journal.ledger_facts(["Z1"], [], passage_id=passage_id(2))).used == {}


async def test_the_ledgers_tell_what_a_case_needs_to_know(journal):
    for i in (1, 2):
        await journal.write(decision(i))
        await journal.write(crossing(i))
    plate = "浙B00001"
    another = LedgerChange(LedgerKind.TARE_SEEN, plate, passage_id(9), Mass(12_999_000))
    await journal.write(replace(note(9), ledger=(another,)))
    facts = await journal.ledger_facts(
        [slip_no(1), "Z?"], [plate, "浙B00002", "浙B99999"], ["331120261000000001"], passage_id=passage_id(2)
    )
    assert facts.used == {slip_no(1): 1}
    assert facts.inside_since == {
        plate: START + timedelta(seconds=1, milliseconds=500),
        "浙B00002": START + timedelta(seconds=2, milliseconds=500),
    }
    assert facts.came_in[plate] == Mass(16_245_335)
    assert facts.tares[plate] == (Mass(13_000_000), Mass(12_999_000))
    assert facts.declarations_passed == {"331120261000000001": Mass(200_000)}
    await journal.write(replace(note(10), ledger=(LedgerChange(LedgerKind.VEHICLE_OUT, plate, passage_id(9)),)))
    assert (await journal.ledger_facts([], [plate], passage_id="x")).inside_since == {}


async def test_passages_are_listed_newest_first_by_page_and_filter(journal):
    for i in range(1, 8):
        await journal.write(decision(i))
    await journal.write(crossing(3))
    newest = await journal.passages(limit=3)
    assert [view.document["plate"] for view in newest] == ["浙B00007", "浙B00006", "浙B00005"]
    rest = await journal.passages(limit=10, before=newest[-1].opened_record)
    assert [view.document["plate"] for view in rest] == ["浙B00004", "浙B00003", "浙B00002", "浙B00001"]

    async def found(**where):
        return {view.document["plate"][-1] for view in await journal.passages(where=PassageFilter(**where))}

    assert await found(lanes=frozenset({"in-d1"})) == {"1", "3", "5", "7"}
    assert await found(plate="浙B00002") == {"2"}
    assert await found(slip_no=slip_no(4)) == {"4"}
    assert await found(is_open=False) == {"3"}
    assert await found(state="idle", verdict="release", direction="inbound") == {"3"}
    assert await found(opened_from=START + timedelta(seconds=6)) == {"6", "7"}
    assert await found(opened_before=START + timedelta(seconds=2)) == {"1"}


async def test_open_passages_are_those_a_restart_shows(settings):
    async with Database(settings) as database, SqlJournal(database, "K1") as journal:
        await journal.write(decision(1))
        await journal.write(decision(2))
        await journal.write(crossing(1))
    async with Database(settings) as database, SqlJournal(database, "K1") as journal:
        assert await journal.open_passages() == [passage(2)]
        assert await journal.write(note(3)) == 4


async def test_records_read_back_with_their_facts_in_order(journal):
    for i in range(1, 6):
        await journal.write(decision(i))
    assert [record.number for record in await journal.records(after=2, limit=2)] == [3, 4]
    only = await journal.records(passage_id=passage_id(4))
    assert [(record.number, record.kind, record.facts["gross_g"]) for record in only] == [(4, "decision", 16_245_335)]
    assert only[0].at == START + timedelta(seconds=4)


async def test_counts_say_what_waits(journal, database):
    assert (await journal.counts()).outbox.oldest_due_at is None
    for i in (1, 2):
        await journal.write(decision(i))
        await journal.write(crossing(i))
    await database.write(lambda c: c.exec_driver_sql("UPDATE outbox SET state = 'delivered' WHERE seq < 4").rowcount)
    await database.write(lambda c: c.exec_driver_sql("UPDATE outbox SET state = 'parked' WHERE seq = 4").rowcount)
    counts = await journal.counts()
    assert (counts.records, counts.feed.recorded, counts.feed.due) == (4, 2, 2)
    outbox = counts.outbox
    assert (outbox.recorded, outbox.delivered, outbox.due, outbox.parked) == (10, 3, 6, 1)
    assert outbox.oldest_due_at == START + timedelta(seconds=1, milliseconds=500)  # its record, not its event


async def test_the_seal_holds_counts_and_heads_at_start_and_stop(settings, tmp_path):
    async with Database(settings) as database, SqlJournal(database, "K1") as journal:
        assert read_seal(tmp_path).records == 0
        await journal.write(crossing(1))
        epoch = journal.epoch
    seal = read_seal(tmp_path)
    assert (seal.site_id, seal.epoch, seal.records, seal.outbox, seal.feed) == ("K1", epoch, 1, 3, 1)
    assert re.fullmatch("[0-9a-f]{64}", seal.head)


class VirtualClock:
    def __init__(self):
        self.woken = asyncio.Event()

    def now(self):
        return datetime(2026, 11, 1, tzinfo=UTC)

    def monotonic_s(self):
        return 0.0

    async def sleep(self, duration_s):
        await self.woken.wait()
        self.woken.clear()


async def test_the_seal_is_renewed_while_running(database, tmp_path):
    clock = VirtualClock()
    async with SqlJournal(database, "K1", clock) as journal:
        await journal.write(crossing(1))
        clock.woken.set()
        async with asyncio.timeout(30):
            while read_seal(tmp_path).records == 0:  # noqa: ASYNC110 - the seal is a file, nothing tells of it
                await asyncio.sleep(0.01)  # the threads that read and write it need their turns
        assert read_seal(tmp_path).at_us == 1_793_491_200_000_000


async def test_a_database_shorter_than_its_seal_is_not_written(settings, tmp_path):
    async with Database(settings) as database, SqlJournal(database, "K1") as journal:
        await journal.write(note(1))
        await journal.write(note(2))
    async with Database(settings) as database:
        await database.write(lambda c: c.exec_driver_sql("DROP TRIGGER records_no_delete"))
        await database.write(lambda c: c.exec_driver_sql("DELETE FROM records WHERE number = 2").rowcount)
    async with Database(settings) as database, SqlJournal(database, "K1") as journal:
        assert not journal.is_writable()
        assert "2 records were sealed, 1 found" in journal.unwritable_reason()
        with pytest.raises(RecordError, match="sealed"):
            await journal.write(note(3))
    assert read_seal(tmp_path).records == 2


async def test_a_missing_seal_is_not_passed_over(settings, tmp_path):
    async with Database(settings) as database, SqlJournal(database, "K1") as journal:
        await journal.write(note(1))
    (tmp_path / "record.seal").unlink()
    async with Database(settings) as database, SqlJournal(database, "K1") as journal:
        assert not journal.is_writable()


async def test_another_sites_directory_is_refused(settings):
    async with Database(settings) as database, SqlJournal(database, "K1"):
        pass
    async with Database(settings) as database:
        with pytest.raises(RecordError, match="site K2 expected"):
            async with SqlJournal(database, "K2"):
                pass


async def outbox_payloads(journal, epoch):
    sql = f"SELECT payload FROM outbox WHERE epoch = '{epoch}' ORDER BY seq"
    return await journal.database.read(lambda c: [row[0] for row in c.exec_driver_sql(sql)])


async def test_a_new_epoch_starts_seq_anew_and_the_chain_goes_on(journal, tmp_path):
    await journal.write(decision(1))
    old = journal.epoch
    new = await journal.new_epoch("restored from backup", "user:admin")
    assert new == journal.epoch != old
    await journal.write(decision(2))
    records = await journal.records()
    assert [(record.number, record.kind, record.epoch) for record in records] == [
        (1, "decision", old),
        (2, "epoch_started", new),
        (3, "decision", new),
    ]
    told = [json.loads(row) for row in await outbox_payloads(journal, new)]
    assert (told[0]["seq"], told[0]["type"], told[0]["data"]["kind"]) == (1, "security.alarm", "epoch_started")
    assert (await journal.counts()).outbox.recorded == 5
    report = verify_directory(tmp_path)
    assert (report.findings, report.outbox) == ([], 5)


async def test_a_seal_between_the_commit_of_a_new_epoch_and_its_end_does_not_stay(journal, tmp_path, monkeypatch):
    write = journal.database.write

    async def then_seal(change):
        await write(change)
        await journal.seal()

    monkeypatch.setattr(journal.database, "write", then_seal)
    assert read_seal(tmp_path).epoch == journal.epoch
    new = await journal.new_epoch("restored from backup", "user:admin")
    assert read_seal(tmp_path).epoch == new


async def test_a_late_seal_of_the_old_epoch_is_not_written_over_that_of_the_new_one(journal, tmp_path, monkeypatch):
    old, write, is_writing, may_write = journal.epoch, journal._write_seal, asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def late(seal):
        if seal.epoch == old:
            loop.call_soon_threadsafe(is_writing.set)
            assert may_write.wait(30)
        write(seal)

    monkeypatch.setattr(journal, "_write_seal", late)
    await journal.write(decision(1))
    sealing = asyncio.create_task(journal.seal())
    await is_writing.wait()
    new = await journal.new_epoch("restored from backup", "user:admin")
    may_write.set()
    await sealing
    assert read_seal(tmp_path).epoch == new


async def test_reasons_are_counted_by_command_and_other_records_are_not(journal):
    def given(i, command, reason_code):
        return replace(note(i), kind="command", facts={"command": command, "reason_code": reason_code})

    for i, code in enumerate(["weight_explained", "documents_checked", "weight_explained", None]):
        await journal.write(given(i, "release", code))
    await journal.write(given(7, "close_lane", "maintenance"))
    await journal.write(replace(note(8), facts={"command": "release", "reason_code": "weight_explained"}))
    assert await journal.reason_counts() == {
        "release": {"weight_explained": 2, "documents_checked": 1},
        "close_lane": {"maintenance": 1},
    }
