"""A port that is only listened to, with settings that change while it is open. Nothing here can send."""

from __future__ import annotations

import contextlib
import termios
import time
from collections.abc import Iterator
from dataclasses import replace
from types import TracebackType
from typing import Any, Final, Self

from devices.links.address import SerialLine
from devices.links.serial import open_port, reader_of
from gate_service.domain.errors import LinkLostError

BAUD_RATES: Final = (9600, 4800, 2400, 1200, 19200, 38400, 57600, 115200, 600)
"""As indicators have them, the usual ones first."""
FRAMINGS: Final = ((8, "N"), (8, "E"), (8, "O"))
"""Seven bits with parity are heard as eight without, the parity in the eighth (`probe.parity_of`)."""


def settings_to_try(line: SerialLine, given: frozenset[str] = frozenset()) -> list[SerialLine]:
    """Every setting to listen with; keys given by the user (`baud`, `parity`, `bytesize`) stay as they are."""
    if line.is_socket:
        return [line]
    bauds = (line.baud,) if "baud" in given else BAUD_RATES
    is_framing_given = bool(given & {"parity", "bytesize"})
    framings = ((line.bytesize, line.parity),) if is_framing_given else FRAMINGS
    return [replace(line, baud=baud, bytesize=bits, parity=parity) for bits, parity in framings for baud in bauds]


class ListeningPort:
    """One port, opened once and never written to."""

    def __init__(self, line: SerialLine) -> None:
        self._line = line
        self._port: Any = None

    def __enter__(self) -> Self:
        try:
            self._port = open_port(self._line)
        except (OSError, ValueError) as exc:
            raise LinkLostError(f"{self._line.device}: cannot be opened: {exc}") from exc
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._port.close()

    def change(self, line: SerialLine) -> bool:
        """Set the line; False where the hardware does not have this setting. What came before is dropped."""
        if line.is_socket:
            return True
        try:
            self._port.baudrate, self._port.bytesize, self._port.parity = line.baud, line.bytesize, line.parity
            if not self._is_set(line):
                return False
            self._port.reset_input_buffer()
        except (OSError, ValueError, termios.error):
            return False
        return True

    def listen(self, seconds: float) -> bytes:
        """All bytes of so long. Raises LinkLostError when the port goes away."""
        return b"".join(self._chunks(seconds))

    def _chunks(self, seconds: float) -> Iterator[bytes]:
        read_some = reader_of(self._port)
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            try:
                yield read_some()
            except (OSError, TypeError) as exc:
                raise LinkLostError(f"{self._line.device}: {exc}") from exc

    def _is_set(self, line: SerialLine) -> bool:
        """Read back what the driver made of it: some silently keep what they have."""
        attributes = termios.tcgetattr(self._port.fileno())
        flags, speed = attributes[2], attributes[5]
        size = termios.CS7 if line.bytesize == 7 else termios.CS8
        is_parity = bool(flags & termios.PARENB) == (line.parity != "N")
        is_odd = line.parity == "N" or bool(flags & termios.PARODD) == (line.parity == "O")
        return (
            flags & termios.CSIZE == size and is_parity and is_odd and speed == getattr(termios, f"B{line.baud}", speed)
        )
