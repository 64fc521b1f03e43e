"""The same record on a real PostgreSQL server, where the machine has its binaries."""

import asyncio
import contextlib
import json
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from gate_service.bootstrap import check_policy
from gate_service.cli import replay_passage
from gate_service.cli.data_directory import find_place
from gate_service.cli.policy import compare_files
from gate_service.domain.draws import WantedDraw
from gate_service.domain.errors import LedgerRefusedError, RecordError, SlipTakenError, StoreBusyError, UnsafeStoreError
from gate_service.domain.mass import Mass
from gate_service.domain.record import Entry, LedgerChange, LedgerKind
from gate_service.gate_form import GoodsForm, GoodsLine
from gate_service.preassessing import PreassessedSite, Preassessor
from gate_service.register_desk import names
from lanes.policy.case import read_case
from lanes.policy.engine import assess
from sync.database import Database, DatabaseSettings
from sync.erasure import erase_passage
from sync.files import FileStore
from sync.journal import SqlJournal
from sync.policies import PolicyBook
from sync.record_check import RecordCheck, Report
from sync.register_changes import ServiceVehicle
from sync.retention import Retention
from tests.fakes.held_port import HeldPort
from tests.fakes.moved_clock import MovedClock, QuickClock
from tests.fakes.policy_cases import case
from tests.fakes.record_entries import START, crossing, decision, note, passage, passage_id, slip_no
from tests.fakes.register_record import NOON, SUPERVISOR, Record, slip

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
psycopg = pytest.importorskip("psycopg", reason="the postgresql extra is not installed")
pytestmark = pytest.mark.skipif(not BINARIES, reason="no PostgreSQL server on this machine")


@pytest.fixture(scope="module")
def server():
    """A cluster of its own on a free loopback port; PostgreSQL refuses to run as root."""
    binaries = BINARIES[-1].parent
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    home = Path(tempfile.mkdtemp(prefix="gate-pg-"))
    if as_user:
        shutil.chown(home, pwd.getpwnam("postgres").pw_uid)
    cluster = home / "cluster"
    quiet = {"capture_output": True, "cwd": "/"}
    subprocess.run(
        [*as_user, binaries / "initdb", "-D", cluster, "-A", "trust", "-U", "gate", "-E", "UTF8"], check=True, **quiet
    )
    control = [*as_user, binaries / "pg_ctl", "-D", cluster, "-w", "-l", home / "log"]
    with HeldPort() as held:
        options = f"-p {held.number} -k {home} -c listen_addresses=127.0.0.1"
        subprocess.run([*control, "-o", options, "start"], check=True, **quiet)
        try:
            yield held.number
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=True, **quiet)
            shutil.rmtree(home)


