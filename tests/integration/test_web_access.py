"""Who gets in where: every role and every scope against every address, over real sockets."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect

from gate_service.domain.commands import Command, Role, Scope
from gate_service.domain.errors import InputError
from gate_service.web.access import ADDRESSES, COMMANDS, TABLE, Address
from gate_service.web.app import addresses_of
from tests.fakes.web_site import BROWSER, PASSWORD, Site, serve

BODIES = {
    "/api/v1/lanes/{lane}/scan": {"code": "Z1"},
    "/api/v1/lanes/{lane}/plate": {"plate": "浙B12345"},
    "/api/v1/routing": {"lanes": []},
}
STREAMS = {"/api/v1/events", "/api/v1/hazmat/stream"}


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with serve(tmp_path) as running:
        yield running


def concrete(address: Address) -> str:
    known = {"lane": "in-d1", "path:path": "none.js", "number": "1", "record": "1", "purpose": "sign_in"}
    return re.sub(r"\{([^}]+)\}", lambda name: known.get(name[1], "none"), address.path)


async def asked(client: httpx.AsyncClient, address: Address) -> tuple[int, str]:
    """Status and problem code, of streams without reading them to an end that never comes."""
    body = BODIES.get(address.path, {}) if address.method == "POST" else None
    async with client.stream(address.method, concrete(address), json=body) as answer:
        if answer.status_code < 400:
            return answer.status_code, ""
        return answer.status_code, str(json.loads(await answer.aread()).get("code", ""))


NOT_LET_IN = {"not_signed_in", "access_denied"}  # by the table; `not_permitted` comes later, from what was asked for


HTTP = [address for address in ADDRESSES if address.method != "WS"]
LAST = ["/api/v1/session/lock", "/api/v1/session"]  # after them a session does little, then nothing


def in_turn(addresses: Iterable[Address]) -> list[Address]:
    """All addresses, those that end what a session may do last."""
    return sorted(addresses, key=lambda one: LAST.index(one.path) if one.path in LAST and one.method != "GET" else -1)


async def test_without_a_session_or_token_only_the_open_addresses_answer(site: Site) -> None:
    async with site.client() as client:
        for address in HTTP:
            status, code = await asked(client, address)
            assert (code == "not_signed_in") is (not address.is_open), (address, status)


@pytest.mark.parametrize("role", list(Role))
async def test_a_role_uses_the_addresses_of_its_line_and_no_other(site: Site, role: Role) -> None:
    async with site.signed_in("somebody", role) as client:
        for address in in_turn(HTTP):
            if address.is_open:
                continue
            status, code = await asked(client, address)
            assert (code in NOT_LET_IN) is (role not in address.roles), (role, address, status, code)
            assert status < 500


def test_every_route_of_the_application_has_its_line_and_every_line_its_route(site: Site) -> None:
    assert addresses_of(site.app) == set(TABLE)


@pytest.mark.parametrize("role", list(Role))
async def test_a_locked_session_watches_and_does_nothing(site: Site, role: Role) -> None:
    async with site.signed_in("somebody", role) as client:
        assert (await client.post("/api/v1/session/lock", json={})).status_code == 200
        for address in in_turn(HTTP):
            if address.is_open or role not in address.roles:
                continue
            is_locked = (await asked(client, address))[1] == "session_locked"
            assert is_locked is not address.while_locked, address


async def test_who_must_have_a_second_factor_and_has_none_only_enrols(tmp_path: Path) -> None:
    must = frozenset({Role.SUPERVISOR})
    async with (
        serve(tmp_path, second_factor_roles=must) as site,
        site.signed_in("sue", Role.SUPERVISOR) as sue,
        site.signed_in("op", Role.OPERATOR) as operator,
    ):
        assert (await operator.get("/api/v1/lanes")).status_code == 200
        for address in in_turn(HTTP):
            if address.is_open or Role.SUPERVISOR not in address.roles:
                continue
            _, code = await asked(sue, address)
            if code == "session_locked":  # once it has locked itself
                continue
            is_missing = code == "second_factor_missing"
            assert is_missing is not address.to_begin, (address, code)


@pytest.mark.parametrize("scope", list(Scope))
async def test_a_token_uses_the_addresses_of_its_scope_and_no_other(site: Site, scope: Scope) -> None:
    async with await site.with_token("device", scope) as client:
        for address in HTTP:
            if address.is_open:
                continue
            status, code = await asked(client, address)
            assert (code in NOT_LET_IN) is (scope is not address.scope), (scope, address, status, code)


async def test_a_token_bound_to_a_lane_does_not_reach_the_next(site: Site) -> None:
    async with await site.with_token("scanner", Scope.SCAN, "in-d1") as client:
        assert (await client.post("/api/v1/lanes/in-d1/scan", json={"code": "Z1"})).status_code == 200
        assert (await client.post("/api/v1/lanes/in-d2/scan", json={"code": "Z1"})).status_code == 403
    assert site.gate.scans == [("in-d1", "Z1", None)]


async def test_a_token_bound_to_a_lane_is_told_of_that_lane_and_nothing_of_the_site(site: Site) -> None:
    site.gate.motions = [{"lane": "in-d1", "number": 2}, {"lane": "in-d2", "number": 1}]
    others = [one for one in site.gate.snapshots if one != "in-d1"]
    secret = await site.tokens.add_token("bound", list(Scope), ["in-d1"], "service")
    async with site.client(headers={"authorization": f"Bearer {secret}"}) as client:
        for address in HTTP:
            if address.scope is None or address.path in STREAMS:
                continue
            status, code = await asked(client, address)
            expected = not (address.lane_bound or address.is_cut or address.path == "/api/openapi.json")
            assert ((status, code) == (403, "not_permitted")) is expected, (address, status, code)
            if address.is_cut and not expected and status == 200:
                told = (await client.get(concrete(address))).text
                assert "in-d1" in told, address
                assert not [one for one in others if one in told], address
        assert (await client.get("/api/v1/hazmat/stream")).json()["code"] == "not_permitted"
        assert (await client.get("/api/v1/passages?lane=in-d2")).json()["code"] == "not_permitted"
        passage = site.gate.lane("in-d1")["passage"]["id"]
        assert (await client.get(f"/api/v1/passages/{passage}")).status_code == 200
    other = await site.tokens.add_token("other", [Scope.READ], ["in-d2"], "service")
    async with site.client(headers={"authorization": f"Bearer {other}"}) as client:
        assert (await client.get("/api/v1/passages")).json()["passages"] == []
        assert (await client.get(f"/api/v1/passages/{passage}")).json()["code"] == "not_permitted"


async def test_a_stream_to_a_token_bound_to_a_lane_tells_of_that_lane(site: Site) -> None:
    async with (
        await site.with_token("listener", Scope.EVENTS, "in-d1") as client,
        client.stream("GET", "/api/v1/events") as answer,
    ):
        told = []
        async for line in answer.aiter_lines():
            told.append(line)
            if line.startswith("data:") and told[-2] == "event: beat":
                break
    assert any('"in-d1"' in line for line in told)
    assert not [line for line in told for one in site.gate.snapshots if one != "in-d1" and f'"{one}"' in line]


async def test_a_read_that_counts_for_no_passage_yet_is_answered_202(site: Site) -> None:
    site.gate.read_answer = {"kept_for_next": True}
    for scope, kind, body in ((Scope.SCAN, "scan", {"code": "Z1"}), (Scope.PLATE, "plate", {"plate": None})):
        async with await site.with_token(f"reader-{kind}", scope, "in-d1") as client:
            answer = await client.post(f"/api/v1/lanes/in-d1/{kind}", json=body)
            assert (answer.status_code, answer.json()) == (202, {"kept_for_next": True})


@pytest.mark.parametrize("role", list(Role))
async def test_a_role_gives_the_commands_of_its_line_and_no_other(site: Site, role: Role) -> None:
    passage = site.gate.lane("in-d1")["passage"]
    async with site.signed_in("somebody", role) as client:
        for command in Command:
            body = {
                "command": command,
                "passage_id": passage["id"],
                "facts_version": passage["facts_version"],
                "reason_code": "test",
                "fields": {"side": "exit"},
            }
            answer = await client.post(
                "/api/v1/lanes/in-d1/commands", json=body, headers={"idempotency-key": f"k-{command}"}
            )
            assert (answer.status_code != 403) is (role in COMMANDS[command]), (role, command, answer.text)


async def test_a_cookie_without_its_csrf_token_changes_nothing(site: Site) -> None:
    async with site.signed_in("op", Role.OPERATOR) as client:
        del client.headers["x-csrf-token"]
        answer = await client.post("/api/v1/lanes/in-d1/commands", json={}, headers={"idempotency-key": "k"})
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")
        assert (await client.delete("/api/v1/session")).status_code == 403
        assert (await client.get("/api/v1/session")).status_code == 200


async def test_another_origin_changes_nothing_even_with_the_token(site: Site) -> None:
    async with site.signed_in("op", Role.OPERATOR) as client:
        answer = await client.delete("/api/v1/session", headers={"origin": "https://evil.example"})
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")


@pytest.mark.parametrize("origin", ["http://[", "null", "", "//"])
async def test_an_origin_that_is_none_is_another_one(site: Site, origin: str) -> None:
    async with site.client() as client:
        answer = await client.post("/api/v1/session", json={}, headers={"origin": origin})
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")


async def test_an_empty_bearer_header_does_not_stand_in_for_the_csrf_token(site: Site) -> None:
    async with site.signed_in("op", Role.OPERATOR) as client:
        del client.headers["x-csrf-token"]
        answer = await client.delete("/api/v1/session", headers={"authorization": "Bearer"})
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")


async def test_a_browser_without_a_session_is_led_to_sign_in(site: Site) -> None:
    async with site.client(headers=BROWSER) as client:
        answer = await client.get("/")
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/")
        assert (await client.get("/sign-in")).status_code == 200


async def test_sessions_of_a_disabled_user_end_at_once(site: Site) -> None:
    async with site.signed_in("op", Role.OPERATOR) as client:
        assert (await client.get("/api/v1/lanes")).status_code == 200
        await site.accounts.disable_user("op", "service")
        assert (await client.get("/api/v1/lanes")).status_code == 401
        answer = await client.post("/api/v1/session", json={"name": "op", "password": PASSWORD})
        assert answer.status_code == 401


async def test_an_open_stream_of_a_disabled_user_ends(site: Site) -> None:
    async with site.signed_in("op", Role.OPERATOR) as client, client.stream("GET", "/api/v1/events") as answer:
        lines = answer.aiter_lines()
        assert await anext(lines) == "event: lane"
        await site.accounts.disable_user("op", "service")
        rest = [line async for line in lines]
        assert len(rest) < 200


async def test_an_open_socket_of_a_disabled_user_ends_at_once(site: Site) -> None:
    async with site.signed_in("op", Role.OPERATOR) as client:
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        address = f"ws://127.0.0.1:{site.server.port}/api/v1/live"
        async with connect(address, additional_headers={"cookie": cookie}) as socket:
            await asyncio.wait_for(socket.recv(), 30)
            await site.accounts.disable_user("op", "service")
            await asyncio.wait_for(socket.wait_closed(), 15)
            assert socket.close_code == 1008  # RFC 6455 7.4.1: policy violation


async def test_a_revoked_token_ends_at_once(site: Site) -> None:
    async with await site.with_token("reader", Scope.READ) as client:
        assert (await client.get("/api/v1/lanes")).status_code == 200
        await site.tokens.disable_token("reader", "service")
        assert (await client.get("/api/v1/lanes")).status_code == 401


async def test_a_display_token_in_the_address_becomes_a_cookie_and_leaves_the_address(site: Site) -> None:
    secret = await site.tokens.add_token("display", [Scope.DISPLAY], ["in-d1"], "service")
    async with site.client(headers=BROWSER) as client:
        answer = await client.get(f"/driver/in-d1?token={secret}")
        assert (answer.status_code, answer.headers["location"]) == (303, "/driver/in-d1")
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert (await client.get("/driver/in-d1")).status_code == 200
        assert (await client.get("/driver/in-d2")).status_code == 403
        assert (await client.get("/driver/in-d1?token=wrong")).status_code == 303


async def test_signing_in_is_locked_after_failures_and_everything_is_recorded(site: Site) -> None:
    await site.accounts.add_user("op", Role.OPERATOR, PASSWORD, "service")
    async with site.client() as client:
        for _ in range(5):
            answer = await client.post("/api/v1/session", json={"name": "op", "password": "wrong"})
            assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_refused")
        answer = await client.post("/api/v1/session", json={"name": "op", "password": PASSWORD})
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_attempts")
        assert int(answer.headers["retry-after"]) > 0
    assert [kind for kind, _, _ in site.recorded] == ["user_added", *["sign_in_failed"] * 5]
    assert PASSWORD not in json.dumps([facts for _, _, facts in site.recorded])


async def test_the_one_time_link_makes_the_first_administrator_once(site: Site) -> None:
    link = await site.server.first_link()
    assert link is not None
    code = link.partition("#")[2]
    body = {"token": code, "name": "root", "password": PASSWORD}
    async with site.client(headers=BROWSER) as client:
        assert (await client.get("/first")).status_code == 200
        wrong = await client.post("/api/v1/first", json=body | {"token": "wrong"})
        assert wrong.status_code == 401
        assert (await client.post("/api/v1/first", json=body)).status_code == 201
        assert (await client.post("/api/v1/first", json=body | {"name": "second"})).status_code == 401
        assert (await client.get("/first")).status_code == 404
        signed_in = await client.post("/api/v1/session", json={"name": "root", "password": PASSWORD})
        assert signed_in.json()["role"] == "administrator"
    assert await site.server.first_link() is None


async def test_headers_without_end_are_refused_and_not_kept(site: Site) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", site.server.port)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: ")
    for _ in range(7):
        writer.write(b"a" * 10_000)
        await writer.drain()
        await asyncio.sleep(0.01)
    async with asyncio.timeout(30):
        assert (await reader.readline()).startswith(b"HTTP/1.1 400")
    writer.close()
    async with site.client(headers={"x-much": "a" * 30_000}) as client:
        assert (await client.get("/healthz")).status_code == 200


async def test_a_client_that_goes_with_half_its_body_fills_no_log(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    head = b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
    _, writer = await asyncio.open_connection("127.0.0.1", site.server.port)
    writer.write(head)
    await writer.drain()
    async with site.client() as client:
        await client.get("/healthz")
        writer.close()
        await writer.wait_closed()
        await client.get("/healthz")
    await asyncio.sleep(0.05)
    assert [one.message for one in caplog.records if one.levelname == "ERROR"] == []


async def test_a_stream_from_a_cursor_that_is_none_never_begins(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(*_: object) -> None:
        raise InputError("after: a cursor of this address expected")

    async with site.signed_in("zone", Role.AUTHORITY) as client:
        monkeypatch.setattr(site.gate, "hazmat_entries", refused)
        answer = await client.get("/api/v1/hazmat/stream?after=x")
        assert (answer.status_code, answer.json()["code"]) == (422, "input_invalid")
