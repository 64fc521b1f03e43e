"""A duty officer's night: the line to the centre is down and unit W3 burns."""

from __future__ import annotations

import csv
import io
import re
import zlib
from typing import Any

import openpyxl
import pytest
from playwright.sync_api import Page, expect

from gate_service.domain.commands import Role
from gate_service.domain.inventory import ExposedPeople, Stock, inventory
from lanes.policy.stock_tables import stock_tables
from tests.browser.conftest import Running, Visitor
from tests.fakes.web_gate import FakeGate, iso
from tests.fakes.web_site import PASSWORD

pytestmark = pytest.mark.browser

LINES = {
    "acetone": {"un_no": "1090", "name": "丙酮", "cas": "67-64-1", "class": "3", "packing_group": "II"},
    "chlorine": {"un_no": "1017", "name": "氯", "cas": "7782-50-5", "class": "2.3", "subsidiary": ["5.1", "8"]},
    "cotton": {"un_no": "2555", "name": "硝化棉", "cas": "9004-70-0", "class": "4.1", "packing_group": "II"},
}
ZONE = {
    "units": [
        {
            "id": "W3",
            "name": {"zh": "三号危化品库", "en": "Store 3"},
            "exposed_people": 40,
            "plan": [100, 100, 300, 300],
        },
        {"id": "W7", "name": None, "exposed_people": None, "plan": [500, 400, 300, 300]},
    ],
    "enterprises": [],
}


def entry(number: int, kind: str, unit: str, *lines: tuple[str, float | None]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"event-{number}",
        "type": f"hazmat.{kind}",
        "subject": f"passage-{number}",
        "time": iso(600 - number),
        "data": {
            "lane": "in-d1",
            "slip_no": f"Z{number:04}",
            "vehicle": {"plate": f"浙B{number:05}"},
            "enterprise": {"customs_code": "3311660001", "name": "示例化工"},
            "driver": {"name": "示例司机"},
            "tables_edition": "ADR 2025",
            "lines": [
                {
                    **LINES[name],
                    "net_kg": net_kg,
                    "storage_unit": unit,
                    "emergency_phone": "000-1234-5678",
                    "sds": "https://sds.example/1",
                }
                for name, net_kg in lines
            ],
        },
    }


def fill(gate: FakeGate, *entries: dict[str, Any]) -> None:
    """The site's own copy: events, and the stock as the service works it out of them."""
    gate.hazmat_events.extend(entries)
    stock = Stock()
    for one in gate.hazmat_events:
        stock.take({**one, "at": one["time"]})
    exposed = ExposedPeople({unit["id"]: unit["exposed_people"] for unit in ZONE["units"]})
    gate.stock = {"as_of": iso(), "zone": ZONE, **inventory(stock, stock_tables(), exposed)}


@pytest.fixture
def filled(gate: FakeGate, running: Running) -> Running:
    running.run(running.site.accounts.add_user("duty", Role.AUTHORITY, PASSWORD, "service"))
    running.run(running.site.accounts.add_user("auditing", Role.AUDITOR, PASSWORD, "service"))
    fill(
        gate,
        entry(1, "entered", "W3", ("acetone", 30_000), ("chlorine", 4_200)),
        entry(2, "entered", "W3", ("cotton", 800)),
        entry(3, "exited", "W7", ("acetone", 500)),
    )
    return running


def open_page(visitor: Visitor, name: str = "duty") -> Page:
    return visitor.come_in(name, "/authority", "[data-unit=W3]")


def sign_in(visitor: Visitor, name: str = "duty") -> Page:
    """Through the page that somebody is led to."""
    page = visitor.page
    page.goto(f"{visitor.url}/authority")
    page.fill("input[name=name]", name)
    page.fill("input[name=password]", PASSWORD)
    page.click("button.confirm")
    page.wait_for_selector("[data-unit=W3]")
    return page


def pages_of(pdf: bytes) -> int:
    """Leaf pages of a PDF, also where its objects are packed into streams."""
    text = pdf
    for packed in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        try:
            text += zlib.decompress(packed)
        except zlib.error:
            continue
    return len(re.findall(rb"/Type\s*/Page\b", text))


