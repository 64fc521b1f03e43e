"""XK3190 as an indicator sends it: continuous, when asked, the `=` forms, A12 text (reference/weighbridge.md 1)."""

from __future__ import annotations

import re
from functools import reduce
from operator import xor

from devices.simulator.indicators.dialect import Dialect, chosen
from devices.simulator.indicators.display import Shown

QUESTION = re.compile(rb"\x02([A-Z])([A-Z])([0-9A-F]{2})\x03")
EOT = b"\x04"  # what the DS1 says to a letter it does not know


def check(covered: bytes) -> bytes:
    """XOR of the bytes, high nibble first, upper-case hexadecimal."""
    return f"{reduce(xor, covered, 0):02X}".encode()


def _sign_digits_place(shown: Shown) -> bytes:
    sign = "-" if shown.count < 0 else "+"
    return f"{sign}{min(abs(shown.count), 999_999):06d}{shown.decimals}".encode()


def _spoil_check_before_etx(frame: bytes) -> bytes:
    return frame[:-2] + (b"1" if frame[-2:-1] == b"0" else b"0") + frame[-1:] if len(frame) > 3 else frame


def continuous(_options: dict[str, str]) -> Dialect:
    """tF = 0. Overload is not documented: it goes on counting."""

    def frame(shown: Shown) -> bytes:
        body = _sign_digits_place(shown)
        return b"\x02" + body + check(body) + b"\x03"

    return Dialect(frame, spoil=_spoil_check_before_etx, has_unit=False)


def command(options: dict[str, str]) -> Dialect:
    """tF = 1: answers its own address only; an unknown letter gets EOT. `point`: `place` (Yaohua) or `text` (Keli)."""
    address = options.pop("address", "A").encode()
    is_point_text = chosen(options, "point", ("place", "text")) == "text"

    def reply(letter: bytes, data: bytes) -> bytes:
        body = address + letter + data
        return b"\x02" + body + check(body) + b"\x03"

    def data_of(shown: Shown, count: int) -> bytes:
        sign = "-" if count < 0 else "+"
        if is_point_text:
            return (sign + Shown(count, shown.decimals).digits(7, has_point=True)).encode()
        return f"{sign}{abs(count):06d}{shown.decimals}".encode()

    def answer(question: bytes, shown: Shown) -> bytes:
        if question[1:2] != address or check(question[1:3]) != question[3:5]:
            return b""
        letter = question[2:3]
        weights = {b"B": shown.count + shown.tare, b"C": shown.tare, b"D": shown.count}
        if letter in weights:
            return reply(letter, data_of(shown, weights[letter]))
        others = {b"A": b"", b"E": b"00001", b"F": b"00000001"}
        return reply(letter, others[letter]) if letter in others else EOT

    return Dialect(
        lambda shown: reply(b"B", data_of(shown, shown.count + shown.tare)),
        is_asked=True,
        question=QUESTION,
        answer=answer,
        spoil=_spoil_check_before_etx,
        has_unit=False,
    )


def equals(options: dict[str, str]) -> Dialect:
    """The `=` forms; `prefix` is a data radio's name ahead of each frame."""
    form = chosen(options, "form", ("reversed", "forward", "reversed-plain", "trailing"))
    prefix = options.pop("prefix", "").encode()

    def frame(shown: Shown) -> bytes:
        places = shown.digits(7, has_point=True)
        sign = "-" if shown.count < 0 else "0"
        text = {
            "reversed": f"={places[::-1]}{sign}",
            "forward": f"={sign}{places}",
            "reversed-plain": f"={f'{abs(shown.count):08d}'[::-1]}",
            "trailing": (f"-{shown.digits(6, has_point=True)}" if shown.count < 0 else places)[::-1] + "=",
        }[form]
        return prefix + text.encode()

    return Dialect(frame, has_unit=False)


def a12(options: dict[str, str]) -> Dialect:
    """WG and WN with check, or the unchecked ww, wn and wt lines."""
    is_checked = chosen(options, "lines", ("checked", "unchecked")) == "checked"
    end = {"crlf": b"\r\n", "none": b""}[chosen(options, "end", ("crlf", "none"))]

    def frame(shown: Shown) -> bytes:
        places = f"-{shown.digits(6)}" if shown.count < 0 else shown.digits(7)
        kind = "N" if shown.is_net else "G"
        body = f"W{kind}{places}{shown.unit:>2}"
        if shown.range != "ok":
            body = " " * 9 + ("OL" if shown.range == "over" else "LO")
        if is_checked:
            return body.encode() + check(body.encode()) + end
        if shown.range != "ok":
            return b""  # the unchecked lines have no word for it
        line = f"w{'n' if shown.is_net else 'w'}{places}{shown.unit:>2}".encode() + end
        return line + (f"wt{Shown(shown.tare, shown.decimals).digits(7)}{shown.unit:>2}".encode() + end)

    def spoil(sent: bytes) -> bytes:
        return sent[:11] + (b"0" if sent[11:12] != b"0" else b"1") + sent[12:]

    return Dialect(frame, spoil=spoil if is_checked else None)
