"""What a new operator stumbled over in one night (docs/trial.md), each held by a test of its own."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from gate_service.domain.commands import Actor, ActorKind, Command, Role
from gate_service.domain.record import Entry
from gate_service.domain.regime import RegimeTerms
from tests.browser.conftest import WITHIN_S, Running, Visitor, Visitors
from tests.browser.test_terminal import COUNT_TONES, attend, choose, press, silence, wait_for_tones
from tests.fakes.web_gate import iso, overweight_passage

pytestmark = pytest.mark.browser

DETAIL = ".detail[data-lane=in-d1]"


def calls(running: Running, lane: str, *, for_s: float, escalated: bool = False) -> None:
    """Let a lane wait for a person since then."""
    running.change(lane, state="review", attention={"code": "review", "since_at": iso(for_s), "escalated": escalated})


def judged(**changes: Any) -> dict[str, Any]:
    """The overweight vehicle, changed."""
    return overweight_passage() | changes


def ask_to_open(running: Running) -> str:
    """An operator asks for the emergency regime."""
    terms = RegimeTerms("line cut", ("declared",), ("3",), datetime.now(UTC) + timedelta(hours=2), 50)

    async def ask() -> str:
        answer = running.gate.duty.ask_regime(terms, Actor("op", Role.OPERATOR, ActorKind.USER))
        return str(answer["pending"]["id"])

    return running.run(ask())


def wait_for_sound(page: Page) -> None:
    """The browser lets the page sound: a call that comes before is seen only. The terminal would say it at its bell."""
    silent = "import('/static/app/sound.js').then(({ isBlocked }) => isBlocked.value)"
    deadline = time.monotonic() + WITHIN_S
    while page.evaluate(silent):
        assert time.monotonic() < deadline
        page.wait_for_timeout(50)


# One hand on the keyboard -----------------------------------------------------------------------------------------


def test_enter_confirms_a_form_that_has_nothing_to_fill_in(visitor: Visitor, running: Running) -> None:
    page = visitor.come_in()
    choose(page, "in-d1")
    press(page, "w", "reweigh")
    expect(page.locator(".act.reweigh .confirm")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".commands [role=status]")).to_contain_text("重新称重：已受理")
    assert [request.command for _, request, _ in running.gate.given] == [Command.REWEIGH]


def test_a_boom_that_is_chosen_is_the_one_under_the_hand(visitor: Visitor) -> None:
    page = visitor.come_in()
    choose(page, "in-d1")
    press(page, "e", "emergency_raise")
    expect(page.locator(".act input[value=exit]")).to_be_focused()


def test_a_key_is_a_lane_and_never_another_truck_when_the_queue_moves(visitor: Visitor, running: Running) -> None:
    page = visitor.come_in()
    first = page.locator(".queue .call", has_text="进区报关 1")
    expect(first.locator("kbd")).to_have_text("1")
    calls(running, "in-d2", for_s=400, escalated=True)
    expect(page.locator(".queue .call").first).to_contain_text("进区报关 2")
    expect(first.locator("kbd")).to_have_text("1")
    page.keyboard.press("1")
    page.wait_for_selector(DETAIL)


# What is in sight -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (1280, 800)])
def test_on_a_low_screen_verdict_and_button_of_the_longest_form_are_both_in_sight(
    visitors: Visitors, running: Running, width: int, height: int
) -> None:
    ways = ["back_out", "divert", "escort"]
    running.change("in-d1", ways=ways)
    page = visitors("en", width=width, height=height).come_in()
    choose(page, "in-d1")
    page.click("[data-command=turn_back]")
    for part in (".judgement", ".act .confirm", ".act .effect"):
        expect(page.locator(part)).to_be_in_viewport(ratio=1)
    bottom = page.locator(".detail .all").bounding_box()
    verdict = page.locator(".judgement b").bounding_box()
    assert bottom is not None
    assert verdict is not None
    assert verdict["y"] + verdict["height"] <= bottom["y"] + bottom["height"]


def test_without_keys_shown_the_time_of_a_call_is_not_cut(visitors: Visitors) -> None:
    visitor = visitors("en", width=1280, height=800)
    visitor.context.add_init_script("localStorage.setItem('gate.keys', 'off')")
    page = visitor.come_in()
    late = page.locator(".call time.late").bounding_box()
    call = page.locator(".call", has=page.locator("time.late")).bounding_box()
    assert late is not None
    assert call is not None
    assert late["x"] + late["width"] <= call["x"] + call["width"]


def test_what_the_form_sets_in_motion_is_said_before_it_is_confirmed(visitor: Visitor, running: Running) -> None:
    running.change("in-d1", ways=["back_out", "divert"])
    page = visitor.come_in()
    choose(page, "in-d1")
    page.click("[data-command=turn_back]")
    expect(page.locator(".effect")).to_contain_text("进口栏杆")
    page.locator(".act input[value=divert]").check()
    expect(page.locator(".effect")).to_contain_text("出口栏杆")
    page.keyboard.press("Escape")
    page.click("[data-command=resolve]")
    expect(page.locator(".effect")).to_contain_text("自动抬起")


# What is true now -------------------------------------------------------------------------------------------------


def test_a_cut_line_is_said_on_the_terminal_with_what_it_means(visitor: Visitor, running: Running) -> None:
    page = visitor.come_in()
    expect(page.locator(".connection.live")).to_be_visible()
    assert page.locator(".standing").count() == 0
    running.gate.lines["central"] = {"line": "down", "down_since_at": iso(75), "reason": "no answer"}
    bar = page.locator(".standing.warn")
    expect(bar).to_contain_text("按本地数据判定")
    expect(bar.locator("time")).to_contain_text(re.compile(r"1:[1-5]\d"))
    expect(bar.get_by_role("link", name="线路")).to_have_attribute("href", "/sync")
    assert visitor.violations() == []
    running.gate.lines["central"] = {"line": "up"}
    expect(bar).to_have_count(0)


def test_the_emergency_regime_is_asked_for_and_counted_down_on_every_terminal(
    visitor: Visitor, running: Running
) -> None:
    page = visitor.come_in()
    regime_id = ask_to_open(running)
    expect(page.locator(".standing.warn")).to_contain_text("op 申请开启应急")
    running.run(running.gate.duty.open_regime(regime_id, Actor("sup", Role.SUPERVISOR, ActorKind.USER), "session"))
    expect(page.locator(".standing.bad")).to_contain_text("已用 0 / 50 辆")
    expect(page.locator(".standing.bad [role=timer]")).to_contain_text("1:59:")
    assert visitor.violations() == []


def test_a_request_that_ended_with_the_service_is_told_when_it_is_back(visitor: Visitor, running: Running) -> None:
    page = visitor.come_in()
    ask_to_open(running)
    expect(page.locator(".standing.warn")).to_contain_text("op 申请开启应急")
    running.stop()
    page.locator(".stop").wait_for(state="visible")
    running.start()
    expect(page.locator(".standing.warn")).to_contain_text("op 开启应急的申请已失效")
    page.get_by_role("button", name="知道了").click()
    expect(page.locator(".standing")).to_have_count(0)


def test_what_others_did_meanwhile_is_said_in_the_open_form(visitor: Visitor, running: Running) -> None:
    page = visitor.come_in()
    choose(page, "in-d1")
    page.click("[data-command=hold]")
    page.keyboard.press("1")
    expect(page.locator(".act .confirm")).to_be_enabled()
    running.change("in-d1", state="leaving", commands=["hold"], attention=None)
    expect(page.locator(".act [role=alert]")).to_contain_text("情形已变：放行")
    expect(page.locator(".act .confirm")).to_be_enabled()  # to stop it is still possible
    running.change("in-d1", state="closed", commands=[])
    expect(page.locator(".act .confirm")).to_be_disabled()


def test_a_vehicle_taken_over_after_its_release_is_not_called_released(visitor: Visitor, running: Running) -> None:
    passage = judged(disposition="release", disposed_by="user:sup")
    running.change("in-d1", passage=passage)
    page = visitor.come_in()
    choose(page, "in-d1")
    expect(page.locator(".versions")).to_contain_text("此前：已放行（sup），现由人接管")
    running.change("in-d1", state="leaving")
    expect(page.locator(".versions")).to_contain_text("已放行（sup）")


def test_who_may_not_release_alone_is_told_at_once_and_the_supervisor_can_sign_in_here(
    visitor: Visitor, running: Running
) -> None:
    running.change("in-d1", passage=judged(override_by="supervisor"))
    page = visitor.come_in()
    choose(page, "in-d1")
    page.click("[data-command=release]")
    page.keyboard.press("1")
    expect(page.locator(".act .confirm")).to_be_disabled()
    page.get_by_role("button", name="主管在此登录").click()
    expect(page.get_by_role("dialog").locator("input[name=name]")).to_be_visible()
    assert running.gate.given == []


def test_a_plate_is_chosen_among_those_read_and_listed_and_the_next_ones_reads_are_shown(
    visitor: Visitor, running: Running
) -> None:
    running.change(
        "in-d1",
        passage=judged(other_plates=["浙B54321"]),
        kept_for_next=[{"plate": "浙B99999", "taken_at": iso(3)}, {"scanned": "Z-NEXT", "taken_at": iso(2)}],
    )
    page = visitor.come_in()
    choose(page, "in-d1")
    expect(page.locator(".others")).to_contain_text("浙B54321")
    expect(page.locator(".next")).to_contain_text("浙B99999, Z-NEXT")
    press(page, "s", "resolve")
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    expect(page.locator(".commands [role=status]")).to_contain_text("已受理")
    [(_, request, _)] = running.gate.given
    assert request.fields == {"plate": "浙B54321"}


# The shift --------------------------------------------------------------------------------------------------------


def test_the_log_of_a_shift_says_where_why_and_who_approved(visitor: Visitor, running: Running) -> None:
    facts = {"command": "release", "reason_code": "weight_explained", "approved_by": "user:sup"}
    running.call(
        lambda: running.site.journal.write(Entry("command", datetime.now(UTC), "user:op", facts, lane="in-d1"))
    )
    page = visitor.come_in("op", "/shift", "main")
    row = page.locator("tr", has_text="放行")
    expect(row).to_contain_text("sup 批准")
    expect(row).to_contain_text("进区报关 1")
    expect(page.locator("li", has_text="车辆").first).not_to_contain_text("in-d1")


def test_the_next_person_is_told_that_a_shift_waits_to_be_accepted(visitors: Visitors, running: Running) -> None:
    running.run(running.gate.duty.hand_over("x", Actor("op", Role.OPERATOR, ActorKind.USER)))
    page = visitors().come_in("sup")
    bar = page.locator(".standing.warn")
    expect(bar).to_contain_text("op 已交班")
    bar.get_by_role("link", name="班次").click()
    page.get_by_role("button", name="接班").click()
    page.goto(f"{running.site.url}/")
    expect(page.locator(".connection.live")).to_be_visible()
    expect(bar).to_have_count(0)
    own = visitors().come_in("op")
    running.run(running.gate.duty.hand_over("y", Actor("op", Role.OPERATOR, ActorKind.USER)))
    expect(bar).to_be_visible()
    own.wait_for_timeout(1200)  # a beat later
    assert own.locator(".standing").count() == 0


def test_whoever_looks_at_another_page_still_sees_and_hears_who_waits(visitor: Visitor, running: Running) -> None:
    silence(running)
    visitor.context.add_init_script(COUNT_TONES)
    page = visitor.come_in("op", "/shift", "main")
    page.locator("h2").first.click()  # sound wants a touch of the page
    assert page.locator(".calls").count() == 0
    wait_for_sound(page)
    attend(running, "in-d2")
    expect(page.locator(".calls")).to_contain_text("1")
    wait_for_tones(page, 2)


def test_the_name_is_ready_to_be_typed_when_the_sign_in_page_opens(visitor: Visitor) -> None:
    page: Page = visitor.page
    page.goto(f"{visitor.url}/sign-in")
    expect(page.locator("input[name=name]")).to_be_focused()
