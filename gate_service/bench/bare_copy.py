"""The bare driver beside the product: the rows the product wrote, committed again with nothing around them."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from sync.database import Database, DatabaseSettings
from sync.store import FILE_NAME, SqliteStore, sqlite_module

CHECKPOINT_AFTER: Final = 250  # commits; the product's writer does the same, in a pause as here
Rows = dict[str, list[tuple[Any, ...]]]
TABLES: Final = {"records": "number", "passages": "id", "outbox": "record_number", "slip_uses": "passage_id"}


class BareCopy:
    """A second database with the product's schema, PRAGMAs and library, filled with the rows the product wrote."""

    def __init__(self, product: Path, folder: Path) -> None:
        self._product = product
        self._folder = folder
        self.copied = 0
        self._commits = 0

    async def __aenter__(self) -> Self:
        async with Database(DatabaseSettings(self._folder)):
            pass  # the schema, with its triggers and indexes
        engine = SqliteStore(self._folder / FILE_NAME).writer()
        self._pooled = engine.raw_connection()  # same library build, same PRAGMAs: the store's own connection
        self._bare: Any = self._pooled.driver_connection
        self._reading = sqlite_module.connect(f"file:{self._product / FILE_NAME}?mode=ro", uri=True)
        self._inserts = {table: self._insert_of(table) for table in TABLES}
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reading.close()
        self._pooled.close()

    def tidy(self) -> None:
        """Checkpoint when it is due; in a pause, as the product does."""
        if self._commits >= CHECKPOINT_AFTER:
            self._commits = 0
            self._bare.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def follow(self) -> None:
        """Copy what the product has written, a commit for each record, so that both files grow alike.

        Well before the decision: a commit right after another finds disk and caches warm, and the product's does not.
        """
        self.copy_up_to(self.last_number())

    def copy_up_to(self, last: int) -> None:
        """Copy the records up to this one that are not copied yet."""
        for number in range(self.copied + 1, last + 1):
            self.commit(self.rows_of(number))
            self.copied = number

    def rows_of(self, number: int) -> Rows:
        """Give the rows of one record; the passage as it is now, for the product keeps no older one."""
        record = self._reading.execute("SELECT * FROM records WHERE number = ?", (number,)).fetchone()
        (passage_id,) = self._reading.execute("SELECT passage_id FROM records WHERE number = ?", (number,)).fetchone()
        rows: Rows = {"records": [record]}
        for table in ("passages", "outbox", "slip_uses"):
            value = number if table == "outbox" else passage_id
            rows[table] = self._select(table, value)
        return rows

    def _select(self, table: str, value: object) -> list[tuple[Any, ...]]:
        sql = f"SELECT * FROM {table} WHERE {TABLES[table]} = ?"  # noqa: S608 - our own names
        return list(self._reading.execute(sql, (value,)).fetchall())

    def _insert_of(self, table: str) -> str:
        names = [row[1] for row in self._bare.execute(f"PRAGMA table_info({table})").fetchall()]
        places = ",".join("?" * len(names))
        insert = f"INSERT INTO {table} ({','.join(names)}) VALUES ({places})"  # noqa: S608 - our own names
        if table == "passages":
            changed = ", ".join(f"{name} = excluded.{name}" for name in names if name not in {"id", "opened_record"})
            return f"{insert} ON CONFLICT (id) DO UPDATE SET {changed}"
        if table == "slip_uses":
            return f"{insert} ON CONFLICT (slip_no, passage_id) DO UPDATE SET state = excluded.state"
        return insert

    def last_number(self, kind: str | None = None) -> int:
        """Give the number of the product's newest record (of this kind)."""
        where, values = ("", ()) if kind is None else (" WHERE kind = ?", (kind,))
        (number,) = self._reading.execute(f"SELECT MAX(number) FROM records{where}", values).fetchone()  # noqa: S608
        return int(number)

    def commit(self, rows: Rows) -> None:
        """Put the rows of one record down, in one transaction."""
        execute = self._bare.execute
        execute("BEGIN IMMEDIATE")
        for table, found in rows.items():
            for row in found:
                execute(self._inserts[table], row)
        execute("COMMIT")
        self._commits += 1
