"""What may come in for the registers; blanks of a form come as null."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from config.visible import VisibleLine
from gate_service.gate_form import GoodsForm, GoodsLine
from gate_service.web.bodies import Body, Short, Text
from sync.register_changes import ServiceVehicle

Maybe = Annotated[VisibleLine, StringConstraints(max_length=200)]
Kilograms = Annotated[float, Field(strict=False, ge=0, le=1_000_000, allow_inf_nan=False)]
Quantity = Annotated[float, Field(strict=False, ge=0, le=1_000_000_000, allow_inf_nan=False)]
Why = Annotated[Text, Field(min_length=1)]


class VehicleLine(Body):
    """A line of the register of service vehicles; null validity is open."""

    plate: Short
    valid_from_at: AwareDatetime | None = None
    valid_until_at: AwareDatetime | None = None
    longest_stay_h: Annotated[int, Field(ge=1, le=100_000)] | None = None
    note: Maybe = ""

    def line(self) -> ServiceVehicle:
        """For the register."""
        return ServiceVehicle(self.plate, self.valid_from_at, self.valid_until_at, self.longest_stay_h, self.note)


class FormLine(Body):
    """One line of gate-registered goods."""

    name: Maybe
    quantity: Quantity | None = None
    unit: Maybe = ""
    gross_kg: Kilograms | None = None
    net_kg: Kilograms | None = None
    item_no: Maybe = ""
    hs_code: Maybe = ""


class GateForm(Body):
    """The form of GACC Announcement 2023 No. 200, filled in at the gate."""

    direction: Literal["inbound", "outbound"]
    plate: Short
    category: Literal["infrastructure", "office", "labour_protection", "living", "other"]
    customs_code: Maybe
    enterprise: Maybe
    tare_kg: Kilograms | None = None
    goods: Annotated[list[FormLine], Field(max_length=50)]
    driver: Maybe = ""
    trailer_plate: Maybe = ""
    trailer_tare_kg: Kilograms | None = None

    def form(self) -> GoodsForm:
        """For the desk, which says what is wanting."""
        goods = tuple(GoodsLine(**line.model_dump()) for line in self.goods)
        return GoodsForm(**{**self.model_dump(exclude={"goods"}), "goods": goods})


class Reasoned(Body):
    """Why."""

    reason: Why


class InsideNow(Reasoned):
    """Whether the vehicle is inside, as a person saw it."""

    inside: bool


class CameBack(Reasoned):
    """A temporary exit came back; with the passage it came in by where that is known."""

    passage_id: Short | None = None


class InspectionResult(Body):
    """What an inspection found; with `found` true `what` says what."""

    found: bool
    what: Text = ""
