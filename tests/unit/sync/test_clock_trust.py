"""The bound of the clock's error: unknown until somebody said the time, wider with age, never silently zero."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from sync.clock_trust import ClockTrust

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


class HandClock:
    def __init__(self):
        self.at, self.s = NOW, 1000.0

    def now(self):
        return self.at

    def monotonic_s(self):
        return self.s

    async def sleep(self, duration_s):
        raise AssertionError("nothing waits here")

    def move(self, seconds, *, stepped_s=0.0):
        self.s += seconds
        self.at += timedelta(seconds=seconds + stepped_s)


def _date(at):
    return format_datetime(at, usegmt=True)


def test_a_clock_that_nobody_confirmed_has_an_unknown_error():
    assert ClockTrust(HandClock()).error_bound_s() is None


@pytest.mark.parametrize("date", [None, "", "yesterday", "Mon, 99 Foo 2026"])
def test_a_date_that_cannot_be_read_says_nothing(date):
    trust = ClockTrust(HandClock())
    trust.heard(date, 0.1)
    assert trust.error_bound_s() is None


def test_a_clock_that_agrees_is_known_to_the_second_of_the_header():
    trust = ClockTrust(HandClock())
    trust.heard(_date(NOW), 0.1)
    assert trust.error_bound_s() in {1, 2}


@pytest.mark.parametrize("offset_s", [-300, 40, 86_400])
def test_the_bound_covers_the_true_error(offset_s):
    trust = ClockTrust(HandClock())
    trust.heard(_date(NOW + timedelta(seconds=offset_s)), 0.4)
    assert trust.error_bound_s() >= abs(offset_s)
    assert trust.error_bound_s() <= abs(offset_s) + 3


def test_silence_widens_the_bound():
    clock = HandClock()
    trust = ClockTrust(clock)
    trust.heard(_date(NOW), 0.1)
    clock.move(3 * 86_400)
    assert trust.error_bound_s() >= 26  # 100 ppm over three days


def test_a_long_poll_does_not_blur_a_quick_answer():
    clock = HandClock()
    trust = ClockTrust(clock)
    trust.heard(_date(NOW), 0.1)
    before = trust.error_bound_s()
    clock.move(4)
    trust.heard(_date(clock.now()), 3.0)
    assert trust.error_bound_s() == before


def test_a_clock_that_was_set_is_noticed_by_the_next_answer():
    clock = HandClock()
    trust = ClockTrust(clock)
    trust.heard(_date(NOW), 0.1)
    clock.move(1, stepped_s=3600)
    trust.heard(_date(NOW + timedelta(seconds=1)), 3.0)
    assert trust.error_bound_s() >= 3598
