"""What is in the zone by this gate's record: the running stock, brought up to the newest event at every question."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection

from gate_service.domain.inventory import ExposedPeople, Stock, inventory
from gate_service.domain.major_hazard import StockTables
from gate_service.domain.stock_history import StockHistory
from sync.database import Database
from sync.kept import unpack
from sync.statements import run

PIECE: Final = 500  # events read at a time


class StockQueries:
    """Reads the feed as it was recorded; delivered or not makes no difference. Events once taken are not read again."""

    def __init__(self, database: Database, tables: StockTables, exposed: ExposedPeople) -> None:
        self._database = database
        self._tables = tables
        self._exposed = exposed
        self._stock = Stock()
        self._history = StockHistory(tables)
        self._taken_to = 0  # record number: all events of one record are committed together
        self._is_base_taken = False
        self._answer: dict[str, Any] | None = None
        self._one_at_a_time = asyncio.Lock()

    async def inventory(self) -> dict[str, Any]:
        """Balances, S and R as of now (`gate_service.domain.inventory`)."""
        async with self._one_at_a_time:
            before = self._taken_to
            await self._catch_up()
            if self._answer is None or self._taken_to != before:
                # In a thread: a zone with thousands of balances must not hold up the lanes for a moment.
                self._answer = await asyncio.to_thread(inventory, self._stock, self._tables, self._exposed)
            return {**self._answer, "record": self._taken_to}

    async def history(self, since: datetime, until: datetime) -> dict[str, Any]:
        """S of each storage unit over time (`gate_service.domain.stock_history`)."""
        async with self._one_at_a_time:
            await self._catch_up()
            units = await asyncio.to_thread(self._history.told, since, until)
        return {"since_at": since.isoformat(), "until_at": until.isoformat(), "units": units}

    async def _catch_up(self) -> None:
        if not self._is_base_taken:
            await asyncio.to_thread(self._take, await self._database.read(_of_dropped))
            self._is_base_taken = True
        while True:
            rows = await self._database.read(partial(_events, after=self._taken_to))
            await asyncio.to_thread(self._take, rows)
            if len(rows) < PIECE:
                return

    def _take(self, rows: list[tuple[int, Mapping[str, Any]]]) -> None:
        for number, event in rows:
            touched = self._stock.take(event)
            if touched:
                self._history.note(touched, self._stock.balances, datetime.fromisoformat(str(event["at"])))
            self._taken_to = number


def _of_dropped(connection: Connection) -> list[tuple[int, Mapping[str, Any]]]:
    """What was kept of the events whose segments were dropped (`sync.retention`)."""
    rows = run(connection, "SELECT last_record, kept FROM segments WHERE kept IS NOT NULL ORDER BY number")
    return [(int(row[0]), event) for row in rows for event in unpack(row[1]).stock]


def _events(connection: Connection, after: int) -> list[tuple[int, Mapping[str, Any]]]:
    """The next events above a record number; the last record of a piece is whole."""
    rows = run(
        connection,
        "SELECT record_number, payload FROM feed WHERE record_number > ? AND record_number <= (SELECT MAX(n)"
        " FROM (SELECT record_number AS n FROM feed WHERE record_number > ? ORDER BY record_number LIMIT ?) AS piece)"
        " ORDER BY record_number, seq",
        (after, after, PIECE),
    )
    return [(int(row[0]), json.loads(row[1])) for row in rows]
