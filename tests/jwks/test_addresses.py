"""Which addresses are public, and what a URL says of them by itself."""

from __future__ import annotations

import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.issuer import Issuer
from watchword.jwks.addresses import check_public_host, is_configured, is_public, public_addresses

NOT_PUBLIC = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:a9fe:a9fe",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "",
    "localhost",
    "127.1",
    "2130706433",
    "0177.0.0.1",
    "0x7f.0.0.1",
    "8.8.8.8.",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.0.1",
    "172.32.0.1",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00:1450:4001::1",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_that_are_public(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_the_same_in_all_its_ipv6_forms(address: ipaddress.IPv4Address) -> None:
    public = is_public(str(address))
    assert is_public(f"::ffff:{address}") is public
    assert is_public(f"64:ff9b::{address}") is public
    assert not is_public(f"::{address}")
    # Python's own judgement is laxer at most, and so in its newer versions only.
    assert not public or address.is_global


@given(st.ip_addresses(v=6))
def test_no_ipv6_address_is_public_that_python_calls_private(address: ipaddress.IPv6Address) -> None:
    if address.ipv4_mapped is None:
        assert not is_public(str(address)) or address.is_global


HOSTS = [
    "127.0.0.1",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "keys.localhost",
    "keys.localhost.",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[fe80::1]",
    "[fd00::1]",
    "[::]",
    "[64:ff9b::10.0.0.1]",
    "[:::]",
    "2130706433",
    "0177.0.0.1",
    "0x7f.0.0.1",
    "0x7f000001",
    "0X7F000001",
    "0x",
    "127.1",
    "127.0.1",
    "127.0.0.1.",
    "0",
    "0.0.0.0",
    "10.1.2.3",
    "169.254.169.254",
    "192.168.0.1",
    "08.8.8.8",
    "134744072",
    "8.8.8.8.",
    "8.8.8.0x8",
    "300.1.1.1",
    "1.1.1.1.1",
    "as.example.1",
]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("port", ["", ":8443"])
def test_hosts_that_are_refused_by_what_they_say(host: str, port: str) -> None:
    with pytest.raises(ValueError, match="not on the public internet"):
        check_public_host(f"https://{host}{port}/jwks")


@pytest.mark.parametrize(
    "host", ["as.example", "1.1.1.1", "[2606:4700::1111]", "1.as.example", "localhost.example", "0x7f.example", "x0"]
)
def test_hosts_of_which_nothing_can_be_said(host: str) -> None:
    check_public_host(f"https://{host}/jwks")


@pytest.mark.parametrize(
    ("url", "configured"),
    [
        ("https://as.example/jwks", True),
        ("https://AS.example:443/jwks", True),
        ("https://as.example:8443/jwks", False),
        ("https://keys.as.example/jwks", False),
        ("https://as.example./jwks", False),
        ("https://keys.internal/jwks", True),
        ("https://keys.internal:9000/jwks", True),
        ("https://Keys.Internal/jwks", True),
        ("https://other.internal/jwks", False),
        ("https://10.0.0.7:6443/jwks", True),
        ("https://10.0.0.8/jwks", False),
        ("https://[FD00:0::1]/jwks", True),
        ("https://[fd00::2]/jwks", False),
    ],
)
def test_what_counts_as_configured(url: str, configured: bool) -> None:
    issuer = Issuer("https://as.example", allow_private_hosts=["KEYS.internal", "10.0.0.7", "fd00:0:0::1"])
    assert is_configured(url, issuer.issuer, tuple(issuer.allow_private_hosts)) is configured


@pytest.mark.parametrize(
    ("hosts", "error", "why"),
    [
        ("keys.internal", TypeError, "must be a list or a tuple"),
        ([7], TypeError, "as strings, not int"),
        ([""], ValueError, "without scheme, port and path"),
        (["https://keys.internal"], ValueError, "lists 'https://keys.internal'"),
        (["keys.internal:443"], ValueError, "without scheme, port and path"),
        (["keys.internal/jwks"], ValueError, "without scheme, port and path"),
        (["*.internal"], ValueError, "without scheme, port and path"),
        (["10.0.0.0/8"], ValueError, "without scheme, port and path"),
    ],
)
def test_hosts_that_can_not_be_allowed(hosts: object, error: type[Exception], why: str) -> None:
    with pytest.raises(error, match=why):
        Issuer("https://as.example", allow_private_hosts=hosts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answers", "public"),
    [
        (["8.8.8.8"], True),
        (["8.8.8.8", "2606:4700::1111"], True),
        (["10.0.0.1"], False),
        (["8.8.8.8", "10.0.0.1"], False),
        (["::1", "8.8.8.8"], False),
        (["fe80::1%eth0"], False),
    ],
)
def test_all_addresses_of_a_name_must_be_public(
    monkeypatch: pytest.MonkeyPatch, answers: list[str], public: bool
) -> None:
    def resolve(host: str, port: int, **_: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answers]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    if public:
        assert public_addresses("keys.example", 443) == answers
    else:
        with pytest.raises(ValueError, match=r"leads to keys\.example, which is not") as caught:
            public_addresses("keys.example", 443)
        # Whoever chose the name does not learn what this network's resolver says.
        assert not any(address in str(caught.value) for address in answers)


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "0177.1", "127.1", "localhost"])
def test_the_systems_resolver_is_checked_whatever_it_reads(host: str) -> None:
    with pytest.raises((ValueError, OSError)):
        public_addresses(host, 443)


def test_a_name_that_is_none_is_as_one_that_does_not_resolve() -> None:
    with pytest.raises(OSError, match="is not a host name"):
        public_addresses("x" * 64 + ".example", 443)
