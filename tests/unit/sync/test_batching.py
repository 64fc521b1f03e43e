"""Which events go next, and what an answer makes of them."""

import json

from sync.batching import BatchLimit, Waiting, batch_body, choose_batch, settle
from sync.central.wire import EventsAnswer, RejectedEvent


def waiting(seq, passage=None, epoch="e1", record=None, payload=b"{}"):
    return Waiting(epoch, seq, f"id-{epoch}-{seq}", seq if record is None else record, passage, payload)


def seqs(batch):
    return [event.seq for event in batch]


def test_the_newest_passage_goes_first_and_whole():
    backlog = [waiting(1, "a"), waiting(2, "a"), waiting(3, "b"), waiting(4, "b"), waiting(5, "b")]
    assert seqs(choose_batch(backlog, 3)) == [3, 4, 5]


def test_a_passage_too_long_for_the_batch_is_cut_at_its_end_never_at_its_beginning():
    assert seqs(choose_batch([waiting(n, "a") for n in range(1, 6)], 2)) == [1, 2]


def test_events_without_a_passage_stand_alone():
    assert seqs(choose_batch([waiting(1), waiting(2), waiting(3, "a")], 2)) == [2, 3]


def test_a_batch_is_of_one_epoch_and_an_old_one_goes_before_the_new_of_the_same_passage():
    rows = [waiting(9, "a", "old", record=1), waiting(1, "a", "new", record=2), waiting(2, "b", "new", record=3)]
    assert [(e.epoch, e.seq) for e in choose_batch(rows, 10)] == [("new", 2)]
    assert [(e.epoch, e.seq) for e in choose_batch(rows[:2], 10)] == [("old", 9)]


def test_a_batch_is_bounded_in_bytes_but_never_empty():
    big = b"x" * 700_000
    assert seqs(choose_batch([waiting(1, "a", payload=big), waiting(2, "a", payload=big)], 10)) == [1]
    assert seqs(choose_batch([waiting(1, "a", payload=big * 3)], 10)) == [1]


def test_nothing_waiting_is_no_batch():
    assert choose_batch([], 10) == []


def test_the_frozen_bytes_are_in_the_body_untouched():
    payload = '{"id":"i","seq":1,"data":{"kg":16245.335,"名":"货"}}'.encode()
    body = batch_body([waiting(1, payload=payload)])
    assert payload in body
    assert json.loads(body)["epoch"] == "e1"


def test_an_answer_settles_each_event_by_its_range_or_its_rejection():
    batch = [waiting(n) for n in range(1, 6)]
    answer = EventsAnswer(
        ((1, 2), (5, 900)),
        (
            RejectedEvent("id-e1-2", "input_invalid", "no"),
            RejectedEvent("id-e1-3", "duplicate", "known"),
            RejectedEvent("somebody else's", "input_invalid", "no"),
        ),
    )
    settled = settle(batch, answer)
    assert seqs(settled.delivered) == [1, 3, 5]
    assert [(event.seq, reason) for event, reason in settled.parked] == [(2, "input_invalid: no")]
    assert seqs(settled.open) == [4]


def test_the_batch_is_halved_until_the_bad_event_stands_alone_and_grows_again():
    limit = BatchLimit(8)
    limit.refused(5)
    assert limit.now == 2
    limit.refused(2)
    limit.refused(1)
    assert limit.now == 1
    for expected in (2, 4, 8, 8):
        limit.went_through()
        assert limit.now == expected
