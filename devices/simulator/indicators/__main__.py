"""`python -m devices.simulator.indicators --protocol NAME --link tcp|pty`: one indicator, commanded by JSON lines.

First line on stdout: `{"ready":true,"port":…,"protocol":…,"line":"9600 8N1"}`. Commands on stdin, each answered by
`{"reply":do,"ok",…}`: `{"do":"load","kg":12340}`, `{"do":"tare","kg":5000}`, `{"do":"fault","name":…,"on":true}`,
`{"do":"state"}`, `{"do":"stop"}`. On a pseudo-terminal the bytes come out garbled unless the reader's line settings are
`--baud` and `--framing`. With `--capture FILE` it plays a recording of `gate read --record` instead. Ends with `stop`
or when stdin ends.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from devices.simulator.indicators import emulator
from devices.simulator.indicators.display import KG_PER_UNIT, Display
from devices.simulator.indicators.line import Line
from devices.simulator.indicators.player import Player
from devices.simulator.wire_weighbridge import WireWeighbridge

FOLLOWS = 0.35  # share of the way to a new load per frame: settled within about two seconds


class Bench:
    """One emulator and what stands on it."""

    def __init__(self, indicator: emulator.Emulator | Player, load_kg: float) -> None:
        self.indicator = indicator
        self.load_kg = load_kg
        self._felt_kg = load_kg

    def felt_kg(self) -> float:
        """Follow the load."""
        self._felt_kg += (self.load_kg - self._felt_kg) * FOLLOWS
        return self._felt_kg

    def obey(self, command: Mapping[str, Any]) -> dict[str, Any]:
        """One command to its reply. One that cannot be carried out changes nothing and says why."""
        do = str(command.get("do"))
        try:
            match do:
                case "load":
                    self.load_kg = float(command["kg"])
                case "tare":
                    self.indicator.display.tare_kg = float(command["kg"])
                case "fault":
                    self.indicator.switch(str(command["name"]), on=bool(command.get("on", True)))
                case "state":
                    state = {"kg": self.load_kg, "faults": sorted(self.indicator.faults)}
                    return {"reply": do, "ok": True, "state": state}
                case _:
                    return {"reply": do, "ok": False, "error": f"unknown command {do!r}"}
        except (ValueError, KeyError, TypeError) as error:
            return {"reply": do, "ok": False, "error": f"{type(error).__name__}: {error}"}
        return {"reply": do, "ok": True}


def _say(line: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _listen(loop: asyncio.AbstractEventLoop, inbox: asyncio.Queue[str | None]) -> None:
    """Thread: stdin to the inbox, line by line; None at its end."""
    for line in sys.stdin:
        loop.call_soon_threadsafe(inbox.put_nowait, line)
    loop.call_soon_threadsafe(inbox.put_nowait, None)


async def _play(arguments: argparse.Namespace, bench: Bench, line: Line) -> None:
    wire = WireWeighbridge(
        bench.indicator,
        bench.felt_kg,
        link=arguments.link,
        port=arguments.port,
        line=line,
        frames_per_s=arguments.rate,
    )
    inbox: asyncio.Queue[str | None] = asyncio.Queue()
    async with wire:
        _say({"ready": True, "port": wire.port_url, "protocol": arguments.protocol, "line": str(line)})
        threading.Thread(target=_listen, args=(asyncio.get_running_loop(), inbox), daemon=True).start()
        while (text := await inbox.get()) is not None:
            try:
                command = json.loads(text)
            except json.JSONDecodeError as error:
                _say({"reply": None, "ok": False, "error": f"not JSON: {error}"})
                continue
            if not isinstance(command, dict):
                _say({"reply": None, "ok": False, "error": "an object expected"})
            elif command.get("do") == "stop":
                _say({"reply": "stop", "ok": True})
                return
            else:
                _say(bench.obey(command))


def _speaker(arguments: argparse.Namespace) -> emulator.Emulator | Player:
    """What is to stand on the wire. Raises ValueError or OSError."""
    if arguments.capture is not None:
        return Player.load(arguments.capture)
    options = dict(option.split("=", 1) for option in arguments.option)
    display = Display(interval_kg=arguments.interval_kg, unit=arguments.unit, decimals=arguments.decimals)
    return emulator.make(str(arguments.protocol), options, display)


def main() -> int:
    """Play one indicator. Exit status 2: it cannot be set up so."""
    parser = argparse.ArgumentParser(prog="python -m devices.simulator.indicators", description="One indicator.")
    parser.add_argument("--protocol", help=f"one of {', '.join(emulator.DIALECTS)}")
    parser.add_argument("--capture", type=Path, help="play this recording instead")
    parser.add_argument("--link", choices=("tcp", "pty"), default="tcp")
    parser.add_argument("--port", type=int, default=0, help="of the TCP listener; 0 takes a free one")
    parser.add_argument("--baud", type=int, default=9600)
    parser.add_argument("--framing", default="8N1")
    parser.add_argument("--option", action="append", default=[], metavar="KEY=VALUE", help="of the dialect")
    parser.add_argument("--kg", type=float, default=12_340.0, help="what stands on the platform")
    parser.add_argument("--interval-kg", type=float, default=20.0)
    parser.add_argument("--unit", choices=sorted(KG_PER_UNIT), default="kg")
    parser.add_argument("--decimals", type=int, default=0)
    parser.add_argument("--rate", type=float, default=12.5, help="frames per second")
    arguments = parser.parse_args()
    try:
        line = Line.parse(arguments.baud, arguments.framing)
        bench = Bench(_speaker(arguments), arguments.kg)
    except (ValueError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    asyncio.run(_play(arguments, bench, line))
    return 0


if __name__ == "__main__":
    sys.exit(main())
