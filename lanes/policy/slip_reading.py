"""A slip of CONTRACT 3 into the domain's Slip. Values outside the lists are kept for the rules to judge."""

from __future__ import annotations

from gate_service.domain.slip import (
    Container,
    Document,
    Enterprise,
    GoodsLine,
    Guarantee,
    HazmatEntry,
    Hold,
    Slip,
)
from lanes.policy.fields import Fields


def read_slip(fields: Fields) -> Slip:
    """One slip. Only a slip without a number cannot be read."""
    slip_no = fields.text("slip_no")
    if slip_no is None:
        fields.fail("slip_no", "a slip number")
    vehicle = fields.child("vehicle") or Fields({}, fields.place("vehicle"))
    pass_limit = fields.whole("pass_limit")
    enterprise = fields.child("enterprise")
    return Slip(
        slip_no=slip_no,
        version=fields.whole("version"),
        type=fields.listed("type"),
        direction=fields.listed("direction"),
        bind=fields.listed("bind"),
        status=fields.listed("status"),
        valid_from=fields.moment("valid_from_at"),
        valid_until=fields.moment("valid_until_at"),
        site_ids=frozenset(fields.texts("site_ids") or ()),
        pass_limit=1 if pass_limit is None else pass_limit,  # CONTRACT 3: pass_limit null = 1
        plate=vehicle.text("plate"),
        tare=vehicle.mass("tare_kg"),
        trailer_plate=vehicle.text("trailer_plate"),
        trailer_tare=vehicle.mass("trailer_tare_kg"),
        containers=tuple(Container(c.text("number") or "", c.mass("tare_kg")) for c in fields.rows("containers")),
        seals=fields.texts("seals") or (),
        goods_gross=fields.mass("goods_gross_kg"),
        total=fields.mass("total_kg"),
        documents=tuple(read_document(d) for d in fields.rows("documents")),
        goods=tuple(_read_goods_line(g) for g in fields.rows("goods")),
        enterprise=read_enterprise(enterprise) if enterprise else None,
        holds=tuple(read_hold(h) for h in fields.rows("holds")),
        is_physical=fields.flag("physical") is not False,
        category=fields.listed("category"),
        longest_stay_h=fields.number("longest_stay_h"),
        return_due=fields.moment("return_due_at"),
        is_last_of_declaration=fields.flag("last_of_declaration") is True,
        signature=_signature(fields),
    )


def _signature(fields: Fields) -> str | None:
    """The token as text; what is not text cannot verify and is kept as such."""
    return fields.listed("signature")


def read_document(fields: Fields) -> Document:
    """One related document of a slip."""
    licence = fields.child("licence")
    inspection = fields.child("inspection")
    guarantee = fields.child("guarantee")
    return Document(
        kind=fields.listed("kind"),
        number=fields.text("number"),
        declaration_no=fields.text("declaration_no"),
        mode=fields.listed("mode"),
        state=fields.listed("state"),
        licence_required=bool(licence and licence.flag("required")),
        licence_verified=bool(licence and licence.flag("verified_at_entry")),
        inspection_required=bool(inspection and inspection.flag("required")),
        inspection_done=bool(inspection and inspection.flag("done")),
        guarantee=Guarantee(guarantee.number("required_cny"), guarantee.number("available_cny")) if guarantee else None,
    )


def read_enterprise(fields: Fields) -> Enterprise:
    """An enterprise of a slip or of the register. The register may know it without stating a credit."""
    return Enterprise(
        customs_code=fields.text("customs_code"),
        uscc=fields.text("uscc"),
        credit=fields.listed("credit"),
        has_credit=fields.has("credit"),
        inside_fence=fields.flag("inside_fence"),
    )


def read_hold(fields: Fields) -> Hold:
    """A hold, from a slip or from the hold list."""
    target = fields.child("target")
    return Hold(
        kind=fields.listed("kind"),
        hold_id=fields.text("id"),
        target_type=target.listed("type") if target else None,
        target_id=target.text("id") if target else None,
        placed_by=fields.text("placed_by"),
        reason=fields.text("reason") if isinstance(fields.raw("reason"), str) else None,
    )


def _read_goods_line(fields: Fields) -> GoodsLine:
    hazmat = fields.child("hazmat")
    return GoodsLine(
        line=fields.text("line"),
        item_no=fields.text("item_no"),
        hs_code=fields.text("hs_code"),
        name=fields.text("name"),
        quantity=fields.number("quantity"),
        unit=fields.text("unit"),
        gross=fields.mass("gross_kg"),
        controls=fields.texts("controls") or (),
        hazmat=_read_hazmat(hazmat) if hazmat else None,
    )


def _read_hazmat(fields: Fields) -> HazmatEntry:
    return HazmatEntry(
        flag=fields.flag("flag") is True,
        un_no=fields.text("un_no"),
        name=fields.text("name"),
        cas=fields.text("cas"),
        hazard_class=fields.text("class"),
        subsidiary=fields.texts("subsidiary") or (),
        packing_group=fields.text("packing_group"),
        net=fields.mass("net_kg"),
        packages=fields.whole("packages"),
        storage_unit=fields.text("storage_unit"),
        emergency_phone=fields.text("emergency_phone"),
        quantity_kind=fields.listed("quantity_kind"),
    )
