"""A lane's I/O module that dies in every state, over wires: a fault at once, and nothing moves by itself afterwards."""

from __future__ import annotations

import asyncio

import pytest

from tests.fakes.site import SUPERVISOR, Site, Truck

pytestmark = pytest.mark.soak

LANE = "in-d1"
PASSED_THROUGH = ("admitting", "on_platform", "weighing", "opening", "leaving", "clearing")
"""States that a truck comes through by itself; `deciding` lasts milliseconds and is left to the simulation."""

ASKED_FOR = {
    "review": (("hold", {}),),
    "detained": (("hold", {}), ("hold", {})),
    "returning": (("hold", {}), ("turn_back", {"way": "back_out"})),
    "diverting": (("hold", {}), ("refuse", {"way": "divert"})),
}
"""States that a person brings a standing truck into, and by which commands."""

STATES = ("idle", "approach", *PASSED_THROUGH, *ASKED_FOR)


def _has(site: Site, truck: Truck | None, event: str) -> bool:
    return truck is not None and any(e["event"] == event and e.get("truck") == truck.id for e in site.events)


async def _see_to_the_end(site: Site, truck: Truck | None) -> None:
    """A person re-arms the lane and says what they saw, until it is idle again."""
    async with asyncio.timeout(120):
        while (shown := await site.lane(LANE))["state"] != "idle":
            has_gone = _has(site, truck, "crossed") or _has(site, truck, "backed_out")
            if shown["passage"] is not None and has_gone and shown["attests"]:
                await site.ask(LANE, "resolve", crossed=_has(site, truck, "crossed"))
            elif "clear_fault" in shown["commands"]:  # re-armed, or: yes, it is the same vehicle
                await site.ask(LANE, "clear_fault")
            elif shown["state"] in {"review", "detained"}:
                answer = await site.ask(LANE, "release", by=SUPERVISOR)
                if not answer.is_success:  # sent another way before: that way once more
                    await site.ask(LANE, "refuse", by=SUPERVISOR, way="divert")
            await asyncio.sleep(0.3)


async def _brought_to(site: Site, state: str) -> Truck | None:
    """Let a truck come and bring the lane into a state."""
    if state == "idle":
        return None
    if state == "approach":  # snow on the platform: nobody is let on
        await site.tell_yard({"do": "fault", "device": f"{LANE}/platform", "name": "snow", "amount": 120})
    truck = await site.send(LANE, is_scanning=state not in ASKED_FOR)
    if state in ASKED_FOR:
        await site.seen("on_platform", truck=truck.id)
        await site.until(LANE, "weighing")
        for command, fields in ASKED_FOR[state]:
            if "way" in fields:
                await site.until(LANE, lambda lane, way=fields["way"]: way in lane["ways"])
            await site.command(LANE, command, by=SUPERVISOR, **fields)
    return truck


@pytest.mark.timeout(1800)
async def test_a_module_that_dies_in_any_state_is_a_fault_and_nothing_moves_by_itself_when_it_is_back(tmp_path) -> None:
    async with Site(tmp_path, scan_wait_s=8.0) as site:
        for state in STATES:
            await site.until(LANE, "idle", 90)
            truck = await _brought_to(site, state)
            await site.until(LANE, state)
            await site.fault(f"{LANE}/io", "cut")
            await site.until(LANE, "fault", 2.0)
            edges = await site.edges(LANE)
            await asyncio.sleep(2.0)
            assert await site.edges(LANE) == edges, state
            await site.fault(f"{LANE}/platform", "snow", on=False)
            await site.fault(f"{LANE}/io", "cut", on=False)
            await _see_to_the_end(site, truck)
            print(f"module cut in {state}: ended idle")
        await _dies_in_a_closed_lane(site)
        judged = await site.judged()
        assert judged["violations"] == 0, judged["details"]
    await site.verify()


async def _dies_in_a_closed_lane(site: Site) -> None:
    """A closed lane stays closed: a failure never leads from a safe state to a lower one."""
    await site.command(LANE, "close_lane")
    await site.until(LANE, "closed")
    edges = await site.edges(LANE)
    await site.fault(f"{LANE}/io", "cut")
    await asyncio.sleep(2.0)
    await site.fault(f"{LANE}/io", "cut", on=False)
    await asyncio.sleep(2.0)
    assert ((await site.lane(LANE))["state"], await site.edges(LANE)) == ("closed", edges)
    await site.until(LANE, lambda lane: all(device["fault"] is None for device in lane["devices"]))
    await site.command(LANE, "open_lane")
    await site.until(LANE, "idle")
