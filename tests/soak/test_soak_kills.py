"""Ten ordinary passages, the service killed at a random moment of each: `make soak`. Prints what came of it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from random import Random

import pytest

from tests.fakes.site import Site, Truck
from tests.soak.attendant import act, gone

LANE = "in-d1"
PASSAGES = 10
LONGEST_S = 5.0  # what an undisturbed passage takes at this speed
FINISHED_WITHIN_S = 90.0
AFTER_RESTART_S = 2.0


async def finish(site: Site, truck: Truck, acts: Counter[str]) -> str:
    """Attend to the lane until the truck has gone and the lane is idle."""
    async with asyncio.timeout(FINISHED_WITHIN_S):
        while gone(site, truck) is None or (await site.lane(LANE))["state"] != "idle":
            did = await act(site, truck, LANE)
            if did is not None:
                acts[did] += 1
                await asyncio.sleep(1.0)
            await asyncio.sleep(0.1)
    way = gone(site, truck)
    assert way is not None
    return way


@pytest.mark.soak
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", [1, 2])
async def test_ten_passages_with_a_kill_at_a_random_moment_of_each(tmp_path, seed):
    random = Random(seed)
    acts: Counter[str] = Counter()
    ways: Counter[str] = Counter()
    states: Counter[str] = Counter()
    async with Site(tmp_path) as site:
        for _ in range(PASSAGES):
            await site.until(LANE, "idle")
            truck = await site.send(LANE)
            await site.seen("arrived", truck=truck.id)
            await asyncio.sleep(random.uniform(0, LONGEST_S))
            states[(await site.lane(LANE))["state"]] += 1
            site.kill_service()
            edges = await site.edges(LANE)
            is_open = site.rows("SELECT count(*) FROM passages WHERE closed_at_us IS NULL")[0][0] > 0
            await site.restart_service()
            await asyncio.sleep(AFTER_RESTART_S)
            assert not is_open or await site.edges(LANE) == edges
            ways[await finish(site, truck, acts)] += 1
        told, judged, counts = await site.told(), await site.judged(), await site.at_centre("counts")
        records = site.rows("SELECT count(*) FROM records")[0][0]
    await site.verify()
    assert judged["violations"] == 0, judged["details"]
    assert judged["crossings"] == ways["left"]
    assert sum(types["passage.cleared"] for types in told.values()) == ways["left"]
    for passage_id, types in told.items():
        assert types["passage.arrived"] == 1, passage_id
        assert types["slip.used"] == types["passage.cleared"] <= 1, passage_id
    found = {
        "seed": seed, "killed in": states, "ways": ways, "acts": acts, "records": records, "events": counts["events"],
        "repeats": counts["repeats"], "checks": judged["checks"], "violations": judged["violations"],
    }  # fmt: skip
    print(json.dumps(found))
