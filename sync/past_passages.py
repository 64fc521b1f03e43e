"""Past passages of a record, to read and never to touch: beside the running service, or on a copy."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy.exc import OperationalError

from gate_service.domain.errors import InputError, NotFoundError, RecordError
from sync.columns import to_us
from sync.statements import run
from sync.store import FILE_NAME, PostgresStore, sqlite_module
from sync.verify import open_read_only

PAGE: Final = 200
_NEXT: Final = (
    "SELECT opened_record, document FROM passages WHERE opened_record > ? AND opened_at_us >= ? AND opened_at_us < ?"
    " ORDER BY opened_record LIMIT ?"
)
_FOREVER_US: Final = 2**62
Read = Callable[[str, tuple[Any, ...]], list[Any]]


def past_passage(directory: Path, passage_id: str, url: str = "") -> dict[str, Any]:
    """One passage document. NotFoundError where there is none, InputError where there is no record."""
    with _reading(directory, url) as read:
        row = read("SELECT document FROM passages WHERE id = ?", (passage_id,))
    if not row:
        where = "the database" if url else directory
        raise NotFoundError(f"passage {passage_id!r}: no such passage in the record of {where}"[:300])
    return _document(row[0][0])


def past_passages(
    directory: Path, since: datetime | None = None, before: datetime | None = None, url: str = ""
) -> Iterator[Any]:
    """Every passage document, oldest first, those opened from `since` to before `before`.

    Pages are read one by one, so that the running service's log is never held open for long. `url`: the record is in
    PostgreSQL.
    """
    after = 0
    from_us = 0 if since is None else to_us(since)
    before_us = _FOREVER_US if before is None else to_us(before)
    with _reading(directory, url) as read:
        while page := read(_NEXT, (after, from_us, before_us, PAGE)):
            for after, raw in page:  # noqa: B007 - the last number is where the next page begins
                yield _document(raw)


@contextmanager
def _reading(directory: Path, url: str) -> Iterator[Read]:
    """Runs SELECTs on whichever product holds the record. RecordError where it cannot be read."""
    if url:
        with _on_server(url) as read:
            yield read
        return
    with closing(_open(directory)) as connection:
        yield lambda statement, values: _rows(connection, statement, values)


@contextmanager
def _on_server(url: str) -> Iterator[Read]:
    if not url.startswith("postgresql://"):
        raise InputError(f"data.url: postgresql://… or empty expected, found {url.partition(':')[0]}:…")
    try:
        engine = PostgresStore(url).readers(1)
        with closing(engine.connect()) as connection:

            def read(statement: str, values: tuple[Any, ...]) -> list[Any]:
                rows = run(connection, statement, values).fetchall()
                connection.rollback()  # no snapshot is held over a page that is being judged
                return rows

            yield read
        engine.dispose()
    except ImportError:
        raise InputError("data.url: the extra expected that reads PostgreSQL: gate-service[postgresql]") from None
    except OperationalError as error:
        found = str(error.orig).strip().splitlines()[0]
        raise RecordError(f"data.url: a PostgreSQL server that answers expected, found: {found}") from None


def _open(directory: Path) -> Any:
    path = directory / FILE_NAME
    if not path.is_file():
        raise InputError(
            f"{directory}: a data directory with {FILE_NAME} expected, none found"
            " (a record in PostgreSQL: --config FILE, or --data postgresql://…)"
        )
    try:
        return open_read_only(path)
    except sqlite_module.DatabaseError as error:
        raise RecordError(f"{path}: a readable database of the record expected, found: {error}") from None


def _rows(connection: Any, statement: str, values: tuple[Any, ...]) -> list[Any]:
    try:
        found: list[Any] = connection.execute(statement, values).fetchall()
    except sqlite_module.DatabaseError as error:
        raise RecordError(f"record: a readable table of passages expected, found: {error}") from None
    return found


def _document(raw: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(raw)
    return document
