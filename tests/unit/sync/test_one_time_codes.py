"""Codes by time are those of the RFC; codes by request are good for one number only."""

from datetime import UTC, datetime

import pytest

from sync import one_time_codes as codes

RFC_SECRET = b"12345678901234567890"  # RFC 6238, appendix B, SHA-1 rows


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "94287082"), (1111111109, "07081804"), (1234567890, "89005924"), (2000000000, "69279037")],
)
def test_codes_by_time_are_those_of_rfc_6238(seconds, code):
    step = codes.step_at(datetime.fromtimestamp(seconds, UTC))
    assert codes.code_of_step(RFC_SECRET, step, 8) == code


def test_a_code_counts_one_step_around_now_and_never_twice():
    now = datetime.fromtimestamp(30 * 1000, UTC)
    for step, is_good in ((998, False), (999, True), (1000, True), (1001, True), (1002, False)):
        code = codes.code_of_step(RFC_SECRET, step)
        assert (codes.matching_step(RFC_SECRET, code, now, 0) == step) is is_good
    assert codes.matching_step(RFC_SECRET, codes.code_of_step(RFC_SECRET, 1000), now, 1000) is None


def test_a_code_for_one_request_is_none_for_another_and_none_of_another_secret():
    code = codes.code_of_request(RFC_SECRET, "12345678")
    assert len(code) == 8
    assert code != codes.code_of_request(RFC_SECRET, "12345679")
    assert code != codes.code_of_request(b"another secret of 20", "12345678")


def test_a_secret_is_read_as_it_was_spelled_with_spaces_and_small_letters():
    text = codes.spelled(RFC_SECRET)
    assert codes.secret_of(text.lower()[:16] + " " + text.lower()[16:]) == RFC_SECRET


def test_the_address_for_apps_names_issuer_and_account():
    address = codes.address(RFC_SECRET, "Gate K1", "sue")
    assert address == f"otpauth://totp/Gate%20K1:sue?secret={codes.spelled(RFC_SECRET)}&issuer=Gate%20K1"
