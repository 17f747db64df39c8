"""The hosts that a URL from an issuer's metadata may lead to.

Otherwise the metadata could make this process connect to its own machine or network. The address after resolution is
checked; if the URL alone names an address that is not public, it is rejected before, as a proxy or a client of the
user's may resolve the name.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Collection

from watchword.jwks.urls import split_host

# IANA's special-purpose registries, in full and here: what ipaddress.is_global says differs between Python's versions.
_SPECIAL_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    )
)
# Of IPv6, global unicast alone is public; within it these are not (2001::/23 has Teredo, 2002::/16 is 6to4).
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_SPECIAL_V6 = tuple(
    ipaddress.IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
# NAT64 (RFC 6052): an IPv4 address in its last 32 bits. A network without IPv4 reaches public servers by it.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

# As in the URL standard: a host whose last label is a number is an IPv4 address or nothing.
_ENDS_IN_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9A-Fa-f]*)")


def is_public(address: str) -> bool:
    """Return whether an IP address, in the usual notation, is one of the public internet. A scope id is ignored."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped
        elif parsed in _NAT64:
            parsed = ipaddress.IPv4Address(int(parsed) & 0xFFFF_FFFF)
        else:
            return parsed in _GLOBAL_UNICAST and not any(parsed in network for network in _SPECIAL_V6)
    return not any(parsed in network for network in _SPECIAL_V4)


def is_configured(url: str, issuer: str, allowed_hosts: Collection[str]) -> bool:
    """Return whether a discovered URL leads to a host that the operator has configured.

    That is the issuer's own scheme, host and port, to which connections are made anyway, or a host of
    ``allowed_hosts``. Plain http has been checked before: it leads to a host that was configured for http, or to
    loopback, for an issuer that was configured there.
    """
    scheme, host, port = split_host(url)
    return scheme == "http" or (scheme, host, port) == split_host(issuer) or host in allowed_hosts


def check_public_host(url: str) -> None:
    """Raise ``ValueError`` if a checked URL leads to an address that is not public, as far as the URL itself says.

    ``localhost`` counts as one, and so does an IPv4 address in another notation than the usual one.
    """
    _, host, _ = split_host(url)
    name = host.rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        raise ValueError(_rejection(host))
    if ":" in host:
        if not is_public(host):
            raise ValueError(_rejection(f"[{host}]"))
    elif _ENDS_IN_NUMBER.fullmatch(name) and not is_public(host):
        raise ValueError(_rejection(host))


def public_addresses(host: str, port: int) -> list[str]:
    """Resolve a host. Return its addresses, all of them public.

    Raises ``OSError`` if it can't be resolved, and ``ValueError`` if any of its addresses is not public: no honest name
    has addresses of both kinds. The message does not say which, as whoever chose the name may see it.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a label that is too long
        raise OSError(f"{host} is not a host name") from error
    addresses = list(dict.fromkeys(str(sockaddr[0]) for _, _, _, _, sockaddr in found))
    if not all(is_public(address) for address in addresses):
        raise ValueError(_rejection(host))
    return addresses


def _rejection(host: str) -> str:
    return f"the URL leads to {host}, which is not on the public internet"


__all__ = ["check_public_host", "is_configured", "is_public", "public_addresses"]
