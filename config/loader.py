"""Reads a site file and finds every mistake in it: place, what was found, what is allowed. Nothing starts here."""

from __future__ import annotations

import tomllib
from collections import Counter
from dataclasses import dataclass, replace
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from config.addresses import address_problems, is_host_name
from config.policy_file import read_policy_file
from config.schema import Lane, SiteFile
from config.wiring import wiring_problems
from devices.registry import check_module, check_weighbridge
from gate_service.domain.errors import ConfigError, InputError, PolicyError
from lanes.policy.policy_reading import mistakes_in
from sync.pinned_keys import read_keys


@dataclass(frozen=True, slots=True)
class LoadedSite:
    """A site file without mistakes, with the files it names read in. Relative paths count from the file's folder."""

    file: SiteFile
    folder: Path
    policy: dict[str, Any] | None
    secret: str | None
    central_token: str | None
    authority_secret: str | None
    path: Path | None = None  # the file itself, for a lane that is configured anew while the others work
    oidc_secret: str | None = None


def load(path: Path) -> LoadedSite:
    """The checked site. Raises ConfigError with one line for each mistake."""
    document = _read_toml(path)
    try:
        file = SiteFile.model_validate(document)
    except ValidationError as error:
        raise ConfigError([_problem(item, document) for item in error.errors(include_url=False)]) from None
    problems: list[str] = []
    folder = path.parent
    policy = _policy(file, folder, problems)
    loaded = LoadedSite(
        file=file,
        folder=folder,
        policy=policy,
        secret=_text_of(file.policy.secret_file, folder, "policy.secret_file", problems),
        central_token=_text_of(
            file.central.token_file if file.central else None, folder, "central.token_file", problems
        ),
        authority_secret=_text_of(
            file.authority.secret_file if file.authority else None, folder, "authority.secret_file", problems
        ),
        path=path,
    )
    _check_slip_keys(file, folder, problems)
    if file.people.oidc is not None:
        secret = _text_of(file.people.oidc.client_secret_file, folder, "people.oidc.client_secret_file", problems)
        loaded = replace(loaded, oidc_secret=secret)
    if loaded.secret is not None and not _is_hex(loaded.secret):
        problems.append("policy.secret_file: hex digits expected")
    problems += _people_problems(file) + _demo_problems(file)
    problems += _lane_problems(file) + _listen_problems(file) + _zone_problems(file)
    problems += address_problems(file, folder)
    if problems:
        raise ConfigError(problems)
    return loaded


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: UTF-8 expected, found byte {error.object[error.start]:#04x}"]) from None
    except RecursionError:
        raise ConfigError([f"{path}: TOML expected, found tables nested too deep"]) from None
    except ValueError as error:  # TOML says line and column; also numbers of thousands of digits
        raise ConfigError([f"{path}: TOML expected: {error}"]) from None


def _problem(error: Any, document: dict[str, Any]) -> str:
    place = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{place}: unknown key{_nearest(error['loc'], document)}"
    found = error.get("input")
    shown = "" if isinstance(found, dict | list) else f", found {found!r}"
    return f"{place}: {error['msg']}{shown}"


def _nearest(place: tuple[Any, ...], document: dict[str, Any]) -> str:
    """The keys that would be allowed at this place, so that a misspelling shows itself."""
    model: Any = SiteFile
    for part in place[:-1]:
        if isinstance(part, int):
            continue
        field = getattr(model, "model_fields", {}).get(part)
        if field is None:
            return ""
        inner = [field.annotation, *getattr(field.annotation, "__args__", ())]
        model = next((kind for kind in inner if hasattr(kind, "model_fields")), None)
    fields = getattr(model, "model_fields", None)
    return f", allowed: {', '.join(sorted(fields))}" if fields and document else ""


def _text_of(name: str | None, folder: Path, place: str, problems: list[str]) -> str | None:
    if name is None:
        return None
    try:
        text = (folder / name).read_text(encoding="utf-8").strip()
    except OSError as error:
        problems.append(f"{place}: {folder / name} cannot be read: {error.strerror}")
        return None
    except ValueError as error:  # bytes that are not UTF-8; a name with a zero byte
        problems.append(f"{place}: {str(folder / name)!r} cannot be read: {error}")
        return None
    if not text:
        problems.append(f"{place}: {folder / name} is empty")
    return text or None


def _check_slip_keys(file: SiteFile, folder: Path, problems: list[str]) -> None:
    text = _text_of(file.slips.keys_file, folder, "slips.keys_file", problems)
    if text is None:
        return
    try:
        read_keys(text)
    except ConfigError as error:
        problems += [f"slips.keys_file: {problem}" for problem in error.problems]


def _is_hex(text: str) -> bool:
    try:
        bytes.fromhex(text)
    except ValueError:
        return False
    return True


def _policy(file: SiteFile, folder: Path, problems: list[str]) -> dict[str, Any] | None:
    if file.policy.file is None:
        return None
    try:
        document = read_policy_file(folder / file.policy.file)
    except PolicyError as error:
        problems.append(f"policy.file: {error}")
        return None
    mistakes = mistakes_in(document)
    problems += [f"policy.file: {mistake}" for mistake in mistakes]
    return None if mistakes else document


def _lane_problems(file: SiteFile) -> list[str]:
    problems = [
        f"lanes: id {name!r} is used {count} times, once expected"
        for name, count in Counter(lane.id for lane in file.lanes).items()
        if count > 1
    ]
    for name, count in Counter(point.id for point in file.points).items():
        if count > 1:
            problems.append(f"points: id {name!r} is used {count} times, once expected")
    for name, count in Counter(module.name for module in file.modules).items():
        if count > 1:
            problems.append(f"modules: name {name!r} is used {count} times, once expected")
    for index, module in enumerate(file.modules):
        problems += _checked(lambda module=module: check_module(module.url, module.profile), f"modules.{index}")
        if file.site.demo and not _is_local(module.url):
            problems.append(f"modules.{index}.url: a demo site takes only loopback devices, found {module.url!r}")
    modules = {module.name for module in file.modules}
    for index, lane in enumerate(file.lanes):
        problems += [f"lanes.{index} ({lane.id}): {problem}" for problem in _problems_of_lane(lane, modules)]
        if file.site.demo and lane.weighbridge and not _is_local(lane.weighbridge.port):
            problems.append(f"lanes.{index} ({lane.id}): weighbridge.port: a demo site takes only loopback devices")
    if file.demo.inject is not None and not file.site.demo:
        problems.append("demo.inject: allowed only where site.demo is true")
    return problems + wiring_problems(file)


def _people_problems(file: SiteFile) -> list[str]:
    oidc = file.people.oidc
    if oidc is None:
        return []
    problems = []
    parts = urlsplit(oidc.issuer)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_local(oidc.issuer)):
        problems.append(f"people.oidc.issuer: an https address expected, found {oidc.issuer!r}")
    if "openid" not in oidc.scopes:
        problems.append("people.oidc.scopes: openid among them expected")
    if find_spec("joserfc") is None:
        problems.append("people.oidc: the extra expected that verifies tokens: pip install 'gate-service[oidc]'")
    return problems


