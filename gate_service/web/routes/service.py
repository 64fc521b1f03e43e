"""Liveness, readiness, metrics and devices."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from gate_service.web import guard
from gate_service.web.context import Parts
from gate_service.web.guard import Admitted

router = APIRouter(tags=["service"], dependencies=[Depends(guard.admit)])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process answers. Says nothing else: it is open to everybody."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(web: Parts) -> Response:
    """200 while lanes can be worked, else 503 with the reasons."""
    health = web.gate.health()
    return JSONResponse(health, 200 if health["ready"] else 503)


@router.get("/metrics")
async def metrics(web: Parts) -> Response:
    """Prometheus text format."""
    return PlainTextResponse(web.gate.metrics_text(), media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/api/v1/devices")
async def devices(web: Parts, caller: Admitted) -> dict[str, Any]:
    """Every device with its fault and the age of its last good answer; to a token bound to lanes theirs only."""
    if not caller.lanes:
        return await web.gate.devices()
    mine = [device for lane in web.gate.lanes() if lane["id"] in caller.lanes for device in lane["devices"]]
    return {"devices": list({device["device"]: device for device in mine}.values())}
