"""Addresses of devices as people write them: a serial line or a Modbus unit as one URL. Pure; opens nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from gate_service.domain.errors import InputError

MODBUS_PORT: Final = 502  # MODBUS Messaging on TCP/IP Implementation Guide V1.0b, 4.3.2
LARGEST_UNIT: Final = 255
NETWORK_SCHEMES: Final = frozenset({"socket", "rfc2217"})
OTHER_SCHEMES: Final = frozenset({"loop", "spy", "alt", "hwgrep"})  # pySerial 3.5, URL handlers
LINE_KEYS: Final = frozenset({"baud", "bytesize", "parity", "stopbits", "dtr", "rts"})


@dataclass(frozen=True, slots=True)
class SerialLine:
    """A port for pyserial (`device` may be a path or a pyserial URL) and its line settings."""

    device: str
    baud: int = 9600
    bytesize: int = 8
    parity: str = "N"
    stopbits: int = 1
    dtr: bool = False  # some USB converters restart the indicator on a DTR edge: low unless the site says otherwise
    rts: bool = False

    @property
    def is_socket(self) -> bool:
        """Whether this is a serial server on the network rather than a port of this machine."""
        return "://" in self.device


@dataclass(frozen=True, slots=True)
class ModbusAddress:
    """One unit on one bus. `line` for RTU on a serial port, `host` and `port` for TCP (`is_rtu`: RTU over TCP)."""

    unit: int
    host: str = ""
    port: int = MODBUS_PORT
    is_rtu: bool = False
    line: SerialLine | None = None

    @property
    def bus(self) -> str:
        """What the units of one bus have in common; one owner at a time."""
        if self.line is not None:
            return self.line.device
        host = "127.0.0.1" if self.host.lower() == "localhost" else self.host.lower()
        return f"{host}:{self.port}"


def parse_line(url: str) -> SerialLine:
    """Read `/dev/ttyUSB0?baud=9600&bytesize=7&parity=E`, `socket://host:port` or a pty. Raises InputError."""
    device, _, query = url.partition("?")
    if not device:
        raise InputError(f"serial port: a device path or URL expected, found {url!r}")
    if "://" in device:
        _check_remote(device, url)
    return _line(device, dict(parse_qsl(query, keep_blank_values=True)), url)


def _check_remote(device: str, url: str) -> None:
    """Raise InputError for a URL that pyserial does not know, or one of a serial server without its host or port."""
    scheme = device.partition("://")[0].lower()
    if scheme not in NETWORK_SCHEMES:
        if scheme in OTHER_SCHEMES:
            return
        known = ", ".join(f"{one}://" for one in sorted(NETWORK_SCHEMES | OTHER_SCHEMES))
        raise InputError(f"serial port: a device path or one of {known} expected, found {url!r}")
    try:
        parts = urlsplit(device)
        host, port = parts.hostname, parts.port
    except ValueError:  # a port that is none or above 65535, an IPv6 address without its end
        host, port = None, None
    if not host or not port or parts.path not in {"", "/"}:
        raise InputError(f"serial port: {scheme}://host:port with a port of 1 to 65535 expected, found {url!r}")


def parse_modbus(url: str) -> ModbusAddress:
    """Read `modbus-tcp://host:port/unit`, `modbus-rtu:///dev/ttyUSB0/unit?baud=9600`, `modbus-rtu-tcp://host:port/unit`.

    The unit may be left out on TCP (1). Raises InputError.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:  # an IPv6 address without its end
        raise InputError(f"I/O module: an address expected, found {url!r} ({error})") from None
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.scheme == "modbus-rtu":
        device, _, unit = parts.path.rpartition("/")
        if not device or parts.netloc:
            raise InputError(f"I/O module: modbus-rtu:///dev/ttyUSB0/unit expected, found {url!r}")
        return ModbusAddress(_unit(unit, url), is_rtu=True, line=_line(device, options, url))
    if parts.scheme not in {"modbus-tcp", "modbus-rtu-tcp"}:
        raise InputError(f"I/O module: modbus-tcp, modbus-rtu or modbus-rtu-tcp expected, found {url!r}")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or options:
        raise InputError(f"I/O module: {parts.scheme}://host:port/unit expected, found {url!r}")
    unit = parts.path.strip("/") or "1"
    return ModbusAddress(_unit(unit, url), host, port or MODBUS_PORT, is_rtu=parts.scheme == "modbus-rtu-tcp")


def _unit(text: str, url: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= LARGEST_UNIT):
        raise InputError(f"I/O module: a unit of 0 to {LARGEST_UNIT} at the end of the path expected, found {url!r}")
    return int(text)


def _line(device: str, options: Mapping[str, str], url: str) -> SerialLine:
    unknown = sorted(set(options) - LINE_KEYS)
    if unknown:
        allowed_keys = ", ".join(sorted(LINE_KEYS))
        raise InputError(f"serial port {url!r}: unknown {', '.join(unknown)}; allowed are {allowed_keys}")

    def one_of(key: str, default: str, allowed: Callable[[str], bool], expected: str) -> str:
        text = options.get(key, default)
        if not allowed(text):
            raise InputError(f"serial port {url!r}: {key} {expected} expected, found {text!r}")
        return text

    return SerialLine(
        device=device,
        baud=int(one_of("baud", "9600", lambda t: t.isdecimal() and 50 <= int(t) <= 4_000_000, "50 to 4000000")),
        bytesize=int(one_of("bytesize", "8", lambda t: t in {"7", "8"}, "7 or 8")),
        parity=one_of("parity", "N", lambda t: t in {"N", "E", "O", "M", "S"}, "N, E, O, M or S"),
        stopbits=int(one_of("stopbits", "1", lambda t: t in {"1", "2"}, "1 or 2")),
        dtr=one_of("dtr", "0", lambda t: t in {"0", "1"}, "0 or 1") == "1",
        rts=one_of("rts", "0", lambda t: t in {"0", "1"}, "0 or 1") == "1",
    )
