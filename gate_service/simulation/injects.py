"""Protections that `--inject` takes away, one each: every one of them must make violations rise."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from gate_service.domain.record import Entry, LedgerKind
from sync.journal import Also, SqlJournal

INJECTS: Final = {
    "skip-interlock": "booms are lowered whatever stands under them",
    "forget-record": "a raise does not wait for its entry on disk",
    "double-use": "the ledger of used slips remembers nothing",
    "believe-zeros": "an I/O module that answers zeros to everything is taken at its word",
    "move-at-restart": "after a restart the boom of an open passage is raised at once",
    "new-ids": "an event is told under a new id at every attempt",
    "lose-hazmat": "events about hazardous goods are left out of their transaction",
    "cut-chain": "a record is altered after its commit",
    "no-way-out": "nobody's command to a lane is taken",
}
"""Name and what is taken away."""

SLIP_KINDS: Final = frozenset({LedgerKind.SLIP_RESERVED, LedgerKind.SLIP_USED, LedgerKind.SLIP_RETURNED})


class InjectedJournal(SqlJournal):
    """The journal with one protection taken out."""

    inject: str | None = None

    async def write(self, entry: Entry, also: Also | None = None) -> int:
        """As the real one, but for the injected fault."""
        if self.inject == "forget-record" and (entry.kind == "boom_raise" or entry.facts.get("raise") is not None):
            return 1
        if self.inject == "double-use":
            entry = replace(entry, ledger=tuple(c for c in entry.ledger if c.kind not in SLIP_KINDS))
        if self.inject == "lose-hazmat":
            entry = replace(entry, events=tuple(e for e in entry.events if not e.type.is_hazmat))
        return await super().write(entry, also)
