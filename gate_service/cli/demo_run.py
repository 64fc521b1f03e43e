"""One demo from start to end: processes, accounts, trucks, people, and what to count when it is over."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Self

import httpx

from devices.simulator.demo.plan import visits_from, yard_plan
from devices.simulator.demo.site import LANES, SITE_ID
from devices.simulator.demo.stories import Answer, Visit
from devices.simulator.people import Person
from gate_service.cli import demo_injects
from gate_service.cli.demo_accounts import DESKS, VISITOR, Accounts
from gate_service.cli.demo_children import Child, ChildError, run_once
from gate_service.cli.demo_client import Session
from gate_service.cli.demo_site import DemoFolder, site_values
from gate_service.cli.demo_summary import crossings_recorded, summary, surprises

JsonDict = dict[str, Any]

START_WITHIN_S: Final = 60.0  # a small machine imports for seconds
DRAIN_WITHIN_S: Final = 40.0
SETTLE_WITHIN_S: Final = 15.0
STUCK_AFTER_S: Final = 20.0  # without any truck gone: this, and what several queueing trucks take in yard time
STUCK_AFTER_YARD_S: Final = 200.0
POLL_S: Final = 0.25
TRUCKS_AHEAD: Final = 30  # without an end: so many trucks are known to centre and yard before they come
INJECT_AFTER_TRUCKS: Final = 2
GONE: Final = frozenset({"left", "backed_out"})


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line."""

    trucks: int
    speed: float
    seed: int
    inject: str | None
    port: int
    is_ending: bool
    as_json: bool
    is_alone: bool = False
    """Nobody works the desks: every truck that needs a person waits for the visitor."""


