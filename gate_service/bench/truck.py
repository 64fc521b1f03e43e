"""Takes trucks through the bench's lane: detectors and frames as a truck makes them, time in jumps, nothing assumed.

Each step waits until the service has seen it; what is measured happens between two jumps, in real time.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from gate_service.bench import slips
from gate_service.bench.bench_clock import BenchClock
from gate_service.bench.bench_site import APPROACH, ENTRY_BEAM, ENTRY_LOOP, EXIT_BEAM, EXIT_LOOP, LANE
from gate_service.bench.module_client import ANSWER_S, BenchModule
from gate_service.bench.module_server import EXIT_RAISE
from gate_service.domain.commands import Actor, ActorKind, PlateRead, Role
from gate_service.domain.errors import GateError
from gate_service.service import GateService

JUMP_S: Final = 0.2  # well below the 0.5 s after which inputs are no knowledge
SEEN_S: Final = 0.1  # younger than a jump: read after it
LOOK_S: Final = 0.003
POLL_S: Final = 0.05
FRAME_S: Final = 0.08  # an indicator goes on sending: this one 12.5 frames a second
BREATH_S: Final = 0.02
"""What a jump sets off (the timers of all the time that it leaves out) ends before anything is measured."""
SETTLED_WITHIN_S: Final = 3.0  # longer than a lost link is found out and tried again
STANDING_STEPS: Final = 8  # 1.6 s, past the hold of 1 s for a whole vehicle
READER: Final = Actor("bench", Role.DEVICE, ActorKind.TOKEN)


async def breathe() -> None:
    """Let everything that is due be done. A measurement then begins in a process at rest, as that of a gate is."""
    await asyncio.sleep(BREATH_S)


class BenchError(GateError):
    """The run went another way than a bench run must; its figures would mean nothing."""

    code = "bench"


class Trucks:
    """Sends one truck after the other through the lane. `indicator` is the descriptor frames are written to."""

    def __init__(self, service: GateService, clock: BenchClock, module: BenchModule, indicator: int) -> None:
        self._service = service
        self._clock = clock
        self._module = module
        self._indicator = indicator
        self._frame = _frame(0, is_stable=True)
        self._random = random.Random(1)  # noqa: S311 - spreads moments over the poll, hides nothing

    async def ready(self) -> None:
        """Wait until the lane's devices have answered long enough."""
        await self._until(lambda lane: lane["state"] == "idle")

    async def drive_on(self, index: int) -> None:
        """Approach, scan, plate, admission, whole on the platform and still rocking, the entry boom down behind it."""
        await self._module.set_detectors(APPROACH)
        await self._until(lambda lane: lane["passage"] is not None)
        await self._service.scan(LANE, slips.slip_no(index), READER, None, None)
        seen = PlateRead(slips.plate(index), None, (slips.CONTAINER,), ())
        await self._service.plate(LANE, seen, READER)
        await self._until(lambda lane: lane["booms"]["entry"] == "up")
        await self._module.set_detectors(ENTRY_LOOP, ENTRY_BEAM)
        self._frame = _frame(slips.GROSS_KG // 2, is_stable=False)
        await self._until(lambda lane: lane["state"] == "on_platform" and _is_seen_at_the_edge(lane))
        await self._module.set_detectors()
        self._frame = _frame(slips.GROSS_KG, is_stable=False)
        await self._until(lambda lane: lane["state"] == "weighing" and lane["booms"]["entry"] == "down")

    async def stand(self) -> None:
        """Stand past the hold time for a whole vehicle; nothing is left to do but to settle."""
        for _ in range(STANDING_STEPS):
            await self._step()

    async def settle(self) -> int | None:
        """Write the settling frame; the nanoseconds from then until the server read the raise command.

        None where a link was lost just then (a stalled machine): the lane went its safe way, with holds of its own.
        """
        self._module.forget_writes(EXIT_RAISE)
        self._clock.jump(self._random.uniform(0, POLL_S))  # the next poll comes at any moment after the frame
        await breathe()
        frame = _frame(slips.GROSS_KG, is_stable=True)
        started_ns = time.monotonic_ns()
        os.write(self._indicator, frame)
        self._frame = frame
        try:
            return await self._module.written_ns(EXIT_RAISE, SETTLED_WITHIN_S) - started_ns
        except TimeoutError:
            return None

    async def rest(self) -> None:
        """Wait until the service has finished with the decision: boom seen up, lights shown."""
        await self._until(lambda lane: lane["state"] == "leaving" and lane["lights"].get("exit") == "green")

    async def drive_off(self) -> None:
        """Under the exit boom and away; the lane is idle again and has seen its zero."""
        await self._module.set_detectors(EXIT_BEAM)
        await self._step()
        await self._module.set_detectors(EXIT_BEAM, EXIT_LOOP)
        await self._step()
        await self._module.set_detectors(EXIT_LOOP)
        self._frame = _frame(0, is_stable=True)
        await self._step()
        await self._module.set_detectors()
        await self._until(lambda lane: lane["state"] == "idle" and lane["booms"]["exit"] == "down")

    async def _until(self, holds: Callable[[dict[str, Any]], bool]) -> None:
        end_s = time.monotonic() + ANSWER_S
        while not holds(lane := self._service.lane(LANE)):
            if time.monotonic() > end_s:
                raise self._stuck(lane)
            await self._step()

    @staticmethod
    def _stuck(lane: Mapping[str, Any]) -> BenchError:
        passage = lane["passage"] or {}
        found = f"{lane['state']} ({lane['attention']}), verdict {passage.get('verdict')}"
        seen = f"weight {lane['weight']}, devices {lane['devices']}"
        return BenchError(f"bench lane: the truck is stuck: {found}, checks {passage.get('checks')}, {seen}")

    async def _step(self) -> None:
        """Let a fifth of a second pass, and return when the inputs and a frame from after it have been seen."""
        self._clock.jump(JUMP_S)
        started_s, sent = time.monotonic(), 0
        while (waited_s := time.monotonic() - started_s) < ANSWER_S:
            if waited_s >= sent * FRAME_S:
                os.write(self._indicator, self._frame)
                sent += 1
            await asyncio.sleep(LOOK_S)
            lane = self._service.lane(LANE)
            inputs_ms, weight = lane["inputs_age_ms"], lane["weight"]
            if inputs_ms is not None and weight is not None and max(inputs_ms, weight["age_ms"]) < SEEN_S * 1000:
                return
        raise BenchError(f"bench lane: inputs and frames expected within {ANSWER_S:g} s, found {lane}")


def _is_seen_at_the_edge(lane: Mapping[str, Any]) -> bool:
    """The lane saw the truck drive on: an answer under way when the beam broke may be read after the jump."""
    return bool(lane["detectors"]["entry_beam"] == "occupied")


def _frame(kg: int, *, is_stable: bool) -> bytes:
    """A frame of the ST,GS family, which says itself whether the weight is steady."""
    return b"%b,GS,+%07dkg\r\n" % (b"ST" if is_stable else b"US", kg)
