"""The in-memory issuer: other libraries accept its good tokens, and each kind of bad token gets exactly its code."""

from __future__ import annotations

import pickle
import socket
import threading
import urllib.error
import urllib.request

import jwt
import pytest
from joserfc import jwk as joserfc_jwk
from joserfc import jwt as joserfc_jwt

import watchword as ww
from watchword.testing import ALGORITHMS, BadToken, Defect, LocalIssuer, ServedIssuer


@pytest.fixture(scope="module", name="issuer")
def _issuer() -> LocalIssuer:
    return LocalIssuer(algorithms=ALGORITHMS)


# Good tokens.


# joserfc warns of EdDSA by that name, which RFC 9864 calls Ed25519.
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_good_token_is_good_to_watchword_and_to_others(issuer: LocalIssuer, algorithm: str) -> None:
    raw = issuer.mint(algorithm=algorithm, sub="alice", scope="orders:read")

    token = ww.verify(raw, issuer.key_set(), issuer.policy())
    assert (token.algorithm, token.subject, token.scopes) == (algorithm, "alice", ("orders:read",))
    assert (token.issuer, token.audience) == ("https://issuer.test", ("https://api.test",))
    assert token.expires_at is not None
    assert token.issued_at is not None
    assert token.expires_at - token.issued_at == 300

    keys = joserfc_jwk.KeySet.import_key_set(issuer.jwks())  # type: ignore[arg-type]
    assert joserfc_jwt.decode(raw, keys, algorithms=[algorithm]).claims == token.claims
    if algorithm != "Ed25519":  # PyJWT knows no name of RFC 9864.
        key = jwt.PyJWKSet.from_dict(issuer.jwks())[token.key_id or ""]
        claims = jwt.decode(raw, key, algorithms=[algorithm], audience="https://api.test", issuer=issuer.issuer)
        assert claims == token.claims


def test_what_is_asked_for_is_in_the_token(issuer: LocalIssuer) -> None:
    raw = issuer.mint(
        {"tenant": "blue", "sub": "bob"}, header={"typ": "JWT", "x": 1}, expires_in=None, exp=4e9, jti=None, admin=True
    )
    token = ww.verify(raw, issuer.key_set(), issuer.policy())
    assert token.claims["tenant"] == "blue"
    assert token.claims["admin"] is True
    assert (token.subject, token.expires_at, token.token_id) == ("bob", 4e9, None)
    assert token.header == {"alg": "EdDSA", "kid": "eddsa-1", "typ": "JWT", "x": 1}


def test_two_tokens_are_never_the_same(issuer: LocalIssuer) -> None:
    assert issuer.mint() != issuer.mint()


def test_the_clock_is_the_issuers_own() -> None:
    issuer = LocalIssuer(clock=lambda: 1_900_000_000)
    assert issuer.verifier().verify(issuer.mint()).issued_at == 1_900_000_000
    with pytest.raises(ww.IssuedInFutureError):
        issuer.verifier().verify(issuer.mint(), now=1_800_000_000)


def test_any_payload_can_be_signed(issuer: LocalIssuer) -> None:
    jws = ww.verify_jws(issuer.sign(b"\x00\xff", algorithm="ES256", header={"cty": "bytes"}), issuer.key_set())
    assert jws.payload == b"\x00\xff"
    assert jws.header == {"alg": "ES256", "kid": "es256-1", "cty": "bytes"}


def test_the_public_key_comes_as_pem_too(issuer: LocalIssuer) -> None:
    keys = ww.KeySet.from_pem(issuer.public_pem("es256-1"))
    assert ww.verify(issuer.mint(algorithm="ES256", header={"kid": None}), keys, issuer.policy()).subject == "agent-7"


def test_two_issuers_have_different_keys() -> None:
    one, other = (LocalIssuer(algorithms=("RS256", "EdDSA")) for _ in range(2))
    for algorithm in one.algorithms:
        with pytest.raises(ww.InvalidSignatureError):
            other.verifier().verify(one.mint(algorithm=algorithm))


# Bad tokens.


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_defect_gets_exactly_its_code(issuer: LocalIssuer, algorithm: str) -> None:
    bad = list(issuer.defects(algorithm=algorithm))
    got = {}
    for defect, _, token in bad:
        with pytest.raises(ww.VerificationError) as caught:
            ww.verify(token, issuer.key_set(), issuer.policy())
        got[defect.value] = caught.value.code
    assert got == {defect.value: code for defect, code, _ in bad}

    result = ww.verify_many([token for _, _, token in bad], issuer.key_set(), issuer.policy())
    assert result.codes() == [code for _, code, _ in bad]


