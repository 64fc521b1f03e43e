"""Documents, holds, draws and declarations: RULES 3. Transit answers only to quarantine, safety and police holds."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from gate_service.domain.mass import Mass
from gate_service.domain.slip import DOCUMENT_STATES, Document, Hold, Slip
from gate_service.domain.vehicle import comparable_plate
from gate_service.domain.verdict import Check, Source, Verdict
from lanes.policy.case import Declaration
from lanes.policy.draws import SPOT, is_drawn
from lanes.policy.facts import Facts, awaited_returns

TRANSIT_HOLDS = ("quarantine", "safety", "police")


def needed_state(slip: Slip, document: Document, *, outbound: bool) -> str:
    """The state a document needs at least. A mode outside the list is judged as ordinary."""
    if slip.type == "1" and not outbound:
        return "accepted"  # RULES 3: "slip type 1 inbound: accepted in every mode"
    if document.mode == "batch":
        return "accepted"
    if document.mode == "two_step" and not outbound:
        return "summary_released"
    return "released"


def document_not_released(facts: Facts) -> Iterator[Check]:
    """A document has not reached the state its mode needs; a state outside the list has reached none."""
    for slip, document in _documents(facts):
        needed = needed_state(slip, document, outbound=facts.is_outbound)
        reached = DOCUMENT_STATES.index(document.state) if document.state in DOCUMENT_STATES else -1
        if reached < DOCUMENT_STATES.index(needed):
            yield Check("document_not_released", Verdict.REVIEW, needed, document.state, source=_of(document, slip))


def _documents(facts: Facts) -> Iterator[tuple[Slip, Document]]:
    for slip in facts.judged_slips:
        for document in slip.documents:
            yield slip, document


def _of(document: Document, slip: Slip) -> Source:
    return Source("document", document.identity, part=slip.slip_no)


def guarantee_insufficient(facts: Facts) -> Iterator[Check]:
    """Batch, outbound, and the guarantee is short or absent; an advanced enterprise is exempt, with a warning."""
    if not facts.is_outbound:
        return
    for slip, document in _documents(facts):
        if document.mode != "batch":
            continue
        required = document.guarantee.required_cny if document.guarantee else None
        available = document.guarantee.available_cny if document.guarantee else None
        if required is not None and available is not None and required <= available:
            continue
        exempt = facts.credits[slip.slip_no] == "advanced"
        yield Check(
            "guarantee_exempt" if exempt else "guarantee_insufficient",
            Verdict.RELEASE if exempt else Verdict.REVIEW,
            None if required is None else float(required),
            None if available is None else float(available),
            source=_of(document, slip),
        )


def licence_not_verified(facts: Facts) -> Iterator[Check]:
    """A licence is required and was not verified at entry, in either direction; verified once is enough.

    The same document on another slip counts; another document of the same declaration does not.
    """
    verified = {d.identity for s in facts.case.slips for d in s.documents if d.licence_verified and d.identity}
    for slip, document in _documents(facts):
        if document.licence_required and not document.licence_verified and document.identity not in verified:
            yield Check("licence_not_verified", Verdict.INSPECT, "verified", "not verified", source=_of(document, slip))


def inspection_due(facts: Facts) -> Iterator[Check]:
    """An inspection is required and was not done; done anywhere is never asked again."""
    done = {d.identity for s in facts.case.slips for d in s.documents if d.inspection_done and d.identity}
    for slip, document in _documents(facts):
        if document.inspection_required and not document.inspection_done and document.identity not in done:
            yield Check("inspection_due", Verdict.INSPECT, "done", "due", source=_of(document, slip))


def hold(facts: Facts) -> Iterator[Check]:
    """A hold on slip, document, enterprise or vehicle: police detains (firm), every other kind inspects.

    A kind outside the list inspects too: a hold is never lost because its word is not known.
    """
    for held, is_transit in _applying_holds(facts):
        if is_transit and held.kind not in TRANSIT_HOLDS:
            continue
        verdict = Verdict.DETAIN if held.kind == "police" else Verdict.INSPECT
        yield Check("hold", verdict, "no hold", held.kind, source=Source("hold", held.hold_id, note=held.reason))


def _applying_holds(facts: Facts) -> Iterator[tuple[Hold, bool]]:
    """Each applying hold, and whether everything it applies to is transit."""
    case = facts.case
    for slip in case.slips:
        for own in slip.holds:  # CONTRACT 3: inside a slip the target may be left out; it is on the slip either way
            yield own, slip.is_transit
    if not case.known.holds:
        return
    by_slip = [(slip, _names(slip)) for slip in case.slips]
    of_vehicle = {"vehicle": {comparable_plate(p) for p in (case.vehicle.plate, case.vehicle.trailer_plate) if p}}
    of_vehicle["slip"] = {facts.scanned_number} if facts.scanned_number else set()
    for held in case.known.holds:
        hit = [slip for slip, names in by_slip if _matches(held, names)]
        if hit:
            yield held, all(s.is_transit for s in hit)
        elif _matches(held, of_vehicle):
            yield held, bool(case.slips) and all(s.is_transit for s in case.slips)


def _names(slip: Slip) -> dict[str, set[str]]:
    """What a hold may name this slip by: RULES 3, "targets match by …"."""
    return {
        "slip": {slip.slip_no},
        "document": {n for d in slip.documents for n in d.identifiers},
        "enterprise": set(slip.enterprise.identifiers) if slip.enterprise else set(),
        "vehicle": {comparable_plate(p) for p in (slip.plate, slip.trailer_plate) if p},
    }


def _matches(held: Hold, names: dict[str, set[str]]) -> bool:
    """A target type outside the list is compared with everything, so that a misspelt hold is not lost."""
    target = held.target_id or ""
    if held.target_type == "vehicle":
        return comparable_plate(target) in names["vehicle"]
    if held.target_type in ("slip", "document", "enterprise"):
        return target in names.get(held.target_type, ())
    return any(target in n for n in names.values()) or comparable_plate(target) in names["vehicle"]


def spot_check(facts: Facts) -> Iterator[Check]:
    """Type 5 at the rate of its credit, a registered vehicle at the rate `service`: drawn under the day's secret."""
    case, rates = facts.case, facts.policy.spot_check
    for slip in facts.judged_slips:
        if slip.type == "5":
            yield from _drawn(facts, slip.slip_no, rates[facts.credits[slip.slip_no]])
    if not case.slips and facts.plate is not None and facts.valid_registration is not None:
        yield from _drawn(facts, facts.plate, rates["service"])


