import asyncio
import os
import sqlite3
import threading

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError

from gate_service.domain.errors import RecordError, StoreBusyError, UnsafeStoreError
from sync import store, writer
from sync.database import Database, DatabaseSettings
from sync.migrate import HEAD, SCRIPTS, alembic_config, schema_revision
from sync.store_safety import JournalMode, Synchronous
from sync.tables import metadata

INSERT = "INSERT INTO sync_state (name) VALUES (?)"


def put(name):
    return lambda connection: connection.exec_driver_sql(INSERT, (name,)).rowcount


def names(connection):
    return {row[0] for row in connection.exec_driver_sql("SELECT name FROM sync_state")}


@pytest.fixture
def settings(tmp_path):
    return DatabaseSettings(tmp_path / "data", reserve_bytes=0)


async def test_what_was_written_is_there_after_opening_again(settings):
    async with Database(settings) as database:
        assert await database.write(put("a")) == 1
        assert await database.read(names) == {"a"}
    async with Database(settings) as database:
        assert await database.read(names) == {"a"}
        assert database.is_writable()
    assert not database.is_writable()


async def test_many_at_once_share_transactions_and_all_are_kept(settings):
    async with Database(settings) as database:
        await asyncio.gather(*(database.write(put(str(i))) for i in range(500)))
        assert len(await database.read(names)) == 500


async def hold_writer(database):
    """Keep the writer busy so that what follows lands in one group."""
    started, release = threading.Event(), threading.Event()

    def block(_connection):
        started.set()
        assert release.wait(30)

    task = asyncio.ensure_future(database.write(block))
    assert await asyncio.to_thread(started.wait, 30)
    return task, release


async def test_one_failing_job_of_a_group_fails_alone(settings):
    def fail(connection):
        put("half")(connection)
        raise ValueError("mine")

    async with Database(settings) as database:
        blocker, release = await hold_writer(database)
        jobs = [put("a"), fail, put("b"), put("a"), put("c")]
        waiting = asyncio.gather(*(database.write(job) for job in jobs), return_exceptions=True)
        await asyncio.sleep(0)
        release.set()
        a, failed, b, twin, c = await waiting
        await blocker
        assert (a, b, c) == (1, 1, 1)
        assert isinstance(failed, ValueError)
        assert isinstance(twin, IntegrityError)
        assert await database.read(names) == {"a", "b", "c"}
        assert database.is_writable()


async def test_a_lone_failing_job_leaves_nothing_and_the_next_goes_on(settings):
    def fail(connection):
        put("half")(connection)
        raise KeyError("mine")

    async with Database(settings) as database:
        with pytest.raises(KeyError):
            await database.write(fail)
        with pytest.raises(DBAPIError):
            await database.write(lambda connection: connection.exec_driver_sql("SELECT nonsense FROM nowhere"))
        await database.write(put("b"))
        assert await database.read(names) == {"b"}


async def test_readers_cannot_write_and_never_checkpoint(settings):
    async with Database(settings) as database:
        with pytest.raises(DBAPIError, match="readonly"):
            await database.read(put("x"))
        assert await database.read(lambda c: c.exec_driver_sql("PRAGMA wal_autocheckpoint").scalar()) == 0


async def test_a_long_log_is_moved_into_the_file_even_where_no_pause_comes(settings, monkeypatch):
    monkeypatch.setattr(writer, "LOG_LIMIT_BYTES", 200_000)
    async with Database(settings) as database:
        for i in range(100):
            await database.write(put(f"{i} {'x' * 30_000}"))
        assert database._store.log_bytes() < 4_000_000  # without it: 8,600,000
        assert len(await database.read(names)) == 100


async def test_a_failed_commit_makes_the_database_unwritable_until_it_is_opened_again(settings, monkeypatch):
    async with Database(settings) as database:
        await database.write(put("before"))

        def fail(_connection):
            error = store.sqlite_module.OperationalError("disk I/O error")
            error.sqlite_errorname = "SQLITE_IOERR_FSYNC"
            raise error

        monkeypatch.setattr(database._store, "commit", fail)
        with pytest.raises(RecordError, match="disk I/O error"):
            await database.write(put("lost"))
        monkeypatch.undo()
        assert not database.is_writable()
        assert "disk I/O error" in database.unwritable_reason
        with pytest.raises(RecordError, match="disk I/O error"):
            await database.write(put("after"))
        assert await database.read(names) == {"before"}
    async with Database(settings) as database:
        assert await database.write(put("after")) == 1


