"""What people read: every sentence whole in its language, with numbers, units and where the expectation comes from."""

from __future__ import annotations

import re

import pytest

from gate_service.domain.verdict import Source
from lanes.policy.case import read_case
from lanes.policy.engine import assess, assess_document
from lanes.policy.explain import SOURCES, driver_line, operator_paragraph, sentences, source_words
from lanes.policy.phrases import in_chinese
from tests.fakes.policy_cases import NOW, case, outbound, registered_goods, slip
from tests.unit.lanes.policy.test_every_reason import TABLE

# Data, codes and units that read the same in both languages.
SAME = re.compile(
    r"\((?:[a-z_]+)，|（[a-z_]+，|kg|strict|standard|sampled|exempt|record|relaxed|local|central|"
    r"valid_until_at|exp|batch|ordinary|two_step|maybe|fast|lost|unheard_of|alg|weigh:|spot:|misspelt|type|not text"
)


def assessed(document):
    return assess(read_case(document))


@pytest.mark.parametrize("row", TABLE, ids=[f"{n}-{row[0]}" for n, row in enumerate(TABLE)])
def test_no_english_is_left_in_a_chinese_sentence(row):
    told = assessed(row[1])
    for line in sentences(told, "zh"):
        left = SAME.sub("", line)
        assert not re.search(r"(?<![\w.-])[a-z]{3,}(?![\w.-])", left), line


@pytest.mark.parametrize("row", TABLE, ids=[f"{n}-{row[0]}" for n, row in enumerate(TABLE)])
def test_no_chinese_of_ours_is_left_in_an_english_sentence(row):
    told = assessed(row[1])
    for check, line in zip(told.checks, sentences(told, "en"), strict=True):
        data = "".join(str(value) for value in (check.expected, check.found, check.allowed, check.source))
        assert all(ord(char) < 0x2E80 or char in data for char in line), line


def test_every_check_says_where_its_expectation_comes_from():
    seen = set()
    for _, fires, _, _ in TABLE:
        answer = assess_document(fires)
        for check in answer["checks"]:
            assert check["source"]["kind"] in SOURCES, check
            seen.add(check["source"]["kind"])
    assert seen == set(SOURCES)


def test_a_copy_tells_its_age_and_the_centre_does_not():
    late = {"source": "local", "as_of": "2026-11-22T06:29:00+08:00"}
    bad = slip(status="void")
    (check,) = [c for c in assess_document(case(bad, **late))["checks"] if c["reason_code"] == "slip_not_approved"]
    assert check["source"] == {
        "kind": "slip", "name": bad["slip_no"], "via": "local", "as_of": "2026-11-22T06:29:00+08:00", "age_s": 5460
    }  # fmt: skip
    assert source_words(check["source"], "zh") == f"核放单 {bad['slip_no']}（本地副本，1 小时 31 分前）"
    assert source_words(check["source"], "en") == f"slip {bad['slip_no']} (local copy, 1 h 31 min old)"
    (check,) = assess_document(case(bad))["checks"]
    assert check["source"]["via"] == "central"
    assert source_words(check["source"], "en") == f"slip {bad['slip_no']} (central system)"


def test_a_copy_without_a_date_or_of_the_future_says_so():
    told = [assessed(case(slip(), source="local", as_of=as_of)) for as_of in (None, "2026-11-22T08:01:00+08:00")]
    assert [sentences(one, "en")[0].split("source ")[1] for one in told] == [
        "local copy (of unknown age).", "local copy (dated in the future).",
    ]  # fmt: skip


def test_an_instrument_tells_its_limit_of_error():
    (check,) = assess_document(case(weight={"gross_kg": 31000}))["checks"]
    assert check["source"] == {"kind": "weighbridge", "error_kg": 40}  # 2 e at 1550 e of 20 kg
    assert source_words(check["source"], "zh") == "地磅（最大允许误差 ±40 kg）"


def test_a_hold_tells_who_wrote_what_and_a_line_its_number():
    held = {"kind": "risk", "id": "H1", "reason": "看样", "target": {"type": "slip", "id": "x"}}
    (check,) = assess_document(case(slip(holds=[held])))["checks"]
    assert source_words(check["source"], "zh") == "布控 H1：看样（中心）"
    assert source_words(Source("slip", "Z1", part="2").as_document(), "zh") == "核放单 Z1 第 2 项"
    assert source_words(Source("document", "Q1", part="Z1").as_document(), "en") == "document Q1 slip Z1"


def test_units_stand_beside_numbers():
    words = sentences(assessed(outbound(slip(
        documents=[slip()["documents"][0] | {"mode": "batch", "guarantee": {"required_cny": 2, "available_cny": 1}}]
    ))), "zh")  # fmt: skip
    assert "应为 2 元，实为 1 元" in words[0]


def test_the_driver_reads_one_line_and_the_operator_one_paragraph():
    told = assessed(case(registered_goods(goods=[]), now_at=NOW, policy={"spot_check": {"registered": 0}}))
    for language in ("zh", "en"):
        assert "\n" not in driver_line(told, language) + operator_paragraph(told, language)
    assert operator_paragraph(told, "zh").startswith(
        "结论：待人工处理；核重等级：sampled；依据：中心；规则：2026-11-01。"
    )


def test_what_is_not_a_phrase_stays_as_it_is():
    assert in_chinese("浙B12345") == "浙B12345"
    assert in_chinese("under 2") == "少于 2 次"
