"""When a computed weight is steady."""

from hypothesis import given
from hypothesis import strategies as st

from devices.weighbridge.stability import StabilitySettings, StabilityWindow
from gate_service.domain.mass import Mass

INTERVAL = Mass.from_kg(20)
FRAME_S = 0.08  # 12.5 frames a second


def window(**changes: float) -> StabilityWindow:
    return StabilityWindow(StabilitySettings(**changes), INTERVAL)  # type: ignore[arg-type]


def feed(steady: StabilityWindow, masses_kg: list[int], start_s: float = 0.0) -> list[bool | None]:
    return [steady.add(Mass.from_kg(mass), start_s + n * FRAME_S) for n, mass in enumerate(masses_kg)]


def test_a_second_within_one_interval_is_steady_and_not_before() -> None:
    verdicts = feed(window(), [30000, 30020] * 8)
    assert verdicts[:13] == [None] * 13  # frame 12 comes at 0.96 s
    assert verdicts[13:] == [True] * 3


def test_two_intervals_are_motion() -> None:
    verdicts = feed(window(), [30000, 30040] * 20)
    assert True not in verdicts
    assert verdicts[-1] is False


def test_a_jump_starts_the_second_anew() -> None:
    verdicts = feed(window(), [30000] * 20 + [32000] * 14)
    assert verdicts[19] is True
    assert verdicts[20:33] == [False] * 13
    assert verdicts[33] is True


def test_a_gap_forgets_what_came_before() -> None:
    steady = window()
    assert feed(steady, [30000] * 20)[-1] is True
    assert steady.add(Mass.from_kg(30000), 20 * FRAME_S + 0.6) is None


def test_a_clock_that_runs_back_forgets_what_came_before() -> None:
    steady = window()
    assert feed(steady, [30000] * 20)[-1] is True
    assert steady.add(Mass.from_kg(30000), 0.0) is None


def test_three_rejected_frames_in_a_row_forget_what_came_before_and_one_does_not() -> None:
    steady = window()
    feed(steady, [30000] * 20)
    steady.reject()
    assert steady.add(Mass.from_kg(30000), 20 * FRAME_S) is True
    for _ in range(3):
        steady.reject()
    assert steady.add(Mass.from_kg(30000), 21 * FRAME_S) is None


def test_a_burst_after_a_stall_is_no_second_of_real_time() -> None:
    steady = window()
    assert [steady.add(Mass.from_kg(30000), 5.0) for _ in range(50)] == [None] * 50


def test_a_slow_indicator_needs_its_readings_too() -> None:
    steady = window()
    verdicts = [steady.add(Mass.from_kg(30000), n * 0.4) for n in range(6)]
    assert verdicts == [None, None, None, None, True, True]


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0.01, 0.7)), min_size=1, max_size=60))
def test_steady_always_means_a_second_of_readings_within_the_band(steps: list[tuple[int, float]]) -> None:
    steady, at_s, seen = window(), 0.0, list[tuple[float, int]]()
    for mass, wait_s in steps:
        at_s += wait_s
        seen.append((at_s, mass * 20))
        if steady.add(Mass.from_kg(mass * 20), at_s):
            last_second = [kg for when_s, kg in seen if when_s >= at_s - 1.0]
            assert max(last_second) - min(last_second) <= 20
            assert at_s - seen[0][0] >= 1.0
