"""Which versions of the copy's slips were judged ahead of their vehicle, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection

from sync.columns import to_us
from sync.concerned import EVERYTHING, Subject
from sync.site_holds import SiteHold
from sync.slip_cache import read_state
from sync.slip_lookup import Touched
from sync.statements import run

DUE: Final = (
    "SELECT s.key, s.version, s.document, p.verdict FROM slips s LEFT JOIN preassessments p ON p.slip_no = s.key"
    " WHERE s.generation = ? AND s.document IS NOT NULL AND (p.slip_no IS NULL OR p.version < s.version) LIMIT ?"
)
WALK: Final = (
    "SELECT s.key, s.version, s.document, p.verdict, p.checks, p.record_number FROM slips s JOIN preassessments p"
    " ON p.slip_no = s.key AND p.version = s.version WHERE s.generation = ? AND s.key > ? AND s.document IS NOT NULL"
    " ORDER BY s.key LIMIT ?"
)
KEEP: Final = (
    "INSERT INTO preassessments (slip_no, version, verdict, checks, at_us, record_number) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (slip_no) DO UPDATE SET version = excluded.version, verdict = excluded.verdict,"
    " checks = excluded.checks, at_us = excluded.at_us, record_number = excluded.record_number"
    " WHERE excluded.version >= preassessments.version"
)
BY_NAME: Final = frozenset({"slip", "document", "declaration", "enterprise", "vehicle"})
ROWS_AT_ONCE: Final = 200
"""Slips looked at in one go: some milliseconds of one reading thread, whatever the copy's size."""


@dataclass(frozen=True, slots=True)
class Due:
    """One slip version to judge, and the verdict before. `checks`: what was found in this version before, and `record`
    where that stands; None where it was not judged yet.
    """

    slip_no: str
    version: int
    document: Mapping[str, Any]
    before: str | None
    checks: Sequence[Mapping[str, Any]] | None = None
    record: int | None = None


@dataclass(frozen=True, slots=True)
class Walked:
    """Slips that are concerned, and the last number looked at; None at the end of the copy."""

    slips: list[Due]
    last: str | None


def due(connection: Connection, limit: int) -> list[Due]:
    """Slips of the current copy whose version was not judged yet."""
    rows = run(connection, DUE, (read_state(connection).generation, limit)).fetchall()
    return [Due(row[0], row[1], json.loads(row[2]), row[3]) for row in rows]


def walk(connection: Connection, after: str, subjects: Collection[Subject], limit: int) -> Walked:
    """The next judged slips of the current copy that are concerned, at most so many, by their numbers."""
    rows = run(connection, WALK, (read_state(connection).generation, after, ROWS_AT_ONCE)).fetchall()
    found: list[Due] = []
    for slip_no, version, content, verdict, checks, record in rows:
        if verdict is None:
            continue  # nothing to judge before departure: another site's, book only, been through
        document = json.loads(content)
        if EVERYTHING in subjects or _is_concerned(document, subjects):
            found.append(Due(slip_no, version, document, verdict, json.loads(checks), record))
        if len(found) == limit:
            return Walked(found, slip_no)
    return Walked(found, rows[-1][0] if len(rows) == ROWS_AT_ONCE else None)


def _is_concerned(slip: Mapping[str, Any], subjects: Collection[Subject]) -> bool:
    touched = Touched.by([slip], (), None)
    names = {
        "slip": touched.slip_nos,
        "document": touched.documents,
        "declaration": touched.declarations,
        "enterprise": touched.enterprises,
        "vehicle": touched.plates,
    }
    if any((kind, name) in subjects for kind, all_names in names.items() for name in all_names):
        return True
    lines = (_hold(kind, name) for kind, name in subjects if kind not in BY_NAME)
    return any(next(hold.known_for(touched, [slip]), None) is not None for hold in lines)


def _hold(kind: str, name: str) -> SiteHold:
    """A unit or a substance as the authority's hold on it would mean it."""
    return SiteHold("", kind, name, "", "", datetime.min.replace(tzinfo=UTC))


def keep(connection: Connection, slip: Due, outcome: tuple[str | None, bytes], at: datetime, number: int) -> None:
    """Note what came of it: verdict and checks."""
    verdict, checks = outcome
    run(connection, KEEP, (slip.slip_no, slip.version, verdict, checks, to_us(at), number))
