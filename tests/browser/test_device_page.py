"""What a person at the cabinet sees of the devices."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Running, Visitor, Visitors

pytestmark = pytest.mark.browser


def facts() -> list[dict[str, Any]]:
    """Devices as the drivers' snapshots have them: one in fault, one doubtful, one good, a lane's inputs."""
    module = {
        "kind": "io_module",
        "quality": "from the manual only",
        "title": "WAGO 750-3xx fieldbus coupler",
        "profile": "wago-750",
        "unsafe_because": None,
        "rejects": {},
        "last_sent": "00 01 00 00 00 06 01 02 00 00 00 0c",
        "last_received": "00 01 00 00 00 05 01 02 02 40 05",
        "outputs": {"0": False, "4": True},
        "patience": {"shared": False, "silent": False, "asked_again_in_ms": 0},
    }
    return [
        module
        | {
            "device": "io-in-1", "url": "modbus-tcp://192.0.2.10/1", "fault": None, "age_ms": 30,
            "is_safe_state_confirmed": True,
        },
        module
        | {
            "device": "io-in-2", "url": "modbus-rtu:///dev/ttyS9/2", "fault": "no answer of this unit within 0.4 s",
            "age_ms": 61_000, "is_safe_state_confirmed": False,
            "unsafe_because": "register 0x1000: 1 to 100 expected, found 0",
            "rejects": {"timeout": 17, "exception_2": 3, "echo_mismatch": 1, "newer_than_this_page": 2},
            "patience": {"shared": True, "silent": True, "asked_again_in_ms": 8200},
        },
        module
        | {
            "device": "io-in-3", "url": "modbus-tcp://192.0.2.12/1", "fault": None, "age_ms": 40,
            "is_safe_state_confirmed": None,
        },
        {
            "device": "in-1 inputs", "kind": "lane_inputs", "fault": None, "age_ms": 30,
            "detectors": {"approach": "clear", "exit_loop": "unknown"}, "booms": {"entry": "by_hand", "exit": "down"},
            "switches": {"fire": False, "local_button": True},
        },
        {
            "device": "in-1 weighbridge", "kind": "weighbridge", "fault": None, "age_ms": 80, "frames": 1200,
            "rejects": {"checksum": 4}, "last_received": "02 2b 30 30 33 31 32 30 30 31 42 03",
            "protocol": "xk3190-continuous", "quality": "verified on a capture", "port": "/dev/ttyS9",
        },
    ]  # fmt: skip


@pytest.fixture
def page_of(running: Running) -> Any:
    running.gate.device_facts = facts()

    def opened(visitor: Visitor, name: str = "op") -> Page:
        return visitor.come_in(name, "/devices", ".device")

    return opened


def test_every_device_is_shown_with_what_a_person_needs_and_those_in_fault_come_first(
    visitors: Visitors, page_of: Any
) -> None:
    visitor = visitors("en")
    page = page_of(visitor)
    devices = page.locator(".device")
    expect(devices).to_have_count(5)
    assert [one.get_attribute("data-device") for one in devices.all()][:2] == ["io-in-2", "io-in-3"]
    bad = page.locator("[data-device=io-in-2]")
    for text in (
        "no answer of this unit within 0.4 s",
        "17 no answer in time",
        "3 refused by the device, exception 2",
        "1 echo of a write differs",
        "2 newer_than_this_page",
        "silent, asked apart, again in 9 s",
        "register 0x1000: 1 to 100 expected, found 0",
        "from the manual only",
        "00 01 00 00 00 05 01 02 02 40 05",
        "modbus-rtu:///dev/ttyS9/2",
    ):
        expect(bad).to_contain_text(text)
    expect(bad.locator("dd").first).to_contain_text("1:0")
    expect(page.locator("[data-device=io-in-1] .safe")).to_have_text("confirmed by read-back")
    expect(page.locator("[data-device=io-in-3] .safe")).to_have_text("cannot be read: unknown")
    lane = page.locator('[data-device="in-1 inputs"]')
    for text in ("exit loop unknown", "by hand", "local button on", "fire off"):
        expect(lane).to_contain_text(text)
    expect(page.locator("main [role=status]")).to_have_text("5 devices, 1 with a fault")
    assert visitor.errors == []


def test_the_page_follows_and_an_age_grows_when_nothing_is_heard(
    visitor: Visitor, running: Running, page_of: Any
) -> None:
    visitor.page.clock.install()
    page = page_of(visitor)
    running.gate.device_facts = [facts()[0] | {"rejects": {"short_answer": 9}}]
    expect(page.locator(".device")).to_have_count(1)
    expect(page.locator(".rejects")).to_contain_text("9 应答长度不符")
    running.stop()
    expect(page.get_by_role("alert").first).to_be_visible()
    visitor.pass_ms(4000)
    expect(page.locator(".device")).to_contain_text(re.compile(r"0:(0[4-9]|[1-5]\d)"))
    expect(page.locator(".device .badge")).to_have_text("故障")


@pytest.mark.parametrize(("name", "is_linked"), [("op", True), ("sup", True), ("root", True)])
def test_who_watches_the_lanes_finds_the_page_in_the_navigation(
    visitor: Visitor, page_of: Any, name: str, is_linked: bool
) -> None:
    page = page_of(visitor, name)
    link = page.locator("nav.pages a[href='/devices']")
    assert link.count() == int(is_linked)
    assert link.get_attribute("aria-current") == "page"


def test_the_filter_and_the_bytes_are_reached_by_the_keyboard(visitor: Visitor, page_of: Any) -> None:
    page = page_of(visitor)
    button = page.locator("main .head button")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".device")).to_have_count(2)
    expect(button).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "bytes"
    page.locator("main .head button").focus()
    page.keyboard.press("Space")
    expect(page.locator(".device")).to_have_count(5)


def test_axe_finds_nothing_on_the_device_page(visitor: Visitor, page_of: Any) -> None:
    page_of(visitor)
    assert visitor.violations_in() == []
    assert visitor.errors == []


def test_the_page_fits_a_telephone(visitors: Visitors, page_of: Any) -> None:
    page = page_of(visitors("zh", "light", 390, 800))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
