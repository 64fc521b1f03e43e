"""What the bench of the pages reckons: which frame a number on the screen is, and how long each took to get there."""

from __future__ import annotations

from devices.weighbridge import protocols
from devices.weighbridge.frame import Rejected
from gate_service.bench.pages import bytes_until_lanes, spans_to_screen
from gate_service.bench.pages_site import frame_shown
from gate_service.bench.yard_server import FRAME, NUMBERS, STEP_KG, numbered_frame

MS = 1_000_000


def test_numbered_frames_are_read_by_the_driver_as_the_number_they_carry() -> None:
    assert numbered_frame(0) == FRAME
    decoder = protocols.create("xk3190-continuous", {})
    decoded = decoder.feed(b"".join(numbered_frame(index) for index in (0, 1, 617, NUMBERS - 1, NUMBERS)))
    decoded += decoder.flush()
    read = [frame for frame in decoded if not isinstance(frame, Rejected)]
    assert [float(str(frame.value)) for frame in read] == [0, 20, 12_340, (NUMBERS - 1) * STEP_KG, 0]


def test_a_number_on_the_screen_is_the_newest_frame_that_was_sent_by_then() -> None:
    sent = [index * 100 * MS for index in range(2 * NUMBERS)]
    assert frame_shown(40, 250 * MS, sent) == 2
    assert frame_shown(40, 150 * MS, sent) is None  # before it was sent: a number from elsewhere
    assert frame_shown(40, (NUMBERS + 2) * 100 * MS + 1, sent) == NUMBERS + 2


def test_a_frame_that_was_passed_over_counts_until_a_newer_one_is_shown() -> None:
    sent = [index * 100 * MS for index in range(30)]
    shown = [(0, 30 * MS), (2 * STEP_KG, 260 * MS), (3 * STEP_KG, 340 * MS)]
    spans = spans_to_screen(sent, shown, 0, 1_500 * MS)
    assert spans[:4] == [30, 160, 60, 40]  # the second frame was never shown: its successor's moment is its own
    assert spans[4:] == [1100.0]  # and what no screen showed counts to the end, but for the last second's


def test_what_comes_after_the_lanes_were_told_is_no_longer_the_opening() -> None:
    told = ['{"type":"hello"}', '{"type":"lanes","lanes":[]}', '{"type":"lanes","lanes":[{}]}', '{"type":"beat"}']
    assert bytes_until_lanes(told) == len(told[0]) + len(told[1])
