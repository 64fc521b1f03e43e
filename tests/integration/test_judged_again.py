"""Slips judged ahead are judged again when a hold or an enterprise they name changes; told only where it matters."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from gate_service.preassessing import PreassessedSite, Preassessor
from sync import concerned, preassessments
from sync.central.wire import ChangesPage
from sync.preassessments import due
from sync.site_holds import SiteHolds
from sync.statements import run
from tests.fakes.register_record import NOON, Record
from tests.fakes.slips import sound_slip

OURS, OTHERS = "3311660001", "3311660002"
TOLD = "SELECT payload FROM outbox WHERE type = 'slip.preassessed' ORDER BY seq"
HAZMAT = {
    "flag": True, "un_no": "1090", "name": "丙酮", "cas": "67-64-1", "class": "3", "subsidiary": [],
    "packing_group": "II", "net_kg": 150, "packages": 8, "storage_unit": "W3", "emergency_phone": "000-0000",
    "quantity_kind": None,
}  # fmt: skip


def numbered(i: int, code: str, **changes: Any) -> dict[str, Any]:
    enterprise = {**sound_slip()["enterprise"], "customs_code": code, "uscc": None}
    return sound_slip(slip_no=f"Z{i}", type="4", enterprise=enterprise, **changes)


def hold(version: int, kind: str = "risk", reason: str = "示例", code: str = OURS) -> dict[str, Any]:
    placed = {"kind": kind, "id": "H1", "target": {"type": "enterprise", "id": code}, "reason": reason}
    return {"kind": "hold", "version": version, "hold": {**placed, "placed_by": "customs"}}


class Judging:
    """A record with slips; `told` judges what is due, each time as after a restart, and says what was told of it."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.judged: list[str] = []
        self.policy: dict[str, Any] | None = None

    async def told(self) -> list[tuple[str, str, list[str]]]:
        before = len(await self._payloads())
        self.judged = []
        preassessor = self._preassessor()
        await preassessor.note_basis()
        for _ in range(50):
            if not await self.record.journal.read(lambda c: bool(due(c, 1) or concerned.noted(c)[1])):
                break
            await asyncio.wait_for(preassessor.step(), 5)
        else:
            raise AssertionError("at rest after 50 steps expected")
        data = [json.loads(payload)["data"] for payload in (await self._payloads())[before:]]
        return [(d["slip_no"], d["verdict"], [check["reason_code"] for check in d["checks"]]) for d in data]

    def _preassessor(self) -> Preassessor:
        record = self.record
        made = Preassessor(record.journal, record, record.clock, PreassessedSite("K1", "single", lambda _: self.policy))
        plain = made.judge

        def noted(slip: Any, *rest: Any) -> Any:
            self.judged.append(slip.slip_no)
            return plain(slip, *rest)

        made.judge = noted
        return made

    async def _payloads(self) -> list[bytes]:
        return [row[0] for row in await self.record.database.read(lambda c: run(c, TOLD).fetchall())]


@pytest.fixture
async def judging(tmp_path):
    async with Record(tmp_path) as record:
        slips = [numbered(i, OURS if i in {1, 6} else OTHERS) for i in range(1, 6 + 1)]
        await record.load(*({"kind": "slip", "version": 1, "slip": slip} for slip in slips))
        judging = Judging(record)
        assert await judging.told() == []
        yield judging


async def test_a_hold_on_an_enterprise_stops_its_slips_once_and_lifted_lets_them_go(judging):
    await judging.record.load(hold(1))
    assert await judging.told() == [("Z1", "inspect", ["hold"]), ("Z6", "inspect", ["hold"])]
    assert judging.judged == ["Z1", "Z6"]  # and nobody else's
    assert [row["slip_no"] for row in await judging.record.rows("preassessed")] == ["Z1", "Z6"]
    await judging.record.load(hold(2, reason="another word"))
    assert (await judging.told(), judging.judged) == ([], ["Z1", "Z6"])
    await judging.record.load(hold(3, code=OTHERS))  # the hold goes from one to the other
    moved = await judging.told()
    assert moved[0] == ("Z1", "release", [])
    assert {slip_no for slip_no, verdict, _ in moved if verdict == "inspect"} == {"Z2", "Z3", "Z4", "Z5"}
    await judging.record.load({"kind": "hold", "version": 4, "hold": {"id": "H1"}, "deleted": True})
    assert [verdict for _, verdict, _ in await judging.told()] == ["release"] * 4
    assert await judging.record.rows("preassessed") == []


async def test_a_police_hold_is_told_to_nobody(judging):
    await judging.record.load(hold(1, kind="police"))
    assert (await judging.told(), judging.judged) == ([], ["Z1", "Z6"])


