"""`gate assess` and `gate route`: status 0 whatever the verdict, 1 with an error object for what is not judged."""

from __future__ import annotations

import io
import json
import sys

import pytest

from gate_service.cli import assess, route
from tests.fakes.policy_cases import case, slip


def ran(verb, tmp_path, capsysbinary, text):
    file = tmp_path / "case.json"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    status = verb.run(str(file), as_json=True)
    return status, json.loads(capsysbinary.readouterr().out)


@pytest.mark.parametrize("changes", [{}, {"vehicle": {"plate": None}}, {"claim": "refused"}])
def test_a_judged_case_is_done_whatever_the_verdict(changes, tmp_path, capsysbinary):
    status, answer = ran(assess, tmp_path, capsysbinary, json.dumps(case(**changes), ensure_ascii=False))
    assert status == 0
    assert {"verdict", "tier", "checks", "warnings", "lane"} == answer.keys()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "input_invalid"),
        ("{", "input_invalid"),
        ("[]", "case_invalid"),
        ("null", "case_invalid"),
        (b"\xff\xfe", "input_invalid"),
        ('{"a": NaN}', "input_invalid"),
        ('{"a": 1, "a": 2}', "input_invalid"),
        ("[" * 200_000, "input_invalid"),
        ('{"now_at": ' + "9" * 10_000 + "}", "input_invalid"),
        (json.dumps(case(policy={"colour": 1})), "policy_invalid"),
        (json.dumps(case(slips=[slip(total_kg=1e400)])).replace("Infinity", "1e400"), "case_invalid"),
        (json.dumps(case(vehicle={"plate": "\ud800"})), "case_invalid"),
    ],
    ids=range(12),
)
def test_what_cannot_be_judged_is_an_error_object(text, code, tmp_path, capsysbinary):
    status, answer = ran(assess, tmp_path, capsysbinary, text)
    assert status == 1
    assert answer["error"]["code"] == code
    assert answer["error"]["message"]


def test_a_file_that_is_not_there_is_an_error_object(tmp_path, capsysbinary):
    assert assess.run(str(tmp_path / "none"), as_json=True) == 1
    assert json.loads(capsysbinary.readouterr().out)["error"]["code"] == "input_invalid"


def test_more_than_the_largest_document_is_refused(tmp_path, capsysbinary):
    status, answer = ran(route, tmp_path, capsysbinary, " " * (16 * 1024 * 1024 + 1))
    assert (status, answer["error"]["code"]) == (1, "input_invalid")


def test_a_dash_reads_standard_input(monkeypatch, capsysbinary):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"lanes": []}')))
    assert route.run("-", as_json=True) == 0
    assert json.loads(capsysbinary.readouterr().out) == {"lane": None, "refused": {}}