def _demo_problems(file: SiteFile) -> list[str]:
    """Nothing of a demo or drill may reach a real host: its feeds, its centre and its people stay on this machine."""
    if not file.site.demo:
        return []
    outside = {
        "central.base_url": file.central.base_url if file.central else None,
        "authority.url": file.authority.url if file.authority else None,
        "people.oidc.issuer": file.people.oidc.issuer if file.people.oidc else None,
        "data.url": file.data.url or None,
    }
    return [
        f"{place}: a demo site reaches loopback only, found {address!r}"
        for place, address in outside.items()
        if address is not None and not _is_local(address)
    ]


def _checked(check: Any, place: str) -> list[str]:
    try:
        check()
    except InputError as error:
        return [f"{place}: {error}"]
    return []


def _is_local(url: str) -> bool:
    """Whether a device address cannot be a real device: loopback or a pseudo-terminal."""
    if "://" not in url:
        return url.startswith("/dev/pts/")
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:  # an IPv6 address without its end: no address at all
        return False
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _problems_of_lane(lane: Lane, modules: set[str]) -> list[str]:
    problems = []
    if lane.module not in modules:
        problems.append(f"module: one of {sorted(modules)} expected, found {lane.module!r}")
    inputs, outputs = lane.inputs, lane.outputs
    for side, raise_, lower, up, down, loop in (
        ("entry", outputs.entry_raise, outputs.entry_lower, inputs.entry_up, inputs.entry_down, inputs.entry_loop),
        ("exit", outputs.exit_raise, outputs.exit_lower, inputs.exit_up, inputs.exit_down, inputs.exit_loop),
    ):
        if raise_ is None:
            if lower is not None:
                problems.append(f"outputs.{side}_lower: a barrier needs {side}_raise too")
            continue
        if up is None or down is None:
            problems.append(
                f"inputs: a barrier's position comes from its limits alone: {side}_up and {side}_down expected"
            )
        if lane.barriers.closing == "service" and lower is None:
            problems.append(f"outputs.{side}_lower: expected, since barriers.closing is service")
        if lane.barriers.closing == "service" and loop is None:
            problems.append(f"inputs.{side}_loop: expected under a boom that this service lowers")
        if lane.barriers.closing == "controller" and lower is not None:
            problems.append(f"outputs.{side}_lower: one closer per barrier: not allowed where closing is controller")
    if outputs.entry_raise is None and outputs.exit_raise is None:
        problems.append("outputs: at least one barrier (entry_raise or exit_raise) expected")
    if inputs.approach is None:
        problems.append("inputs.approach: expected: a passage begins at the approach loop")
    if inputs.fire is None:
        problems.append("inputs.fire: expected: nothing is lowered while the fire input cannot be read")
    problems += _weighbridge_problems(lane)
    problems += _both_ends_problems(lane)
    return problems


