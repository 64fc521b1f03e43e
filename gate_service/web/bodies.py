"""What may come in: strict models (`false` is no weight of 0), read from bytes so that no lax parser sees them.

Unknown fields of messages are ignored (CONTRACT); known ones must be of their type.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal, TypeVar

from fastapi import Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import from_json
from starlette.exceptions import HTTPException

from config.visible import VisibleLine, VisibleText
from gate_service.domain.commands import Command, Role, Scope
from gate_service.domain.errors import InputError
from gate_service.web.problems import places

M = TypeVar("M", bound="Body")

Short = Annotated[VisibleLine, StringConstraints(min_length=1, max_length=64)]
Text = Annotated[VisibleText, StringConstraints(max_length=1000)]
Code = Annotated[VisibleLine, StringConstraints(min_length=1, max_length=4096)]  # a QR code: at most 2,953
Secret = Annotated[str, StringConstraints(min_length=1, max_length=512)]
Several = Annotated[list[Short], Field(max_length=20)]
Digits = Annotated[str, StringConstraints(pattern=r"^[0-9]{6,8}$")]
Snake = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


class Body(BaseModel):
    """Strict: no coercion. Unknown fields are ignored."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class SignIn(Body):
    """Name and password of a person, and the code of their device where they have one."""

    name: Short
    password: Secret
    code: Short | None = None


class Unlock(Body):
    """The password of the session's own person, and the code of their device where they have one."""

    password: Secret
    code: Short | None = None


class NewPassword(Unlock):
    """The present password and the new one."""

    new: Secret


class FactorCode(Body):
    """A code of the device that is being enrolled."""

    code: Digits


class NewRole(Body):
    """What somebody is from now on."""

    role: Role


class Reset(Body):
    """A new password for somebody who lost theirs; their devices are forgotten."""

    password: Secret


class FirstAdministrator(Body):
    """The one-time link's code and the account it makes."""

    name: Short
    password: Secret
    token: Secret


class Scan(Body):
    """What a scanner read."""

    code: Code
    read_id: Short | None = None
    at: AwareDatetime | None = None


class Plate(Body):
    """What a camera saw. Null: not looked at; an empty list: looked and nothing there."""

    plate: Short | None
    trailer_plate: Annotated[VisibleLine, StringConstraints(max_length=64)] | None = None
    containers: Several | None = None
    seals: Several | None = None
    confidence: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    read_id: Short | None = None
    at: AwareDatetime | None = None


class CommandFields(Body):
    """What a command needs beyond passage and reason."""

    plate: Short | None = None
    trailer_plate: Annotated[VisibleLine, StringConstraints(max_length=64)] | None = None
    slip_nos: Several | None = None
    containers: Several | None = None
    seals: Several | None = None
    side: Literal["entry", "exit"] | None = None
    way: (
        Literal["back_out", "turn_back", "divert", "forward", "escort", "yard_inside", "yard_before", "at_premises"]
        | None
    ) = None
    place: Literal["yard_inside", "yard_before", "at_premises"] | None = None
    escort: Short | None = None
    hold_s: Annotated[int, Field(ge=1, le=600)] | None = None
    direction: Literal["inbound", "outbound"] | None = None
    crossed: bool | None = None


class LaneCommand(Body):
    """One command to a lane."""

    command: Command
    passage_id: Short | None = None
    facts_version: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    reason_code: Snake | None = None
    reason: Text | None = None
    fields: CommandFields | None = None


class Approval(Body):
    """The second person's own name with password or one-time code, given at the first one's terminal; or nothing."""

    name: Short | None = None
    password: Secret | None = None
    code: Digits | None = None


class RegimeTermsBody(Body):
    """An emergency regime to open."""

    reason: Annotated[Text, Field(min_length=1)]
    lane_kinds: Several
    slip_types: Several
    ends_at: AwareDatetime
    passages: Annotated[int, Field(ge=1, lt=2**31)]


class Why(Body):
    """Why something is done."""

    reason: Annotated[Text, Field(min_length=1)]


class Note(Body):
    """A word to go with it, or none."""

    note: Text | None = None


class Settlement(Body):
    """What an open matter was, or how a passage of a regime was found."""

    outcome: Snake
    note: Text | None = None


class PaperLine(Body):
    """One line of the paper list."""

    lane: Short
    crossed_at: AwareDatetime
    plate: Short
    slip_nos: Several = Field(default_factory=list)
    released_by: Short
    reason: Annotated[Text, Field(min_length=1)]
    paper_no: Short
    gross_kg: Annotated[Decimal, Field(strict=False, ge=0, le=1_000_000, decimal_places=3)] | None = None
    regime_id: Short | None = None


class NewUser(Body):
    """An account to make."""

    name: Short
    password: Secret
    role: Role


class NewToken(Body):
    """A token to make; `lanes` empty is every lane."""

    name: Short
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=8)]
    lanes: Several = Field(default_factory=list)


class Enterprise(Body):
    """The enterprise whose stock is corrected."""

    customs_code: Short
    name: Annotated[VisibleLine, StringConstraints(max_length=200)] | None = None


