"""The bench of the lines measures what it says, on small numbers."""

from __future__ import annotations

from gate_service.bench.drain import TOLD, measure
from gate_service.bench.loop import run_loop
from gate_service.bench.slip_copy import bench_slip_copy


def test_every_event_of_the_backlog_is_posted_raw_and_drained_by_the_outbox(tmp_path):
    raw_per_s, drained_per_s, live_s = run_loop(measure(tmp_path, 100, 2))
    assert raw_per_s > len(TOLD)
    assert drained_per_s > len(TOLD)
    assert live_s
    assert all(0 < span_s < 60 for span_s in live_s)


def test_the_copy_is_filled_looked_up_and_started_with():
    figures = {figure.name: figure for figure in bench_slip_copy(500, 1500, 100)}
    assert figures["1,500 slips taken in"].value > 100
    assert 0 < figures["slip look-up, 1,500 slips, p99"].value < 5000
    assert 0 < figures["start with 1,500 slips to the first answer"].value < 60
