"""What verifying imports: `cryptography` only signs, so a process that only verifies never imports it."""

from __future__ import annotations

import json
import subprocess
import sys

import mint
import proofs
import pytest

#: Verifies by every way that needs no application server, and prints the modules that were imported for it.
PROGRAM = """
import json, sys, threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import watchword as ww
import watchword.issuers, watchword.jwks, watchword.dpop, watchword.delegation, watchword.origin

given = json.load(sys.stdin)
now, token, jwks = given["now"], given["token"], given["jwks"]

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(jwks).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

server = HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
jwks_uri = f"http://127.0.0.1:{server.server_port}/jwks"

keys = ww.KeySet.from_json(jwks)
policy = ww.Policy(issuer=given["issuer"], audience=given["audience"])
ww.verify(token, keys, policy, now=now)
ww.verify_many([token], keys, policy, now=now)
ww.verify_jws(token, keys)
for issuer in (
    ww.Issuer(given["issuer"], jwks=jwks),
    ww.Issuer(given["issuer"], jwks_uri=jwks_uri, allow_loopback_http=True),
):
    with ww.Verifier([issuer], audience=given["audience"], clock=lambda: now) as verifier:
        verifier.verify(token)
        verifier.verify_many([token])
        verifier.verify_request(**given["request"])
proof = given["request"]["headers"]["dpop"]
request = {name: given["request"][name] for name in ("method", "uri")}
ww.dpop.verify_proof(proof, **request, now=now, access_token=given["bound"])
ww.dpop.DpopVerifier(nonces=None).verify(proof, **request, now=now, access_token=given["bound"])
for module in given["modules"]:
    __import__(module)
print(json.dumps(sorted(sys.modules)))
"""


def _modules(*imported: str) -> set[str]:
    bound = proofs.bound_token()
    proof = proofs.proof(proofs.claims(ath=proofs.ath(bound)))
    given = {
        "now": mint.NOW,
        "issuer": mint.ISSUER,
        "audience": mint.AUDIENCE,
        "jwks": mint.jwks("ed25519"),
        "token": mint.token(),
        "bound": bound,
        "request": {
            "method": proofs.METHOD,
            "uri": proofs.URI,
            "headers": {"authorization": f"DPoP {bound}", "dpop": proof},
        },
        "modules": imported,
    }
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], input=json.dumps(given), capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return set(json.loads(ran.stdout))


def _of(package: str, modules: set[str]) -> list[str]:
    return sorted(name for name in modules if name == package or name.startswith(f"{package}."))


def test_verifying_and_fetching_keys_never_imports_cryptography() -> None:
    modules = _modules()
    assert _of("watchword._kernel", modules)
    assert _of("cryptography", modules) == []
    assert _of("watchword.holder", modules) == []
    assert _of("watchword.testing", modules) == []


def test_what_is_imported_is_seen() -> None:
    assert "cryptography" in _modules("watchword.testing")


@pytest.mark.parametrize("module", ["agentwrit", "authgent", "authpi", "clawauth", "paphwey"])
def test_a_provider_that_only_verifies_never_imports_cryptography(module: str) -> None:
    assert _of("cryptography", _modules(f"watchword.providers.{module}")) == []
