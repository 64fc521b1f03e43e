"""What `gate bench pages` looks at: `gate run` as a process of its own, its eight lanes, and the other terminals.

Lanes are reached over sockets; their indicators number their frames by mass, so that a number on the screen tells when
it was sent (`yard_server`). The other terminals are sockets as a page opens them, in a process of their own.
"""

from __future__ import annotations

import json
import mmap
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import httpx

from gate_service.bench.bench_site import LaneLinks, load_site
from gate_service.bench.yard_server import NUMBERS, STAMP, STAMPS, place, size_of

LANES: Final = 8
UPDATES_PER_S: Final = 10.0
OTHERS: Final = 49
START_WITHIN_S: Final = 60.0
STOP_WITHIN_S: Final = 30.0  # far above the limit, so that a slow stop is measured and not cut off
NAME: Final = "bench"
PASSWORD: Final = "only for this bench, on loopback"  # noqa: S105 - an account of a folder that is deleted afterwards


@dataclass(frozen=True, slots=True)
class PagesSite:
    """The running service and its wires."""

    service: subprocess.Popen[bytes]
    url: str
    cookies: list[tuple[str, str]]
    stamps: Path

    def stop(self) -> float:
        """Ask the service to stop, as a person or a system does; seconds until it had. RuntimeError unless cleanly."""
        began_s = time.monotonic()
        self.service.send_signal(signal.SIGTERM)
        status = self.service.wait(STOP_WITHIN_S)
        if status != 0:
            raise RuntimeError(f"service: a clean stop expected, status {status} found")
        return time.monotonic() - began_s

    def resident_kb(self) -> int:
        """Memory of the service."""
        status = Path(f"/proc/{self.service.pid}/status").read_text(encoding="ascii")
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))

    def sent_ns(self, lane: int) -> list[int]:
        """Monotonic nanoseconds at which each frame of a lane was sent."""
        with self.stamps.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as stamps:
            found = [STAMP.unpack_from(stamps, place(lane, 0, index))[0] for index in range(STAMPS)]
        return [sent for sent in found if sent]


@contextmanager
def running(folder: Path) -> Iterator[PagesSite]:
    """Run the service on the lanes until left; it may have been stopped by then."""
    stamps = folder / "stamps"
    stamps.write_bytes(bytes(size_of(LANES)))
    yard = [sys.executable, "-m", "gate_service.bench.yard_server", str(stamps), str(LANES), str(UPDATES_PER_S)]
    with _process([*yard, "numbered"]) as devices, _kept_port() as port:
        assert devices.stdin is not None
        assert devices.stdout is not None
        ports = [int(port) for port in devices.stdout.readline().split()]
        command = [sys.executable, "-m", "gate_service", "run", "--config", str(_site_file(folder, ports, port))]
        _add_person(folder / "data")
        with (folder / "service.log").open("wb") as log, _process(command, log) as service:
            try:
                url = f"http://127.0.0.1:{port}"
                yield PagesSite(service, url, _signed_in(service, url, folder), stamps)
            finally:
                service.kill()
                devices.stdin.close()


class Others:
    """Live connections in a process of their own."""

    def __init__(self, process: subprocess.Popen[bytes], count: int) -> None:
        self._process = process
        self._count = count

    def check(self) -> None:
        """RuntimeError unless every connection is still there and has heard something."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline())
        if told["listening"] != self._count or not told["fewest"]:
            raise RuntimeError(f"{self._count} connections that hear everything expected, found {told}")


@contextmanager
def other_terminals(site: PagesSite, count: int = OTHERS) -> Iterator[Others]:
    """So many live connections of others, each fed with all that happens. RuntimeError if one is refused."""
    command = [sys.executable, "-m", "gate_service.bench.pages_others", site.url, str(count)]
    with _process(command) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(dict(site.cookies)).encode() + b"\n")
        process.stdin.flush()
        if process.stdout.readline().strip() != b"listening":
            raise RuntimeError(f"{count} live connections expected, one was refused")
        try:
            yield Others(process, count)
        finally:
            process.stdin.close()


def frame_shown(kg: int, at_ns: int, sent: list[int]) -> int | None:
    """Number of the frame that a mass on the screen at this moment is; None for one that was never sent."""
    number = kg // 20
    while number + NUMBERS < len(sent) and sent[number + NUMBERS] <= at_ns:
        number += NUMBERS
    return number if number < len(sent) and sent[number] <= at_ns else None


def _process(command: list[str], log: IO[bytes] | None = None) -> subprocess.Popen[bytes]:
    """Our own interpreter with our own modules; talked to over its standard streams unless it has a log."""
    out = subprocess.PIPE if log is None else log
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=log)  # noqa: S603 - no outside input


def _site_file(folder: Path, ports: list[int], port: int) -> Path:
    links = [
        LaneLinks(
            f"modbus-tcp://127.0.0.1:{ports[2 * number + 1]}/1", f"socket://127.0.0.1:{ports[2 * number]}",
            "xk3190-continuous", f"lane-{number}",
        )
        for number in range(LANES)
    ]  # fmt: skip
    load_site(folder, links, centre_url="http://127.0.0.1:9")  # discard (RFC 863): no centre answers
    file = folder / "site.toml"
    file.write_text(file.read_text(encoding="utf-8") + f"\n[listen]\nport = {port}\n", encoding="utf-8")
    return file


def _add_person(data: Path) -> None:
    command = [sys.executable, "-m", "gate_service", "user", "add", NAME, "--role", "supervisor"]
    given = f"{PASSWORD}\n".encode()
    full = [*command, "--data", str(data), "--password-stdin"]
    subprocess.run(full, input=given, check=True, capture_output=True)  # noqa: S603 - our own program, see `_process`


def _signed_in(service: subprocess.Popen[bytes], url: str, folder: Path) -> list[tuple[str, str]]:
    """Wait until the service answers; the cookies of a session of the person."""
    deadline_s = time.monotonic() + START_WITHIN_S
    with httpx.Client(base_url=url, timeout=10.0) as client:
        while True:
            try:
                client.get("/healthz").raise_for_status()
                break
            except httpx.TransportError:
                if service.poll() is not None or time.monotonic() > deadline_s:
                    log = (folder / "service.log").read_text(encoding="utf-8", errors="replace")
                    raise RuntimeError(f"service: an answer expected, it says: {log[-2000:]}") from None
                time.sleep(0.1)
        client.post("/api/v1/session", json={"name": NAME, "password": PASSWORD}).raise_for_status()
        return list(client.cookies.items())


@contextmanager
def _kept_port() -> Iterator[int]:
    """A free port that nobody else is given until the service listens there, which binds it by number."""
    with socket.socket() as keeper:
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keeper.bind(("127.0.0.1", 0))
        port: int = keeper.getsockname()[1]
        yield port
