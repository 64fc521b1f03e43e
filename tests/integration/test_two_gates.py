"""Two gates (一卡, 二卡) as two real services of two sites, with yards of their own, over one real central system."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sync.database import DatabaseSettings
from sync.verify import verify_directory
from tests.fakes.register_record import Record
from tests.fakes.site import Site, Truck

pytestmark = pytest.mark.timeout(240)


async def started(stack: AsyncExitStack, *sites: Site) -> None:
    """Both at once; what could be started is stopped in any case."""
    found = await asyncio.gather(*(site.__aenter__() for site in sites), return_exceptions=True)
    for site, one in zip(sites, found, strict=True):
        if not isinstance(one, BaseException):
            stack.push_async_exit(site)
    for one in found:
        if isinstance(one, BaseException):
            raise one


async def through(site: Site, truck: Truck) -> dict[str, Any]:
    """The truck's passage at this gate, once it has crossed."""
    await site.come(truck)
    await site.eventually(lambda: passed(site, truck), bool)
    return await site.passage_of(truck)


async def passed(site: Site, truck: Truck) -> bool:
    sql = "SELECT 1 FROM slip_uses WHERE slip_no = ? AND state = 'used'"
    return bool(site.rows(sql, truck.slip_no))


async def between(site: Site) -> list[tuple[str, bool]]:
    """Slips that this gate knows to be on the way between the two, and whether they are late."""
    rows = (await site.get("/api/v1/registers/between_gates"))["rows"]
    return [(row["slip_no"], row["is_late"]) for row in rows]


async def test_a_slip_passes_two_gates_and_one_that_never_comes_to_the_second_is_seen_at_both(tmp_path):
    first = Site(tmp_path / "first", lanes=2, gate="first")
    second = Site(tmp_path / "second", gate="second", other=first)
    async with AsyncExitStack() as stack:
        await started(stack, first, second)
        both, lost = (first.new_truck(lane, site_ids=("K1", "K2")) for lane in ("in-d1", "in-d2"))
        await first.tell_centre(both, lost)
        at_first, _ = await asyncio.gather(through(first, both), through(first, lost))
        on_the_way = [(truck.slip_no, False) for truck in (both, lost)]
        await second.eventually(lambda: between(second), lambda rows: sorted(rows) == sorted(on_the_way))
        at_second = await through(second, both)
        assert (at_first["verdict"], at_second["verdict"]) == ("release", "release")
        # of the one that passed both nothing is open at either gate; the other stands at both
        for site in (first, second):
            await site.eventually(lambda site=site: between(site), lambda rows: rows == [(lost.slip_no, False)])
        used = [event["data"] for event in await first.received() if event["type"] == "slip.used"]
        assert [(one["slip_no"], one["gate"]) for one in used if one["slip_no"] == both.slip_no] == [
            (both.slip_no, "first"), (both.slip_no, "second"),
        ]  # fmt: skip
        await asyncio.gather(first.stop_service(), second.stop_service())
    await late_is_told_once(first, lost, "first")
    await late_is_told_once(second, lost, "second")


async def late_is_told_once(site: Site, lost: Truck, gate: str) -> None:
    """What each gate's own record says a while later; an hour is not waited for, the desk's clock is put on."""
    settings = DatabaseSettings(site.folder.path, reserve_bytes=0)
    async with Record(site.folder.path, gate, settings, site.id) as record:
        record.clock.at = datetime.now(UTC) + timedelta(hours=1)
        assert [(row["slip_no"], row["is_late"]) for row in await record.rows("between_gates")] == [
            (lost.slip_no, True)
        ]
        for _ in range(2):
            await record.desk.alarm_between_gates()
        [told] = await record.facts("second_gate_missing")
        assert (told["slip_no"], told["gate"]) == (lost.slip_no, gate)
    assert verify_directory(site.folder.path).findings == []
