"""Old records go whole, after their time and after they were told; what later records build on stays."""

import json
import os
import shutil
import zlib
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from gate_service.domain.errors import InputError, NotFoundError, RecordError
from gate_service.domain.events import EventType
from gate_service.domain.inventory import ExposedPeople
from gate_service.domain.record import LedgerChange, LedgerKind
from lanes.policy.stock_tables import stock_tables
from sync import queue_rows
from sync.database import Database, DatabaseSettings
from sync.erasure import erase_passage
from sync.files import FileStore
from sync.journal import SqlJournal
from sync.retention import Retention
from sync.segments import segments
from sync.stock_queries import StockQueries
from sync.store import FILE_NAME, sqlite_module
from sync.verify import verify_directory
from tests.fakes.moved_clock import QuickClock
from tests.fakes.record_entries import crossing, decision, event, note, passage, passage_id, slip_no

DAY_S = 86_400


class Rig:
    def __init__(self, database, journal, clock, folder):
        self.database, self.journal, self.clock, self.folder = database, journal, clock, folder
        self.files = FileStore(folder)
        self.retention = Retention(journal, self.files, clock)

    def now(self, entry):
        """The entry as of now, for its own time is long ago."""
        return replace(entry, at=self.clock.now())

    async def write(self, *entries):
        for entry in entries:
            await self.journal.write(self.now(entry))

    async def tell_all(self):
        for queue in ("outbox", "feed"):
            rows = await self.rows(f"SELECT epoch, seq FROM {queue} WHERE state = 'due'")
            await self.database.write(lambda c, q=queue, r=rows: queue_rows.mark_delivered(c, q, r, 1))

    async def rows(self, sql):
        return await self.database.read(lambda c: [tuple(row) for row in c.exec_driver_sql(sql)])

    async def passes(self, days):
        self.clock.move(days * DAY_S)
        await self.retention.run_once()

    def verify(self):
        report = verify_directory(self.folder)
        assert report.findings == []
        return report


@pytest.fixture
async def rig(tmp_path):
    clock = QuickClock()
    async with (
        Database(DatabaseSettings(tmp_path, reserve_bytes=0)) as database,
        SqlJournal(database, "K1", clock) as journal,
    ):
        yield Rig(database, journal, clock, tmp_path)


async def test_a_day_is_sealed_under_one_root_and_kept(rig):
    await rig.write(decision(1), crossing(1))
    await rig.passes(0.5)
    assert await rig.database.read(segments) == []
    await rig.passes(1)
    (segment,) = await rig.database.read(segments)
    assert (segment.first_record, segment.last_record, segment.sealed_record, segment.dropped_record) == (1, 2, 3, None)
    await rig.passes(180)
    assert [row[0] for row in await rig.rows("SELECT number FROM records ORDER BY number")] == [1, 2, 3, 4]
    rig.verify()


async def test_what_is_old_and_told_goes_whole_and_the_chain_goes_on_from_its_root(rig):
    for i in range(1, 6):
        await rig.write(decision(i), crossing(i))
    await rig.tell_all()
    await rig.passes(2)
    await rig.write(decision(50), crossing(50))
    await rig.tell_all()
    await rig.passes(185)
    report = rig.verify()
    assert (report.dropped_segments, report.dropped_to) == (2, 13)
    assert await rig.rows("SELECT COUNT(*) FROM outbox") == await rig.rows("SELECT COUNT(*) FROM feed") == [(0,)]
    assert await rig.rows("SELECT COUNT(*) FROM passages") == await rig.rows("SELECT COUNT(*) FROM tares") == [(0,)]
    # what must never happen twice is still known, the queues go on counting, and nothing is told anew
    assert (await rig.journal.ledger_facts([slip_no(1)], [], passage_id="x")).used == {slip_no(1): 1}
    await rig.write(decision(60), crossing(60))
    assert await rig.rows("SELECT MIN(seq) FROM outbox") == [(31,)]
    assert await rig.rows("SELECT MIN(seq) FROM feed") == [(7,)]
    rig.verify()


async def test_nothing_goes_before_it_is_told_however_old(rig):
    await rig.write(decision(1), crossing(1))
    await rig.passes(400)
    assert rig.verify().dropped_segments == 0
    assert rig.retention.held_back == "5 events of it wait in the outbox"
    await rig.tell_all()
    await rig.retention.run_once()
    assert rig.verify().dropped_to == 2
    assert rig.retention.held_back is None


