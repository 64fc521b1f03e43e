"""What the scripted people do about a lane, and what they leave to others."""

from __future__ import annotations

import pytest

from devices.simulator.demo.stories import Answer
from devices.simulator.people import choose

COMMANDS = ["resolve", "release", "inspect", "refuse", "turn_back", "reweigh"]


def snapshot(*, state="review", commands=COMMANDS, **passage):
    shown = {
        "id": "p1", "facts_version": 3, "plate": "浙B00001", "scanned": ["Z1"], "verdict": "review",
        "checks": [{"reason_code": "not_looked_at", "verdict": "release"},
                   {"reason_code": "plate_mismatch", "verdict": "review"}],
        "disposition": None,
    }  # fmt: skip
    return {"id": "in-d1", "state": state, "commands": commands, "passage": {**shown, **passage}}


def told(answer):
    return lambda slip_no, plate: answer


def test_the_book_says_what_to_do_with_a_known_truck():
    action = choose(snapshot(), told(Answer("turn_back", "plate_mismatch")), "operator")
    assert action is not None
    assert action.body() == {
        "command": "turn_back",
        "passage_id": "p1",
        "facts_version": 3,
        "reason_code": "plate_mismatch",
        "reason": "演示值班员",
    }


def test_a_missing_fact_is_supplied_with_its_fields():
    answer = Answer("resolve", "plate_unread", fields={"plate": "浙B00001"})
    action = choose(snapshot(plate=None), told(answer), "operator")
    assert action is not None
    assert action.body()["fields"] == {"plate": "浙B00001"}


def test_a_fact_that_is_there_by_now_is_not_supplied_again():
    answer = Answer("resolve", "plate_unread", fields={"plate": "浙B00001"})
    action = choose(snapshot(verdict="inspect"), told(answer), "operator")
    assert action is not None
    assert action.command == "inspect"


def test_everybody_does_their_own_part_only():
    book = told(Answer("release", "weight_mismatch", role="supervisor"))
    assert choose(snapshot(), book, "operator") is None
    assert choose(snapshot(), book, "supervisor") is not None


@pytest.mark.parametrize(
    ("verdict", "command"),
    [("release", "release"), ("review", "turn_back"), ("inspect", "inspect"), ("refuse", "turn_back")],
)
def test_a_truck_nobody_told_of_is_treated_by_its_verdict(verdict, command):
    action = choose(snapshot(verdict=verdict), told(None), "operator")
    assert action is not None
    assert (action.command, action.reason_code) == (command, "plate_mismatch")


def test_a_refused_attempt_is_followed_by_what_suits_the_verdict():
    book = told(Answer("release", "weight_mismatch", role="supervisor"))
    action = choose(snapshot(), book, "operator", was_refused=True)
    assert action is not None
    assert action.command == "turn_back"


@pytest.mark.parametrize("state", ["idle", "weighing", "opening", "leaving", "clearing", "fault", "fire", "closed"])
def test_nothing_is_done_where_no_vehicle_waits_for_a_person(state):
    assert choose(snapshot(state=state), told(None), "operator") is None


def test_nothing_is_done_where_a_visitor_has_acted_already():
    assert choose(snapshot(disposition="back_out"), told(None), "operator") is None


@pytest.mark.parametrize(("disposition", "crossed"), [("release", True), ("yard_inside", True), ("back_out", False)])
def test_a_vehicle_that_went_unproven_is_attested_by_who_sees_the_empty_lane(disposition, crossed):
    empty = {"weight": {"value_kg": 0}, "detectors": {"exit_beam": "clear", "exit_loop": "clear"}}
    action = choose({**snapshot(disposition=disposition), **empty}, told(None), "operator")
    assert action is not None
    assert action.body()["fields"] == {"crossed": crossed}
    assert choose({**snapshot(disposition=disposition), **empty}, told(None), "supervisor") is None


def test_the_next_vehicle_at_the_approach_is_no_reason_to_wait_unless_this_one_backs_out():
    seen = {"weight": {"value_kg": 0}, "detectors": {"approach": "occupied", "exit_loop": "clear"}}
    assert choose({**snapshot(disposition="release"), **seen}, told(None), "operator") is not None
    assert choose({**snapshot(disposition="back_out"), **seen}, told(None), "operator") is None


def test_an_empty_lane_is_rearmed_once_its_devices_are_well():
    fault = {
        "id": "in-d1", "state": "fault", "passage": None, "commands": ["clear_fault"],
        "devices": [{"device": "io-in-d1", "fault": None}],
    }  # fmt: skip
    action = choose(fault, told(None), "operator")
    assert action is not None
    assert action.body() == {"command": "clear_fault", "reason_code": "devices_back", "reason": "演示值班员"}
    assert choose({**fault, "devices": [{"device": "io-in-d1", "fault": "no answer"}]}, told(None), "operator") is None
    assert choose({**fault, "commands": []}, told(None), "operator") is None
    assert choose({**fault, "state": "fire"}, told(None), "operator") is None


@pytest.mark.parametrize(
    ("offered", "command"), [("clear_fault", "clear_fault"), ("reweigh", "reweigh"), ("hold", None)]
)
def test_who_was_out_of_sight_in_a_fault_is_said_to_be_the_same(offered, command):
    seen = snapshot(verdict=None) | {"attention": {"code": "same_vehicle"}, "commands": [offered, "turn_back"]}
    action = choose(seen, told(None), "operator")
    assert (action and action.command) == command
    assert choose(seen, told(None), "supervisor") is None


@pytest.mark.parametrize(
    "seen",
    [
        {"weight": {"value_kg": 18_000}, "detectors": {"exit_loop": "clear"}},
        {"weight": {"value_kg": None}, "detectors": {"exit_loop": "clear"}},
        {"weight": {"value_kg": 0}, "detectors": {"exit_loop": "unknown"}},
        {"weight": None, "detectors": {"exit_loop": "clear"}},
    ],
)
def test_nobody_attests_what_cannot_be_seen(seen):
    assert choose({**snapshot(disposition="release"), **seen}, told(None), "operator") is None


def test_a_detained_vehicle_is_left_alone():
    assert choose(snapshot(state="detained", verdict="detain"), told(None), "operator") is None


def test_only_offered_commands_are_given():
    assert choose(snapshot(commands=["reweigh"]), told(None), "operator") is None
    assert choose({"id": "in-d1", "state": "review", "passage": None, "commands": COMMANDS}, told(None), "x") is None
