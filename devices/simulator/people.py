"""The people at the desks: scripted, they sign in and act through the public addresses like anybody else.

They watch for vehicles that wait for a person, look again after a while as long as a person takes, and act on what
they see then. Whoever was there first has acted: a visitor who takes over is never disturbed.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

import httpx

from devices.simulator.demo.stories import Answer

log = logging.getLogger(__name__)

JsonDict = dict[str, Any]
Book = Callable[[str | None, str | None], Answer | None]
"""What to do with the vehicle that presented this slip, or without one has this plate; None: nobody told us."""

WAITING: Final = frozenset({"review", "detained"})
DELAY_S: Final = {"operator": 7.0, "supervisor": 9.0}  # from seeing to acting, at speed 1
LEAST_DELAY_S: Final = 0.2
WENT_FORWARD: Final = frozenset({"release", "divert", "yard_inside"})
EMPTY_KG: Final = 100  # a platform that shows less holds no vehicle
RECONNECT_S: Final = 0.5
REREADS: Final = 5  # after so many refusals of one vehicle somebody else must look
BY_VERDICT: Final = {"release": "release", "review": "turn_back", "inspect": "inspect", "refuse": "turn_back"}


@dataclass(frozen=True, slots=True)
class Action:
    """One command, bound to the vehicle and the facts that it was chosen on."""

    lane: str
    command: str
    passage_id: str | None
    facts_version: int | None
    reason_code: str
    reason: str
    fields: JsonDict = field(default_factory=dict)

    def body(self) -> JsonDict:
        """As the address takes it."""
        body: JsonDict = {"command": self.command, "reason_code": self.reason_code, "reason": self.reason}
        if self.passage_id is not None:
            body |= {"passage_id": self.passage_id, "facts_version": self.facts_version}
        return {**body, "fields": self.fields} if self.fields else body


def choose(snapshot: Mapping[str, Any], book: Book, role: str, *, was_refused: bool = False) -> Action | None:
    """What a person of this role does about a lane as it is now; None: nothing, or not theirs to do. Pure.

    Follows the book where the vehicle is in it, else the verdict; after a refused attempt always the verdict.
    """
    passage = snapshot.get("passage")
    if passage is None:
        return _rearm(snapshot, role)
    if snapshot.get("state") not in WAITING:
        return None
    if passage.get("disposition") is not None:
        return _sent_away(snapshot, passage, role)
    if (snapshot.get("attention") or {}).get("code") == "same_vehicle":
        return _same_vehicle(snapshot, passage, role)
    scanned = passage.get("scanned") or [None]
    answer = book(scanned[0], passage.get("plate"))
    is_resolved = answer is not None and answer.command == "resolve" and passage.get("plate") is not None
    if answer is None or is_resolved or was_refused or passage.get("verdict") in {"release", "detain"}:
        answer = _by_verdict(passage)
    if answer is None or answer.role != role or answer.command not in snapshot.get("commands", ()):
        return None
    return _action(snapshot, passage, answer)


def _action(snapshot: Mapping[str, Any], passage: Mapping[str, Any], answer: Answer) -> Action:
    return Action(
        lane=str(snapshot["id"]),
        command=answer.command,
        passage_id=str(passage["id"]),
        facts_version=int(passage["facts_version"]),
        reason_code=answer.reason_code,
        reason="演示值班员",
        fields=dict(answer.fields),
    )


def _rearm(snapshot: Mapping[str, Any], role: str) -> Action | None:
    """A lane without a vehicle that came out of a fault and may work again, but for a person's word."""
    is_healthy = all(device.get("fault") is None for device in snapshot.get("devices") or ())
    can_be = snapshot.get("state") == "fault" and "clear_fault" in snapshot.get("commands", ())
    if role != "operator" or not (is_healthy and can_be):
        return None
    return Action(str(snapshot["id"]), "clear_fault", None, None, "devices_back", "演示值班员")


def _same_vehicle(snapshot: Mapping[str, Any], passage: Mapping[str, Any], role: str) -> Action | None:
    """A device was silent, and who stands there is the same vehicle: in this yard nobody changes places meanwhile."""
    offered = [command for command in ("clear_fault", "reweigh") if command in snapshot.get("commands", ())]
    if role != "operator" or not offered:
        return None
    return _action(snapshot, passage, Answer(offered[0], "devices_back"))


def _sent_away(snapshot: Mapping[str, Any], passage: Mapping[str, Any], role: str) -> Action | None:
    """A vehicle was let go and the lane could not prove that it went: the operator looks, and says what is seen.

    Only where nothing is left in the lane; a vehicle that still stands there is somebody else's to deal with.
    """
    shown_kg = (snapshot.get("weight") or {}).get("value_kg")
    is_empty = shown_kg is not None and abs(shown_kg) <= EMPTY_KG
    has_crossed = passage.get("disposition") in WENT_FORWARD
    seen = dict(snapshot.get("detectors") or {"": "unknown"})
    if has_crossed:
        seen.pop("approach", None)  # the next vehicle may stand there
    is_clear = all(presence == "clear" for presence in seen.values())
    if role != "operator" or not (is_empty and is_clear):
        return None
    return _action(snapshot, passage, Answer("resolve", "seen_by_operator", fields={"crossed": has_crossed}))


