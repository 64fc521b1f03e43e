"""Asking an indicator: one question at a time, again when nothing comes, nothing at all while the link is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from devices.weighbridge import protocols
from devices.weighbridge.poller import Poller
from devices.weighbridge.polling import Poll
from gate_service.domain.errors import InputError, LinkLostError
from tests.fakes.moved_clock import MovedClock

POLL = Poll(b"?", period_s=0.25, answer_s=0.3)


class Line:
    def __init__(self) -> None:
        self.clock = MovedClock()
        self.asked_at_s: list[float] = []
        self.quiet = 0
        self.is_lost = False
        self.poller = Poller(POLL, self.write, self.clock, self.fell_quiet)
        self._start_s = self.clock.monotonic_s()

    async def write(self, question: bytes) -> None:
        if self.is_lost:
            raise LinkLostError("port: not open")
        assert question == b"?"
        self.asked_at_s.append(round(self.clock.monotonic_s() - self._start_s, 3))

    def fell_quiet(self) -> None:
        self.quiet += 1

    async def pass_s(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.01)):
            self.clock.move(0.01)
            for _ in range(8):
                await asyncio.sleep(0)


@asynccontextmanager
async def asking() -> AsyncIterator[Line]:
    line = Line()
    task = asyncio.create_task(line.poller.run())
    await line.pass_s(0)
    for _ in range(8):
        await asyncio.sleep(0)
    yield line
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_the_next_question_waits_for_the_answer_and_for_its_time() -> None:
    async with asking() as line:
        await line.pass_s(0.1)
        line.poller.note_answer()
        await line.pass_s(0.3)
        assert line.asked_at_s == pytest.approx([0.0, 0.25], abs=0.02)
        assert line.quiet == 0


async def test_a_question_without_answer_is_asked_again_after_the_quiet() -> None:
    async with asking() as line:
        await line.pass_s(0.7)
        assert line.asked_at_s == pytest.approx([0.0, 0.3, 0.6], abs=0.04)
        assert line.quiet == 2


async def test_bytes_that_still_come_put_the_quiet_off() -> None:
    async with asking() as line:
        for _ in range(10):
            line.poller.note_bytes(line.clock.monotonic_s())
            await line.pass_s(0.1)
        assert line.asked_at_s == [0.0]
        assert line.quiet == 0


async def test_a_lost_link_is_asked_again_when_it_is_back() -> None:
    async with asking() as line:
        line.is_lost = True
        await line.pass_s(2)
        asked = len(line.asked_at_s)
        assert asked == 1
        line.is_lost = False
        await line.pass_s(0.5)
        assert len(line.asked_at_s) > asked


@pytest.mark.parametrize(
    ("name", "options", "question"),
    [
        ("xk3190-command", {"address": "A", "poll": "gross"}, "02 41 42 30 33 03"),  # A9+ p.11, A23p p.26, DS3 p.9
        ("xk3190-command", {"address": "A", "poll": "net"}, "02 41 44 30 35 03"),
        ("mt-sics", {"poll": "SI"}, b"SI\r\n".hex()),
        ("mt-sics", {"poll": "S"}, b"S\r\n".hex()),
        ("sma", {"poll": "W"}, "0a 57 0d"),  # PR5211 p.52
        ("csv", {"poll": "READ"}, b"READ\r\n".hex()),
        ("cardinal", {"poll": "enq"}, "05"),
    ],
)
def test_the_questions_are_those_of_the_manuals(name: str, options: dict[str, str], question: str) -> None:
    poll = protocols.poll_of(name, options)
    assert poll is not None
    assert poll.question == bytes.fromhex(question)


@pytest.mark.parametrize("name", protocols.PROTOCOLS)
def test_nothing_is_asked_unless_the_options_say_so(name: str) -> None:
    assert protocols.poll_of(name) is None


def test_polling_needs_to_know_whom_to_ask() -> None:
    with pytest.raises(InputError, match="address"):
        protocols.poll_of("xk3190-command", {"poll": "gross"})


def test_no_setting_can_send_a_letter_that_zeroes_or_clears() -> None:
    allowed = protocols.PROTOCOLS["xk3190-command"].options["poll"]
    letters = {
        poll.question[2:3]
        for kind in allowed
        if (poll := protocols.poll_of("xk3190-command", {"address": "A", "poll": kind})) is not None
    }
    assert letters == {b"B", b"D"}
