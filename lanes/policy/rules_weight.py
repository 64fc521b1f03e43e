"""Weight against declaration, tare and law: RULES 4. One rule per function; all masses exact, nothing rounded up."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from gate_service.domain.mass import Mass
from gate_service.domain.verdict import Check, Source, Verdict
from lanes.policy.facts import Facts, containers_tare, median_grams, trailer_tare
from lanes.policy.tiers import Tier, instrument_limit

FEWEST_TARES: Final = 3  # RULES 4, tare_drift: at least three


def allowed_grams(facts: Facts, tier: Tier, base: Fraction | int, load: Mass) -> Fraction:
    """What the tier allows on `base`, never below the weighbridge's own limit of error at the measured load."""
    return max(tier.allowed(base), Fraction(instrument_limit(load, facts.case.lane.interval)))


def as_kg(grams: Fraction | int) -> int | float:
    """Grams as a number of kilograms, rounded down to the gram for showing only."""
    return Mass(int(grams // 1)).to_json()


def carries_only_empties(facts: Facts) -> bool:
    """Every slip is of type 6: there are no goods to compare with."""
    return bool(facts.case.slips) and all(s.type == "6" for s in facts.case.slips)


def tare_on_record(facts: Facts) -> Fraction | None:
    """Median of the plate's history, else the slip's, in grams."""
    if facts.tare_history:
        return median_grams(facts.tare_history)
    tares = [s.tare.grams for s in facts.case.slips if s.tare is not None]
    return Fraction(max(tares)) if tares else None


def weight_mismatch(facts: Facts) -> Iterator[Check]:
    """The difference, declared total minus measured gross, is beyond what is allowed; equal to the limit passes."""
    gross, declared = facts.proven_gross, facts.declared
    if gross is None or declared is None or not facts.tier.compares or carries_only_empties(facts):
        return
    allowed = allowed_grams(facts, facts.tier, declared.grams, gross)
    difference = declared - gross
    if abs(difference).grams > allowed:
        yield Check(
            "weight_mismatch",
            Verdict.REVIEW,
            declared.to_json(),
            gross.to_json(),
            as_kg(allowed),
            cause=_cause(facts, difference, allowed),
            source=_instrument(facts, gross),
            difference_kg=difference.to_json(),
        )


def _cause(facts: Facts, difference: Mass, allowed: Fraction) -> str:
    """Where the difference may come from, after customs' three classes (word 5 of the state word: q, p, o).

    RULES 4: `vehicle` with the tare on record in place of the slip's; else `container`, "within it give or take the
    containers' tare", read as: with that tare added or taken away; else `goods`.
    """
    slip_tares = [s.tare.grams for s in facts.case.slips if s.tare is not None]
    recorded = tare_on_record(facts)
    if recorded is not None and slip_tares and abs(difference.grams - max(slip_tares) + recorded) <= allowed:
        return "vehicle"
    boxes = containers_tare(facts.case.slips).grams
    if boxes and min(abs(difference.grams - boxes), abs(difference.grams + boxes)) <= allowed:
        return "container"
    return "goods"


def _instrument(facts: Facts, gross: Mass) -> Source:
    limit = instrument_limit(gross, facts.case.lane.interval)
    return Source("weighbridge", error_kg=as_kg(limit))


def over_capacity(facts: Facts) -> Iterator[Check]:
    """Above the weighbridge's maximum, overload reported, or above the vehicle's legal limit.

    A gross the indicator reports counts here even where it is not proven: doubt about a reading never makes it lighter.
    """
    weight, limit = facts.case.weight, facts.case.lane.max_capacity
    if weight.status == "overload":
        yield Check("over_capacity", Verdict.REFUSE, "ok", "overload", source=Source("indicator"))
    gross = weight.reported
    if gross is None:
        return
    legal = facts.case.vehicle.legal_limit
    for most, kind in ((limit, "weighbridge_maximum"), (legal, "legal_limit")):
        if most is not None and gross > most:
            yield Check(
                "over_capacity", Verdict.REFUSE, most.to_json(), gross.to_json(), most.to_json(), source=Source(kind)
            )


def weight_missing(facts: Facts) -> Iterator[Check]:
    """The tier weighs this vehicle and there is no proven weight from a verified weighbridge (firm)."""
    if facts.is_weighed and facts.proven_gross is None:
        yield Check(
            "weight_missing", Verdict.REVIEW, "a proven weight", _why_unproven(facts), source=Source("weighbridge")
        )


def _why_unproven(facts: Facts) -> list[str]:
    weight = facts.case.weight
    if weight.status is None and weight.gross is None:
        return ["no reading"]
    doubts = {
        "no gross": weight.gross is None,
        f"status {weight.status or 'unknown'}": weight.status != "ok",
        "not stable": not weight.stable,
        "not fresh": not weight.fresh,
        "not the whole vehicle": not weight.whole,
        "no zero before": not weight.zeroed,
    }
    return [doubt for doubt, holds in doubts.items() if holds] or ["verification out of date"]


def not_empty(facts: Facts) -> Iterator[Check]:
    """Type 6, in place of weight_mismatch: gross differs from tare on record + trailer + containers, either way."""
    gross, tare = facts.proven_gross, tare_on_record(facts)
    if gross is None or tare is None or not facts.tier.compares or not carries_only_empties(facts):
        return
    slips = facts.case.slips
    expected = tare + trailer_tare(slips).grams + containers_tare(slips).grams
    allowed = allowed_grams(facts, facts.tier, expected, gross)
    if abs(expected - gross.grams) > allowed:
        yield Check(
            "not_empty",
            Verdict.REVIEW,
            as_kg(expected),
            gross.to_json(),
            as_kg(allowed),
            source=_instrument(facts, gross),
            difference_kg=as_kg(expected - gross.grams),
        )


def service_gain(facts: Facts) -> Iterator[Check]:
    """A registered vehicle leaves heavier than it came, beyond `standard` on the mass it came with."""
    if not facts.is_service or not facts.is_outbound or not facts.registered or facts.plate is None:
        return
    came, gross = facts.case.known.came_in.get(facts.plate), facts.proven_gross
    if came is None or gross is None:
        return
    allowed = allowed_grams(facts, facts.policy.standard, came.grams, gross)
    if (gross - came).grams > allowed:
        yield Check(
            "service_gain",
            Verdict.REVIEW,
            came.to_json(),
            gross.to_json(),
            as_kg(allowed),
            source=_instrument(facts, gross),
            difference_kg=(came - gross).to_json(),
        )


def tare_drift(facts: Facts) -> Iterator[Check]:
    """The newest tare is off the median of the earlier ones: a warning; the last two off that before them: review."""
    history = facts.tare_history
    if len(history) < FEWEST_TARES:
        return
    before_two = median_grams(history[:-2])
    if all(_is_off(facts, tare, before_two) for tare in history[-2:]):
        yield _drift(facts, Verdict.REVIEW, before_two)
        return
    before_one = median_grams(history[:-1])
    if _is_off(facts, history[-1], before_one):
        yield _drift(facts, Verdict.RELEASE, before_one)


def _is_off(facts: Facts, tare: Mass, median: Fraction) -> bool:
    """RULES 4: by more than `strict` allows on it (the median), without the instrument's limit."""
    return abs(tare.grams - median) > facts.policy.strict.allowed(median)


def _drift(facts: Facts, verdict: Verdict, median: Fraction) -> Check:
    allowed = as_kg(facts.policy.strict.allowed(median))
    newest = facts.tare_history[-1].to_json()
    return Check("tare_drift", verdict, as_kg(median), newest, allowed, source=Source("tare_history"))


RULES = (weight_mismatch, over_capacity, weight_missing, not_empty, service_gain, tare_drift)
