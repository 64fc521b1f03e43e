"""Answers kept by Idempotency-Key, so that a repeated request is answered and not carried out again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, insert, select, update

from gate_service.domain.errors import IdempotencyError, OutcomeUnknownError
from gate_service.domain.ports import Clock
from sync.columns import to_us
from sync.database import Database
from sync.people_tables import idempotency_keys

LONGEST_WAIT_S: Final = 60.0
"""How long a repeat waits for the first to be answered: longer than a boom travels or a second look at a device takes.
Site decision."""
KEPT_FOR: Final = timedelta(days=2)  # longer than any client retries; the audit keeps the deed itself


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered the first time."""

    status: int
    body: bytes


class IdempotencyKeys:
    """The keys of all callers, each caller's own."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._running: dict[tuple[str, str], asyncio.Event] = {}

    async def once(self, actor: str, key: str, request_sha256: str, work: Callable[[], Awaitable[Answer]]) -> Answer:
        """The kept answer, or that of the work, kept. A repeat beside the first waits for it and repeats its answer.

        Raises as `begin`, and what the work raises: then nothing is kept, and the outcome stays unknown.
        """
        mine = (actor, key)
        await self._wait_for_first(mine)
        self._running[mine] = asyncio.Event()
        try:
            answer = await self.begin(actor, key, request_sha256)
            if answer is None:
                answer = await work()
                await self.keep(actor, key, answer)
        finally:
            self._running.pop(mine).set()
        return answer

    async def _wait_for_first(self, mine: tuple[str, str]) -> None:
        try:
            async with asyncio.timeout(LONGEST_WAIT_S):
                while (first := self._running.get(mine)) is not None:
                    await first.wait()
        except TimeoutError:
            raise OutcomeUnknownError(
                f"a request with this Idempotency-Key runs since more than {LONGEST_WAIT_S:.0f} s: look first"
            ) from None

    async def begin(self, actor: str, key: str, request_sha256: str) -> Answer | None:
        """Take the key for this request; returns the kept answer when it was answered before.

        Raises IdempotencyError for a key used with another request, OutcomeUnknownError for one that was begun and
        never answered (lost to a restart or with the record).
        """
        now = self._clock.now()
        mine = (idempotency_keys.c.actor == actor) & (idempotency_keys.c.key == key)

        def take(connection: Connection) -> Row[Any] | None:
            found = connection.execute(select(idempotency_keys).where(mine)).one_or_none()
            if found is None:
                old = idempotency_keys.c.created_at_us < to_us(now - KEPT_FOR)
                connection.execute(delete(idempotency_keys).where(old)).close()
                row = {"actor": actor, "key": key, "request_sha256": request_sha256, "created_at_us": to_us(now)}
                connection.execute(insert(idempotency_keys).values(**row)).close()
            return found

        found = await self._database.write(take)
        if found is None:
            return None
        if found.request_sha256 != request_sha256:
            raise IdempotencyError("Idempotency-Key: a new one for a new request expected, this one was used before")
        if found.status is None:
            raise OutcomeUnknownError("a request with this Idempotency-Key was begun and has no answer: look first")
        return Answer(found.status, found.answer)

    async def keep(self, actor: str, key: str, answer: Answer) -> None:
        """Keep the answer of a request that was begun."""
        mine = (idempotency_keys.c.actor == actor) & (idempotency_keys.c.key == key)
        kept = update(idempotency_keys).where(mine).values(status=answer.status, answer=answer.body)
        await self._database.write(lambda connection: connection.execute(kept).close())
