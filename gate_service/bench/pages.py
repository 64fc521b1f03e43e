"""`gate bench pages`: the operator terminal in Chromium while eight lanes move and fifty terminals look.

From opening the page to its first button that can be pressed, beside an empty page of the same service; from an
indicator's frame to its number on the screen; bytes on the wire; memory of page and service over 36,000 updates; and
how long the service takes to stop with everybody connected. Needs Chromium and the development packages.
"""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from gate_service.bench.bench_site import disk_folder
from gate_service.bench.figure import Figure, quantile
from gate_service.bench.pages_site import LANES, UPDATES_PER_S, PagesSite, frame_shown, other_terminals, running
from gate_service.domain.errors import InputError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

CHROMIUM: Final = "chromium"
FLAGS: Final = ("--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync")
OPENINGS: Final = 5
UPDATES: Final = 36_000
WARM_UP_S: Final = 20.0
LATENCY_S: Final = 30.0
LOOK_EVERY_S: Final = 10.0
WIRE_LIMIT_BYTES: Final = 250_000
LATENCY_LIMIT_MS: Final = 150.0
STOP_LIMIT_S: Final = 3.0
FLAT_LIMIT: Final = 1.1
"""Site decision: last third over first third. A leak of one snapshot (1 kB) per 50 updates is 1.1 of a page's 5 MB."""

USABLE: Final = """
() => {
  const look = () => {
    const isUsable = document.querySelectorAll(".lane").length > 0 && document.querySelector(".connection.live")
      && document.querySelector("[data-command]:enabled");
    if (isUsable) window.usableAt = performance.now(); else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}
"""
WATCH: Final = """
() => {
  window.shown = [];
  const last = {};
  let isDue = false;
  const painted = new MessageChannel();
  painted.port1.onmessage = () => {
    isDue = false;
    const at = performance.timeOrigin + performance.now();
    for (const lane of document.querySelectorAll(".lane")) {
      const text = lane.querySelector(".value")?.textContent;
      if (text === undefined || last[lane.dataset.lane] === text) continue;
      last[lane.dataset.lane] = text;
      window.shown.push([lane.dataset.lane, Number(text.replace(/\\D/g, "")), at]);
    }
  };
  window.watching = new MutationObserver(() => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => painted.port2.postMessage(0)); // a task after the frame: what was drawn is shown
  });
  window.watching.observe(document.querySelector(".lanes"), { subtree: true, childList: true, characterData: true });
}
"""


def bench_pages(updates: int = UPDATES, latency_s: float = LATENCY_S, openings: int = OPENINGS) -> list[Figure]:
    """Measure everything on one service."""
    with disk_folder() as folder, _chromium() as browser, running(folder) as site:
        found = _opening(browser, site, openings)
        with other_terminals(site) as others, _terminal(browser, site) as page:
            page.wait_for_timeout(min(WARM_UP_S, latency_s) * 1000)
            found += _latency(page, site, latency_s)
            found += _memory(page, site, updates)
            others.check()
            stop_s = site.stop()
    name = f"stop with {50} terminals connected"
    return [*found, Figure("pages", name, stop_s, "s", STOP_LIMIT_S, "limit", 1.0)]


@contextmanager
def _chromium() -> Iterator[Browser]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise InputError("bench pages: the development packages expected (make setup-dev), playwright is not") from None
    path = shutil.which(CHROMIUM)
    if path is None:
        raise InputError(f"bench pages: {CHROMIUM} expected on the path, none found")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def _terminal(browser: Browser, site: PagesSite) -> Iterator[Page]:
    """The terminal in a browser that knows nothing yet but the session."""
    with _context(browser, site) as context:
        page = context.new_page()
        page.goto(f"{site.url}/")
        page.wait_for_selector("[data-command]:enabled")
        yield page


@contextmanager
def _context(browser: Browser, site: PagesSite) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_cookies([{"name": name, "value": value, "url": site.url} for name, value in site.cookies])
    try:
        yield context
    finally:
        context.close()


# Opening ----------------------------------------------------------------------------------------------------------


def _opening(browser: Browser, site: PagesSite, openings: int) -> list[Figure]:
    usable_ms, empty_ms, wire_bytes = [], [], 0
    for _ in range(openings):
        usable, wire_bytes = _open_terminal(browser, site)
        usable_ms.append(usable)
        empty_ms.append(_open_empty(browser, site))
    return [
        Figure(
            "pages", f"terminal usable, median of {openings}, nothing cached", statistics.median(usable_ms), "ms",
            statistics.median(empty_ms), "empty page",
        ),
        Figure("pages", "terminal on the wire", wire_bytes, "bytes", WIRE_LIMIT_BYTES, "limit", 1.0),
    ]  # fmt: skip


