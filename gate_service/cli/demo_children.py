"""The demo's child processes: each in a group of its own, watched, ended together; none outlives the demo."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

from gate_service.domain.errors import GateError

STOP_WITHIN_S: Final = 8.0  # then SIGKILL: longer than the service takes to finish a boom's movement
LAST_LINES: Final = 25
LINE_LIMIT_BYTES: Final = 4 << 20
_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h


class ChildError(GateError):
    """A process that the demo needs did not start, or ended by itself; the message holds its last output."""

    code = "demo_child_ended"


def _die_with_parent() -> None:
    """In the child before exec: the kernel ends it when the demo is killed and cannot do so itself. Linux only."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


_PREPARE: Final[Callable[[], None] | None] = _die_with_parent if sys.platform == "linux" else None


class Child:
    """One process. Standard error goes to its log file; standard output is read line by line, and kept too."""

    def __init__(self, name: str, arguments: Sequence[str], log_folder: Path) -> None:
        self.name = name
        self.arguments = [sys.executable, *arguments]
        self.log_path = log_folder / f"{name}.log"
        self.is_stopping = False
        self._process: asyncio.subprocess.Process | None = None
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()  # None: it has ended
        self._reader: asyncio.Task[None] | None = None
        self._last: deque[str] = deque(maxlen=LAST_LINES)

    async def start(self) -> None:
        """Start it in a process group of its own, so that a Ctrl-C at the terminal reaches the demo alone."""
        with self.log_path.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                limit=LINE_LIMIT_BYTES,
                preexec_fn=_PREPARE,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        self.is_stopping = False
        self._reader = asyncio.create_task(self._read(self._process), name=f"read {self.name}")

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        with self.log_path.with_suffix(".out").open("ab") as kept:
            await self._read_lines(process.stdout, kept)
        self._lines.put_nowait(None)

    async def _read_lines(self, stdout: asyncio.StreamReader, kept: BinaryIO) -> None:
        while line := await stdout.readline():
            kept.write(line)
            kept.flush()
            text = line.decode(errors="replace").rstrip()
            self._last.append(text)
            self._lines.put_nowait(text)

    @property
    def pid(self) -> int:
        """Its process id; 0 before the start."""
        return 0 if self._process is None else self._process.pid

    async def first_object(self, within_s: float) -> dict[str, Any]:
        """The first JSON object it prints. Raises ChildError when it ends or says nothing in time."""
        try:
            async with asyncio.timeout(within_s):
                async for found in self.objects():
                    return found
        except TimeoutError:
            raise ChildError(f"{self.name}: a first line expected within {within_s:g} s{self._story()}") from None
        raise self._ended()

    async def objects(self) -> AsyncIterator[dict[str, Any]]:
        """JSON objects of its standard output as they come; other lines are passed over. Ends with the process."""
        # No wait_for here: in Python 3.11 it loses a cancellation that comes together with a line.
        while (line := await self._lines.get()) is not None:
            with contextlib.suppress(json.JSONDecodeError):
                found = json.loads(line)
                if isinstance(found, dict):
                    yield found
        self._lines.put_nowait(None)  # whoever asks again is told again

    async def tell(self, message: dict[str, Any]) -> None:
        """Write one JSON line to its standard input."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        with contextlib.suppress(ConnectionError):
            await self._process.stdin.drain()

    async def watch(self) -> None:
        """Return when the process was stopped on purpose; raise ChildError when it ended by itself."""
        assert self._process is not None
        process = self._process
        await process.wait()
        if not self.is_stopping and process is self._process:
            raise self._ended()

    async def stop(self) -> None:
        """SIGTERM to its group, SIGKILL when that does not help. Safe to call twice."""
        process = self._process
        if process is None:
            return
        self.is_stopping = True
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_WITHIN_S):
                await process.wait()
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await process.wait()
        self._signal(signal.SIGKILL)  # whatever it started itself
        if self._reader is not None:
            await self._reader
        if process.stdin is not None:
            process.stdin.close()

    def _signal(self, number: signal.Signals) -> None:
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def _ended(self) -> ChildError:
        status = None if self._process is None else self._process.returncode
        return ChildError(f"{self.name} ended with status {status}{self._story()}")

    def _story(self) -> str:
        errors = self.log_path.read_text(errors="replace").splitlines()[-LAST_LINES:] if self.log_path.exists() else []
        lines = [*self._last, *errors]
        return "".join(f"\n  {line}" for line in lines)


async def run_once(arguments: Sequence[str], *, given: str = "") -> str:
    """Run one short `gate` command to its end and return what it printed. Raises ChildError with both outputs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=_PREPARE,
    )
    output, errors = await process.communicate(given.encode())
    if process.returncode != 0:
        said = (output + errors).decode(errors="replace").strip()
        raise ChildError(f"{' '.join(arguments[:4])}: status 0 expected, found {process.returncode}\n  {said}")
    return output.decode()
