"""Slows down guessing: failures per address, and per name that does not exist (existing ones count in their row)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

LOCK_AFTER: Final = 5  # failures in a row of one name; site decision within ASVS 5.0 6.3.1
FIRST_LOCK_S: Final = 30
LONGEST_LOCK_S: Final = 900
ADDRESS_LIMIT: Final = 20  # failures of one address within the window, whatever the names
ADDRESS_WINDOW_S: Final = 300
REMEMBERED: Final = 1000  # names and addresses; the oldest is forgotten first


def lock_s(failures: int) -> int:
    """How long a name is locked after so many failures in a row: 0 below the limit, then doubling to a quarter hour."""
    if failures < LOCK_AFTER:
        return 0
    return min(FIRST_LOCK_S << min(failures - LOCK_AFTER, 10), LONGEST_LOCK_S)


@dataclass(slots=True)
class _Count:
    failures: int
    since_at: datetime
    locked_until_at: datetime


class Throttle:
    """Counts in memory; a restart forgets it, the rows of real accounts do not."""

    def __init__(self) -> None:
        self._addresses: OrderedDict[str, _Count] = OrderedDict()
        self._names: OrderedDict[str, _Count] = OrderedDict()

    def wait_s(self, address: str, name: str, now: datetime) -> int:
        """How long this address, or this unknown name, has to wait; 0 for not at all."""
        wait = 0.0
        found = self._addresses.get(address)
        if found is not None:
            ends_at = found.since_at + timedelta(seconds=ADDRESS_WINDOW_S)
            if now >= ends_at:
                del self._addresses[address]
            elif found.failures >= ADDRESS_LIMIT:
                wait = (ends_at - now).total_seconds()
        known = self._names.get(name)
        if known is not None:
            wait = max(wait, (known.locked_until_at - now).total_seconds())
        return max(0, int(wait + 0.999))

    def failed(self, address: str, name: str | None, now: datetime) -> None:
        """Count a failure; `name` only where no such account exists."""
        count = self._remember(self._addresses, address, now)
        count.failures += 1
        if name is not None:
            count = self._remember(self._names, name, now)
            count.failures += 1
            count.locked_until_at = now + timedelta(seconds=lock_s(count.failures))

    @staticmethod
    def _remember(counts: OrderedDict[str, _Count], key: str, now: datetime) -> _Count:
        count = counts.setdefault(key, _Count(0, now, now))
        counts.move_to_end(key)
        if len(counts) > REMEMBERED:
            counts.popitem(last=False)
        return count