def test_every_defect_gets_exactly_its_code_over_http(issuer: LocalIssuer) -> None:
    with issuer.serve() as served, served.verifier() as verifier:
        bad = list(served.defects())
        got = {}
        for defect, _, token in bad:
            with pytest.raises(ww.VerificationError) as caught:
                verifier.verify(token)
            got[defect.value] = caught.value.code
        assert got == {defect.value: code for defect, code, _ in bad}
        assert verifier.verify_many([token for _, _, token in bad]).codes() == [code for _, code, _ in bad]


def test_beside_another_issuer_only_a_token_whose_iss_cannot_be_read_gets_another_code(issuer: LocalIssuer) -> None:
    other = LocalIssuer("https://other.test")
    verifier = ww.Verifier([issuer.as_issuer(), other.as_issuer()], audience=issuer.audience)
    otherwise = {}
    for defect, code, token in issuer.defects():
        with pytest.raises(ww.VerificationError) as caught:
            verifier.verify(token)
        if caught.value.code != code:
            otherwise[defect] = caught.value.code
    not_strict_json = {
        Defect.EMPTY_PAYLOAD, Defect.PAYLOAD_NOT_AN_OBJECT, Defect.PAYLOAD_NOT_JSON, Defect.PAYLOAD_NOT_UTF8,
        Defect.PAYLOAD_BOM, Defect.PAYLOAD_TRAILING_BYTES, Defect.CLAIM_TWICE, Defect.CLAIM_LONE_SURROGATE,
        Defect.CLAIMS_TOO_DEEP, Defect.EXP_NAN, Defect.EXP_INFINITE,
    }  # fmt: skip
    expected = {Defect.ISS_ARRAY, Defect.MISSING_ISSUER, *not_strict_json}
    assert otherwise == dict.fromkeys(expected, ww.ErrorCode.WRONG_ISSUER)


def test_a_defect_is_the_only_thing_wrong_with_a_token(issuer: LocalIssuer) -> None:
    """A bad token must be valid if its one defect is allowed: else the test would be of something else."""
    keys = issuer.key_set()
    lenient = {
        Defect.EXPIRED: issuer.policy(leeway=7200),
        Defect.NOT_YET_VALID: issuer.policy(leeway=7200),
        Defect.ISSUED_IN_FUTURE: issuer.policy(leeway=7200),
        Defect.WRONG_ISSUER: issuer.policy(issuer=None),
        Defect.ISSUER_WITH_SLASH: issuer.policy(issuer=f"{issuer.issuer}/"),
        Defect.MISSING_ISSUER: issuer.policy(issuer=None),
        Defect.WRONG_AUDIENCE: issuer.policy(audience=ww.ANY_AUDIENCE),
        Defect.AUDIENCE_PREFIX: issuer.policy(audience=ww.ANY_AUDIENCE),
        Defect.MISSING_AUDIENCE: issuer.policy(audience=ww.ANY_AUDIENCE),
        Defect.MISSING_EXP: issuer.policy(required=()),
        Defect.DPOP_PROOF: issuer.policy(types=("dpop+jwt",)),
        Defect.LOGOUT_TOKEN: issuer.policy(types=("logout+jwt",)),
        Defect.BOUND_OTHERWISE: issuer.policy(bound_tokens="accept"),
        Defect.BOUND_TO_KEY: issuer.policy(bound_tokens="accept"),
        Defect.BOUND_TO_CERTIFICATE: issuer.policy(bound_tokens="accept"),
        Defect.TOKEN_TOO_LARGE: issuer.policy(max_token_bytes=65536),
        Defect.HEADER_TOO_LARGE: issuer.policy(max_header_bytes=16384),
    }
    for defect, policy in lenient.items():
        assert ww.verify(issuer.mint_bad(defect), keys, policy).algorithm == "EdDSA", defect


@pytest.mark.parametrize(
    ("defect", "mended"),
    [
        (Defect.TRAILING_NEWLINE, str.strip),
        (Defect.LEADING_SPACE, str.strip),
        (Defect.PADDING, lambda token: token.rstrip("=")),
        (Defect.BEARER_PREFIX, lambda token: token.removeprefix("Bearer ")),
        (Defect.FOUR_PARTS, lambda token: token.rpartition(".")[0]),
        (Defect.NON_ASCII, lambda token: token[:-1]),
        (Defect.NEWLINE_INSIDE, lambda token: token.replace("\n", "")),
    ],
)
def test_a_token_with_the_defect_taken_out_is_good(issuer: LocalIssuer, defect: Defect, mended) -> None:
    assert issuer.verifier().verify(mended(issuer.mint_bad(defect))).subject == "agent-7"


