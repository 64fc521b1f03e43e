"""`gate bench [NAME] [--json]`: figures, each as a ratio to its limit measured in the same run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Final

from gate_service.bench.decision import bench_decision
from gate_service.bench.devices import bench_devices
from gate_service.bench.figure import Figure
from gate_service.bench.indicators import bench_indicators
from gate_service.bench.pages import bench_pages
from gate_service.bench.rules import bench_rules
from gate_service.bench.sync import bench_sync

BENCHES: Final[Mapping[str, Callable[[], list[Figure]]]] = {
    "decision": bench_decision,
    "devices": bench_devices,
    "indicators": bench_indicators,
    "rules": bench_rules,
    "sync": bench_sync,
    "pages": bench_pages,
}


def run(name: str | None, *, as_json: bool = False) -> int:
    """Measure and print one line per figure. 0 if every limit is kept, 1 if one is not, 2 for an unknown name."""
    if name is not None and name not in BENCHES:
        sys.stderr.write(f"gate bench: one of {', '.join(BENCHES)} expected, found {name!r}\n")
        return 2
    is_ok = True
    for chosen in [name] if name else BENCHES:
        for figure in BENCHES[chosen]():
            sys.stdout.write((figure.as_json() if as_json else figure.as_line()) + "\n")
            sys.stdout.flush()
            is_ok = is_ok and figure.is_ok
    return 0 if is_ok else 1
