"""Booms on a link that is lost: each failure is told once, and nothing is tried again by itself."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gate_service.domain.errors import LinkLostError, NotSentError
from gate_service.domain.reading import BoomPosition, Side
from lanes.booms import Booms


class LostBarrier:
    """Nothing that is asked of it can be sent."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def position(self) -> BoomPosition:
        return BoomPosition.UNKNOWN

    def expect_raise(self) -> None:
        self.asked.append("expect")

    async def raise_boom(self) -> None:
        await self._fail("raise")

    async def lower_boom(self, forbidden_by: Any = None) -> None:
        await self._fail("lower")

    async def stop_boom(self) -> None:
        await self._fail("stop")

    async def hold_open(self) -> None:
        await self._fail("hold")

    async def _fail(self, asked: str) -> None:
        self.asked.append(asked)
        raise LinkLostError("nothing was sent")


@pytest.fixture
def lost():
    """Booms whose failures take back every lowering, as a lane does on its way to FAULT; and what was told."""
    barrier, told = LostBarrier(), []

    def failed(side: Side, message: str) -> None:
        told.append((side, message))
        booms.forget_lowering()

    booms = Booms({Side.EXIT: barrier}, failed)
    return booms, barrier, told


async def _settle():
    for _ in range(50):
        await asyncio.sleep(0)


async def test_a_raise_on_a_lost_link_fails_once_and_stops_nothing(lost):
    booms, barrier, told = lost
    booms.raise_boom(Side.EXIT)
    await _settle()
    assert barrier.asked == ["raise"]
    assert told == [(Side.EXIT, "nothing was sent")]


async def test_a_lowering_that_is_taken_back_is_stopped_once_even_where_the_stop_fails(lost):
    booms, barrier, told = lost
    booms.intend_lowering(Side.EXIT)
    booms.lower_where_allowed({Side.EXIT: BoomPosition.UP}, lambda _: None)
    booms.forget_lowering()
    await _settle()
    assert barrier.asked == ["stop"]
    assert len(told) == 1


async def test_after_a_failure_a_person_can_raise_again(lost):
    booms, barrier, _ = lost
    booms.raise_boom(Side.EXIT)
    await _settle()
    booms.raise_boom(Side.EXIT)
    await _settle()
    assert barrier.asked == ["raise", "raise"]


class LateBarrier(LostBarrier):
    """What is asked of it leaves only if it is still allowed then; it has gone down after."""

    async def lower_boom(self, forbidden_by: Any = None) -> None:
        await asyncio.sleep(0)
        why = forbidden_by()
        self.asked.append("lower" if why is None else why)
        if why is not None:
            raise NotSentError(why)


async def test_a_lowering_forbidden_in_the_last_moment_is_no_failure_and_comes_when_it_may() -> None:
    barrier, told, seen = LateBarrier(), [], {"why": None}
    booms = Booms({Side.EXIT: barrier}, lambda *what: told.append(what))
    at = {Side.EXIT: BoomPosition.UP}
    booms.intend_lowering(Side.EXIT)
    booms.lower_where_allowed(at, lambda _: seen["why"])
    seen["why"] = "exit_loop is occupied"
    await _settle()
    booms.lower_where_allowed(at, lambda _: seen["why"])
    await _settle()
    assert (barrier.asked, told) == (["exit_loop is occupied"], [])
    seen["why"] = None
    booms.lower_where_allowed(at, lambda _: seen["why"])
    await _settle()
    assert barrier.asked == ["exit_loop is occupied", "lower"]


class HeldBarrier(LostBarrier):
    """Takes everything."""

    async def _fail(self, asked: str) -> None:
        self.asked.append(asked)


async def test_a_boom_held_open_is_let_go_when_a_lowering_is_intended_and_can_be_held_again() -> None:
    barrier = HeldBarrier()
    booms = Booms({Side.EXIT: barrier}, lambda *_: None)
    booms.raise_boom(Side.EXIT, is_held=True)
    await _settle()
    booms.raise_boom(Side.EXIT, is_held=True)  # a second fire engine: the barrier knows that it holds
    await _settle()
    assert barrier.asked == ["hold", "hold"]
    booms.intend_lowering(Side.EXIT)
    await _settle()
    assert barrier.asked[2:] == ["stop"]
    booms.intend_lowering(Side.EXIT)
    await _settle()
    assert barrier.asked[3:] == []


async def test_an_emergency_holds_open_a_boom_that_is_already_on_its_way_up() -> None:
    barrier = HeldBarrier()
    booms = Booms({Side.EXIT: barrier}, lambda *_: None)
    booms.raise_boom(Side.EXIT)
    booms.raise_boom(Side.EXIT, is_held=True)
    await _settle()
    assert barrier.asked[-1] == "hold"


async def test_a_hold_that_failed_can_be_asked_again(lost):
    booms, barrier, told = lost
    for _ in range(2):
        booms.raise_boom(Side.EXIT, is_held=True)
        await _settle()
    assert barrier.asked == ["hold", "hold"]
    assert len(told) == 2
