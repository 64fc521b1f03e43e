"""Blueprint of a dialect: copy it, and replace what is marked NEW. It speaks the decoders' blueprint's made-up frame.

Written from the manual alone: whoever copies from the decoder copies its mistakes too, and then both agree.
"""

from __future__ import annotations

from devices.simulator.indicators.dialect import Dialect
from devices.simulator.indicators.display import Shown


def continuous(_options: dict[str, str]) -> Dialect:
    """NEW: take the set-up of the indicator out of the options with `chosen` (see `yaohua.py`); most need none."""

    def frame(shown: Shown) -> bytes:
        """NEW: the display as bytes. `shown.count` holds the digits, `shown.decimals` how many are behind the point."""
        state = "O" if shown.range == "over" else "S" if shown.is_stable else "M"
        body = f"${shown.sign}{abs(shown.count):06d}{shown.decimals}{shown.unit:>2}{state}".encode()
        return body + f"{sum(body) % 256:02X}\r\n".encode()

    def spoil(sent: bytes) -> bytes:
        """NEW: the same frame with a wrong check; leave `spoil` out where there is none."""
        return sent[:-3] + (b"0" if sent[-3:-2] != b"0" else b"1") + sent[-2:]

    return Dialect(frame, spoil=spoil)
