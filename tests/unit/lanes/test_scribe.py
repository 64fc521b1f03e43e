"""A lane's entries reach the record in their order, each once, whatever the record answers."""

from __future__ import annotations

import asyncio

import pytest

from gate_service.domain.errors import LedgerRefusedError, RecordError
from gate_service.domain.record import Entry
from lanes.scribe import TRY_AGAIN_S, Scribe
from tests.fakes.lane_rig import START, VirtualClock


class Record:
    """Takes entries as the real one does: queued with the call, written with what is awaited."""

    def __init__(self) -> None:
        self.answers: list[Exception] = []
        self.written: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()

    def write(self, entry: Entry) -> asyncio.Future[int]:
        if entry.kind == "not json":
            raise TypeError("facts: text keys expected")
        return asyncio.ensure_future(self._write(entry))

    async def _write(self, entry: Entry) -> int:
        await self.gate.wait()
        if self.answers:
            raise self.answers.pop(0)
        self.written.append(entry.kind)
        return len(self.written)


class Desk:
    """A scribe at work."""

    def __init__(self) -> None:
        self.record, self.clock, self.lost = Record(), VirtualClock(), 0
        self.scribe = Scribe(self.record, self.clock, self._on_lost)

    def _on_lost(self) -> None:
        self.lost += 1

    def put(self, kind: str) -> asyncio.Future[int]:
        return self.scribe.put(Entry(kind, START, "service", {}))


@pytest.fixture
async def desk():
    desk = Desk()
    async with desk.scribe:
        yield desk


async def _settle():
    for _ in range(20):
        await asyncio.sleep(0)


async def test_an_entry_with_none_before_it_is_under_way_when_put_returns(desk):
    desk.record.gate.clear()
    first = desk.put("one")
    assert asyncio.all_tasks() - {asyncio.current_task(), desk.scribe._task}  # the record's own, begun by the call
    desk.record.gate.set()
    assert await first == 1


async def test_entries_put_while_one_is_written_follow_in_their_order(desk):
    desk.record.gate.clear()
    waiting = [desk.put(kind) for kind in ("one", "two", "three")]
    await _settle()
    desk.record.gate.set()
    assert await asyncio.gather(*waiting) == [1, 2, 3]
    assert desk.record.written == ["one", "two", "three"]


async def test_what_the_record_does_not_take_now_is_tried_again_before_what_came_after(desk):
    desk.record.answers = [RecordError("disk full")]
    first = desk.put("one")
    await _settle()
    second = desk.put("two")
    await _settle()
    assert desk.record.written == []
    desk.clock.move(TRY_AGAIN_S)
    assert await asyncio.gather(first, second) == [1, 2]
    assert (desk.record.written, desk.lost) == (["one", "two"], 0)


async def test_a_slip_that_another_passage_holds_is_told_and_not_tried_again(desk):
    desk.record.answers = [LedgerRefusedError("held")]
    with pytest.raises(LedgerRefusedError):
        await desk.put("decision")
    assert await desk.put("two") == 1
    assert desk.lost == 0


async def test_an_entry_that_can_never_be_written_is_lost_aloud_and_the_next_one_is_written(desk):
    with pytest.raises(TypeError):
        await desk.put("not json")
    assert await desk.put("two") == 1
    assert desk.lost == 1


async def test_a_stop_writes_what_is_queued(monkeypatch):
    monkeypatch.setattr("lanes.scribe.LAST_WORDS_S", 30.0)
    desk = Desk()
    async with desk.scribe:
        desk.record.gate.clear()
        for kind in ("one", "two"):
            desk.put(kind)
        asyncio.get_running_loop().call_soon(desk.record.gate.set)  # once the stop waits
    assert desk.record.written == ["one", "two"]
