"""Reading a policy document strictly: every mistake with its place, what is allowed there and what was found.

Defaults fill in what is left out (RULES 4): top-level keys, and keys inside `spot_check`, `override` and `offline`;
`tiers` and `assign`, where given, replace the defaults whole.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final, TypeVar

from gate_service.domain.errors import MassError, PolicyError
from gate_service.domain.mass import ZERO, Mass
from gate_service.domain.slip import TYPES
from lanes.policy.defaults import DEFAULTS
from lanes.policy.fields import is_clean_text, shown
from lanes.policy.policy import CONDITION_VALUES, Line, Offline, Policy
from lanes.policy.reasons import REASONS
from lanes.policy.tiers import Tier, Weigh

LARGEST_PCT: Final = 20  # RULES 4: tolerance_pct at most 20
LARGEST_BUDGET: Final = 100_000  # more than a lane passes in a shift: a larger one is a typing mistake
LARGEST_AGE_H: Final = 24 * 366  # a year: a longer age is a typing mistake
LARGEST_MISTAKES: Final = 200  # a file that is no policy at all need not be told line by line
LONGEST_MESSAGE: Final = 20  # mistakes in one error message; `mistakes_in` has them all
ROLES: Final = ("operator", "supervisor", "two")
NEEDED_TIERS: Final = ("strict", "standard", "relaxed")
TIER_KEYS: Final = ("weigh", "rate", "tolerance_kg", "tolerance_pct", "cap_kg", "compare")
WEIGH_WORDS: Final = {w.name.lower(): w for w in Weigh}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Mistake:
    """One place of a policy that is wrong."""

    place: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"policy.{self.place}: expected {self.expected}, found {self.found}"


@dataclass(slots=True)
class Reader:
    """Reads the parts of one policy and keeps every mistake; what is wrong reads as a stand-in that is never used."""

    mistakes: list[Mistake] = field(default_factory=list)

    def wrong(self, place: str, expected: str, found: object) -> None:
        """Keep one mistake."""
        self.mistakes.append(Mistake(place, expected, shown(found)))

    def table(self, place: str, value: object, known: tuple[str, ...] | None) -> Mapping[str, Any]:
        """A table whose names are all known (None: any); unknown names are mistakes and left out of the answer."""
        if not isinstance(value, Mapping):
            self.wrong(place, "a table", value)
            return {}
        sound: dict[str, Any] = {}
        for key, item in value.items():
            if not isinstance(key, str) or not is_clean_text(key):
                self.wrong(place, "texts as names", key)
            elif known is not None and key not in known:
                self.wrong(f"{place}.{key}", f"no such name; allowed are {', '.join(known)}", item)
            else:
                sound[key] = item
        return sound

    def number(self, place: str, value: object, largest: int, unit: str = "") -> Fraction:
        """A number from 0 to `largest`; NaN and infinity are none."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= largest:
            self.wrong(place, f"a number from 0 to {largest}{unit}", value)
            return Fraction(0)
        return Fraction(str(value))

    def boolean(self, place: str, value: object) -> bool:
        """True or false."""
        if not isinstance(value, bool):
            self.wrong(place, "true or false", value)
        return value is True

    def mass(self, place: str, value: object) -> Mass:
        """Kilograms with at most three decimals, from 0."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.wrong(place, "a number of kilograms", value)
            return ZERO
        try:
            mass = Mass.from_kg(value)
        except MassError:
            self.wrong(place, "kilograms with at most three decimals", value)
            return ZERO
        if mass.grams < 0:
            self.wrong(place, "at least 0 kg", value)
            return ZERO
        return mass

    def tier(self, name: str, value: object) -> Tier | None:
        """One tier, or None where something in it is wrong."""
        before, place = len(self.mistakes), f"tiers.{name}"
        table = self.table(place, value, TIER_KEYS)
        if len(self.mistakes) > before and not table:
            return None
        weigh = table.get("weigh")
        if not isinstance(weigh, str) or weigh not in WEIGH_WORDS:
            self.wrong(f"{place}.weigh", f"one of {', '.join(WEIGH_WORDS)}", weigh)

        def given(key: str, read: Callable[[str, object], T], left_out: T) -> T:
            return read(f"{place}.{key}", table[key]) if key in table else left_out

        tier = Tier(
            name=name,
            weigh=WEIGH_WORDS.get(str(weigh), Weigh.ALWAYS),
            compare=given("compare", self.boolean, left_out=True),
            tolerance=given("tolerance_kg", self.mass, ZERO),
            tolerance_pct=given("tolerance_pct", lambda p, v: self.number(p, v, LARGEST_PCT, " %"), Fraction(0)),
            cap=self.mass(f"{place}.cap_kg", table["cap_kg"]) if "cap_kg" in table else None,
            rate=given("rate", lambda p, v: self.number(p, v, 1), Fraction(0)),
        )
        if weigh == "sampled" and "rate" not in table:
            self.wrong(f"{place}.rate", "a rate from 0 to 1, because weigh is sampled", None)
        if tier.compares and not {"tolerance_kg", "tolerance_pct"} & table.keys():
            self.wrong(place, "tolerance_kg and tolerance_pct, because the tier compares", value)
        if name in NEEDED_TIERS:
            self._needed_tier(place, table, tier)
        return tier if len(self.mistakes) == before else None

    def _needed_tier(self, place: str, table: Mapping[str, Any], tier: Tier) -> None:
        """Both numbers; and strict and standard weigh and compare, because an assignment may become them (RULES 4)."""
        for key in ("tolerance_kg", "tolerance_pct"):
            if key not in table:
                self.wrong(f"{place}.{key}", "both numbers in this tier", None)
        if tier.name == "relaxed":
            return
        if tier.weigh is not Weigh.ALWAYS:
            self.wrong(f"{place}.weigh", "always, because this tier is a firm bound", table.get("weigh"))
        if not tier.compare and isinstance(table.get("compare"), bool):
            self.wrong(f"{place}.compare", "true, because this tier is a firm bound", found=False)

    def tiers(self, value: object) -> dict[str, Tier | None]:
        """Every tier by its name; None for one that is wrong. The three needed ones are there and nested."""
        table = self.table("tiers", value, None)
        tiers = {name: self.tier(name, tier) for name, tier in table.items()}
        if not isinstance(value, Mapping):
            return tiers
        for name in NEEDED_TIERS:
            if name not in tiers:
                self.wrong(f"tiers.{name}", f"every set of tiers has {', '.join(NEEDED_TIERS)}", None)
        for before, after in (("strict", "standard"), ("standard", "relaxed")):
            narrow, wide = tiers.get(before), tiers.get(after)
            if narrow is None or wide is None:
                continue
            if wide.tolerance < narrow.tolerance:
                self.wrong(f"tiers.{after}.tolerance_kg", f"at least that of {before}", table[after]["tolerance_kg"])
            if wide.tolerance_pct < narrow.tolerance_pct:
                self.wrong(f"tiers.{after}.tolerance_pct", f"at least that of {before}", table[after]["tolerance_pct"])
        return tiers

    def condition(self, place: str, key: str, value: object) -> frozenset[object]:
        """The values a condition allows; yes or no may stand alone."""
        allowed = CONDITION_VALUES[key]
        words = ", ".join(str(a).lower() if isinstance(a, bool) else str(a) for a in allowed)
        if key in ("hazmat", "controls") and isinstance(value, bool):
            value = [value]
        if not isinstance(value, list | tuple):
            self.wrong(place, f"a list of {words}", value)
            return frozenset()
        sound: list[object] = []
        for item in value:
            # True equals 1 in Python: the kind must fit too.
            if isinstance(item, str | int) and any(type(a) is type(item) and a == item for a in allowed):
                sound.append(item)
            else:
                self.wrong(place, f"values out of {words}", item)
        return frozenset(sound)

    def assign(self, value: object, tiers: Mapping[str, object]) -> tuple[Line, ...]:
        """The lines, in their order."""
        if not isinstance(value, list | tuple):
            self.wrong("assign", "a list of lines", value)
            return ()
        lines = []
        for n, row in enumerate(value):
            place = f"assign[{n}]"
            table = self.table(place, row, ("when", "tier"))
            if not isinstance(row, Mapping):
                continue
            if "when" not in table:
                self.wrong(f"{place}.when", "a table of conditions, empty for all", None)
            when = self.table(f"{place}.when", table.get("when", {}), tuple(CONDITION_VALUES))
            tier = table.get("tier")
            if not isinstance(tier, str) or tier not in tiers:
                self.wrong(f"{place}.tier", f"one of {', '.join(tiers)}", tier)
            lines.append(Line({k: self.condition(f"{place}.when.{k}", k, v) for k, v in when.items()}, str(tier)))
        return tuple(lines)

    def declared_types(self, value: object) -> frozenset[str]:
        """Slip types."""
        if not isinstance(value, list | tuple):
            self.wrong("declared_types", "a list of slip types", value)
            return frozenset()
        for item in value:
            if item not in TYPES:
                self.wrong("declared_types", f"types out of {', '.join(TYPES)}", item)
        return frozenset(item for item in value if item in TYPES)

    def override(self, value: object) -> Mapping[str, str]:
        """Who may, per reason code."""
        table = self.table("override", value, ("default", *REASONS))
        for key, role in table.items():
            if not isinstance(role, str) or role not in ROLES:
                self.wrong(f"override.{key}", f"one of {', '.join(ROLES)}", role)
        return {**DEFAULTS["override"], **table}

    def override_budget(self, value: object) -> Mapping[str, int]:
        """By reason code: passages a shift may release against it before somebody higher must; others: no budget."""
        table = self.table("override_budget", value, tuple(REASONS))
        for key, count in table.items():
            if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= LARGEST_BUDGET:
                self.wrong(f"override_budget.{key}", f"a whole number from 0 to {LARGEST_BUDGET}", count)
        return dict(table)

    def spot_check(self, value: object) -> Mapping[str, Fraction]:
        """The rates."""
        table = {**DEFAULTS["spot_check"], **self.table("spot_check", value, tuple(DEFAULTS["spot_check"]))}
        return {key: self.number(f"spot_check.{key}", rate, 1) for key, rate in table.items()}

    def offline(self, value: object) -> Offline:
        """How old local knowledge may be."""
        table = {**DEFAULTS["offline"], **self.table("offline", value, tuple(DEFAULTS["offline"]))}
        read = {key: self.number(f"offline.{key}", hours, LARGEST_AGE_H, " hours") for key, hours in table.items()}
        return Offline(**read)

    def version(self, value: object) -> str:
        """A text."""
        if not isinstance(value, str) or not value.strip() or not is_clean_text(value):
            self.wrong("version", "a text", value)
        return str(value)

    def policy(self, document: object) -> Policy | None:
        """The whole policy; None where there is a mistake."""
        if not isinstance(document, Mapping):
            self.wrong("$", "a table or null", document)
            return None
        given = {**DEFAULTS, **self.table("$", document, tuple(DEFAULTS))}
        tiers = self.tiers(given["tiers"])
        policy = Policy(
            version=self.version(given["version"]),
            tiers={name: tier for name, tier in tiers.items() if tier is not None},
            assign=self.assign(given["assign"], tiers),
            declared_types=self.declared_types(given["declared_types"]),
            register_on_declared_lane=self.boolean("register_on_declared_lane", given["register_on_declared_lane"]),
            spot_check=self.spot_check(given["spot_check"]),
            override=self.override(given["override"]),
            override_budget=self.override_budget(given["override_budget"]),
            offline=self.offline(given["offline"]),
        )
        return None if self.mistakes else policy


def mistakes_in(document: object) -> list[Mistake]:
    """Every mistake of a policy document, in the order of the policy; none where it is sound or null."""
    if document is None:
        return []
    reader = Reader()
    reader.policy(document)
    return reader.mistakes[:LARGEST_MISTAKES]


def read_policy(document: object) -> Policy:
    """Read a policy; null is the default. PolicyError names every place, what is allowed and what was found."""
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
    reader = Reader()
    policy = reader.policy(document)
    if policy is None:
        raise PolicyError("; ".join(str(mistake) for mistake in reader.mistakes[:LONGEST_MESSAGE]))
    return policy


@functools.cache
def default_policy() -> Policy:
    """The default policy of RULES 4, read once."""
    return _build(DEFAULTS)


DEFAULT_POLICY: Final = default_policy()
