"""The registers: lists with search, and their changes by people."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from gate_service.web import guard
from gate_service.web.bodies import described, reader
from gate_service.web.context import Limit, Parts
from gate_service.web.guard import Admitted
from gate_service.web.once import Key, once
from gate_service.web.register_bodies import CameBack, GateForm, InsideNow, InspectionResult, Reasoned, VehicleLine

router = APIRouter(prefix="/api/v1/registers", tags=["registers"], dependencies=[Depends(guard.admit)])
Search = Annotated[str, Query(max_length=64, description="a piece of a number, plate or name")]


@router.get("/{register}")
async def rows(web: Parts, register: str, q: Search = "", limit: Limit = 200) -> dict[str, Any]:
    """One register: vehicles, goods, inside, tares, temporary_exits, declarations, preassessed, inspections,
    between_gates.
    """
    return await web.gate.registers.rows(register, q, limit)


@router.post("/vehicles", openapi_extra=described(VehicleLine))
async def put_vehicle(
    web: Parts, caller: Admitted, body: Annotated[VehicleLine, Depends(reader(VehicleLine))]
) -> dict[str, Any]:
    """Register a service vehicle, or change the site's own line of it."""
    return await web.gate.registers.put_vehicle(body.line(), caller.actor)


@router.post("/vehicles/{plate}/end", openapi_extra=described(Reasoned))
async def end_vehicle(
    web: Parts, caller: Admitted, plate: str, body: Annotated[Reasoned, Depends(reader(Reasoned))]
) -> dict[str, Any]:
    """End the site's own line of a service vehicle."""
    return await web.gate.registers.end_vehicle(plate, body.reason, caller.actor)


@router.post("/goods", openapi_extra=described(GateForm))
async def register_goods(
    web: Parts, caller: Admitted, body: Annotated[GateForm, Depends(reader(GateForm))], key: Key = None
) -> Response:
    """Gate-registered goods: a slip of type 5 with a number of this gate. An Idempotency-Key makes repeats harmless."""

    async def work() -> dict[str, Any]:
        return await web.gate.registers.register_goods(body.form(), caller.actor)

    return await once(web, caller, key, ["goods", body.model_dump(mode="json")], work)


@router.post("/goods/{slip_no}/void", openapi_extra=described(Reasoned))
async def void_goods(
    web: Parts, caller: Admitted, slip_no: str, body: Annotated[Reasoned, Depends(reader(Reasoned))]
) -> dict[str, Any]:
    """Void a slip of the form that no vehicle has used."""
    return await web.gate.registers.void_goods(slip_no, body.reason, caller.actor)


@router.post("/inside/{plate}", openapi_extra=described(InsideNow))
async def set_inside(
    web: Parts, caller: Admitted, plate: str, body: Annotated[InsideNow, Depends(reader(InsideNow))]
) -> dict[str, Any]:
    """Put the ledger of vehicles inside right: a person saw that the vehicle is inside, or gone."""
    return await web.gate.registers.set_inside(plate, body.inside, body.reason, caller.actor)


@router.post("/temporary_exits/{slip_no}/return", openapi_extra=described(CameBack))
async def returned(
    web: Parts, caller: Admitted, slip_no: str, body: Annotated[CameBack, Depends(reader(CameBack))]
) -> dict[str, Any]:
    """Goods that left for a time came back."""
    return await web.gate.registers.returned(slip_no, body.passage_id or "", body.reason, caller.actor)


@router.post("/inspections/{passage_id}/result", openapi_extra=described(InspectionResult))
async def inspected(
    web: Parts, caller: Admitted, passage_id: str, body: Annotated[InspectionResult, Depends(reader(InspectionResult))]
) -> dict[str, Any]:
    """The result of an inspection: found or not, and what."""
    return await web.gate.registers.inspected(passage_id, body.found, body.what, caller.actor)
