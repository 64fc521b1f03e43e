"""Who may use which address and give which command: one table, as data, so that tests and documents enumerate it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gate_service.domain.commands import Command, Role, Scope

EVERYONE: Final = frozenset(Role)
DOCS: Final = EVERYONE - {Role.DEVICE, Role.AUTHORITY}
WATCH: Final = frozenset({Role.OPERATOR, Role.SUPERVISOR, Role.AUDITOR, Role.CUSTOMS, Role.ADMINISTRATOR})
READ_RECORD: Final = frozenset({Role.OPERATOR, Role.SUPERVISOR, Role.AUDITOR, Role.CUSTOMS})
WORK_LANES: Final = frozenset({Role.OPERATOR, Role.SUPERVISOR, Role.CUSTOMS})
COVER: Final = frozenset({Role.OPERATOR, Role.SUPERVISOR})  # who is on duty at this gate
SUPERVISE: Final = frozenset({Role.SUPERVISOR})
AUDIT: Final = frozenset({Role.SUPERVISOR, Role.AUDITOR, Role.ADMINISTRATOR})
HAZMAT: Final = frozenset({Role.AUTHORITY, Role.SUPERVISOR, Role.AUDITOR})
AUTHORITY: Final = frozenset({Role.AUTHORITY})
TELL_AGAIN: Final = frozenset({Role.AUTHORITY, Role.SUPERVISOR})
SEE_POLICY: Final = frozenset({Role.SUPERVISOR, Role.AUDITOR, Role.ADMINISTRATOR})
KEEP_POLICY: Final = frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR})
CHANGE_REGISTERS: Final = frozenset({Role.SUPERVISOR})
REPORTS: Final = frozenset({Role.SUPERVISOR, Role.AUDITOR, Role.CUSTOMS})
ACCOUNTS: Final = frozenset({Role.ADMINISTRATOR})
LINES: Final = frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR})
DISPLAY: Final = frozenset({Role.DEVICE, Role.OPERATOR, Role.SUPERVISOR, Role.ADMINISTRATOR})
NOBODY: Final[frozenset[Role]] = frozenset()


@dataclass(frozen=True, slots=True)
class Address:
    """One method on one path: the roles whose session admits, and the scope whose token does.

    `lane_bound`: a token bound to lanes must be bound to the one in the path. `is_cut`: it gets what is of its lanes
    and no more (the route cuts). `is_of_no_lane`: the answer tells nothing of the site, every token of the scope gets
    it. Of all other addresses a token bound to lanes gets nothing: they tell of the whole site. `is_open`: anybody.
    `while_locked`: a locked session may still (it watches). `to_begin`: a person whose role must have a second factor
    and who has none may still.
    """

    method: str
    path: str
    roles: frozenset[Role] = NOBODY
    scope: Scope | None = None
    lane_bound: bool = False
    is_cut: bool = False
    is_of_no_lane: bool = False
    is_open: bool = False
    while_locked: bool = False
    to_begin: bool = False


ADDRESSES: Final = (
    # open: liveness, and what is needed to become somebody
    Address("GET", "/healthz", is_open=True),
    Address("GET", "/sign-in", is_open=True),
    Address("GET", "/first", is_open=True),
    Address("GET", "/static/{path:path}", is_open=True),
    Address("GET", "/sign-in/outside", is_open=True),
    Address("GET", "/sign-in/outside/back", is_open=True),
    Address("POST", "/api/v1/session", is_open=True),
    Address("POST", "/api/v1/first", is_open=True),
    # pages
    Address("GET", "/", WATCH, while_locked=True),
    Address("GET", "/devices", WATCH),
    Address("GET", "/admin", ACCOUNTS),
    Address("GET", "/policy", SEE_POLICY),
    Address("GET", "/driver/{lane}", DISPLAY, Scope.DISPLAY, lane_bound=True, while_locked=True),
    Address("GET", "/authority", HAZMAT),
    Address("GET", "/registers", WATCH),
    Address("GET", "/reports", REPORTS),
    Address("GET", "/point/{point}", DISPLAY, Scope.DISPLAY),
    Address("GET", "/sync", WATCH),
    Address("GET", "/api/docs", DOCS),
    Address("GET", "/api/openapi.json", DOCS, Scope.READ, is_of_no_lane=True),
    # the service itself
    Address("GET", "/readyz", WATCH, Scope.METRICS, while_locked=True),
    Address("GET", "/metrics", NOBODY, Scope.METRICS),
    # a person's session
    Address("GET", "/api/v1/session", EVERYONE, while_locked=True, to_begin=True),
    Address("DELETE", "/api/v1/session", EVERYONE, while_locked=True, to_begin=True),
    Address("POST", "/api/v1/session/activity", EVERYONE, to_begin=True),
    Address("POST", "/api/v1/session/lock", EVERYONE, while_locked=True, to_begin=True),
    Address("POST", "/api/v1/session/unlock", EVERYONE, while_locked=True, to_begin=True),
    # one's own account
    Address("GET", "/account", EVERYONE, to_begin=True),
    Address("GET", "/api/v1/account", EVERYONE, to_begin=True),
    Address("POST", "/api/v1/account/password", EVERYONE, to_begin=True),
    Address("POST", "/api/v1/account/factors/{purpose}", EVERYONE, to_begin=True),
    Address("POST", "/api/v1/account/factors/{purpose}/confirm", EVERYONE, to_begin=True),
    Address("POST", "/api/v1/account/factors/{purpose}/remove", EVERYONE, to_begin=True),
    # lanes
    Address("GET", "/api/v1/lanes", WATCH, Scope.READ, is_cut=True, while_locked=True),
    Address("GET", "/api/v1/lanes/{lane}", WATCH, Scope.READ, lane_bound=True, while_locked=True),
    Address("POST", "/api/v1/lanes/{lane}/scan", NOBODY, Scope.SCAN, lane_bound=True),
    Address("POST", "/api/v1/lanes/{lane}/plate", NOBODY, Scope.PLATE, lane_bound=True),
    Address("POST", "/api/v1/lanes/{lane}/photos", WORK_LANES, Scope.PLATE, lane_bound=True),
    Address("GET", "/api/v1/files/{sha256}", READ_RECORD),
    Address("POST", "/api/v1/lanes/{lane}/commands", WORK_LANES),
    Address("POST", "/api/v1/lanes/{lane}/commands/{command_id}/approve", WORK_LANES),
    # the emergency regime, and what is typed in and reconciled after it
    Address("GET", "/regime", WATCH, while_locked=True),
    Address("GET", "/api/v1/regimes", WATCH, while_locked=True),
    Address("POST", "/api/v1/regimes", COVER),
    Address("POST", "/api/v1/regimes/{regime_id}/approve", WORK_LANES),
    Address("POST", "/api/v1/regimes/{regime_id}/close", COVER),
    Address("GET", "/api/v1/regimes/{regime_id}/passages", READ_RECORD),
    Address("GET", "/api/v1/regimes/{regime_id}/passages/{passage_id}", READ_RECORD),
    Address("POST", "/api/v1/regimes/{regime_id}/passages/{passage_id}/tick", SUPERVISE),
    Address("POST", "/api/v1/paper-entries", COVER),
    # shifts
    Address("GET", "/shift", WATCH),
    Address("GET", "/api/v1/shift", WATCH),
    Address("POST", "/api/v1/shift/hand-over", COVER),
    Address("POST", "/api/v1/shift/accept", COVER),
    Address("GET", "/api/v1/shifts/{number}/log", READ_RECORD),
    Address("POST", "/api/v1/matters/{record}/settle", COVER),
    Address("POST", "/api/v1/routing", WORK_LANES, Scope.ROUTING),
    Address("GET", "/api/v1/points/{point}", DISPLAY, Scope.DISPLAY),
    Address("WS", "/api/v1/live", WATCH | {Role.DEVICE}, Scope.DISPLAY, is_cut=True, while_locked=True),
    Address("GET", "/api/v1/events", WATCH, Scope.EVENTS, is_cut=True, while_locked=True),
    # the record
    Address("GET", "/api/v1/passages", READ_RECORD, Scope.READ, is_cut=True),
    Address("GET", "/api/v1/passages/{passage_id}", READ_RECORD, Scope.READ, is_cut=True),
    Address("GET", "/api/v1/slips/{slip_no}", READ_RECORD, Scope.READ),
    Address("GET", "/api/v1/reasons", WATCH),
    Address("GET", "/api/v1/audit", AUDIT),
    Address("GET", "/api/v1/motion", READ_RECORD, Scope.READ, is_cut=True),
    Address("GET", "/api/v1/devices", WATCH, Scope.READ, is_cut=True),
    # the lines outside
    Address("GET", "/api/v1/sync", WATCH, Scope.READ),
    # registers: read by operators, changed by supervisors; the form and results of inspections by whoever is there
    Address("GET", "/api/v1/registers/{register}", READ_RECORD, Scope.READ),
    Address("POST", "/api/v1/registers/vehicles", CHANGE_REGISTERS),
    Address("POST", "/api/v1/registers/vehicles/{plate}/end", CHANGE_REGISTERS),
    Address("POST", "/api/v1/registers/goods", WORK_LANES),
    Address("POST", "/api/v1/registers/goods/{slip_no}/void", CHANGE_REGISTERS),
    Address("POST", "/api/v1/registers/inside/{plate}", CHANGE_REGISTERS),
    Address("POST", "/api/v1/registers/temporary_exits/{slip_no}/return", CHANGE_REGISTERS),
    Address("POST", "/api/v1/registers/inspections/{passage_id}/result", WORK_LANES),
    # reports
    Address("GET", "/api/v1/reports/risk", REPORTS, Scope.READ),
    Address("GET", "/api/v1/reports/risk.csv", REPORTS, Scope.READ),
    Address("GET", "/api/v1/reports/flow", REPORTS, Scope.READ),
    Address("GET", "/api/v1/reports/flow.csv", REPORTS, Scope.READ),
    Address("GET", "/api/v1/reports/draws", REPORTS, Scope.READ),
    Address("GET", "/api/v1/sync/parked", WATCH, Scope.READ),
    Address("POST", "/api/v1/sync/parked", LINES),
    Address("GET", "/api/v1/sync/conflicts", WATCH, Scope.READ),
    Address("POST", "/api/v1/sync/conflicts/{conflict_id}/close", LINES),
    # hazardous goods
    Address("GET", "/api/v1/hazmat/entries", HAZMAT, Scope.HAZMAT),
    Address("GET", "/api/v1/hazmat/inventory", HAZMAT, Scope.HAZMAT),
    Address("GET", "/api/v1/hazmat/stream", HAZMAT, Scope.HAZMAT),
    Address("GET", "/api/v1/hazmat/inventory.csv", HAZMAT, Scope.HAZMAT),
    Address("GET", "/api/v1/hazmat/entries.csv", HAZMAT, Scope.HAZMAT),
    Address("GET", "/api/v1/hazmat/history", HAZMAT, Scope.HAZMAT),
    Address("GET", "/api/v1/hazmat/deliveries", HAZMAT),
    Address("POST", "/api/v1/hazmat/deliveries/{event_id}/again", TELL_AGAIN),
    Address("POST", "/api/v1/hazmat/exports", HAZMAT),
    Address("GET", "/api/v1/hazmat/exports/{export_id}", HAZMAT),
    Address("GET", "/api/v1/hazmat/exports/{export_id}/file", HAZMAT),
    Address("POST", "/api/v1/hazmat/corrections", AUTHORITY),
    Address("GET", "/api/v1/hazmat/holds", HAZMAT | WATCH, Scope.HOLDS),
    Address("POST", "/api/v1/hazmat/holds", AUTHORITY, Scope.HOLDS),
    Address("POST", "/api/v1/hazmat/holds/{hold_id}/lift", AUTHORITY, Scope.HOLDS),
    # policies
    Address("GET", "/api/v1/policies", SEE_POLICY, Scope.READ),
    Address("GET", "/api/v1/policies/{version}", SEE_POLICY, Scope.READ),
    Address("POST", "/api/v1/policies/check", SEE_POLICY),
    Address("POST", "/api/v1/policies/compare", SEE_POLICY),
    Address("POST", "/api/v1/policies", KEEP_POLICY),
    Address("POST", "/api/v1/policies/{version}/approve", KEEP_POLICY),
    Address("POST", "/api/v1/policies/{version}/withdraw", KEEP_POLICY),
    # accounts
    Address("GET", "/api/v1/users", ACCOUNTS),
    Address("POST", "/api/v1/users", ACCOUNTS),
    Address("POST", "/api/v1/users/{name}/disable", ACCOUNTS),
    Address("POST", "/api/v1/users/{name}/enable", ACCOUNTS),
    Address("POST", "/api/v1/users/{name}/role", ACCOUNTS),
    Address("POST", "/api/v1/users/{name}/reset", ACCOUNTS),
    Address("GET", "/api/v1/tokens", ACCOUNTS),
    Address("POST", "/api/v1/tokens", ACCOUNTS),
    Address("POST", "/api/v1/tokens/{name}/disable", ACCOUNTS),
)

TABLE: Final = {(address.method, address.path): address for address in ADDRESSES}

COMMANDS: Final = {
    command: WORK_LANES if command.acts_on_vehicle else WORK_LANES - {Role.CUSTOMS} for command in Command
}
"""Which roles may give which command at all. Whether this verdict may be overridden by this role: the lane decides."""


NOT_FOR_READING: Final = frozenset({"/readyz", "/metrics"})


def pages_of(role: Role) -> list[str]:
    """The pages that a person of this role may open, in the order of the table."""
    return [
        address.path
        for address in ADDRESSES
        if address.method == "GET"
        and role in address.roles
        and "{" not in address.path
        and (address.path == "/api/docs" or not address.path.startswith("/api/"))
        and address.path not in NOT_FOR_READING
    ]


def home_of(role: Role) -> str:
    """Where a person of this role begins."""
    if role in WATCH:
        return "/"
    return "/authority" if role is Role.AUTHORITY else "/api/docs"


def may_use(address: Address, role: Role | None, scopes: frozenset[Scope], lanes: frozenset[str], lane: str) -> bool:
    """Whether somebody with this role (a session) or these scopes (a token, `role` None) may use the address.

    `lanes` empty means a token for every lane; `lane` is the one in the path, or empty.
    """
    if address.is_open:
        return True
    if role is not None:
        return role in address.roles
    if address.scope is None or address.scope not in scopes:
        return False
    return not address.lane_bound or not lanes or lane in lanes


def tells_of_the_whole_site(address: Address) -> bool:
    """Whether a token bound to lanes gets nothing here, its scope or not: the answer cannot be cut to its lanes."""
    return not (address.is_open or address.lane_bound or address.is_cut or address.is_of_no_lane)
