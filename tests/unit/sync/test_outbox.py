"""The classes of fault, each by what it does to the waiting events; a scripted centre, a clock in hand."""

import json
from random import Random

import pytest

from gate_service.domain.errors import (
    CentralBusyError,
    CentralError,
    CentralRefusedError,
    CentralUnauthorizedError,
    CentralUnreachableError,
)
from gate_service.domain.events import EventType
from gate_service.domain.record import Entry
from sync.central.wire import EventsAnswer, RejectedEvent
from sync.database import Database, DatabaseSettings
from sync.journal import SqlJournal
from sync.line import Line
from sync.outbox import Outbox
from tests.fakes.moved_clock import MovedClock
from tests.fakes.record_entries import START, decision, event, passage_id

ALL = EventsAnswer(((1, 10**9),), ())


class ScriptedCentre:
    """`CentralClient` as far as events go."""

    def __init__(self, clock):
        self.events_line = Line(clock, is_asked_always=False)
        self.script = []
        self.bodies = []

    async def post_events(self, body):
        self.bodies.append(json.loads(body))
        answer = self.script.pop(0) if self.script else ALL
        if isinstance(answer, Exception):
            raise answer
        return answer

    def sizes(self):
        return [len(body["events"]) for body in self.bodies]


class Rig:
    def __init__(self, database, journal, clock):
        self.database, self.journal, self.clock = database, journal, clock
        self.centre = ScriptedCentre(clock)
        self.outbox = Outbox(database, self.centre, clock, Random(1), batch_limit=100)

    async def states(self):
        return await self.database.read(
            lambda c: [row[0] for row in c.exec_driver_sql("SELECT state FROM outbox ORDER BY seq")]
        )


@pytest.fixture
async def rig(tmp_path):
    clock = MovedClock()
    async with (
        Database(DatabaseSettings(tmp_path, reserve_bytes=0)) as database,
        SqlJournal(database, "K1", clock) as journal,
    ):
        yield Rig(database, journal, clock)


async def test_nothing_waiting_asks_nobody(rig):
    assert await rig.outbox.deliver_once() is None
    assert rig.centre.bodies == []


async def test_an_event_is_marked_only_after_the_answer(rig):
    await rig.journal.write(decision(1))
    rig.centre.script = [CentralUnreachableError("answer lost")]
    delay_s = await rig.outbox.deliver_once()
    assert delay_s > 0
    assert await rig.states() == ["due", "due"]
    assert await rig.outbox.deliver_once() == pytest.approx(delay_s)
    assert len(rig.centre.bodies) == 1
    rig.clock.move(delay_s)
    assert await rig.outbox.deliver_once() == 0
    assert await rig.states() == ["delivered", "delivered"]
    assert rig.centre.bodies[0] == rig.centre.bodies[1]


@pytest.mark.parametrize(
    "error",
    [
        CentralUnreachableError("reset"),
        CentralUnauthorizedError("401"),
        CentralError("junk"),
        CentralRefusedError("404", 404),
        CentralBusyError("429"),
        EventsAnswer((), ()),
    ],
    ids=str,
)
async def test_a_fault_of_the_line_is_tried_for_a_month_and_parks_nothing(rig, error):
    await rig.journal.write(decision(1))
    rig.centre.script = [error] * 300
    for _ in range(300):
        delay_s = await rig.outbox.deliver_once()
        assert 0 < delay_s <= 10
        rig.clock.move(8640)
    assert await rig.states() == ["due", "due"]
    assert (await rig.outbox.status())["alarm"] is True
    assert await rig.outbox.deliver_once() == 0
    assert await rig.states() == ["delivered", "delivered"]


async def test_a_wish_to_wait_is_honoured_even_when_the_line_comes_back(rig):
    await rig.journal.write(decision(1))
    rig.centre.script = [CentralBusyError("429", 60.0)]
    assert await rig.outbox.deliver_once() >= 60
    rig.outbox.line_is_back()
    assert await rig.outbox.deliver_once() == pytest.approx(60)


async def test_after_a_fault_the_line_coming_back_ends_the_wait(rig):
    await rig.journal.write(decision(1))
    rig.centre.script = [CentralUnreachableError("reset")]
    assert await rig.outbox.deliver_once() > 0
    rig.outbox.line_is_back()
    assert await rig.outbox.deliver_once() == 0


