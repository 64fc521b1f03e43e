"""The lanes a seed can have: declared and not, in and out, with and without weighbridge or entry boom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Final

from devices.barrier.barrier import BarrierSettings
from devices.signals.lane_io import BarrierWiring, LaneIoSettings, LightWiring
from devices.simulator.specs import LaneSpec, WeighbridgeSpec
from devices.simulator.yard_lane import INPUTS, OUTPUTS
from gate_service.domain.mass import Mass
from gate_service.domain.reading import Detector, Side
from gate_service.simulation.virtual_loop import START
from lanes.guards import Layout
from lanes.platform import DeckSettings
from lanes.settings import LaneSettings

SITE_ID: Final = "K1"
INTERVAL_KG: Final = 20
MAX_CAPACITY_KG: Final = 80_000
TRAVEL_S: Final = 8.0
BARRIER: Final = BarrierSettings()


@dataclass(frozen=True, slots=True)
class SimLane:
    """One lane of the simulated site."""

    id: str
    kind: str
    direction: str
    has_weighbridge: bool = True
    has_entry_barrier: bool = True
    allows_hazmat: bool = True
    refuse_way: str = "back_out"

    @property
    def layout(self) -> Layout:
        """As the automaton knows it."""
        return Layout(has_weighbridge=self.has_weighbridge, has_entry_barrier=self.has_entry_barrier)

    @property
    def spec(self) -> LaneSpec:
        """As the yard builds it."""
        bridge = WeighbridgeSpec(interval_kg=INTERVAL_KG) if self.has_weighbridge else None
        return LaneSpec(self.id, bridge, entry_barrier=self.has_entry_barrier)

    @property
    def release_side(self) -> Side:
        """The boom that lets a released vehicle go."""
        return Side.EXIT

    def settings(self) -> LaneSettings:
        """As the controller is told."""
        deck = None
        if self.has_weighbridge:
            zero_band = Mass.from_kg(2 * INTERVAL_KG)
            deck = DeckSettings(Mass.from_kg(INTERVAL_KG), Mass.from_kg(MAX_CAPACITY_KG), zero_band)
        return LaneSettings(
            id=self.id,
            site_id=SITE_ID,
            name={"zh": self.id, "en": self.id},
            kind=self.kind,
            direction=self.direction,
            allows_hazmat=self.allows_hazmat,
            layout=self.layout,
            deck=deck,
            verified_until_at=START + timedelta(days=100) if deck else None,
            refuse_way=self.refuse_way,
        )

    def wiring(self) -> LaneIoSettings:
        """Terminals as the yard numbers them; those the lane has not are left out."""
        number = {name: place for place, name in enumerate(INPUTS)}
        out = {name: place for place, name in enumerate(OUTPUTS)}
        detectors = [Detector.APPROACH, Detector.EXIT_LOOP]
        if self.has_entry_barrier:
            detectors.append(Detector.ENTRY_LOOP)
        if self.has_weighbridge:
            detectors += [Detector.ENTRY_BEAM, Detector.EXIT_BEAM]
        sides = [Side.ENTRY, Side.EXIT] if self.has_entry_barrier else [Side.EXIT]
        return LaneIoSettings(
            lane=self.id,
            detectors={detector: number[detector.value] for detector in detectors},
            barriers={
                side: BarrierWiring(
                    up=number[f"{side}_up"],
                    down=number[f"{side}_down"],
                    raise_output=out[f"{side}_raise"],
                    lower_output=out[f"{side}_lower"],
                    travel_s=TRAVEL_S,
                )
                for side in sides
            },
            lights={
                Side.ENTRY: LightWiring(out["entry_red"], out["entry_green"], out["back_out"]),
                Side.EXIT: LightWiring(out["exit_red"], out["exit_green"]),
            },
            fire=number["fire"],
            power_ok=number["power_ok"],
            local_button=number["local_button"],
        )


ALWAYS: Final = SimLane("in-d1", "declared", "inbound")
OTHERS: Final = (
    SimLane("out-d1", "declared", "outbound", refuse_way="forward"),
    SimLane("in-n1", "non_declared", "inbound", has_entry_barrier=False, refuse_way="forward"),
    SimLane("in-s1", "non_declared", "inbound", has_weighbridge=False, has_entry_barrier=False, refuse_way="forward"),
    SimLane("out-n1", "non_declared", "outbound", has_weighbridge=False),
)
"""One lane of each kind of layout and direction."""


def lanes_for(rng: Random) -> tuple[SimLane, ...]:
    """Three lanes: the fullest one, and two drawn."""
    return (ALWAYS, *rng.sample(OTHERS, 2))
