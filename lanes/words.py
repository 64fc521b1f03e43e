"""The words of the lane automaton: where a lane is, what it is told, what a step asks for. Public: they stand in the
record, in snapshots and in the diagram.
"""

from __future__ import annotations

from enum import StrEnum


class LaneState(StrEnum):
    """Where a lane is. Public: the words stand in snapshots and in the record."""

    IDLE = "idle"
    APPROACH = "approach"  # a vehicle stands before the lane
    ADMITTING = "admitting"  # entry boom going up or up, vehicle driving on
    ON_PLATFORM = "on_platform"  # part of the vehicle is on the platform (or between the booms)
    WEIGHING = "weighing"  # the whole vehicle is on the platform; waiting for weight and identity
    DECIDING = "deciding"
    REVIEW = "review"  # a person decides
    OPENING = "opening"  # released and recorded; boom going up
    LEAVING = "leaving"  # boom seen up, vehicle may go
    CLEARING = "clearing"  # vehicle under or past the boom; the boom comes down when everything is freshly clear
    RETURNING = "returning"  # entry boom up for a vehicle that backs out
    DIVERTING = "diverting"  # exit boom up for a vehicle that is not released (inspection yard, U-turn)
    DETAINED = "detained"  # booms held, driver reads "please wait"
    CLOSED = "closed"
    FAULT = "fault"
    FIRE = "fire"


class LaneEvent(StrEnum):
    """What the automaton is told. Past tense; a person's wish is `..._ASKED`."""

    VEHICLE_ARRIVED = "vehicle_arrived"
    VEHICLE_WITHDREW = "vehicle_withdrew"  # every detector clear and platform empty again, nothing went forward
    READY_TO_ADMIT = "ready_to_admit"  # platform empty, zero seen, way free
    ADMITTANCE_LOST = "admittance_lost"  # what let it in no longer held when the reason was on disk
    VEHICLE_ENTERED = "vehicle_entered"
    WHOLE_ON_PLATFORM = "whole_on_platform"
    NOT_WHOLE = "not_whole"  # a beam is interrupted again
    READY_TO_DECIDE = "ready_to_decide"  # weight settled (or given up, or not weighed) and identity known (or given up)
    FACTS_CHANGED = "facts_changed"  # a scan, a plate, a resolved fact: the rules run again
    RELEASE_DECIDED = "release_decided"
    PERSON_NEEDED = "person_needed"
    DETAIN_DECIDED = "detain_decided"
    RELEASE_BOOM_UP = "release_boom_up"
    RETURN_BOOM_UP = "return_boom_up"
    UNDER_RELEASE_BOOM = "under_release_boom"
    CROSSED = "crossed"  # forward, proven by the detectors in their order
    CROSSED_UNKNOWN = "crossed_unknown"  # the same, by a vehicle that no passage knows
    SECOND_VEHICLE = "second_vehicle"  # the passage is over and another vehicle stands on the platform
    FOLLOWED_IN = "followed_in"  # another vehicle came over the entry beam behind the one of the passage
    TAILGATED = "tailgated"  # another vehicle on the exit beam while the one of the passage is still under the boom
    WRONG_WAY = "wrong_way"  # something came on to the exit loop from outside
    LONGER_THAN_DECK = "longer_than_deck"  # stands on the platform with both of its edges covered
    SUDDEN_LOAD = "sudden_load"  # a vehicle's weight, and nothing was seen driving on
    WEIGHT_MOVED = "weight_moved"  # the vehicle stands, and weighs clearly another mass than it was judged by
    LIGHT_LOAD = "light_load"  # less than a vehicle on the platform: a person, a motorcycle
    WAY_BLOCKED = "way_blocked"  # somebody drove up behind the vehicle that was to back out
    LANE_CLEAR = "lane_clear"  # every detector freshly clear, platform empty, booms down
    BOOM_FAILED = "boom_failed"  # commanded and not confirmed
    UNEXPLAINED_MOTION = "unexplained_motion"
    DEVICE_LOST = "device_lost"
    DEVICES_BACK = "devices_back"
    RECORD_LOST = "record_lost"
    FIRE_ON = "fire_on"
    FIRE_OFF = "fire_off"
    TIME_IS_UP = "time_is_up"
    RELEASE_ASKED = "release_asked"
    HOLD_ASKED = "hold_asked"
    DIVERT_ASKED = "divert_asked"  # inspection or refusal, forward through the lane
    RETURN_ASKED = "return_asked"  # back out through the entry
    REWEIGH_ASKED = "reweigh_asked"
    TURN_ASKED = "turn_asked"  # a reversible lane to the other direction
    OPEN_ASKED = "open_asked"
    CLOSE_ASKED = "close_asked"
    CLEAR_ASKED = "clear_asked"  # a person re-arms the lane after a fault, a fire or a restart
    EMERGENCY_RAISED = "emergency_raised"  # recorded, boom going up for a fire engine or ambulance
    CROSSING_ATTESTED = "crossing_attested"  # a person says that the vehicle has gone forward
    DEPARTURE_ATTESTED = "departure_attested"  # a person says that the vehicle has gone back


class LaneCommand(StrEnum):
    """What a step asks the controller to do, in order. Booms move only through these."""

    OPEN_PASSAGE = "open_passage"
    DECIDE = "decide"
    ADMIT = "admit"  # raise the entry boom, reason admit
    RAISE_RELEASE_BOOM = "raise_release_boom"  # reason release
    RAISE_TO_DIVERT = "raise_to_divert"  # exit boom, reason divert
    RAISE_TO_RETURN = "raise_to_return"  # entry boom, reason return
    LOWER_ENTRY_BOOM = "lower_entry_boom"  # as soon as the interlocks allow
    LOWER_EXIT_BOOM = "lower_exit_boom"
    FORGET_LOWERING = "forget_lowering"  # drop lowering under way or intended
    START_WEIGHING = "start_weighing"  # forget earlier readings
    TAKE_UP = "take_up"  # a person has looked at a vehicle from before a restart: the lane goes on with it
    RECORD_CROSSING = "record_crossing"  # slip used, hazardous goods told, passage closed
    RECORD_DEPARTURE = "record_departure"  # slip returned, passage closed
    RECORD_UNEXPLAINED = "record_unexplained"  # motion.unexplained
    NOTE_OBSERVED = "note_observed"  # what was seen goes into the facts of the passage
    ESCALATE = "escalate"