async def test_a_job_that_swallows_the_end_of_its_transaction_is_not_acknowledged(settings):
    """SQLite undoes the transaction by itself on some errors; the driver's commit then says nothing."""

    def undone(connection):
        put("lost")(connection)
        connection.exec_driver_sql("ROLLBACK")

    async with Database(settings) as database:
        with pytest.raises(RecordError, match="undone"):
            await database.write(undone)
        assert await database.read(names) == set()


async def test_a_full_disk_in_a_group_acknowledges_nobody_of_it(settings):
    def full(_connection):
        error = store.sqlite_module.OperationalError("database or disk is full")
        error.sqlite_errorname = "SQLITE_FULL"
        raise error

    async with Database(settings) as database:
        blocker, release = await hold_writer(database)
        waiting = asyncio.gather(*(database.write(job) for job in (put("a"), full, put("b"))), return_exceptions=True)
        await asyncio.sleep(0)
        release.set()
        assert all(isinstance(answer, RecordError) for answer in await waiting)
        await blocker
        assert await database.read(names) == set()


async def test_below_the_disk_reserve_only_the_record_is_written_and_with_room_again_all_is(settings, monkeypatch):
    real = os.statvfs
    free = {"bytes": 300 * 2**20}

    def statvfs(path):
        found = list(real(path))
        found[1], found[4] = 1, free["bytes"]  # f_frsize, f_bavail
        return os.statvfs_result(found)

    monkeypatch.setattr("sync.reserve.os.statvfs", statvfs)
    monkeypatch.setattr("sync.writer.IDLE_TICK_S", 0.0)
    async with Database(DatabaseSettings(settings.directory, reserve_bytes=256 * 2**20)) as database:
        await database.write(put("a"))
        free["bytes"] = 255 * 2**20
        with pytest.raises(RecordError, match="255 MiB free, at least 256 expected"):
            await database.write(put("b"))
        assert not database.is_writable()
        await database.write(put("essential"), is_essential=True)
        waiting = asyncio.gather(
            *(database.write(put(name), is_essential=name == "e") for name in "xey"), return_exceptions=True
        )
        assert [type(answer) for answer in await waiting] == [RecordError, int, RecordError]
        free["bytes"] = 2**20
        with pytest.raises(RecordError, match="nothing more can be written"):
            await database.write(put("z"), is_essential=True)
        free["bytes"] = 300 * 2**20
        await database.write(put("c"))
        assert database.is_writable()
        assert await database.read(names) == {"a", "essential", "e", "c"}


async def test_a_second_process_on_the_directory_is_refused_by_name(settings):
    async with Database(settings):
        with pytest.raises(StoreBusyError, match=str(os.getpid())):
            async with Database(settings):
                pass
    async with Database(settings):
        pass


async def test_a_command_beside_the_service_may_write_a_moment_but_never_creates(settings):
    beside = DatabaseSettings(settings.directory, reserve_bytes=0, exclusive=False)
    with pytest.raises(RecordError, match="start the service once"):
        async with Database(beside):
            pass
    async with Database(settings) as service, Database(beside) as command:
        await asyncio.gather(*(service.write(put(f"s{i}")) for i in range(20)), command.write(put("c")))
        assert len(await service.read(names)) == 21


@pytest.mark.parametrize("level", [Synchronous.OFF, Synchronous.NORMAL])
def test_a_synchronous_level_below_full_is_refused_at_construction(tmp_path, level):
    with pytest.raises(UnsafeStoreError):
        Database(DatabaseSettings(tmp_path, synchronous=level))


def test_wal_on_an_affected_build_is_refused_at_construction(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "sqlite_version", lambda: (3, 40, 1))
    with pytest.raises(UnsafeStoreError, match=r"3\.40\.1"):
        Database(DatabaseSettings(tmp_path, journal_mode=JournalMode.WAL))


