"""The day's secret for draws, and the draws made under it: `ports.Draws`.

The secret's hash is recorded and told at the day's start; the secret itself leaves this table only in the record that
reveals it, after the day is over. A draw is written down before anything rests on it, once per slip (per day for a
plate), and is answered from there ever after.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any, Final
from uuid import UUID, uuid5

from sqlalchemy import Connection

from gate_service.domain.draws import COMMITTED, MADE, REVEALED, ZONE_TIME, WantedDraw, day_of, derived, fraction_of
from gate_service.domain.draws import commitment as hash_of
from gate_service.domain.errors import RecordError
from gate_service.domain.events import Event, EventType
from gate_service.domain.ports import Clock
from gate_service.domain.record import Entry
from sync.database import Database
from sync.journal import SqlJournal
from sync.statements import marks, run

log = logging.getLogger(__name__)

NAMESPACE: Final = UUID("0d3f0f3c-6a1d-5c1e-8f0e-2b8c8f1b7a55")
REVEAL_AFTER: Final = timedelta(minutes=5)  # site decision: a clock that is a little ahead must not tell too early
LOOK_AT_MOST_S: Final = 3600.0
KEPT: Final = "SELECT name, is_drawn FROM draws WHERE name IN ({}) AND (is_of_slip OR day = ?)"
KEEP: Final = (
    "INSERT INTO draws (name, day, rate, is_drawn, is_of_slip, passage_id, record_number) VALUES (?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (name, day) DO NOTHING"
)
CLEARED: Final = (  # inspected once is inspected: its spot check is not asked again (RULES 3, inspected once)
    "SELECT s.slip_no FROM inspected_slips s JOIN inspections i ON i.passage_id = s.passage_id"
    " WHERE i.found IS NOT NULL AND NOT i.found AND s.slip_no IN ({})"
)


class DaySecrets:
    """`master`: the site's own secret, of which each day's is derived; without it each day's is random.

    `is_rehearsed` (a demo site): the master itself is every day's secret, so that a story knows its draws beforehand.
    """

    def __init__(
        self,
        database: Database,
        journal: SqlJournal,
        clock: Clock,
        *,
        master: bytes | None = None,
        is_rehearsed: bool = False,
    ) -> None:
        self._database = database
        self._journal = journal
        self._clock = clock
        self._master = master
        self._is_rehearsed = is_rehearsed
        self._one_at_a_time = asyncio.Lock()
        self._today: tuple[date, bytes] | None = None

    async def keep(self) -> float:
        """Commit today's secret and reveal those of days that are over. Seconds until there is more to do."""
        async with self._one_at_a_time:
            now = self._clock.now()
            await self._secret_of(day_of(now))
            for day, secret in await self._database.read(lambda c: _unrevealed(c, day_of(now - REVEAL_AFTER))):
                await self._reveal(day, secret, now)
        midnight = datetime.combine(day_of(now) + timedelta(days=1), datetime.min.time(), ZONE_TIME)
        return min(max(1.0, (midnight - now).total_seconds()), LOOK_AT_MOST_S)

    async def draw(self, wanted: Sequence[WantedDraw], passage_id: str) -> Mapping[str, bool]:
        """Every draw asked for, by name; made now where it was not made before. Never raises.

        Where the record cannot take a draw, or the day's secret is out already, it counts as drawn.
        """
        if not wanted:
            return {}
        try:
            async with self._one_at_a_time:
                return await self._draw(wanted, passage_id)
        except RecordError as error:
            log.error("draws for passage %s: not recorded, all count as drawn: %s", passage_id, error)  # noqa: TRY400
            return {one.name: True for one in wanted}

    async def published(self, limit: int = 62) -> list[dict[str, Any]]:
        """Commitments newest first, with the secret and the draws of each day that is revealed."""
        return await self._database.read(lambda connection: _published(connection, limit))

    async def _draw(self, wanted: Sequence[WantedDraw], passage_id: str) -> dict[str, bool]:
        day = day_of(self._clock.now())
        found = await self._database.read(lambda connection: _kept(connection, wanted, day.isoformat()))
        missing = [one for one in wanted if one.name not in found]
        if not missing:
            return found
        secret = await self._secret_of(day)
        if secret is None:
            return {**{one.name: True for one in missing}, **found}
        made = [(one, fraction_of(secret, one.name) < one.rate) for one in missing]
        lines = [[one.name, _text(one.rate), is_drawn] for one, is_drawn in made]
        facts = {"day": day.isoformat(), "sha256": hash_of(secret), "draws": lines}

        def also(connection: Connection, number: int) -> None:
            for one, is_drawn in made:
                values = (one.name, day.isoformat(), _text(one.rate), is_drawn, one.is_of_slip, passage_id, number)
                run(connection, KEEP, values)

        await self._journal.write(Entry(MADE, self._clock.now(), "service", facts, passage_id=passage_id or None), also)
        return {**{one.name: is_drawn for one, is_drawn in made}, **found}

    async def _secret_of(self, day: date) -> bytes | None:
        """The secret of today, committed first where it is not yet; None where it is revealed (a clock went back)."""
        if self._today is not None and self._today[0] == day:
            return self._today[1]
        row = await self._database.read(lambda connection: _row_of(connection, day.isoformat()))
        if row is not None and row[1] is not None:
            return None
        secret = bytes.fromhex(row[0]) if row is not None else await self._commit(day)
        self._today = (day, secret)
        return secret

    async def _commit(self, day: date) -> bytes:
        secret = self._made_for(day)
        now, told = self._clock.now(), {"day": day.isoformat(), "sha256": hash_of(secret)}
        event = Event(self._event_id(day, "committed"), EventType.SPOT_CHECK_COMMITTED, now, told)

        def also(connection: Connection, number: int) -> None:
            run(
                connection,
                "INSERT INTO day_secrets (day, secret, commitment, committed_record) VALUES (?, ?, ?, ?)",
                (day.isoformat(), secret.hex(), told["sha256"], number),
            )

        await self._journal.write(Entry(COMMITTED, now, "service", told, events=(event,)), also)
        return secret

    def _made_for(self, day: date) -> bytes:
        if self._master is None:
            return secrets.token_bytes(32)
        return self._master if self._is_rehearsed else derived(self._master, day)

    async def _reveal(self, day: str, secret: str, now: datetime) -> None:
        told = {"day": day, "secret": secret, "sha256": hash_of(bytes.fromhex(secret))}
        event = Event(self._event_id(date.fromisoformat(day), "revealed"), EventType.SPOT_CHECK_REVEALED, now, told)

        def also(connection: Connection, number: int) -> None:
            run(connection, "UPDATE day_secrets SET revealed_record = ? WHERE day = ?", (number, day))

        await self._journal.write(Entry(REVEALED, now, "service", told, events=(event,)), also)
        if self._today is not None and self._today[0].isoformat() == day:
            self._today = None

    def _event_id(self, day: date, what: str) -> UUID:
        return uuid5(NAMESPACE, f"{self._journal.site_id}/{self._journal.epoch}/{day.isoformat()}/{what}")


