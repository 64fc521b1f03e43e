"""A whole copy of the record while the service runs, checked before it is called one; and its way back.

`DIR/record.sqlite` (one moment of the database, SQLite's own online backup), `record.seal`, `files/`, `backup.json`.
The key that signs is never in a backup: who finds a backup must not be able to sign for the site.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from gate_service.domain.errors import ChainBrokenError, InputError
from sync.durable import sync_directory, sync_file, write_durably
from sync.files import FOLDER, FileStore
from sync.seal import FILE_NAME as SEAL_NAME
from sync.store import FILE_NAME, sqlite_module
from sync.verify import is_whole, verify_directory

MANIFEST: Final = "backup.json"
FORMAT: Final = "gate-backup-1"
PAGES_AT_ONCE: Final = -1  # all in one read transaction: with a log, readers hold up no commit
STAGING: Final = "record.restoring"
LEFT_BEHIND: Final = frozenset({"record.lock", "record.reserve"})  # each running service makes its own
CHUNK: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds."""

    site_id: str
    epoch: str
    records: int
    head: str
    at: str
    sha256: str  # of the database file
    files: int


def back_up(directory: Path, target: Path) -> Manifest:
    """Copy the record of a data directory into a new directory and check the copy.

    Raises InputError for a target that is there or a source without a record, ChainBrokenError where the copy does not
    hold (the copy is left as `TARGET.broken` to look at), OSError where it cannot be written.
    """
    if target.exists():
        raise InputError(f"{target}: a new directory expected, there is something already")
    if not (directory / FILE_NAME).is_file():
        raise InputError(f"{directory}: a data directory with {FILE_NAME} expected, none found")
    unfinished = target.with_name(f"{target.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True, mode=0o750)
    if (directory / SEAL_NAME).exists():  # before the database: what the seal names was committed before it
        write_durably(unfinished / SEAL_NAME, (directory / SEAL_NAME).read_bytes())
    _copy_database(directory / FILE_NAME, unfinished / FILE_NAME)
    manifest = _describe(unfinished, _copy_files(directory, unfinished))
    write_durably(unfinished / MANIFEST, json.dumps({"format": FORMAT, **asdict(manifest)}).encode() + b"\n")
    report = verify_directory(unfinished)
    if not report.holds:
        unfinished.rename(target.with_name(f"{target.name}.broken"))
        raise ChainBrokenError(f"{target}: the copy does not hold: {report.findings[0]}")
    unfinished.rename(target)
    sync_directory(target.parent)
    return manifest


def read_manifest(source: Path) -> Manifest:
    """What a backup says of itself, held against its files. Raises InputError."""
    try:
        found = json.loads((source / MANIFEST).read_bytes())
        if found.pop("format") != FORMAT:
            raise InputError(f"{source}: format {FORMAT} expected")
        manifest = Manifest(**found)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{source}: a directory that `gate backup` made expected: {error}") from error
    if _sha256_of(source / FILE_NAME) != manifest.sha256:
        raise InputError(f"{source}: {FILE_NAME} is not the file that was backed up")
    return manifest


def put_back(source: Path, directory: Path) -> Manifest:
    """Copy a backup into a data directory that holds no record yet. Raises InputError, ChainBrokenError, OSError."""
    manifest = read_manifest(source)
    report = verify_directory(source)
    if not report.holds:
        raise ChainBrokenError(f"{source}: the backup does not hold: {report.findings[0]}")
    if (directory / FILE_NAME).exists() or (directory / SEAL_NAME).exists():
        raise InputError(f"{directory}: a directory without a record expected; move the old one aside first")
    directory.mkdir(parents=True, exist_ok=True)
    _copy_files(source, directory)
    if (source / SEAL_NAME).exists():
        write_durably(directory / SEAL_NAME, (source / SEAL_NAME).read_bytes())
    unfinished = directory / f"{FILE_NAME}.unfinished"
    shutil.copyfile(source / FILE_NAME, unfinished)
    sync_file(unfinished)
    unfinished.replace(directory / FILE_NAME)  # last: without it there is no record, and a restore can be begun anew
    sync_directory(directory)
    return manifest


def begin_restore(directory: Path) -> Path:
    """The folder inside the data directory where a backup is put until its new epoch is begun; not made yet.

    Raises InputError where there is a record already. A restore that was cut off is begun anew.
    """
    staging = directory / STAGING
    was_cut_off = staging.exists()
    if (directory / FILE_NAME).exists() or ((directory / SEAL_NAME).exists() and not was_cut_off):
        raise InputError(f"{directory}: a directory without a record expected; move the old one aside first")
    shutil.rmtree(staging, ignore_errors=True)
    return staging


def finish_restore(staging: Path) -> None:
    """Make what stands whole in the folder the record of its data directory; the database last of all. OSError."""
    directory = staging.parent
    for entry in sorted(staging.iterdir(), key=lambda entry: entry.name == FILE_NAME):
        if entry.is_dir():
            shutil.copytree(entry, directory / entry.name, dirs_exist_ok=True)
            for copied in (directory / entry.name).rglob("*"):
                sync_directory(copied) if copied.is_dir() else sync_file(copied)
        elif entry.name == FILE_NAME:
            sync_directory(directory)
            entry.replace(directory / entry.name)
        elif entry.is_file() and entry.name not in LEFT_BEHIND:
            entry.replace(directory / entry.name)
    sync_directory(directory)
    shutil.rmtree(staging, ignore_errors=True)


def _copy_database(source: Path, target: Path) -> None:
    with (
        closing(sqlite_module.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as reading,
        closing(sqlite_module.connect(str(target))) as writing,
    ):
        reading.execute("PRAGMA busy_timeout=5000")
        reading.backup(writing, pages=PAGES_AT_ONCE)
        writing.execute("PRAGMA journal_mode=DELETE")  # one file, no log beside it
    sync_file(target)


def _copy_files(source: Path, target: Path) -> int:
    """Every file that the copied database names; after it, for files are there before a record names them."""
    database = target / FILE_NAME if (target / FILE_NAME).exists() else source / FILE_NAME
    store, copied = FileStore(source), 0
    for digest in _named(database):
        if not is_whole(store, digest):
            continue  # the check of the copy names it
        to = FileStore(target).path_of(digest)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(store.path_of(digest), to)
        sync_file(to)
        sync_directory(to.parent)
        copied += 1
    if copied:
        sync_directory(target / FOLDER)
        sync_directory(target)
    return copied


def _named(database: Path) -> list[str]:
    with closing(sqlite_module.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'files'").fetchone() is None:
            return []
        return [str(row[0]) for row in connection.execute("SELECT DISTINCT sha256 FROM files")]


def _describe(copy: Path, files: int) -> Manifest:
    with closing(sqlite_module.connect(f"{(copy / FILE_NAME).absolute().as_uri()}?mode=ro", uri=True)) as connection:
        meta: Any = connection.execute("SELECT site_id, epoch FROM meta").fetchone()
        if meta is None:
            raise InputError(f"{copy}: a record that was begun expected, found none")
        last = connection.execute("SELECT number, hash FROM records ORDER BY number DESC LIMIT 1").fetchone()
    records, head = last or (0, "")
    at = datetime.now(UTC).isoformat()
    return Manifest(str(meta[0]), str(meta[1]), int(records), str(head), at, _sha256_of(copy / FILE_NAME), files)


def _sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise InputError(f"{path}: a readable file expected: {error}") from error
    return digest.hexdigest()
