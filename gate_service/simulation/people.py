"""Cameras, scanners and the people at the desk: late, twice, on old facts, but never lying about what they see."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from random import Random
from typing import Any, Final

from devices.simulator.driver import Driver
from devices.simulator.specs import TruckSpec
from devices.simulator.yard import YardEvent
from gate_service.domain.commands import Actor, ActorKind, Command, CommandRequest, PlateRead, Role
from gate_service.domain.errors import CommandRefusedError, GateError
from gate_service.simulation.site import SimSite
from lanes.snapshot import lane_snapshot

OPERATOR: Final = Actor("operator", Role.OPERATOR, ActorKind.USER)
SUPERVISOR: Final = Actor("supervisor", Role.SUPERVISOR, ActorKind.USER)
SECOND: Final = Actor("second", Role.SUPERVISOR, ActorKind.USER)
READER: Final = Actor("reader", Role.DEVICE, ActorKind.TOKEN)

CAMERA_S: Final = 0.5
AGAIN_S: Final = 1.0
TIMES: Final = 60
ENTRY_BOOM_M: Final = 5.0
WAITING: Final = frozenset({"approach", "admitting", "on_platform", "weighing"})
LET_GO: Final = frozenset({"leaving", "diverting", "returning", "clearing"})
STANDS_STILL_S: Final = 45.0
"""A vehicle that was let go and does not go: somebody walks over."""

Wish = tuple[Command, dict[str, Any]]


class Posts:
    """The camera and the scanner of each lane: they try again until the vehicle is gone or the service took it."""

    def __init__(self, site: SimSite, rng: Random) -> None:
        self._site = site
        self._rng = rng
        self._seen: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []
        site.yard.listen(self._heard)

    def _heard(self, event: YardEvent) -> None:
        self._site.watch.note(f"{event.lane} {event.kind} {event.truck.id if event.truck else ''}")
        truck = event.truck
        if truck is None or event.kind not in {"at_post", "on_platform"} or truck.id in self._seen:
            return
        self._seen.add(truck.id)
        loop = asyncio.get_running_loop()
        self._tasks = [task for task in self._tasks if not task.done()]
        self._tasks.append(loop.create_task(self._look(truck)))
        self._tasks += [loop.create_task(self._scan(truck, code)) for code in truck.scan]

    async def _look(self, truck: TruckSpec) -> None:
        await asyncio.sleep(CAMERA_S)
        read = PlateRead(truck.plate_read, truck.trailer_plate_read, truck.containers_read, truck.seals_read)
        await self._until_taken(truck, lambda commands: commands.plate(read, READER))

    async def _scan(self, truck: TruckSpec, code: str) -> None:
        await asyncio.sleep(truck.dwell_s or 0.0)
        await self._until_taken(truck, lambda commands: commands.scan(code, READER))

    async def _until_taken(self, truck: TruckSpec, work: Any) -> None:
        for _ in range(TIMES):
            lane = self._site.yard.lanes[truck.lane]
            if all(driver.truck.id != truck.id for driver in lane.drivers):
                return
            lane_now = self._site.lane(truck.lane)
            passage = None if lane_now is None else lane_now.passage
            if passage is not None and self._site.watch.truck_of.get(passage.id) == truck.id:
                with suppress(GateError, ConnectionError):
                    await self._site.ask(truck.lane, work)
                    return
            await asyncio.sleep(AGAIN_S)


class Desk:
    """The people at the desk. `is_diligent`: no mischief, nobody late; for the end, when everything must get out."""

    def __init__(self, site: SimSite, rng: Random) -> None:
        self._site = site
        self._rng = rng
        self.is_diligent = False
        self._tries: dict[tuple[str, str, str], int] = {}

    async def work(self, lane_id: str) -> None:
        """Task: one lane's desk for ever."""
        rng = self._rng
        while True:
            await asyncio.sleep(rng.uniform(0.5, 1.0 if self.is_diligent else 6.0))
            lane = self._site.lane(lane_id)
            if lane is None:
                continue
            snapshot = lane_snapshot(lane)
            wish = self._wish(lane_id, snapshot)
            if wish is None:
                continue
            if not self.is_diligent:
                await asyncio.sleep(rng.uniform(0.1, 8.0))
            for _ in range(2 if not self.is_diligent and rng.random() < 0.1 else 1):
                await self._act(lane_id, snapshot, *wish)

    def _wish(self, lane_id: str, snapshot: Mapping[str, Any]) -> Wish | None:
        rng = self._rng
        if not self.is_diligent and rng.random() < 0.004:
            return self._mischief(rng)
        passage = snapshot["passage"]
        wish = (
            self._without_vehicle(lane_id, snapshot)
            if passage is None
            else self._with_vehicle(lane_id, snapshot, passage)
        )
        if wish is None or (wish[0].value not in snapshot["commands"] and wish[0] is not Command.RESOLVE):
            return None
        return wish

    @staticmethod
    def _mischief(rng: Random) -> Wish:
        return rng.choice(
            [
                (Command.EMERGENCY_RAISE, {"side": "exit"}),
                (Command.RAISE_BOOM, {"side": "exit"}),
                (Command.LOWER_BOOM, {"side": "exit"}),
                (Command.LOWER_BOOM, {"side": "entry"}),
                (Command.CLOSE_LANE, {}),
                (Command.CLEAR_FAULT, {}),
                (Command.HOLD, {}),
                (Command.REWEIGH, {}),
            ]
        )

    def _without_vehicle(self, lane_id: str, snapshot: Mapping[str, Any]) -> Wish | None:
        match snapshot["state"]:
            case "fault" | "fire":
                return Command.CLEAR_FAULT, {}
            case "clearing" if self._stands_s(lane_id) > STANDS_STILL_S:
                return Command.CLEAR_FAULT, {}
            case "closed":
                return Command.OPEN_LANE, {}
            case _:
                return None

    def _with_vehicle(self, lane_id: str, snapshot: Mapping[str, Any], passage: Mapping[str, Any]) -> Wish | None:
        state = snapshot["state"]
        if passage["id"] not in self._site.watch.truck_of:  # opened before anybody was there: whom is it about?
            self._site.watch.name_truck(lane_id, passage["id"])
        truck_id = self._site.watch.truck_of.get(passage["id"])
        driver = self._driver(lane_id, truck_id)
        crossed = any(one.truck == truck_id for one in self._site.yard.judge.crossings)
        if driver is None or (crossed and state in {"review", "detained", "fault", "fire", "closed"}):
            return Command.RESOLVE, {"crossed": crossed}  # it went, and the desk knows which way
        match state:
            case "fault" | "fire":
                return Command.CLEAR_FAULT, {}
            case "closed":
                return Command.OPEN_LANE, {}
            case "review":
                return self._for_review(lane_id, snapshot, passage, driver)
            case "detained":
                return Command.TURN_BACK, {"way": "forward"}
            case _:
                return self._look_after(lane_id, state, driver)

    def _look_after(self, lane_id: str, state: str, driver: Driver) -> Wish | None:
        """A vehicle that was let go and stands: after a while, hold it and begin again."""
        stands_s = self._stands_s(lane_id)
        is_inside = driver.vehicle.x_m > ENTRY_BOOM_M
        is_admitted = state == "admitting"  # and does not come: somebody lowered the boom before it
        waits_in_vain = state in WAITING and (is_inside or is_admitted) and stands_s > 2 * STANDS_STILL_S
        does_not_go = state in LET_GO and driver.vehicle.is_standing and stands_s > STANDS_STILL_S
        return (Command.HOLD, {}) if waits_in_vain or does_not_go else None

    def _stands_s(self, lane_id: str) -> float:
        """How long a lane is in its state."""
        lane = self._site.lane(lane_id)
        return 0.0 if lane is None else self._site.clock.monotonic_s() - lane.state_since_s

    def _for_review(
        self, lane_id: str, snapshot: Mapping[str, Any], passage: Mapping[str, Any], driver: Driver
    ) -> Wish | None:
        key = (lane_id, passage["id"], "review")
        tries = self._tries[key] = self._tries.get(key, 0) + 1
        truck = driver.truck
        if passage["disposition"] is None and (passage["plate"] is None or passage["verdict"] is None) and tries < 6:
            return Command.RESOLVE, {"plate": truck.plate, "slip_nos": list(truck.scan)}
        if snapshot.get("approval") is not None:
            return Command.RELEASE, {}
        choices: list[Wish] = [
            (Command.TURN_BACK, {"way": "back_out"}),
            (Command.TURN_BACK, {"way": "forward"}),
            (Command.RELEASE, {}),
            (Command.INSPECT, {}),
            (Command.REWEIGH, {}),
        ]
        if driver.vehicle.x_m < ENTRY_BOOM_M:
            choices = [(Command.CLEAR_FAULT, {})] if tries % 2 else choices
        offered = [wish for wish in choices if wish[0].value in snapshot["commands"]]
        if self.is_diligent or tries > 20:
            offered = [wish for wish in offered if wish[0] is not Command.REWEIGH] or offered
        return self._rng.choice(offered) if offered else None

    def _driver(self, lane_id: str, truck_id: str | None) -> Driver | None:
        drivers = self._site.yard.lanes[lane_id].drivers
        return next((driver for driver in drivers if driver.truck.id == truck_id), None)

    async def _act(self, lane_id: str, snapshot: Mapping[str, Any], command: Command, fields: dict[str, Any]) -> None:
        passage = snapshot["passage"] or {}
        request = CommandRequest(command, passage.get("id"), passage.get("facts_version"), "other", "simulated", fields)
        actor = self._rng.choice((OPERATOR, SUPERVISOR))
        try:
            if self._site.inject == "no-way-out":
                raise CommandRefusedError("injected")
            answer = await self._site.ask(lane_id, lambda commands: commands.carry_out(request, actor))
            pending = answer.get("pending")
            if pending is not None:
                await asyncio.sleep(self._rng.uniform(0.5, 20.0))
                await self._site.ask(lane_id, lambda commands: commands.approve(pending["command_id"], SECOND))
        except GateError as error:
            self._site.watch.note(f"{lane_id} {command} refused: {error.code}")
        except ConnectionError:
            pass
        else:
            self._site.watch.note(f"{lane_id} {command} {fields} done")
