"""`gate record PORT FILE`: every byte of a port to a capture, whatever it means. Sends nothing, decodes nothing."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path

from devices.links.serial import SerialLink
from gate_service.cli.recording import recording
from gate_service.cli.stream import as_text, say
from gate_service.clock import RealClock


def run(port: str, file: Path, *, seconds: float | None) -> int:
    """Show each read as hexadecimal and text, and keep it. 1 when nothing came."""
    counted = 0
    done = asyncio.Event()
    with recording(file, {"port": port}) as capture:
        assert capture is not None

        def received(data: bytes, at_s: float) -> None:
            nonlocal counted
            counted += len(data)
            capture.add(data, at_s)
            if not done.is_set() and not say(f"{data.hex(' ')}  {as_text(data)}"):
                done.set()

        async def listen() -> None:
            async with SerialLink(port, RealClock(), on_bytes=received, on_fault=_told):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(done.wait(), seconds)

        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(listen())
    print(f"{file}: {counted} bytes", file=sys.stderr)
    return 0 if counted else 1


def _told(fault: str | None) -> None:
    if fault is not None:
        print(fault, file=sys.stderr, flush=True)
