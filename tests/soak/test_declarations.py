"""One declaration through many lanes at once and many kills: no kilogram counts twice, none is passed twice; and many
days of draws, each checked by what anybody can read.
"""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from fractions import Fraction

import pytest

from gate_service.domain.draws import WantedDraw
from gate_service.domain.errors import SlipTakenError
from gate_service.domain.mass import Mass
from gate_service.domain.record import LedgerChange, LedgerKind
from sync.verify import verify_directory
from tests.fakes.register_record import Record

pytestmark = pytest.mark.soak

LANES, TRUCKS, ROUNDS = 8, 60, 30
TOTAL_G, TRUCK_G = 120_000_000, 6_000_000  # twenty of sixty trucks fit


def share(kind: LedgerKind, passage: str, seen_g: int = -1) -> LedgerChange:
    return LedgerChange(kind, "D1", passage, Mass(TRUCK_G), seen_g, "1000")


async def drive(record: Record, rng: random.Random, passage: str, taken: set[str]) -> None:
    """One truck as a lane does it: look, judge, reserve (again where others took some), then cross or turn back."""
    while True:
        seen = (await record.journal.ledger_facts([], [], ["D1"], passage_id=passage)).declarations_passed
        others = seen.get("D1", Mass(0)).grams
        if others + TRUCK_G > TOTAL_G:
            return
        await asyncio.sleep(rng.random() / 1000)
        try:
            await record.ledger(share(LedgerKind.DECLARATION_RESERVED, passage, others))
        except SlipTakenError:
            continue
        break
    if rng.random() < 0.3:
        await record.ledger(share(LedgerKind.DECLARATION_RETURNED, passage))
        return
    await record.ledger(share(LedgerKind.DECLARATION_PASSED, passage))
    taken.add(passage)


@pytest.mark.parametrize("seed", range(ROUNDS))
async def test_lanes_at_once_never_pass_more_than_the_declaration_and_count_each_truck_once(tmp_path, seed):
    rng, taken = random.Random(seed), set()
    waiting = [f"p{n}" for n in range(TRUCKS)]
    while waiting:
        async with Record(tmp_path) as record:  # opened anew: a restart

            async def lane(record: Record = record) -> None:
                for _ in range(rng.randint(0, 3)):
                    if waiting:
                        await drive(record, rng, waiting.pop(), taken)

            await asyncio.gather(*(lane() for _ in range(LANES)))
            total = {"number": "D1", "trucks": "many", "total_gross_kg": TOTAL_G // 1000, "passed_gross_kg": 0}
            await record.load({"kind": "declaration", "version": 1, "declaration": total})
            (row,) = await record.rows("declarations")
            assert (row["here"]["trucks"], row["here"]["on_the_way"]) == (len(taken), 0)
            assert Mass.from_kg(row["here"]["gross_kg"]).grams == len(taken) * TRUCK_G <= TOTAL_G
    assert verify_directory(tmp_path).findings == []


async def test_a_year_of_draws_is_what_the_revealed_secrets_say(tmp_path):
    rng = random.Random(1)
    async with Record(tmp_path) as record:
        for day in range(366):
            names = [f"spot:Z{rng.randrange(4000)}" for _ in range(20)]
            wanted = [
                WantedDraw(name, Fraction(1, rng.randint(1, 20)), is_of_slip=True) for name in dict.fromkeys(names)
            ]
            first = dict(await record.secrets.draw(wanted, f"p{day}"))
            assert dict(await record.secrets.draw(wanted, f"q{day}")) == first
            record.clock.at += timedelta(days=1)
            await record.secrets.keep()
        assert sum(one["is_revealed"] for one in await record.secrets.published(1000)) == 366
    assert verify_directory(tmp_path).findings == []
