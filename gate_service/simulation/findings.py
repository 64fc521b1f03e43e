"""What is looked at once a seed is over: the whole record, and what arrived at the far sides."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final

from sqlalchemy import Connection

from gate_service.domain.passage import from_document
from gate_service.simulation.parties import Received
from gate_service.simulation.site import SimSite
from lanes.told import hazardous_lines
from sync.record_check import RecordCheck, Report

CROSSED_HAZMAT: Final = ("hazmat.entered", "hazmat.exited")


def examine(site: SimSite) -> None:
    """Compare record, parties and yard; every difference is a violation."""
    if site.inject == "cut-chain":
        _cut(site)
    _check_record(site)
    site.disk.read(lambda connection: _check_told(site, connection))
    site.disk.read(lambda connection: _check_hazmat(site, connection))
    site.disk.read(lambda connection: _check_crossings(site, connection))


def _cut(site: SimSite) -> None:
    driver: Any = site.disk.connection.connection.driver_connection
    driver.execute("DROP TRIGGER IF EXISTS records_no_update")
    driver.execute("UPDATE records SET actor = 'nobody' WHERE number = (SELECT MAX(number) / 2 FROM records)")


def _check_record(site: SimSite) -> None:
    report = Report()
    driver: Any = site.disk.connection.connection.driver_connection
    RecordCheck(driver.execute, report).run()
    for finding in report.findings[:3]:
        site.watch.violate("record_broken", None, found=finding)


def _check_told(site: SimSite, connection: Connection) -> None:
    for queue, received in (("outbox", site.centre.events), ("feed", site.authority.events)):
        rows = connection.exec_driver_sql(f"SELECT id, epoch, seq, state FROM {queue}").fetchall()  # noqa: S608 - two words of ours
        recorded = {str(row[0]) for row in rows}
        _compare(site, queue, recorded, received)
        parked = sum(row[3] == "parked" for row in rows)
        if parked:
            site.watch.violate("event_parked", None, queue=queue, events=parked)
    for epoch, seqs in site.centre.seqs.items():
        if seqs != set(range(1, len(seqs) + 1)):
            site.watch.violate("seq_gap", None, epoch=epoch, events=len(seqs), last=max(seqs))


def _compare(site: SimSite, queue: str, recorded: set[str], received: Received) -> None:
    told = set(received.bodies)
    if recorded - told:
        site.watch.violate("event_lost", None, queue=queue, events=len(recorded - told))
    if told - recorded:
        site.watch.violate("event_invented", None, queue=queue, events=len(told - recorded))
    if received.conflicts:
        site.watch.violate("event_changed", None, queue=queue, events=len(received.conflicts))


def _check_hazmat(site: SimSite, connection: Connection) -> None:
    """Each hazardous slip that crossed is told exactly once, and no other."""
    expected: Counter[str] = Counter()
    for (document,) in connection.exec_driver_sql("SELECT document FROM passages"):
        passage = from_document(json.loads(document))
        if passage.outcome == "crossed":
            slips = (passage.case or {}).get("slips", ())
            expected[passage.id] = sum(bool(hazardous_lines(slip)) for slip in slips)
    bodies = site.authority.events.bodies.values()
    told = Counter(str(body["subject"]) for body in bodies if body["type"] in CROSSED_HAZMAT)
    for passage_id in sorted(expected.keys() | told.keys()):
        if expected[passage_id] != told[passage_id]:
            counts = {"expected": expected[passage_id], "told": told[passage_id]}
            site.watch.violate("hazmat_not_once", None, passage=passage_id, **counts)


def _check_crossings(site: SimSite, connection: Connection) -> None:
    """Every vehicle that crossed stands in the record: as a crossing of its passage, or as unexplained motion."""
    crossed_trucks: Counter[str] = Counter()
    for (document,) in connection.exec_driver_sql("SELECT document FROM passages"):
        passage = json.loads(document)
        if passage.get("crossed_at"):
            crossed_trucks[site.watch.truck_of.get(passage["id"], "?")] += 1
    unexplained = Counter(
        str(row[0]) for row in connection.exec_driver_sql("SELECT lane FROM records WHERE kind = 'motion_unexplained'")
    )
    for crossing in site.yard.judge.crossings:
        if crossed_trucks[crossing.truck] > 0:
            crossed_trucks[crossing.truck] -= 1
        elif unexplained[crossing.lane] > 0:
            unexplained[crossing.lane] -= 1
        else:
            site.watch.violate("crossing_without_record", crossing.lane, truck=crossing.truck, yard_s=crossing.at_s)
    wrongly = [truck for truck, times in crossed_trucks.items() if times > 0]
    if wrongly:
        site.watch.violate("record_without_crossing", None, trucks=wrongly)
