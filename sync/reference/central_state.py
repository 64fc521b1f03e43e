"""What the reference central system knows: changes, claims, events received. SQLite, in a file or in memory."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

KEY_FIELD: Final = {
    "slip": "slip_no",
    "declaration": "number",
    "enterprise": "customs_code",
    "vehicle": "plate",
    "hold": "id",
}
CHECKPOINT_FIELDS: Final = ("format", "site_id", "epoch", "records", "head", "outbox", "feed", "at", "key")
LEASE_S: Final = 12 * 3600.0  # a reference server's own number

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS changes (n INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT, key TEXT, version INTEGER,
    body TEXT NOT NULL, UNIQUE (kind, key));
CREATE TABLE IF NOT EXISTS claims (slip_no TEXT, passage_id TEXT, site TEXT, at TEXT, state TEXT NOT NULL,
    lease_until TEXT NOT NULL, PRIMARY KEY (slip_no, passage_id));
CREATE TABLE IF NOT EXISTS events (arrival INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, site TEXT, epoch TEXT,
    seq INTEGER, type TEXT, sha256 TEXT, body TEXT, UNIQUE (site, epoch, seq));
CREATE TABLE IF NOT EXISTS checkpoints (arrival INTEGER PRIMARY KEY AUTOINCREMENT, site TEXT, epoch TEXT,
    records INTEGER, head TEXT, key TEXT, body TEXT);
"""


def _now() -> str:
    return datetime.now(UTC).isoformat()


