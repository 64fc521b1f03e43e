"""Finds the data directory that a verb is about: named itself, or by a site file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gate_service.domain.errors import InputError, StoreOnServerError

INSTEAD: Final = {
    "backup": "pg_dump of one snapshot, and copies of files/ and record.seal after it",
    "restore": "pg_restore into an empty database, and files/ and record.seal of the same time",
}
WRONG: Final = (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError)


def find(data: Path | None, config: Path | None) -> Path:
    """The data directory. Raises InputError where neither or both are given, or the file names none."""
    if (data is None) == (config is None):
        raise InputError("either --data DIR or --config FILE expected")
    if data is not None:
        return data
    assert config is not None
    try:
        return config.parent / str(_read(config)["data"]["dir"])
    except WRONG as error:
        raise InputError(f"{config}: a site file with data.dir expected: {error}") from None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record lies. `url` empty is SQLite in the directory; else PostgreSQL, and files and keys in it."""

    directory: Path
    url: str = ""

    def on_this_disk(self, verb: str) -> Path:
        """The directory of a SQLite record. Raises StoreOnServerError with what to use instead of the verb."""
        if self.url:
            instead = f"use {INSTEAD[verb]} (docs/operations.md, Backup)"
            raise StoreOnServerError(f"{verb}: the record is in PostgreSQL: {instead}")
        return self.directory


def find_place(data: Path | None, config: Path | None, *, takes_url: bool = False) -> Place:
    """As `find`, with the database's URL where the site file names one. `takes_url`: `--data` may be one, for verbs
    that need nothing of the directory. Raises InputError.
    """
    directory = find(data, config)
    if config is not None:
        return Place(directory, str(_read(config)["data"].get("url", "")))
    scheme, colon, rest = str(directory).partition(":")
    if scheme == "postgresql" and colon:  # a path has lost one of its slashes
        if not takes_url:
            raise InputError("--data: a directory expected, found the address of a database; --config names both")
        return Place(Path(), f"postgresql://{rest.lstrip('/')}")
    return Place(directory)


def lanes_in(config: Path) -> list[str]:
    """The ids of the lanes of a site file that may have mistakes elsewhere. Raises InputError where it names none."""
    try:
        return [str(lane["id"]) for lane in _read(config)["lanes"]]
    except WRONG as error:
        raise InputError(f"{config}: a site file with lanes expected: {error}") from None


def _read(config: Path) -> dict[str, Any]:
    return tomllib.loads(config.read_text(encoding="utf-8"))
