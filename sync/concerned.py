"""Whom a changed hold, enterprise or declaration concerns: what slips judged ahead must be looked at again for.

Noted in the transaction of the change itself, so that a restart forgets nothing; `sync.preassessments` goes through the
copy for them. No more than `MOST` are kept apart: beyond that every slip is looked at.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection

from sync.statements import run, scalar

NAME: Final = "judged_again"
BASIS_NAME: Final = "judged_on"
MOST: Final = 200
"""Site decision: so many are found among the names of a slip in microseconds."""
Subject = tuple[str, str]
"""Kind of target and its id, as a hold names it (CONTRACT 3; and `unit`, `substance` of the zone authority's)."""
EVERYTHING: Final[Subject] = ("everything", "")
STORE: Final = (
    "INSERT INTO sync_state (name, cursor) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET cursor = excluded.cursor"
)


def note(connection: Connection, subjects: Iterable[Subject]) -> None:
    """Slips of these are to be looked at again. Nothing where no slip was judged yet."""
    added = sorted(set(subjects))
    if not added or scalar(connection, "SELECT 1 FROM preassessments LIMIT 1") is None:
        return
    last, kept = _read(connection)
    kept |= dict.fromkeys(added, last + 1)
    if len(kept) > MOST or EVERYTHING in kept:
        kept = {EVERYTHING: last + 1}
    _store(connection, last + 1, kept)


def note_basis(connection: Connection, basis: str) -> None:
    """Slips are judged on this (policy and day) from now on: where it is new, every one is looked at again."""
    if scalar(connection, "SELECT cursor FROM sync_state WHERE name = ?", (BASIS_NAME,)) != basis:
        run(connection, STORE, (BASIS_NAME, basis))
        note(connection, {EVERYTHING})


def noted(connection: Connection) -> tuple[int, frozenset[Subject]]:
    """All that is noted, and the number up to which that is; `settle` takes it."""
    last, kept = _read(connection)
    return last, frozenset(kept)


def settle(connection: Connection, up_to: int) -> None:
    """Every slip was looked at for what was noted up to this number; what came since stays."""
    last, kept = _read(connection)
    _store(connection, last, {subject: number for subject, number in kept.items() if number > up_to})


def _read(connection: Connection) -> tuple[int, dict[Subject, int]]:
    text = scalar(connection, "SELECT cursor FROM sync_state WHERE name = ?", (NAME,))
    if text is None:
        return 0, {}
    stored = json.loads(text)
    return stored["last"], {(kind, name): number for kind, name, number in stored["subjects"]}


def _store(connection: Connection, last: int, kept: dict[Subject, int]) -> None:
    subjects = [[kind, name, number] for (kind, name), number in kept.items()]
    text = json.dumps({"last": last, "subjects": subjects}, ensure_ascii=False)
    run(connection, STORE, (NAME, text))
