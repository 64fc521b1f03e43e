import ctypes
import json
from contextlib import closing

import pytest

from sync.chain import GENESIS, Link, canonical_bytes
from sync.database import Database, DatabaseSettings
from sync.journal import SqlJournal
from sync.kernel_time import STA_NANO, STA_UNSYNC, TIME_ERROR, _Timex, kernel_mark, read_state
from sync.store import FILE_NAME, sqlite_module
from sync.time_mark import UNKNOWN, TimeMark, best_of, read_mark
from sync.verify import verify_directory
from tests.fakes.record_entries import note


def test_unknown_is_written_as_unknown_and_never_as_zero():
    assert json.loads(UNKNOWN.text()) == ["none", None, None]
    assert read_mark(UNKNOWN.text()) == UNKNOWN


@pytest.mark.parametrize("text", ["[]", '["central",0.5,1]', '["gps",0,1]', '["none",null]', "{}", '["none",true,1]'])
def test_what_is_no_mark_is_refused(text):
    with pytest.raises(ValueError, match="clock"):
        read_mark(text)


def test_the_mark_with_the_smallest_bound_is_taken_and_an_unknown_one_never():
    central, kernel = TimeMark("central", 40, 740), TimeMark("kernel", 0, 12)
    assert best_of([central, kernel]) == kernel
    assert best_of([UNKNOWN, central]) == central
    assert best_of([UNKNOWN]) == UNKNOWN


def test_the_kernel_is_believed_only_while_a_daemon_keeps_the_clock():
    assert read_state(0, STA_NANO, 3_000_000, 9_000) == TimeMark("kernel", 3, 12)
    assert read_state(0, 0, 3_000, 9_000) == TimeMark("kernel", 3, 12)
    assert read_state(TIME_ERROR, 0, 0, 9_000) == UNKNOWN
    assert read_state(0, STA_UNSYNC, 0, 9_000) == UNKNOWN
    assert read_state(-1, 0, 0, 0) == UNKNOWN


def test_the_kernel_answers_within_its_structure():
    assert ctypes.sizeof(_Timex) >= 208
    assert kernel_mark().source in {"kernel", "none"}


def test_a_record_without_a_mark_keeps_the_bytes_it_always_had():
    link = Link("K1", "e", 1, 2, "note", "service", None, None, "f", None, None, (), GENESIS)
    assert canonical_bytes(link).startswith(b'["gate-record-1","K1"')
    marked = Link("K1", "e", 1, 2, "note", "service", None, None, "f", None, None, (), GENESIS, "[]")
    assert canonical_bytes(marked).endswith(b',[],"[]","%s"]' % GENESIS.encode())


async def test_every_record_says_how_far_its_time_can_be_trusted_and_the_chain_holds_it(tmp_path):
    marks = [TimeMark("central", -12, 740), UNKNOWN]
    async with (
        Database(DatabaseSettings(tmp_path, reserve_bytes=0)) as database,
        SqlJournal(database, "K1", time_marks=lambda: marks[0]) as journal,
    ):
        await journal.write(note(1))
        marks.pop(0)
        await journal.write(note(2))
        clocks = [record.clock for record in await journal.records()]
    assert clocks == [
        {"source": "central", "offset_ms": -12, "error_ms": 740},
        {"source": "none", "offset_ms": None, "error_ms": None},
    ]
    with closing(sqlite_module.connect(str(tmp_path / FILE_NAME), isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER records_no_update")
        connection.execute("UPDATE records SET clock = NULL WHERE number = 1")
    assert verify_directory(tmp_path).first_broken_record == 1
