"""Is this the vehicle, and is it in the right lane? RULES 1 and the vehicle's half of RULES 2."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from gate_service.domain.vehicle import (
    comparable_container,
    comparable_plate,
    comparable_seal,
    container_check_digit_fits,
)
from gate_service.domain.verdict import Check, Source, Verdict
from lanes.policy.ages import age_exceeds, hours_between
from lanes.policy.facts import Facts, belongs_on_declared_lane


def wrong_lane_class(facts: Facts) -> Iterator[Check]:
    """A declared type on a non-declared lane; any other on a declared lane that does not take it."""
    policy, kind = facts.policy, facts.case.lane.kind
    for slip in facts.case.slips:
        declared = belongs_on_declared_lane(slip, policy)
        if (kind == "non_declared" and declared) or (
            kind == "declared" and not declared and not policy.register_on_declared_lane
        ):
            wanted = "declared" if declared else "non_declared"
            source = Source("policy", policy.version)
            yield Check("wrong_lane_class", Verdict.REFUSE, wanted, kind, sorted(policy.declared_types), source=source)
    # RULES 1: registered service vehicles without a slip belong to the non-declared lane too.
    if facts.is_service and facts.registered and kind == "declared" and not policy.register_on_declared_lane:
        yield Check("wrong_lane_class", Verdict.REFUSE, "non_declared", kind, source=Source("policy", policy.version))


def wrong_direction(facts: Facts) -> Iterator[Check]:
    """The slip is for the other way; a slip without a direction is for no way."""
    lane = facts.case.lane.direction
    for slip in facts.case.slips:
        if slip.direction != lane:
            yield Check("wrong_direction", Verdict.REFUSE, slip.direction, lane, source=Source("slip", slip.slip_no))


def plate_unread(facts: Facts) -> Iterator[Check]:
    """No plate; a blank one is none."""
    if facts.plate is None:
        yield Check("plate_unread", Verdict.REVIEW, "a plate", None, source=Source("lane"))


def plate_mismatch(facts: Facts) -> Iterator[Check]:
    """The plate differs from any slip's (one without a plate does not name this one), or two were read that differ."""
    for slip in facts.case.slips:
        if facts.plate is not None and facts.plate != comparable_plate(slip.plate or ""):
            yield Check(
                "plate_mismatch",
                Verdict.REVIEW,
                slip.plate,
                facts.case.vehicle.plate,
                source=Source("slip", slip.slip_no),
            )
    for other in facts.case.vehicle.other_plates:
        yield Check("plate_mismatch", Verdict.REVIEW, facts.case.vehicle.plate, other, source=Source("lane"))


def trailer_mismatch(facts: Facts) -> Iterator[Check]:
    """A trailer was looked at and differs from any slip's, one of them without included."""
    seen = facts.case.vehicle.trailer_plate
    if seen is None:
        return
    for slip in facts.case.slips:
        if comparable_plate(seen) != comparable_plate(slip.trailer_plate or ""):
            yield Check(
                "trailer_mismatch", Verdict.REVIEW, slip.trailer_plate, seen, source=Source("slip", slip.slip_no)
            )


def container_mismatch(facts: Facts) -> Iterator[Check]:
    """Containers were looked at and their set differs from the slips'; without a slip nothing can differ."""
    seen = facts.case.vehicle.containers
    if seen is None or not facts.case.slips:
        return
    named = {comparable_container(c.number) for s in facts.case.slips for c in s.containers}
    found = {comparable_container(n) for n in seen}
    if named != found:
        yield Check("container_mismatch", Verdict.REVIEW, sorted(named), sorted(found), source=Source("slip"))


