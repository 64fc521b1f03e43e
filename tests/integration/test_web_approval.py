"""A release that needs two: asked for by one, approved by another, at their own terminal or at the first one's."""

from __future__ import annotations

import httpx
import pytest

from gate_service.domain.commands import Role
from tests.fakes.web_site import PASSWORD, Site
from tests.integration.test_web_api import command, operator, release, site

__all__ = ["operator", "site"]


async def test_a_command_that_needs_two_is_accepted_and_waits(site: Site, operator: httpx.AsyncClient) -> None:
    site.gate.needs_second = True
    answer = await command(operator, release(site))
    assert (answer.status_code, answer.json()["pending"]["command_id"]) == (202, "c-1")
    assert site.gate.lane("in-d1")["approval"]["by"] == "user:op"


async def approve(client: httpx.AsyncClient, body: object, command_id: str = "c-1") -> httpx.Response:
    return await client.post(f"/api/v1/lanes/in-d1/commands/{command_id}/approve", json=body)


async def test_the_second_person_approves_with_their_own_session(site: Site, operator: httpx.AsyncClient) -> None:
    site.gate.needs_second = True
    await command(operator, release(site))
    refused = await approve(operator, {})
    assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted")
    async with site.signed_in("sue", Role.SUPERVISOR) as second:
        answer = await approve(second, {})
        assert (answer.status_code, answer.json()["done"]) == (200, "release")
        assert (await approve(second, {})).status_code == 409
    [(lane, command_id, actor)] = site.gate.approved
    assert (lane, command_id, actor.label) == ("in-d1", "c-1", "user:sue")


async def test_the_second_person_approves_at_the_first_ones_terminal(site: Site, operator: httpx.AsyncClient) -> None:
    site.gate.needs_second = True
    await command(operator, release(site))
    async with site.signed_in("sue", Role.SUPERVISOR):
        answer = await approve(operator, {"name": "sue", "password": PASSWORD})
    assert answer.status_code == 200
    [(_, _, actor)] = site.gate.approved
    assert (actor.label, actor.role) == ("user:sue", Role.SUPERVISOR)
    assert (await operator.get("/api/v1/session")).json()["name"] == "op"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "sue", "password": "wrong"}, 401),
        ({"name": "aud", "password": PASSWORD}, 403),
        ({"name": "sue"}, 422),
        ({"password": PASSWORD}, 422),
        ([], 422),
    ],
)
async def test_an_approval_with_what_proves_nobody_is_refused(
    site: Site, operator: httpx.AsyncClient, body: object, status: int
) -> None:
    site.gate.needs_second = True
    await command(operator, release(site))
    async with site.signed_in("sue", Role.SUPERVISOR), site.signed_in("aud", Role.AUDITOR):
        answer = await approve(operator, body)
    assert (answer.status_code, site.gate.approved) == (status, [])


async def test_guessing_the_second_persons_password_is_slowed_down(site: Site, operator: httpx.AsyncClient) -> None:
    async with site.signed_in("sue", Role.SUPERVISOR):
        for _ in range(10):
            last = await approve(operator, {"name": "sue", "password": "wrong"})
    assert (last.status_code, last.json()["code"]) == (429, "too_many_attempts")
