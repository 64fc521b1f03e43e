"""The reference central system: CONTRACT 3 for demo and tests. `python -m sync.reference.central --token T`.

Under `/control/` (this machine only) it is loaded, read and disturbed:
`POST changes` (list of changes), `POST uses`, `POST forget-cursors`, `GET counts`, `GET events?after=&limit=`,
`GET claims`, `GET checkpoints`, `POST|DELETE|GET faults`,
`POST options` {"duplicate_pages": bool, "shuffle": bool, "lease_s": number}.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sync.reference.central_state import CentralState
from sync.reference.faults import FaultInjector
from sync.reference.serving import JsonMistake, common_options, fault_routes, mistake, read_json, run

LONGEST_WAIT_S: Final = 60.0
LARGEST_PAGE: Final = 5000
Endpoint = Callable[[Request], Awaitable[Response]]


class Central:
    """The addresses; everything known is in `CentralState`."""

    def __init__(self, state: CentralState, token: str) -> None:
        self.state = state
        self.token = token
        self.arrival = asyncio.Condition()
        self.options = {"duplicate_pages": False, "shuffle": False}
        self.last_page: dict[str, Any] | None = None
        self.refused_tokens = 0

    def guarded(self, endpoint: Endpoint) -> Endpoint:
        """Asks for the token and the site before the endpoint is run."""

        async def checked(request: Request) -> Response:
            given = request.headers.get("authorization", "")
            if not hmac.compare_digest(given.encode(), f"Bearer {self.token}".encode()):
                self.refused_tokens += 1
                return JSONResponse({"code": "unauthorized"}, 401)
            if not request.headers.get("gate-site"):
                return JSONResponse({"code": "input_invalid", "detail": "Gate-Site expected"}, 400)
            return await endpoint(request)

        return checked

    async def changes(self, request: Request) -> Response:
        """Delta with long poll."""
        query = request.query_params
        after = self.state.position(query.get("after"))
        if after is None:
            return JSONResponse({"code": "cursor_unknown"}, 410)
        try:
            limit = min(int(query.get("limit", "500")), LARGEST_PAGE)
            wait_s = min(float(query.get("wait", "0")), LONGEST_WAIT_S)
        except ValueError as error:
            raise JsonMistake(f"limit and wait: numbers expected ({error})") from error
        page = self._disturbed(await self._page(request, after, limit, wait_s))
        return Response(json.dumps(page), media_type="application/json")  # escaped: half a surrogate pair stays one

    async def _page(self, request: Request, after: int, limit: int, wait_s: float) -> dict[str, Any]:
        until = time.monotonic() + wait_s
        while True:
            page = self.state.page(after, limit)
            left_s = until - time.monotonic()
            if page["changes"] or left_s <= 0 or await request.is_disconnected():
                return page
            async with self.arrival:
                try:
                    await asyncio.wait_for(self.arrival.wait(), left_s)
                except TimeoutError:
                    continue

    def _disturbed(self, page: dict[str, Any]) -> dict[str, Any]:
        """Pages twice, late and out of order, as the contract allows."""
        if self.options["shuffle"]:
            random.shuffle(page["changes"])
        if self.options["duplicate_pages"]:
            earlier = self.last_page["changes"] if self.last_page else []
            self.last_page = {"changes": list(page["changes"])}
            page["changes"] = page["changes"] + earlier
        return page

    async def slip(self, request: Request) -> Response:
        """One slip."""
        found = self.state.slip(request.path_params["slip_no"])
        return JSONResponse(found) if found else JSONResponse({"code": "not_found"}, 404)

    async def slips(self, request: Request) -> Response:
        """Slips of a plate."""
        query = request.query_params
        return JSONResponse(self.state.slips_of(query.get("plate", ""), query.get("direction", "")))

    async def claim(self, request: Request) -> Response:
        """All of them or none."""
        body = await read_json(request)
        try:
            slip_nos, passage_id = [str(s) for s in body["slips"]], str(body["passage_id"])
        except (KeyError, TypeError) as error:
            raise JsonMistake(f"claim: slips and passage_id expected ({error!r})") from error
        answer = self.state.claim(request.headers["gate-site"], slip_nos, passage_id, str(body.get("at")))
        return JSONResponse(answer, 200 if answer["granted"] else 409)

    async def cancel(self, request: Request) -> Response:
        """Give a claim back; again is no mistake."""
        return JSONResponse({"returned": self.state.cancel(request.path_params["passage_id"])})

    async def events(self, request: Request) -> Response:
        """A batch of events."""
        body = await read_json(request)
        if not isinstance(body, dict) or not isinstance(body.get("events"), list) or not body.get("epoch"):
            raise JsonMistake("events: epoch and a list of events expected")
        return JSONResponse(self.state.receive(request.headers["gate-site"], str(body["epoch"]), body["events"]))

    async def take_checkpoint(self, request: Request) -> Response:
        """Where a site's record stands, signed."""
        problem = self.state.take_checkpoint(request.headers["gate-site"], await read_json(request))
        if problem is None:
            return JSONResponse({"accepted": True})
        code, detail = problem
        return JSONResponse({"code": code, "detail": detail}, 400 if code == "input_invalid" else 409)

    async def checkpoint(self, request: Request) -> Response:
        """The newest checkpoint of the site: for `gate verify --checkpoint`."""
        found = self.state.newest_checkpoint(request.headers["gate-site"])
        return JSONResponse({"checkpoint": found}) if found else JSONResponse({"code": "not_found"}, 404)

    # --- control ------------------------------------------------------------------------------------------------------

    async def load(self, request: Request) -> Response:
        """Changes in."""
        rows = await read_json(request)
        try:
            loaded = self.state.load(rows)
        except (KeyError, TypeError) as error:
            raise JsonMistake(f"changes: {error!r}") from error
        async with self.arrival:
            self.arrival.notify_all()
        return JSONResponse({"loaded": loaded})

    async def uses(self, request: Request) -> Response:
        """A slip used at another site: {"slip_no", "site", "passage_id", "at"}."""
        body = await read_json(request)
        self.state.use(body["site"], body["slip_no"], body["passage_id"], body["at"])
        return JSONResponse({})

    async def forget_cursors(self, _request: Request) -> Response:
        """Make every cursor unknown."""
        self.state.forget_cursors()
        return JSONResponse({})

    async def set_options(self, request: Request) -> Response:
        """How pages are disturbed, and how long a lease is."""
        options = await read_json(request)
        self.state.lease_s = float(options.pop("lease_s", self.state.lease_s))
        self.options.update(options)
        return JSONResponse({**self.options, "lease_s": self.state.lease_s})

    async def counts(self, _request: Request) -> Response:
        """What was received."""
        return JSONResponse({**self.state.counts(), "refused_tokens": self.refused_tokens})

    async def received(self, request: Request) -> Response:
        """Events as they arrived."""
        query = request.query_params
        return JSONResponse(self.state.received(int(query.get("after", "0")), int(query.get("limit", "1000"))))

    async def claims(self, _request: Request) -> Response:
        """Claims as they stand."""
        return JSONResponse(self.state.claims())

    async def checkpoints(self, _request: Request) -> Response:
        """The newest checkpoint of every site."""
        return JSONResponse({"checkpoints": self.state.newest_checkpoints()})


