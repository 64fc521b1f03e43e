"""The pages about people in real Chromium: shift, emergency regime, account, lock and switch; over real desks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from gate_service.domain.record import Entry
from sync import one_time_codes as codes
from tests.browser.conftest import Running, Visitor, Visitors
from tests.fakes.web_site import PASSWORD
from tests.integration.test_web_duty import used

pytestmark = pytest.mark.browser


def form_with(page: Page, button: str) -> Page:
    """The form that this button sends."""
    return page.locator("form", has=page.get_by_role("button", name=button, exact=True))  # type: ignore[return-value]


def ask_for_regime(page: Page) -> None:
    form = form_with(page, "申请开启")
    form.locator("textarea[name=reason]").fill("专线中断")
    form.get_by_label("报关", exact=False).first.check(force=True)
    form.locator("input[name=type][value='3']").check(force=True)
    form.locator("input[name=passages]").fill("2")
    form.get_by_role("button", name="申请开启").click()


def test_the_line_is_cut_and_the_regime_is_opened_by_two_used_closed_and_reconciled(
    visitors: Visitors, running: Running
) -> None:
    visitor = visitors()
    page = visitor.come_in("op", "/regime", "main")
    ask_for_regime(page)
    second = form_with(page, "以第二人身份批准")
    expect(page.locator(".card", has=second)).to_contain_text("专线中断")
    second.locator("input[name=name]").fill("op")
    second.locator("input[name=password]").fill(PASSWORD)
    second.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_be_visible()  # nobody approves their own request
    second.locator("input[name=name]").fill("sup")
    second.locator("input[name=password]").fill(PASSWORD)
    second.get_by_role("button").click()
    timer = page.get_by_role("timer")
    expect(timer).to_contain_text("0/2")
    first = timer.locator("strong").inner_text()
    expect(timer.locator("strong")).not_to_have_text(first)  # it counts down
    assert visitor.violations() == []

    regime_id = running.site.gate.duty.regime().id
    running.call(lambda: running.site.journal.write(used(running.site, regime_id, 1)))
    close = form_with(page, "关闭应急模式")
    close.locator("input[name=reason]").fill("专线恢复")
    close.get_by_role("button").click()
    expect(page.get_by_role("timer")).to_have_count(0)

    sup = visitors()
    page = sup.come_in("sup", "/regime", "main")
    row = page.locator("tr", has_text="系统放行")
    row.locator("select").select_option("discrepancy")
    row.locator("input[name=note]").fill("核放单号不符")
    row.get_by_role("button", name="核销").click()
    expect(page.locator("tr", has_text="系统放行")).to_contain_text("存在差异")
    assert sup.violations() == []
    assert sup.errors == []


def test_a_paper_entry_is_typed_in_with_the_time_it_happened(visitor: Visitor) -> None:
    page = visitor.come_in("op", "/regime", "main")
    form = form_with(page, "补录")
    happened = datetime.now(UTC) - timedelta(minutes=3)
    local = page.evaluate(
        "at => { const d = new Date(at); d.setMinutes(d.getMinutes() - d.getTimezoneOffset());"
        " return d.toISOString().slice(0, 19); }",
        happened.isoformat(),
    )
    form.locator("input[name=crossed_at]").fill(local)
    for name, text in (("plate", "浙B12345"), ("slips", "Z9"), ("released_by", "李"), ("paper_no", "7/3")):
        form.locator(f"input[name={name}]").fill(text)
    form.locator("input[name=reason]").fill("停电")
    form.get_by_role("button").click()
    expect(page.locator("tr", has_text="纸面放行")).to_contain_text("浙B12345")
    assert visitor.errors == []


def test_a_shift_is_handed_over_with_a_motion_explained_and_accepted_by_the_next(
    visitors: Visitors, running: Running
) -> None:
    now = datetime.now(UTC)
    running.call(
        lambda: running.site.journal.write(Entry("motion_unexplained", now, "service", {"what": "x"}, lane="in-d1"))
    )
    operator = visitors()
    page = operator.come_in("op", "/shift", "main")
    matter = page.locator("li", has_text="不明动作")
    matter.locator("select").select_option("tailgating")
    matter.get_by_role("button", name="办结").click()
    expect(page.locator("li", has_text="不明动作")).to_have_count(0)
    form = form_with(page, "交班")
    form.locator("textarea").fill("注意一号通道")
    form.get_by_role("button").click()
    expect(page.locator("blockquote")).to_have_text("注意一号通道")
    expect(page.get_by_role("button", name="接班")).to_be_disabled()  # not one's own
    assert operator.violations() == []
    following = visitors("en", "dark")
    page = following.come_in("sup", "/shift", "main")
    expect(page.locator("blockquote")).to_have_text("注意一号通道")
    page.get_by_role("button", name="Accept the shift").click()
    expect(page.locator("h2", has_text="Shift 2")).to_be_visible()
    assert following.violations() == []
    assert following.errors == []


def test_a_device_is_enrolled_and_asked_for_at_the_next_sign_in(visitors: Visitors, running: Running) -> None:
    visitor = visitors("en")
    page = visitor.come_in("sup", "/account", "main")
    card = page.locator(".card", has_text="Second factor for signing in")
    card.locator("input[name=password]").fill(PASSWORD)
    card.get_by_role("button").click()
    expect(card.get_by_role("img", name="QR code for the authenticator")).to_be_visible()
    secret = codes.secret_of(card.locator("code").first.inner_text())
    step = codes.step_at(running.site.clock.now())
    card.locator("input[name=first]").fill(codes.code_of_step(secret, step))
    card.get_by_role("button").click()
    expect(page.locator("ul.made li")).to_have_count(8)
    assert visitor.violations() == []
    visitor.context.clear_cookies()
    page.goto(f"{visitor.url}/sign-in")
    page.fill("input[name=name]", "sup")
    page.fill("input[name=password]", PASSWORD)
    page.click("button.confirm")
    page.fill("input[name=code]", codes.code_of_step(secret, step + 1))
    page.click("button.confirm")
    page.wait_for_selector(".lane")


def test_a_terminal_is_locked_unlocked_and_taken_over_by_the_next_with_the_keyboard(visitor: Visitor) -> None:
    page = visitor.sign_in("op")
    page.get_by_role("button", name="锁定").click()
    dialog = page.locator("dialog.lock")
    expect(dialog).to_be_visible()
    assert visitor.violations() == []
    page.keyboard.press("Escape")
    expect(dialog).to_be_visible()  # only a password opens it
    dialog.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    page.get_by_role("button", name="切换人员").click()
    dialog.locator("input[name=name]").fill("sup")
    dialog.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator(".who")).to_contain_text("sup")