def _open_terminal(browser: Browser, site: PagesSite) -> tuple[float, int]:
    """Milliseconds from navigation to a button that can be pressed, lanes live behind it; bytes received by then."""
    with _context(browser, site) as context:
        page = context.new_page()
        wire = context.new_cdp_session(page)
        loaded: list[float] = []
        frames: list[str] = []
        wire.on("Network.loadingFinished", lambda told: loaded.append(told["encodedDataLength"]))
        wire.on("Network.webSocketFrameReceived", lambda told: frames.append(told["response"]["payloadData"]))
        wire.send("Network.enable")
        page.add_init_script(f"({USABLE.strip()})()")
        page.goto(f"{site.url}/")
        page.wait_for_selector("[data-command]:enabled")
        page.wait_for_selector(".chart canvas")  # its program comes last and belongs to the terminal
        return float(page.evaluate("window.usableAt")), round(sum(loaded) + bytes_until_lanes(frames))


def bytes_until_lanes(frames: list[str]) -> int:
    """Bytes on the live connection until the first telling of lanes, of all in one frame: the terminal is usable. Pure.

    Then they go on coming as long as somebody looks: those count that a slow machine draws late would be its speed.
    """
    total = 0
    for frame in frames:
        total += len(frame)
        if frame.startswith('{"type":"lanes"'):
            break
    return total


def _open_empty(browser: Browser, site: PagesSite) -> float:
    with _context(browser, site) as context:
        page = context.new_page()
        page.goto(f"{site.url}/healthz")
        return float(page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd"))


# From device to screen --------------------------------------------------------------------------------------------


def _latency(page: Page, site: PagesSite, latency_s: float) -> list[Figure]:
    # Two clocks of one machine: frames are stamped with the monotonic one, Chromium tells the wall's.
    offset_ns = time.time_ns() - time.monotonic_ns()
    page.evaluate(WATCH)
    began_ns = time.monotonic_ns()
    page.wait_for_timeout(latency_s * 1000)
    ended_ns = time.monotonic_ns()
    shown = page.evaluate("(window.watching.disconnect(), window.shown)")
    page.evaluate("(window.shown = null, window.watching = null)")
    spans_ms: list[float] = []
    seen = 0
    for number in range(LANES):
        sent = site.sent_ns(number)
        mine = [(kg, int(at * 1e6) - offset_ns) for lane, kg, at in shown if lane == f"lane-{number}"]
        seen += len(mine)
        spans_ms += spans_to_screen(sent, mine, began_ns, ended_ns)
    expected = LANES * UPDATES_PER_S * (ended_ns - began_ns) / 1e9
    figures = [
        Figure("pages", f"device to screen, {title} of {len(spans_ms)} updates", quantile(spans_ms, share), "ms",
               LATENCY_LIMIT_MS, "limit", 1.0 if title == "p95" else None)
        for title, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("largest", 1.0))
    ]  # fmt: skip
    return [*figures, Figure("pages", "numbers that were on the screen", seen, "numbers", expected, "frames sent")]


def spans_to_screen(sent: list[int], shown: list[tuple[int, int]], began_ns: int, ended_ns: int) -> list[float]:
    """Milliseconds from each frame sent in the span until it, or a newer one, was on the screen. Pure.

    `shown` is (kilograms, moment) in the order of the screen. A frame whose successors came on no screen counts until
    the end: what was never shown is not left out. The last second's frames are, their time has not come.
    """
    numbers = [(number, at) for kg, at in shown if (number := frame_shown(kg, at, sent)) is not None]
    spans, place = [], 0
    for number, at_ns in enumerate(sent):
        if not began_ns <= at_ns < ended_ns - 1_000_000_000:
            continue
        while place < len(numbers) and numbers[place][0] < number:
            place += 1
        spans.append(((numbers[place][1] if place < len(numbers) else ended_ns) - at_ns) / 1e6)
    return spans


# Memory -----------------------------------------------------------------------------------------------------------


def _memory(page: Page, site: PagesSite, updates: int) -> list[Figure]:
    """Page heap, page nodes and service memory while so many updates come; the last third beside the first."""
    wire = page.context.new_cdp_session(page)
    looks: list[dict[str, float]] = []
    duration_s = updates / (LANES * UPDATES_PER_S)
    began_s = time.monotonic()
    while (passed_s := time.monotonic() - began_s) < duration_s or len(looks) < 3:
        looks.append(_look(wire) | {"service": site.resident_kb() / 1000})
        page.wait_for_timeout(min(LOOK_EVERY_S, duration_s / 6) * 1000)
    told = round(passed_s * LANES * UPDATES_PER_S)
    third = len(looks) // 3
    units = {"page heap": "MB", "page nodes": "nodes", "service": "MB"}
    return [
        Figure(
            "pages", f"{what} over {told} updates", statistics.median(look[what] for look in looks[-third:]), unit,
            statistics.median(look[what] for look in looks[:third]), "first third", FLAT_LIMIT,
        )
        for what, unit in units.items()
    ]  # fmt: skip


def _look(wire: Any) -> dict[str, float]:
    wire.send("HeapProfiler.collectGarbage")
    heap = wire.send("Runtime.getHeapUsage")["usedSize"] / 1e6
    return {"page heap": heap, "page nodes": wire.send("Memory.getDOMCounters")["nodes"]}
