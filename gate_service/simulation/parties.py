"""The central system and the zone authority on virtual time, reached through `httpx` transports with line faults.

They keep what they were told, so that what arrived can be compared with what was recorded.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from email.utils import format_datetime
from random import Random
from typing import Any, Final
from urllib.parse import parse_qs

import httpx

from gate_service.simulation.virtual_loop import SimClock

JsonDict = dict[str, Any]

NEAR_S: Final = (0.005, 0.08)
FAR_S: Final = (0.3, 4.0)


@dataclass(slots=True)
class LineFaults:
    """What a line does to a request. Nothing of it is known to either side."""

    is_down: bool = False
    is_slow: bool = False
    loses_answers: bool = False
    refuses: bool = False  # 503 to everything

    def heal(self) -> None:
        """Everything works again."""
        self.is_down = self.is_slow = self.loses_answers = self.refuses = False


class _Party(httpx.AsyncBaseTransport):
    """One party behind its line."""

    def __init__(self, clock: SimClock, rng: Random) -> None:
        self.faults = LineFaults()
        self._clock = clock
        self._rng = rng

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One request over the line, there and back."""
        faults, rng = self.faults, self._rng
        if faults.is_down:
            await asyncio.sleep(rng.uniform(*NEAR_S))
            raise httpx.ConnectError("no line")
        await asyncio.sleep(rng.uniform(*(FAR_S if faults.is_slow else NEAR_S)))
        if faults.refuses and rng.random() < 0.7:
            return self._answer(503, {})
        body = await request.aread()
        status, answer = await self.serve(request, body)
        if faults.loses_answers and rng.random() < 0.5:
            await asyncio.sleep(rng.uniform(*FAR_S))
            raise httpx.ReadError("the answer was lost")
        await asyncio.sleep(rng.uniform(*NEAR_S))
        return self._answer(status, answer)

    async def serve(self, request: httpx.Request, body: bytes) -> tuple[int, Any]:
        """What the party answers."""
        raise NotImplementedError

    def _answer(self, status: int, answer: Any) -> httpx.Response:
        headers = {"date": format_datetime(self._clock.true_now(), usegmt=True)}
        return httpx.Response(status, headers=headers, json=answer)


@dataclass(slots=True)
class Received:
    """Events as they arrived: first body of each id, how often it came, those that contradict an earlier one."""

    bodies: dict[str, JsonDict] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    times: Counter[str] = field(default_factory=Counter)
    conflicts: list[str] = field(default_factory=list)

    def take(self, event_id: str, body: JsonDict) -> None:
        """One arrival."""
        digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        self.times[event_id] += 1
        if self.digests.setdefault(event_id, digest) != digest:
            self.conflicts.append(event_id)
        self.bodies.setdefault(event_id, body)


class Centre(_Party):
    """The central system (CONTRACT 3): changes, slips, claims, events."""

    def __init__(self, clock: SimClock, rng: Random) -> None:
        super().__init__(clock, rng)
        self.changes: list[JsonDict] = []
        self.slips: dict[str, JsonDict] = {}
        self.claimed: dict[str, dict[str, str]] = {}
        self.events = Received()
        self.seqs: dict[str, set[int]] = {}
        self.changes_ids = False  # an injected fault: ids are minted anew at every attempt
        self.grants_all = False

    def add_slip(self, slip: JsonDict) -> None:
        """A slip that the centre knows from now on; the copy learns of it with the next page."""
        self.slips[slip["slip_no"]] = slip
        self.changes.append({"kind": "slip", "version": slip["version"], "slip": slip})

    def add_change(self, change: JsonDict) -> None:
        """Any other change."""
        self.changes.append(change)

    async def serve(self, request: httpx.Request, body: bytes) -> tuple[int, Any]:
        """By address."""
        path = request.url.path
        if path == "/v1/changes":
            return await self._page(request)
        if path == "/v1/events":
            return 200, self._receive(json.loads(body))
        if path == "/v1/claims":
            return self._claim(json.loads(body))
        if path.startswith("/v1/claims/"):
            return self._cancel(path.split("/")[3])
        return self._slip(request, path)

    async def _page(self, request: httpx.Request) -> tuple[int, Any]:
        query = parse_qs(request.url.query.decode())
        after = int(query.get("after", ["0"])[0])
        if after >= len(self.changes):
            await asyncio.sleep(float(query.get("wait", ["0"])[0]))
        page = self.changes[after : after + 200]
        end = after + len(page)
        more = end < len(self.changes)
        return 200, {"changes": page, "cursor": str(end), "more": more, "as_of": self._now()}

    def _slip(self, request: httpx.Request, path: str) -> tuple[int, Any]:
        number = path.removeprefix("/v1/slips").strip("/")
        if number:
            slip = self.slips.get(number)
            return (404, {}) if slip is None else (200, {**slip, "as_of": self._now()})
        query = parse_qs(request.url.query.decode())
        plate, direction = query["plate"][0], query["direction"][0]
        found = [s for s in self.slips.values() if s["vehicle"]["plate"] == plate and s["direction"] == direction]
        open_ones = [s for s in found if len(self.claimed.get(s["slip_no"], {})) < (s["pass_limit"] or 1)]
        return 200, [{**slip, "as_of": self._now()} for slip in open_ones]

    def _claim(self, asked: JsonDict) -> tuple[int, Any]:
        passage = asked["passage_id"]
        for number in asked["slips"]:
            others = [held for held in self.claimed.get(number, {}) if held != passage]
            limit = self.slips.get(number, {}).get("pass_limit") or 1
            if len(others) >= limit and not self.grants_all:
                return 409, {"granted": False, "used_by": [{"slip_no": number, "passage_id": others[0]}]}
        for number in asked["slips"]:
            self.claimed.setdefault(number, {}).setdefault(passage, "claimed")
        return 200, {"granted": True, "lease_until_at": self._now()}

    def _cancel(self, passage: str) -> tuple[int, Any]:
        for holders in self.claimed.values():
            if holders.get(passage) == "claimed":
                del holders[passage]
        return 200, {}

    def _receive(self, batch: JsonDict) -> JsonDict:
        accepted = []
        for event in batch["events"]:
            event_id = f"{event['id']}/{self.events.times.total()}" if self.changes_ids else event["id"]
            self.events.take(event_id, event)
            self.seqs.setdefault(batch["epoch"], set()).add(event["seq"])
            accepted.append([event["seq"], event["seq"]])
            if event["type"] == "slip.used":
                used = event["data"]
                self.claimed.setdefault(used["slip_no"], {})[used["passage_id"]] = "used"
        return {"accepted": accepted, "rejected": []}

    def _now(self) -> str:
        return self._clock.true_now().isoformat()


class Authority(_Party):
    """The zone authority's receiver (CONTRACT 5)."""

    def __init__(self, clock: SimClock, rng: Random) -> None:
        super().__init__(clock, rng)
        self.events = Received()

    async def serve(self, request: httpx.Request, body: bytes) -> tuple[int, Any]:
        """Take one event."""
        del request
        event = json.loads(body)
        self.events.take(event["id"], event)
        return 204, {}
