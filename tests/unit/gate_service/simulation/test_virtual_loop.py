"""The loop of the simulation: time jumps, a kill leaves nothing behind, and standing still is said."""

import asyncio

import pytest

from gate_service.domain.errors import SimulationError
from gate_service.simulation.virtual_loop import SimClock, VirtualLoop, within


def _run(work):
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(work(loop))
    finally:
        loop.close()


def test_an_hour_passes_at_once():
    async def work(loop):
        await asyncio.sleep(3600)
        return loop.time()

    assert _run(work) == 3600


def test_waiting_for_what_never_comes_is_an_error_not_a_hang():
    async def work(loop):
        await loop.create_future()

    with pytest.raises(SimulationError):
        _run(work)


def test_a_killed_task_does_nothing_more_not_even_its_clean_up():
    done = []

    async def serve():
        try:
            while True:
                await asyncio.sleep(1)
                done.append("tick")
        finally:
            await asyncio.sleep(1)
            done.append("cleaned up")

    async def work(loop):
        life, context = loop.start_life()
        loop.create_task(serve(), context=context)
        await asyncio.sleep(2.5)
        loop.kill(life)
        await asyncio.sleep(100)

    _run(work)
    assert done == ["tick", "tick"]


def test_what_a_killed_task_started_is_killed_with_it():
    done = []

    async def child():
        await asyncio.sleep(5)
        done.append("child")

    async def serve():
        asyncio.get_running_loop().call_later(4, done.append, "timer")
        await asyncio.gather(child())

    async def work(loop):
        life, context = loop.start_life()
        loop.create_task(serve(), context=context)
        await asyncio.sleep(1)
        loop.kill(life)
        await asyncio.sleep(100)

    _run(work)
    assert done == []


def test_who_waits_from_outside_learns_of_the_kill():
    async def answer():
        await asyncio.sleep(10)

    async def work(loop):
        life, context = loop.start_life()
        loop.call_later(1, loop.kill, life)
        with pytest.raises(ConnectionError):
            await within(life, context, answer())
        with pytest.raises(ConnectionError):
            await within(life, context, answer())

    _run(work)


def test_a_clock_that_is_set_changes_the_wall_and_not_the_durations():
    async def work(loop):
        clock = SimClock(loop)
        before, before_s = clock.now(), clock.monotonic_s()
        clock.offset_s = -100.0
        await clock.sleep(10)
        return (clock.now() - before).total_seconds(), clock.monotonic_s() - before_s

    assert _run(work) == (-90.0, 10.0)
