"""The demo's accounts: one administrator made at the command line, all others by that administrator over the API."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from gate_service.cli.demo_children import run_once
from gate_service.cli.demo_client import Session, one_time_password
from gate_service.cli.demo_site import DemoFolder

ADMINISTRATOR: Final = "demo-admin"
VISITOR: Final = "visitor"
DESKS: Final = {"desk-operator": "operator", "desk-supervisor": "supervisor"}
ROLES: Final = {**DESKS, VISITOR: "supervisor"}
KEPT: Final = "accounts.json"


@dataclass(frozen=True, slots=True)
class Accounts:
    """Passwords by name and device tokens by lane. Kept in the demo's folder, so that a record can be continued."""

    passwords: dict[str, str]
    tokens: dict[str, str]

    @classmethod
    async def prepare(cls, folder: DemoFolder) -> Self:
        """The accounts of an earlier run in this folder, or a new administrator and passwords for the others."""
        if (folder.own / KEPT).exists():
            return cls(**json.loads(folder.read(KEPT)))
        passwords = {name: one_time_password() for name in (ADMINISTRATOR, *ROLES)}
        add = ["-m", "gate_service", "user", "add", ADMINISTRATOR, "--role", "administrator"]
        await run_once([*add, "--data", str(folder.path), "--password-stdin"], given=passwords[ADMINISTRATOR] + "\n")
        accounts = cls(passwords, {})
        folder.write(KEPT, json.dumps({"passwords": passwords, "tokens": {}}))
        return accounts

    async def complete(self, session: Session, folder: DemoFolder, lanes: Sequence[str]) -> None:
        """Make what is not there yet: the desks, the visitor, and one token for the readers of each lane."""
        if self.tokens:
            return
        await session.sign_in(ADMINISTRATOR, self.passwords[ADMINISTRATOR])
        for name, role in ROLES.items():
            await session.post("/api/v1/users", {"name": name, "password": self.passwords[name], "role": role})
        for lane in lanes:
            asked = {"name": f"readers-{lane}", "scopes": ["scan", "plate"], "lanes": [lane]}
            self.tokens[lane] = str((await session.post("/api/v1/tokens", asked))["token"])
        folder.write(KEPT, json.dumps({"passwords": self.passwords, "tokens": self.tokens}))
