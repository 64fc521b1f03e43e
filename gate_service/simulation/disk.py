"""The record of the simulated site: the real tables in memory, written on the loop. What was committed survives a kill.

A commit takes its time, and so does the word that it is done: a kill may fall before, between or after.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Final, Self, TypeVar

from sqlalchemy import Connection, Engine, StaticPool, create_engine, event

from gate_service.domain.errors import RecordError
from sync.database import Database, DatabaseSettings
from sync.migrate import migrate
from sync.store import sqlite_module

T = TypeVar("T")

COMMIT_S: Final = (0.002, 0.020)
SLOW_COMMIT_S: Final = (0.2, 3.0)
SLOW_SHARE: Final = 0.01
ACKNOWLEDGE_S: Final = 0.001


def _engine() -> Engine:
    engine = create_engine(
        "sqlite+pysqlite://",
        module=sqlite_module,
        poolclass=StaticPool,
        connect_args={"isolation_level": None, "check_same_thread": False, "cached_statements": 256},
    )
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


class Disk:
    """What is on disk. `fault` says why nothing can be written now."""

    def __init__(self, folder: Path, rng: Random, template: Disk | None = None) -> None:
        self.folder = folder
        self.rng = rng
        self.fault: str | None = None
        self.changes = 0
        self.commits = 0
        self.on_commit: Callable[[Connection], None] = lambda _: None
        self.engine = _engine()
        self.connection = self.engine.connect()
        if template is None:
            migrate(self.connection)
        else:
            source: Any = template.connection.connection.driver_connection
            source.backup(self.connection.connection.driver_connection)

    def commit(self, fn: Callable[[Connection], T], broken: str | None = None) -> T:
        """Run `fn` in a transaction of its own."""
        why_not = broken or self.fault
        if why_not is not None:
            raise RecordError(f"record unwritable: {why_not}")
        with self.connection.begin():
            answer = fn(self.connection)
        self.on_commit(self.connection)
        return answer

    def read(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` on one moment."""
        with self.connection.begin():
            return fn(self.connection)

    def close(self) -> None:
        """Forget everything."""
        self.connection.close()
        self.engine.dispose()


class SimDatabase(Database):
    """The face of `Database` over a `Disk`. One for each life of the service."""

    def __init__(self, disk: Disk) -> None:
        super().__init__(DatabaseSettings(disk.folder))
        self._disk = disk
        self._due_s = 0.0
        self._broken: str | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """The disk stays."""

    async def write(
        self,
        fn: Callable[[Connection], T],
        *,
        is_quiet: bool = False,
        is_essential: bool = False,  # noqa: ARG002 - this disk is never short
    ) -> T:
        """As the real one: the answer once it is committed."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        rng = self._disk.rng
        wait_s = rng.uniform(*(SLOW_COMMIT_S if rng.random() < SLOW_SHARE else COMMIT_S))
        self._due_s = max(self._due_s + 1e-6, loop.time() + wait_s)
        loop.call_at(self._due_s, self._commit, fn, future, is_quiet)
        return await future

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """As the real one."""
        await asyncio.sleep(0)
        return self._disk.read(fn)

    @property
    def changes(self) -> int:
        """As the real one."""
        return self._disk.changes

    @property
    def commits(self) -> int:
        """As the real one."""
        return self._disk.commits

    @property
    def unwritable_reason(self) -> str | None:
        """As the real one."""
        return self._broken or self._disk.fault

    def mark_unwritable(self, reason: str) -> None:
        """As the real one."""
        self._broken = self._broken or reason

    def _commit(self, fn: Callable[[Connection], T], future: asyncio.Future[T], is_quiet: bool) -> None:
        loop = asyncio.get_running_loop()
        try:
            answer = self._disk.commit(fn, self._broken)
        except Exception as error:  # noqa: BLE001 - root of one job, as the writer thread is: who asked for it is told
            if not future.done():
                future.set_exception(error)
            return
        self._disk.commits += 1
        self._disk.changes += not is_quiet
        loop.call_at(loop.time() + ACKNOWLEDGE_S, _acknowledge, future, answer)


def _acknowledge(future: asyncio.Future[T], answer: T) -> None:
    if not future.done():
        future.set_result(answer)
