"""Keys over plain http, as inside a cluster: only from exactly the hosts that the operator has listed.

A real server on loopback; names in ``.internal`` are resolved to it, as by a cluster's DNS.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable

import pytest
from endpoint import Key, Server, answer, jwks

from watchword import KeysUnavailableError
from watchword.issuer import Issuer
from watchword.jwks.urls import check_hosts, check_issuer_url, check_url
from watchword.verifier import Verifier

A = Key("a")
OPENID = "/.well-known/openid-configuration"
HOSTS = check_hosts(["AS.internal", "10.0.0.7", "fd00:0:0::1"], what="http_hosts")


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names in ``.internal`` that were looked up; all of them are this machine."""
    names: list[str] = []
    real = socket.getaddrinfo

    def resolve(host: object, *arguments: object, **named: object) -> object:
        name = host.decode() if isinstance(host, bytes) else str(host)
        if name.endswith(".internal"):
            names.append(name)
            host = "127.0.0.1"
        return real(host, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    return names


@pytest.fixture
def base(server: Server) -> str:
    """The server by its name in the cluster."""
    server.routes["/jwks"] = answer(jwks(A))
    return server.url.replace("127.0.0.1", "as.internal")


@pytest.mark.parametrize(
    "url",
    ["http://as.internal", "http://AS.internal:8000/jwks", "http://10.0.0.7/jwks", "http://[FD00:0::1]:8000/jwks"],
)
def test_http_to_a_listed_host_is_allowed(url: str) -> None:
    check_url(url, allow_loopback_http=False, what="it", http_hosts=HOSTS)
    check_issuer_url(url, allow_loopback_http=False, http_hosts=HOSTS)
    with pytest.raises(ValueError, match="must be an https URL"):
        check_url(url, allow_loopback_http=True, what="it")


@pytest.mark.parametrize(
    "url",
    [
        "http://keys.as.internal",
        "http://as.internal.",
        "http://as.internal.example",
        "http://internal",
        "http://xas.internal",
        "http://10.0.0.70",
        "http://10.0.0.007",
        "http://[fd00::2]",
        "http://as.internal@other.internal",
        "http://other.internal/?as.internal",
        "http://other.internal#as.internal",
        "ftp://as.internal",
    ],
)
def test_http_to_any_other_host_is_not(url: str) -> None:
    with pytest.raises(ValueError, match=r"^it "):
        check_url(url, allow_loopback_http=True, what="it", http_hosts=HOSTS)


def test_a_listed_host_is_no_permission_for_loopback() -> None:
    with pytest.raises(ValueError, match="allow_loopback_http=True"):
        check_url("http://127.0.0.1:8000", allow_loopback_http=False, what="it", http_hosts=HOSTS)


def test_one_string_is_no_list_of_hosts() -> None:
    with pytest.raises(TypeError, match="list or a tuple"):
        check_url("http://internal", allow_loopback_http=False, what="it", http_hosts="as.internal")


@pytest.mark.parametrize("hosts", ["as.internal", [7], ["*"], ["*.internal"], ["10.0.0.0/8"], ["http://as.internal"]])
def test_only_exact_names_and_addresses_can_be_listed(hosts: object) -> None:
    with pytest.raises((TypeError, ValueError), match="allow_http_hosts"):
        Issuer("http://as.internal", allow_http_hosts=hosts)  # type: ignore[arg-type]


def test_it_is_off_by_default() -> None:
    for settings in ({}, {"jwks_uri": "http://as.internal/jwks"}, {"allow_private_hosts": ["as.internal"]}):
        with pytest.raises(ValueError, match="must be an https URL"):
            Issuer("http://as.internal", **settings)  # type: ignore[arg-type]


def test_the_keys_of_a_listed_host(base: str, make: Callable[..., Verifier], asked: list[str]) -> None:
    issuer = Issuer("https://as.example", jwks_uri=f"{base}/jwks", allow_http_hosts=["as.internal"])
    assert make(issuer=issuer).verify(A.token("https://as.example")).key_id == "a"
    assert asked == ["as.internal"]


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "all_proxy"])
def test_they_are_not_fetched_through_a_proxy(
    base: str, make: Callable[..., Verifier], monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "http://proxy.invalid:3128")
    issuer = Issuer("https://as.example", jwks_uri=f"{base}/jwks", allow_http_hosts=["as.internal"])
    assert make(issuer=issuer).verify(A.token("https://as.example")).key_id == "a"


def discovering(server: Server, base: str, jwks_uri: str, *hosts: str, loopback: bool = False) -> Issuer:
    server.routes[OPENID] = answer(json.dumps({"issuer": base, "jwks_uri": jwks_uri}))
    return Issuer(base, allow_http_hosts=hosts, allow_loopback_http=loopback)


def test_a_listed_issuer_is_discovered(server: Server, base: str, make: Callable[..., Verifier]) -> None:
    issuer = discovering(server, base, f"{base}/jwks", "as.internal")
    assert make(issuer=issuer).verify(A.token(base)).issuer == base


def test_its_metadata_may_lead_to_another_listed_host(
    server: Server, base: str, make: Callable[..., Verifier], asked: list[str]
) -> None:
    there = base.replace("as.internal", "keys.internal")
    issuer = discovering(server, base, f"{there}/jwks", "as.internal", "keys.internal")
    assert make(issuer=issuer).verify(A.token(base)).issuer == base
    assert asked == ["as.internal", "keys.internal"]


@pytest.mark.parametrize("loopback", [False, True])
@pytest.mark.parametrize("host", ["keys.internal", "127.0.0.1", "localhost", "[::1]", "as.internal.", "10.0.0.1"])
def test_its_metadata_may_lead_nowhere_else_over_http(
    server: Server, base: str, make: Callable[..., Verifier], asked: list[str], host: str, loopback: bool
) -> None:
    # Not even to loopback if that is allowed: the issuer is not there.
    there = base.replace("as.internal", host)
    verifier = make(issuer=discovering(server, base, f"{there}/jwks", "as.internal", loopback=loopback))
    with pytest.raises(KeysUnavailableError, match="metadata's jwks_uri must be an https URL"):
        verifier.refresh()
    assert server.count("/jwks") == 0
    assert asked == ["as.internal"]


def test_https_to_a_listed_host_is_checked_as_ever(server: Server, base: str, make: Callable[..., Verifier]) -> None:
    # It says nothing about private hosts, which have their own setting.
    issuer = discovering(server, base, "https://as.internal:8443/jwks", "as.internal")
    with pytest.raises(KeysUnavailableError, match="not on the public internet"):
        make(issuer=issuer).refresh()


@pytest.mark.parametrize("path", ["/jwks", OPENID])
def test_redirects_are_not_followed(
    server: Server, base: str, make: Callable[..., Verifier], asked: list[str], path: str
) -> None:
    issuer = discovering(server, base, f"{base}/jwks", "as.internal", "keys.internal")
    server.routes["/there"] = answer(jwks(A))
    for target in ("/there", f"{base}/there", base.replace("as.", "keys.") + "/there", f"{server.url}/there"):
        server.routes[path] = answer(status=302, Location=target)
        with pytest.raises(KeysUnavailableError, match="HTTP 302"):
            make(issuer=issuer).refresh()
    assert server.count("/there") == 0
    assert set(asked) == {"as.internal"}
