"""The pages in real Chromium, against a real server with a fake gate in a thread of its own.

Run apart from the other tests (`-m browser`): Playwright's synchronous interface and pytest-asyncio want the same loop.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, WebSocketRoute, expect, sync_playwright

from gate_service.domain.commands import Role
from tests.fakes.held_port import HeldPort
from tests.fakes.web_gate import FakeGate
from tests.fakes.web_site import PASSWORD, Site, serve

T = TypeVar("T")

FLAGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
)
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
SOUND_BLOCKED = "AudioContext was not allowed to start"  # said by the browser; the page says it at its bell
WITHIN_S = 20  # what is awaited comes much sooner; a busy machine takes its time
DRESSES = [(scheme, language) for scheme in ("light", "dark") for language in ("zh-CN", "en")]
PEOPLE = {"op": Role.OPERATOR, "sup": Role.SUPERVISOR, "aud": Role.AUDITOR, "root": Role.ADMINISTRATOR}

expect.set_options(timeout=WITHIN_S * 1000)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put tests marked `in_order` back into the order they are written in: their trucks come in theirs."""
    ordered = [item for item in items if item.get_closest_marker("in_order")]
    places = [place for place, item in enumerate(items) if item.get_closest_marker("in_order")]
    ordered.sort(key=lambda item: (str(item.path), item.reportinfo()[1] or 0))
    for place, item in zip(places, ordered, strict=True):
        items[place] = item


def violations(page: Page) -> list[str]:
    """What axe-core finds on a page as it is."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


class Running:
    """A site in its own thread; can be stopped and started again on the same data and port."""

    def __init__(self, directory: Path, gate: FakeGate, port: int) -> None:
        self.directory = directory
        self.gate = gate
        self.port = port
        self.site: Site
        self.loop: asyncio.AbstractEventLoop

    def start(self) -> None:
        """Serve until `stop`."""
        ready: Future[None] = Future()
        self.thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)), name="site")
        self.thread.start()
        ready.result(WITHIN_S * 2)

    def stop(self) -> None:
        """Stop and wait for the end; twice is no mistake."""
        if self.thread.is_alive():
            self.loop.call_soon_threadsafe(self.ended.set)
            self.thread.join(WITHIN_S)
            assert not self.thread.is_alive()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something on the site's loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(WITHIN_S)

    def call(self, begin: Callable[[], Awaitable[T]]) -> T:
        """Begin something on the site's loop, a write to the record, and wait for it."""

        async def work() -> T:
            return await begin()

        return self.run(work())

    def change(self, lane: str, **changes: Any) -> None:
        """Move a lane."""
        self.loop.call_soon_threadsafe(lambda: self.gate.change(lane, **changes))

    async def _serve(self, ready: Future[None]) -> None:
        try:
            self.loop, self.ended = asyncio.get_running_loop(), asyncio.Event()
            async with serve(self.directory, self.gate, self.port) as self.site:
                if not await self.site.accounts.has_users():
                    for name, role in PEOPLE.items():
                        await self.site.accounts.add_user(name, role, PASSWORD, "service")
                ready.set_result(None)
                await self.ended.wait()
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def gate() -> FakeGate:
    return FakeGate()


@pytest.fixture
def running(tmp_path: Path, gate: FakeGate) -> Iterator[Running]:
    with HeldPort() as held:
        running = Running(tmp_path, gate, held.number)
        running.start()
        yield running
        running.stop()


class Line:
    """The page's live connection, that a test can hold: it stays open, and nothing comes."""

    def __init__(self, page: Page) -> None:
        self.is_held = False
        page.route_web_socket("**/api/v1/live", self._pass_on)

    def _pass_on(self, route: WebSocketRoute) -> None:
        server = route.connect_to_server()
        server.on_message(lambda text: None if self.is_held else route.send(text))


