"""The policy workbench over HTTP, on a real record: rights, shapes, two persons, and what may not be done."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from gate_service.domain.commands import Role, Scope
from gate_service.domain.record import Entry
from lanes.policy.case import read_case
from lanes.policy.engine import assess
from tests.fakes.policy_cases import case
from tests.fakes.web_site import PASSWORD, Site, serve

STRICT = {"weigh": "always", "tolerance_kg": 0, "tolerance_pct": 1}
TIERS = {"strict": STRICT, "standard": STRICT, "relaxed": STRICT}
NEW = {"version": "2026-12-01", "tiers": TIERS, "assign": []}
BASE = "/api/v1/policies"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with serve(tmp_path) as running:
        yield running


async def test_proposed_by_one_and_approved_by_another_it_is_in_force(site: Site) -> None:
    async with site.signed_in("a", Role.SUPERVISOR) as a, site.signed_in("b", Role.ADMINISTRATOR) as b:
        told = (await a.get(BASE)).json()
        assert (told["in_force"]["origin"], told["in_force"]["version"]) == ("default", "2026-11-01")
        made = await a.post(BASE, json={"policy": NEW, "reason": "tighter"})
        assert (made.status_code, made.json()["state"], made.json()["policy"]) == (201, "proposed", NEW)
        own = await a.post(f"{BASE}/2026-12-01/approve", json={})
        assert (own.status_code, own.json()["code"]) == (403, "not_permitted")
        done = await b.post(f"{BASE}/2026-12-01/approve", json={})
        assert (done.status_code, done.json()["state"]) == (200, "in_force")
        told = (await a.get(BASE)).json()
        assert told["in_force"]["version"] == "2026-12-01"
        assert (told["policies"][0]["proposed_by"], told["policies"][0]["approved_by"]) == ("user:a", "user:b")
        assert (await b.get(f"{BASE}/2026-12-01")).json()["policy"] == NEW


async def test_the_second_one_may_approve_at_the_first_ones_terminal(site: Site) -> None:
    await site.accounts.add_user("b", Role.SUPERVISOR, PASSWORD, "service")
    await site.accounts.add_user("o", Role.OPERATOR, PASSWORD, "service")
    async with site.signed_in("a", Role.SUPERVISOR) as a:
        later = (site.clock.now() + timedelta(hours=1)).isoformat()
        await a.post(BASE, json={"policy": NEW, "reason": "tighter", "from_at": later})
        for name, status in (("o", 403), ("a", 403)):
            answer = await a.post(f"{BASE}/2026-12-01/approve", json={"name": name, "password": PASSWORD})
            assert answer.status_code == status, answer.text
        assert (await a.post(f"{BASE}/2026-12-01/approve", json={"name": "b"})).status_code == 422
        done = await a.post(f"{BASE}/2026-12-01/approve", json={"name": "b", "password": PASSWORD})
        assert (done.json()["state"], done.json()["approved_by"]) == ("scheduled", "user:b")
        site.clock.offset += timedelta(hours=2)  # the running service switches at the time, nobody does anything
        assert (await a.get(BASE)).json()["in_force"]["version"] == "2026-12-01"


async def test_withdrawn_with_a_reason_it_is_gone(site: Site) -> None:
    async with site.signed_in("a", Role.SUPERVISOR) as a:
        await a.post(BASE, json={"policy": NEW, "reason": "tighter"})
        assert (await a.post(f"{BASE}/2026-12-01/withdraw", json={"reason": " "})).status_code == 422
        gone = await a.post(f"{BASE}/2026-12-01/withdraw", json={"reason": "typing mistake"})
        assert (gone.json()["state"], gone.json()["withdraw_reason"]) == ("withdrawn", "typing mistake")
        assert (await a.post(f"{BASE}/nobody/withdraw", json={"reason": "x"})).status_code == 404


async def test_every_mistake_is_told_and_nothing_is_stored(site: Site) -> None:
    bad = {"version": "x", "colour": 1, "offline": {"slip_max_age_h": -1}}
    async with site.signed_in("a", Role.AUDITOR) as auditor:
        told = (await auditor.post(f"{BASE}/check", json={"policy": bad})).json()
        assert [one["place"] for one in told["problems"]] == ["$.colour", "offline.slip_max_age_h"]
        assert (await auditor.post(BASE, json={"policy": NEW, "reason": "x"})).status_code == 403
    async with site.signed_in("s", Role.SUPERVISOR) as supervisor:
        refused = await supervisor.post(BASE, json={"policy": bad, "reason": "x"})
        assert (refused.status_code, refused.json()["code"]) == (422, "policy_invalid")
        for body in ({}, {"policy": []}, {"policy": NEW}, {"policy": NEW, "reason": "x", "from_at": "tomorrow"}):
            assert (await supervisor.post(BASE, json=body)).status_code == 422, body
        assert (await supervisor.get(BASE)).json()["policies"] == []


async def test_past_passages_are_compared_with_the_one_in_force(site: Site) -> None:
    document = case(weight={"gross_kg": 30600})
    stored = {
        "id": "p1", "lane": "in-1", "direction": "inbound", "state": "idle", "opened_at": site.clock.now().isoformat(),
        "closed_at": None, "plate": "x", "case": document, "assessment": assess(read_case(document)).as_record(),
    }  # fmt: skip
    await site.journal.write(Entry("decision", site.clock.now(), "service", {}, passage_id="p1", passage=stored))
    async with site.signed_in("a", Role.SUPERVISOR) as a:
        told = (await a.post(f"{BASE}/compare", json={"policy": NEW})).json()
    assert (told["compared"], told["changed"]) == (1, 1)
    assert told["passages"][0]["added"] == ["weight_mismatch"]


async def test_operators_work_the_lanes_and_see_no_workbench(site: Site) -> None:
    async with site.signed_in("o", Role.OPERATOR) as operator:
        assert (await operator.get(BASE)).status_code == 403
    async with await site.with_token("reader", Scope.READ) as reader:
        assert (await reader.get(BASE)).status_code == 200
        assert (await reader.post(f"{BASE}/check", json={"policy": NEW})).status_code == 403