async def test_an_open_passage_keeps_its_segment(rig):
    await rig.write(decision(1))
    await rig.tell_all()
    await rig.passes(200)
    assert rig.retention.held_back == "a passage of it is open"
    await rig.write(crossing(1))
    await rig.tell_all()
    await rig.passes(1)
    report = rig.verify()  # the passage outlives the segment it was opened in
    assert report.dropped_to == 1
    assert await rig.rows("SELECT opened_record, last_record FROM passages") == [(1, 3)]
    await rig.passes(200)
    assert rig.verify().dropped_to > 3
    assert await rig.rows("SELECT COUNT(*) FROM passages") == [(0,)]


async def test_a_reservation_that_was_dropped_can_still_be_given_back(rig):
    await rig.write(replace(decision(1), passage=passage(1, "idle", closed=True)))
    await rig.tell_all()
    await rig.passes(200)
    assert rig.verify().dropped_to == 1
    back = LedgerChange(LedgerKind.SLIP_RETURNED, slip_no(1), passage_id(1))
    await rig.write(replace(note(2), ledger=(back,)))
    assert (await rig.journal.ledger_facts([slip_no(1)], [], passage_id="x")).used == {}
    rig.verify()


async def test_a_vehicle_that_is_still_inside_when_its_entry_goes_can_leave(rig):
    await rig.write(decision(1), crossing(1))
    await rig.tell_all()
    await rig.passes(200)
    assert len(await rig.rows("SELECT plate FROM vehicles_inside")) == 1
    out = LedgerChange(LedgerKind.VEHICLE_OUT, "浙B00001", passage_id(9))
    await rig.write(replace(note(2), ledger=(out,)))
    assert await rig.rows("SELECT plate FROM vehicles_inside") == []
    rig.verify()


async def test_a_new_epoch_after_a_drop_begins_its_own_numbers(rig):
    await rig.write(decision(1), crossing(1))
    await rig.tell_all()
    await rig.passes(200)
    epoch = await rig.journal.new_epoch("restored", "user:x")
    await rig.tell_all()
    await rig.passes(200)
    await rig.write(decision(3))
    assert await rig.rows(f"SELECT seq FROM outbox WHERE epoch = '{epoch}'") == [(2,), (3,)]
    rig.verify()


async def test_a_stop_in_the_middle_of_the_deletion_leaves_a_record_that_holds(rig, monkeypatch):
    monkeypatch.setattr("sync.segments.PIECE", 2)
    for i in range(1, 6):
        await rig.write(decision(i), crossing(i))
    await rig.tell_all()
    rig.clock.pieces_before_stop = 2
    with pytest.raises(RecordError, match="power"):
        await rig.passes(200)
    assert await rig.rows("SELECT MIN(number) FROM records") == [(5,)]
    assert rig.verify().dropped_to == 10
    await rig.retention.run_once()
    assert await rig.rows("SELECT MIN(number) FROM records") == [(11,)]
    assert rig.verify().dropped_to == 10


async def test_records_can_be_deleted_only_with_a_dropped_segment(rig):
    await rig.write(decision(1), crossing(1))
    for table in ("records", "outbox", "feed"):
        with pytest.raises(Exception, match=r"never (deleted|altered)"):
            await rig.database.write(lambda c, t=table: c.exec_driver_sql(f"DELETE FROM {t}").rowcount)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE segments SET root = 'x' WHERE number = 1",
        "UPDATE segments SET head = 'x' WHERE number = 1",
        "UPDATE segments SET outbox_seq = 29 WHERE number = 1",
        "UPDATE segments SET last_record = last_record - 1 WHERE number = 1",
        "UPDATE segments SET kept = x'00' WHERE number = 1",
        "UPDATE segments SET dropped_record = 99 WHERE number = 1",
        "UPDATE segments SET dropped_record = 2, kept = x'00' WHERE number = 2",
        "UPDATE segments SET root = 'x' WHERE number = 2",
        "DELETE FROM segments WHERE number = 1",
        "DELETE FROM segments WHERE number = 2",
        "DELETE FROM slip_uses WHERE slip_no = 'Z000000000000000000001'",
        "DELETE FROM declaration_passed",
    ],
)
async def test_whoever_alters_what_is_kept_is_found(rig, tmp_path_factory, change):
    await rig.write(decision(1), crossing(1))
    await rig.tell_all()
    await rig.passes(2)
    await rig.passes(188)
    await rig.passes(1)
    rig.verify()
    copy = tmp_path_factory.mktemp("copy") / "record"
    shutil.copytree(rig.folder, copy, ignore=shutil.ignore_patterns("*.new"))
    with closing(sqlite_module.connect(str(copy / FILE_NAME), isolation_level=None)) as connection:
        assert connection.execute(change).rowcount > 0
    assert not verify_directory(copy).holds


