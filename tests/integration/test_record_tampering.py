"""Random changes to a finished record, each on its own copy: `gate verify` finds every one."""

import asyncio
import random
import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from gate_service.cli import verify as verify_verb
from gate_service.domain.record import LedgerChange, LedgerKind
from sync import queue_rows
from sync.checkpoint import Checkpoint
from sync.database import Database, DatabaseSettings
from sync.erasure import erase_passage
from sync.files import FileStore
from sync.journal import SqlJournal
from sync.retention import Retention
from sync.seal import FILE_NAME as SEAL_NAME
from sync.store import FILE_NAME, sqlite_module
from sync.verify import verify_directory
from tests.fakes.moved_clock import QuickClock
from tests.fakes.record_entries import START, crossing, decision, note, passage_id, slip_no

PASSAGES = 25
UNCOVERED = {"state", "due_at_us", "attempts", "reason", "delivered_at_us"}  # of outbox and feed: the delivery's own
TABLES = (
    "records", "outbox", "feed", "passages", "slip_uses", "vehicles_inside", "tares", "declaration_passed", "segments",
    "files",
)  # fmt: skip


async def make_record(directory: Path, older: Path) -> Checkpoint:
    """A record with everything in it: a dropped segment and a sealed one, an erased passage, a file, two epochs.

    Gives the checkpoint that the centre holds. `older` keeps whole copies from before, each with its seal.
    """
    clock = QuickClock(START)
    files = FileStore(directory)
    async with (
        Database(DatabaseSettings(directory, reserve_bytes=0)) as database,
        SqlJournal(database, "K1", clock) as journal,
    ):
        retention = Retention(journal, files, clock)
        for i in range(100, 104):
            await journal.write(decision(i))
            await journal.write(crossing(i))
        await tell_all(database)
        clock.move(200 * 86_400)
        await retention.run_once()
        for i in range(PASSAGES):
            await journal.write(decision(i))
            await journal.write(crossing(i))
        await journal.write(replace(note(98), files=(await files.keep(b"a picture", "image/jpeg"),)))
        back = LedgerChange(LedgerKind.SLIP_RETURNED, slip_no(99), passage_id(99))
        out = LedgerChange(LedgerKind.VEHICLE_OUT, "浙B00003", passage_id(99))
        await journal.write(replace(note(99), ledger=(back, out)))
        await tell_all(database)
        await erase_passage(journal, clock, passage_id(3), "asked for", "user:admin")
        clock.move(86_400)
        await retention._seal_next()
        await keep_copy(journal, directory, older / "0")
        await journal.write(decision(60))
        await keep_copy(journal, directory, older / "1")
        await journal.new_epoch("restored", "user:admin")
        await journal.write(decision(50))
        await journal.seal()
        assert journal.checkpoint is not None
        return journal.checkpoint


async def tell_all(database: Database) -> None:
    def mark(connection):
        for queue in ("outbox", "feed"):
            rows = [tuple(row) for row in connection.exec_driver_sql(f"SELECT epoch, seq FROM {queue}")]
            queue_rows.mark_delivered(connection, queue, rows, 1)

    await database.write(mark)


async def keep_copy(journal: SqlJournal, directory: Path, to: Path) -> None:
    await journal.seal()
    shutil.copytree(directory, to, ignore=shutil.ignore_patterns("*.lock", "*.new"))


@pytest.fixture(scope="module")
def held(tmp_path_factory):
    """The record, its older copies, and the checkpoint at the centre."""
    directory, older = tmp_path_factory.mktemp("record"), tmp_path_factory.mktemp("older")
    checkpoint = asyncio.run(make_record(directory, older))
    report = verify_directory(directory, checkpoint)
    assert report.findings == []
    assert (report.dropped_segments, report.erased_passages, report.files) == (1, [passage_id(3)], 1)
    return directory, older, checkpoint


@pytest.fixture(scope="module")
def record(held):
    return held[0]


def other_value(rng, value):
    """A value of the same kind that differs in little."""
    if value is None:
        return rng.choice(["x", 1])
    if isinstance(value, int):
        return value + rng.choice([-1, 1, 1000])
    if isinstance(value, bytes):
        at = rng.randrange(len(value)) if value else 0
        return rng.choice(
            [value[:at] + bytes([value[at] ^ (1 << rng.randrange(8))]) + value[at + 1 :], value[:-1], b""]
        )
    at = rng.randrange(len(value))
    return rng.choice([value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :], value + "0", value[:-1]])


