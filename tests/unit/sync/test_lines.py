"""Waiting, wishes to wait, and when a line counts as down."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from gate_service.domain.errors import CentralError
from sync.backoff import LONGEST_WISH_S, full_jitter_s, retry_after_s, scheduled_s
from sync.central.wire import read_changes, read_events_answer, read_moment, read_problem_code
from sync.line import Line
from tests.fakes.moved_clock import MovedClock

NOW = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)


def test_the_wait_grows_to_its_cap_and_is_spread_over_the_whole_range():
    rng = Random(7)
    waits = [full_jitter_s(failures, rng, base_s=1, cap_s=10) for failures in (1, 3, 50, 10**6) for _ in range(200)]
    assert max(waits[:200]) <= 2
    assert min(waits) >= 0.05
    assert 9 < max(waits[400:]) <= 10
    assert min(waits[400:]) < 1


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("0", 0.0),
        (" 30 ", 30.0),
        ("99999999999999", LONGEST_WISH_S),
        ("-5", None),
        ("soon", None),
        ("٣", None),
        ("Sun, 01 Nov 2026 08:00:10 GMT", 10.0),
        ("Sun, 01 Nov 2026 07:00:00 GMT", 0.0),
        ("Sun, 01 Nov 2026 08:00:10", 10.0),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_never_beyond_bounds(header, expected):
    assert retry_after_s(header, NOW) == expected


def test_a_schedule_ends():
    assert [scheduled_s(n, (0.0, 5.0)) for n in range(3)] == [0.0, 5.0, None]


def test_a_line_is_down_before_the_first_answer_after_a_failure_and_after_ten_silent_seconds():
    clock = MovedClock()
    line = Line(clock)
    assert not line.is_up
    line.answered()
    assert line.is_up
    assert line.came_up.is_set()
    clock.move(10)
    assert line.is_up
    clock.move(0.1)
    assert not line.is_up
    assert "10 s" in line.status()["reason"]
    line.answered()
    line.failed("reset")
    clock.move(5)
    line.failed("again")
    status = line.status()
    assert (status["line"], status["reason"]) == ("down", "again")
    assert status["down_since_at"] == (clock.now() - timedelta(seconds=5)).isoformat()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b'{"changes":[],"cursor":"","as_of":"2026-11-01T08:00:00Z"}',
        b'{"changes":{},"cursor":"c","as_of":"2026-11-01T08:00:00Z"}',
        b'{"changes":[],"cursor":7,"as_of":"2026-11-01T08:00:00Z"}',
        b'{"changes":[],"cursor":"c","as_of":"2026-11-01T08:00:00"}',
        b'{"changes":[],"cursor":"c"}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
    ids=range(11),
)
def test_a_page_whose_frame_does_not_hold_is_refused_whole(body):
    with pytest.raises(CentralError):
        read_changes(body)


def test_numbers_that_are_none_come_as_text_and_do_not_spoil_the_page():
    page = read_changes(
        b'{"changes":[NaN,' + b"9" * 5000 + b',1e999,1.5],"cursor":"c","more":1,"as_of":"2026-11-01T16:00:00+08:00"}'
    )
    assert page.changes[0] == "NaN"
    assert isinstance(page.changes[1], str)
    assert page.changes[2:] == ["1e999", 1.5]
    assert page.more is False
    assert page.as_of == NOW


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"accepted":[[1]]}', b'{"accepted":[[1,true]]}', b'{"accepted":[7]}'])
def test_an_answer_to_events_that_says_nothing_definite_is_refused(body):
    with pytest.raises(CentralError):
        read_events_answer(body)


def test_an_answer_to_events_tolerates_nonsense_among_the_rejected():
    answer = read_events_answer(b'{"accepted":[[1,2]],"rejected":[7,{"id":"a","code":"x"}]}')
    assert answer.accepts(2)
    assert not answer.accepts(3)
    assert [row.event_id for row in answer.rejected] == ["a"]


def test_moments_and_problem_codes_that_cannot_be_read_are_none_and_empty():
    assert read_moment("2026-11-01T08:00:00") is None
    assert read_moment(7) is None
    assert read_moment("0001-01-01T00:00:00+14:00") is None
    assert read_problem_code(b"<html>") == ""
    assert read_problem_code(b'{"code":"conflict"}') == "conflict"
