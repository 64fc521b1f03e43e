"""What contacts mean when wires are whole and when they are broken."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

from devices.signals.contacts import SETTLE_S, Contacts
from devices.signals.lane_io import LaneIo
from devices.signals.module import InputsAnswer, IoModule
from gate_service.clock import RealClock
from gate_service.domain.reading import BoomPosition, Detector, Presence, Side
from tests.fakes.lane_devices import KeepingSink, wiring

LOOP = Detector.EXIT_LOOP
WHOLE = {4: True, 6: True, 8: True, 10: True, 15: True}  # both booms down, known-on, mains there


class StandingModule:
    """A module that a test answers for."""

    clock = RealClock()

    def attach(self, lane: LaneIo) -> None:
        self.lane = lane


class Lane:
    """A lane whose exit loop has both contacts (4 and 12), whose beams and mains are normally closed."""

    def __init__(self) -> None:
        module = StandingModule()
        self.sink = KeepingSink()
        settings = wiring(
            normally_closed=frozenset({2, 3, 15}), second_contacts={LOOP: 12}, power_fail=15, local_button=11
        )
        self.io = LaneIo(cast("IoModule", module), settings, self.sink)

    def answer(self, at_s: float, *on: int, fault: str | None = None) -> None:
        bits = tuple(number in on for number in range(16))
        self.io.answered(InputsAnswer(bits, fault, datetime(2026, 1, 1, tzinfo=UTC), at_s))


def test_a_broken_wire_of_a_normally_closed_beam_is_a_vehicle() -> None:
    contacts = Contacts(frozenset({3}), {})
    bits = (False,) * 16
    assert contacts.presence(Detector.EXIT_BEAM, bits, 3, 0.0) is Presence.OCCUPIED
    assert contacts.presence(Detector.EXIT_LOOP, bits, 4, 0.0) is Presence.CLEAR
    assert contacts.is_on(bits, 3) is True
    assert contacts.is_on(None, 3) is None


def test_two_contacts_that_read_alike_are_presence_for_a_moment_and_then_nothing_that_is_known() -> None:
    contacts = Contacts(frozenset(), {LOOP: 5})
    clear, there, broken = (False,) * 5 + (True,), (False,) * 4 + (True, False), (False,) * 6
    assert contacts.presence(LOOP, clear, 4, 0.0) is Presence.CLEAR
    assert contacts.presence(LOOP, broken, 4, 1.0) is Presence.OCCUPIED
    assert contacts.presence(LOOP, there, 4, 1.05) is Presence.OCCUPIED
    assert contacts.broken == {}
    assert contacts.presence(LOOP, broken, 4, 2.0) is Presence.OCCUPIED
    assert contacts.presence(LOOP, broken, 4, 2.01 + SETTLE_S) is Presence.UNKNOWN
    assert "inputs 4 and 5" in contacts.broken[LOOP]
    assert contacts.presence(LOOP, clear, 4, 3.0) is Presence.CLEAR
    assert contacts.broken == {}


def test_a_broken_wire_makes_the_inputs_no_knowledge_and_is_told_as_a_fault() -> None:
    lane = Lane()
    lane.answer(0.0, 2, 3, 12, 6, 8, 10, 15)
    assert lane.sink.latest.unknown_because is None
    assert set(lane.sink.latest.detectors.values()) == {Presence.CLEAR}
    for at_s in (1.0, 1.1, 1.3):
        lane.answer(at_s, 2, 3, 6, 8, 10, 15)
    assert lane.sink.latest.detectors[LOOP] is Presence.UNKNOWN
    assert lane.sink.latest.detectors[Detector.EXIT_BEAM] is Presence.CLEAR
    assert "broken wire" in (lane.sink.latest.unknown_because or "")
    [told] = lane.sink.health
    assert (told.device, told.kind) == ("in-d1 wiring", "wiring")
    lane.answer(2.0, 2, 3, 12, 6, 8, 10, 15)
    assert lane.sink.latest.unknown_because is None
    assert lane.sink.health[-1].fault is None


def test_mains_that_fail_are_told_and_the_inputs_stay_known() -> None:
    lane = Lane()
    lane.answer(0.0, 2, 3, 12, 6, 8, 10, 15)
    assert (lane.sink.latest.power_fail, lane.sink.health) == (False, [])
    lane.answer(1.0, 2, 3, 12, 6, 8, 10)
    assert (lane.sink.latest.power_fail, lane.sink.latest.unknown_because) == (True, None)
    assert lane.sink.health[-1].fault == "mains power has failed"
    assert [health.kind for health in lane.io.healths()] == ["wiring", "power"]


def test_a_local_button_explains_a_boom_that_leaves_its_limit_and_nothing_else_does() -> None:
    lane = Lane()
    around = (2, 3, 12, 8, 10, 15)
    lane.answer(0.0, *around, 6)
    lane.answer(0.1, *around, 6, 11)
    assert lane.sink.latest.local_button is True
    lane.answer(0.2, *around)
    assert lane.sink.latest.booms[Side.ENTRY] is BoomPosition.MOVING
    lane.answer(3.0, *around, 6)
    lane.answer(30.0, *around)
    assert lane.sink.latest.booms[Side.ENTRY] is BoomPosition.BY_HAND


def test_a_fault_beside_bits_makes_them_no_knowledge_without_hiding_them() -> None:
    lane = Lane()
    lane.answer(0.0, 2, 3, 12, 6, 8, 10, 15, fault="somebody else writes")
    assert lane.sink.latest.unknown_because == "somebody else writes"
    assert lane.sink.latest.booms[Side.EXIT] is BoomPosition.DOWN


def test_every_input_that_a_lane_names_is_asked_for() -> None:
    """A loop of the far approach, or of the queue, with the highest number of all was left out of every poll."""
    for loops in ({"far_approach": 13}, {"queue": (12, 13)}, {"power_fail": 13}, {"second_contacts": {LOOP: 13}}):
        lane = LaneIo(cast("IoModule", StandingModule()), wiring(**loops), KeepingSink())
        assert max(lane.inputs) == 13, loops
