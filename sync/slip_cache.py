"""The site's copy of what the centre knows: pages in, with their cursor, in one transaction each.

A change applies only when its version is newer, so pages may come twice, late or out of order. After a 410 the copy is
built anew beside the old one, which goes on answering, and swapped by one UPDATE.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection

from gate_service.domain.ports import Clock
from sync import concerned
from sync.central.wire import ChangesPage
from sync.change import Change, Rejection, SlipCheck, read_change, read_slip_document
from sync.columns import from_us, to_us
from sync.conflicts import note_revoked
from sync.database import Database
from sync.statements import run

STATE_NAME: Final = "changes"
EXTRA_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "slips": ("plate", "direction", "status"),
    "declarations": (),
    "enterprises": ("uscc",),
    "vehicles": (),
    "holds": ("target_type", "target_id"),
}
DELETE_PIECE: Final = 2000  # rows of a swapped-out copy removed per transaction; keeps the writer free for decisions
REJECTIONS_KEPT: Final = 1000
READ_AT_ONCE: Final = 20  # changes checked in one go: two or three milliseconds


@dataclass(frozen=True, slots=True)
class CopyState:
    """How far the copy is. `as_of` is the centre's, of the last page with which the copy had caught up."""

    generation: int = 0
    cursor: str | None = None
    as_of: datetime | None = None
    building_generation: int | None = None
    building_cursor: str | None = None

    @property
    def next_cursor(self) -> str | None:
        """Where to go on reading."""
        return self.cursor if self.building_generation is None else self.building_cursor


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a page."""

    applied: int
    older: int
    rejected: int


class SlipCache:
    """Writes the copy. Reading it for a passage is `sync.slip_lookup`."""

    def __init__(self, database: Database, clock: Clock, check_slip: SlipCheck | None = None) -> None:
        self._database = database
        self._clock = clock
        self._check_slip = check_slip
        self.changed = asyncio.Event()
        """Set whenever something newer was applied."""

    async def state(self) -> CopyState:
        """As stored."""
        return await self._database.read(read_state)

    async def apply_page(self, page: ChangesPage) -> Applied:
        """Page and cursor in one transaction; the last page of a full resync swaps the copies."""
        read = []
        for number, raw in enumerate(page.changes):
            if number % READ_AT_ONCE == READ_AT_ONCE - 1:
                await asyncio.sleep(0)  # a page of large slips must not keep the lanes from their detectors
            read.append(read_change(raw, self._check_slip))
        now_us = to_us(self._clock.now())
        applied = await self._database.write(lambda connection: _apply(connection, page, read, now_us))
        if applied.applied:
            self.changed.set()
        return applied

    async def apply_slip(self, raw: object, as_of: datetime) -> Change | Rejection:
        """A slip answered by a single look-up: kept if newer than the copy. Answers what was read of it."""
        read = read_slip_document(raw, check=self._check_slip)
        now_us = to_us(self._clock.now())

        def change(connection: Connection) -> None:
            state = read_state(connection)
            is_newer = _apply_one(connection, read, state.generation, to_us(as_of), now_us)
            if is_newer and isinstance(read, Change) and read.revokes_slip:
                _compare_with_uses(connection, read, state, as_of, now_us)

        await self._database.write(change)
        self.changed.set()
        return read

    async def begin_resync(self) -> None:
        """Start building a new copy beside the current one; an unfinished one is given up."""
        await self._database.write(_begin_resync)

    async def remove_old_copies(self) -> bool:
        """Remove a piece of what a resync swapped out. True when nothing is left to remove."""
        return await self._database.write(_remove_piece)

    async def judged_on(self, basis: str) -> None:
        """Slips are judged ahead on this policy and day from now on."""
        await self._database.write(lambda connection: concerned.note_basis(connection, basis))

    async def judged_again(self, up_to: int) -> None:
        """Every slip was judged again for what was noted up to this number."""
        await self._database.write(lambda connection: concerned.settle(connection, up_to))

    async def rejected(self, limit: int = 100) -> list[dict[str, Any]]:
        """Changes that could not be read, newest first, with reason and the beginning of what came."""
        return await self._database.read(lambda connection: _rejected(connection, limit))

    async def rejected_count(self) -> int:
        """How many different changes could not be read."""
        return await self._database.read(lambda connection: int(_one(connection, "SELECT count(*) FROM rejections")))


def read_state(connection: Connection) -> CopyState:
    """The row of the changes cursor."""
    row = run(
        connection,
        "SELECT generation, cursor, as_of_us, building_generation, building_cursor FROM sync_state WHERE name = ?",
        (STATE_NAME,),
    ).fetchone()
    if row is None:
        return CopyState()
    return CopyState(row[0], row[1], None if row[2] is None else from_us(row[2]), row[3], row[4])


def _apply(connection: Connection, page: ChangesPage, read: Sequence[Change | Rejection], now_us: int) -> Applied:
    state = read_state(connection)
    generation = state.generation if state.building_generation is None else state.building_generation
    as_of_us = to_us(page.as_of)
    applied = 0
    touched: set[concerned.Subject] = set()
    for one in read:
        before = _subjects_of(connection, one, generation)
        is_newer = _apply_one(connection, one, generation, as_of_us, now_us)
        applied += is_newer
        if is_newer:
            touched |= before
        if is_newer and isinstance(one, Change) and one.revokes_slip:
            _compare_with_uses(connection, one, state, page.as_of, now_us)
    rejected = sum(isinstance(one, Rejection) for one in read)
    _advance(connection, state, page)
    if state.building_generation is None:
        concerned.note(connection, touched)
    elif not page.more:
        concerned.note(connection, {concerned.EVERYTHING})  # the copies were swapped: what is missing now was lifted
    return Applied(applied, len(read) - applied - rejected, rejected)


def _apply_one(connection: Connection, one: Change | Rejection, generation: int, as_of_us: int, now_us: int) -> int:
    """Apply if newer; 1 where it was. A rejection is kept and makes the older copy of its slip unusable."""
    change = one
    if isinstance(one, Rejection):
        _keep_rejection(connection, one, now_us)
        if one.unreadable_slip is None:
            return 0
        change = one.unreadable_slip
    assert isinstance(change, Change)
    values: tuple[Any, ...] = (generation, change.key, change.version, change.document)
    values += (change.is_tombstone, change.reason, as_of_us)
    extra = tuple(change.columns.get(name) for name in EXTRA_COLUMNS[change.table])
    changed = run(connection, _upsert(change.table, change.is_tombstone), values + extra).rowcount
    return 0 if isinstance(one, Rejection) else changed


def _subjects_of(connection: Connection, one: Change | Rejection, generation: int) -> set[concerned.Subject]:
    """Whose slips a changed hold, enterprise or declaration concerns: as it was and as it is."""
    if not isinstance(one, Change) or one.table not in {"holds", "enterprises", "declarations"}:
        return set()
    if one.table == "declarations":
        return {("declaration", one.key)}
    if one.table == "enterprises":
        return {("enterprise", name) for name in (one.key, one.columns.get("uscc")) if name}
    sql = "SELECT target_type, target_id FROM holds WHERE generation = ? AND key = ?"
    found = [(one.columns.get("target_type"), one.columns.get("target_id"))]
    found += run(connection, sql, (generation, one.key)).fetchall()
    return {(kind, name) for kind, name in found if kind and name}


def _compare_with_uses(connection: Connection, one: Change, state: CopyState, as_of: datetime, now_us: int) -> None:
    """A slip was revoked that may be in use here: both sides are listed for a person."""
    known_until = None if state.as_of is None else state.as_of.isoformat()
    centre = {
        "version": one.version,
        "reason": one.reason or one.columns.get("status"),
        "revoked_at": one.at,
        "unknown_here_since": known_until,
        "told_at": as_of.isoformat(),
    }
    note_revoked(connection, one.key, now_us, centre)


@cache
def _upsert(table: str, keeps_document: bool) -> str:
    """Insert or replace where the version is newer; a tombstone leaves document and search columns as they are."""
    extra = EXTRA_COLUMNS[table]
    names = ("generation", "key", "version", "document", "is_tombstone", "reason", "as_of_us", *extra)
    changed = ["version", "is_tombstone", "reason", "as_of_us"]
    if not keeps_document:
        changed += ["document", *extra]
    return (
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608 - our names
        f" ON CONFLICT (generation, key) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in changed)}"
        f" WHERE excluded.version > {table}.version"
    )


def _advance(connection: Connection, state: CopyState, page: ChangesPage) -> None:
    """Move the cursor; swap at the end of a resync. `as_of` moves only when there is nothing more to fetch."""
    as_of_us = None if state.as_of is None else to_us(state.as_of)
    if not page.more:
        as_of_us = to_us(page.as_of)
    generation, cursor, building, building_cursor = state.generation, page.cursor, state.building_generation, None
    if building is not None and page.more:
        cursor, building_cursor = state.cursor or "", page.cursor
        as_of_us = None if state.as_of is None else to_us(state.as_of)
    elif building is not None:
        _carry_tombstones(connection, state.generation, building)
        generation, building = building, None
    _store_state(connection, (generation, cursor or None, as_of_us, building, building_cursor))


def _store_state(connection: Connection, values: tuple[Any, ...]) -> None:
    run(
        connection,
        "INSERT INTO sync_state (name, generation, cursor, as_of_us, building_generation, building_cursor)"
        " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET generation = excluded.generation,"
        " cursor = excluded.cursor, as_of_us = excluded.as_of_us, building_generation = excluded.building_generation,"
        " building_cursor = excluded.building_cursor",
        (STATE_NAME, *values),
    )


def _carry_tombstones(connection: Connection, old: int, new: int) -> None:
    """A revocation outlives a resync unless the new copy holds something newer: a signed slip is judged by it."""
    for table, extra in EXTRA_COLUMNS.items():
        names = ", ".join(("key", "version", "document", "is_tombstone", "reason", "as_of_us", *extra))
        run(
            connection,
            f"INSERT INTO {table} (generation, {names}) SELECT {int(new)}, {names} FROM {table}"  # noqa: S608
            " WHERE generation = ? AND is_tombstone ON CONFLICT (generation, key) DO UPDATE SET"
            " version = excluded.version, is_tombstone = excluded.is_tombstone, reason = excluded.reason"
            f" WHERE excluded.version > {table}.version",
            (old,),
        )


def _begin_resync(connection: Connection) -> None:
    state = read_state(connection)
    newest = max([state.generation, state.building_generation or 0, *_generations(connection)])
    as_of_us = None if state.as_of is None else to_us(state.as_of)
    _store_state(connection, (state.generation, state.cursor, as_of_us, newest + 1, None))


def _generations(connection: Connection) -> list[int]:
    return [int(_one(connection, f"SELECT COALESCE(MAX(generation), 0) FROM {table}")) for table in EXTRA_COLUMNS]  # noqa: S608


def _old_generation(connection: Connection, table: str, kept: tuple[int, int]) -> int | None:
    """A generation with rows that is not kept; found by leaps over the index, never by reading a million rows."""
    found = _one(connection, f"SELECT MIN(generation) FROM {table}")  # noqa: S608
    while found is not None and found in kept:
        row = run(connection, f"SELECT MIN(generation) FROM {table} WHERE generation > ?", (found,)).fetchone()  # noqa: S608
        found = None if row is None else row[0]
    return None if found is None else int(found)


def _remove_piece(connection: Connection) -> bool:
    state = read_state(connection)
    kept = (state.generation, state.generation if state.building_generation is None else state.building_generation)
    for table in EXTRA_COLUMNS:
        old = _old_generation(connection, table, kept)
        if old is None:
            continue
        run(
            connection,
            f"DELETE FROM {table} WHERE generation = ? AND key IN"  # noqa: S608
            f" (SELECT key FROM {table} WHERE generation = ? LIMIT {DELETE_PIECE})",
            (old, old),
        )
        return False
    return True


def _keep_rejection(connection: Connection, rejection: Rejection, now_us: int) -> None:
    run(
        connection,
        "INSERT INTO rejections (at_us, kind, key, version, reason, found) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (kind, key, reason, found) DO UPDATE SET times = rejections.times + 1, at_us = excluded.at_us",
        (now_us, rejection.kind, rejection.key, rejection.version, rejection.reason, rejection.found),
    )
    run(
        connection,
        f"DELETE FROM rejections WHERE id <= (SELECT MAX(id) FROM rejections) - {REJECTIONS_KEPT}",  # noqa: S608
    )


def _rejected(connection: Connection, limit: int) -> list[dict[str, Any]]:
    rows = run(
        connection,
        "SELECT at_us, kind, key, version, reason, found, times FROM rejections ORDER BY at_us DESC, id DESC LIMIT ?",
        (limit,),
    )
    return [
        {
            "at": from_us(row[0]).isoformat(),
            **dict(zip(("kind", "key", "version", "reason", "found", "times"), row[1:], strict=True)),
        }
        for row in rows
    ]


def _one(connection: Connection, sql: str) -> Any:
    row = run(connection, sql).fetchone()
    return None if row is None else row[0]
