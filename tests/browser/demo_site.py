"""A real `gate demo` process whose desks are empty, and the people of the stories who sign in to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, WebSocketRoute, expect

from tests.browser.conftest import SOUND_BLOCKED
from tests.fakes.held_port import HeldPort

SPEED = 10
EMPTY_KG = 100  # a platform that shows less holds no vehicle
PICTURES = os.environ.get("GATE_PICTURES")  # a directory: the stories leave the pictures of the documents there
WATCH = """
window.seen = new Set();
new MutationObserver(() => {
  const said = (place) => document.querySelector(place)?.textContent ?? "";
  window.seen.add([".detail .plate", ".detail .judgement", ".lane.selected .badge.good"].map(said).join(" | "));
}).observe(document.body, { subtree: true, childList: true, characterData: true });
"""


class DemoSite:
    """`gate demo --alone` while it runs: its address, its people, and its lanes over the API."""

    def __init__(self, directory: Path) -> None:
        with ExitStack() as stack:
            held = stack.enter_context(HeldPort())
            command = [sys.executable, "-m", "gate_service", "demo", "--alone", "--json", "--port", str(held.number)]
            command += ["--speed", str(SPEED), "--seed", "1", "--data", str(directory)]
            self.process = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
            stack.callback(self.process.send_signal, signal.SIGINT)  # before it is waited for
            assert self.process.stdout is not None
            shown = json.loads(self.process.stdout.readline())
            self.url: str = shown["url"]
            [file] = directory.rglob("site.toml")
            self._central: str = tomllib.loads(file.read_text(encoding="utf-8"))["central"]["base_url"]
            self.passwords: dict[str, str] = {shown["name"]: shown["password"], **shown["people"]}
            stack.pop_all()
            self._held = held

    def cut_line(self) -> None:
        """From now on the centre is silent: what is asked of it is never answered, as on a dead line."""
        asked = {"kind": "silent", "path": "/", "times": None}
        httpx.post(f"{self._central}/control/faults", json=asked).raise_for_status()

    def mend_line(self) -> None:
        """The centre answers again."""
        httpx.delete(f"{self._central}/control/faults").raise_for_status()

    def stop(self) -> int:
        """End it as a person would; its exit status."""
        self.process.send_signal(signal.SIGINT)
        with self._held, self.process:
            return self.process.wait(60)

    def client(self, name: str) -> httpx.Client:
        """Somebody's session, without a page."""
        client = httpx.Client(base_url=self.url, timeout=30.0)
        opened = client.post("/api/v1/session", json={"name": name, "password": self.passwords[name]})
        client.headers["x-csrf-token"] = opened.raise_for_status().json()["csrf_token"]
        return client


class Colleague:
    """Somebody at another desk, who acts over the API."""

    def __init__(self, site: DemoSite, name: str) -> None:
        self._client = site.client(name)
        self._acts = 0

    def close(self) -> None:
        """End the connection."""
        self._client.close()

    def lane(self, lane: str) -> dict[str, Any]:
        """A lane as it is now."""
        found: dict[str, Any] = self._client.get(f"/api/v1/lanes/{lane}").raise_for_status().json()
        return found

    def reconciled(self) -> dict[str, Any]:
        """The newest emergency regime with its passages."""
        regime: dict[str, Any] = self._client.get("/api/v1/regimes").raise_for_status().json()["regimes"][0]
        found = self._client.get(f"/api/v1/regimes/{regime['id']}/passages").raise_for_status().json()
        return {**regime, "listed": found["passages"]}

    def passage(self, passage_id: str) -> dict[str, Any]:
        """A passage, whole, with its records."""
        found: dict[str, Any] = self._client.get(f"/api/v1/passages/{passage_id}").raise_for_status().json()
        return found

    def wait(
        self, lane: str, until: Callable[[dict[str, Any]], object], what: str, within_s: float = 90
    ) -> dict[str, Any]:
        """The lane as soon as `until` holds of it."""
        deadline = time.monotonic() + within_s
        while not until(found := self.lane(lane)):
            assert time.monotonic() < deadline, f"{lane}: {what} expected, found {found['state']}, {found['passage']}"
            time.sleep(0.1)
        return found

    def waits_for_person(self, lane: str, plate: str | None, reason: str) -> dict[str, Any]:
        """The lane once this vehicle waits for a person in it, for this reason."""

        def is_there(found: dict[str, Any]) -> bool:
            passage = found["passage"]
            return (
                found["state"] == "review"
                and passage is not None
                and (plate is None or passage["plate"] == plate)
                and any(check["reason_code"] == reason for check in passage["checks"])
            )

        return self.wait(lane, is_there, f"{plate} with {reason}")

    def gone(self, lane: str, passage_id: str) -> dict[str, Any]:
        """The lane once this vehicle has left it. On a busy machine its detectors may miss how: then somebody looks."""

        def is_gone(found: dict[str, Any]) -> bool:
            passage = found["passage"]
            if passage is None or passage["id"] != passage_id:
                return True
            weight = found["weight"]["value_kg"] if found["weight"] else 0
            inside = [state for name, state in found["detectors"].items() if name != "approach"]
            is_empty = weight is not None and weight < EMPTY_KG and set(inside) == {"clear"}
            if found["state"] == "review" and passage["disposition"] is not None and is_empty:
                crossed = passage["disposition"] != "back_out"
                answer = self._ask(lane, passage, "resolve", "seen_by_operator", {"crossed": crossed})
                assert answer.is_success or answer.status_code == 409, answer.text  # 409: the lane has seen it itself
            return False

        return self.wait(lane, is_gone, "the vehicle gone")

    def command(self, lane: str, command: str, reason_code: str, **fields: Any) -> None:
        """Do something with the vehicle that is in the lane now."""
        answer = self._ask(lane, self.lane(lane)["passage"], command, reason_code, fields)
        assert answer.is_success, answer.text

    def _ask(
        self, lane: str, passage: dict[str, Any], command: str, reason_code: str, fields: dict[str, Any]
    ) -> httpx.Response:
        self._acts += 1
        body = {"command": command, "passage_id": passage["id"], "facts_version": passage["facts_version"]}
        body |= {"reason_code": reason_code, "fields": fields}
        headers = {"idempotency-key": f"story-{id(self)}-{self._acts}"}
        return self._client.post(f"/api/v1/lanes/{lane}/commands", json=body, headers=headers)


