"""The central system stops answering, half-open and dead, while trucks come; and sends what nobody can read.

The lane goes on from its copy where the rules allow, says so, and everything waits to be told once.
"""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from devices.simulator.demo.slips import slip_for
from tests.fakes.site import SUPERVISOR, Site, Truck

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

LANE = "in-d1"
MALFORMED = (
    ({"kind": "slip", "version": 3}, "slip: an object expected"),
    ({"kind": "slip", "version": 3, "slip": {"slip_no": 17}}, "number: text"),
    ({"kind": "slip", "version": "new", "slip": {"slip_no": "Z1"}}, "version"),
    ({"kind": "slip", "version": 3, "slip": {"slip_no": "Z2", "total_kg": "heavy"}}, "total_kg"),
    ({"kind": "hologram", "version": 3}, "kind"),
    (["not", "an", "object"], "an object expected"),
)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def site(tmp_path_factory):
    async with Site(tmp_path_factory.mktemp("centre")) as site:
        yield site
        assert (await site.judged())["violations"] == 0
    await site.verify()


async def pass_from_the_copy(site: Site, bound: Truck, open_to_all: Truck) -> None:
    """With the centre silent: a slip of this site alone is released from the copy, one for any site is a person's."""
    await site.come(bound)
    await site.seen("crossed", truck=bound.id)
    passage = await site.passage_of(bound)
    assert (passage["verdict"], passage["source"]) == ("release", "local")

    await site.come(open_to_all)
    await site.seen("on_platform", truck=open_to_all.id)
    shown = await site.until(LANE, "review")
    assert [check["reason_code"] for check in shown["passage"]["checks"]] == ["claim_unavailable"]
    assert shown["passage"]["source"] == "local"
    await site.command(LANE, "release", by=SUPERVISOR)
    await site.seen("crossed", truck=open_to_all.id)
    await site.until(LANE, "idle")


async def two_known_slips(site: Site) -> tuple[Truck, Truck]:
    """Slips that the site has a copy of before the centre falls silent."""
    await site.until(LANE, "idle")
    bound, open_to_all = site.new_truck(LANE), site.new_truck(LANE, site_ids=())
    await site.tell_centre(bound, open_to_all)
    await site.in_the_copy(bound, open_to_all)
    return bound, open_to_all


async def shown_as_down(site: Site) -> None:
    """`/api/v1/sync` says that the line is down, why and since when, and that events wait."""
    status = await site.eventually(lambda: site.get("/api/v1/sync"), lambda status: status["central"]["line"] == "down")
    assert status["central"]["reason"]
    assert status["central"]["down_since_at"]
    status = await site.eventually(lambda: site.get("/api/v1/sync"), lambda found: found["outbox"]["due"] > 0)
    assert status["outbox"]["oldest_due_at"]


async def everything_told_once(site: Site, *trucks: Truck) -> None:
    """The line is up again, nothing waits, and the centre has every event once."""
    await site.eventually(lambda: site.get("/api/v1/sync"), lambda found: found["central"]["line"] == "up")
    told = await site.told()
    for truck in trucks:
        passage = await site.passage_of(truck)
        types = told[passage["id"]]
        assert types["passage.arrived"] == types["passage.released"] == types["slip.used"] == 1
        assert types["passage.cleared"] == 1


async def test_a_centre_that_hangs_stops_no_lane_and_hears_everything_afterwards(site):
    trucks = await two_known_slips(site)
    os.killpg(site.central.pid, signal.SIGSTOP)
    try:
        await pass_from_the_copy(site, *trucks)
        await shown_as_down(site)
    finally:
        os.killpg(site.central.pid, signal.SIGCONT)
    await everything_told_once(site, *trucks)


async def test_a_centre_that_was_killed_is_found_again_on_its_address_and_hears_everything(site):
    trucks = await two_known_slips(site)
    site.central.is_stopping = True
    os.killpg(site.central.pid, signal.SIGKILL)
    await site.central.stop()
    await pass_from_the_copy(site, *trucks)
    await shown_as_down(site)
    await site.start_central()
    await everything_told_once(site, *trucks)


async def test_malformed_slips_are_listed_with_their_reasons_and_the_good_one_beside_them_counts(site):
    truck = site.new_truck(LANE)
    good = {"kind": "slip", "slip": slip_for(truck.load, datetime.now(UTC))}
    raw = [{"raw": True, "change": change} for change, _ in MALFORMED]
    await site.load([*raw[:3], good, *raw[3:]])
    await site.in_the_copy(truck)
    status = await site.get("/api/v1/sync")
    rejected = status["rejected"]
    assert len(rejected) == status["copy"]["rejected"] == len(MALFORMED)
    for _, word in MALFORMED:
        assert any(word in one["reason"] for one in rejected), (word, rejected)
    assert status["faults"] == {}
    await site.come(truck)
    await site.seen("crossed", truck=truck.id)
    await site.until(LANE, "idle")
    assert (await site.passage_of(truck))["verdict"] == "release"
