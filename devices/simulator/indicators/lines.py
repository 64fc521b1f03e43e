"""Indicators that send lines of text: MT-SICS, SMA, the ST,GS family, Rice Lake, Rinstrum, Cardinal.

Layouts: reference/weighbridge.md 3 to 5.
"""

from __future__ import annotations

import re

from devices.simulator.indicators.dialect import Dialect, chosen
from devices.simulator.indicators.display import Shown

LINE = re.compile(rb"[^\r\n]*\r\n?")
STX, ETX = "\x02", "\x03"


def mt_sics(options: dict[str, str]) -> Dialect:
    """Answers S and SI with head S; `repeat` yes: sends as after SIR. I4 comes unasked at power-on."""
    is_repeating = chosen(options, "repeat", ("no", "yes")) == "yes"
    serial_number = 'I4 A "0000001"\r\n'

    def weight(shown: Shown) -> bytes:
        if shown.range != "ok":
            return b"S +\r\n" if shown.range == "over" else b"S -\r\n"
        return f"S {'S' if shown.is_stable else 'D'} {shown.signed(10)} {shown.unit}\r\n".encode()

    def answer(question: bytes, shown: Shown) -> bytes:
        match question.strip():
            case b"SI":
                return weight(shown)
            case b"S":
                return weight(shown) if shown.is_stable or shown.range != "ok" else b"S I\r\n"
            case b"T" | b"TA":
                return f"TA A {Shown(shown.tare, shown.decimals).signed(10)} {shown.unit}\r\n".encode()
            case b"@" | b"I4":
                return serial_number.encode()
            case b"I2":
                return b'I2 A "EMULATOR 80.00 t"\r\n'
            case b"Z":
                return b"Z A\r\n" if shown.is_stable else b"Z I\r\n"
            case _:
                return b"ES\r\n"

    return Dialect(weight, not is_repeating, LINE, answer, first=serial_number.encode(), zeroes=frozenset({b"Z"}))


def sma(options: dict[str, str]) -> Dialect:
    """Answers LF W CR and LF H CR; `repeat` yes: sends as after R. Out of range shows dashes."""
    is_repeating = chosen(options, "repeat", ("no", "yes")) == "yes"

    def weight(shown: Shown) -> bytes:
        state = {"over": "O", "under": "U", "ok": "Z" if shown.count == 0 and not shown.is_net else " "}[shown.range]
        number = "-" * 10 if shown.range != "ok" else shown.signed(10)
        kind, motion = "N" if shown.is_net else "G", " " if shown.is_stable else "M"
        return f"\n{state}1{kind}{motion} {number}{shown.unit:<3}\r".encode()

    def answer(question: bytes, shown: Shown) -> bytes:
        letter = question.strip()
        if letter in (b"W", b"H"):
            return weight(shown)
        if letter == b"Z":
            return weight(shown)
        return b"\nSMA:2/1.0\r" if letter == b"A" else b"\n?\r"

    return Dialect(weight, not is_repeating, re.compile(rb"\n[A-Z]\r"), answer, zeroes=frozenset({b"Z"}))


