"""Answers worked out from the rules' text, with their own arithmetic, most of them before the code was read.

Where the text leaves a choice the case holds the reading of docs/decisions/0004; the sections "several slips", "left
out and blank", "what cannot be judged", "returns and the clock" and "readings of decision 0004" came after reading it.

`cases.json`: a case is a base document with members set or dropped by path ("slips.0.total_kg"), and what must come of
it: verdict, tier, every reason that fires with its verdict, the lane that would fit, and where the text decides them
the cause and the kilograms allowed; or the code of the error. Nothing else may fire.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from gate_service.domain.errors import GateError
from lanes.policy.engine import assess_document
from lanes.routing import route_document

DATA: dict[str, Any] = json.loads((Path(__file__).parent / "cases.json").read_text(encoding="utf-8"))
CASES = [(section["section"], case) for section in DATA["sections"] for case in section["cases"]]
ROUTING = DATA["routing"]["cases"]
ANSWER_KEYS = {"verdict", "tier", "checks", "warnings", "lane"}
CHECK_KEYS = {"reason_code", "verdict", "expected", "found", "allowed", "cause", "source"}


def parent_of(document: Any, path: str) -> tuple[Any, Any]:
    """The object that holds the member at this path, and the member's key in it; objects on the way are made."""
    *way, last = path.split(".")
    for key in way:
        document = document[int(key)] if isinstance(document, list) else document.setdefault(key, {})
    return document, int(last) if isinstance(document, list) else last


def changed(base: Any, case: dict[str, Any]) -> Any:
    """The base with the case's members set and dropped."""
    document = copy.deepcopy(base)
    for path, value in case.get("set", {}).items():
        holder, key = parent_of(document, path)
        holder[key] = copy.deepcopy(value)
    for path in case.get("drop", ()):
        holder, key = parent_of(document, path)
        del holder[key]
    return document


def numbers_in(value: Any) -> list[int | float]:
    """Every number of an answer, however deep."""
    if isinstance(value, dict):
        return [n for item in value.values() for n in numbers_in(item)]
    if isinstance(value, list):
        return [n for item in value for n in numbers_in(item)]
    return [value] if isinstance(value, int | float) else []


def as_expected(answer: dict[str, Any], expect: dict[str, Any]) -> dict[str, Any]:
    """The parts of an answer that the case speaks of, in the shape of its expectation."""
    by_code = {check["reason_code"]: check for check in answer["checks"]}
    found: dict[str, Any] = {
        "verdict": answer["verdict"],
        "tier": answer["tier"],
        "fired": {code: check["verdict"] for code, check in by_code.items()},
    }
    if "lane" in expect:
        found["lane"] = answer["lane"]
    for key in ("cause", "allowed"):
        if key in expect:
            found[key] = {code: by_code[code][key] for code in expect[key] if code in by_code}
    return found


@pytest.mark.parametrize(("section", "case"), CASES, ids=[f"{s}: {c['name']}" for s, c in CASES])
def test_the_text_decides(section, case):
    document = changed(DATA["bases"][case["base"]], case)
    if "error" in case["expect"]:
        with pytest.raises(GateError) as raised:
            assess_document(document)
        assert raised.value.code == case["expect"]["error"]
        return
    answer = assess_document(document)
    assert as_expected(answer, case["expect"]) == case["expect"]
    assert answer.keys() == ANSWER_KEYS
    assert all(check.keys() == CHECK_KEYS for check in answer["checks"])
    assert sorted(answer["warnings"]) == sorted(c for c, v in case["expect"]["fired"].items() if v == "release")
    # Masses have at most three decimals; the rate of a draw is no mass.
    masses = [check | {"source": None} for check in answer["checks"] if check["reason_code"] != "spot_check"]
    assert all(n == round(n, 3) for n in numbers_in(masses))


@pytest.mark.parametrize("case", ROUTING, ids=[case["name"] for case in ROUTING])
def test_the_text_decides_the_lane(case):
    shared = DATA["routing"]
    document = {
        "lanes": [
            {k: v for k, v in {**shared["lane"], **lane}.items() if k not in lane.get("drop", ()) and k != "drop"}
            for lane in case["lanes"]
        ],
        "slips": [changed(DATA["bases"][slip["base"]]["slips"][0], slip) for slip in case["slips"]],
        "vehicle": shared["vehicle"],
        "policy": case.get("policy"),
        "secret": case.get("secret", shared["secret"]),
    }
    answer = route_document(document)
    assert answer.keys() == {"lane", "refused"}
    found = {"lane": answer["lane"], "refused": {name: sorted(why) for name, why in answer["refused"].items()}}
    assert found == case["expect"]
