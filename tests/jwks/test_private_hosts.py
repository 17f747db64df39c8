"""Metadata that points to loopback or a private network: nothing may connect there unless it is configured.

Real servers on loopback; names are resolved by a resolver of the test, as by an attacker's DNS. 127.0.0.1 stands in for
a public address if a test says so.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import httpx2
import pytest
from endpoint import LONG, Key, Server, answer, jwks, running
from loopback_tls import server_context, write_certificate

from watchword import KeysUnavailableError
from watchword.issuer import Issuer
from watchword.jwks import CacheSettings, Fetcher, HttpxFetcher, Response, addresses, fetch
from watchword.jwks.fetch import DefaultFetcher, FetchError
from watchword.verifier import Verifier

A = Key("a")
OPENID = "/.well-known/openid-configuration"
NAMES = ("as.test", "keys.test", "127.0.0.1")


class Resolver:
    """Answers for names in ``.test``: each time the next of a list, the last for ever."""

    def __init__(self) -> None:
        self.answers: dict[str, list[list[str]]] = {}
        self.asked: list[str] = []
        self._real = socket.getaddrinfo

    def __call__(self, host: object, port: object, *arguments: object, **named: object) -> object:
        name = host.decode() if isinstance(host, bytes) else str(host)
        if not name.endswith(".test"):
            return self._real(host, port, *arguments, **named)  # type: ignore[arg-type]
        self.asked.append(name)
        several = self.answers[name]
        found = several.pop(0) if len(several) > 1 else several[0]
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (address, port, 0, 0) if ":" in address else (address, port),
            )
            for address in found
        ]


@pytest.fixture
def dns(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    resolver = Resolver()
    resolver.answers = {"as.test": [["127.0.0.1"]], "keys.test": [["127.0.0.1"]]}
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    return resolver


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Addresses that count as public."""
    listed = {"127.0.0.1"}
    for module in (addresses, fetch):
        monkeypatch.setattr(module, "is_public", lambda address: address in listed)
    return listed


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_certificate(tmp_path_factory.mktemp("tls") / "certificate.pem", *NAMES)


@pytest.fixture
def named() -> list[str | None]:
    """The names of clients' SNI extensions."""
    return []


@pytest.fixture
def server(certificate: Path, named: list[str | None], monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Over TLS, at ``as.test`` and ``keys.test``; the default client trusts its certificate."""
    context = server_context(certificate)
    context.sni_callback = lambda _, name, __: named.append(name)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with running(context) as server:
        server.routes["/jwks"] = answer(jwks(A))
        yield server


class Victim:
    """A port that nothing must connect to."""

    def __init__(self, address: str = "127.0.0.1", port: int = 0) -> None:
        self._listener = socket.create_server(
            (address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET
        )
        self._listener.settimeout(0.0)
        self.port = self._listener.getsockname()[1]

    def received(self) -> bytes | None:
        """What the first connection brought until it was closed; ``None`` if there was none."""
        try:
            connection, _ = self._listener.accept()
        except BlockingIOError:
            return None
        with connection:
            connection.settimeout(LONG)
            data = b""
            with contextlib.suppress(ConnectionError):
                while part := connection.recv(65536):
                    data += part
        return data

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def victim() -> Iterator[Victim]:
    victim = Victim()
    yield victim
    victim.close()


@pytest.fixture
def discovering(server: Server, dns: Resolver, make: Callable[..., Verifier]) -> Callable[..., Verifier]:
    """A verifier of the issuer at ``as.test``, whose metadata names the ``jwks_uri`` that is given."""

    def discovering(jwks_uri: str, *, fetcher: Fetcher | None = None, hosts: tuple[str, ...] = (), **settings: object):
        issuer = f"https://as.test:{server.port}"
        server.routes[OPENID] = answer(json.dumps({"issuer": issuer, "jwks_uri": jwks_uri}))
        cache = CacheSettings(**settings)  # type: ignore[arg-type]
        return make(issuer=Issuer(issuer, allow_private_hosts=hosts, cache_settings=cache), fetcher=fetcher)

    return discovering


def rejected(verifier: Verifier) -> str:
    with pytest.raises(KeysUnavailableError) as caught:
        verifier.refresh()
    return caught.value.detail


SPELLINGS = [
    "127.0.0.1",
    "localhost",
    "localhost.",
    "keys.localhost",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "2130706433",
    "0177.0.0.1",
    "0x7f.0.0.1",
    "0x7f000001",
    "127.1",
    "127.0.0.1.",
    "0.0.0.0",
    "[::]",
    "0",
]


@pytest.mark.parametrize("host", SPELLINGS)
def test_metadata_cannot_point_to_loopback_however_it_is_spelled(
    server: Server, discovering, victim: Victim, certificate: Path, host: str
) -> None:
    for client in ("default", "httpx2", "httpx", "own"):
        with using(client, certificate) as fetcher:
            why = rejected(discovering(f"https://{host}:{victim.port}/jwks", fetcher=fetcher))
        assert "not on the public internet" in why, client
        assert "allow_private_hosts" in why, client
        assert victim.received() is None, client
        assert server.count("/jwks") == 0, client


@contextlib.contextmanager
def using(client: str, certificate: Path) -> Iterator[Fetcher | None]:
    """A fetcher; ``None`` for the default."""
    if client == "default":
        yield None
    elif client == "own":
        yield Own(certificate)
    else:
        library = httpx2 if client == "httpx2" else httpx
        with library.Client(verify=ssl.create_default_context(cafile=certificate)) as made:
            yield HttpxFetcher(made)


class Own:
    """A Fetcher of a user's, which has no ``get_public``."""

    def __init__(self, certificate: Path) -> None:
        self._certificate = certificate

    def get(self, url: str, **named: object) -> Response:
        with httpx2.Client(verify=ssl.create_default_context(cafile=self._certificate)) as client:
            return HttpxFetcher(client).get(url, **named)  # type: ignore[arg-type]


@pytest.mark.parametrize("host", ["10.0.0.1", "169.254.169.254", "192.168.0.1", "100.100.100.200", "[fd00::1]"])
def test_metadata_cannot_point_into_a_private_network(discovering, host: str) -> None:
    assert "not on the public internet" in rejected(discovering(f"https://{host}/jwks"))


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.0.1", "169.254.169.254", "64:ff9b::7f00:1", "fe80::1%lo"]
)
def test_nor_can_a_name_that_resolves_there(
    server: Server, dns: Resolver, discovering, victim: Victim, address: str
) -> None:
    dns.answers["keys.test"] = [[address]]
    why = rejected(discovering(f"https://keys.test:{victim.port}/jwks"))
    assert "leads to keys.test, which is not on the public internet" in why
    assert victim.received() is None


