"""The database of one site: one writer thread with group commit, and readers that cannot write.

`write(fn)` resolves only after the COMMIT of the group that holds `fn`. A group is whatever waited while the last one
was being synced, so a commit costs one sync for all of them. Nothing here knows what a record is.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from sqlalchemy import Connection, Engine

from gate_service.domain.errors import RecordError, StoreBusyError
from sync.migrate import migrate
from sync.store import FILE_NAME, PostgresStore, SqliteStore, Store
from sync.store_safety import JournalMode, Synchronous
from sync.writer import Job, Writer

log = logging.getLogger(__name__)
T = TypeVar("T")

LOCK_NAME: Final = "record.lock"


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Where the record lives. `url` empty is SQLite in `directory`; the directory holds lock and seal in any case.

    `exclusive` False is for a command that writes a moment beside the running service (`gate user add`): it takes no
    lock and never migrates. `journal_mode` and `synchronous` None choose what is safe for the build.
    """

    directory: Path
    url: str = ""
    reserve_bytes: int = 256 * 1024 * 1024  # site decision; the lane closes before a record can fail
    exclusive: bool = True
    readers: int = 3
    journal_mode: JournalMode | None = None
    synchronous: Synchronous | None = None


class Database:
    """Opens with `async with`. Refuses a second process on the same directory and an unsafe store."""

    def __init__(self, settings: DatabaseSettings, store: Store | None = None) -> None:
        """`store`: another in its place, as a bench has it that slows commits."""
        self.settings = settings
        self._store = store or self._choose_store()
        self._lock_fd: int | None = None
        self._engine: Engine | None = None
        self._connection: Connection | None = None
        self._reading: Engine | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._writer: Writer | None = None
        self._apart: AbstractContextManager[Any] = (
            nullcontext() if self._store.reads_beside_commit else threading.Lock()
        )

    async def __aenter__(self) -> Self:
        try:
            await asyncio.to_thread(self._open)
        except BaseException:
            await asyncio.to_thread(self._close)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._close)

    def write(
        self, fn: Callable[[Connection], T], *, is_quiet: bool = False, is_essential: bool = False
    ) -> Awaitable[T]:
        """Queue `fn` for the next group's transaction; what is awaited is its answer, once that is committed.

        What `fn` raises undoes only `fn` and comes back here. Raises RecordError where nothing can be committed.
        Cancelling the wait does not undo the write. `is_quiet` says that what `changes` watches stays as it is;
        `is_essential`, that it is written while there is any room at all: the record itself, and what makes room.
        """
        if self._writer is None:
            raise RecordError("database: open expected, it is closed")
        loop = asyncio.get_running_loop()
        job: Job = Job(fn, loop, loop.create_future(), is_quiet, is_essential)
        self._writer.put(job)
        return job.future

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` in a thread on a connection that cannot write; all it reads is of one moment."""
        if self._pool is None:
            raise RecordError("database: open expected, it is closed")
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._read, fn)

    @property
    def changes(self) -> int:
        """Grows with each commit after which a look-up of slips, registers or ledgers may answer otherwise."""
        return 0 if self._writer is None else self._writer.changes

    @property
    def commits(self) -> int:
        """Grows with every commit of this process: while it stands still, nothing new is to be found."""
        return 0 if self._writer is None else self._writer.commits

    @property
    def unwritable_reason(self) -> str | None:
        """Why nothing can be committed, or None."""
        return "the database is closed" if self._writer is None else self._writer.unwritable_reason

    def is_writable(self) -> bool:
        """False once a commit failed (until a restart) or while the disk is below its reserve: begin nothing new."""
        return self.unwritable_reason is None

    def mark_unwritable(self, reason: str) -> None:
        """Refuse every further write until a restart: the chain broke, a sync failed."""
        if self._writer is not None:
            self._writer.mark_unwritable(reason)

    def _choose_store(self) -> Store:
        if self.settings.url.startswith("postgresql"):
            return PostgresStore(self.settings.url)
        if self.settings.url:
            raise RecordError(f"data url: postgresql://… or empty expected, found {self.settings.url.split(':')[0]}:…")
        path = self.settings.directory / FILE_NAME
        return SqliteStore(path, self.settings.journal_mode, self.settings.synchronous)

    def _open(self) -> None:
        settings = self.settings
        settings.directory.mkdir(parents=True, exist_ok=True)
        if settings.exclusive:
            self._lock_fd = _lock(settings.directory / LOCK_NAME)
        self._engine = self._store.writer()
        self._connection = connection = self._engine.connect()
        self._store.secure(connection, exclusive=settings.exclusive)
        connection.rollback()
        migrate(connection, allowed=settings.exclusive)
        self._reading = self._store.readers(settings.readers)
        self._pool = ThreadPoolExecutor(settings.readers, thread_name_prefix="record-read")
        writer = Writer(self._store, connection, self._apart, settings.directory, settings.reserve_bytes)
        writer.start()
        self._writer = writer

    def _close(self) -> None:
        """Readers first: the last connection to close is the writer, the only one that may checkpoint."""
        writer, self._writer = self._writer, None
        if self._pool is not None:
            self._pool.shutdown(wait=True)
            self._pool = None
        if self._reading is not None:
            self._reading.dispose()
        if writer is not None:
            writer.stop()
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._engine is not None:
            self._engine.dispose()
        if self._lock_fd is not None:
            os.close(self._lock_fd)
            self._lock_fd = None

    def _read(self, fn: Callable[[Connection], T]) -> T:
        assert self._reading is not None
        with self._apart, self._reading.connect() as connection, connection.begin():
            return fn(connection)


def _lock(path: Path) -> int:
    """Take the directory's lock for the life of this process; a killed process leaves it free."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.read(descriptor, 32).decode("ascii", "replace").strip() or "unknown"
        os.close(descriptor)
        raise StoreBusyError(
            f"{path.parent}: one gate service per data directory expected, process {holder} holds it"
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
    return descriptor
