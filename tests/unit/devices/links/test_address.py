"""Addresses as people write them."""

import pytest

from devices.links.address import parse_line, parse_modbus
from gate_service.domain.errors import InputError


def test_a_serial_port_with_its_settings() -> None:
    line = parse_line("/dev/ttyUSB0?baud=4800&bytesize=7&parity=E&stopbits=2")
    assert (line.device, line.baud, line.bytesize, line.parity, line.stopbits) == ("/dev/ttyUSB0", 4800, 7, "E", 2)
    assert not line.dtr
    assert not line.is_socket


def test_a_serial_server_is_a_socket() -> None:
    assert parse_line("socket://127.0.0.1:7001").is_socket
    assert parse_line("rfc2217://[::1]:65535?baud=4800").is_socket


@pytest.mark.parametrize(
    "url",
    [
        "socket://h:99999",
        "socket://h",
        "socket://h:0",
        "socket://:4001",
        "socket://h:x",
        "socket://[::1",
        "socket://h:1/2",
        "sokcet://h:1",
    ],
)
def test_a_serial_server_needs_its_host_and_a_port_that_there_is(url: str) -> None:
    with pytest.raises(InputError, match=r"host:port with a port of 1 to 65535|one of .*socket://") as refused:
        parse_line(url)
    assert repr(url) in str(refused.value)


def test_a_modbus_tcp_unit() -> None:
    address = parse_modbus("modbus-tcp://Module.example:5020/7")
    assert (address.host, address.port, address.unit, address.is_rtu) == ("module.example", 5020, 7, False)
    assert parse_modbus("modbus-tcp://module.example").port == 502


def test_a_modbus_rtu_unit_on_a_device_path_with_slashes() -> None:
    address = parse_modbus("modbus-rtu:///dev/pts/3/12?baud=19200")
    assert address.line is not None
    assert (address.line.device, address.line.baud, address.unit, address.is_rtu) == ("/dev/pts/3", 19200, 12, True)


def test_units_of_one_bus_have_the_same_bus() -> None:
    assert parse_modbus("modbus-tcp://localhost:502/1").bus == parse_modbus("modbus-tcp://127.0.0.1/2").bus


@pytest.mark.parametrize(
    "url",
    [
        "tcp://host/1",
        "modbus-tcp:///1",
        "modbus-tcp://host:port/1",
        "modbus-tcp://[::1/1",
        "modbus-tcp://host/256",
        "modbus-tcp://host/-1",
        "modbus-tcp://host/1?baud=9600",
        "modbus-rtu:///dev/ttyUSB0",
        "modbus-rtu://host/dev/ttyUSB0/1",
        "modbus-rtu:///dev/ttyUSB0/1?speed=9600",
    ],
)
def test_a_wrong_module_address_is_refused(url: str) -> None:
    with pytest.raises(InputError):
        parse_modbus(url)


@pytest.mark.parametrize("query", ["baud=0", "baud=x", "bytesize=9", "parity=e", "stopbits=3", "dtr=yes", "bits=8"])
def test_a_wrong_line_setting_is_refused(query: str) -> None:
    with pytest.raises(InputError):
        parse_line(f"/dev/ttyUSB0?{query}")
    with pytest.raises(InputError):
        parse_line("?baud=9600")
