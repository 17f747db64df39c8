"""Certificate-bound tokens (RFC 8705) in gRPC servers: the certificate is that of the connection."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import grpc
import pytest
from grpc_servers import SERVERS, SERVICE, Record, call

from watchword.gate import Gate, Route
from watchword.testing import ClientCertificate, LocalIssuer

API = "https://api.example"


#: The server's own certificate is as good as a client's for the test: gRPC compares the name that the client is told.
SERVER, OWN, OTHER = (ClientCertificate.make(f"{name}.test") for name in ("server", "own", "other"))


@pytest.fixture(name="issuer", scope="module")
def _issuer() -> LocalIssuer:
    return LocalIssuer(audience=API)


@pytest.fixture(name="port", scope="module", params=SERVERS)
def _port(request: pytest.FixtureRequest, issuer: LocalIssuer) -> Iterator[int]:
    serve, handlers = SERVERS[request.param]
    gate = Gate(issuer.verifier(), [Route(f"/{SERVICE}/{{method}}")], public_url=API)
    clients = (OWN.pem + OTHER.pem).encode()
    credentials = grpc.ssl_server_credentials([_pair(SERVER)], clients, require_client_auth=True)
    with serve(gate, handlers(Record()), credentials=credentials) as port:
        yield port


def _pair(certificate: ClientCertificate) -> tuple[bytes, bytes]:
    return certificate.private_key_pem.encode(), certificate.pem.encode()


def _call(port: int, client: ClientCertificate, kind: str, token: str) -> list[bytes]:
    credentials = grpc.ssl_channel_credentials(SERVER.pem.encode(), *_pair(client))
    name = [("grpc.ssl_target_name_override", "server.test")]
    with grpc.secure_channel(f"127.0.0.1:{port}", credentials, options=name) as channel:
        return call(channel, kind, [("authorization", f"Bearer {token}")])


@pytest.mark.parametrize("kind", ["unary_unary", "stream_stream"])
def test_a_token_is_accepted_only_from_its_certificates_connection(kind: str, port: int, issuer: LocalIssuer) -> None:
    token = issuer.mint(sub="alice", certificate=OWN.der)
    assert all(b"for alice" in answer for answer in _call(port, OWN, kind, token))
    with pytest.raises(grpc.RpcError) as caught:
        _call(port, OTHER, kind, token)
    assert (caught.value.code(), caught.value.details()) == (
        grpc.StatusCode.UNAUTHENTICATED,
        "the request was rejected: certificate_mismatch",
    )


@pytest.mark.parametrize("flavour", SERVERS)
def test_without_a_client_certificate_a_bound_token_is_rejected(flavour: str, issuer: LocalIssuer) -> None:
    serve, handlers = SERVERS[flavour]
    gate = Gate(issuer.verifier(), [Route(f"/{SERVICE}/{{method}}")], public_url=API)
    token = issuer.mint(certificate=OWN.der)
    sent = [("authorization", f"Bearer {token}"), ("x-forwarded-client-cert", f'Cert="{quote(OWN.pem)}"')]
    with (
        serve(gate, handlers(Record())) as port,
        grpc.insecure_channel(f"127.0.0.1:{port}") as channel,
        pytest.raises(grpc.RpcError) as caught,
    ):
        call(channel, "unary_unary", sent)
    assert caught.value.details() == "the request was rejected: certificate_required"
