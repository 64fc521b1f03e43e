"""A lane's I/O module that dies in every state, over wires: a fault at once, and nothing moves by itself afterwards."""

from __future__ import annotations

import asyncio

import pytest

from tests.fakes.site import SUPERVISOR, Site, Truck

pytestmark = pytest.mark.soak

LANE = "in-d1"
STATES = ("idle", "approach", "admitting", "on_platform", "weighing", "review", "leaving", "clearing")


async def _see_to_the_end(site: Site, truck: Truck | None) -> None:
    """A person re-arms the lane and says what they saw, until it is idle again."""
    async with asyncio.timeout(120):
        while (shown := await site.lane(LANE))["state"] != "idle":
            is_gone = truck is not None and any(
                event["event"] == "crossed" and event.get("truck") == truck.id for event in site.events
            )
            if shown["passage"] is not None and is_gone and "crossed" in shown["attests"]:
                await site.ask(LANE, "resolve", crossed=True)
            elif shown["state"] == "review":
                await site.ask(LANE, "release", by=SUPERVISOR)
            elif shown["state"] == "fault":
                await site.ask(LANE, "clear_fault")
            await asyncio.sleep(0.3)


@pytest.mark.timeout(1800)
async def test_a_module_that_dies_in_any_state_is_a_fault_and_nothing_moves_by_itself_when_it_is_back(tmp_path) -> None:
    async with Site(tmp_path) as site:
        for state in STATES:
            await site.until(LANE, "idle", 90)
            truck = None if state == "idle" else await site.send(LANE, is_scanning=state != "review")
            if state == "review":
                await site.until(LANE, lambda lane: lane["state"] in {"on_platform", "weighing"})
                await site.command(LANE, "hold")
            shown = await site.until(LANE, lambda lane, state=state: lane["state"] == state)
            await site.fault(f"{LANE}/io", "cut")
            await site.until(LANE, "fault", 2.0)
            edges = await site.edges(LANE)
            await asyncio.sleep(2.0)
            assert await site.edges(LANE) == edges, state
            await site.fault(f"{LANE}/io", "cut", on=False)
            await _see_to_the_end(site, truck)
            assert shown["state"] == state
        judged = await site.judged()
        assert judged["violations"] == 0, judged["details"]
    await site.verify()
