"""Parts that are left together."""

from __future__ import annotations

import asyncio
from types import TracebackType

import pytest

from gate_service.together import Together


class Part:
    def __init__(self, log: list[str], name: str, *, fails: str = "", waits_for: asyncio.Event | None = None) -> None:
        self.log, self.name, self.fails, self.waits_for = log, name, fails, waits_for

    async def __aenter__(self) -> None:
        if self.fails == "entering":
            raise OSError(self.name)
        self.log.append(f"+{self.name}")

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.waits_for is not None:
            await self.waits_for.wait()
        self.log.append(f"-{self.name}")
        if self.fails == "leaving":
            raise OSError(self.name)


async def test_a_slow_part_keeps_no_other_from_being_left() -> None:
    log: list[str] = []
    gate = asyncio.Event()

    class Opener(Part):
        async def __aexit__(self, *given: object) -> None:
            log.append("-opener")
            gate.set()

    async with asyncio.timeout(15), Together([Opener(log, "opener"), Part(log, "slow", waits_for=gate)]):
        assert log == ["+opener", "+slow"]
    assert log == ["+opener", "+slow", "-opener", "-slow"]


async def test_every_part_is_left_though_one_fails_and_the_failure_is_told() -> None:
    log: list[str] = []
    with pytest.raises(OSError, match="bad"):
        async with Together([Part(log, "bad", fails="leaving"), Part(log, "good")]):
            pass
    assert log[2:] == ["-bad", "-good"]


async def test_what_was_entered_before_a_failure_is_left() -> None:
    log: list[str] = []
    with pytest.raises(OSError, match="bad"):
        async with Together([Part(log, "good"), Part(log, "bad", fails="entering")]):
            raise AssertionError("not entered")
    assert log == ["+good", "-good"]
