"""A change that is asked for twice is made once: with an Idempotency-Key the first answer is given again."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

from fastapi import Header, Response
from fastapi.responses import JSONResponse

from gate_service.domain.errors import GateError, IdempotencyError, OutcomeUnknownError, RecordError
from gate_service.web.context import Web
from gate_service.web.problems import problem_of, status_of
from sync.accounts import Caller
from sync.idempotency import Answer

SHAPE: Final = re.compile(r"[\x21-\x7e]{1,128}")
Key = Annotated[str | None, Header(alias="Idempotency-Key", description="one per intended act; repeats are answered")]


async def once(
    web: Web, caller: Caller, key: str | None, asked: list[Any], work: Callable[[], Awaitable[dict[str, Any]]]
) -> Response:
    """Do the work and keep its answer, refusals too. Raises IdempotencyError; without a key nothing is kept."""
    if key is None:
        return JSONResponse(await work(), 201)
    if SHAPE.fullmatch(key) is None:
        raise IdempotencyError("Idempotency-Key: a header of 1 to 128 visible ASCII characters expected")
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
    kept = await web.idempotency.once(caller.actor.label, key, digest, lambda: _first(work))
    kind = "application/json" if kept.status < 400 else "application/problem+json"
    return Response(kept.body, kept.status, media_type=kind)


async def _first(work: Callable[[], Awaitable[dict[str, Any]]]) -> Answer:
    try:
        return Answer(201, bytes(JSONResponse(await work()).body))
    except (RecordError, OutcomeUnknownError):
        raise
    except GateError as error:
        return Answer(status_of(error), bytes(problem_of(error).body))
