"""Frames a second that one core decodes, protocol by protocol, beside splitting the same bytes at their terminators.

The stream is an emulator's: a load that moves and rests. Splitting finds line ends and nothing else: no check, no
number, no unit. It is the floor of what reading a stream costs in this language, not a rival.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Final

from devices.simulator.indicators import emulator
from devices.simulator.indicators.display import Display
from devices.weighbridge import protocols
from devices.weighbridge.frame import Rejected
from gate_service.bench.figure import Figure

FRAMES: Final = 2000
CHUNK_BYTES: Final = 64  # as a serial port hands them over
ROUNDS: Final = 5  # the best of each: what disturbs a round is not the decoder
# Protocol: how the emulator is set up, the decoder's options, and what ends a frame.
STREAMS: Final[Mapping[str, tuple[dict[str, str], dict[str, str], bytes]]] = {
    "xk3190-continuous": ({}, {}, b"\x03"),
    "xk3190-command": ({}, {}, b"\x03"),
    "xk3190-equals": ({"form": "reversed"}, {"form": "reversed"}, b"="),
    "xk3190-a12": ({}, {}, b"\r\n"),
    "toledo-continuous": ({}, {}, b"\r"),
    "mt-sics": ({"repeat": "yes"}, {}, b"\r\n"),
    "sma": ({"repeat": "yes"}, {}, b"\r"),
    "csv": ({}, {}, b"\r\n"),
    "rice-lake": ({}, {}, b"\r\n"),
    "rinstrum": ({}, {}, b"\x03"),
    "cardinal": ({}, {}, b"\r"),
}


def bench_indicators() -> list[Figure]:
    """One figure per protocol; told, not judged: even the slowest line is far below either."""
    return [_figure(name) for name in STREAMS]


def stream(name: str, frames: int = FRAMES) -> list[bytes]:
    """What an indicator sends while a vehicle drives on, rests and drives off, in pieces as a port delivers them."""
    dialect = emulator.DIALECTS[name](dict(STREAMS[name][0]))
    display = Display()
    loads = (40_000 * (1 + math.tanh(3 * math.sin(at / 60))) / 2 for at in range(frames))
    data = b"".join(dialect.frame(display.look(load)) for load in loads)
    return [data[at : at + CHUNK_BYTES] for at in range(0, len(data), CHUNK_BYTES)]


def _figure(name: str) -> Figure:
    chunks = stream(name)
    _, options, end = STREAMS[name]
    return Figure(
        "indicators",
        f"{name} frames decoded",
        _best_rate(lambda: _decode(name, options, chunks)),
        "frames/s",
        _best_rate(lambda: _split(end, chunks)),
        "split at the ends only",
    )


def _best_rate(read: Callable[[], int]) -> float:
    """Frames a second of the fastest round."""
    best = 0.0
    for _ in range(ROUNDS):
        began_s = time.perf_counter()
        frames = read()
        best = max(best, frames / (time.perf_counter() - began_s))
    return best


def _decode(name: str, options: Mapping[str, str], chunks: list[bytes]) -> int:
    decoder = protocols.create(name, options)
    decoded = [frame for chunk in chunks for frame in decoder.feed(chunk)] + decoder.flush()
    frames = sum(not isinstance(frame, Rejected) for frame in decoded)
    if frames != FRAMES:
        raise RuntimeError(f"{name}: {FRAMES} frames sent, {frames} read; the figure would be of something else")
    return frames


def _split(end: bytes, chunks: list[bytes]) -> int:
    rest, frames = b"", 0
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(end)
        frames += len(whole)
    return frames
