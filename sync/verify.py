"""Checks a record from its own bytes: chain, gaps, seal, what is to be told, ledgers. Reads only; changes nothing.

It works beside the running service and on a copy. It cannot see that tail AND seal were replaced together, nor a
delivery marked as done that was not: for both the centre holds its own numbers.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any, Final

from gate_service.domain.errors import ChainBrokenError, InputError
from sync.record_check import RecordCheck, Report
from sync.seal import Seal, read_seal
from sync.store import FILE_NAME, sqlite_module

TRIGGERS: Final = frozenset(
    {"records_no_update", "records_no_delete", "outbox_no_delete", "outbox_frozen", "feed_no_delete", "feed_frozen"}
)


def verify_directory(directory: Path) -> Report:
    """Check the SQLite record in a data directory. Raises InputError where there is none."""
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
        with closing(_open_read_only(path)) as connection:
            connection.execute("BEGIN")  # one moment for every statement
            _check_file(connection, report)
            check = RecordCheck(connection.execute, report, None if seal is None else seal.records)
            check.run()
            if not seal_is_damaged:
                _check_seal(check, seal, report)
    except sqlite_module.DatabaseError as error:
        report.found(f"{path.name}: a readable database of the record expected, found: {error}")
    except (TypeError, ValueError) as error:  # SQLite lets any kind of value into any column
        report.found(f"{path.name}: a value of the wrong kind: {error}")
    return report


def _open_read_only(path: Path) -> Any:
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


def _check_file(connection: Any, report: Report) -> None:
    """Pages, indices and triggers."""
    for (line,) in connection.execute("PRAGMA integrity_check(10)"):
        if line != "ok":
            report.found(f"database file: {line}")
    found = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")}
    for name in sorted(TRIGGERS - found):
        report.found(f"trigger {name}: expected, none found; the record could be altered")


def _check_seal(check: RecordCheck, seal: Seal | None, report: Report) -> None:
    if seal is None:
        if report.records:
            report.found(f"record: a seal beside the database expected, none found with {report.records} records")
        return
    report.sealed_records = seal.records
    if report.records < seal.records:
        report.found(f"record {report.records + 1}: missing, {seal.records} records were sealed", report.records + 1)
    elif seal.records and check.hash_at_seal != seal.head:
        report.found(f"record {seal.records}: its hash is not the one that was sealed", seal.records)
    for queue, sealed in (("outbox", seal.outbox), ("feed", seal.feed)):
        last_seq = check.last_seq(queue, seal.epoch)
        if last_seq < sealed:
            report.found(f"{queue}: {sealed} events were sealed in epoch {seal.epoch}, the last found is {last_seq}")
