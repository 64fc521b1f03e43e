"""`gate bench rules`: decisions a second and the slowest of a hundred, with 1, 10 and 100 documents on a slip."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from gate_service.bench.figure import Figure, quantile
from gate_service.bench.slips import CONTAINER, GROSS_KG, SITE, plate, slip
from lanes.policy.engine import assess_document

DOCUMENTS: Final = (1, 10, 100)
ROUNDS: Final = 1000
NOW: Final = datetime(2026, 11, 1, 2, tzinfo=UTC)
LINEAR: Final = 1.0  # the issue asks for no worse than linear


def bench_rules(
    rounds: int = ROUNDS, documents: Sequence[int] = DOCUMENTS, now_s: Callable[[], float] = time.perf_counter
) -> list[Figure]:
    """Measure, the cases in turns, so that what else the machine does meets all of them. `now_s`: by which clock."""
    cases = [case(count) for count in documents]
    taken_s: list[list[float]] = [[] for _ in cases]
    for _ in range(rounds):
        for one, times in zip(cases, taken_s, strict=True):
            started_s = now_s()
            assess_document(one)
            times.append(now_s() - started_s)
    figures: list[Figure] = []
    for count, times in zip(documents, taken_s, strict=True):
        figures += _figures(count, times, documents[0], taken_s[0])
    return figures


def _figures(count: int, times: Sequence[float], first_count: int, first: Sequence[float]) -> list[Figure]:
    name = f"{count} document{'s' if count > 1 else ''}"
    rate = Figure("rules", f"{name}: decisions", len(times) / sum(times), "1/s")
    p99_ms = quantile(times, 0.99) * 1000
    if count == first_count:
        return [rate, Figure("rules", f"{name}: p99", p99_ms, "ms")]
    linear = count / first_count
    against = f"{linear:g} x {first_count} document"
    median_ms = quantile(times, 0.5) * 1000
    return [
        rate,
        Figure("rules", f"{name}: p99", p99_ms, "ms", quantile(first, 0.99) * 1000 * linear, against, LINEAR),
        Figure("rules", f"{name}: p50", median_ms, "ms", quantile(first, 0.5) * 1000 * linear, against, LINEAR),
    ]


def case(documents: int) -> dict[str, Any]:
    """Give the case of one truck that is released: everything known and in order."""
    now = NOW.isoformat()
    return {
        "lane": {
            "kind": "declared", "direction": "inbound", "hazmat": True, "max_capacity_kg": 80000, "interval_kg": 20,
            "verified_until_at": None,
        },
        "site": SITE, "scanned": None, "found_by": "scan", "slips": [slip(1, NOW + timedelta(days=30), documents)],
        "vehicle": {
            "plate": plate(1), "trailer_plate": None, "containers": [CONTAINER], "seals": [], "legal_limit_kg": None,
        },
        "weight": {
            "gross_kg": GROSS_KG, "status": "ok", "stable": True, "fresh": True, "whole": True, "zeroed": True,
        },
        "now_at": now, "source": "central", "as_of": now, "claim": "not_needed",
        "site_state": {"clock_error_s": 0, "holds_as_of": now, "devices_safe": True}, "known": {}, "policy": None,
        "secret": None,
    }  # fmt: skip
