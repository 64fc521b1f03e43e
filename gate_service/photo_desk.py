"""Photos of vehicles: on disk first, then named by a record, then shown at the lane; any file that a record names."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from gate_service.domain.commands import Actor
from gate_service.domain.errors import NotFoundError
from gate_service.domain.ports import Clock
from gate_service.domain.record import Entry
from lanes.controller import LaneController
from sync.files import FileStore
from sync.journal import SqlJournal

Receive = Callable[[], Awaitable[bytes]]
"""Receives a photo that was begun to be sent, whole and looked at."""


class PhotoDesk:
    """Takes photos in and gives files out."""

    def __init__(self, files: FileStore, journal: SqlJournal, clock: Clock) -> None:
        self._files = files
        self._journal = journal
        self._clock = clock

    async def take(self, lane: LaneController, receive: Receive, media_type: str, actor: Actor) -> dict[str, Any]:
        """Whose it is, is asked before it is received: a slow one comes when another vehicle may stand there."""
        of = lane.photo_begins()
        ref = await self._files.keep(await receive(), media_type)
        facts = {"of": of.owner.value}
        entry = Entry("photo", self._clock.now(), actor.label, facts, lane.settings.id, of.passage_id, files=(ref,))
        number = await self._journal.write(entry)
        lane.photo_taken(ref, of)
        return {"sha256": ref.sha256, "bytes": ref.size, "record": number, "passage_id": of.passage_id}

    async def file(self, sha256: str) -> tuple[bytes, str]:
        """A file that a record names; one that was dropped, erased or never named is not found."""
        kind = await self._journal.media_type(sha256)
        content = None if kind is None else await asyncio.to_thread(self._files.read, sha256)
        if kind is None or content is None:
            raise NotFoundError(f"file {sha256[:80]}: named by a record expected, found none")
        return content, kind