async def test_a_changed_enterprise_is_told_where_its_slips_come_out_otherwise(judging):
    register = {"customs_code": OURS, "name": "示例", "credit": "advanced", "inside_fence": True}
    await judging.record.load({"kind": "enterprise", "version": 1, "enterprise": register})
    assert (await judging.told(), judging.judged) == ([], ["Z1", "Z6"])
    await judging.record.load({"kind": "enterprise", "version": 2, "enterprise": {**register, "inside_fence": False}})
    assert await judging.told() == [("Z1", "review", ["outside_fence"]), ("Z6", "review", ["outside_fence"])]


async def test_a_hold_of_the_authority_on_a_unit_finds_the_slips_that_go_there(judging):
    goods = [{**sound_slip()["goods"][0], "hazmat": HAZMAT}]
    await judging.record.load({"kind": "slip", "version": 1, "slip": numbered(9, OTHERS, goods=goods)})
    assert await judging.told() == []
    record, woken = judging.record, asyncio.Event()
    holds = SiteHolds(record.database, record.journal, record.clock, woken.set)
    placed = await holds.place("unit", "w3", "示例", "user:duty")
    assert woken.is_set()
    assert (await judging.told(), judging.judged) == ([("Z9", "inspect", ["hold"])], ["Z9"])
    await holds.lift(placed.id, "示例", "user:duty")
    assert await judging.told() == [("Z9", "release", [])]


async def test_a_swapped_copy_looks_at_every_slip_and_many_changes_at_once_do_too(judging, monkeypatch):
    record = judging.record
    await record.load(hold(1))
    await judging.told()
    await record.cache.begin_resync()
    slips = [{"kind": "slip", "version": 1, "slip": numbered(i, OURS if i in {1, 6} else OTHERS)} for i in range(1, 7)]
    await record.cache.apply_page(ChangesPage(slips, "new", more=False, as_of=record.clock.at))  # without the hold
    assert await judging.told() == [("Z1", "release", []), ("Z6", "release", [])]
    assert sorted(judging.judged) == [f"Z{i}" for i in range(1, 7)]
    monkeypatch.setattr(concerned, "MOST", 3)
    codes = [{"kind": "enterprise", "version": 1, "enterprise": {"customs_code": str(i)}} for i in range(4)]
    await record.load(*codes)
    assert (await judging.told(), len(judging.judged)) == ([], 6)


async def test_a_large_copy_is_gone_through_piece_by_piece_and_again_after_a_restart_in_the_middle(
    judging, monkeypatch
):
    monkeypatch.setattr(preassessments, "ROWS_AT_ONCE", 2)
    await judging.record.load(hold(1, code="nobody's"))
    await asyncio.wait_for(judging._preassessor().step(), 5)  # two of the six, and then the power goes
    await judging.record.load(hold(2))
    assert [slip_no for slip_no, _, _ in await judging.told()] == ["Z1", "Z6"]


async def test_what_is_noted_while_the_copy_is_gone_through_stays_noted(judging):
    database = judging.record.database
    await database.write(lambda c: concerned.note(c, [("enterprise", OURS), ("vehicle", "P1")]))
    up_to, subjects = await database.read(concerned.noted)
    assert subjects == {("enterprise", OURS), ("vehicle", "P1")}
    await database.write(lambda c: concerned.note(c, [("enterprise", OURS), ("slip", "Z1")]))
    await database.write(lambda c: concerned.settle(c, up_to))
    assert (await database.read(concerned.noted))[1] == {("enterprise", OURS), ("slip", "Z1")}


async def test_another_policy_is_judged_by_and_only_what_comes_out_otherwise_is_told(judging):
    judging.policy = {"version": "stricter", "reasons": {}}
    assert await judging.told() == []
    assert len(judging.judged) == 6
    await judging.told()
    assert judging.judged == []  # each once, a restart in between or not


async def test_a_slip_that_expires_is_told_the_day_after(judging):
    late = NOON + timedelta(hours=2)
    slip = numbered(7, OURS, valid_until_at=late.isoformat())
    await judging.record.load({"kind": "slip", "version": 1, "slip": slip})
    assert await judging.told() == []
    judging.record.clock.at = NOON + timedelta(days=1)
    assert await judging.told() == [("Z7", "refuse", ["slip_expired"])]
    assert await judging.told() == []


async def test_a_changed_declaration_is_judged_with_the_slips_that_name_it_alone(judging):
    named = sound_slip()["documents"][0]["declaration_no"]
    other = numbered(8, OURS, documents=[{**sound_slip()["documents"][0], "declaration_no": "331120261000000009"}])
    await judging.record.load({"kind": "slip", "version": 1, "slip": other})
    await judging.told()
    declaration = {"number": named, "trucks": "many", "total_gross_kg": 1, "passed_gross_kg": 0, "closed": False}
    await judging.record.load({"kind": "declaration", "version": 1, "declaration": declaration})
    told = await judging.told()
    assert judging.judged == [f"Z{i}" for i in range(1, 7)]
    assert {reason for _, _, reasons in told for reason in reasons} == {"declaration_exceeded"}
