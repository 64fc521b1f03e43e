"""Generated passages decided here and in another process, as whole lines of text: what a record would hold."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable

from lanes.policy.case import read_case
from lanes.policy.engine import assess
from lanes.policy.explain import LANGUAGES, driver_line, operator_paragraph
from lanes.policy.redecide import replay
from tests.fakes.policy_cases_random import random_case


def decisions(numbers: Iterable[int]) -> str:
    """One line a passage: the case, the whole recorded answer and what people read; written, read back, replayed."""
    return "".join(decision(number) for number in numbers)


def decision(number: int) -> str:
    """One line. The case is decided from its written form, as a replay from the record must."""
    written = json.dumps(random_case(number), ensure_ascii=False)
    case = json.loads(written)
    told = assess(read_case(case))
    words = [f(told, language) for f in (driver_line, operator_paragraph) for language in LANGUAGES]
    record = told.as_record()
    again = replay(str(number), {"case": case, "assessment": json.loads(json.dumps(record))})
    assert again.is_same, (number, again.differences())
    return json.dumps([written, record, words], ensure_ascii=False) + "\n"


def reasons_in(lines: str) -> set[str]:
    """Every reason code that fired."""
    return {check["reason_code"] for line in lines.splitlines() for check in json.loads(line)[1]["checks"]}


def decided_in_another_process(start: int, end: int, *, hash_seed: str) -> str:
    """The same lines made by a fresh interpreter whose sets and dictionaries of texts are ordered otherwise."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fakes.replayed", str(start), str(end)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        check=True,
        timeout=900,
    )
    return done.stdout.decode("utf-8")


if __name__ == "__main__":
    sys.stdout.buffer.write(decisions(range(int(sys.argv[1]), int(sys.argv[2]))).encode("utf-8"))
