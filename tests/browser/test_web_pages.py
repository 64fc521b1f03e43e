"""What a person sees and does at the pages."""

from __future__ import annotations

import json
import re
import threading

import pytest
from playwright.sync_api import Request, expect

from gate_service.domain.commands import Command, Scope
from gate_service.domain.errors import NotPermittedError
from tests.browser.conftest import WITHIN_S, Line, Running, Visitor, Visitors
from tests.fakes.web_gate import overweight_passage
from tests.fakes.web_site import PASSWORD

pytestmark = pytest.mark.browser

LANE = "[data-lane=in-d1]"
DETAIL = ".detail[data-lane=in-d1]"


def choose(visitor: Visitor, lane: str = "in-d1") -> None:
    visitor.page.click(f".lane[data-lane={lane}] .name button")
    visitor.page.wait_for_selector(f".detail[data-lane={lane}]")


def test_a_person_signs_in_sees_every_lane_and_leaves(visitor: Visitor) -> None:
    page = visitor.sign_in()
    assert page.locator(".lane").count() == 6
    expect(page.locator(".connection")).to_have_text("实时")
    assert visitor.errors == []
    page.get_by_role("button", name="退出登录").click()
    page.wait_for_url("**/sign-in?**")
    page.goto(f"{visitor.url}/")
    page.wait_for_url("**/sign-in?**")


def test_a_wrong_password_is_said_in_words(visitor: Visitor) -> None:
    page = visitor.page
    page.goto(f"{visitor.url}/sign-in")
    page.fill("input[name=name]", "op")
    page.fill("input[name=password]", "wrong")
    page.click("button.confirm")
    expect(page.get_by_role("alert")).to_contain_text("账户名与密码不符")


def test_sign_in_leads_back_but_never_to_another_site(visitor: Visitor) -> None:
    page = visitor.page
    for wanted, path in (("//evil.example/", "/"), ("/api/docs", "/api/docs")):
        visitor.context.clear_cookies()
        page.goto(f"{visitor.url}/sign-in?next={wanted}")
        page.fill("input[name=name]", "op")
        page.fill("input[name=password]", PASSWORD)
        page.click("button.confirm")
        page.wait_for_url(f"{visitor.url}{path}")


def test_lanes_move_live_without_reloading(visitor: Visitor, running: Running) -> None:
    page = visitor.come_in()
    weight = page.locator(".lane[data-lane=in-d2] .weight")
    for kg in (21_860, 22_480):
        running.change("in-d2", weight={"value_kg": kg, "status": "ok", "stable": True, "age_ms": 20})
        expect(weight).to_contain_text(f"{kg:,}")
    expect(weight).to_contain_text("稳定")
    running.change("in-d2", state="leaving", booms={"entry": "down", "exit": "up"})
    expect(page.locator(".lane[data-lane=in-d2] .state")).to_contain_text("放行")
    expect(page.locator(".lane[data-lane=in-d2] .strip")).to_have_attribute("aria-label", re.compile("出口栏杆 抬起"))
    assert visitor.errors == []


def test_the_queue_shows_who_waits_the_most_urgent_first_and_keys_choose(visitor: Visitor, running: Running) -> None:
    page = visitor.come_in()
    calls = page.locator(".queue .call")
    expect(calls).to_have_count(4)
    expect(calls.nth(0)).to_contain_text("出区报关 2")  # overdue
    expect(calls.nth(1)).to_contain_text("故障")
    expect(calls.nth(2)).to_contain_text("进区报关 1")  # waits longer than the next
    page.keyboard.press("1")
    page.wait_for_selector(DETAIL)
    page.keyboard.press("ArrowDown")
    page.wait_for_selector(".detail[data-lane=in-d2]")
    running.change(
        "in-d1",
        state="detained",
        attention={"code": "detained", "since_at": "2026-11-22T00:00:00Z", "escalated": False},
    )
    expect(calls.nth(1)).to_contain_text("进区报关 1")


def test_a_vehicle_is_released_with_a_reason_bound_to_its_passage_and_facts(visitor: Visitor, running: Running) -> None:
    page = visitor.come_in()
    choose(visitor)
    expect(page.locator(DETAIL)).to_contain_text("1,572.267")
    page.click("[data-command=release]")
    confirm = page.locator(".act button.confirm")
    expect(confirm).to_be_disabled()
    page.get_by_label("重量差异已说明").check()
    page.fill("textarea[name=reason]", "补充磅单")
    confirm.click()
    expect(page.get_by_role("status").filter(has_text="已受理")).to_be_visible()
    expect(page.locator(f".lane{LANE} .state")).to_contain_text("放行")
    [(lane, request, actor)] = running.gate.given
    passage = overweight_passage()
    assert (lane, request.command, actor.label) == ("in-d1", Command.RELEASE, "user:op")
    assert (request.passage_id, request.facts_version) == (passage["id"], 7)
    assert (request.reason_code, request.reason) == ("weight_explained", "补充磅单")
    assert visitor.errors == []


