"""The `gate` command: one file per verb, each imported only when its verb is used (the web stack costs seconds).

Exit status: 0 done, 1 found wanting, 2 wrong use.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from gate_service.domain.errors import ConfigError, GateError, InputError
from gate_service.runtime import starting

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Open gate control edge service.",
)
user = typer.Typer(no_args_is_help=True, help="Accounts of persons.")
token = typer.Typer(no_args_is_help=True, help="Tokens of devices and programs.")
policy = typer.Typer(no_args_is_help=True, help="A policy before anybody is judged by it.")
app.add_typer(user, name="user")
app.add_typer(token, name="token")
app.add_typer(policy, name="policy")

Json = Annotated[bool, typer.Option("--json", help="Machine-readable lines.")]
ConfigFile = Annotated[Path, typer.Option("--config", help="Site file (TOML).")]
Source = Annotated[str, typer.Argument(help="A file, or - for standard input.")]
Options = Annotated[list[str] | None, typer.Option("--option", help="key=value, as often as needed.")]
Record = Annotated[Path | None, typer.Option("--record", help="A new file for every byte of the link, with times.")]
DataDir = Annotated[Path | None, typer.Option("--data", help="Data directory of the site.")]
SiteFile = Annotated[Path | None, typer.Option("--config", help="Site file, to find its data directory.")]


@app.command()
def run(config: ConfigFile) -> None:
    """Run the service for a real site."""
    starting()
    from gate_service.cli import run as verb

    raise typer.Exit(verb.run(config))


@app.command()
def demo(
    trucks: Annotated[int, typer.Option(min=1, max=100_000, help="How many trucks (with --exit).")] = 40,
    speed: Annotated[float, typer.Option(min=0.1, max=20, help="Yard and dwell times; never protocol timing.")] = 1.0,
    seed: Annotated[int, typer.Option(help="The same seed, the same trucks and verdicts.")] = 1,
    inject: Annotated[str | None, typer.Option(help="A fault by name; --inject list names them.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the terminal.")] = 8443,
    data: DataDir = None,
    exit_after: Annotated[bool, typer.Option("--exit", help="Stop after the trucks and print a summary.")] = False,
    alone: Annotated[
        bool, typer.Option("--alone", help="Nobody at the desks but you: trucks wait for your word.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Run the demo site: its own devices, central system and zone authority, on loopback."""
    from gate_service.cli import demo as verb

    raise typer.Exit(
        verb.run(
            trucks=trucks, speed=speed, seed=seed, inject=inject, port=port, data=data,
            exit_after=exit_after, alone=alone, as_json=as_json,
        )
    )  # fmt: skip


@app.command()
def drill(
    trucks: Annotated[int, typer.Option(min=1, max=1000, help="How many trucks come.")] = 12,
    speed: Annotated[float, typer.Option(min=0.1, max=20, help="Yard and dwell times; never protocol timing.")] = 1.0,
    seed: Annotated[int, typer.Option(help="The same seed, the same trucks.")] = 1,
    inject: Annotated[str | None, typer.Option(help="A fault in the middle of it, as in `gate demo`.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the terminal; 0: the system chooses.")] = 0,
    data: DataDir = None,
    as_json: Json = False,
) -> None:
    """Practise on a site of your own: nobody at the desks but you, scored at the end. Exit 0 where passed."""
    from gate_service.cli import drill as verb

    raise typer.Exit(
        verb.run(trucks=trucks, speed=speed, seed=seed, inject=inject, port=port, data=data, as_json=as_json)
    )


@app.command()
def code(
    request: Annotated[str, typer.Option("--request", help="The request number that the terminal shows.")],
    from_stdin: Annotated[bool, typer.Option("--key-stdin", help="Read the approval key as one line.")] = False,
) -> None:
    """The one-time code of a second person for one request, without a line; asks for their approval key."""
    from gate_service.cli import code as verb

    raise typer.Exit(verb.run(request, from_stdin=from_stdin))


