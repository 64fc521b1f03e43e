"""What lies in the zone by the events of its gates: entries minus exits, opening stock and corrections added. Pure.

Gate data tell what passed, not what a unit holds by design: S and R are indicators of a unit or an enterprise, never a
verdict on a truck (reference/hazmat.md 3.5). A balance below zero is shown as unmatched and takes nothing away from S.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from gate_service.domain.errors import MassError
from gate_service.domain.events import EventType, JsonObject
from gate_service.domain.hazmat import (
    StockTerm,
    bare_un_number,
    installation_level,
    stock_grading,
    stock_indicator,
)
from gate_service.domain.major_hazard import Goods, Match, NotCounted, StockTables, match
from gate_service.domain.mass import Mass

WARNS_FROM: Final = Decimal("0.8")  # RULES 5
ALARMS_FROM: Final = Decimal(1)  # RULES 5; GB 18218-2018: a major hazard installation
GRAMS_PER_T: Final = 1_000_000
SIGNS: Final[Mapping[str, int]] = {
    EventType.HAZMAT_ENTERED.value: 1,
    EventType.HAZMAT_EXITED.value: -1,
    EventType.HAZMAT_CORRECTED.value: 1,  # its lines carry the change with its sign
}
"""What each event does to the balance of its storage unit; a load turned away does nothing to it."""
KEPT: Final = ("name", "goods_name", "class", "packing_group", "emergency_phone", "sds")


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What a balance is kept for."""

    storage_unit: str
    customs_code: str
    un_no: str
    cas: str


@dataclass(slots=True)
class Balance:
    """One balance: whole grams, and everything that lines called the substance. `latest` is for who must act."""

    grams: int = 0
    unknown_lines: int = 0
    goods: set[Goods] = field(default_factory=set)
    latest: dict[str, Any] = field(default_factory=dict)
    subsidiary: tuple[str, ...] = ()
    last_at: str | None = None


@dataclass(frozen=True, slots=True)
class ExposedPeople:
    """People exposed around each storage unit and each enterprise, by name and customs code; a site decision."""

    units: Mapping[str, int | None] = field(default_factory=dict)
    enterprises: Mapping[str, int | None] = field(default_factory=dict)


class Stock:
    """The running balances. The same events in the same order give the same balances, all at once or one by one."""

    def __init__(self) -> None:
        self.balances: dict[Key, Balance] = {}
        self.enterprise_names: dict[str, str] = {}

    def take(self, event: JsonObject) -> list[Key]:
        """Add one event and say which balances it touched; what is no entry, exit or correction changes nothing."""
        sign, data = SIGNS.get(str(event.get("type"))), event.get("data")
        if sign is None or not isinstance(data, Mapping):
            return []
        enterprise = data.get("enterprise")
        code = ""
        if isinstance(enterprise, Mapping):
            code = _text(enterprise.get("customs_code"))
            if name := _text(enterprise.get("name")):
                self.enterprise_names[code] = name
        lines, at = data.get("lines"), _text(event.get("at"))
        found = lines if isinstance(lines, list) else []
        return [self._take_line(line, code, sign, at) for line in found if isinstance(line, Mapping)]

    def _take_line(self, line: JsonObject, code: str, sign: int, at: str) -> Key:
        goods = goods_of(line)
        key = Key(_text(line.get("storage_unit")), code, goods.un_no, goods.cas)
        balance = self.balances.setdefault(key, Balance())
        balance.goods.add(goods)
        balance.subsidiary, balance.last_at = goods.subsidiary, at
        balance.latest.update({name: line[name] for name in KEPT if line.get(name) not in {None, ""}})
        net = _mass(line.get("net_kg"))
        if net is None:
            balance.unknown_lines += 1
        else:
            balance.grams += sign * net.grams
        return key


def goods_of(line: JsonObject) -> Goods:
    """What a line of an event calls its substance."""
    symbols, subsidiary = line.get("ghs_symbol"), line.get("subsidiary")
    return Goods(
        un_no=bare_un_number(_text(line.get("un_no"))),
        cas=_text(line.get("cas")),
        name=_text(line.get("name")) or _text(line.get("goods_name")),
        hazard_class=_text(line.get("class")),
        subsidiary=tuple(_text(one) for one in subsidiary) if isinstance(subsidiary, list) else (),
        packing_group=_text(line.get("packing_group")),
        symbols=tuple(_text(one) for one in (symbols if isinstance(symbols, list) else [symbols]) if _text(one)),
    )


def inventory(stock: Stock, tables: StockTables, exposed: ExposedPeople) -> dict[str, Any]:
    """Balances, and S and R per storage unit and per enterprise with every term and what is not counted.

    A balance of zero is not shown; units that the site names are, also empty. Where nobody says how many people are
    exposed, R is not computed.
    """
    kept = {key: balance for key, balance in stock.balances.items() if balance.grams or balance.unknown_lines}
    rows = [(key, kept[key]) for key in sorted(kept)]
    units, codes = {key.storage_unit for key, _ in rows}, {key.customs_code for key, _ in rows}
    return {
        "edition": tables.edition,
        "warns_from": float(WARNS_FROM),
        "alarms_from": float(ALARMS_FROM),
        "balances": [_balance_row(key, balance, stock) for key, balance in rows],
        "units": [
            {
                "storage_unit": unit,
                **_sums([row for row in rows if row[0].storage_unit == unit], tables, exposed.units.get(unit)),
            }
            for unit in sorted(units | set(exposed.units))
        ],
        "enterprises": [
            {
                "customs_code": code,
                "name": stock.enterprise_names.get(code),
                **_sums([row for row in rows if row[0].customs_code == code], tables, exposed.enterprises.get(code)),
            }
            for code in sorted(codes)
        ],
    }


