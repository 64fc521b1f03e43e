"""How long the disk lasts: what is free above the reserve, against how fast the record fills it.

The outbox never deletes, so this figure is the length of an outage the site can bear. Measured from the free space
once a quarter of an hour was seen, estimated from the record's own rows before that; the less favourable counts.
"""

from __future__ import annotations

import os
from collections import deque
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection

from gate_service.domain.ports import Clock
from sync.columns import to_us
from sync.database import Database
from sync.statements import run, scalar

LOOK_EVERY_S: Final = 60.0
SEEN_AT_LEAST_S: Final = 900.0
KEPT_S: Final = 86_400.0
MOST_HOURS: Final = 99_999
SAMPLE_ROWS: Final = 1000
DAY: Final = timedelta(hours=24)
OVERHEAD: Final = 1.6
"""Bytes on disk for one byte of payload: keys, indices, pages not full. Measured 1.5 on a record of 40 000 trucks."""


def hours_left(room_bytes: float, bytes_per_h: float) -> int | None:
    """Whole hours until the reserve is reached; None where nothing fills it."""
    if bytes_per_h <= 0:
        return None
    return int(min(max(room_bytes, 0.0) / bytes_per_h, MOST_HOURS))


class DiskRoom:
    """Told the time by being asked; looks at the disk at most once a minute."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()
        self._estimated_per_h = 0.0

    async def look_once(self) -> float:
        """Take one measurement. Seconds to wait before the next."""
        now_s = self._clock.monotonic_s()
        self._seen.append((now_s, _free_bytes(self._database.settings.directory)))
        while now_s - self._seen[0][0] > KEPT_S:
            self._seen.popleft()
        since_us = to_us(self._clock.now() - DAY)
        per_day = await self._database.read(lambda connection: _bytes_since(connection, since_us))
        self._estimated_per_h = per_day / 24
        return LOOK_EVERY_S

    def status(self) -> dict[str, Any]:
        """For `/api/v1/sync`: megabytes (2**20), megabytes an hour, hours left and what that rests on."""
        mib = 1024 * 1024
        reserve = self._database.settings.reserve_bytes
        free = _free_bytes(self._database.settings.directory)
        measured = self._measured_per_h()
        per_h = max(measured or 0.0, self._estimated_per_h)
        return {
            "free_mb": free // mib,
            "reserve_mb": reserve // mib,
            "fill_mb_per_h": round(per_h / mib, 2),
            "hours_left": hours_left(free - reserve, per_h),
            "measured": measured is not None and measured >= self._estimated_per_h,
        }

    def _measured_per_h(self) -> float | None:
        """By how much the free space shrank an hour; None while too little was seen."""
        if not self._seen:
            return None
        (first_s, first_free), (last_s, last_free) = self._seen[0], self._seen[-1]
        if last_s - first_s < SEEN_AT_LEAST_S:
            return None
        return (first_free - last_free) * 3600 / (last_s - first_s)


def _free_bytes(directory: Path) -> int:
    status = os.statvfs(directory)
    return status.f_bavail * status.f_frsize


def _bytes_since(connection: Connection, since_us: int) -> float:
    """About how many bytes the record grew since then: its rows since, times what the newest ones weigh."""
    last = scalar(connection, "SELECT MAX(number) FROM records")
    if last is None:
        return 0.0
    newest = last - SAMPLE_ROWS
    row = run(
        connection,
        "SELECT COUNT(*), SUM(LENGTH(facts) + COALESCE(LENGTH(ledger), 0) + 300) FROM records WHERE number > ?",
        (newest,),
    ).fetchone()
    assert row is not None
    per_record = row[1] / row[0] + _told_per_record(connection) + _documents_per_record(connection, newest)
    return float((last - _last_before(connection, since_us, last)) * per_record) * OVERHEAD


def _told_per_record(connection: Connection) -> float:
    """Bytes of events for one record, by the newest events."""
    rows = run(
        connection,
        "SELECT record_number, LENGTH(payload) FROM outbox WHERE epoch = (SELECT epoch FROM meta)"
        " ORDER BY seq DESC LIMIT ?",
        (SAMPLE_ROWS,),
    ).fetchall()
    if not rows:
        return 0.0
    numbers = [row[0] for row in rows]
    return float(sum(row[1] + 250 for row in rows) / (max(numbers) - min(numbers) + 1))


def _documents_per_record(connection: Connection, newest: int) -> float:
    """Bytes of passage documents for one record; a document is replaced by its next version, so it counts once."""
    row = run(
        connection,
        "SELECT COALESCE(SUM(LENGTH(document) + 200), 0) FROM passages WHERE opened_record > ?",
        (newest,),
    ).fetchone()
    assert row is not None
    return float(row[0]) / SAMPLE_ROWS


def _last_before(connection: Connection, since_us: int, last: int) -> int:
    """The last record written before then, by halving: numbers and times grow together."""
    low, high = int(scalar(connection, "SELECT MIN(number) FROM records")) - 1, last
    while low < high:
        middle = (low + high + 1) // 2
        at_us = scalar(connection, "SELECT at_us FROM records WHERE number = ?", (middle,))
        if at_us is None or at_us < since_us:
            low = middle
        else:
            high = middle - 1
    return low
