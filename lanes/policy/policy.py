"""Policy as data: reading a policy document strictly, with defaults for what is left out.

Every mistake is a PolicyError that names the place, what was found and what is allowed. Firm rules are not here: they
are enforced where they are judged, on properties and not on names, so that no policy can undo them.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, NoReturn, TypeVar

from gate_service.domain.errors import MassError, PolicyError
from gate_service.domain.mass import Mass
from gate_service.domain.slip import CATEGORIES, CREDITS, DIRECTIONS, LANE_KINDS, TYPES
from lanes.policy.defaults import DEFAULTS
from lanes.policy.fields import is_clean_text, shown
from lanes.policy.reasons import REASONS
from lanes.policy.tiers import Tier, Weigh

SERVICE: Final = "service"
LARGEST_PCT: Final = 20  # RULES 4: tolerance_pct at most 20
LARGEST_AGE_H: Final = 24 * 366  # a year: a longer age is a typing mistake
ROLES: Final = ("operator", "supervisor", "two")
NEEDED_TIERS: Final = ("strict", "standard", "relaxed")
CONDITION_VALUES: Final[Mapping[str, tuple[object, ...]]] = {
    "direction": DIRECTIONS,
    "lane_kind": LANE_KINDS,
    "type": (*TYPES, SERVICE),
    "category": CATEGORIES,
    "grade": (1, 2),
    "credit": CREDITS,
    "hazmat": (True, False),
    "controls": (True, False),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of `assign`: every given condition must hold."""

    when: Mapping[str, frozenset[object]]
    tier: str

    def holds_for(self, properties: Mapping[str, object]) -> bool:
        """Whether every condition allows the property's value."""
        return all(properties[key] in allowed for key, allowed in self.when.items())


