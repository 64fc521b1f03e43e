from datetime import UTC, datetime

from gate_service.domain.mass import Mass
from gate_service.domain.reading import Reading, StabilityFrom, WeightStatus
from lanes.frames import MOST_FRAMES, FrameKeeper

AT = datetime(2026, 11, 1, 8, tzinfo=UTC)


def reading(at_s, raw=b"\x02+1"):
    return Reading(WeightStatus.OK, Mass(1000), True, StabilityFrom.COMPUTED, False, "1", raw, AT, at_s)


def test_frames_before_and_after_the_settling_are_kept_and_the_same_again_is_one_run():
    keeper = FrameKeeper()
    for tenth in range(100):
        keeper.seen(reading(tenth / 10, b"%d" % min(tenth // 10, 8)))
    assert not keeper.is_due(1e9)
    keeper.settled("p1", AT, 9.9)
    for tenth in range(100, 115):
        keeper.seen(reading(tenth / 10, b"after"))
    assert not keeper.is_due(10.8)
    assert keeper.is_due(10.9)
    pinned = keeper.take()
    assert pinned is not None
    assert pinned.passage_id == "p1"
    assert pinned.facts["weighed_at"] == AT.isoformat()
    assert pinned.facts["frames"] == [
        [-3000, -3000, 1, b"6".hex()],
        [-2900, -2000, 10, b"7".hex()],
        [-1900, 0, 20, b"8".hex()],
        [100, 1000, 10, b"after".hex(" ")],
    ]
    assert keeper.take() is None


def test_a_stale_reading_without_bytes_is_no_frame():
    keeper = FrameKeeper()
    keeper.seen(reading(1.0, b""))
    keeper.settled("p1", AT, 1.0)
    assert keeper.take().facts["frames"] == []


def test_memory_is_bounded_whatever_an_indicator_sends():
    keeper = FrameKeeper()
    keeper.settled("p1", AT, 0.0)
    for n in range(MOST_FRAMES * 3):
        keeper.seen(reading(n / 10_000, b"%d" % n))
    assert len(keeper.take().facts["frames"]) <= MOST_FRAMES
