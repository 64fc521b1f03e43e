"""`gate demo`: the site K1 with its own devices, central system and zone authority, each a process of its own.

Everything is started as an operator would start it and reached over its public face. Whatever happens, all of it
ends with the demo.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from gate_service.cli.demo_client import DemoError
from gate_service.cli.demo_injects import INJECTS, SERVICE_INJECTS
from gate_service.cli.demo_run import DemoRun, Options
from gate_service.cli.demo_site import DemoFolder
from gate_service.cli.demo_summary import is_consistent
from gate_service.domain.errors import GateError, InputError

ENDED_BY_PERSON: Final = 0


def run(
    *,
    trucks: int,
    speed: float,
    seed: int,
    inject: str | None,
    port: int,
    data: Path | None,
    exit_after: bool,
    alone: bool,
    as_json: bool,
) -> int:
    """Run the demo until its trucks are through (`exit_after`) or somebody stops it; the exit status."""
    if inject == "list":
        sys.stdout.write("".join(f"{name}: {what}\n" for name, what in {**SERVICE_INJECTS, **INJECTS}.items()))
        return 0
    if inject is not None and inject not in {**SERVICE_INJECTS, **INJECTS}:
        raise InputError(f"--inject: one of {sorted({**SERVICE_INJECTS, **INJECTS})} expected, found {inject!r}")
    if alone and exit_after:
        raise InputError("--alone with --exit: one of them expected, somebody must work the desks until the last truck")
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    options = Options(
        trucks=trucks, speed=speed, seed=seed, inject=inject, port=port, is_ending=exit_after, as_json=as_json,
        is_alone=alone,
    )  # fmt: skip
    if data is not None:
        return asyncio.run(_run(options, data))
    folder = Path(tempfile.mkdtemp(prefix="gate-demo-"))
    try:
        return asyncio.run(_run(options, folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _run(options: Options, path: Path) -> int:
    """The demo as one task that a signal cancels."""
    demo = DemoRun(options, DemoFolder(path))
    task = asyncio.create_task(_play(demo, options), name="demo")
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        return ENDED_BY_PERSON


async def _play(demo: DemoRun, options: Options) -> int:
    try:
        async with demo:
            found = await demo.play()
    except ExceptionGroup as group:
        raise _first_of_ours(group) from None
    if found is None:
        return ENDED_BY_PERSON
    chain = await demo.verify()
    found = {**found, "chain": chain}
    _print(found, as_json=options.as_json)
    surprises = demo.surprises()
    for surprise in surprises:
        sys.stderr.write(f"gate demo: {surprise}\n")
    is_as_planned = not surprises or options.inject is not None  # a fault may rightly change what is decided
    return 0 if is_consistent(found) and is_as_planned else 1


def _first_of_ours(group: ExceptionGroup[Any]) -> Exception:
    """The error of ours in a group of tasks that failed together; the group itself where there is none."""
    ours, _ = group.split(GateError)
    found: Any = ours
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found if isinstance(found, GateError) else DemoError(f"the demo failed: {group.exceptions!r}")


def _print(found: dict[str, Any], *, as_json: bool) -> None:
    text = json.dumps(found, ensure_ascii=False, indent=None if as_json else 1)
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
