"""The policy workbench as two persons use it."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor, Visitors
from tests.fakes.web_site import PASSWORD

pytestmark = pytest.mark.browser

STRICT = {"weigh": "always", "tolerance_kg": 0, "tolerance_pct": 1}
NEW = {"version": "2026-12-01", "tiers": dict.fromkeys(("strict", "standard", "relaxed"), STRICT), "assign": []}


def test_a_policy_is_checked_proposed_and_approved_by_the_other_at_the_same_terminal(visitor: Visitor) -> None:
    page = visitor.come_in("sup")
    page.get_by_role("link", name="规则").click()
    expect(page.locator("h2").first).to_contain_text("2026-11-01")
    text = page.locator("textarea")
    text.fill("{")
    page.get_by_role("button", name="检查").click()
    expect(page.locator("table[role=status]")).to_contain_text("JSON")
    text.fill(json.dumps({**NEW, "colour": "red", "offline": {"slip_max_age_h": -1}}))
    page.get_by_role("button", name="检查").click()
    expect(page.locator("table[role=status] tbody tr")).to_have_count(2)
    expect(page.locator("table[role=status]")).to_contain_text("offline.slip_max_age_h")
    text.fill(json.dumps(NEW))
    page.get_by_role("button", name="检查").click()
    expect(page.get_by_text("未发现错误")).to_be_visible()
    page.get_by_role("button", name="与以往过卡比较").click()
    expect(page.get_by_text("比较了 0 次过卡")).to_be_visible()
    page.locator("input[name=reason]").fill("收紧")
    page.get_by_role("button", name="提出").click()
    row = page.locator("tr", has=page.locator("code", has_text="2026-12-01"))
    expect(row).to_contain_text("待批准")
    row.get_by_role("button", name="答复").click()
    page.locator("input[name=name]").fill("root")
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="批准").click()
    expect(row).to_contain_text("root")
    expect(page.locator("h2").first).to_contain_text("2026-12-01")
    assert visitor.errors == []


def test_an_auditor_checks_and_compares_but_proposes_nothing(visitors: Visitors) -> None:
    visitor = visitors(language="en")
    visitor.come_in("aud", "/policy", "main")
    expect(visitor.page.get_by_role("button", name="Check")).to_be_visible()
    expect(visitor.page.get_by_role("button", name="Propose")).to_have_count(0)


def test_axe_finds_nothing_on_the_workbench(visitor: Visitor) -> None:
    page = visitor.come_in("sup", "/policy", "main")
    page.locator("textarea").fill(json.dumps({**NEW, "colour": 1}))
    page.locator("form button").first.click()
    page.wait_for_selector("table[role=status]")
    assert visitor.violations_in() == []
    assert visitor.errors == []