def container_number_invalid(facts: Facts) -> Iterator[Check]:
    """The ISO 6346 check digit of a number, seen or on a slip, is wrong."""
    numbers = {comparable_container(n) for n in facts.case.vehicle.containers or ()}
    numbers |= {comparable_container(c.number) for s in facts.case.slips for c in s.containers}
    for number in sorted(numbers):
        if not container_check_digit_fits(number):
            yield Check(
                "container_number_invalid",
                Verdict.REVIEW,
                "ISO 6346 check digit",
                number,
                source=Source("table", "ISO 6346"),
            )


def seal_mismatch(facts: Facts) -> Iterator[Check]:
    """Seals were looked at and their set differs from the slips'."""
    seen = facts.case.vehicle.seals
    if seen is None or not facts.case.slips:
        return
    named = {comparable_seal(n) for s in facts.case.slips for n in s.seals}
    found = {comparable_seal(n) for n in seen}
    if named != found:
        yield Check("seal_mismatch", Verdict.INSPECT, sorted(named), sorted(found), source=Source("slip"))


def not_looked_at(facts: Facts) -> Iterator[Check]:
    """The slip names a trailer, container or seal and this lane could not look (null, not an empty list)."""
    vehicle, slips = facts.case.vehicle, facts.case.slips
    named = {
        "trailer": vehicle.trailer_plate is None and any(s.trailer_plate for s in slips),
        "containers": vehicle.containers is None and any(s.containers for s in slips),
        "seals": vehicle.seals is None and any(s.seals for s in slips),
    }
    parts = [part for part, unseen in named.items() if unseen]
    if parts:
        yield Check("not_looked_at", Verdict.RELEASE, parts, None, source=Source("slip"))


def not_registered(facts: Facts) -> Iterator[Check]:
    """No slip, nothing scanned, a plate was read, and it is not on the register or outside its validity."""
    if facts.is_service and facts.plate is not None and facts.valid_registration is None:
        found = "outside its validity" if facts.registered else "not on the register"
        yield Check("not_registered", Verdict.REFUSE, "a valid entry in the register", found, source=Source("register"))


def already_inside(facts: Facts) -> Iterator[Check]:
    """Inbound and the ledger has it inside already."""
    if not facts.is_outbound and _is_inside(facts):
        yield Check("already_inside", Verdict.REVIEW, "outside", "inside", source=Source("ledger", "inside"))


def not_inside(facts: Facts) -> Iterator[Check]:
    """Outbound and the ledger never saw it come in."""
    if facts.is_outbound and _is_inside(facts) is False:
        yield Check("not_inside", Verdict.REVIEW, "inside", "never came in", source=Source("ledger", "inside"))


def _is_inside(facts: Facts) -> bool | None:
    """None where no ledger is kept (RULES 2: "where the ledger is kept") or no plate was read."""
    ledger = facts.case.known.inside
    if ledger is None or facts.plate is None:
        return None
    return facts.plate in ledger or facts.plate in facts.case.known.inside_since


def overstay(facts: Facts) -> Iterator[Check]:
    """Outbound later than `longest_stay_h` (slip or register; the shorter counts) after coming in."""
    since = facts.case.known.inside_since.get(facts.plate) if facts.plate else None
    if not facts.is_outbound or since is None:
        return
    stays = [(s.longest_stay_h, Source("slip", s.slip_no)) for s in facts.case.slips if s.longest_stay_h is not None]
    stays += [(r.longest_stay_h, Source("register")) for r in facts.registered if r.longest_stay_h is not None]
    if not stays:
        return
    longest_h, source = min(stays, key=lambda stay: stay[0])
    if age_exceeds(since, facts.case.now, Fraction(longest_h)):
        hours, stayed = float(longest_h), hours_between(since, facts.case.now)
        yield Check("overstay", Verdict.RELEASE, hours, stayed, hours, source=source)


RULES = (
    wrong_lane_class,
    wrong_direction,
    plate_unread,
    plate_mismatch,
    trailer_mismatch,
    container_mismatch,
    container_number_invalid,
    seal_mismatch,
    not_looked_at,
    not_registered,
    already_inside,
    not_inside,
    overstay,
)
