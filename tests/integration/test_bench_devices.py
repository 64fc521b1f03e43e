"""The bench of the devices sees every frame and every poll of its lanes once."""

from __future__ import annotations

from gate_service.bench.devices import FRAMES_PER_S, SETTLE_S, hear
from gate_service.bench.loop import run_loop

LONGEST_MS = 2000.0  # a stamp of another frame would be off by multiples of 80 ms, in the end by the whole run


def test_every_frame_and_poll_is_paired_with_its_own_stamp(tmp_path):
    heard = run_loop(hear(tmp_path / "lanes", 2, 2.0))
    assert heard.lanes == 2
    assert len(heard.frames_ms) > FRAMES_PER_S  # a quarter of what two lanes are sent, however late
    # a busy machine may be behind at the beginning or at the end, by as much as the slowest of all frames was late
    behind = 2 * FRAMES_PER_S * max(heard.frames_ms) / 1000
    assert abs(len(heard.frames_ms) - 2 * FRAMES_PER_S * heard.wall_s) <= 4 + 2 * behind
    assert len(heard.polls_ms) > 10
    for spans in (heard.frames_ms, heard.polls_ms):
        assert min(spans) > 0
        assert max(spans) < min(LONGEST_MS, SETTLE_S * 1000)