@app.command("check-config")
def check_config(file: Annotated[Path, typer.Argument(help="Site file (TOML).")], as_json: Json = False) -> None:
    """Every mistake in a site file, with its place. Starts nothing."""
    from gate_service.cli import check_config as verb

    raise typer.Exit(verb.run(file, as_json=as_json))


@app.command()
def decode(
    protocol: Annotated[str, typer.Argument(help="Weighing protocol; a wrong name lists them.")],
    source: Annotated[str | None, typer.Argument(help="A file of raw bytes, or - for standard input.")] = None,
    hex_text: Annotated[str | None, typer.Option("--hex", help='Bytes as text: "02 2B …".')] = None,
    option: Options = None,
    form: Annotated[str | None, typer.Option(help="Same as --option form=….")] = None,
    as_json: Json = False,
) -> None:
    """Bytes of one weighing protocol to one JSON object per frame."""
    from gate_service.cli import decode as verb

    options = [*(option or []), *([f"form={form}"] if form else [])]
    raise typer.Exit(verb.run(protocol, hex_text=hex_text, source=source, options=options, as_json=as_json))


@app.command()
def read(
    protocol: Annotated[str, typer.Argument(help="Weighing protocol.")],
    port: Annotated[
        str, typer.Argument(help="/dev/ttyUSB0?baud=9600, socket://host:port, a pseudo-terminal, modbus-tcp://…")
    ],
    count: Annotated[int | None, typer.Option(min=1, help="Stop after so many frames.")] = None,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="Stop after so many seconds.")] = None,
    option: Options = None,
    record: Record = None,
    as_json: Json = False,
) -> None:
    """The same objects from a live port. Sends nothing, unless --option poll=… says what to ask."""
    from gate_service.cli import read as verb

    options = option or []
    raise typer.Exit(
        verb.run(protocol, port, count=count, seconds=seconds, options=options, record=record, as_json=as_json)
    )


@app.command()
def record(
    port: Annotated[str, typer.Argument(help="/dev/ttyUSB0?baud=9600, socket://host:port, a pseudo-terminal.")],
    file: Annotated[Path, typer.Argument(help="A new file.")],
    seconds: Annotated[float | None, typer.Option(min=0.1, help="Stop after so many seconds.")] = None,
) -> None:
    """Every byte of a port to a capture, whatever it means. Listens, sends nothing."""
    from gate_service.cli import record as verb

    raise typer.Exit(verb.run(port, file, seconds=seconds))


@app.command()
def replay(
    what: Annotated[str, typer.Argument(help="A file of `gate read --record`; with --data, the id of a passage.")],
    protocol: Annotated[str | None, typer.Option(help="Recording: weighing protocol; as recorded if left out.")] = None,
    option: Options = None,
    golden: Annotated[Path | None, typer.Option(help="Recording: directory, make it a golden test there.")] = None,
    source: Annotated[str | None, typer.Option(help="With --golden: indicator, place, who read the display.")] = None,
    data: Annotated[Path | None, typer.Option("--data", help="Passage: data directory whose record has it.")] = None,
    config: Annotated[Path | None, typer.Option("--config", help="Passage: site file, to find that directory.")] = None,
    as_json: Json = False,
) -> None:
    """Decide a stored passage anew (PASSAGE --data DIR), or decode a recorded link anew (FILE)."""
    from gate_service.cli.data_directory import find_place

    if data is not None or config is not None:
        from gate_service.cli import replay_passage

        if protocol or option or golden or source:
            raise InputError("replay: --data or --config for a passage, or options of a recording expected, found both")
        raise typer.Exit(replay_passage.run(what, find_place(data, config, takes_url=True), as_json=as_json))
    from gate_service.cli import replay as verb

    if not Path(what).is_file():
        raise InputError(f"replay: {what}: a recording expected, no such file; a passage needs --data DIR"[:300])
    raise typer.Exit(
        verb.run(Path(what), protocol=protocol, options=option, golden=golden, source=source, as_json=as_json)
    )


