"""Second factors, one-time codes, locks and quick switches, over real sockets and a real record."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from gate_service.domain.commands import Role
from sync import one_time_codes as codes
from sync.people_tables import second_factors
from sync.sealing import KEY_NAME
from tests.fakes.web_site import PASSWORD, Site, serve
from tests.integration.test_web_api import command, release


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with serve(tmp_path, lock_after_s=900) as running:
        yield running


async def enrol(site: Site, client: httpx.AsyncClient, purpose: str = "sign_in") -> tuple[bytes, list[str]]:
    """Put a device in place; its secret and the recovery codes."""
    begun = await client.post(f"/api/v1/account/factors/{purpose}", json={"password": PASSWORD})
    assert begun.status_code == 200, begun.text
    secret = codes.secret_of(begun.json()["secret"])
    confirmed = await client.post(f"/api/v1/account/factors/{purpose}/confirm", json={"code": now(site, secret)})
    assert confirmed.status_code == 200, confirmed.text
    site.clock.offset += timedelta(seconds=60)  # the next code is a new one
    return secret, confirmed.json()["recovery_codes"]


def now(site: Site, secret: bytes) -> str:
    return codes.code_of_step(secret, codes.step_at(site.clock.now()))


async def sign_in(site: Site, name: str, **more: str) -> httpx.Response:
    async with site.client() as client:
        return await client.post("/api/v1/session", json={"name": name, "password": PASSWORD, **more})


async def test_with_a_device_a_password_alone_opens_nothing_and_no_code_counts_twice(site: Site) -> None:
    async with site.signed_in("sue", Role.SUPERVISOR) as client:
        secret, _ = await enrol(site, client)
    needed = await sign_in(site, "sue")
    assert (needed.status_code, needed.json()["code"]) == (401, "second_factor_needed")
    assert (await sign_in(site, "sue", code="000000")).json()["code"] == "sign_in_refused"
    code = now(site, secret)
    assert (await sign_in(site, "sue", code=code)).status_code == 200
    assert (await sign_in(site, "sue", code=code)).status_code == 401
    site.clock.offset += timedelta(seconds=60)
    assert (await sign_in(site, "sue", code=now(site, secret))).status_code == 200


async def test_each_recovery_code_opens_one_sign_in(site: Site) -> None:
    async with site.signed_in("sue", Role.SUPERVISOR) as client:
        _, recovery = await enrol(site, client)
    assert len(set(recovery)) == 8
    assert (await sign_in(site, "sue", code=recovery[0].upper())).status_code == 200
    assert (await sign_in(site, "sue", code=recovery[0])).status_code == 401
    assert (await sign_in(site, "sue", code=recovery[1])).status_code == 200
    assert "recovery_code_used" in [kind for kind, _, _ in site.recorded]


async def test_a_wrong_first_code_enrols_nothing(site: Site) -> None:
    async with site.signed_in("sue", Role.SUPERVISOR) as client:
        await client.post("/api/v1/account/factors/sign_in", json={"password": PASSWORD})
        refused = await client.post("/api/v1/account/factors/sign_in/confirm", json={"code": "000000"})
        assert refused.status_code == 422
        wrong = await client.post("/api/v1/account/factors/sign_in", json={"password": "wrong"})
        assert wrong.status_code == 401
    assert (await sign_in(site, "sue")).status_code == 200


async def test_guessing_codes_is_locked_like_guessing_passwords(site: Site) -> None:
    async with site.signed_in("sue", Role.SUPERVISOR) as client:
        secret, _ = await enrol(site, client)
    for _ in range(5):
        await sign_in(site, "sue", code="000000")
    assert (await sign_in(site, "sue", code=now(site, secret))).json()["code"] == "too_many_attempts"


async def test_secrets_lie_encrypted_and_their_key_beside_them_is_their_owners_only(site: Site, tmp_path: Path) -> None:
    async with site.signed_in("sue", Role.SUPERVISOR) as client:
        secret, _ = await enrol(site, client)
    rows = await site.accounts.database.read(lambda c: c.execute(second_factors.select()).all())
    assert [secret in row.sealed for row in rows] == [False]
    assert (tmp_path / KEY_NAME).stat().st_mode & 0o777 == 0o600


async def test_an_approval_comes_by_one_time_code_made_for_the_request_or_by_time(site: Site) -> None:
    site.gate.needs_second = True
    async with site.signed_in("sue", Role.SUPERVISOR) as sue:
        secret, recovery = await enrol(site, sue, "approval")
    assert recovery == []
    async with site.signed_in("op", Role.OPERATOR) as operator:
        await command(operator, release(site))
        for wrong in (codes.code_of_request(secret, "00000000"), "000000"):
            refused = await operator.post(APPROVE, json={"name": "sue", "code": wrong})
            assert refused.json()["code"] == "sign_in_refused"
        bound = codes.code_of_request(secret, site.gate.lane("in-d1")["approval"]["request_no"])
        assert (await operator.post(APPROVE, json={"name": "sue", "code": bound})).status_code == 200
    assert site.gate.approved[-1][2].label == "user:sue"
    assert site.gate.approved_with == "code"


APPROVE = "/api/v1/lanes/in-d1/commands/c-1/approve"


async def test_an_approval_code_by_time_counts_once_and_opens_no_session(site: Site) -> None:
    site.gate.needs_second = True
    async with site.signed_in("sue", Role.SUPERVISOR) as sue, site.signed_in("op", Role.OPERATOR) as operator:
        secret, _ = await enrol(site, sue, "approval")
        await command(operator, release(site))
        code = now(site, secret)
        refused = await operator.post("/api/v1/session", json={"name": "sue", "password": code})
        assert refused.status_code == 401
        assert (await operator.post(APPROVE, json={"name": "sue", "code": code})).status_code == 200
        site.gate.change("in-d1", approval={"command_id": "c-1", "by": "user:op", "command": "release"})
        again = await operator.post(APPROVE, json={"name": "sue", "code": code})
        assert again.json()["code"] == "sign_in_refused"


async def test_a_code_without_a_waiting_command_is_not_even_looked_at(site: Site) -> None:
    async with site.signed_in("op", Role.OPERATOR) as operator:
        answer = await operator.post(APPROVE, json={"name": "sue", "code": "123456"})
    assert (answer.status_code, answer.json()["code"]) == (409, "command_refused")


async def test_a_second_person_with_a_device_gives_its_code_with_the_password(site: Site) -> None:
    site.gate.needs_second = True
    async with site.signed_in("sue", Role.SUPERVISOR) as sue:
        secret, _ = await enrol(site, sue)
    async with site.signed_in("op", Role.OPERATOR) as operator:
        await command(operator, release(site))
        needed = await operator.post(APPROVE, json={"name": "sue", "password": PASSWORD})
        assert needed.json()["code"] == "second_factor_needed"
        given = {"name": "sue", "password": PASSWORD, "code": now(site, secret)}
        assert (await operator.post(APPROVE, json=given)).status_code == 200


async def test_a_session_locks_after_its_time_and_only_its_person_unlocks_it(site: Site) -> None:
    async with site.signed_in("op", Role.OPERATOR) as operator, site.signed_in("sue", Role.SUPERVISOR):
        site.clock.offset += timedelta(seconds=600)
        assert (await operator.post("/api/v1/session/activity", json={})).status_code == 200
        site.clock.offset += timedelta(seconds=899)
        assert (await operator.get("/api/v1/session")).json()["locked"] is False
        site.clock.offset += timedelta(seconds=1)
        assert (await operator.get("/api/v1/session")).json()["locked"] is True
        assert (await operator.get("/api/v1/lanes")).status_code == 200
        refused = await command(operator, release(site))
        assert (refused.status_code, refused.json()["code"]) == (403, "session_locked")
        assert (await operator.post("/api/v1/session/unlock", json={"password": "wrong"})).status_code == 401
        assert (await operator.post("/api/v1/session/unlock", json={"password": PASSWORD})).status_code == 200
        assert (await command(operator, release(site))).status_code == 200
    assert site.gate.given[-1][2].label == "user:op"


async def test_looking_is_no_sign_of_a_person(site: Site) -> None:
    async with site.signed_in("op", Role.OPERATOR) as operator:
        for _ in range(4):
            site.clock.offset += timedelta(seconds=300)
            assert (await operator.get("/api/v1/lanes")).status_code == 200
        assert (await operator.get("/api/v1/session")).json()["locked"] is True


async def test_the_next_person_takes_the_terminal_over_and_the_session_before_ends(site: Site) -> None:
    async with site.signed_in("op", Role.OPERATOR) as operator, site.signed_in("sue", Role.SUPERVISOR):
        before = dict(operator.cookies)
        await operator.post("/api/v1/session/lock", json={})
        switched = await operator.post("/api/v1/session", json={"name": "sue", "password": PASSWORD})
        assert switched.json()["name"] == "sue"
        async with site.client(cookies=before) as old:
            assert (await old.get("/api/v1/session")).status_code == 401
    kinds = [(kind, actor) for kind, actor, _ in site.recorded if kind in {"sign_in", "sign_out"}]
    assert kinds[-2:] == [("sign_out", "user:op"), ("sign_in", "user:sue")]


async def test_an_administrator_changes_roles_and_resets_who_lost_everything(site: Site) -> None:
    async with site.signed_in("root", Role.ADMINISTRATOR) as root, site.signed_in("sue", Role.OPERATOR) as sue:
        await enrol(site, sue)
        assert (await root.post("/api/v1/users/sue/role", json={"role": "supervisor"})).status_code == 200
        assert (await sue.get("/api/v1/session")).status_code == 401
        assert (await root.post("/api/v1/users/root/role", json={"role": "operator"})).status_code == 422
        assert (await root.post("/api/v1/users/nobody/reset", json={"password": PASSWORD})).status_code == 404
        assert (await root.post("/api/v1/users/sue/reset", json={"password": "weak"})).status_code == 422
        assert (await root.post("/api/v1/users/sue/reset", json={"password": PASSWORD})).status_code == 200
        assert (await sign_in(site, "sue")).json()["role"] == "supervisor"
        await root.post("/api/v1/users/sue/disable", json={})
        assert (await sign_in(site, "sue")).status_code == 401
        assert (await root.post("/api/v1/users/sue/enable", json={})).status_code == 200
        assert (await sign_in(site, "sue")).status_code == 200


async def test_a_new_password_ends_all_other_sessions(site: Site) -> None:
    async with site.signed_in("sue", Role.SUPERVISOR) as sue, site.client() as other:
        await other.post("/api/v1/session", json={"name": "sue", "password": PASSWORD})
        given = {"password": PASSWORD, "new": "another long word"}
        assert (await sue.post("/api/v1/account/password", json=given)).status_code == 200
        assert (await sue.get("/api/v1/session")).status_code == 200
        assert (await other.get("/api/v1/session")).status_code == 401
        assert (await sign_in(site, "sue")).status_code == 401
