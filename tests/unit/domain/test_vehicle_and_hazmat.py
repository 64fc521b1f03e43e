"""Check digits, comparable forms, small quantities, and S and R of GB 18218 on the reference vector."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gate_service.domain.hazmat import (
    Label,
    StockTerm,
    bare_un_number,
    cas_check_digit_fits,
    installation_level,
    label_of,
    labels_of,
    stock_grading,
    stock_indicator,
)
from gate_service.domain.vehicle import comparable_plate, container_check_digit_fits
from gate_service.domain.verdict import Check, Verdict, strictest


@pytest.mark.parametrize(
    ("number", "fits"),
    [("CSQU3054383", True), ("HLXU4074106", True), ("FCIU 917692-1", True), ("CSQU1234567", False), ("CSQU", False)],
)
def test_container_check_digits(number, fits):
    assert container_check_digit_fits(number) is fits


@pytest.mark.parametrize(("cas", "fits"), [("67-64-1", True), ("67-64-2", False), ("7732-18-5", True), ("x", False)])
def test_cas_check_digits(cas, fits):
    assert cas_check_digit_fits(cas) is fits


def test_plates_compare_without_dots_blanks_and_width():
    assert comparable_plate(" 浙Ｂ·12 345") == comparable_plate("浙b12345") == "浙B12345"


@pytest.mark.parametrize(
    ("hazard_class", "label"),
    [
        ("2.3", Label("2")),
        ("7B", Label("7")),
        ("1.1D", Label("1", "D")),
        ("1.4s", Label("1.4", "S")),
        ("1", Label("1")),
    ],
)
def test_labels_are_rows_of_the_table(hazard_class, label):
    assert label_of(hazard_class) == label


def test_a_self_reactive_with_label_1_is_a_row_of_its_own():
    assert labels_of("4.1", ["1", "8"]) == {Label("4.1+1"), Label("8")}
    assert bare_un_number(" un 1090") == "1090"


def test_s_and_r_of_the_reference_vector():
    rows = [("chlorine", 4, 5, 4), ("ammonia", 12, 10, 2), ("methanol", 100, 500, 1), ("petrol", 60, 200, 1)]
    terms = [StockTerm(n, Decimal(q), Decimal(limit), Decimal(beta)) for n, q, limit, beta in rows]
    assert stock_indicator(terms) == Decimal("2.5")
    r = stock_grading(terms, Decimal("1.5"))
    assert r == Decimal("9.15")
    bounds = {1: Decimal(100), 2: Decimal(50), 3: Decimal(10), 4: Decimal(0)}
    assert [installation_level(v, bounds) for v in (r, Decimal(10), Decimal(50), Decimal(100))] == [4, 3, 2, 1]


def test_the_strictest_verdict_wins():
    order = [Verdict.RELEASE, Verdict.REVIEW, Verdict.INSPECT, Verdict.REFUSE, Verdict.DETAIN]
    assert sorted(order) == order
    assert strictest(Check("hold", v) for v in order) is Verdict.DETAIN
    assert strictest([]) is Verdict.RELEASE
