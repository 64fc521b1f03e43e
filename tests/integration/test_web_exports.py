"""Workbooks over HTTP: begun, asked for, fetched, read by a program others wrote; nobody else's, none for ever."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest

from gate_service.domain.commands import Role
from gate_service.web import exports
from tests.browser.test_authority_page import entry
from tests.fakes.web_site import Site, serve


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with serve(tmp_path) as running:
        running.gate.hazmat_events += [entry(n, "entered", "W3", ("acetone", 10 * n)) for n in range(1, 1201)]
        running.gate.hazmat_events[0]["data"]["vehicle"]["plate"] = "=HYPERLINK(1)"
        yield running


async def done(client: httpx.AsyncClient, what: str) -> dict[str, Any]:
    begun = await client.post("/api/v1/hazmat/exports", json={"what": what})
    assert begun.status_code == 202, begun.text
    for _ in range(1500):
        asked = (await client.get(f"/api/v1/hazmat/exports/{begun.json()['id']}")).json()
        if asked["state"] != "running":
            return asked
        await asyncio.sleep(0.02)
    raise AssertionError(asked)


async def test_every_line_of_every_event_stands_in_the_workbook_as_it_was(site: Site) -> None:
    async with site.signed_in("duty", Role.AUTHORITY) as client:
        asked = await done(client, "entries")
        assert (asked["state"], asked["rows"], asked["error"]) == ("done", 1200, None)
        answer = await client.get(f"/api/v1/hazmat/exports/{asked['id']}/file")
    assert answer.headers["content-type"] == exports.XLSX
    assert 'filename="entries.xlsx"' in answer.headers["content-disposition"]
    rows = list(openpyxl.load_workbook(io.BytesIO(answer.content), read_only=True).active.iter_rows(values_only=True))
    assert len(rows) == 1201
    first = dict(zip(rows[0], rows[1], strict=True))
    assert (first["un_no"], first["name"], first["net_kg"], first["plate"]) == ("1090", "丙酮", 10, "=HYPERLINK(1)")
    cell = openpyxl.load_workbook(io.BytesIO(answer.content)).active.cell(2, rows[0].index("plate") + 1)
    assert cell.data_type == "s"  # text, not a formula


async def test_an_empty_inventory_is_a_workbook_with_its_head(site: Site) -> None:
    async with site.signed_in("duty", Role.AUTHORITY) as client:
        asked = await done(client, "inventory")
        answer = await client.get(f"/api/v1/hazmat/exports/{asked['id']}/file")
    [head] = openpyxl.load_workbook(io.BytesIO(answer.content)).active.iter_rows(values_only=True)
    assert head[:2] == ("storage_unit", "customs_code")


async def test_a_full_sheet_is_followed_by_another(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "ROWS_A_SHEET", 500)
    async with site.signed_in("duty", Role.AUTHORITY) as client:
        asked = await done(client, "entries")
        answer = await client.get(f"/api/v1/hazmat/exports/{asked['id']}/file")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    assert [sheet.max_row for sheet in book.worksheets] == [501, 501, 201]


async def test_nobody_else_gets_it_and_after_ten_minutes_nobody(site: Site) -> None:
    async with site.signed_in("duty", Role.AUTHORITY) as client:
        asked = await done(client, "inventory")
        address = f"/api/v1/hazmat/exports/{asked['id']}"
        async with site.signed_in("sue", Role.SUPERVISOR) as other:
            assert [(await other.get(path)).status_code for path in (address, f"{address}/file")] == [404, 404]
        assert (await client.get(address)).status_code == 200
        path = site.app.state.web.exports.of(asked["id"], "user:duty").path
        site.clock.offset += timedelta(seconds=exports.KEPT_S + 1)
        assert (await client.get(address)).status_code == 404
        assert not path.exists()


async def test_only_so_many_at_once_and_a_failure_is_told(site: Site) -> None:
    held = asyncio.Event()

    async def slow(after: str | None, limit: int) -> dict[str, Any]:
        await held.wait()
        raise OSError("disk full")

    site.gate.hazmat_entries = slow  # type: ignore[method-assign]
    async with site.signed_in("duty", Role.AUTHORITY) as client:
        begun = [await client.post("/api/v1/hazmat/exports", json={"what": "entries"}) for _ in range(5)]
        assert [answer.status_code for answer in begun] == [202, 202, 202, 202, 409]
        address = f"/api/v1/hazmat/exports/{begun[0].json()['id']}"
        assert (await client.get(f"{address}/file")).status_code == 409
        held.set()
        for _ in range(1500):
            asked = (await client.get(address)).json()
            if asked["state"] == "failed":
                break
            await asyncio.sleep(0.02)
        assert (asked["state"], asked["error"]) == ("failed", "disk full")


@pytest.mark.parametrize("body", [{}, {"what": "all"}, {"what": None}, []])
async def test_what_cannot_be_meant_is_a_422(site: Site, body: object) -> None:
    async with site.signed_in("duty", Role.AUTHORITY) as client:
        assert (await client.post("/api/v1/hazmat/exports", json=body)).status_code == 422