@dataclass(frozen=True, slots=True)
class Offline:
    """How old local knowledge may be, in hours."""

    slip_max_age_h: Fraction
    hazmat_max_age_h: Fraction
    hold_max_age_h: Fraction


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy that has been found sound."""

    version: str
    tiers: Mapping[str, Tier]
    assign: tuple[Line, ...]
    declared_types: frozenset[str]
    register_on_declared_lane: bool
    spot_check: Mapping[str, Fraction]
    override: Mapping[str, str]
    offline: Offline

    @property
    def strict(self) -> Tier:
        """The narrowest of the three tiers every policy has."""
        return self.tiers["strict"]

    @property
    def standard(self) -> Tier:
        """The middle one: the bound of outbound goods."""
        return self.tiers["standard"]


def refuse(place: str, expected: str, found: object) -> NoReturn:
    """Refuse the policy at one place."""
    raise PolicyError(f"policy.{place}: expected {expected}, found {shown(found)}")


def _table(place: str, value: object, known: tuple[str, ...] | None) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        refuse(place, "a table", value)
    for key in value:
        if not isinstance(key, str) or not is_clean_text(key):
            refuse(place, "texts as names", key)
        if known is not None and key not in known:
            refuse(f"{place}.{key}", f"no such name; allowed are {', '.join(known)}", value[key])
    return value


def _number(place: str, value: object, largest: int, unit: str = "") -> Fraction:
    expected = f"a number from 0 to {largest}{unit}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        refuse(place, expected, value)
    if not 0 <= value <= largest:  # also refuses NaN and infinity
        refuse(place, expected, value)
    return Fraction(str(value))


def _boolean(place: str, value: object) -> bool:
    if not isinstance(value, bool):
        refuse(place, "true or false", value)
    return value


def _mass(place: str, value: object) -> Mass:
    if isinstance(value, bool) or not isinstance(value, int | float):
        refuse(place, "a number of kilograms", value)
    try:
        mass = Mass.from_kg(value)
    except MassError:
        refuse(place, "kilograms with at most three decimals", value)
    if mass.grams < 0:
        refuse(place, "at least 0 kg", value)
    return mass


T = TypeVar("T")


def _optional(table: Mapping[str, Any], key: str, place: str, read: Callable[[str, object], T], left_out: T) -> T:
    return read(f"{place}.{key}", table[key]) if key in table else left_out


def _read_tier(name: str, value: object) -> Tier:
    place = f"tiers.{name}"
    table = _table(place, value, ("weigh", "rate", "tolerance_kg", "tolerance_pct", "cap_kg", "compare"))
    words = {w.name.lower(): w for w in Weigh}
    weigh = table.get("weigh")
    if not isinstance(weigh, str) or weigh not in words:
        refuse(f"{place}.weigh", f"one of {', '.join(words)}", weigh)
    tier = Tier(
        name=name,
        weigh=words[weigh],
        compare=_optional(table, "compare", place, _boolean, left_out=True),
        tolerance=_optional(table, "tolerance_kg", place, _mass, Mass(0)),
        tolerance_pct=_optional(table, "tolerance_pct", place, _percentage, Fraction(0)),
        cap=_mass(f"{place}.cap_kg", table["cap_kg"]) if "cap_kg" in table else None,
        rate=_optional(table, "rate", place, _rate, Fraction(0)),
    )
    if tier.weigh is Weigh.SAMPLED and "rate" not in table:
        refuse(f"{place}.rate", "a rate from 0 to 1, because weigh is sampled", None)
    if tier.compares and not {"tolerance_kg", "tolerance_pct"} & table.keys():
        refuse(place, "tolerance_kg and tolerance_pct, because the tier compares", value)
    return tier


def _percentage(place: str, value: object) -> Fraction:
    return _number(place, value, LARGEST_PCT, " %")


def _rate(place: str, value: object) -> Fraction:
    return _number(place, value, 1)


def _age(place: str, value: object) -> Fraction:
    return _number(place, value, LARGEST_AGE_H, " hours")


def _read_tiers(value: object) -> Mapping[str, Tier]:
    table = _table("tiers", value, None)
    tiers = {name: _read_tier(name, tier) for name, tier in table.items()}
    for name in NEEDED_TIERS:
        if name not in tiers:
            refuse(f"tiers.{name}", f"every set of tiers has {', '.join(NEEDED_TIERS)}", None)
        for key in ("tolerance_kg", "tolerance_pct"):
            if key not in table[name]:
                refuse(f"tiers.{name}.{key}", "both numbers in this tier", None)
    # RULES 4: an assignment outside its bound becomes the bound itself, so a bound that does not weigh and compare
    # would undo the firm rule.
    for name in ("strict", "standard"):
        if tiers[name].weigh is not Weigh.ALWAYS:
            refuse(f"tiers.{name}.weigh", "always, because this tier is a firm bound", table[name]["weigh"])
        if not tiers[name].compare:
            refuse(f"tiers.{name}.compare", "true, because this tier is a firm bound", found=False)
    for before, after in (("strict", "standard"), ("standard", "relaxed")):
        narrow, wide = tiers[before], tiers[after]
        if wide.tolerance < narrow.tolerance:
            refuse(f"tiers.{after}.tolerance_kg", f"at least that of {before}", table[after]["tolerance_kg"])
        if wide.tolerance_pct < narrow.tolerance_pct:
            refuse(f"tiers.{after}.tolerance_pct", f"at least that of {before}", table[after]["tolerance_pct"])
    return tiers


def _read_condition(place: str, key: str, value: object) -> frozenset[object]:
    allowed = CONDITION_VALUES[key]
    words = ", ".join(str(a).lower() if isinstance(a, bool) else str(a) for a in allowed)
    if key in ("hazmat", "controls") and isinstance(value, bool):
        value = [value]
    if not isinstance(value, list | tuple):
        refuse(place, f"a list of {words}", value)
    for item in value:
        # True equals 1 in Python: the kind must fit too.
        if not isinstance(item, str | int) or not any(type(a) is type(item) and a == item for a in allowed):
            refuse(place, f"values out of {words}", item)
    return frozenset(value)


def _read_assign(value: object, tiers: Mapping[str, Tier]) -> tuple[Line, ...]:
    if not isinstance(value, list | tuple):
        refuse("assign", "a list of lines", value)
    lines = []
    for n, row in enumerate(value):
        place = f"assign[{n}]"
        table = _table(place, row, ("when", "tier"))
        if "when" not in table:
            refuse(f"{place}.when", "a table of conditions, empty for all", None)
        when = _table(f"{place}.when", table["when"], tuple(CONDITION_VALUES))
        tier = table.get("tier")
        if not isinstance(tier, str) or tier not in tiers:
            refuse(f"{place}.tier", f"one of {', '.join(tiers)}", tier)
        lines.append(Line({k: _read_condition(f"{place}.when.{k}", k, v) for k, v in when.items()}, tier))
    return tuple(lines)


def _read_declared_types(value: object) -> frozenset[str]:
    if not isinstance(value, list | tuple):
        refuse("declared_types", "a list of slip types", value)
    for item in value:
        if item not in TYPES:
            refuse("declared_types", f"types out of {', '.join(TYPES)}", item)
    return frozenset(value)


def _read_override(value: object) -> Mapping[str, str]:
    codes = ("default", *REASONS)
    table = _table("override", value, codes)
    for key, role in table.items():
        if not isinstance(role, str) or role not in ROLES:
            refuse(f"override.{key}", f"one of {', '.join(ROLES)}", role)
    return {**DEFAULTS["override"], **table}


def _read_spot_check(value: object) -> Mapping[str, Fraction]:
    table = {**DEFAULTS["spot_check"], **_table("spot_check", value, tuple(DEFAULTS["spot_check"]))}
    return {key: _rate(f"spot_check.{key}", rate) for key, rate in table.items()}


def _read_offline(value: object) -> Offline:
    table = {**DEFAULTS["offline"], **_table("offline", value, tuple(DEFAULTS["offline"]))}
    return Offline(**{key: _age(f"offline.{key}", hours) for key, hours in table.items()})


def _read_version(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or not is_clean_text(value):
        refuse("version", "a text", value)
    return value


def read_policy(document: object) -> Policy:
    """Read a policy; null is the default. PolicyError names the place, what is allowed and what was found."""
    if document is None:
        return default_policy()
    try:
        text = json.dumps(document, allow_nan=False)
    except (TypeError, ValueError, RecursionError):  # no JSON (a Decimal, a cycle): read as it is, with its errors
        return _build(document)
    return _read_text(text)


@functools.lru_cache(maxsize=8)
def _read_text(text: str) -> Policy:
    """Read a policy in its spelling as JSON, where 1, 1.0 and true differ. A lane asks for the same one each time."""
    return _build(json.loads(text))


def _build(document: object) -> Policy:
    table = _table("$", document, tuple(DEFAULTS)) if isinstance(document, Mapping) else None
    if table is None:
        refuse("$", "a table or null", document)
    given = {**DEFAULTS, **table}  # RULES 4: top-level keys take the defaults when left out
    tiers = _read_tiers(given["tiers"])
    return Policy(
        version=_read_version(given["version"]),
        tiers=tiers,
        assign=_read_assign(given["assign"], tiers),
        declared_types=_read_declared_types(given["declared_types"]),
        register_on_declared_lane=_boolean("register_on_declared_lane", given["register_on_declared_lane"]),
        spot_check=_read_spot_check(given["spot_check"]),
        override=_read_override(given["override"]),
        offline=_read_offline(given["offline"]),
    )


@functools.cache
def default_policy() -> Policy:
    """The default policy of RULES 4, read once."""
    return _build(DEFAULTS)


DEFAULT_POLICY: Final = default_policy()
