"""SIGKILL of the whole service under load at random moments: `make soak`. Prints what came of it.

`KILLS=…` for fewer, `KILL_SEED=…` for other moments.

Trucks drive through two lanes, attended to by a person who looks at the lane and out of the window; a third is opened
and closed as fast as it answers, and every answer is kept: what was answered must be in the record, once.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import Counter
from random import Random
from uuid import uuid4

import httpx
import pytest

from gate_service.bench.figure import quantile
from tests.fakes.site import OPERATOR, Site, Truck
from tests.soak.attendant import act, gone

KILLS = int(os.environ.get("KILLS", "2000"))
SEED = int(os.environ.get("KILL_SEED", "20261128"))
BUSY, SPARE = ("in-d1", "in-d2"), "in-d3"
LONGEST_LIFE_S = 4.0
SERVING_WITHIN_S = 5.0
FINISHED_WITHIN_S = 120.0
SHARES = {"p50": 0.5, "p99": 0.99, "max": 1.0}


class Load:
    """What goes on while the service is killed."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.is_over = False
        self.answered: list[str] = []
        self.acts: Counter[str] = Counter()
        self.ways: Counter[str] = Counter()

    async def drive(self, lane: str) -> None:
        """One truck after the other through a lane, whatever happens."""
        while not self.is_over:
            truck = await self.site.send(lane)
            await self.finish(lane, truck)

    async def finish(self, lane: str, truck: Truck) -> None:
        """Attend to the lane until the truck has gone and the lane is idle again."""
        began_s = time.monotonic()
        while time.monotonic() - began_s < FINISHED_WITHIN_S or not self.is_over:
            try:
                way = gone(self.site, truck)
                if way is not None and (await self.site.lane(lane))["state"] == "idle":
                    self.ways[way] += 1
                    return
                did = await act(self.site, truck, lane)
            except (httpx.TransportError, AssertionError):  # the service is down, or was asked in its last moment
                await asyncio.sleep(0.2)
                continue
            if did is not None:
                self.acts[did.split(":")[0]] += 1
                await asyncio.sleep(0.5)
            await asyncio.sleep(0.1)
        raise AssertionError(f"lane {lane}: truck {truck.id} was never finished")

    async def toggle(self) -> None:
        """Open and close the spare lane; keep what was answered."""
        client = self.site._people[OPERATOR]
        command, other = "close_lane", "open_lane"
        while not self.is_over:
            word = f"t{uuid4().hex}"
            body = {"command": command, "reason_code": "seen_by_operator", "reason": word}
            try:
                answer = await client.post(
                    f"/api/v1/lanes/{SPARE}/commands", json=body, headers={"Idempotency-Key": uuid4().hex}
                )
            except httpx.TransportError:
                await asyncio.sleep(0.1)
                continue
            if answer.is_success:
                self.answered.append(word)
            else:
                await asyncio.sleep(0.05)
            if answer.status_code != 429:
                command, other = other, command  # refused: one that got no answer was carried out


async def kill_and_restart(site: Site, random: Random, kills: int) -> list[float]:
    """Kill at random moments; seconds until it served again, of each."""
    serving_s = []
    for _ in range(kills):
        await asyncio.sleep(random.uniform(0, LONGEST_LIFE_S))
        site.kill_service()
        await site.service.stop()
        began_s = time.monotonic()
        await site.start_service()
        serving_s.append(time.monotonic() - began_s)
    return serving_s


@pytest.mark.soak
@pytest.mark.timeout(8 * 3600)
async def test_killed_at_random_moments_under_load_nothing_is_lost_doubled_or_missing_at_the_far_side(tmp_path):
    async with Site(tmp_path, lanes=3) as site:
        load = Load(site)
        tasks = [asyncio.create_task(load.drive(lane)) for lane in BUSY] + [asyncio.create_task(load.toggle())]
        serving_s = await kill_and_restart(site, Random(SEED), KILLS)
        load.is_over = True
        await asyncio.gather(*tasks)
        await site.told()  # the centre has exactly what is recorded, each once, without a gap
        counts, judged = await site.at_centre("counts"), await site.judged()
        facts = [row[0].decode() for row in site.rows("SELECT facts FROM records WHERE kind = 'command'")]
        records = site.rows("SELECT count(*) FROM records")[0][0]
    await site.verify()
    found = Counter(word for fact in facts if (word := json.loads(fact).get("reason")))
    lost = [word for word in load.answered if word not in found]
    doubled = [word for word in load.answered if found[word] > 1]
    print(json.dumps({
        "kills": KILLS, "answered": len(load.answered), "lost": len(lost), "doubled": len(doubled), "records": records,
        "events": counts["events"], "repeats": counts["repeats"], "gaps": counts["gaps"], "ways": load.ways,
        "acts": load.acts, "violations": judged["violations"],
        "serving again s": {name: round(quantile(serving_s, share), 2) for name, share in SHARES.items()},
    }))  # fmt: skip
    assert (lost, doubled) == ([], [])
    assert judged["violations"] == 0, judged["details"]
    assert counts["conflicts"] == 0
    assert max(serving_s) <= SERVING_WITHIN_S
