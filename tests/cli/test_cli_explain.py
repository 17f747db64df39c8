"""``watchword explain``: a gate's decision on a request, check by check."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from watchword.holder import DpopProver
from watchword.testing import LocalIssuer

GATE = """\
public_url = "https://api.test"

[token]
audience = "https://api.test"

[[issuers]]
issuer = "https://issuer.test"
jwks_file = "keys.json"

[[routes]]
path = "/health"
public = true

[[routes]]
path = "/orders/{id}"
methods = ["POST"]

[[routes]]
path = "/orders/{id}"
methods = ["GET"]
name = "order"
scopes = ["orders:read"]

[[routes]]
path = "/bound"
dpop = "required"

[[routes]]
path = "/maybe"
optional = true

[[routes]]
path = "/strong"
acr_values = ["gold"]
max_age = 60
max_depth = 1
"""


@pytest.fixture(name="gate")
def _gate(tmp_path: Path, jwks: str) -> str:
    path = tmp_path / "gate.toml"
    path.write_text(GATE)
    return str(path)


def rows(out: str) -> dict[str, tuple[str, str]]:
    """The checks of the text that have a line of their own: result and detail by name."""
    found = {}
    for line in out.splitlines():
        parts = [part for part in line.strip().split("  ") if part]
        if len(parts) > 1 and parts[0] in ("passed", "failed", "not needed"):
            found[parts[1].strip()] = (parts[0], parts[2].strip() if len(parts) > 2 else "")
    return found


def test_a_request_that_may_pass(run, gate: str, issuer: LocalIssuer) -> None:
    token = issuer.mint(sub="alice", scope="orders:read")
    text = f"> GET /orders/7 HTTP/1.1\n> Host: api.test\n> Authorization: Bearer {token}\n>\n< HTTP/1.1 200\n"
    answer = run("explain", "--config", gate, "GET", "https://api.test/orders/%37?x=1", text=text)
    assert (answer.status, answer.err) == (0, "")
    found = rows(answer.out)
    assert found["path"] == ("passed", "/orders/7")
    assert found["route"] == (
        "passed",
        "routes[2] (order: GET /orders/{id}), id = '7'; not routes[1] (POST /orders/{id}); "
        "1 before it has another path",
    )
    assert found["credentials"] == ("passed", "a token (Bearer)")
    assert found["issuer"] == ("passed", "https://issuer.test")
    assert found["audience"] == ("passed", "https://api.test")
    assert found["scopes"] == ("passed", "orders:read (plain)")
    assert "allowed: the application gets\n  X-Auth-Sub: alice\n" in answer.out
    assert token not in answer.out


@pytest.mark.parametrize(
    ("method", "url", "claims", "check", "change"),
    [
        ("GET", "/orders/7", {"scope": "files:read"}, "scopes", "Request a token with the scope 'orders:read'"),
        ("GET", "/orders/7", {"aud": "https://other.test"}, "audience", "change audience"),
        ("GET", "/orders/7", {"exp": 1000}, "times", "Get a new token"),
        ("GET", "/orders/7", {"iss": "https://other.test"}, "issuer", "add an [[issuers]] section"),
        ("PUT", "/orders/7", {}, "route", "Add a route"),
        ("GET", "/orders//7", {}, "path", "Send the path in its plain form"),
        ("GET", "/orders/7?access_token=x", {}, "query", "have it revoked"),
        ("GET", "/bound", {}, "DPoP", "bound to a key"),
        ("GET", "/strong", {}, "user authentication", "Have the user authenticate again"),
    ],
)
def test_the_check_that_fails_and_what_to_change(
    run, gate: str, issuer: LocalIssuer, method: str, url: str, claims: dict, check: str, change: str
) -> None:
    token = issuer.mint(**claims)
    answer = run("explain", "--config", gate, method, url, text=f"Authorization: Bearer {token}\n")
    assert answer.status == 1
    found = rows(answer.out)
    assert found[check][0] == "failed"
    assert [name for name, (result, _) in found.items() if result == "failed"] == [check]
    assert "not reached  " in answer.out
    assert change in answer.out
    assert "The client gets status 4" in answer.out
    assert token not in answer.out


def test_a_route_for_another_method_or_slash_is_named(run, gate: str) -> None:
    answer = run("explain", "--config", gate, "DELETE", "/orders/7")
    assert "the path is that of routes[1] (POST /orders/{id}); the path is that of routes[2]" in answer.out
    answer = run("explain", "--config", gate, "GET", "/orders/7/")
    assert "routes[1] (POST /orders/{id}) is for /orders/7, another path" in answer.out


def test_without_a_token(run, gate: str) -> None:
    for url, status, text in [
        ("/health", 0, "the route is public"),
        ("/maybe", 0, "optional, and no token was sent"),
        ("/bound", 1, "Send the token as `Authorization: Bearer TOKEN`"),
    ]:
        answer = run("explain", "--config", gate, "GET", url)
        assert answer.status == status
        assert text in answer.out


def test_a_proof_is_verified_and_not_used_up(run, gate: str, issuer: LocalIssuer) -> None:
    prover = DpopProver()
    token = issuer.mint(cnf={"jkt": prover.jkt})
    proof = prover.proof("GET", "https://api.test/bound", access_token=token)
    text = f"Authorization: DPoP {token}\nDPoP: {proof}\n"
    for _ in range(2):
        answer = run("explain", "--config", gate, "GET", "/bound", text=text)
        assert answer.status == 0
        assert rows(answer.out)["proof"][0] == "passed"
        assert proof not in answer.out
    answer = run("explain", "--config", gate, "GET", "/maybe", text=text)
    assert rows(answer.out)["proof"][0] == "failed"
    assert "dpop_wrong_uri" in answer.out


def test_as_of_a_time_and_with_given_keys(run, gate: str, tmp_path: Path, issuer: LocalIssuer) -> None:
    other = LocalIssuer(algorithms=("ES256",))
    (tmp_path / "other.json").write_text(json.dumps(other.jwks()))
    text = f"Authorization: Bearer {other.mint(scope='orders:read')}\n"
    request = ["--config", gate, "GET", "/orders/7"]
    assert rows(run("explain", *request, text=text).out)["signature"][0] == "failed"
    for keys in (f"{tmp_path}/other.json", f"https://issuer.test={tmp_path}/other.json"):
        assert run("explain", "--keys", keys, *request, text=text).status == 0
    later = str(time.time() + 86400)
    answer = run("explain", "--keys", f"{tmp_path}/other.json", "--at", later, *request, text=text)
    assert rows(answer.out)["times"][0] == "failed"
    assert "no issuer has the name 'x'" in run("explain", "--keys", f"x={tmp_path}/other.json", *request).err


def test_json(run, gate: str, issuer: LocalIssuer) -> None:
    text = f"Authorization: Bearer {issuer.mint(scope='orders:read')}\n"
    (found,) = run("explain", "--json", "--config", gate, "GET", "/orders/7", text=text).objects
    assert (found["allowed"], found["code"], found["route"]) == (True, "allowed", "order")
    assert {check["result"] for check in found["checks"]} == {"passed", "not needed"}
    (found,) = run("explain", "--json", "--config", gate, "GET", "/orders/7").objects
    assert (found["code"], found["status"]) == ("missing_token", 401)
    assert sorted({check["result"] for check in found["checks"][4:]}) == ["not reached"]


@pytest.mark.parametrize(
    ("arguments", "text", "message"),
    [
        (["GET", "orders"], "", "'orders' is not a URL"),
        (
            ["GET", "/"],
            "Authorization Bearer eyJhbGciOiJFZERTQSJ9.e30.c2ln\n",
            "line 1 of standard input is not a header",
        ),
        (["--at", "yesterday", "GET", "/"], "", "invalid time 'yesterday'"),
        (["--keys", "none.json", "GET", "/"], "", "can't be read"),
    ],
)
def test_usage_errors(run, gate: str, arguments: list[str], text: str, message: str) -> None:
    answer = run("explain", "--config", gate, *arguments, text=text)
    assert (answer.status, answer.out) == (2, "")
    assert message in answer.err
    assert "eyJhbGci" not in answer.err


def test_an_invalid_configuration(run, tmp_path: Path) -> None:
    path = tmp_path / "gate.toml"
    path.write_text("realm = 1\n")
    answer = run("explain", "--config", str(path), "GET", "/")
    assert answer.status == 2
    assert f"{path}:1:9: realm: must be a string, not a number" in answer.err
    assert run("explain", "--config", str(tmp_path / "none.toml"), "GET", "/").status == 2
