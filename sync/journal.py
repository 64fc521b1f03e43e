"""The record: one transaction per entry, gapless, chained, sealed; and what can be read back of it.

It decides nothing: what an entry says is stored byte for byte.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from uuid import UUID, uuid4

from sqlalchemy import Connection

from gate_service.domain.errors import ChainBrokenError, RecordError
from gate_service.domain.events import Event, EventType, JsonObject
from gate_service.domain.ports import Clock
from gate_service.domain.record import Entry, FileRef
from sync import ledger, record_queries
from sync.append import append, head
from sync.checkpoint import Checkpoint, sign
from sync.columns import from_us, to_us
from sync.database import Database
from sync.encoding import encode_entry
from sync.ledger import LedgerFacts
from sync.record_key import RecordKey, open_key
from sync.record_queries import PassageFilter, PassageView, RecordCounts, RecordView
from sync.seal import Seal, read_seal, write_seal
from sync.statements import run
from sync.time_mark import UNKNOWN, TimeMarks

log = logging.getLogger(__name__)

T = TypeVar("T")
Also = Callable[[Connection, int], None]
"""What else belongs into an entry's transaction; it is given the entry's record number."""

SEAL_EVERY_S: Final = 20.0  # what a cut-off tail can hide until the next seal; our decision


class SqlJournal:
    """`ports.Journal` on a database. Opens with `async with`, inside the database's own."""

    def __init__(
        self,
        database: Database,
        site_id: str,
        clock: Clock | None = None,
        *,
        mint_id: Callable[[], UUID] = uuid4,
        time_marks: TimeMarks = lambda: UNKNOWN,
    ) -> None:
        self._mint_id = mint_id
        self._time_marks = time_marks
        self._database = database
        self._site_id = site_id
        self._clock = clock
        self._epoch = ""
        self._sealed = ("", -1)
        """Epoch and number of records of the seal beside the database."""
        self._one_seal = threading.Lock()
        self._key: RecordKey | None = None
        self._checkpoint: Checkpoint | None = None
        self._sealing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._epoch = await self._database.write(self._establish)
        self._key = await asyncio.to_thread(open_key, self._database.settings.directory)
        try:
            await self._check_seal()
        except ChainBrokenError as error:
            self._database.mark_unwritable(str(error))
        else:
            await self.seal()
            self._sealing = asyncio.create_task(self._seal_regularly(), name="record-seal")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._sealing is not None:
            self._sealing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sealing
            await self._seal_if_possible()

    @property
    def epoch(self) -> str:
        """The epoch in which `seq` of outbox and feed has no gaps."""
        return self._epoch

    @property
    def checkpoint(self) -> Checkpoint | None:
        """The newest signed checkpoint; all it names is on disk. None where the record was found broken."""
        return self._checkpoint

    @property
    def database(self) -> Database:
        """Where it is written."""
        return self._database

    @property
    def site_id(self) -> str:
        """The site this record belongs to."""
        return self._site_id

    def write(self, entry: Entry, also: Also | None = None) -> Awaitable[int]:
        """Queue one entry, whole; what is awaited is its commit. `also` changes more rows in the same transaction.

        Raises RecordError where nothing can be committed; SlipTakenError where other passages hold a slip this entry
        would reserve (judge again); LedgerRefusedError for a used slip given back. Nothing of the entry is then
        written. TypeError and ValueError are programming errors: floats in facts, a passage document without its keys.
        """
        row, clock = encode_entry(entry), self._time_marks().text()

        def change(connection: Connection) -> int:
            number = append(connection, self._site_id, self._epoch, row, clock)
            if also is not None:
                also(connection, number)
            return number

        return self._database.write(change, is_quiet=also is None and not entry.ledger, is_essential=True)

    def is_writable(self) -> bool:
        """False once a commit failed or the chain broke, and while the disk is below its reserve."""
        return self._database.is_writable()

    def unwritable_reason(self) -> str | None:
        """Why not, for people."""
        return self._database.unwritable_reason

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Read beside the writer, one moment of everything."""
        return await self._database.read(fn)

    async def open_passages(self) -> Sequence[JsonObject]:
        """Documents of passages that are not closed, oldest first."""
        return await self._database.read(record_queries.open_passages)

    async def newest(self, kind: str, lane: str) -> JsonObject | None:
        """Facts of the newest record of a kind about a lane, or None."""
        return await self._database.read(lambda connection: record_queries.newest(connection, kind, lane))

    async def photos(self, passage_id: str) -> Sequence[FileRef]:
        """Files that the records of a passage name, oldest first."""
        return await self._database.read(lambda connection: record_queries.photos(connection, passage_id))

    async def passage(self, passage_id: str) -> PassageView | None:
        """One passage as it now is."""
        return await self._database.read(lambda connection: record_queries.passage(connection, passage_id))

    async def passages(
        self, limit: int = 50, before: int | None = None, where: PassageFilter | None = None
    ) -> list[PassageView]:
        """Passages, newest first; `before` is `opened_record` of the last one seen."""
        chosen = where or PassageFilter()
        return await self._database.read(lambda connection: record_queries.passages(connection, limit, before, chosen))

    async def records(self, after: int = 0, limit: int = 100, passage_id: str | None = None) -> list[RecordView]:
        """Records in order of their number, those above `after`."""
        return await self._database.read(
            lambda connection: record_queries.records(connection, after, limit, passage_id)
        )

    async def reason_counts(self) -> dict[str, dict[str, int]]:
        """Reason codes given with each command lately, the most frequent first."""
        return await self._database.read(record_queries.reason_counts)

    async def media_type(self, sha256: str) -> str | None:
        """What a file is that records name; None for one that none names."""
        return await self._database.read(lambda connection: record_queries.media_type(connection, sha256))

    async def counts(self) -> RecordCounts:
        """How much is recorded, and how much waits to be told."""
        return await self._database.read(lambda connection: record_queries.counts(connection, self._epoch))

    async def ledger_facts(
        self, slip_nos: Sequence[str], plates: Sequence[str], declaration_nos: Sequence[str] = (), *, passage_id: str
    ) -> LedgerFacts:
        """What the ledgers know, other passages than `passage_id` counted."""
        return await self._database.read(
            lambda connection: ledger.facts(connection, slip_nos, plates, declaration_nos, passage_id)
        )

    async def new_epoch(self, reason: str, actor: str) -> str:
        """Begin a new epoch (after a restore): `seq` starts anew, so nothing sent before can be overwritten by it.

        The centre is told by the first event of the new epoch.
        """
        epoch = str(self._mint_id())
        facts = {"old": self._epoch, "new": epoch, "reason": reason}
        told = Event(self._mint_id(), EventType.SECURITY_ALARM, self._now(), {"kind": "epoch_started", **facts})
        row, clock = (
            encode_entry(Entry("epoch_started", told.at, actor, facts, events=(told,))),
            self._time_marks().text(),
        )

        def change(connection: Connection) -> None:
            run(connection, "UPDATE meta SET epoch = ?", (epoch,))
            append(connection, self._site_id, epoch, row, clock)

        await self._database.write(change)
        self._epoch = epoch
        await self.seal()
        return epoch

    async def seal(self) -> None:
        """Write counts and heads beside the database, if they changed."""
        epoch = self._epoch
        last = await self._database.read(lambda connection: head(connection, epoch))
        if (epoch, last.records) == self._sealed:
            return
        now = self._now()
        stands: Any = {
            "site_id": self._site_id, "epoch": epoch, "records": last.records, "head": last.hash,
            "outbox": last.outbox, "feed": last.feed,
        }  # fmt: skip
        checkpoint = None if self._key is None else sign(self._key, **stands, at=now.isoformat())
        seal = Seal(**stands, at_us=to_us(now), checkpoint=checkpoint)
        await asyncio.to_thread(self._write_seal, seal)

    def _write_seal(self, seal: Seal) -> None:
        """In a thread, one after the other: a cancelled wait leaves its thread at work, and none may go back."""
        with self._one_seal:
            epoch, records = self._sealed
            if seal.epoch != self._epoch or (seal.epoch == epoch and seal.records < records):
                return  # its epoch has ended since it was made, or a newer one stands
            write_seal(self._database.settings.directory, seal)
            self._sealed, self._checkpoint = (seal.epoch, seal.records), seal.checkpoint

    def _establish(self, connection: Connection) -> str:
        """Mint the epoch of a new record, or take that of an old one."""
        row = run(connection, "SELECT site_id, epoch FROM meta").fetchone()
        if row is None:
            epoch = str(self._mint_id())
            created_at_us = to_us(self._now())
            run(
                connection,
                "INSERT INTO meta (id, site_id, epoch, created_at_us) VALUES (1, ?, ?, ?)",
                (self._site_id, epoch, created_at_us),
            )
            return epoch
        if row[0] != self._site_id:
            raise RecordError(f"record: site {self._site_id} expected, the data directory belongs to site {row[0]}")
        return str(row[1])

    async def _check_seal(self) -> None:
        seal = await asyncio.to_thread(read_seal, self._database.settings.directory)
        await self._database.read(lambda connection: record_queries.check_seal(connection, seal))
        if seal is not None:
            log.info("record: %d records sealed at %s", seal.records, from_us(seal.at_us).isoformat())

    async def _seal_regularly(self) -> None:
        while True:
            await (self._clock.sleep(SEAL_EVERY_S) if self._clock else asyncio.sleep(SEAL_EVERY_S))
            await self._seal_if_possible()

    async def _seal_if_possible(self) -> None:
        """Without a new seal the record stands; the last one still holds for what it names."""
        try:
            await self.seal()
        except (OSError, RecordError) as error:
            log.warning("record seal not written: %s", error)

    def _now(self) -> datetime:
        return self._clock.now() if self._clock else datetime.now(UTC)
