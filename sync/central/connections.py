"""The connections to the central system. After a silence none of the old ones is used again.

A line that swallows bytes (a router that forgot, a cable that was moved) swallows them on every kept connection: each
would cost one more time-out after the line has healed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx


@dataclass(slots=True)
class _Pool:
    client: httpx.AsyncClient
    users: int = 0


class Connections:
    """Opens with `async with`; lends the client of the present pool."""

    def __init__(self, make: Callable[[], httpx.AsyncClient]) -> None:
        self._make = make
        self._pool: _Pool | None = None

    async def __aenter__(self) -> Self:
        self._pool = _Pool(self._make())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            await self._pool.client.aclose()

    @asynccontextmanager
    async def borrowed(self) -> AsyncIterator[httpx.AsyncClient]:
        """Lend the client for one request. A request that hears nothing ends the pool for all that come after it."""
        pool = self._pool
        assert pool is not None
        pool.users += 1
        try:
            yield pool.client
        except (TimeoutError, httpx.TimeoutException):
            if self._pool is pool:
                self._pool = _Pool(self._make())
            raise
        finally:
            pool.users -= 1
            if pool is not self._pool and pool.users == 0:
                await pool.client.aclose()
