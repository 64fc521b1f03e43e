"""The yard as a process: plan in, events out, trucks taken through over real wires by a plain attendant."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pymodbus.client import AsyncModbusTcpClient

from devices.simulator.places import STOP_LINE_M

ROOT = Path(__file__).parents[2]
TRUCK = {"lane": "in-1", "length_m": 16.0, "gap_m": [4.6, 5.4], "mass_kg": 31_240, "plate": "浙B00001"}
APPROACH, ENTRY_LOOP, ENTRY_BEAM, EXIT_BEAM, EXIT_LOOP, ENTRY_UP, ENTRY_DOWN, EXIT_UP, EXIT_DOWN = range(9)
ENTRY_RAISE, ENTRY_LOWER, EXIT_RAISE, EXIT_LOWER, _, ENTRY_GREEN, _, EXIT_GREEN, BACK_OUT = range(9)


class YardUnderTest:
    """The process and what it said so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[dict[str, Any]] = []
        self._more = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            self.lines.append(json.loads(line))
            self._more.set()

    async def wait_for(
        self, fits: Callable[[dict[str, Any]], bool], limit_s: float = 30.0, after: int = 0
    ) -> dict[str, Any]:
        async with asyncio.timeout(limit_s):
            while True:
                for line in self.lines[after:]:
                    if fits(line):
                        return line
                self._more.clear()
                await self._more.wait()

    async def event(self, kind: str, limit_s: float = 30.0) -> dict[str, Any]:
        return await self.wait_for(lambda line: line.get("event") == kind, limit_s)

    async def ask(self, **command: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        after = len(self.lines)
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        return await self.wait_for(lambda line: line.get("reply") == command["do"], after=after)

    async def end(self) -> int:
        if self.process.stdin is not None:
            self.process.stdin.close()
        status = await asyncio.wait_for(self.process.wait(), 30)
        await self._reader
        return status


@asynccontextmanager
async def _yard(tmp_path: Path, speed: float, *trucks: dict[str, Any], **lane: Any) -> AsyncIterator[YardUnderTest]:
    plan = {"seed": 1, "speed": speed, "lanes": [{"id": "in-1", "weighbridge": {}} | lane], "trucks": list(trucks)}
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(plan), "utf-8")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "error",
        "-m",
        "devices.simulator",
        "--plan",
        str(file),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    yard = YardUnderTest(process)
    try:
        await yard.wait_for(lambda line: bool(line.get("ready")))
        yield yard
        assert await yard.end() == 0
        assert process.stderr is not None
        assert (await process.stderr.read()).decode() == ""
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


class Attendant:
    """Takes trucks through with another maker's Modbus client: a lane without any decision."""

    def __init__(self, yard: YardUnderTest, module_url: str) -> None:
        port = int(module_url.split(":")[2].split("/")[0])
        self.yard = yard
        self.client = AsyncModbusTcpClient("127.0.0.1", port=port, retries=0, timeout=30)

    async def until(self, fits: Callable[[list[bool]], bool], limit_s: float = 30.0) -> None:
        """Until inputs are so, and stay so: what they are for a moment only may be over before they are read."""
        async with asyncio.timeout(limit_s):
            while not fits((await self.client.read_discrete_inputs(0, count=12)).bits):  # noqa: ASYNC110 - a master polls
                await asyncio.sleep(0.03)

    async def pulse(self, output: int) -> None:
        await self.client.write_coil(output, True)
        await asyncio.sleep(0.05)
        await self.client.write_coil(output, False)

    async def let_in(self) -> None:
        await self.client.write_coil(ENTRY_GREEN, True)
        await self.pulse(ENTRY_RAISE)
        await self.yard.event("on_platform")
        await self.client.write_coil(ENTRY_GREEN, False)
        await self.until(lambda bits: not any(bits[:5]))
        await self.pulse(ENTRY_LOWER)
        await self.until(lambda bits: bits[ENTRY_DOWN])

    async def let_out(self) -> None:
        await self.client.write_coil(EXIT_GREEN, True)
        await self.pulse(EXIT_RAISE)
        await self.yard.event("crossed")
        await self.until(lambda bits: not bits[EXIT_BEAM] and not bits[EXIT_LOOP])
        await self.client.write_coil(EXIT_GREEN, False)
        await self.pulse(EXIT_LOWER)
        await self.until(lambda bits: bits[EXIT_DOWN])


