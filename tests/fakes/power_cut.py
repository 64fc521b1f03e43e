"""A power-cut model: what a real process did to its files, by its system calls, and every disk a cut could leave.

The process runs unmodified under strace. Of what was written since the last fsync of a file any 512-byte sectors may
be on disk, in any order, the rest not; a file's length likewise; a new, renamed or removed name may or may not be there
until its directory was synced. What an fsync covered is there. What the process said on standard output before the cut
was acknowledged. Sectors are whole (SQLite's "powersafe overwrite" and every disk since 512-byte sectors assume it).
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[2]
T = TypeVar("T")
SECTOR = 512
CALLS = (
    "openat,write,pwrite64,pwritev,pwritev2,writev,fsync,fdatasync,ftruncate,truncate,fallocate,rename,renameat,"
    "renameat2,unlink,unlinkat,mkdir,mkdirat,lseek,sync_file_range"
)
LINE = re.compile(r"^(\d+) +(?:<\.\.\. (\w+) resumed>(.*)|(\w+)\((.*))$", re.DOTALL)
TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
ENDED = re.compile(r"^(.*)\)\s+= (.*)$", re.DOTALL)  # arguments, answer; strace lines answers up with spaces
PLACE = re.compile(r"(\w+)<((?:\\x[0-9a-f]{2})*)>")
UNDERSTOOD = {"openat", "write", "pwrite64", "fsync", "fdatasync", "ftruncate", "rename", "unlink", "mkdir", "lseek"}


@dataclass(frozen=True, slots=True)
class Op:
    """One thing that was done: `kind` is create, write, truncate, sync, rename, unlink, mkdir or say."""

    kind: str
    path: str = ""
    offset: int = 0
    content: bytes = b""
    to: str = ""


def trace(folder: Path, words: list[str]) -> list[Op]:
    """Run a Python module under strace and give what it did below `folder`, in order."""
    log = folder.with_name(f"{folder.name}.trace")
    command = [
        "strace",
        "-f",
        "-qq",
        "-y",
        "-xx",
        "-s",
        "9999999",
        "--seccomp-bpf",
        "-e",
        f"trace={CALLS}",
        "-o",
        str(log),
    ]
    subprocess.run([*command, sys.executable, "-m", *words], cwd=ROOT, check=True, capture_output=True, timeout=110)
    with log.open(encoding="ascii") as lines:
        ops = list(read_trace(lines, str(folder)))
    log.unlink()
    return ops


def _unhex(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _whole_calls(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Each call with its arguments and answer, at the moment it ended."""
    begun: dict[str, tuple[str, str]] = {}
    for line in lines:
        found = LINE.match(line.rstrip("\n"))
        if found is None:
            continue  # signals and exits
        thread, resumed, rest, name, arguments = found.groups()
        if resumed is not None:
            name, first = begun.pop(thread)
            yield name, first + rest
        elif arguments.endswith("<unfinished ...>"):
            begun[thread] = (name, arguments.removesuffix("<unfinished ...>"))
        else:
            yield name, arguments


def read_trace(lines: Iterator[str], folder: str) -> Iterator[Op]:
    """What the calls did below the folder. Raises ValueError for a call that this model does not understand."""
    places: dict[str, int] = {}  # where plain writes to a path go on
    inside = "".join(f"\\x{byte:02x}" for byte in folder.encode())
    for name, text in _whole_calls(lines):
        if name == "write" and text.startswith("1<"):
            yield Op("say", content=_unhex(TEXT.search(text)[1]))  # type: ignore[index]
            continue
        ended = ENDED.match(text)
        if ended is None or inside not in text or ended[2].startswith("-1"):
            continue
        arguments, answer = ended.groups()
        if name not in UNDERSTOOD:
            raise ValueError(f"power cut: {name} is not understood")
        opened = PLACE.search(text)
        path = "" if opened is None else _unhex(opened[2]).decode().removesuffix(" (deleted)")
        yield from _read_call(name, path, arguments, answer, places)


def _read_call(name: str, path: str, arguments: str, answer: str, places: dict[str, int]) -> Iterator[Op]:
    """One call that succeeded; `places` is where plain writes to a path go on."""
    texts = [_unhex(text) for text in TEXT.findall(arguments)]
    if name == "openat":
        made = _unhex(PLACE.findall(answer)[-1][1]).decode()
        if "O_CREAT" in arguments:
            places[made] = 0
            yield Op("create", made)
    elif name == "pwrite64":
        yield Op("write", path, int(arguments.rpartition(", ")[2]), texts[0])
    elif name == "write":
        yield Op("write", path, places.get(path, 0), texts[0])
        places[path] = places.get(path, 0) + len(texts[0])
    elif name == "lseek":
        places[path] = int(answer)
    elif name in {"fsync", "fdatasync"}:
        yield Op("sync", path)
    elif name == "ftruncate":
        yield Op("truncate", path, int(arguments.rpartition(", ")[2]))
    elif name == "rename":
        yield Op("rename", texts[0].decode(), to=texts[1].decode())
    else:
        yield Op(name, texts[0].decode())


