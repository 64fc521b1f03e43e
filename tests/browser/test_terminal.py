"""What the terminal promises beyond the stories: sound, keys, touch, the moment of change, two people, reasons."""

from __future__ import annotations

import asyncio
import struct
import time
import zlib
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import WITHIN_S, Line, Running, Visitor, Visitors, violations
from tests.fakes.web_gate import iso, overweight_passage
from tests.fakes.web_site import PASSWORD

pytestmark = pytest.mark.browser

COUNT_TONES = """
window.tones = 0;
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...at) { window.tones += 1; return start.apply(this, at); };
"""
BLOCK_SOUND = """
let isTouched = false;
Object.defineProperty(AudioContext.prototype, "state", { get() { return isTouched ? "running" : "suspended"; } });
AudioContext.prototype.resume = function () { return Promise.resolve(); };
document.addEventListener("pointerdown", () => { isTouched = true; }, { capture: true });
"""
LEAST_TARGET_PX = 44


def choose(page: Page, lane: str) -> None:
    page.click(f".lane[data-lane={lane}] .name button")
    page.wait_for_selector(f".detail[data-lane={lane}]")


def attend(running: Running, lane: str, state: str = "review", *, escalated: bool = False) -> None:
    """Let a lane call for somebody."""
    running.change(lane, state=state, attention={"code": state, "since_at": iso(1), "escalated": escalated})


def silence(running: Running) -> None:
    """Nobody waits for anybody."""
    for lane in list(running.gate.snapshots):
        running.change(lane, state="idle", attention=None, fire=False)


def wait_for_tones(page: Page, wanted: int) -> None:
    """So many tones in all; the page's content policy forbids Playwright to poll by itself."""
    deadline = time.monotonic() + WITHIN_S
    while page.evaluate("window.tones") != wanted:
        assert time.monotonic() < deadline, page.evaluate("window.tones")
        page.wait_for_timeout(50)


def press(page: Page, key: str, command: str) -> None:
    """Give a command by its key, once its button can be pressed: before, a key does nothing."""
    expect(page.locator(f"[data-command={command}]")).to_be_enabled()
    page.keyboard.press(key)
    expect(page.locator(f".act.{command} :focus")).to_have_count(1)  # the form has the keys that come next


# Sound ------------------------------------------------------------------------------------------------------------


def test_a_new_call_sounds_once_a_muted_one_and_a_detained_one_never(visitor: Visitor, running: Running) -> None:
    silence(running)
    visitor.context.add_init_script(COUNT_TONES)
    visitor.page.clock.install()
    page = visitor.sign_in()
    visitor.stop_clock()
    expect(page.locator("[data-sound=on]")).to_be_visible()
    assert page.evaluate("window.tones") == 0
    attend(running, "in-d1")
    wait_for_tones(page, 2)
    visitor.pass_ms(600)
    assert page.evaluate("window.tones") == 2  # the same call does not sound again
    attend(running, "in-d2", "detained")  # told silently: the driver stands at the window
    expect(page.locator(".queue .call")).to_have_count(2)
    visitor.pass_ms(400)
    assert page.evaluate("window.tones") == 2
    page.keyboard.press("m")
    expect(page.locator("[data-sound=muted]")).to_contain_text("静音")
    attend(running, "out-d1")
    expect(page.locator(".queue .call")).to_have_count(3)
    visitor.pass_ms(400)
    assert page.evaluate("window.tones") == 2
    page.clock.resume()
    page.reload()
    expect(page.locator("[data-sound=muted]")).to_be_visible()  # kept


def test_an_overdue_call_sounds_otherwise_than_a_new_one(visitor: Visitor, running: Running) -> None:
    silence(running)
    visitor.context.add_init_script(COUNT_TONES)
    visitor.page.clock.install()
    page = visitor.sign_in()
    visitor.stop_clock()
    expect(page.locator("[data-sound=on]")).to_be_visible()
    attend(running, "in-d1")
    wait_for_tones(page, 2)
    attend(running, "in-d1", escalated=True)
    wait_for_tones(page, 5)


def test_sound_that_the_browser_blocks_is_said_and_woken_by_a_touch(visitor: Visitor) -> None:
    visitor.context.add_init_script(BLOCK_SOUND)
    page = visitor.sign_in()
    blocked = page.locator("[data-sound=blocked]")
    expect(blocked).to_contain_text("拦住")
    blocked.click()
    expect(page.locator("[data-sound=on]")).to_be_visible()


