import pytest

from gate_service.domain.errors import UnsafeStoreError
from sync.store_safety import JournalMode, Synchronous, choose_journal, refuse_unsafe, wal_is_safe

BUGGY = [(3, 7, 0), (3, 40, 1), (3, 44, 5), (3, 45, 0), (3, 49, 9), (3, 50, 6), (3, 51, 0), (3, 51, 2)]
FIXED = [(3, 44, 6), (3, 44, 9), (3, 50, 7), (3, 51, 3), (3, 53, 4), (4, 0, 0)]


@pytest.mark.parametrize("version", BUGGY)
def test_builds_with_the_wal_reset_bug_are_refused_in_wal_mode_and_get_a_rollback_journal(version):
    assert not wal_is_safe(version)
    with pytest.raises(UnsafeStoreError, match="WAL-reset"):
        refuse_unsafe(version, "wal", Synchronous.FULL)
    assert choose_journal(version) == (JournalMode.DELETE, Synchronous.EXTRA)


@pytest.mark.parametrize("version", FIXED)
def test_fixed_and_back_ported_builds_may_use_wal_with_full(version):
    assert choose_journal(version) == (JournalMode.WAL, Synchronous.FULL)
    refuse_unsafe(version, "wal", Synchronous.FULL)


@pytest.mark.parametrize("mode", ["wal", "delete"])
@pytest.mark.parametrize("level", [Synchronous.OFF, Synchronous.NORMAL])
def test_synchronous_below_full_is_refused_in_every_mode(mode, level):
    with pytest.raises(UnsafeStoreError, match="synchronous FULL"):
        refuse_unsafe((3, 53, 4), mode, level)


@pytest.mark.parametrize("mode", ["memory", "off", "truncate", "persist"])
def test_other_journal_modes_are_refused(mode):
    with pytest.raises(UnsafeStoreError, match="wal or delete"):
        refuse_unsafe((3, 53, 4), mode, Synchronous.FULL)


def test_what_is_chosen_is_never_refused():
    for version in BUGGY + FIXED:
        refuse_unsafe(version, *choose_journal(version))
