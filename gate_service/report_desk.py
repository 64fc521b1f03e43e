"""The reports of a period, and the draws anybody may check. Part of the service."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from gate_service.domain.errors import InputError
from gate_service.domain.ports import Clock
from sync.day_secrets import DaySecrets
from sync.report_queries import By, ReportQueries

USUAL: Final = timedelta(days=7)
LONGEST: Final = timedelta(days=3660)


class ReportDesk:
    """Implements `web.gate_api.ReportsApi`; works while the record is open."""

    def __init__(self, queries: ReportQueries, secrets: DaySecrets, clock: Clock) -> None:
        self._queries = queries
        self._secrets = secrets
        self._clock = clock

    async def risk(self, since: datetime | None, until: datetime | None, by: By) -> dict[str, Any]:
        """Interceptions, inspections and hits by enterprise, credit or goods; the last 7 days where nothing is said."""
        return await self._queries.risk(*self._period(since, until), by)

    async def flow(self, since: datetime | None, until: datetime | None) -> dict[str, Any]:
        """Share without interception and median time from arrival to boom, per lane class."""
        return await self._queries.flow(*self._period(since, until))

    async def draws(self) -> dict[str, Any]:
        """Commitments by day; secret and draws of the days that are over."""
        return {"days": await self._secrets.published()}

    def _period(self, since: datetime | None, until: datetime | None) -> tuple[datetime, datetime]:
        end = until or self._clock.now()
        start = since or end - USUAL
        if not start < end <= start + LONGEST:
            raise InputError(
                f"since, until: a period of at most {LONGEST.days} days expected, found {start.isoformat()} to "
                f"{end.isoformat()}"
            )
        return start, end
