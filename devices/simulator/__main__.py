"""`python -m devices.simulator --plan FILE`: the simulated yard, commanded by JSON lines on stdin, telling on stdout.

First line: `{"ready":true,"lanes":{id:{"weighbridge_port":url or null,"module_url":url}}}`. Then events
`{"event",…,"yard_s","at"}` (arrived, at_post, entering, on_platform, leaving, crossed, left, backing, backed_out, boom,
judge, plate_sent, scan_sent, read_refused, all_gone) and to each command one `{"reply":do,"ok",…}`.

Commands: `{"do":"go","base_url","tokens":{lane:token}}` (again after a restart of the service), `{"do":"trucks",
"trucks":[…]}`, `{"do":"fault","device","name","on"}` (device `lane/io`, `lane/weighbridge`, `lane/entry_boom`,
`lane/platform`, `lane/` and an input's name, or `lane`), `{"do":"button","lane","side","way"}`, `{"do":"state"}`,
`{"do":"wire","lane","last"}`, `{"do":"report","recorded":[{"lane","plate","at"}]}`, `{"do":"stop"}`.

Ends with `stop` or when stdin ends: a yard never outlives the one who started it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from devices.simulator.process import YardProcess
from devices.simulator.specs import Plan, PlanError, plan_from


def _emit(line: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def _listen(loop: asyncio.AbstractEventLoop, inbox: asyncio.Queue[str | None]) -> None:
    """Thread: stdin to the inbox, line by line; None at its end."""
    for line in sys.stdin:
        loop.call_soon_threadsafe(inbox.put_nowait, line)
    loop.call_soon_threadsafe(inbox.put_nowait, None)


async def _obey_lines(yard: YardProcess, inbox: asyncio.Queue[str | None]) -> None:
    while (line := await inbox.get()) is not None:
        if not line.strip():
            continue
        try:
            command = json.loads(line)
        except json.JSONDecodeError as error:
            _emit({"reply": None, "ok": False, "error": f"not JSON: {error}"})
            continue
        _emit(await yard.obey(command) if isinstance(command, dict) else {"reply": None, "ok": False})
    yard.stop()


async def _play(plan: Plan) -> None:
    inbox: asyncio.Queue[str | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    async with YardProcess(plan, _emit) as yard:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, yard.stop)
        _emit(yard.ready())
        threading.Thread(target=_listen, args=(loop, inbox), daemon=True).start()
        obeying = asyncio.create_task(_obey_lines(yard, inbox))
        await yard.run()
        obeying.cancel()
        await asyncio.gather(obeying, return_exceptions=True)


def main() -> int:
    """Play one plan. Exit status 2: the plan cannot be played."""
    parser = argparse.ArgumentParser(prog="python -m devices.simulator", description="The simulated yard.")
    parser.add_argument("--plan", required=True, type=Path, help="JSON: seed, speed, lanes, trucks")
    plan_file: Path = parser.parse_args().plan
    try:
        plan = plan_from(json.loads(plan_file.read_text("utf-8")))
    except (OSError, json.JSONDecodeError, PlanError) as error:
        sys.stderr.write(f"{plan_file}: {error}\n")
        return 2
    asyncio.run(_play(plan))
    return 0


if __name__ == "__main__":
    sys.exit(main())
