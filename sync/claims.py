"""Claims: one slip, one truck, over all sites. Asked of the centre at the decision. `ports.Claims`.

What is asked is written down first, so that after a kill at any moment everything the centre may have granted is known.
What becomes of a claim after that (renewed, used, given back, confirmed) is `sync.claim_settling`'s.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from gate_service.domain.errors import CentralError, RecordError
from gate_service.domain.events import JsonObject
from gate_service.domain.ports import ClaimState, Clock
from sync import claim_rows
from sync.central.rest import CentralClient
from sync.central.wire import read_moment
from sync.claim_leases import renew_at_us, used_by_text
from sync.columns import to_us
from sync.database import Database
from sync.statements import run

log = logging.getLogger(__name__)


class CentralClaims:
    """Without a central system every claim is UNAVAILABLE: the rules say what that means for a slip."""

    def __init__(self, database: Database, clock: Clock, client: CentralClient | None = None) -> None:
        self._database = database
        self._clock = clock
        self._client = client
        self._notes: set[asyncio.Task[None]] = set()
        self.to_settle = asyncio.Event()
        """Set whenever there may be something to give back or to confirm."""

    async def claim(self, slip_nos: Sequence[str], *, passage_id: str, lane: str, at: datetime) -> ClaimState:
        """Ask for all of them or none. Never raises.

        Where the centre does not answer, a lease it granted this passage before stands until it ends.
        """
        if not slip_nos:
            return ClaimState.NOT_NEEDED
        if self._client is None:
            return ClaimState.UNAVAILABLE
        try:
            is_up = self._client.line.is_up
            await self._begin(slip_nos, passage_id, lane, at, "asked" if is_up else "unclaimed")
            if is_up:
                try:
                    answer = await self._client.claim(slip_nos, passage_id, lane, at)
                except CentralError as error:
                    log.warning("claim for passage %s: %s", passage_id, error)
                else:
                    return self._answered(answer, slip_nos, passage_id, at)
            return await self._standing(slip_nos, passage_id)
        except (RecordError, ValueError) as error:  # ValueError: a number that is no text in Unicode
            log.warning("claim for passage %s: %s", passage_id, error)
            return ClaimState.UNAVAILABLE

    def give_back(self, passage_id: str) -> None:
        """Return a claim, in the background and until it is acknowledged."""
        if self._client is None:
            return
        values = (to_us(self._clock.now()), passage_id)
        self._write(lambda connection: run(connection, claim_rows.GIVE_BACK, values).rowcount, tell=True)

    async def settle(self) -> None:
        """Wait until everything to be written down is."""
        while self._notes:
            await asyncio.gather(*self._notes, return_exceptions=True)

    async def _begin(self, slip_nos: Sequence[str], passage_id: str, lane: str, at: datetime, state: str) -> None:
        values = (passage_id, claim_rows.slips_text(slip_nos), state, to_us(at), lane)
        await self._database.write(lambda connection: run(connection, claim_rows.BEGIN, values).rowcount, is_quiet=True)

    async def _standing(self, slip_nos: Sequence[str], passage_id: str) -> ClaimState:
        """What was granted before, and has not run out, is granted still."""
        lease = await self._database.read(lambda connection: claim_rows.lease_of(connection, passage_id))
        if lease is None:
            return ClaimState.UNAVAILABLE
        slips, until_us = lease
        is_running = until_us is None or to_us(self._clock.now()) <= until_us
        return ClaimState.GRANTED if is_running and slips.issuperset(slip_nos) else ClaimState.UNAVAILABLE

    def _answered(self, answer: JsonObject, slip_nos: Sequence[str], passage_id: str, at: datetime) -> ClaimState:
        """Write the answer down beside the decision: that it was asked is on disk already."""
        if answer["granted"] is not True:
            refused = (used_by_text(answer), passage_id)
            self._write(lambda connection: run(connection, claim_rows.REFUSE, refused).rowcount)
            return ClaimState.REFUSED
        lease_until = read_moment(answer.get("lease_until_at"))
        lease_us = None if lease_until is None else to_us(lease_until)
        now_us = to_us(self._clock.now())
        renew_us = renew_at_us(now_us, lease_us)
        granted = (claim_rows.slips_text(slip_nos), to_us(at), lease_us, renew_us, passage_id)

        def change(connection: Connection) -> None:
            if run(connection, claim_rows.GRANT, granted).rowcount == 0:
                run(connection, claim_rows.GRANTED_TOO_LATE, (now_us, passage_id))

        self._write(change, tell=True)
        return ClaimState.GRANTED

    def _write(self, change: Callable[[Connection], Any], *, tell: bool = False) -> None:
        """In the background; the writer keeps the order in which it was asked."""
        task = asyncio.get_running_loop().create_task(self._written(change, tell=tell), name="claim note")
        self._notes.add(task)
        task.add_done_callback(self._notes.discard)

    async def _written(self, change: Callable[[Connection], Any], *, tell: bool) -> None:
        try:
            await self._database.write(change, is_quiet=True)
        except RecordError as error:
            log.error("claims: not written down: %s", error)  # noqa: TRY400 - a full trace says no more
        if tell:
            self.to_settle.set()
