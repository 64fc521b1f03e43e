"""Past passages of a data directory, to read and never to touch: beside the running service, or on a copy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from gate_service.domain.errors import InputError, NotFoundError, RecordError
from sync.store import FILE_NAME, sqlite_module
from sync.tables import to_us
from sync.verify import open_read_only

PAGE: Final = 200
_NEXT: Final = (
    "SELECT opened_record, document FROM passages WHERE opened_record > ? AND opened_at_us >= ? AND opened_at_us < ?"
    " ORDER BY opened_record LIMIT ?"
)
_FOREVER_US: Final = 2**62


def past_passage(directory: Path, passage_id: str) -> dict[str, Any]:
    """One passage document. NotFoundError where there is none, InputError where there is no record."""
    with closing(_open(directory)) as connection:
        row = _rows(connection, "SELECT document FROM passages WHERE id = ?", (passage_id,))
    if not row:
        raise NotFoundError(f"passage {passage_id!r}: no such passage in the record of {directory}"[:300])
    return _document(row[0][0])


def past_passages(directory: Path, since: datetime | None = None, before: datetime | None = None) -> Iterator[Any]:
    """Every passage document, oldest first, those opened from `since` to before `before`.

    Pages are read one by one, so that the running service's log is never held open for long.
    """
    after = 0
    from_us = 0 if since is None else to_us(since)
    before_us = _FOREVER_US if before is None else to_us(before)
    with closing(_open(directory)) as connection:
        while page := _rows(connection, _NEXT, (after, from_us, before_us, PAGE)):
            for after, raw in page:  # noqa: B007 - the last number is where the next page begins
                yield _document(raw)


def _open(directory: Path) -> Any:
    path = directory / FILE_NAME
    if not path.is_file():
        raise InputError(f"{directory}: a data directory with {FILE_NAME} expected, none found")
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
