"""What may not be released on local knowledge, a doubtful clock or an unsafe site: RULES 6. One rule per function."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from fractions import Fraction

from gate_service.domain.verdict import Check, Source, Verdict
from lanes.policy.ages import (
    error_crosses_end,
    error_crosses_start,
    error_microseconds,
    hours_between,
    is_stale,
)
from lanes.policy.case import is_bound_to
from lanes.policy.facts import Facts, awaited_returns


def _copy_limit_h(facts: Facts) -> Fraction:
    """RULES 6: `slip_max_age_h`; hazardous goods `hazmat_max_age_h`."""
    offline = facts.policy.offline
    return offline.hazmat_max_age_h if facts.hazardous_lines else offline.slip_max_age_h


def _is_local(facts: Facts) -> bool:
    return facts.case.source == "local"


def copy_stale(facts: Facts) -> Iterator[Check]:
    """The copy is older than it may be; from the copy alone only."""
    case, limit = facts.case, _copy_limit_h(facts)
    if _is_local(facts) and is_stale(case.as_of, case.now, limit):
        age = None if case.as_of is None else hours_between(case.as_of, case.now)
        yield Check("copy_stale", Verdict.REVIEW, _as_of(facts), age, float(limit), source=Source("copy"))


def _as_of(facts: Facts) -> str | None:
    return None if facts.case.as_of is None else facts.case.as_of.isoformat()


def holds_stale(facts: Facts) -> Iterator[Check]:
    """The hold list is too old. Left out it is good (CONTRACT 2), but no list is younger than a limit of 0."""
    case, state, limit = facts.case, facts.case.site_state, facts.policy.offline.hold_max_age_h
    if not _is_local(facts) or (state.holds_as_of_is_left_out and limit != 0):
        return
    if is_stale(state.holds_as_of, case.now, limit):
        age = None if state.holds_as_of is None else hours_between(state.holds_as_of, case.now)
        yield Check("holds_stale", Verdict.REVIEW, "a hold list", age, float(limit), source=Source("hold_list"))


def claim_unavailable(facts: Facts) -> Iterator[Check]:
    """A slip not bound to exactly this site, and the claim is neither granted nor not needed; from the copy alone."""
    case = facts.case
    if not _is_local(facts) or case.claim in ("granted", "not_needed"):
        return
    for slip in case.slips:
        if not is_bound_to(slip, case.site):
            yield Check("claim_unavailable", Verdict.REVIEW, "granted", case.claim, source=Source("slip", slip.slip_no))


def clock_untrusted(facts: Facts) -> Iterator[Check]:
    """The clock's error bound reaches across a limit that is being judged; an unknown bound across every one."""
    error_s = facts.case.site_state.clock_error_s
    if error_s is None:
        yield Check("clock_untrusted", Verdict.REVIEW, "a known clock error", None, source=Source("clock"))
        return
    crossed = sorted(set(_crossed_limits(facts, error_microseconds(Fraction(error_s)))))
    if crossed:
        yield Check("clock_untrusted", Verdict.REVIEW, crossed, float(error_s), source=Source("clock"))


def _crossed_limits(facts: Facts, error_us: int) -> Iterator[str]:
    """The limits set in advance that are judged here: validity, copy and hold age, verification, return (RULES 6)."""
    case, now = facts.case, facts.case.now
    spans: list[tuple[datetime | None, datetime | None]] = [(s.valid_from, s.valid_until) for s in case.slips]
    if facts.is_service:
        spans += [(r.valid_from, r.valid_until) for r in facts.registered]
    for finding in (*facts.signatures.values(), *([facts.scanned_token] if facts.scanned_token else [])):
        spans += [(start, None) for start in finding.starts] + [(None, end) for end in finding.ends]
    for start, end in spans:
        if start is not None and error_crosses_start(start, now, error_us):
            yield "validity"
        if end is not None and error_crosses_end(end, now, error_us):
            yield "validity"
    if _is_local(facts):
        yield from _crossed_ages(facts, error_us)
    verified = case.lane.verified_until
    if verified is not None and case.weight.gross is not None and error_crosses_end(verified, now, error_us):
        yield "verification"
    if facts.is_outbound:
        dues = [e.return_due for s in facts.judged_slips for e in awaited_returns(s, case)]
        if any(due is not None and error_crosses_end(due, now, error_us) for due in dues):
            yield "return"


def _crossed_ages(facts: Facts, error_us: int) -> Iterator[str]:
    """A limit of 0 is stale at any time: no clock is needed to judge it."""
    ages = (
        ("copy age", facts.case.as_of, _copy_limit_h(facts)),
        ("hold age", facts.case.site_state.holds_as_of, facts.policy.offline.hold_max_age_h),
    )
    for name, as_of, limit in ages:
        if as_of is not None and limit != 0 and error_crosses_end(as_of, facts.case.now, error_us, after_h=limit):
            yield name


def device_unconfirmed(facts: Facts) -> Iterator[Check]:
    """A device of the lane has no confirmed safe state on lost communication; whatever the source."""
    if not facts.case.site_state.devices_safe:
        yield Check("device_unconfirmed", Verdict.REVIEW, "confirmed safe state", "unconfirmed", source=Source("lane"))


def record_unwritable(facts: Facts) -> Iterator[Check]:
    """The record cannot be written: the lane closes and nothing is released; whatever the source."""
    if not facts.case.site_state.record_writable:
        yield Check("record_unwritable", Verdict.REVIEW, "a writable record", "not writable", source=Source("record"))


RULES = (copy_stale, holds_stale, claim_unavailable, clock_untrusted, device_unconfirmed, record_unwritable)
