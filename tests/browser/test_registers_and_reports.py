"""Registers with the form, and reports, in real Chromium over the real desks: one story each."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from gate_service.domain.draws import commitment
from gate_service.domain.mass import Mass
from gate_service.domain.record import Entry, LedgerChange, LedgerKind
from tests.browser.conftest import Running, Visitor

pytestmark = pytest.mark.browser


def open_page(visitor: Visitor, name: str, path: str) -> Page:
    return visitor.come_in(name, path, ".lists")


def closed_passage(number: int, verdict: str, credit: str) -> dict[str, Any]:
    """A passage as the record keeps it, with what reports look at."""
    now = datetime.now(UTC).isoformat()
    slip = {"slip_no": f"Z{number}", "enterprise": {"customs_code": "3311660001", "name": "示例企业", "credit": credit},
            "goods": [{"hs_code": "8542319000"}]}  # fmt: skip
    return {
        "id": f"p{number}", "lane": "in-d1", "direction": "inbound", "state": "idle", "opened_at": now,
        "closed_at": now, "plate": f"浙B0000{number}", "verdict": verdict, "outcome": "crossed", "boom_up_at": now,
        "case": {"lane": {"kind": "declared"}, "slips": [slip], "known": {}},
        "assessment": {"checks": [{"reason_code": "spot_check", "verdict": "inspect"}]},
    }  # fmt: skip


def record(running: Running, *entries: Entry) -> None:
    for entry in entries:
        running.call(lambda entry=entry: running.gate.journal.write(entry))


def passed(number: int, verdict: str, credit: str, *ledger: LedgerChange) -> Entry:
    document = closed_passage(number, verdict, credit)
    facts = {"verdict": verdict}
    return Entry("decision", datetime.now(UTC), "service", facts, "in-d1", document["id"], document, ledger)


def test_registers_are_read_searched_and_changed_and_goods_are_registered_by_the_form(visitor, running):
    order = LedgerChange(LedgerKind.INSPECTION_ORDERED, "yard_inside", "p1", detail=json.dumps(["Z1"]))
    inside = LedgerChange(LedgerKind.VEHICLE_IN, "浙B00001", "p1", Mass.from_kg(15000))
    record(running, passed(1, "inspect", "advanced", order, inside))
    page = open_page(visitor, "sup", "/registers#goods")
    page.get_by_text("卡口登记（公告2023年第200号）").click()
    given = {"plate": "浙B12345", "tare_kg": "9000", "customs_code": "3311660001", "enterprise": "示例企业"}
    for name, text in {**given, "name-0": "打印纸", "quantity-0": "10", "unit-0": "箱"}.items():
        page.fill(f"input[name='{name}']", text)
    page.select_option("select[name=category]", "other")
    page.get_by_role("button", name="生成核放单").click()
    expect(page.get_by_role("alert")).to_contain_text("goods[1].gross_kg")
    expect(page.get_by_role("alert")).to_contain_text("goods[1].hs_code")
    page.fill("input[name='gross_kg-0']", "200")
    page.fill("input[name='hs_code-0']", "4802569100")
    page.get_by_role("button", name="生成核放单").click()
    expect(page.get_by_role("status")).to_contain_text("GK1I")
    expect(page.locator("tbody tr")).to_contain_text("9,200")
    page.get_by_role("searchbox").fill("浙B99")
    expect(page.get_by_text("无记录")).to_be_visible()
    page.get_by_role("searchbox").fill("浙b123")
    expect(page.locator("tbody tr")).to_have_count(1)
    assert visitor.violations() == []
    page.get_by_role("link", name="查验", exact=True).click()
    page.get_by_role("searchbox").fill("")
    page.get_by_role("button", name="录入结果").press("Enter")  # by keyboard alone
    page.select_option("select[name=found]", "1")
    page.fill("input[name=what]", "多装 2 箱")
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_contain_text("多装 2 箱")
    page.get_by_role("link", name="区内车辆").click()
    page.get_by_role("button", name="已离区").click()
    page.fill("input[name=reason]", "示例原因")
    page.keyboard.press("Enter")
    expect(page.get_by_text("无记录")).to_be_visible()
    page.get_by_role("link", name="服务车辆").click()
    page.fill("form input[name=plate]", "浙B00777")
    page.get_by_role("button", name="登记", exact=True).click()
    expect(page.locator("tbody tr")).to_contain_text("浙B00777")
    assert visitor.violations() == []
    assert [text for text in visitor.errors if "422" not in text] == []


def test_an_operator_reads_the_registers_and_changes_none(visitor, running):
    record(running, passed(1, "release", "advanced", LedgerChange(LedgerKind.VEHICLE_IN, "浙B00001", "p1")))
    page = open_page(visitor, "op", "/registers#inside")
    expect(page.locator("tbody tr")).to_contain_text("浙B00001")
    assert page.get_by_role("button", name="已离区").count() == 0
    assert page.locator("nav.pages a[href='/reports']").count() == 0


def test_the_report_shows_what_was_stopped_inspected_and_found_and_gives_it_as_csv(visitors, running):
    order = LedgerChange(LedgerKind.INSPECTION_ORDERED, "yard_inside", "p2", detail=json.dumps(["Z2"]))
    hit = LedgerChange(LedgerKind.INSPECTION_DONE, "found", "p2", detail=json.dumps(["user:x", "示例"]))
    record(
        running,
        passed(1, "release", "advanced"),
        passed(2, "inspect", "registered", order),
    )
    record(running, Entry("inspection_done", datetime.now(UTC), "user:x", {}, ledger=(hit,)))
    visitor = visitors("en")
    page = open_page(visitor, "aud", "/reports")
    risk = page.get_by_role("region", name="Interceptions, inspections, hits").last
    expect(risk.locator("tbody tr").first).to_contain_text("示例企业")
    assert risk.locator("tbody tr").last.locator("td").all_inner_texts()[2:] == ["2", "1", "1", "1", "1"]
    page.get_by_label("Grouped").select_option("credit")
    expect(risk.locator("tbody tr")).to_have_count(3)
    flow = page.get_by_role("region", name="Flow").last
    assert flow.locator("tbody tr").last.locator("td").all_inner_texts() == ["Total", "–", "2", "50", "0"]
    running.run(running.gate.reports._secrets.keep())
    page.reload()
    found = running.run(running.gate.reports.draws())["days"][0]
    expect(page.get_by_role("region", name="Draws").last).to_contain_text(found["sha256"])
    assert len(found["sha256"]) == len(commitment(b""))
    assert "secret" not in found
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV Flow").click()
    assert "median_to_boom_s" in download.value.path().read_text(encoding="utf-8-sig")
    assert visitor.violations() == []
    assert visitor.errors == []


def test_the_display_before_the_lanes_says_where_to_go(visitor, running):
    page = visitor.come_in("op", "/point/pre-1", "main")
    expect(page.get_by_role("heading")).to_contain_text("请出示核放单")
    assert page.get_attribute("main", "data-sign") == "stop"
    shown = {"point": "pre-1", "lane": "in-d1", "driver": {"zh": "请走：进区报关 1", "en": "Take: Inbound declared 1"}}
    running.gate.point = lambda _: shown
    expect(page.get_by_role("heading")).to_contain_text("请走：进区报关 1")
    assert page.get_attribute("main", "data-sign") == "go"
    assert visitor.violations() == []
    assert visitor.errors == []
