"""Whole cases with their whole answers: what was decided once is decided the same way, byte for byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lanes.policy.engine import assess_document

ROWS = json.loads((Path(__file__).parent / "policy" / "answers.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_the_answer_is_the_recorded_one(row):
    found = json.dumps(assess_document(row["case"]), ensure_ascii=False)
    assert found == json.dumps(row["answer"], ensure_ascii=False)
