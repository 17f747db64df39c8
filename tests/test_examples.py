"""Every file of examples/ is run as its first lines describe."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import endpoint
import pytest

from watchword.testing import LocalIssuer

EXAMPLES = Path(__file__).parents[1] / "examples"
AUDIENCE = "https://api.test"


def _run(*arguments: str, text: str = "", status: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, *arguments],
        input=text,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=EXAMPLES,
        env={**os.environ, "PYTHONWARNINGS": "error", "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done


@pytest.fixture(name="issuer")
def _issuer() -> LocalIssuer:
    return LocalIssuer(algorithms=("EdDSA", "ES256"))


@pytest.fixture(name="jwks")
def _jwks(issuer: LocalIssuer, tmp_path: Path) -> str:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(issuer.jwks()))
    return str(path)


def test_every_example_is_run_here() -> None:
    for path in EXAMPLES.glob("*.py"):
        assert f"test_{path.stem.removeprefix('test_')}" in globals(), path.name


def test_verify_with_a_file(issuer: LocalIssuer, jwks: str) -> None:
    arguments = ("verify_with_a_file.py", jwks, issuer.issuer, AUDIENCE)
    assert "alice may orders:read until" in _run(*arguments, issuer.mint(sub="alice", scope="orders:read")).stdout
    bad = _run(*arguments, issuer.mint_bad("expired"), status=1).stdout
    assert bad.startswith('401 Bearer error="invalid_token"')
    assert "(expired: " in bad


def test_stored_tokens(issuer: LocalIssuer, jwks: str) -> None:
    moment = 1_700_000_000
    token = issuer.mint(iat=moment, exp=moment + 300)
    lines = f"{moment + 1}\t{token}\n{moment + 1}\t{token}\n{moment + 299.5}\t{token}\n"
    assert "0 of the tokens" in _run("stored_tokens.py", jwks, issuer.issuer, text=lines).stdout
    done = _run("stored_tokens.py", jwks, issuer.issuer, text=f"{lines}{moment + 999}\t{token}\n", status=1)
    assert f"line 4, used at {moment + 999}: expired" in done.stdout
    assert "1 of the tokens" in done.stdout


MANY_TENANTS_SAID = """\
a customer - 200 https://login.example/t-1/v2.0
an unknown tenant - 401 wrong_issuer
iss and tid differ - 401 wrong_issuer
a workload - 200 None
a workload of another domain - 401 wrong_issuer
before it is added - 401 wrong_issuer
once it is added - 200 https://id.customer.example
once it is removed - 401 wrong_issuer
"""


def test_many_tenants() -> None:
    assert _run("many_tenants.py").stdout == MANY_TENANTS_SAID


def test_many_at_once(issuer: LocalIssuer) -> None:
    with issuer.serve() as served:
        program = f"""
import asyncio, sys, many_at_once, watchword as ww
issuer = ww.Issuer({served.issuer!r}, allow_loopback_http=True)
print("\\n".join(asyncio.run(many_at_once.verify_all(issuer, {AUDIENCE!r}, sys.stdin.read().split()))))
"""
        tokens = [served.mint(sub=f"agent-{number}") for number in range(50)] + [served.mint_bad("expired")]
        done = _run("-c", program, text="\n".join(tokens))
        assert done.stdout.splitlines() == [f"valid: agent-{number}" for number in range(50)] + ["rejected: expired"]
        assert done.stderr == "fetched the keys 1 time(s)\n"
        assert served.requests.count("/jwks.json") == 1


def test_gateway() -> None:
    lines = _run("gateway.py").stdout.splitlines()
    assert lines[0] == "keys with a precomputed table: 2 of 2"
    assert lines[2:] == [
        "verified: 10 - from the cache: 990",
        "a forged token: invalid_signature",
        "in a batch: 1000 valid, invalid_signature",
    ]


def test_wsgi_app(issuer: LocalIssuer) -> None:
    with issuer.serve() as served:
        program = f"""
