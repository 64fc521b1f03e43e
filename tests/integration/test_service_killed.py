"""SIGKILL of the service at the worst moments, over real processes: no boom moves by itself, nothing recorded is lost
or told twice, the vehicle is shown to a person and can be finished or sent back.

One site is killed again and again; every test begins and ends with an idle lane. The moments are hit from outside: by
faults of the yard's wires, by the yard's own events and by rows of the record.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
import pytest_asyncio

from tests.fakes.site import OPERATOR, SUPERVISOR, Site, Truck

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

LANE = "in-d1"
STILL_S = 1.0  # real seconds in which nothing may move after a restart: ten boom travels of the yard
TRIES = 6


class Sites:
    """The site of this module; a fresh one after a test that failed, so that one failure is one failure."""

    def __init__(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        self._folders = tmp_path_factory
        self._site: Site | None = None
        self.is_in_order = True

    async def site(self) -> Site:
        if not self.is_in_order:
            await self.close()
        if self._site is None:
            self._site = await Site(self._folders.mktemp("killed")).__aenter__()
        self.is_in_order = False
        return self._site

    async def close(self) -> None:
        site, self._site = self._site, None
        if site is not None:
            await site.__aexit__(None, None, None)
            await site.verify()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def sites(tmp_path_factory):
    kept = Sites(tmp_path_factory)
    yield kept
    await kept.close()


@pytest_asyncio.fixture(loop_scope="module")
async def site(sites):
    """The site with an idle lane; afterwards everything that must hold after any kill."""
    site = await sites.site()
    await site.until(LANE, "idle")
    yield site
    await site.until(LANE, "idle")
    told, judged = await site.told(), await site.judged()
    assert judged["violations"] == 0, judged["details"]
    for passage_id, types in told.items():
        once = {"passage.arrived", "slip.used", "slip.returned", "passage.cleared", "passage.turned_back"}
        assert {name: types[name] for name in once if types[name] > 1} == {}, passage_id
    sites.is_in_order = True


async def weighed_without_a_slip(site: Site) -> tuple[Truck, str]:
    """A truck that stands weighed on the platform and shows no slip yet, and its passage."""
    truck = await site.send(LANE, is_scanning=False)
    await site.seen("on_platform", truck=truck.id)
    shown = await site.until(LANE, lambda lane: lane["state"] == "weighing" and lane["weight"]["stable"])
    await asyncio.sleep(1.5)  # the window in which the whole vehicle has to stand still
    return truck, shown["passage"]["id"]


async def restarted(site: Site, passage_id: str) -> dict[str, Any]:
    """Start the service again; nothing moves, nothing is forgotten, and the vehicle is shown to a person."""
    await site.service.stop()  # a killed process may finish what it has under way: what it leaves counts from its end
    before = site.rows("SELECT number, hash FROM records ORDER BY number")
    edges, booms = await site.edges(LANE), await site.booms_at_rest(LANE)
    await site.restart_service()
    shown = await site.until(LANE, "review")
    assert shown["attention"]["code"] == "restart"
    assert shown["passage"]["id"] == passage_id
    assert shown["passage"]["note"] == "restart"
    await asyncio.sleep(STILL_S)
    assert await site.edges(LANE) == edges
    assert (await site.in_lane(LANE))["booms"] == booms
    assert site.rows("SELECT number, hash FROM records ORDER BY number LIMIT ?", len(before)) == before
    return await site.lane(LANE)


async def release(site: Site, truck: Truck, by: str = OPERATOR) -> None:
    """A person lets the vehicle go; it crosses, once."""
    shown = await site.lane(LANE)
    assert "release" in shown["commands"]
    await site.command(LANE, "release", by=by)
    await site.seen("crossed", truck=truck.id)
    await site.until(LANE, "idle")
    told = (await site.told())[shown["passage"]["id"]]
    assert told["slip.used"] == told["passage.cleared"] == 1
    assert told["passage.turned_back"] == 0


async def turn_back(site: Site, truck: Truck) -> None:
    """A person sends the vehicle back; it backs out, and its slip is free again."""
    shown = await site.lane(LANE)
    assert "turn_back" in shown["commands"]
    await site.command(LANE, "turn_back")
    await site.seen("backed_out", truck=truck.id)
    await site.until(LANE, "idle")
    told = (await site.told())[shown["passage"]["id"]]
    assert told["slip.returned"] == told["passage.turned_back"] == 1
    assert told["slip.used"] == told["passage.cleared"] == 0


async def killed_before_the_raise(site: Site) -> tuple[Truck, str]:
    """Decided and committed, nothing on the wire: the module falls silent, so the raise waits behind the poll."""
    for _ in range(TRIES):
        truck, passage_id = await weighed_without_a_slip(site)
        edges = await site.edges(LANE)
        await site.fault(f"{LANE}/io", "silence")
        scanning = asyncio.create_task(site.scan(truck))
        is_decided = await site.recorded("decision", passage_id, within_s=2.0)
        if is_decided:
            site.kill_service()
        await asyncio.gather(scanning, return_exceptions=True)
        await site.fault(f"{LANE}/io", "silence", on=False)
        if is_decided:
            assert await site.edges(LANE) == edges
            return truck, passage_id
        # The lane knew of the silence first, as on a slow machine: then the scan counted for nobody.
        shown = await site.until(LANE, lambda lane: lane["state"] != "fault")
        if shown["passage"] is not None and not shown["passage"]["scanned"]:
            await site.scan(truck)
        await site.seen("crossed", truck=truck.id)
        await site.until(LANE, "idle")
    raise AssertionError(f"{TRIES} times the lane knew of the silence before it had decided")


async def killed_before_the_echo(site: Site) -> tuple[Truck, str]:
    """The raise was written and done; its echo never comes back, and the service dies waiting for it."""
    truck, passage_id = await weighed_without_a_slip(site)
    edges, mark = await site.edges(LANE), len(site.events)
    await site.fault(f"{LANE}/io", "no_echo")
    scanning = asyncio.create_task(site.scan(truck))
    await site.seen("boom", since=mark, lane=LANE, side="exit")
    site.kill_service()
    await asyncio.gather(scanning, return_exceptions=True)
    await site.fault(f"{LANE}/io", "no_echo", on=False)
    assert await site.edges(LANE) - edges == Counter({"exit raise": 1})
    assert "boom_failed" not in site.kinds(passage_id)
    return truck, passage_id


async def test_killed_after_the_decision_before_the_raise_the_truck_is_released_by_a_person(site):
    truck, passage_id = await killed_before_the_raise(site)
    shown = await restarted(site, passage_id)
    assert shown["booms"] == {"entry": "down", "exit": "down"}
    assert shown["passage"]["verdict"] == "release"
    await release(site, truck)


async def test_killed_between_the_raise_and_its_echo_the_boom_is_not_pulsed_again(site):
    truck, passage_id = await killed_before_the_echo(site)
    await restarted(site, passage_id)
    edges = await site.edges(LANE)
    await release(site, truck)
    assert (await site.edges(LANE) - edges)["exit raise"] == 0


async def test_killed_with_the_boom_rising_the_truck_is_sent_back_and_the_boom_comes_down(site):
    await site.fault(f"{LANE}/exit_up", "stays_off")  # for the service it rises until it is killed, however late
    truck = await site.send(LANE)
    risen = await site.seen("on_platform", truck=truck.id)
    await site.seen("boom", since=site.after(risen), lane=LANE, side="exit", position="moving")
    passage_id = site.rows("SELECT id FROM passages WHERE closed_at_us IS NULL")[0][0]
    site.kill_service()
    await site.service.stop()
    await site.fault(f"{LANE}/exit_up", "stays_off", on=False)
    await restarted(site, passage_id)
    await turn_back(site, truck)
    assert await site.booms_at_rest(LANE) == {"entry": 0.0, "exit": 0.0}  # the limit closes 3 degrees before the end


async def test_killed_with_a_vehicle_that_left_meanwhile_a_person_says_that_it_crossed(site):
    truck = await site.send(LANE, behaviour="stops_under_boom", pause_s=40.0)  # not gone before the kill
    await site.seen("leaving", truck=truck.id)
    passage_id = site.rows("SELECT id FROM passages WHERE closed_at_us IS NULL")[0][0]
    site.kill_service()
    await site.seen("left", truck=truck.id)
    await restarted(site, passage_id)
    assert (await site.in_lane(LANE))["booms"]["exit"] > 0
    await site.command(LANE, "resolve", crossed=True)
    await site.until(LANE, "idle")
    assert await site.booms_at_rest(LANE) == {"entry": 0.0, "exit": 0.0}
    told = (await site.told())[passage_id]
    assert told["slip.used"] == told["passage.cleared"] == 1


async def test_killed_with_the_boom_falling_behind_a_truck_it_comes_to_rest_and_the_lane_goes_on(site):
    truck = await site.send(LANE)
    crossed = await site.seen("crossed", truck=truck.id)
    passage_id = (await site.lane(LANE))["passage"]
    await site.seen("boom", since=site.after(crossed), lane=LANE, side="exit", position="moving")
    site.kill_service()
    await site.service.stop()
    edges = await site.edges(LANE)
    await site.booms_at_rest(LANE)
    await site.restart_service()
    shown = await site.until(LANE, lambda lane: lane["state"] in {"idle", "review"})
    assert await site.edges(LANE) == edges
    if shown["state"] == "review":  # the proof of crossing was seen, and not yet on disk
        await site.command(LANE, "resolve", crossed=True)
    assert passage_id is None or (await site.told())[passage_id["id"]]["passage.cleared"] == 1


async def test_killed_weighed_and_in_review_the_truck_is_released_by_a_supervisor(site):
    truck = await site.send(LANE, plate_read="浙B99999")
    shown = await site.until(LANE, "review")
    site.kill_service()
    again = await restarted(site, shown["passage"]["id"])
    assert again["passage"]["gross_kg"] == shown["passage"]["gross_kg"] == truck.total_kg
    assert [check["reason_code"] for check in again["passage"]["checks"]] == ["plate_mismatch"]
    assert (await site.ask(LANE, "release", by=OPERATOR)).status_code == 403
    await release(site, truck, by=SUPERVISOR)


async def test_killed_weighed_and_undecided_the_truck_is_weighed_again_and_judged(site):
    truck, passage_id = await weighed_without_a_slip(site)
    site.kill_service()
    shown = await restarted(site, passage_id)
    assert shown["passage"]["verdict"] is None
    assert (await site.ask(LANE, "release")).status_code == 409
    await site.command(LANE, "reweigh")
    await site.until(LANE, "weighing")
    await site.scan(truck)
    shown = await site.until(LANE, lambda lane: lane["state"] == "review" and lane["passage"]["verdict"])
    # no zero was seen since the restart: the rules do not trust the weight, a person decides
    assert [check["reason_code"] for check in shown["passage"]["checks"]] == ["weight_missing"]
    await turn_back(site, truck)


async def test_killed_in_review_a_read_that_comes_late_is_judged_but_raises_no_boom(site):
    truck = await site.send(LANE, plate_read=None)
    shown = await site.until(LANE, "review")
    assert [check["reason_code"] for check in shown["passage"]["checks"]] == ["plate_unread"]
    site.kill_service()
    await restarted(site, shown["passage"]["id"])
    edges = await site.edges(LANE)
    await site.see_plate(truck)
    shown = await site.until(LANE, lambda lane: lane["state"] == "review" and lane["passage"]["verdict"] == "release")
    await asyncio.sleep(STILL_S)
    assert await site.edges(LANE) == edges
    await release(site, truck)


async def test_killed_with_the_entry_boom_rising_the_truck_is_admitted_when_a_person_says_so(site):
    await site.fault(f"{LANE}/entry_up", "stays_off")  # for the service it rises until it is killed, however late
    mark = len(site.events)
    truck = await site.send(LANE)
    await site.seen("boom", since=mark, lane=LANE, side="entry", position="moving")
    passage_id = site.rows("SELECT id FROM passages WHERE closed_at_us IS NULL")[0][0]
    site.kill_service()
    await site.service.stop()
    await site.fault(f"{LANE}/entry_up", "stays_off", on=False)
    await restarted(site, passage_id)
    await site.command(LANE, "clear_fault")
    if not (await site.lane(LANE))["passage"]["scanned"]:
        # Its reads came before the inputs were known again and counted for nobody: the driver shows the slip again.
        await site.see_plate(truck)
        await site.scan(truck)
    await site.seen("crossed", truck=truck.id)
    await site.until(LANE, "idle")
    assert (await site.passage_of(truck))["verdict"] == "release"


async def test_a_photo_that_was_answered_is_there_after_a_kill_and_belongs_to_its_passage(site):
    truck, passage_id = await weighed_without_a_slip(site)
    photo = b"\xff\xd8\xff\xe0" + b"photo" * 5000
    person = site._people[OPERATOR]
    answer = await person.post(f"/api/v1/lanes/{LANE}/photos", content=photo, headers={"content-type": "image/jpeg"})
    sha256 = answer.json()["sha256"]
    assert (await site.lane(LANE))["passage"]["photos"] == [sha256]
    site.kill_service()
    assert answer.json()["passage_id"] == passage_id
    await restarted(site, passage_id)
    assert (await site.lane(LANE))["passage"]["photos"] == [sha256]
    found = await person.get(f"/api/v1/files/{sha256}")
    assert (found.content, found.headers["content-type"]) == (photo, "image/jpeg")
    assert site.kinds(passage_id).count("photo") == 1
    await site.command(LANE, "turn_back")
    await site.seen("backed_out", truck=truck.id)