def test_unit_w3_burns_while_the_line_to_the_centre_is_down(visitor: Visitor, filled: Running) -> None:
    page = sign_in(visitor)
    assert page.url.endswith("/authority")
    unit = page.locator("[data-unit=W3]")
    expect(unit).to_contain_text("三号危化品库")
    expect(unit).to_contain_text("预警")  # S = 30/500 + 4.2/5 = 0.9
    expect(unit).to_contain_text("S 0.9")
    expect(unit).to_contain_text("R 4.104")  # 1.2 · (1 · 0.06 + 4 · 0.84)
    expect(unit).to_contain_text("UN 1017")
    expect(unit).to_contain_text("30,000 kg")
    unit.locator("summary").click()
    expect(unit).to_contain_text("表 1（CAS）")
    expect(unit).to_contain_text("同一 CAS 号在表 1 有多行")
    expect(page.locator("[data-unit=W7]")).to_contain_text("未核销")
    expect(page.locator("[data-unit=W7]")).to_contain_text("-500 kg")

    unit.get_by_role("link", name="应急单").click()
    sheet = page.locator(".sheet")
    for text in ("W3", "UN 1017", "UN 1090", "000-1234-5678", "https://sds.example/1", "2.3", "毒性气体", "4,200 kg"):
        expect(sheet).to_contain_text(text)
    pdf = page.pdf(prefer_css_page_size=True)
    assert pages_of(pdf) == 1
    page.get_by_role("link", name="返回总览").click()

    page.select_option(".place-hold select[name=type]", "unit")
    page.fill(".place-hold input[name=id]", "W3")
    page.fill(".place-hold input[name=reason]", "三号库起火，停止进出")
    page.get_by_role("button", name="下达布控").click()
    expect(page.get_by_role("status").filter(has_text="卡口立即执行")).to_be_visible()
    expect(page.locator(".holds li.standing")).to_contain_text("三号库起火")
    expect(unit).to_contain_text("安全布控")
    (hold,) = filled.gate.holds.values()
    assert (hold["target"], hold["placed_by"]) == ({"type": "unit", "id": "W3"}, "user:duty")
    page.locator(".holds li.standing").get_by_role("button", name="解除").click()
    page.fill(".holds li input[name=reason]", "明火已扑灭")
    page.locator(".holds li form button").click()
    expect(page.locator(".holds li.lifted")).to_contain_text("明火已扑灭")
    assert visitor.errors == []


def test_a_passage_prints_on_one_page_too(visitor: Visitor, filled: Running) -> None:
    page = open_page(visitor)
    page.locator("[data-entry=event-1]").get_by_role("link").click()
    expect(page.locator(".sheet")).to_contain_text("浙B00001")
    expect(page.locator(".sheet")).to_contain_text("Z0001")
    assert pages_of(page.pdf(prefer_css_page_size=True)) == 1


def test_a_full_unit_prints_on_one_page(visitor: Visitor, filled: Running) -> None:
    """Forty substances: set smaller, still one page. The board itself takes more: the count can fail."""
    many = entry(6, "entered", "W9", ("acetone", 10.0))
    line = many["data"]["lines"][0]
    many["data"]["lines"] = [{**line, "un_no": str(1000 + number), "cas": ""} for number in range(40)]
    fill(filled.gate, many)
    page = open_page(visitor)
    assert pages_of(page.pdf(prefer_css_page_size=True)) > 1
    page.locator("[data-unit=W9] a.button").click()
    expect(page.locator(".sheet tbody tr")).to_have_count(40)
    assert pages_of(page.pdf(prefer_css_page_size=True)) == 1


def test_an_entry_appears_as_it_happens_and_the_stock_with_it(visitor: Visitor, filled: Running) -> None:
    page = open_page(visitor)
    expect(page.locator(".entries [data-entry]")).to_have_count(3)
    filled.loop.call_soon_threadsafe(lambda: fill(filled.gate, entry(4, "entered", "W3", ("chlorine", 1_000))))
    expect(page.locator(".entries [data-entry]").first).to_contain_text("浙B00004")
    expect(page.locator("[data-unit=W3]")).to_contain_text("报警")
    page.get_by_role("button", name="按企业").click()
    expect(page.locator("[data-enterprise='3311660001']")).to_contain_text("示例化工")
    page.get_by_role("button", name="按类别").click()
    expect(page.locator("[data-class='2.3']")).to_contain_text("5,200 kg")
    assert visitor.errors == []


def test_a_hold_that_somebody_else_placed_appears_by_itself(visitor: Visitor, filled: Running) -> None:
    visitor.page.clock.install()
    page = open_page(visitor)
    expect(page.locator(".holds li")).to_have_count(0)
    filled.run(filled.gate.place_hazmat_hold({"type": "unit", "id": "W3"}, "why", _duty()))
    visitor.pass_ms(5000)
    expect(page.locator(".holds li.standing")).to_contain_text("why")