def test_a_name_with_a_public_and_a_private_address_is_rejected(
    server: Server, dns: Resolver, discovering, public: set[str]
) -> None:
    dns.answers["keys.test"] = [["127.0.0.1", "127.0.0.2"]]
    assert "not on the public internet" in rejected(discovering(f"https://keys.test:{server.port}/jwks"))
    assert server.count("/jwks") == 0


def test_the_connection_goes_to_the_address_that_was_checked(
    server: Server, dns: Resolver, discovering, public: set[str], named: list[str | None]
) -> None:
    """The name is resolved once; what its owner's DNS would answer the next time (rebinding) is of no consequence."""
    dns.answers["keys.test"] = [["127.0.0.1"], ["127.0.0.2"]]
    other = Victim("127.0.0.2", server.port)
    try:
        verifier = discovering(f"https://keys.test:{server.port}/jwks")
        assert verifier.verify(A.token(f"https://as.test:{server.port}")).key_id == "a"
        assert dns.asked.count("keys.test") == 1
        # And the next time it is checked again.
        assert "not on the public internet" in rejected(verifier)
        assert other.received() is None
    finally:
        other.close()
    (request,) = [request for request in server.requests if request.path == "/jwks"]
    assert request.headers["host"] == f"keys.test:{server.port}"
    assert named == ["as.test", "keys.test"]


def test_the_certificate_is_verified_against_the_name(
    server: Server, dns: Resolver, discovering, public: set[str]
) -> None:
    """That it is good for the address is not enough, nor is that it is good for another name."""
    dns.answers["elsewhere.test"] = [["127.0.0.1"]]
    assert "ConnectError" in rejected(discovering(f"https://elsewhere.test:{server.port}/jwks"))
    assert server.count("/jwks") == 0


def test_each_address_is_tried(server: Server, dns: Resolver, discovering, public: set[str]) -> None:
    public.update({"127.0.0.3", "127.0.0.4"})
    dns.answers["keys.test"] = [["127.0.0.3", "127.0.0.4", "127.0.0.1"]]
    verifier = discovering(f"https://keys.test:{server.port}/jwks")
    assert verifier.verify(A.token(f"https://as.test:{server.port}")).key_id == "a"
    dns.answers["keys.test"] = [["127.0.0.3", "127.0.0.4"]]
    assert "ConnectError" in rejected(verifier)


