"""Plain SQL with `?` places, run on the driver's own cursor: the few statements on the way of every decision.

SQLAlchemy opens, begins and commits; a statement through it costs several times what SQLite takes for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Protocol

from sqlalchemy import Connection

from gate_service.domain.errors import RecordError

Row = tuple[Any, ...]


class Cursor(Protocol):
    """What both drivers answer with."""

    rowcount: int

    def execute(self, sql: str, values: Row, /) -> Any:
        """Run one statement."""
        ...

    def fetchone(self) -> Row | None:
        """Next row or None."""
        ...

    def fetchall(self) -> list[Row]:
        """The rest."""
        ...

    def __iter__(self) -> Iterator[Row]: ...


def run(connection: Connection, sql: str, values: Row = ()) -> Cursor:
    """Run one statement; it must be good SQL for both products and hold no `?` or `%` but its places.

    Raises RecordError, caused by the driver's own error.
    """
    try:
        cursor: Cursor = _cursor(connection)
        cursor.execute(_spelled(connection, sql), values)
    except _driver_error(connection) as error:
        raise RecordError(f"record: statement refused: {error}") from error
    return cursor


def run_many(connection: Connection, sql: str, rows: Sequence[Row]) -> None:
    """Run one statement once per row. Raises as `run`."""
    try:
        _cursor(connection).executemany(_spelled(connection, sql), rows)
    except _driver_error(connection) as error:
        raise RecordError(f"record: statement refused: {error}") from error


def scalar(connection: Connection, sql: str, values: Row = ()) -> Any:
    """First column of the first row, None for no row."""
    row = run(connection, sql, values).fetchone()
    return None if row is None else row[0]


def marks(values: Sequence[object]) -> str:
    """Places for an IN list; one that matches nothing for an empty list."""
    return ",".join("?" * len(values)) or "NULL"


def _cursor(connection: Connection) -> Any:
    if not connection.in_transaction():
        connection.begin()  # as SQLAlchemy would on its own statements
    return connection.connection.cursor()


def _driver_error(connection: Connection) -> type[Exception]:
    """Root of the driver's errors; asked for only once one was raised."""
    dialect: Any = connection.dialect
    error: type[Exception] = dialect.loaded_dbapi.Error
    return error


def _spelled(connection: Connection, sql: str) -> str:
    return sql if connection.dialect.paramstyle == "qmark" else _percent_places(sql)


@cache
def _percent_places(sql: str) -> str:
    return sql.replace("?", "%s")
