"""One owner per bus across processes: a lock file per bus in the machine's lock directory.

The kernel drops the lock with the process, so a killed service leaves nothing to clean up. Serial ports are locked by
pyserial as well; a TCP module has no lock of its own, hence this file.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from pathlib import Path

from gate_service.domain.errors import DeviceHeldError


def lock_directory() -> Path:
    """Where Debian lets every user create locks (FHS 3.0, 5.9), else the temporary directory."""
    usual = Path("/run/lock")
    return usual if usual.is_dir() and os.access(usual, os.W_OK) else Path(tempfile.gettempdir())


class BusLease:
    """The right to write on one bus, named as in `ModbusAddress.bus`."""

    def __init__(self, bus: str, directory: Path | None = None) -> None:
        self._bus = bus
        name = hashlib.sha256(bus.encode()).hexdigest()[:16]
        self._path = (directory or lock_directory()) / f"gate-bus-{name}.lock"
        self._descriptor: int | None = None

    @property
    def is_held(self) -> bool:
        """Whether this object holds the lease."""
        return self._descriptor is not None

    def take(self) -> None:
        """Take it or raise DeviceHeldError naming the process that has it. Taking twice is harmless."""
        while self._descriptor is None:
            descriptor = self._open()
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
                os.close(descriptor)
                raise DeviceHeldError(f"bus {self._bus}: held by process {holder}, one owner at a time") from None
            if self._is_current(descriptor):
                self._descriptor = descriptor
            else:
                os.close(descriptor)  # its last owner removed it between our open and our lock: once more
        if os.access(self._path, os.W_OK):
            self._path.write_text(f"{os.getpid()}\n", encoding="ascii")

    def give_back(self) -> None:
        """Return it; the file goes while the lock is still ours."""
        if self._descriptor is None:
            return
        self._path.unlink(missing_ok=True)
        os.close(self._descriptor)
        self._descriptor = None

    def _open(self) -> int:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            # Without O_CREAT first: in a sticky directory the kernel refuses O_CREAT on files of other users
            return os.open(self._path, flags)
        except FileNotFoundError:
            return os.open(self._path, flags | os.O_CREAT, 0o644)

    def _is_current(self, descriptor: int) -> bool:
        try:
            return os.fstat(descriptor).st_ino == self._path.stat().st_ino
        except FileNotFoundError:
            return False