class DemoRun:
    """The demo while it runs. `async with` starts and stops every process; `play` lets the trucks come."""

    def __init__(self, options: Options, folder: DemoFolder) -> None:
        self.options = options
        self.folder = folder
        self.central = Child("central", (), folder.logs)
        self.authority = Child("authority", (), folder.logs)
        self.yard = Child("yard", (), folder.logs)
        self.service = Child("service", (), folder.logs)
        self.central_url = ""
        self.authority_url = ""
        self.base_url = ""
        self.accounts = Accounts({}, {})
        self.visits: list[Visit] = []
        self._source = visits_from(options.seed, 0)
        self._started_at = datetime.now(UTC)
        self._gone = 0
        self._moved = asyncio.Event()
        self._report: asyncio.Future[JsonDict] | None = None
        self._passages: list[JsonDict] = []

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    # Starting and stopping ----------------------------------------------------------------------------------------

    async def _start(self) -> None:
        folder, options = self.folder, self.options
        folder.prepare(options.seed)
        first = int(folder.keep("first_truck", "0"))  # a continued record: the slips of earlier trucks are used
        self._source = visits_from(options.seed, first)
        self.visits = [next(self._source) for _ in range(options.trucks if options.is_ending else TRUCKS_AHEAD)]
        folder.write("first_truck", str(first + len(self.visits)))
        lanes, self.accounts, _, _ = await asyncio.gather(
            self._start_yard(), Accounts.prepare(folder), self.start_central(), self._start_authority()
        )
        await self._load(self.visits)
        await self._start_service(lanes)

    async def _start_yard(self) -> JsonDict:
        plan = self.folder.own / "plan.json"
        document = yard_plan(self.options.seed, self.options.speed, self.visits)
        plan.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
        self.yard.arguments += ["-m", "devices.simulator", "--plan", str(plan)]
        await self.yard.start()
        return dict((await self.yard.first_object(START_WITHIN_S))["lanes"])

    async def start_central(self) -> None:
        """Start the central system, after the first time on the port that it had."""
        port = httpx.URL(self.central_url).port if self.central_url else 0
        state = self.folder.own / "central.sqlite"
        command = ["-m", "sync.reference.central", "--port", str(port), "--state-file", str(state)]
        central = Child("central", [*command, f"--token={self.folder.read('central.token')}"], self.folder.logs)
        await central.start()
        self.central = central  # only now: whoever watches it looks at a running process
        self.central_url = str((await self.central.first_object(START_WITHIN_S))["url"])

    async def _start_authority(self) -> None:
        state, secret = self.folder.own / "authority.sqlite", self.folder.own / "authority.secret"
        self.authority.arguments += ["-m", "sync.reference.authority", "--port", "0"]
        self.authority.arguments += ["--state-file", str(state), "--secret-file", str(secret)]
        await self.authority.start()
        found = await self.authority.first_object(START_WITHIN_S)
        self.authority_url = str(found["url"])

    async def _start_service(self, lanes: JsonDict) -> None:
        port = free_port(self.options.port)
        self.folder.write_site_file(
            site_values(
                self.folder,
                port=port,
                central_url=self.central_url,
                authority_url=f"{self.authority_url}/hooks/gate",
                lanes=lanes,
                speed=self.options.speed,
                inject=self.options.inject if self.options.inject in demo_injects.SERVICE_INJECTS else None,
            )
        )
        self.base_url = f"http://127.0.0.1:{port}"
        self.service.arguments += ["-m", "gate_service", "run", "--config", str(self.folder.site_file)]
        await self.service.start()
        async with Session(self.base_url) as session:
            await self._or_ended(self.service, session.wait_alive(), START_WITHIN_S)
            await self.accounts.complete(session, self.folder, [lane.lane_id for lane in LANES])

    async def _or_ended(self, child: Child, waited: Awaitable[None], within_s: float) -> None:
        """Wait, but not for a process that has ended."""
        ended = asyncio.ensure_future(child.watch())
        hoped = asyncio.ensure_future(waited)
        done, _ = await asyncio.wait({ended, hoped}, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        for task in (ended, hoped):
            task.cancel()
        await asyncio.gather(ended, hoped, return_exceptions=True)
        if ended in done:
            ended.result()
        if hoped not in done:
            raise ChildError(f"{child.name}: an answer within {within_s:g} s expected, see {child.log_path}")

    async def _stop(self) -> None:
        """End everything: the service first, while its devices and receivers are still there."""
        await self.service.stop()
        await asyncio.gather(self.yard.stop(), self.central.stop(), self.authority.stop())

    # Playing ------------------------------------------------------------------------------------------------------

    async def play(self) -> JsonDict | None:
        """Let the trucks come; the summary (without `chain`) when asked to end, else until cancelled."""
        self._announce()
        async with asyncio.TaskGroup() as group:
            helpers = [group.create_task(child.watch()) for child in (self.service, self.yard, self.authority)]
            helpers.append(group.create_task(self._watch_central()))
            helpers.append(group.create_task(self._listen_to_yard()))
            helpers += [group.create_task(person.work()) for person in self._people()]
            await self.yard.tell({"do": "go", "base_url": self.base_url, "tokens": self.accounts.tokens})
            if self.options.inject is not None and self.options.inject in demo_injects.PLAY:
                helpers.append(group.create_task(self._inject(self.options.inject)))
            found = await (self._until_through() if self.options.is_ending else self._keep_coming())
            for helper in helpers:
                helper.cancel()
        return found

    def _people(self) -> list[Person]:
        def book(slip_no: str | None, plate: str | None) -> Answer | None:
            known = (
                visit for visit in self.visits if (slip_no or plate) == (visit.slip_no if slip_no else visit.plate)
            )
            visit = next(known, None)
            return None if visit is None else visit.answer

        return [
            Person(self.base_url, name, self.accounts.passwords[name], role=role, book=book, speed=self.options.speed)
            for name, role in ({} if self.options.is_alone else DESKS).items()
        ]

    async def _watch_central(self) -> None:
        """As `Child.watch`, but the central system may be stopped and started again by an inject."""
        while True:
            central = self.central
            await central.watch()
            while central is self.central:  # noqa: ASYNC110 - an inject replaces it after its while
                await asyncio.sleep(POLL_S)

    async def _listen_to_yard(self) -> None:
        async for found in self.yard.objects():
            kind = found.get("event")
            if found.get("reply") == "report" and self._report is not None and not self._report.done():
                self._report.set_result(found["report"])
            if kind in GONE:
                self._gone += 1
                self._moved.set()
                self._tell(f"{found.get('truck')} {kind} lane {found.get('lane')}")

    async def _inject(self, name: str) -> None:
        while self._gone < INJECT_AFTER_TRUCKS:
            await self._next_move()
        self._tell(f"inject {name}: {demo_injects.INJECTS[name]}")
        await demo_injects.PLAY[name](self, self.options.speed)
        self._tell(f"inject {name}: over")

    async def _next_move(self) -> None:
        self._moved.clear()
        await self._moved.wait()

    async def _keep_coming(self) -> None:
        """Trucks without end: new ones, with new slips, are told to centre and yard in good time."""
        while True:
            await self._next_move()
            ahead = self._gone + TRUCKS_AHEAD - len(self.visits)
            if ahead >= TRUCKS_AHEAD // 3:
                new = [next(self._source) for _ in range(ahead)]
                await self._load(new)
                self.visits += new
                self.folder.write("first_truck", str(new[-1].number))
                await self.yard.tell({"do": "trucks", "trucks": [visit.to_yard() for visit in new]})

    async def _until_through(self) -> JsonDict:
        while self._gone < len(self.visits):
            try:
                async with asyncio.timeout(STUCK_AFTER_S + STUCK_AFTER_YARD_S / self.options.speed):
                    await self._next_move()
            except TimeoutError:
                left = len(self.visits) - self._gone
                self._say(f"nothing has moved for long and {left} trucks have not gone: ending")
                break
        async with Session(self.base_url) as session:
            await session.sign_in(VISITOR, self.accounts.passwords[VISITOR])
            await self._settled(session)
            self._passages = await self._own_passages(session)
            record = await self._drained(session)
        report = await self._judged(crossings_recorded(self._passages))
        central, authority = await asyncio.gather(_counts(self.central_url), _counts(self.authority_url))
        return summary(
            trucks=self._gone,
            report=report,
            passages=self._passages,
            events={
                "recorded": record["outbox"]["recorded"],
                "delivered": central["events"],
                "parked": record["outbox"]["parked"],
            },
            hazmat={"recorded": record["feed"]["recorded"], "delivered": authority["hazmat"]},
            chain="",
        )

    async def _own_passages(self, session: Session) -> list[JsonDict]:
        found = await session.passages()
        return [one for one in found if datetime.fromisoformat(one["opened_at"]) >= self._started_at]

    async def _settled(self, session: Session) -> None:
        """The last truck has gone; its lane closes the passage a moment later."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_WITHIN_S):
                while await self._is_busy(session):  # noqa: ASYNC110 - another process: nothing to wait on
                    await asyncio.sleep(POLL_S)

    @staticmethod
    async def _is_busy(session: Session) -> bool:
        return any(lane["passage"] for lane in (await session.get("/api/v1/lanes"))["lanes"])

    async def _drained(self, session: Session) -> JsonDict:
        """Wait until everything was told; the counts as they are then, told or not."""
        deadline = asyncio.get_running_loop().time() + DRAIN_WITHIN_S
        while True:
            record: JsonDict = (await session.get("/api/v1/sync"))["record"]
            is_told = record["outbox"]["due"] == 0 and record["feed"]["due"] == 0
            if is_told or asyncio.get_running_loop().time() > deadline:
                return record
            await asyncio.sleep(POLL_S)

    async def _judged(self, recorded: Sequence[JsonDict]) -> JsonDict:
        self._report = asyncio.get_running_loop().create_future()
        await self.yard.tell({"do": "report", "recorded": recorded})
        async with asyncio.timeout(SETTLE_WITHIN_S):
            return await self._report

    # After it -------------------------------------------------------------------------------------------------------

    async def verify(self) -> str:
        """`gate verify` on the record once the service has let go of it: `ok`, or what is broken."""
        try:
            await run_once(["-m", "gate_service", "verify", str(self.folder.path)])
        except ChildError as error:
            return str(error)
        return "ok"

    @property
    def passages(self) -> list[JsonDict]:
        """The passages of this run, whole, oldest first; empty before it is over."""
        return self._passages

    def surprises(self) -> list[str]:
        """Trucks whose verdict was not the plan's."""
        return surprises(self.visits, self._passages)

    # Small steps ----------------------------------------------------------------------------------------------------

    async def _load(self, visits: Sequence[Visit]) -> None:
        """Tell the centre of the slips and registered vehicles of these trucks."""
        now = datetime.now(UTC)
        changes: list[JsonDict] = []
        for visit in visits:
            if (slip := visit.slip(now)) is not None:
                changes.append({"kind": "slip", "slip": slip})
            if visit.is_registered:
                vehicle = {"plate": visit.plate, "valid_from_at": None, "valid_until_at": None}
                changes.append({"kind": "vehicle", "vehicle": vehicle})
        async with httpx.AsyncClient(base_url=self.central_url, timeout=30.0) as client:
            (await client.post("/control/changes", json=changes)).raise_for_status()
            for visit in visits:
                if visit.is_used_elsewhere:
                    use = {"site": "K2", "slip_no": visit.slip_no, "passage_id": f"K2-{visit.number}"}
                    await client.post("/control/uses", json={**use, "at": now.isoformat()})

    def _announce(self) -> None:
        password = self.accounts.passwords[VISITOR]
        if self.options.as_json:
            shown: JsonDict = {"url": self.base_url, "name": VISITOR, "password": password, "site": SITE_ID}
            shown |= (
                {"people": {name: self.accounts.passwords[name] for name in DESKS}} if self.options.is_alone else {}
            )
            self._say(json.dumps(shown))
            return
        self._say(f"operator terminal  {self.base_url}/")
        self._say(f"sign in as         {VISITOR}    password  {password}")
        for name in DESKS if self.options.is_alone else ():  # the second person of a release that needs two
            self._say(f"or as              {name}    password  {self.accounts.passwords[name]}")
        self._say("everything here is simulated; Ctrl-C stops it")

    def _tell(self, text: str) -> None:
        if not self.options.as_json:
            self._say(text)

    def _say(self, text: str) -> None:
        """Standard output is the summary's alone where there is to be one."""
        print(text, file=sys.stderr if self.options.is_ending else sys.stdout, flush=True)


async def _counts(url: str) -> JsonDict:
    async with httpx.AsyncClient(timeout=10.0) as client:
        return dict((await client.get(f"{url}/control/counts")).raise_for_status().json())


def free_port(wanted: int) -> int:
    """`wanted`, or any one that is free for 0. Raises ChildError for a taken one: the demo would sign in to whoever is
    there, with its own people's passwords.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the service itself: a port just left is free
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError as error:
            raise ChildError(f"port {wanted}: one that this program may use expected: {error.strerror}") from None
        return int(probe.getsockname()[1])