def test_the_reason_other_needs_a_text(visitor: Visitor) -> None:
    page = visitor.come_in()
    choose(visitor)
    page.click("[data-command=turn_back]")
    page.get_by_label("其他").check()
    expect(page.locator(".act button.confirm")).to_be_disabled()
    page.fill("textarea[name=reason]", "司机身体不适")
    expect(page.locator(".act button.confirm")).to_be_enabled()


def test_a_missing_plate_is_supplied(visitor: Visitor, running: Running) -> None:
    page = visitor.come_in()
    choose(visitor, "in-n1")
    page.click("[data-command=resolve]")
    page.fill(".act input[name=plate]", "浙B55555")
    page.fill(".act input[name=slip_nos]", "Z1 Z2，Z3")
    page.click(".act button.confirm")
    expect(page.get_by_role("status").filter(has_text="已受理")).to_be_visible()
    assert running.gate.given[0][1].fields == {"plate": "浙B55555", "slip_nos": ["Z1", "Z2", "Z3"]}


def test_a_command_on_a_vehicle_that_has_changed_cannot_be_confirmed(visitor: Visitor, running: Running) -> None:
    page = visitor.come_in()
    choose(visitor)
    page.click("[data-command=release]")
    page.get_by_label("单证已核对").check()
    running.change("in-d1", passage=overweight_passage() | {"id": "next", "facts_version": 1, "plate": "浙B99999"})
    expect(page.get_by_role("alert").filter(has_text="已变化")).to_be_visible()
    expect(page.locator(".act button.confirm")).to_be_disabled()
    expect(page.locator(".act h3")).to_contain_text("浙B12345")
    assert running.gate.given == []


def test_a_409_is_shown_in_words(visitor: Visitor, running: Running) -> None:
    """The lane knows newer facts than the page has been told of."""
    page = visitor.come_in()
    choose(visitor)
    page.click("[data-command=release]")
    page.get_by_label("单证已核对").check()
    running.gate.snapshots["in-d1"]["passage"]["facts_version"] = 8
    page.click(".act button.confirm")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("未执行")
    expect(alert).to_contain_text("通道内已是另一辆车，或事实已更新")
    assert all("409" in error for error in visitor.errors)


def test_a_refusal_for_lack_of_right_is_shown_in_words(visitor: Visitor, running: Running) -> None:
    page = visitor.come_in()
    choose(visitor)
    running.gate.refuse_with = NotPermittedError("a supervisor must release this vehicle")
    page.click("[data-command=release]")
    page.get_by_label("单证已核对").check()
    page.click(".act button.confirm")
    expect(page.get_by_role("alert")).to_contain_text("需要第二人批准")


def test_who_may_not_act_is_offered_nothing(visitor: Visitor) -> None:
    page = visitor.come_in("aud")
    choose(visitor)
    expect(page.locator(DETAIL)).to_contain_text("浙B12345")
    assert page.locator("[data-command]").count() == 0


def test_a_silent_service_is_said_within_three_seconds_and_nothing_can_be_clicked(visitor: Visitor) -> None:
    line = Line(visitor.page)
    visitor.page.clock.install()
    page = visitor.come_in()
    choose(visitor)
    visitor.stop_clock()
    expect(page.locator("[data-command=release]")).to_be_enabled()
    line.is_held = True  # the connection stays open, nothing comes
    visitor.pass_ms(2000)
    expect(page.locator(".stop")).to_be_hidden()  # a beat may be late
    visitor.pass_ms(1000)
    expect(page.locator(".stop")).to_be_visible()
    for button in page.locator("[data-command]").all():
        expect(button).to_be_disabled()
    expect(page.locator(f".lane{LANE} .weight")).not_to_contain_text("33,240")  # nobody knows it any more
    line.is_held = False
    expect(page.locator(".stop")).to_be_hidden()
    expect(page.locator("[data-command=release]")).to_be_enabled()


def test_a_service_that_does_nothing_any_more_is_silent_on_an_open_connection(
    visitor: Visitor, running: Running
) -> None:
    page = visitor.come_in()
    goes_on = threading.Event()
    running.loop.call_soon_threadsafe(goes_on.wait, WITHIN_S * 2)
    try:
        page.locator(".stop").wait_for(state="visible")
    finally:
        goes_on.set()
    expect(page.locator(".stop")).to_be_hidden()


