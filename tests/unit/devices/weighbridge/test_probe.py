import json
import random
from pathlib import Path
from typing import Any

import pytest

from devices.simulator.indicators import emulator
from devices.simulator.indicators.display import Display
from devices.simulator.indicators.line import Line, heard
from devices.weighbridge.probe import Confidence, confidence, fits, parity_of

SAMPLES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[3] / "golden" / "weighbridge" / "frames.json").read_text(encoding="utf-8")
)
WEIGHTS = [
    sample
    for sample in SAMPLES
    if sample["expect"]
    and sample["expect"][0]["status"] != "error"
    and not sample["options"].get("dummy_zero")
    and "fragments" not in sample["id"]
    and sample["id"] != "csv-st-gs-13"  # half of it is a fragment
]


@pytest.mark.parametrize("sample", WEIGHTS, ids=[sample["id"] for sample in WEIGHTS])
def test_a_stream_of_one_protocol_is_known_by_it(sample: dict[str, Any]) -> None:
    found = fits(b"\x33\x03" + bytes.fromhex(sample["hex"]) * 12)
    assert sample["protocol"] in [fit.protocol for fit in found]


def test_the_frame_with_a_check_comes_first() -> None:
    frame = bytes.fromhex("02 31 30 20 20 20 20 32 30 30 20 20 20 20 30 30 0D 1E")
    best = fits(frame * 10)[0]
    assert (best.protocol, dict(best.options), best.has_check) == ("toledo-continuous", {"checksum": "required"}, True)
    assert "200 kg" in best.evidence


def test_equals_frames_that_fit_both_directions_are_told_as_both() -> None:
    assert {fit.options["form"] for fit in fits(b"=0003.000" * 10)} == {"forward", "reversed"}


def test_frames_behind_a_radio_name_are_known() -> None:
    found = fits((b"weigh01T00000000000000x" + bytes.fromhex("02 2B 30 30 30 30 33 32 32 31 38 03")) * 10)
    assert [fit.protocol for fit in found] == ["xk3190-continuous"]


@pytest.mark.parametrize(
    "data",
    [
        random.Random(7).randbytes(20_000),
        b"2026-11-22 10:00:00 INFO gate opened for lane 3 after 12.5 s, 20 kg\r\n" * 100,
        b"$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n$GPRMC,123519,A*6A\r\n" * 100,
        b"",
        b"\x02" * 500,
        b" " * 500,
        b"=" * 500,
    ],
    ids=["random", "log", "position", "nothing", "start marks", "blanks", "equals"],
)
def test_what_no_indicator_sends_is_unknown(data: bytes) -> None:
    assert fits(data) == []


def speaking(name: str, **options: str) -> bytes:
    sending = emulator.make(name, options, Display())
    return b"".join(sending.next_bytes(12_340) for _ in range(30))


def test_a_check_that_holds_is_sure_and_a_format_without_one_likely() -> None:
    for data, expected in ((speaking("xk3190-continuous"), "sure"), (speaking("rice-lake"), "likely")):
        found = fits(data)
        assert [confidence(fit, found) for fit in found] == [expected]


def test_forms_that_the_bytes_cannot_tell_apart_are_possible_only() -> None:
    found = fits(b"=0003.000" * 10)
    assert {confidence(fit, found) for fit in found} == {Confidence.POSSIBLE}


def test_frames_behind_a_word_are_possible_and_the_word_is_told() -> None:
    found = fits((b"weigh02T000000000000000x=09200000") * 10)
    assert [(fit.protocol, fit.name) for fit in found] == [("xk3190-equals", "weigh02T000000000000000x")]
    assert confidence(found[0], found) is Confidence.POSSIBLE


@pytest.mark.parametrize("checksum", ["yes", "no", "plain-sum"])
def test_a_toledo_stream_fits_as_its_own_variant_only(checksum: str) -> None:
    wanted = {"yes": "required", "no": "none", "plain-sum": "plain-sum"}[checksum]
    assert [dict(fit.options) for fit in fits(speaking("toledo-continuous", checksum=checksum))] == [
        {"checksum": wanted}
    ]


def test_parity_in_the_eighth_bit_is_known() -> None:
    text = speaking("sma", repeat="yes")
    for parity in "EO":
        assert parity_of(heard(text, Line(9600, 7, parity), Line(9600))) == parity
    assert parity_of(text) is None
    assert parity_of(random.Random(1).randbytes(4000)) is None
    assert parity_of(b"\xff\xff") is None


MODBUS = bytes.fromhex("01 03 00 00 00 02 C4 0B 01 03 04 00 00 27 10 E0 0F")
LOGS = [
    "{at} INFO weight=12.5 kg lane=3\r\n",
    "{at} gate-1 kernel: usb 1-1: new device number 7\n",
    '{{"at":"{at}","kg":12340,"unit":"kg","stable":true}}\n',
    "{at};12.340;0.200;12.140;kg\r\n",
    "GET /api/v1/lanes HTTP/1.1\r\nHost: gate\r\nDate: {at}\r\n\r\n",
    "T S=1 {at} NET 5 items\r\n",
]


@pytest.mark.parametrize("log", LOGS)
def test_a_text_log_is_unknown(log: str) -> None:
    lines = "".join(log.format(at=f"2026-11-22 10:{at // 60 % 60:02d}:{at % 60:02d}") for at in range(200))
    assert fits(lines.encode()) == []


@pytest.mark.parametrize("seed", range(12))
def test_random_bytes_and_random_text_are_unknown(seed: int) -> None:
    chance = random.Random(seed)
    assert fits(chance.randbytes(4096)) == []
    assert fits(bytes(chance.choices(b"0123456789+-.= \r\n\x02\x03kgSTGUN,", k=4096))) == []


def test_a_fieldbus_is_unknown() -> None:
    assert fits(MODBUS * 100) == []
