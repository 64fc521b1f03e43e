"""The I/O module at the height of request units: process image, exceptions, watchdog."""

from __future__ import annotations

import struct

import pytest

from devices.simulator.wago import WagoModule

INPUTS = [True, False, True] + [False] * 7 + [True, True]


class Bench:
    """A module with fixed inputs, a time that is set by hand, and what its outputs did."""

    def __init__(self) -> None:
        self.changes: list[tuple[int, bool, bool]] = []
        self.module = WagoModule(lambda: INPUTS, lambda *change: self.changes.append(change))
        self.now_s = 100.0

    def ask(self, function: int, *words: int, tail: bytes = b"") -> bytes:
        return self.module.answer(bytes((function,)) + struct.pack(f">{len(words)}H", *words) + tail, self.now_s)

    def register(self, address: int) -> int:
        return int.from_bytes(self.ask(3, address, 1)[2:], "big")


@pytest.mark.parametrize("function", [1, 2])
def test_inputs_are_read_from_0_by_both_functions(function: int) -> None:
    assert Bench().ask(function, 0, 12) == bytes((function, 2, 0b0000_0101, 0b0000_1100))


@pytest.mark.parametrize("function", [1, 2])
def test_outputs_are_read_back_from_512(function: int) -> None:
    bench = Bench()
    bench.ask(5, 3, 0xFF00)
    assert bench.ask(function, 512, 8) == bytes((function, 1, 0b1000))
    assert bench.ask(function, 514, 2) == bytes((function, 1, 0b10))


def test_outputs_are_written_at_0_and_at_512_and_echoed() -> None:
    bench = Bench()
    assert bench.ask(5, 0, 0xFF00) == bytes.fromhex("050000ff00")
    assert bench.ask(5, 0x200, 0x0000) == bytes.fromhex("0502000000")
    assert bench.ask(15, 4, 3, tail=b"\x01\x05") == bytes.fromhex("0f00040003")
    assert bench.changes == [(0, True, False), (0, False, False), (4, True, False), (6, True, False)]


def test_writing_what_stands_already_is_no_change() -> None:
    bench = Bench()
    bench.ask(5, 0, 0xFF00)
    bench.ask(5, 0, 0xFF00)
    assert bench.changes == [(0, True, False)]


def test_words_show_the_same_images() -> None:
    bench = Bench()
    assert bench.ask(6, 0, 0x0101) == bytes.fromhex("0600000101")
    assert bench.ask(3, 0x200, 1) == bytes.fromhex("03020101")
    assert bench.ask(4, 0, 1) == bytes.fromhex("04020c05")
    assert bench.ask(16, 0x200, 1, tail=b"\x02\x00\x00") == bytes.fromhex("1002000001")
    assert not any(bench.module.outputs)


@pytest.mark.parametrize(
    ("request_hex", "answer_hex"),
    [
        ("0800000000", "8801"),
        ("0100100001", "8102"),
        ("0200000011", "8202"),
        ("0102080010", "8102"),
        ("0100000000", "8103"),
        ("01000007d1", "8103"),
        ("01000000", "8103"),
        ("050010ff00", "8502"),
        ("0500000001", "8503"),
        ("0f000f00020103", "8f02"),
        ("0f000000020203", "8f03"),
        ("0300030001", "8302"),
        ("0610060001", "8603"),
        ("1000000001020000ff", "9003"),
    ],
)
def test_what_cannot_be_done_is_answered_with_its_exception(request_hex: str, answer_hex: str) -> None:
    bench = Bench()
    assert bench.module.answer(bytes.fromhex(request_hex), 0.0).hex() == answer_hex
    assert bench.changes == []


def test_the_watchdog_is_off_by_default() -> None:
    bench = Bench()
    bench.ask(5, 0, 0xFF00)
    assert bench.register(0x1000) == 0
    assert bench.register(0x1006) == 0
    assert bench.module.tick(bench.now_s + 1e6) is False
    assert bench.module.outputs[0]


def _armed(mask: int = 0xFFFF) -> Bench:
    bench = Bench()
    for address, value in ((0x1000, 10), (0x1001, mask), (0x1003, 1)):
        assert bench.ask(6, address, value)[0] == 6
    bench.ask(5, 0, 0xFF00)
    assert bench.register(0x1006) == 1
    return bench


def test_outputs_drop_when_no_telegram_comes_for_its_time() -> None:
    bench = _armed()
    assert not bench.module.tick(bench.now_s + 1.0)
    assert bench.module.tick(bench.now_s + 1.01)
    assert not any(bench.module.outputs)
    assert bench.changes[-1] == (0, False, False)
    bench.now_s += 2.0
    assert bench.register(0x1006) == 2
    assert bench.ask(5, 0, 0xFF00) == bytes.fromhex("8504")
    assert bench.ask(2, 0, 8)[0] == 2  # inputs can still be read


def test_telegrams_that_the_mask_names_keep_it_alive_and_others_do_not() -> None:
    reading_only = _armed(mask=0b11)
    for _ in range(5):
        reading_only.now_s += 0.8
        reading_only.ask(2, 0, 12)
    assert reading_only.register(0x1006) == 1
    for _ in range(3):
        reading_only.now_s += 0.8
        reading_only.ask(3, 0x1006, 1)
    assert reading_only.register(0x1006) == 2


def test_an_exhausted_watchdog_is_restarted_or_stopped_by_its_registers() -> None:
    bench = _armed()
    bench.module.tick(bench.now_s + 5.0)
    bench.ask(6, 0x1007, 1)
    assert bench.register(0x1006) == 1
    bench.ask(5, 1, 0xFF00)
    assert bench.module.outputs[1]
    bench.ask(6, 0x1005, 0xAAAA)
    bench.ask(6, 0x1005, 0x5555)
    assert bench.register(0x1006) == 0
    bench.ask(6, 0x1003, 7)
    assert bench.register(0x1006) == 1
    bench.ask(6, 0x1008, 0x55AA)
    assert bench.register(0x1006) == 0


def test_its_time_cannot_be_changed_while_it_runs() -> None:
    bench = _armed()
    assert bench.ask(6, 0x1000, 50) == bytes.fromhex("8603")
    assert bench.register(0x1000) == 10


def test_the_alternative_watchdog_lets_outputs_work_again_with_the_next_telegram() -> None:
    bench = Bench()
    bench.ask(6, 0x1000, 10)
    bench.ask(6, 0x100A, 1)
    bench.ask(5, 0, 0xFF00)
    assert bench.module.tick(bench.now_s + 1.1)
    bench.now_s += 2.0
    assert bench.ask(5, 0, 0xFF00) == bytes.fromhex("050000ff00")
    assert bench.register(0x1006) == 1


def test_zeroed_inputs_are_all_zero() -> None:
    bench = Bench()
    bench.module.are_inputs_zero = True
    assert bench.ask(2, 0, 12) == bytes.fromhex("02020000")


def test_a_foreign_write_is_told_as_one() -> None:
    bench = Bench()
    bench.module.set_output(5, on=True, foreign=True)
    assert bench.changes == [(5, True, True)]
