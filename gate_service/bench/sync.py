"""`gate bench sync`: what recording and telling cost, each beside the same work done bare."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gate_service.bench.commits import bench_commits
from gate_service.bench.figure import Figure

PARTS: Final[tuple[Callable[[], list[Figure]], ...]] = (bench_commits,)


def bench_sync() -> list[Figure]:
    """Every part, one after the other."""
    return [figure for part in PARTS for figure in part()]
