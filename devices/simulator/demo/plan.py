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

# How long a lane is busy with one truck, in yard seconds at speed 1: only spreads arrivals; trucks queue by themselves.
HEADWAY_S: Final = {True: 55.0, False: 25.0}  # with a weighbridge, without
FIRST_ARRIVAL_S: Final = 2.0


def visits(seed: int) -> Iterator[Visit]:
    """Trucks without end, in the order of their numbers. Each round tells every story once."""
    secret = secret_for(seed)
    free_at_s = {lane.lane_id: FIRST_ARRIVAL_S + 3.0 * place for place, lane in enumerate(LANES)}
    headway_s = {lane.lane_id: HEADWAY_S[lane.link is not None] for lane in LANES}
    for index in count():
        turn, place = divmod(index, len(STORIES))
        story = STORIES[place]
        lane_id = min(story.lanes, key=lambda lane: free_at_s[lane])
        rng = Random(f"{seed}:{index}")  # noqa: S311 - a repeatable draw is the point
        visit = story.tell(Occasion(index + 1, turn, lane_named(lane_id), rng, secret))
        yield replace(visit, arrive_after_s=round(free_at_s[lane_id], 1))
        free_at_s[lane_id] += headway_s[lane_id] + rng.uniform(0.0, 8.0)


def first_visits(seed: int, trucks: int) -> tuple[Visit, ...]:
    """The first so many trucks of a seed."""
    return tuple(islice(visits(seed), trucks))


def yard_plan(seed: int, speed: float, trucks: Sequence[Visit]) -> JsonDict:
    """The plan as the yard process reads it."""
    return {
        "seed": seed,
        "speed": speed,
        "lanes": [lane.to_yard() for lane in LANES],
        "trucks": [visit.to_yard() for visit in trucks],
    }
