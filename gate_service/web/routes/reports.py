"""Reports over a period, as JSON and as tables, and the draws anybody may check."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime

from gate_service.web import guard
from gate_service.web.context import Parts
from gate_service.web.csv_tables import csv_answer

router = APIRouter(prefix="/api/v1/reports", tags=["reports"], dependencies=[Depends(guard.admit)])

RISK_COLUMNS: Final = ("key", "name", "passages", "interceptions", "inspections", "results", "hits")
FLOW_COLUMNS: Final = (
    "kind", "direction", "passages", "without_interception", "without_interception_pct", "to_boom_passages",
    "median_to_boom_s",
)  # fmt: skip
Since = Annotated[AwareDatetime | None, Query(description="from, inclusive; left out: 7 days before the end")]
Until = Annotated[AwareDatetime | None, Query(description="to, exclusive; left out: now")]
By = Annotated[Literal["enterprise", "credit", "goods"], Query()]


@router.get("/risk")
async def risk(web: Parts, since: Since = None, until: Until = None, by: By = "enterprise") -> dict[str, Any]:
    """Interceptions, inspections and hits, kept apart, by enterprise, credit or HS heading."""
    return await web.gate.reports.risk(since, until, by)


@router.get("/risk.csv")
async def risk_csv(web: Parts, since: Since = None, until: Until = None, by: By = "enterprise") -> Response:
    """The same as a table."""
    found = await web.gate.reports.risk(since, until, by)
    return csv_answer(f"risk-{by}.csv", RISK_COLUMNS, _page_of([*found["rows"], found["total"]]))


@router.get("/flow")
async def flow(web: Parts, since: Since = None, until: Until = None) -> dict[str, Any]:
    """Per lane class: the share of passages that met no interception, and the median time from arrival to boom."""
    return await web.gate.reports.flow(since, until)


@router.get("/flow.csv")
async def flow_csv(web: Parts, since: Since = None, until: Until = None) -> Response:
    """The same as a table."""
    found = await web.gate.reports.flow(since, until)
    return csv_answer("flow.csv", FLOW_COLUMNS, _page_of([*found["rows"], {"kind": "total", **found["total"]}]))


@router.get("/draws")
async def draws(web: Parts) -> dict[str, Any]:
    """Commitments by day; the secret and the draws of each day that is over, for anybody to check."""
    return await web.gate.reports.draws()


async def _page_of(rows: list[dict[str, Any]]) -> AsyncIterator[list[dict[str, Any]]]:
    yield rows
