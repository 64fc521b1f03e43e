"""Which events wait for a parked one: those that mean nothing without it, and no others."""

import json

from sync.batching import Waiting
from sync.dependence import DEPENDS_ON, Parked, about, apart


def waiting(number, kind, passage="p1", **data):
    return Waiting("e", number, f"id{number}", number, passage, json.dumps({"data": data}).encode(), kind)


def test_an_override_waits_for_its_parked_decision_and_everything_else_goes_on():
    parked = [Parked("passage.decided", "p1", (1, 1))]
    events = [
        waiting(2, "passage.overridden"),
        waiting(3, "passage.released"),
        waiting(4, "slip.used"),
        waiting(5, "passage.overridden", "p2"),
        waiting(6, "hazmat.entered"),
    ]
    free, held = apart(events, parked)
    assert ([event.seq for event in free], held) == ([3, 4, 5, 6], 1)


def test_an_event_before_the_parked_one_does_not_wait_for_it():
    free, held = apart([waiting(2, "passage.overridden")], [Parked("passage.decided", "p1", (3, 3))])
    assert (len(free), held) == (1, 0)


def test_a_recovery_waits_for_the_fault_of_its_own_device():
    fault = waiting(1, "device.fault", None, lane="in-1", device="wb")
    parked = [Parked(fault.type, about(fault.type, None, fault.payload), fault.order)]
    events = [
        waiting(2, "device.recovered", None, lane="in-1", device="wb"),
        waiting(3, "device.recovered", None, lane="in-2", device="wb"),
    ]
    free, held = apart(events, parked)
    assert ([event.seq for event in free], held) == ([3], 1)


def test_nothing_depends_on_what_depends_itself():
    assert not set(DEPENDS_ON) & set(DEPENDS_ON.values())
