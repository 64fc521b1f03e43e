"""Toledo continuous as an indicator sends it: status words, weight, tare, checksum (reference/weighbridge.md 2)."""

from __future__ import annotations

import re

from devices.simulator.indicators.dialect import Dialect, chosen
from devices.simulator.indicators.display import Shown

UNIT_BITS = {"kg": 0, "lb": 0, "g": 1, "t": 2}


def continuous(options: dict[str, str]) -> Dialect:
    """`form` standard, short or clone12; `checksum` yes, no or plain-sum; leading zeros as blanks or digits."""
    form = chosen(options, "form", ("standard", "short", "clone12"))
    checksum = chosen(options, "checksum", ("yes", "no", "plain-sum"))
    fill = {"blank": " ", "zero": "0"}[chosen(options, "fill", ("blank", "zero"))]

    def frame(shown: Shown) -> bytes:
        words = bytes((_word_a(shown), _word_b_clone(shown) if form == "clone12" else _word_b(shown), _word_c(shown)))
        body = b"\x02" + words + f"{str(abs(shown.count)).rjust(6, fill)}".encode()
        if form == "standard":
            body += f"{str(shown.tare).rjust(6, fill)}".encode()
        body += b"\r"
        if form == "clone12":
            return body + b"\n"
        total = sum(body)
        return body + {"yes": bytes([-total & 0x7F]), "no": b"", "plain-sum": bytes([total & 0xFF])}[checksum]

    def spoil(sent: bytes) -> bytes:
        return sent[:-1] + bytes([sent[-1] ^ 0x11])

    return Dialect(
        frame,
        question=re.compile(rb"[CTPZ]"),
        answer=lambda _question, _shown: b"",
        spoil=spoil if checksum != "no" and form != "clone12" else None,
        has_unit=form != "clone12",
        zeroes=frozenset({b"Z"}),
    )


def _word_a(shown: Shown) -> int:
    """Decimal place and interval; the fixed zeros of a coarse interval stand in the digits."""
    step, zeros = shown.step, 0
    while step % 10 == 0:
        step, zeros = step // 10, zeros + 1
    place = 2 + shown.decimals if shown.decimals else 2 - min(zeros, 2)
    return 0x20 | {1: 1, 2: 2, 5: 3}[step] << 3 | place


def _word_b(shown: Shown) -> int:
    return (
        0x20
        | shown.is_net
        | (shown.count < 0) << 1
        | (shown.range != "ok") << 2
        | (not shown.is_stable) << 3
        | (shown.unit == "kg") << 4
    )


def _word_b_clone(shown: Shown) -> int:
    return 0x20 | (shown.count < 0) << 1 | (shown.range != "ok") << 2 | shown.is_stable << 3


def _word_c(shown: Shown) -> int:
    return 0x20 | UNIT_BITS[shown.unit]
