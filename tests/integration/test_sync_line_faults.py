"""Everything a line does, on real bytes: nothing lost, nothing twice in effect, alarm within ten seconds.

`tests/soak/test_soak_lines.py` plays all of it together over many days' trucks.
"""

import asyncio
import os
import signal

import pytest

from tests.fakes.line_proxy import LineProxy
from tests.fakes.record_entries import crossing, decision
from tests.fakes.sync_parties import Party, site, until

TRUCKS = 12
EVENTS = 5 * TRUCKS  # decision and crossing
ALARM_S = 10.0
ASKING = 3  # tasks that ask the centre on their own: changes, outbox, checkpoints

pytestmark = pytest.mark.timeout(300)  # both sides of a test may have to send everything on a busy machine


@pytest.fixture
def central(tmp_path):
    party = Party("central", tmp_path)
    party.start()
    yield party
    if party.process is not None:
        os.kill(party.process.pid, signal.SIGCONT)
    party.close()


async def record(gate, first, count):
    for i in range(first, first + count):
        await gate.journal.write(decision(i))
        await gate.journal.write(crossing(i))


async def whole(gate, central, events):
    """The centre has every event once, without gaps, and the site knows it."""

    async def is_told():
        return (await gate.worker.status())["outbox"]["due"] == 0

    await until(is_told, within_s=90)
    counts = await central.counts()
    assert (counts["events"], counts["gaps"], counts["conflicts"]) == (events, [], 0)
    claims = await central.control("GET", "claims")
    assert len(claims) == len({(claim["slip_no"], claim["passage_id"]) for claim in claims})
    assert (await gate.worker.status())["outbox"]["parked"] == 0
    return counts


async def is_alarmed(gate):
    """No look finds the events unheard for longer without an alarm, by the site's own clock: a busy machine does not
    count.
    """
    outbox = (await gate.worker.status())["outbox"]
    assert outbox["alarm"] or (outbox["unacknowledged_s"] or 0.0) <= ALARM_S
    return outbox["alarm"]


async def is_up(gate):
    return (await gate.worker.status())["central"]["line"] == "up"


async def test_a_line_that_swallows_bytes_is_alarmed_within_ten_seconds_and_loses_nothing(central, tmp_path):
    async with LineProxy(central.url) as line, site(tmp_path / "k1", line) as gate:
        await record(gate, 1, 2)
        await whole(gate, central, 10)
        await until(lambda: is_up(gate))
        await line.play("half_open")
        await record(gate, 3, TRUCKS - 2)
        await until(lambda: is_alarmed(gate))
        await line.play("fine")
        await whole(gate, central, EVENTS)
        await until(lambda: is_up(gate))


async def test_after_a_silence_no_kept_connection_costs_another_time_out(central, tmp_path):
    async with LineProxy(central.url) as line, site(tmp_path / "k1", line, request_timeout_s=1.0) as gate:
        await until(lambda: is_up(gate))
        client = gate.worker._client
        await asyncio.gather(*(client.slip("Z1") for _ in range(8)))  # eight connections are kept
        await line.play("forgotten")
        await record(gate, 1, 1)
        await whole(gate, central, 5)
        assert 0 < line.played <= ASKING  # each found out once at most, whatever else was kept


async def test_a_frozen_centre_is_alarmed_within_ten_seconds_and_gets_everything_once(central, tmp_path):
    async with site(tmp_path / "k1", central) as gate:
        await until(lambda: is_up(gate))
        os.kill(central.process.pid, signal.SIGSTOP)
        await record(gate, 1, TRUCKS)
        await until(lambda: is_alarmed(gate))
        os.kill(central.process.pid, signal.SIGCONT)
        await whole(gate, central, EVENTS)


@pytest.mark.parametrize("fault", ["reset_after_commit", "duplicated", "late_again", "slow"])
async def test_a_line_that_repeats_reorders_or_loses_answers_changes_nothing_in_effect(central, tmp_path, fault):
    async with LineProxy(central.url) as line, site(tmp_path / "k1", line, batch_limit=7) as gate:
        await until(lambda: is_up(gate))
        await line.play(fault, 0.7 if fault == "reset_after_commit" else 1.0)
        await record(gate, 1, TRUCKS)
        counts = await whole(gate, central, EVENTS)
        assert line.played > 0
        assert counts["repeats"] > 0 or fault == "slow"
