"""Corrections, holds and tables over HTTP: shapes, rights, repeats."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gate_service.domain.commands import Role, Scope
from tests.fakes.web_site import Site, serve

HOLD = {"target": {"type": "unit", "id": "W3"}, "reason": "泄漏"}
LINE = {"storage_unit": "W3", "un_no": "1090", "name": "丙酮", "class": "3", "cas": "67-64-1", "change_kg": 12.125}
CORRECTION = {
    "kind": "opening_stock",
    "enterprise": {"customs_code": "3311660001", "name": "示例"},
    "lines": [LINE],
    "reason": "盘点",
}


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with serve(tmp_path) as running:
        yield running


async def test_opening_stock_is_taken_in_grams_with_who_said_so(site: Site) -> None:
    async with site.signed_in("duty", Role.AUTHORITY) as client:
        answer = await client.post("/api/v1/hazmat/corrections", json=CORRECTION)
    assert answer.status_code == 201
    [(correction, actor)] = site.gate.corrections
    assert (correction.lines[0][1].grams, correction.reason, actor.label) == (12_125, "盘点", "user:duty")
    assert correction.lines[0][0]["class"] == "3"


@pytest.mark.parametrize(
    "change",
    [
        {"change_kg": 0},
        {"change_kg": -1},
        {"change_kg": 0.0001},
        {"change_kg": True},
        {"change_kg": "NaN"},
        {"un_no": "UN1090"},
        {"class": ""},
        {"cas": "67-64-2"},
        {"storage_unit": ""},
    ],
)
async def test_a_correction_that_cannot_be_meant_is_a_422_and_changes_nothing(
    site: Site, change: dict[str, Any]
) -> None:
    async with site.signed_in("duty", Role.AUTHORITY) as client:
        answer = await client.post("/api/v1/hazmat/corrections", json={**CORRECTION, "lines": [{**LINE, **change}]})
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert site.gate.corrections == []


async def test_a_repeat_with_the_same_key_is_answered_and_not_done_again(site: Site) -> None:
    async with site.signed_in("duty", Role.AUTHORITY) as client:
        for address, body in (("corrections", CORRECTION), ("holds", HOLD)):
            headers = {"idempotency-key": f"k-{address}"}
            first = await client.post(f"/api/v1/hazmat/{address}", json=body, headers=headers)
            again = await client.post(f"/api/v1/hazmat/{address}", json=body, headers=headers)
            assert (first.status_code, again.status_code, first.json()) == (201, 201, again.json())
            other = await client.post(f"/api/v1/hazmat/{address}", json={**body, "reason": "another"}, headers=headers)
            assert other.json()["code"] == "idempotency_key_invalid"
    assert len(site.gate.corrections) == len(site.gate.holds) == 1


async def test_a_hold_is_placed_seen_by_the_lanes_people_and_lifted(site: Site) -> None:
    async with site.signed_in("duty", Role.AUTHORITY) as duty, site.signed_in("op", Role.OPERATOR) as operator:
        hold = (await duty.post("/api/v1/hazmat/holds", json=HOLD)).json()
        seen = (await operator.get("/api/v1/hazmat/holds")).json()["holds"]
        assert [(one["id"], one["reason"]) for one in seen] == [(hold["id"], "泄漏")]
        assert (await operator.post("/api/v1/hazmat/holds", json=HOLD)).status_code == 403
        lifted = await duty.post(f"/api/v1/hazmat/holds/{hold['id']}/lift", json={"reason": "处置完毕"})
        assert lifted.json()["lift_reason"] == "处置完毕"
        assert (await duty.post("/api/v1/hazmat/holds/none/lift", json={"reason": "x"})).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {**HOLD, "reason": ""},
        {**HOLD, "target": {"type": "zone", "id": "W3"}},
        {**HOLD, "target": {"type": "unit", "id": ""}},
        {**HOLD, "target": {"type": "unit", "id": 3}},
    ],
)
async def test_a_hold_that_names_nothing_is_refused(site: Site, body: dict[str, Any]) -> None:
    async with site.signed_in("duty", Role.AUTHORITY) as client:
        answer = await client.post("/api/v1/hazmat/holds", json=body)
    assert 400 <= answer.status_code < 500
    assert site.gate.holds == {}


async def test_a_program_of_the_authority_places_holds_with_a_token_of_its_own_scope(site: Site) -> None:
    async with await site.with_token("authority", Scope.HOLDS) as client:
        assert (await client.post("/api/v1/hazmat/holds", json=HOLD)).status_code == 201
        assert (await client.get("/api/v1/hazmat/inventory")).status_code == 403
    async with await site.with_token("reading", Scope.HAZMAT) as client:
        assert (await client.post("/api/v1/hazmat/holds", json=HOLD)).status_code == 403


async def test_tables_have_one_row_per_line_and_run_nothing(site: Site) -> None:
    site.gate.hazmat_events.extend(
        {
            "id": f"e{number}", "type": "hazmat.entered", "time": "2026-11-22T08:00:00Z", "subject": "p1",
            "data": {"slip_no": "=cmd()", "lines": [{"un_no": "1090", "net_kg": -1.5, "subsidiary": ["6.1", "8"]}] * 2},
        }
        for number in range(3)
    )  # fmt: skip
    async with site.signed_in("duty", Role.AUTHORITY) as client:
        answer = await client.get("/api/v1/hazmat/entries.csv")
    lines = answer.text.splitlines()
    assert (answer.headers["content-type"], len(lines)) == ("text/csv; charset=utf-8", 7)
    assert lines[0].startswith("\ufefftime,type,id")
    assert "'=cmd()" in lines[1]
    assert ",-1.5," in lines[1]
