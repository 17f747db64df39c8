"""``watchword verify --provider``: the rules of one provider's tokens."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import mint
import pytest
from command_process import start
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from provider_cases import cases
from provider_samples import ACCEPTED, JWKS, KEYS, SAMPLES, Sample

from watchword import thumbprint
from watchword.providers import PROVIDERS
from watchword.testing import LocalIssuer

MATCHING = ["--issuer", mint.ISSUER, "--audience", mint.AUDIENCE, "--at", str(mint.NOW)]


@pytest.fixture(name="keys")
def _keys(tmp_path: Path) -> str:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(JWKS))
    return str(path)


def named(name: str) -> Sample:
    return next(sample for sample in SAMPLES if str(sample) == name)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_token_of_that_provider_and_of_no_other(run, keys: str, provider: str) -> None:
    answer = run(
        "verify", "--provider", provider, "--jwks", keys, *MATCHING, "--json", *(sample.mint() for sample in SAMPLES)
    )
    valid = [str(sample) for sample, one in zip(SAMPLES, answer.objects, strict=True) if one["valid"]]
    assert valid == [str(one) for one in SAMPLES if one.provider == provider and one.kind in ACCEPTED[provider]]
    assert valid
    assert answer.status == 1


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_the_library_rejects_is_rejected_in_a_separate_process(keys: str, provider: str) -> None:
    listed = cases(provider, mint.NOW)
    process = start("verify", "--provider", provider, "--jwks", keys, *MATCHING, "--json")
    out, err = process.communicate("\n".join(variant.mint() for variant in listed).encode(), timeout=60)
    answers = [json.loads(line) for line in out.splitlines()]
    assert [answer["code"] for answer in answers] == [variant.code for variant in listed], err
    assert (process.returncode, err) == (1, b"")


def test_no_optional_dependency_is_needed(keys: str) -> None:
    program = "import sys; sys.modules['pydantic'] = None; from watchword.cli import main; sys.exit(main(sys.argv[1:]))"
    for name in ("paphwey-attestation", "authpi-id_token", "clawauth-agent_token"):
        options = ["verify", "--provider", name.partition("-")[0], "--jwks", keys, *MATCHING, named(name).mint()]
        done = subprocess.run([sys.executable, "-c", program, *options], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_the_providers_own_reason_is_printed(run, keys: str) -> None:
    rejected = {variant.name: variant.mint() for variant in cases("paphwey", mint.NOW)}
    options = ["verify", "--provider", "paphwey", "--jwks", keys, *MATCHING]
    answer = run(*options, rejected["a presentation"])
    assert answer.status == 1
    assert "rejected  malformed credential: the token is a presentation, not an attestation" in answer.out
    assert "1 rejected (1 malformed credential)" in answer.out
    assert "expired: the credential has expired" in run(*options, rejected["validUntil has passed"]).out


def test_one_token_in_words(run, keys: str) -> None:
    answer = run("verify", "--provider", "agentwrit", "--jwks", keys, *MATCHING, named("agentwrit-agent_token").mint())
    assert answer.status == 0
    assert "1 token: valid." in answer.out
    assert "Not checked: whether their broker revoked them." in answer.out


def test_a_chain_is_verified_with_the_keys(run, keys: str) -> None:
    sample = named("agentwrit-delegated_agent_token")
    options = ["verify", "--provider", "agentwrit", "--jwks", keys, *MATCHING, "--json"]
    assert run(*options, sample.mint()).status == 0
    claims = sample.payload()
    claims["delegation_chain"][0]["delegated_at"] = "2026-11-21T07:00:01Z"
    changed = mint.token(claims, mint.header(), algorithm="EdDSA")
    assert [one["code"] for one in run(*options, changed).objects] == ["delegation_hash_mismatch"]


def test_another_providers_token_is_named(run, keys: str) -> None:
    other = named("authgent-access_token").mint()
    answer = run("verify", "--provider", "authpi", "--jwks", keys, *MATCHING, other)
    assert answer.status == 1
    assert "Hint: A token looks like one of authgent's. Verify it with --provider authgent." in answer.out
    # No option can widen the types of the profile.
    grant = run("verify", "--provider", "authgent", "--jwks", keys, *MATCHING, named("authgent-chaining_grant").mint())
    assert "wrong type" in grant.out
    assert "--type" not in grant.out
    assert "looks like" not in run("verify", "--jwks", keys, *MATCHING, other + "x").out


def test_options_may_only_narrow(run, keys: str) -> None:
    token = named("authpi-id_token").mint()
    options = ["verify", "--provider", "authpi", "--jwks", keys, *MATCHING]
    assert run(*options, "--algorithm", "RS256", token).status == 0
    assert run(*options, "--algorithm", "ES256", token).status == 1
    assert run(*options, "--type", "JWT", token).status == 0
    assert run(*options, "--type", "none", token).status == 1
    assert run(*options, "--require", "organizations", token).status == 0
    assert run(*options, "--require", "nonce", token).status == 1


def test_a_claim_may_be_in_the_credential_of_an_attestation(run, keys: str) -> None:
    claims = named("paphwey-attestation-as-the-payload").payload()
    del claims["iss"]
    raw = mint.token({**claims, "issuer": mint.ISSUER}, {"alg": "RS256", "kid": "rsa"}, key="rsa", algorithm="RS256")
    options = ["verify", "--provider", "paphwey", "--jwks", keys, *MATCHING]
    assert run(*options, "--require", "receipt_id", raw).status == 0
    assert "missing claim" in run(*options, "--require", "nonce", raw).out
    # A credential's issuer is its token's own, not that of just any issuer that is named.
    other = {**named("paphwey-attestation-in-a-vc-claim").payload()}
    other["vc"] = {**other["vc"], "issuer": "https://other.example"}
    raw = mint.token(other, {"alg": "RS256", "kid": "rsa"}, key="rsa", algorithm="RS256")
    assert "wrong issuer" in run(*options, "--issuer", "https://other.example", raw).out


@pytest.mark.parametrize(
    ("audience", "options", "code"),
    [
        (mint.ISSUER, [], None),
        ([mint.ISSUER, "https://api.example"], [], None),
        (mint.OMIT, [], None),
        ("https://api.example", [], "wrong_audience"),
        ("https://api.example", ["--any-audience"], None),
        ("https://api.example", ["--audience", "https://api.example"], None),
        (mint.ISSUER, ["--audience", "https://api.example"], "wrong_audience"),
    ],
)
def test_an_access_token_may_be_for_its_issuer(run, keys: str, audience, options: list[str], code: str | None) -> None:
    claims = {**named("authgent-access_token").payload(), "aud": audience}
    if audience is mint.OMIT:
        del claims["aud"]
    raw = mint.token(claims, {"alg": "ES256", "kid": "p256", "typ": "JWT"}, key="p256", algorithm="ES256")
    usual = ["verify", "--provider", "authgent", "--jwks", keys, "--at", str(mint.NOW), "--json"]
    assert [one["code"] for one in run(*usual, "--issuer", mint.ISSUER, *options, raw).objects] == [code]
    if not options and audience is not mint.OMIT:
        # Nobody knows whose audience that would be.
        assert [one["code"] for one in run(*usual, raw).objects] == ["wrong_audience"]


def test_clocks_differ_as_much_as_the_library_allows(run, keys: str) -> None:
    for name, late, code in (("authgent-access_token", 1, "expired"), ("authpi-id_token", 4, None)):
        provider, token = name.partition("-")[0], named(name).mint(mint.NOW - 300 - late)
        options = ["verify", "--provider", provider, "--jwks", keys, *MATCHING, "--json"]
        assert [one["code"] for one in run(*options, token).objects] == [code]
        assert [one["code"] for one in run(*options, "--leeway", "0", token).objects] == ["expired"]
        assert [one["code"] for one in run(*options, "--leeway", "5", token).objects] == [None]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["--provider", "clawauth", "--accept-bound"],
            "--accept-bound contradicts --provider clawauth, whose tokens are never bound",
        ),
        (["--provider", "agentwrit", "--algorithm", "ES256"], "contradicts --provider agentwrit"),
        (["--provider", "agentwrit", "--type", "at+jwt"], "whose tokens have JWT"),
        (["--provider", "authpi", "--type", "at+jwt"], "whose tokens have JWT, none"),
        (["--provider", "nobody"], "invalid choice"),
    ],
)
def test_contradictory_options_are_status_2(run, keys: str, options: list[str], said: str) -> None:
    answer = run("verify", "--jwks", keys, *MATCHING, *options, "a.b.c")
    assert answer.status == 2
    assert said in answer.err


@pytest.mark.parametrize("provider", ["agentwrit", "clawauth"])
def test_unpublished_keys_must_be_given(run, keys: str, provider: str) -> None:
    answer = run("verify", "--provider", provider, *MATCHING, "a.b.c")
    assert answer.status == 2
    assert "--jwks or --pem" in answer.err


@pytest.mark.parametrize("provider", ["agentwrit", "clawauth"])
def test_a_public_key_in_pem_has_the_kid_that_the_library_gives_it(run, tmp_path: Path, provider: str) -> None:
    from watchword.providers.agentwrit import Broker
    from watchword.providers.clawauth import ClawAuth

    sample = named(f"{provider}-agent_token")
    key = KEYS[sample.algorithm]
    pem = mint.private_key(key).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    path = tmp_path / "key.pem"
    path.write_bytes(pem)
    meant = {"issuer": mint.ISSUER, "audience": mint.AUDIENCE}
    if provider == "agentwrit":
        verify = Broker("https://broker.example", pem, **meant).validate
    else:
        verify = ClawAuth("orders", "svc_1", pem=pem, **meant).verify
    for kid in ({}, {"kid": ""}, {"kid": "another"}, {"kid": thumbprint(pem=pem)}):
        head = {"alg": sample.algorithm, "typ": "JWT", **kid}
        raw = mint.token(sample.payload(), head, key=key, algorithm=sample.algorithm)
        answer = run("verify", "--provider", provider, "--pem", str(path), *MATCHING, "--json", raw)
        assert answer.objects[0]["valid"] is verify(raw, now=mint.NOW).valid, kid


def test_keys_over_http_are_followed(run) -> None:
    with LocalIssuer(audience=mint.AUDIENCE, algorithms=("RS256",)).serve() as served:
        claims = {"sub": "usr_1", "scope": None, "client_id": None, "jti": None}
        options = ["verify", "--provider", "authpi", "--issuer", served.issuer, "--allow-loopback-http", "--json"]
        good, bad = served.mint(claims, header={"typ": "JWT"}), served.mint(header={"typ": "JWT"})
        answer = run(*options, "--audience", mint.AUDIENCE, good, bad)
        assert [one["code"] for one in answer.objects] == [None, "wrong_type"]
        # A provider that publishes no keys: the set is fetched once, for its records are verified by it as well.
        answer = run(*options, "--any-audience", "--jwks", served.jwks_uri, "--provider", "clawauth", good)
        assert [one["code"] for one in answer.objects] == ["algorithm_not_allowed"]


def test_keys_are_fetched_from_the_same_url_as_by_the_library(run) -> None:
    with LocalIssuer(audience=mint.AUDIENCE, algorithms=("ES256",)).serve() as served:
        claims = {"delegation_id": "dlg_1", "scope": None, "client_id": None}
        options = ["verify", "--provider", "paphwey", "--allow-loopback-http", "--audience", mint.AUDIENCE, "--json"]
        token = served.mint(claims, header={"typ": "JWT"})
        answer = run(*options, "--issuer", served.issuer, "--jwks", served.jwks_uri, token, served.mint_bad("expired"))
        assert [one["code"] for one in answer.objects] == [None, "wrong_type"]
        assert run(*options, "--issuer", served.issuer, token).status == 2
        assert "/.well-known/jwks.json" in served.requests
        both = ["--issuer", served.issuer, "--issuer", "https://other.example"]
        answer = run(*options, *both, "--jwks", served.jwks_uri, token)
        assert answer.status == 2
        assert "takes one --issuer" in answer.err