# Keys and touch ---------------------------------------------------------------------------------------------------


def test_single_keys_can_be_switched_off_and_then_do_nothing(visitor: Visitor) -> None:
    page = visitor.come_in()
    choose(page, "in-d1")
    page.keyboard.press("?")
    page.get_by_role("button", name="单键已启用").click()
    page.get_by_role("button", name="关闭", exact=True).click()
    assert page.locator("kbd:visible").count() == 0
    page.keyboard.press("r")
    assert page.locator(".act").count() == 0
    page.keyboard.press("ArrowDown")
    page.wait_for_selector(".detail[data-lane=in-d2]")


def test_keys_do_nothing_while_somebody_types(visitor: Visitor) -> None:
    page = visitor.come_in()
    choose(page, "in-n1")
    press(page, "s", "resolve")
    page.locator(".act input[name=plate]").press_sequentially("TRX1")
    expect(page.locator(".act.resolve input[name=plate]")).to_have_value("TRX1")
    page.keyboard.press("Escape")
    expect(page.locator(".act")).to_have_count(0)
    expect(page.locator("[data-command=resolve]")).to_be_focused()


@pytest.mark.parametrize("width", [390, 1024, 1440])
def test_every_target_is_large_enough_for_a_gloved_finger(visitors: Visitors, width: int) -> None:
    page = visitors(width=width).come_in()
    choose(page, "in-d1")
    page.click("[data-command=turn_back]")
    page.wait_for_selector(".act")
    small = page.evaluate(
        """(least) => [...document.querySelectorAll("button, a, input, textarea, .chip")]
        .filter((one) => !one.closest(".name") && one.checkVisibility())
        .map((one) => [one.textContent || one.name, one.getBoundingClientRect()])
        .filter(([, box]) => box.width < least - 0.5 || box.height < least - 0.5)
        .map(([name, box]) => `${name} ${box.width}x${box.height}`)""",
        LEAST_TARGET_PX,
    )
    assert small == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    row = page.locator(".lane[data-lane=in-d1]").bounding_box()
    assert row is not None
    assert row["height"] >= LEAST_TARGET_PX


# What cannot be known cannot be clicked ---------------------------------------------------------------------------


def test_a_silent_device_is_said_within_three_seconds_and_booms_stay(visitor: Visitor, running: Running) -> None:
    line = Line(visitor.page)
    visitor.page.clock.install()
    page = visitor.come_in()
    choose(page, "in-d1")
    visitor.stop_clock()
    expect(page.locator("[data-command=release]")).to_be_enabled()
    running.change(
        "in-d1", inputs_age_ms=1500, weight={"value_kg": 33_250, "status": "ok", "stable": True, "age_ms": 0}
    )
    expect(page.locator(".lane[data-lane=in-d1] .weight")).to_contain_text("33,250")
    line.is_held = True  # no newer age is told: the device is silent, and the line is not lost yet
    visitor.pass_ms(750)
    expect(page.locator("[data-command=release]")).to_be_enabled()
    visitor.pass_ms(750)
    expect(page.locator("[data-command=release]")).to_be_disabled()
    expect(page.locator(".detail .blocked")).to_contain_text("看不到现场")
    expect(page.locator("[data-command=hold]")).to_be_enabled()


def test_a_device_that_falls_silent_is_told_by_the_service_too(visitor: Visitor, running: Running) -> None:
    page = visitor.come_in()
    choose(page, "in-d1")
    expect(page.locator("[data-command=release]")).to_be_enabled()
    running.loop.call_soon_threadsafe(running.gate.fall_silent, "in-d1")
    expect(page.locator("[data-command=release]")).to_be_disabled()
    expect(page.locator(".connection.live")).to_be_visible()


def test_just_after_the_facts_changed_nothing_can_be_clicked(visitor: Visitor, running: Running) -> None:
    visitor.page.clock.install()
    page = visitor.come_in()
    choose(page, "in-d1")
    release = page.locator("[data-command=release]")
    visitor.stop_clock()
    expect(release).to_be_enabled()
    running.change("in-d1", passage=overweight_passage() | {"id": "next", "facts_version": 1, "plate": "浙B99999"})
    expect(page.locator(".detail .versions")).to_contain_text("刚刚变化")
    expect(release).to_be_disabled()
    visitor.pass_ms(500)
    expect(release).to_be_disabled()
    visitor.pass_ms(500)
    expect(release).to_be_enabled()
    expect(page.locator(".detail .versions")).not_to_contain_text("刚刚变化")


