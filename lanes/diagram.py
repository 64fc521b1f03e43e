"""Draws the automaton from its table, for `docs/lane.md`; a test holds the page to the table."""

from __future__ import annotations

from lanes.states import ANYWHERE, OWNED_BY_PERSON, TRANSITIONS


def draw() -> str:
    """A Mermaid state diagram of every row, rows between the same two states joined; rows that hold anywhere below."""
    lines = ["stateDiagram-v2"]
    for state, rows in TRANSITIONS.items():
        targets: dict[str, list[str]] = {}
        for row in rows:
            name = row.event.value + (" [if]" if row.when else "")
            names = targets.setdefault(row.to.value, [])
            if name not in names:
                names.append(name)
        lines += [f"  {state.value} --> {to}: {', '.join(names)}" for to, names in targets.items()]
    lines += [f"  any --> {row.to.value}: {row.event.value}" for row in ANYWHERE]
    lines += [f"  note right of {state.value}: a person decides" for state in sorted(OWNED_BY_PERSON)]
    return "\n".join(lines)
