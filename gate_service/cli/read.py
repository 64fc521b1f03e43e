"""`gate read`: the frames of one weighing protocol from a live port, as `gate decode` shows them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from devices.links.serial import SerialLink
from devices.weighbridge import protocols
from devices.weighbridge.frame import Decoded, Decoder, WeightFrame
from gate_service.clock import RealClock
from gate_service.domain.errors import InputError


def run(
    protocol: str, port: str, *, count: int | None, seconds: float | None, options: Sequence[str], as_json: bool
) -> int:
    """Print frames until `count` readings came or `seconds` are over; 1 when there was none. Sends nothing."""
    decoder = protocols.create(protocol, read_options(options))
    shown = _Shown(as_json=as_json)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_read(port, decoder, shown, count, seconds))
    for decoded in decoder.flush():
        shown.show(decoded)
    return 0 if shown.readings else 1


def read_options(options: Sequence[str]) -> dict[str, str]:
    """Read `key=value` texts. Raises InputError."""
    pairs = [option.partition("=") for option in options]
    for key, sign, _ in pairs:
        if not key or not sign:
            raise InputError(f"--option: key=value expected, found {key + sign!r}")
    return {key: value for key, _, value in pairs}


def as_object(decoded: Decoded) -> Mapping[str, Any]:
    """Give the object of CONTRACT section 2 for one frame."""
    raw = decoded.raw.hex(" ")
    if not isinstance(decoded, WeightFrame):
        return {"kind": "rejected", "reason": str(decoded.reason), "raw": raw}
    return {
        "kind": "reading",
        "value": decoded.value,
        "unit": decoded.unit,
        "net": decoded.net,
        "stable": decoded.stable,
        "status": str(decoded.status),
        "raw": raw,
    }


class _Shown:
    """Prints and counts."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self.readings = 0

    def show(self, decoded: Decoded) -> None:
        """Print one frame."""
        fields = as_object(decoded)
        self.readings += fields["kind"] == "reading"
        if self._as_json:
            print(json.dumps(fields), flush=True)
        elif fields["kind"] == "reading":
            words = [fields["value"] or fields["status"], fields["unit"] or ""]
            words += [name for name, key in (("net", "net"), ("stable", "stable")) if fields[key]]
            print(f"{' '.join(word for word in words if word):<24} {fields['raw']}", flush=True)
        else:
            print(f"rejected: {fields['reason']:<14} {fields['raw']}", flush=True)


async def _read(port: str, decoder: Decoder, shown: _Shown, count: int | None, seconds: float | None) -> None:
    done = asyncio.Event()

    def received(data: bytes, _at_s: float) -> None:
        for decoded in decoder.feed(data):
            if not done.is_set():
                shown.show(decoded)
            if count is not None and shown.readings >= count:
                done.set()

    def link_changed(fault: str | None) -> None:
        if fault is not None:
            print(fault, file=sys.stderr, flush=True)

    async with SerialLink(port, RealClock(), on_bytes=received, on_fault=link_changed):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), seconds)