@pytest.fixture
def opened(server, tmp_path):
    """Settings on an empty database of the server."""
    name = f"g{abs(hash(tmp_path))}"
    with psycopg.connect(host="127.0.0.1", port=server, user="gate", dbname="postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
    url = f"postgresql://gate@127.0.0.1:{server}/{name}"
    return DatabaseSettings(tmp_path, url=url, reserve_bytes=0)


async def check(database):
    report = Report()

    def run(connection):
        def query(sql):
            return connection.exec_driver_sql(sql)

        RecordCheck(query, report).run()

    await database.read(run)
    return report


async def test_entries_are_written_in_groups_read_back_and_verify(opened):
    async with Database(opened) as database, SqlJournal(database, "K1") as journal:
        numbers = await asyncio.gather(*(journal.write(decision(i)) for i in range(1, 21)))
        assert sorted(numbers) == list(range(1, 21))
        await journal.write(crossing(1))
        with pytest.raises(SlipTakenError):
            await journal.write(decision(30, slip=slip_no(2)))
        back = LedgerChange(LedgerKind.SLIP_RETURNED, slip_no(1), passage_id(1))
        with pytest.raises(LedgerRefusedError):
            await journal.write(replace(note(31), ledger=(back,)))
        answers = await asyncio.gather(
            journal.write(decision(32)),
            journal.write(decision(33, slip=slip_no(2))),
            journal.write(decision(34)),
            return_exceptions=True,
        )
        assert [type(answer) for answer in answers] == [int, SlipTakenError, int]
        counts = await journal.counts()
        assert (counts.records, counts.outbox.recorded, counts.feed.due) == (23, 47, 1)
        facts = await journal.ledger_facts([slip_no(1)], ["浙B00001"], ["331120261000000001"], passage_id="x")
        assert facts.used == {slip_no(1): 1}
        assert len(await journal.passages(limit=5)) == 5
        assert (await check(database)).findings == []
    async with Database(opened) as database, SqlJournal(database, "K1") as journal:
        assert passage(2) in await journal.open_passages()
        assert await journal.write(note(40)) == 24
        assert (await check(database)).findings == []


async def test_records_and_events_cannot_be_altered_and_readers_cannot_write(opened):
    async with Database(opened) as database, SqlJournal(database, "K1") as journal:
        await journal.write(crossing(1))
        for statement in ("UPDATE records SET actor = 'x'", "DELETE FROM outbox", "UPDATE feed SET payload = ''"):
            with pytest.raises(DBAPIError, match="never"):
                await database.write(lambda c, sql=statement: c.exec_driver_sql(sql).rowcount)
        await database.write(lambda c: c.exec_driver_sql("UPDATE outbox SET state = 'delivered'").rowcount)
        with pytest.raises(DBAPIError, match="read-only"):
            await database.read(lambda c: c.exec_driver_sql("UPDATE outbox SET state = 'due'").rowcount)
        assert database.is_writable()


async def test_a_job_that_swallows_an_error_is_not_acknowledged(opened):
    def swallow(connection):
        connection.exec_driver_sql("INSERT INTO sync_state (name) VALUES ('lost')")
        with contextlib.suppress(DBAPIError):
            connection.exec_driver_sql("SELECT nonsense FROM nowhere")

    async with Database(opened) as database:
        with pytest.raises(RecordError, match="undone"):
            await database.write(swallow)
        assert await database.write(lambda c: c.exec_driver_sql("SELECT count(*) FROM sync_state").scalar()) == 0


async def test_a_lost_connection_closes_the_record_until_a_restart(opened, server):
    async with Database(opened) as database, SqlJournal(database, "K1") as journal:
        await journal.write(decision(1))
        lost = database._connection.connection.driver_connection.info.backend_pid
        with psycopg.connect(host="127.0.0.1", port=server, user="gate", dbname="postgres", autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(%s)", (lost,))
        for number in (2, 3):
            with pytest.raises(RecordError):
                await journal.write(decision(number))
            assert not database.is_writable()
    async with Database(opened) as database, SqlJournal(database, "K1") as journal:
        assert await journal.write(decision(2)) == 2


async def test_a_second_service_on_the_database_is_refused(opened, tmp_path):
    elsewhere = replace(opened, directory=tmp_path / "elsewhere")
    async with Database(opened):
        with pytest.raises(StoreBusyError, match="another gate service"):
            async with Database(elsewhere):
                pass


async def test_a_server_that_does_not_sync_commits_is_refused(opened):
    with pytest.raises(UnsafeStoreError, match="synchronous_commit is off"):
        async with Database(replace(opened, url=f"{opened.url}?options=-c%20synchronous_commit%3Doff")):
            pass


async def test_a_policy_is_stored_approved_and_read_back(opened):
    """The same statements on the other product: bytes, nulls, a left join."""
    clock = MovedClock()
    async with Database(opened) as database, SqlJournal(database, "K1", clock) as journal:
        async with PolicyBook(database, journal, clock, check_policy, None) as book:
            await book.propose({"version": "v2", "spot_check": {"service": 0.5}}, None, "why", "user:a")
            await book.approve("v2", "user:b")
            await book.propose({"version": "v3"}, None, "why", "user:a")
            await book.withdraw("v3", "mistake", "user:a")
        async with PolicyBook(database, journal, clock, check_policy, None) as again:
            assert again.all() == book.all()
            assert again.in_force(clock.now()) == {"version": "v2", "spot_check": {"service": 0.5}}


async def test_registers_draws_lists_and_reports_are_good_sql_there_too(opened, tmp_path):
    async with Record(tmp_path, "first", opened) as record:
        await record.secrets.keep()
        draws = [WantedDraw("spot:Z1", Fraction(1, 2), is_of_slip=True), WantedDraw("spot:P", Fraction(1), False)]
        assert await record.secrets.draw(draws, "p") == await record.secrets.draw(draws, "q")
        record.clock.at += timedelta(days=1)
        await record.secrets.keep()
        assert [day["is_revealed"] for day in await record.secrets.published()] == [False, True]
        await record.load(
            {"kind": "slip", "version": 1, "slip": slip("Z1")},
            {"kind": "declaration", "version": 1, "declaration": {"number": "331120261000000001", "trucks": "many"}},
        )
        await record.desk.put_vehicle(ServiceVehicle("浙B00001", None, NOON, 4, ""), SUPERVISOR)
        form = GoodsForm("inbound", "浙B00002", "office", "33", "示例", 9000, (GoodsLine("纸", 1, "箱", 10),))
        await record.desk.register_goods(form, SUPERVISOR)
        document = {**passage(1, "idle", closed=True), "verdict": "inspect"}
        changes = (
            LedgerChange(LedgerKind.SLIP_USED, "Z1", passage_id(1)),
            LedgerChange(LedgerKind.VEHICLE_IN, "浙B00001", passage_id(1), Mass(1)),
            LedgerChange(LedgerKind.DECLARATION_PASSED, "331120261000000001", passage_id(1), Mass(1000), detail="5000"),
            LedgerChange(LedgerKind.TEMPORARY_EXIT, "Z1", passage_id(1), detail='["33", 5]'),
            LedgerChange(LedgerKind.INSPECTION_ORDERED, "yard_inside", passage_id(1), detail='["Z1"]'),
            LedgerChange(LedgerKind.TARE_SEEN, "浙B00001", passage_id(1), Mass(9_000_000)),
        )
        entry = Entry("decision", NOON, "service", {"verdict": "inspect"}, "in-1", passage_id(1), document, changes)
        await record.journal.write(entry)
        await record.desk.inspected(passage_id(1), True, "示例", SUPERVISOR)
        await record.desk.returned("Z1", "", "示例", SUPERVISOR)
        await record.source.find(scanned=["Z1"], plate=None, direction="inbound", passage_id="p")
        counts = {name: len((await record.desk.rows(name, "", 10))["rows"]) for name in names()}
        assert counts.pop("preassessed") == 0
        assert set(counts.values()) == {1}, counts
        await record.desk.alarm_between_gates()
        await _judged_again_there_too(record)
        period = (NOON - timedelta(days=900), NOON + timedelta(days=900))
        found = await record.reports.risk(*period, "goods")
        assert (found["total"]["interceptions"], found["total"]["hits"]) == (1, 1)
        assert (await record.reports.flow(*period))["total"]["passages"] == 1
        assert (await check(record.database)).findings == []


async def test_a_stored_passage_is_replayed_and_policies_are_compared_from_there(opened, tmp_path, capsys):
    judged = {**passage(1, "idle", closed=True), "case": case(), "assessment": assess(read_case(case())).as_document()}
    async with Database(opened) as database, SqlJournal(database, "K1") as journal:
        await journal.write(replace(crossing(1), passage=judged))
    site = tmp_path / "site.toml"
    site.write_text(f'[data]\ndir = "."\nurl = "{opened.url}"\n', encoding="utf-8")
    place = find_place(None, site)
    assert find_place(Path(opened.url), None, takes_url=True).url == place.url == opened.url
    assert await asyncio.to_thread(replay_passage.run, passage_id(1), place, as_json=True) == 0
    assert json.loads(capsys.readouterr().out)["same"] is True
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps({"version": "v2"}), encoding="utf-8")
    span = {"since": None, "before": None, "limit": 5, "as_json": True}
    assert await asyncio.to_thread(compare_files, policy, policy, place, **span) == 0
    assert json.loads(capsys.readouterr().out)["compared"] == 1
    gone = replace(place, url="postgresql://gate:secret@127.0.0.1:1/none")
    with pytest.raises(RecordError, match="a PostgreSQL server that answers expected") as refused:
        await asyncio.to_thread(replay_passage.run, passage_id(1), gone, as_json=True)
    assert "secret" not in str(refused.value)


async def _judged_again_there_too(record):
    preassessor = Preassessor(record.journal, record, record.clock, PreassessedSite("K1", "first", lambda _: None))
    await preassessor.step()
    placed = {"kind": "risk", "id": "H", "target": {"type": "slip", "id": "Z1"}, "reason": "", "placed_by": ""}
    await record.load({"kind": "hold", "version": 1, "hold": placed})
    await preassessor.step()
    found = await record.database.read(lambda c: c.exec_driver_sql("SELECT verdict, checks FROM preassessments").one())
    assert found[0] in {"inspect", "refuse"}  # it is used meanwhile
    assert "hold" in {one["reason_code"] for one in json.loads(found[1])}


async def test_old_records_are_dropped_and_contents_erased_as_on_sqlite(opened):
    clock = QuickClock(START)
    async with Database(opened) as database, SqlJournal(database, "K1", clock) as journal:
        for i in range(1, 4):
            await journal.write(decision(i))
            await journal.write(crossing(i))
        out = LedgerChange(LedgerKind.VEHICLE_OUT, "浙B00001", passage_id(9))
        await journal.write(replace(note(9), ledger=(out,)))
        for queue in ("outbox", "feed"):
            sql = f"UPDATE {queue} SET state = 'delivered'"
            await database.write(lambda c, s=sql: c.exec_driver_sql(s).rowcount)
        await erase_passage(journal, clock, passage_id(1), "asked for", "user:admin")
        assert (await check(database)).findings == []
        for sql in ("UPDATE records SET facts = 'x'", "UPDATE outbox SET payload = 'x'", "DELETE FROM records"):
            with pytest.raises(DBAPIError, match="never"):
                await database.write(lambda c, s=sql: c.exec_driver_sql(s).rowcount)
        clock.move(200 * 86_400)
        await Retention(journal, FileStore(opened.directory), clock).run_once()
        report = await check(database)
        assert (report.findings, report.dropped_to, report.dropped_segments) == ([], 8, 1)
        assert await database.read(lambda c: c.exec_driver_sql("SELECT MIN(number) FROM records").scalar()) == 9
        assert (await journal.ledger_facts([slip_no(1)], [], passage_id="x")).used == {slip_no(1): 1}
        await journal.write(decision(50))
        assert (await check(database)).findings == []
