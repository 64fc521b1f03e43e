"""The thread that alone writes: takes what waits, runs it in one transaction, commits, then tells who asked."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Final

from sqlalchemy import Connection

from gate_service.domain.errors import RecordError
from sync.reserve import Reserve
from sync.store import Store

log = logging.getLogger(__name__)

GROUP_LIMIT: Final = 256  # jobs of one transaction; bounds what one failed commit takes along and how long it runs
IDLE_TICK_S: Final = 1.0  # how often an idle writer looks at the disk
QUIET_S: Final = 0.05  # a pause this long is used to checkpoint
CHECKPOINT_AFTER: Final = 250  # commits: about 2,500 pages of log, a few milliseconds to move
CHECKPOINT_AT_LATEST: Final = 2500  # commits, even with no pause
LOG_LIMIT_BYTES: Final = 96 * 1024 * 1024
"""A longer log is moved even with no pause: commits of many rows make a gigabyte of it before they are 2,500 (seen).
Every page that is read is looked for in it first, and a start after a kill reads all of it."""
AGAIN_AFTER: Final = 25  # commits, while a reader keeps a long log from being moved whole


@dataclass(slots=True)
class Job:
    """One function to run in a transaction and the future of who waits for its commit.

    `is_quiet`: it changes nothing that `Writer.changes` counts. `is_essential`: written while there is any room at all.
    """

    fn: Callable[[Connection], Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    is_quiet: bool = False
    is_essential: bool = False
    answer: Any = None
    error: BaseException | None = None


class Writer:
    """Alone uses the writing connection. `put` is thread-safe and never blocks."""

    def __init__(
        self,
        store: Store,
        connection: Connection,
        apart: AbstractContextManager[Any],
        directory: Path,
        reserve_bytes: int,
    ) -> None:
        self._store = store
        self._connection = connection
        self._apart = apart
        self._reserve = Reserve(directory, reserve_bytes)
        self._queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="record-writer", daemon=True)
        self.changes = 0
        self.commits = 0
        self._failure: str | None = None
        self._checked_monotonic_s = 0.0
        self._commits_since_checkpoint = 0
        self._stopping = False
        self._gate = threading.Lock()

    @property
    def unwritable_reason(self) -> str | None:
        """Why nothing new may begin: a failure lasts until a restart, a full disk until there is room again."""
        return self._failure or self._reserve.refuses_new

    def mark_unwritable(self, reason: str) -> None:
        """Refuse all further jobs."""
        if self._failure is None:
            log.error("record unwritable: %s", reason)
            self._failure = reason

    def start(self) -> None:
        """Look at the disk, then take jobs."""
        self._look_at_disk()
        self._connection.begin()  # SQLAlchemy's, for the writer's life: each transaction is begun at the driver
        self._store.rollback(self._connection)
        self._thread.start()

    def put(self, job: Job) -> None:
        """Queue a job; its future is resolved whatever happens."""
        with self._gate:
            if not self._stopping:
                self._queue.put(job)
                return
        job.error = RecordError(f"record unwritable: {self._failure or 'the database is closing'}")
        _resolve([job])

    def stop(self) -> None:
        """Commit what is queued, then end. The connection is its opener's to close."""
        with self._gate:
            self._stopping = True
            self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            self._serve()
        except BaseException as error:  # root of the thread: nobody may wait for ever on a writer that is gone
            log.exception("record writer ended")
            with self._gate:
                self._stopping = True
            self.mark_unwritable(f"the writer ended: {type(error).__name__}: {error}")
            rest = self._drain()
            _fail(rest, f"record unwritable: {self._failure}")
            _tell(rest)

    def _serve(self) -> None:
        while True:
            jobs, ended = self._take()
            if jobs:
                self._commit_group(jobs)
                _tell(jobs)
            self._tidy(quiet=not jobs)
            if ended:
                return

    def _drain(self) -> list[Job]:
        jobs: list[Job] = []
        while not self._queue.empty():
            job = self._queue.get_nowait()
            if job is not None:
                jobs.append(job)
        return jobs

    def _take(self) -> tuple[list[Job], bool]:
        """Wait for a job, then take all that are there: the group."""
        wait_s = QUIET_S if self._commits_since_checkpoint >= CHECKPOINT_AFTER else IDLE_TICK_S
        jobs: list[Job] = []
        try:
            job = self._queue.get(timeout=wait_s)
            while True:
                if job is None:
                    return jobs, True
                jobs.append(job)
                if len(jobs) == GROUP_LIMIT:
                    return jobs, False
                job = self._queue.get_nowait()
        except queue.Empty:
            return jobs, False

    def _commit_group(self, jobs: Sequence[Job]) -> None:
        """Run the group to its commit. Sets `answer` or `error` of each job."""
        if self._reserve.refuses_new is not None or monotonic() - self._checked_monotonic_s >= IDLE_TICK_S:
            self._look_at_disk()
        jobs = self._refuse(jobs)
        if not jobs:
            return
        is_running, is_undone = False, True
        try:
            with self._apart:
                try:
                    self._store.begin(self._connection)
                    is_running = True
                    self._run_group(jobs)
                    is_running = False
                    self._store.commit(self._connection)
                except BaseException:
                    is_undone = self._undo()
                    raise
            self._commits_since_checkpoint += 1
            self.commits += 1
            self.changes += any(not job.is_quiet for job in jobs)  # before anyone is told
        except BaseException as error:
            is_of_the_jobs = is_running and is_undone and isinstance(error, Exception)
            self._group_failed(jobs, error, is_of_the_jobs=is_of_the_jobs)
            if not isinstance(error, Exception):
                raise

    def _undo(self) -> bool:
        """False where the connection is gone: the server undoes it then, and this writer is done for."""
        try:
            self._store.rollback(self._connection)
        except Exception:
            log.exception("record: a transaction could not be undone")
            self._connection.invalidate()
            return False
        return True

    def _refuse(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """Fail what may not be written now, and give the rest: while the disk is short, only the record itself."""
        for_all = self._failure or self._reserve.refuses_all
        if for_all is not None:
            _fail(jobs, f"record unwritable: {for_all}")
            return []
        short = self._reserve.refuses_new
        if short is not None:
            _fail([job for job in jobs if not job.is_essential], f"record unwritable: {short}")
            return [job for job in jobs if job.is_essential]
        return jobs

    def _run_group(self, jobs: Sequence[Job]) -> None:
        if len(jobs) == 1:
            jobs[0].answer = jobs[0].fn(self._connection)
        else:
            for job in jobs:
                self._run_apart(job)
        if not self._store.is_transaction_whole(self._connection):
            raise RecordError("the transaction was undone under the jobs that ran in it")

    def _group_failed(self, jobs: Sequence[Job], error: BaseException, *, is_of_the_jobs: bool) -> None:
        """Nothing of the group is known to be on disk: say so to all, and stop unless the fault was a lone job's."""
        if self._store.is_busy(error):
            _fail(jobs, f"record busy: another process held the database too long ({error})")
        elif self._store.is_full(error):
            # Undone whole before anything was said; with the reserve given up the next attempt has room.
            self._reserve.give_up()
            _fail(jobs, f"record unwritable: the disk is full ({getattr(error, 'orig', error)})")
        elif len(jobs) == 1 and is_of_the_jobs and not self._store.is_fatal(error):
            jobs[0].answer, jobs[0].error = None, error
        else:
            self.mark_unwritable(f"{type(error).__name__}: {getattr(error, 'orig', error)}")
            _fail(jobs, f"record unwritable: {self._failure}")

    def _run_apart(self, job: Job) -> None:
        """Run one of several jobs inside its own savepoint, so that its failure is its own."""
        self._connection.exec_driver_sql("SAVEPOINT job")
        try:
            job.answer = job.fn(self._connection)
            self._connection.exec_driver_sql("RELEASE SAVEPOINT job")
        except Exception as error:
            if self._store.is_fatal(error):
                raise
            job.error = error
            self._connection.exec_driver_sql("ROLLBACK TO SAVEPOINT job")
            self._connection.exec_driver_sql("RELEASE SAVEPOINT job")

    def _tidy(self, *, quiet: bool) -> None:
        """Between groups: look at the disk, and move the log into the file while nobody waits."""
        if quiet and monotonic() - self._checked_monotonic_s >= IDLE_TICK_S:
            self._look_at_disk()
        if self._is_checkpoint_due(quiet=quiet) and self._failure is None:
            self._commits_since_checkpoint = 0
            try:
                self._store.checkpoint(self._connection)
            except Exception as error:
                if self._store.is_full(error):  # tried again after as many commits; nothing is lost meanwhile
                    self._reserve.give_up()
                    return
                if not self._store.is_fatal(error):
                    raise
                self.mark_unwritable(f"checkpoint: {error}")

    def _is_checkpoint_due(self, *, quiet: bool) -> bool:
        commits = self._commits_since_checkpoint
        if commits >= (CHECKPOINT_AFTER if quiet else CHECKPOINT_AT_LATEST):
            return True
        return commits >= AGAIN_AFTER and self._store.log_bytes() > LOG_LIMIT_BYTES

    def _look_at_disk(self) -> None:
        self._checked_monotonic_s = monotonic()
        self._reserve.look()


def _fail(jobs: Sequence[Job], message: str) -> None:
    for job in jobs:
        job.answer, job.error = None, RecordError(message)


def _tell(jobs: Sequence[Job]) -> None:
    """Resolve the group's futures on their loops (one call for all of a loop)."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Job]] = {}
    for job in jobs:
        by_loop.setdefault(job.loop, []).append(job)
    for loop, mine in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve, mine)
        except RuntimeError:  # that loop is closed: nobody waits any more, the commit stands
            log.warning("record: %d writes were committed after their loop had ended", len(mine))


def _resolve(jobs: Sequence[Job]) -> None:
    for job in jobs:
        if job.future.done():
            continue
        if job.error is not None:
            job.future.set_exception(job.error)
        else:
            job.future.set_result(job.answer)
