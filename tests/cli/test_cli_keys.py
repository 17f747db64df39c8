"""``watchword keys`` and ``watchword thumbprint``."""

from __future__ import annotations

import json
from pathlib import Path

import endpoint
import pytest

import watchword as ww
from watchword.testing import ALGORITHMS, LocalIssuer


@pytest.fixture(name="mixed")
def _mixed(issuer: LocalIssuer, tmp_path) -> str:
    """Good keys among one of each kind that is rejected."""
    good, point = issuer.jwks()["keys"]
    bad = [
        7,
        {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQ", "kid": "shared"},
        {"kty": "OKP", "crv": "X25519", "x": "AA", "kid": "x\x1b[31m"},
        {**good},
        {**good, "kid": "enc", "use": "enc"},
        {**point, "kid": "off", "y": point["x"]},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "short"},
        {**good, "kid": "private", "d": good["x"]},
    ]
    path = tmp_path / "mixed.json"
    path.write_text(json.dumps({"keys": [good, point, *bad]}))
    return str(path)


def test_the_keys_of_a_set(run, tmp_path) -> None:
    issuer = LocalIssuer(algorithms=ALGORITHMS)
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(issuer.jwks()))
    answer = run("keys", str(path))
    assert answer.status == 0
    for key in issuer.key_set():
        row = next(line for line in answer.out.splitlines() if line.startswith(f"{key.key_id} "))
        assert key.thumbprint in row
        assert all(algorithm in row for algorithm in key.algorithms)
        assert (key.curve or "RSA 2,048 bits") in row
    assert "10 usable keys, 0 rejected." in answer.out


def test_each_rejected_key_has_its_reason(run, mixed: str) -> None:
    answer = run("keys", mixed)
    assert answer.status == 1
    keys = ww.KeySet.from_json(Path(mixed).read_bytes())
    assert len(keys.rejected) == 8
    for rejected in keys.rejected:
        assert f"keys[{rejected.index}]" in answer.out
        assert rejected.reason.replace("_", " ") in answer.out
    assert "2 usable keys, 8 rejected." in answer.out
    assert "\x1b" not in answer.out
    assert "c2VjcmV0" not in answer.out


def test_json_lines(run, mixed: str) -> None:
    objects = run("keys", "--json", mixed).objects
    assert [one["usable"] for one in objects] == [True] * 2 + [False] * 8
    keys = ww.KeySet.from_json(Path(mixed).read_bytes())
    assert [one["thumbprint"] for one in objects[:2]] == [key.thumbprint for key in keys]
    assert [(one["index"], one["reason"]) for one in objects[2:]] == [(key.index, key.reason) for key in keys.rejected]


def test_keys_of_a_url_and_of_an_issuer(run) -> None:
    with LocalIssuer().serve() as served:
        for source in (served.jwks_uri, served.issuer):
            answer = run("keys", "--allow-loopback-http", source)
            assert answer.status == 0
            assert "eddsa-1" in answer.out
            assert (served.jwks_uri in answer.out) is (source == served.issuer)
        answer = run("keys", "--allow-loopback-http", f"{served.issuer}/nothing")
        assert answer.status == 2
        assert "neither a key set nor an issuer" in answer.err
        answer = run("keys", served.jwks_uri)
        assert answer.status == 2
        assert "--allow-loopback-http" in answer.err


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "[::1]", "10.0.0.1"])
def test_an_issuer_whose_metadata_names_a_private_host(run, host: str) -> None:
    with endpoint.running() as server:
        jwks_uri = f"https://{host}:{server.port}/jwks"
        document = {"issuer": server.url, "jwks_uri": jwks_uri}
        server.routes["/.well-known/openid-configuration"] = endpoint.answer(json.dumps(document))
        answer = run("keys", "--allow-loopback-http", server.url)
    assert (answer.status, answer.out) == (2, "")
    assert (
        f"publishes {jwks_uri}, which is not on the public internet. If that is intended, give that URL." in answer.err
    )


def test_keys_from_standard_input(run, issuer: LocalIssuer) -> None:
    document = json.dumps(issuer.jwks())
    assert run("keys", text=document).out == run("keys", "-", text=document).out
    assert "2 usable keys" in run("keys", text=document).out
    assert "1 usable key," in run("keys", text=issuer.public_pem()).out


@pytest.mark.parametrize("document", ["", "[]", "{}", "not JSON", '{"keys": []}', "-----BEGIN PUBLIC KEY-----"])
@pytest.mark.parametrize("verb", ["keys", "thumbprint"])
def test_no_keys_is_status_2(run, verb: str, document: str) -> None:
    answer = run(verb, text=document)
    assert answer.status == 2
    assert answer.out == ""
    assert answer.err


def test_an_endless_document_is_not_read_completely(run) -> None:
    answer = run("keys", text="x" * 1_100_000)
    assert answer.status == 2
    assert "longer than 1,048,576 bytes" in answer.err


# Thumbprints.

RFC7638 = {
    "kty": "RSA",
    "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjB"
    "ZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8"
    "KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_"
    "xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    "e": "AQAB",
    "alg": "RS256",
    "kid": "2011-04-29",
}


def test_the_thumbprint_of_rfc_7638(run) -> None:
    thumbprint = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    answer = run("thumbprint", text=json.dumps(RFC7638))
    assert (answer.status, answer.out) == (0, f"{thumbprint}  2011-04-29\n")
    (seen,) = run("thumbprint", "--json", text=json.dumps({"keys": [RFC7638]})).objects
    assert seen == {"thumbprint": thumbprint, "key_id": "2011-04-29"}


def test_thumbprints_of_a_set_a_key_and_a_pem_agree(run, issuer: LocalIssuer, jwks: str, tmp_path) -> None:
    expected = [key.thumbprint for key in issuer.key_set()]
    assert [line.split()[0] for line in run("thumbprint", jwks).out.splitlines()] == expected
    path = tmp_path / "key.pem"
    path.write_bytes(issuer.public_pem())
    assert run("thumbprint", str(path)).out == expected[0] + "\n"


def test_keys_without_a_thumbprint_are_named_and_the_others_printed(run, mixed: str) -> None:
    answer = run("thumbprint", mixed)
    assert answer.status == 1
    assert len(answer.out.splitlines()) == 9
    assert "keys[2]" in answer.err
    assert "\x1b" not in answer.out


def test_a_private_key_is_not_repeated(run, issuer: LocalIssuer) -> None:
    jwk = {**issuer.jwks()["keys"][0], "d": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMzQ"}
    for verb in ("keys", "thumbprint"):
        answer = run(verb, text=json.dumps(jwk))
        assert "c2VjcmV0" not in answer.out + answer.err
