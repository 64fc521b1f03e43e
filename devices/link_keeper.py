"""Keeps one link open: connect, wait until it is lost, wait longer each time, connect again. Never gives up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Protocol

from gate_service.domain.errors import DeviceError
from gate_service.domain.ports import Clock

FIRST_DELAY_S: Final = 0.1
LONGEST_DELAY_S: Final = 2.0  # a link that returns is used again within 3 s


class KeptLink(Protocol):
    """What the keeper needs to know of a link."""

    async def open(self) -> None:
        """Open it. Raises DeviceError with the reason when that fails."""
        ...

    async def wait_lost(self) -> str:
        """Return the reason once the open link is lost."""
        ...

    def is_proven(self) -> bool:
        """Whether anything valid came over the link since it was opened; a mere connect proves nothing."""
        ...


def delays_s(first_s: float = FIRST_DELAY_S, longest_s: float = LONGEST_DELAY_S) -> Iterator[float]:
    """Doubling waits between attempts, bounded."""
    delay_s = first_s
    while True:
        yield delay_s
        delay_s = min(delay_s * 2, longest_s)


class LinkKeeper:
    """Runs one link. `on_fault` hears None when the link opened and the reason whenever it is not open."""

    def __init__(self, link: KeptLink, clock: Clock, on_fault: Callable[[str | None], None]) -> None:
        self._link = link
        self._clock = clock
        self._on_fault = on_fault

    async def run(self) -> None:
        """Keep the link until cancelled. The wait shrinks again only after a link that proved itself."""
        waits = delays_s()
        while True:
            try:
                await self._link.open()
            except DeviceError as exc:
                self._on_fault(str(exc))
            else:
                self._on_fault(None)
                self._on_fault(await self._link.wait_lost())
                if self._link.is_proven():
                    waits = delays_s()
            await self._clock.sleep(next(waits))
