"""What every table of the record is made of: one metadata, 64-bit numbers, times as whole microseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import BigInteger, Integer, MetaData

metadata: Final = MetaData()
Number: Final = BigInteger().with_variant(Integer, "sqlite")
"""64 bits in both; SQLite makes only `INTEGER PRIMARY KEY` the row number."""

EPOCH_START: Final = datetime(1970, 1, 1, tzinfo=UTC)


def to_us(at: datetime) -> int:
    """Whole microseconds since 1970 UTC; a naive time is a mistake and raises TypeError."""
    return (at - EPOCH_START) // timedelta(microseconds=1)


def from_us(at_us: int) -> datetime:
    """Aware UTC time."""
    return EPOCH_START + timedelta(microseconds=at_us)
