"""`gate bench rules`: the case it measures is a released one, and many documents stay within linear."""

from __future__ import annotations

import time

from gate_service.bench.rules import bench_rules, case
from gate_service.cli.bench import BENCHES
from lanes.policy.engine import assess_document


def test_what_is_measured_is_a_truck_that_is_released_with_every_document_judged():
    for documents in (1, 100):
        assert assess_document(case(documents))["verdict"] == "release"
        late = case(documents)
        for one in late["slips"][0]["documents"]:
            one["state"] = "submitted"
        assert len(assess_document(late)["checks"]) == documents


def test_the_verb_knows_it_and_says_each_figure_with_its_limit():
    assert BENCHES["rules"] is bench_rules
    figures = bench_rules(rounds=30, now_s=time.thread_time)  # of work: a long decision is put aside more often
    assert [figure.name for figure in figures] == [
        "1 document: decisions", "1 document: p99",
        *(f"{n} documents: {what}" for n in (10, 100) for what in ("decisions", "p99", "p50")),
    ]  # fmt: skip
    assert all(figure.value > 0 for figure in figures)
    # A hundred documents cost less than a hundred times one: most of a decision is not per document.
    (p50,) = [figure for figure in figures if figure.name == "100 documents: p50"]
    assert p50.is_ok
