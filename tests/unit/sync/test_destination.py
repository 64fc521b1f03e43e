"""Hostile addresses: every one refused, whether it is written in the URL or comes out of the resolver."""

import httpx
import pytest

from gate_service.domain.errors import DestinationRefusedError
from sync.destination import GuardedTransport, check_address, check_url, resolve

LISTED = "authority.example:443"

HOSTILE_URLS = [
    "http://127.0.0.1/",
    "http://127.0.0.1:9102/hooks/gate",
    "https://localhost/hooks",
    "https://localhost.:443/hooks",
    "https://LOCALHOST/hooks",
    "https://127.1/",
    "https://127.0.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://0/",
    "https://0.0.0.0/",
    "https://[::]/",
    "https://[::1]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[fc00::1]/",
    "https://[fd00:ec2::254]/latest/meta-data/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://100.100.100.200/latest/meta-data/",
    "https://169.254.169.254/latest/meta-data/",
    "https://169.254.170.2/",
    "https://168.63.129.16/",
    "https://metadata.google.internal/computeMetadata/v1/",
    "https://instance-data/latest/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://198.18.0.1/",
    "https://192.0.2.1/",
    "https://240.0.0.1/",
    "https://authority.example@127.0.0.1/",
    "https://authority.example:443@127.0.0.1/",
    "https://user:word@authority.example/",
    "https://127.0.0.1#@authority.example/",
    "https://127.0.0.1\\@authority.example/",
    "https://authority.example#fragment",
    "https://authority.example:444/",
    "https://authority.example:0/",
    "https://authority.example:99999/",
    "https://authority.example.evil.example/",
    "https://evil.example/authority.example:443",
    "https://evil.example?authority.example:443",
    "https://authority.example./hooks",
    "https://authority.example%00.evil.example/",
    "https://authority.example%2eevil.example/",
    "https://authority．example/",
    "https://①②⑦.0.0.1/",
    "https://authority.example\t/",
    "https://authority.example\r\nHost: evil.example/",
    " https://authority.example/",
    "http://authority.example/",
    "ftp://authority.example/",
    "file:///etc/passwd",
    "gopher://authority.example:443/",
    "javascript:alert(1)",
    "//authority.example/",
    "https:///hooks",
    "https://",
    "",
]

HOSTILE_ADDRESSES = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1",
    "169.254.169.254", "169.254.170.2", "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.1", "192.0.2.1",
    "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "fe80::1",
    "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1",
    "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:0:4136:e378:8000:63bf:80ff:fffe", "2001:db8::1", "100::1",
]  # fmt: skip


def test_the_table_is_long_enough():
    assert len(HOSTILE_URLS) >= 60


@pytest.mark.parametrize("url", HOSTILE_URLS)
def test_a_hostile_url_is_refused_before_anything_is_resolved(url):
    with pytest.raises(DestinationRefusedError):
        check_url(url, [LISTED])


@pytest.mark.parametrize("address", HOSTILE_ADDRESSES)
def test_a_listed_name_that_leads_to_a_forbidden_address_is_refused(address):
    with pytest.raises(DestinationRefusedError):
        check_address(address, 443, "https", [LISTED])


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_a_public_address_behind_a_listed_name_is_called(address):
    check_address(address, 443, "https", [LISTED])


def test_a_private_address_is_called_only_if_listed_itself_port_and_all():
    check_address("10.1.2.3", 8443, "https", ["10.1.2.3:8443"])
    check_address("::1", 9102, "http", ["[::1]:9102"])
    for allow in (["10.1.2.3:443"], ["10.1.2.4:8443"], ["name.example:8443"]):
        with pytest.raises(DestinationRefusedError):
            check_address("10.1.2.3", 8443, "https", allow)


def test_plain_http_goes_to_listed_addresses_only():
    with pytest.raises(DestinationRefusedError, match="https expected"):
        check_address("93.184.215.14", 80, "http", ["authority.example:80"])


@pytest.mark.parametrize("url", ["https://authority.example/hooks?x=1", "https://AUTHORITY.example:443/"])
def test_a_listed_destination_is_accepted(url):
    assert check_url(url, [LISTED]).host == "authority.example"


class Recorded(httpx.AsyncBaseTransport):
    """Keeps what would have been sent."""

    def __init__(self):
        self.requests = []

    async def handle_async_request(self, request):
        self.requests.append(request)
        return httpx.Response(200)


def answering(*rounds):
    answers = list(rounds)

    async def resolver(host, port):
        return answers.pop(0) if len(answers) > 1 else answers[0]

    return resolver


async def send(resolver, times=1):
    inner = Recorded()
    async with httpx.AsyncClient(transport=GuardedTransport([LISTED], inner, resolver)) as client:
        for _ in range(times):
            await client.post("https://authority.example/hooks", content=b"x")
    return inner.requests


async def test_the_connection_goes_to_the_judged_address_and_the_name_stays_in_tls_and_host():
    (request,) = await send(answering(["93.184.215.14"]))
    assert request.url.host == "93.184.215.14"
    assert request.extensions["sni_hostname"] == "authority.example"
    assert request.headers["host"] == "authority.example"


async def test_a_name_rebound_between_two_messages_is_refused_at_the_second():
    with pytest.raises(DestinationRefusedError):
        await send(answering(["93.184.215.14"], ["127.0.0.1"]), times=2)


async def test_one_forbidden_address_among_public_ones_refuses_the_name():
    with pytest.raises(DestinationRefusedError):
        await send(answering(["93.184.215.14", "169.254.169.254"]))


async def test_a_name_without_address_is_a_fault_of_the_line_not_of_the_destination():
    with pytest.raises(httpx.ConnectError):
        await send(answering([]))


async def test_the_resolver_gives_addresses():
    assert await resolve("127.0.0.1", 80) == ["127.0.0.1"]
