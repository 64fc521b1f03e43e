"""The judge finds each kind of planted violation, and finds nothing where nothing is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from devices.simulator.judge import BoomSeen, Judge, VehicleSeen
from devices.simulator.specs import LaneSpec, TruckSpec
from devices.simulator.yard import Yard


def _lower_over(judge: Judge, front_m: float, rear_m: float) -> None:
    """An exit boom at 30 m comes down, on command, with a vehicle at a place."""
    judge.look("a", "exit", BoomSeen(30.0, 90.0), [], 0.0)
    judge.edge_seen("a", "exit", "lower", 0.0)
    for step in range(31):
        judge.look("a", "exit", BoomSeen(30.0, 90.0 - 3.0 * step), [VehicleSeen("t", rear_m, front_m)], 0.1 * step)


def _quiet(judge: Judge) -> None:
    judge.edge_seen("a", "exit", "raise", 0.0)
    judge.look("a", "exit", BoomSeen(30.0, 0.0), [], 0.0)


def test_a_boom_lowered_on_a_vehicle_is_found_once() -> None:
    judge = Judge()
    _quiet(judge)
    _lower_over(judge, 34.0, 20.0)
    report = judge.report()
    assert report["boom_on_vehicle"] == 1
    assert report["violations"] == 1
    assert report["details"]["boom_on_vehicle"][0]["truck"] == "t"


@pytest.mark.parametrize(("front_m", "rear_m"), [(29.9, 15.0), (45.0, 30.1)])
def test_a_boom_lowered_before_or_behind_a_vehicle_is_no_finding(front_m: float, rear_m: float) -> None:
    judge = Judge()
    _quiet(judge)
    _lower_over(judge, front_m, rear_m)
    assert judge.report()["violations"] == 0


def test_a_vehicle_that_drives_under_a_lowered_boom_is_found() -> None:
    judge = Judge()
    for metre in range(20, 50):
        judge.look("a", "exit", BoomSeen(30.0, 0.0), [VehicleSeen("t", metre - 10.0, metre)], metre / 3)
    assert judge.report()["boom_on_vehicle"] == 1


def test_a_second_vehicle_under_the_same_boom_is_a_second_finding() -> None:
    judge = Judge()
    for name in ("one", "two"):
        judge.look("a", "exit", BoomSeen(30.0, 0.0), [VehicleSeen(name, 25.0, 35.0)], 1.0)
        judge.look("a", "exit", BoomSeen(30.0, 0.0), [], 2.0)
    assert judge.report()["boom_on_vehicle"] == 2


def _raise_boom(judge: Judge, at_s: float) -> None:
    for step in range(1, 5):
        judge.look("a", "exit", BoomSeen(30.0, 10.0 * step), [], at_s + 0.1 * step)


def test_motion_with_an_edge_just_before_it_is_no_finding() -> None:
    judge = Judge()
    judge.edge_seen("a", "exit", "raise", 10.0)
    _raise_boom(judge, 10.1)
    assert judge.report()["violations"] == 0


@pytest.mark.parametrize(
    ("lane", "side", "way", "at_s"),
    [
        ("a", "exit", "raise", 8.0),
        ("a", "exit", "lower", 10.0),
        ("a", "entry", "raise", 10.0),
        ("b", "exit", "raise", 10.0),
    ],
    ids=["too long ago", "other way", "other boom", "other lane"],
)
def test_motion_without_its_own_recent_edge_is_found(lane: str, side: str, way: str, at_s: float) -> None:
    judge = Judge()
    judge.edge_seen(lane, side, way, at_s)
    _raise_boom(judge, 10.0)
    report = judge.report()
    assert report["motion_without_command"] == 1
    assert report["details"]["motion_without_command"][0]["way"] == "raise"


def test_a_falling_boom_that_turns_without_command_is_found() -> None:
    judge = Judge()
    judge.edge_seen("a", "exit", "raise", 0.0)
    _raise_boom(judge, 0.0)
    judge.edge_seen("a", "exit", "lower", 1.0)
    judge.look("a", "exit", BoomSeen(30.0, 30.0), [], 1.1)
    assert judge.report()["violations"] == 0
    judge.look("a", "exit", BoomSeen(30.0, 35.0), [], 2.9)
    assert judge.report()["motion_without_command"] == 1


def test_the_local_button_and_a_foreign_master_are_counted_apart() -> None:
    judge = Judge()
    judge.button_pressed("a", "exit", "raise", 10.0)
    _raise_boom(judge, 10.0)
    judge.look("a", "exit", BoomSeen(30.0, 40.0), [], 11.0)
    judge.edge_seen("a", "exit", "lower", 12.0, foreign=True)
    judge.look("a", "exit", BoomSeen(30.0, 35.0), [], 12.1)
    report = judge.report()
    assert (report["by_button"], report["by_foreign_write"], report["violations"]) == (1, 1, 0)


def test_a_boom_that_moves_by_itself_in_the_yard_is_found() -> None:
    yard = Yard([LaneSpec("a")])
    yard.step(5.0)
    yard.switch("a", "exit_boom", "moves_up", on=True)
    yard.step(5.0)
    yard.switch("a", "exit_boom", "moves_down", on=True)
    yard.step(5.0)
    assert yard.judge.report()["motion_without_command"] == 2


def test_a_boom_commanded_down_on_a_truck_in_the_yard_is_found() -> None:
    truck = TruckSpec("t", "a", length_m=10.0, plate="P", behaviour="stops_under_boom")
    yard = Yard([LaneSpec("a", weighbridge=None, entry_barrier=False)], [truck])
    yard.open()
    for output in ("exit_raise", "exit_green"):
        yard.write_output("a", output, on=True)
    yard.judge.edge_seen("a", "exit", "raise", yard.now_s)
    yard.step(20.0)
    assert yard.judge.report()["violations"] == 0
    yard.write_output("a", "exit_raise", on=False)
    yard.judge.edge_seen("a", "exit", "lower", yard.now_s)
    yard.write_output("a", "exit_lower", on=True)
    yard.step(4.0)
    report = yard.judge.report()
    assert report["boom_on_vehicle"] == 1
    assert report["motion_without_command"] == 0


def _crossings() -> Judge:
    judge = Judge()
    judge.crossed("a", "t1", "浙B00001", "浙B00001", 10.0)
    judge.crossed("a", "t2", "浙B00002", "浙B00003", 20.0)
    judge.crossed("b", "t3", "浙B00004", None, 30.0)
    return judge


def _record(lane: str, plate: str | None, offset_s: float = 0.0) -> dict[str, object]:
    return {"lane": lane, "plate": plate, "at": (datetime.now(UTC) + timedelta(seconds=offset_s)).isoformat()}


def test_crossings_that_are_recorded_are_no_finding() -> None:
    judge = _crossings()
    judge.reconcile([_record("b", None, 2.0), _record("a", "浙B00003"), _record("a", "浙B00001")])
    report = judge.report()
    assert (report["crossings"], report["crossing_without_record"], report["record_without_crossing"]) == (3, 0, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        [_record("b", "浙B00001")],
        [_record("a", "浙B09999")],
        [_record("a", None, 3600.0)],
    ],
    ids=["no record", "other lane", "other plate", "other time"],
)
def test_a_crossing_that_nobody_recorded_is_found(wrong: list[dict[str, object]]) -> None:
    judge = _crossings()
    judge.reconcile([_record("a", "浙B00003"), _record("b", "浙B00004"), *wrong])
    report = judge.report()
    assert report["crossing_without_record"] == 1
    assert report["details"]["crossing_without_record"][0]["truck"] == "t1"
    assert report["violations"] == 1
    assert report["record_without_crossing"] == len(wrong)


def test_one_record_covers_one_crossing_only() -> None:
    judge = Judge()
    for at_s in (1.0, 100.0):
        judge.crossed("a", "t", "P", "P", at_s)
    judge.reconcile([_record("a", "P")])
    assert judge.report()["crossing_without_record"] == 1
    judge.reconcile([_record("a", "P"), _record("a", "P")])
    assert judge.report()["crossing_without_record"] == 0


def test_every_look_is_counted() -> None:
    judge = Judge()
    _raise_boom(judge, 0.0)
    assert judge.report()["checks"] == 4


def test_a_boom_that_goes_on_by_itself_after_a_rest_is_found() -> None:
    yard = Yard([LaneSpec("a")])
    yard.write_output("a", "exit_raise", on=True)
    yard.judge.edge_seen("a", "exit", "raise", yard.now_s)
    yard.step(1.0)
    yard.switch("a", "exit_boom", "stuck", on=True)
    yard.switch("a", "exit_boom", "stuck", on=False)
    yard.step(10.0)
    assert yard.judge.report()["violations"] == 0
    yard.switch("a", "exit_boom", "moves_up", on=True)
    yard.step(1.0)
    assert yard.judge.report()["motion_without_command"] == 1
