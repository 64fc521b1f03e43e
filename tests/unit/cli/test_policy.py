"""`gate policy check`, `gate policy compare` and `gate replay PASSAGE`, over a real record."""

from __future__ import annotations

import asyncio
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gate_service.cli import policy as verb
from gate_service.cli import replay_passage
from gate_service.cli.app import app
from gate_service.cli.data_directory import Place
from gate_service.domain.errors import InputError, NotFoundError, PolicyError
from gate_service.domain.record import Entry
from lanes.policy.case import read_case
from lanes.policy.defaults import DEFAULTS
from lanes.policy.engine import assess
from sync.database import Database, DatabaseSettings
from sync.journal import SqlJournal
from sync.past_passages import past_passages
from tests.fakes.policy_cases import case

DEFAULT = Path("config/policy/default.toml")
START = datetime(2026, 11, 22, tzinfo=UTC)
STRICTER = DEFAULTS | {"version": "x", "tiers": DEFAULTS["tiers"] | {
    "strict": {"weigh": "always", "tolerance_kg": 0, "tolerance_pct": 1}}}  # fmt: skip


def passage(number: int, gross_kg: int | None):
    at = (START + timedelta(hours=number)).isoformat()
    stored = {"id": f"p{number}", "lane": "in-1", "direction": "inbound", "state": "idle", "opened_at": at,
              "closed_at": at, "plate": "x", "verdict": None, "case": None, "assessment": None}  # fmt: skip
    if gross_kg is not None:
        document = case(weight={"gross_kg": gross_kg})
        stored |= {"case": document, "assessment": assess(read_case(document)).as_record()}
    return stored


async def _fill(directory: Path) -> None:
    settings = DatabaseSettings(directory, reserve_bytes=0)
    async with Database(settings) as database, SqlJournal(database, "K1") as journal:
        for number, gross_kg in enumerate((30000, 30600, 40000, None)):
            stored = passage(number, gross_kg)
            await journal.write(
                Entry("decision", START, "service", {}, lane="in-1", passage_id=stored["id"], passage=stored)
            )


@pytest.fixture(scope="module")
def record(tmp_path_factory) -> Path:
    directory = tmp_path_factory.mktemp("record")
    asyncio.run(_fill(directory))
    return directory


def written(tmp_path, document, name="new.json"):
    path = tmp_path / name
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_a_sound_policy_is_told_in_one_line(capsys):
    assert verb.check(DEFAULT, as_json=True) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["version"], told["lines"], told["problems"]) == ("2026-11-01", 12, 0)


def test_every_mistake_is_told_with_its_place_and_what_is_allowed(tmp_path, capsys):
    bad = DEFAULTS | {"colour": 1, "tiers": DEFAULTS["tiers"] | {"strict": {"weigh": "never", "tolerance_pct": 21}},
                      "assign": [{"when": {"type": ["9"], "credit": "x"}, "tier": "none"}]}  # fmt: skip
    assert verb.check(written(tmp_path, bad), as_json=True) == 1
    places = [json.loads(line)["place"] for line in capsys.readouterr().out.splitlines()]
    assert places == [
        "$.colour", "tiers.strict.tolerance_pct", "tiers.strict.tolerance_kg", "tiers.strict.weigh",
        "assign[0].tier", "assign[0].when.type", "assign[0].when.credit",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "word"),
    [
        ("a.toml", "version = \n", "line 1"), ("a.json", '{"version": }', "line 1 column"), ("b.json", "[]", "table"),
        ("c.json", '{"a":1,"a":2}', "twice"), ("d.json", '{"a":NaN}', "NaN"), ("e.json", "\udcff", "UTF-8"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_policy_says_where(tmp_path, capsys, name, text, word):
    path = tmp_path / name
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert verb.check(path, as_json=False) == 1
    assert word in capsys.readouterr().out


def test_no_file_is_wrong_use(tmp_path, capsys):
    assert verb.check(tmp_path / "none.toml", as_json=False) == 2
    assert "no such file" in capsys.readouterr().err


def test_two_policies_are_compared_over_the_record(record, tmp_path, capsys):
    new = written(tmp_path, STRICTER)
    assert verb.compare_files(DEFAULT, new, Place(record), since=None, before=None, limit=10, as_json=True) == 0
    told = json.loads(capsys.readouterr().out)
    # 30 600 is new, 40 000 stays with another allowance
    assert (told["compared"], told["skipped"], told["changed"]) == (3, 1, 2)
    assert told["verdicts"] == [
        {"old": "release", "new": "release", "passages": 1}, {"old": "release", "new": "review", "passages": 1},
        {"old": "review", "new": "review", "passages": 1},
    ]  # fmt: skip
    assert verb.compare_files(DEFAULT, new, Place(record), since=None, before=None, limit=10, as_json=False) == 0
    assert "release -> review: 1  *" in capsys.readouterr().out


def test_a_span_of_time_narrows_and_the_same_policy_changes_nothing(record, capsys):
    since, before = START.isoformat(), (START + timedelta(hours=2)).isoformat()
    assert verb.compare_files(DEFAULT, DEFAULT, Place(record), since=since, before=before, limit=10, as_json=True) == 0
    assert json.loads(capsys.readouterr().out)["compared"] == 2


def test_a_policy_with_mistakes_and_a_time_without_offset_are_refused(record, tmp_path):
    bad = written(tmp_path, {"colour": 1})
    with pytest.raises(PolicyError, match="colour"):
        verb.compare_files(DEFAULT, bad, Place(record), since=None, before=None, limit=1, as_json=True)
    with pytest.raises(InputError, match="--since"):
        verb.compare_files(DEFAULT, DEFAULT, Place(record), since="2026-11-22", before=None, limit=1, as_json=True)


@pytest.mark.parametrize(("passage_id", "reasons"), [("p0", []), ("p2", ["weight_mismatch"])])
def test_a_stored_passage_replays_the_same(record, capsys, passage_id, reasons):
    assert replay_passage.run(passage_id, Place(record), as_json=True) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["same"]
    assert told["now"]["reasons"] == reasons


def test_reading_leaves_a_data_directory_as_it_is(record, tmp_path):
    copied = tmp_path / "copy"
    shutil.copytree(record, copied)

    def contents():  # an empty log and its index hold nothing of the record: whoever opens it makes them
        return {
            path.name: raw
            for path in copied.iterdir()
            if not path.name.endswith("-shm") and ((raw := path.read_bytes()) or not path.name.endswith("-wal"))
        }

    before = contents()
    assert len(list(past_passages(copied))) == 4
    assert contents() == before


def test_an_unknown_passage_and_a_directory_without_record_are_told(record, tmp_path):
    with pytest.raises(NotFoundError, match="no such passage"):
        replay_passage.run("nobody", Place(record), as_json=True)
    with pytest.raises(InputError, match="a data directory"):
        replay_passage.run("p0", Place(tmp_path), as_json=True)


def test_both_forms_of_replay_are_told_apart(record):
    run = CliRunner().invoke
    assert run(app, ["replay", "p0", "--data", str(record)]).exit_code == 0
    for wrong in (["replay", "p0"], ["replay", "p0", "--data", str(record), "--protocol", "sma"]):
        assert isinstance(run(app, wrong).exception, InputError)
