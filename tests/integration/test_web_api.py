"""The addresses over real sockets: what they answer to what is right, and that nothing wrong is ever their fault."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest
import websockets
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gate_service.domain.commands import Command, Role, Scope
from gate_service.domain.errors import (
    InterlockError,
    LinkLostError,
    ListenRefusedError,
    NotPermittedError,
    RecordError,
)
from gate_service.web.app import create_app
from gate_service.web.server import WebServer
from gate_service.web.settings import WebSettings
from sync.accounts import Accounts, no_record
from sync.database import Database, DatabaseSettings
from tests.fakes.web_gate import FakeClock, FakeGate
from tests.fakes.web_site import Site, serve


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with serve(tmp_path) as running:
        yield running


@pytest.fixture
async def operator(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    async with site.signed_in("op", Role.OPERATOR) as client:
        yield client


def release(site: Site, **changes: object) -> dict[str, object]:
    passage = site.gate.lane("in-d1")["passage"]
    body = {
        "command": "release",
        "passage_id": passage["id"],
        "facts_version": passage["facts_version"],
        "reason_code": "documents_checked",
    }
    return body | changes


async def command(client: httpx.AsyncClient, body: object, key: str = "key-1", lane: str = "in-d1") -> httpx.Response:
    return await client.post(f"/api/v1/lanes/{lane}/commands", json=body, headers={"idempotency-key": key})


# Commands -----------------------------------------------------------------------------------------------------------


async def test_a_command_reaches_the_lane_with_its_actor_passage_and_facts(
    site: Site, operator: httpx.AsyncClient
) -> None:
    answer = await command(operator, release(site, reason=" seen ", fields={"way": "forward"}))
    assert (answer.status_code, answer.json()) == (200, {"done": "release"})
    [(lane, request, actor)] = site.gate.given
    assert (lane, request.command, request.facts_version) == ("in-d1", Command.RELEASE, 7)
    assert (request.reason_code, request.reason, request.fields) == ("documents_checked", "seen", {"way": "forward"})
    assert actor.label == "user:op"


async def test_a_command_for_another_vehicle_is_409_passage_changed(site: Site, operator: httpx.AsyncClient) -> None:
    answer = await command(operator, release(site, facts_version=6))
    assert (answer.status_code, answer.json()["code"]) == (409, "passage_changed")
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_same_key_is_answered_again_and_not_carried_out_again(
    site: Site, operator: httpx.AsyncClient
) -> None:
    first = await command(operator, release(site))
    again = await command(operator, release(site) | {"passage_id": first.request and release(site)["passage_id"]})
    assert (again.status_code, again.json()) == (200, first.json())
    assert len(site.gate.given) == 1


async def test_two_requests_at_once_with_one_key_are_one_act_and_one_answer(
    site: Site, operator: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, go_on = site.gate.command, asyncio.Event()

    async def slow(*asked: Any) -> dict[str, Any]:
        await go_on.wait()
        return await plain(*asked)

    monkeypatch.setattr(site.gate, "command", slow)
    body = release(site)
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(command(operator, body)) for _ in range(3)]
        await asyncio.sleep(0.05)  # all three are there before the first is done
        go_on.set()
    answers = [task.result() for task in asked]
    assert [(one.status_code, one.json()) for one in answers] == [(200, {"done": "release"})] * 3
    assert len(site.gate.given) == 1


async def test_a_refusal_is_kept_too(site: Site, operator: httpx.AsyncClient) -> None:
    site.gate.refuse_with = NotPermittedError("a supervisor must release this vehicle")
    assert (await command(operator, release(site))).status_code == 403
    site.gate.refuse_with = None
    again = await command(operator, release(site))
    assert (again.status_code, again.json()["code"]) == (403, "not_permitted")
    assert len(site.gate.given) == 1


async def test_the_same_key_with_another_request_is_refused(site: Site, operator: httpx.AsyncClient) -> None:
    await command(operator, release(site))
    answer = await command(operator, release(site, reason_code="other", reason="x"))
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_invalid")


async def test_the_same_key_of_somebody_else_is_another_key(site: Site, operator: httpx.AsyncClient) -> None:
    await command(operator, release(site))
    async with site.signed_in("op2", Role.OPERATOR) as other:
        await command(other, release(site))
    assert len(site.gate.given) == 2


async def test_a_request_whose_answer_was_lost_is_not_repeated(site: Site, operator: httpx.AsyncClient) -> None:
    site.gate.refuse_with = RecordError("disk full")
    assert (await command(operator, release(site))).status_code == 503
    site.gate.refuse_with = None
    answer = await command(operator, release(site))
    assert (answer.status_code, answer.json()["code"]) == (409, "outcome_unknown")
    assert len(site.gate.given) == 1


async def test_a_command_without_a_key_is_refused(site: Site, operator: httpx.AsyncClient) -> None:
    answer = await operator.post("/api/v1/lanes/in-d1/commands", json=release(site))
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_invalid")
    assert site.gate.given == []


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"passage_id": None}, "passage_id"),
        ({"facts_version": None}, "facts_version"),
        ({"facts_version": "7"}, "facts_version"),
        ({"facts_version": True}, "facts_version"),
        ({"facts_version": 7.0}, "facts_version"),
        ({"reason_code": None}, "reason_code"),
        ({"reason_code": "other"}, "reason"),
        ({"command": "open_sesame"}, "command"),
        ({"command": "raise_boom"}, "fields.side"),
        ({"command": "raise_boom", "fields": {"side": "left"}}, "fields.side"),
        ({"fields": {"slip_nos": "Z1"}}, "fields.slip_nos"),
    ],
)
async def test_a_command_that_is_not_well_formed_is_422_and_says_where(
    site: Site, operator: httpx.AsyncClient, changes: dict[str, object], named: str
) -> None:
    answer = await command(operator, release(site, **changes))
    assert (answer.status_code, answer.json()["code"]) == (422, "input_invalid"), answer.text
    assert named in answer.json()["detail"]
    assert site.gate.given == []


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InterlockError("entry loop occupied"), 409, "interlock"),
        (LinkLostError("no echo"), 409, "link_lost"),
        (NotPermittedError("two needed"), 403, "not_permitted"),
        (RecordError("disk full"), 503, "record_unwritable"),
    ],
)
async def test_refusals_of_the_lane_keep_their_code(
    site: Site, operator: httpx.AsyncClient, error: Exception, status: int, code: str
) -> None:
    site.gate.refuse_with = error
    answer = await command(operator, release(site))
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_mistake_of_ours_tells_the_caller_nothing_but_that(site: Site, operator: httpx.AsyncClient) -> None:
    site.gate.refuse_with = ValueError("secret detail")
    answer = await command(operator, release(site))
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "secret" not in answer.text


# Readers ------------------------------------------------------------------------------------------------------------


async def test_a_plate_with_false_for_a_number_is_refused_not_coerced(site: Site) -> None:
    async with await site.with_token("camera", Scope.PLATE) as camera:
        answer = await camera.post("/api/v1/lanes/in-d1/plate", json={"plate": "浙B12345", "confidence": False})
        assert (answer.status_code, answer.json()["code"]) == (422, "input_invalid")
        body = {"plate": None, "containers": [], "at": "2026-11-22T12:00:00+08:00", "unknown_field": 1}
        assert (await camera.post("/api/v1/lanes/in-d1/plate", json=body)).status_code == 200
    [(_, read)] = site.gate.plates
    assert (read.plate, read.containers, read.seals) == (None, (), None)


async def test_unknown_names_are_404(site: Site, operator: httpx.AsyncClient) -> None:
    for path in ("lanes/none", "passages/none", "slips/none", "nothing"):
        answer = await operator.get(f"/api/v1/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path


async def test_wrong_method_type_and_size_are_problems(site: Site, operator: httpx.AsyncClient) -> None:
    answers = [
        await operator.put("/api/v1/lanes"),
        await operator.post("/api/v1/routing", content=b"{}", headers={"content-type": "text/plain"}),
        await operator.post("/api/v1/routing", json={"lanes": ["x" * 70_000]}),
        await operator.post("/api/v1/routing", content=b"{" * 5000, headers={"content-type": "application/json"}),
        await operator.post("/api/v1/routing", content=b"[" * 60_000, headers={"content-type": "application/json"}),
        await operator.post("/api/v1/routing", content=b"[1]", headers={"content-type": "application/json"}),
        await operator.post("/api/v1/routing", content=b'{"a":NaN}', headers={"content-type": "application/json"}),
        await operator.post("/api/v1/routing", content=b"\xff\xfe", headers={"content-type": "application/json"}),
        await operator.get("/api/v1/passages?limit=0"),
        await operator.get("/api/v1/audit?after=" + "9" * 40),
    ]
    found = [(answer.status_code, answer.headers["content-type"]) for answer in answers[:-1]]
    assert [status for status, _ in found] == [405, 415, 413, 422, 422, 422, 422, 422, 422]
    assert {kind for _, kind in found} == {"application/problem+json"}
    assert answers[-1].status_code == 403  # an operator does not read the audit


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)
fields = ["command", "passage_id", "facts_version", "reason_code", "reason", "fields", "code", "plate", "at", "seals"]
fields += ["containers", "confidence", "name", "password", "token", "role", "scopes", "lanes"]
bodies = st.dictionaries(st.sampled_from(fields), json_values, max_size=6)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=bodies)
async def test_no_body_makes_the_service_fail(site: Site, body: dict[str, object]) -> None:
    if not hasattr(site, "fuzzers"):
        secret = await site.tokens.add_token("fuzz", [Scope.SCAN, Scope.PLATE, Scope.ROUTING], [], "service")
        site.fuzzers = {"authorization": f"Bearer {secret}"}  # type: ignore[attr-defined]
    async with site.client(headers=site.fuzzers) as client:  # type: ignore[attr-defined]
        for path in ("lanes/in-d1/scan", "lanes/in-d1/plate", "routing", "session", "first"):
            raw = json.dumps(body, ensure_ascii=True)
            answer = await client.post(f"/api/v1/{path}", content=raw, headers={"content-type": "application/json"})
            assert answer.status_code < 500, (path, raw, answer.text)


# What the answers carry ---------------------------------------------------------------------------------------------


async def test_every_answer_forbids_what_is_not_ours(site: Site, operator: httpx.AsyncClient) -> None:
    for path in ("/", "/healthz", "/api/v1/lanes", "/static/css/gate.css", "/nothing"):
        answer = await operator.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy, path
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == ("no-cache" if path.startswith("/static/") else "no-store")
        assert "server" not in answer.headers


async def test_the_description_names_every_address_and_resolves_its_references(
    site: Site, operator: httpx.AsyncClient
) -> None:
    document = (await operator.get("/api/openapi.json")).json()
    assert "/api/v1/lanes/{lane}/commands" in document["paths"]
    references = {part.split('"')[0] for part in json.dumps(document).split("#/components/schemas/")[1:]}
    assert references <= set(document["components"]["schemas"])
    page = await operator.get("/api/docs")
    assert "/api/v1/lanes/{lane}/commands" in page.text
    assert "http://" not in page.text.replace(site.url, "")


async def test_readiness_says_why_not(site: Site) -> None:
    site.gate.is_ready = False
    async with await site.with_token("prometheus", Scope.METRICS) as client:
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["reasons"]) == (503, ["record_unwritable"])
        assert (await client.get("/metrics")).text == "gate_lanes 6\n"
    async with site.client() as client:
        assert (await client.get("/healthz")).json() == {"status": "ok"}


# Live ---------------------------------------------------------------------------------------------------------------


def cookie_of(client: httpx.AsyncClient) -> dict[str, str]:
    return {"cookie": "; ".join(f"{name}={value}" for name, value in client.cookies.items())}


def socket_url(site: Site, query: str = "") -> str:
    return site.url.replace("http", "ws") + "/api/v1/live" + query


async def test_a_page_gets_every_lane_then_changes_and_a_beat_with_ages(
    site: Site, operator: httpx.AsyncClient
) -> None:
    async with websockets.connect(socket_url(site), additional_headers=cookie_of(operator), proxy=None) as socket:
        assert json.loads(await socket.recv())["type"] == "hello"
        curves = json.loads(await socket.recv())
        assert curves["type"] == "curves"
        assert set(curves["curves"]) <= set(site.gate.snapshots)
        first = json.loads(await socket.recv())
        assert [lane["id"] for lane in first["lanes"]] == list(site.gate.snapshots)
        site.gate.change("in-d2", weight={"value_kg": 22000, "status": "ok", "stable": True, "age_ms": 1})
        seen: dict[str, dict[str, object]] = {}
        async with asyncio.timeout(30):
            while set(seen) != {"lanes", "beat"} or not has_weight(seen["lanes"], 22000):
                message = json.loads(await socket.recv())
                seen[message["type"]] = message
        assert seen["beat"]["ages"]["in-d2"] == {  # type: ignore[index]
            "inputs_age_ms": 40, "weight_age_ms": 1, "devices": {"io-in-d2": 40, "wb-in-d2": 80},
        }  # fmt: skip
        assert seen["beat"]["standing"] == {
            "central": site.gate.lines["central"], "regime": {"open": None, "pending": None}, "handed_by": None,
        }  # fmt: skip


def has_weight(message: dict[str, object], kg: int) -> bool:
    lanes: list[dict[str, dict[str, int]]] = message["lanes"]  # type: ignore[assignment]
    return any(lane["weight"] is not None and lane["weight"]["value_kg"] == kg for lane in lanes)


async def test_a_driver_display_sees_its_lane_only_and_never_the_verdict(site: Site) -> None:
    secret = await site.tokens.add_token("display", [Scope.DISPLAY], ["in-d1"], "service")
    headers = {"cookie": f"gate_display={secret}"}
    async with websockets.connect(socket_url(site, "?lane=in-d1"), additional_headers=headers, proxy=None) as socket:
        await socket.recv()
        [lane] = json.loads(await socket.recv())["lanes"]
    assert set(lane) == {"id", "name", "driver", "lights", "fire", "inputs_age_ms"}
    for query in ("?lane=in-d2", ""):
        with pytest.raises(websockets.InvalidStatus):
            await websockets.connect(socket_url(site, query), additional_headers=headers, proxy=None)


async def test_a_socket_of_another_origin_or_without_a_session_is_refused(
    site: Site, operator: httpx.AsyncClient
) -> None:
    cookie = cookie_of(operator)
    for headers in ({}, cookie | {"origin": "https://evil.example"}):
        with pytest.raises(websockets.InvalidStatus) as refused:
            await websockets.connect(socket_url(site), additional_headers=headers, proxy=None)
        assert refused.value.response.status_code == 403


async def test_a_socket_closes_when_its_user_is_disabled(site: Site, operator: httpx.AsyncClient) -> None:
    async with websockets.connect(socket_url(site), additional_headers=cookie_of(operator), proxy=None) as socket:
        await socket.recv()
        await site.accounts.disable_user("op", "service")
        async with asyncio.timeout(15):
            with suppress(websockets.ConnectionClosed):
                while await socket.recv():
                    pass
        assert socket.close_code == 1008


async def test_the_hazmat_stream_resumes_after_the_last_id(site: Site) -> None:
    async with await site.with_token("zone", Scope.HAZMAT) as zone:
        for last, expected in ((None, ["e1", "e2"]), ("1", ["e2"])):
            headers = {} if last is None else {"last-event-id": last}
            async with zone.stream("GET", "/api/v1/hazmat/stream", headers=headers) as answer:
                found = []
                async for line in answer.aiter_lines():
                    if line.startswith("data:"):
                        found.append(json.loads(line[5:])["id"])
                    if len(found) == len(expected):
                        break
            assert found == expected


async def test_the_server_stops_at_once_with_fifty_sockets_and_streams_open(tmp_path: Path) -> None:
    async with asyncio.timeout(30), AsyncExitStack() as clients:  # still open when the server is asked to stop
        async with serve(tmp_path, stop_within_s=60) as site:
            client = await clients.enter_async_context(site.signed_in("op", Role.OPERATOR))
            headers = cookie_of(client)
            sockets = [
                await websockets.connect(socket_url(site), additional_headers=headers, proxy=None) for _ in range(50)
            ]
            request = client.build_request("GET", "/api/v1/events")
            stream = await client.send(request, stream=True)
            began = monotonic()
        took_s = monotonic() - began
        for socket in sockets:
            await socket.close()
        await stream.aclose()
    assert took_s < 8.0, took_s  # what does not end by itself is cut off after a minute


# Where the service may listen ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("listen", "has_users", "is_allowed"),
    [
        (WebSettings(host="127.0.0.1"), False, True),
        (WebSettings(host="::1"), False, True),
        (WebSettings(host="localhost"), False, True),
        (WebSettings(host="0.0.0.0"), True, False),
        (WebSettings(host="gate.example"), True, False),
        (WebSettings(host="0.0.0.0", plain_http_off_loopback=True), True, True),
        (WebSettings(host="0.0.0.0", plain_http_off_loopback=True), False, False),
        (WebSettings(host="0.0.0.0", tls_certificate=Path("c"), tls_key=Path("k")), True, True),
        (WebSettings(host="0.0.0.0", tls_certificate=Path("c"), tls_key=Path("k")), False, False),
    ],
)
async def test_off_loopback_needs_accounts_and_tls_or_words(
    listen: WebSettings, has_users: bool, is_allowed: bool
) -> None:
    from gate_service.web.server import check_listen

    if is_allowed:
        check_listen(listen, has_users=has_users)
    else:
        with pytest.raises(ListenRefusedError):
            check_listen(listen, has_users=has_users)


async def test_a_server_without_accounts_refuses_to_start_off_loopback(tmp_path: Path) -> None:
    async with Database(DatabaseSettings(tmp_path, reserve_bytes=0)) as database:
        accounts = Accounts(database, FakeClock(), no_record)
        listen = WebSettings(host="0.0.0.0", port=0, plain_http_off_loopback=True)
        app = create_app(FakeGate(), accounts, listen, FakeClock())
        with pytest.raises(ListenRefusedError):
            async with WebServer(app, listen):
                pass


JPEG = b"\xff\xd8\xff\xe0" + b"0" * 2000


async def test_a_photo_is_kept_and_given_back_as_it_came(site: Site) -> None:
    async with site.signed_in("op", Role.OPERATOR) as client:
        answer = await client.post("/api/v1/lanes/in-d1/photos", content=JPEG, headers={"content-type": "image/jpeg"})
        assert answer.status_code == 200, answer.text
        found = await client.get(f"/api/v1/files/{answer.json()['sha256']}")
        assert (found.content, found.headers["content-type"]) == (JPEG, "image/jpeg")
        assert found.headers["x-content-type-options"] == "nosniff"
        assert (await client.get("/api/v1/files/none")).status_code == 404


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"", "image/jpeg", 422),
        (b"<script>", "image/png", 422),
        (JPEG, "image/png", 422),
        (JPEG, "text/html", 415),
        (JPEG, "application/json", 415),
        (JPEG + bytes(8 * 2**20), "image/jpeg", 413),
    ],
)
async def test_what_is_no_photo_is_refused_with_a_reason(
    operator: httpx.AsyncClient, content: bytes, kind: str, status: int
) -> None:
    answer = await operator.post("/api/v1/lanes/in-d1/photos", content=content, headers={"content-type": kind})
    assert answer.status_code == status
    assert answer.json()["code"]