def edit(rng, connection):
    table = rng.choice(TABLES)
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[1] not in UNCOVERED]
    column = rng.choice(columns)
    rowid, value = rng.choice(connection.execute(f"SELECT rowid, {column} FROM {table}").fetchall())
    new = other_value(rng, value)
    connection.execute(f"UPDATE OR REPLACE {table} SET {column} = ? WHERE rowid = ?", (new, rowid))
    return f"edit {table}.{column} of row {rowid}: {value!r} -> {new!r}"


def delete(rng, connection):
    table = rng.choice(TABLES)
    (rowid,) = rng.choice(connection.execute(f"SELECT rowid FROM {table}").fetchall())
    connection.execute(f"DELETE FROM {table} WHERE rowid = ?", (rowid,))
    return f"delete {table} row {rowid}"


def truncate(rng, connection):
    """Cut the tail off, all tables alike, as a restored older copy would."""
    last = rng.randrange(0, 2 * PASSAGES)
    connection.execute("DELETE FROM records WHERE number > ?", (last,))
    for table in ("outbox", "feed", "tares"):
        connection.execute(f"DELETE FROM {table} WHERE record_number > ?", (last,))
    connection.execute("DELETE FROM passages WHERE last_record > ?", (last,))
    return f"truncate after record {last}"


def swap(rng, connection):
    """Exchange the contents of two rows, their keys left."""
    table, key = rng.choice([("records", "number"), ("outbox", "seq"), ("feed", "seq")])
    columns = [
        row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[1] not in {key, "id", "epoch"}
    ]
    a, b = rng.sample(connection.execute(f"SELECT rowid, {', '.join(columns)} FROM {table}").fetchall(), 2)
    sets = ", ".join(f"{column} = ?" for column in columns)
    for (rowid, *_), (_, *values) in ((a, b), (b, a)):
        connection.execute(f"UPDATE {table} SET {sets} WHERE rowid = ?", (*values, rowid))
    return f"swap {table} rows {a[0]} and {b[0]}"


def insert(rng, connection):
    """A forged event, or a record appended without the chain."""
    if rng.random() < 0.5:
        connection.execute(
            "INSERT INTO outbox (epoch, seq, id, record_number, type, at_us, payload, sha256, due_at_us)"
            " SELECT epoch, max(seq) + 1, 'forged', record_number, type, at_us, payload, sha256, 0 FROM outbox"
            " WHERE epoch = (SELECT epoch FROM meta)"
        )
        return "insert outbox"
    connection.execute(
        "INSERT INTO records (number, epoch, kind, at_us, actor, lane, passage_id, facts, facts_sha256, ledger,"
        " passage_sha256, clock, previous_hash, hash) SELECT number + 1, epoch, kind, at_us, actor, lane, passage_id,"
        " facts, facts_sha256, ledger, passage_sha256, clock, hash, hash FROM records ORDER BY number DESC LIMIT 1"
    )
    return "insert records"


def drop_triggers(connection):
    for name, sql in connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
        yield sql


def rewind(rng, directory, older):
    """The whole directory as it was before, seal and all."""
    which = rng.choice(sorted(older.iterdir()))
    shutil.rmtree(directory)
    shutil.copytree(which, directory)
    return f"rewind to copy {which.name}"


def rewrite(rng, directory, older):
    """Another end, written with the program and the key themselves, as long as the true one or longer."""
    what = rewind(rng, directory, older)

    async def write():
        async with (
            Database(DatabaseSettings(directory, reserve_bytes=0)) as database,
            SqlJournal(database, "K1") as journal,
        ):
            for i in range(rng.randrange(1, 12)):
                await journal.write(note(500 + i))

    asyncio.run(write())
    return f"{what} and another end"


def damage_file(rng, directory, _older):
    """A photo exchanged, cut or removed."""
    (path,) = (path for path in (directory / "files").glob("??/*"))
    how = rng.choice(["remove", "cut", "exchange"])
    if how == "remove":
        path.unlink()
    else:
        path.write_bytes(b"a pict" if how == "cut" else b"b picture")
    return f"{how} a file"


