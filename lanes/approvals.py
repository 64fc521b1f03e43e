"""The second person: a release that needs two waits here for another one's approval. Pure but for its own memory.

An approval is bound to the passage and the facts it was asked for; it ends after five minutes, when a fact changes or
the vehicle leaves (RULES 7). Nobody approves their own request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4

from gate_service.domain.commands import Actor, CommandRequest, Role, request_number
from gate_service.domain.errors import CommandRefusedError, NotPermittedError, PassageChangedError
from gate_service.domain.passage import Passage

VALID_S: Final = 300.0
"""RULES 7: an approval ends after 5 minutes."""

WAITS_FOR: Final = "second person"
"""What the record of such a request says it waits for."""

APPROVERS: Final = frozenset({Role.SUPERVISOR, Role.CUSTOMS})
"""Who may be the second person. The first may be an operator: two pairs of eyes, one of them a supervisor's."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A command that waits for its second person."""

    id: str
    request: CommandRequest
    asked_by: Actor
    passage_id: str
    facts_version: int
    asked_monotonic_s: float

    @property
    def number(self) -> str:
        """Eight digits that stand for this request with its vehicle and facts: what a one-time code is made for."""
        return request_number(self.id, self.passage_id, self.facts_version)

    def shown(self, now_monotonic_s: float) -> dict[str, Any]:
        """As pages show it."""
        return {
            "command_id": self.id,
            "request_no": self.number,
            "command": self.request.command.value,
            "by": self.asked_by.label,
            "reason_code": self.request.reason_code,
            "reason": self.request.reason,
            "seconds_left": max(0, round(VALID_S - (now_monotonic_s - self.asked_monotonic_s))),
        }


def was_asked(newest: Mapping[str, Any] | None, passage: Passage) -> bool:
    """Whether the newest command of a lane was a request about this vehicle as it is: it ended with the restart."""
    if newest is None or newest.get("waits_for") != WAITS_FOR:
        return False
    return (newest.get("passage_id"), newest.get("facts_version")) == (passage.id, passage.facts_version)


class Approvals:
    """At most one waiting command per lane: the newest replaces an older one."""

    def __init__(self, mint_id: Callable[[], UUID] = uuid4) -> None:
        self._mint_id = mint_id
        self._pending: Pending | None = None

    def ask(self, request: CommandRequest, actor: Actor, passage: Passage, now_monotonic_s: float) -> Pending:
        """Let a command wait for its second person."""
        self._pending = Pending(
            str(self._mint_id()), request, actor, passage.id, passage.facts_version, now_monotonic_s
        )
        return self._pending

    def waiting(self, passage: Passage | None, now_monotonic_s: float) -> Pending | None:
        """What waits for this passage with these facts, if it has not ended."""
        pending = self._pending
        if pending is None or passage is None:
            return None
        is_bound = (pending.passage_id, pending.facts_version) == (passage.id, passage.facts_version)
        is_valid = now_monotonic_s - pending.asked_monotonic_s <= VALID_S
        return pending if is_bound and is_valid else None

    def approve(self, command_id: str, actor: Actor, passage: Passage | None, now_monotonic_s: float) -> Pending:
        """The waiting command, taken out, if this person may approve it. Raises CommandRefusedError with the reason."""
        pending = self._pending
        if pending is None or pending.id != command_id:
            raise CommandRefusedError("no command of this id waits for an approval")
        if self.waiting(passage, now_monotonic_s) is None:
            self._pending = None
            raise PassageChangedError("the approval ended: its five minutes, its facts or its vehicle are gone")
        if actor.role not in APPROVERS:
            raise NotPermittedError("a supervisor must be the second person")
        if actor.name == pending.asked_by.name:
            raise NotPermittedError("nobody approves their own request")
        self._pending = None
        return pending
