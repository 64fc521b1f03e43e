"""The policy workbench: what is in force, what was, what is proposed; check, compare, propose, approve, withdraw."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from gate_service.domain.errors import InputError, NotPermittedError
from gate_service.web import guard
from gate_service.web.access import KEEP_POLICY
from gate_service.web.bodies import Approval, NewPolicy, PolicyQuestion, Withdrawal, described, reader
from gate_service.web.context import Parts
from gate_service.web.guard import Admitted
from gate_service.web.once import Key, once

router = APIRouter(prefix="/api/v1/policies", tags=["policies"], dependencies=[Depends(guard.admit)])


@router.get("")
async def policies(web: Parts) -> dict[str, Any]:
    """The policy in force, and every stored version with who proposed and approved it, newest first."""
    return web.gate.policies.policies()


@router.get("/{version}")
async def policy(web: Parts, version: str) -> dict[str, Any]:
    """One stored version, the policy itself included."""
    return web.gate.policies.policy(version)


@router.post("/check", openapi_extra=described(PolicyQuestion))
async def check(web: Parts, body: Annotated[PolicyQuestion, Depends(reader(PolicyQuestion))]) -> dict[str, Any]:
    """Every mistake with its place, what is allowed there and what was found. Stores nothing."""
    return web.gate.policies.check(body.policy)


@router.post("/compare", openapi_extra=described(PolicyQuestion))
async def compare(web: Parts, body: Annotated[PolicyQuestion, Depends(reader(PolicyQuestion))]) -> dict[str, Any]:
    """The newest passages decided again under this policy: what would change against the one in force."""
    return await web.gate.policies.compare(body.policy, body.limit)


@router.post("", openapi_extra=described(NewPolicy))
async def propose(
    web: Parts, caller: Admitted, body: Annotated[NewPolicy, Depends(reader(NewPolicy))], key: Key = None
) -> Response:
    """Store a policy for a second person. It comes into force at `from_at`, or once it is approved if that is later."""

    async def work() -> dict[str, Any]:
        return await web.gate.policies.propose(body.policy, body.from_at, body.reason, caller.actor.label)

    return await once(web, caller, key, ["policy", body.model_dump(mode="json")], work)


@router.post("/{version}/approve", openapi_extra=described(Approval))
async def approve(
    request: Request, web: Parts, caller: Admitted, version: str, body: Annotated[Approval, Depends(reader(Approval))]
) -> dict[str, Any]:
    """Approve another one's policy: with one's own session, or with name and password at the other's terminal."""
    if (body.name is None) is not (body.password is None):
        raise InputError("approval: name and password expected together, or neither")
    actor = caller.actor
    if body.name is not None and body.password is not None:
        actor = await web.accounts.prove(body.name, body.password, guard.peer_of(request))
        if actor.role not in KEEP_POLICY:
            raise NotPermittedError(f"approval: role {actor.role} may not approve a policy")
    return await web.gate.policies.approve(version, actor.label)


@router.post("/{version}/withdraw", openapi_extra=described(Withdrawal))
async def withdraw(
    web: Parts, caller: Admitted, version: str, body: Annotated[Withdrawal, Depends(reader(Withdrawal))]
) -> dict[str, Any]:
    """Take back a policy that is not in force yet, with the reason."""
    return await web.gate.policies.withdraw(version, body.reason, caller.actor.label)
