"""An engineer on Monday morning: the line was down since Friday, two events are parked, one slip passed twice."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from gate_service.domain.errors import RecordError
from tests.browser.conftest import Running, Visitor
from tests.fakes.web_gate import FakeGate, iso, line

pytestmark = pytest.mark.browser

SLIP = "Z3311I261122000000000001"


def parked(number: int, kind: str = "passage.decided") -> dict[str, Any]:
    return {
        "id": f"00000000-0000-5000-8000-00000000000{number}", "epoch": "e", "seq": number, "type": kind,
        "passage_id": f"p{number}", "at": iso(9000), "attempts": 1, "reason": f"no_{number}: <b>refused</b>",
    }  # fmt: skip


def conflict(number: int, kind: str, centre: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"c{number}", "kind": kind, "slip_no": SLIP, "passage_id": f"p{number}", "found_at": iso(60),
        "here": {"state": "used", "at": iso(7200)}, "centre": centre,
        "closed_by": None, "closed_at": None, "close_reason": None,
    }  # fmt: skip


@pytest.fixture
def troubled(running: Running, gate: FakeGate) -> Running:
    down = line("down", last_answer_age_s=230_400.0, down_since_at=iso(230_400), reason="GET /v1/changes: no answer")
    gate.lines |= {"central": down, "conflicts": {"open": 2}}
    gate.lines["outbox"] |= {**down, "due": 51_234, "oldest_due_at": iso(230_000), "parked": 2, "alarm": True}
    gate.lines["outbox"]["unacknowledged_s"] = 230_000.0
    gate.lines["room"] |= {"hours_left": 31}
    gate.lines["rejected"] = [
        {"kind": "slip", "key": "Z9", "at": iso(50), "times": 3, "reason": "total_kg", "found": ""}
    ]
    gate.parked["outbox"] = [parked(1), parked(2, "slip.used")]
    gate.conflicts = [
        conflict(1, "revoked", {"reason": "recalled", "revoked_at": iso(7500), "told_at": iso(60)}),
        conflict(2, "used_elsewhere", {"used_by": [{"site": "K2", "passage_id": "q7", "at": iso(7000)}]}),
    ]
    return running


def open_page(visitor: Visitor, name: str = "sup") -> Page:
    return visitor.come_in(name, "/sync", "[data-line=central]")


def test_how_the_lines_stand_and_how_long_the_disk_lasts(visitor: Visitor, troubled: Running) -> None:
    page = open_page(visitor, "op")
    expect(page.locator("[data-line=central]")).to_contain_text("中断")
    expect(page.locator("[data-line=central]")).to_contain_text("64:00:00")
    expect(page.locator("[data-line=outbox]")).to_contain_text("报警")
    expect(page.get_by_label("积压：中心系统")).to_contain_text("51,234")
    expect(page.get_by_label("磁盘与记录")).to_contain_text("31 小时")
    expect(page.get_by_label("校验点")).to_be_visible()
    assert page.get_by_role("button", name="重新发送").count() == 0  # an operator looks only
    assert visitor.errors == []


def test_a_parked_event_is_sent_again_by_keyboard_alone(visitor: Visitor, troubled: Running) -> None:
    page = open_page(visitor)
    expect(page.locator("[data-parked]")).to_have_count(2)
    expect(page.locator("[data-parked]").first).to_contain_text("<b>refused</b>")
    page.locator("[data-parked]").first.get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-parked]")).to_have_count(1)
    page.get_by_role("button", name="全部重新发送").press("Enter")
    expect(page.locator("[data-parked]")).to_have_count(0)
    given = [(queue, ids, actor.label) for queue, ids, actor in troubled.gate.sent_again]
    assert given == [("outbox", [parked(1)["id"]], "user:sup"), ("outbox", None, "user:sup")]
    assert visitor.errors == []


def test_a_conflict_shows_both_sides_and_is_closed_with_a_reason(visitor: Visitor, troubled: Running) -> None:
    page = open_page(visitor)
    first, second = page.locator("[data-conflict=c1]"), page.locator("[data-conflict=c2]")
    expect(first).to_contain_text("已撤销")
    expect(first).to_contain_text("recalled")
    expect(second).to_contain_text("卡口 K2，过卡 q7")
    first.get_by_role("button", name="关闭").click()
    first.get_by_label("处理情况").fill("车辆已召回")
    first.get_by_role("button", name="关闭").click()
    expect(first).to_contain_text("车辆已召回")
    expect(first).to_contain_text("user:sup")
    assert first.get_by_role("button").count() == 0
    assert visitor.errors == []


def test_what_is_shown_is_marked_as_old_when_the_service_does_not_answer(visitor: Visitor, troubled: Running) -> None:
    visitor.page.clock.install()
    page = open_page(visitor)
    troubled.gate.sync_fails = RecordError("gone")
    visitor.pass_ms(2000)  # it asks every two seconds
    expect(page.locator("main.is-old")).to_be_visible(timeout=6000)
    expect(page.locator(".asked")).to_contain_text("的情况")
    expect(page.locator("[data-line=central]")).to_be_visible()
    troubled.gate.sync_fails = None
    visitor.pass_ms(2000)
    expect(page.locator("main.is-old")).to_have_count(0)


def test_the_page_of_the_lines_shuts_nobody_out(visitor: Visitor, troubled: Running) -> None:
    page = open_page(visitor)
    page.locator("[data-conflict=c1]").get_by_role("button").click()
    assert visitor.violations_in() == []
