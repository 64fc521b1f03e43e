"""Edges of the rules, each with the clause it comes from: found by reading RULES word by word against the answers.

`policy/edges.json`: a base of `rules_examiner/cases.json` with members set or dropped by path, and what must come
of it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gate_service.domain.errors import GateError
from lanes.policy.engine import assess_document
from tests.golden.rules_examiner.test_rules_by_the_text import DATA, as_expected, changed

CASES = json.loads((Path(__file__).parent / "policy" / "edges.json").read_text(encoding="utf-8"))["cases"]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_clause_decides(case):
    document = changed(DATA["bases"][case["base"]], case)
    if "error" in case["expect"]:
        with pytest.raises(GateError) as refused:
            assess_document(document)
        assert refused.value.code == case["expect"]["error"], case["why"]
        return
    answer = assess_document(document)
    expect = {**case["expect"], "lane": answer["lane"] if "lane" not in case["expect"] else case["expect"]["lane"]}
    assert as_expected(answer, expect) == expect, case["why"]
