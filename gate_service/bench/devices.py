"""`gate bench devices`: the lanes a core can hear, and what a silent unit costs its neighbours.

The service is the one `gate run` would build from a site file; its lanes are reached over sockets, their devices run in
a process of their own that stamps what it sends. A span ends when the lane has taken the reading and decided on it.
"""

from __future__ import annotations

import asyncio
import mmap
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from devices.links.address import parse_modbus
from devices.links.modbus import ModbusBus
from gate_service.bench.bench_site import LaneLinks, disk_folder, load_site
from gate_service.bench.busy_centre import BusyCentre
from gate_service.bench.figure import Figure, quantile
from gate_service.bench.loop import run_loop
from gate_service.bench.yard_server import SILENT_UNIT, STAMP, STAMPS, place, size_of
from gate_service.bootstrap import build
from gate_service.clock import RealClock
from gate_service.domain.errors import LinkLostError
from gate_service.domain.reading import WeightStatus
from lanes.controller import LaneController

SIZES: Final = (16, 64, 128)
JUDGED: Final = 64  # lanes that one core must hold; the other sizes show how it grows
FRAMES_PER_S: Final = 12.5  # an XK3190 at 1200 to 9600 baud sends about so many
SETTLE_S: Final = 3.0
MEASURE_S: Final = 12.0
CORE_LIMIT: Final = 1.0
LATENCY_LIMIT_MS: Final = 30.0
SHARE_LIMIT: Final = 0.95
ALONE_S: Final = 5.0
BESIDE_SILENCE_S: Final = 30.0  # two questions to the silent unit and more
ANSWER_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Heard:
    """One size measured: share of a core, and milliseconds from byte to lane for frames and polls."""

    lanes: int
    cores: float
    frames_ms: list[float]
    polls_ms: list[float]
    wall_s: float


def bench_devices(
    sizes: tuple[int, ...] = SIZES, measure_s: float = MEASURE_S, beside_silence_s: float = BESIDE_SILENCE_S
) -> list[Figure]:
    """Measure every size and the silent unit."""
    found: list[Figure] = []
    with disk_folder() as folder:
        for lanes in sizes:
            found += _figures(run_loop(hear(folder / str(lanes), lanes, measure_s)))
        beside, alone = run_loop(_silence(folder / "bus", beside_silence_s))
    name = "reads of others beside a silent unit"
    found.append(Figure("devices", name, beside, "reads/s", alone, "all answering", SHARE_LIMIT, is_at_least=True))
    return found


def _figures(heard: Heard) -> list[Figure]:
    is_judged = heard.lanes <= JUDGED
    lanes = f"{heard.lanes} lanes"
    figures = [
        Figure(
            "devices", f"{lanes}: processor", heard.cores, "cores", 1.0, "one core", CORE_LIMIT if is_judged else None
        )
    ]
    for what, spans in (("frame", heard.frames_ms), ("poll", heard.polls_ms)):
        rate = len(spans) / heard.lanes / heard.wall_s
        figures.append(Figure("devices", f"{lanes}: {what}s heard, per lane", rate, "1/s"))
        for title, share in (("p50", 0.5), ("p99", 0.99)):
            limit = 1.0 if is_judged and title == "p99" else None
            span = quantile(spans, share)
            figures.append(
                Figure("devices", f"{lanes}: {what} to lane, {title}", span, "ms", LATENCY_LIMIT_MS, "limit", limit)
            )
    return figures


