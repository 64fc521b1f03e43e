"""The release slip (核放单) as the gate judges it: documents, goods lines, enterprise, holds.

Values outside the public lists are kept as text and judged by the rules, never repaired here. None means unknown or
blank; a blank mass is never zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from gate_service.domain.mass import Mass

TYPES: Final = ("1", "2", "3", "4", "5", "6", "7")  # PASSPORT_TYPECD, reference/customs-gate.md 2.1
BINDS: Final = ("1", "2", "3")  # BIND_TYPECD
DOCUMENT_KINDS: Final = ("1", "2", "3")  # RLT_TB_TYPECD
MODES: Final = ("ordinary", "two_step", "batch")
DOCUMENT_STATES: Final = ("submitted", "accepted", "summary_released", "released")  # in order
CREDITS: Final = ("advanced", "registered", "dishonest")
CATEGORIES: Final = ("infrastructure", "office", "labour_protection", "living", "other", "transit")
FIRST_GRADE: Final = ("infrastructure", "office", "labour_protection", "living")  # Announcement 2023 No. 200, item 4
DIRECTIONS: Final = ("inbound", "outbound")
LANE_KINDS: Final = ("declared", "non_declared")


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold (布控). Without a target it stands inside a slip and means that slip."""

    kind: str | None
    hold_id: str | None = None
    target_type: str | None = None
    target_id: str | None = None
    placed_by: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Enterprise:
    """The enterprise named on a slip or in the register."""

    customs_code: str | None = None
    uscc: str | None = None
    credit: str | None = None
    has_credit: bool = True
    inside_fence: bool | None = None

    @property
    def identifiers(self) -> frozenset[str]:
        """Everything a hold or a register entry may name it by."""
        return frozenset(i for i in (self.customs_code, self.uscc) if i)


@dataclass(frozen=True, slots=True)
class Guarantee:
    """The customs guarantee of a document declared in batch."""

    required_cny: Decimal | None = None
    available_cny: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A related document of a slip (核注清单, 出入库单, 提运单, declaration)."""

    kind: str | None = None
    number: str | None = None
    declaration_no: str | None = None
    mode: str | None = None
    state: str | None = None
    licence_required: bool = False
    licence_verified: bool = False
    inspection_required: bool = False
    inspection_done: bool = False
    guarantee: Guarantee | None = None

    @property
    def identity(self) -> str | None:
        """What makes it the same document on two slips."""
        return self.number or self.declaration_no

    @property
    def identifiers(self) -> frozenset[str]:
        """Everything a hold or a declaration may name it by."""
        return frozenset(i for i in (self.number, self.declaration_no) if i)


@dataclass(frozen=True, slots=True)
class HazmatEntry:
    """The hazardous part of a goods line."""

    flag: bool = False
    un_no: str | None = None
    name: str | None = None
    cas: str | None = None
    hazard_class: str | None = None
    subsidiary: tuple[str, ...] = ()
    packing_group: str | None = None
    net: Mass | None = None
    packages: int | None = None
    storage_unit: str | None = None
    emergency_phone: str | None = None
    quantity_kind: str | None = None


@dataclass(frozen=True, slots=True)
class GoodsLine:
    """One goods line of a slip."""

    line: str | None = None
    item_no: str | None = None
    hs_code: str | None = None
    name: str | None = None
    quantity: Decimal | None = None
    unit: str | None = None
    gross: Mass | None = None
    controls: tuple[str, ...] = ()
    hazmat: HazmatEntry | None = None

    @property
    def is_hazardous(self) -> bool:
        """RULES 5: any goods line with `hazmat.flag` or a UN number."""
        return self.hazmat is not None and (self.hazmat.flag or bool(self.hazmat.un_no))


@dataclass(frozen=True, slots=True)
class Container:
    """A container named on a slip."""

    number: str
    tare: Mass | None = None


@dataclass(frozen=True, slots=True)
class Slip:
    """One release slip, as the local copy or the centre holds it."""

    slip_no: str
    version: int | None = None
    type: str | None = None
    direction: str | None = None
    bind: str | None = None
    status: str | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    site_ids: frozenset[str] = frozenset()
    pass_limit: int = 1
    plate: str | None = None
    tare: Mass | None = None
    trailer_plate: str | None = None
    trailer_tare: Mass | None = None
    containers: tuple[Container, ...] = ()
    seals: tuple[str, ...] = ()
    goods_gross: Mass | None = None
    total: Mass | None = None
    documents: tuple[Document, ...] = ()
    goods: tuple[GoodsLine, ...] = ()
    enterprise: Enterprise | None = None
    holds: tuple[Hold, ...] = ()
    is_physical: bool = True
    category: str | None = None
    longest_stay_h: Decimal | None = None
    return_due: datetime | None = None
    is_last_of_declaration: bool = False
    signature: str | None = None

    @property
    def is_transit(self) -> bool:
        """RULES 3: transit between port and zone, any type."""
        return self.category == "transit"

    @property
    def grade(self) -> int | None:
        """Grade of gate-registered goods: 1 for the four named categories, 2 for any other or none; else None."""
        if self.type != "5":
            return None
        return 1 if self.category in FIRST_GRADE else 2

    @property
    def has_no_weights(self) -> bool:
        """RULES 4: a slip without weights has neither total nor goods gross."""
        return self.total is None and self.goods_gross is None

    @property
    def is_controlled(self) -> bool:
        """Quota, trade remedy or retaliatory duty on any goods line."""
        return any(line.controls for line in self.goods)

    @property
    def is_hazardous(self) -> bool:
        """Any hazardous goods line."""
        return any(line.is_hazardous for line in self.goods)
