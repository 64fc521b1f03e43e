"""A whole site of real processes for tests: yard, central system, authority and `gate run`, over one data directory.

Trucks come when a test says so. Every process can be stopped, killed and started again on the port it had. Everything
a test asks is asked as a person, a reader or the yard's judge would: no hooks in the service.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import httpx

from devices.simulator.demo.site import DemoLane
from devices.simulator.demo.slips import Load, slip_for
from gate_service.cli.account_request import request
from gate_service.cli.demo_accounts import ADMINISTRATOR, ROLES, Accounts
from gate_service.cli.demo_children import Child, ChildError, run_once
from gate_service.cli.demo_client import Session, one_time_password
from gate_service.cli.demo_site import DemoFolder
from sync.store import FILE_NAME, sqlite_module
from tests.fakes.held_port import HeldPort

JsonDict = dict[str, Any]

_MAKING_A_SCHEMA = threading.Lock()

SPEED = 10.0
START_S = 60.0  # a busy machine imports for many seconds
WAIT_S = 60.0
LOOK_S = 0.03
STILL_YARD_S = 0.5  # a boom moves fifteen degrees in it
OPERATOR, SUPERVISOR = "desk-operator", "desk-supervisor"
LANES = (
    DemoLane("in-d1", "declared", "inbound", "pty", "进区报关 1", "Inbound declared 1", is_hazmat=True, looks=True),
    DemoLane("in-d2", "declared", "inbound", "tcp", "进区报关 2", "Inbound declared 2", is_hazmat=True, looks=True),
    DemoLane("in-d3", "declared", "inbound", "tcp", "进区报关 3", "Inbound declared 3", is_hazmat=True, looks=True),
)
SITE_FILE = """
[site]
id = "{site_id}"
gate = "{gate}"
other_gate_within_min = 30
name = {{ zh = "试验卡口", en = "Test gate" }}
demo = true
[listen]
host = "127.0.0.1"
port = {port}
[data]
dir = "{data}"
disk_reserve_mb = 16
[central]
base_url = "{central}"
token_file = "central.token"
[authority]
url = "{authority}/hooks/gate"
secret_file = "authority.secret"
allow = ["{authority_place}"]
[policy]
secret_file = "draws.secret"
[[points]]
id = "pre-1"
name = {{ zh = "预检口", en = "Before the lanes" }}
"""
LANE_FILE = """
[[modules]]
name = "io-{id}"
url = "{module_url}"
profile = "wago-750"
[[lanes]]
id = "{id}"
name = {{ zh = "{zh}", en = "{en}" }}
kind = "{kind}"
direction = "{direction}"
hazmat = true
module = "io-{id}"
refuse_way = "back_out"
inputs = {{ approach = 0, entry_loop = 1, entry_beam = 2, exit_beam = 3, exit_loop = 4, entry_up = 5, entry_down = 6, \
exit_up = 7, exit_down = 8, fire = 9, power_ok = 10, local_button = 11{more_inputs} }}
outputs = {{ entry_raise = 0, entry_lower = 1, exit_raise = 2, exit_lower = 3, entry_red = 4, entry_green = 5, \
exit_red = 6, exit_green = 7, back_out = 8{more_outputs} }}
reversible = {reversible}
barriers = {{ closing = "service", travel_s = 8.0, pulse_ms = 500, interlocked = {interlocked} }}
timing = {{ scan_wait_s = {scan_wait_s}, escalate_after_s = 60.0 }}
[lanes.weighbridge]
protocol = "xk3190-continuous"
port = "{weighbridge_port}"
interval_kg = 20
max_capacity_kg = 80000
verified_until_at = "{verified_until_at}"
"""


@dataclass(frozen=True, slots=True)
class Truck:
    """A truck that was sent to a lane, and the slip that belongs to it."""

    lane: str
    load: Load

    @property
    def id(self) -> str:
        return f"T{self.load.number:05d}"

    @property
    def plate(self) -> str:
        return f"浙B{self.load.number:05d}"

    @property
    def slip_no(self) -> str:
        return self.load.slip_no

    @property
    def total_kg(self) -> int:
        return self.load.total_kg


class Site:
    """`async with Site(tmp_path) as site:` the whole site; trucks come with `send`. `lanes`: how many lanes.

    `reversible`: one of them, with everything at both ends, on mains that may fail. `airlock`: one whose booms
    are an interlocked pair. `gate`: first or second of two;
    `other`: the first one, whose central system this one talks to as site K2.
    """

    def __init__(
        self,
        path: Path,
        lanes: int = 1,
        *,
        scan_wait_s: float = 60.0,
        reversible: str | None = None,
        airlock: str | None = None,
        gate: str = "single",
        other: Site | None = None,
    ) -> None:
        self.gate, self.other = gate, other
        self.id = "K1" if other is None else "K2"
        self.folder = DemoFolder(path)
        self.lanes = LANES[:lanes]
        self.scan_wait_s = scan_wait_s
        self.reversible, self.airlock = reversible, airlock
        self.yard = Child("yard", (), self.folder.logs)
        self.central = Child("central", (), self.folder.logs)
        self.authority = Child("authority", (), self.folder.logs)
        self.service = Child("service", (), self.folder.logs)
        self.central_url = self.authority_url = ""
        self.central_is_up: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._held = HeldPort()  # the service starts seconds later, and again after a kill
        self.port = self._held.number
        self._held_central = HeldPort()  # that it is found again at, too
        self._held_modules = [HeldPort() for _ in self.lanes]  # cut, and back on their ports
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.accounts = Accounts({}, {})
        self.events: list[JsonDict] = []
        self.sent = 0
        self._people: dict[str, httpx.AsyncClient] = {}
        self._outside = httpx.AsyncClient(timeout=60.0)  # made once: a new one takes a tenth of a second
        self._replies: dict[int, asyncio.Future[JsonDict]] = {}
        self._asked = 0
        self._happened = asyncio.Condition()
        self._listener: asyncio.Task[None] | None = None
        self._stack = AsyncExitStack()

    # Starting and stopping --------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for held in (self._held, self._held_central, *self._held_modules):
                stack.callback(held.close)
            stack.push_async_callback(self._outside.aclose)
            stack.push_async_callback(self._stop)
            await self._start()
            for name in (OPERATOR, SUPERVISOR):
                self._people[name] = httpx.AsyncClient(base_url=self.base_url, timeout=60.0)
                stack.push_async_callback(self._people[name].aclose)
                await self._sign_in(name)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _start(self) -> None:
        self.folder.prepare(1)
        lanes, *_ = await asyncio.gather(
            self._start_yard(), self.start_central(), self._start_authority(), self._make_administrator()
        )
        self._write_site_file(lanes)
        await self.start_service()
        async with Session(self.base_url) as session:
            await self.accounts.complete(session, self.folder, [lane.lane_id for lane in self.lanes])
        tokens = self.accounts.tokens
        await self.tell_yard({"do": "go", "base_url": self.base_url, "tokens": tokens})

    async def _make_administrator(self) -> None:
        """What `gate user add` does, without a process of its own; the others are made over the API."""
        self.accounts = Accounts({name: one_time_password() for name in (ADMINISTRATOR, *ROLES)}, {})
        account = {"name": ADMINISTRATOR, "role": "administrator", "password": self.accounts.passwords[ADMINISTRATOR]}
        await asyncio.to_thread(_ask_alone, self.folder.path, {"do": "add_user", **account})

    async def _start_yard(self) -> JsonDict:
        plan = self.folder.own / "plan.json"
        lanes = [
            {**lane.to_yard(), "reversible": lane.lane_id == self.reversible, "io_port": held.number}
            for lane, held in zip(self.lanes, self._held_modules, strict=True)
        ]
        document = {"seed": 1, "speed": SPEED, "lanes": lanes, "trucks": []}
        plan.write_text(json.dumps(document), encoding="utf-8")
        self.yard.arguments += ["-m", "devices.simulator", "--plan", str(plan)]
        await self.yard.start()
        lanes = dict((await self.yard.first_object(START_S))["lanes"])
        self._listener = asyncio.create_task(self._listen())
        return lanes

    async def start_central(self) -> None:
        """Start the central system; after the first time on the port and with the state that it had."""
        if self.other is not None:
            self.central_url = await asyncio.wait_for(self.other.central_is_up, START_S)
            self.folder.write("central.token", self.other.folder.read("central.token"))
            return
        command = ["-m", "sync.reference.central", "--port", str(self._held_central.number)]
        command += ["--state-file", str(self.folder.own / "central.sqlite")]
        self.central = Child("central", [*command, f"--token={self.folder.read('central.token')}"], self.folder.logs)
        await self.central.start()
        self.central_url = str((await self.central.first_object(START_S))["url"])
        if not self.central_is_up.done():
            self.central_is_up.set_result(self.central_url)

    async def _start_authority(self) -> None:
        self.authority.arguments += ["-m", "sync.reference.authority", "--port", "0"]
        self.authority.arguments += ["--state-file", str(self.folder.own / "authority.sqlite")]
        self.authority.arguments += ["--secret-file", str(self.folder.own / "authority.secret")]
        await self.authority.start()
        self.authority_url = str((await self.authority.first_object(START_S))["url"])

    def _write_site_file(self, found: JsonDict) -> None:
        text = SITE_FILE.format(
            site_id=self.id, gate=self.gate, port=self.port, data=self.folder.path, central=self.central_url,
            authority=self.authority_url, authority_place=httpx.URL(self.authority_url).netloc.decode(),
        )  # fmt: skip
        until = (datetime.now(UTC) + timedelta(days=365)).isoformat(timespec="seconds")
        for lane in self.lanes:
            is_reversible = lane.lane_id == self.reversible
            text += LANE_FILE.format(
                scan_wait_s=self.scan_wait_s,
                reversible="true" if is_reversible else "false",
                interlocked="true" if lane.lane_id == self.airlock else "false",
                more_inputs=", power_fail = 12, far_approach = 13" if is_reversible else "",
                more_outputs=", far_back_out = 9" if is_reversible else "",
                id=lane.lane_id, zh=lane.zh, en=lane.en, kind=lane.kind, direction=lane.direction,
                verified_until_at=until, **found[lane.lane_id],
            )  # fmt: skip
        self.folder.site_file.write_text(text, encoding="utf-8")

    async def start_service(self) -> None:
        """Start the service on the same data and port; returns once it answers."""
        command = ["-m", "gate_service", "run", "--config", str(self.folder.site_file)]
        self.service = Child("service", command, self.folder.logs)
        await self.service.start()
        async with Session(self.base_url) as session:
            waiting = asyncio.create_task(asyncio.wait_for(session.wait_alive(), START_S))
            ended = asyncio.create_task(self.service.watch())
            await asyncio.wait({waiting, ended}, return_when=asyncio.FIRST_COMPLETED)
            for task in (waiting, ended):
                task.cancel()
            found = await asyncio.gather(waiting, ended, return_exceptions=True)
        if isinstance(found[1], ChildError):
            raise found[1]

    def kill_service(self) -> None:
        """SIGKILL, now. `restart_service` goes on from there."""
        self.service.is_stopping = True
        os.killpg(self.service.pid, signal.SIGKILL)

    async def restart_service(self) -> None:
        """After `kill_service`: the same data, the same ports."""
        await self.service.stop()
        await self.start_service()

    async def stop_service(self) -> float:
        """SIGTERM; how many seconds the service took to end."""
        began_s = asyncio.get_running_loop().time()
        await self.service.stop()
        return asyncio.get_running_loop().time() - began_s

    async def _stop(self) -> None:
        await self.service.stop()
        for child in (self.central, self.yard):
            if child.pid:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGCONT)
        await asyncio.gather(*(one.stop() for one in (self.yard, self.central, self.authority) if one.pid))
        if self._listener is not None:
            await self._listener

    # The yard ---------------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        async for found in self.yard.objects():
            future = self._replies.pop(found.get("id", -1), None)
            if future is not None and not future.done():
                future.set_result(found)
            if "event" in found:
                self.events.append(found)
                async with self._happened:
                    self._happened.notify_all()

    async def tell_yard(self, command: JsonDict) -> JsonDict:
        """One command to the yard; its reply."""
        self._asked += 1
        future = self._replies[self._asked] = asyncio.get_running_loop().create_future()
        await self.yard.tell({**command, "id": self._asked})
        reply = await asyncio.wait_for(future, WAIT_S)
        assert reply["ok"], reply
        return reply

    async def fault(self, device: str, name: str, *, on: bool = True) -> None:
        """Switch a fault of the yard, `in-d1/io` or `in-d1/weighbridge`."""
        await self.tell_yard({"do": "fault", "device": device, "name": name, "on": on})

    async def seen(self, kind: str, *, since: int = 0, within_s: float = WAIT_S, **detail: Any) -> JsonDict:
        """The first event of the yard from number `since` on that has these fields; waits for it."""

        def first() -> JsonDict | None:
            wanted = {"event": kind, **detail}.items()
            return next((event for event in self.events[since:] if wanted <= event.items()), None)

        async with self._happened:
            try:
                async with asyncio.timeout(within_s):
                    await self._happened.wait_for(lambda: first() is not None)
            except TimeoutError:
                raise AssertionError(f"yard: {kind} {detail} expected, found {self.events[since:][-12:]}") from None
        found = first()
        assert found is not None
        return found

    def after(self, event: JsonDict) -> int:
        """Where to look on for what came after this event: more may have happened by the time that it is read."""
        return next(number for number, one in enumerate(self.events, 1) if one is event)

    async def in_lane(self, lane: str) -> JsonDict:
        """Where booms and vehicles of a lane really are."""
        return dict((await self.tell_yard({"do": "state"}))["state"]["lanes"][lane])

    async def edges(self, lane: str) -> Counter[str]:
        """How often each boom of a lane was commanded on the wire so far: `{"exit raise": 2}`."""
        report = (await self.tell_yard({"do": "report"}))["report"]
        return Counter(
            {name.removeprefix(f"{lane} "): n for name, n in report["edges"].items() if name.startswith(lane)}
        )

    async def judged(self) -> JsonDict:
        """The judge's counts, with everything that is recorded as crossed brought to it."""
        passages = (await self.get("/api/v1/passages", limit=500))["passages"]
        recorded = [
            {"lane": passage["lane"], "plate": passage["plate"], "at": passage["crossed_at"]}
            for passage in passages
            if passage["crossed_at"]
        ]
        return dict((await self.tell_yard({"do": "report", "recorded": recorded}))["report"])

    def new_truck(
        self, lane: str = "in-d1", *, site_ids: tuple[str, ...] = ("K1",), direction: str = "inbound"
    ) -> Truck:
        """A truck that nobody has heard of yet."""
        self.sent += 1
        return Truck(lane, Load(self.sent, "3", direction, tare_kg=9_000, goods_kg=6_000, site_ids=site_ids))

    async def come(self, truck: Truck, *, is_scanning: bool = True, plate_read: str | None = "", **driver: Any) -> None:
        """Let a truck come. `is_scanning` False: the test scans. `plate_read` "": its own. `driver`: see a plan."""
        spec = {
            "id": truck.id, "lane": truck.lane, "length_m": 11.0, "mass_kg": truck.total_kg, "arrive_after_s": 0.0,
            "plate": truck.plate, "plate_read": truck.plate if plate_read == "" else plate_read,
            "containers_read": [], "seals_read": [], "scan": [truck.slip_no] if is_scanning else [], "dwell_s": 3.0,
            **driver,
        }  # fmt: skip
        await self.tell_yard({"do": "trucks", "trucks": [spec]})

    async def send(
        self,
        lane: str = "in-d1",
        *,
        is_scanning: bool = True,
        plate_read: str | None = "",
        direction: str = "inbound",
        **driver: Any,
    ) -> Truck:
        """One more truck, its slip at the centre; it comes."""
        truck = self.new_truck(lane, direction=direction)
        await self.tell_centre(truck)
        await self.come(truck, is_scanning=is_scanning, plate_read=plate_read, **driver)
        return truck

    # The centre -------------------------------------------------------------------------------------------------

    async def load(self, changes: list[JsonDict]) -> None:
        """Changes into the central system."""
        (await self._outside.post(f"{self.central_url}/control/changes", json=changes)).raise_for_status()

    async def tell_centre(self, *trucks: Truck) -> None:
        """The slips of these trucks."""
        await self.load([{"kind": "slip", "slip": slip_for(truck.load, datetime.now(UTC))} for truck in trucks])

    async def in_the_copy(self, *trucks: Truck) -> None:
        """Return once the site has its own copy of the slips of these trucks."""
        numbers = [truck.slip_no for truck in trucks]
        statement = f"SELECT count(*) FROM slips WHERE key IN ({','.join('?' * len(numbers))})"

        async def count() -> int:
            return int(self.rows(statement, *numbers)[0][0])

        await self.eventually(count, lambda found: found == len(numbers))

    async def at_centre(self, what: str, **query: int) -> Any:
        """`counts` or `claims` of the central system."""
        answer = await self._outside.get(f"{self.central_url}/control/{what}", params=query)
        return answer.raise_for_status().json()

    async def received(self) -> list[JsonDict]:
        """Every event that the centre has, in the order of arrival."""
        found: list[JsonDict] = []
        while page := await self.at_centre("events", after=found[-1]["arrival"] if found else 0, limit=1000):
            found += page
        return found

    async def lost_at(self, device: str, since: datetime) -> datetime:
        """When the service first told of a fault of this device from then on, by its own clock."""

        async def moments() -> list[datetime]:
            told = [one for one in await self.received() if one["type"] == "device.fault"]
            found = [datetime.fromisoformat(one["at"]) for one in told if one["data"]["device"] == device]
            return sorted(at for at in found if at >= since)

        return (await self.eventually(moments, bool))[0]

    # The service, as people and readers have it ------------------------------------------------------------------

    async def _sign_in(self, name: str) -> None:
        client = self._people[name]
        person = {"name": name, "password": self.accounts.passwords[name]}
        answer = (await client.post("/api/v1/session", json=person)).raise_for_status().json()
        client.headers["x-csrf-token"] = answer["csrf_token"]

    @property
    def cookie(self) -> str:
        """The operator's session, for a page of theirs."""
        return "; ".join(f"{name}={value}" for name, value in self._people[OPERATOR].cookies.items())

    async def get(self, address: str, **query: Any) -> JsonDict:
        """Read as the operator."""
        answer = await self._people[OPERATOR].get(address, params=query)
        assert answer.is_success, f"{address}: {answer.status_code} {answer.text}"
        return dict(answer.json())

    async def lane(self, lane: str = "in-d1") -> JsonDict:
        """A lane as the API shows it now."""
        return await self.get(f"/api/v1/lanes/{lane}")

    async def passage_of(self, truck: Truck) -> JsonDict:
        """The newest passage of a truck."""
        passages = (await self.get("/api/v1/passages", limit=100))["passages"]
        return next(dict(passage) for passage in passages if passage["plate"] == truck.plate)

    async def until(self, lane: str, holds: str | Callable[[JsonDict], Any], within_s: float = WAIT_S) -> JsonDict:
        """The lane once it is in this state, or once this holds of it."""
        is_so = (lambda shown: shown["state"] == holds) if isinstance(holds, str) else holds
        return await self.eventually(lambda: self.lane(lane), is_so, within_s)

    async def eventually(
        self, ask: Callable[[], Awaitable[Any]], holds: Callable[[Any], Any], within_s: float = WAIT_S
    ) -> Any:
        """What `ask` answers once `holds` is true of it."""
        found = None
        try:
            async with asyncio.timeout(within_s):
                while not holds(found := await ask()):  # noqa: ASYNC110 - another process: nothing to wait on
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            raise AssertionError(f"not within {within_s:g} s; last: {_short(found)}") from None
        return found

    async def booms_at_rest(self, lane: str) -> dict[str, float]:
        """Where the booms are once they stand: a limit closes a little before the end, and a travel ends by itself.

        They stand where yard time has passed and they have not moved: asked twice within one tick, all stand still.
        """
        last: tuple[float, dict[str, float]] = 0.0, {}

        async def angles() -> tuple[float, dict[str, float]]:
            state = (await self.tell_yard({"do": "state"}))["state"]
            return state["yard_s"], dict(state["lanes"][lane]["booms"])

        def is_still(found: tuple[float, dict[str, float]]) -> bool:
            nonlocal last
            (before_s, before), (now_s, now) = last, found
            if now_s - before_s < STILL_YARD_S and now == before:
                return False
            last = found
            return now == before

        return dict((await self.eventually(angles, is_still))[1])

    async def ask(self, lane: str, command: str, *, by: str = OPERATOR, **fields: Any) -> httpx.Response:
        """Give a command on what the lane shows now; the answer, whatever it is."""
        passage = (await self.lane(lane))["passage"]
        body: JsonDict = {"command": command, "reason_code": "seen_by_operator", "reason": "示例原因"}
        if passage is not None:
            body |= {"passage_id": passage["id"], "facts_version": passage["facts_version"]}
        if fields:
            body["fields"] = fields
        return await self._people[by].post(
            f"/api/v1/lanes/{lane}/commands", json=body, headers={"Idempotency-Key": uuid4().hex}
        )

    async def post(self, address: str, body: JsonDict, *, by: str = OPERATOR) -> httpx.Response:
        """Send to one address as one of the people; the answer, whatever it is."""
        return await self._people[by].post(address, json=body)

    async def command(self, lane: str, command: str, *, by: str = OPERATOR, **fields: Any) -> JsonDict:
        """Give a command that must be carried out."""
        answer = await self.ask(lane, command, by=by, **fields)
        assert answer.is_success, f"{command}: {answer.status_code} {answer.text}"
        return dict(answer.json())

    async def scan(self, truck: Truck) -> None:
        """The driver shows the slip to the reader of the lane."""
        await self._read(truck.lane, "scan", {"code": truck.slip_no})

    async def see_plate(self, truck: Truck) -> None:
        """The camera of the lane looks again and reads the truck's own plate."""
        await self._read(truck.lane, "plate", {"plate": truck.plate, "containers": [], "seals": []})

    async def _read(self, lane: str, what: str, body: JsonDict) -> None:
        headers = {"authorization": f"Bearer {self.accounts.tokens[lane]}"}
        answer = await self._outside.post(f"{self.base_url}/api/v1/lanes/{lane}/{what}", json=body, headers=headers)
        assert answer.is_success, answer.text

    # The record -------------------------------------------------------------------------------------------------

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Read the record beside the service, or after its end."""
        path = (self.folder.path / FILE_NAME).as_uri()
        with closing(sqlite_module.connect(f"{path}?mode=ro", uri=True)) as connection:
            return [tuple(row) for row in connection.execute(statement, values)]

    async def recorded(self, kind: str, passage_id: str, within_s: float = WAIT_S) -> bool:
        """Return as soon as an entry of this kind about this passage is on disk; False where none came in time."""
        path = (self.folder.path / FILE_NAME).as_uri()
        statement = "SELECT count(*) FROM records WHERE kind = ? AND passage_id = ?"
        deadline_s = asyncio.get_running_loop().time() + within_s
        with closing(sqlite_module.connect(f"{path}?mode=ro", uri=True, isolation_level=None)) as connection:
            while not connection.execute(statement, (kind, passage_id)).fetchone()[0]:
                if asyncio.get_running_loop().time() > deadline_s:
                    return False
                await asyncio.sleep(0.001)
        return True

    def kinds(self, passage_id: str) -> list[str]:
        """What is recorded about a passage, in order."""
        return [
            row[0] for row in self.rows("SELECT kind FROM records WHERE passage_id = ? ORDER BY number", passage_id)
        ]

    async def told(self) -> dict[str, Counter[str]]:
        """Wait until the centre has everything recorded, check that it has exactly that; types told per passage."""

        async def both() -> tuple[list[tuple[Any, ...]], list[JsonDict]]:
            return self.rows("SELECT seq, id, payload FROM outbox ORDER BY seq"), await self.received()

        def are_same(found: tuple[list[tuple[Any, ...]], list[JsonDict]]) -> bool:
            return sorted(row[1] for row in found[0]) == sorted(event["id"] for event in found[1])

        kept, received = await self.eventually(both, are_same)
        counts = await self.at_centre("counts")
        assert [row[0] for row in kept] == list(range(1, len(kept) + 1))
        assert (counts["gaps"], counts["conflicts"]) == ([], 0)
        bodies = {event["id"]: {key: value for key, value in event.items() if key != "arrival"} for event in received}
        assert bodies == {row[1]: json.loads(row[2]) for row in kept}
        per_passage: dict[str, Counter[str]] = {}
        for event in received:
            passage_id = event["data"].get("passage_id")
            if passage_id is not None:
                per_passage.setdefault(passage_id, Counter())[event["type"]] += 1
        return per_passage

    async def verify(self) -> None:
        """`gate verify` on the data directory: raises ChildError with what it found broken."""
        await run_once(["-m", "gate_service", "verify", str(self.folder.path)])


def _ask_alone(folder: Path, asked: JsonDict) -> None:
    """One after the other: the schema is made in this process, and its maker keeps names in modules."""
    with _MAKING_A_SCHEMA:
        request(folder, asked, "")


def _short(found: Any) -> str:
    if isinstance(found, dict) and "state" in found:
        passage = found.get("passage") or {}
        keys = ("id", "verdict", "disposition", "facts_version", "gross_kg", "note", "scanned", "plate")
        shown = {key: passage.get(key) for key in keys} if passage else None
        lane = {key: found[key] for key in ("state", "attention", "booms", "detectors", "weight", "commands")}
        return f"{lane} passage {shown}"
    return str(found)[:1500]
