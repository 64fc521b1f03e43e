"""The policy workbench of the running service: check, compare with past passages, propose, approve, withdraw."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from gate_service.domain.events import JsonObject
from gate_service.domain.ports import Clock
from lanes.policy.defaults import DEFAULTS
from lanes.policy.policy_reading import mistakes_in, read_policy
from lanes.policy.redecide import Comparison, compare
from sync.journal import SqlJournal
from sync.policies import PolicyBook, StoredPolicy

PAGE: Final = 50  # passages judged at a time in a thread; some 20 ms each page, so that lanes never wait for long
MOST_COMPARED: Final = 5000
MOST_LISTED: Final = 200


class PolicyDesk:
    """Implements `web.gate_api.PolicyApi`."""

    def __init__(self, book: PolicyBook, journal: SqlJournal, clock: Clock) -> None:
        self._book = book
        self._journal = journal
        self._clock = clock

    def in_force(self) -> JsonObject | None:
        """The policy that judges now; None is the default of the rules."""
        return self._book.in_force(self._clock.now())

    def policies(self) -> dict[str, Any]:
        """What is in force, and every stored version, newest first."""
        now = self._clock.now()
        current = self._book.current(now)
        version = None if current is None else current.version
        return {
            "in_force": self._in_force(current),
            "policies": [one.shown(now, version) for one in self._book.all()],
        }

    def policy(self, version: str) -> dict[str, Any]:
        """One stored version, the policy itself included. NotFoundError where there is none."""
        return self._shown(self._book.get(version))

    def check(self, policy: JsonObject) -> dict[str, Any]:
        """Every mistake with its place and what is allowed; none where it is sound."""
        return {
            "problems": [
                {"place": one.place, "expected": one.expected, "found": one.found} for one in mistakes_in(policy)
            ]
        }

    async def compare(self, policy: JsonObject, limit: int) -> dict[str, Any]:
        """What the newest passages would have met under this policy instead of the one in force. PolicyError."""
        read_policy(policy)
        old, found, before = self._book.in_force(self._clock.now()), Comparison(), None
        wanted = min(limit, MOST_COMPARED)
        while wanted > 0:
            views = await self._journal.passages(min(PAGE, wanted), before)
            documents = [view.document for view in views]
            await asyncio.to_thread(compare, documents, old, policy, MOST_LISTED, found)
            wanted -= PAGE
            if len(views) < PAGE:
                break
            before = views[-1].opened_record
        return found.as_document()

    async def propose(self, policy: JsonObject, from_at: datetime | None, reason: str, by: str) -> dict[str, Any]:
        """Store it for a second person."""
        return self._shown(await self._book.propose(policy, from_at, reason, by))

    async def approve(self, version: str, by: str) -> dict[str, Any]:
        """The second person; from its time on it judges."""
        return self._shown(await self._book.approve(version, by))

    async def withdraw(self, version: str, reason: str, by: str) -> dict[str, Any]:
        """Take back what is not in force yet."""
        return self._shown(await self._book.withdraw(version, reason, by))

    def _shown(self, one: StoredPolicy) -> dict[str, Any]:
        now = self._clock.now()
        current = self._book.current(now)
        return {**one.shown(now, None if current is None else current.version), "policy": one.document()}

    def _in_force(self, current: StoredPolicy | None) -> dict[str, Any]:
        if current is not None:
            since = current.in_force_from
            return {
                "version": current.version,
                "origin": "record",
                "since_at": None if since is None else since.isoformat(),
                "policy": current.document(),
            }
        site_policy: Mapping[str, Any] | None = self._book.site_policy
        whole = {**DEFAULTS, **(site_policy or {})}
        origin = "default" if site_policy is None else "file"
        return {"version": whole["version"], "origin": origin, "since_at": None, "policy": whole}
