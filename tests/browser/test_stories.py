"""What happens at a gate, told in real Chromium over the demo's wires: serial lines, Modbus, HTTP between processes.

One demo for all stories, whose desks are empty: a truck that needs a person waits for the one in the story. Seed 1
sends the same trucks to the same lanes each time (`devices/simulator/demo`); the stories are told in that order.
`GATE_PICTURES=docs/images` leaves the pictures of the documents.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from devices.simulator.demo.plan import first_visits
from tests.browser.conftest import violations
from tests.browser.demo_site import PICTURES, Colleague, DemoSite, Desk

pytestmark = [pytest.mark.browser, pytest.mark.in_order, pytest.mark.timeout(180)]

TRUCKS = {visit.number: visit for visit in first_visits(1, 20)}
CHINESE = re.compile(r"[\u4e00-\u9fff]")

Sit = Callable[..., Desk]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoSite]:
    site = DemoSite(tmp_path_factory.mktemp("stories"))
    yield site
    assert site.stop() == 0


@pytest.fixture(scope="module")
def colleague(site: DemoSite) -> Iterator[Colleague]:
    colleague = Colleague(site, "desk-supervisor")
    yield colleague
    colleague.close()


@pytest.fixture
def sit(browser: Browser, site: DemoSite) -> Iterator[Sit]:
    desks: list[Desk] = []

    def sit_down(name: str = "visitor", language: str = "zh", scheme: str = "light", *, slow: bool = False) -> Desk:
        desks.append(Desk(browser, site, name, language, scheme, slow=slow))
        return desks[-1]

    yield sit_down
    for desk in desks:
        desk.close()


def test_a_truck_in_the_wrong_lane_is_led_away_to_its_own(sit: Sit, colleague: Colleague) -> None:
    truck = TRUCKS[5]
    desk = sit()
    page = desk.sign_in()
    passage = colleague.waits_for_person("out-n1", truck.plate, "wrong_lane_class")["passage"]
    desk.choose("out-n1")
    detail = page.locator(".detail")
    expect(detail.locator(".to-go")).to_contain_text("出区报关 1")
    expect(detail.locator(".judgement")).to_contain_text("不予放行")
    desk.picture("wrong-lane")
    page.click("[data-command=turn_back]")
    page.get_by_label("驶往指定区域").check()
    page.get_by_label("走错通道").check()
    page.click(".act button.confirm")
    expect(detail.locator(".done")).to_contain_text("已受理")
    colleague.gone("out-n1", passage["id"])
    told = colleague.passage(passage["id"])
    assert (told["disposition"], told["disposed_by"]) == ("divert", "user:visitor")
    assert told["crossed_at"] is None or told["outcome"] != "released"


def test_an_overweight_truck_is_released_by_one_supervisor(sit: Sit, colleague: Colleague) -> None:
    truck = TRUCKS[4]
    passage = colleague.waits_for_person("out-d1", truck.plate, "weight_mismatch")["passage"]
    operator = sit("desk-operator")
    page = operator.sign_in()
    operator.choose("out-d1")
    page.click("[data-command=release]")
    expect(page.locator(".act .note")).to_contain_text("你的角色不够")
    supervisor = sit(scheme="light")
    page = supervisor.sign_in()
    supervisor.choose("out-d1")
    expect(page.locator(".check")).to_contain_text(f"{passage['gross_kg']:,}")
    expect(page.locator(".gauge")).to_contain_text("倍")
    page.locator(".chart canvas").wait_for()
    supervisor.picture("terminal", after_ms=1500)
    page.click("[data-command=release]")
    page.get_by_label("重量差异已说明").check()
    page.fill("textarea[name=reason]", "补充磅单")
    supervisor.picture("release")
    page.click(".act button.confirm")
    colleague.gone("out-d1", passage["id"])
    told = colleague.passage(passage["id"])
    assert (told["disposition"], told["disposed_by"]) == ("release", "user:visitor")
    assert told["crossed_at"] is not None
    kinds = [(one["kind"], one["facts"].get("reason_code")) for one in told["records"]]
    assert ("command", "weight_explained") in kinds


def test_a_release_clicked_as_the_truck_changes_is_refused_and_both_trucks_are_named(
    sit: Sit, colleague: Colleague
) -> None:
    seen = TRUCKS[8].plate_read
    before = colleague.waits_for_person("in-n1", seen, "plate_mismatch")["passage"]
    desk = sit(slow=True)
    page = desk.sign_in()
    desk.choose("in-n1")
    page.click("[data-command=release]")
    page.get_by_label("目视车牌相符").check()
    desk.hold_news(holds=True)  # the truck changes, and this terminal has not heard of it yet
    colleague.command("in-n1", "turn_back", "plate_mismatch")
    now = colleague.wait("in-n1", lambda lane: (lane["passage"] or before)["id"] != before["id"], "the next truck")
    expect(page.locator(".act .confirm")).to_be_enabled()
    page.click(".act button.confirm")
    refused = page.locator(".commands .moved")
    expect(refused).to_contain_text("放行：未执行")
    expect(refused).to_contain_text(str(seen))
    desk.hold_news(holds=False)
    expect(refused).to_contain_text("现在通道内是 未识别")
    desk.picture("changed")
    told = colleague.passage(before["id"])
    assert told["disposition"] != "release"
    assert colleague.passage(now["passage"]["id"])["disposition"] is None  # the next truck was left alone
    assert len(desk.errors) == 1
    assert "409" in desk.errors.pop()  # the browser's own line for the refusal


def test_an_unread_plate_is_supplied_and_the_truck_goes_by_the_rules(sit: Sit, colleague: Colleague) -> None:
    truck = TRUCKS[11]
    passage = colleague.waits_for_person("in-n1", None, "plate_unread")["passage"]
    desk = sit("desk-operator", "en", "dark")
    page = desk.sign_in()
    desk.choose("in-n1")
    expect(page.locator(".command.next")).to_contain_text("Supply fact")  # the right act stands out
    page.click("[data-command=resolve]")
    page.locator(".act input[name=plate]").fill(truck.plate)
    desk.picture("resolve")
    page.click(".act button.confirm")
    expect(page.locator(".commands [role=status]")).to_contain_text("accepted")
    colleague.gone("in-n1", passage["id"])
    told = colleague.passage(passage["id"])
    assert (told["plate"], told["verdict"], told["disposition"]) == (truck.plate, "release", "release")


def test_a_truck_on_hold_is_released_by_two_at_two_terminals(sit: Sit, colleague: Colleague) -> None:
    truck = TRUCKS[6]
    passage = colleague.waits_for_person("in-d1", truck.plate, "hold")["passage"]
    operator, supervisor = sit("desk-operator"), sit("visitor", "en", "dark")
    first, second = operator.sign_in(), supervisor.sign_in()
    operator.choose("in-d1")
    supervisor.choose("in-d1")
    first.click("[data-command=release]")
    expect(first.locator(".act .note")).to_contain_text("第二人批准")
    first.get_by_label("海关指令").check()
    first.click(".act button.confirm")
    expect(first.locator(".approval")).to_contain_text("自己的请求不能自己批准")
    expect(second.locator(".approval")).to_contain_text("desk-operator asks for: Release")
    expect(second.locator(".queue .call", has_text="waits for a second person")).to_be_visible()
    second.locator(".chart canvas").wait_for()
    supervisor.picture("two-people")
    assert violations(second) == []
    second.click("[data-command=approve]")
    second.click(".act button.confirm")
    expect(second.locator(".commands [role=status]")).to_contain_text("Approve: accepted")
    expect(first.locator(".approval")).to_be_hidden()
    colleague.gone("in-d1", passage["id"])
    told = colleague.passage(passage["id"])
    acts = [one["facts"] for one in told["records"] if one["kind"] == "command" and "approved_by" in one["facts"]]
    assert [(one["approved_by"], told["disposed_by"]) for one in acts] == [("user:visitor", "user:desk-operator")]


def test_with_the_line_cut_an_emergency_regime_is_opened_used_closed_and_reconciled(
    sit: Sit, site: DemoSite, colleague: Colleague
) -> None:
    used, truck = (
        TRUCKS[9],
        TRUCKS[13],
    )  # behind a truck with a used slip comes an honest one, whose slip must be claimed
    colleague.waits_for_person("out-d1", used.plate, "slip_used")
    # In every other lane somebody waits for a person: so nobody is judged there while the line is cut.
    colleague.waits_for_person("in-d1", TRUCKS[16].plate, "weight_mismatch")
    colleague.waits_for_person("in-n1", TRUCKS[17].plate, "wrong_lane_class")
    colleague.waits_for_person("out-n1", TRUCKS[20].plate_read, "plate_mismatch")
    operator, supervisor = sit("desk-operator"), sit("visitor")
    page = operator.sign_in()
    operator.choose("out-d1")
    expect(page.locator("[data-command=release]")).to_be_disabled()  # nothing releases a used slip
    site.cut_line()
    colleague.command("out-d1", "turn_back", "slip_used")
    passage = colleague.waits_for_person("out-d1", truck.plate, "claim_unavailable")["passage"]
    expect(page.locator(".judgement .who-may")).to_contain_text("须值班主管")

    page.goto(f"{site.url}/regime")
    page.get_by_label("理由").first.fill("到中心的线路中断")
    page.get_by_label("报关", exact=True).check()
    page.locator(f"input[name=type][value='{truck.load.slip_type}']").check()  # type: ignore[union-attr]
    page.locator("input[name=passages]").fill("2")
    page.get_by_role("button", name="申请开启").click()
    other = supervisor.sign_in("/regime")
    other.get_by_role("button", name="以第二人身份批准").click()
    expect(other.get_by_role("timer")).to_contain_text("59:")
    supervisor.picture("regime")
    assert violations(other) == []

    page.goto(f"{site.url}/")
    operator.choose("out-d1")
    page.click("[data-command=release]")  # now an operator alone may
    page.get_by_label("单证已核对").check()
    page.click(".act button.confirm")
    colleague.gone("out-d1", passage["id"])
    page.goto(f"{site.url}/regime")
    page.locator("input[name=reason]").first.fill("线路恢复")
    page.get_by_role("button", name="关闭应急模式").click()
    expect(page.get_by_role("timer")).to_be_hidden()
    site.mend_line()

    other.reload()
    other.get_by_role("button", name="核销").click()
    expect(other.locator(".badge.good", has_text="核对一致")).to_be_visible()
    told = colleague.reconciled()
    assert (told["closed_by"], told["not_reconciled"]) == ("user:desk-operator", 0)
    assert [(one["plate"], one["outcome"], one["ticked_by"]) for one in told["listed"]] == [
        (truck.plate, "confirmed", "user:visitor")
    ]
    assert colleague.passage(passage["id"])["disposed_by"] == "user:desk-operator"


def test_an_honest_truck_is_released_without_anybody(sit: Sit, colleague: Colleague) -> None:
    """It stands behind one that waits for a person: so somebody is looking before it comes."""
    waiting, truck = TRUCKS[16], TRUCKS[19]
    desk = sit(language="en", scheme="dark")
    page = desk.sign_in()
    desk.choose("in-d1")
    before = colleague.waits_for_person("in-d1", waiting.plate, "weight_mismatch")["passage"]
    desk.watch()
    colleague.command("in-d1", "release", "weight_explained")
    colleague.gone("in-d1", before["id"])
    lane = colleague.wait("in-d1", lambda lane: (lane["passage"] or {}).get("plate") == truck.plate, truck.plate)
    if PICTURES:
        expect(page.locator(".detail .judgement")).to_contain_text("Everything agrees")
        desk.picture("terminal-night")
    colleague.gone("in-d1", lane["passage"]["id"])
    expect(page.locator(".lane[data-lane=in-d1] .vehicle")).not_to_contain_text(truck.plate)
    agreed = [said for said in desk.seen() if truck.plate in said and "Everything agrees" in said]
    assert any(said.endswith("Release") for said in agreed), desk.seen()
    told = colleague.passage(lane["passage"]["id"])
    assert (told["verdict"], told["disposition"], told["disposed_by"]) == ("release", "release", "service")
    assert told["crossed_at"] is not None
    acts = [one["facts"]["command"] for one in told["records"] if one["kind"] == "command"]
    assert set(acts) <= {"resolve"}  # where its detectors missed how it left, somebody looked (`gone`); none before


def test_a_shift_is_handed_over_with_what_is_open(sit: Sit, colleague: Colleague) -> None:
    colleague.wait("out-n1", lambda lane: lane["state"] == "review", "a truck that waits")
    leaving, coming = sit("visitor"), sit("desk-operator", "en", "dark")
    page = leaving.sign_in("/shift")
    expect(page.locator(".matters")).to_contain_text("通道内有车辆")
    page.locator("textarea[name=note]").first.fill("2 号道地磅已报修")
    page.get_by_role("button", name="交班", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("visitor")
    page = coming.sign_in("/shift")
    expect(page.locator("blockquote")).to_have_text("2 号道地磅已报修")
    coming.picture("shift")
    assert violations(page) == []
    page.get_by_role("button", name="Accept the shift").click()
    expect(page.locator(".card h2").first).to_have_text("Shift 2")
    expect(page.locator(".card").first).to_contain_text("desk-operator")


def test_a_truck_is_turned_back_with_the_keyboard_alone(sit: Sit, colleague: Colleague) -> None:
    truck = TRUCKS[20]
    passage = colleague.waits_for_person("out-n1", truck.plate_read, "plate_mismatch")["passage"]
    desk = sit()
    page = desk.sign_in()
    call = page.locator(".queue .call", has_text=str(truck.plate_read))
    page.keyboard.press(call.locator("kbd").inner_text())
    page.wait_for_selector(".detail[data-lane=out-n1]")
    desk.press("t", "turn_back")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(page.locator(".commands [role=status]")).to_contain_text("退回：已受理")
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open]")
    desk.picture("keys")
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.keyboard.press("ArrowUp")
    page.wait_for_selector(".detail[data-lane=out-d1]")
    colleague.gone("out-n1", passage["id"])
    assert colleague.passage(passage["id"])["disposition"] == "back_out"


def test_both_languages_say_everything_and_change_under_the_hand(sit: Sit, colleague: Colleague) -> None:
    desk = sit()
    page = desk.sign_in()
    lane = colleague.wait("in-n1", lambda lane: lane["state"] == "review", "a truck that waits")
    desk.choose("in-n1")
    desk.press("s", "resolve")
    page.keyboard.press("Escape")
    expect(page.locator(".act")).to_have_count(0)
    page.keyboard.press("l")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator(f".detail[data-lane={lane['id']}] h2")).to_have_text("Inbound non-declared 1")
    own = "[lang=zh-CN], .plate, .facts, .to-go, .demo, .check dd, .check p, .explanation"
    left = page.evaluate(
        "(own) => { const copy = document.querySelector('#app').cloneNode(true);"
        " copy.querySelectorAll(own).forEach((one) => one.remove()); return copy.textContent; }",
        own,
    )
    assert CHINESE.findall(left) == []
    page.keyboard.press("l")
    expect(page.locator(f".detail[data-lane={lane['id']}] h2")).to_have_text("进区非报关 1")


def test_the_driver_reads_what_to_do(sit: Sit) -> None:
    desk = sit()
    page = desk.sign_in()
    page.goto(f"{desk.site.url}/driver/in-d1")
    expect(page.locator("h1 [lang=en]")).not_to_be_empty()
    desk.picture("driver")
    assert violations(page) == []
