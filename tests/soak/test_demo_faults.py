"""The whole demo in faults that pass, and twice on one record."""

from __future__ import annotations

import pytest

from tests.fakes.demo_play import play, verdicts

pytestmark = pytest.mark.soak


@pytest.mark.parametrize("fault", ["central-down", "io-cut", "serial-garbage"])
def test_nothing_is_lost_or_moved_wrongly_in_a_fault_that_passes(fault, tmp_path):
    done, found = play(tmp_path, 20, "--inject", fault)
    assert done.returncode == 0, done.stderr
    assert found["trucks"] == 20
    assert found["violations"] == 0
    assert all(passage["outcome"] for passage in found["passages"])


def test_a_record_is_continued_with_new_trucks(tmp_path):
    _, first = play(tmp_path, 6)
    done, second = play(tmp_path, 6)
    assert done.returncode == 0, done.stderr
    assert not verdicts(first).keys() & verdicts(second).keys()
    assert second["events"]["recorded"] > first["events"]["recorded"]