@app.command()
def probe(
    port: Annotated[str, typer.Argument(help="/dev/ttyUSB0, socket://host:port; settings given in it stay as given.")],
    seconds: Annotated[float, typer.Option(min=0.5, max=600, help="Stop after so long; sooner when settled.")] = 20.0,
    as_json: Json = False,
) -> None:
    """Which weighing protocol and line settings fit, with the evidence. Listens, sends nothing."""
    from gate_service.cli import probe as verb

    raise typer.Exit(verb.run(port, seconds=seconds, as_json=as_json))


@app.command()
def io(
    url: Annotated[str, typer.Argument(help="modbus-tcp://host:port/unit or modbus-rtu:///dev/ttyUSB0/unit?baud=9600")],
    profile: Annotated[str, typer.Option(help="I/O module profile; a wrong name lists them.")],
    watch: Annotated[bool, typer.Option("--watch", help="Keep showing.")] = False,
    set_output: Annotated[str | None, typer.Option("--set", help="OUTPUT=on, off or pulse.")] = None,
    commissioning: Annotated[bool, typer.Option("--commissioning", help="Allows barrier outputs.")] = False,
    config: Annotated[Path | None, typer.Option(help="Site file: names the points, tells lamps from booms.")] = None,
    record: Record = None,
    as_json: Json = False,
) -> None:
    """Look at and try an I/O module."""
    from gate_service.cli import io as verb

    raise typer.Exit(
        verb.run(
            url, profile=profile, watch=watch, set_output=set_output, commissioning=commissioning,
            config=config, record=record, as_json=as_json,
        )
    )  # fmt: skip


@app.command()
def assess(source: Source, as_json: Json = False) -> None:
    """One case to its verdict; no service needed."""
    from gate_service.cli import assess as verb

    raise typer.Exit(verb.run(source, as_json=as_json))


@app.command()
def route(source: Source, as_json: Json = False) -> None:
    """One vehicle to the lane it should take, and why not the others."""
    from gate_service.cli import route as verb

    raise typer.Exit(verb.run(source, as_json=as_json))


@app.command()
def message(source: Source, as_json: Json = False) -> None:
    """One customs message (JGS/T 14 frame, its XML, SAS envelope) to one JSON object."""
    from gate_service.cli import message as verb

    raise typer.Exit(verb.run(source, as_json=as_json))


@app.command()
def verify(
    directory: Annotated[Path, typer.Argument(help="Data directory.")],
    checkpoint: Annotated[Path | None, typer.Option(help="The last checkpoint that the centre holds (JSON).")] = None,
    key: Annotated[str | None, typer.Option(help="Public key that must have signed it.")] = None,
    as_json: Json = False,
) -> None:
    """Check the record: chain, gaps, every hazardous entry told. Names the first broken record."""
    from gate_service.cli import verify as verb

    raise typer.Exit(verb.run(directory, as_json=as_json, checkpoint=checkpoint, key=key))


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(help="A new directory for the backup.")],
    data: DataDir = None,
    config: SiteFile = None,
    as_json: Json = False,
) -> None:
    """Back the record up while the service runs, and check the copy."""
    from gate_service.cli import backup as verb
    from gate_service.cli.data_directory import find_place

    directory = find_place(data, config, takes_url=True).on_this_disk("backup")
    raise typer.Exit(verb.run(directory, target, as_json=as_json))


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(help="A directory that `gate backup` made.")],
    reason: Annotated[str, typer.Option(help="Why; it goes into the record.")],
    data: DataDir = None,
    config: SiteFile = None,
    as_json: Json = False,
) -> None:
    """Put a backup where there is no record yet, and begin a new epoch."""
    from gate_service.cli import restore as verb
    from gate_service.cli.data_directory import find_place

    directory = find_place(data, config, takes_url=True).on_this_disk("restore")
    raise typer.Exit(verb.run(source, directory, reason=reason, as_json=as_json))


@app.command()
def erase(
    passage: Annotated[str, typer.Argument(help="Id of a closed passage.")],
    reason: Annotated[str, typer.Option(help="Why; it goes into the record.")],
    data: DataDir = None,
    config: SiteFile = None,
    as_json: Json = False,
) -> None:
    """Erase the personal data of one passage; the chain keeps their hashes and says who erased what and why."""
    from gate_service.cli import erase as verb
    from gate_service.cli.data_directory import find_place

    place = find_place(data, config)
    raise typer.Exit(verb.run(place.directory, passage, reason=reason, as_json=as_json, url=place.url))


