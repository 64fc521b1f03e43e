"""Who watches the lanes: snapshots as they change, latest wins per lane, never a backlog for a slow watcher."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Final

from gate_service.domain.events import JsonObject
from gate_service.domain.reading import LaneInputs, Reading

PAUSE_S: Final = 0.05
"""What changed within it goes out together: half of it is the mean wait of a frame on its way to the screen
(`gate bench pages`), and an indicator sends at most 12.5 frames a second."""

REPEAT_S: Final = 1.0
"""Every lane is told again after this long even unchanged, so that a watcher knows silence from stillness."""


class Watchers:
    """All subscriptions. `changed` may be called as often as the devices report."""

    def __init__(self, lane_ids: Iterable[str], snapshot: Callable[[str], JsonObject]) -> None:
        self._lane_ids = tuple(lane_ids)
        self._snapshot = snapshot
        self._changed: dict[int, tuple[set[str], asyncio.Event]] = {}

    def changed(self, lane_id: str) -> None:
        """Note that a lane looks different."""
        for lanes, event in self._changed.values():
            lanes.add(lane_id)
            event.set()

    def all_changed(self) -> None:
        """Note that something that all lanes show has changed."""
        for lane_id in self._lane_ids:
            self.changed(lane_id)

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[AsyncIterator[JsonObject]]:
        """All lanes at once, then each as it changes, and all again every `REPEAT_S`."""
        key = object()
        lanes, event = set(self._lane_ids), asyncio.Event()
        event.set()
        self._changed[id(key)] = (lanes, event)
        try:
            yield self._stream(lanes, event)
        finally:
            del self._changed[id(key)]

    async def _stream(self, lanes: set[str], event: asyncio.Event) -> AsyncIterator[JsonObject]:
        while True:
            try:
                async with asyncio.timeout(REPEAT_S):  # wait_for loses a cancellation in Python 3.11
                    await event.wait()
            except TimeoutError:
                lanes.update(self._lane_ids)
            event.clear()
            due = [lane_id for lane_id in self._lane_ids if lane_id in lanes]
            lanes.clear()
            for lane_id in due:
                yield self._snapshot(lane_id)
            await asyncio.sleep(PAUSE_S)


class Eye:
    """Tells the watchers of one lane when its devices report something that looks different.

    The lane tells of its own steps; a weight that grows or a boom on its way is no step, and must be seen all the same.
    """

    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell = tell
        self._weight: object = None
        self._inputs: object = None

    def weight_read(self, reading: Reading) -> None:
        """A frame: told when the number, its status or its rest differs from the last."""
        look = (reading.value, reading.status, reading.is_stable)
        if look != self._weight:
            self._weight = look
            self._tell()

    def inputs_read(self, inputs: LaneInputs) -> None:
        """A poll: told when a detector, a boom or the fire input differs from the last."""
        look = (inputs.detectors, inputs.booms, inputs.fire)
        if look != self._inputs:
            self._inputs = look
            self._tell()
