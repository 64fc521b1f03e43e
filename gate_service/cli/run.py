"""`gate run --config FILE`."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from pathlib import Path

from config.loader import load
from gate_service.bootstrap import Built, build
from gate_service.runtime import tune


def run(config: Path) -> int:
    """Run the service until SIGINT or SIGTERM. 0 after a clean stop; mistakes in the file are ConfigError."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    built = build(load(config))
    tune()
    try:
        import uvloop
    except ImportError:  # not on every platform
        asyncio.run(_serve(built))
    else:
        uvloop.run(_serve(built))
    return 0


async def _serve(built: Built) -> None:
    from gate_service.web.server import WebServer

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server = WebServer(built.app, built.web, {"erase": built.service.erase})
    async with built.service, server:
        sys.stdout.write(f"operator terminal: {server.url}/\n")
        link = await server.first_link()
        if link is not None:
            sys.stdout.write(f"no accounts yet; the first one, once, at: {link}\n")
        sys.stdout.flush()
        await stop.wait()
