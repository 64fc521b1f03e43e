"""S of a storage unit over time: by the hour and the day, with the highest value within."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gate_service.domain.inventory import ExposedPeople, Stock, inventory
from gate_service.domain.stock_history import KEPT_HOURS, StockHistory
from lanes.policy.stock_tables import stock_tables

START = datetime(2026, 11, 1, tzinfo=UTC)
ACETONE = {"un_no": "1090", "name": "丙酮", "cas": "67-64-1", "class": "3", "packing_group": "II"}  # Q 500 t
CHLORINE = {"un_no": "1017", "name": "氯", "cas": "7782-50-5", "class": "2.3"}  # Q 5 t
UNKNOWN = {"un_no": "9999", "name": "?", "class": ""}


class Zone:
    def __init__(self) -> None:
        self.stock, self.history = Stock(), StockHistory(stock_tables())

    def event(self, at: datetime, kind: str, unit: str, line: dict, net_kg: float | None) -> None:
        lines = [{**line, "net_kg": net_kg, "storage_unit": unit}]
        told = {"type": f"hazmat.{kind}", "at": at.isoformat(), "data": {"lines": lines}}
        self.history.note(self.stock.take(told), self.stock.balances, at)

    def points(self, unit: str, days: int = 1) -> list[tuple[float, float]]:
        told = {one["storage_unit"]: one for one in self.history.told(START, START + timedelta(days=days))}
        return [(point["s"], point["s_highest"]) for point in told[unit]["points"]]


def test_an_hour_keeps_its_last_and_its_highest() -> None:
    zone = Zone()
    zone.event(START + timedelta(minutes=70), "entered", "W3", CHLORINE, 4000)
    zone.event(START + timedelta(minutes=80), "entered", "W3", ACETONE, 50_000)
    zone.event(START + timedelta(minutes=90), "exited", "W3", CHLORINE, 3000)
    zone.event(START + timedelta(hours=3), "exited", "W3", ACETONE, 50_000)
    assert zone.points("W3") == [(0.0, 0.0), (pytest.approx(0.3), pytest.approx(0.9)), (0.2, 0.2)]


def test_a_longer_span_is_told_by_the_day_of_the_zone() -> None:
    zone = Zone()
    for hour, kg in ((1, 1000), (2, 1000), (17, 1000)):  # 17:00 UTC is the next day in China
        zone.event(START + timedelta(hours=hour), "entered", "W3", CHLORINE, kg)
    [unit] = zone.history.told(START, START + timedelta(days=30))
    assert unit["step"] == "day"
    assert [(point["at"], point["s"]) for point in unit["points"]] == [
        ("2026-11-01T00:00:00+00:00", 0.0),
        ("2026-11-01T00:00:00+00:00", 0.4),
        ("2026-11-02T00:00:00+08:00", 0.6),
    ]


def test_what_it_held_before_the_span_is_its_first_point() -> None:
    zone = Zone()
    zone.event(START - timedelta(days=9), "entered", "W3", CHLORINE, 2500)
    assert zone.points("W3") == [(0.5, 0.5)]


def test_a_load_turned_away_and_an_unmatched_exit_add_nothing() -> None:
    zone = Zone()
    zone.event(START, "turned_away", "W3", CHLORINE, 2500)
    zone.event(START, "exited", "W7", CHLORINE, 2500)
    zone.event(START, "entered", "W7", UNKNOWN, 2500)
    zone.event(START, "entered", "W7", ACETONE, None)
    assert [one["storage_unit"] for one in zone.history.told(START, START)] == ["W7"]
    assert zone.points("W7") == [(0.0, 0.0), (0.0, 0.0)]


def test_a_clock_set_back_makes_no_hour_before_the_newest() -> None:
    zone = Zone()
    zone.event(START + timedelta(hours=5), "entered", "W3", CHLORINE, 1000)
    zone.event(START + timedelta(hours=3), "entered", "W3", CHLORINE, 1000)
    assert zone.points("W3") == [(0.0, 0.0), (0.4, 0.4)]


def test_only_so_many_hours_are_kept() -> None:
    zone = Zone()
    for hour in range(KEPT_HOURS + 5):
        zone.event(START + timedelta(hours=hour), "entered", "W3", CHLORINE, 1)
    assert len(zone.history._samples["W3"]) == KEPT_HOURS


kinds = st.sampled_from(["entered", "exited", "corrected", "turned_away"])
steps = st.tuples(kinds, st.sampled_from(["W3", "W7"]), st.sampled_from([ACETONE, CHLORINE, UNKNOWN]))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(steps, st.one_of(st.none(), st.integers(1, 9000))), max_size=25))
def test_the_last_point_is_what_the_inventory_says(events: list) -> None:
    zone = Zone()
    for number, ((kind, unit, line), net_kg) in enumerate(events):
        zone.event(START + timedelta(minutes=7 * number), kind, unit, line, net_kg)
    found = inventory(zone.stock, stock_tables(), ExposedPeople())
    shown = {unit["storage_unit"]: unit["s"] for unit in found["units"]}
    for told in zone.history.told(START, START + timedelta(days=1)):
        last = Decimal(told["points"][-1]["s"])
        assert abs(last - Decimal(shown.get(told["storage_unit"], 0.0))) < Decimal("1e-12")
