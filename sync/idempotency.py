"""Answers kept by Idempotency-Key, so that a repeated request is answered and not carried out again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, insert, select, update

from gate_service.domain.errors import IdempotencyError, OutcomeUnknownError
from gate_service.domain.ports import Clock
from sync.database import Database
from sync.tables import idempotency_keys, to_us

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

    async def begin(self, actor: str, key: str, request_sha256: str) -> Answer | None:
        """Take the key for this request; returns the kept answer when it was answered before.

        Raises IdempotencyError for a key used with another request, OutcomeUnknownError for one that was begun and
        never answered (still running, or lost to a restart).
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
