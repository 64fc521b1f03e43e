"""Keeps the record as long as it must be kept and no longer. Seals each day's records, drops what is old and told.

Nothing is dropped before its time (at least 184 days: six calendar months, Cybersecurity Law article 23), and nothing
that is not delivered, ever: a site without a centre keeps everything.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import timedelta
from types import TracebackType
from typing import Any, Final, Self

from sqlalchemy import Connection

from gate_service.domain.errors import RecordError
from gate_service.domain.ports import Clock
from gate_service.domain.record import Entry
from sync import segments
from sync.columns import to_us
from sync.files import FileStore
from sync.journal import SqlJournal

log = logging.getLogger(__name__)

SHORTEST_DAYS: Final = 184
SEGMENT_AGE: Final = timedelta(days=1)  # what is older is sealed; our decision
LOOK_EVERY_S: Final = 3600.0
BETWEEN_PIECES_S: Final = 0.05  # lets decisions go first while old rows are deleted


class Retention:
    """Runs beside the record. Opens with `async with`, inside the journal's own."""

    def __init__(self, journal: SqlJournal, files: FileStore, clock: Clock, keep_days: int = SHORTEST_DAYS) -> None:
        if keep_days < SHORTEST_DAYS:
            raise ValueError(f"retention: at least {SHORTEST_DAYS} days expected, found {keep_days}")
        self._journal = journal
        self._database = journal.database
        self._clock = clock
        self._keep = timedelta(days=keep_days)
        self._files = files
        self._task: asyncio.Task[None] | None = None
        self.held_back: str | None = None
        """Why the oldest segment stays although it is old, for `/api/v1/sync`; None where nothing is held back."""

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._keep_going(), name="record-retention")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def run_once(self) -> None:
        """Finish what a stop left half deleted, seal what is a day old, drop what is old enough. Raises RecordError."""
        await self._delete_rows()
        while await self._seal_next():
            pass
        while await self._drop_next():
            await self._delete_rows()
        await self._drop_files()

    async def status(self) -> dict[str, Any]:
        """For `/api/v1/sync`."""
        found = await self._database.read(segments.segments)
        dropped = [segment for segment in found if segment.dropped_record is not None]
        return {
            "keep_days": self._keep.days,
            "segments": len(found),
            "dropped_segments": len(dropped),
            "dropped_to": dropped[-1].last_record if dropped else 0,
            "held_back": self.held_back,
        }

    async def _seal_next(self) -> bool:
        before_us = to_us(self._clock.now() - SEGMENT_AGE)
        segment = await self._database.read(lambda connection: segments.next_segment(connection, before_us))
        if segment is None:
            return False
        entry = Entry("segment_sealed", self._clock.now(), "service", segments.facts_of(segment))
        await self._journal.write(entry, lambda connection, number: segments.insert(connection, segment, number))
        return True

    async def _drop_next(self) -> bool:
        found = await self._database.read(segments.prepare_drop)
        self.held_back = None
        if found is None:
            return False
        segment, before = found
        before_us = to_us(self._clock.now() - self._keep)
        why_not = await self._database.read(lambda c: segments.why_not_droppable(c, segment, before_us))
        if why_not is not None:
            self.held_back = None if segment.last_at_us >= before_us else why_not
            return False
        drop = await self._database.read(lambda connection: segments.read_drop(connection, segment, before))
        facts = {**segments.facts_of(segment), "records": drop.records, "dropped_sha256": drop.drop_hash}
        entry = Entry("segment_dropped", self._clock.now(), "service", facts)
        await self._journal.write(entry, lambda connection, number: segments.note_drop(connection, drop, number))
        log.info(
            "record: segment %d dropped, records %d to %d", segment.number, segment.first_record, segment.last_record
        )
        return True

    async def _delete_rows(self) -> None:
        """Rows of dropped segments, piece by piece; a power cut in between leaves rows that count for nothing."""
        while await self._database.write(segments.delete_piece, is_quiet=True, is_essential=True):
            await self._clock.sleep(BETWEEN_PIECES_S)

    async def _drop_files(self) -> None:
        """Files that no record refers to: of dropped records, or written by a request that was never recorded."""

        def known(connection: Connection) -> set[str]:
            return {str(row[0]) for row in connection.exec_driver_sql("SELECT DISTINCT sha256 FROM files")}

        age_s = SEGMENT_AGE.total_seconds()
        old = await asyncio.to_thread(self._files.older_than, age_s)
        if old:
            referred = await self._database.read(known)
            orphans = [name for name in old if name not in referred]
            await asyncio.to_thread(self._files.remove_older, orphans, age_s)

    async def _keep_going(self) -> None:
        while True:
            try:
                await self.run_once()
            except RecordError as error:  # nothing can be written now: old rows may stay a while longer
                log.warning("retention: %s", error)
            except Exception:  # the root of this task: what is old may stay, but must not stay unseen for ever
                log.exception("retention: fault of our own, tried again")
            await self._clock.sleep(LOOK_EVERY_S)
