"""Tokens that are bound to a client certificate (RFC 8705), through servers that terminate TLS themselves."""

from __future__ import annotations

import base64
import contextlib
import datetime
import hashlib
import ipaddress
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from free_port import free_port
from request_samples import API, ISSUER, VERIFIER, bearer
from werkzeug.serving import WSGIRequestHandler, make_server

from watchword.gate import Gate, Route
from watchword.integrations.wsgi import GateMiddleware

#: What gunicorn serves.
PROGRAM = f"""
import json, os
import watchword as ww
from watchword.gate import Gate, Route
from watchword.integrations.wsgi import GateMiddleware

def inner(environ, start_response):
    start_response("200 OK", [])
    return [b"in"]

issuer = ww.Issuer({ISSUER.issuer!r}, jwks=json.loads(os.environ["TEST_JWKS"]))
gate = Gate(ww.Verifier([issuer], audience={API!r}), [Route("/orders")], public_url={API!r})
app = GateMiddleware(inner, gate)
"""


def _certificate(folder: Path, name: str) -> bytes:
    """Write a self-signed certificate and its key; return the certificate in DER."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    (folder / f"{name}.pem").write_bytes(made.public_bytes(encoding))
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / f"{name}.key").write_bytes(key.private_bytes(encoding, *plain))
    return made.public_bytes(serialization.Encoding.DER)


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("server", "client", "other"):
        (folder / f"{name}.der").write_bytes(_certificate(folder, name))
    trusted = (folder / "client.pem").read_text() + (folder / "other.pem").read_text()
    (folder / "trusted.pem").write_text(trusted)
    (folder / "service.py").write_text(PROGRAM)
    return folder


class _Silent(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        """Log nothing, to keep the output of tests clean."""


@contextlib.contextmanager
def werkzeug(folder: Path) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    context.load_verify_locations(folder / "trusted.pem")
    context.verify_mode = ssl.CERT_OPTIONAL

    def inner(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"in"]

    app = GateMiddleware(inner, Gate(VERIFIER, [Route("/orders")], public_url=API))
    server = make_server("127.0.0.1", 0, app, ssl_context=context, request_handler=_Silent)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="test-werkzeug")
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(30)
        server.server_close()


@contextlib.contextmanager
def gunicorn(folder: Path) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "-k", "gthread", "-b", f"127.0.0.1:{port}", "service:app"]
    command += ["--certfile", "server.pem", "--keyfile", "server.key"]
    command += ["--ca-certs", "trusted.pem", "--cert-reqs", str(int(ssl.CERT_OPTIONAL))]
    env = {**os.environ, "TEST_JWKS": json.dumps(ISSUER.jwks())}
    with (folder / "gunicorn.log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=log)
    try:
        until = time.monotonic() + 30
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            assert process.poll() is None, (folder / "gunicorn.log").read_text()
            assert time.monotonic() < until, "gunicorn did not start"
            time.sleep(0.02)
        yield f"https://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.parametrize("serve", [werkzeug, gunicorn])
def test_a_bound_token_needs_its_certificate(serve: Callable[[Path], Any], folder: Path) -> None:
    digest = hashlib.sha256((folder / "client.der").read_bytes()).digest()
    thumbprint = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    bound = bearer(ISSUER.mint(cnf={"x5t#S256": thumbprint}))
    pem = {"X-SSL-Client-Cert": (folder / "client.pem").read_text().replace("\n", " ").strip()}
    with serve(folder) as url:

        def get(name: str | None, headers: dict[str, str]) -> tuple[int, str]:
            context = ssl.create_default_context(cafile=folder / "server.pem")
            if name is not None:
                context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
            answer = httpx2.get(f"{url}/orders", headers=headers, verify=context, trust_env=False, timeout=30)
            return answer.status_code, answer.text if answer.status_code == 200 else answer.json()["code"]

        assert get("client", bound) == (200, "in")
        assert get("other", bound) == (401, "certificate_mismatch")
        assert get(None, bound) == (401, "certificate_required")
        # A header of the client's is no certificate.
        assert get(None, {**bound, **pem}) == (401, "certificate_required")
        assert get("other", {**bound, "Ssl-Client-Cert": pem["X-SSL-Client-Cert"]}) == (401, "certificate_mismatch")
        assert get(None, bearer(ISSUER.mint())) == (200, "in")
