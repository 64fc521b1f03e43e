"""The two database products behind the record: how each is opened, kept honest and tidied. No transactions here."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Protocol

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool, QueuePool

from gate_service.domain.errors import StoreBusyError, UnsafeStoreError
from sync.store_safety import JournalMode, Synchronous, Version, choose_journal, refuse_unsafe

try:  # SQLite 3.53, past the WAL-reset bug; wheels for x86_64 only
    from pysqlite3 import dbapi2 as _driver
except ImportError:  # pragma: no cover - other machines
    import sqlite3 as _driver

sqlite_module: Final[Any] = _driver
"""The SQLite driver of this machine; everything that opens the record goes through it."""

FILE_NAME: Final = "record.sqlite"
BUSY_TIMEOUT_MS: Final = 5000  # another process reads (gate verify) or writes a moment (gate user add); 5 s is ample
LOG_KEPT_BYTES: Final = 64 * 1024 * 1024  # a log grown by a long read is cut back to this
ADVISORY_LOCK: Final = 0x6761_7465  # "gate": one service per PostgreSQL database
BEGIN: Final = "BEGIN IMMEDIATE"
FATAL_SQLITE: Final = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_READONLY")


class Store(Protocol):
    """One database product."""

    reads_beside_commit: bool
    """Whether readers see a snapshot while the writer commits; where not, the database keeps them apart."""

    def writer(self) -> Engine:
        """Engine for the one writing connection."""
        ...

    def readers(self, count: int) -> Engine:
        """Engine for connections that cannot write."""
        ...

    def secure(self, connection: Connection, *, exclusive: bool) -> None:
        """Check on the open writer connection that an acknowledged commit survives a power cut.

        Raises UnsafeStoreError, or StoreBusyError where another service owns the database.
        """
        ...

    def begin(self, connection: Connection) -> None:
        """Begin a transaction that writes, at the driver: SQLAlchemy's own begin and commit take as long as a row."""
        ...

    def commit(self, connection: Connection) -> None:
        """Return once it is on disk. Raises the driver's error."""
        ...

    def rollback(self, connection: Connection) -> None:
        """Undo what was begun, if anything was."""
        ...

    def checkpoint(self, connection: Connection) -> None:
        """Tidy what commits leave behind; called between transactions, never in one."""
        ...

    def log_bytes(self) -> int:
        """How much commits have left behind; 0 where it is not ours to tidy."""
        ...

    def is_transaction_whole(self, connection: Connection) -> bool:
        """Whether a COMMIT now would keep what was done since BEGIN; a driver commits nothing without a word."""
        ...

    def is_fatal(self, error: BaseException) -> bool:
        """Whether the error of a statement says that the database itself can no longer be trusted to write."""
        ...

    def is_full(self, error: BaseException) -> bool:
        """Whether the disk had no room and all that was begun is undone: to be tried again once there is room."""
        ...

    def is_busy(self, error: BaseException) -> bool:
        """Whether another process held the database too long: nothing was written, and trying again is right."""
        ...


def sqlite_version() -> Version:
    """Version of the SQLite library in use."""
    major, minor, patch = sqlite_module.sqlite_version_info
    return major, minor, patch


class SqliteStore:
    """One file in the data directory. One connection writes and checkpoints; readers do neither."""

    def __init__(
        self, path: Path, journal_mode: JournalMode | None = None, synchronous: Synchronous | None = None
    ) -> None:
        self.path = path
        self._log = Path(f"{path}-wal")
        chosen_mode, chosen_level = choose_journal(sqlite_version())
        self.journal_mode = journal_mode or chosen_mode
        self.synchronous = chosen_level if synchronous is None else synchronous
        refuse_unsafe(sqlite_version(), self.journal_mode, self.synchronous)
        self.reads_beside_commit = self.journal_mode is JournalMode.WAL

    def writer(self) -> Engine:
        """Engine whose transactions begin as writers at once."""
        engine = self._engine(NullPool)
        event.listen(engine, "connect", self._set_up_writer)
        event.listen(engine, "begin", _begin_immediate)
        return engine

    def readers(self, count: int) -> Engine:
        """Engine of `query_only` connections that never checkpoint."""
        engine = self._engine(QueuePool, pool_size=count, max_overflow=0)
        event.listen(engine, "connect", _set_up_reader)
        event.listen(engine, "begin", _begin_deferred)
        return engine

    def secure(self, connection: Connection, *, exclusive: bool) -> None:  # noqa: ARG002 - the directory lock does it
        """Read back what the file system and the build really granted."""
        mode = str(connection.exec_driver_sql("PRAGMA journal_mode").scalar_one())
        level = int(connection.exec_driver_sql("PRAGMA synchronous").scalar_one())
        refuse_unsafe(sqlite_version(), mode, level)
        if mode != self.journal_mode:
            raise UnsafeStoreError(f"{self.path}: journal mode {self.journal_mode} asked for, the file keeps {mode}")

    def begin(self, connection: Connection) -> None:
        """As a writer at once: a reader that turns writer may be refused."""
        _driver_connection(connection).execute(BEGIN)

    def commit(self, connection: Connection) -> None:
        """As the protocol."""
        _driver_connection(connection).commit()

    def rollback(self, connection: Connection) -> None:
        """As the protocol."""
        _driver_connection(connection).rollback()

    def checkpoint(self, connection: Connection) -> None:
        """Move the log into the file as far as no reader needs it."""
        if self.journal_mode is JournalMode.WAL:
            _driver_connection(connection).execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def log_bytes(self) -> int:
        """Size of the log, which is cut back to `LOG_KEPT_BYTES` by the first commit after a whole checkpoint."""
        try:
            return self._log.stat().st_size
        except FileNotFoundError:  # another journal mode, or nothing written yet
            return 0

    def is_transaction_whole(self, connection: Connection) -> bool:
        """A full disk or an input/output error ends SQLite's transaction, whoever swallows the error."""
        return bool(_driver_connection(connection).in_transaction)

    def is_fatal(self, error: BaseException) -> bool:
        """Disk full, input/output error, damaged file."""
        return _sqlite_error_name(error).startswith(FATAL_SQLITE)

    def is_full(self, error: BaseException) -> bool:
        """SQLite undid the transaction itself; a sync that failed is another error (SQLITE_IOERR) and final."""
        return _sqlite_error_name(error) == "SQLITE_FULL"

    def is_busy(self, error: BaseException) -> bool:
        """The busy time-out ran out."""
        return _sqlite_error_name(error).startswith("SQLITE_BUSY")

    def _engine(self, pool: type[NullPool | QueuePool], **pool_options: int) -> Engine:
        return create_engine(
            URL.create("sqlite+pysqlite", database=str(self.path)),
            module=sqlite_module,
            poolclass=pool,
            connect_args={"isolation_level": None, "check_same_thread": False, "cached_statements": 256},
            **pool_options,
        )

    def _set_up_writer(self, connection: Any, _record: object) -> None:
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        connection.execute(f"PRAGMA journal_mode={self.journal_mode.value}")
        connection.execute(f"PRAGMA synchronous={self.synchronous.value}")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA wal_autocheckpoint=0")  # the writer thread checkpoints, off the commit's path
        connection.execute(f"PRAGMA journal_size_limit={LOG_KEPT_BYTES}")


