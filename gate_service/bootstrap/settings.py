"""A site file's shapes to the settings of what talks outside and of the pages. Part of the composition root."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from config.loader import LoadedSite
from gate_service.domain.commands import Role
from gate_service.domain.events import Event, EventType
from gate_service.domain.inventory import ExposedPeople
from gate_service.domain.ports import Clock, Journal
from gate_service.domain.record import Entry
from gate_service.web.settings import WebSettings
from lanes.policy.fields import Fields
from lanes.policy.policy_reading import read_policy
from lanes.policy.slip_reading import read_slip
from sync.oidc import OidcSettings, OpenIdConnect
from sync.settings import AuthoritySettings, CentralSettings, SyncSettings


def sync_settings(site: LoadedSite) -> SyncSettings:
    """Both parties outside, as the site file names them."""
    file, folder = site.file, site.folder
    central = authority = None
    if file.central is not None:
        central = CentralSettings(
            file.central.base_url, folder / file.central.token_file, poll_wait_s=file.central.poll_wait_s
        )
    if file.authority is not None:
        authority = AuthoritySettings(
            file.authority.url, folder / file.authority.secret_file, allow=tuple(file.authority.allow)
        )
    keys_file = file.slips.keys_file
    return SyncSettings(
        file.site.id, central, authority,
        keeps_vehicles_inside=file.site.keeps_vehicles_inside,
        is_second_gate=file.site.gate == "second",
        slip_keys_file=None if keys_file is None else folder / keys_file,
    )  # fmt: skip


def check_slip(document: Mapping[str, Any]) -> None:
    """Refuse a slip that the rules could not read (CaseError); the copy keeps it apart with the reason."""
    read_slip(Fields(document, "slip"))


def check_policy(document: Mapping[str, Any]) -> None:
    """Refuse a policy that the rules do not take (PolicyError)."""
    read_policy(document)


def exposed(site: LoadedSite) -> ExposedPeople:
    """People exposed around units and enterprises; what nobody said is None."""
    zone = site.file.zone
    return ExposedPeople(
        {unit.id: unit.exposed_people for unit in zone.units},
        {one.customs_code: one.exposed_people for one in zone.enterprises},
    )


def web_settings(site: LoadedSite) -> WebSettings:
    """Where and how the pages are served."""
    listen = site.file.listen
    certificate, key = listen.tls_certificate_file, listen.tls_key_file
    return WebSettings(
        host=listen.host,
        port=listen.port,
        plain_http_off_loopback=listen.plain_http_off_loopback,
        tls_certificate=None if certificate is None else site.folder / certificate,
        tls_key=None if key is None else site.folder / key,
        lock_after_s=site.file.people.lock_after_s,
        second_factor_roles=frozenset(Role(role) for role in site.file.people.second_factor_roles),
        has_outside_sign_in=site.file.people.oidc is not None,
    )


def provider(site: LoadedSite, clock: Clock) -> OpenIdConnect | None:
    """The OpenID Connect provider, where the site has one."""
    oidc = site.file.people.oidc
    if oidc is None:
        return None
    roles = {group: Role(role) for group, role in oidc.roles.items()}
    settings = OidcSettings(oidc.issuer, oidc.client_id, site.oidc_secret, oidc.role_claim, roles, tuple(oidc.scopes))
    return OpenIdConnect(settings, clock)


def account_record(journal: Journal, clock: Clock) -> Any:
    """Writes what happens to accounts into the record; an alarm is told as an event too."""

    async def record(kind: str, actor: str, facts: Mapping[str, Any]) -> None:
        now = clock.now()
        events: tuple[Event, ...] = ()
        if kind == "security_alarm":
            events = (Event(uuid4(), EventType.SECURITY_ALARM, now, dict(facts)),)
        await journal.write(Entry(kind, now, actor, facts, events=events))

    return record