class CentralState:
    """Not thread-safe: used from one event loop."""

    def __init__(self, state_file: str) -> None:
        if state_file:
            Path(state_file).parent.mkdir(parents=True, exist_ok=True)
        self.db = sqlite3.connect(state_file or ":memory:", isolation_level=None)
        self.db.executescript(SCHEMA)
        if state_file:
            self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("INSERT OR IGNORE INTO meta VALUES ('instance', ?)", (secrets.token_hex(4),))
        self.repeats = 0
        self.conflicts = 0
        self.batches = 0
        self.lease_s = LEASE_S

    @property
    def instance(self) -> str:
        """Part of every cursor, so that a cursor of another life is known as unknown."""
        return str(self.db.execute("SELECT value FROM meta WHERE name = 'instance'").fetchone()[0])

    def forget_cursors(self) -> None:
        """Every cursor given so far becomes unknown (410)."""
        self.db.execute("UPDATE meta SET value = ? WHERE name = 'instance'", (secrets.token_hex(4),))

    # --- changes ------------------------------------------------------------------------------------------------------

    def load(self, rows: list[dict[str, Any]]) -> int:
        """Take changes as CONTRACT 3 writes them; `version` left out is the next. `raw` true takes anything."""
        self.db.execute("BEGIN")
        try:
            for row in rows:
                self._load_one(dict(row))
        finally:
            self.db.execute("COMMIT")  # what was read before a mistake stays, as in any careless back office
        return len(rows)

    def _load_one(self, row: dict[str, Any]) -> None:
        if row.pop("raw", False):
            body = row["change"]
            values = ("raw", secrets.token_hex(8), 0, json.dumps(body))
            self.db.execute("INSERT INTO changes (kind, key, version, body) VALUES (?, ?, ?, ?)", values)
            return
        kind = row["kind"]
        stored_kind = "slip" if kind == "slip_revoked" else kind
        key = row["slip_no"] if kind == "slip_revoked" else str(row[kind][KEY_FIELD[kind]])
        found = self.db.execute("SELECT version FROM changes WHERE kind = ? AND key = ?", (stored_kind, key)).fetchone()
        inner = row.get("slip") or {}
        version = row.get("version") or inner.get("version") or 0
        if found is not None and version <= found[0]:
            version = found[0] + 1
        row["version"] = max(version, 1)
        if kind == "slip":
            row["slip"] = {**row["slip"], "version": row["version"]}
        self.db.execute("DELETE FROM changes WHERE kind = ? AND key = ?", (stored_kind, key))
        self.db.execute(
            "INSERT INTO changes (kind, key, version, body) VALUES (?, ?, ?, ?)",
            (stored_kind, key, row["version"], json.dumps(row, ensure_ascii=False)),
        )

    def position(self, cursor: str | None) -> int | None:
        """Row after which to read; None for an unknown cursor."""
        if cursor is None:
            return 0
        instance, _, number = cursor.partition(".")
        return int(number) if instance == self.instance and number.isdigit() else None

    def page(self, after: int, limit: int) -> dict[str, Any]:
        """One page of changes."""
        rows = self.db.execute(
            "SELECT n, body FROM changes WHERE n > ? ORDER BY n LIMIT ?", (after, limit + 1)
        ).fetchall()
        kept = rows[:limit]
        return {
            "changes": [json.loads(body) for _, body in kept],
            "cursor": f"{self.instance}.{kept[-1][0] if kept else after}",
            "more": len(rows) > limit,
            "as_of": _now(),
        }

    def slip(self, slip_no: str) -> dict[str, Any] | None:
        """The slip as `GET /v1/slips/{no}` gives it; a revoked one is told as unknown."""
        row = self.db.execute("SELECT body FROM changes WHERE kind = 'slip' AND key = ?", (slip_no,)).fetchone()
        change = json.loads(row[0]) if row else {}
        return {**change["slip"], "as_of": _now()} if "slip" in change else None

    def slips_of(self, plate: str, direction: str) -> list[dict[str, Any]]:
        """Approved slips of a plate and direction, or past the first of two gates, that are not used up."""
        found = []
        for (body,) in self.db.execute("SELECT body FROM changes WHERE kind = 'slip'"):
            slip = json.loads(body).get("slip")
            if not slip or (slip.get("vehicle") or {}).get("plate") != plate or slip.get("direction") != direction:
                continue
            if slip.get("status") in ("approved", "first_gate_passed") and len(self._uses(slip["slip_no"])) < (
                slip.get("pass_limit") or 1
            ):
                found.append({**slip, "as_of": _now()})
        return found

    # --- claims -------------------------------------------------------------------------------------------------------

    def _uses(self, slip_no: str, other_than: str = "") -> list[dict[str, Any]]:
        rows = self.db.execute(
            "SELECT slip_no, site, passage_id, at FROM claims WHERE slip_no = ? AND passage_id <> ?"
            " AND (state = 'used' OR (state = 'claimed' AND lease_until > ?)) ORDER BY rowid",
            (slip_no, other_than, _now()),
        )
        return [dict(zip(("slip_no", "site", "passage_id", "at"), row, strict=True)) for row in rows]

    def claim(self, site: str, slip_nos: list[str], passage_id: str, at: str) -> dict[str, Any]:
        """All or none; the same passage asking again gets the same answer."""
        used_by = []
        for slip_no in slip_nos:
            uses = self._uses(slip_no, passage_id)
            slip = self.slip(slip_no)
            if len(uses) >= ((slip or {}).get("pass_limit") or 1):
                used_by += uses
        if used_by:
            return {"granted": False, "used_by": used_by}
        until = (datetime.now(UTC) + timedelta(seconds=self.lease_s)).isoformat()
        self.db.execute("BEGIN")
        for slip_no in slip_nos:
            self.db.execute(
                "INSERT INTO claims VALUES (?, ?, ?, ?, 'claimed', ?) ON CONFLICT DO UPDATE SET state = 'claimed',"
                " lease_until = excluded.lease_until WHERE state <> 'used'",
                (slip_no, passage_id, site, at, until),
            )
        self.db.execute("COMMIT")
        return {"granted": True, "lease_until_at": until}

    def cancel(self, passage_id: str) -> int:
        """Give back what is not used."""
        statement = "UPDATE claims SET state = 'returned' WHERE passage_id = ? AND state = 'claimed'"
        return self.db.execute(statement, (passage_id,)).rowcount

    def use(self, site: str, slip_no: str, passage_id: str, at: str) -> None:
        """A use elsewhere, or one that an event tells."""
        self.db.execute(
            "INSERT INTO claims VALUES (?, ?, ?, ?, 'used', '') ON CONFLICT DO UPDATE SET state = 'used'",
            (slip_no, passage_id, site, at),
        )

    # --- events -------------------------------------------------------------------------------------------------------

    def receive(self, site: str, epoch: str, events: list[Any]) -> dict[str, Any]:
        """Take a batch whole in one transaction; each event accepted, known as a repeat, or rejected."""
        accepted: list[int] = []
        rejected: list[dict[str, Any]] = []
        self.batches += 1
        self.db.execute("BEGIN")
        for event in events:
            problem = self._take(site, epoch, event)
            if problem is None:
                accepted.append(event["seq"])
            else:
                identity = event.get("id") if isinstance(event, dict) else None
                rejected.append({"id": identity, "code": problem[0], "message": problem[1]})
        self.db.execute("COMMIT")
        return {"accepted": _ranges(accepted), "rejected": rejected}

    def _take(self, site: str, epoch: str, event: Any) -> tuple[str, str] | None:
        if not isinstance(event, dict) or not isinstance(event.get("id"), str) or not isinstance(event.get("seq"), int):
            return "input_invalid", "event: id and seq expected"
        if not isinstance(event.get("type"), str) or not isinstance(event.get("data"), dict):
            return "input_invalid", "event: type and data expected"
        body = json.dumps(event, ensure_ascii=False, sort_keys=True)
        digest = hashlib.sha256(body.encode()).hexdigest()
        rows = self.db.execute(
            "SELECT id, sha256 FROM events WHERE id = ? OR (site = ? AND epoch = ? AND seq = ?)",
            (event["id"], site, epoch, event["seq"]),
        ).fetchall()
        if rows:
            if [(event["id"], digest)] == rows:
                self.repeats += 1
                return None
            self.conflicts += 1
            return "conflict", f"id {event['id']} or seq {event['seq']} is known with other content"
        self.db.execute(
            "INSERT INTO events (id, site, epoch, seq, type, sha256, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (event["id"], site, epoch, event["seq"], event["type"], digest, body),
        )
        self._effect(site, event)
        return None

    def _effect(self, site: str, event: dict[str, Any]) -> None:
        event_data = event["data"]
        slip_no, passage_id = event_data.get("slip_no"), event_data.get("passage_id")
        if event["type"] == "slip.used" and slip_no and passage_id:
            self.use(site, slip_no, passage_id, event.get("at", ""))
            if event_data.get("gate") in ("first", "second"):
                self._pass_gate(slip_no, passage_id, event_data["gate"])

    def _pass_gate(self, slip_no: str, passage_id: str, gate: str) -> None:
        """Of two gates: past the first the slip is open for the second, past the second it is used."""
        slip = self.slip(slip_no)
        if gate == "first":
            self.db.execute(
                "UPDATE claims SET state = 'first_gate' WHERE slip_no = ? AND passage_id = ?", (slip_no, passage_id)
            )
        if slip is not None:
            self._load_one({"kind": "slip", "slip": {**slip, "status": f"{gate}_gate_passed"}})

    # --- checkpoints --------------------------------------------------------------------------------------------------

    def take_checkpoint(self, site: str, found: Any) -> tuple[str, str] | None:
        """Keep a checkpoint; or why not, as code and text. A record never gets shorter, but in a new epoch."""
        problem = signature_problem(found)
        if problem is not None:
            return "input_invalid", problem
        row = self.db.execute(
            "SELECT epoch, records, head, key FROM checkpoints WHERE site = ? ORDER BY arrival DESC LIMIT 1", (site,)
        ).fetchone()
        if row is not None and row[0] == found["epoch"]:
            if found["key"] != row[3]:
                return "key_changed", f"key {row[3]} expected in epoch {row[0]}"
            if found["records"] < row[1] or (found["records"] == row[1] and found["head"] != row[2]):
                return "checkpoint_regressed", f"at least {row[1]} records with head {row[2]} expected"
            if found["records"] == row[1]:
                return None
        self.db.execute(
            "INSERT INTO checkpoints (site, epoch, records, head, key, body) VALUES (?, ?, ?, ?, ?, ?)",
            (site, found["epoch"], found["records"], found["head"], found["key"], json.dumps(found)),
        )
        return None

    def newest_checkpoint(self, site: str) -> dict[str, Any] | None:
        """The last one taken of a site."""
        row = self.db.execute(
            "SELECT body FROM checkpoints WHERE site = ? ORDER BY arrival DESC LIMIT 1", (site,)
        ).fetchone()
        return None if row is None else dict(json.loads(row[0]))

    def newest_checkpoints(self) -> list[dict[str, Any]]:
        """The last one taken of every site."""
        sites = self.db.execute("SELECT DISTINCT site FROM checkpoints ORDER BY site").fetchall()
        return [found for (site,) in sites if (found := self.newest_checkpoint(site)) is not None]

    def counts(self) -> dict[str, Any]:
        """What arrived, each event once; gaps of `seq` per site and epoch."""
        by_type = dict(self.db.execute("SELECT type, count(*) FROM events GROUP BY type"))
        streams = self.db.execute("SELECT site, epoch, count(*), max(seq) FROM events GROUP BY site, epoch").fetchall()
        gaps = [
            {"site": site, "epoch": epoch, "missing": self._missing(site, epoch)}
            for site, epoch, count, last in streams
            if count != last
        ]
        return {
            "events": sum(by_type.values()),
            "hazmat": sum(count for name, count in by_type.items() if name.startswith("hazmat.")),
            "by_type": by_type,
            "gaps": gaps,
            "repeats": self.repeats,
            "conflicts": self.conflicts,
            "batches": self.batches,
        }

    def _missing(self, site: str, epoch: str) -> list[list[int]]:
        missing, expected = [], 1
        for (seq,) in self.db.execute(
            "SELECT seq FROM events WHERE site = ? AND epoch = ? ORDER BY seq", (site, epoch)
        ):
            if seq > expected:
                missing.append([expected, seq - 1])
            expected = seq + 1
        return missing

    def received(self, after: int, limit: int) -> list[dict[str, Any]]:
        """Events in the order they arrived."""
        rows = self.db.execute(
            "SELECT arrival, body FROM events WHERE arrival > ? ORDER BY arrival LIMIT ?", (after, limit)
        )
        return [{"arrival": arrival, **json.loads(body)} for arrival, body in rows]

    def claims(self) -> list[dict[str, Any]]:
        """Every claim and its state."""
        rows = self.db.execute("SELECT slip_no, passage_id, site, at, state FROM claims ORDER BY rowid")
        return [dict(zip(("slip_no", "passage_id", "site", "at", "state"), row, strict=True)) for row in rows]


def _ranges(numbers: list[int]) -> list[list[int]]:
    ranges: list[list[int]] = []
    for number in sorted(numbers):
        if ranges and ranges[-1][1] + 1 == number:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ranges


def signature_problem(found: Any) -> str | None:
    """What is wrong with a checkpoint by docs/operations.md: written once more, apart from who signs it."""
    if not isinstance(found, dict) or any(name not in found for name in (*CHECKPOINT_FIELDS, "signature")):
        return f"checkpoint: {', '.join(CHECKPOINT_FIELDS)} and signature expected"
    if type(found["records"]) is not int or not all(isinstance(found[n], str) for n in ("epoch", "head", "key")):
        return "checkpoint: records as a number; epoch, head and key as text expected"
    signed = json.dumps([found[name] for name in CHECKPOINT_FIELDS], ensure_ascii=False, separators=(",", ":"))
    try:
        key, signature = (base64.urlsafe_b64decode(str(found[n]) + "==") for n in ("key", "signature"))
        Ed25519PublicKey.from_public_bytes(key).verify(signature, signed.encode())
    except (InvalidSignature, ValueError):
        return "checkpoint: the signature is not of its key"
    return None
