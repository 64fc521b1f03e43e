"""Hazardous chemicals: RULES 5, with the tables of lanes/policy/data. One rule per function."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Final

from gate_service.domain.hazmat import Label, bare_un_number, cas_check_digit_fits, labels_of
from gate_service.domain.slip import GoodsLine, HazmatEntry, Slip
from gate_service.domain.verdict import Check, Source, Verdict
from lanes.policy.facts import Facts
from lanes.policy.hazmat_tables import LIFE_SAVING_UN, UnEntry, mixed_loading, un_numbers

EXPLOSIVE_ROWS: Final = frozenset({"1", "1.4", "1.5", "1.6"})
_UNLISTED: Final = "unlisted"


def _entry(line: GoodsLine) -> HazmatEntry:
    return line.hazmat or HazmatEntry()


def _place(slip: Slip, line: GoodsLine) -> Source:
    return Source("slip", slip.slip_no, part=line.line)


def _listed(entry: HazmatEntry) -> UnEntry | None:
    return un_numbers().get(bare_un_number(entry.un_no)) if entry.un_no else None


def needs_hazmat_lane(facts: Facts) -> bool:
    """Whether any line calls for a hazardous lane: neither gate-registered goods nor a freed small quantity."""
    return any(slip.type != "5" and not facts.small.frees(line) for slip, line in facts.hazardous_lines)


def hazmat_lane(facts: Facts) -> Iterator[Check]:
    """The lane does not allow hazardous goods and there are some; gate-registered goods are hazmat_undeclared."""
    if facts.case.lane.allows_hazmat or not needs_hazmat_lane(facts):
        return
    numbers = sorted({_entry(line).un_no or "?" for slip, line in facts.hazardous_lines if slip.type != "5"})
    yield Check("hazmat_lane", Verdict.REFUSE, "a lane for hazardous goods", numbers, source=Source("lane"))


def hazmat_undeclared(facts: Facts) -> Iterator[Check]:
    """Hazardous goods in gate-registered goods, on whatever lane."""
    for slip, line in facts.hazardous_lines:
        if slip.type == "5":
            yield Check("hazmat_undeclared", Verdict.INSPECT, "none", _entry(line).un_no, source=_place(slip, line))


def hazmat_incomplete(facts: Facts) -> Iterator[Check]:
    """UN number, name, class, net mass, storage unit and emergency phone are needed."""
    for slip, line in facts.hazardous_lines:
        entry = _entry(line)
        given = {
            "un_no": entry.un_no,
            "name": entry.name,
            "class": entry.hazard_class,
            "net_kg": entry.net,
            "storage_unit": entry.storage_unit,
            "emergency_phone": entry.emergency_phone,
        }
        missing = [name for name, value in given.items() if value is None]
        if missing:
            yield Check("hazmat_incomplete", Verdict.REVIEW, missing, None, source=_place(slip, line))


def hazmat_un_unknown(facts: Facts) -> Iterator[Check]:
    """The number is absent from the list used, retired or not current; a blank number is hazmat_incomplete."""
    for slip, line in facts.hazardous_lines:
        entry = _entry(line)
        listed = _listed(entry)
        if entry.un_no and (listed is None or not listed.is_current):
            found = f"{entry.un_no}: {listed.status if listed else 'absent'}"
            yield Check("hazmat_un_unknown", Verdict.REVIEW, "a current number", found, source=_place(slip, line))


def hazmat_class_mismatch(facts: Facts) -> Iterator[Check]:
    """The class is neither the list's nor one of its divisions; judged where the list knows the number's class."""
    for slip, line in facts.hazardous_lines:
        entry = _entry(line)
        listed = _listed(entry)
        if listed is None or not listed.hazard_class or entry.hazard_class is None:
            continue
        allowed = sorted(listed.accepted_classes)
        if entry.hazard_class.upper() not in allowed:
            place = _place(slip, line)
            yield Check("hazmat_class_mismatch", Verdict.REVIEW, allowed, entry.hazard_class, allowed, source=place)


def hazmat_cas_invalid(facts: Facts) -> Iterator[Check]:
    """The CAS number's shape or check digit is wrong; CAS may be absent."""
    for slip, line in facts.hazardous_lines:
        cas = _entry(line).cas
        if cas is not None and not cas_check_digit_fits(cas):
            yield Check("hazmat_cas_invalid", Verdict.REVIEW, "CAS check digit", cas, source=_place(slip, line))


