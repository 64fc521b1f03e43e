"""The lines' full count: every fault at random, thirty days of outage, a thousand attempts. Prints what came of it."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from contextlib import AsyncExitStack
from random import Random

import pytest

from tests.fakes.attempts import Gate, shared_slip
from tests.fakes.line_proxy import FAULTS, LineProxy
from tests.fakes.record_entries import crossing, decision
from tests.fakes.sync_parties import Party, site, until

DAYS, TRUCKS_A_DAY = 30, 4_000
TOLD = 5  # events of one truck in `record_entries`
AT_ONCE = 100
CHAOS_S, FAULT_S = 180.0, 6.0
ALARM_S, LIVE_S, LEAST_PER_S = 10.0, 2.0, 1_000


@pytest.fixture
def central(tmp_path):
    party = Party("central", tmp_path)
    party.start()
    yield party
    if party.process is not None:
        os.kill(party.process.pid, signal.SIGCONT)
    party.close()


async def passes(gate, first, count):
    """Trucks pass; both records of each, many at once."""
    for start in range(first, first + count, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, first + count))
        await asyncio.gather(*(gate.journal.write(decision(i)) for i in numbers))
        await asyncio.gather(*(gate.journal.write(crossing(i)) for i in numbers))


async def outbox(gate):
    return (await gate.worker.status())["outbox"]


async def whole(gate, central, events, within_s=120.0):
    async def is_told():
        return (await outbox(gate))["due"] == 0

    await until(is_told, within_s)
    counts = await central.counts()
    assert (counts["events"], counts["gaps"], counts["conflicts"]) == (events, [], 0)
    assert (await outbox(gate))["parked"] == 0
    return counts


@pytest.mark.soak
@pytest.mark.timeout(900)
async def test_every_fault_of_a_line_at_random_loses_and_doubles_nothing(central, tmp_path):
    rng, trucks, played = Random(20261128), 0, Counter()
    async with LineProxy(central.url) as line, site(tmp_path / "k1", line, batch_limit=50) as gate:
        ends_s = time.monotonic() + CHAOS_S
        while time.monotonic() < ends_s:
            fault = rng.choice([*FAULTS, "frozen"])
            played[fault] += 1
            if fault == "frozen":
                os.kill(central.process.pid, signal.SIGSTOP)
            else:
                await line.play(fault, rng.choice((0.3, 0.7, 1.0)))
            until_s = time.monotonic() + rng.uniform(0.5, FAULT_S)
            while time.monotonic() < until_s:
                await passes(gate, trucks + 1, 5)
                trucks += 5
                await asyncio.sleep(0.05)
            os.kill(central.process.pid, signal.SIGCONT)
        await line.play("fine")
        counts = await whole(gate, central, trucks * TOLD)
        print(
            f"\n{trucks} trucks, {counts['events']} events, 0 lost, {counts['repeats']} repeats known, {dict(played)}"
        )
        assert counts["repeats"] > 0


@pytest.mark.soak
@pytest.mark.timeout(3600)
async def test_thirty_days_of_outage_drain_while_live_trucks_pass(central, tmp_path):
    trucks = DAYS * TRUCKS_A_DAY
    async with site(tmp_path / "k1", central) as gate:
        await passes(gate, 1, 1)
        await whole(gate, central, TOLD)
        central.stop()
        started_s = time.monotonic()
        await passes(gate, 2, 1)

        async def is_alarmed():
            return (await outbox(gate))["alarm"]

        await until(is_alarmed, ALARM_S)
        alarm_s = time.monotonic() - started_s
        before = sum(file.stat().st_size for file in (tmp_path / "k1").iterdir())
        started_s = time.monotonic()
        await passes(gate, 3, trucks)
        filled_s = time.monotonic() - started_s
        grown = sum(file.stat().st_size for file in (tmp_path / "k1").iterdir()) - before
        due = (await outbox(gate))["due"]
        central.start()
        started_s, live_s, number = time.monotonic(), [], trucks + 3
        while (await outbox(gate))["due"] > 200:
            await passes(gate, number, 1)
            sent_s = time.monotonic()
            while not await gate.database.read(lambda c, n=number: _is_told(c, n)):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            live_s.append(time.monotonic() - sent_s)
            number += 1
            await asyncio.sleep(0.2)
        drained_s = time.monotonic() - started_s
        counts = await whole(gate, central, (number - 1) * TOLD)
        rate = due / drained_s
        print(
            f"\n{trucks} trucks recorded in {filled_s:.0f} s ({grown / trucks:.0f} bytes each);"
            f" alarm after {alarm_s:.1f} s; {due} events drained in {drained_s:.0f} s, {rate:.0f}/s;"
            f" {len(live_s)} live trucks, slowest {max(live_s):.2f} s; repeats {counts['repeats']}, lost 0"
        )
        assert rate >= LEAST_PER_S
        assert max(live_s) <= LIVE_S


def _is_told(connection, number):
    told = crossing(number).events[-1].id
    return connection.exec_driver_sql(f"SELECT state FROM outbox WHERE id = '{told}'").scalar() == "delivered"


@pytest.mark.soak
@pytest.mark.timeout(900)
async def test_a_thousand_attempts_on_a_hundred_slips_at_two_sites_release_a_hundred(central, tmp_path):
    numbers = [f"Z{n}" for n in range(100)]
    await central.load(*({"kind": "slip", "slip": shared_slip(n)} for n in numbers))
    async with AsyncExitStack() as stack:
        gates = [
            await stack.enter_async_context(
                site(tmp_path / k, central, site_id=k, claim_timeout_s=20.0, lookup_timeout_s=20.0)
            )
            for k in ("K1", "K2")
        ]

        async def are_up():
            return all([(await gate.worker.status())["copy"]["applied"] >= 100 for gate in gates])

        await until(are_up)
        lanes = [Gate(gate, site_id) for gate, site_id in zip(gates, ("K1", "K2"), strict=True)]
        order = [(lanes[i % 2], numbers[(i // 2) % 100]) for i in range(1000)]
        Random(1).shuffle(order)
        passages = []
        for start in range(0, 1000, 50):  # fifty lanes at once
            passages += await asyncio.gather(*(lane.attempt(number) for lane, number in order[start : start + 50]))
        verdicts = Counter(passage.verdict for passage in passages)
        released = Counter(passage.scanned[0] for passage in passages if passage.verdict == "release")
        print(f"\n1000 attempts on 100 slips at two sites: {dict(verdicts)}")
        assert released == dict.fromkeys(numbers, 1)
