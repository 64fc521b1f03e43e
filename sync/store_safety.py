"""Which combinations of SQLite build, journal mode and synchronous level may hold the record. Pure.

Source: https://sqlite.org/wal.html#the_wal_reset_bug: 3.7.0 to 3.51.2 can lose committed transactions in WAL mode;
fixed in 3.51.3, back-ported to 3.44.6 and 3.50.7. Synchronous below FULL does not sync the log at a commit, so a power
cut takes acknowledged transactions with it. See docs/decisions/0010-the-record.md.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Final

from gate_service.domain.errors import UnsafeStoreError

Version = tuple[int, int, int]

FIRST_WITH_WAL: Final[Version] = (3, 7, 0)
FIRST_FIXED: Final[Version] = (3, 51, 3)
BACKPORTS: Final[dict[tuple[int, int], int]] = {(3, 44): 6, (3, 50): 7}


class JournalMode(StrEnum):
    """The journal modes that keep a committed transaction; the others of SQLite (memory, off) never do."""

    WAL = "wal"
    DELETE = "delete"


class Synchronous(IntEnum):
    """SQLite's synchronous levels, numbered as `PRAGMA synchronous` answers."""

    OFF = 0
    NORMAL = 1
    FULL = 2
    EXTRA = 3


def wal_is_safe(version: Version) -> bool:
    """Whether this SQLite build is free of the WAL-reset bug."""
    if version < FIRST_WITH_WAL:
        return False  # has no WAL at all
    if version >= FIRST_FIXED:
        return True
    fixed_patch = BACKPORTS.get(version[:2])
    return fixed_patch is not None and version[2] >= fixed_patch


def choose_journal(version: Version) -> tuple[JournalMode, Synchronous]:
    """Pick the fastest safe combination for this build."""
    if wal_is_safe(version):
        return JournalMode.WAL, Synchronous.FULL
    return JournalMode.DELETE, Synchronous.EXTRA  # EXTRA also syncs the directory after the journal is deleted


def refuse_unsafe(version: Version, journal_mode: str, synchronous: int) -> None:
    """Raise UnsafeStoreError for a combination that can lose an acknowledged transaction."""
    found = f"SQLite {'.'.join(map(str, version))}, journal_mode {journal_mode}, synchronous {synchronous}"
    if journal_mode not in set(JournalMode):
        raise UnsafeStoreError(f"{found}: journal mode wal or delete expected")
    if synchronous < Synchronous.FULL:
        raise UnsafeStoreError(f"{found}: synchronous FULL (2) or EXTRA (3) expected, a power cut would lose commits")
    if journal_mode == JournalMode.WAL and not wal_is_safe(version):
        raise UnsafeStoreError(
            f"{found}: this build has the WAL-reset bug; 3.51.3 or later (or 3.44.6+, 3.50.7+ of those lines) expected,"
            " or journal mode delete"
        )