@dataclass(slots=True)
class _File:
    synced: bytearray = field(default_factory=bytearray)
    waiting: list[tuple[int, bytes | None]] = field(default_factory=list)  # place and bytes; None cuts or fills there


def _apply(content: bytearray, place: int, piece: bytes | None) -> None:
    if len(content) < place:
        content.extend(bytes(place - len(content)))
    if piece is None:
        del content[place:]
    else:
        content[place : place + len(piece)] = piece


class Disk:
    """What is surely on disk, and what waits. `follow` goes on; `cut` gives one disk that a cut now could leave."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._names: dict[str, _File | None] = {}  # as the process sees them; None is a directory
        self._synced: dict[str, _File | None] = {}
        self._waiting: list[tuple[str, _File | None, bool]] = []  # a name, what it leads to, and whether it is gone
        self.said: list[bytes] = []

    def follow(self, op: Op) -> None:
        """One more thing was done."""
        match op.kind:
            case "say":
                self.said.append(op.content)
            case "create":
                if op.path not in self._names:
                    self._name(op.path, _File())
            case "mkdir":
                self._name(op.path, None)
            case "write":
                self._file(op.path).waiting.append((op.offset, op.content))
            case "truncate":
                self._file(op.path).waiting.append((op.offset, None))
            case "unlink":
                self._unname(op.path)
            case "rename":
                moved = self._names[op.path]
                self._unname(op.path)
                self._name(op.to, moved)
            case "sync":
                self._sync(op.path)

    def _file(self, path: str) -> _File:
        found = self._names[path]
        assert found is not None, path
        return found

    def _name(self, path: str, file: _File | None) -> None:
        self._names[path] = file
        self._waiting.append((path, file, False))

    def _unname(self, path: str) -> None:
        self._names.pop(path)
        self._waiting.append((path, None, True))

    def _sync(self, path: str) -> None:
        file = self._names.get(path)
        if file is not None:
            for place, piece in file.waiting:
                _apply(file.synced, place, piece)
            file.waiting.clear()
            return
        mine = [change for change in self._waiting if change[0].rpartition("/")[0] == path]
        self._waiting = [change for change in self._waiting if change[0].rpartition("/")[0] != path]
        _rename(self._synced, mine)

    def cut(self, rng: Random, to: Path) -> None:
        """Write one possible disk into a new directory."""
        names = dict(self._synced)
        _rename(names, _some(rng, self._waiting, in_order=True))
        to.mkdir()
        for path, file in sorted(names.items(), key=lambda named: named[0].count("/")):
            at = to / path.removeprefix(self._folder).lstrip("/")
            if not at.parent.is_dir():
                continue  # its directory is not there
            if file is None:
                at.mkdir(exist_ok=True)
            elif path.endswith("-shm"):
                at.write_bytes(rng.randbytes(rng.choice([0, 32768])))  # mapped memory: anything may be there
            else:
                at.write_bytes(_content_after(rng, file))


def _rename(names: dict[str, _File | None], changes: list[tuple[str, _File | None, bool]]) -> None:
    for path, file, is_gone in changes:
        if is_gone:
            names.pop(path, None)
        else:
            names[path] = file


def _content_after(rng: Random, file: _File) -> bytes:
    content = bytearray(file.synced)
    pieces: list[tuple[int, bytes | None]] = []
    for place, piece in file.waiting:
        pieces += [(place, None)] if piece is None else _sectors(place, piece)
    for place, piece in _some(rng, pieces, in_order=False):
        _apply(content, place, piece)
    return bytes(content)


def _sectors(place: int, piece: bytes) -> Iterator[tuple[int, bytes]]:
    """The piece as the sectors of the disk have it."""
    while piece:
        length = SECTOR - place % SECTOR
        yield place, piece[:length]
        place, piece = place + length, piece[length:]


def _some(rng: Random, waiting: list[T], *, in_order: bool) -> list[T]:
    """What of it reached the disk: nothing, all, the first of it, or any part, then in any order."""
    how = rng.choice(["none", "all", "first", "any", "any"])
    if how == "none":
        return []
    if how == "all":
        return list(waiting)
    if how == "first":
        return waiting[: rng.randint(0, len(waiting))]
    share = rng.choice([0.1, 0.5, 0.9])
    kept = [one for one in waiting if rng.random() < share]
    if not in_order:
        rng.shuffle(kept)
    return kept
