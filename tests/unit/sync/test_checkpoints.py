"""Checkpoints: signed by a key that only its owner can read, told to the centre, and never to its harm."""

import json
import logging
import shutil
import stat
from random import Random

import pytest

from gate_service.cli import verify as verify_verb
from gate_service.domain.errors import (
    CentralBusyError,
    CentralRefusedError,
    CentralUnreachableError,
    InputError,
    RecordError,
)
from sync.checkpoint import read_checkpoint, read_last
from sync.checkpoints import ASK_AGAIN_S, Checkpoints
from sync.database import Database, DatabaseSettings
from sync.journal import SqlJournal
from sync.record_key import FILE_NAME as KEY_NAME
from sync.record_key import open_key
from sync.reference.central_state import CentralState
from sync.seal import Seal, read_seal, write_seal
from sync.verify import verify_directory
from tests.fakes.moved_clock import MovedClock
from tests.fakes.record_entries import note


async def record(folder, count, first=0):
    """Write some records, stop, and give the checkpoint of the end."""
    async with (
        Database(DatabaseSettings(folder, reserve_bytes=0)) as database,
        SqlJournal(database, "K1") as journal,
    ):
        for i in range(first, first + count):
            await journal.write(note(i))
        await journal.seal()
        return journal.checkpoint


async def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path, caplog):
    checkpoint = await record(tmp_path, 1)
    path = tmp_path / KEY_NAME
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (await record(tmp_path, 1)).key == checkpoint.key == open_key(tmp_path).public
    path.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        open_key(tmp_path)
    assert "0600 expected" in caplog.text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("no key")
    with pytest.raises(RecordError, match="an Ed25519 key in PEM expected"):
        open_key(tmp_path)


async def test_a_checkpoint_says_where_the_record_stands_and_any_change_of_it_shows(tmp_path):
    checkpoint = await record(tmp_path, 3)
    assert (checkpoint.site_id, checkpoint.records) == ("K1", 3)
    document = checkpoint.document()
    assert read_checkpoint(document).is_genuine()
    for name, value in document.items():
        if name != "format":
            other = value + 1 if isinstance(value, int) else "x" + value
            assert not read_checkpoint({**document, name: other}).is_genuine(), name
    sealed = read_seal(tmp_path)
    assert sealed is not None
    assert sealed.checkpoint == checkpoint


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b"7", b'{"checkpoints":[]}', b'{"checkpoint":null}', b"\xff", b"[" * 100_000]
)
def test_what_is_no_checkpoint_is_refused_with_a_reason(content):
    with pytest.raises(InputError, match="checkpoint"):
        read_last(content)


async def test_a_field_of_the_wrong_kind_is_refused(tmp_path):
    document = (await record(tmp_path, 1)).document()
    for change in ({"records": "1"}, {"records": -1}, {"records": True}, {"head": None}, {"format": "other"}):
        with pytest.raises(InputError):
            read_checkpoint({**document, **change})


async def test_the_newest_of_a_list_counts(tmp_path):
    first = await record(tmp_path, 1)
    second = await record(tmp_path, 1, first=1)
    listed = json.dumps({"checkpoints": [second.document(), first.document()]}).encode()
    assert read_last(listed) == second
    assert read_last((tmp_path / "record.seal").read_bytes()) == second


async def test_a_record_cut_to_an_older_copy_with_its_seal_shows_against_the_centres_checkpoint(tmp_path, capsys):
    data, older = tmp_path / "data", tmp_path / "older"
    await record(data, 3)
    shutil.copytree(data, older)
    newest = await record(data, 2, first=3)
    held = tmp_path / "held.json"
    held.write_text(json.dumps({"checkpoint": newest.document()}))
    assert verify_directory(older).holds  # nothing beside it shows: tail and seal are of one moment
    assert verify_verb.run(older, as_json=False, checkpoint=held) == 1
    assert "first broken record: 4" in capsys.readouterr().out
    assert verify_verb.run(data, as_json=False, checkpoint=held) == 0
    assert f"signed by key {newest.key}" in capsys.readouterr().out


async def test_a_history_written_anew_shows_against_the_centres_checkpoint(tmp_path):
    newest = await record(tmp_path / "data", 3)
    await record(tmp_path / "forged", 5, first=10)
    report = verify_directory(tmp_path / "forged", newest)
    assert report.first_broken_record == 3
    assert "not the one that the centre was told" in report.findings[0]