def test_a_stopped_service_is_said_at_once_and_the_page_comes_back_by_itself(
    visitor: Visitor, running: Running
) -> None:
    visitor.page.clock.install()
    page = visitor.come_in()
    visitor.stop_clock()
    running.stop()
    page.locator(".stop").wait_for(state="visible")  # though no time has passed for the page
    page.clock.resume()
    running.start()
    expect(page.locator(".stop")).to_be_hidden()
    running.change("in-d2", weight={"value_kg": 12_340, "status": "ok", "stable": True, "age_ms": 20})
    expect(page.locator(".lane[data-lane=in-d2] .weight")).to_contain_text("12,340")


def test_old_inputs_and_weights_are_said_and_booms_stay(visitor: Visitor, running: Running) -> None:
    page = visitor.come_in()
    choose(visitor)
    stale = {"value_kg": 33240, "status": "ok", "stable": True, "age_ms": 9000}
    running.change("in-d1", inputs_age_ms=9000, weight=stale)
    row = page.locator(f".lane{LANE}")
    expect(row).to_contain_text("看不到现场")
    expect(row.locator(".weight")).to_contain_text("无读数")
    expect(row.locator(".weight")).not_to_contain_text("33,240")
    for command in ("release", "turn_back", "raise_boom", "lower_boom"):
        expect(page.locator(f"[data-command={command}]")).to_be_disabled()
    for command in ("hold", "resolve", "close_lane", "emergency_raise"):
        expect(page.locator(f"[data-command={command}]")).to_be_enabled()


def test_a_disabled_person_is_led_out_at_once(visitor: Visitor, running: Running) -> None:
    page = visitor.come_in()
    running.run(running.site.accounts.disable_user("op", "service"))
    page.wait_for_url("**/sign-in?**")  # within a beat: otherwise it would be looked at again after 30 s


def test_the_language_is_switched_without_reloading_and_kept(visitor: Visitor) -> None:
    page = visitor.come_in()
    choose(visitor)
    page.evaluate("window.sameDocument = true")
    page.get_by_role("button", name="EN").click()
    expect(page.locator(f".lane{LANE}")).to_contain_text("Inbound declared 1")
    expect(page.get_by_role("button", name="Release", exact=True)).to_be_visible()
    assert page.evaluate("window.sameDocument")
    assert page.evaluate("document.documentElement.lang") == "en"
    page.reload()
    expect(page.locator(".connection")).to_have_text("Live")
    assert visitor.errors == []


def test_in_english_no_chinese_is_left_but_names_and_plates(visitors: Visitors) -> None:
    visitor = visitors("en")
    page = visitor.come_in()
    choose(visitor)
    text = page.locator("body").inner_text()
    for known in ("中文", "浙", "示例企业", "集成电路"):
        text = text.replace(known, "")
    assert [character for character in text if "\u4e00" <= character <= "\u9fff"] == []


def test_a_demo_says_so_loudly_on_every_page(visitor: Visitor, running: Running) -> None:
    running.gate.demo = True
    for path in ("/sign-in",):
        visitor.page.goto(visitor.url + path)
        expect(visitor.page.locator(".demo")).to_contain_text("DEMO")
    visitor.sign_in("root")
    for path in ("/", "/admin", "/api/docs", "/driver/in-d1", "/nothing"):
        visitor.page.goto(visitor.url + path)
        expect(visitor.page.locator(".demo")).to_contain_text("DEMO")


def test_the_driver_display_shows_one_line_and_never_green_on_old_news(visitor: Visitor, running: Running) -> None:
    secret = running.run(running.site.tokens.add_token("display", [Scope.DISPLAY], ["in-d1"], "service"))
    page = visitor.page
    page.goto(f"{visitor.url}/driver/in-d1?token={secret}")
    assert secret not in page.url
    expect(page.locator("h1")).to_contain_text("请等候工作人员")
    expect(page.locator("h1")).to_contain_text("Wait for the officer")
    expect(page.locator("main")).to_have_attribute("data-sign", "stop")
    running.change(
        "in-d1", state="leaving", lights={"entry": "red", "exit": "green"}, driver={"zh": "请通行", "en": "Go"}
    )
    expect(page.locator("main")).to_have_attribute("data-sign", "go")
    running.change("in-d1", inputs_age_ms=9000)
    expect(page.locator("main")).to_have_attribute("data-sign", "stop")
    running.change("in-d1", inputs_age_ms=20)
    expect(page.locator("main")).to_have_attribute("data-sign", "go")
    assert visitor.errors == []
    running.stop()
    expect(page.locator("main")).to_have_attribute("data-sign", "stop")
    expect(page.locator("h1")).to_contain_text("请停车等候")


