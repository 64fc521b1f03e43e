"""Shifts with their hand-over, the emergency regime, and what is reconciled and typed in after it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from gate_service.domain.mass import Mass
from gate_service.domain.regime import RegimeTerms
from gate_service.paper_desk import PaperEntry
from gate_service.web import guard
from gate_service.web.access import WORK_LANES
from gate_service.web.bodies import Approval, Note, PaperLine, RegimeTermsBody, Settlement, Why, described, reader
from gate_service.web.context import Limit, Parts
from gate_service.web.guard import Admitted
from gate_service.web.second_person import second_person

router = APIRouter(prefix="/api/v1", tags=["duty"], dependencies=[Depends(guard.admit)])

Number = Annotated[int, Path(ge=1, lt=2**62)]
After = Annotated[int, Query(ge=0, lt=2**62)]


@router.get("/shift")
async def shift(web: Parts) -> dict[str, Any]:
    """The shift on duty, what is open, and the overrides so far."""
    return await web.gate.duty.shift_now()


@router.post("/shift/hand-over", openapi_extra=described(Note))
async def hand_over(web: Parts, caller: Admitted, body: Annotated[Note, Depends(reader(Note))]) -> dict[str, Any]:
    """Hand the shift over: what is open now is written down for the next to accept."""
    return await web.gate.duty.hand_over(_text(body.note), caller.actor)


@router.post("/shift/accept", openapi_extra=described(Note))
async def accept(web: Parts, caller: Admitted, body: Annotated[Note, Depends(reader(Note))]) -> dict[str, Any]:
    """Take the shift over; not from oneself. A supervisor may take over what nobody handed over, with a word why."""
    return await web.gate.duty.accept(_text(body.note), caller.actor)


@router.get("/shifts/{number}/log")
async def shift_log(web: Parts, number: Number, after: After = 0, limit: Limit = 200) -> dict[str, Any]:
    """What people did in a shift, and what happened that a person must know of, in the order of the record."""
    return await web.gate.duty.log(number, after, limit)


@router.post("/matters/{record}/settle", openapi_extra=described(Settlement))
async def settle(
    web: Parts, caller: Admitted, record: Number, body: Annotated[Settlement, Depends(reader(Settlement))]
) -> dict[str, Any]:
    """Explain a motion without a passage, or review an emergency raise."""
    return await web.gate.duty.settle(record, body.outcome, _text(body.note), caller.actor)


@router.get("/regimes")
async def regimes(web: Parts) -> dict[str, Any]:
    """The emergency regime that is open, the opening that waits for its second person, and earlier ones."""
    return await web.gate.duty.regimes()


@router.post("/regimes", openapi_extra=described(RegimeTermsBody))
async def ask_regime(
    web: Parts, caller: Admitted, body: Annotated[RegimeTermsBody, Depends(reader(RegimeTermsBody))]
) -> Response:
    """Ask for an emergency regime; a second person opens it within five minutes."""
    terms = RegimeTerms(
        body.reason.strip(), tuple(body.lane_kinds), tuple(body.slip_types), body.ends_at, body.passages
    )
    return JSONResponse(web.gate.duty.ask_regime(terms, caller.actor), 202)


@router.post("/regimes/{regime_id}/approve", openapi_extra=described(Approval))
async def open_regime(
    request: Request,
    web: Parts,
    caller: Admitted,
    *,
    regime_id: str,
    body: Annotated[Approval, Depends(reader(Approval))],
) -> dict[str, Any]:
    """The second person opens it: with their own session, or with name and password or one-time code."""
    number = web.gate.duty.request_number(regime_id)
    actor, how = await second_person(request, web, caller, body, roles=WORK_LANES, number=number)
    return await web.gate.duty.open_regime(regime_id, actor, how)


@router.post("/regimes/{regime_id}/close", openapi_extra=described(Why))
async def close_regime(
    web: Parts, caller: Admitted, regime_id: str, body: Annotated[Why, Depends(reader(Why))]
) -> dict[str, Any]:
    """Close it: one person is enough."""
    return await web.gate.duty.close_regime(regime_id, body.reason, caller.actor)


@router.get("/regimes/{regime_id}/passages")
async def regime_passages(web: Parts, regime_id: str) -> dict[str, Any]:
    """Every passage of a regime with its tick; `paper` in place of an id: those typed in outside any."""
    return await web.gate.paper.passed(regime_id)


@router.get("/regimes/{regime_id}/passages/{passage_id}")
async def regime_passage(web: Parts, regime_id: str, passage_id: str) -> dict[str, Any]:
    """One of them, with what centre and copy say of its slips now."""
    return await web.gate.paper.look_up(regime_id, passage_id)


@router.post("/regimes/{regime_id}/passages/{passage_id}/tick", openapi_extra=described(Settlement))
async def tick(
    web: Parts,
    caller: Admitted,
    *,
    regime_id: str,
    passage_id: str,
    body: Annotated[Settlement, Depends(reader(Settlement))],
) -> dict[str, Any]:
    """Tick one off as confirmed, or say what differs."""
    return await web.gate.paper.tick(regime_id, passage_id, body.outcome, _text(body.note), caller.actor)


@router.post("/paper-entries", openapi_extra=described(PaperLine))
async def type_in(web: Parts, caller: Admitted, body: Annotated[PaperLine, Depends(reader(PaperLine))]) -> Response:
    """Type in a line of the paper list, with the time it happened."""
    entry = PaperEntry(
        lane=body.lane,
        crossed_at=body.crossed_at,
        plate=body.plate.strip().upper(),
        slip_nos=tuple(dict.fromkeys(body.slip_nos)),
        released_by=body.released_by,
        reason=body.reason,
        paper_no=body.paper_no,
        gross=None if body.gross_kg is None else Mass.from_kg(body.gross_kg),
        regime_id=body.regime_id,
    )
    return JSONResponse(await web.gate.paper.type_in(entry, caller.actor), 201)


def _text(note: str | None) -> str | None:
    return (note or "").strip() or None
