"""`gate probe PORT`: listens, sends nothing, and says which protocol and line settings fit, with the evidence."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import parse_qsl

from devices.links.address import SerialLine, parse_line
from devices.links.listening import ListeningPort, settings_to_try
from devices.links.serial import SEVEN_BITS
from devices.weighbridge.probe import Confidence, Fit, confidence, fits, parity_of
from gate_service.cli.stream import as_text
from gate_service.domain.errors import LinkLostError

DWELL_S: Final = 0.5  # six frames at 12.5/s
DWELL_BYTES: Final = 60  # and on a slow line as long as three or four frames take
LONGER: Final = 3  # times longer in each further round, for those who send seldom
SETTLED_FRAMES: Final = 8  # ours: with so many a likely fit is not looked at any further
KEPT_BYTES: Final = 4096
SAMPLE_BYTES: Final = 40
_WRITTEN: Final = frozenset((0x02, 0x03, 0x0A, 0x0D, *range(0x20, 0x7F)))


@dataclass(frozen=True, slots=True)
class Finding:
    """One protocol with the line settings that it was read with."""

    fit: Fit
    line: SerialLine
    sure: Confidence

    @property
    def rank(self) -> tuple[int, int]:
        """Lowest first: surest, then most frames."""
        return list(Confidence).index(self.sure), -self.fit.frames

    @property
    def is_settled(self) -> bool:
        """Whether listening longer would tell nothing new."""
        return self.sure is not Confidence.POSSIBLE and self.fit.frames >= SETTLED_FRAMES

    @property
    def port(self) -> str:
        """The port as a site file writes it."""
        line = self.line
        parts = [] if line.is_socket else [f"baud={line.baud}"]
        if (line.bytesize, line.parity) != (8, "N"):
            parts += [f"bytesize={line.bytesize}", f"parity={line.parity}"]
        return line.device + ("?" + "&".join(parts) if parts else "")

    def config(self) -> list[str]:
        """The lines to paste into a site file."""
        options = ", ".join(f'{key} = "{value}"' for key, value in self.fit.options.items())
        units = sorted(self.fit.units)
        unit = f'unit = "{units[0]}"' if len(units) == 1 else 'unit = "kg"  # the frames do not say: read the display'
        return [
            "[lanes.weighbridge]",
            f'protocol = "{self.fit.protocol}"',
            f'port = "{self.port}"',
            unit,
            f"options = {{ {options} }}" if options else "options = {}",
            "# interval_kg and max_capacity_kg: from the weighbridge's plate",
        ]

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        fit, line = self.fit, self.line
        return {
            "protocol": fit.protocol,
            "options": dict(fit.options),
            "confidence": self.sure,
            "line": None if line.is_socket else shown(line),
            "port": self.port,
            "frames": fit.frames,
            "rejected": fit.rejects,
            "share": round(fit.share, 3),
            "check": fit.has_check,
            "examples": list(fit.examples),
            "evidence": fit.evidence,
            "config": self.config(),
        }


def run(port: str, *, seconds: float, as_json: bool) -> int:
    """Listen until a protocol is settled or the time is over. 0: something fits; 1: unknown, silent or no port."""
    line = parse_line(port)
    given = frozenset(key for key, _ in parse_qsl(port.partition("?")[2]))
    try:
        findings, heard = _probe(line, given, seconds)
    except LinkLostError as exc:
        print(json.dumps({"error": {"code": exc.code, "message": str(exc)}}) if as_json else exc, file=sys.stderr)
        return 1
    if as_json:
        known = [one.to_json() for one in findings]
        best = known[0]["protocol"] if known else None
        counts = {shown(setting): len(data) for setting, data in heard.items()}
        print(json.dumps({"port": port, "protocol": best or "unknown", "fits": known, "heard_bytes": counts}))
    else:
        _tell(findings, heard)
    return 0 if findings else 1


def shown(line: SerialLine) -> str:
    """`9600 7E1`."""
    return f"{line.baud} {line.bytesize}{line.parity}{line.stopbits}"


def judge(data: bytes, line: SerialLine) -> list[Finding]:
    """What bytes heard with one setting may be, surest first; also as seven bits with parity, where they are that."""
    hearings = [(data, line)]
    parity = parity_of(data)
    if parity is not None and line.bytesize == 8 and line.parity == "N":
        hearings.append((data.translate(SEVEN_BITS), replace(line, bytesize=7, parity=parity)))
    findings: list[Finding] = []
    for heard, setting in hearings:
        found = fits(heard)
        findings += [Finding(fit, setting, confidence(fit, found)) for fit in found]
    return sorted(findings, key=lambda one: one.rank)


def _probe(line: SerialLine, given: frozenset[str], seconds: float) -> tuple[list[Finding], dict[SerialLine, bytes]]:
    """Listen with every setting in turn, longer in each round, until something is settled or the time is over."""
    until_s = time.monotonic() + seconds
    settings = settings_to_try(line, given)
    with ListeningPort(settings[0]) as port:
        search = _Search(port, until_s)
        dwell_s = DWELL_S
        while settings and not search.is_over:
            settings = [setting for setting in settings if search.is_worth_trying(setting, dwell_s)]
            dwell_s *= LONGER
            if any(finding.fit.frames >= SETTLED_FRAMES for finding in search.findings()):
                break
    return search.findings(), search.heard


class _Search:
    """What was heard with each setting so far, and what it may be."""

    def __init__(self, port: ListeningPort, until_s: float) -> None:
        self._port = port
        self._until_s = until_s
        self.heard: dict[SerialLine, bytes] = {}
        self._found: dict[SerialLine, list[Finding]] = {}
        self.is_settled = False

    @property
    def is_over(self) -> bool:
        """Whether to stop."""
        return self.is_settled or time.monotonic() >= self._until_s

    def findings(self) -> list[Finding]:
        """All of them, surest first."""
        return sorted((one for found in self._found.values() for one in found), key=lambda one: one.rank)

    def is_worth_trying(self, setting: SerialLine, dwell_s: float) -> bool:
        """Listen with one setting, on and on where something fits; False where the hardware does not have it."""
        if self.is_over:
            return True
        if not self._port.change(setting):
            return False
        enough_s = max(dwell_s, DWELL_BYTES * 10 / setting.baud)
        self._listen(setting, enough_s)
        for _ in range(4):
            if self.is_over or not self._found[setting]:
                break
            self._listen(setting, enough_s)
        return True

    def _listen(self, setting: SerialLine, seconds: float) -> None:
        left_s = max(0.0, self._until_s - time.monotonic())
        data = (self.heard.get(setting, b"") + self._port.listen(min(seconds, left_s)))[-KEPT_BYTES:]
        self.heard[setting] = data
        found = self._found[setting] = judge(data, setting)
        self.is_settled = self.is_settled or bool(found and found[0].is_settled)


def most_like_text(heard: Mapping[SerialLine, bytes]) -> list[tuple[float, SerialLine, bytes]]:
    """Settings at which the bytes look like something written, best first: share of printable bytes, setting, bytes."""
    readings = [(data, line) for line, data in heard.items() if data]
    for data, line in list(readings):
        parity = parity_of(data)
        if parity is not None and (line.bytesize, line.parity) == (8, "N"):
            readings.append((data.translate(SEVEN_BITS), replace(line, bytesize=7, parity=parity)))
    shares = [(sum(byte in _WRITTEN for byte in data) / len(data), line, data) for data, line in readings]
    return sorted(shares, key=lambda one: -one[0])


def _tell_unknown(heard: Mapping[SerialLine, bytes]) -> None:
    likeliest = most_like_text(heard)
    if not likeliest:
        print("silent: nothing was heard; many indicators speak only when asked")
        print(f"listened with: {', '.join(shown(line) for line in heard)}")
        return
    print("unknown: no protocol fits; the bytes look most like something written at")
    for share, line, data in likeliest[:3]:
        print(f"  {shown(line)}: {share:.0%} printable of {len(data)} bytes: {as_text(data[-SAMPLE_BYTES:])}")


def _tell(findings: Sequence[Finding], heard: Mapping[SerialLine, bytes]) -> None:
    if not findings:
        _tell_unknown(heard)
        return
    for finding in findings:
        options = "".join(f" {key}={value}" for key, value in finding.fit.options.items())
        setting = "" if finding.line.is_socket else f" at {shown(finding.line)}"
        print(f"{finding.sure}: {finding.fit.protocol}{options}{setting}: {finding.fit.evidence}")
    if findings[0].sure is Confidence.POSSIBLE:
        print("not settled: compare the numbers above with the display before using these lines")
    print()
    print("\n".join(findings[0].config()))
