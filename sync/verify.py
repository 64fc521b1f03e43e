"""Checks a record from its own bytes: chain, gaps, seal, what is to be told, ledgers. Reads only; changes nothing.

It works beside the running service and on a copy. That tail AND seal were replaced together shows with the last
checkpoint that the centre holds; a delivery marked as done that was not, in the centre's own numbers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from gate_service.domain.draws import COMMITTED, MADE, REVEALED, problems_of
from gate_service.domain.errors import ChainBrokenError, InputError
from sync import policy_check
from sync.checkpoint import Checkpoint
from sync.files import FileStore
from sync.record_check import RecordCheck, Report
from sync.record_key import FILE_NAME as KEY_NAME
from sync.seal import Seal, read_seal
from sync.store import FILE_NAME, sqlite_module

TRIGGERS: Final = frozenset(
    {"records_no_update", "records_no_delete", "outbox_no_delete", "outbox_frozen", "feed_no_delete", "feed_frozen"}
)
TRIGGERS_OF_ERASURE: Final = frozenset({"records_only_erased", "outbox_only_erased", "feed_only_erased"})
"""Since revision 0005."""


def verify_directory(directory: Path, checkpoint: Checkpoint | None = None, key: str | None = None) -> Report:
    """Check the SQLite record in a data directory, and against a checkpoint that was kept elsewhere.

    `key`: the public key that must have signed it, where the caller has it from a sure hand. Raises InputError where
    there is no record.
    """
    path = directory / FILE_NAME
    if not path.is_file():
        raise InputError(f"{directory}: a data directory with {FILE_NAME} expected, none found")
    report = Report()
    # The seal is read before the database: what it names was committed before it was written, so a service that goes
    # on recording meanwhile cannot look shortened.
    seal, seal_is_damaged = None, False
    try:
        seal = read_seal(directory)
    except ChainBrokenError as error:
        seal_is_damaged = True
        report.found(str(error))
    try:
        with closing(open_read_only(path)) as connection:
            connection.execute("BEGIN")  # one moment for every statement
            is_segmented = _check_file(connection, report)
            watched = [one.records for one in (seal, checkpoint) if one is not None]
            files = FileStore(directory)
            schema = _schema(connection)
            check = RecordCheck(
                connection.execute,
                report,
                watched,
                files=lambda digest: is_whole(files, digest),
                is_segmented=is_segmented,
                schema=schema,
            )
            check.run()
            for number, message in problems_of(_draws(connection), is_whole=check.base.records == 0):
                report.found(f"record {number}: {message}", number)
            if "policies" in schema:
                told = connection.execute(policy_check.RECORDS, policy_check.KINDS)
                rows = connection.execute(policy_check.ROWS)
                for place, message in policy_check.problems_of(told, rows, check.base.records):
                    report.found(message, place)
            if not seal_is_damaged:
                _check_seal(check, seal, report)
                _check_signature(directory, seal, report)
            if checkpoint is not None:
                (site_id,) = connection.execute("SELECT site_id FROM meta").fetchone() or ("",)
                _check_checkpoint(check, checkpoint, key, site_id, report)
            _count_orphans(connection, files, report, is_segmented=is_segmented)
    except sqlite_module.DatabaseError as error:
        report.found(f"{path.name}: a readable database of the record expected, found: {error}")
    except (TypeError, ValueError, KeyError) as error:  # SQLite lets any kind of value into any column
        report.found(f"{path.name}: a value of the wrong kind: {error}")
    return report


def is_whole(files: FileStore, digest: str) -> bool:
    """Whether a file is there and is what its name says; what cannot be read is not."""
    try:
        return files.read(digest) is not None
    except (OSError, InputError):
        return False


def open_read_only(path: Path) -> Any:
    """Open so that nothing is written or checkpointed; a copy without its log on a read-only medium as it lies."""
    connection = sqlite_module.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite_module.OperationalError:
        connection.close()
        log = path.with_name(f"{path.name}-wal")
        if log.exists() and log.stat().st_size:
            raise
        connection = sqlite_module.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True, isolation_level=None)
    connection.execute("PRAGMA busy_timeout=5000")
    return connection


def _draws(connection: Any) -> Iterator[tuple[int, str, Mapping[str, Any]]]:
    """The records of draws and of the secrets they were made under."""
    sql = "SELECT number, kind, facts FROM records WHERE kind IN (?, ?, ?) ORDER BY number"
    for number, kind, facts in connection.execute(sql, (COMMITTED, MADE, REVEALED)):
        if facts:  # not erased
            yield number, kind, json.loads(facts)


def _schema(connection: Any) -> dict[str, frozenset[str]]:
    """Tables and columns as they are: a database that was not opened since an update has those of its revision."""
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    columns = "SELECT name FROM pragma_table_info(?)"
    return {name: frozenset(row[0] for row in connection.execute(columns, (name,))) for (name,) in tables}


def _check_file(connection: Any, report: Report) -> bool:
    """Pages, indices and triggers; whether the database has segments (revision 0005)."""
    for (line,) in connection.execute("PRAGMA integrity_check(10)"):
        if line != "ok":
            report.found(f"database file: {line}")
    found = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")}
    segmented = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'segments'").fetchone() is not None
    expected = TRIGGERS | TRIGGERS_OF_ERASURE if segmented else TRIGGERS
    for name in sorted(expected - found):
        report.found(f"trigger {name}: expected, none found; the record could be altered")
    return segmented


def _check_seal(check: RecordCheck, seal: Seal | None, report: Report) -> None:
    if seal is None:
        if report.records:
            report.found(f"record: a seal beside the database expected, none found with {report.records} records")
        return
    report.sealed_records = seal.records
    if report.records < seal.records:
        report.found(f"record {report.records + 1}: missing, {seal.records} records were sealed", report.records + 1)
    elif seal.records > check.base.records and check.hashes.get(seal.records) != seal.head:
        report.found(f"record {seal.records}: its hash is not the one that was sealed", seal.records)
    for queue, sealed in (("outbox", seal.outbox), ("feed", seal.feed)):
        last_seq = check.last_seq(queue, seal.epoch)
        if last_seq < sealed:
            report.found(f"{queue}: {sealed} events were sealed in epoch {seal.epoch}, the last found is {last_seq}")


def _check_signature(directory: Path, seal: Seal | None, report: Report) -> None:
    """The seal is signed wherever there is a key to sign it with."""
    signed = None if seal is None else seal.checkpoint
    if signed is None:
        if seal is not None and seal.records and (directory / KEY_NAME).exists():
            report.found("seal: signed expected, for there is a key, found it without a signature")
        return
    assert seal is not None
    report.key = signed.key
    if not signed.is_genuine():
        report.found("seal: its signature is not of its key")
    elif (signed.records, signed.head, signed.epoch) != (seal.records, seal.head, seal.epoch):
        report.found("seal: what was signed is not what it says")


def _check_checkpoint(check: RecordCheck, kept: Checkpoint, key: str | None, site_id: str, report: Report) -> None:
    """A checkpoint from elsewhere: the record must still hold all that it names."""
    report.checkpoint = f"{kept.records} records at {kept.at}"
    name = f"checkpoint of {kept.at}"
    if not kept.is_genuine():
        report.found(f"{name}: its signature is not of its key")
        return
    if key is not None and kept.key != key:
        report.found(f"{name}: signed by key {key} expected, found {kept.key}")
    if kept.site_id != site_id:
        report.found(f"{name}: site {site_id} expected, found {kept.site_id}")
        return
    first_lost = report.records + 1
    if report.records < kept.records:
        report.found(f"record {first_lost}: missing, the centre was told of {kept.records} records", first_lost)
    elif kept.records in check.hashes and check.hashes[kept.records] != kept.head:
        report.found(f"record {kept.records}: its hash is not the one that the centre was told", kept.records)
    elif kept.records not in check.hashes and kept.records > check.base.records:
        report.found(f"record {kept.records}: missing, the centre was told of it", kept.records)
    for queue, told in (("outbox", kept.outbox), ("feed", kept.feed)):
        last_seq = check.last_seq(queue, kept.epoch)
        if last_seq < told:
            report.found(
                f"{queue}: the centre was told of {told} events in epoch {kept.epoch}, the last found is {last_seq}"
            )


def _count_orphans(connection: Any, files: FileStore, report: Report, *, is_segmented: bool) -> None:
    """Files that no record names: harmless, and counted."""
    named = {row[0] for row in connection.execute("SELECT sha256 FROM files")} if is_segmented else set()
    report.orphan_files = sum(name not in named for name in files.names())
