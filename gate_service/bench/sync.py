"""`gate bench sync`: what recording, telling and the slip copy cost, each beside the same work done bare."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gate_service.bench.commits import bench_commits
from gate_service.bench.drain import bench_drain
from gate_service.bench.figure import Figure
from gate_service.bench.slip_copy import bench_slip_copy

PARTS: Final[tuple[Callable[[], list[Figure]], ...]] = (bench_commits, bench_drain, bench_slip_copy)


def bench_sync() -> list[Figure]:
    """Every part, one after the other."""
    return [figure for part in PARTS for figure in part()]
