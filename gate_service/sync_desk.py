"""What engineers see and do about the lines outside: parked events, conflicts. Part of the service.

What a person does here is a record: who sent what again, who closed which conflict and why.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from gate_service.domain.commands import Actor
from gate_service.domain.errors import InputError
from gate_service.domain.ports import Clock
from gate_service.domain.record import Entry
from sync.journal import SqlJournal
from sync.worker import SyncWorker

QUEUES: Final = ("outbox", "feed")
MOST_NAMED: Final = 50  # ids named in the record of one act; the count says the rest


class SyncDesk:
    """Constructed in `bootstrap`; works while the record is open."""

    def __init__(self, worker: SyncWorker, journal: SqlJournal, clock: Clock) -> None:
        self._worker = worker
        self._journal = journal
        self._clock = clock

    async def parked(self, queue: str, limit: int) -> dict[str, Any]:
        """Parked events of one queue with their reasons, newest first. Raises InputError."""
        _check_queue(queue)
        return {"queue": queue, "parked": await self._worker.parked(queue, limit)}

    async def send_again(self, queue: str, ids: Sequence[str] | None, actor: Actor) -> dict[str, Any]:
        """Take parked events up again, None for all of them; recorded before it is done. Raises InputError."""
        _check_queue(queue)
        facts = {
            "queue": queue,
            "ids": None if ids is None else list(ids[:MOST_NAMED]),
            "count": None if ids is None else len(ids),
        }
        await self._journal.write(Entry("sent_again", self._clock.now(), actor.label, facts))
        return {"taken": await self._worker.send_again(queue, ids)}

    async def conflicts(self, limit: int) -> dict[str, Any]:
        """What the site did against what the centre says; open ones first."""
        return {"conflicts": await self._worker.conflicts.listed(limit)}

    async def close_conflict(self, conflict_id: str, reason: str, actor: Actor) -> dict[str, Any]:
        """A person has dealt with it. Raises InputError, NotFoundError."""
        return await self._worker.conflicts.close(conflict_id, reason, actor.label)


def _check_queue(queue: str) -> None:
    if queue not in QUEUES:
        raise InputError(f"queue: one of {', '.join(QUEUES)} expected, found {queue!r}"[:120])