def test_lax_readers_fall_for_it(issuer: LocalIssuer) -> None:
    """The defects are real: PyJWT accepts some of them."""
    keys = jwt.PyJWKSet.from_dict(issuer.jwks())
    accepted = {
        bad.defect
        for bad in (BadToken(defect, defect.code, issuer.mint_bad(defect)) for defect in Defect)
        if _pyjwt_accepts(bad.token, keys["es256-1" if bad.defect is Defect.SIGNATURE_DER else "eddsa-1"])
    }
    assert {Defect.CLAIM_TWICE, Defect.HEADER_MEMBER_TWICE, Defect.EXP_STRING, Defect.DPOP_PROOF} <= accepted
    assert not accepted & {Defect.ALG_NONE, Defect.ATTACKERS_KEY, Defect.EXPIRED, Defect.SIGNATURE_ZERO}


def _pyjwt_accepts(token: str, key: jwt.PyJWK) -> bool:
    try:
        jwt.decode(token, key, algorithms=["EdDSA", "ES256"], audience="https://api.test", issuer="https://issuer.test")
    except (jwt.PyJWTError, ValueError):
        return False
    return True


def test_defects_are_named_by_value_too(issuer: LocalIssuer) -> None:
    token = issuer.mint_bad("claim twice")
    with pytest.raises(ww.MalformedClaimsError):
        issuer.verifier().verify(token)
    with pytest.raises(ValueError, match="unknown defect 'clam twice'"):
        issuer.mint_bad("clam twice")


def test_a_defect_that_no_key_can_have_is_rejected_and_left_out() -> None:
    issuer = LocalIssuer(algorithms=("EdDSA",))
    with pytest.raises(ValueError, match="ECDSA signature in DER"):
        issuer.mint_bad(Defect.SIGNATURE_DER)
    assert {bad.defect for bad in issuer.defects()} == set(Defect) - {Defect.SIGNATURE_DER}
    everything = LocalIssuer(algorithms=("ES384", "ES256"))
    assert {bad.defect for bad in everything.defects()} == set(Defect)


# Keys.


def test_a_rotation_adds_keys_and_a_removal_takes_them() -> None:
    issuer = LocalIssuer(algorithms=("EdDSA", "ES256"), key_ids=("a", "b"))
    before = issuer.key_set()
    assert issuer.rotate() == ("eddsa-2", "es256-2")
    assert [key["kid"] for key in issuer.jwks()["keys"]] == ["a", "b", "eddsa-2", "es256-2"]
    new = issuer.mint()
    assert ww.verify(new, issuer.key_set(), issuer.policy()).key_id == "eddsa-2"
    with pytest.raises(ww.UnknownKeyError):
        ww.verify(new, before, issuer.policy())

    issuer.remove_key("a")
    withdrawn = issuer.mint(key_id="a")
    assert ww.verify(withdrawn, before, issuer.policy()).key_id == "a"
    with pytest.raises(ww.UnknownKeyError):
        ww.verify(withdrawn, issuer.key_set(), issuer.policy())
    with pytest.raises(ValueError, match="no published key has the id 'a'"):
        issuer.remove_key("a")


def test_a_mistake_of_the_tests_author_is_reported() -> None:
    with pytest.raises(ValueError, match="HS256"):
        LocalIssuer(algorithms=("HS256",))
    with pytest.raises(TypeError, match="sequences"):
        LocalIssuer(algorithms="EdDSA")
    with pytest.raises(ValueError, match="one key id for each"):
        LocalIssuer(key_ids=("a", "b"))
    with pytest.raises(ValueError, match="must have a different key id"):
        LocalIssuer(algorithms=("EdDSA", "ES256"), key_ids=("a", "a"))
    issuer = LocalIssuer()
    with pytest.raises(ValueError, match="no key for ES256"):
        issuer.mint(algorithm="ES256")
    with pytest.raises(ValueError, match="has no key"):
        issuer.mint(key_id="x")
    with pytest.raises(ValueError, match="for EdDSA, not for ES256"):
        issuer.mint(key_id="eddsa-1", algorithm="ES256")


