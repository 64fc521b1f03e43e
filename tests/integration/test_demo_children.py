"""The demo's child processes: what they print is read, a dead one is told, none is left behind."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from gate_service.cli.demo_children import Child, ChildError, run_once

READY = 'import json,sys,time; print("noise"); print(json.dumps({"ready": True}), flush=True); '


def child(tmp_path: Path, program: str) -> Child:
    return Child("part", ["-c", program], tmp_path)


def is_running(pid: int) -> bool:
    """Whether the process is there and not merely unreaped."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().split()[2] == "Z")


async def test_the_first_object_is_read_past_other_lines(tmp_path):
    part = child(tmp_path, READY + "time.sleep(60)")
    await part.start()
    try:
        assert await part.first_object(60) == {"ready": True}
    finally:
        await part.stop()
    assert not is_running(part.pid)


async def test_a_child_that_dies_is_told_with_its_last_words(tmp_path):
    part = child(tmp_path, READY + 'sys.exit("out of paper")')
    await part.start()
    with pytest.raises(ChildError, match=r"status 1[\s\S]*out of paper"):
        await asyncio.wait_for(part.watch(), 60)
    await part.stop()


async def test_a_child_that_says_nothing_in_time_is_an_error(tmp_path):
    part = child(tmp_path, "import time; time.sleep(60)")
    await part.start()
    with pytest.raises(ChildError, match="first line"):
        await part.first_object(0.3)
    await part.stop()


async def test_a_child_stopped_on_purpose_is_no_error(tmp_path):
    part = child(tmp_path, READY + "time.sleep(60)")
    await part.start()
    await part.first_object(60)
    watching = asyncio.create_task(part.watch())
    await part.stop()
    await asyncio.wait_for(watching, 30)


async def test_what_a_child_has_started_ends_with_it(tmp_path):
    program = (
        "import json,subprocess,sys,time\n"
        "other = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(json.dumps({'other': other.pid}), flush=True)\n"
        "time.sleep(60)"
    )
    part = child(tmp_path, program)
    await part.start()
    other = (await part.first_object(60))["other"]
    await part.stop()
    for _ in range(600):
        if not is_running(other):
            break
        await asyncio.sleep(0.05)
    else:
        pytest.fail("the child's own process is still running")


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel does this on Linux only")
async def test_children_end_when_the_demo_itself_is_killed(tmp_path):
    program = (
        "import asyncio,json,pathlib,sys\n"
        "from gate_service.cli.demo_children import Child\n"
        "async def main():\n"
        f"    part = Child('part', ['-c', {READY + 'time.sleep(60)'!r}], pathlib.Path({str(tmp_path)!r}))\n"
        "    await part.start()\n"
        "    await part.first_object(60)\n"
        "    print(json.dumps({'part': part.pid}), flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())"
    )
    demo = child(tmp_path, program)
    await demo.start()
    part = (await demo.first_object(60))["part"]
    demo.is_stopping = True
    os.kill(demo.pid, 9)
    await demo.watch()
    for _ in range(600):
        if not is_running(part):
            break
        await asyncio.sleep(0.05)
    else:
        pytest.fail("the part outlived the demo")
    await demo.stop()


async def test_a_short_command_that_fails_is_told_with_what_it_said():
    assert await run_once(["-c", "print(input())"], given="hello\n") == "hello\n"
    with pytest.raises(ChildError, match="no such thing"):
        await run_once(["-c", "raise SystemExit('no such thing')"])
