"""Over TLS: an untrusted certificate is an error, and the deadline applies too."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import httpx2
import pytest
from endpoint import ISSUER, Key, Server, answer, drip, head, jwks, running
from loopback_tls import server_context, write_certificate

from watchword import KeysUnavailableError
from watchword.issuer import Issuer
from watchword.jwks import FetchError, HttpxFetcher
from watchword.verifier import Verifier

A = Key("a")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_certificate(tmp_path_factory.mktemp("tls") / "certificate.pem", "127.0.0.1")


@pytest.fixture
def server(certificate: Path) -> Iterator[Server]:
    with running(server_context(certificate)) as server:
        server.routes["/jwks"] = answer(jwks(A))
        yield server


@pytest.fixture(params=[httpx2.Client, httpx.Client], ids=["httpx2", "httpx"])
def trusting(request: pytest.FixtureRequest, certificate: Path) -> Iterator[HttpxFetcher]:
    with request.param(verify=ssl.create_default_context(cafile=certificate)) as client:
        yield HttpxFetcher(client)


def test_keys_over_https(server: Server, trusting: HttpxFetcher) -> None:
    with Verifier([Issuer(ISSUER, jwks_uri=f"{server.url}/jwks")], fetcher=trusting) as verifier:
        assert verifier.verify(A.token(ISSUER)).key_id == "a"


def test_an_untrusted_certificate_is_no_answer(server: Server) -> None:
    with (
        Verifier([Issuer(ISSUER, jwks_uri=f"{server.url}/jwks")]) as verifier,
        pytest.raises(KeysUnavailableError, match="ConnectError"),
    ):
        verifier.verify(A.token(ISSUER))
    assert server.count() == 0


def test_trust_anchors_come_from_the_environment(
    server: Server, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with Verifier([Issuer(ISSUER, jwks_uri=f"{server.url}/jwks")]) as verifier:
        assert verifier.verify(A.token(ISSUER)).key_id == "a"


@pytest.mark.parametrize("what", ["headers", "body"])
def test_the_deadline_applies_to_tls(server: Server, trusting: HttpxFetcher, what: str) -> None:
    slow = drip(head(X="x" * 600) if what == "headers" else b"x" * 600, every=0.05, stop=server.stop)

    def behave(connection, request) -> None:
        if what == "body":
            connection.sendall(head(Content_Length=600))
        slow(connection, request)

    server.routes["/jwks"] = behave
    with pytest.raises(FetchError, match="in time"):
        trusting.get(f"{server.url}/jwks", headers={}, timeout=0.4, max_bytes=1000)
    assert server.answered == []