class CorrectedLine(Body):
    """One substance of one storage unit, and by how much its balance changes (kilograms, at most three decimals)."""

    storage_unit: Short
    un_no: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")]
    name: Annotated[VisibleLine, StringConstraints(min_length=1, max_length=200)]
    hazard_class: Annotated[str, StringConstraints(pattern=r"^[1-9](\.[1-6])?[A-Z]?$")] = Field(alias="class")
    change_kg: Annotated[Decimal, Field(strict=False, ge=-1_000_000_000, le=1_000_000_000, decimal_places=3)]
    cas: Short | None = None
    subsidiary: Several = Field(default_factory=list)
    packing_group: Literal["I", "II", "III"] | None = None
    emergency_phone: Short | None = None
    sds: Annotated[VisibleLine, StringConstraints(max_length=500)] | None = None
    ghs_symbol: Several = Field(default_factory=list)


class NewExport(Body):
    """A workbook to make: every line of every event, or the balances."""

    what: Literal["entries", "inventory"]


class StockCorrection(Body):
    """Opening stock, or a mistake put right by a change with its sign."""

    kind: Literal["opening_stock", "mistake"]
    enterprise: Enterprise
    lines: Annotated[list[CorrectedLine], Field(min_length=1, max_length=200)]
    reason: Annotated[Text, Field(min_length=1)]
    corrects: Short | None = None


class HoldTarget(Body):
    """What is held: a substance is named by its UN number or its CAS number."""

    type: Literal["enterprise", "vehicle", "slip", "document", "unit", "substance"]
    id: Short


class NewHold(Body):
    """A safety hold to place."""

    target: HoldTarget
    reason: Annotated[Text, Field(min_length=1)]


class Lifting(Body):
    """Why a hold is lifted."""

    reason: Annotated[Text, Field(min_length=1)]


class PolicyQuestion(Body):
    """A policy to check, or to compare over the newest passages."""

    policy: dict[str, Any]
    limit: Annotated[int, Field(ge=1, le=5000)] = 1000


class NewPolicy(Body):
    """A policy for a second person; `from_at` null is as soon as it is approved."""

    policy: dict[str, Any]
    from_at: AwareDatetime | None = None
    reason: Annotated[Text, Field(min_length=1)]


class Withdrawal(Body):
    """Why a policy is taken back."""

    reason: Annotated[Text, Field(min_length=1)]


class SendAgain(Body):
    """Parked events to take up again; `ids` null is all of the queue."""

    queue: Literal["outbox", "feed"]
    ids: Annotated[list[Short], Field(min_length=1, max_length=1000)] | None


class ConflictClosing(Body):
    """What was done about a conflict."""

    reason: Annotated[Text, Field(min_length=1)]


async def read_bytes(request: Request, limit_bytes: int, kinds: Collection[str] = ("application/json",)) -> bytes:
    """The body, refused before more than the limit is held."""
    kind = media_type(request)
    if kind not in kinds:
        raise HTTPException(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"{' or '.join(kinds)} expected, found {kind or 'nothing'}"
        )
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > limit_bytes:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"body: at most {limit_bytes} bytes expected")
    return bytes(received)


def media_type(request: Request) -> str:
    """What the body is said to be."""
    return request.headers.get("content-type", "").split(";")[0].strip().lower()


def reader(model: type[M]) -> Callable[[Request], Awaitable[M]]:
    """A dependency that reads one model from the body. Raises InputError with every place that is wrong."""

    async def read(request: Request) -> M:
        raw = await read_bytes(request, request.app.state.web.settings.body_limit_bytes)
        try:
            return model.model_validate_json(raw)
        except ValidationError as error:
            found = places(error.errors(include_url=False, include_input=False, include_context=False))
            raise InputError("; ".join(found)) from None

    return read


async def read_object(request: Request) -> dict[str, Any]:
    """A dependency for documents that the domain itself checks: any JSON object."""
    raw = await read_bytes(request, request.app.state.web.settings.body_limit_bytes)
    try:
        found = from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        raise InputError(f"body: JSON expected, {error}") from None
    if not isinstance(found, dict):
        raise InputError(f"body: a JSON object expected, found {type(found).__name__}")
    return found


def described(model: type[Body]) -> dict[str, Any]:
    """What the API description says of a body that `reader` reads."""
    if model not in DESCRIBED:
        DESCRIBED.append(model)
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


DESCRIBED: Final[list[type[Body]]] = [
    SignIn,
    Unlock,
    NewPassword,
    FactorCode,
    NewRole,
    Reset,
    FirstAdministrator,
    Scan,
    Plate,
    LaneCommand,
    Approval,
    RegimeTermsBody,
    Why,
    Note,
    Settlement,
    PaperLine,
    NewUser,
    NewToken,
    NewExport,
    StockCorrection,
    NewHold,
    Lifting,
    PolicyQuestion,
    NewPolicy,
    Withdrawal,
    SendAgain,
    ConflictClosing,
]


def schemas() -> dict[str, Any]:
    """Schemas of all bodies, by name, for the API description."""
    found: dict[str, Any] = {}
    for model in DESCRIBED:
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        found.update(schema.pop("$defs", {}))
        found[model.__name__] = schema
    return found
