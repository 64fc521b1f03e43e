"""Parts that do not need each other: entered one after the other, left all at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Protocol, Self


class Part(Protocol):
    """What can be entered and left."""

    async def __aenter__(self) -> Any:
        """Open."""
        ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Close."""
        ...


class Together:
    """`async with Together(parts)`: a closing serial link waits 0.3 s for its other end; eight in turn take 3 s."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        self._entered: list[Part] = []

    async def __aenter__(self) -> Self:
        try:
            for part in self._parts:
                await part.__aenter__()
                self._entered.append(part)
        except BaseException:
            await self._leave()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Every part is left, whatever the others say; then the first error is raised."""
        for found in await self._leave():
            if isinstance(found, BaseException):
                raise found

    async def _leave(self) -> list[Any]:
        leaving = [part.__aexit__(None, None, None) for part in self._entered]
        self._entered = []
        return await asyncio.gather(*leaving, return_exceptions=True)