def _drawn(facts: Facts, subject: str, rate: Fraction) -> Iterator[Check]:
    if is_drawn(SPOT, subject, rate, facts.case.secret, facts.case.draws):
        yield Check(
            "spot_check", Verdict.INSPECT, "not drawn", "drawn", float(rate), source=Source("draw", SPOT + subject)
        )


def declaration_exceeded(facts: Facts) -> Iterator[Check]:
    """Passed and this truck's declared goods exceed the declaration's total by more than `strict` allows on it."""
    for declaration, slips, total in _shared_declarations(facts):
        sum_now = sum((s.goods_gross for s in slips if s.goods_gross is not None), declaration.passed_gross)
        allowed = facts.policy.strict.allowed(total.grams)
        if sum_now.grams - total.grams > allowed:
            yield _ledger("declaration_exceeded", declaration, total, sum_now, allowed)


def declaration_short(facts: Facts) -> Iterator[Check]:
    """This is the last truck, or the declaration is closed, and more is missing than `strict` allows on its total.

    A truck without a declared goods gross leaves the sum unknown: nothing is said.
    """
    for declaration, slips, total in _shared_declarations(facts):
        if not (declaration.is_closed or any(s.is_last_of_declaration for s in slips)):
            continue
        if any(s.goods_gross is None for s in slips):
            continue
        sum_now = sum((s.goods_gross for s in slips if s.goods_gross is not None), declaration.passed_gross)
        allowed = facts.policy.strict.allowed(total.grams)
        if total.grams - sum_now.grams > allowed:
            yield _ledger("declaration_short", declaration, total, sum_now, allowed)


def _shared_declarations(facts: Facts) -> Iterator[tuple[Declaration, list[Slip], Mass]]:
    """The declarations of many trucks that slips of this vehicle draw on, with those slips.

    Only the slips judged by section 3 count, and one declared for a single truck has no ledger to compare with.
    """
    by_number: dict[str, list[Slip]] = {}
    for slip in facts.judged_slips:
        for number in {n for d in slip.documents for n in d.identifiers}:
            by_number.setdefault(number, []).append(slip)
    for declaration in facts.case.known.declarations:
        slips = by_number.get(declaration.number, [])
        if slips and not declaration.is_single_truck and declaration.total_gross is not None:
            yield declaration, slips, declaration.total_gross


def _ledger(code: str, declaration: Declaration, total: Mass, found: Mass, allowed: Fraction) -> Check:
    return Check(
        code,
        Verdict.REVIEW,
        total.to_json(),
        found.to_json(),
        Mass(int(allowed)).to_json(),
        source=Source("declaration", declaration.number),
    )


def outside_fence(facts: Facts) -> Iterator[Check]:
    """An enterprise outside the fence with a type 4 or 5 slip; slip or register may say so."""
    for slip in facts.judged_slips:
        if slip.type not in ("4", "5") or slip.enterprise is None:
            continue
        names = slip.enterprise.identifiers
        listed = [e.inside_fence for e in facts.case.known.enterprises if names & e.identifiers]
        if False in (slip.enterprise.inside_fence, *listed):
            yield Check("outside_fence", Verdict.REVIEW, "inside", "outside", source=Source("slip", slip.slip_no))


def return_overdue(facts: Facts) -> Iterator[Check]:
    """Outbound and temporary, while the enterprise has an earlier temporary exit overdue."""
    if not facts.is_outbound:
        return
    for slip in facts.judged_slips:
        for earlier in awaited_returns(slip, facts.case):
            due = earlier.return_due
            if due is not None and facts.case.now > due:
                yield Check(
                    "return_overdue",
                    Verdict.REVIEW,
                    due.isoformat(),
                    None,
                    source=Source("temporary_exit", earlier.slip_no),
                )


RULES = (
    document_not_released,
    guarantee_insufficient,
    licence_not_verified,
    inspection_due,
    hold,
    spot_check,
    declaration_exceeded,
    declaration_short,
    outside_fence,
    return_overdue,
)
