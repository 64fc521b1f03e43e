"""The keeper's patience, on a clock that jumps."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from itertools import islice

from devices.link_keeper import LinkKeeper, delays_s
from gate_service.domain.errors import LinkLostError


class JumpingClock:
    """Time passes only by sleeping."""

    def __init__(self) -> None:
        self.slept_s: list[float] = []

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic_s(self) -> float:
        return sum(self.slept_s)

    async def sleep(self, duration_s: float) -> None:
        self.slept_s.append(duration_s)
        if len(self.slept_s) >= 6:
            raise asyncio.CancelledError
        await asyncio.sleep(0)


class Link:
    def __init__(self, opens: list[bool], *, proves: bool) -> None:
        self._opens = opens
        self._proves = proves

    async def open(self) -> None:
        if not self._opens.pop(0):
            raise LinkLostError("port: no such device")

    async def wait_lost(self) -> str:
        return "port: unplugged"

    def is_proven(self) -> bool:
        return self._proves


async def run(link: Link) -> tuple[list[float], list[str | None]]:
    clock, heard = JumpingClock(), []
    task = asyncio.create_task(LinkKeeper(link, clock, heard.append).run())
    await asyncio.gather(task, return_exceptions=True)
    return clock.slept_s, heard


def test_waits_double_up_to_two_seconds() -> None:
    assert list(islice(delays_s(), 7)) == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


async def test_a_link_that_does_not_open_is_tried_ever_more_slowly_and_never_given_up() -> None:
    slept_s, heard = await run(Link([False] * 6, proves=False))
    assert slept_s == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0]
    assert set(heard) == {"port: no such device"}


async def test_a_link_that_proved_itself_is_reopened_at_once() -> None:
    slept_s, heard = await run(Link([True] * 6, proves=True))
    assert slept_s == [0.1] * 6
    assert heard[:4] == [None, "port: unplugged", None, "port: unplugged"]


async def test_a_link_that_opens_and_says_nothing_is_not_hammered() -> None:
    slept_s, _ = await run(Link([True] * 6, proves=False))
    assert slept_s[-1] == 2.0