@app.command()
def simulate(
    seeds: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many seeds.")] = 10,
    first: Annotated[int, typer.Option("--from", min=0, help="The first of them.")] = 1,
    hours: Annotated[float, typer.Option(min=0.001, max=1000, help="Simulated hours of traffic per seed.")] = 0.25,
    inject: Annotated[str | None, typer.Option(help="Take one protection away; --inject list names them.")] = None,
    as_json: Json = False,
) -> None:
    """The whole site in one process on virtual time with random faults; a failing seed replays exactly."""
    from gate_service.cli import simulate as verb

    raise typer.Exit(verb.run(seeds=seeds, first=first, hours=hours, inject=inject, as_json=as_json))


@app.command()
def bench(
    name: Annotated[str | None, typer.Argument(help="Which figures; none runs all.")] = None, as_json: Json = False
) -> None:
    """Figures, each as a ratio to its limit measured in the same run."""
    from gate_service.cli import bench as verb

    raise typer.Exit(verb.run(name, as_json=as_json))


@user.command("add")
def user_add(
    name: Annotated[str, typer.Argument(help="Sign-in name.")],
    role: Annotated[str, typer.Option(help="operator, supervisor, auditor, authority, administrator, customs.")],
    data: DataDir = None,
    config: SiteFile = None,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from stdin.")] = False,
) -> None:
    """Add a person."""
    from gate_service.cli import user as verb
    from gate_service.cli.data_directory import find_place

    place = find_place(data, config)
    raise typer.Exit(verb.run(place.directory, name=name, role=role, password_stdin=password_stdin, url=place.url))


@token.command("add")
def token_add(
    name: Annotated[str, typer.Argument(help="Name of the device or program.")],
    scope: Annotated[str, typer.Option(help="What it may do; a wrong scope lists them.")],
    lane: Annotated[list[str] | None, typer.Option(help="Only for these lanes.")] = None,
    data: DataDir = None,
    config: SiteFile = None,
) -> None:
    """Add a token and print it once."""
    from gate_service.cli import token as verb
    from gate_service.cli.data_directory import find_place

    place = find_place(data, config)
    raise typer.Exit(verb.run(place.directory, name=name, scope=scope, lanes=lane or [], config=config, url=place.url))


@policy.command("check")
def policy_check(file: Annotated[Path, typer.Argument(help="Policy (TOML or JSON).")], as_json: Json = False) -> None:
    """Every mistake in a policy, with its place and what is allowed."""
    from gate_service.cli import policy as verb

    raise typer.Exit(verb.check(file, as_json=as_json))


@policy.command("compare")
def policy_compare(
    old: Annotated[Path, typer.Argument(help="Policy (TOML or JSON) as it is.")],
    new: Annotated[Path, typer.Argument(help="Policy as it might become.")],
    data: DataDir = None,
    config: SiteFile = None,
    since: Annotated[str | None, typer.Option(help="Passages opened from this time on (with offset).")] = None,
    before: Annotated[str | None, typer.Option(help="Passages opened before this time.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="List so many changed passages (--json).")] = 1000,
    as_json: Json = False,
) -> None:
    """Past passages decided under both policies: what would change, and counts. Reads only."""
    from gate_service.cli import policy as verb
    from gate_service.cli.data_directory import find_place

    place = find_place(data, config, takes_url=True)
    raise typer.Exit(verb.compare_files(old, new, place, since=since, before=before, limit=limit, as_json=as_json))


def main() -> None:
    """Entry point: errors of ours become one line on stderr and their exit status, never a stack trace."""
    try:
        app()
    except (ConfigError, InputError) as error:
        sys.stderr.write(f"gate: {error}\n")
        sys.exit(2)
    except GateError as error:
        sys.stderr.write(f"gate: {error.code}: {error}\n")
        sys.exit(1)
