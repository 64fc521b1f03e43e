"""When the tasks of the worker look for something new: nudged, after a commit, when it is time, and not otherwise."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from sync.settings import SyncSettings
from sync.worker import LOOK_ANYWAY_S, LOOK_EVERY_S, SyncWorker
from tests.fakes.moved_clock import MovedClock


class Commits:
    """`Database` as far as a resting task looks at it."""

    def __init__(self) -> None:
        self.commits = 0


class Rig:
    def __init__(self) -> None:
        self.database, self.clock = Commits(), MovedClock()
        self.worker = SyncWorker(SyncSettings("K1", None, None), self.database, None, self.clock)
        self.looks = 0
        self.answers = None
        self.during = lambda: None

    async def step(self):
        self.looks += 1
        self.during()
        return self.answers

    @asynccontextmanager
    async def going(self, waker=None):
        task = asyncio.create_task(self.worker._keep_going("step", self.step, waker))
        await self.turn()
        assert self.looks == 1 or self.answers == 0.0
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def turn(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)

    async def let_pass(self, seconds) -> int:
        """Looks taken meanwhile."""
        before = self.looks
        for _ in range(round(seconds / LOOK_EVERY_S)):
            self.clock.move(LOOK_EVERY_S)
            await self.turn()
        return self.looks - before


@pytest.fixture
def rig():
    return Rig()


async def test_while_nothing_is_committed_nothing_is_looked_for_but_now_and_then(rig):
    async with rig.going():
        assert await rig.let_pass(LOOK_ANYWAY_S - LOOK_EVERY_S) == 0
        assert await rig.let_pass(2 * LOOK_EVERY_S) == 1


async def test_a_commit_is_looked_at_within_a_quarter_of_a_second(rig):
    async with rig.going(asyncio.Event()):
        rig.database.commits += 1
        assert await rig.let_pass(LOOK_EVERY_S) == 1
        assert await rig.let_pass(1) == 0


async def test_what_is_committed_during_a_look_is_looked_at_again(rig):
    def commit():
        rig.database.commits += rig.looks == 1

    rig.during = commit
    async with rig.going():
        assert await rig.let_pass(1) == 1


async def test_a_nudge_needs_no_time_to_pass(rig):
    waker = asyncio.Event()
    async with rig.going(waker):
        waker.set()
        await rig.turn()
        assert rig.looks == 2


async def test_what_waits_for_its_time_does_not_hide_what_is_new(rig):
    rig.answers = 20.0
    async with rig.going(asyncio.Event()):
        assert await rig.let_pass(10) == 0
        rig.database.commits += 1
        assert await rig.let_pass(LOOK_EVERY_S) == 1
        assert await rig.let_pass(21) == 1


async def test_a_step_that_goes_on_at_once_needs_no_time_to_pass(rig):
    rig.answers = 0.0
    async with rig.going(asyncio.Event()):
        await rig.turn()
        assert rig.looks > 1


async def test_a_step_that_nobody_nudges_and_that_names_its_time_keeps_to_it(rig):
    rig.answers = 3.0
    async with rig.going():
        rig.database.commits += 1
        assert await rig.let_pass(2) == 0
        assert await rig.let_pass(1) == 1
