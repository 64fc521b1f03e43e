"""Policies by version: proposed by one person, approved by another, in force from a time on; all of it in the record.

What was proposed, approved and withdrawn are chained records; the table keeps it for longer than records are kept, and
must say the same as they do. In force is what was approved and has reached its time, the latest of them; before the
first, what the site file says.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import TracebackType
from typing import Any, Final, Self

from sqlalchemy import Connection

from gate_service.domain.errors import CommandRefusedError, InputError, NotFoundError, NotPermittedError, RecordError
from gate_service.domain.events import JsonObject
from gate_service.domain.ports import Clock
from gate_service.domain.record import Entry
from sync.columns import from_us, to_us
from sync.database import Database
from sync.journal import SqlJournal
from sync.statements import run

VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
FARTHEST: Final = timedelta(days=366)  # later is a typing mistake
LONGEST_REASON: Final = 1000
_READ: Final = (
    "SELECT p.version, p.text, p.sha256, p.reason, p.from_us, p.proposed_by, p.proposed_at_us, p.approved_by,"
    " p.approved_at_us, p.withdrawn_by, p.withdrawn_at_us, p.withdraw_reason, r.facts"
    " FROM policies p LEFT JOIN records r ON r.number = p.proposed_record ORDER BY p.proposed_record"
)
_PROPOSE: Final = (
    "INSERT INTO policies (version, text, sha256, reason, from_us, proposed_by, proposed_at_us, proposed_record)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_APPROVE: Final = "UPDATE policies SET approved_by = ?, approved_at_us = ?, approved_record = ? WHERE version = ?"
_WITHDRAW: Final = (
    "UPDATE policies SET withdrawn_by = ?, withdrawn_at_us = ?, withdrawn_record = ?, withdraw_reason = ?"
    " WHERE version = ?"
)

PolicyCheck = Callable[[JsonObject], None]
"""Raises PolicyError for a policy that the rules refuse."""


class Kind(StrEnum):
    """The words of the audit."""

    PROPOSED = "policy_proposed"
    APPROVED = "policy_approved"
    WITHDRAWN = "policy_withdrawn"


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """One version with who did what, when and why. `text` is the policy as JSON, byte for byte as recorded."""

    version: str
    text: str
    reason: str
    from_at: datetime
    proposed_by: str
    proposed_at: datetime
    approved_by: str | None = None
    approved_at: datetime | None = None
    withdrawn_by: str | None = None
    withdrawn_at: datetime | None = None
    withdraw_reason: str | None = None

    @property
    def in_force_from(self) -> datetime | None:
        """When it comes into force: its time, or its approval where that came later. None while it will not."""
        if self.approved_at is None or self.withdrawn_at is not None:
            return None
        return max(self.from_at, self.approved_at)

    def document(self) -> dict[str, Any]:
        """The policy itself."""
        document: dict[str, Any] = json.loads(self.text)
        return document

    def shown(self, now: datetime, current: str | None) -> dict[str, Any]:
        """As pages see it, without the policy itself. `current` is the version in force."""
        since = self.in_force_from
        if self.withdrawn_at is not None:
            state = "withdrawn"
        elif since is None:
            state = "proposed"
        elif since > now:
            state = "scheduled"
        else:
            state = "in_force" if self.version == current else "replaced"
        return {
            "version": self.version,
            "state": state,
            "from_at": self.from_at.isoformat(),
            "in_force_from_at": _time(since),
            "reason": self.reason,
            "proposed_by": self.proposed_by,
            "proposed_at": self.proposed_at.isoformat(),
            "approved_by": self.approved_by,
            "approved_at": _time(self.approved_at),
            "withdrawn_by": self.withdrawn_by,
            "withdrawn_at": _time(self.withdrawn_at),
            "withdraw_reason": self.withdraw_reason,
        }


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


class PolicyBook:
    """Every stored policy. Opens with `async with`, inside the journal's own; `in_force` looks at memory only."""

    def __init__(
        self, database: Database, journal: SqlJournal, clock: Clock, check: PolicyCheck, site_policy: JsonObject | None
    ) -> None:
        self._database = database
        self._journal = journal
        self._clock = clock
        self._check = check
        self._site_policy = site_policy
        self._stored: tuple[StoredPolicy, ...] = ()

    async def __aenter__(self) -> Self:
        await self._load()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is held."""

    def in_force(self, at: datetime) -> JsonObject | None:
        """The policy that judges at this moment; None is the default of the rules."""
        current = self.current(at)
        return self._site_policy if current is None else current.document()

    def current(self, at: datetime) -> StoredPolicy | None:
        """The stored policy in force; None where the site file's own (or the default) still is."""
        reached = [
            (since, n, one) for n, one in enumerate(self._stored) if (since := one.in_force_from) and since <= at
        ]
        return max(reached, key=lambda found: found[:2])[2] if reached else None

    @property
    def site_policy(self) -> JsonObject | None:
        """What the site file says; None is the default of the rules."""
        return self._site_policy

    def all(self) -> tuple[StoredPolicy, ...]:
        """Newest first."""
        return self._stored[::-1]

    def get(self, version: str) -> StoredPolicy:
        """Raises NotFoundError."""
        found = next((one for one in self._stored if one.version == version), None)
        if found is None:
            raise NotFoundError(f"policy {version!r}: a stored version expected"[:200])
        return found

    async def propose(self, policy: JsonObject, from_at: datetime | None, reason: str, by: str) -> StoredPolicy:
        """Store a sound policy for a second person; `from_at` None is as soon as it is approved.

        Raises PolicyError for what the rules refuse, InputError for a version that is used or cannot be an address,
        a time long past or far away, or no reason.
        """
        now = self._clock.now()
        start = now if from_at is None else from_at
        if start - now > FARTHEST:
            raise InputError(f"from_at: at most {FARTHEST.days} days ahead expected, found {start.isoformat()}")
        version = policy.get("version")
        if not isinstance(version, str) or not VERSION.fullmatch(version):
            raise InputError(f"policy.version: letters, digits and .-_ expected, at most 64, found {version!r}"[:200])
        self._check(policy)
        text = json.dumps(policy, ensure_ascii=False, allow_nan=False)
        why = _why(reason)
        facts = {"version": version, "from_at": start.isoformat(), "reason": why, "policy": text}
        used = {self._site_policy.get("version")} if self._site_policy else {}

        def check(stored: tuple[StoredPolicy, ...]) -> None:
            if version in used or any(one.version == version for one in stored):
                raise InputError(f"policy.version: one that was never used expected, found {version!r}")

        def row(connection: Connection, number: int) -> None:
            values = (version, text.encode(), _sha256(text), why, to_us(start), by, to_us(now), number)
            run(connection, _PROPOSE, values)

        await self._write(Entry(Kind.PROPOSED.value, now, by, facts), check, row)
        return self.get(version)

    async def approve(self, version: str, by: str) -> StoredPolicy:
        """The second person. Raises NotFoundError, NotPermittedError for one's own, CommandRefusedError if not open."""

        def check(stored: tuple[StoredPolicy, ...]) -> None:
            one = _of(stored, version)
            if one.approved_at is not None or one.withdrawn_at is not None:
                raise CommandRefusedError(f"policy {version}: one that waits for approval expected")
            if one.proposed_by == by:
                raise NotPermittedError("nobody approves their own request")

        now = self._clock.now()

        def row(connection: Connection, number: int) -> None:
            run(connection, _APPROVE, (by, to_us(now), number, version))

        await self._write(Entry(Kind.APPROVED.value, now, by, {"version": version}), check, row)
        return self.get(version)

    async def withdraw(self, version: str, reason: str, by: str) -> StoredPolicy:
        """One person, while it is not in force. Raises NotFoundError, CommandRefusedError, InputError."""
        now = self._clock.now()
        why = _why(reason)

        def check(stored: tuple[StoredPolicy, ...]) -> None:
            one = _of(stored, version)
            if one.withdrawn_at is not None or ((since := one.in_force_from) is not None and since <= now):
                raise CommandRefusedError(f"policy {version}: one that is not in force yet expected; propose another")

        def row(connection: Connection, number: int) -> None:
            run(connection, _WITHDRAW, (by, to_us(now), number, why, version))

        await self._write(Entry(Kind.WITHDRAWN.value, now, by, {"version": version, "reason": why}), check, row)
        return self.get(version)

    async def _write(
        self, entry: Entry, check: Callable[[tuple[StoredPolicy, ...]], None], row: Callable[[Connection, int], None]
    ) -> None:
        """One record and its row, if the check still holds in their own transaction."""

        def also(connection: Connection, number: int) -> None:
            check(_read(connection))
            row(connection, number)

        await self._journal.write(entry, also)
        await self._load()

    async def _load(self) -> None:
        self._stored = await self._database.read(_read)


