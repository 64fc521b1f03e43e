"""`gate drill`: a shift practises on a demo site of its own, with nobody at the desks but them, and is scored.

Everything is the demo's: own processes, own data, own address, devices on loopback and pseudo-terminals. The service
it starts refuses any address outside this machine, as every demo site does (`config.loader`).
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

from gate_service.cli.demo_injects import INJECTS
from gate_service.cli.demo_run import DemoRun, Options
from gate_service.cli.demo_site import DemoFolder
from gate_service.cli.drill_score import score
from gate_service.domain.errors import InputError

PASSED_AT: Final = 80  # per cent; site decision
ENDED_BY_PERSON: Final = 1


def run(
    *, trucks: int, speed: float, seed: int, inject: str | None, port: int, data: Path | None, as_json: bool
) -> int:
    """Run one drill to its end; 0 where it was passed, 1 where not."""
    if inject is not None and inject not in INJECTS:
        raise InputError(f"--inject: one of {sorted(INJECTS)} expected, found {inject!r}")
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    if data is not None and data.exists() and any(data.iterdir()):
        raise InputError(f"--data: an empty or new directory expected, {data} holds something: a drill has its own")
    options = Options(
        trucks=trucks,
        speed=speed,
        seed=seed,
        inject=inject,
        port=port,
        is_ending=True,
        is_alone=True,
        as_json=as_json,
    )
    if data is not None:
        return asyncio.run(_run(options, data))
    folder = Path(tempfile.mkdtemp(prefix="gate-drill-"))
    try:
        return asyncio.run(_run(options, folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _run(options: Options, path: Path) -> int:
    """The drill as one task that a signal cancels."""
    task = asyncio.create_task(_play(options, path), name="drill")
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        return ENDED_BY_PERSON


async def _play(options: Options, path: Path) -> int:
    drill = DemoRun(options, DemoFolder(path))
    async with drill:
        summary = await drill.play()
    if summary is None:
        return ENDED_BY_PERSON
    found = score(drill.visits, drill.passages, options.speed)
    found["violations"] = summary["violations"]
    found["passed"] = found["percent"] >= PASSED_AT and not found["dangerous"] and not found["violations"]
    _print(found, as_json=options.as_json)
    return 0 if found["passed"] else 1


def _print(found: dict[str, Any], *, as_json: bool) -> None:
    lines = [json.dumps(found, ensure_ascii=False)] if as_json else _words(found)
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()


def _words(found: dict[str, Any]) -> list[str]:
    lines = [
        f"{mark['truck']}  {mark['story']:<24} {mark['lane']:<8} should {mark['should']:<10} "
        f"did {mark['did'] or '-':<10} {mark['points']:>2}{'  DANGEROUS' if mark['is_dangerous'] else ''}"
        for mark in found["marks"]
    ]
    verdict = "passed" if found["passed"] else "not passed"
    lines.append(f"{found['points']} of {found['of']} points, {found['percent']} %: {verdict}")
    return lines
