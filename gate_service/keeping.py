"""Work that the service does by itself beside the lanes, step after step: nothing waits for it, nothing ends it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Self

from gate_service.domain.ports import Clock

log = logging.getLogger(__name__)

AFTER_A_FAULT_S: Final = 10.0
Step = Callable[[], Awaitable[float]]
"""Does a piece of work; answers how many seconds the next one may wait."""


class Keeper:
    """`async with` runs every step in a task of its own."""

    def __init__(self, clock: Clock, steps: Mapping[str, Step]) -> None:
        self._clock = clock
        self._steps = steps
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._go(name, step), name=name) for name, step in self._steps.items()]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _go(self, name: str, step: Step) -> None:
        while True:
            try:
                delay_s = await step()
            except Exception:  # the root of this task: one fault must not end the work for ever
                log.exception("%s: fault of our own, tried again", name)
                delay_s = AFTER_A_FAULT_S
            await self._clock.sleep(delay_s)