async def test_a_rejected_event_is_parked_with_its_reason_and_the_rest_goes_on(rig):
    await rig.journal.write(decision(1))
    bad = str(decision(1).events[0].id)
    rig.centre.script = [EventsAnswer(((2, 2),), (RejectedEvent(bad, "input_invalid", "no such lane"),))]
    assert await rig.outbox.deliver_once() == 0
    assert await rig.states() == ["parked", "delivered"]
    (row,) = await rig.outbox.parked()
    assert row["reason"] == "input_invalid: no such lane"
    assert row["passage_id"] == passage_id(1)
    assert await rig.outbox.send_again([bad, "unknown"]) == 1
    assert await rig.outbox.deliver_once() == 0
    assert await rig.states() == ["delivered", "delivered"]


@pytest.mark.parametrize(
    ("code", "expected"), [("", "delivered"), ("already_there", "delivered"), ("conflict", "parked")]
)
async def test_409_of_one_event_is_there_already_unless_it_says_conflict(rig, code, expected):
    await rig.journal.write(decision(1))
    refused = CentralRefusedError("409", 409, code)
    rig.centre.script = [refused, refused]
    for _ in range(3):
        assert await rig.outbox.deliver_once() == 0
    assert rig.centre.sizes() == [2, 1, 1]
    assert await rig.states() == [expected, "delivered"]


async def test_the_newest_passage_is_told_before_the_backlog(rig):
    for i in range(1, 100):
        await rig.journal.write(decision(i))
    rig.outbox._limit.now = 2
    assert await rig.outbox.deliver_once() == 0
    assert [event["seq"] for event in rig.centre.bodies[0]["events"]] == [197, 198]


async def test_what_needs_a_parked_event_waits_for_it_and_goes_when_it_went(rig):
    at = START
    kinds = (EventType.PASSAGE_DECIDED, EventType.PASSAGE_OVERRIDDEN, EventType.PASSAGE_RELEASED)
    events = tuple(event(1, kind) for kind in kinds)
    await rig.journal.write(Entry("decision", at, "service", {}, events=events))
    bad = str(events[0].id)
    rig.centre.script = [EventsAnswer(((2, 2), (3, 3)), (RejectedEvent(bad, "no", "no"),))]
    rig.centre.script[0] = EventsAnswer(((3, 3),), (RejectedEvent(bad, "no", "no"),))
    assert await rig.outbox.deliver_once() == 0
    assert await rig.states() == ["parked", "due", "delivered"]
    assert await rig.outbox.deliver_once() is None
    assert (await rig.outbox.status())["held"] == 1
    assert len(rig.centre.bodies) == 1
    assert await rig.outbox.send_again(None) == 1
    assert await rig.outbox.deliver_once() == 0
    assert await rig.states() == ["delivered"] * 3


async def test_a_window_full_of_waiting_dependents_does_not_hide_what_may_go(rig):
    rig.outbox._limit.largest = rig.outbox._limit.now = 5
    for i in range(1, 4):
        await rig.journal.write(Entry("note", START, "service", {}, events=(event(i, EventType.PASSAGE_RELEASED),)))
    for i in range(10, 30):
        pair = (event(i, EventType.PASSAGE_DECIDED), event(i, EventType.PASSAGE_OVERRIDDEN))
        await rig.journal.write(Entry("decision", START, "service", {}, events=pair))
    await rig.database.write(
        lambda c: c.exec_driver_sql("UPDATE outbox SET state = 'parked' WHERE type = 'passage.decided'").close()
    )
    while await rig.outbox.deliver_once() == 0:
        pass
    assert (await rig.states()).count("delivered") == 3
    assert (await rig.outbox.status())["held"] == 20


async def test_ten_seconds_without_an_acknowledgement_are_an_alarm_whatever_the_line_says(rig):
    await rig.journal.write(decision(1))
    rig.centre.script = [CentralBusyError("wait", 3600.0)]
    await rig.outbox.deliver_once()
    rig.centre.events_line.answered()  # the line itself is fine
    assert (await rig.outbox.status())["alarm"] is False
    rig.clock.move(11)
    status = await rig.outbox.status()
    assert (status["alarm"], status["unacknowledged_s"], status["line"]) == (True, 11.0, "up")


async def test_a_way_that_nobody_uses_is_idle_and_no_fault(rig):
    status = await rig.outbox.status()
    assert (status["line"], status["alarm"], status["reason"]) == ("idle", False, None)
    rig.centre.events_line.answered()
    rig.clock.move(3600)
    assert (await rig.outbox.status())["line"] == "up"
