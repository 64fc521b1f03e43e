"""The reference zone authority: receives the hazardous-chemical feed of CONTRACT 5 and checks every signature with the
verifier of the Standard Webhooks library. `python -m sync.reference.authority --secret whsec_…`.

Under `/control/` (this machine only): `GET counts`, `GET received`, `POST|DELETE|GET faults`.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from pathlib import Path
from typing import Any, Final

from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sync.reference.faults import FaultInjector
from sync.reference.serving import common_options, fault_routes, mistake, run

HOOK_PATH: Final = "/hooks/gate"
REQUIRED: Final = ("specversion", "id", "source", "type")
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS received (arrival INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, type TEXT, subject TEXT,
    sha256 TEXT, body TEXT NOT NULL);
"""


class Authority:
    """Counts each message once, by its id."""

    def __init__(self, state_file: str, secret: str) -> None:
        if state_file:
            Path(state_file).parent.mkdir(parents=True, exist_ok=True)
        self.db = sqlite3.connect(state_file or ":memory:", isolation_level=None)
        self.db.executescript(SCHEMA)
        self.webhook = Webhook(secret)
        self.tally = {"attempts": 0, "repeats": 0, "conflicts": 0, "bad_signatures": 0, "bad_messages": 0}

    async def hook(self, request: Request) -> Response:
        """One message in."""
        body = await request.body()
        self.tally["attempts"] += 1
        try:
            event = self.webhook.verify(body, dict(request.headers))
        except (WebhookVerificationError, ValueError) as error:
            self.tally["bad_signatures"] += 1
            return JSONResponse({"code": "signature_invalid", "detail": str(error)}, 401)
        problem = _problem(event, request)
        if problem:
            self.tally["bad_messages"] += 1
            return JSONResponse({"code": "input_invalid", "detail": problem}, 400)
        return self._keep(event, body)

    def _keep(self, event: dict[str, Any], body: bytes) -> Response:
        digest = hashlib.sha256(body).hexdigest()
        known = self.db.execute("SELECT sha256 FROM received WHERE id = ?", (event["id"],)).fetchone()
        if known is not None:
            is_repeat = known[0] == digest
            self.tally["repeats" if is_repeat else "conflicts"] += 1
            return JSONResponse({"repeat": True}) if is_repeat else JSONResponse({"code": "conflict"}, 409)
        self.db.execute(
            "INSERT INTO received (id, type, subject, sha256, body) VALUES (?, ?, ?, ?, ?)",
            (event["id"], event["type"], event.get("subject"), digest, body.decode()),
        )
        return JSONResponse({}, 201)

    async def counts(self, _request: Request) -> Response:
        """What was received, each message once."""
        by_type = dict(self.db.execute("SELECT type, count(*) FROM received GROUP BY type"))
        hazmat = sum(count for name, count in by_type.items() if name.startswith("hazmat."))
        return JSONResponse({"events": sum(by_type.values()), "hazmat": hazmat, "by_type": by_type, **self.tally})

    async def received(self, _request: Request) -> Response:
        """Messages in the order they came."""
        rows = self.db.execute("SELECT body FROM received ORDER BY arrival")
        return JSONResponse([json.loads(body) for (body,) in rows])


def _problem(event: Any, request: Request) -> str | None:
    """What is wrong with a message as a CloudEvents 1.0 JSON object, or None."""
    if request.headers.get("content-type", "").split(";")[0] != "application/cloudevents+json":
        return "content type application/cloudevents+json expected"
    if not isinstance(event, dict) or any(not isinstance(event.get(name), str) for name in REQUIRED):
        return f"a CloudEvents object with {', '.join(REQUIRED)} expected"
    if event["specversion"] != "1.0" or event["id"] != request.headers.get("webhook-id"):
        return "specversion 1.0 and the id of the header expected"
    return None if event["type"].startswith("hazmat.") else "a type that begins with hazmat. expected"


def build(authority: Authority) -> FaultInjector:
    """The application behind its faults."""
    routes = [
        Route(HOOK_PATH, authority.hook, methods=["POST"]),
        Route("/control/counts", authority.counts),
        Route("/control/received", authority.received),
    ]
    app = Starlette(routes=routes, exception_handlers={ValueError: mistake})
    injector = FaultInjector(app)
    app.router.routes.extend(fault_routes(injector))
    return injector


def main() -> None:
    """Run as a process."""
    parser = common_options(__doc__ or "")
    parser.add_argument("--secret", default="", help="whsec_…; or --secret-file")
    parser.add_argument("--secret-file", default="")
    options = parser.parse_args()
    secret = options.secret or Path(options.secret_file).read_text(encoding="ascii").split()[0]
    run(build(Authority(options.state_file, secret)), options, hook_path=HOOK_PATH)


if __name__ == "__main__":
    main()
