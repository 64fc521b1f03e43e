"""The second person of two: by their own session, or by name with password or one-time code at the first one's."""

from __future__ import annotations

from fastapi import Request

from gate_service.domain.commands import Actor, Role
from gate_service.domain.errors import CommandRefusedError, InputError, NotPermittedError
from gate_service.web import guard
from gate_service.web.bodies import Approval
from gate_service.web.context import Web
from sync.accounts import Caller


async def second_person(
    request: Request, web: Web, caller: Caller, body: Approval, *, roles: frozenset[Role], number: str | None
) -> tuple[Actor, str]:
    """Who approves, and how they proved it: session, password or code.

    `number` is what a one-time code is made for, None where nothing waits. Raises InputError for half a proof,
    SignInRefusedError and TooManyAttemptsError for a wrong one, NotPermittedError for a role that may not.
    """
    if body.name is None:
        if body.password is not None or body.code is not None:
            raise InputError("approval: a name expected with a password or a code")
        return caller.actor, "session"
    address = guard.peer_of(request)
    if body.password is not None:  # who has a second factor gives its code too
        actor, how = await web.accounts.prove(body.name, body.password, address, body.code), "password"
    elif body.code is None:
        raise InputError("approval: a password or a one-time code expected with a name")
    elif number is None:
        raise CommandRefusedError("no command of this id waits for an approval")
    else:
        actor, how = await web.accounts.prove_by_code(body.name, body.code, number, address), "code"
    if actor.role not in roles:
        raise NotPermittedError(f"approval: role {actor.role} may not approve a command")
    return actor, how
