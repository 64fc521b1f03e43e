"""The server that pymodbus ships, as a process: input 10 on, watchdog registers as a Beckhoff coupler has them."""

import asyncio
import socket

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice


def data(address, values, kind):
    return SimData(address, values=values, datatype=kind)


async def main() -> None:
    held = socket.socket()  # kept open: until the server listens, nobody else is given the port
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    port = held.getsockname()[1]
    coils = [data(0, [False] * 16, DataType.BITS)]
    inputs = [data(0, [number == 10 for number in range(16)], DataType.BITS)]
    holding = [data(0x1120, [1000, 0, 1, 0], DataType.REGISTERS)]
    device = SimDevice(1, simdata=(coils, inputs, holding, [data(0, [0], DataType.REGISTERS)]))
    server = ModbusTcpServer(device, address=("127.0.0.1", port))
    task = asyncio.create_task(server.serve_forever(background=True))
    await task
    print(port, flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
