"""One slip, one truck: many lanes at once, two sites, with and without the line. The full count: `make soak`."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack

import pytest

from tests.fakes.attempts import Gate, shared_slip
from tests.fakes.slips import sound_slip
from tests.fakes.sync_parties import PATIENT, Party, site, until

SLIPS = 10
ATTEMPTS = 60


@pytest.fixture
def central(tmp_path):
    party = Party("central", tmp_path)
    party.start()
    yield party
    party.close()


async def copied(gate, number):
    async def is_there():
        rows = await gate.database.read(
            lambda c: c.exec_driver_sql(f"SELECT key FROM slips WHERE key = '{number}'").fetchall()
        )
        return bool(rows) and (await gate.worker.status())["central"]["line"] == "up"

    await until(is_there)


async def cut(central, *gates):
    central.stop()
    for gate in gates:

        async def is_down(gate=gate):
            return (await gate.worker.status())["central"]["line"] == "down"

        await until(is_down)


async def conflicts(*gates):
    return [found for gate in gates for found in await gate.worker.conflicts.listed()]


def released(passages):
    return Counter(passage.scanned[0] for passage in passages if passage.verdict == "release")


async def test_many_lanes_at_once_release_each_slip_of_the_site_exactly_once(central, tmp_path):
    numbers = [f"Z{n}" for n in range(SLIPS)]
    await central.load(
        *({"kind": "slip", "slip": sound_slip(slip_no=n, version=1, valid_until_at=None)} for n in numbers)
    )
    async with site(tmp_path / "k1", central, **PATIENT) as gate:
        await copied(gate, numbers[-1])
        lanes = Gate(gate, "K1")
        passages = await asyncio.gather(*(lanes.attempt(numbers[i % SLIPS]) for i in range(ATTEMPTS)))
        assert released(passages) == dict.fromkeys(numbers, 1)
        refused = [p for p in passages if p.verdict != "release"]
        assert {p.verdict for p in refused} == {"refuse"}
        assert all("slip_used" in str(p.assessment) for p in refused)


async def test_two_sites_release_each_shared_slip_once_and_none_while_the_line_is_cut(central, tmp_path):
    numbers = [f"Z{n}" for n in range(SLIPS)]
    await central.load(*({"kind": "slip", "slip": shared_slip(n)} for n in [*numbers, "Z-offline"]))
    async with AsyncExitStack() as stack:
        gates = [
            await stack.enter_async_context(site(tmp_path / k, central, site_id=k, **PATIENT)) for k in ("K1", "K2")
        ]
        for gate in gates:
            await copied(gate, "Z-offline")
        lanes = [Gate(gate, site_id) for gate, site_id in zip(gates, ("K1", "K2"), strict=True)]
        passages = await asyncio.gather(*(lanes[i % 2].attempt(numbers[(i // 2) % SLIPS]) for i in range(ATTEMPTS)))
        assert released(passages) == dict.fromkeys(numbers, 1)

        await cut(central, *gates)
        alone = [await one.attempt("Z-offline") for one in lanes]
        assert [passage.verdict for passage in alone] == ["review", "review"]
        assert all("claim_unavailable" in str(passage.assessment) for passage in alone)
        for one, passage in zip(lanes, alone, strict=True):  # people let both go
            await one.leave(await one.release_by_hand(passage), has_crossed=True)
        central.start()

        async def are_settled():
            claims = [(await gate.worker.status())["claims"] for gate in gates]
            open_ones = {"unclaimed", "asked", "unconfirmed"} & {state for one in claims for state in one}
            return not open_ones and bool(await conflicts(*gates))

        await until(are_settled)
        found = await conflicts(*gates)  # of the site that asked second, or of both where both had told their use
        assert len(found) in (1, 2)
        for conflict in found:
            assert (conflict["kind"], conflict["slip_no"]) == ("used_elsewhere", "Z-offline")
            other = {passage.id for passage in alone} - {conflict["passage_id"]}
            assert {use["passage_id"] for use in conflict["centre"]["used_by"]} == other


async def test_a_truck_that_turned_back_can_come_again_at_either_site(central, tmp_path):
    await central.load({"kind": "slip", "slip": shared_slip("Z1")})
    async with (
        site(tmp_path / "k1", central, site_id="K1", **PATIENT) as first,
        site(tmp_path / "k2", central, site_id="K2", **PATIENT) as second,
    ):
        for gate in (first, second):
            await copied(gate, "Z1")
        here, there = Gate(first, "K1"), Gate(second, "K2")
        passage = await here.attempt("Z1")
        assert passage.verdict == "release"
        assert (await there.attempt("Z1")).verdict == "refuse"
        await here.leave(passage, has_crossed=False)

        async def is_given_back():
            return [claim["state"] for claim in await central.control("GET", "claims")] == ["returned"]

        await until(is_given_back)
        again = await there.attempt("Z1")
        assert again.verdict == "release"
        assert (await here.attempt("Z1")).verdict == "refuse"
        await there.leave(again, has_crossed=True)


async def test_a_slip_revoked_while_the_line_was_cut_and_used_here_is_listed_after_healing(central, tmp_path):
    await central.load({"kind": "slip", "slip": shared_slip("Z1")})
    async with site(tmp_path / "k1", central, **PATIENT) as gate:
        await copied(gate, "Z1")
        lanes = Gate(gate, "K1")
        await cut(central, gate)
        passage = await lanes.attempt("Z1")
        assert passage.verdict == "review"
        await lanes.leave(await lanes.release_by_hand(passage), has_crossed=True)
        central.start()
        await central.load({"kind": "slip_revoked", "slip_no": "Z1", "reason": "recalled"})

        async def is_listed():
            return [found["kind"] for found in await conflicts(gate)] == ["revoked"]

        await until(is_listed)
        assert (await gate.worker.status())["conflicts"] == {"open": 1}


async def test_a_lease_that_ends_while_the_vehicle_waits_is_renewed_in_time(central, tmp_path):
    await central.control("POST", "options", {"lease_s": 3600})
    await central.load({"kind": "slip", "slip": shared_slip("Z1")})
    async with site(tmp_path / "k1", central, **PATIENT) as gate:
        await copied(gate, "Z1")
        lanes = Gate(gate, "K1")
        assert (await lanes.attempt("Z1")).verdict == "release"
        await gate.worker.claims.settle()
        await central.control("POST", "options", {"lease_s": 7200})  # before it is due: it is asked for once
        await gate.database.write(lambda c: c.exec_driver_sql("UPDATE claims SET due_at_us = 1").close())

        async def is_renewed():
            rows = await gate.database.read(
                lambda c: c.exec_driver_sql("SELECT lease_until_us - at_us FROM claims").fetchall()
            )
            return rows[0][0] > 7000 * 10**6

        await until(is_renewed)