def test_no_key_shows_itself(issuer: LocalIssuer) -> None:
    key = issuer._ring.published()[0]
    secret = key.private.private_bytes_raw()  # type: ignore[union-attr]
    for text in (repr(issuer), repr(key), str(issuer), repr(next(issuer.defects()))):
        assert secret.hex() not in text
        assert "0x" not in text
    with pytest.raises(TypeError):
        pickle.dumps(key)
    for jwk in issuer.jwks()["keys"]:
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(jwk)


# Over http.


def test_serving_does_not_rename_the_issuer() -> None:
    issuer = LocalIssuer()
    with issuer.serve() as served:
        assert served.issuer.startswith("http://127.0.0.1:")
        assert issuer.issuer == "https://issuer.test"
        assert issuer.verifier().verify(issuer.mint()).issuer == "https://issuer.test"
        with served.verifier() as verifier:
            assert verifier.verify(served.mint()).issuer == served.issuer
            with pytest.raises(ww.WrongIssuerError):
                verifier.verify(issuer.mint())
        with ww.Verifier(
            [ww.Issuer(issuer.issuer, jwks_uri=served.jwks_uri, allow_loopback_http=True)], audience=issuer.audience
        ) as verifier:
            assert verifier.verify(issuer.mint()).issuer == issuer.issuer


def test_a_rotation_is_seen_without_waiting() -> None:
    with LocalIssuer().serve() as served, served.verifier() as verifier:
        old = served.mint()
        assert verifier.verify(old).key_id == "eddsa-1"
        served.rotate()
        assert verifier.verify(served.mint()).key_id == "eddsa-2"
        assert verifier.verify(old).key_id == "eddsa-1"
        served.remove_key("eddsa-1")
        verifier.refresh()
        with pytest.raises(ww.UnknownKeyError):
            verifier.verify(old)


def test_a_rotation_of_the_origin_is_one_of_what_is_served() -> None:
    issuer = LocalIssuer()
    with issuer.serve() as served:
        issuer.rotate()
        assert served.jwks() == issuer.jwks()


def test_requests_are_counted_and_an_outage_is_one() -> None:
    with LocalIssuer().serve() as served, served.verifier() as verifier:
        verifier.verify(served.mint())
        verifier.verify(served.mint())
        assert served.requests == ("/.well-known/openid-configuration", "/jwks.json")
        with served.outage():
            assert verifier.verify(served.mint()).key_id == "eddsa-1"
            with pytest.raises(urllib.error.HTTPError) as caught:
                _get(served.jwks_uri)
            assert caught.value.code == 503
            caught.value.close()
        assert b"keys" in _get(served.jwks_uri)


def test_both_discovery_documents_are_there() -> None:
    with LocalIssuer().serve(max_age=60) as served:
        for name in ("openid-configuration", "oauth-authorization-server"):
            assert served.jwks_uri.encode() in _get(f"{served.issuer}/.well-known/{name}")
        with pytest.raises(urllib.error.HTTPError) as caught:
            _get(f"{served.issuer}/elsewhere")
        caught.value.close()


def test_the_reported_age_is_that_of_the_last_request() -> None:
    with LocalIssuer().serve(max_age=60) as served, urllib.request.urlopen(served.jwks_uri) as answer:
        assert answer.headers["Cache-Control"] == "max-age=60"


def test_the_port_is_closed_and_the_thread_gone() -> None:
    with LocalIssuer().serve() as served:
        assert "watchword-issuer" in [thread.name for thread in threading.enumerate()]
        port = int(served.issuer.rpartition(":")[2])
        socket.create_connection(("127.0.0.1", port)).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    # Threads of single requests are not waited for: a client that keeps its connection open must not block a test.
    assert "watchword-issuer" not in [thread.name for thread in threading.enumerate()]
    with LocalIssuer().serve(port=port) as again:
        assert again.issuer == served.issuer


def test_the_port_is_closed_when_the_test_fails() -> None:
    seen: list[ServedIssuer] = []

    def fail(served: ServedIssuer) -> None:
        seen.append(served)
        raise RuntimeError

    with pytest.raises(RuntimeError), LocalIssuer().serve() as served:
        fail(served)
    with pytest.raises(urllib.error.URLError):
        _get(seen[0].jwks_uri)


def test_many_at_once_are_answered() -> None:
    with LocalIssuer(algorithms=("EdDSA", "RS256")).serve() as served:
        answers: list[bytes] = []
        threads = [threading.Thread(target=lambda: answers.append(_get(served.jwks_uri))) for _ in range(30)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(answers) == 30
        assert len(set(answers)) == 1


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:
        body: bytes = answer.read()
        return body
