"""Signing in with a real OpenID Connect provider, written by others (npm oidc-provider), as a browser would."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import unescape
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from gate_service.domain.commands import Role
from gate_service.domain.errors import OutsideSignInError
from sync.oidc import OidcSettings, OpenIdConnect
from tests.fakes.held_port import HeldPort
from tests.fakes.web_gate import FakeClock
from tests.fakes.web_site import PASSWORD, PLAIN, Site, serve

PROVIDER = Path(__file__).parent / "peers" / "oidc_provider.mjs"
ROLES = {"gate-supervisors": Role.SUPERVISOR, "gate-operators": Role.OPERATOR}
SECRET = "a secret of the test"


@asynccontextmanager
async def provider(back: str) -> AsyncIterator[str]:
    """The provider in a process of its own; its issuer."""
    with HeldPort() as held:
        process = await asyncio.create_subprocess_exec(
            "node", str(PROVIDER), str(held.number), back,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            line = await asyncio.wait_for(process.stdout.readline(), 60)
            while not line.startswith(b"{"):
                line = await asyncio.wait_for(process.stdout.readline(), 60)
            yield str(json.loads(line)["issuer"])
        finally:
            process.kill()
            await process.wait()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    with HeldPort() as held:
        async with provider(f"http://127.0.0.1:{held.number}/sign-in/outside/back") as issuer:
            settings = OidcSettings(issuer, "gate", SECRET, "groups", ROLES)
            outside = OpenIdConnect(settings, FakeClock(), lambda: httpx.AsyncClient(verify=PLAIN, timeout=30))
            async with serve(tmp_path, port=held.number, provider=outside, has_outside_sign_in=True) as running:
                yield running


async def through_the_provider(browser: httpx.AsyncClient, name: str) -> httpx.Response:
    """Follow the links and send the forms that a person would; ends at the first answer that is neither."""
    answer = await browser.get("/sign-in/outside")
    for _ in range(12):
        if answer.is_redirect:
            answer = await browser.get(urljoin(str(answer.url), answer.headers["location"]))
            continue
        form = re.search(r'<form[^>]*action="([^"]+)"[^>]*>(.*?)</form>', answer.text, re.DOTALL)
        if form is None or "/sign-in/" in str(answer.url):
            return answer
        fields = dict(re.findall(r'name="([^"]+)"\s+value="([^"]*)"', form[2]))
        fields |= {"login": name, "password": "anything"} if 'name="login"' in form[2] else {}
        answer = await browser.post(urljoin(str(answer.url), unescape(form[1])), data=fields)
    raise AssertionError("the provider went round in circles")


async def test_somebody_whom_the_provider_proves_has_the_role_of_their_group(site: Site) -> None:
    async with site.client() as browser:
        landed = await through_the_provider(browser, "sue")
        assert (landed.status_code, 'data-home="/"' in landed.text) == (200, True), landed.text
        session = (await browser.get("/api/v1/session")).json()
        assert (session["name"], session["role"]) == ("sue", "supervisor")
    async with site.client() as again:
        await through_the_provider(again, "sue")
        assert (await again.get("/api/v1/session")).json()["name"] == "sue"
    made = [facts for kind, _, facts in site.recorded if kind == "user_added"]
    assert [(one["name"], one["role"]) for one in made] == [("sue", "supervisor")]
    assert [facts["how"] for kind, _, facts in site.recorded if kind == "sign_in"] == ["provider", "provider"]


async def test_no_password_opens_an_account_of_the_provider(site: Site) -> None:
    async with site.client() as browser:
        await through_the_provider(browser, "sue")
    async with site.client() as client:
        for guess in ("!", "anything", PASSWORD):
            answer = await client.post("/api/v1/session", json={"name": "sue", "password": guess})
            assert answer.status_code == 401


async def test_a_group_without_a_role_here_opens_nothing(site: Site) -> None:
    async with site.client() as browser:
        refused = await through_the_provider(browser, "guest")
        assert (refused.status_code, refused.json()["code"]) == (401, "outside_sign_in_refused")
        assert (await browser.get("/api/v1/session")).status_code == 401
    assert await site.accounts.users() == []


async def test_a_local_account_of_the_same_name_is_not_taken_over(site: Site) -> None:
    await site.accounts.add_user("sue", Role.OPERATOR, PASSWORD, "service")
    async with site.client() as browser:
        refused = await through_the_provider(browser, "sue")
        assert refused.status_code == 401
    assert [user["role"] for user in await site.accounts.users()] == ["operator"]


async def test_a_disabled_account_of_the_provider_opens_nothing(site: Site) -> None:
    async with site.client() as browser:
        await through_the_provider(browser, "olga")
        await site.accounts.disable_user("olga", "service")
        assert (await browser.get("/api/v1/session")).status_code == 401
        assert (await through_the_provider(browser, "olga")).status_code == 401


async def test_another_browser_cannot_finish_a_sign_in_and_none_is_finished_twice(site: Site) -> None:
    async with site.client() as victim, site.client() as other:
        answer = await victim.get("/sign-in/outside")
        state = answer.headers["location"].split("state=")[1].split("&")[0]
        back = f"/sign-in/outside/back?code=x&state={state}"
        assert (await other.get(back)).status_code == 401
        assert (await victim.get(back)).status_code == 401  # the code is not the provider's
        assert (await victim.get(back)).status_code == 401
        assert (await victim.get("/api/v1/session")).status_code == 401


async def test_an_answer_of_another_provider_is_refused(site: Site) -> None:
    async with site.client() as browser:
        answer = await browser.get("/sign-in/outside")
        state = answer.headers["location"].split("state=")[1].split("&")[0]
        forged = await browser.get(f"/sign-in/outside/back?code=x&state={state}&iss=https://evil.example")
        assert (forged.status_code, forged.json()["code"]) == (401, "outside_sign_in_refused")


async def test_a_provider_that_does_not_answer_is_an_error_in_words() -> None:
    with HeldPort() as nobody:
        settings = OidcSettings(f"http://127.0.0.1:{nobody.number}", "gate", None, "groups", ROLES)
        outside = OpenIdConnect(settings, FakeClock(), lambda: httpx.AsyncClient(verify=PLAIN, timeout=2))
        with pytest.raises(OutsideSignInError, match="an answer expected"):
            await outside.begin("http://127.0.0.1/back")
