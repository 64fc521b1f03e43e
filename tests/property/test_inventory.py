"""S and R over random inventories equal a computation of our own with fractions."""

import csv
from collections import defaultdict
from fractions import Fraction
from importlib.resources import files

from hypothesis import given, settings
from hypothesis import strategies as st

from gate_service.domain.inventory import ExposedPeople, Stock, inventory
from lanes.policy.stock_tables import stock_tables

# Read and kept apart from the code under test: number, CAS, Q and beta of gases that table 3 names.
with (files("lanes.policy") / "data" / "gb18218_table1.csv").open(encoding="utf-8") as file:
    ROWS = [row for row in csv.DictReader(file) if row["cas"] and "|" not in row["cas"]]
COUNTS = defaultdict(int)
for _row in ROWS:
    COUNTS[_row["cas"]] += 1
Q = {row["cas"]: Fraction(row["q_t"]) for row in ROWS if COUNTS[row["cas"]] == 1}
BETA_BY_NAME = {"氨": 2, "二氧化硫": 2, "氯": 4, "硫化氢": 5, "氟化氢": 5, "碳酰氯": 20, "溴甲烷": 3, "环氧乙烷": 2}
GASES = {row["cas"]: BETA_BY_NAME[row["name_zh"]] for row in ROWS if row["name_zh"] in BETA_BY_NAME}
# Table 4: flammable liquids of category 1 have 1.5, all others 1; by packing group these are I and II, III.
LIQUIDS = {"67-56-1": 1, "64-17-5": 1, "67-64-1": 1, "108-88-3": 1, "71-43-2": 1, "110-82-7": 1}
BETA = GASES | LIQUIDS
ALPHA = {0: Fraction(1, 2), 7: Fraction(1), 30: Fraction(6, 5), 99: Fraction(3, 2), 100: Fraction(2)}

lines = st.fixed_dictionaries(
    {
        "storage_unit": st.sampled_from(["W1", "W2", "W3"]),
        "cas": st.sampled_from(sorted(BETA)),
        "grams": st.integers(0, 10**12),
    }
)
movements = st.lists(
    st.tuples(
        st.sampled_from(["entered", "entered", "exited", "corrected", "turned_away"]), st.lists(lines, max_size=4)
    ),
    max_size=30,
)


def event(kind, told):
    return {
        "type": f"hazmat.{kind}",
        "at": "2026-11-22T08:00:00Z",
        "data": {
            "enterprise": {"customs_code": "E1"},
            "lines": [
                {
                    "storage_unit": line["storage_unit"],
                    "cas": line["cas"],
                    "class": "3" if line["cas"] in LIQUIDS else "2.3",
                    "packing_group": "II" if line["cas"] in LIQUIDS else None,
                    "net_kg": line["grams"] / 1000,
                }
                for line in told
            ],
        },
    }


def by_hand(moved, people):
    """S and R by unit, in fractions."""
    grams = defaultdict(int)
    for kind, told in moved:
        sign = {"entered": 1, "exited": -1, "corrected": 1, "turned_away": 0}[kind]
        for line in told:
            grams[line["storage_unit"], line["cas"]] += sign * line["grams"]
    sums = defaultdict(lambda: [Fraction(0), Fraction(0)])
    for (unit, cas), amount in grams.items():
        if amount > 0:
            ratio = Fraction(amount, 1_000_000) / Q[cas]
            sums[unit][0] += ratio
            sums[unit][1] += ALPHA[people] * BETA[cas] * ratio
    return grams, sums


@settings(max_examples=150, deadline=None)
@given(movements, st.sampled_from(sorted(ALPHA)))
def test_s_and_r_equal_an_independent_computation(moved, people):
    stock = Stock()
    for kind, told in moved:
        stock.take(event(kind, told))
    found = inventory(stock, stock_tables(), ExposedPeople(dict.fromkeys(("W1", "W2", "W3"), people)))
    grams, sums = by_hand(moved, people)
    for unit in found["units"]:
        s, r = sums[unit["storage_unit"]]
        assert abs(Fraction(unit["s"]) - s) <= max(s, 1) * Fraction(1, 10**9)
        assert abs(Fraction(unit["r"]) - r) <= max(r, 1) * Fraction(1, 10**9)
        assert abs(sum(Fraction(term["ratio"]) for term in unit["terms"]) - s) <= max(s, 1) * Fraction(1, 10**9)
    for balance in found["balances"]:
        amount = grams.get((balance["storage_unit"], balance["cas"]), 0)
        assert round(Fraction(balance["net_kg"]) * 1000) == amount
        assert balance["unmatched"] is (amount < 0)


@settings(max_examples=50, deadline=None)
@given(movements)
def test_asking_between_the_events_changes_nothing(moved):
    together, asked = Stock(), Stock()
    for kind, told in moved:
        together.take(event(kind, told))
        asked.take(event(kind, told))
        inventory(asked, stock_tables(), ExposedPeople())
    assert inventory(asked, stock_tables(), ExposedPeople()) == inventory(together, stock_tables(), ExposedPeople())
