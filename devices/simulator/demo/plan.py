"""The plan of a demo run: which truck comes when, with which story. Same seed, same trucks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count, islice
from random import Random
from typing import Any, Final

from devices.simulator.demo.draws import secret_for
from devices.simulator.demo.site import LANES, lane_named
from devices.simulator.demo.stories import STORIES, Occasion, Visit

JsonDict = dict[str, Any]

# How long a lane is busy with one truck, in yard seconds at speed 1: only shares the trucks out among the lanes.
BUSY_S: Final = {True: 75.0, False: 30.0}  # with a weighbridge, without
FIRST_GAP_S: Final = 1.0
GAP_S: Final = (1.5, 6.0)  # from one truck gone to the next one seen


def visits(seed: int) -> Iterator[Visit]:
    """Trucks without end, in the order of their numbers. Each round tells every story once."""
    secret = secret_for(seed)
    free_at_s = {lane.lane_id: 5.0 * place for place, lane in enumerate(LANES)}
    busy_s = {lane.lane_id: BUSY_S[lane.link is not None] for lane in LANES}
    for index in count():
        turn, place = divmod(index, len(STORIES))
        story = STORIES[place]
        lane_id = min(story.lanes, key=lambda lane: free_at_s[lane])
        rng = Random(f"{seed}:{index}")  # noqa: S311 - a repeatable draw is the point
        visit = story.tell(Occasion(index + 1, turn, lane_named(lane_id), rng, secret))
        is_first = free_at_s[lane_id] < min(BUSY_S.values())
        gap_s = FIRST_GAP_S + free_at_s[lane_id] / 2 if is_first else rng.uniform(*GAP_S)
        yield replace(visit, arrive_after_s=round(gap_s, 1))
        free_at_s[lane_id] += busy_s[lane_id]


def first_visits(seed: int, trucks: int) -> tuple[Visit, ...]:
    """The first so many trucks of a seed."""
    return tuple(islice(visits(seed), trucks))


def visits_from(seed: int, first: int) -> Iterator[Visit]:
    """The trucks of a seed but the first so many, which have come already."""
    return islice(visits(seed), first, None)


def yard_plan(seed: int, speed: float, trucks: Sequence[Visit]) -> JsonDict:
    """The plan as the yard process reads it."""
    return {
        "seed": seed,
        "speed": speed,
        "lanes": [lane.to_yard() for lane in LANES],
        "trucks": [visit.to_yard() for visit in trucks],
    }
