"""S and R of GB 18218 over the balances of a zone, and what is not counted."""

from decimal import Decimal

import pytest

from gate_service.domain.inventory import ExposedPeople, Stock, identify, inventory
from gate_service.domain.major_hazard import Goods, Match, NotCounted, match, symbols_of_class
from lanes.policy.stock_tables import stock_tables

TABLES = stock_tables()
CHLORINE = {"un_no": "1017", "name": "氯", "cas": "7782-50-5", "class": "2.3"}
AMMONIA = {"un_no": "1005", "name": "液氨", "cas": "7664-41-7", "class": "2.3"}
METHANOL = {
    "un_no": "1230",
    "name": "甲醇",
    "cas": "67-56-1",
    "class": "3",
    "subsidiary": ["6.1"],
    "packing_group": "II",
}
PETROL = {"un_no": "1203", "name": "汽油", "cas": "86290-81-5", "class": "3", "packing_group": "II"}


def event(kind, *lines, code="E1", unit="W3"):
    return {
        "type": f"hazmat.{kind}",
        "at": "2026-11-22T08:00:00+00:00",
        "data": {
            "enterprise": {"customs_code": code, "name": "示例企业"},
            "lines": [{"storage_unit": unit, **line, "net_kg": kg} for line, kg in lines],
        },
    }


def stock_of(*events):
    stock = Stock()
    for one in events:
        stock.take(one)
    return stock


def unit_of(*events, people=60, unit="W3"):
    found = inventory(stock_of(*events), TABLES, ExposedPeople({unit: people}, {}))
    return next(one for one in found["units"] if one["storage_unit"] == unit)


def test_the_worked_example_of_the_reference():
    unit = unit_of(
        event("entered", (CHLORINE, 4000), (AMMONIA, 12000)), event("entered", (METHANOL, 100_000), (PETROL, 60_000))
    )
    assert (unit["s"], unit["r"], unit["r_level"], unit["alpha"]) == (2.5, 9.15, 4, 1.5)
    assert unit["state"] == "alarm"
    assert unit["not_counted"] == []
    terms = {term["un_no"]: (term["q_t"], term["threshold_t"], term["beta"], term["ratio"]) for term in unit["terms"]}
    assert terms == {
        "1017": (4, 5, 4, 0.8),
        "1005": (12, 10, 2, 1.2),
        "1230": (100, 500, 1, 0.2),
        "1203": (60, 200, 1, 0.3),
    }
    assert all(term["matched"] == "table1_cas" for term in unit["terms"] if term["un_no"] != "1203")


def test_exits_and_corrections_change_the_balance_and_a_load_turned_away_does_not():
    found = inventory(
        stock_of(
            event("corrected", (CHLORINE, 1000)),
            event("entered", (CHLORINE, 2500.5)),
            event("turned_away", (CHLORINE, 9000)),
            event("exited", (CHLORINE, 500.25)),
            event("corrected", (CHLORINE, -0.25)),
        ),
        TABLES,
        ExposedPeople(),
    )
    (balance,) = found["balances"]
    assert (balance["net_kg"], balance["unmatched"], balance["enterprise"]) == (3000, False, "示例企业")


def test_a_balance_below_zero_is_shown_unmatched_and_takes_nothing_away_from_s():
    unit = unit_of(event("exited", (CHLORINE, 900)), event("entered", (METHANOL, 100_000)))
    assert unit["s"] == 0.2
    (left_out,) = unit["not_counted"]
    assert (left_out["because"], left_out["net_kg"]) == ("unmatched", -900)


def test_a_line_without_mass_is_counted_as_unknown_never_as_zero():
    unit = unit_of(event("entered", (CHLORINE, None), (CHLORINE, 1000)))
    assert unit["s"] == 0.2
    assert unit["not_counted"][0] | {"because": "mass_unknown", "lines": 1} == unit["not_counted"][0]


def test_without_the_number_of_exposed_people_r_is_not_computed_and_says_so():
    unit = unit_of(event("entered", (CHLORINE, 1000)), people=None)
    assert (unit["s"], unit["r"], unit["r_missing"]) == (0.2, None, ["alpha_unknown"])


def test_a_substance_without_beta_leaves_r_open():
    fluorine = {"un_no": "1045", "name": "氟", "cas": "7782-41-4", "class": "2.3"}
    unit = unit_of(event("entered", (fluorine, 500)))
    assert (unit["s"], unit["r"], unit["r_missing"]) == (0.5, None, ["beta_unknown"])
    declared = unit_of(event("entered", ({**fluorine, "ghs_symbol": "J1"}, 500)))
    assert declared["r"] == 3.0  # 1.5 · 4 · 0.5


@pytest.mark.parametrize(("kg", "state"), [(3999, "normal"), (4000, "warning"), (4999, "warning"), (5000, "alarm")])
def test_it_warns_from_08_and_alarms_from_1(kg, state):
    assert unit_of(event("entered", (CHLORINE, kg)))["state"] == state


def test_units_that_the_site_names_are_shown_empty():
    assert unit_of(unit="W9")["s"] == 0


def test_units_and_enterprises_are_summed_apart():
    found = inventory(
        stock_of(
            event("entered", (CHLORINE, 1000), code="E1", unit="W1"),
            event("entered", (CHLORINE, 2000), code="E1", unit="W2"),
            event("entered", (CHLORINE, 500), code="E2", unit="W2"),
        ),
        TABLES,
        ExposedPeople({}, {"E1": 0}),
    )
    assert [(unit["storage_unit"], unit["s"]) for unit in found["units"]] == [("W1", 0.2), ("W2", 0.5)]
    assert [(one["customs_code"], one["s"], one["r"]) for one in found["enterprises"]] == [
        ("E1", 0.6, 1.2),  # 0.5 · 4 · 0.6
        ("E2", 0.1, None),
    ]


