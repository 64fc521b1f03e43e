"""What a site says of one weighbridge, whatever way its indicator is reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from devices.weighbridge.stability import StabilitySettings
from gate_service.domain.mass import Mass

DEFAULT_INTERVAL: Final = Mass(20_000)  # d = 20 kg, the usual plate of a 60 to 100 t weighbridge
STALE_S: Final = 3.0  # no valid frame for so long is NO_DATA (reference rule for indicators that send continuously)


@dataclass(frozen=True, slots=True)
class WeighbridgeSettings:
    """One weighbridge. `unit` is what it shows, used where the frame names none; `interval` is the scale interval d.

    `decimals`: how many its display shows, None: any. A frame that contradicts `unit` or `decimals` is never stable:
    somebody changed the indicator, and a point or unit misread is a weight ten or a thousand times wrong.
    """

    name: str
    protocol: str
    port: str
    unit: str = "kg"
    decimals: int | None = None
    interval: Mass = DEFAULT_INTERVAL
    options: Mapping[str, str] = field(default_factory=dict)
    stale_s: float = STALE_S
    stability: StabilitySettings = field(default_factory=StabilitySettings)
