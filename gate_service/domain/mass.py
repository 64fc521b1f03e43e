"""Mass in whole grams. No float ever holds a mass: text and JSON numbers are read through decimal."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from gate_service.domain.errors import MassError

GRAMS_PER_KG: Final = 1000
GRAMS_PER_UNIT: Final = {
    "g": Decimal(1),
    "kg": Decimal(1000),
    "t": Decimal(1_000_000),
    "lb": Decimal("453.59237"),  # exact by definition (international pound, 1959)
}
LARGEST_KG: Final = Decimal(10) ** 9  # a million tonnes: anything above is a typing mistake, not a vehicle


@dataclass(frozen=True, slots=True, order=True)
class Mass:
    """A signed mass in whole grams."""

    grams: int

    @classmethod
    def from_kg(cls, value: float | str | Decimal) -> Mass:
        """Read kilograms with at most three decimals; a JSON float is taken by its shortest decimal form.

        Raises MassError for booleans, non-numbers, more than three decimals, or a size no vehicle has.
        """
        if isinstance(value, bool):
            raise MassError(f"mass in kg: a number expected, found {value!r}")
        try:
            kg = Decimal(str(value)) if isinstance(value, float) else Decimal(value)
        except (InvalidOperation, TypeError, ValueError):
            raise MassError(f"mass in kg: a number expected, found {value!r}") from None
        if not kg.is_finite() or abs(kg) > LARGEST_KG:
            raise MassError(f"mass in kg: a finite number up to {LARGEST_KG} expected, found {value!r}")
        grams = kg * GRAMS_PER_KG
        if grams != grams.to_integral_value():
            raise MassError(f"mass in kg: at most three decimals expected, found {value!r}")
        return cls(int(grams))

    @classmethod
    def from_displayed(cls, text: str, unit: str) -> Mass:
        """Read the displayed number of an indicator in its unit (g, kg, t, lb), rounded half-even to the gram."""
        try:
            return cls(int((Decimal(text) * GRAMS_PER_UNIT[unit]).to_integral_value()))
        except (InvalidOperation, KeyError, ValueError):
            raise MassError(
                f"displayed mass: a number with a unit of {sorted(GRAMS_PER_UNIT)} expected, found {text!r} {unit!r}"
            ) from None

    @property
    def kg(self) -> Decimal:
        """Exact kilograms."""
        return Decimal(self.grams) / GRAMS_PER_KG

    def to_json(self) -> int | float:
        """Kilograms as a JSON number: whole where it is whole, else at most three decimals (exact to read back)."""
        whole, rest = divmod(self.grams, GRAMS_PER_KG)
        return whole if rest == 0 else float(self.kg)

    def __add__(self, other: Mass) -> Mass:
        return Mass(self.grams + other.grams)

    def __sub__(self, other: Mass) -> Mass:
        return Mass(self.grams - other.grams)

    def __abs__(self) -> Mass:
        return Mass(abs(self.grams))

    def __neg__(self) -> Mass:
        return Mass(-self.grams)

    def __str__(self) -> str:
        return f"{self.kg.normalize():f} kg"


ZERO: Final = Mass(0)


def is_multiple_of(mass: Mass, interval: Mass) -> bool:
    """Whether a displayed mass is a whole number of scale intervals (d); an interval of zero says nothing: True."""
    return interval.grams == 0 or mass.grams % interval.grams == 0