@asynccontextmanager
async def _yard(file: Path, lanes: int) -> AsyncIterator[list[int]]:
    """Run the yard server on the file of stamps; give its ports."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gate_service.bench.yard_server", str(file), str(lanes), str(FRAMES_PER_S),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield [int(port) for port in (await asyncio.wait_for(process.stdout.readline(), ANSWER_S)).split()]
    finally:
        process.stdin.close()
        await process.wait()


def _stamps_in(folder: Path, lanes: int) -> Path:
    folder.mkdir()
    file = folder / "stamps"
    file.write_bytes(bytes(size_of(lanes)))
    return file


class _Ear:
    """Notes when one lane has dealt with each frame and each poll."""

    def __init__(self, controller: LaneController) -> None:
        self.done_ns: tuple[list[int], list[int]] = ([], [])
        self.heard_both = asyncio.Event()
        self._listen(controller, "weight_read", 0, lambda reading: reading.status is WeightStatus.OK)
        self._listen(controller, "inputs_read", 1, lambda inputs: inputs.unknown_because is None)

    def _listen(self, controller: LaneController, name: str, row: int, counts: Callable[[Any], bool]) -> None:
        taken: Callable[[Any], None] = getattr(controller, name)

        def listening(what: Any) -> None:
            taken(what)
            if counts(what):
                self.done_ns[row].append(time.monotonic_ns())
                if all(self.done_ns):
                    self.heard_both.set()

        setattr(controller, name, listening)


async def hear(folder: Path, lanes: int, measure_s: float) -> Heard:
    """Run a service with so many lanes in a new folder and listen for so long."""
    clock = RealClock()
    file = _stamps_in(folder, lanes)
    async with BusyCentre(clock) as centre, _yard(file, lanes) as ports:
        links = [
            LaneLinks(
                f"modbus-tcp://127.0.0.1:{ports[2 * number + 1]}/1", f"socket://127.0.0.1:{ports[2 * number]}",
                "xk3190-continuous", f"lane-{number}",
            )
            for number in range(lanes)
        ]  # fmt: skip
        built = build(load_site(folder, links, centre_url=centre.url), clock)
        ears = [_Ear(controller) for controller in built.controllers.values()]
        async with built.service:
            await asyncio.wait_for(asyncio.gather(*(ear.heard_both.wait() for ear in ears)), ANSWER_S)
            await asyncio.sleep(SETTLE_S)
            began_ns, began_cpu_s = time.monotonic_ns(), time.process_time()
            await asyncio.sleep(measure_s)
            ended_ns, ended_cpu_s = time.monotonic_ns(), time.process_time()
    spans = _spans(file, ears, began_ns, ended_ns)
    wall_s = (ended_ns - began_ns) / 1e9
    return Heard(lanes, (ended_cpu_s - began_cpu_s) / wall_s, spans[0], spans[1], wall_s)


def _spans(file: Path, ears: list[_Ear], began_ns: int, ended_ns: int) -> tuple[list[float], list[float]]:
    """Milliseconds between each stamp and the moment its lane was done with it; both are in the order of the line."""
    spans: tuple[list[float], list[float]] = ([], [])
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as stamps:
        for lane, ear in enumerate(ears):
            for row, done in enumerate(ear.done_ns):
                for index, done_ns in enumerate(done[:STAMPS]):
                    if began_ns <= done_ns < ended_ns:
                        (sent_ns,) = STAMP.unpack_from(stamps, place(lane, row, index))
                        spans[row].append((done_ns - sent_ns) / 1e6)
    return spans


async def _silence(folder: Path, beside_s: float) -> tuple[float, float]:
    """Reads per second of three units on a shared line, beside a silent fourth and without it."""
    async with _yard(_stamps_in(folder, 1), 1) as ports:
        url = f"modbus-rtu-tcp://127.0.0.1:{ports[-1]}/1"
        others = tuple(range(1, SILENT_UNIT))
        before = await _reads_per_s(url, others, ALONE_S)
        beside = await _reads_per_s(url, (*others, SILENT_UNIT), beside_s)
        after = await _reads_per_s(url, others, ALONE_S)
    return beside, (before + after) / 2


async def _reads_per_s(url: str, units: tuple[int, ...], measure_s: float) -> float:
    """Ask every unit as often as the line allows; count the answers once silence is known."""
    async with ModbusBus(parse_modbus(url), RealClock()) as bus:
        await asyncio.wait_for(bus.wait_open(), ANSWER_S)
        answers = 0

        async def ask(number: int) -> None:
            nonlocal answers
            while True:
                try:
                    await bus.unit(number).read_bits(0, 8, are_coils=False)
                    answers += 1
                except LinkLostError:
                    await asyncio.sleep(0.05)

        asking = [asyncio.create_task(ask(number), name=f"bench unit {number}") for number in units]
        try:
            await asyncio.sleep(SETTLE_S)
            before, began_s = answers, time.monotonic()
            await asyncio.sleep(measure_s)
            return (answers - before) / (time.monotonic() - began_s)
        finally:
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)