def _both_ends_problems(lane: Lane) -> list[str]:
    """What an airlock and a reversible lane need at both ends."""
    inputs, outputs = lane.inputs, lane.outputs
    has_both = outputs.entry_raise is not None and outputs.exit_raise is not None
    problems = []
    if lane.barriers.interlocked and not has_both:
        problems.append("barriers.interlocked: an entry and an exit barrier expected")
    if not lane.reversible:
        return problems
    if not has_both:
        problems.append("reversible: an entry and an exit barrier expected")
    if inputs.far_approach is None:
        problems.append("reversible: inputs.far_approach expected: both approaches must be seen empty before a turn")
    if inputs.entry_loop is None or inputs.exit_loop is None:
        problems.append("reversible: inputs.entry_loop and inputs.exit_loop expected")
    problems += [
        f"reversible: outputs.{side}_red expected: both ends are red during a turn"
        for side in ("entry", "exit")
        if getattr(outputs, f"{side}_red") is None
    ]
    if "back_out" in {lane.refuse_way, *lane.refuse_ways} and outputs.far_back_out is None:
        problems.append("reversible: outputs.far_back_out expected, since back_out is a way of this lane")
    return problems


def _weighbridge_problems(lane: Lane) -> list[str]:
    weighbridge = lane.weighbridge
    if weighbridge is None:
        return []
    problems = _checked(
        lambda: check_weighbridge(weighbridge.protocol, weighbridge.port, weighbridge.options), "weighbridge"
    )
    if lane.inputs.entry_beam is None or lane.inputs.exit_beam is None:
        problems.append("inputs: a weighbridge needs entry_beam and exit_beam to see the whole vehicle on it")
    if weighbridge.verified_until_at is not None and weighbridge.verified_until_at.tzinfo is None:
        problems.append("weighbridge.verified_until_at: a time with offset expected")
    if weighbridge.max_capacity_kg / weighbridge.interval_kg > 10_000:  # class III, OIML R 76: n at most 10 000
        problems.append("weighbridge: max_capacity_kg / interval_kg at most 10000 expected (class III)")
    return problems


def _zone_problems(file: SiteFile) -> list[str]:
    named = [("units", "id", unit.id) for unit in file.zone.units]
    named += [("enterprises", "customs_code", one.customs_code) for one in file.zone.enterprises]
    return [
        f"zone.{table}: {key} {name!r} is used {count} times, once expected"
        for (table, key, name), count in Counter(named).items()
        if count > 1
    ]


def _listen_problems(file: SiteFile) -> list[str]:
    listen = file.listen
    if (listen.tls_certificate_file is None) != (listen.tls_key_file is None):
        return ["listen: tls_certificate_file and tls_key_file expected together"]
    try:
        loopback = ip_address(listen.host).is_loopback
    except ValueError:
        loopback = listen.host == "localhost"
        if not is_host_name(listen.host):
            return [f"listen.host: an IP address of this machine or a host name expected, found {listen.host!r}"]
    if not loopback and listen.tls_certificate_file is None and not listen.plain_http_off_loopback:
        return [
            f"listen.host: {listen.host!r} is off loopback: a certificate, or plain_http_off_loopback = true, expected"
        ]
    return []