@asynccontextmanager
async def _attendant(yard: YardUnderTest) -> AsyncIterator[Attendant]:
    attendant = Attendant(yard, yard.lines[0]["lanes"]["in-1"]["module_url"])
    assert await attendant.client.connect()
    try:
        yield attendant
    finally:
        attendant.client.close()


class Service:
    """The address that posts report to: remembers reads; answers 503 as often as it is told to first."""

    def __init__(self, refusals: int = 0) -> None:
        self.reads: list[tuple[str, str, dict[str, Any]]] = []
        self.refusals = refusals
        self.url = ""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")
                headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:] if line)}
                body = json.loads(await reader.readexactly(int(headers["content-length"])))
                self.reads.append((lines[0].split(" ")[1], headers.get("authorization", ""), body))
                status = b"503 Busy" if self.refusals > 0 else b"202 Accepted"
                self.refusals -= 1
                writer.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\n\r\n")
        except asyncio.IncompleteReadError:
            writer.close()


@asynccontextmanager
async def _service(refusals: int = 0) -> AsyncIterator[Service]:
    service = Service(refusals)
    server = await asyncio.start_server(service, "127.0.0.1", 0)
    service.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield service
    finally:
        server.close()


async def test_a_truck_crosses_over_real_wires_and_the_judge_is_content(tmp_path: Path) -> None:
    truck = TRUCK | {"id": "t1", "plate_read": "浙B00001", "scan": ["Z1"], "containers_read": [], "arrive_after_s": 0}
    async with _service() as service, _yard(tmp_path, 20, truck) as yard, _attendant(yard) as attendant:
        await yard.ask(do="go", base_url=service.url, tokens={"in-1": "device-token"})
        await yard.event("scan_sent")
        await attendant.let_in()
        await yard.event("on_platform")
        await attendant.let_out()
        crossed = await yard.event("crossed")
        await yard.event("all_gone")
        unrecorded = (await yard.ask(do="report", recorded=[]))["report"]
        record = {"lane": "in-1", "plate": "浙B00001", "at": crossed["at"]}
        report = (await yard.ask(do="report", recorded=[record]))["report"]
    assert (unrecorded["crossing_without_record"], unrecorded["violations"]) == (1, 1)
    assert (report["crossings"], report["violations"]) == (1, 0)
    assert report["checks"] > 500
    assert sorted(kind for kind, _, _ in service.reads) == ["/api/v1/lanes/in-1/plate", "/api/v1/lanes/in-1/scan"]
    assert {token for _, token, _ in service.reads} == {"Bearer device-token"}
    plate, scan = (body for _, _, body in sorted(service.reads, key=lambda read: read[0]))
    assert (plate["plate"], plate["trailer_plate"], plate["containers"]) == ("浙B00001", None, [])
    assert (scan["code"], set(scan)) == ("Z1", {"code", "scanned_at", "read_id"})


async def test_reads_are_repeated_under_their_id_until_they_are_acknowledged(tmp_path: Path) -> None:
    truck = TRUCK | {"id": "t1", "scan": ["Z1"], "arrive_after_s": 0}
    async with _service(refusals=3) as service, _yard(tmp_path, 20, truck) as yard:
        await yard.ask(do="go", base_url=service.url, tokens={})
        await yard.event("plate_sent")
        await yard.event("scan_sent")
        refused = await yard.event("read_refused")
    assert refused["found"].startswith("503")
    assert len(service.reads) == 5
    assert len({body["read_id"] for _, _, body in service.reads}) == 2


async def _stands_under_the_boom(yard: YardUnderTest) -> None:
    """Where it stops for a while of the yard's time, which goes slower on a busy machine."""
    async with asyncio.timeout(30):
        while True:
            [truck] = (await yard.ask(do="state"))["state"]["lanes"]["in-1"]["vehicles"]
            if truck["speed"] == 0.0 and truck["front_m"] > STOP_LINE_M + 1.0:
                return
            await asyncio.sleep(0.03)