@pytest.mark.parametrize(
    ("goods", "row", "threshold"),
    [
        (Goods(cas="9004-70-0", name="硝化纤维素(含乙醇≥25%)"), "39", 10),
        (Goods(cas="9004-70-0", name="硝化纤维素（含乙醇≥25％）"), "39", 10),
        (Goods(name="煤气"), "13", 20),
        (Goods(name="硝酸铵肥料"), "45", 200),
        (Goods(cas="8006-14-2", name="天然气"), "49", 50),
        (Goods(name="TNT"), "35", 5),
    ],
)
def test_table_1_by_cas_and_name(goods, row, threshold):
    found = match(goods, TABLES)
    assert isinstance(found, Match)
    assert (found.row, found.threshold_t) == (row, Decimal(threshold))


@pytest.mark.parametrize(
    ("goods", "reason"),
    [
        (Goods(cas="9004-70-0", name="硝化棉", hazard_class="4.1"), "cas_ambiguous"),
        (Goods(cas="6484-52-2", name="硝酸铵", hazard_class="5.1"), "cas_ambiguous"),
        (Goods(name="硝化棉", hazard_class="4.1"), "name_ambiguous"),
        (Goods(cas="67-56-1", name="甲醛(含量>90%)"), "cas_and_name_differ"),
        (Goods(un_no="2810", hazard_class="6.1", packing_group="II"), "category_unknown"),
        (Goods(un_no="1993", hazard_class="3"), "category_unknown"),
        (Goods(un_no="1824", hazard_class="8", packing_group="II"), "not_in_tables"),
        (Goods(name="某物"), "class_unknown"),
    ],
)
def test_what_cannot_be_told_is_not_counted_because(goods, reason):
    found = match(goods, TABLES)
    assert isinstance(found, NotCounted)
    assert found.reason == reason


@pytest.mark.parametrize(
    ("goods", "symbols", "unknown"),
    [
        (Goods("1993", "", "", "3", (), "I"), ("W5.1",), ()),
        (Goods("1992", "", "", "3", ("6.1",), "II"), ("W5.3",), ("6.1",)),
        (Goods("1950", "", "", "2.1", (), ""), ("W3",), ()),
        (Goods("1971", "", "", "2.1", (), ""), ("W2",), ()),
        (Goods("1072", "", "", "2.2", ("5.1",), ""), ("W4",), ()),
        (Goods("1016", "", "", "2.3", ("2.1",), ""), ("W2",), ("2.3",)),
        (Goods("0081", "", "", "1.1D", (), ""), ("W1.1",), ()),
        (Goods("0012", "", "", "1.4S", (), ""), ("W1.3",), ()),
        (Goods("3222", "", "", "4.1", (), ""), ("W6.1",), ()),
        (Goods("3105", "", "", "5.2", (), ""), ("W7.2",), ()),
        (Goods("1479", "", "", "5.1", (), "III"), ("W9.2",), ()),
        (Goods("1402", "", "", "4.3", (), "II"), ("W11",), ()),
        (Goods("3082", "", "", "9", (), "III"), (), ()),
        (Goods("2915", "", "", "7", (), ""), (), ()),
    ],
)
def test_symbols_that_class_and_packing_group_tell_for_certain(goods, symbols, unknown):
    assert symbols_of_class(goods) == (symbols, unknown)


def test_a_declared_symbol_goes_before_the_class_and_the_smallest_q_counts():
    goods = Goods(un_no="1992", hazard_class="3", packing_group="II", symbols=("W5.3", "J5"))
    found = match(goods, TABLES)
    assert isinstance(found, Match)
    assert (found.how, found.row, found.threshold_t) == ("table2_symbol", "J5", 500)


def test_carbon_monoxide_takes_its_beta_from_table_3():
    found = match(Goods(un_no="1016", name="一氧化碳", cas="630-08-0", hazard_class="2.3", subsidiary=("2.1",)), TABLES)
    assert isinstance(found, Match)
    assert (found.row, found.beta) == ("W2", 2)
    assert found.notes == ("category_unknown_2.3",)


def test_lines_that_call_one_number_differently_count_with_the_smallest_q():
    names = ("硝化纤维素(含乙醇≥25%)", "硝化纤维素(含氮≤12.6%)", "硝化棉")
    found = identify([Goods(cas="9004-70-0", name=name) for name in names], TABLES)
    assert isinstance(found, Match)
    assert (found.row, "lines_differ_smallest_q" in found.notes) == ("39", True)


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"type": "hazmat.entered"},
        {"type": "hazmat.entered", "data": {"lines": None}},
        {"type": "hazmat.entered", "data": {"lines": ["x", {"net_kg": "heavy", "subsidiary": None}]}},
    ],
)
def test_a_broken_event_is_no_stock_and_no_crash(broken):
    assert sum(balance.grams for balance in stock_of(broken).balances.values()) == 0


def test_every_row_of_table_1_with_one_cas_is_found_by_it():
    once = [
        row for row in TABLES.substances if all(sum(cas in r.cas for r in TABLES.substances) == 1 for cas in row.cas)
    ]
    for row in once:
        for cas in row.cas:
            found = match(Goods(cas=cas), TABLES)
            assert isinstance(found, Match)
            assert found.row == row.number
