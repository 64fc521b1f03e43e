"""A slave run by the C library libmodbus, called through ctypes: `libmodbus_slave.py LIBRARY tcp PORT | rtu DEVICE`.

Nothing of ours decodes or encodes here; this file only opens the context and passes each request to modbus_reply.
"""

import ctypes
import socket
import sys

library, kind, place = sys.argv[1:]
modbus = ctypes.CDLL(library, use_errno=True)
modbus.modbus_new_tcp.restype = modbus.modbus_new_rtu.restype = ctypes.c_void_p
modbus.modbus_new_rtu.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_char, ctypes.c_int, ctypes.c_int]


class Mapping(ctypes.Structure):
    _fields_ = [
        *[(f"number_{n}", ctypes.c_int) for n in range(8)],
        ("bits", ctypes.POINTER(ctypes.c_uint8)),
        ("input_bits", ctypes.POINTER(ctypes.c_uint8)),
        ("input_registers", ctypes.POINTER(ctypes.c_uint16)),
        ("registers", ctypes.POINTER(ctypes.c_uint16)),
    ]


modbus.modbus_mapping_new.restype = ctypes.POINTER(Mapping)
mapping = modbus.modbus_mapping_new(16, 16, 0x1200, 1)
mapping.contents.input_bits[10] = 1
WEIGHT = ((6, 1 << 11), (7, 0), (8, 31240))  # of a weighing transmitter: at rest, gross 31240
for register, value in (*WEIGHT, (0x1120, 1000), (0x1122, 1), (0x1123, 0)):
    mapping.contents.registers[register] = value
request = (ctypes.c_uint8 * 260)()


def serve(context: ctypes.c_void_p) -> None:
    while (length := modbus.modbus_receive(context, request)) >= 0:
        if length > 0:
            modbus.modbus_reply(context, request, length, mapping)


if kind == "rtu":
    context = ctypes.c_void_p(modbus.modbus_new_rtu(place.encode(), 19200, b"N", 8, 1))
    modbus.modbus_set_slave(context, 1)
    assert modbus.modbus_connect(context) == 0
    print(place, flush=True)
    while True:
        serve(context)
else:
    held = socket.socket()  # kept open: until the library listens, nobody else is given the port
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    port = held.getsockname()[1]
    context = ctypes.c_void_p(modbus.modbus_new_tcp(b"127.0.0.1", port))
    listening = ctypes.c_int(modbus.modbus_tcp_listen(context, 1))
    print(port, flush=True)
    while True:
        modbus.modbus_tcp_accept(context, ctypes.byref(listening))
        serve(context)
