"""Writes docs/access.md from the access table: `python -m gate_service.web.access_document > docs/access.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Final

from gate_service.domain.commands import Command, Role
from gate_service.web.access import ADDRESSES, COMMANDS, Address, tells_of_the_whole_site
from lanes.approvals import APPROVERS, VALID_S

HEAD: Final = """# Who may what

Made from the code (`gate_service/web/access.py`) by `python -m gate_service.web.access_document`; a test holds the two
equal, and another asks every address and gives every command as every role. Do not edit.
"""
MARKS: Final = {True: "●", False: ""}


def document() -> str:
    """The whole file."""
    parts = [HEAD, _addresses(), _commands(), _over_the_verdict()]
    return "\n".join(parts)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    columns = list(head)
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def _addresses() -> str:
    rows = [
        [
            f"{address.method} `{address.path}`",
            *("●" if address.is_open else MARKS[role in address.roles] for role in Role),
            _scope(address),
            _state(address),
        ]
        for address in ADDRESSES
    ]
    head = ["address", *(role.value for role in Role), "token scope", "state"]
    return f"""## Addresses

{_table(head, rows)}
*open*: anybody, signed in or not. *locked*: a locked session may still. *enrolling*: a person whose role must have a
second factor and who has none may still. *lane*: a token bound to lanes must be bound to that one. *its lanes*: it gets
what is of its lanes only. *site*: the answer is of the whole site, a token bound to lanes gets 403 `not_permitted`.
"""


def _scope(address: Address) -> str:
    if address.scope is None:
        return ""
    if tells_of_the_whole_site(address):
        return f"{address.scope.value} (site)"
    reach = " (lane)" if address.lane_bound else " (its lanes)" if address.is_cut else ""
    return f"{address.scope.value}{reach}"


def _state(address: Address) -> str:
    words = [("open", address.is_open), ("locked", address.while_locked), ("enrolling", address.to_begin)]
    return ", ".join(word for word, holds in words if holds)


def _commands() -> str:
    rows = [
        [
            f"`{command.value}`",
            *(MARKS[role in COMMANDS[command]] for role in Role),
            MARKS[command.acts_on_vehicle],
            MARKS[command.needs_reason],
        ]
        for command in Command
    ]
    head = ["command", *(role.value for role in Role), "names vehicle and facts", "needs a reason"]
    return f"## Commands to a lane\n\n{_table(head, rows)}"


def _over_the_verdict() -> str:
    second = " or ".join(sorted(role.value for role in APPROVERS))
    return f"""## Against the verdict

Stricter than the verdict: alone, with a reason. Milder: the policy's `override` says who for each reason (operator,
supervisor, two), the strictest of all open reasons counts; `override_budget` raises it by one once a shift has released
so many against the reason. Firm: two for inspect, refuse and anything hazardous; nobody for detain and a used slip.
The second of two is a {second}, never the one who asked, within {VALID_S:.0f} s, for the same
vehicle and facts. In an open emergency regime an operator alone releases what fails nothing but
`copy_stale`, `holds_stale`, `claim_unavailable`, or `slip_unknown` with a valid signature; never
hazardous, held, controlled, used or revoked.
"""


if __name__ == "__main__":
    sys.stdout.write(document())
