"""What becomes of claims: renewed while the vehicle stands, given back until the centre says so, confirmed afterwards.

One round looks at all of it; what a claim is to become next is in its row, so a restart goes on where it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from random import Random
from typing import Any, Final

from sqlalchemy import Connection

from gate_service.domain.errors import CentralError
from gate_service.domain.ports import Clock
from sync import claim_rows, conflicts
from sync.backoff import full_jitter_s
from sync.central.rest import CentralClient
from sync.central.wire import read_moment
from sync.claim_leases import renew_at_us, used_by
from sync.claim_rows import ClaimRow
from sync.columns import from_us, to_us
from sync.conflicts import Conflict
from sync.database import Database
from sync.statements import run

AT_ONCE: Final = 20
LOOK_EVERY_S: Final = 1.0


class ClaimSettling:
    """Runs as one task; every answer of the centre is written down before the next is asked for."""

    def __init__(self, database: Database, clock: Clock, rng: Random, client: CentralClient) -> None:
        self._database = database
        self._clock = clock
        self._rng = rng
        self._client = client

    async def settle_once(self) -> float:
        """One round: ended passages, then what is due at the centre. Seconds to wait before the next."""
        now_us = to_us(self._clock.now())
        has_ended, due = await self._database.read(lambda c: claim_rows.look(c, now_us, AT_ONCE))
        if has_ended:
            await self._database.write(lambda c: claim_rows.settle_ended(c, now_us, AT_ONCE), is_quiet=True)
            return 0.0
        for state, ask in (("returning", self._give_back), ("granted", self._renew), ("unconfirmed", self._confirm)):
            await asyncio.gather(*(ask(row) for row in due if row.state == state))
        return 0.0 if due else LOOK_EVERY_S

    async def _give_back(self, row: ClaimRow) -> None:
        try:
            await self._client.cancel_claim(row.passage_id)
        except CentralError as error:
            await self._put_off(row, error)
            return
        await self._run(claim_rows.RETURNED, (row.passage_id,))

    async def _renew(self, row: ClaimRow) -> None:
        """The vehicle still stands: ask again as the same passage. What another has taken meanwhile is told."""
        answer = await self._ask(row, row.at_us)
        if answer is None:
            return
        now_us = to_us(self._clock.now())
        if answer["granted"] is True:
            until = read_moment(answer.get("lease_until_at"))
            until_us = None if until is None else to_us(until)
            slips = claim_rows.slips_text(row.slips)
            values = (slips, row.at_us, until_us, renew_at_us(now_us, until_us), row.passage_id)
            await self._run(claim_rows.GRANT, values)
            return
        others = used_by(answer)

        def lost(connection: Connection) -> None:
            run(connection, claim_rows.REFUSE, (str(others)[: claim_rows.LONGEST_REASON], row.passage_id))
            here = {"state": "reserved", "at": from_us(row.at_us).isoformat()}
            for conflict in _conflicts(conflicts.CLAIM_LOST, row, here, others):
                conflicts.note(connection, conflict, now_us)

        await self._database.write(lost, is_quiet=True)

    async def _confirm(self, row: ClaimRow) -> None:
        """It crossed while the centre could not be asked, or after its lease: does the centre know of another use?"""
        used_at_us = await self._database.read(lambda c: claim_rows.crossed_at_us(c, row.passage_id, row.slips))
        answer = await self._ask(row, used_at_us or row.at_us)
        if answer is None:
            return
        now_us = to_us(self._clock.now())
        is_ours, others = answer["granted"] is True, used_by(answer)

        def change(connection: Connection) -> None:
            state = "used" if is_ours else "contested"
            run(connection, claim_rows.SETTLED, (state, row.passage_id, "unconfirmed"))
            if not is_ours:
                here = {"state": "used", "at": from_us(used_at_us or row.at_us).isoformat()}
                for conflict in _conflicts(conflicts.USED_ELSEWHERE, row, here, others):
                    conflicts.note(connection, conflict, now_us)

        await self._database.write(change, is_quiet=True)

    async def _ask(self, row: ClaimRow, at_us: int) -> Mapping[str, Any] | None:
        """Claim again; None where the centre did not answer, and the claim is put off."""
        try:
            return await self._client.claim(row.slips, row.passage_id, row.lane, from_us(at_us))
        except CentralError as error:
            await self._put_off(row, error)
            return None

    async def _put_off(self, row: ClaimRow, error: CentralError) -> None:
        due_at = self._clock.now() + timedelta(seconds=full_jitter_s(row.attempts + 1, self._rng))
        values = (to_us(due_at), str(error)[: claim_rows.LONGEST_REASON], row.passage_id, row.state)
        await self._run(claim_rows.PUT_OFF, values)

    async def _run(self, statement: str, values: tuple[Any, ...]) -> None:
        await self._database.write(lambda connection: run(connection, statement, values).rowcount, is_quiet=True)


def _conflicts(kind: str, row: ClaimRow, here: dict[str, str], others: list[dict[str, str]]) -> list[Conflict]:
    """One for each slip that the centre names; for all of the claim where it names none."""
    named = {other["slip_no"] for other in others if "slip_no" in other} & set(row.slips)
    return [
        Conflict(
            kind,
            slip_no,
            row.passage_id,
            here,
            {"used_by": [other for other in others if other.get("slip_no", slip_no) == slip_no]},
        )
        for slip_no in sorted(named or set(row.slips))
    ]
