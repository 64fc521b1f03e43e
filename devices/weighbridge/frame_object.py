"""A decoded frame as the JSON object that `gate decode` and `gate read` print."""

from __future__ import annotations

from devices.weighbridge.frame import Decoded, TareFrame, WeightFrame


def frame_object(frame: Decoded) -> dict[str, str | bool | None]:
    """Return the public object of one frame. Fields beyond the common ones appear only where they say something."""
    raw = frame.raw.hex(" ")
    if isinstance(frame, TareFrame):
        shown: dict[str, str | bool | None] = {"kind": "reading", "value": frame.value, "unit": frame.unit}
        return {**shown, "net": None, "stable": None, "status": "ok", "raw": raw, "tare": True}
    if not isinstance(frame, WeightFrame):
        return {"kind": "rejected", "reason": str(frame.reason), "raw": raw}
    reading: dict[str, str | bool | None] = {
        "kind": "reading",
        "value": frame.value,
        "unit": frame.unit,
        "net": frame.net,
        "stable": frame.stable,
        "status": str(frame.status),
        "raw": raw,
    }
    if frame.alibi_id is not None:
        reading["alibi_id"] = frame.alibi_id
    if frame.is_minus_zero:
        reading["minus_zero"] = True
    return reading
