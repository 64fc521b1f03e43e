"""The yard as a process of its own: physics on a 20 ms tick, devices on wires, posts over HTTP, commands as JSON lines.

Speed scales yard time and what drivers take; never a protocol, a pulse or a watchdog. Ports are fixed once started and
survive whatever the service does. The parent must read stdout: a full pipe would stop the yard.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any, Final, Self

from devices.simulator.indicator import Indicator
from devices.simulator.judge import EDGE_WINDOW_S, Judge
from devices.simulator.posts import Posts
from devices.simulator.specs import Plan, PlanError, TruckSpec, trucks_from
from devices.simulator.wago import WagoModule
from devices.simulator.wire_io import FOREIGN_OUTPUT, WireModule
from devices.simulator.wire_weighbridge import WireWeighbridge
from devices.simulator.yard import Yard, YardEvent
from devices.simulator.yard_lane import INPUTS, OUTPUTS, YardLane

TICK_S: Final = 0.02
LONGEST_TICK_S: Final = 0.25  # a halted computer must not let trucks jump
LONGEST_LEAP_S: Final = 0.6  # nor may a fast yard on a busy one: in yard time, 2 m at walking pace, less than a loop
GONE: Final = ("crossed", "backing", "left", "backed_out")

Emit = Callable[[Mapping[str, Any]], None]


class YardProcess:
    """All of it; an async context manager. `run` until `stop`; `obey` takes one command and returns its reply."""

    def __init__(self, plan: Plan, emit: Emit) -> None:
        self.plan = plan
        self.yard = Yard(plan.lanes, plan.trucks, seed=plan.seed, judge=Judge(edge_window_s=EDGE_WINDOW_S * plan.speed))
        self.modules = {name: self._module(name, lane) for name, lane in self.yard.lanes.items()}
        self.weighbridges = {
            name: self._weighbridge(lane) for name, lane in self.yard.lanes.items() if lane.spec.weighbridge is not None
        }
        self.posts = Posts(speed=plan.speed, dwell_s=self.yard.dwell_s, tell=self._tell_read)
        self._emit = emit
        self._told_findings = 0
        self._told_gone = 0
        self._stopped = asyncio.Event()
        self._stack = AsyncExitStack()
        self.yard.listen(self._tell)

    async def __aenter__(self) -> Self:
        for module in self.modules.values():
            await self._stack.enter_async_context(module)
        for weighbridge in self.weighbridges.values():
            await self._stack.enter_async_context(weighbridge)
        await self._stack.enter_async_context(self.posts)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def _module(self, name: str, lane: YardLane) -> WireModule[WagoModule]:
        def read_inputs() -> Sequence[bool]:
            shown = lane.inputs()
            return [shown[terminal] for terminal in INPUTS]

        def output_set(number: int, on: bool, foreign: bool) -> None:
            if number >= len(OUTPUTS):
                return
            output = OUTPUTS[number]
            side, _, way = output.partition("_")
            if on and way in ("raise", "lower"):
                self.yard.judge.edge_seen(name, side, way, self.yard.now_s, foreign=foreign)
            self.yard.write_output(name, output, on=on)

        module = WagoModule(read_inputs, output_set)
        if lane.spec.watchdog_s:
            module.watchdog.commission(lane.spec.watchdog_s, time.monotonic())
        return WireModule(module, port=lane.spec.io_port)

    def _weighbridge(self, lane: YardLane) -> WireWeighbridge:
        spec = lane.spec.weighbridge
        assert spec is not None
        indicator = Indicator(spec.interval_kg, seed=self.plan.seed)
        return WireWeighbridge(indicator, lambda: lane.deck.shown_kg, link=spec.link, port=spec.port)

    def ready(self) -> dict[str, Any]:
        """Where every device is."""
        return {
            "ready": True,
            "lanes": {
                name: {
                    "weighbridge_port": self.weighbridges[name].port_url if name in self.weighbridges else None,
                    "module_url": module.url,
                }
                for name, module in self.modules.items()
            },
        }

    def stop(self) -> None:
        """End `run`."""
        self._stopped.set()

    async def run(self) -> None:
        """Let yard time pass until `stop`."""
        last_s = time.monotonic()
        while not self._stopped.is_set():
            await asyncio.sleep(TICK_S)
            now_s = time.monotonic()
            self.yard.step(min(min(now_s - last_s, LONGEST_TICK_S) * self.plan.speed, LONGEST_LEAP_S))
            last_s = now_s
            self._tell_judge()
            if self.yard.gone == self.yard.expected and self.yard.gone != self._told_gone:
                self._told_gone = self.yard.gone
                self._say("all_gone", None, None, {"trucks": self.yard.gone})

    def _say(self, kind: str, lane: str | None, truck: TruckSpec | None, detail: Mapping[str, Any]) -> None:
        line: dict[str, Any] = {"event": kind, "yard_s": round(self.yard.now_s, 2), "at": datetime.now(UTC).isoformat()}
        if lane is not None:
            line["lane"] = lane
        if truck is not None:
            line |= {"truck": truck.id, "plate": truck.plate}
        self._emit(line | dict(detail))

    def _tell(self, event: YardEvent) -> None:
        self._say(event.kind, event.lane, event.truck, event.detail)
        if event.truck is None:
            return
        is_open = self.yard.lanes[event.lane].places.is_open_platform
        if event.kind == ("on_platform" if is_open else "at_post"):
            self.posts.truck_stands(event.truck)
        elif event.kind in GONE:
            self.posts.truck_left(event.truck)

    def _tell_read(self, kind: str, truck: TruckSpec, detail: Mapping[str, Any]) -> None:
        self._say(kind, truck.lane, truck, detail)

    def _tell_judge(self) -> None:
        findings = self.yard.judge.findings
        for finding in findings[self._told_findings :]:
            self._emit({"event": "judge", **finding.to_json()})
        self._told_findings = len(findings)

    async def obey(self, command: Mapping[str, Any]) -> dict[str, Any]:
        """One command to its reply. A command that cannot be carried out changes nothing and says why."""
        do = str(command.get("do"))
        reply: dict[str, Any] = {"reply": do, "ok": True}
        if "id" in command:
            reply["id"] = command["id"]
        try:
            reply |= await self._obey(do, command)
        except (PlanError, ValueError, KeyError, TypeError, AttributeError) as error:
            reply |= {"ok": False, "error": f"{type(error).__name__}: {error}"}
        return reply

    async def _obey(self, do: str, command: Mapping[str, Any]) -> dict[str, Any]:
        match do:
            case "go":
                self._go(command)
            case "trucks":
                for truck in trucks_from(command["trucks"], self.yard.lanes.keys()):
                    self.yard.add_truck(truck)
            case "fault":
                await self._switch(command)
            case "button":
                self.yard.press_button(command["lane"], command["side"], command["way"])
            case "state":
                return {"state": self.yard.state()}
            case "wire":
                return {"wire": self._wire(str(command["lane"]), int(command.get("last", 200)))}
            case "report":
                if "recorded" in command:
                    self.yard.judge.reconcile(command["recorded"])
                return {"report": self.yard.judge.report()}
            case "stop":
                self.stop()
            case _:
                raise ValueError(f"unknown command {do!r}")
        return {}

    def _go(self, command: Mapping[str, Any]) -> None:
        """Say where the service is; the first time, let the trucks come."""
        if "base_url" in command:
            self.posts.aim(str(command["base_url"]), command.get("tokens", {}))
        if not self.yard.is_open:
            self.yard.open()

    async def _switch(self, command: Mapping[str, Any]) -> None:
        """A fault by name, on one device: `lane/io`, `lane/weighbridge`, or a part of the yard."""
        lane, _, part = str(command["device"]).partition("/")
        name, on = str(command["name"]), bool(command.get("on", True))
        if part == "io":
            await self.modules[lane].switch(name, on=on, output=int(command.get("output", FOREIGN_OUTPUT)))
        elif part == "weighbridge":
            self.weighbridges[lane].switch(name, on=on)
        else:
            self.yard.switch(lane, part, name, on=on, amount=float(command.get("amount", 0.0)))

    def _wire(self, lane: str, last: int) -> list[dict[str, Any]]:
        log = list(self.modules[lane].log)[-last:]
        return [
            {
                "at_s": round(e.at_s, 4),
                "peer": e.peer,
                "request": e.request.hex(),
                "answer": e.answer and e.answer.hex(),
            }
            for e in log
        ]