def csv(options: dict[str, str]) -> Dialect:
    """`maker`: ad (18 bytes), cas (22, with lamp byte), dini (address, comma before the unit), nocomma, wt1000."""
    maker = chosen(options, "maker", ("ad", "cas", "dini", "nocomma", "wt1000"))
    end = {"crlf": "\r\n", "none": ""}[chosen(options, "end", ("crlf", "none"))]
    is_asked = chosen(options, "asked", ("no", "yes")) == "yes"

    def line(shown: Shown) -> bytes:
        if maker == "wt1000":
            gross, tare, net = (_tonnes(count) for count in (shown.count + shown.tare, shown.tare, shown.count))
            return f"{0 if shown.is_stable else 1},{gross},{tare},{net}{end}".encode()
        state = {"over": "OL", "under": "UL", "ok": "ST" if shown.is_stable else "US"}[shown.range]
        head = f"{state},{'NT' if shown.is_net else 'GS'}"
        if maker == "cas":
            lamp = 0x80 | shown.is_stable << 6 | (not shown.is_net) << 2 | shown.is_net << 1 | (shown.count == 0)
            return f"{head},0".encode() + bytes([lamp]) + f",{shown.signed(8)} {shown.unit:>2}{end}".encode()
        sign = "-" if shown.count < 0 else "+"
        number = {
            "ad": f",{sign}{shown.digits(7)}{shown.unit:>2}",
            "dini": f",{shown.signed(8)},{shown.unit}",
            "nocomma": f"{shown.sign}{shown.digits(7, ' ')}{shown.unit}",
        }[maker]
        return f"{'01' if maker == 'dini' else ''}{head}{number}{end}".encode()

    def answer(question: bytes, shown: Shown) -> bytes:
        word = question.strip()
        if word in zeroes:
            return word + b"\r\n"
        return b"?\r\n" if not is_asked else line(shown) if word in (b"RW", b"READ") else b"?\r\n"

    zeroes = frozenset({{"ad": b"MZ", "dini": b"Z"}[maker]} if maker in ("ad", "dini") else ())
    return Dialect(line, is_asked, LINE, answer, has_unit=maker != "wt1000", zeroes=zeroes)


def _tonnes(kilograms: int) -> str:
    return f"{'-' if kilograms < 0 else ''}{abs(kilograms) // 1000:03d}.{abs(kilograms) % 1000:03d}"


def rice_lake(options: dict[str, str]) -> Dialect:
    """`form`: stream (RLWS) or scoreboard (OB-350 format 3)."""
    is_stream = chosen(options, "form", ("stream", "scoreboard")) == "stream"
    letters = {"kg": "K", "lb": "L", "t": "T", "g": "G"}

    def frame(shown: Shown) -> bytes:
        kind = "N" if shown.is_net else "G"
        number = shown.digits(7, " ")
        if is_stream:
            state = "O" if shown.range != "ok" else " " if shown.is_stable else "M"
            return f"{STX}{shown.sign}{number}{letters[shown.unit]}{kind}{state}\r\n".encode()
        state = {"over": "O", "under": "U", "ok": kind if shown.is_stable else "M"}[shown.range]
        return f"{STX}{state}{shown.sign}{number} {shown.unit}{ETX}".encode()

    return Dialect(frame)


def rinstrum(options: dict[str, str]) -> Dialect:
    """Automatic output; `lights` yes: an M4222, whose sign byte carries the traffic light."""
    has_lights = chosen(options, "lights", ("no", "yes")) == "yes"

    def frame(shown: Shown) -> bytes:
        kind = "N" if shown.is_net else "G"
        state = {"over": "O", "under": "U", "ok": kind if shown.is_stable else "M"}[shown.range]
        sign = ord(shown.sign) | (0x50 if has_lights and shown.count >= 0 else 0)
        return b"\x02" + bytes([sign]) + f"{shown.digits(7, ' ')}{state}{ETX}".encode()

    return Dialect(frame, has_unit=False)


def cardinal(options: dict[str, str]) -> Dialect:
    """`form`: sb400, sb200, or enq (sb400 when asked with 05h)."""
    form = chosen(options, "form", ("sb400", "sb200", "enq"))
    units = {"kg": "kg", "lb": "lb", "t": " t", "g": " g"}

    def frame(shown: Shown) -> bytes:
        number = shown.digits(7 if shown.decimals else 6)
        kind, unit = "N" if shown.is_net else "G", units[shown.unit]
        if form == "sb200":
            state = {"over": "o", "under": "e", "ok": " " if shown.is_stable else "m"}[shown.range]
            return f"\r{shown.sign}{number}{state}{unit}{kind}{ETX}".encode()
        rest = "  " if shown.is_stable else "MO"
        state = {"over": "OC", "under": "ee", "ok": "CZ" if shown.count == 0 and shown.is_stable else rest}[shown.range]
        return f"{shown.sign}{number}{unit}{kind}{state}\r".encode()

    return Dialect(frame, form == "enq", re.compile(rb"\x05"), (lambda _q, shown: frame(shown)))
