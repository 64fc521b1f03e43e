"""Runs everything that talks outside: copy, outbox, feed, claims. Opens with `async with`; decides nothing.

A fault of a line is the parts' own matter; what reaches this file is a fault of ours, is logged, shown and tried again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from random import Random
from types import TracebackType
from typing import Any, Final, Self

import httpx

from gate_service.domain.ports import Clock
from sync import claim_rows
from sync.authority import AuthorityFeed
from sync.central.rest import CentralClient
from sync.change import SlipCheck
from sync.checkpoints import Checkpoints, Newest
from sync.claim_settling import ClaimSettling
from sync.claims import CentralClaims
from sync.columns import to_us
from sync.conflicts import Conflicts
from sync.database import Database
from sync.delta import DeltaSync
from sync.destination import Resolve, resolve
from sync.journal import SqlJournal
from sync.line import Line
from sync.outbox import Outbox
from sync.pinned_keys import PinnedKeys
from sync.room import DiskRoom
from sync.settings import SyncSettings
from sync.slip_cache import SlipCache
from sync.slip_source import CentralSlipSource
from sync.time_mark import UNKNOWN, TimeMark

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 0.25  # whether anything was committed since: asks no database, and keeps nothing from a decision
LOOK_ANYWAY_S: Final = 5.0  # another process may have written
AFTER_A_FAULT_S: Final = 5.0

Step = Callable[[], Awaitable[float | None]]


@dataclass(frozen=True, slots=True)
class Transports:
    """How both parties are reached; None is the network. Tests and the simulation bring their own."""

    central: httpx.AsyncBaseTransport | None = None
    authority: httpx.AsyncBaseTransport | None = None


class SyncWorker:
    """`slip_source` and `claims` are ready before the tasks run; without a party its tasks are left out."""

    def __init__(
        self,
        settings: SyncSettings,
        database: Database,
        journal: SqlJournal,
        clock: Clock,
        *,
        rng: Random | None = None,
        check_slip: SlipCheck | None = None,
        resolver: Resolve = resolve,
        transports: Transports | None = None,
        newest_checkpoint: Newest = lambda: None,
    ) -> None:
        self._clock = clock
        rng = rng or Random()  # noqa: S311 - spreads retries, hides nothing
        central, authority = settings.central, settings.authority
        transports = transports or Transports()
        self._client = (
            None
            if central is None
            else (CentralClient(central, settings.site_id, clock, Line(clock), transport=transports.central))
        )
        self.cache = SlipCache(database, clock, check_slip)
        self.claims = CentralClaims(database, clock, self._client)
        self.conflicts = Conflicts(database, journal, clock)
        self.room = DiskRoom(database, clock)
        self.pinned_keys = PinnedKeys(clock, settings.slip_keys_file)
        self._database = database
        self.slip_source = CentralSlipSource(
            database,
            self.cache,
            clock,
            client=self._client,
            pinned_keys=self.pinned_keys,
            check_slip=check_slip,
            keeps_vehicles_inside=settings.keeps_vehicles_inside,
            is_second_gate=settings.is_second_gate,
        )
        self.delta: DeltaSync | None = None
        self.outbox: Outbox | None = None
        self.checkpoints: Checkpoints | None = None
        self._settling: ClaimSettling | None = None
        if central is not None and self._client is not None:
            self.delta = DeltaSync(self.cache, self._client, clock, rng, central.poll_wait_s)
            self.outbox = Outbox(database, self._client, clock, rng, central.batch_limit)
            self._settling = ClaimSettling(database, clock, rng, self._client)
            self.checkpoints = Checkpoints(newest_checkpoint, self._client, clock, rng)
        self.feed: AuthorityFeed | None = None
        if authority is not None:
            self.feed = AuthorityFeed(
                authority, settings.site_id, database, clock, rng, resolver=resolver, transport=transports.authority
            )
        self._wakers = {name: asyncio.Event() for name in ("outbox", "feed")}
        self._tasks: list[asyncio.Task[None]] = []
        self._faults: dict[str, str] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        if self._client is not None:
            await self._stack.enter_async_context(self._client)
        self._start("room", self.room.look_once)
        if self.feed is not None:
            await self._stack.enter_async_context(self.feed)
            self._start("feed", self.feed.deliver_once, self._wakers["feed"])
        if self.delta is not None and self.outbox is not None and self._settling is not None:
            self._start("changes", self.delta.sync_once)
            self._start("outbox", self.outbox.deliver_once, self._wakers["outbox"])
            self._start("claims", self._settling.settle_once, self.claims.to_settle)
            self._start("conflicts", self.conflicts.record_once)
            if self.checkpoints is not None:
                self._start("checkpoints", self.checkpoints.send_once)
            self._tasks.append(asyncio.create_task(self._wake_when_up(), name="sync line"))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self.claims.settle()
        await self.slip_source.settle()
        await self._stack.aclose()

    def nudge(self) -> None:
        """There is something new to tell: look now. Not needed, only quicker."""
        for waker in self._wakers.values():
            waker.set()

    @property
    def central_line(self) -> Line | None:
        """Health of the line to the central system."""
        return None if self._client is None else self._client.line

    def clock_error_s(self) -> int | None:
        """By how much the wall clock may be wrong; None without a centre or before its first answer."""
        return None if self._client is None else self._client.clock_trust.error_bound_s()

    def time_mark(self) -> TimeMark:
        """How far the wall clock can be trusted by what the centre says of the time."""
        return UNKNOWN if self._client is None else self._client.clock_trust.mark()

    async def send_again(self, queue: str, event_ids: Sequence[str] | None) -> int:
        """Take parked events of `outbox` or `feed` up again, None for all of them; answers how many."""
        party = {"outbox": self.outbox, "feed": self.feed}[queue]
        taken = 0 if party is None else await party.send_again(event_ids)
        self.nudge()
        return taken

    async def parked(self, queue: str, limit: int = 100) -> list[dict[str, Any]]:
        """Parked events of `outbox` or `feed` with their reasons."""
        party = {"outbox": self.outbox, "feed": self.feed}[queue]
        return [] if party is None else await party.parked(limit)

    async def status(self) -> dict[str, Any]:
        """For `/api/v1/sync`: lines, ages, depths, parked, rejected, and faults of our own."""
        line = self.central_line
        return {
            "clock": None if self._client is None else self._client.clock_trust.status(),
            "central": {"line": "absent"} if line is None else line.status(),
            "copy": None if self.delta is None else await self.delta.status(),
            "outbox": None if self.outbox is None else await self.outbox.status(),
            "claims": await self._database.read(lambda c: claim_rows.counts(c, to_us(self._clock.now()))),
            "conflicts": {"open": await self.conflicts.open_count()},
            "slip_keys": self.pinned_keys.status(),
            "room": self.room.status(),
            "checkpoints": None if self.checkpoints is None else self.checkpoints.status(),
            "authority": {"line": "absent"} if self.feed is None else await self.feed.status(),
            "rejected": await self.cache.rejected(20),
            "faults": dict(self._faults),
        }

    def _start(self, name: str, step: Step, waker: asyncio.Event | None = None) -> None:
        self._tasks.append(asyncio.create_task(self._keep_going(name, step, waker), name=f"sync {name}"))

    async def _keep_going(self, name: str, step: Step, waker: asyncio.Event | None) -> None:
        """Step after step for ever."""
        while True:
            if waker is not None:
                waker.clear()
            commits = self._database.commits  # before the step: what is committed meanwhile is new to the next
            try:
                delay_s = await step()
                self._faults.pop(name, None)
            except Exception as error:  # the root of this task: one fault must not silence a line for ever
                log.exception("sync %s: fault of our own, tried again", name)
                self._faults[name] = f"{type(error).__name__}: {error}"
                delay_s = AFTER_A_FAULT_S
            if waker is None and delay_s is not None:
                await self._nap(delay_s, None)
            else:  # what waits for its time must not hide what is new
                await self._rest(LOOK_ANYWAY_S if delay_s is None else delay_s, waker, commits)

    async def _rest(self, delay_s: float, waker: asyncio.Event | None, commits: int) -> None:
        """Wait, or less where somebody nudges or something is committed; the step knows what it still has to wait for.

        A step reads in a thread beside the lanes. A vehicle that comes to rest writes nothing, so few then run.
        """
        left_s, is_new = delay_s, False
        while not is_new:
            nap_s = min(left_s, LOOK_EVERY_S)
            await self._nap(nap_s, waker)
            left_s -= nap_s
            is_new = left_s <= 0 or self._database.commits != commits or (waker is not None and waker.is_set())

    async def _nap(self, delay_s: float, waker: asyncio.Event | None) -> None:
        sleeping = asyncio.create_task(self._clock.sleep(delay_s), name="sync rest")
        woken = None if waker is None else asyncio.create_task(waker.wait(), name="sync waker")
        waiting = {sleeping} | ({woken} if woken else set())
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()

    async def _wake_when_up(self) -> None:
        """The line to the centre is back: what waits for it is tried at once."""
        assert self._client is not None
        while True:
            await self._client.line.came_up.wait()
            self._client.line.came_up.clear()
            if self.outbox is not None:
                self.outbox.line_is_back()
            self._wakers["outbox"].set()
            self.claims.to_settle.set()