def test_what_nobody_may_release_offers_no_release_and_each_command_keeps_its_place(
    visitor: Visitor, running: Running
) -> None:
    page = visitor.come_in()
    choose(page, "in-d1")
    before = page.locator("[data-command=turn_back]").bounding_box()
    running.change("in-d1", passage=overweight_passage() | {"override_by": "nobody"}, commands=["turn_back", "hold"])
    expect(page.locator("[data-command=release]")).to_be_disabled()
    expect(page.locator(".judgement")).to_contain_text("任何人不得放行")
    assert page.locator("[data-command=turn_back]").bounding_box() == before


# The second person ------------------------------------------------------------------------------------------------


def ask_for_two(page: Page) -> None:
    choose(page, "in-d1")
    page.click("[data-command=release]")
    page.get_by_label("海关指令").check()
    page.click(".act button.confirm")


def test_the_second_person_approves_here_and_a_wrong_password_may_be_mended(visitor: Visitor, running: Running) -> None:
    running.gate.needs_second = True
    page = visitor.come_in()
    ask_for_two(page)
    expect(page.locator(".commands [role=status]")).to_contain_text("等第二人批准")
    expect(page.locator(".approval")).to_contain_text("4:5")
    page.click("[data-command=approve]")
    page.fill(".act input[name=name]", "sup")
    page.fill(".act input[name=password]", "wrong")
    page.keyboard.press("Enter")
    expect(page.locator(".commands [role=alert]")).to_contain_text("不符")
    expect(page.locator(".act input[name=password]")).to_have_value("")
    page.fill(".act input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator(".commands [role=status]")).to_contain_text("批准：已受理")
    [(lane, command_id, actor)] = running.gate.approved
    assert (lane, command_id, actor.label) == ("in-d1", "c-1", "user:sup")
    assert all("401" in error for error in visitor.errors)


def test_an_approval_form_dies_with_the_facts_it_was_opened_on(visitor: Visitor, running: Running) -> None:
    running.gate.needs_second = True
    page = visitor.come_in()
    ask_for_two(page)
    page.click("[data-command=approve]")
    page.fill(".act input[name=name]", "sup")
    page.fill(".act input[name=password]", PASSWORD)
    assert violations(page) == []
    running.change("in-d1", passage=overweight_passage() | {"facts_version": 8}, approval=None)
    expect(page.locator(".act .refused")).to_contain_text("已变化")
    expect(page.locator(".act .confirm")).to_be_disabled()
    assert running.gate.approved == []


# Reasons, ways, what a person saw ---------------------------------------------------------------------------------


def test_reasons_given_most_come_first_with_how_often(visitor: Visitor, running: Running) -> None:
    running.gate.reason_counts = {"release": {"customs_instruction": 9, "weight_explained": 4}}
    page = visitor.come_in()
    choose(page, "in-d1")
    page.click("[data-command=release]")
    chips = page.locator(".act .chip")
    expect(chips.nth(0)).to_contain_text("海关指令")
    expect(chips.nth(0).locator("small")).to_have_text("9")
    expect(chips.nth(1)).to_contain_text("重量差异已说明")
    expect(chips.last).to_contain_text("其他")
    page.keyboard.press("2")
    expect(page.get_by_label("重量差异已说明")).to_be_checked()


def test_the_way_out_is_chosen_and_what_turned_it_back_is_the_first_reason(visitor: Visitor, running: Running) -> None:
    running.change("in-d1", ways=["back_out", "divert"])
    page = visitor.come_in()
    choose(page, "in-d1")
    page.click("[data-command=turn_back]")
    expect(page.locator(".act .chip", has_text="倒车退出").locator("input")).to_be_checked()
    page.get_by_label("驶往指定区域").check()
    page.keyboard.press("1")
    page.click(".act button.confirm")
    expect(page.locator(".commands [role=status]")).to_be_visible()
    [(_, request, _)] = running.gate.given
    assert (request.reason_code, request.fields) == ("weight_mismatch", {"way": "divert"})


def test_what_a_person_saw_is_told_as_a_fact_of_its_own(visitor: Visitor, running: Running) -> None:
    running.change("in-d1", attests=["crossed", "departed"])
    page = visitor.come_in()
    choose(page, "in-d1")
    press(page, "g", "crossed")
    expect(page.locator(".act.crossed")).to_contain_text("我看见此车已向前驶离")
    page.keyboard.press("Enter")
    expect(page.locator(".commands [role=status]")).to_contain_text("目视：已驶过：已受理")
    [(_, request, _)] = running.gate.given
    assert (request.command.value, request.reason_code, request.fields) == (
        "resolve",
        "seen_by_operator",
        {"crossed": True},
    )


# The curve and the pages ------------------------------------------------------------------------------------------


def test_a_page_that_opens_shows_how_the_vehicle_came_to_stand(visitor: Visitor, running: Running) -> None:
    def noted() -> int | None:
        points = running.site.app.state.web.hub.curves()["curves"].get("in-d2")
        return points[-1][1] if points else None

    async def weigh(kg: int) -> None:
        """A point per half second is kept, the lane's first one included: time passes, and each is noted in its own."""
        while noted() is None:  # noqa: ASYNC110 - nobody tells that a lane was noted
            await asyncio.sleep(0.01)
        running.site.clock.offset += timedelta(seconds=0.6)
        running.gate.change("in-d2", weight={"value_kg": kg, "status": "ok", "stable": False, "age_ms": 20})
        while noted() != kg:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)

    for kg in (0, 9_000, 21_840):
        running.run(weigh(kg))
    page = visitor.come_in()
    choose(page, "in-d2")
    page.locator(".chart canvas").wait_for()
    told = page.evaluate(
        "import('/static/app/curve.js').then(({ ringOf }) => ringOf('in-d2').read(performance.now())[1])"
    )
    assert [kg for kg in (0, 9_000, 21_840) if kg in told] == [0, 9_000, 21_840]
    expect(page.locator(".chart")).to_have_attribute("aria-label", "最近 60 秒的重量曲线，现在 21,840 千克")


