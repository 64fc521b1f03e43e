"""Is the slip in order? The slip's half of RULES 2. One rule per function."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from gate_service.domain.mass import Mass
from gate_service.domain.slip import BINDS, DOCUMENT_KINDS, DOCUMENT_STATES, MODES, TYPES, GoodsLine, Slip
from gate_service.domain.verdict import Check, Source, Verdict
from lanes.policy.facts import Facts, is_within

SUM_SLACK = Mass(1000)  # RULES 2, total_weight_sum: by more than 1 kg


def _of(slip: Slip, line: GoodsLine | None = None) -> Source:
    return Source("slip", slip.slip_no, part=line.line if line else None)


def slip_unknown(facts: Facts) -> Iterator[Check]:
    """A number was scanned, or slips searched by plate, and nobody has it. A tombstone is knowledge: slip_revoked."""
    case, scanned = facts.case, facts.scanned_number
    if case.scanned is not None:
        if scanned is None:
            return  # a token that does not verify: slip_signature_invalid says why
        if scanned not in case.known.revoked and all(s.slip_no != scanned for s in case.slips):
            yield Check("slip_unknown", Verdict.REVIEW, scanned, None, source=Source("search"))
    elif case.found_by == "plate" and not case.slips:
        yield Check("slip_unknown", Verdict.REVIEW, "a slip for this plate", None, source=Source("search"))


def slip_ambiguous(facts: Facts) -> Iterator[Check]:
    """Found by plate alone, none scanned or chosen, and several open ones fit this lane now."""
    case = facts.case
    if case.found_by != "plate" or case.scanned is not None:
        return
    fitting = [s.slip_no for s in case.slips if _is_open(s, facts) and s.direction == case.lane.direction]
    if len(fitting) > 1:
        yield Check("slip_ambiguous", Verdict.REVIEW, "a scan", sorted(fitting), source=Source("search"))


def _is_open(slip: Slip, facts: Facts) -> bool:
    case = facts.case
    return (
        slip.status == "approved"
        and slip.slip_no not in case.known.revoked
        and is_within(slip.valid_from, case.now, slip.valid_until)
        and case.known.used.get(slip.slip_no, 0) < slip.pass_limit
        and (not slip.site_ids or case.site in slip.site_ids)
        and slip.is_physical
    )


def slip_signature_invalid(facts: Facts) -> Iterator[Check]:
    """A signed slip does not verify against the pinned keys, is expired, or is for another audience."""
    for slip_no, finding in facts.signatures.items():
        if finding.problem is not None:
            yield Check("slip_signature_invalid", Verdict.INSPECT, finding.problem, slip_no, source=Source("signature"))
    scanned = facts.scanned_token
    if scanned is not None and scanned.problem is not None:
        yield Check(
            "slip_signature_invalid", Verdict.INSPECT, scanned.problem, "scanned token", source=Source("signature")
        )


def slip_revoked(facts: Facts) -> Iterator[Check]:
    """A tombstone for the slip, whether or not its body is still there."""
    case = facts.case
    numbers = {s.slip_no for s in case.slips} | ({facts.scanned_number} if facts.scanned_number else set())
    for number in sorted(numbers & case.known.revoked):
        yield Check("slip_revoked", Verdict.REFUSE, "not revoked", number, source=Source("tombstone"))


def slip_not_approved(facts: Facts) -> Iterator[Check]:
    """The status is not `approved`; at the second gate of two (二卡) it must be that of the first one passed."""
    needed = "first_gate_passed" if facts.case.is_second_gate else "approved"
    for slip in facts.case.slips:
        if slip.status != needed:
            yield Check("slip_not_approved", Verdict.REFUSE, needed, slip.status, source=_of(slip))


def slip_expired(facts: Facts) -> Iterator[Check]:
    """Now is after `valid_until_at`."""
    for slip in facts.case.slips:
        if not is_within(None, facts.case.now, slip.valid_until):
            yield _in_time("slip_expired", slip, facts, slip.valid_until.isoformat() if slip.valid_until else None)


def slip_not_yet_valid(facts: Facts) -> Iterator[Check]:
    """Now is before `valid_from_at`."""
    for slip in facts.case.slips:
        if not is_within(slip.valid_from, facts.case.now, None):
            yield _in_time("slip_not_yet_valid", slip, facts, slip.valid_from.isoformat() if slip.valid_from else None)


def _in_time(code: str, slip: Slip, facts: Facts, limit: str | None) -> Check:
    return Check(code, Verdict.REFUSE, limit, facts.case.now.isoformat(), limit, source=_of(slip))


def slip_used(facts: Facts) -> Iterator[Check]:
    """Used by other passages as often as allowed, here or elsewhere; a refused claim says so too (firm)."""
    case = facts.case
    for slip in case.slips:
        used = case.known.used.get(slip.slip_no, 0)
        if used >= slip.pass_limit:
            yield Check(
                "slip_used", Verdict.REFUSE, f"under {slip.pass_limit}", used, slip.pass_limit, source=_of(slip)
            )
    if case.claim == "refused" and case.slips:
        yield Check("slip_used", Verdict.REFUSE, "claim granted", "claim refused", source=Source("claim"))


def slip_other_site(facts: Facts) -> Iterator[Check]:
    """`site_ids` is not empty and does not hold this site."""
    for slip in facts.case.slips:
        if slip.site_ids and facts.case.site not in slip.site_ids:
            yield Check("slip_other_site", Verdict.REFUSE, sorted(slip.site_ids), facts.case.site, source=_of(slip))


def slip_book_only(facts: Facts) -> Iterator[Check]:
    """`physical` is false: the account changes without a passage."""
    for slip in facts.case.slips:
        if not slip.is_physical:
            yield Check("slip_book_only", Verdict.REFUSE, "physical", "book-only", source=_of(slip))


def slip_inconsistent(facts: Facts) -> Iterator[Check]:
    """The slip contradicts itself, holds a value outside the lists, or lacks a mass that must be there."""
    for slip in facts.case.slips:
        for expected, found in (*_outside_lists(slip), *_wrong_binding(slip), *_missing_masses(slip)):
            yield Check("slip_inconsistent", Verdict.REVIEW, expected, found, source=_of(slip))
    # "one document in several bind-1 slips of this vehicle"
    bound = Counter(
        number for s in facts.case.slips if s.bind == "1" for number in {d.identity for d in s.documents} if number
    )
    for number, count in sorted(bound.items()):
        if count > 1:
            yield Check(
                "slip_inconsistent", Verdict.REVIEW, f"{number} in one slip of bind 1", count, 1, source=Source("slip")
            )


def _outside_lists(slip: Slip) -> Iterator[tuple[str, str | None]]:
    """Null bind and kind are not outside, null mode is ordinary; a null type or state is outside."""
    if slip.type not in TYPES:
        yield f"type in {', '.join(TYPES)}", slip.type
    if slip.bind is not None and slip.bind not in BINDS:
        yield f"bind in {', '.join(BINDS)}", slip.bind
    for document in slip.documents:
        if document.kind is not None and document.kind not in DOCUMENT_KINDS:
            yield f"document kind in {', '.join(DOCUMENT_KINDS)}", document.kind
        if document.mode is not None and document.mode not in MODES:
            yield f"mode in {', '.join(MODES)}", document.mode
        if document.state not in DOCUMENT_STATES:
            yield f"state in {', '.join(DOCUMENT_STATES)}", document.state


def _wrong_binding(slip: Slip) -> Iterator[tuple[str, str | int | None]]:
    if slip.type in ("5", "6"):
        if slip.bind is not None:
            yield f"no bind in type {slip.type}", slip.bind
        if slip.documents:
            yield f"no document in type {slip.type}", len(slip.documents)
    elif slip.type in TYPES and not slip.documents:
        yield f"a document in type {slip.type}", 0
    if slip.bind in ("2", "3") and len(slip.documents) != 1:
        yield f"exactly one document with bind {slip.bind}", len(slip.documents)


def _missing_masses(slip: Slip) -> Iterator[tuple[str, None]]:
    """Vehicle tare, goods gross or total missing on any type but 7; blank is not zero; type 6 has no goods."""
    if slip.type == "7":
        return
    if slip.tare is None:
        yield "vehicle tare_kg", None
    if slip.goods_gross is None and slip.type != "6":
        yield "goods_gross_kg", None
    if slip.total is None:
        yield "total_kg", None


def total_weight_sum(facts: Facts) -> Iterator[Check]:
    """A slip's total differs from its parts by more than 1 kg; not judged while vehicle, goods or total are blank."""
    for slip in facts.case.slips:
        goods = slip.goods_gross or (Mass(0) if slip.type == "6" else None)
        if slip.total is None or slip.tare is None or goods is None:
            continue
        boxes = sum((c.tare for c in slip.containers if c.tare is not None), Mass(0))
        parts = slip.tare + (slip.trailer_tare or Mass(0)) + boxes + goods
        if abs(slip.total - parts) > SUM_SLACK:
            yield Check(
                "total_weight_sum",
                Verdict.RELEASE,
                parts.to_json(),
                slip.total.to_json(),
                SUM_SLACK.to_json(),
                source=_of(slip),
            )


