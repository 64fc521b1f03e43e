"""One owner per bus."""

import os
from pathlib import Path

import pytest

from devices.links.lease import BusLease
from gate_service.domain.errors import DeviceHeldError


def test_a_second_owner_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    first, second = BusLease("127.0.0.1:502", tmp_path), BusLease("127.0.0.1:502", tmp_path)
    first.take()
    with pytest.raises(DeviceHeldError, match=str(os.getpid())):
        second.take()
    first.give_back()
    second.take()
    assert second.is_held
    second.give_back()


def test_another_bus_is_free(tmp_path: Path) -> None:
    first, second = BusLease("127.0.0.1:502", tmp_path), BusLease("127.0.0.1:503", tmp_path)
    first.take()
    second.take()
    first.give_back()
    second.give_back()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_file_left_behind_holds_nothing(tmp_path: Path) -> None:
    lease = BusLease("127.0.0.1:502", tmp_path)
    lease.take()
    name = next(tmp_path.iterdir()).name
    lease.give_back()
    (tmp_path / name).write_text("999999\n")
    lease.take()
    lease.give_back()