def test_the_pages_that_a_person_may_open_are_the_ones_that_are_linked(visitors: Visitors) -> None:
    for name, wanted in (("op", ["/", "/api/docs"]), ("sup", ["/", "/authority", "/api/docs"])):
        page = visitors().come_in(name)
        links = page.locator(".pages a")
        assert set(wanted) <= set(links.evaluate_all("(all) => all.map((one) => one.getAttribute('href'))"))
        assert page.locator(".pages [aria-current=page]").get_attribute("href") == "/"
        for path in links.evaluate_all("(all) => all.map((one) => one.getAttribute('href'))"):
            assert page.request.get(f"http://{page.url.split('/')[2]}{path}").status == 200


def png(width: int, height: int) -> bytes:
    """A picture of one grey."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress((b"\0" + b"\x80" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def test_a_photo_of_the_vehicle_is_shown_beside_its_facts_and_moves_no_command(
    visitor: Visitor, running: Running
) -> None:
    running.gate.photos.append(("in-d1", png(640, 360), "image/png"))
    page = visitor.come_in()
    choose(page, "in-d1")
    command = page.locator("[data-command=release]")
    before = command.bounding_box()
    running.change("in-d1", passage=overweight_passage() | {"photos": ["0" * 64]})
    photo = page.locator(".photos img")
    expect(photo).to_have_attribute("alt", "车辆照片 1，点开看大图")
    photo.scroll_into_view_if_needed()
    expect(photo).to_have_js_property("naturalWidth", 640)
    page.evaluate("scrollTo(0, 0)")
    assert command.bounding_box() == before
    assert violations(page) == []


def test_a_photo_that_comes_while_the_terminal_is_locked_is_there_once_it_is_unlocked(
    visitor: Visitor, running: Running
) -> None:
    running.gate.photos.append(("in-d1", png(640, 360), "image/png"))
    page = visitor.come_in()
    choose(page, "in-d1")
    page.get_by_role("button", name="锁定").click()
    dialog = page.locator("dialog.lock")
    expect(dialog).to_be_visible()
    running.change("in-d1", passage=overweight_passage() | {"plate": "浙B77777", "photos": ["0" * 64]})
    expect(page.locator(".detail .lead .plate")).to_contain_text("77777")
    assert visitor.errors == []
    dialog.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator(".photos img")).to_have_js_property("naturalWidth", 640)


def test_who_may_not_read_the_record_is_shown_no_broken_photos(visitor: Visitor, running: Running) -> None:
    page = visitor.come_in("root")
    choose(page, "in-d1")
    running.change("in-d1", passage=overweight_passage() | {"plate": "浙B77777", "photos": ["0" * 64]})
    expect(page.locator(".detail .lead .plate")).to_contain_text("77777")
    expect(page.locator(".photos")).to_have_count(0)
    assert visitor.errors == []
