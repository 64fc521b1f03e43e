"""Reading a JSON document field by field: every mistake is a CaseError with the place, the need and the finding."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final, NoReturn

from gate_service.domain.errors import CaseError, MassError
from gate_service.domain.mass import Mass

_RFC3339: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})",
    re.ASCII,
)
LARGEST_NUMBER: Final = Decimal(10) ** 12  # hours, counts, amounts: above this it is a typing mistake
LARGEST_SECONDS: Final = Decimal(10) ** 9


def shown(value: object) -> str:
    """A found value as a short piece of an error message; printable and bounded whatever it was."""
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > LARGEST_NUMBER:
        return "a number too large"
    return ascii(value[:60] if isinstance(value, str) else value)[:80]


def is_clean_text(text: str) -> bool:
    """Whether the text can be written as UTF-8: JSON may smuggle in half a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class Fields:
    """One JSON object and its path. Unknown names are ignored; a name left out reads as None unless said otherwise."""

    __slots__ = ("_values", "path")

    def __init__(self, value: object, path: str) -> None:
        if not isinstance(value, Mapping):
            raise CaseError(f"{path}: expected an object, found {shown(value)}")
        self._values: Mapping[str, object] = value
        self.path = path

    def place(self, name: str) -> str:
        """The path of one member."""
        return name if self.path == "$" else f"{self.path}.{name}"

    def fail(self, name: str, expected: str) -> NoReturn:
        """Refuse the member with what was expected there."""
        raise CaseError(f"{self.place(name)}: expected {expected}, found {shown(self._values.get(name))}")

    def has(self, name: str) -> bool:
        """Whether the member is there at all, null included."""
        return name in self._values

    def raw(self, name: str) -> object:
        """The member as it came."""
        return self._values.get(name)

    def text(self, name: str) -> str | None:
        """Text without surrounding blanks; null, left out or blank is None. Whole numbers are read as their digits."""
        value = self._values.get(name)
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST_NUMBER:
            return str(value)
        if not isinstance(value, str) or not is_clean_text(value):
            self.fail(name, "text or null")
        return value.strip() or None

    def listed(self, name: str) -> str | None:
        """A value of a public list, judged later: anything that is not text becomes a text outside every list."""
        value = self._values.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, str) and is_clean_text(value):
            return value
        return f"{shown(value)} (not text)"

    def chosen(self, name: str, allowed: Collection[str]) -> str:
        """Text out of a fixed list of the case frame."""
        value = self._values.get(name)
        if not isinstance(value, str) or value not in allowed:
            self.fail(name, f"one of {', '.join(allowed)}")
        return value

    def flag(self, name: str, left_out: bool | None = None) -> bool | None:
        """True, false or unknown; `left_out` is what a missing member means."""
        if name not in self._values:
            return left_out
        value = self._values[name]
        if value is not None and not isinstance(value, bool):
            self.fail(name, "true, false or null")
        return value

    def mass(self, name: str, *, lowest_kg: int | None = 0) -> Mass | None:
        """Kilograms; null, left out or blank is None and never zero."""
        value = self._values.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            self.fail(name, "a number of kilograms or null")
        try:
            mass = Mass.from_kg(value)
        except MassError:
            self.fail(name, "kilograms with at most three decimals")
        if lowest_kg is not None and mass.grams < lowest_kg * 1000:
            self.fail(name, f"at least {lowest_kg} kg")
        return mass

    def number(self, name: str, *, largest: Decimal = LARGEST_NUMBER) -> Decimal | None:
        """A number from 0 to `largest`, or None."""
        value = self._values.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            self.fail(name, "a number or null")
        try:
            number = Decimal(str(value)) if isinstance(value, float) else Decimal(value)
        except InvalidOperation:
            self.fail(name, "a number or null")
        if not number.is_finite() or not 0 <= number <= largest:
            self.fail(name, f"a number from 0 to {largest:f}")
        return number

    def whole(self, name: str) -> int | None:
        """A whole number from 0, or None."""
        number = self.number(name)
        if number is None:
            return None
        if number != number.to_integral_value():
            self.fail(name, "a whole number or null")
        return int(number)

    def moment(self, name: str) -> datetime | None:
        """A time with offset (RFC 3339), or None."""
        value = self._values.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str) or not _RFC3339.fullmatch(value):
            self.fail(name, "a time with offset such as 2026-11-22T08:00:00+08:00, or null")
        try:
            return datetime.fromisoformat(value.upper())
        except ValueError:
            self.fail(name, "a time that exists, with offset")

    def child(self, name: str) -> Fields | None:
        """A nested object, or None."""
        value = self._values.get(name)
        return None if value is None else Fields(value, self.place(name))

    def rows(self, name: str) -> list[Fields]:
        """A list of objects; null or left out is none."""
        value = self._values.get(name)
        if value is None:
            return []
        if not isinstance(value, list | tuple):
            self.fail(name, "a list of objects or null")
        place = self.place(name)
        return [Fields(row, f"{place}[{n}]") for n, row in enumerate(value)]

    def texts(self, name: str) -> tuple[str, ...] | None:
        """A list of texts, blanks dropped; null or left out is None, which is not an empty list."""
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, list | tuple):
            if value == "":  # CONTRACT 2: an empty text means looked and nothing there
                return ()
            self.fail(name, "a list of texts or null")
        found = []
        for n, item in enumerate(value):
            if not isinstance(item, str) or not is_clean_text(item):
                raise CaseError(f"{self.place(name)}[{n}]: expected text, found {shown(item)}")
            if item.strip():
                found.append(item.strip())
        return tuple(found)

    def members(self, name: str) -> Iterator[tuple[str, Fields]]:
        """The names of an object used as a map, each with the object itself for reading its value."""
        value = self._values.get(name)
        if value is None:
            return
        table = Fields(value, self.place(name))
        for key in table._values:
            if not isinstance(key, str) or not is_clean_text(key):
                raise CaseError(f"{table.path}: expected a text as name, found {shown(key)}")
            yield key, table
