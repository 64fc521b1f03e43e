"""Lane snapshots to open connections: encoded once, latest wins per lane, with a beat that says that all is fresh.

A page that hears nothing for three seconds must tell its user so; the beat comes every second, and only while the
service really delivers. Ages travel with the beat, so that an unchanged lane is seen to be fresh.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Final, Self

from gate_service.domain.ports import Clock
from gate_service.web.curves import Curves
from gate_service.web.gate_api import GateApi, Snapshot

log = logging.getLogger(__name__)

BEAT_S: Final = 1.0
RESUBSCRIBE_S: Final = 1.0
DRIVER_FIELDS: Final = ("id", "name", "driver", "lights", "fire", "inputs_age_ms")


def encode(document: Any) -> str:
    """Compact JSON text."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), default=str)


def driver_view(snapshot: Snapshot) -> dict[str, Any]:
    """What the driver may see: never verdict, reasons or state."""
    return {name: snapshot.get(name) for name in DRIVER_FIELDS}


def ages_of(snapshot: Snapshot) -> dict[str, Any]:
    """How old what is shown of a lane is."""
    weight = snapshot.get("weight")
    return {
        "inputs_age_ms": snapshot.get("inputs_age_ms"),
        "weight_age_ms": None if weight is None else weight.get("age_ms"),
        "devices": {device["device"]: device.get("age_ms") for device in snapshot.get("devices") or ()},
    }


class Mailbox:
    """What one connection has not been sent yet. `lane` limits it to one lane, as its driver may see it; `only` to
    these lanes, empty for all.
    """

    def __init__(self, lane: str | None, only: frozenset[str] = frozenset()) -> None:
        self.lane = lane
        self.only = only
        self._lanes: dict[str, str] = {}
        self._beat: str | None = None
        self._wake = asyncio.Event()
        self._closed = False

    def put_lane(self, lane_id: str, text: str) -> None:
        """Replace what was not sent yet of this lane."""
        self._lanes[lane_id] = text
        self._wake.set()

    def put_beat(self, text: str) -> None:
        """Replace an unsent beat."""
        self._beat = text
        self._wake.set()

    def close(self) -> None:
        """Wake the reader for the last time."""
        self._closed = True
        self._wake.set()

    async def take(self) -> tuple[list[str], str | None] | None:
        """Lanes and beat since the last time, waiting for any; None once closed."""
        await self._wake.wait()
        if self._closed:
            return None
        lanes, beat = list(self._lanes.values()), self._beat
        self._lanes.clear()
        self._beat = None
        self._wake.clear()
        return lanes, beat


class LiveHub:
    """One subscription to the service for all open connections."""

    def __init__(self, gate: GateApi, clock: Clock) -> None:
        self._gate = gate
        self._clock = clock
        self._mailboxes: set[Mailbox] = set()
        self._curves = Curves()
        self._tasks: list[asyncio.Task[None]] = []
        self._is_delivering = False
        self._closing = asyncio.Event()

    @property
    def connections(self) -> int:
        """How many are listening."""
        return len(self._mailboxes)

    def curves(self) -> dict[str, Any]:
        """The last minute of every lane's weight, as a message to a page that opens."""
        return {"type": "curves", "curves": self._curves.told(self._clock.monotonic_s())}

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._follow()), asyncio.create_task(self._beat())]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def close(self) -> None:
        """End every listener now; streams would otherwise keep the server from stopping."""
        self._closing.set()
        for mailbox in self._mailboxes:
            mailbox.close()

    async def pause(self, duration_s: float) -> bool:
        """Wait; False at once when the hub is closed, so that a stream ends with the server."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), duration_s)
        return not self._closing.is_set()

    @contextmanager
    def listen(self, lane: str | None = None, only: frozenset[str] = frozenset()) -> Iterator[Mailbox]:
        """A mailbox that begins with every lane as it is now; `only` these lanes, empty for all."""
        mailbox = Mailbox(lane, only)
        for snapshot in self._gate.lanes():
            self._put(mailbox, snapshot, None)
        self._mailboxes.add(mailbox)
        if self._closing.is_set():
            mailbox.close()
        try:
            yield mailbox
        finally:
            self._mailboxes.discard(mailbox)

    def _put(self, mailbox: Mailbox, snapshot: Snapshot, text: str | None) -> None:
        lane_id = str(snapshot["id"])
        if mailbox.lane is None:
            if not mailbox.only or lane_id in mailbox.only:
                mailbox.put_lane(lane_id, text or encode(snapshot))
        elif mailbox.lane == lane_id:
            mailbox.put_lane(lane_id, encode(driver_view(snapshot)))

    async def _follow(self) -> None:
        """Task root: hand every change to all mailboxes; begin again when the subscription breaks."""
        while True:
            try:
                async with self._gate.subscribe() as snapshots:
                    async for snapshot in snapshots:
                        self._is_delivering = True
                        self._curves.note(snapshot, self._clock.monotonic_s())
                        text = encode(snapshot)
                        for mailbox in self._mailboxes:
                            self._put(mailbox, snapshot, text)
            except Exception:
                # A mistake anywhere below must not leave pages that look alive: the beat stops, and we try again.
                log.exception("live: the subscription to the lanes broke")
            self._is_delivering = False
            await self._clock.sleep(RESUBSCRIBE_S)

    async def _beat(self) -> None:
        """Task root: say once a second that what is shown is what is."""
        while True:
            try:
                if self._is_delivering:
                    self._send_beat()
            except Exception:
                # As in `_follow`: without a beat the pages say that they are stale, which is then true.
                log.exception("live: no beat could be made")
            await asyncio.sleep(BEAT_S)

    def _send_beat(self) -> None:
        at = self._clock.now().isoformat()
        ages = {str(snapshot["id"]): ages_of(snapshot) for snapshot in self._gate.lanes()}
        whole = encode({"type": "beat", "at": at, "ages": ages, "standing": self._gate.standing()})
        for mailbox in self._mailboxes:
            seen = mailbox.only if mailbox.lane is None else {mailbox.lane}
            if not seen:
                mailbox.put_beat(whole)
            else:
                mailbox.put_beat(encode({"type": "beat", "at": at, "ages": {lane: ages.get(lane) for lane in seen}}))
