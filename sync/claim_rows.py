"""The rows of claims: what was asked of the centre for which passage, and how it stands. Statements only.

States: `unclaimed` (decided while the centre could not be asked), `asked` (it may have been granted), `granted`,
`refused`; then one of `returning` → `returned` (never crossed), `used` (crossed on a claim that stood), `unconfirmed`
(crossed without one: the centre is to be asked who else used the slip) → `used` or `contested`.
"""

# ruff: noqa: S608 - the only words put into statements are our own lists of states

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from sync.statements import Row, marks, run, scalar

UNSETTLED: Final = "('unclaimed','asked','granted','refused')"
BEGIN: Final = (
    "INSERT INTO claims (passage_id, slips, state, at_us, lane) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (passage_id) DO UPDATE SET slips = excluded.slips, at_us = excluded.at_us, lane = excluded.lane,"
    " state = CASE WHEN claims.state = 'asked' THEN 'asked' ELSE excluded.state END"
    " WHERE claims.state IN ('unclaimed','asked','refused')"
)
"""Before the centre is asked. A claim that was granted stays so, whatever becomes of asking again."""
GRANT: Final = (
    "UPDATE claims SET slips = ?, state = 'granted', at_us = ?, lease_until_us = ?, due_at_us = ?, attempts = 0,"
    f" reason = NULL WHERE passage_id = ? AND state IN {UNSETTLED}"
)
GRANTED_TOO_LATE: Final = (
    "UPDATE claims SET state = 'returning', due_at_us = ?, attempts = 0"
    " WHERE passage_id = ? AND state IN ('returning','returned')"
)
"""The passage ended while the centre was being asked: what it granted is given back."""
REFUSE: Final = (
    "UPDATE claims SET state = 'refused', lease_until_us = NULL, due_at_us = NULL, reason = ?"
    f" WHERE passage_id = ? AND state IN {UNSETTLED}"
)
GIVE_BACK: Final = (
    "UPDATE claims SET state = CASE WHEN state IN ('asked','granted') THEN 'returning' ELSE 'returned' END,"
    f" due_at_us = ?, attempts = 0 WHERE passage_id = ? AND state IN {UNSETTLED}"
)
RETURNED: Final = (
    "UPDATE claims SET state = 'returned', due_at_us = NULL, reason = NULL WHERE passage_id = ? AND state = 'returning'"
)
PUT_OFF: Final = (
    "UPDATE claims SET attempts = attempts + 1, due_at_us = ?, reason = ? WHERE passage_id = ? AND state = ?"
)
SETTLED: Final = "UPDATE claims SET state = ?, due_at_us = NULL WHERE passage_id = ? AND state = ?"
ENDED: Final = (
    "SELECT c.passage_id, c.state, c.lease_until_us, c.slips FROM claims c JOIN passages p ON p.id = c.passage_id"
    f" WHERE c.state IN {UNSETTLED} AND p.closed_at_us IS NOT NULL LIMIT ?"
)
DUE: Final = (
    "SELECT passage_id, slips, state, at_us, lane, lease_until_us, due_at_us, attempts FROM claims"
    " WHERE state IN ('returning','granted','unconfirmed') AND due_at_us <= ? ORDER BY due_at_us LIMIT ?"
)
COUNTS: Final = (
    "SELECT state, COUNT(*) FROM claims WHERE state IN"
    " ('unclaimed','asked','granted','refused','returning','unconfirmed') GROUP BY state"
)
LONGEST_REASON: Final = 400


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """One claim whose turn it is."""

    passage_id: str
    slips: tuple[str, ...]
    state: str
    at_us: int
    lane: str
    lease_until_us: int | None
    due_at_us: int
    attempts: int


def slips_text(slip_nos: Sequence[str]) -> bytes:
    """The slips of a row."""
    return json.dumps(list(slip_nos)).encode()


def look(connection: Connection, now_us: int, limit: int) -> tuple[bool, list[ClaimRow]]:
    """Whether a claim of an ended passage is to be settled, and the claims whose time has come, longest due first."""
    has_ended = run(connection, ENDED, (1,)).fetchone() is not None
    return has_ended, [_claim_of(row) for row in run(connection, DUE, (now_us, limit))]


def lease_of(connection: Connection, passage_id: str) -> tuple[frozenset[str], int | None] | None:
    """Slips and end of the claim that the centre granted this passage; None where none stands."""
    row = run(
        connection, "SELECT slips, lease_until_us FROM claims WHERE passage_id = ? AND state = 'granted'", (passage_id,)
    ).fetchone()
    return None if row is None else (frozenset(json.loads(row[0])), row[1])


def crossed_at_us(connection: Connection, passage_id: str, slip_nos: Sequence[str]) -> int | None:
    """When the passage used its claimed slips by the ledger; None where it did not."""
    found = scalar(
        connection,
        f"SELECT MAX(at_us) FROM slip_uses WHERE slip_no IN ({marks(slip_nos)}) AND passage_id = ? AND state = 'used'",
        (*slip_nos, passage_id),
    )
    return None if found is None else int(found)


def settle_ended(connection: Connection, now_us: int, limit: int) -> int:
    """Move the claims of ended passages on, by what the ledger says. Answers how many.

    What crossed within its lease is used. What crossed without one is to be confirmed. What never crossed is given
    back: that is how a claim comes home whose passage ended just before the power went.
    """
    rows = run(connection, ENDED, (limit,)).fetchall()
    for passage_id, state, lease_until_us, slips in rows:
        used_at_us = crossed_at_us(connection, passage_id, json.loads(slips))
        if used_at_us is None:
            run(connection, GIVE_BACK, (now_us, passage_id))
            continue
        is_covered = state == "granted" and (lease_until_us is None or used_at_us <= lease_until_us)
        run(connection, SETTLED, ("used" if is_covered else "unconfirmed", passage_id, state))
        if not is_covered:
            run(connection, "UPDATE claims SET due_at_us = ?, attempts = 0 WHERE passage_id = ?", (now_us, passage_id))
    return len(rows)


def counts(connection: Connection, now_us: int) -> dict[str, Any]:
    """How many claims stand in each state that is not final, and of the granted how many leases have run out."""
    found: dict[str, Any] = {str(row[0]): row[1] for row in run(connection, COUNTS)}
    expired = scalar(
        connection, "SELECT COUNT(*) FROM claims WHERE state = 'granted' AND lease_until_us < ?", (now_us,)
    )
    return {**found, "expired": int(expired)}


def _claim_of(row: Row) -> ClaimRow:
    return ClaimRow(row[0], tuple(json.loads(row[1])), row[2], row[3], row[4] or "", row[5], row[6] or 0, row[7])
