"""Power cuts: of everything a real run did to its disk, whatever was not synced is lost, torn or out of order.

Nothing that was acknowledged is lost, the service opens, the chain holds. And the model is one that can lose: with
`synchronous=NORMAL` it does.
"""

import asyncio
import json
import shutil
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from gate_service.domain.errors import GateError
from sync.database import Database, DatabaseSettings
from sync.journal import SqlJournal
from sync.store import FILE_NAME, sqlite_module
from sync.store_safety import JournalMode, Synchronous
from sync.verify import verify_directory
from tests.fakes.power_cut import Disk, Op, read_trace, trace
from tests.fakes.record_entries import note

BURSTS = 2


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """What a run of each kind did; traced once."""
    kept: dict[str, tuple[str, list[Op]]] = {}

    def run(kind):
        if kind not in kept:
            folder = tmp_path_factory.mktemp(kind) / "data"
            folder.mkdir()
            kept[kind] = str(folder), trace(folder, ["tests.integration.power_writer", str(folder), kind, str(BURSTS)])
        return kept[kind]

    return run


def acknowledged(said: list[bytes]) -> dict[int, str]:
    lines = b"".join(said).decode().splitlines()
    return {int(number): kind for number, kind in (line.split() for line in lines)}


async def open_and_go_on(folder: Path, kind: str) -> None:
    settings = DatabaseSettings(folder, reserve_bytes=0)
    if kind == "rollback":
        settings = DatabaseSettings(
            folder, reserve_bytes=0, journal_mode=JournalMode.DELETE, synchronous=Synchronous.EXTRA
        )
    async with Database(settings) as database, SqlJournal(database, "K1") as journal:
        await journal.write(note(1))


def what_is_wrong(folder: Path, acks: dict[int, str], kind: str = "safe") -> str | None:
    """None where everything that was acknowledged is there and the service goes on from it."""
    try:
        asyncio.run(open_and_go_on(folder, kind))
    except GateError as error:
        return f"does not open: {error}"
    report = verify_directory(folder)
    if not report.holds:
        return f"does not hold: {report.findings[0]}"
    with closing(sqlite_module.connect(str(folder / FILE_NAME))) as connection:
        found = dict(connection.execute("SELECT number, kind FROM records"))
    lost = [number for number, word in acks.items() if found.get(number) != word]
    return f"lost {lost[:5]}" if lost else None


def cuts(ran_once: tuple[str, list[Op]], tmp_path: Path, kind: str, count: int, seed: int) -> dict[int, str]:
    """Cut at random moments; what went wrong, by the number of the cut."""
    folder, ops = ran_once
    rng = Random(seed)
    moments = sorted(rng.randrange(1, len(ops) + 1) for _ in range(count))
    disk, wrong, done = Disk(folder), {}, 0
    for n, moment in enumerate(moments):
        for op in ops[done:moment]:
            disk.follow(op)
        done = moment
        to = tmp_path / f"{kind}-{n}"
        disk.cut(rng, to)
        found = what_is_wrong(to, acknowledged(disk.said), kind)
        if found is not None:
            wrong[n] = f"after {moment} of {len(ops)}: {found}"
        shutil.rmtree(to)
    return wrong


@pytest.mark.parametrize("kind", ["safe", "rollback"])
def test_a_sample_of_power_cuts_loses_nothing_acknowledged(ran, tmp_path, kind):
    assert cuts(ran(kind), tmp_path, kind, 25, seed=1) == {}


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", ["safe", "rollback"])
def test_a_thousand_power_cuts_lose_nothing_acknowledged(ran, tmp_path, kind):
    found = cuts(ran(kind), tmp_path, kind, 1000, seed=20261128)
    print(json.dumps({"kind": kind, "cuts": 1000, "wrong": len(found)}))
    assert found == {}


def test_the_model_loses_what_synchronous_normal_does_not_sync(ran, tmp_path):
    wrong = cuts(ran("normal"), tmp_path, "safe", 12, seed=1)
    assert sum("lost" in found or "sealed" in found for found in wrong.values()) >= 3


def test_the_model_keeps_what_was_synced_and_may_lose_the_rest(tmp_path):
    disk = Disk("/d")
    for op in (
        Op("create", "/d/a"), Op("write", "/d/a", 0, b"A" * 1024), Op("sync", "/d/a"), Op("sync", "/d"),
        Op("write", "/d/a", 0, b"B" * 1024), Op("create", "/d/b"), Op("write", "/d/b", 0, b"new"), Op("sync", "/d/b"),
    ):  # fmt: skip
        disk.follow(op)
    seen, names = set(), set()
    for seed in range(200):
        disk.cut(Random(seed), tmp_path / str(seed))
        content = (tmp_path / str(seed) / "a").read_bytes()
        seen.add((content[:1] + content[512:513]).decode())
        assert len(content) == 1024
        assert content in {a * 512 + b * 512 for a in (b"A", b"B") for b in (b"A", b"B")}
        names.add((tmp_path / str(seed) / "b").exists())
    assert seen == {"AA", "AB", "BA", "BB"}
    assert names == {True, False}  # its directory was never synced


def test_a_call_that_the_model_does_not_know_is_no_silent_success():
    line = "7 sync_file_range(3<\\x2f\\x64\\x2f\\x61>, 0, 0, 0) = 0"
    with pytest.raises(ValueError, match="not understood"):
        list(read_trace(iter([line]), "/d"))
