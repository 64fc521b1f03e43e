"""What of a passage's vehicle and people lies outside the passage's own records: slip of the form, draws, and photos
from before it began.

Found and blanked by `sync.erasure`, in its transaction. A slip of the form that no vehicle has used yet stays: it can
still be shown at a lane; the erasure of the passage that uses it takes it along.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from gate_service.domain.draws import day_of
from gate_service.domain.vehicle import comparable_plate
from sync.columns import from_us
from sync.encoding import parse_us, to_json
from sync.statements import marks, run

NO_PLATE: Final = "-"
"""In place of the plate of a slip of the form: no plate that is read compares equal to it."""
DRAWN: Final = ("spot:", "weigh:")
SLIPS: Final = (
    "SELECT l.slip_no, l.document, l.made_record FROM local_slips l JOIN slip_uses u ON u.slip_no = l.slip_no"
    " WHERE u.passage_id = ? AND u.state = 'used' AND l.plate <> ?"
)
DRAWS: Final = (  # before a passage has begun, at the post before the lanes, a draw is of no passage
    "SELECT name, day, passage_id, record_number FROM draws WHERE NOT is_of_slip AND (passage_id = ?"
    " OR (passage_id = '' AND name IN ({}) AND day IN (?, ?)))"
)
PHOTOS: Final = (  # a photo of the vehicle at the approach is of no passage until its own begins, which names it again
    "SELECT DISTINCT before.record_number FROM files own JOIN records r ON r.number = own.record_number"
    " JOIN files before ON before.sha256 = own.sha256 JOIN records b ON b.number = before.record_number"
    " WHERE r.passage_id = ? AND b.passage_id IS NULL"
)


@dataclass(frozen=True, slots=True)
class Traces:
    """`slips`: number and document of each; `draws`: name and day of each; `records`: of no passage, that tell them."""

    slips: tuple[tuple[str, dict[str, Any]], ...]
    draws: tuple[tuple[str, str], ...]
    records: tuple[int, ...]


def find(connection: Connection, passage_id: str, document: Mapping[str, Any], closed_at_us: int) -> Traces:
    """Of a closed passage that is not erased yet."""
    plates = [document.get("plate"), *document.get("other_plates", ()), *document.get("plates_set_aside", ())]
    names = [prefix + comparable_plate(plate) for prefix in DRAWN for plate in plates if plate]
    days = [day_of(from_us(at_us)).isoformat() for at_us in (parse_us(document["opened_at"]), closed_at_us)]
    slips = run(connection, SLIPS, (passage_id, NO_PLATE)).fetchall()
    draws = run(connection, DRAWS.format(marks(names)), (passage_id, *names, *days)).fetchall()
    photos = run(connection, PHOTOS, (passage_id,)).fetchall()
    numbers = {row[2] for row in slips} | {row[3] for row in draws if row[2] == ""} | {row[0] for row in photos}
    return Traces(
        tuple((row[0], _without_people(json.loads(row[1]))) for row in slips),
        tuple((row[0], row[1]) for row in draws),
        tuple(sorted(numbers)),
    )


def blank(connection: Connection, traces: Traces) -> None:
    """Take plates and people out of the tables."""
    for slip_no, document in traces.slips:
        values = (to_json(document), NO_PLATE, slip_no)
        run(connection, "UPDATE local_slips SET document = ?, plate = ? WHERE slip_no = ?", values)
    for name, day in traces.draws:
        run(connection, "DELETE FROM draws WHERE name = ? AND day = ?", (name, day))


def _without_people(slip: dict[str, Any]) -> dict[str, Any]:
    """The slip with its goods and masses, without vehicle and driver."""
    vehicle = {**slip["vehicle"], "plate": "", "trailer_plate": None}
    return {**slip, "vehicle": vehicle, "driver": {"name": "", "escort": None}, "erased": True}