class Visitor:
    """A browser of one person; remembers what went wrong in it and whom it asked."""

    def __init__(self, context: BrowserContext, running: Running) -> None:
        self.context = context
        self.running = running
        self.page: Page = context.new_page()
        self.page.set_default_timeout(WITHIN_S * 1000)
        self.errors: list[str] = []
        self.asked: set[str] = set()
        self.bytes = 0
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.asked.add(request.url.split("/")[2]))
        self.page.on("websocket", lambda socket: self.asked.add(socket.url.split("/")[2]))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and SOUND_BLOCKED not in message.text:
            self.errors.append(message.text)

    @property
    def url(self) -> str:
        return self.running.site.url

    def sign_in(self, name: str = "op") -> Page:
        """Through the page, as a person does; the browser knows a touch from then on, and lets the page sound."""
        self.page.goto(f"{self.url}/")
        self.page.fill("input[name=name]", name)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.click("button.confirm")
        self.page.wait_for_selector(".lane")
        return self.page

    def come_in(self, name: str = "op", path: str = "/", there: str = ".lane") -> Page:
        """To a page with a session that was opened before: half the time of signing in, which others prove."""
        person = {"name": name, "password": PASSWORD}
        opened = self.context.request.post(f"{self.url}/api/v1/session", data=person)
        assert opened.ok, opened.text()
        self.page.goto(f"{self.url}{path}")
        self.page.wait_for_selector(there)
        return self.page

    def stop_clock(self) -> None:
        """Let no time pass for the page but what `pass_ms` lets; after `page.clock.install`, which is before it opens.

        What the page promises within a time is measured on this clock: a busy machine does not count.
        """
        now_s = self.page.evaluate("Date.now()") / 1000
        self.page.clock.pause_at(now_s + WITHIN_S)
        expect(self.page.locator(".connection")).to_have_class(re.compile(r"\blive\b"))  # heard from since it stands

    def pass_ms(self, duration_ms: int) -> None:
        """Time passes for the page, all of it at once."""
        self.page.clock.run_for(duration_ms)

    def violations(self) -> list[str]:
        """What axe-core finds on the page as it is."""
        return violations(self.page)

    def violations_in(self, *dresses: tuple[str, str]) -> list[str]:
        """What axe-core finds in these colours and languages, all four unless named; switched as a person would."""
        found = []
        for scheme, language in dresses or DRESSES:
            self._dress(scheme, language)
            found += [f"{scheme}, {language}: {one}" for one in self.violations()]
        return found

    def _dress(self, scheme: str, language: str) -> None:
        self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        if self.page.locator(".languages").count() == 0:
            self.page.evaluate("(language) => localStorage.setItem('gate.language', language)", language[:2])
            self.page.reload()
            self.page.wait_for_selector("h1, header")
            return
        expect(self.page.locator("html")).to_have_attribute("data-theme", scheme)
        self.page.click(f".languages button[lang={language}]")
        expect(self.page.locator("html")).to_have_attribute("lang", language)


class Visitors:
    """Makes visitors, and closes them all."""

    def __init__(self, browser: Browser, running: Running) -> None:
        self._browser = browser
        self._running = running
        self._made: list[Visitor] = []

    def __call__(self, language: str = "zh", scheme: str = "light", width: int = 1440, height: int = 900) -> Visitor:
        context = self._browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,  # type: ignore[arg-type]
        )
        context.add_init_script(
            f"if (!localStorage.getItem('gate.language')) localStorage.setItem('gate.language', '{language}')"
        )
        self._made.append(Visitor(context, self._running))
        return self._made[-1]

    def close(self) -> None:
        """End their browsers; nobody may have asked another machine, ever."""
        for visitor in self._made:
            visitor.context.close()
            assert visitor.asked <= {f"127.0.0.1:{self._running.port}"}, visitor.asked


@pytest.fixture
def visitors(browser: Browser, running: Running) -> Iterator[Visitors]:
    visitors = Visitors(browser, running)
    yield visitors
    visitors.close()


@pytest.fixture
def visitor(visitors: Visitors) -> Visitor:
    return visitors()
