"""I/O modules cut off for ten seconds at three moments at once, garbage on a serial line, and an orderly stop: the lane
is in a named safe state within two seconds, everybody can see why, and nobody has to restart anything.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
import websockets

from tests.fakes.site import Site

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

CUT_S = 10.0
LOST_WITHIN = timedelta(seconds=2)  # by the service's own times
SHOWN_WITHIN_S = 10.0  # to whoever asks, who may be kept waiting on a busy machine
STOPPED_WITHIN_S = 3.0
LEAVING, STANDING, EMPTY = "in-d1", "in-d2", "in-d3"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def site(tmp_path_factory):
    async with Site(tmp_path_factory.mktemp("devices"), lanes=3) as site:
        yield site
    await site.verify()


async def shown_as_fault(site: Site, lane: str) -> dict[str, Any]:
    """The lane says that it is in FAULT, why, and which device it is."""
    shown = await site.until(lane, "fault", SHOWN_WITHIN_S)
    assert shown["attention"]["code"]
    module = next(device for device in shown["devices"] if device["kind"] == "io_module")
    assert module["fault"]
    assert module["device"] == f"io-{lane}"
    return shown


async def test_modules_cut_off_for_ten_seconds_while_empty_while_occupied_and_while_a_truck_leaves(site):
    for lane in (LEAVING, STANDING, EMPTY):
        await site.until(lane, "idle")
    standing = await site.send(STANDING, is_scanning=False)
    await site.seen("on_platform", truck=standing.id)
    leaving = await site.send(LEAVING, behaviour="stops_under_boom", pause_s=40.0)  # not gone before the cut
    await site.seen("leaving", truck=leaving.id)

    edges = {lane: await site.edges(lane) for lane in (LEAVING, STANDING, EMPTY)}
    began_s, began_at = asyncio.get_running_loop().time(), datetime.now(UTC)
    for lane in edges:
        await site.fault(f"{lane}/io", "cut")
    found = await asyncio.gather(*(shown_as_fault(site, lane) for lane in edges))
    assert found[0]["passage"]["disposition"] == "release"
    assert found[1]["passage"]["verdict"] is None
    assert found[2]["passage"] is None
    await site.seen("left", truck=leaving.id)
    await site.scan(standing)  # the approach is not seen: it may be of whoever stands there, and counts for nobody
    await asyncio.sleep(CUT_S - (asyncio.get_running_loop().time() - began_s))
    assert {(await site.lane(lane))["state"] for lane in edges} == {"fault"}
    for lane in edges:
        await site.fault(f"{lane}/io", "cut", on=False)

    await site.until(EMPTY, "idle")  # nothing to move: by itself
    assert await site.edges(EMPTY) == edges[EMPTY]
    shown = await site.until(STANDING, lambda lane: lane["state"] in {"weighing", "deciding", "review"})
    assert shown["passage"]["scanned"] == []
    await site.scan(standing)
    await site.seen("crossed", truck=standing.id)  # nobody had decided yet: weighed, judged and released as ever
    assert (await site.passage_of(standing))["verdict"] == "release"
    await finished_by_a_person(site, leaving.id, edges[LEAVING])
    await site.until(STANDING, "idle")

    told = await site.told()
    for truck in (standing, leaving):
        types = told[(await site.passage_of(truck))["id"]]
        assert types["slip.used"] == types["passage.cleared"] == types["passage.released"] == 1
    received = await site.received()
    for lane in edges:
        assert await site.lost_at(f"io-{lane}", began_at) - began_at <= LOST_WITHIN
    kinds = Counter(event["type"] for event in received)
    assert kinds["device.fault"] >= 3
    assert kinds["device.recovered"] >= 3
    judged = await site.judged()
    assert judged["violations"] == 0, judged["details"]


async def finished_by_a_person(site: Site, truck: str, edges: Counter[str]) -> None:
    """A boom stands up and nobody saw the truck go: a person says that it crossed and the boom comes down."""
    shown = await site.until(LEAVING, "review")
    assert shown["booms"]["exit"] == "up"
    assert await site.edges(LEAVING) == edges
    await site.command(LEAVING, "resolve", crossed=True)
    await site.until(LEAVING, "idle")
    assert await site.booms_at_rest(LEAVING) == {"entry": 0.0, "exit": 0.0}
    assert await site.edges(LEAVING) - edges == Counter({"exit lower": 1})


async def test_with_the_boom_up_and_the_truck_written_off_during_the_cut_a_person_re_arms_the_lane(site):
    await site.until(LEAVING, "idle")
    truck = await site.send(LEAVING, behaviour="stops_under_boom", pause_s=40.0)
    await site.seen("leaving", truck=truck.id)
    began_at = datetime.now(UTC)
    await site.fault(f"{LEAVING}/io", "cut")
    await shown_as_fault(site, LEAVING)
    await site.seen("left", truck=truck.id)
    await site.command(LEAVING, "resolve", crossed=True)
    edges = await site.edges(LEAVING)
    await site.fault(f"{LEAVING}/io", "cut", on=False)
    shown = await site.until(LEAVING, lambda lane: lane["booms"].get("exit") == "up")
    await asyncio.sleep(2.0)
    shown = await site.lane(LEAVING)
    assert (shown["state"], shown["passage"]) == ("fault", None)
    assert "clear_fault" in shown["commands"]
    assert await site.edges(LEAVING) == edges
    await site.command(LEAVING, "clear_fault")
    await site.until(LEAVING, "idle")
    assert await site.booms_at_rest(LEAVING) == {"entry": 0.0, "exit": 0.0}
    told = await site.told()
    assert told[(await site.passage_of(truck))["id"]]["slip.used"] == 1
    assert await site.lost_at(f"io-{LEAVING}", began_at) - began_at <= LOST_WITHIN


async def test_garbage_on_the_serial_line_is_counted_and_the_weight_is_right_all_the_same(site):
    lane = LEAVING  # its indicator is on a pseudo-terminal
    await site.until(lane, "idle")
    before = rejects(await site.lane(lane))
    truck = await site.send(lane, is_scanning=False)
    await site.seen("on_platform", truck=truck.id)
    for name in ("garbage", "wrong_checksum", "cut_frames"):
        await site.fault(f"{lane}/weighbridge", name)
        await asyncio.sleep(1.0)
        if name == "wrong_checksum":
            await site.eventually(lambda: rejected(site, lane), lambda found: (found - before)["checksum"] > 5)
        if name == "cut_frames":
            await site.eventually(lambda: rejected(site, lane), lambda found: (found - before).total() > 12)
        await site.fault(f"{lane}/weighbridge", name, on=False)
        await asyncio.sleep(0.3)
    await site.scan(truck)
    await site.seen("crossed", truck=truck.id)
    await site.until(lane, "idle")
    passage = await site.passage_of(truck)
    assert (passage["gross_kg"], passage["verdict"]) == (truck.total_kg, "release")
    counted = rejects(await site.lane(lane)) - before
    assert counted["checksum"] > 5
    assert sum(counted.values()) > 12
    device = next(d for d in (await site.get("/api/v1/devices"))["devices"] if d["kind"] == "weighbridge")
    assert Counter(device["rejects"]) >= counted


async def rejected(site: Site, lane: str) -> Counter[str]:
    return rejects(await site.lane(lane))


def rejects(shown: dict[str, Any]) -> Counter[str]:
    """What the weighbridge of a lane has thrown away so far, by reason."""
    return Counter(next(device for device in shown["devices"] if device["kind"] == "weighbridge")["rejects"])


async def test_a_stop_with_a_page_open_and_a_truck_on_the_platform_ends_within_three_seconds(site):
    await site.until(STANDING, "idle")
    truck = await site.send(STANDING, is_scanning=False)
    await site.seen("on_platform", truck=truck.id)
    address = f"ws://127.0.0.1:{site.port}/api/v1/live"
    async with websockets.connect(address, additional_headers={"cookie": site.cookie}) as page:
        assert json.loads(await page.recv())["type"] == "hello"
        assert await site.stop_service() < STOPPED_WITHIN_S
        await asyncio.wait_for(page.wait_closed(), 30)
    await site.verify()
    await site.start_service()
    shown = await site.until(STANDING, "review")
    assert shown["passage"]["note"] == "restart"
    await site.command(STANDING, "turn_back")
    await site.seen("backed_out", truck=truck.id)
    await site.until(STANDING, "idle")
    assert (await site.judged())["violations"] == 0
