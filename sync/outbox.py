"""Tells the central system what happened: at least once, for ever, and noted only after its answer."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from random import Random
from typing import Any, Final

from gate_service.domain.errors import (
    CentralBusyError,
    CentralError,
    CentralRefusedError,
    CentralUnauthorizedError,
)
from gate_service.domain.ports import Clock
from sync import queue_rows
from sync.backoff import full_jitter_s
from sync.batching import BatchLimit, Settlement, Waiting, batch_body, choose_batch, settle
from sync.central.rest import CentralClient
from sync.columns import to_us
from sync.database import Database
from sync.dependence import Parked, apart
from sync.line import QUIET_LIMIT_S

log = logging.getLogger(__name__)

ALREADY_THERE: Final = 409
OF_THE_ADDRESS: Final = (404, 405)
"""The address is wrong or being moved, not an event: kept and tried again, like a fault of the line."""


class Outbox:
    """Delivers the outbox batch by batch, one batch at a time."""

    def __init__(
        self, database: Database, client: CentralClient, clock: Clock, rng: Random, batch_limit: int = 500
    ) -> None:
        self._database = database
        self._client = client
        self._clock = clock
        self._rng = rng
        self._limit = BatchLimit(batch_limit)
        self._failures = 0
        self._hold_until_s = 0.0
        self._is_wish = False
        self._unacknowledged_since_s: float | None = None
        self._parked: list[Parked] | None = None
        self._held = 0
        self.last_ack_at: str | None = None

    async def deliver_once(self) -> float | None:
        """One batch. Seconds to wait before the next; 0 to go on at once, None when nothing waits."""
        hold_s = self._hold_until_s - self._clock.monotonic_s()
        if hold_s > 0:
            return hold_s
        limit = self._limit.now
        batch = choose_batch(await self._sendable(limit), limit)
        if not batch:
            self._unacknowledged_since_s = None
            return None
        if self._unacknowledged_since_s is None:
            self._unacknowledged_since_s = self._clock.monotonic_s()
        try:
            answer = await self._client.post_events(batch_body(batch))
        except CentralRefusedError as error:
            if error.status in OF_THE_ADDRESS:
                return self._wait(error)
            return await self._refused(batch, error)
        except CentralError as error:
            return self._wait(error)
        settlement = settle(batch, answer)
        await self._note(settlement)
        self._limit.went_through()
        if settlement.open and not (settlement.delivered or settlement.parked):
            return self._wait(CentralError(f"events: {len(batch)} sent, none accepted or rejected"))
        self._failures = 0
        return 0.0

    async def _sendable(self, limit: int) -> list[Waiting]:
        """The newest that wait, without those that need a parked one; further back where all of the newest do."""
        if self._parked is None:
            self._parked = await self._database.read(queue_rows.parked_needed)
        parked, window = self._parked, limit
        while True:
            window += self._held
            waiting = await self._database.read(partial(queue_rows.waiting_newest, limit=window))
            free, self._held = apart(waiting, parked)
            if free or self._held < window:
                return free

    async def send_again(self, event_ids: Sequence[str] | None) -> int:
        """Take parked events up again; None for all of them."""
        now_us = to_us(self._clock.now())
        self._parked = None
        return await self._database.write(lambda c: queue_rows.send_again(c, "outbox", event_ids, now_us))

    async def parked(self, limit: int = 100) -> list[dict[str, Any]]:
        """Parked events with their reasons."""
        return await self._database.read(lambda connection: queue_rows.parked(connection, "outbox", limit))

    async def status(self) -> dict[str, Any]:
        """For `/api/v1/sync`."""
        depth = await self._database.read(lambda connection: queue_rows.depth(connection, "outbox"))
        line = self._client.events_line.status()
        unheard_s = self._unacknowledged_s()
        is_unheard = unheard_s is not None and unheard_s > QUIET_LIMIT_S
        alarm = depth["parked"] > 0 or is_unheard or (depth["due"] > 0 and line["line"] == "down")
        return {
            **depth,
            **line,
            "held": self._held,
            "last_ack_at": self.last_ack_at,
            "unacknowledged_s": None if unheard_s is None else round(unheard_s, 1),
            "batch_limit": self._limit.now,
            "alarm": alarm,
        }

    def line_is_back(self) -> None:
        """Others reach the centre again: no reason to wait, unless the centre itself asked to."""
        if not self._is_wish:
            self._failures, self._hold_until_s = 0, 0.0

    def _unacknowledged_s(self) -> float | None:
        """The line's health: how long something was sent without an acknowledgement; None while nothing waits."""
        since_s = self._unacknowledged_since_s
        return None if since_s is None else self._clock.monotonic_s() - since_s

    async def _refused(self, batch: list[Waiting], error: CentralRefusedError) -> float:
        """The whole batch was refused: look for the one, then park it (or note it, where it is there already)."""
        if len(batch) > 1:
            self._limit.refused(len(batch))
            return 0.0
        if error.status == ALREADY_THERE and error.problem_code != "conflict":
            await self._note(Settlement(delivered=tuple(batch)))
        else:
            await self._note(Settlement(parked=((batch[0], str(error)),)))
        self._limit.went_through()
        return 0.0

    async def _note(self, settlement: Settlement) -> None:
        now = self._clock.now()
        delivered = [(event.epoch, event.seq) for event in settlement.delivered]
        parked = [(event.epoch, event.seq, reason) for event, reason in settlement.parked]

        def change(connection: Any) -> None:
            queue_rows.mark_delivered(connection, "outbox", delivered, to_us(now))
            queue_rows.mark_parked(connection, "outbox", parked)

        if delivered or parked:
            await self._database.write(change)
        if delivered:
            self.last_ack_at = now.isoformat()
            self._unacknowledged_since_s = None
        if parked:
            self._parked = None
        for event, reason in settlement.parked:
            log.error("outbox: event %s (seq %d) parked: %s", event.event_id, event.seq, reason)

    def _wait(self, error: CentralError) -> float:
        """Seconds until the next attempt; nothing is ever given up for a fault of the line."""
        self._failures += 1
        self._client.events_line.failed(str(error))
        delay_s = full_jitter_s(self._failures, self._rng)
        self._is_wish = isinstance(error, CentralBusyError) and error.retry_after_s is not None
        if isinstance(error, CentralBusyError) and error.retry_after_s is not None:
            delay_s = max(delay_s, error.retry_after_s)
        if isinstance(error, CentralUnauthorizedError):
            log.warning("outbox: %s", error)
        self._hold_until_s = self._clock.monotonic_s() + delay_s
        return delay_s
