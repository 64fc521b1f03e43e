"""`gate simulate`: seeds of the whole site on virtual time; a failing seed is printed and replays exactly."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from gate_service.domain.errors import InputError
from gate_service.simulation.injects import INJECTS
from gate_service.simulation.run import SeedReport, simulate_all


def run(*, seeds: int, first: int, hours: float, inject: str | None, as_json: bool) -> int:
    """Play the seeds; exit status 1 where something happened that must never happen."""
    if inject == "list":
        sys.stdout.write("".join(f"{name}: {what}\n" for name, what in INJECTS.items()))
        return 0
    if inject is not None and inject not in INJECTS:
        raise InputError(f"--inject: one of {sorted(INJECTS)} expected, found {inject!r}")
    logging.disable(logging.CRITICAL)  # the service reports every injected fault; here only violations count
    summary: dict[str, Any] = {"seeds": 0, "steps": 0, "simulated_hours": 0.0, "violations": []}
    for report in simulate_all(range(first, first + seeds), hours, inject):
        document = report.to_json()
        summary["seeds"] += 1
        summary["steps"] += report.steps
        summary["simulated_hours"] = round(summary["simulated_hours"] + report.simulated_s / 3600, 3)
        summary["violations"] += document["violations"]
        _say(json.dumps(document, ensure_ascii=False) if as_json else _line(report, hours, inject))
    _say(json.dumps(summary, ensure_ascii=False) if as_json else _total(summary))
    return 1 if summary["violations"] else 0


def _line(report: SeedReport, hours: float, inject: str | None) -> str:
    what = (
        f"seed {report.seed}: {report.steps} steps, {report.simulated_s / 3600:.2f} h, {report.crossings} of "
        f"{report.trucks} trucks crossed, {report.faults} faults, {report.restarts} restarts, digest {report.digest}"
    )
    if not report.violations:
        return what
    again = f"gate simulate --seeds 1 --from {report.seed} --hours {hours:g}"
    again += f" --inject {inject}" if inject else ""
    found = "".join(f"\n  {json.dumps(violation, ensure_ascii=False)}" for violation in report.violations)
    return f"{what}{found}\n  again: {again}"


def _total(summary: dict[str, Any]) -> str:
    return (
        f"{summary['seeds']} seeds, {summary['steps']} steps, {summary['simulated_hours']} h: "
        f"{len(summary['violations'])} violations"
    )


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
