"""One caller that runs wild is slowed down; others are not."""

import httpx
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from gate_service.web import rate
from gate_service.web.rate import RateLimit


def limited(per_s=10.0, burst=5.0):
    async def here(_request):
        return PlainTextResponse("ok")

    return RateLimit(Starlette(routes=[Route("/", here), Route("/healthz", here)]), per_s, burst)


async def ask(app, who="one", path="/"):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gate", verify=False) as client:
        return await client.get(path, headers={"authorization": f"Bearer {who}"})


async def test_a_burst_passes_then_the_caller_waits_and_others_do_not(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(rate, "monotonic", lambda: now[0])
    app = limited()
    assert [(await ask(app)).status_code for _ in range(6)] == [200] * 5 + [429]
    refused = await ask(app)
    assert (refused.json()["code"], int(refused.headers["retry-after"])) == ("too_many_requests", 1)
    assert (await ask(app, "two")).status_code == 200
    assert (await ask(app, path="/healthz")).status_code == 200
    now[0] = 0.1
    assert [(await ask(app)).status_code for _ in range(2)] == [200, 429]


async def test_a_limit_of_nothing_counts_nothing():
    app = limited(per_s=0.0, burst=1.0)
    assert {(await ask(app)).status_code for _ in range(20)} == {200}


def test_callers_without_end_take_no_memory_without_end():
    limit = RateLimit(lambda *_: None, 10.0, 5.0)
    for number in range(rate.REMEMBERED + 100):
        limit._take(str(number), 0.0)
    assert len(limit._buckets) == rate.REMEMBERED
