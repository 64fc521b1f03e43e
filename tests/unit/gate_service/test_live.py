"""Who watches the lanes hears of what looks different, at once and not of anything else."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

from gate_service.domain.mass import Mass
from gate_service.domain.reading import (
    BoomPosition,
    Detector,
    LaneInputs,
    Presence,
    Reading,
    Side,
    StabilityFrom,
    WeightStatus,
)
from gate_service.live import Eye, Watchers

AT = datetime(2026, 11, 22, tzinfo=UTC)
READING = Reading(WeightStatus.OK, Mass(20_000), True, StabilityFrom.COMPUTED, None, None, b"", AT, 0.0)
INPUTS = LaneInputs({Detector.APPROACH: Presence.CLEAR}, {Side.EXIT: BoomPosition.DOWN}, False, AT, 0.0)


def test_a_weight_or_an_input_that_looks_different_is_told_and_a_repetition_is_not() -> None:
    told: list[int] = []
    eye = Eye(lambda: told.append(1))
    for reading in (READING, replace(READING, taken_monotonic_s=0.1), replace(READING, value=Mass(40_000))):
        eye.weight_read(reading)
    assert len(told) == 2
    eye.weight_read(replace(READING, value=Mass(40_000), is_stable=False))
    assert len(told) == 3
    for inputs in (INPUTS, replace(INPUTS, taken_monotonic_s=0.1)):
        eye.inputs_read(inputs)
    assert len(told) == 4
    eye.inputs_read(replace(INPUTS, booms={Side.EXIT: BoomPosition.MOVING}))
    eye.inputs_read(replace(INPUTS, booms={Side.EXIT: BoomPosition.UP}))
    assert len(told) == 6


async def test_a_slow_watcher_gets_each_lane_as_it_is_now_and_never_a_backlog() -> None:
    seen = {"a": 0, "b": 0}
    watchers = Watchers(["a", "b"], lambda lane: {"id": lane, "seen": seen[lane]})
    async with asyncio.timeout(15), watchers.subscribe() as snapshots:
        assert [(await anext(snapshots))["id"] for _ in "ab"] == ["a", "b"]
        for _ in range(50):
            seen["b"] += 1
            watchers.changed("b")
        assert await anext(snapshots) == {"id": "b", "seen": 50}


async def test_a_watcher_that_is_cancelled_as_something_changes_ends() -> None:
    """`asyncio.wait_for` of Python 3.11 may lose a cancellation that meets its result: a stop then never ended."""
    for ticks in range(6):
        watchers = Watchers(["a"], lambda lane: {"id": lane})

        async def watch(watchers: Watchers = watchers) -> None:
            async with watchers.subscribe() as snapshots:
                async for _ in snapshots:
                    pass

        task = asyncio.create_task(watch())
        await asyncio.sleep(0.15)  # past the first snapshot and the pause after it: now it waits for a change
        watchers.changed("a")
        for _ in range(ticks):
            await asyncio.sleep(0)
        task.cancel()
        ended, _ = await asyncio.wait({task}, timeout=15)
        assert ended == {task}, f"cancelled {ticks} ticks after the change, and still watching"
