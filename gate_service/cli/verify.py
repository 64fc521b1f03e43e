"""`gate verify DIR`: does the record hold? Works beside the running service and on a copy."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from gate_service.domain.errors import GateError
from sync.verify import verify_directory

SHOWN = 20
"""Findings printed for people; `--json` prints all."""


def run(directory: Path, *, as_json: bool) -> int:
    """Check and print. 0 it holds, 1 it does not, 2 there is no record there."""
    try:
        report = verify_directory(directory)
    except GateError as error:
        if as_json:
            print(json.dumps({"error": {"code": error.code, "message": str(error)}}, ensure_ascii=False))
        else:
            print(error, file=sys.stderr)
        return 2
    if as_json:
        print(json.dumps({"chain": "ok" if report.holds else "broken", **asdict(report)}, ensure_ascii=False))
        return 0 if report.holds else 1
    counted = f"{report.records} records, {report.outbox} events, {report.feed} in the hazardous feed"
    if report.holds:
        print(f"{directory}: the record holds: {counted}")
        return 0
    first = report.first_broken_record
    where = "not tied to one record" if first is None else f"first broken record: {first}"
    print(f"{directory}: the record does not hold ({where}); {counted}")
    for finding in report.findings[:SHOWN]:
        print(f"  {finding}")
    if len(report.findings) > SHOWN:
        print(f"  and {len(report.findings) - SHOWN} more")
    return 1
