"""What the options of the protocols change, and what they guard against."""

from devices.weighbridge import protocols
from devices.weighbridge.frame import Rejected, WeightFrame

TOLEDO = bytes.fromhex("02 31 30 20 20 20 20 32 30 30 20 20 20 20 30 30 0D 1E")


def told(name: str, data: bytes, **options: str) -> list[str | None]:
    decoder = protocols.create(name, options)
    frames = decoder.feed(data) + decoder.flush()
    return [frame.value if isinstance(frame, WeightFrame) else str(frame.reason) for frame in frames]


def test_an_equals_frame_with_two_meanings_is_ambiguous_without_its_form() -> None:
    assert told("xk3190-equals", b"=0003.000") == ["ambiguous"]
    assert told("xk3190-equals", b"=0003.000", form="forward") == ["3.000"]
    assert told("xk3190-equals", b"=000.3000", form="reversed") == ["3.000"]
    assert told("xk3190-equals", b"=-0001.00") == ["-1.00"]


def test_repeat_holds_a_value_back_until_it_came_twice() -> None:
    stream = b"=0003.000=0004.000=0004.000"
    assert told("xk3190-equals", stream, form="forward", repeat="2") == ["unconfirmed", "unconfirmed", "4.000"]


def test_a_reject_between_two_equal_frames_breaks_the_row() -> None:
    assert told("xk3190-equals", b"=0004.000x=0004.000", form="forward", repeat="2") == [
        "unconfirmed",
        "noise",
        "unconfirmed",
    ]


def test_a_variable_frame_with_the_equals_sign_last_is_read_backwards() -> None:
    assert told("xk3190-equals", b"06.9610=", form="trailing-any") == ["169.60"]


def test_toledo_without_a_checksum_is_refused_where_one_is_required() -> None:
    assert told("toledo-continuous", TOLEDO[:17] * 2, checksum="required") == ["checksum", "incomplete"]
    assert told("toledo-continuous", TOLEDO[:17] * 2) == ["200", "200"]


def test_toledo_once_seen_with_checksum_is_never_believed_without() -> None:
    other = bytes.fromhex("02 31 30 20 20 20 20 34 30 30 20 20 20 20 30 30 0D")  # a good body, its checksum lost
    assert told("toledo-continuous", TOLEDO * 2 + other + TOLEDO) == ["200", "200", "checksum", "200"]


def test_toledo_fairbanks_has_a_plain_sum_and_a_dark_bit_5() -> None:
    body = b"\x02\x2a\x10\x20  1234     0\r"
    frame = body + bytes([sum(body) & 0xFF])
    assert told("toledo-continuous", frame * 2, checksum="plain-sum") == ["1234", "1234"]
    assert told("toledo-continuous", body + b"\x00", checksum="plain-sum") == ["checksum"]


def test_toledo_with_a_value_off_its_own_interval_has_no_value() -> None:
    body = b"\x02\x31\x30\x20  1234     0\r"  # d = 20 by its status word
    assert told("toledo-continuous", body) == ["increment"]


def test_a_dummy_zero_that_is_not_in_the_digits_shows_as_increment_until_it_is_set() -> None:
    body = b"\x02\x31\x30\x20  1696     0\r"
    assert told("toledo-continuous", b"\x02\x31\x30\x20  1695     0\r") == ["increment"]
    assert told("toledo-continuous", body, dummy_zero="multiply") == ["16960"]


def test_toledo_x10_frames_are_rejected() -> None:
    assert told("toledo-continuous", b"\x02\x2a\x30\x30  1234     0\r") == ["expanded"]


def test_toledo_before_zero_was_captured_has_no_value() -> None:
    decoder = protocols.create("toledo-continuous")
    (frame,) = decoder.feed(b"\x02\x2a\x70\x20  1234     0\r") + decoder.flush()
    assert isinstance(frame, WeightFrame)
    assert (frame.value, str(frame.status)) == (None, "error")


def test_command_mode_hears_one_address_only_where_told() -> None:
    frame = bytes.fromhex("02 41 42 2B 30 30 38 38 38 30 33 31 33 03")
    assert told("xk3190-command", frame, address="A") == ["8.880"]
    assert told("xk3190-command", frame, address="B") == ["not_weight"]


def test_csv_of_a_fixed_length_refuses_a_line_that_lost_a_digit() -> None:
    assert told("csv", b"ST,GS,+0012450kg\r\nST,GS,+001245kg\r\n") == ["12450", "1245"]
    assert told("csv", b"ST,GS,+0012450kg\r\nST,GS,+001245kg\r\n", length="18") == ["12450", "length"]


def test_csv_that_starts_in_the_middle_reads_no_fragment() -> None:
    decoder = protocols.create("csv")
    frames = decoder.feed(b"0012450kg\r\nGS,+0012450kg\r\nT,GS,+1kg\r\nST,GS,+0000020kg\r\n")
    assert [frame.value for frame in frames if not isinstance(frame, Rejected)] == ["20"]


def test_a_trailing_equals_frame_behind_a_radio_name_of_digits_is_read() -> None:
    stream = b"weigh01T63866046557773.096100=" * 2
    assert told("xk3190-equals", stream, form="trailing") == ["noise", "1690", "noise", "1690"]
    assert told("xk3190-equals", b"1.096100=", form="trailing") == ["layout"]


def test_toledo_with_a_wrong_checksum_and_a_hurt_next_stx_is_not_taken_for_noise() -> None:
    wrong = TOLEDO[:6] + b"7" + TOLEDO[7:]  # 7200: a multiple of 20, but not what the checksum covers
    assert told("toledo-continuous", wrong + b"?" + TOLEDO[1:] + TOLEDO)[-1] == "200"
    assert "7200" not in told("toledo-continuous", wrong + b"?" + TOLEDO[1:] + TOLEDO)


def test_toledo_without_checksums_is_read_before_noise() -> None:
    assert told("toledo-continuous", TOLEDO[:17] + b"weigh01T00000000000000x")[0] == "200"


def test_an_sma_answer_with_the_tare_is_no_weight() -> None:
    assert told("sma", b"\n 1T       12.50kg \r") == ["tare"]


def test_a_cardinal_line_that_lost_a_digit_is_not_read() -> None:
    assert told("cardinal", b" 12345.6 tG  \r") == ["12345.6"]
    assert told("cardinal", b" 1234.6 tG  \r") == ["noise"]


def test_toledo_seen_five_times_without_checksum_needs_no_look_ahead() -> None:
    decoder = protocols.create("toledo-continuous")
    decoder.feed(TOLEDO[:17] * 8)
    (frame,) = decoder.feed(TOLEDO[:17])
    assert frame.raw == TOLEDO[:17]
