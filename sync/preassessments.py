"""Which versions of the copy's slips were judged ahead of their vehicle, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from sync.slip_cache import read_state
from sync.statements import run
from sync.tables import to_us

DUE: Final = (
    "SELECT s.key, s.version, s.document, p.verdict FROM slips s LEFT JOIN preassessments p ON p.slip_no = s.key"
    " WHERE s.generation = ? AND s.document IS NOT NULL AND (p.slip_no IS NULL OR p.version < s.version) LIMIT ?"
)
KEEP: Final = (
    "INSERT INTO preassessments (slip_no, version, verdict, checks, at_us, record_number) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (slip_no) DO UPDATE SET version = excluded.version, verdict = excluded.verdict,"
    " checks = excluded.checks, at_us = excluded.at_us, record_number = excluded.record_number"
    " WHERE excluded.version > preassessments.version"
)


@dataclass(frozen=True, slots=True)
class Due:
    """One slip version to judge, and the verdict of the version judged before."""

    slip_no: str
    version: int
    document: Mapping[str, Any]
    before: str | None


def due(connection: Connection, limit: int) -> list[Due]:
    """Slips of the current copy whose version was not judged yet."""
    rows = run(connection, DUE, (read_state(connection).generation, limit)).fetchall()
    return [Due(row[0], row[1], json.loads(row[2]), row[3]) for row in rows]


def keep(connection: Connection, slip: Due, outcome: tuple[str | None, bytes], at: datetime, number: int) -> None:
    """Note what came of it: verdict and checks."""
    verdict, checks = outcome
    run(connection, KEEP, (slip.slip_no, slip.version, verdict, checks, to_us(at), number))