def _of(stored: Iterable[StoredPolicy], version: str) -> StoredPolicy:
    found = next((one for one in stored if one.version == version), None)
    if found is None:
        raise NotFoundError(f"policy {version!r}: a stored version expected"[:200])
    return found


def _why(reason: str) -> str:
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise InputError(f"reason: a text of at most {LONGEST_REASON} characters that says why expected")
    return reason.strip()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _read(connection: Connection) -> tuple[StoredPolicy, ...]:
    """Every stored policy, oldest first. RecordError where a text is not the recorded one."""
    stored = []
    for row in run(connection, _READ):
        version, raw, digest, reason, from_us_, by, at_us, approved_by, approved_us, taken_by, taken_us, why, facts = (
            row
        )
        text = bytes(raw).decode()
        recorded = None if facts is None else json.loads(bytes(facts)).get("policy")
        if _sha256(text) != digest or (recorded is not None and recorded != text):
            raise RecordError(f"policy {version}: the text that was recorded expected, found another")
        stored.append(
            StoredPolicy(
                version, text, reason, from_us(from_us_), by, from_us(at_us), approved_by, _from_us(approved_us),
                taken_by, _from_us(taken_us), why,
            )
        )  # fmt: skip
    return tuple(stored)


def _from_us(at_us: int | None) -> datetime | None:
    return None if at_us is None else from_us(at_us)
