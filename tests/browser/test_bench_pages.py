"""A small sample of `gate bench pages`: every figure is measured; how fast this machine is now is not judged."""

from __future__ import annotations

import pytest

from gate_service.bench.pages import bench_pages

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


def test_a_short_run_measures_every_figure_and_loses_nothing() -> None:
    found = {figure.name.split(",")[0].split(" over ")[0]: figure for figure in bench_pages(160, 3.0, 1)}
    assert set(found) == {
        "terminal usable", "terminal on the wire", "device to screen", "numbers that were on the screen",
        "page heap", "page nodes", "service", "stop with 50 terminals connected",
    }  # fmt: skip
    assert found["terminal on the wire"].is_ok
    assert found["page nodes"].is_ok
    shown = found["numbers that were on the screen"].ratio
    assert shown is not None
    assert shown > 0.2  # once a second would be 0.1: what moves is shown as it moves