# --- erasing ----------------------------------------------------------------------------------------------------------


async def erase(rig, i=1, reason="asked for by the person"):
    return await erase_passage(rig.journal, rig.clock, passage_id(i), reason, "user:admin")


async def left(rig):
    """Leave the vehicle of passage 1, in a passage of its own."""
    out = LedgerChange(LedgerKind.VEHICLE_OUT, "浙B00001", passage_id(9))
    await rig.write(replace(note(9), ledger=(out,)))


async def test_personal_data_go_and_the_chain_holds_and_names_whose(rig):
    await rig.write(decision(1), crossing(1), decision(2))
    await left(rig)
    await rig.tell_all()
    answer = await erase(rig)
    assert (answer["records"], answer["events"]) == (2, 5)
    report = rig.verify()
    assert report.erased_passages == [passage_id(1)]
    found = await rig.rows("SELECT facts, ledger FROM records WHERE number IN (1, 2)")
    assert found == [(b"", b""), (b"", b"")]
    assert {len(row[0]) for row in await rig.rows("SELECT payload FROM outbox WHERE record_number <= 2")} == {0}
    view = await rig.journal.passage(passage_id(1))
    assert "plate" not in view.document
    assert view.document["erased"] is True
    assert [record.facts for record in (await rig.journal.records())[:2]] == [{"erased": True}] * 2
    assert (await rig.journal.ledger_facts([slip_no(1)], ["浙B00001"], passage_id="x")).tares == {}
    assert (await rig.journal.ledger_facts([slip_no(1)], [], passage_id="x")).used == {slip_no(1): 1}
    assert json.loads((await rig.rows("SELECT facts FROM records WHERE number = 5"))[0][0])["reason"] == (
        "asked for by the person"
    )


async def test_a_photo_from_before_the_passage_began_goes_with_it(rig):
    photo, other = [await rig.files.keep(content, "image/jpeg") for content in (b"at the approach", b"of another")]
    await rig.write(replace(note(1), files=(photo,)))
    await rig.write(replace(note(1), files=(other,)))
    await rig.write(decision(1), replace(note(1), passage_id=passage_id(1), files=(photo,)), crossing(1))
    await left(rig)
    await rig.tell_all()
    assert await rig.journal.photos(passage_id(1)) == [photo]
    await erase(rig)
    assert await rig.journal.photos(passage_id(1)) == []
    report = rig.verify()
    assert (report.files, report.orphan_files) == (1, 1)
    assert await rig.journal.media_type(photo.sha256) is None  # nobody is given it, and it is swept after a day
    assert await rig.journal.media_type(other.sha256) == "image/jpeg"


async def test_nothing_is_erased_that_is_open_inside_untold_unknown_or_without_a_reason(rig):
    await rig.write(decision(1))
    with pytest.raises(InputError, match="closed"):
        await erase(rig)
    await rig.write(crossing(1))
    with pytest.raises(InputError, match="still in the zone"):
        await erase(rig)
    await left(rig)
    with pytest.raises(InputError, match="5 wait in the outbox"):
        await erase(rig)
    await rig.tell_all()
    with pytest.raises(InputError, match="reason"):
        await erase(rig, reason=" ")
    with pytest.raises(NotFoundError):
        await erase(rig, 7)
    await erase(rig)
    with pytest.raises(InputError, match="already"):
        await erase(rig)


async def test_emptied_contents_without_an_entry_that_says_so_are_found(rig, tmp_path_factory):
    await rig.write(decision(1), crossing(1), decision(2), crossing(2))
    await left(rig)
    await rig.tell_all()
    await erase(rig)
    copy = tmp_path_factory.mktemp("copy") / "record"
    shutil.copytree(rig.folder, copy, ignore=shutil.ignore_patterns("*.new"))
    with closing(sqlite_module.connect(str(copy / FILE_NAME), isolation_level=None)) as connection:
        connection.execute("UPDATE records SET facts = x'', ledger = x'' WHERE number = 3")
    assert verify_directory(copy).first_broken_record == 3
    with pytest.raises(Exception, match="never altered"):
        await rig.database.write(lambda c: c.exec_driver_sql("UPDATE records SET facts = x'7b7d'").rowcount)


