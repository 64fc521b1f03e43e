"""What a row of the table may ask besides the state: facts of the lane, and guards over them. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Layout:
    """What a lane has. All layouts share one table."""

    has_weighbridge: bool = True
    has_entry_barrier: bool = True
    has_exit_barrier: bool = True
    is_reversible: bool = False  # the site turns it from one direction to the other


@dataclass(frozen=True, slots=True)
class View:
    """What guards may look at, besides the state."""

    layout: Layout = Layout()
    has_passage: bool = False
    is_vehicle_on_platform: bool = False
    is_vehicle_at_approach: bool = False
    is_somebody_inside: bool = False  # a loop or beam between the approach and beyond the exit boom sees something
    are_booms_down: bool = True
    is_fire: bool = False
    are_devices_good: bool = True
    is_record_writable: bool = True
    is_release_decided: bool = False  # the passage was released (or sent on) and no crossing was seen yet
    is_let_forward: bool = False  # released, or sent on under the exit boom
    is_for_person: bool = False  # the passage was open when the service started: nothing resumes by itself
    is_vehicle_sure: bool = True  # False: who stands there now may be another one than the passage's


def has_entry(view: View) -> bool:
    """There is a boom behind the vehicle."""
    return view.layout.has_entry_barrier


def has_entry_and_more(view: View) -> bool:
    """There is a boom behind it, and something between that and the way on."""
    return view.layout.has_entry_barrier and (view.layout.has_exit_barrier or view.layout.has_weighbridge)


def decides_at_approach(view: View) -> bool:
    """Everything is decided before the only boom."""
    return not has_entry_and_more(view) and not view.layout.has_weighbridge


def open_platform(view: View) -> bool:
    """Vehicles drive on to the platform unasked."""
    return view.layout.has_weighbridge and not view.layout.has_entry_barrier


def weighs(view: View) -> bool:
    """There is a platform."""
    return view.layout.has_weighbridge


def can_work(view: View) -> bool:
    """Devices, record and fire input let the lane work."""
    return view.are_devices_good and view.is_record_writable and not view.is_fire


def can_work_empty(view: View) -> bool:
    """It can work, and there is nobody to care for."""
    return can_work(view) and not view.has_passage and view.are_booms_down


def can_work_boom_up(view: View) -> bool:
    """It can work once its booms are down."""
    return can_work(view) and not view.has_passage


def undecided_on_platform(view: View) -> bool:
    """Its vehicle stands on the platform and waits to be judged."""
    return _is_undecided(view) and view.is_vehicle_on_platform and view.layout.has_weighbridge


def undecided_at_approach(view: View) -> bool:
    """Its vehicle waits before the lane."""
    is_before = view.is_vehicle_at_approach and not view.is_vehicle_on_platform
    return _is_undecided(view) and is_before and view.are_booms_down


def _is_undecided(view: View) -> bool:
    """Nothing was decided for the passage, and its vehicle is certainly the one that stands there."""
    may = can_work(view) and view.has_passage and view.is_vehicle_sure
    return may and not view.is_release_decided and not view.is_for_person


def stranger_on_platform(view: View) -> bool:
    """A vehicle that no passage knows stands on the platform."""
    return can_work(view) and not view.has_passage and view.is_vehicle_on_platform


def somebody_is_left(view: View) -> bool:
    """Something stands in the lane and no passage knows it."""
    return can_work(view) and not view.has_passage and view.is_somebody_inside


def was_held(view: View) -> bool:
    """Neither released nor sent on: the exit boom was not up for it, so a vehicle that is gone has gone back."""
    return not view.is_release_decided and not view.is_for_person  # after a restart no boom moves unasked


def stands_before_the_lane(view: View) -> bool:
    """Never admitted, or not yet moved: no boom but the entry boom lets it go on, and only from `approach`."""
    may = can_work(view) and view.has_passage and has_entry_and_more(view)
    return may and view.is_vehicle_at_approach and not view.is_vehicle_on_platform


def needs_person(view: View) -> bool:
    """There is a vehicle that a person must look at."""
    return can_work(view) and view.has_passage


def was_let_go(view: View) -> bool:
    """Released or sent on, and a crossing proven since: it is the crossing that was decided."""
    return view.is_let_forward and not view.is_for_person


def can_turn(view: View) -> bool:
    """A reversible lane in which nobody is; approaches and lights are the interlocks' part (`forbids_turning`)."""
    return view.layout.is_reversible and can_work_empty(view) and not view.is_vehicle_on_platform