def _text(rate: Fraction) -> str:
    return f"{rate.numerator}/{rate.denominator}"


def _kept(connection: Connection, wanted: Sequence[WantedDraw], day: str) -> dict[str, bool]:
    """Draws made before; a slip whose inspection found nothing is not drawn again."""
    names = [one.name for one in wanted]
    rows = run(connection, KEPT.format(marks(names)), (*names, day)).fetchall()
    found = {str(name): bool(is_drawn) for name, is_drawn in rows}
    slips = {one.name.partition(":")[2]: one.name for one in wanted if one.is_of_slip and one.name.startswith("spot:")}
    for (slip_no,) in run(connection, CLEARED.format(marks([*slips])), (*slips,)).fetchall():
        found[slips[slip_no]] = False
    return found


def _row_of(connection: Connection, day: str) -> tuple[str, int | None] | None:
    row = run(connection, "SELECT secret, revealed_record FROM day_secrets WHERE day = ?", (day,)).fetchone()
    return None if row is None else (row[0], row[1])


def _unrevealed(connection: Connection, before: date) -> list[tuple[str, str]]:
    """Days that are over."""
    sql = "SELECT day, secret FROM day_secrets WHERE revealed_record IS NULL AND day < ? ORDER BY day"
    return [(row[0], row[1]) for row in run(connection, sql, (before.isoformat(),))]


def _published(connection: Connection, limit: int) -> list[dict[str, Any]]:
    sql = "SELECT day, commitment, secret, revealed_record FROM day_secrets ORDER BY day DESC LIMIT ?"
    days = run(connection, sql, (limit,)).fetchall()
    draws = "SELECT name, rate, is_drawn, passage_id FROM draws WHERE day = ? ORDER BY record_number, name"
    shown = []
    for day, sha256, secret, revealed in days:
        names = ("name", "rate", "drawn", "passage_id")
        made = [dict(zip(names, (n, r, bool(d), p), strict=True)) for n, r, d, p in run(connection, draws, (day,))]
        is_open = revealed is None
        of_day = {"count": len(made)} if is_open else {"secret": secret, "draws": made, "count": len(made)}
        shown.append({"day": day, "sha256": sha256, "is_revealed": not is_open, **of_day})
    return shown
