"""The entry post of each lane: plate camera and scanner, which tell the service what they read, over HTTP.

One plate read and one scan of each slip for a truck that stands at the post. A read that was not acknowledged is sent
again under the same `read_id` until it is, or until the truck has gone: readers buffer, they do not invent.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Self
from uuid import uuid4

import httpx

from devices.simulator.specs import TruckSpec

CAMERA_S: Final = 0.5  # yard seconds from standing to a plate
BETWEEN_SCANS_S: Final = 1.5
PAUSES_S: Final = (0.25, 0.5, 1.0)  # real seconds between attempts, the last one repeated
TIMEOUT_S: Final = 5.0
NOBODY: Final = "http://127.0.0.1:1/"

Tell = Callable[[str, TruckSpec, Mapping[str, Any]], None]
"""What became of a read: `plate_sent`, `scan_sent` or `read_refused`."""


class Posts:
    """Cameras and scanners of all lanes; an async context manager. `aim` says where the service is."""

    def __init__(self, *, speed: float, dwell_s: Callable[[TruckSpec], float], tell: Tell) -> None:
        self._speed = speed
        self._dwell_s = dwell_s
        self._tell = tell
        self._base_url: str | None = None
        self._tokens: Mapping[str, str] = {}
        self._client: httpx.AsyncClient | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        self._client = httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False)
        with contextlib.suppress(httpx.HTTPError):
            await self._client.get(
                NOBODY
            )  # the first request imports for 0.4 s: no wire may stand still for that later
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    def aim(self, base_url: str, tokens: Mapping[str, str]) -> None:
        """Where reads go from now on, those still waiting included."""
        self._base_url = base_url.rstrip("/")
        self._tokens = dict(tokens)

    def truck_stands(self, truck: TruckSpec) -> None:
        """A truck stands at the post: once for each truck."""
        if self._client is not None and truck.id not in self._tasks:
            self._tasks[truck.id] = asyncio.create_task(self._read(truck))

    def truck_left(self, truck: TruckSpec) -> None:
        """The truck has gone: what was not delivered is given up."""
        task = self._tasks.get(truck.id)
        if task is not None:
            task.cancel()

    async def _read(self, truck: TruckSpec) -> None:
        """Task root of one truck: camera at once, scanner when the driver has found the slip."""
        camera = asyncio.create_task(self._show_plate(truck))
        try:
            await asyncio.sleep(self._dwell_s(truck) / self._speed)
            for code in truck.scan:
                scan = {"code": code, "scanned_at": _now(), "read_id": str(uuid4())}
                await self._deliver(truck, "scan", scan)
                await asyncio.sleep(BETWEEN_SCANS_S / self._speed)
            await camera
        finally:
            camera.cancel()

    async def _show_plate(self, truck: TruckSpec) -> None:
        await asyncio.sleep(CAMERA_S / self._speed)
        plate = {
            "plate": truck.plate_read,
            "trailer_plate": truck.trailer_plate_read,
            "containers": truck.containers_read,
            "seals": truck.seals_read,
            "seen_at": _now(),
            "read_id": str(uuid4()),
        }
        await self._deliver(truck, "plate", plate)

    async def _deliver(self, truck: TruckSpec, kind: str, body: Mapping[str, Any]) -> None:
        """Until it is acknowledged; the caller is cancelled when the truck has gone."""
        attempt, last_told = 0, ""
        while True:
            found = await self._attempt(truck.lane, kind, body)
            if found == "":
                self._tell(f"{kind}_sent", truck, {"read_id": body["read_id"], "attempts": attempt + 1})
                return
            if found != last_told:
                last_told = found
                self._tell("read_refused", truck, {"read": kind, "found": found})
            await asyncio.sleep(PAUSES_S[min(attempt, len(PAUSES_S) - 1)])
            attempt += 1

    async def _attempt(self, lane: str, kind: str, body: Mapping[str, Any]) -> str:
        """Post once. Empty text: acknowledged; else what was found instead."""
        if self._base_url is None or self._client is None:
            return "no service yet"
        token = self._tokens.get(lane)
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        try:
            answer = await self._client.post(f"{self._base_url}/api/v1/lanes/{lane}/{kind}", json=body, headers=headers)
        except httpx.HTTPError as error:
            return type(error).__name__
        return "" if answer.is_success else f"{answer.status_code} {answer.text[:200]}"


def _now() -> str:
    return datetime.now(UTC).isoformat()
