"""Workbooks (XLSX) that take a while: begun, asked how far they are, fetched, forgotten after ten minutes.

Rows are written as they are read, so that a year of entries never stands in memory.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from gate_service.domain.errors import CommandRefusedError, GateError, NotFoundError
from gate_service.domain.ports import Clock

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
AT_ONCE: Final = 4
"""Exports of one site at the same time; each is one thread's work. Site decision."""
KEPT_S: Final = 600.0
ROWS_A_SHEET: Final = 1_000_000  # a worksheet ends at 1 048 576 rows (ECMA-376); a head line and a round number below

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Export:
    """One workbook on its way. `owner` alone may ask for it."""

    id: str
    owner: str
    name: str
    path: Path
    begun_s: float
    state: str = "running"
    rows: int = 0
    error: str | None = None

    def shown(self) -> dict[str, Any]:
        """As the page asks for it."""
        return {"id": self.id, "name": self.name, "state": self.state, "rows": self.rows, "error": self.error}


class Exports:
    """All exports of one running service; its folder goes with the process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._exports: dict[str, Export] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def begin(
        self, owner: str, name: str, columns: Sequence[str], pages: AsyncIterator[list[dict[str, Any]]]
    ) -> dict[str, Any]:
        """Start one; CommandRefusedError while as many as may be are under way."""
        self._forget_old()
        if sum(one.state == "running" for one in self._exports.values()) >= AT_ONCE:
            raise CommandRefusedError(f"exports: at most {AT_ONCE} at the same time; wait for one to end")
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="gate-exports-")
        number = uuid4().hex
        path = Path(self._folder.name) / f"{number}.xlsx"
        export = self._exports[number] = Export(number, owner, name, path, self._clock.monotonic_s())
        task = asyncio.create_task(_write(export, columns, pages), name=f"export {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return export.shown()

    def of(self, export_id: str, owner: str) -> Export:
        """One of this person's. NotFoundError for anybody else's, and for one that is forgotten."""
        self._forget_old()
        found = self._exports.get(export_id)
        if found is None or found.owner != owner:
            raise NotFoundError(f"export {export_id!r}: one that you began in the last ten minutes expected"[:160])
        return found

    def finished(self, export_id: str, owner: str) -> Export:
        """As `of`, once it is whole; CommandRefusedError before."""
        found = self.of(export_id, owner)
        if found.state != "done":
            raise CommandRefusedError(f"export {found.name}: {found.state}; {found.rows} rows so far")
        return found

    async def end(self) -> None:
        """Stop what is under way and remove the files: the service stops."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._exports.clear()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _forget_old(self) -> None:
        now_s = self._clock.monotonic_s()
        for number, one in list(self._exports.items()):
            if one.state != "running" and now_s - one.begun_s > KEPT_S:
                one.path.unlink(missing_ok=True)
                del self._exports[number]


async def _write(export: Export, columns: Sequence[str], pages: AsyncIterator[list[dict[str, Any]]]) -> None:
    """Task root of one export: whatever fails is told where somebody waits for it."""
    book = _Book(export.path, columns)
    try:
        async for rows in pages:
            await asyncio.to_thread(book.add, rows)
            export.rows += len(rows)
        await asyncio.to_thread(book.close)
    except (GateError, OSError) as error:
        log.exception("export %s failed", export.name)
        export.state, export.error = "failed", str(error)
        export.path.unlink(missing_ok=True)
        return
    export.state = "done"


class _Book:
    """A workbook written row by row; a new sheet where one is full."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._path = path
        self._columns = columns
        self._book: Workbook | None = None
        self._sheet: Worksheet | None = None
        self._row = 0

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add lines. Text is written as text: nothing is ever a formula or a link."""
        for row in rows:
            sheet = self._sheet_with_room()
            for place, column in enumerate(self._columns):
                _put(sheet, self._row, place, row.get(column))
            self._row += 1

    def close(self) -> None:
        """Write what is left. A workbook without lines has its head all the same."""
        self._sheet_with_room()
        assert self._book is not None
        self._book.close()

    def _sheet_with_room(self) -> Worksheet:
        from xlsxwriter import Workbook

        if self._book is None:
            self._book = Workbook(self._path, {"constant_memory": True, "tmpdir": str(self._path.parent)})
        if self._sheet is None or self._row > ROWS_A_SHEET:
            self._sheet, self._row = self._book.add_worksheet(), 1
            self._sheet.freeze_panes(1, 0)
            for place, column in enumerate(self._columns):
                self._sheet.write_string(0, place, column)
        return self._sheet


def _put(sheet: Worksheet, row: int, place: int, value: object) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, place, value)
    elif isinstance(value, int | float):
        sheet.write_number(row, place, value)
    elif isinstance(value, list | tuple):
        sheet.write_string(row, place, " ".join(str(one) for one in value))
    else:
        sheet.write_string(row, place, str(value))