def test_an_address_that_does_not_answer_leaves_time_for_the_others(
    server: Server, dns: Resolver, discovering, public: set[str]
) -> None:
    """A connection attempt that hangs (a full backlog simulates a dropped packet) gets its share of the time."""
    public.add("127.0.0.5")
    full = socket.socket()
    full.bind(("127.0.0.5", server.port))
    full.listen(0)
    waiting = [socket.socket() for _ in range(4)]
    for one in waiting:
        one.setblocking(False)
        one.connect_ex(("127.0.0.5", server.port))
    dns.answers["keys.test"] = [["127.0.0.5", "127.0.0.1"]]
    try:
        verifier = discovering(f"https://keys.test:{server.port}/jwks", timeout=6, min_ttl=30)
        assert verifier.verify(A.token(f"https://as.test:{server.port}")).key_id == "a"
    finally:
        for one in (*waiting, full):
            one.close()


def test_a_name_that_does_not_resolve(discovering, dns: Resolver) -> None:
    dns.answers["keys.test"] = [[]]
    assert "no answer (ConnectError)" in rejected(discovering("https://keys.test/jwks"))


# What the operator has configured.


def test_the_issuers_own_host_may_be_private(server: Server, discovering) -> None:
    """An issuer on a private network, with its keys on it, too."""
    verifier = discovering(f"https://AS.test:{server.port}/jwks")
    assert verifier.verify(A.token(f"https://as.test:{server.port}")).key_id == "a"


def test_but_not_another_port_of_it(server: Server, discovering, victim: Victim) -> None:
    assert "not on the public internet" in rejected(discovering(f"https://as.test:{victim.port}/jwks"))
    assert victim.received() is None


@pytest.mark.parametrize(("host", "allowed"), [("keys.test", "keys.test"), ("Keys.Test", "KEYS.test")])
def test_a_host_that_the_operator_allows_may_be_private(server: Server, discovering, host: str, allowed: str) -> None:
    verifier = discovering(f"https://{host}:{server.port}/jwks", hosts=(allowed,))
    assert verifier.verify(A.token(f"https://as.test:{server.port}")).key_id == "a"


def test_an_address_that_the_operator_allows(server: Server, discovering, victim: Victim) -> None:
    """As of an API server whose metadata names an address of the cluster."""
    verifier = discovering(f"https://127.0.0.1:{server.port}/jwks", hosts=("127.0.0.1",))
    assert verifier.verify(A.token(f"https://as.test:{server.port}")).key_id == "a"
    # No name that resolves to it, though, and no other spelling of it.
    for host in ("keys.test", "127.1", "[::ffff:127.0.0.1]"):
        assert "public" in rejected(discovering(f"https://{host}:{victim.port}/jwks", hosts=("127.0.0.1",)))
    assert victim.received() is None


def test_a_jwks_uri_that_the_operator_gives_may_be_private(server: Server, dns: Resolver, make) -> None:
    issuer = Issuer("https://as.example", jwks_uri=f"https://keys.test:{server.port}/jwks")
    assert make(issuer=issuer).verify(A.token("https://as.example")).key_id == "a"


def test_an_issuer_on_loopback_over_http_points_to_loopback_over_http(server: Server, make) -> None:
    with running() as plain:
        plain.routes["/jwks"] = answer(jwks(A))
        document = {"issuer": plain.url, "jwks_uri": f"http://localhost:{plain.port}/jwks"}
        plain.routes[OPENID] = answer(json.dumps(document))
        verifier = make(issuer=Issuer(plain.url, allow_loopback_http=True))
        assert verifier.verify(A.token(plain.url)).key_id == "a"


# Other clients, and proxies.


@pytest.mark.parametrize("client", ["httpx2", "httpx"])
def test_a_client_of_the_users_sends_nothing_to_an_address_that_is_not_public(
    server: Server, discovering, certificate: Path, victim: Victim, client: str
) -> None:
    """It resolves by itself, so that all that can be done is to drop the connection before the first byte."""
    with using(client, certificate) as fetcher:
        why = rejected(discovering(f"https://keys.test:{victim.port}/jwks", fetcher=fetcher))
        assert "leads to keys.test, which is not on the public internet" in why
    assert victim.received() == b""


@pytest.mark.parametrize("client", ["httpx2", "httpx"])
def test_a_client_of_the_users_reaches_public_addresses(
    server: Server, discovering, certificate: Path, public: set[str], client: str
) -> None:
    with using(client, certificate) as fetcher:
        verifier = discovering(f"https://keys.test:{server.port}/jwks", fetcher=fetcher)
        assert verifier.verify(A.token(f"https://as.test:{server.port}")).key_id == "a"


