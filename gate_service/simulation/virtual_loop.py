"""An event loop whose time is a number: nothing waits, nothing is random, the same calls give the same order.

A `Life` is one run of the service. Ending it is a kill: none of its callbacks runs any more, at whatever await each of
its tasks stood, and nothing is cleaned up. The world around the service runs outside any life and goes on.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from gate_service.domain.errors import SimulationError

log = logging.getLogger(__name__)

START: Final = datetime(2026, 11, 22, 22, 0, tzinfo=UTC)
MONOTONIC_START_S: Final = 1000.0
"""Not zero, so that a stamp of zero shows itself."""

MOST_CLOSINGS: Final = 1000
"""A killed task's clean-up may await again and again; each time it is closed once more."""


@dataclass(eq=False)
class Life:
    """One run of the service, from its start to its kill."""

    is_alive: bool = True
    tasks: list[asyncio.Task[Any]] = field(default_factory=list)
    waiting: list[asyncio.Future[Any]] = field(default_factory=list)
    """Answers that others wait for; a kill ends the waiting."""

    def note(self, task: asyncio.Task[Any]) -> None:
        """Remember a task of this life; those that are done are forgotten."""
        self.tasks.append(task)
        if len(self.tasks) > 400:
            self.tasks = [one for one in self.tasks if not one.done()]


LIFE: contextvars.ContextVar[Life | None] = contextvars.ContextVar("life", default=None)


class _Selector:
    """What the loop waits with: time jumps to the next thing due."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        """Let the time pass that the loop would have waited."""
        if timeout is None:
            raise SimulationError("the simulated site waits for something that will never come")
        if timeout > 0:
            self._loop.jump()
        return []

    def close(self) -> None:
        """Nothing to close."""


class VirtualLoop(asyncio.BaseEventLoop):
    """Threads and sockets do not exist here: what is given to an executor runs at once, in place."""

    _selector: Any

    def __init__(self) -> None:
        super().__init__()
        self._now_s = 0.0
        self._selector = _Selector(self)
        factory: Any = self._make_task  # the base class passes `context` on where there is one
        self.set_task_factory(factory)

    def time(self) -> float:
        """Virtual seconds since the start."""
        return self._now_s

    def jump(self) -> None:
        """To the next thing due."""
        scheduled: list[asyncio.TimerHandle] = getattr(self, "_scheduled")  # noqa: B009 - the base class's own heap
        self._now_s = max(self._now_s, scheduled[0].when())

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        """As the base class; a callback of a life that has ended never runs."""
        context = context or contextvars.copy_context()
        handle = super().call_soon(callback, *args, context=context)
        _drop_if_dead(handle, context)
        return handle

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        """As the base class; a callback of a life that has ended never runs."""
        context = context or contextvars.copy_context()
        handle = super().call_at(when, callback, *args, context=context)
        _drop_if_dead(handle, context)
        return handle

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]  # noqa: ARG002
        """Run it now: a thread would bring its own order."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - root of the call, as an executor's thread is: whoever awaits sees it
            future.set_exception(error)
        return future

    def start_life(self) -> tuple[Life, contextvars.Context]:
        """A new life and the context in which its tasks are to be made."""
        life = Life()
        context = contextvars.copy_context()
        context.run(LIFE.set, life)
        return life, context

    def kill(self, life: Life) -> None:
        """End a life where it stands; what still runs in it is closed without effect."""
        life.is_alive = False
        pending: list[asyncio.Handle] = [*getattr(self, "_ready"), *getattr(self, "_scheduled")]  # noqa: B009 - the base class's own queues
        for handle in pending:
            _drop_if_dead(handle, getattr(handle, "_context"))  # noqa: B009 - no public way to it
        dead = contextvars.copy_context()
        dead.run(LIFE.set, life)
        for task in life.tasks:
            if not task.done():
                setattr(task, "_log_destroy_pending", False)  # noqa: B010 - it is meant to be pending for ever
                dead.run(_close, task.get_coro())
        for answer in life.waiting:
            if not answer.done():
                answer.set_exception(ConnectionError("the service was killed"))

    def _process_events(self, event_list: list[Any]) -> None:
        """No sockets, no events."""

    def _write_to_self(self) -> None:
        """No other thread to wake this one."""

    @staticmethod
    def _make_task(
        loop: asyncio.AbstractEventLoop,
        work: Coroutine[Any, Any, Any],
        context: contextvars.Context | None = None,
    ) -> asyncio.Task[Any]:
        life = LIFE.get() if context is None else context.get(LIFE)
        task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, context=context)
        if life is not None:
            life.note(task)
        return task


def _drop_if_dead(handle: asyncio.Handle, context: contextvars.Context) -> None:
    life = context.get(LIFE)
    if life is not None and not life.is_alive:
        handle.cancel()


def _close(work: Any) -> None:
    for _ in range(MOST_CLOSINGS):
        try:
            work.close()
        except RuntimeError:  # its clean-up awaits something: close it there
            continue
        except Exception as error:  # noqa: BLE001 - root of a killed task: whatever its clean-up says, nobody hears it
            log.debug("clean-up of a killed task: %r", error)
        return


class SimClock:
    """`ports.Clock` on the loop's time. `offset_s` is by how much somebody set the wall clock."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self.offset_s = 0.0

    def now(self) -> datetime:
        """Wall time as this machine believes."""
        return START + timedelta(seconds=self._loop.time() + self.offset_s)

    def true_now(self) -> datetime:
        """Wall time as everybody else has it."""
        return START + timedelta(seconds=self._loop.time())

    def monotonic_s(self) -> float:
        """Never set by anybody."""
        return MONOTONIC_START_S + self._loop.time()

    async def sleep(self, duration_s: float) -> None:
        """Wait on virtual time."""
        await asyncio.sleep(max(0.0, duration_s))


async def within(life: Life, context: contextvars.Context, work: Coroutine[Any, Any, Any]) -> Any:
    """Await work of the service from outside: its answer, its error, or ConnectionError where it was killed."""
    loop = asyncio.get_running_loop()
    if not life.is_alive:
        work.close()
        raise ConnectionError("no service")
    answer: asyncio.Future[Any] = loop.create_future()
    task = loop.create_task(work, context=context)
    outside = contextvars.copy_context()
    task.add_done_callback(lambda done: _pass_on(done, answer), context=outside)
    life.waiting.append(answer)
    try:
        return await answer
    finally:
        life.waiting.remove(answer)


def _pass_on(done: asyncio.Task[Any], answer: asyncio.Future[Any]) -> None:
    if answer.done() or done.cancelled():
        return
    error = done.exception()
    if error is not None:
        answer.set_exception(error)
    else:
        answer.set_result(done.result())
