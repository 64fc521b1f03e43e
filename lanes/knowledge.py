"""What a lane knows: what its devices have shown, its passage, its timers; and what guards and interlocks may see.

Nothing here moves, writes or waits. `lanes.controller` acts on it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from gate_service.domain.events import JsonObject
from gate_service.domain.passage import Disposition, Passage, Weighed
from gate_service.domain.ports import (
    Barrier,
    Claims,
    Clock,
    Draws,
    Duty,
    Journal,
    NobodyOnDuty,
    Signals,
    SlipSource,
)
from gate_service.domain.reading import Aspect, BoomPosition, DeviceHealth, Side, StabilityFrom
from lanes.conditions import Situation
from lanes.curve import Curve
from lanes.detectors import Sight
from lanes.guards import View
from lanes.interlocks import RaiseReason, Surroundings, forbids_lowering, forbids_raising
from lanes.opinion import Redirect
from lanes.platform import Deck, stand_whole
from lanes.policy.policy_reading import read_policy
from lanes.rights import Ground
from lanes.settings import LaneSettings
from lanes.states import LaneEvent, LaneState

NAMED_WEIGHTS: Final = frozenset({"overload", "underload", "out_of_range", "error"})
"""Words of an indicator that says no weight: each stands as it is where a person looks."""

TAKEN_UP_BY: Final = frozenset({LaneEvent.DEVICES_BACK, LaneEvent.CLEAR_ASKED, LaneEvent.OPEN_ASKED})
"""What ends a safe state."""

LET_FORWARD: Final = frozenset(
    {
        Disposition.RELEASE,
        Disposition.DIVERT,
        Disposition.TURN_BACK,
        Disposition.ESCORT,
        Disposition.YARD_INSIDE,
        Disposition.AT_PREMISES,
    }
)
"""Ways under the exit boom."""

LoweringRule = Callable[[Side, Surroundings], str | None]


@dataclass(frozen=True, slots=True)
class LanePorts:
    """What a lane is connected to. `lowering_rule` is replaced only by a demo that shows what interlocks are for."""

    barriers: Mapping[Side, Barrier]
    signals: Signals
    journal: Journal
    slips: SlipSource
    claims: Claims
    clock: Clock
    on_changed: Callable[[str], None]
    clock_error_s: Callable[[], int | None]  # bound of the wall clock's error; None is unknown, never zero
    device_healths: Callable[[], Sequence[DeviceHealth]] = tuple  # the drivers' own, as of now: ages for pages
    lowering_rule: LoweringRule = forbids_lowering
    policy_at: Callable[[datetime], JsonObject | None] | None = None  # in force then; None: what the settings say
    zero: Callable[[], Awaitable[None]] | None = None  # zeroes the indicator, where the site switched that on
    duty: Duty = field(default_factory=NobodyOnDuty)
    redirect: Redirect | None = None  # where lanes are known: the one a vehicle in the wrong lane should take
    draws: Draws | None = None  # without, everything with a rate counts as drawn (RULES 3)
    fresh_settings: Callable[[], LaneSettings] | None = None  # the lane as its site file says now; may read a file
    mint_id: Callable[[], UUID] = uuid4  # the simulation brings its own, so that a seed replays byte for byte


class LaneKnowledge:
    """One lane as it is known now. It begins in FAULT: nothing has answered yet."""

    def __init__(self, settings: LaneSettings, ports: LanePorts) -> None:
        self.settings = settings
        self.ports = ports
        self.clock = ports.clock
        self.state = LaneState.FAULT
        self.since_at = ports.clock.now()
        self.state_since_s = ports.clock.monotonic_s()
        self.sight = Sight()
        self.deck = Deck()
        self.curve = Curve()
        self.is_turned = False  # a reversible lane that drives against its wiring's names
        self.shown: Mapping[Side, Aspect] = {}  # lights as shown and confirmed; empty: not known
        self.passage: Passage | None = None
        self.is_restored = False
        self.is_vehicle_sure = True  # the vehicle that is seen is the one of the passage
        self.is_closing_asked = False
        self.is_escalated = False
        self.attention: str | None = "starting"
        self.health: dict[str, DeviceHealth] = {}
        self.weighing_since_s: float | None = None
        self.passage_since_s = 0.0
        self.devices_good_since_s: float | None = None
        self.is_fault_of_devices = True

    def are_devices_safe(self) -> bool | None:
        """Whether every device of the lane has a confirmed safe state on lost communication, or the site accepts it."""
        if self.settings.is_safe_state_accepted:
            return True
        answers = [health.is_safe_state_confirmed for health in self.health.values() if health.kind == "io_module"]
        if not answers or None in answers:
            return None
        return all(answers)

    def ground(self) -> Ground:
        """What a release against the verdict would stand on now: the policy is the one that it was judged by."""
        case = None if self.passage is None else self.passage.case
        policy = self.settings.policy if case is None else case.get("policy")
        return Ground(self.settings.kind, read_policy(policy), self.ports.duty, self.clock.now())

    def view(self, situation: Situation | None = None) -> View:
        """What the table's guards may look at; `situation` where the caller has it at hand."""
        situation = situation or self.situation(self.clock.monotonic_s())
        return View(
            layout=self.settings.layout,
            has_passage=self.passage is not None,
            is_vehicle_on_platform=situation.is_platform_loaded(),
            is_vehicle_at_approach=self.sight.is_occupied_at_approach(),
            is_somebody_inside=self.sight.is_somebody_inside(),
            are_booms_down=self.sight.are_booms_down(),
            is_fire=self.sight.inputs is not None and self.sight.inputs.fire is not False,
            are_devices_good=self.devices_good_since_s is not None,
            is_record_writable=self.ports.journal.is_writable(),
            is_release_decided=self.passage is not None and self.passage.disposition is not None,
            is_let_forward=self.passage is not None and self.passage.disposition in LET_FORWARD,
            is_for_person=self.is_restored,
            is_vehicle_sure=self.is_vehicle_sure,
        )

    def situation(self, now_s: float) -> Situation:
        """What the predicates of `lanes.conditions` may look at."""
        settings, passage = self.settings, self.passage
        weighing_s = 0.0 if self.weighing_since_s is None else now_s - self.weighing_since_s
        present_s = now_s - self.passage_since_s
        is_identified = passage is not None and (
            (bool(passage.scanned) or present_s > settings.scan_wait_s)
            and (passage.is_plate_looked_at or present_s > settings.plate_wait_s)
        )
        return Situation(
            state=self.state,
            layout=settings.layout,
            sight=self.sight,
            deck=self.deck,
            deck_settings=settings.deck,
            now_s=now_s,
            has_passage=passage is not None,
            is_identified=is_identified,
            is_weight_given_up=weighing_s > settings.weigh_wait_s,
            is_record_writable=self.ports.journal.is_writable(),
            devices_good_since_s=self.devices_good_since_s,
            is_fault_of_devices=self.is_fault_of_devices,
            admitting_forbidden_by=self._admitting_forbidden_by(now_s),
            is_time_up=not self.is_escalated and now_s - self.state_since_s > settings.escalate_after_s,
            zero_s=self.curve.zero_s,
            judged=None if passage is None or passage.weighed is None else passage.weighed.gross,
            observed=() if passage is None else passage.observed,
        )

    def _admitting_forbidden_by(self, now_s: float) -> str | None:
        if self.state is not LaneState.APPROACH:
            return "nobody waits at the approach"
        return forbids_raising(RaiseReason.ADMIT, self.surroundings(now_s))

    def surroundings(self, now_s: float) -> Surroundings:
        """What the interlocks look at."""
        deck = self.settings.deck
        return Surroundings(
            inputs=self.sight.inputs,
            clear_since_s=self.sight.clear_since_s,
            now_monotonic_s=now_s,
            is_closing_ours=self.settings.is_closing_ours,
            is_platform_empty=None if deck is None else self.deck.is_empty(deck, now_s),
            is_zero_seen=None if deck is None else self.deck.is_zero_seen,
            is_platform_at_rest=None if deck is None else self.deck.is_at_rest(now_s),
            may_be_somebody=self.deck.may_be_somebody(now_s),
            has_weighbridge=deck is not None,
            has_passage=self.passage is not None,
            is_at_zero=deck is not None and self.deck.is_at_zero(deck, now_s),
            is_upstream_red=self.shown.get(Side.ENTRY) in {Aspect.RED, Aspect.BACK_OUT},
            held_open=self.held_open(now_s),
            is_pair=self.settings.is_pair,
            far_clear_since_s=self.sight.far_clear_since_s,
            is_all_red=bool(self.shown) and set(self.shown.values()) == {Aspect.RED},
        )

    def held_open(self, now_s: float) -> frozenset[Side]:
        """Booms that somebody holds open."""
        del now_s
        return frozenset()

    def release_side(self) -> Side:
        """The boom that lets a released vehicle go: the exit boom, or the only one."""
        return Side.EXIT if self.settings.layout.has_exit_barrier else Side.ENTRY

    def reason_in_force(self, side: Side) -> RaiseReason | None:
        """The recorded reason that lets this boom be up in the present state, or None."""
        if side is Side.ENTRY and self.state is LaneState.ADMITTING:
            return RaiseReason.ADMIT
        if side is Side.ENTRY and self.state is LaneState.RETURNING:
            return RaiseReason.RETURN
        if side is self.release_side() and self.state in {LaneState.OPENING, LaneState.LEAVING}:
            return RaiseReason.RELEASE
        return RaiseReason.DIVERT if side is Side.EXIT and self.state is LaneState.DIVERTING else None

    def boom_positions(self) -> Mapping[Side, BoomPosition]:
        """Where the lane's booms are seen."""
        return self.sight.inputs.booms if self.sight.inputs is not None else {}

    def with_weight(self, passage: Passage, *, as_if_settled: bool = False) -> Passage:
        """Take the settled weight (or that there is none) into the facts. `as_if_settled`: whatever is shown now."""
        if self.settings.deck is None:
            return passage
        now_s = self.clock.monotonic_s()
        reading = self.deck.fresh(now_s)
        is_settled = as_if_settled or self.deck.is_settled(now_s)
        if passage.weighed is not None and passage.weighed.gross is not None and not is_settled:
            return passage  # a late scan after the vehicle was weighed: the weight stands
        is_sudden = LaneEvent.SUDDEN_LOAD in passage.observed
        weighed = Weighed(
            gross=reading.value if reading and is_settled else None,
            status="no_data" if reading is None else reading.status.value,
            is_stable=is_settled,
            stability_from=StabilityFrom.COMPUTED if reading is None else reading.stability_from,
            displayed=reading.displayed if reading else None,
            frame=reading.raw.hex(" ") if reading else "",
            at=reading.taken_at if reading else self.clock.now(),
            was_zeroed=self.deck.is_zero_seen,
            was_whole=self.situation(now_s).is_whole() and not is_sudden,
            alibi_id=reading.alibi_id if reading and is_settled else None,
        )
        curve, before = self.curve.document(is_sudden=is_sudden), passage.weighed
        if before is not None and (before.gross, before.status) == (weighed.gross, weighed.status):
            return replace(passage, weight_curve=curve)
        return passage.with_facts(weighed=weighed, weight_curve=curve)

    def noted(self, now_s: float) -> Situation:
        """The situation now, once it is noted since when the vehicle stands whole and since when every device answers.

        One situation serves all looks at one moment: this runs for every frame and every poll of every lane.
        """
        situation = self.situation(now_s)
        deck = stand_whole(self.deck, is_whole=situation.is_whole(), now_s=now_s)
        good_since_s = None
        if situation.lost_because(LaneState.FAULT) is None:
            good_since_s = now_s if self.devices_good_since_s is None else self.devices_good_since_s
        if deck is self.deck and good_since_s == self.devices_good_since_s:
            return situation
        self.deck, self.devices_good_since_s = deck, good_since_s
        return self.situation(now_s)

    def seen_instead(self) -> str | None:
        """What keeps this vehicle from being weighed as any other: what it was seen to be, or what the display said."""
        passage = self.passage
        if passage is None or self.is_restored:
            return None
        status = None if passage.weighed is None else passage.weighed.status
        if status in NAMED_WEIGHTS:
            return status
        return passage.observed[-1] if passage.observed else None

    def why(self, event: LaneEvent, to: LaneState) -> str | None:
        """The word shown for what needs attention in the new state; None where nothing does."""
        is_undecided = self.passage is not None and self.passage.disposition is None and not self.is_restored
        if to is LaneState.REVIEW and event in TAKEN_UP_BY and is_undecided and not self.is_vehicle_sure:
            return "same_vehicle"
        if to is LaneState.FAULT:
            if event is LaneEvent.DEVICE_LOST:
                return self.situation(self.clock.monotonic_s()).lost_because() or event.value
            return event.value
        seen = self.seen_instead()
        if to is LaneState.REVIEW and event is LaneEvent.PERSON_NEEDED and seen is not None:
            return seen
        if to in {LaneState.REVIEW, LaneState.DETAINED, LaneState.FIRE, LaneState.CLOSED}:
            return "restart" if self.is_restored else str(to.value if event is LaneEvent.PERSON_NEEDED else event.value)
        return None