def test_the_administrator_makes_an_account_and_a_token(visitor: Visitor) -> None:
    page = visitor.come_in("root", "/admin", "main")
    page.locator("form.add").nth(0).locator("input[name=name]").fill("night-shift")
    page.locator("form.add").nth(0).locator("input[name=password]").fill(PASSWORD)
    page.locator("form.add").nth(0).get_by_role("button").click()
    row = page.locator("tr", has_text="night-shift")
    expect(row).to_contain_text("启用")
    row.get_by_role("button").click()
    expect(row).to_contain_text("停用")
    page.locator("form.add").nth(1).locator("input[name=name]").fill("camera-1")
    page.locator("form.add").nth(1).get_by_role("button").click()
    expect(page.locator(".made")).to_contain_text("gate_")
    assert visitor.errors == []


def test_axe_finds_nothing_on_any_page(visitor: Visitor, running: Running) -> None:
    running.gate.demo = True
    page = visitor.page

    def look() -> list[str]:
        return visitor.violations_in(("light", "zh-CN"), ("dark", "en"))

    page.goto(f"{visitor.url}/sign-in")
    page.wait_for_selector("form")
    found = {"sign-in": look()}
    visitor.sign_in()
    choose(visitor)
    found["terminal"] = look()
    page.click("[data-command=release]")
    page.wait_for_selector(".act")
    found["release"] = look()
    choose(visitor, "in-n1")
    page.click("[data-command=resolve]")
    found["resolve"] = look()
    choose(visitor, "out-n1")
    found["fault"] = look()
    for path, there in (*(("/driver/in-d1", "h1"), ("/api/docs", "header"), ("/nothing", "h1")),):
        page.goto(visitor.url + path)
        page.wait_for_selector(there)
        found[path] = look()
    for name, least in (("sup", 10), ("root", 6)):  # whatever is linked: a page that is new is looked at too
        visitor.context.clear_cookies()
        visitor.sign_in(name)
        linked = [str(link.get_attribute("href")) for link in page.locator(".pages a").all()]
        assert len(linked) >= least
        for path in (one for one in linked if one != "/" and one not in found):
            page.goto(visitor.url + path)
            page.wait_for_selector("main :is(.card, table, section, form, p)")
            found[path] = look()
    assert {name: what for name, what in found.items() if what} == {}


def test_axe_finds_nothing_while_the_connection_is_lost(visitor: Visitor, running: Running) -> None:
    visitor.come_in()
    running.stop()
    visitor.page.locator(".stop").wait_for(state="visible")
    assert visitor.violations() == []


def test_the_terminal_takes_less_than_250_kb_on_the_wire(visitor: Visitor) -> None:
    ended: list[Request] = []

    def note(request: Request) -> None:
        ended.append(request)

    visitor.page.on("requestfinished", note)
    visitor.sign_in()
    visitor.page.locator(".chart canvas").wait_for()  # its program comes last
    on_the_wire = sum(sum(request.sizes().values()) for request in ended)
    assert 20_000 < on_the_wire < 250_000, on_the_wire


def test_the_first_administrator_is_made_at_the_one_time_link(visitors: Visitors, running: Running) -> None:
    for name in ("op", "sup", "aud", "root"):
        running.call(lambda n=name: running.site.accounts.database.write(lambda c: delete_user(c, n)))
    link = running.run(running.site.server.first_link())
    assert link is not None
    page = visitors().page
    page.goto(link)
    page.fill("input[name=name]", "chief")
    page.fill("input[name=password]", PASSWORD)
    page.fill("input[name=again]", PASSWORD + "x")
    page.click("button.confirm")
    expect(page.get_by_role("alert")).to_contain_text("不一致")
    page.fill("input[name=again]", PASSWORD)
    page.click("button.confirm")
    page.wait_for_selector(".lane")
    session = json.loads(page.evaluate("fetch('/api/v1/session').then((answer) => answer.text())"))
    assert session["role"] == "administrator"


def delete_user(connection, name: str) -> None:  # type: ignore[no-untyped-def]
    """Only a test may: accounts are disabled, never deleted."""
    from sqlalchemy import delete

    from sync.people_tables import users

    connection.execute(delete(users).where(users.c.name == name)).close()


def test_a_device_is_as_fresh_as_its_last_word_not_as_its_last_change_of_health(
    visitor: Visitor, running: Running
) -> None:
    page = visitor.come_in()
    choose(visitor, "in-d2")
    healthy = {"device": "io-in-d2", "kind": "io_module", "fault": None, "age_ms": 600_000, "rejects": {}}
    running.change("in-d2", devices=[healthy])
    device = page.locator(".devices li")
    expect(device).to_have_count(1)
    expect(device).to_contain_text("正常")
    running.change("in-d2", inputs_age_ms=9000)
    expect(device).to_contain_text("无应答")