async def test_an_affected_build_falls_back_to_a_rollback_journal_and_works(settings, monkeypatch):
    """The standard library's SQLite on Debian 12 is 3.40.1; the directory may come from a machine that used WAL."""
    async with Database(settings) as database:
        await database.write(put("wal"))
    monkeypatch.setattr(store, "sqlite_module", sqlite3)
    monkeypatch.setattr(store, "sqlite_version", lambda: (3, 40, 1))
    async with Database(settings) as database:
        assert await database.read(lambda c: c.exec_driver_sql("PRAGMA journal_mode").scalar()) == "delete"
        reads = [database.read(names) for _ in range(20)]
        await asyncio.gather(*reads, *(database.write(put(str(i))) for i in range(20)))
        assert len(await database.read(names)) == 21


async def test_a_mode_that_the_file_does_not_grant_is_refused(settings, monkeypatch):
    real = store.SqliteStore._set_up_writer

    def without_journal_mode(self, connection, record):
        real(self, connection, record)
        connection.execute("PRAGMA synchronous=NORMAL")

    monkeypatch.setattr(store.SqliteStore, "_set_up_writer", without_journal_mode)
    with pytest.raises(UnsafeStoreError, match="synchronous 1"):
        async with Database(settings):
            pass


async def test_a_write_while_closing_is_refused_not_forgotten(settings):
    database = Database(settings)
    async with database:
        pass
    with pytest.raises(RecordError, match="closed"):
        await database.write(put("x"))


async def test_a_cancelled_wait_harms_nobody(settings):
    async with Database(settings) as database:
        blocker, release = await hold_writer(database)
        waiting = asyncio.ensure_future(database.write(put("a")))
        await asyncio.sleep(0)
        waiting.cancel()
        release.set()
        await blocker
        await database.write(put("b"))
        assert "b" in await database.read(names)


async def test_the_revisions_make_exactly_the_tables_the_code_sees(settings):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    def compare(connection):
        assert schema_revision(connection) == HEAD
        assert ScriptDirectory.from_config(alembic_config(connection)).get_current_head() == HEAD
        return compare_metadata(MigrationContext.configure(connection), metadata)

    assert SCRIPTS.is_dir()
    async with Database(settings) as database:
        assert await database.read(compare) == []


async def test_a_database_of_a_newer_version_is_refused_in_words(settings):
    async with Database(settings) as database:
        await database.write(lambda c: c.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'").rowcount)
    with pytest.raises(RecordError, match="newer version"):
        async with Database(settings):
            pass


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("UPDATE records SET actor = 'x'", "a record is never altered"),
        ("DELETE FROM records", "a record is never altered"),
        ("DELETE FROM outbox", "an event is never deleted"),
        ("UPDATE outbox SET payload = x'00'", "an event is never altered"),
        ("UPDATE outbox SET seq = 9", "an event is never altered"),
        ("UPDATE feed SET id = 'x'", "an event is never altered"),
        ("DELETE FROM feed", "an event is never deleted"),
    ],
)
async def test_triggers_forbid_to_alter_the_record(settings, statement, why):
    def fill(c):
        c.exec_driver_sql(
            "INSERT INTO records (number, epoch, kind, at_us, actor, facts, facts_sha256, previous_hash, hash)"
            " VALUES (1, 'e', 'k', 0, 'a', x'', '', '', '')"
        )
        for queue in ("outbox", "feed"):
            c.exec_driver_sql(
                f"INSERT INTO {queue} (epoch, seq, id, record_number, type, at_us, payload, sha256, due_at_us)"
                " VALUES ('e', 1, 'i', 1, 't', 0, x'', '', 0)"
            )

    async with Database(settings) as database:
        await database.write(fill)
        with pytest.raises(IntegrityError, match=why):
            await database.write(lambda c: c.exec_driver_sql(statement).rowcount)
        await database.write(lambda c: c.exec_driver_sql("UPDATE outbox SET state = 'delivered'").rowcount)
