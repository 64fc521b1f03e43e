"""`gate policy check FILE` and `gate policy compare OLD NEW --data DIR`: a policy before anybody is judged by it."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from config.policy_file import read_policy_file
from gate_service.cli.data_directory import Place
from gate_service.domain.errors import InputError, PolicyError
from gate_service.domain.events import JsonObject
from lanes.policy.policy_reading import mistakes_in, read_policy
from lanes.policy.redecide import Comparison, compare
from sync.past_passages import past_passages

SHOWN: Final = 20
"""Passages printed for people; `--json` prints as many as `--limit` allows."""


def check(file: Path, *, as_json: bool) -> int:
    """Print every mistake, one a line; 0 where there is none, 1 where there are some, 2 where there is no file."""
    if not file.is_file():
        sys.stderr.write(f"gate: {file}: no such file\n")
        return 2
    try:
        document = read_policy_file(file)
    except PolicyError as error:
        _print({"place": "$", "problem": str(error)}, str(error), as_json=as_json)
        return 1
    mistakes = mistakes_in(document)
    for one in mistakes:
        told = {"place": one.place, "expected": one.expected, "found": one.found, "problem": str(one)}
        _print(told, str(one), as_json=as_json)
    if mistakes:
        return 1
    policy = read_policy(document)
    summary = {"version": policy.version, "tiers": sorted(policy.tiers), "lines": len(policy.assign), "problems": 0}
    text = f"{file}: policy {policy.version}, {len(policy.tiers)} tiers, {len(policy.assign)} lines, no mistakes found"
    _print(summary, text, as_json=as_json)
    return 0


def compare_files(
    old: Path, new: Path, place: Place, *, since: str | None, before: str | None, limit: int, as_json: bool
) -> int:
    """Decide past passages under both policies and print what would change; 0 whatever it is."""
    policies = [_sound(old), _sound(new)]
    passages = past_passages(place.directory, _moment("--since", since), _moment("--before", before), place.url)
    found = compare(passages, policies[0], policies[1], limit)
    if as_json:
        print(json.dumps(found.as_document(), ensure_ascii=False))
    else:
        _tell(found)
    return 0


def _sound(path: Path) -> JsonObject:
    document = read_policy_file(path)
    mistakes = mistakes_in(document)
    if mistakes:
        raise PolicyError(f"{path}: {'; '.join(str(one) for one in mistakes[:SHOWN])}")
    return document


def _moment(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise InputError(f"{option}: a time with offset such as 2026-11-22T08:00:00+08:00 expected, found {text!r}")
    return at


def _tell(found: Comparison) -> None:
    print(f"{found.compared} passages compared, {found.changes} would change, {found.skipped} were never judged")
    for (old, new), count in sorted(found.verdicts.items()):
        print(f"  {old} -> {new}: {count}{'' if old == new else '  *'}")
    for word, counts in (("no longer", found.reasons_gone), ("new", found.reasons_new)):
        for reason, count in sorted(counts.items()):
            print(f"  {word} {reason}: {count}")
    for one in found.changed[:SHOWN]:
        print(f"  {_line(one)}")
    if found.changes > SHOWN:
        print(f"  and {found.changes - SHOWN} more")


def _line(one: dict[str, Any]) -> str:
    old, new = one["old"], one["new"]
    changes = [f"{old['verdict']} -> {new['verdict']}", f"tier {old['tier']} -> {new['tier']}"]
    changes += [f"no longer {', '.join(one['gone'])}"] if one["gone"] else []
    changes += [f"new {', '.join(one['added'])}"] if one["added"] else []
    return f"{one['passage']} {one['opened_at']} {one['lane']} {one['plate'] or '-'}: {'; '.join(changes)}"


def _print(document: dict[str, Any], text: str, *, as_json: bool) -> None:
    sys.stdout.write((json.dumps(document, ensure_ascii=False) if as_json else text) + "\n")