def tamper(rng, directory, older):
    """One change that leaves no other trace: the triggers are put back."""
    if rng.random() < 0.15:
        return rng.choice([rewind, rewrite, damage_file])(rng, directory, older), True
    with closing(sqlite_module.connect(str(directory / FILE_NAME), isolation_level=None)) as connection:
        before = dump(connection)
        triggers = list(drop_triggers(connection))
        what = rng.choice([edit, edit, edit, delete, delete, truncate, swap, insert])(rng, connection)
        for sql in triggers:
            connection.execute(sql)
        return what, dump(connection) != before


def dump(connection):
    return {table: connection.execute(f"SELECT * FROM {table} ORDER BY rowid").fetchall() for table in TABLES}


def check_tampering(held: tuple[Path, Path, Checkpoint], tmp_path: Path, seeds: range) -> None:
    record, older, checkpoint = held
    missed = []
    found_by_record = tried = 0
    for seed in seeds:
        copy = tmp_path / str(seed)
        shutil.copytree(record, copy)
        what, changed = tamper(random.Random(seed), copy, older)
        if changed:
            tried += 1
            report = verify_directory(copy, checkpoint)
            found_by_record += report.first_broken_record is not None
            if report.holds:
                missed.append(f"seed {seed}: {what}")
        shutil.rmtree(copy)
    assert missed == []
    assert tried > 0.9 * len(seeds)
    assert found_by_record > 0.9 * tried


def test_a_sample_of_random_changes_is_found_every_one(held, tmp_path):
    check_tampering(held, tmp_path, range(70))


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_thousand_random_changes_are_found_every_one(held, tmp_path):
    check_tampering(held, tmp_path, range(1000, 2000))


def test_an_unchanged_copy_holds_so_the_check_can_fail(record, tmp_path):
    shutil.copytree(record, tmp_path / "copy")
    assert verify_directory(tmp_path / "copy").holds


def change(directory, *statements):
    with closing(sqlite_module.connect(str(directory / FILE_NAME), isolation_level=None)) as connection:
        triggers = list(drop_triggers(connection))
        for statement in statements:
            connection.execute(statement)
        for sql in triggers:
            connection.execute(sql)


@pytest.fixture
def copy(record, tmp_path):
    shutil.copytree(record, tmp_path / "copy")
    return tmp_path / "copy"


def test_the_first_broken_record_is_named(copy, capsys):
    change(copy, "UPDATE records SET actor = 'user:nobody' WHERE number IN (17, 30)")
    assert verify_verb.run(copy, as_json=False) == 1
    said = capsys.readouterr().out
    assert "first broken record: 17" in said
    assert "record 30: contents do not give its hash" in said


def test_a_hazmat_event_missing_in_the_feed_is_named(copy):
    change(copy, "DELETE FROM feed WHERE seq = 5")
    report = verify_directory(copy)
    assert report.first_broken_record == 12
    assert any("is missing in the feed" in finding for finding in report.findings)


def test_a_slip_made_unused_is_found(copy):
    change(copy, "DELETE FROM slip_uses WHERE slip_no = 'Z000000000000000000003'")
    report = verify_directory(copy)
    assert report.first_broken_record == 18
    assert "slip_uses" in report.findings[0]


def test_a_dropped_trigger_is_found(copy):
    with closing(sqlite_module.connect(str(copy / FILE_NAME))) as connection:
        connection.execute("DROP TRIGGER feed_frozen")
    assert verify_directory(copy).findings == ["trigger feed_frozen: expected, none found; the record could be altered"]


@pytest.mark.parametrize("how", ["removed", "damaged", "shortened"])
def test_a_seal_that_was_touched_is_found(copy, how):
    seal = copy / SEAL_NAME
    content = seal.read_bytes()
    match how:
        case "removed":
            seal.unlink()
        case "damaged":
            seal.write_bytes(content.replace(b'"records":67', b'"records":66'))
        case "shortened":
            seal.write_bytes(content[:40])
    assert not verify_directory(copy).holds


def test_a_file_cut_short_is_found(copy):
    path = copy / FILE_NAME
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert not verify_directory(copy).holds


def test_a_value_of_the_wrong_kind_is_a_finding_not_a_crash(copy):
    change(
        copy,
        "UPDATE records SET facts = 'text', ledger = 7 WHERE number = 14",
        "UPDATE outbox SET record_number = 'x' WHERE seq = 29",
        "UPDATE passages SET document = 'text', opened_at_us = 'x' WHERE opened_record = 11",
        "UPDATE tares SET tare_g = x'00' WHERE record_number = 12",
    )
    report = verify_directory(copy)
    assert not report.holds
    assert report.first_broken_record is not None