def test_what_a_unit_held_over_time_stands_in_a_chart_and_in_a_table(visitor: Visitor, filled: Running) -> None:
    points = [{"at": iso(3600 * n), "s": s, "s_highest": s + 0.2} for n, s in ((9, 0.0), (5, 0.5), (1, 0.9))]
    filled.gate.history = [{"storage_unit": "W3", "step": "hour", "points": points}]
    page = open_page(visitor)
    chart = page.locator(".history .chart")
    expect(chart).to_have_attribute("aria-label", "单元 W3 的 S：现 0.9，最高 1.1")
    expect(chart.locator("canvas")).to_be_visible()
    page.locator(".history summary").click()
    expect(page.locator(".history tbody tr")).to_have_count(3)
    expect(page.locator(".history tbody tr").last).to_contain_text("1.1")
    page.get_by_role("button", name="30 天").click()
    expect(page.get_by_role("button", name="30 天")).to_have_attribute("aria-pressed", "true")
    assert visitor.errors == []


def test_a_workbook_is_made_with_its_progress_and_fetched(visitor: Visitor, filled: Running) -> None:
    page = open_page(visitor)
    page.get_by_role("button", name="进出记录 XLSX").click()
    expect(page.get_by_role("status").filter(has_text="共 4 行")).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("link", name="保存文件").click()
    rows = list(openpyxl.load_workbook(io.BytesIO(saved.value.path().read_bytes())).active.iter_rows(values_only=True))
    assert (saved.value.suggested_filename, len(rows)) == ("entries.xlsx", 5)
    assert visitor.errors == []


def test_what_the_authoritys_system_refused_is_seen_with_its_answer_and_told_again(
    visitor: Visitor, filled: Running
) -> None:
    receipt = {"at": iso(60), "status": 500, "answer": "no room"}
    filled.gate.deliveries = [
        {"id": "e1", "type": "hazmat.entered", "at": iso(600), "state": state, "reason": reason, "receipts": [receipt]}
        for state, reason in (("parked", "10 attempts without success, last: status 500"),)
    ]
    page = open_page(visitor)
    parked = page.locator("[data-delivery=e1]")
    for text in ("已搁置", "10 attempts", "500 no room"):
        expect(parked).to_contain_text(text)
    parked.get_by_role("button", name="重新报送").click()
    expect(parked).to_contain_text("待报送")
    assert filled.gate.deliveries[0]["by"] == "user:duty"
    assert visitor.errors == []


def test_texts_that_came_from_outside_run_nothing(visitor: Visitor, filled: Running) -> None:
    bad = entry(5, "entered", "W3", ("acetone", 1))
    bad["data"]["lines"][0] |= {"name": "<img src=x onerror=alert(1)>", "sds": "javascript:alert(1)", "un_no": "=1+1"}
    fill(filled.gate, bad)
    page = open_page(visitor)
    page.locator("[data-entry=event-5]").get_by_role("link").click()
    expect(page.locator(".sheet")).to_contain_text("<img src=x onerror=alert(1)>")
    assert page.locator(".sheet a[href^=javascript]").count() == 0
    assert page.locator(".sheet img").count() == 0
    answer = visitor.context.request.get(f"{visitor.url}/api/v1/hazmat/inventory.csv")
    rows = list(csv.DictReader(io.StringIO(answer.body().decode("utf-8-sig"))))
    assert "'=1+1" in {row["un_no"] for row in rows}
    assert visitor.errors == []


def test_who_only_reads_is_offered_no_hold(visitor: Visitor, filled: Running) -> None:
    page = open_page(visitor, "auditing")
    assert page.locator(".place-hold").count() == 0


def test_the_duty_officer_is_led_home_and_nowhere_else(visitor: Visitor, filled: Running) -> None:
    open_page(visitor)
    visitor.errors.clear()
    for path in ("/", "/admin", "/api/docs", "/api/v1/lanes", "/api/v1/passages", "/api/v1/audit", "/api/v1/devices"):
        assert visitor.context.request.get(f"{visitor.url}{path}").status == 403, path
    visitor.page.goto(f"{visitor.url}/sign-in")
    visitor.page.wait_for_url("**/authority")


def test_nobody_is_shut_out(visitor: Visitor, filled: Running) -> None:
    filled.gate.history = [
        {"storage_unit": "W3", "step": "day", "points": [{"at": iso(9), "s": 0.9, "s_highest": 1.0}]}
    ]
    filled.gate.deliveries = [
        {"id": state, "type": "hazmat.entered", "at": iso(9), "state": state, "reason": None, "receipts": []}
        for state in ("due", "parked", "delivered")
    ]
    filled.run(filled.gate.place_hazmat_hold({"type": "unit", "id": "W3"}, "why", _duty()))
    page = open_page(visitor)
    page.wait_for_selector(".holds li.standing")
    page.locator("[data-unit=W3] summary").click()
    page.locator(".history summary").click()
    assert visitor.violations_in() == []
    page.locator("[data-unit=W3] a.button").click()
    page.wait_for_selector(".sheet")
    assert visitor.violations_in() == []


def _duty() -> Any:
    from gate_service.domain.commands import Actor, ActorKind

    return Actor("duty", Role.AUTHORITY, ActorKind.USER)
