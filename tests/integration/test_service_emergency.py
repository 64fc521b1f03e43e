"""The line is cut: an emergency regime is opened by two, used by one, survives a restart, is closed and reconciled.

A real service with its own devices over wires, and a central system that is killed and comes back.
"""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from tests.fakes.site import OPERATOR, SUPERVISOR, Site

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

LANE = "in-d1"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def site(tmp_path_factory):
    async with Site(tmp_path_factory.mktemp("emergency")) as site:
        yield site
        assert (await site.judged())["violations"] == 0
    await site.verify()


async def open_regime(site: Site) -> str:
    terms = {
        "reason": "示例：专线中断",
        "lane_kinds": ["declared"],
        "slip_types": ["1", "2", "3", "4"],
        "ends_at": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
        "passages": 3,
    }
    asked = await site.post("/api/v1/regimes", terms, by=OPERATOR)
    assert asked.status_code == 202, asked.text
    regime_id = str(asked.json()["pending"]["id"])
    approve = f"/api/v1/regimes/{regime_id}/approve"
    assert (await site.post(approve, {}, by=OPERATOR)).status_code == 403
    assert (await site.post(approve, {}, by=SUPERVISOR)).status_code == 200
    return regime_id


async def test_the_line_is_cut_and_a_regime_is_opened_used_closed_and_reconciled(site):
    await site.until(LANE, "idle")
    truck = site.new_truck(LANE, site_ids=())
    await site.tell_centre(truck)
    await site.in_the_copy(truck)
    site.central.is_stopping = True
    os.killpg(site.central.pid, signal.SIGKILL)
    await site.central.stop()

    await site.come(truck)
    await site.seen("on_platform", truck=truck.id)
    await site.until(LANE, "review")
    refused = await site.ask(LANE, "release", by=OPERATOR)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted")

    regime_id = await open_regime(site)
    shown = await site.until(LANE, lambda lane: (lane["passage"] or {}).get("regime") == regime_id)
    assert shown["passage"]["override_by"] == "operator"
    await site.command(LANE, "release", by=OPERATOR)
    await site.seen("crossed", truck=truck.id)
    await site.until(LANE, "idle")

    await site.restart_service()
    found = await site.get("/api/v1/regimes")
    assert (found["open"]["id"], found["open"]["used"]) == (regime_id, 1)
    closed = await site.post(f"/api/v1/regimes/{regime_id}/close", {"reason": "示例：专线恢复"}, by=OPERATOR)
    assert closed.status_code == 200, closed.text

    await site.start_central()
    passage = await site.passage_of(truck)
    tick = f"/api/v1/regimes/{regime_id}/passages/{passage['id']}/tick"
    done = await site.post(tick, {"outcome": "confirmed"}, by=SUPERVISOR)
    assert (done.status_code, done.json()["released_by"]) == (200, f"user:{OPERATOR}")
    told = await site.eventually(
        site.received, lambda events: {"regime.opened", "regime.closed"} <= {one["type"] for one in events}
    )
    assert [one["type"] for one in told if one["type"].startswith("regime.")] == ["regime.opened", "regime.closed"]
