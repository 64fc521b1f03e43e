"""`gate read`: the frames of one weighing protocol from a live port, as `gate decode` shows them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from devices.links.recorder import Capture
from devices.links.serial import SerialLink
from devices.weighbridge import protocols, transmitter
from devices.weighbridge.frame import Decoded, TareFrame, WeightFrame
from devices.weighbridge.frame_object import frame_object
from devices.weighbridge.poller import Poller
from devices.weighbridge.polling import Poll
from gate_service.cli import read_transmitter
from gate_service.cli.decode import option_map
from gate_service.cli.recording import recording
from gate_service.cli.stream import say
from gate_service.clock import RealClock


def run(
    protocol: str,
    port: str,
    *,
    count: int | None,
    seconds: float | None,
    options: Sequence[str],
    record: Path | None = None,
    as_json: bool = False,  # noqa: ARG001 - one JSON object per line either way
) -> int:
    """Print frames until `count` readings came or `seconds` are over; 1 when there was none.

    Sends nothing unless the options name a question to ask (`poll`). `record`: a new file for all bytes of the link.
    """
    chosen = option_map(options)
    if protocol == transmitter.PROTOCOL:
        return read_transmitter.run(port, count=count, seconds=seconds, options=chosen, record=record)
    poll = protocols.poll_of(protocol, chosen)
    with recording(record, {"protocol": protocol, "options": chosen, "port": port}) as capture:
        reading = _Reading(protocol, chosen, count, capture)
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(reading.read(port, poll, seconds))
        reading.show_rest()
    return 0 if reading.readings else 1


class _Reading:
    """Prints one JSON object per frame, as `gate decode` does, and counts the readings."""

    def __init__(self, protocol: str, options: dict[str, str], count: int | None, capture: Capture | None) -> None:
        self.readings = 0
        self._decoder = protocols.create(protocol, options)
        self._count = count
        self._capture = capture
        self._clock = RealClock()
        self._poller: Poller | None = None
        self._done = asyncio.Event()

    async def read(self, port: str, poll: Poll | None, seconds: float | None) -> None:
        """Listen, and ask if there is something to ask, until done or the time is over."""
        link = SerialLink(port, self._clock, on_bytes=self._received, on_fault=self._link_changed)

        async def ask(question: bytes) -> None:
            await link.write(question)
            if self._capture is not None:
                self._capture.add(question, self._clock.monotonic_s(), is_sent=True)

        async with link:
            asking: asyncio.Task[None] | None = None
            if poll is not None:
                self._poller = Poller(poll, ask, self._clock, self.show_rest)
                asking = asyncio.create_task(self._poller.run())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._done.wait(), seconds)
            if asking is not None:
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)

    def show_rest(self) -> None:
        """Show what an ended or quiet line leaves."""
        self._show(self._decoder.flush())

    def _received(self, data: bytes, at_s: float) -> None:
        if self._capture is not None:
            self._capture.add(data, at_s)
        if self._poller is not None:
            self._poller.note_bytes(at_s)
        self._show(self._decoder.feed(data))

    def _show(self, frames: Sequence[Decoded]) -> None:
        for decoded in frames:
            if self._done.is_set():
                return
            if not say(json.dumps(frame_object(decoded), ensure_ascii=False)):
                self._done.set()
            self.readings += isinstance(decoded, WeightFrame | TareFrame)
            if self._poller is not None and isinstance(decoded, WeightFrame):
                self._poller.note_answer()
            if self._count is not None and self.readings >= self._count:
                self._done.set()

    def _link_changed(self, fault: str | None) -> None:
        if fault is not None:
            print(fault, file=sys.stderr, flush=True)