async def test_a_forged_checkpoint_another_key_and_another_site_show(tmp_path):
    newest = await record(tmp_path / "data", 3)
    forged = read_checkpoint({**newest.document(), "records": 2})
    assert "signature" in verify_directory(tmp_path / "data", forged).findings[0]
    assert "key" in verify_directory(tmp_path / "data", newest, key="another").findings[0]
    assert verify_directory(tmp_path / "data", newest, key=newest.key).holds
    other = tmp_path / "other"
    async with Database(DatabaseSettings(other, reserve_bytes=0)) as database, SqlJournal(database, "K2") as journal:
        await journal.write(note(1))
    assert "site K2 expected" in verify_directory(other, newest).findings[0]


async def test_a_seal_whose_signature_was_taken_off_shows(tmp_path):
    await record(tmp_path, 3)
    path = tmp_path / "record.seal"
    body = json.loads(path.read_bytes())
    fields = {name: body[name] for name in ("site_id", "epoch", "records", "head", "outbox", "feed", "at_us")}
    write_seal(tmp_path, Seal(**fields))
    assert "without a signature" in verify_directory(tmp_path).findings[0]


# --- telling the centre -----------------------------------------------------------------------------------------------


class ScriptedCentre:
    def __init__(self):
        self.script = []
        self.sent = []

    async def post_checkpoint(self, document):
        self.sent.append(document["records"])
        answer = self.script.pop(0) if self.script else True
        if isinstance(answer, Exception):
            raise answer
        return answer


class Rig:
    def __init__(self, first, second):
        self.newest = first
        self.second = second
        self.clock = MovedClock()
        self.centre = ScriptedCentre()
        self.checkpoints = Checkpoints(lambda: self.newest, self.centre, self.clock, Random(1))


@pytest.fixture
async def rig(tmp_path):
    first = await record(tmp_path, 1)
    return Rig(first, await record(tmp_path, 1, first=1))


async def test_each_checkpoint_is_told_once(rig):
    for _ in range(3):
        assert await rig.checkpoints.send_once() is None
    rig.newest = rig.second
    await rig.checkpoints.send_once()
    assert rig.centre.sent == [1, 2]
    assert rig.checkpoints.status()["taken_records"] == 2


async def test_a_line_that_fails_is_tried_again_for_ever_and_only_the_newest_is_told(rig):
    rig.centre.script = [CentralUnreachableError("down")] * 3
    for _ in range(3):
        wait_s = await rig.checkpoints.send_once()
        assert wait_s is not None
        assert await rig.checkpoints.send_once() is not None  # not before its time
        rig.clock.move(wait_s + 0.001)
    rig.newest = rig.second
    await rig.checkpoints.send_once()
    assert rig.centre.sent == [1, 1, 1, 2]
    assert rig.checkpoints.status()["state"] == "taken"


async def test_a_centre_that_asks_to_wait_is_left_in_peace(rig):
    rig.centre.script = [CentralBusyError("busy", 120.0)]
    assert await rig.checkpoints.send_once() == 120.0


async def test_a_centre_without_the_address_is_asked_again_in_an_hour_and_nothing_alarms(rig):
    rig.centre.script = [False]
    assert await rig.checkpoints.send_once() == ASK_AGAIN_S
    assert (rig.checkpoints.status()["state"], rig.checkpoints.status()["alarm"]) == ("absent", False)
    rig.newest = rig.second
    await rig.checkpoints.send_once()
    assert rig.centre.sent == [1]
    rig.clock.move(ASK_AGAIN_S + 1)
    await rig.checkpoints.send_once()
    assert rig.centre.sent == [1, 2]


async def test_a_refused_checkpoint_alarms_until_one_is_taken(rig):
    rig.centre.script = [CentralRefusedError("regressed", 409, "checkpoint_regressed")]
    assert await rig.checkpoints.send_once() is None
    assert await rig.checkpoints.send_once() is None
    assert rig.centre.sent == [1]
    assert rig.checkpoints.status()["alarm"] is True
    rig.newest = rig.second
    await rig.checkpoints.send_once()
    assert rig.checkpoints.status()["alarm"] is False


# --- the reference centre ---------------------------------------------------------------------------------------------


async def test_the_reference_centre_takes_no_record_that_got_shorter_nor_another_key(rig, tmp_path):
    centre = CentralState("")
    first, second = rig.newest.document(), rig.second.document()
    assert centre.take_checkpoint("K1", second) is None
    assert centre.take_checkpoint("K1", second) is None
    assert centre.take_checkpoint("K1", first)[0] == "checkpoint_regressed"
    assert centre.newest_checkpoint("K1") == second
    for wrong in ({**second, "records": 9}, {**second, "key": "x"}, [], {}, None):
        assert centre.take_checkpoint("K1", wrong)[0] == "input_invalid"
    other = (await record(tmp_path / "other", 9)).document()
    assert centre.take_checkpoint("K1", other) is None  # another epoch: a restore, told as such
    assert centre.newest_checkpoints() == [other]
