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
from sync.database import Database, DatabaseSettings
from sync.journal import SqlJournal
from sync.seal import FILE_NAME as SEAL_NAME
from sync.store import FILE_NAME, sqlite_module
from sync.verify import verify_directory
from tests.fakes.record_entries import crossing, decision, note, passage_id, slip_no

PASSAGES = 25
UNCOVERED = {"state", "due_at_us", "attempts", "reason", "delivered_at_us"}  # of outbox and feed: the delivery's own
TABLES = ("records", "outbox", "feed", "passages", "slip_uses", "vehicles_inside", "tares", "declaration_passed")


async def make_record(directory: Path) -> None:
    async with (
        Database(DatabaseSettings(directory, reserve_bytes=0)) as database,
        SqlJournal(database, "K1") as journal,
    ):
        for i in range(PASSAGES):
            await journal.write(decision(i))
            await journal.write(crossing(i))
        back = LedgerChange(LedgerKind.SLIP_RETURNED, slip_no(99), passage_id(99))
        await journal.write(replace(note(99), ledger=(back,)))
        await journal.new_epoch("restored", "user:admin")
        await journal.write(decision(50))


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    directory = tmp_path_factory.mktemp("record")
    asyncio.run(make_record(directory))
    assert verify_directory(directory).findings == []
    return directory


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


def tamper(rng, directory):
    """One change that leaves no other trace: the triggers are put back."""
    with closing(sqlite_module.connect(str(directory / FILE_NAME), isolation_level=None)) as connection:
        before = dump(connection)
        triggers = list(drop_triggers(connection))
        what = rng.choice([edit, edit, edit, delete, delete, truncate, swap, insert])(rng, connection)
        for sql in triggers:
            connection.execute(sql)
        return what, dump(connection) != before


def dump(connection):
    return {table: connection.execute(f"SELECT * FROM {table} ORDER BY rowid").fetchall() for table in TABLES}


def check_tampering(record: Path, tmp_path: Path, seeds: range) -> None:
    missed = []
    found_by_record = tried = 0
    for seed in seeds:
        copy = tmp_path / str(seed)
        shutil.copytree(record, copy)
        what, changed = tamper(random.Random(seed), copy)
        if changed:
            tried += 1
            report = verify_directory(copy)
            found_by_record += report.first_broken_record is not None
            if report.holds:
                missed.append(f"seed {seed}: {what}")
        shutil.rmtree(copy)
    assert missed == []
    assert tried > 0.9 * len(seeds)
    assert found_by_record > 0.9 * tried


def test_a_sample_of_random_changes_is_found_every_one(record, tmp_path):
    check_tampering(record, tmp_path, range(150))


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_thousand_random_changes_are_found_every_one(record, tmp_path):
    check_tampering(record, tmp_path, range(1000, 2000))


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
    assert report.first_broken_record == 10
    assert any("is missing in the feed" in finding for finding in report.findings)


def test_a_slip_made_unused_is_found(copy):
    change(copy, "DELETE FROM slip_uses WHERE slip_no = 'Z000000000000000000003'")
    report = verify_directory(copy)
    assert report.first_broken_record == 8
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
            seal.write_bytes(content.replace(b'"records":53', b'"records":52'))
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
        "UPDATE records SET facts = 'text', ledger = 7 WHERE number = 4",
        "UPDATE outbox SET record_number = 'x' WHERE seq = 9",
        "UPDATE passages SET document = 'text', opened_at_us = 'x' WHERE opened_record = 1",
        "UPDATE tares SET tare_g = x'00' WHERE record_number = 2",
    )
    report = verify_directory(copy)
    assert not report.holds
    assert report.first_broken_record is not None
