"""How much of a major hazard each storage unit held over time: S of GB 18218 by the hour, last and highest. Pure.

Follows a `Stock` event by event: an event changes the terms of the balances it touches; nothing else is computed anew.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from itertools import groupby
from typing import Any, Final

from gate_service.domain.hazmat import StockTerm, stock_indicator
from gate_service.domain.inventory import GRAMS_PER_T, Balance, Key, identify
from gate_service.domain.major_hazard import Match, StockTables

KEPT_HOURS: Final = 400 * 24
"""Per storage unit, hours in which something changed. Site decision: a year and a month."""

HOURLY_UP_TO_DAYS: Final = 7
"""A longer span is told by the day: more points than that no chart shows."""

CHINA: Final = timezone(timedelta(hours=8))
"""Days of the history begin at midnight in China, where every bonded zone is."""


@dataclass(slots=True)
class Sample:
    """One hour in which the unit changed: S at its last event, and the highest S within it."""

    hour: datetime
    last: Decimal
    highest: Decimal


class StockHistory:
    """Takes what a `Stock` has just taken. Between two samples a unit stayed as it was."""

    def __init__(self, tables: StockTables) -> None:
        self._tables = tables
        self._terms: dict[str, dict[Key, StockTerm]] = {}
        self._samples: dict[str, deque[Sample]] = {}

    def note(self, touched: Iterable[Key], balances: Mapping[Key, Balance], at: datetime) -> None:
        """Balances that one event touched, as they are now. A time before the newest sample counts into it."""
        units = set()
        for key in touched:
            units.add(key.storage_unit)
            terms = self._terms.setdefault(key.storage_unit, {})
            term = _term(balances[key], self._tables)
            if term is None:
                terms.pop(key, None)
            else:
                terms[key] = term
        for unit in units:
            self._sample(unit, at)

    def told(self, since: datetime, until: datetime) -> list[dict[str, Any]]:
        """Of each unit its points: what it held at `since`, then every hour or day in which it changed.

        `{"storage_unit", "step", "points": [{"at", "s", "s_highest"}]}`; `at` is the beginning of the hour or day.
        """
        is_hourly = until - since <= timedelta(days=HOURLY_UP_TO_DAYS)
        step = "hour" if is_hourly else "day"
        return [
            {"storage_unit": unit, "step": step, "points": _points(samples, since, until, is_hourly=is_hourly)}
            for unit, samples in sorted(self._samples.items())
        ]

    def _sample(self, unit: str, at: datetime) -> None:
        s = stock_indicator(self._terms[unit].values())
        samples = self._samples.setdefault(unit, deque(maxlen=KEPT_HOURS))
        hour = at.replace(minute=0, second=0, microsecond=0)
        if samples and hour <= samples[-1].hour:
            samples[-1].last, samples[-1].highest = s, max(samples[-1].highest, s)
        else:
            samples.append(Sample(hour, s, s))


def _term(balance: Balance, tables: StockTables) -> StockTerm | None:
    """What a balance adds to S; None for one that is not counted (zero, unmatched, in no table)."""
    if balance.grams <= 0:
        return None
    found = identify(balance.goods, tables)
    if not isinstance(found, Match):
        return None
    return StockTerm("", Decimal(balance.grams) / GRAMS_PER_T, found.threshold_t, found.beta or Decimal(0))


def _points(samples: Iterable[Sample], since: datetime, until: datetime, *, is_hourly: bool) -> list[dict[str, Any]]:
    before = Decimal(0)
    within = []
    for sample in samples:
        if sample.hour < since:
            before = sample.last
        elif sample.hour <= until:
            within.append(sample)
    points = [_point(since, before, before)]
    if is_hourly:
        return points + [_point(sample.hour, sample.last, sample.highest) for sample in within]
    for day, group in groupby(within, key=lambda sample: sample.hour.astimezone(CHINA).date()):
        found = list(group)
        begins = datetime(day.year, day.month, day.day, tzinfo=CHINA)
        points.append(_point(max(begins, since), found[-1].last, max(sample.highest for sample in found)))
    return points


def _point(at: datetime, last: Decimal, highest: Decimal) -> dict[str, Any]:
    return {"at": at.isoformat(), "s": float(last), "s_highest": float(highest)}
