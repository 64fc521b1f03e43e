"""Holds the table of stored policies to the record, for `gate verify`. Pure: rows in, what does not hold out.

The table outlives the records; of a change whose record is dropped only the policy's own text and hash can be checked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from sync.chain import sha256_hex
from sync.encoding import parse_us

KINDS: Final = ("policy_proposed", "policy_approved", "policy_withdrawn")
RECORDS: Final = "SELECT number, kind, at_us, actor, facts FROM records WHERE kind IN (?, ?, ?) ORDER BY number"
STEPS: Final = {
    "proposed": ("proposed_record", "proposed_by", "proposed_at_us", "text", "sha256", "reason", "from_us"),
    "approved": ("approved_record", "approved_by", "approved_at_us"),
    "withdrawn": ("withdrawn_record", "withdrawn_by", "withdrawn_at_us", "withdraw_reason"),
}
"""What the table says of each step, the number of its record first."""
COLUMNS: Final = ("version", *(column for columns in STEPS.values() for column in columns))
ROWS: Final = f"SELECT {', '.join(COLUMNS)} FROM policies ORDER BY version"  # noqa: S608 - our own names

Record = tuple[int, str, int, str, bytes]
"""Number, kind, time in microseconds, actor, facts."""
Step = Mapping[str, Any]


def problems_of(
    records: Iterable[Record], rows: Iterable[tuple[Any, ...]], dropped_to: int
) -> Iterator[tuple[int | None, str]]:
    """Each difference with the record that says otherwise, None where none is left that could."""
    told: dict[str, dict[str, Step]] = {}
    for record in records:
        version, step, said = _said(record)
        told.setdefault(version, {})[step] = said
    found = {row[0]: dict(zip(COLUMNS, row, strict=True)) for row in rows}
    for version in sorted(told.keys() | found.keys(), key=str):
        steps, row = told.get(version, {}), found.get(version)
        if row is None:
            numbers = [said[f"{step}_record"] for step, said in steps.items()]
            yield min(numbers), f"policy {version}: missing, record {min(numbers)} speaks of it"
            continue
        if sha256_hex(bytes(row["text"])) != row["sha256"]:
            yield row["proposed_record"], f"policy {version}: its text does not give its hash"
        for step, columns in STEPS.items():
            yield from _differences(f"policy {version}", row, columns, steps.get(step), dropped_to)


def _said(record: Record) -> tuple[str, str, Step]:
    number, kind, at_us, actor, raw = record
    facts = json.loads(raw)
    step = kind.removeprefix("policy_")
    said = {f"{step}_record": number, f"{step}_by": actor, f"{step}_at_us": at_us}
    if step == "proposed":
        text = facts["policy"].encode()
        said |= {"text": text, "sha256": sha256_hex(text), "reason": facts["reason"]}
        said["from_us"] = parse_us(facts["from_at"])
    elif step == "withdrawn":
        said["withdraw_reason"] = facts["reason"]
    return facts["version"], step, said


def _differences(
    name: str, row: Step, columns: tuple[str, ...], said: Step | None, dropped_to: int
) -> Iterator[tuple[int | None, str]]:
    if said is not None:
        number = said[columns[0]]
        for column in columns:
            if row[column] != said[column]:
                yield number, f"{name}: {column} {said[column]!r} by record {number} expected, found {row[column]!r}"
        return
    number = row[columns[0]]
    if number is None:
        for column in columns[1:]:
            if row[column] is not None:
                yield None, f"{name}: {column} without a record that says so, found {row[column]!r}"
    elif not isinstance(number, int) or number > dropped_to:
        yield None, f"{name}: {columns[0]} {number}, which does not say so"
