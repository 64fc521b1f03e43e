"""`gate verify DIR`: does the record hold? Works beside the running service and on a copy."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from gate_service.domain.errors import GateError, InputError
from sync.checkpoint import Checkpoint, read_last
from sync.record_check import Report
from sync.verify import verify_directory

SHOWN = 20
"""Findings printed for people; `--json` prints all."""


def run(directory: Path, *, as_json: bool, checkpoint: Path | None = None, key: str | None = None) -> int:
    """Check and print. 0 it holds, 1 it does not, 2 there is no record there or no checkpoint in the file."""
    try:
        report = verify_directory(directory, None if checkpoint is None else _read(checkpoint), key)
    except GateError as error:
        if as_json:
            print(json.dumps({"error": {"code": error.code, "message": str(error)}}, ensure_ascii=False))
        else:
            print(error, file=sys.stderr)
        return 2
    if as_json:
        print(json.dumps({"chain": "ok" if report.holds else "broken", **asdict(report)}, ensure_ascii=False))
        return 0 if report.holds else 1
    counted = (
        f"{report.records - report.dropped_to} records, {report.outbox} events, {report.feed} in the hazardous feed"
    )
    for line in _notes(report):
        print(f"  {line}")
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


def _read(file: Path) -> Checkpoint:
    try:
        return read_last(file.read_bytes())
    except OSError as error:
        raise InputError(f"{file}: a checkpoint expected: {error}") from error


def _notes(report: Report) -> Iterator[str]:
    """What is not there and should not be, and what was looked at besides."""
    if report.dropped_segments:
        yield f"dropped after their time: {report.dropped_segments} segments, records 1 to {report.dropped_to}"
    if report.erased_passages:
        yield f"personal data erased of {len(report.erased_passages)} passages: {', '.join(report.erased_passages)}"
    if report.files or report.orphan_files:
        yield f"files: {report.files} named, {report.orphan_files} that no record names"
    if report.key is not None:
        yield f"signed by key {report.key}"
    if report.checkpoint is not None:
        yield f"held against the checkpoint of {report.checkpoint}"
