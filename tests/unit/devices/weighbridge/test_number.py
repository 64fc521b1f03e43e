import pytest

from devices.weighbridge.number import read_number, read_unit, shown


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("+0012.34", "12.34"),
        ("  20.00", "20.00"),
        ("000000.", "0"),
        ("-  1.640", "-1.640"),
        ("1 460", "1460"),
        ("12 345 678", "12345678"),
        ("0012,34", "12.34"),
        (".5", "0.5"),
        ("-.5", "-0.5"),
        ("0", "0"),
    ],
)
def test_a_displayed_number_keeps_its_decimals_and_loses_its_padding(text: str, value: str) -> None:
    number = read_number(text)
    assert number is not None
    assert number.value == value


@pytest.mark.parametrize("text", ["", "   ", "+", "-", ".", "1.2.3", "1 46", "12 3456", "1-2", "--1", "OL", "1e3", "٣"])
def test_what_is_not_one_number_has_no_value(text: str) -> None:
    assert read_number(text) is None


def test_minus_zero_is_zero_and_keeps_its_sign_beside_it() -> None:
    number = read_number("-0.00")
    assert number is not None
    assert (number.value, number.is_minus_zero) == ("0.00", True)


def test_more_decimals_than_digits_are_filled_with_zeros() -> None:
    assert shown("5", decimals=3, is_minus=True).value == "-0.005"


@pytest.mark.parametrize(
    ("text", "unit"), [("Kg", "kg"), (" T", "t"), ("LB ", "lb"), ("tn", "short_ton"), ("pcs", None), ("", None)]
)
def test_units_have_one_spelling_and_only_masses_have_one(text: str, unit: str | None) -> None:
    assert read_unit(text) == unit