async def test_what_was_erased_is_dropped_in_its_time_like_the_rest(rig):
    await rig.write(decision(1), crossing(1))
    await left(rig)
    await rig.tell_all()
    await rig.passes(2)
    await erase(rig)
    await rig.passes(185)
    assert rig.verify().dropped_to >= 3
    assert (await rig.journal.ledger_facts([slip_no(1)], [], passage_id="x")).used == {slip_no(1): 1}
    await rig.passes(200)
    rig.verify()


# --- files ------------------------------------------------------------------------------------------------------------


async def test_a_file_is_on_disk_before_a_record_names_it_and_goes_with_the_record(rig):
    ref = await rig.files.keep(b"a picture", "image/jpeg")
    assert rig.files.read(ref.sha256) == b"a picture"
    await rig.write(replace(note(1), files=(ref,)))
    report = rig.verify()
    assert (report.files, report.orphan_files) == (1, 0)
    orphan = await rig.files.keep(b"never named", "image/jpeg")
    assert rig.verify().orphan_files == 1
    path = rig.files.path_of(ref.sha256)
    path.write_bytes(b"another picture")
    assert verify_directory(rig.folder).first_broken_record == 1
    path.write_bytes(b"a picture")
    old = rig.clock.now() - timedelta(days=1000)
    for name in (ref.sha256, orphan.sha256):
        os.utime(rig.files.path_of(name), (old.timestamp(), old.timestamp()))
    await rig.retention.run_once()
    assert rig.files.read(orphan.sha256) is None
    assert rig.files.read(ref.sha256) is not None
    await rig.passes(200)
    assert rig.verify().dropped_to == 1
    assert list(rig.files.names()) == []


async def test_a_missing_file_and_a_name_that_is_none_are_found(rig):
    ref = await rig.files.keep(b"a picture", "image/jpeg")
    await rig.write(replace(note(1), files=(ref,)))
    rig.files.path_of(ref.sha256).unlink()
    assert verify_directory(rig.folder).first_broken_record == 1
    for name in ("../../etc/passwd", "", "A" * 64, "a" * 63):
        with pytest.raises(InputError):
            rig.files.path_of(name)
    with pytest.raises(InputError, match="bytes expected"):
        await rig.files.keep(b"", "image/jpeg")


async def test_an_event_of_the_feed_that_was_dropped_still_counts_in_the_stock(rig):
    line = {"un_no": "1090", "cas": "67-64-1", "name": "丙酮", "class": "3", "storage_unit": "W3", "net_kg": 160}
    told = event(1, EventType.HAZMAT_ENTERED)
    body = {"enterprise": {"customs_code": "3311660001", "name": "示例"}, "lines": [line], "driver": {"name": "示例"}}
    await rig.write(replace(note(1), events=(replace(told, data=body),)))
    before = await StockQueries(rig.database, stock_tables(), ExposedPeople()).inventory()
    await rig.tell_all()
    await rig.passes(200)
    assert await rig.rows("SELECT COUNT(*) FROM feed") == [(0,)]
    after = await StockQueries(rig.database, stock_tables(), ExposedPeople()).inventory()
    assert after["balances"] == before["balances"] != []
    kept = (await rig.database.read(segments))[0].kept
    assert "driver" not in zlib.decompress(kept).decode()


async def test_a_seal_from_before_the_drop_of_all_it_names_is_no_break(tmp_path):
    clock = QuickClock()
    folder = tmp_path / "data"
    settings = DatabaseSettings(folder, reserve_bytes=0)
    async with Database(settings) as database, SqlJournal(database, "K1", clock) as journal:
        rig = Rig(database, journal, clock, folder)
        await rig.write(note(1), note(2), note(3))
        await journal.seal()
        older = (folder / "record.seal").read_bytes()
        await rig.passes(200)
        assert rig.verify().dropped_to == 3
    for sealed in (older, older.replace(b'"records":3', b'"records":2')):
        (folder / "record.seal").write_bytes(sealed)
        assert verify_directory(folder).holds == (sealed == older)
    (folder / "record.seal").write_bytes(older)
    async with Database(settings) as database, SqlJournal(database, "K1", clock) as journal:
        assert journal.is_writable()
