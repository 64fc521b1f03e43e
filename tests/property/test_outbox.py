"""The outbox against a centre that loses answers, refuses, takes parts and is down, with crashes in between: nothing is
lost, nothing counts twice, and no passage is told out of order."""

from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from sync.batching import Waiting, choose_batch, settle
from sync.central.wire import EventsAnswer

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("record"), st.integers(0, 5), st.integers(1, 4)),
        st.tuples(st.just("post"), st.sampled_from(["fine", "lost", "down", "part"]), st.integers(1, 6)),
        st.tuples(st.just("crash"), st.just("before the mark"), st.integers(1, 6)),
    ),
    max_size=60,
)


class Centre:
    """Knows a repeat by its id and keeps the order of arrival."""

    def __init__(self):
        self.effects = []
        self.known = set()

    def take(self, batch):
        for event in batch:
            if event.event_id not in self.known:
                self.known.add(event.event_id)
                self.effects.append(event)
        return EventsAnswer(tuple((event.seq, event.seq) for event in batch), ())


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_nothing_is_lost_doubled_or_told_out_of_order(steps):
    centre, rows, delivered = Centre(), [], set()

    def due():
        return [row for row in rows if row.seq not in delivered]

    def post(how, limit):
        batch = choose_batch(due(), limit)
        if how == "down":
            return
        sent = batch[: max(1, len(batch) // 2)] if how == "part" else batch
        answer = centre.take(sent)
        if how not in ("lost", "before the mark"):
            delivered.update(event.seq for event in settle(batch, answer).delivered)

    for what, first, number in steps:
        if what == "record":
            for _ in range(number):
                seq = len(rows) + 1
                passage = f"p{first}" if first else None
                rows.append(Waiting("e", seq, f"id{seq}", seq, passage, b"{}"))
        else:
            post(first, number)
    for _ in range(len(rows) + 1):
        post("fine", 3)

    assert due() == []
    assert sorted(event.seq for event in centre.effects) == [row.seq for row in rows]
    told = defaultdict(list)
    for event in centre.effects:
        if event.passage_id is not None:
            told[event.passage_id].append(event.seq)
    assert all(order == sorted(order) for order in told.values())
