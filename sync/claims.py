"""Claims: one slip, one truck, over all sites. Asked of the centre at the decision, given back until it says so.

`ports.Claims`. What is to be given back is written down first, so a restart goes on with it.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from sqlalchemy import Connection

from gate_service.domain.errors import CentralError, CentralUnreachableError, RecordError
from gate_service.domain.ports import ClaimState, Clock
from sync.backoff import full_jitter_s
from sync.central.rest import CentralClient
from sync.central.wire import read_moment
from sync.database import Database
from sync.statements import run
from sync.tables import to_us

log = logging.getLogger(__name__)

AT_ONCE: Final = 20
KEEP: Final = (
    "INSERT INTO claims (passage_id, slips, state, at_us, lease_until_us, due_at_us) VALUES (?, ?, ?, ?, ?, NULL)"
    " ON CONFLICT (passage_id) DO UPDATE SET slips = excluded.slips, state = excluded.state, at_us = excluded.at_us,"
    " lease_until_us = excluded.lease_until_us, due_at_us = NULL"
)
GIVE_BACK: Final = (
    "INSERT INTO claims (passage_id, slips, state, at_us, due_at_us) VALUES (?, ?, 'returning', ?, ?)"
    " ON CONFLICT (passage_id) DO UPDATE SET state = 'returning', due_at_us = excluded.due_at_us, attempts = 0"
)


class CentralClaims:
    """Without a central system every claim is UNAVAILABLE: the rules say what that means for a slip."""

    def __init__(self, database: Database, clock: Clock, rng: Random, client: CentralClient | None = None) -> None:
        self._database = database
        self._clock = clock
        self._rng = rng
        self._client = client
        self._notes: set[asyncio.Task[None]] = set()
        self.given_back = asyncio.Event()
        """Set whenever there is something to give back."""

    async def claim(self, slip_nos: Sequence[str], *, passage_id: str, lane: str, at: datetime) -> ClaimState:
        """Ask for all of them or none. Never raises."""
        if not slip_nos:
            return ClaimState.NOT_NEEDED
        if self._client is None or not self._client.line.is_up:
            return ClaimState.UNAVAILABLE
        try:
            answer = await self._client.claim(slip_nos, passage_id, lane, at)
        except (CentralError, ValueError) as error:  # ValueError: a number that is no text in Unicode
            log.warning("claim for passage %s: %s", passage_id, error)
            if isinstance(error, CentralUnreachableError):
                self._note(passage_id, slip_nos, "asked", at, None)  # it may have been granted: remembered
            return ClaimState.UNAVAILABLE
        granted = answer["granted"] is True
        self._note(passage_id, slip_nos, "granted" if granted else "refused", at, answer.get("lease_until_at"))
        return ClaimState.GRANTED if granted else ClaimState.REFUSED

    def give_back(self, passage_id: str) -> None:
        """Return a claim, in the background and until it is acknowledged."""
        if self._client is None:
            return
        now_us = to_us(self._clock.now())

        def change(connection: Connection) -> None:
            run(connection, GIVE_BACK, (passage_id, b"[]", now_us, now_us))

        self._write(change, tell=True)

    async def give_back_once(self) -> float | None:
        """Tell the centre of claims given back. Seconds to wait before the next round; None when nothing waits."""
        now = self._clock.now()
        rows = await self._database.read(_returning)
        due = [row for row in rows if row[1] <= to_us(now)]
        if not due:
            return None if not rows else max(0.05, (min(row[1] for row in rows) - to_us(now)) / 1_000_000)
        for passage_id, _, attempts in due:
            await self._cancel(passage_id, attempts)
        return 0.0

    async def settle(self) -> None:
        """Wait until everything to be written down is."""
        while self._notes:
            await asyncio.gather(*self._notes, return_exceptions=True)

    async def status(self) -> dict[str, Any]:
        """For `/api/v1/sync`."""
        rows = await self._database.read(
            lambda c: run(c, "SELECT state, COUNT(*) FROM claims WHERE state <> 'returned' GROUP BY state").fetchall()
        )
        return {str(row[0]): row[1] for row in rows}

    async def _cancel(self, passage_id: str, attempts: int) -> None:
        assert self._client is not None
        try:
            await self._client.cancel_claim(passage_id)
        except CentralError as error:
            reason = str(error)
            delay_s = full_jitter_s(attempts + 1, self._rng)
            due_us = to_us(self._clock.now() + timedelta(seconds=delay_s))
            await self._database.write(
                lambda c: (
                    run(
                        c,
                        "UPDATE claims SET attempts = attempts + 1, due_at_us = ?, reason = ?"
                        " WHERE passage_id = ? AND state = 'returning'",
                        (due_us, reason[:400], passage_id),
                    ).rowcount
                )
            )
            return
        await self._database.write(
            lambda c: (
                run(
                    c,
                    "UPDATE claims SET state = 'returned', due_at_us = NULL, reason = NULL"
                    " WHERE passage_id = ? AND state = 'returning'",
                    (passage_id,),
                ).rowcount
            )
        )

    def _note(self, passage_id: str, slip_nos: Sequence[str], state: str, at: datetime, lease: object) -> None:
        """Write an answer down, beside the decision and not before it."""
        lease_until = read_moment(lease)
        values = (
            passage_id,
            json.dumps(list(slip_nos)).encode(),
            state,
            to_us(at),
            None if lease_until is None else to_us(lease_until),
        )

        def change(connection: Connection) -> None:
            run(connection, KEEP, values)

        self._write(change)

    def _write(self, change: Any, *, tell: bool = False) -> None:
        """In the background; the writer keeps the order in which it was asked."""
        task = asyncio.get_running_loop().create_task(self._written(change, tell=tell), name="claim note")
        self._notes.add(task)
        task.add_done_callback(self._notes.discard)

    async def _written(self, change: Any, *, tell: bool) -> None:
        try:
            await self._database.write(change)
        except RecordError as error:
            log.error("claims: not written down: %s", error)  # noqa: TRY400 - a full trace says no more
        if tell:
            self.given_back.set()


def _returning(connection: Connection) -> list[tuple[str, int, int]]:
    rows = run(
        connection,
        "SELECT passage_id, due_at_us, attempts FROM claims WHERE state = 'returning' ORDER BY due_at_us LIMIT ?",
        (AT_ONCE,),
    )
    return [(row[0], row[1] or 0, row[2]) for row in rows]
