"""What the site keeps around the judging, over real processes: routing before the lane, slips assessed before their
truck, one declaration over many trucks and a kill, gate-registered goods by the form, draws, inspections, reports.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from devices.simulator.demo.slips import slip_for
from gate_service.domain.draws import commitment
from tests.fakes.site import OPERATOR, SUPERVISOR, Site, Truck

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

DECLARATION = "331120261000000777"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def site(tmp_path_factory):
    async with Site(tmp_path_factory.mktemp("around"), lanes=2) as site:
        await site.until("in-d1", "idle")
        await site.until("in-d2", "idle")
        yield site
        judged = await site.judged()
        assert judged["violations"] == 0, judged["details"]
        await site.stop_service()
        await site.verify()


async def post(site: Site, path: str, body: dict[str, Any], by: str = SUPERVISOR, status: int = 200) -> dict[str, Any]:
    answer = await site._people[by].post(path, json=body)
    assert answer.status_code == status, f"{path}: {answer.status_code} {answer.text}"
    return dict(answer.json())


async def rows(site: Site, register: str, q: str = "") -> list[dict[str, Any]]:
    return list((await site.get(f"/api/v1/registers/{register}", q=q))["rows"])


def slip_of(truck: Truck, **changes: Any) -> dict[str, Any]:
    return {**slip_for(truck.load, datetime.now(UTC)), **changes}


async def told(site: Site, kind: str, holds: Any = lambda _: True) -> dict[str, Any]:
    """The first event of this kind at the centre of which `holds` is true; waits for it."""

    async def ask() -> dict[str, Any] | None:
        events = [event for event in await site.received() if event["type"] == kind]
        return next((event for event in events if holds(event["data"])), None)

    return dict(await site.eventually(ask, bool))


async def test_a_bare_scan_or_plate_before_the_lanes_is_told_its_lane_and_the_display_shows_it(site):
    truck = site.new_truck()
    await site.tell_centre(truck)
    await site.in_the_copy(truck)
    answer = await post(site, "/api/v1/routing", {"scan": truck.slip_no, "point": "pre-1"}, OPERATOR)
    assert (answer["lane"], answer["problem"], answer["slips"]) == ("in-d1", None, [truck.slip_no])
    assert answer["driver"] == {"zh": "请走：进区报关 1", "en": "Take: Inbound declared 1"}
    assert (await site.get("/api/v1/points/pre-1"))["driver"] == answer["driver"]
    assert (await post(site, "/api/v1/routing", {"plate": truck.plate}, OPERATOR))["lane"] == "in-d1"
    # somebody stands in the first lane: the detectors say so, and the next one is sent to the other
    standing = await site.send("in-d1", is_scanning=False)
    await site.until("in-d1", lambda lane: lane["passage"] is not None)
    answer = await post(site, "/api/v1/routing", {"plate": truck.plate}, OPERATOR)
    assert (answer["lane"], answer["queue"]) == ("in-d2", 0)
    await site.scan(standing)
    await site.until("in-d1", lambda lane: lane["passage"] is None)
    unknown = await post(site, "/api/v1/routing", {"plate": "浙B99999"}, OPERATOR)
    assert (unknown["lane"], unknown["problem"]) == (None, "not_registered")
    assert (await post(site, "/api/v1/routing", {"scan": "Z404"}, OPERATOR))["problem"] == "slip_unknown"
    wrong = await site._people[OPERATOR].post("/api/v1/routing", json={"plate": " ", "direction": "up"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "input_invalid")


async def test_what_would_stop_a_slip_is_told_once_per_version_and_listed_until_it_is_mended(site):
    truck = site.new_truck()
    document = {**slip_of(truck)["documents"][0], "state": "submitted"}
    await site.load([{"kind": "slip", "version": 5, "slip": slip_of(truck, version=5, documents=[document])}])
    event = await told(site, "slip.preassessed", lambda data: data["slip_no"] == truck.slip_no)
    assert (event["data"]["version"], event["data"]["verdict"]) == (5, "review")
    assert [check["reason_code"] for check in event["data"]["checks"]] == ["document_not_released"]
    (row,) = await rows(site, "preassessed", truck.slip_no)
    assert row["checks"][0]["text"]["zh"].startswith("随附单证未放行") or row["checks"][0]["text"]["zh"]
    await site.load([{"kind": "slip", "version": 6, "slip": slip_of(truck, version=6)}])
    mended = await told(site, "slip.preassessed", lambda d: d["slip_no"] == truck.slip_no and d["version"] == 6)
    assert (mended["data"]["verdict"], mended["data"]["checks"]) == ("release", [])
    assert await rows(site, "preassessed", truck.slip_no) == []
    held = site.new_truck()
    police = [{"kind": "police", "id": "H1", "reason": "示例", "placed_by": "police"}]
    await site.load([{"kind": "slip", "version": 1, "slip": slip_of(held, holds=police)}])
    await site.in_the_copy(held)
    await site.eventually(lambda: _judged(site, held.slip_no), bool)
    assert not [e for e in await site.received() if e["data"].get("slip_no") == held.slip_no]
    assert await rows(site, "preassessed", held.slip_no) == []


async def _judged(site: Site, slip_no: str) -> bool:
    return bool(site.rows("SELECT 1 FROM preassessments WHERE slip_no = ?", slip_no))


async def _state_of(site: Site, slip_no: str) -> str | None:
    return next((row[0] for row in site.rows("SELECT state FROM slip_uses WHERE slip_no = ?", slip_no)), None)


async def one_declaration_over_many_trucks_counts_each_once_through_two_lanes_and_a_kill(site):
    """Three trucks of 6 t against 12 t: two pass, also through a kill in between, the third is one too many."""
    total = {"number": DECLARATION, "trucks": "many", "total_gross_kg": 12000, "total_quantity": 100}
    await site.load(
        [{"kind": "declaration", "version": 1, "declaration": {**total, "passed_gross_kg": 0, "closed": False}}]
    )
    trucks = [site.new_truck(lane) for lane in ("in-d1", "in-d2", "in-d1")]
    for truck in trucks:
        slip = slip_of(truck)
        documents = [{**slip["documents"][0], "declaration_no": DECLARATION}]
        goods = [{**slip["goods"][0], "quantity": 50}]
        await site.load(
            [{"kind": "slip", "version": 1, "slip": {**slip, "bind": "3", "documents": documents, "goods": goods}}]
        )
    await site.in_the_copy(*trucks)
    await asyncio.gather(*(site.come(truck) for truck in trucks[:2]))
    for truck in trucks[:2]:
        await site.eventually(lambda number=truck.slip_no: _state_of(site, number), lambda state: state == "used")
    (progress,) = await rows(site, "declarations", DECLARATION)
    assert (progress["here"]["trucks"], progress["here"]["gross_kg"], progress["here"]["quantity"]) == (2, 12000, 100)
    assert (progress["passed_gross_kg"], progress["remaining_kg"], progress["state"]) == (12000, 0, "complete")
    for lane in ("in-d1", "in-d2"):  # used is not yet gone: a boom that is up at the restart is a person's
        await site.until(lane, "idle")
    site.kill_service()
    await site.restart_service()
    await site.until("in-d1", "idle")
    (again,) = await rows(site, "declarations", DECLARATION)
    assert again["here"] == progress["here"]
    await site.come(trucks[2])
    lane = await site.until("in-d1", "review")
    assert "declaration_exceeded" in [check["reason_code"] for check in lane["passage"]["checks"]]
    await site.command("in-d1", "turn_back")
    await site.until("in-d1", "idle")
    (after,) = await rows(site, "declarations", DECLARATION)
    assert after["here"]["trucks"] == 2


async def goods_by_the_form_get_a_number_and_pass_like_any_other_and_draws_are_kept_without_their_secret(site):
    truck = replace(site.new_truck(), lane="in-d1")
    form = {
        "direction": "inbound", "plate": truck.plate, "category": "office", "customs_code": "3311660001",
        "enterprise": "示例企业", "tare_kg": 9000,
        "goods": [{"name": "打印纸", "quantity": 100, "unit": "箱", "gross_kg": 6000}],
    }  # fmt: skip
    wanting = await post(site, "/api/v1/registers/goods", {**form, "category": "other"}, OPERATOR, 422)
    assert "goods[1].hs_code" in wanting["detail"]
    slip = (await post(site, "/api/v1/registers/goods", form, OPERATOR, 201))["slip"]
    assert slip["slip_no"].startswith("GK1I")
    assert (await told(site, "slip.registered"))["data"]["slip"]["slip_no"] == slip["slip_no"]
    await site.come(truck, is_scanning=False)
    await site.until("in-d1", lambda lane: lane["passage"] is not None and lane["passage"]["plate"] == truck.plate)
    headers = {"authorization": f"Bearer {site.accounts.tokens['in-d1']}"}
    url = f"{site.base_url}/api/v1/lanes/in-d1/scan"
    (await site._outside.post(url, json={"code": slip["slip_no"]}, headers=headers)).raise_for_status()
    # credit is unknown: it counts as dishonest, whose rate is 1: drawn
    lane = await site.until("in-d1", "review")
    assert lane["passage"]["verdict"] == "inspect", lane["passage"]["checks"]
    assert [c["reason_code"] for c in lane["passage"]["checks"] if c["verdict"] != "release"] == ["spot_check"]
    whole = await site.get(f"/api/v1/passages/{lane['passage']['id']}")
    assert whole["document"]["case"]["secret"] is None
    assert whole["document"]["case"]["draws"] == {f"spot:{slip['slip_no']}": True}
    (made,) = [json.loads(row[0]) for row in site.rows("SELECT facts FROM records WHERE kind = 'draws_made'")]
    (kept,) = [json.loads(row[0]) for row in site.rows("SELECT facts FROM records WHERE kind = 'day_secret_committed'")]
    assert made["sha256"] == kept["sha256"] == commitment(bytes.fromhex(site.folder.read("draws.secret")))
    assert made["draws"] == [[f"spot:{slip['slip_no']}", "1/1", True]]
    assert (await told(site, "spot_check.committed"))["data"]["sha256"] == kept["sha256"]
    # sent to be inspected at its premises: it goes on, and the order waits for its result
    await site.command("in-d1", "inspect", place="at_premises")
    await site.until("in-d1", "idle")
    (order,) = await rows(site, "inspections", slip["slip_no"])
    assert (order["place"], order["found"], order["reasons"]) == ("at_premises", None, ["spot_check"])
    result = f"/api/v1/registers/inspections/{order['passage_id']}/result"
    assert (await post(site, result, {"found": True}, OPERATOR, 422))["code"] == "input_invalid"
    await post(site, result, {"found": True, "what": "多装 2 箱"}, OPERATOR)
    assert (await post(site, result, {"found": False}, OPERATOR, 404))["code"] == "not_found"
    (done,) = await rows(site, "inspections", slip["slip_no"])
    assert (done["found"], done["result"], done["done_by"]) == (True, "多装 2 箱", f"user:{OPERATOR}")
    assert [row["state"] for row in await rows(site, "goods", slip["slip_no"])] == ["used"]


async def test_declarations_goods_by_the_form_and_the_report_over_what_became_of_them(site):
    await one_declaration_over_many_trucks_counts_each_once_through_two_lanes_and_a_kill(site)
    await goods_by_the_form_get_a_number_and_pass_like_any_other_and_draws_are_kept_without_their_secret(site)
    await the_report_keeps_interceptions_inspections_and_hits_apart(site)


async def the_report_keeps_interceptions_inspections_and_hits_apart(site):
    supervisor = site._people[SUPERVISOR]
    found = (await supervisor.get("/api/v1/reports/risk", params={"by": "credit"})).raise_for_status().json()
    by_credit = {row["key"]: row for row in found["rows"]}
    assert by_credit["unknown"] | {"name": ""} == {
        "key": "unknown", "name": "", "passages": 1, "interceptions": 1, "inspections": 1, "results": 1, "hits": 1,
    }  # fmt: skip
    assert (found["total"]["hits"], found["total"]["inspections"]) == (1, 1)
    assert found["total"]["interceptions"] == 2  # the truck too many as well
    flow = (await supervisor.get("/api/v1/reports/flow")).raise_for_status().json()
    (row,) = flow["rows"]
    assert (row["kind"], row["direction"]) == ("declared", "inbound")
    assert row["without_interception"] == row["passages"] - 2
    assert 0 < row["median_to_boom_s"] < 60
    text = (await supervisor.get("/api/v1/reports/risk.csv", params={"by": "enterprise"})).text
    assert text.splitlines()[0].endswith("key,name,passages,interceptions,inspections,results,hits")
    refused = await site._people[OPERATOR].get("/api/v1/reports/risk")
    assert (refused.status_code, refused.json()["code"]) == (403, "access_denied")
    assert (await supervisor.get("/api/v1/reports/draws")).json()["days"][0]["is_revealed"] is False
