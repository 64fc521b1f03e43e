"""A drill from start to score: its own processes, data and address, somebody at the desks, points at the end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from devices.simulator.demo.plan import first_visits
from devices.simulator.people import Person

TRUCKS = 4
SPEED = 10.0


@pytest.mark.timeout(400)
async def test_a_shift_that_does_right_passes_and_the_drill_has_data_and_address_of_its_own(tmp_path: Path) -> None:
    data = tmp_path / "drill"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gate_service", "drill", "--trucks", str(TRUCKS), "--speed", str(SPEED)),
        *("--data", str(data), "--json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    desks: list[asyncio.Task[None]] = []
    try:
        assert process.stderr is not None
        told = json.loads(await asyncio.wait_for(process.stderr.readline(), 120))
        assert urlsplit(told["url"]).hostname == "127.0.0.1"
        desks = [asyncio.create_task(person.work()) for person in people(told)]
        output, _ = await asyncio.wait_for(process.communicate(), 240)
    finally:
        for desk in desks:
            desk.cancel()
        await asyncio.gather(*desks, return_exceptions=True)
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    found = json.loads(output)
    assert (found["dangerous"], found["violations"], found["passed"], process.returncode) == (0, 0, True, 0), found
    assert found["trucks_for_a_person"] > 0
    assert (data / "record.sqlite").exists()


def people(told: dict[str, object]) -> list[Person]:
    """The trainees: scripted, by the plan that the drill is scored by."""
    answers = {visit.slip_no or visit.plate: visit.answer for visit in first_visits(1, TRUCKS)}
    passwords = told["people"]
    assert isinstance(passwords, dict)
    return [
        Person(
            str(told["url"]),
            f"desk-{role}",
            passwords[f"desk-{role}"],
            role=role,
            book=lambda slip_no, plate: answers.get(slip_no or plate or ""),
            speed=SPEED,
        )
        for role in ("operator", "supervisor")
    ]


async def test_a_drill_never_writes_into_data_that_is_there_already(tmp_path: Path) -> None:
    (tmp_path / "record.sqlite").write_bytes(b"a real record")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gate_service", "drill", "--data", str(tmp_path)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, b"a drill has its own" in errors) == (2, True)
    assert (tmp_path / "record.sqlite").read_bytes() == b"a real record"