def gate_field_missing(facts: Facts) -> Iterator[Check]:
    """Type 5 by the form of Announcement 2023 No. 200: grade 1 may omit item_no and hs_code, 2 only item_no."""
    for slip in facts.case.slips:
        if slip.type != "5":
            continue
        if not slip.goods:
            yield Check("gate_field_missing", Verdict.REVIEW, "goods lines", None, source=_of(slip))
        for line in slip.goods:
            missing = _missing_fields(line, slip.grade)
            if missing:
                yield Check("gate_field_missing", Verdict.REVIEW, missing, None, source=_of(slip, line))


def _missing_fields(line: GoodsLine, grade: int | None) -> list[str]:
    given = {
        "name": line.name is not None,
        "quantity": line.quantity is not None,
        "unit": line.unit is not None,
        "gross_kg": line.gross is not None,
        "hs_code": line.hs_code is not None or grade == 1,
    }
    return [name for name, there in given.items() if not there]


RULES = (
    slip_unknown,
    slip_ambiguous,
    slip_signature_invalid,
    slip_revoked,
    slip_not_approved,
    slip_expired,
    slip_not_yet_valid,
    slip_used,
    slip_other_site,
    slip_book_only,
    slip_inconsistent,
    total_weight_sum,
    gate_field_missing,
)