import wsgi_app, watchword as ww
wsgi_app.main(ww.Issuer({served.issuer!r}, allow_loopback_http=True), {AUDIENCE!r}, port=0)
"""
        with subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=EXAMPLES
        ) as process:
            try:
                assert process.stdout is not None
                url = process.stdout.readline().strip()
                assert _status(url) == 401
                assert _status(url, served.mint(scope="orders:read")) == 200
                assert _status(url, served.mint_bad("claim twice")) == 401
            finally:
                process.terminate()


def test_authgent_fastapi() -> None:
    with endpoint.running() as server:
        issuer = LocalIssuer(server.url, audience=AUDIENCE, algorithms=("ES256",))
        server.routes["/.well-known/jwks.json"] = endpoint.answer(json.dumps(issuer.jwks()))
        program = f"import authgent_fastapi; authgent_fastapi.main({server.url!r}, {AUDIENCE!r}, port=0)"
        with subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=EXAMPLES
        ) as process:
            try:
                assert process.stdout is not None
                url = process.stdout.readline().strip()
                search = f"{url}/tools/search"
                assert _status(f"{url}/.well-known/oauth-protected-resource") == 200
                assert _status(search, method="POST") == 401
                good = issuer.mint(scope="search:execute", act={"sub": "client:a", "act": {"sub": "client:b"}})
                assert _status(search, good, method="POST") == 200
                assert _status(search, issuer.mint(scope="read"), method="POST") == 403
                deep = {"sub": "client:a", "act": {"sub": "client:b", "act": {"sub": "client:c"}}}
                assert _status(search, issuer.mint(scope="search:execute", act=deep), method="POST") == 403
                assert _status(search, issuer.mint_bad("expired"), method="POST") == 401
                assert server.count() == 1
            finally:
                process.terminate()


def _status(url: str, token: str | None = None, method: str = "GET") -> int:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers, method=method), timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


SCOPES_SAID = """\
may write to projects.tasks: True
may write to users: False
is a member: True
why: no scope grants "users:write"; the nearest, "users:read", is for another action
403 Bearer error="insufficient_scope", error_description="the token's scopes do not allow this", scope="users:write"
missing: users:*
can be delegated: projects.tasks:* users:list users:read
covers the requested scopes: True
"*:data:customers" is not a scope: "*" is allowed as the identifier only, not in the action or the resource
"""


def test_scopes() -> None:
    assert _run("scopes.py").stdout == SCOPES_SAID


def test_paphwey_offline() -> None:
    lines = _run("paphwey_offline.py").stdout.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "200 rcpt-1 principal-7",
        "403 amount_exceeded",
        "403 wrong_delegation",
        "403 wrong_audience",
        "403 wrong_type",
        "403 invalid_signature",
        "the same agent",
        "403 dpop_key_mismatch",
    ]


def test_clawauth_verify() -> None:
    lines = _run("clawauth_verify.py").stdout.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "200 Shopper",
        "403 agent_abc123 is trusted too little",
        "401 wrong_audience",
        "401 algorithm_not_allowed",
        "401 wrong_type",
        "503 keys_unavailable",
        "-----BEGIN PUBLIC KEY----- True",
    ]


def test_the_tests_of_an_application() -> None:
    done = _run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio", "test_wsgi_app.py")
    assert "7 passed" in done.stdout


def test_the_document_on_testing() -> None:
    document = (EXAMPLES.parent / "docs" / "testing.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", document, re.MULTILINE | re.DOTALL)
    # One is an application's tests: test_wsgi_app.py is the same for an existing application.
    (tests,) = (block for block in blocks if "my_app" in block)
    blocks.remove(tests)
    _run("-c", "import watchword as ww\n" + "\n".join(blocks))


def test_delegation() -> None:
    assert _run("delegation.py").stdout.splitlines() == [
        "200 client:mailer for client:planner for user:ada",
        "200 user:ada",
        "403 delegation_no_human_root",
        "403 delegation_no_human_root",
        "403 delegation_actor_not_allowed",
        "403 delegation_too_deep",
        "401 malformed_claims",
    ]


def test_dpop() -> None:
    assert _run("dpop.py").stdout.splitlines() == [
        "401 dpop_nonce_required",
        "200 agent-7",
        "401 dpop_replayed",
        "401 dpop_proof_required",
        "401 dpop_key_mismatch",
    ]


def test_agent_key(tmp_path: Path) -> None:
    expected = [
        "0600 True",
        "True",
        "88",
        "the nonce is the beginning of a JWS: signed, it could pass as a token or as a proof",
        "has mode 0644, so that others may access the private key",
    ]
    assert _run("agent_key.py", str(tmp_path)).stdout.splitlines() == expected


AUTHPI_SAID = """\
usr_1 user ada@example.com
may delete tasks: True
may change users: False
is admin, is owner: True False
expired: False
invalid_token - the signature is invalid
token_expired - the ID token has expired
True
"""


def test_authpi_scopes() -> None:
    assert _run("authpi_scopes.py").stdout == AUTHPI_SAID


AGENTWRIT_SAID = """\
spiffe://agentwrit.local/agent/support/42/a1b2c3d4 ['read:data:*', 'send:mail:customer-7']
may read: True
may delete: False
for spiffe://agentwrit.local/agent/support/42/a1b2c3d4 acts spiffe://agentwrit.local/agent/support/42/e5f60718
delegation_scope_widened
expired
wrong_type
invalid_signature
"""


def test_agentwrit_validate() -> None:
    assert _run("agentwrit_validate.py").stdout == AGENTWRIT_SAID
