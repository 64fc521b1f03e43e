"""Shifts, the emergency regime, paper entries and reconciliation, over real sockets and a real record."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from gate_service.domain.commands import Role
from gate_service.domain.errors import LedgerRefusedError
from gate_service.domain.record import Entry, LedgerChange, LedgerKind
from sync.verify import verify_directory
from tests.fakes.record_entries import decision, passage_id
from tests.fakes.web_site import PASSWORD, Site, serve

Pair = tuple[httpx.AsyncClient, httpx.AsyncClient]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with serve(tmp_path) as running:
        yield running


@asynccontextmanager
async def two(site: Site) -> AsyncIterator[Pair]:
    """An operator and a supervisor, each at a terminal."""
    async with site.signed_in("op", Role.OPERATOR) as operator, site.signed_in("sue", Role.SUPERVISOR) as supervisor:
        yield operator, supervisor


def terms(site: Site, **changes: Any) -> dict[str, Any]:
    ends_at = (site.clock.now() + timedelta(hours=2)).isoformat()
    asked = {"reason": "line cut", "lane_kinds": ["declared"], "slip_types": ["3"], "ends_at": ends_at, "passages": 2}
    return asked | changes


async def opened(site: Site, operator: httpx.AsyncClient, supervisor: httpx.AsyncClient) -> str:
    asked = await operator.post("/api/v1/regimes", json=terms(site))
    assert asked.status_code == 202, asked.text
    regime_id = str(asked.json()["pending"]["id"])
    answer = await supervisor.post(f"/api/v1/regimes/{regime_id}/approve", json={})
    assert answer.status_code == 200, answer.text
    return regime_id


async def kinds(site: Site) -> list[str]:
    return [record.kind for record in await site.journal.records(limit=1000)]


async def told(site: Site, kind: str) -> int:
    counts = await site.journal.counts()
    assert counts.outbox.recorded >= 0
    sql = "SELECT count(*) FROM outbox WHERE type = ?"
    return int(await site.accounts.database.read(lambda c: c.exec_driver_sql(sql, (kind,)).scalar_one()))


# The regime ------------------------------------------------------------------------------------------------------


async def test_a_regime_is_opened_by_two_told_once_and_closed_by_one(site: Site) -> None:
    async with two(site) as (operator, supervisor):
        regime_id = await opened(site, operator, supervisor)
        now = (await operator.get("/api/v1/regimes")).json()
        assert (now["open"]["id"], now["pending"]) == (regime_id, None)
        assert (now["open"]["opened_by"], now["open"]["approved_by"]) == ("user:op", "user:sue")
        again = await operator.post("/api/v1/regimes", json=terms(site))
        assert again.status_code == 409
        closed = await operator.post(f"/api/v1/regimes/{regime_id}/close", json={"reason": "line is back"})
        assert closed.json()["closed_by"] == "user:op"
        assert (await operator.post(f"/api/v1/regimes/{regime_id}/close", json={"reason": "x"})).status_code == 409
    assert [kind for kind in await kinds(site) if "regime" in kind] == ["regime_opened", "regime_closed"]
    assert (await told(site, "regime.opened"), await told(site, "regime.closed")) == (1, 1)


async def test_nobody_opens_a_regime_alone_and_a_request_ends_after_five_minutes(site: Site) -> None:
    async with two(site) as (operator, supervisor):
        asked = (await supervisor.post("/api/v1/regimes", json=terms(site))).json()["pending"]
        approve = f"/api/v1/regimes/{asked['id']}/approve"
        assert (await supervisor.post(approve, json={})).json()["code"] == "not_permitted"
        assert (await operator.post(approve, json={})).json()["code"] == "not_permitted"  # an operator is no second
        own = {"name": "sue", "password": PASSWORD}
        assert (await operator.post(approve, json=own)).json()["code"] == "not_permitted"
        site.clock.offset += timedelta(seconds=301)
        assert (await operator.post(approve, json=own)).status_code == 409
        assert (await operator.get("/api/v1/regimes")).json()["open"] is None
    assert "regime_opened" not in await kinds(site)


async def test_the_second_person_opens_it_at_the_first_ones_terminal(site: Site) -> None:
    async with two(site) as (operator, _):
        asked = (await operator.post("/api/v1/regimes", json=terms(site))).json()["pending"]
        given = {"name": "sue", "password": PASSWORD}
        answer = await operator.post(f"/api/v1/regimes/{asked['id']}/approve", json=given)
        assert answer.json()["approved_by"] == "user:sue"
    [record] = [one for one in await site.journal.records(limit=100) if one.kind == "regime_opened"]
    assert (record.actor, record.facts["approved_with"]) == ("user:op", "password")


@pytest.mark.parametrize(
    "changes",
    [{"slip_types": ["9"]}, {"lane_kinds": []}, {"passages": 0}, {"reason": ""}, {"ends_at": "tomorrow"}, {"hours": 9}],
)
async def test_terms_that_the_rules_forbid_are_refused(site: Site, changes: dict[str, Any]) -> None:
    if "hours" in changes:
        changes = {"ends_at": (site.clock.now() + timedelta(hours=9)).isoformat()}
    async with two(site) as (operator, _):
        answer = await operator.post("/api/v1/regimes", json=terms(site, **changes))
    assert (answer.status_code, answer.json()["code"]) == (422, "input_invalid")


async def test_an_open_regime_and_its_count_survive_a_restart_and_its_end_is_recorded(tmp_path: Path) -> None:
    async with serve(tmp_path) as site, two(site) as (operator, supervisor):
        regime_id = await opened(site, operator, supervisor)
        await site.journal.write(used(site, regime_id, 1))
    async with serve(tmp_path) as site:
        regime = site.gate.duty.regime()
        assert (regime.id, regime.used) == (regime_id, 1)
        site.clock.offset += timedelta(hours=2)
        assert site.gate.duty.regime() is None
        for _ in range(600):
            if "regime_closed" in await kinds(site):
                break
            await site.clock.sleep(0.05)
        [record] = [one for one in await site.journal.records(limit=100) if one.kind == "regime_closed"]
        assert (record.actor, record.facts["reason"], record.facts["used"]) == ("service", "time", 1)
    assert verify_directory(tmp_path).findings == []


def used(site: Site, regime_id: str, number: int) -> Entry:
    """A release in the regime, as a lane writes it."""
    entry = decision(number)
    change = LedgerChange(LedgerKind.REGIME_USED, regime_id, passage_id(number), limit=2)
    return Entry(
        "command", site.clock.now(), "user:op", {"regime": regime_id}, entry.lane, entry.passage_id, entry.passage,
        (*entry.ledger, change),
    )  # fmt: skip


async def test_two_lanes_at_once_cannot_use_more_than_the_regime_allows(site: Site) -> None:
    async with two(site) as (operator, supervisor):
        regime_id = await opened(site, operator, supervisor)
    await site.journal.write(used(site, regime_id, 1))
    await site.journal.write(used(site, regime_id, 2))
    with pytest.raises(LedgerRefusedError, match="at most 2"):
        await site.journal.write(used(site, regime_id, 3))


# Afterwards ------------------------------------------------------------------------------------------------------


async def test_every_passage_of_a_regime_is_ticked_off_by_somebody_else_once(site: Site) -> None:
    async with two(site) as (operator, supervisor):
        regime_id = await opened(site, operator, supervisor)
        await site.journal.write(used(site, regime_id, 1))
        base = f"/api/v1/regimes/{regime_id}/passages"
        [one] = (await supervisor.get(base)).json()["passages"]
        assert (one["passage_id"], one["state"], one["ticked_by"]) == (passage_id(1), "released", None)
        assert (await operator.get("/api/v1/regimes")).json()["regimes"][0]["not_reconciled"] == 1
        tick = f"{base}/{passage_id(1)}/tick"
        assert (await operator.post(tick, json={"outcome": "confirmed"})).status_code == 403
        assert (await supervisor.post(tick, json={"outcome": "discrepancy"})).status_code == 422
        found = await supervisor.get(f"{base}/{passage_id(1)}")
        assert (found.json()["slips_now"], found.json()["source"]) == ([], "central")
        done = await supervisor.post(tick, json={"outcome": "discrepancy", "note": "slip is not known"})
        assert (done.json()["ticked_by"], done.json()["outcome"]) == ("user:sue", "discrepancy")
        assert (await supervisor.post(tick, json={"outcome": "confirmed"})).status_code == 409
        assert (await operator.get("/api/v1/regimes")).json()["regimes"][0]["not_reconciled"] == 0


def line(site: Site, **changes: Any) -> dict[str, Any]:
    typed = {
        "lane": "in-d1", "crossed_at": (site.clock.now() - timedelta(minutes=5)).isoformat(), "plate": "浙b12345",
        "slip_nos": ["Z9"], "released_by": "Li", "reason": "line cut", "paper_no": "7/3", "gross_kg": 30000,
    }  # fmt: skip
    return typed | changes


async def test_a_paper_entry_is_a_passage_with_both_times_and_is_typed_in_once(site: Site, tmp_path: Path) -> None:
    async with two(site) as (operator, supervisor):
        site.clock.offset += timedelta(minutes=10)
        body = line(site)
        typed = await operator.post("/api/v1/paper-entries", json=body)
        assert typed.status_code == 201, typed.text
        assert typed.json()["happened_at"] < typed.json()["typed_at"]
        assert (await operator.post("/api/v1/paper-entries", json=body)).status_code == 409
        [one] = (await supervisor.get("/api/v1/regimes/paper/passages")).json()["passages"]
        assert (one["state"], one["plate"], one["slips"], one["released_by"]) == (
            "paper",
            "浙B12345",
            ["Z9"],
            "paper:Li",
        )
    [record] = [one for one in await site.journal.records(limit=100) if one.kind == "paper_typed"]
    assert (record.actor, record.facts["happened_at"]) == ("user:op", body["crossed_at"])
    facts = await site.journal.ledger_facts(["Z9"], ["浙B12345"], passage_id="x")
    assert (facts.used, set(facts.inside_since)) == ({"Z9": 1}, {"浙B12345"})
    assert (await told(site, "slip.used"), await told(site, "passage.cleared")) == (1, 1)
    assert verify_directory(tmp_path).findings == []


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"lane": "nowhere"}, 404),
        ({"minutes": -1}, 422),
        ({"minutes": 60 * 24 * 8}, 422),
        ({"regime_id": "none"}, 404),
        ({"gross_kg": -1}, 422),
        ({"plate": ""}, 422),
    ],
)
async def test_a_paper_entry_that_cannot_be_is_refused(site: Site, changes: dict[str, Any], status: int) -> None:
    if "minutes" in changes:
        changes = {"crossed_at": (site.clock.now() - timedelta(minutes=changes["minutes"])).isoformat()}
    async with two(site) as (operator, _):
        answer = await operator.post("/api/v1/paper-entries", json=line(site, **changes))
    assert answer.status_code == status, answer.text
    assert "paper_typed" not in await kinds(site)


async def test_paper_of_a_regime_must_have_happened_in_it(site: Site) -> None:
    async with two(site) as (operator, supervisor):
        regime_id = await opened(site, operator, supervisor)
        before = await operator.post("/api/v1/paper-entries", json=line(site, regime_id=regime_id))
        assert before.status_code == 422
        site.clock.offset += timedelta(minutes=10)
        within = await operator.post("/api/v1/paper-entries", json=line(site, regime_id=regime_id))
        assert within.status_code == 201
        listed = (await operator.get(f"/api/v1/regimes/{regime_id}/passages")).json()["passages"]
        assert [one["state"] for one in listed] == ["paper"]
        assert (await operator.get("/api/v1/regimes")).json()["open"]["used"] == 0


# Shifts ----------------------------------------------------------------------------------------------------------


async def test_a_shift_is_handed_over_with_what_is_open_and_accepted_by_another(site: Site) -> None:
    await site.journal.write(Entry("motion_unexplained", site.clock.now(), "service", {"what": "test"}, lane="in-d1"))
    async with two(site) as (operator, supervisor):
        shift = (await operator.get("/api/v1/shift")).json()
        assert shift["shift"]["number"] == 1
        handed = await operator.post("/api/v1/shift/hand-over", json={"note": "mind lane 1"})
        assert handed.json()["shift"]["handed_by"] == "user:op"
        frozen = {matter["kind"] for matter in handed.json()["shift"]["matters"]}
        assert {"motion_unexplained", "vehicle_in_lane", "lane_needs_attention"} <= frozen
        own = await operator.post("/api/v1/shift/accept", json={})
        assert own.json()["code"] == "not_permitted"
        accepted = await supervisor.post("/api/v1/shift/accept", json={})
        assert (accepted.json()["shift"]["number"], accepted.json()["shift"]["begun_by"]) == (2, "user:sue")
        assert accepted.json()["earlier"][0]["note"] == "mind lane 1"
        log = (await supervisor.get("/api/v1/shifts/1/log")).json()["records"]
        assert [one["kind"] for one in log] == ["shift_begun", "motion_unexplained", "shift_handed_over"]
        assert (await supervisor.get("/api/v1/shifts/9/log")).status_code == 404


async def test_what_nobody_handed_over_a_supervisor_takes_over_with_a_word(site: Site) -> None:
    async with two(site) as (operator, supervisor):
        assert (await operator.post("/api/v1/shift/accept", json={"note": "he is gone"})).status_code == 403
        assert (await supervisor.post("/api/v1/shift/accept", json={})).status_code == 403
        taken = await supervisor.post("/api/v1/shift/accept", json={"note": "he fell ill"})
        assert taken.json()["shift"]["number"] == 2


async def test_overrides_are_counted_by_shift_and_again_after_a_restart(tmp_path: Path) -> None:
    async with serve(tmp_path) as site, two(site):
        entry = decision(1)
        change = LedgerChange(LedgerKind.OVERRIDE_USED, f"{site.gate.duty.shift()}/plate_mismatch", passage_id(1))
        await site.journal.write(
            Entry("command", entry.at, "user:op", {}, entry.lane, entry.passage_id, entry.passage, (change,))
        )
        site.gate.duty.released(["plate_mismatch"], None)
    async with serve(tmp_path) as site:
        assert site.gate.duty.overrides() == {"plate_mismatch": 1}
        site.clock.offset += timedelta(minutes=1)
        async with site.client() as sue:
            signed = await sue.post("/api/v1/session", json={"name": "sue", "password": PASSWORD})
            sue.headers["x-csrf-token"] = signed.json()["csrf_token"]
            await sue.post("/api/v1/shift/accept", json={"note": "next"})
        assert site.gate.duty.overrides() == {}


async def test_unexplained_motion_is_explained_once_and_a_raise_is_reviewed_by_a_supervisor(site: Site) -> None:
    now = site.clock.now()
    motion = await site.journal.write(Entry("motion_unexplained", now, "service", {"what": "test"}, lane="in-d1"))
    raised = await site.journal.write(Entry("emergency_raise", now, "user:sue", {"side": "exit"}, lane="in-d1"))
    async with two(site) as (operator, supervisor), site.signed_in("sam", Role.SUPERVISOR) as other:
        done = {"outcome": "tailgating", "note": "seen on camera"}
        assert (await operator.post(f"/api/v1/matters/{motion}/settle", json=done)).status_code == 200
        assert (await operator.post(f"/api/v1/matters/{motion}/settle", json=done)).status_code == 409
        review = {"outcome": "justified"}
        assert (await operator.post(f"/api/v1/matters/{raised}/settle", json=review)).status_code == 403
        assert (await supervisor.post(f"/api/v1/matters/{raised}/settle", json=review)).status_code == 403
        assert (await other.post(f"/api/v1/matters/{raised}/settle", json=review)).status_code == 200
        assert (await other.post("/api/v1/matters/1/settle", json=review)).status_code == 404
        matters = (await operator.get("/api/v1/shift")).json()["matters"]
        assert not {"motion_unexplained", "emergency_raise"} & {matter["kind"] for matter in matters}