def _balance_row(key: Key, balance: Balance, stock: Stock) -> dict[str, Any]:
    return {
        "storage_unit": key.storage_unit,
        "customs_code": key.customs_code,
        "enterprise": stock.enterprise_names.get(key.customs_code),
        "un_no": key.un_no,
        "cas": key.cas,
        **{name: balance.latest.get(name) for name in KEPT},
        "subsidiary": list(balance.subsidiary),
        "net_kg": Mass(balance.grams).to_json(),
        "unmatched": balance.grams < 0,
        "unknown_lines": balance.unknown_lines,
        "last_at": balance.last_at,
    }


@dataclass(frozen=True, slots=True)
class _Term:
    key: Key
    name: str
    amount_t: Decimal
    match: Match

    def stock_term(self) -> StockTerm:
        return StockTerm(self.name, self.amount_t, self.match.threshold_t, self.match.beta or Decimal(0))

    def row(self) -> dict[str, Any]:
        beta = self.match.beta
        return {
            **_named(self.key, self.name),
            "q_t": float(self.amount_t),
            "threshold_t": float(self.match.threshold_t),
            "beta": None if beta is None else float(beta),
            "ratio": float(self.amount_t / self.match.threshold_t),
            "matched": self.match.how,
            "row": self.match.row,
            "row_name": self.match.row_name,
            "notes": list(self.match.notes),
        }


def _named(key: Key, name: str) -> dict[str, Any]:
    return {
        "storage_unit": key.storage_unit,
        "customs_code": key.customs_code,
        "un_no": key.un_no,
        "cas": key.cas,
        "name": name,
    }


def _sums(rows: Iterable[tuple[Key, Balance]], tables: StockTables, people: int | None) -> dict[str, Any]:
    terms, left_out = [], []
    for key, balance in rows:
        name = _text(balance.latest.get("name")) or _text(balance.latest.get("goods_name"))
        if balance.unknown_lines:
            left_out.append({**_named(key, name), "because": "mass_unknown", "lines": balance.unknown_lines})
        if balance.grams == 0:
            continue
        found = identify(balance.goods, tables) if balance.grams > 0 else NotCounted("unmatched")
        if isinstance(found, NotCounted):
            net_kg = Mass(balance.grams).to_json()
            left_out.append({**_named(key, name), "net_kg": net_kg, "because": found.reason, "rows": list(found.rows)})
        else:
            terms.append(_Term(key, name, Decimal(balance.grams) / GRAMS_PER_T, found))
    s = stock_indicator(term.stock_term() for term in terms)
    return {
        "s": float(s),
        "state": "alarm" if s >= ALARMS_FROM else "warning" if s >= WARNS_FROM else "normal",
        **_graded(terms, tables, people),
        "terms": [term.row() for term in terms],
        "not_counted": left_out,
    }


def _graded(terms: list[_Term], tables: StockTables, people: int | None) -> dict[str, Any]:
    """R with its level, or what is missing for it."""
    alpha = tables.alpha_of(people)
    missing = [] if alpha is not None else ["alpha_unknown"]
    if any(term.match.beta is None for term in terms):
        missing.append("beta_unknown")
    r = None if alpha is None or missing else stock_grading((term.stock_term() for term in terms), alpha)
    return {
        "exposed_people": people,
        "alpha": None if alpha is None else float(alpha),
        "r": None if r is None else float(r),
        "r_level": None if r is None else installation_level(r, tables.level_from),
        "r_missing": missing,
    }


def identify(goods: Iterable[Goods], tables: StockTables) -> Match | NotCounted:
    """The row for everything that lines called one UN number and CAS; where they differ, the smallest Q counts."""
    found = [match(one, tables) for one in sorted(goods)]
    matches = [one for one in found if isinstance(one, Match)]
    if not matches:
        return next((one for one in found if isinstance(one, NotCounted)), NotCounted("class_unknown"))
    strictest = min(matches, key=lambda one: (one.threshold_t, -(one.beta or Decimal(0))))
    if len({(one.row, one.beta) for one in matches}) == 1 and len(matches) == len(found):
        return strictest
    notes = (*strictest.notes, "lines_differ_smallest_q")
    return Match(strictest.how, strictest.row, strictest.row_name, strictest.threshold_t, strictest.beta, notes)


def _mass(value: object) -> Mass | None:
    if not isinstance(value, int | float | str):
        return None
    try:
        return Mass.from_kg(value)
    except MassError:
        return None


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else str(value) if type(value) is int else ""
