"""Faults that a demo can show by name: what they are, and how those outside the service are played."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

from gate_service.cli.demo_children import Child

SERVICE_INJECTS: Final[Mapping[str, str]] = {
    "skip-interlock": "the service lowers booms without asking the interlocks; the yard's judge must notice",
}
"""Handed to the service in its site file."""

INJECTS: Final[Mapping[str, str]] = {
    "central-down": "the central system is stopped for a minute of yard time, and comes back",
    "io-cut": "one lane's I/O module is unreachable for ten seconds",
    "serial-garbage": "one weighbridge sends garbage between its frames for ten seconds",
}
"""Played by the demo from outside, once the first trucks are through."""

CENTRAL_DOWN_S: Final = 60.0  # divided by the speed
CUT_S: Final = 10.0  # real seconds: protocol timing is never scaled
FAULTY_LANE: Final = "in-n1"


class Parts(Protocol):
    """What an inject may touch."""

    central: Child
    yard: Child

    async def start_central(self) -> None:
        """Start the central system again, on the port and with the state it had."""
        ...


async def _central_down(parts: Parts, speed: float) -> None:
    await parts.central.stop()
    await asyncio.sleep(CENTRAL_DOWN_S / speed)
    await parts.start_central()


def _yard_fault(device: str, name: str) -> Callable[[Parts, float], Awaitable[None]]:
    async def play(parts: Parts, _speed: float) -> None:
        fault: dict[str, Any] = {"do": "fault", "device": f"{FAULTY_LANE}/{device}", "name": name}
        await parts.yard.tell({**fault, "on": True})
        await asyncio.sleep(CUT_S)
        await parts.yard.tell({**fault, "on": False})

    return play


PLAY: Final[Mapping[str, Callable[[Parts, float], Awaitable[None]]]] = {
    "central-down": _central_down,
    "io-cut": _yard_fault("io", "cut"),
    "serial-garbage": _yard_fault("weighbridge", "garbage"),
}