def test_a_fetcher_of_the_users_resolves_as_it_likes(server: Server, discovering, certificate: Path) -> None:
    with using("own", certificate) as fetcher:
        verifier = discovering(f"https://keys.test:{server.port}/jwks", fetcher=fetcher)
        assert verifier.verify(A.token(f"https://as.test:{server.port}")).key_id == "a"


class Proxy:
    """An HTTP proxy on loopback that connects everything to one port, and records the requested hosts."""

    def __init__(self, port: int) -> None:
        self.asked: list[str] = []
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(LONG)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client, contextlib.suppress(OSError):
                self._serve(client)

    def _serve(self, client: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            part = client.recv(65536)
            if not part:
                return
            request += part
        self.asked.append(request.split(b" ")[1].decode())
        with socket.create_connection(("127.0.0.1", self._to)) as there:
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=self._copy, args=(there, client))
            back.start()
            self._copy(client, there)
            back.join(LONG)

    @staticmethod
    def _copy(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while part := source.recv(65536):
                target.sendall(part)
            target.shutdown(socket.SHUT_WR)


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    proxy = Proxy(server.port)
    yield proxy
    proxy.close()


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "all_proxy"])
def test_through_a_proxy_names_are_its_to_resolve_and_addresses_are_rejected(
    server: Server, dns: Resolver, discovering, proxy: Proxy, victim: Victim, monkeypatch: pytest.MonkeyPatch, variable
) -> None:
    monkeypatch.setenv(variable, proxy.url)
    verifier = discovering("https://keys.test/jwks")
    assert verifier.verify(A.token(f"https://as.test:{server.port}")).key_id == "a"
    assert proxy.asked == [f"as.test:{server.port}", "keys.test:443"]
    assert dns.asked == []
    for host in ("127.0.0.1", "2130706433", "localhost", "[::1]", "10.0.0.1"):
        assert "not on the public internet" in rejected(discovering(f"https://{host}:{victim.port}/jwks"))
    assert not any(str(victim.port) in asked for asked in proxy.asked)
    assert victim.received() is None


def test_a_host_that_is_not_for_the_proxy_is_checked(
    server: Server, discovering, proxy: Proxy, victim: Victim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", "example.com,keys.test")
    assert "not on the public internet" in rejected(discovering(f"https://keys.test:{victim.port}/jwks"))
    assert proxy.asked == [f"as.test:{server.port}"]
    assert victim.received() is None


@pytest.mark.parametrize("client", ["httpx2", "httpx"])
def test_a_client_of_the_users_may_have_a_proxy_on_this_machine(
    server: Server, discovering, certificate: Path, proxy: Proxy, client: str
) -> None:
    library = httpx2 if client == "httpx2" else httpx
    context = ssl.create_default_context(cafile=certificate)
    with library.Client(verify=context, proxy=proxy.url) as made:
        verifier = discovering("https://keys.test/jwks", fetcher=HttpxFetcher(made))
        assert verifier.verify(A.token(f"https://as.test:{server.port}")).key_id == "a"


def test_a_path_and_a_query_arrive_as_they_were_published(server: Server, public: set[str], dns: Resolver) -> None:
    path = "/a%2Fb;c=1/~d?p=%20x&q=a/b"
    fetcher = DefaultFetcher()
    server.routes[path.partition("?")[0]] = answer(b"ok")
    arguments = {"headers": {}, "timeout": LONG, "max_bytes": 100}
    for get in (fetcher.get, fetcher.get_public):
        assert get(f"https://keys.test:{server.port}{path}", **arguments).body == b"ok"  # type: ignore[arg-type]
    fetcher.close()
    assert [request.path for request in server.requests] == [path, path]


def test_the_time_out_and_the_length_hold_here_too(server: Server, public: set[str], dns: Resolver) -> None:
    fetcher = DefaultFetcher()
    url = f"https://keys.test:{server.port}/jwks"
    with pytest.raises(FetchError, match="longer than 10 bytes"):
        fetcher.get_public(url, headers={}, timeout=LONG, max_bytes=10)
    from endpoint import drip, head

    server.routes["/jwks"] = drip(head(X="x" * 600), every=0.05, stop=server.stop)
    with pytest.raises(FetchError, match="in time"):
        fetcher.get_public(url, headers={}, timeout=0.4, max_bytes=1000)
    fetcher.close()
