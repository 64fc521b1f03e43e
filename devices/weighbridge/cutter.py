"""Cuts a byte stream into frames: seek a start, scan, and on failure drop one byte and seek again. Pure, bounded.

A protocol brings two functions. `seek` says where the next frame may begin. `scan` looks at the bytes from there and
takes a frame, drops its first byte, or waits for more. What `scan` answers may depend on the bytes only, never on how
many happen to have arrived: then chunking cannot change the result.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from devices.weighbridge.frame import Decoded, Reason, Rejected

NOISE_RUN_BYTES = 256  # ours: a longer run of noise is reported in pieces, so that silence of good frames shows early


@dataclass(frozen=True, slots=True)
class Window:
    """The bytes from a possible start on, and what is known around them."""

    data: bytes
    before: int  # the byte ahead of them, -1 at the beginning of the stream
    is_last: bool  # no more bytes will come


@dataclass(frozen=True, slots=True)
class Take:
    """The first bytes of the window are one whole frame; its `raw` says how many."""

    frame: Decoded


@dataclass(frozen=True, slots=True)
class Drop:
    """No frame begins here. `extent` bytes looked like one: they are reported together unless a good frame cuts in."""

    reason: Reason = Reason.NOISE
    extent: int = 1


Scanned = Take | Drop | None
Scan = Callable[[Window], Scanned]
Seek = Callable[[bytes, int, int], int]  # bytes, position, the byte ahead of it (-1: none)


def seek_any(starts: bytes) -> Seek:
    """Make a `seek` that stops at any of these bytes."""
    pattern = re.compile(b"[" + re.escape(starts) + b"]")

    def seek(data: bytes, position: int, _before: int) -> int:
        found = pattern.search(data, position)
        return found.start() if found else len(data)

    return seek


class FrameCutter:
    """The decoder of every protocol here: one cutter around the protocol's own `seek` and `scan`.

    `limit` is the most bytes `scan` may ask for; what it cannot settle within them is dropped: the buffer is bounded.
    """

    def __init__(self, *, seek: Seek, scan: Scan, limit: int) -> None:
        self._seek, self._scan, self._limit = seek, scan, limit
        self._buffer = b""
        self._before = -1
        self._run = b""  # rejected bytes not yet handed out
        self._run_reason = Reason.NOISE
        self._run_left = 0  # bytes still to come of the rejected frame that the run began with
        self._out: list[Decoded] = []

    def feed(self, data: bytes) -> list[Decoded]:
        """Take the next bytes and hand out everything that they settle, in order."""
        self._buffer += data
        return self._settle(is_last=False)

    def flush(self) -> list[Decoded]:
        """End of input: settle what is left; a frame that has only begun is rejected as incomplete."""
        self._settle_all(is_last=True)
        self._end_run()
        self._before = -1
        return self._hand_out()

    def _settle(self, *, is_last: bool) -> list[Decoded]:
        self._settle_all(is_last=is_last)
        return self._hand_out()

    def _hand_out(self) -> list[Decoded]:
        out, self._out = self._out, []
        return out

    def _settle_all(self, *, is_last: bool) -> None:
        data, position = self._buffer, 0
        while position < len(data):
            start = self._seek(data, position, self._before)
            if start > position:
                self._reject(data[position:start], Drop())
                self._before, position = data[start - 1], start
                continue
            window = data[position : position + self._limit]
            is_end = is_last and position + self._limit >= len(data)
            scanned = self._scan(Window(window, self._before, is_end))
            if scanned is None:
                if len(window) < self._limit and not is_last:
                    break
                scanned = Drop(Reason.INCOMPLETE if is_end else Reason.LENGTH, len(window))
            if isinstance(scanned, Take):
                self._end_run()
                self._out.append(scanned.frame)
                length = len(scanned.frame.raw)
            else:
                self._reject(data[position : position + 1], scanned)
                length = 1
            position += length
            self._before = data[position - 1]
        self._buffer = data[position:]

    def _reject(self, dropped: bytes, why: Drop) -> None:
        """Add bytes to the run of rejected bytes. A rejected frame begins its own run unless it lies within another."""
        if why.reason is not Reason.NOISE and why.extent > self._run_left:
            self._end_run()
            self._run, self._run_reason, self._run_left = dropped, why.reason, why.extent - len(dropped)
            if self._run_left <= 0:
                self._end_run()
            return
        inside = dropped[: self._run_left]
        self._run += inside
        self._run_left -= len(inside)
        if inside and not self._run_left:
            self._end_run()
        rest = dropped[len(inside) :]
        self._run += rest
        while len(self._run) >= NOISE_RUN_BYTES:
            self._out.append(Rejected(Reason.NOISE, self._run[:NOISE_RUN_BYTES]))
            self._run = self._run[NOISE_RUN_BYTES:]

    def _end_run(self) -> None:
        """Hand out the run. Line ends alone between two frames are no noise."""
        if self._run and (self._run_reason is not Reason.NOISE or self._run.strip(b"\r\n")):
            self._out.append(Rejected(self._run_reason, self._run))
        self._run, self._run_reason, self._run_left = b"", Reason.NOISE, 0
