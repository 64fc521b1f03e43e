"""`gate code`: the code that the service will take for the request, and nothing for a number that is none."""

import io

import pytest

from gate_service.cli import code
from gate_service.domain.errors import InputError
from sync.one_time_codes import code_of_request, spelled

SECRET = b"12345678901234567890"


def test_the_code_is_the_one_that_the_service_expects(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO(spelled(SECRET).lower() + "\n"))
    assert code.run("12345678", from_stdin=True) == 0
    assert capsys.readouterr().out.strip() == code_of_request(SECRET, "12345678")


@pytest.mark.parametrize(("number", "key"), [("1234567", "AAAA"), ("12345678", "!!"), ("12345678", "")])
def test_a_number_or_key_that_is_none_is_wrong_use(monkeypatch, number, key):
    monkeypatch.setattr("sys.stdin", io.StringIO(key + "\n"))
    with pytest.raises(InputError):
        code.run(number, from_stdin=True)