def _by_verdict(passage: Mapping[str, Any]) -> Answer | None:
    """What suits the verdict alone. A detained vehicle is left to whoever placed the hold."""
    command = BY_VERDICT.get(passage.get("verdict") or "review")
    reasons = [check["reason_code"] for check in passage.get("checks") or () if check.get("verdict") != "release"]
    return None if command is None else Answer(command, reasons[0] if reasons else "as_decided")


class Person:
    """One scripted person: signs in, listens, acts. `work` runs until it is cancelled."""

    def __init__(self, base_url: str, name: str, password: str, *, role: str, book: Book, speed: float) -> None:
        self._base_url = base_url
        self._sign_in = {"name": name, "password": password}
        self._role = role
        self._book = book
        self._delay_s = max(LEAST_DELAY_S, DELAY_S[role] / speed)
        self._client: httpx.AsyncClient | None = None
        self._lanes: dict[str, JsonDict] = {}
        self._acting: dict[str, asyncio.Task[None]] = {}
        self._refusals: dict[tuple[str, str, int], int] = {}
        self.acted = 0

    async def work(self) -> None:
        """Task root: a person whose screen went dark signs in again."""
        try:
            while True:
                try:
                    await self._watch()
                except httpx.HTTPError as error:
                    log.info("%s: connection lost (%s), signing in again", self._sign_in["name"], error)
                await asyncio.sleep(RECONNECT_S)
        finally:
            for task in self._acting.values():
                task.cancel()
            await asyncio.gather(*self._acting.values(), return_exceptions=True)

    async def _watch(self) -> None:
        async with httpx.AsyncClient(base_url=self._base_url, timeout=httpx.Timeout(10.0, read=None)) as client:
            answer = await client.post("/api/v1/session", json=self._sign_in)
            answer.raise_for_status()
            session = (await client.get("/api/v1/session")).raise_for_status().json()
            client.headers["x-csrf-token"] = session["csrf_token"]
            self._client = client
            async for snapshot in _snapshots(client):
                self._see(snapshot)

    def _see(self, snapshot: JsonDict) -> None:
        lane = str(snapshot["id"])
        self._lanes[lane] = snapshot
        busy = self._acting.get(lane)
        if (busy is None or busy.done()) and self._chosen(lane) is not None:
            self._acting[lane] = asyncio.get_running_loop().create_task(self._act_after_a_while(lane))

    def _chosen(self, lane: str) -> Action | None:
        snapshot = self._lanes[lane]
        passage = snapshot.get("passage") or {}
        key = (lane, str(passage.get("id")), int(passage.get("facts_version") or 0))
        refusals = self._refusals.get(key, 0)
        if refusals > REREADS:
            return None
        return choose(snapshot, self._book, self._role, was_refused=refusals > 0)

    async def _act_after_a_while(self, lane: str) -> None:
        """Act on what is there when the time has come, again for as long as it is still ours to do."""
        while (seen := self._chosen(lane)) is not None:
            await asyncio.sleep(self._delay_s)
            now = self._chosen(lane)
            if now is not None and now.passage_id == seen.passage_id:
                await self._carry_out(now)

    async def _carry_out(self, action: Action) -> None:
        """Send one command and look at the lane again."""
        client = self._client
        if client is None:
            return
        headers = {"Idempotency-Key": str(uuid4())}
        try:
            answer = await client.post(f"/api/v1/lanes/{action.lane}/commands", json=action.body(), headers=headers)
            again = await client.get(f"/api/v1/lanes/{action.lane}")
        except httpx.HTTPError as error:
            log.info("%s: no answer to %s in %s: %s", self._sign_in["name"], action.command, action.lane, error)
            return
        if again.is_success:
            self._lanes[action.lane] = again.json()
        if answer.is_success:
            self.acted += 1
            return
        log.info("%s: %s in %s refused: %s", self._sign_in["name"], action.command, action.lane, answer.text)
        if answer.json().get("code") != "passage_changed":
            key = (action.lane, str(action.passage_id), action.facts_version or 0)
            self._refusals[key] = self._refusals.get(key, 0) + 1


async def _snapshots(client: httpx.AsyncClient) -> AsyncIterator[JsonDict]:
    """Lane snapshots from the service's event stream; beats and comments are passed over."""
    async with client.stream("GET", "/api/v1/events", headers={"accept": "text/event-stream"}) as stream:
        stream.raise_for_status()
        async for line in stream.aiter_lines():
            if not line.startswith("data:"):
                continue
            message = json.loads(line[5:])
            snapshot = message.get("lane") if isinstance(message.get("lane"), dict) else message
            if "id" in snapshot and "state" in snapshot:
                yield snapshot