def _driver_connection(connection: Connection) -> Any:
    return connection.connection.driver_connection


def _sqlite_error_name(error: BaseException) -> str:
    return str(getattr(_of_driver(error), "sqlite_errorname", ""))


def _of_driver(error: BaseException) -> BaseException:
    """The driver's own error, from under SQLAlchemy's (`orig`) or ours (its cause)."""
    return getattr(error, "orig", None) or error.__cause__ or error


def _set_up_reader(connection: Any, _record: object) -> None:
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA query_only=1")
    connection.execute("PRAGMA wal_autocheckpoint=0")


def _begin_immediate(connection: Connection) -> None:
    _driver_connection(connection).execute(BEGIN)


def _begin_deferred(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


class PostgresStore:
    """A PostgreSQL database by URL, through psycopg 3."""

    reads_beside_commit = True

    def __init__(self, url: str) -> None:
        self.url = url.replace("postgresql://", "postgresql+psycopg://", 1)

    def writer(self) -> Engine:
        """Engine of one connection."""
        return create_engine(self.url, poolclass=NullPool)

    def readers(self, count: int) -> Engine:
        """Engine of read-only connections; one function sees one snapshot, as with SQLite."""
        options = "-c default_transaction_read_only=on -c default_transaction_isolation=repeatable\\ read"
        return create_engine(self.url, pool_size=count, max_overflow=0, connect_args={"options": options})

    def secure(self, connection: Connection, *, exclusive: bool) -> None:
        """Ask for the server's durability settings and for the database's lock."""
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            value = connection.execute(text(f"SHOW {name}")).scalar_one()
            if value == "off":
                raise UnsafeStoreError(f"PostgreSQL: {name} is {value}; on expected, a power cut would lose commits")
        if exclusive and not connection.execute(text(f"SELECT pg_try_advisory_lock({ADVISORY_LOCK})")).scalar_one():
            raise StoreBusyError("PostgreSQL: another gate service holds this database")
        connection.rollback()

    def begin(self, connection: Connection) -> None:
        """Nothing: the driver begins with the first statement."""

    def commit(self, connection: Connection) -> None:
        """As the protocol."""
        _driver_connection(connection).commit()

    def rollback(self, connection: Connection) -> None:
        """As the protocol."""
        _driver_connection(connection).rollback()

    def checkpoint(self, connection: Connection) -> None:
        """Nothing: the server does it."""

    def log_bytes(self) -> int:
        """Nothing: the server looks after its log."""
        return 0

    def is_transaction_whole(self, connection: Connection) -> bool:
        """After a failed statement PostgreSQL answers COMMIT by undoing everything."""
        return bool(_driver_connection(connection).info.transaction_status.name == "INTRANS")

    def is_fatal(self, error: BaseException) -> bool:
        """Lost connection, no space (class 53), system error (58), damage (XX)."""
        state = getattr(_of_driver(error), "sqlstate", None)
        return bool(getattr(error, "connection_invalidated", False)) or (state or "")[:2] in {"08", "53", "58", "XX"}

    def is_full(self, error: BaseException) -> bool:  # noqa: ARG002 - one rule for every store
        """Never: what the server makes of a full disk is its own matter, and a person's (class 53 is final)."""
        return False

    def is_busy(self, error: BaseException) -> bool:
        """Serialisation failure, deadlock or lock time-out (40001, 40P01, 55P03)."""
        return getattr(_of_driver(error), "sqlstate", None) in {"40001", "40P01", "55P03"}
