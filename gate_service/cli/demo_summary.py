"""The one object that a demo ends with. Pure: what receivers, yard and record say goes in, counts come out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from devices.simulator.demo.site import lane_named
from devices.simulator.demo.stories import Visit

JsonDict = dict[str, Any]

VERDICTS: Final = ("release", "review", "inspect", "refuse")
YARD_COUNTS: Final = ("checks", "crossings", "boom_on_vehicle", "motion_without_command", "crossing_without_record")


def passage_line(passage: Mapping[str, Any]) -> JsonDict:
    """One passage as the summary lists it. `reasons` leave warnings out; `verdict` null: it left undecided."""
    lane = lane_named(str(passage["lane"]))
    scanned = list(passage.get("scanned") or ())
    checks = passage.get("checks") or ()
    return {
        "id": passage["id"],
        "lane": lane.lane_id,
        "lane_kind": lane.kind,
        "direction": lane.direction,
        "slip_no": scanned[0] if scanned else None,
        "plate": passage.get("plate"),
        "tier": passage.get("tier"),
        "verdict": passage.get("verdict"),
        "gross_kg": passage.get("gross_kg"),
        "reasons": sorted({check["reason_code"] for check in checks if check["verdict"] != "release"}),
        "disposition": passage.get("disposition"),
        "outcome": passage.get("outcome"),
    }


def crossings_recorded(passages: Iterable[Mapping[str, Any]]) -> list[JsonDict]:
    """What the record says has crossed, for the judge to compare."""
    return [
        {"lane": passage["lane"], "plate": passage.get("plate"), "at": passage["crossed_at"]}
        for passage in passages
        if passage.get("crossed_at")
    ]


def summary(
    *,
    trucks: int,
    report: Mapping[str, Any],
    passages: Sequence[Mapping[str, Any]],
    events: Mapping[str, int],
    hazmat: Mapping[str, int],
    chain: str,
) -> JsonDict:
    """The summary of CONTRACT 2. `report` is the judge's; `violations` is the judge's count."""
    lines = [passage_line(passage) for passage in passages]
    counted = Counter(line["verdict"] for line in lines)
    return {
        "trucks": trucks,
        "yard": {name: report[name] for name in YARD_COUNTS},
        "verdicts": {verdict: counted[verdict] for verdict in VERDICTS},
        "passages": lines,
        "events": dict(events),
        "hazmat": dict(hazmat),
        "chain": chain,
        "violations": report["violations"],
    }


def is_consistent(found: Mapping[str, Any]) -> bool:
    """Whether nothing was violated, everything recorded was counted by its receiver, and the chain holds."""
    events, hazmat = found["events"], found["hazmat"]
    return bool(
        found["violations"] == 0
        and found["chain"] == "ok"
        and events["recorded"] == events["delivered"]
        and events["parked"] == 0
        and hazmat["recorded"] == hazmat["delivered"]
    )


def surprises(visits: Iterable[Visit], passages: Iterable[Mapping[str, Any]]) -> list[str]:
    """Trucks whose last verdict or reasons are not those the plan expects; one line each, empty when all are."""
    lines = [passage_line(passage) for passage in passages]
    found = {line["slip_no"] or line["plate"]: line for line in lines}
    told = []
    for visit in visits:
        line = found.get(visit.slip_no or visit.plate)
        expected = visit.expected
        if expected.verdict is None:
            if line is not None and line["verdict"] is not None:
                told.append(
                    f"{visit.truck_id} {visit.story} in {visit.lane.lane_id}: no verdict expected, found {line}"
                )
            continue
        is_resolved = expected.final != expected.verdict
        reasons = [reason for reason in expected.reasons if not (is_resolved and reason == "plate_unread")]
        if line is None or (line["verdict"], line["reasons"]) != (expected.final, reasons):
            shown = None if line is None else (line["verdict"], line["reasons"])
            told.append(
                f"{visit.truck_id} {visit.story} in {visit.lane.lane_id}: "
                f"{expected.final} for {reasons} expected, found {shown}"
            )
    return told
