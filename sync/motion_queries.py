"""The ledger of unexplained motion: every motion that no recorded command explains, and what a person said of it.

The record itself is the ledger; `sync.shifts` takes the word of a person (`settlements`). Reads only.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import Connection

from sync.columns import from_us
from sync.database import Database
from sync.encoding import read_facts
from sync.shifts import TO_BE_SETTLED
from sync.statements import Row, marks, run, scalar

ASKING: Final = ", ".join(f"'{kind}'" for kind in TO_BE_SETTLED)
KINDS: Final = f"{ASKING}, 'local_button'"
"""What moved without a command of this service; who uses a local button is in sight of the boom and answers for it."""

NEEDS: Final = {"motion_unexplained": "explanation", "emergency_raise": "review"}
SETTLED: Final = "settlements s ON s.subject = 'record:' || r.number"
LINES: Final = (
    "SELECT r.number, r.kind, r.at_us, r.actor, r.lane, r.passage_id, r.facts,"  # noqa: S608 - our own words
    " s.settled_record, s.settled_by, s.settled_at_us, s.outcome, s.note"
    f" FROM records r LEFT JOIN {SETTLED} WHERE r.kind IN ({KINDS}) AND r.number < ?"
)
OPEN: Final = f" AND r.kind IN ({ASKING}) AND s.subject IS NULL"
NEWEST_FIRST: Final = " ORDER BY r.number DESC LIMIT ?"
COUNT: Final = f"SELECT count(*) FROM records r LEFT JOIN {SETTLED} WHERE r.kind IN ({ASKING}) AND s.subject IS NULL"  # noqa: S608 - our own words


class MotionLedger:
    """Reads the ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, limit: int, before: int | None, *, open_only: bool, lanes: Collection[str] | None = None
    ) -> dict[str, Any]:
        """Newest first, those below a record number; `open`: how many lines nobody has explained or reviewed. `lanes`:
        those of these lanes only, None for all.
        """
        ours = tuple(sorted(lanes or ()))
        of_lanes = "" if lanes is None else f" AND r.lane IN ({marks(ours)})"
        sql = LINES + (OPEN if open_only else "") + of_lanes + NEWEST_FIRST
        below = 2**62 if before is None else before

        def read(connection: Connection) -> tuple[list[Row], int]:
            rows = run(connection, sql, (below, *ours, limit)).fetchall()
            return rows, int(scalar(connection, COUNT + of_lanes, ours))

        rows, count = await self._database.read(read)
        lines = [_line(row) for row in rows]
        return {"motions": lines, "open": count, "before": lines[-1]["number"] if len(lines) == limit else None}


def _line(row: Row) -> dict[str, Any]:
    number, kind, at_us, actor, lane, passage_id, facts, settled_record, settled_by, settled_at_us, outcome, note = row
    known = read_facts(facts)
    settled = None
    if settled_record is not None:
        settled = {
            "record": settled_record,
            "by": settled_by,
            "at": from_us(settled_at_us).isoformat(),
            "outcome": outcome,
            "note": note,
        }
    return {
        "number": number,
        "kind": kind,
        "what": known.get("what", kind),
        "at": from_us(at_us).isoformat(),
        "by": actor,
        "lane": lane,
        "passage_id": passage_id,
        "facts": known,
        "needs": NEEDS.get(kind),
        "settled": settled,
    }