async def test_a_boom_lowered_on_a_truck_is_seen_from_the_bytes_and_the_positions(tmp_path: Path) -> None:
    truck = TRUCK | {"id": "t1", "behaviour": "stops_under_boom", "arrive_after_s": 0, "pause_s": 120}
    async with _yard(tmp_path, 20, truck, weighbridge=None, entry_barrier=False) as yard, _attendant(yard) as attendant:
        await yard.ask(do="go")
        await yard.event("at_post")
        await attendant.client.write_coil(EXIT_GREEN, True)
        await attendant.pulse(EXIT_RAISE)
        await yard.event("leaving")
        await _stands_under_the_boom(yard)
        await attendant.pulse(EXIT_LOWER)
        found = await yard.event("judge")
        report = (await yard.ask(do="report"))["report"]
    assert (found["kind"], found["truck"], found["side"]) == ("boom_on_vehicle", "t1", "exit")
    assert (report["boom_on_vehicle"], report["motion_without_command"], report["violations"]) == (1, 0, 1)


async def test_motion_by_itself_by_hand_and_by_a_stranger_are_told_apart(tmp_path: Path) -> None:
    async with _yard(tmp_path, 20) as yard:
        await yard.ask(do="button", lane="in-1", side="entry", way="raise")
        await yard.ask(do="fault", device="in-1/io", name="foreign_write", on=True, output=EXIT_RAISE)
        await yard.wait_for(lambda line: line.get("side") == "exit" and line.get("position") == "up")
        await yard.ask(do="fault", device="in-1/exit_boom", name="moves_down", on=True)
        await yard.wait_for(lambda line: line.get("kind") == "motion_without_command")
        report = (await yard.ask(do="report"))["report"]
    assert (report["by_button"], report["by_foreign_write"], report["motion_without_command"]) == (1, 1, 1)


async def test_ports_stay_the_same_while_masters_come_and_go(tmp_path: Path) -> None:
    async with _yard(tmp_path, 10, weighbridge={"link": "pty"}) as yard:
        for _ in range(3):
            async with _attendant(yard) as attendant:
                await attendant.until(lambda bits: bits[ENTRY_DOWN] and bits[10])
        assert yard.lines[0]["lanes"]["in-1"]["weighbridge_port"].startswith("/dev/")
        log = (await yard.ask(do="wire", lane="in-1"))["wire"]
    assert len({exchange["peer"] for exchange in log}) == 3


async def test_mistakes_in_commands_are_answered_and_change_nothing(tmp_path: Path) -> None:
    async with _yard(tmp_path, 10) as yard:
        assert "unknown command" in (await yard.ask(do="dance"))["error"]
        assert "no fault" in (await yard.ask(do="fault", device="in-1/exit_boom", name="melts"))["error"]
        assert (await yard.ask(do="fault", device="nowhere/io", name="cut"))["ok"] is False
        assert "expected" in (await yard.ask(do="trucks", trucks=[{"id": "x", "lane": "nowhere"}]))["error"]
        assert (await yard.ask(do="state"))["state"]["lanes"]["in-1"]["vehicles"] == []


async def test_trucks_can_be_added_while_it_runs(tmp_path: Path) -> None:
    async with _yard(tmp_path, 20) as yard:
        await yard.ask(do="go")
        await yard.ask(do="trucks", trucks=[TRUCK | {"id": "late", "behaviour": "gives_up", "patience_s": 1}])
        gone = await yard.event("backed_out")
        assert (gone["truck"], gone["by_himself"]) == ("late", True)
        assert (await yard.event("all_gone"))["trucks"] == 1


async def test_a_yard_ends_with_the_one_who_started_it(tmp_path: Path) -> None:
    async with _yard(tmp_path, 1) as yard:
        pass
    assert yard.process.returncode == 0


async def test_a_plan_with_a_mistake_ends_with_status_2(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text('{"lanes":[{"id":"a"}],"trucks":[{"id":"t","lane":"b"}]}', "utf-8")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "devices.simulator", "--plan", str(file), cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    _, said = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 2
    assert b"found 'b'" in said
