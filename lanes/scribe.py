"""Writes a lane's entries to the record in their order, one after the other, until the record takes them.

Nothing that an entry allows is done before `write` returned. When the record cannot be written the entry stays at the
head of the queue and is tried again: it is never dropped, and the lane is closed meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Final, Self

from gate_service.domain.errors import LedgerRefusedError, RecordError
from gate_service.domain.ports import Clock, Journal
from gate_service.domain.record import Entry

log = logging.getLogger(__name__)

TRY_AGAIN_S: Final = 0.5
LAST_WORDS_S: Final = 2.0
"""How long a stop waits for queued entries; what the record does not take by then was never done either."""


class Scribe:
    """One queue of entries for one lane. `on_lost` is called when an entry could not be written through our fault."""

    def __init__(self, journal: Journal, clock: Clock, on_lost: Callable[[], None]) -> None:
        self._journal = journal
        self._clock = clock
        self._on_lost = on_lost
        self._queue: asyncio.Queue[tuple[Entry, asyncio.Future[int], asyncio.Future[int] | None]] = asyncio.Queue()
        self._unwritten = 0
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start writing."""
        self._task = asyncio.get_running_loop().create_task(self._work(), name="scribe")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Write what is queued while the record takes it, then stop."""
        if self._task is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_WORDS_S):
                    await self._queue.join()
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def put(self, entry: Entry) -> asyncio.Future[int]:
        """Queue an entry, or with none before it write it; the future holds its record number once it is on disk.

        It holds LedgerRefusedError where another passage holds the slip: nothing of the entry was written.
        """
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        begun: asyncio.Future[int] | None = None
        if self._unwritten == 0 and self._task is not None:
            with contextlib.suppress(Exception):  # tried again in its turn, and told from there
                begun = asyncio.ensure_future(self._journal.write(entry))
                begun.add_done_callback(lambda done: _pass_on(done, future))
        self._unwritten += 1
        self._queue.put_nowait((entry, future, begun))
        return future

    async def _work(self) -> None:
        while True:
            entry, future, begun = await self._queue.get()
            try:
                number = await self._write(entry, begun)
            except LedgerRefusedError as error:
                _fail(future, error)
            except Exception as error:  # task root: one entry that cannot be written must not silence the lane's record
                log.exception("entry %s of lane %s could not be written", entry.kind, entry.lane)
                _fail(future, error)
                self._on_lost()
            else:
                if not future.done():
                    future.set_result(number)
            self._unwritten -= 1
            self._queue.task_done()

    async def _write(self, entry: Entry, begun: asyncio.Future[int] | None) -> int:
        while True:
            try:
                return await (begun or self._journal.write(entry))
            except RecordError:
                begun = None
                await self._clock.sleep(TRY_AGAIN_S)


def _pass_on(done: asyncio.Future[int], future: asyncio.Future[int]) -> None:
    """Tell of a commit at once; one that failed is told or tried again in its turn."""
    if not (done.cancelled() or done.exception() or future.done()):
        future.set_result(done.result())


def _fail(future: asyncio.Future[int], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # whoever waits sees it; where nobody waits nothing warns at shutdown
