from pathlib import Path

import pytest

from devices.weighbridge import protocols
from devices.weighbridge.frame import Reason
from gate_service.domain.errors import InputError

CONTRACT_NAMES = [
    "cardinal",
    "csv",
    "mt-sics",
    "rice-lake",
    "rinstrum",
    "sma",
    "toledo-continuous",
    "xk3190-a12",
    "xk3190-command",
    "xk3190-continuous",
    "xk3190-equals",
]


def test_the_public_names_are_those_of_the_contract() -> None:
    assert sorted(protocols.PROTOCOLS) == CONTRACT_NAMES


def test_every_protocol_has_a_quality_card() -> None:
    assert sorted(protocols.QUALITY) == sorted(protocols.PROTOCOLS)
    assert all(card.note for card in protocols.QUALITY.values())


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("xk3190", {}, ["'xk3190'", "xk3190-continuous", "cardinal"]),
        ("xk3190-equals", {"form": "sideways"}, ["'sideways'", "reversed", "forward"]),
        ("toledo-continuous", {"checksums": "none"}, ["'checksums'", "form", "checksum", "dummy_zero"]),
        ("rinstrum", {"form": "x"}, ["'form'", "none"]),
    ],
)
def test_a_wrong_name_or_option_is_refused_with_what_is_allowed(
    name: str, options: dict[str, str], words: list[str]
) -> None:
    with pytest.raises(InputError) as refused:
        protocols.create(name, options)
    assert all(word in str(refused.value) for word in words)


PAGES = Path(__file__).parents[4] / "docs" / "protocols"
SECTIONS = ["Confirmed on", "Link", "Bytes", "Rules", "Timing", "The emulator must", "Sources"]


@pytest.mark.parametrize("name", CONTRACT_NAMES)
def test_every_protocol_has_a_page_in_the_house_order_with_its_quality(name: str) -> None:
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    places = [page.index(f"\n## {section}") for section in SECTIONS]
    assert places == sorted(places)
    assert f"**Quality: {protocols.QUALITY[name].mark}" in page
    assert all(f"`{option}`" in page for option in protocols.PROTOCOLS[name].options)


def test_the_list_of_protocols_shows_the_marks_and_every_reason() -> None:
    readme = (PAGES / "README.md").read_text(encoding="utf-8")
    for name, card in protocols.QUALITY.items():
        assert f"| [{name}]({name}.md) | {card.mark} |" in readme
    assert all(f"| `{reason}` |" in readme for reason in Reason)