@dataclass(frozen=True, slots=True, order=True)
class _Atom:
    """One label as one line carries it, with what the notes of the table ask about the line."""

    label: Label
    is_life_saving: bool = False
    is_limited: bool = False

    @property
    def is_explosive(self) -> bool:
        return self.label.row in EXPLOSIVE_ROWS


def hazmat_mixing(facts: Facts) -> Iterator[Check]:
    """Labels of all lines, compared pairwise between lines; a blank cell forbids (ADR 7.5.2.1).

    Lines are first reduced to their distinct labels, so that many lines stay as cheap as few.
    """
    carriers = _carriers(facts)
    for a, b in combinations_with_replacement(sorted(carriers), 2):
        on_two_lines = len(carriers[a] | carriers[b]) > 1
        if on_two_lines and not _may_travel_together(a, b):
            found = [f"{x.label.row}{x.label.group}" for x in (a, b)]
            yield Check(
                "hazmat_mixing", Verdict.REVIEW, "not loaded together", found, source=Source("table", "ADR 7.5.2.1")
            )


def _carriers(facts: Facts) -> Mapping[_Atom, set[int]]:
    """Which lines carry which label; the first two lines of each are enough to tell one from several."""
    carriers: dict[_Atom, set[int]] = {}
    for n, (_, line) in enumerate(facts.hazardous_lines):
        freed = facts.small.frees(line)
        entry = _entry(line)
        if freed and entry.quantity_kind == "excepted":
            continue  # RULES 5: left out of hazmat_mixing
        for atom in _atoms(entry, is_limited=freed):
            lines = carriers.setdefault(atom, set())
            if len(lines) < 2:
                lines.add(n)
    return carriers


def _atoms(entry: HazmatEntry, *, is_limited: bool) -> Iterator[_Atom]:
    listed = _listed(entry)
    hazard_class = entry.hazard_class or (listed.hazard_class if listed else None)
    if not hazard_class:
        return  # nothing is known of this line: hazmat_incomplete
    table = mixed_loading()
    life_saving = bare_un_number(entry.un_no or "") in LIFE_SAVING_UN
    for label in labels_of(hazard_class, entry.subsidiary):
        if label.row in EXPLOSIVE_ROWS and not label.group and listed and listed.explosive_group:
            full = Label(listed.explosive_row, listed.explosive_group)
            yield _Atom(full if hazard_class == "1" else Label(label.row, full.group), life_saving, is_limited)
        else:
            yield _Atom(label if label.row in table else Label(_UNLISTED), life_saving, is_limited)


def _may_travel_together(a: _Atom, b: _Atom) -> bool:
    """Whether two labels on two different lines may share a vehicle."""
    if (a.is_limited or b.is_limited) and not (a.is_explosive or b.is_explosive):
        return True  # RULES 5: limited is left out, "with class 1 excepted"
    if a.is_explosive and b.is_explosive:
        return a.label.group == b.label.group != ""
    cell = mixed_loading().get(a.label.row, {}).get(b.label.row, "")
    if cell == "X":
        return True
    notes = cell.split("+")
    one_four_s = Label("1.4", "S") in (a.label, b.label)
    life_saving = any(x.is_life_saving and x.label.row == "9" for x in (a, b))
    return ("a" in notes and one_four_s) or ("b" in notes and life_saving)


RULES = (
    hazmat_lane,
    hazmat_undeclared,
    hazmat_incomplete,
    hazmat_un_unknown,
    hazmat_class_mismatch,
    hazmat_cas_invalid,
    hazmat_mixing,
)