class Desk:
    """A person at a terminal of the demo site; remembers errors and whom the browser asked.

    `slow`: the news of this terminal goes through the test, which may hold it.
    """

    def __init__(
        self, browser: Browser, site: DemoSite, name: str, language: str, scheme: str, *, slow: bool = False
    ) -> None:
        self.context: BrowserContext = browser.new_context(
            viewport={"width": 1440, "height": 900},
            color_scheme=scheme,  # type: ignore[arg-type]
        )
        self.context.add_init_script(f"localStorage.setItem('gate.language', '{language}')")
        self.site = site
        self.errors: list[str] = []
        self.asked: set[str] = set()
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.asked.add(request.url.split("/")[2]))
        self.page.on("websocket", lambda socket: self.asked.add(socket.url.split("/")[2]))
        self._holds = False
        self._held: list[tuple[WebSocketRoute, str | bytes]] = []
        if slow:
            self.page.route_web_socket("**/api/v1/live", self._pass_on)
        self.name = name

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type in {"error", "warning"} and SOUND_BLOCKED not in said.text:
            self.errors.append(said.text)

    def sign_in(self, path: str = "/") -> Page:
        """Through the page, with name and password."""
        self.page.goto(f"{self.site.url}/sign-in?next={path}")
        self.page.fill("input[name=name]", self.name)
        self.page.fill("input[name=password]", self.site.passwords[self.name])
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector(".lane" if path == "/" else ".card")
        return self.page

    def choose(self, lane: str) -> None:
        """Look at a lane."""
        self.page.click(f".lane[data-lane={lane}] .name button")
        self.page.wait_for_selector(f".detail[data-lane={lane}]")

    def press(self, key: str, command: str) -> None:
        """Give a command by its key, once its button can be pressed: before, a key does nothing."""
        expect(self.page.locator(f"[data-command={command}]")).to_be_enabled()
        self.page.keyboard.press(key)
        expect(self.page.locator(f".act.{command} :focus")).to_have_count(1)  # Enter confirms the form that has it

    def watch(self) -> None:
        """Remember all that the page says of the lane that is looked at, and in that lane's row, however shortly."""
        self.page.evaluate(WATCH)

    def seen(self) -> list[str]:
        """What it said since then, each once."""
        return list(self.page.evaluate("[...window.seen]"))

    def _pass_on(self, route: WebSocketRoute) -> None:
        server = route.connect_to_server()
        server.on_message(lambda text: self._pass_one(route, text))

    def _pass_one(self, route: WebSocketRoute, text: str | bytes) -> None:
        if self._holds and '"type":"lanes"' in str(text)[:20]:
            self._held.append((route, text))
        else:
            route.send(text)

    def hold_news(self, *, holds: bool) -> None:
        """A slow line: the beat comes through, what moved in the lanes only when it is no longer held."""
        self._holds = holds
        while not holds and self._held:
            route, text = self._held.pop(0)
            route.send(text)

    def picture(self, name: str, after_ms: int = 0) -> None:
        """Leave a picture for the documents, where that is asked for; after so long, with a curve in it."""
        if PICTURES:
            self.page.wait_for_timeout(after_ms)
            self.page.mouse.move(0, 0)
            self.page.screenshot(path=Path(PICTURES) / f"{name}.png")

    def close(self) -> None:
        """Go home. Nothing may have been asked of anybody but the service, and nothing gone wrong."""
        self.context.close()
        assert self.asked <= {self.site.url.split("/")[2]}, self.asked
        assert self.errors == [], self.errors
