"""Live connections as terminals hold them: `python -m gate_service.bench.pages_others URL COUNT`.

Reads the cookies of a session from its first line of input and says `listening` once all are connected. Each further
line
is a question: how many still listen, and how many messages the quietest one has heard. Ends with its input.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Final

import websockets

END_WITHIN_S: Final = 10.0


async def _listen(url: str, cookie: str, connected: asyncio.Semaphore, heard: list[int], place: int) -> None:
    headers = {"cookie": cookie, "origin": url.replace("ws", "http", 1).removesuffix("/api/v1/live")}
    async with websockets.connect(url, additional_headers=headers, proxy=None, compression=None) as line:
        connected.release()
        async for _ in line:
            heard[place] += 1


async def main(url: str, count: int) -> None:
    """Connect, listen, tell."""
    loop = asyncio.get_running_loop()
    cookies = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    heard, connected = [0] * count, asyncio.Semaphore(0)
    live = url.replace("http", "ws", 1) + "/api/v1/live"
    lines = [asyncio.create_task(_listen(live, cookie, connected, heard, place)) for place in range(count)]
    for _ in lines:
        await connected.acquire()
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    while await loop.run_in_executor(None, sys.stdin.readline):
        listening = sum(not line.done() for line in lines)
        sys.stdout.write(json.dumps({"listening": listening, "fewest": min(heard)}) + "\n")
        sys.stdout.flush()
    for line in lines:
        line.cancel()
    await asyncio.wait(lines, timeout=END_WITHIN_S)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