def build(state: CentralState, token: str) -> FaultInjector:
    """The application behind its faults."""
    central = Central(state, token)
    routes = [
        Route("/v1/changes", central.guarded(central.changes)),
        Route("/v1/slips", central.guarded(central.slips)),
        Route("/v1/slips/{slip_no}", central.guarded(central.slip)),
        Route("/v1/claims", central.guarded(central.claim), methods=["POST"]),
        Route("/v1/claims/{passage_id}/cancel", central.guarded(central.cancel), methods=["POST"]),
        Route("/v1/events", central.guarded(central.events), methods=["POST"]),
        Route("/v1/checkpoints", central.guarded(central.take_checkpoint), methods=["POST"]),
        Route("/v1/checkpoints", central.guarded(central.checkpoint)),
        Route("/control/changes", central.load, methods=["POST"]),
        Route("/control/uses", central.uses, methods=["POST"]),
        Route("/control/forget-cursors", central.forget_cursors, methods=["POST"]),
        Route("/control/options", central.set_options, methods=["POST"]),
        Route("/control/counts", central.counts),
        Route("/control/events", central.received),
        Route("/control/claims", central.claims),
        Route("/control/checkpoints", central.checkpoints),
    ]
    app = Starlette(routes=routes, exception_handlers={JsonMistake: mistake})
    injector = FaultInjector(app)
    app.router.routes.extend(fault_routes(injector))
    return injector


def main() -> None:
    """Run as a process."""
    parser = common_options(__doc__ or "")
    parser.add_argument("--token", required=True)
    options = parser.parse_args()
    run(build(CentralState(options.state_file), options.token), options)


if __name__ == "__main__":
    main()
