"""The exceptions: one class for each code, stable names, the HTTP answer, and nothing quoted of the token."""

from __future__ import annotations

import copy
import hashlib
import pickle
from collections.abc import Callable
from typing import Any

import mint
import proofs
import pytest

import watchword as ww
from watchword import ErrorCode
from watchword.errors import from_code

CODES = [
    "too_large", "malformed_token", "unsupported", "malformed_header", "unsupported_critical_header", "wrong_type",
    "algorithm_not_allowed", "unknown_key", "keys_unavailable", "invalid_signature", "malformed_claims", "expired",
    "not_yet_valid", "issued_in_future", "wrong_issuer", "wrong_audience", "missing_claim", "certificate_required",
    "certificate_mismatch", "dpop_proof_required",
    "dpop_several_proofs", "dpop_missing_proof", "dpop_too_large", "dpop_malformed_proof",
    "dpop_unsupported_critical_header", "dpop_wrong_type", "dpop_algorithm_not_allowed", "dpop_private_key",
    "dpop_invalid_key", "dpop_invalid_signature", "dpop_malformed_claims", "dpop_missing_claim", "dpop_wrong_method",
    "dpop_wrong_uri", "dpop_nonce_required", "dpop_wrong_nonce", "dpop_expired", "dpop_issued_in_future",
    "dpop_wrong_access_token", "dpop_key_mismatch", "dpop_unbound_token", "dpop_replayed", "dpop_too_many_proofs",
    "dpop_replay_unavailable", "dpop_bound_token_required", "missing_token", "malformed_request", "token_in_query",
    "token_in_body", "ambiguous_path", "no_route",
    "insufficient_scope", "insufficient_user_authentication",
    "delegation_malformed", "delegation_hash_mismatch", "delegation_invalid_signature", "delegation_too_deep",
    "delegation_cycle", "delegation_no_human_root", "delegation_actor_not_allowed", "delegation_scope_widened",
    "untrusted_identity", "internal_error",
]  # fmt: skip

#: If the chain is not what was recorded, the token is invalid; if it is not acceptable, it is not authorised.
BROKEN_CHAINS = {"delegation_malformed", "delegation_hash_mismatch", "delegation_invalid_signature"}

CLASSES = {code: type(from_code(code, "a detail")) for code in CODES}


#: What RFC 6750 section 3.1 and RFC 9449 section 7.1 call those that are not simply a bad token or a bad proof.
OAUTH_ERRORS = {
    "insufficient_scope": "insufficient_scope",
    "insufficient_user_authentication": "insufficient_user_authentication",
    "malformed_request": "invalid_request",
    "token_in_query": "invalid_request",
    "token_in_body": "invalid_request",
    "dpop_bound_token_required": "invalid_token",
    "dpop_proof_required": "invalid_token",
    "dpop_key_mismatch": "invalid_token",
    "dpop_unbound_token": "invalid_token",
    "dpop_nonce_required": "use_dpop_nonce",
    "dpop_wrong_nonce": "use_dpop_nonce",
}


def _usual(code: str) -> str:
    if code.startswith("delegation_") and code not in BROKEN_CHAINS:
        return "insufficient_scope"
    return "invalid_dpop_proof" if code.startswith("dpop_") else "invalid_token"


def test_codes_are_closed_and_stable() -> None:
    assert [code.value for code in ErrorCode] == CODES
    assert [str(code) for code in ErrorCode] == CODES
    assert all(f"{code}" == code == code.value for code in ErrorCode)
    with pytest.raises(KeyError):
        from_code("no_such_code", "")


@pytest.mark.parametrize("code", CODES)
def test_each_code_has_a_class_of_its_own(code: str) -> None:
    error = from_code(code, "what happened")
    assert error.code is ErrorCode(code)
    assert (error.detail, error.args) == ("what happened", ("what happened",))
    assert str(error) == f"{code}: what happened"
    assert [name for name, kind in CLASSES.items() if isinstance(error, kind)] == [code]
    assert getattr(ww.dpop if isinstance(error, ww.DpopError) else ww, type(error).__name__) is type(error)
    assert type(error).__doc__


def test_errors_can_be_copied_and_pickled() -> None:
    for error in [from_code(code, "what happened") for code in CODES]:
        pickled = [pickle.dumps(error, protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
        for again in [*map(pickle.loads, pickled), copy.copy(error), copy.deepcopy(error)]:
            assert type(again) is type(error)
            assert (again.code, again.detail, str(again)) == (error.code, error.detail, str(error))
            assert again.www_authenticate() == error.www_authenticate()
    assert (error.token_hash, error.token_claims, error.token_header) == (None, None, None)


def test_an_error_has_a_detail_by_default() -> None:
    for code, kind in CLASSES.items():
        assert kind().detail
        assert str(kind()).startswith(f"{code}: ")


def test_groups() -> None:
    malformed = {code for code, kind in CLASSES.items() if issubclass(kind, ww.MalformedError)}
    about_claims = {code for code, kind in CLASSES.items() if issubclass(kind, ww.ClaimError)}
    about_delegation = {code for code, kind in CLASSES.items() if issubclass(kind, ww.DelegationError)}
    assert malformed == set(CODES[:5])
    assert about_claims == set(CODES[10:17])
    about_proofs = {code for code, kind in CLASSES.items() if issubclass(kind, ww.DpopError)}
    assert about_proofs == {code for code in CODES if code.startswith("dpop_")} - {"dpop_proof_required"}
    assert about_delegation == {code for code in CODES if code.startswith("delegation_")}
    assert all(issubclass(kind, ww.VerificationError) for kind in CLASSES.values())
    # A caller who catches ValueError for his own mistakes does not catch a verdict with it.
    assert not any(issubclass(kind, ValueError) for kind in CLASSES.values())


@pytest.mark.parametrize("code", CODES)
def test_what_a_server_answers(code: str) -> None:
    error = from_code(code, 'a detail with "quotes"\r\nand more')
    answer = error.www_authenticate()
    if code in ("keys_unavailable", "dpop_replay_unavailable"):
        assert (error.http_status, answer) == (503, None)
        return
    without_challenge = {"dpop_too_many_proofs": 429, "ambiguous_path": 400, "no_route": 403, "internal_error": 500}
    without_challenge["untrusted_identity"] = 403
    if code in without_challenge:
        assert (error.http_status, answer) == (without_challenge[code], None)
        return
    statuses = {"malformed_request": 400, "token_in_query": 400, "token_in_body": 400, "insufficient_scope": 403}
    rejected = code.startswith("delegation_") and code not in BROKEN_CHAINS
    assert error.http_status == (403 if rejected else statuses.get(code, 401))
    assert answer is not None
    if code == "missing_token":
        # A request without a token gets a challenge without an error (RFC 6750 section 3.1).
        assert answer == 'DPoP algs="EdDSA Ed25519 ES256 RS256 PS256", Bearer'
        return
    scheme = "DPoP" if code.startswith("dpop_") else "Bearer"
    assert answer.startswith(f'{scheme} error="{OAUTH_ERRORS.get(code) or _usual(code)}", error_description="')
    assert answer.endswith(', algs="EdDSA Ed25519 ES256 RS256 PS256"') == (scheme == "DPoP")
    # Never the detail: it may quote what the token's sender wrote.
    assert "quotes" not in answer
    assert all(" " <= ch <= "~" for ch in answer)
    assert answer.count('"') == (6 if scheme == "DPoP" else 4)


def test_www_authenticate_with_realm_and_metadata() -> None:
    answer = ww.ExpiredError().www_authenticate(realm="api", resource_metadata="https://api.example/.well-known/x")
    assert answer == (
        'Bearer realm="api", error="invalid_token", error_description="the token has expired", '
        'resource_metadata="https://api.example/.well-known/x"'
    )


@pytest.mark.parametrize("value", ['a"b', "a\\b", "a\r\nSet-Cookie: x", "a\x00", "é", "\x7f"])
@pytest.mark.parametrize("name", ["realm", "resource_metadata"])
def test_www_authenticate_carries_no_injection(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name):
        ww.ExpiredError().www_authenticate(**{name: value})


def test_details_say_what_to_look_at() -> None:
    keys = ww.KeySet.from_json(mint.jwks("ed25519"))
    policy = ww.Policy(issuer=mint.ISSUER, audience=mint.AUDIENCE, required=("exp", "tenant"))
    for token, words in (
        (mint.token(mint.claims(exp=mint.NOW - 65)), ["65"]),
        (mint.token(mint.claims(nbf=mint.NOW + 90)), ["90"]),
        (mint.token(mint.claims(iat=mint.NOW + 120)), ["120"]),
        (mint.token(), ["tenant"]),
        (mint.token(head=mint.header("key-2026-07")), ["key-2026-07"]),
        (mint.token(mint.claims(pad="x" * 20_000)), ["16384"]),
        (mint.token(mint.claims(exp="soon")), ["exp"]),
        (mint.token(head=mint.header(crit=["x"])), ["crit"]),
    ):
        with pytest.raises(ww.VerificationError) as caught:
            ww.verify(token, keys, policy, now=mint.NOW)
        for word in words:
            assert word in caught.value.detail


def test_a_hostile_kid_cannot_forge_a_log_line() -> None:
    keys = ww.KeySet.from_json(mint.jwks("ed25519"))
    for kid in ("a\nERROR token accepted", "\x1b[2Jx", "a\u202eb", "\u2028", 'a"b', "x" * 3000, "\U0001f511"):
        with pytest.raises(ww.UnknownKeyError) as caught:
            ww.verify_jws(mint.token(head=mint.header(kid)), keys)
        assert all(" " <= ch <= "~" or ch == "…" for ch in str(caught.value))
        assert len(str(caught.value)) < 300


POLICY = ww.Policy(issuer=mint.ISSUER, audience=mint.AUDIENCE)
KEYS = ww.KeySet.from_json(mint.jwks("ed25519"))


def rejection(token: str | bytes, policy: ww.Policy = POLICY, **arguments: Any) -> ww.VerificationError:
    with pytest.raises(ww.VerificationError) as caught:
        ww.verify(token, KEYS, policy, now=mint.NOW, **arguments)
    return caught.value


def hash_of(token: str | bytes) -> str:
    raw = token.encode() if isinstance(token, str) else token
    return mint.b64(hashlib.sha256(raw).digest())


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"iss": f"{mint.ISSUER}/"}, f'"iss" must be "{mint.ISSUER}"; the token\'s differs only by a slash at the end'),
        ({"iss": mint.ISSUER.replace("https", "http")}, "only in its scheme"),
        ({"iss": mint.ISSUER.removeprefix("https://")}, "only in its scheme"),
        ({"iss": mint.ISSUER.upper()}, "only in upper and lower case"),
        ({"iss": mint.OMIT}, f'the claim "iss" is required and missing; it must be "{mint.ISSUER}"'),
        (
            {"aud": [f"{mint.AUDIENCE}/", "x"]},
            f'"aud" must name "{mint.AUDIENCE}"; the token\'s differs only by a slash',
        ),
        ({"aud": mint.AUDIENCE.replace("https", "http")}, "only in its scheme"),
        ({"aud": []}, f'the claim "aud" is required and missing; it must name "{mint.AUDIENCE}"'),
    ],
)
def test_details_say_what_is_expected_and_how_little_is_missing(changes: dict[str, Any], detail: str) -> None:
    assert detail in rejection(mint.token(mint.claims(**changes))).detail


def test_details_say_which_types_are_expected() -> None:
    error = rejection(mint.token(head=mint.header(typ="dpop+jwt")))
    assert error.detail == 'the header\'s "typ" must be "JWT", "at+jwt" or absent'
    error = rejection(mint.token(), ww.Policy(audience=ww.ANY_AUDIENCE, types=("at+jwt",)))
    assert error.detail == 'the header\'s "typ" must be "at+jwt"'


def test_what_an_operator_named_is_bounded_and_escaped() -> None:
    names = [f"https://a\n\u202e{number}" + "x" * 3000 for number in range(500)]
    for error in (rejection(mint.token(), ww.Policy(issuer=names)), rejection(mint.token(), ww.Policy(audience=names))):
        assert "or 496 others" in error.detail
        assert len(error.detail) < 2000
        assert all(" " <= ch <= "~" or ch == "…" for ch in error.detail)


CHANGED: list[tuple[dict[str, Any], str]] = [
    ({"exp": mint.NOW - 60}, "expired"),
    ({"nbf": mint.NOW + 60}, "not_yet_valid"),
    ({"iat": mint.NOW + 60}, "issued_in_future"),
    ({"iss": "https://other.example"}, "wrong_issuer"),
    ({"aud": "other"}, "wrong_audience"),
    ({"exp": mint.OMIT}, "missing_claim"),
    ({"scope": 5}, "malformed_claims"),
    ({"cnf": {"jkt": "x"}}, "dpop_proof_required"),
    ({"cnf": {"kid": "x"}}, "unsupported"),
]


@pytest.mark.parametrize(("changes", "code"), CHANGED)
def test_an_error_has_the_claims_of_a_signed_token(changes: dict[str, Any], code: str) -> None:
    claims = mint.claims(**changes)
    token = mint.token(claims)
    errors: dict[str, Any] = {
        "verify": rejection(token),
        "verify_many": ww.verify_many([mint.token(), token], KEYS, POLICY, now=mint.NOW)[1],
        "cache": _raised(lambda: ww.TokenCache(max_bytes=10_000).verify(token, KEYS, POLICY, mint.NOW)),
        "verifier": _raised(lambda: VERIFIER.verify(token, now=mint.NOW)),
        "verifier_many": VERIFIER.verify_many([token, mint.token()], now=mint.NOW)[0],
    }
    for way, error in errors.items():
        assert error.code == code, way
        assert error.token_claims == {name: value for name, value in claims.items() if value is not mint.OMIT}, way
        assert error.token_header == mint.header(), way
        assert error.token_hash == hash_of(token), way
        assert error.token_claims is error.token_claims, way


VERIFIER = ww.Verifier([ww.Issuer(mint.ISSUER, jwks=mint.jwks("ed25519"))], audience=mint.AUDIENCE)


def _raised(call: Callable[[], object]) -> ww.VerificationError:
    with pytest.raises(ww.VerificationError) as caught:
        call()
    return caught.value


UNSIGNED: dict[str, str | bytes] = {
    "no token": "",
    "garbage": b"\xff\x00",
    "too large": "x" * 20_000,
    "unknown key": mint.token(head=mint.header("nobody")),
    "another type": mint.token(head=mint.header(typ="dpop+jwt")),
    "forged": mint.token(mint.claims(sub="somebody"), signature=bytes(64)),
}


@pytest.mark.parametrize("name", UNSIGNED)
def test_an_error_has_no_unsigned_claims(name: str) -> None:
    token = UNSIGNED[name]
    errors = [
        rejection(token),
        ww.verify_many([token], KEYS, POLICY, now=mint.NOW)[0],
        _raised(lambda: ww.verify_jws(token, KEYS, types=("JWT",))),
        _raised(lambda: ww.TokenCache(max_bytes=10_000).verify(token, KEYS, POLICY, mint.NOW)),
        _raised(lambda: VERIFIER.verify(token, now=mint.NOW)),
        VERIFIER.verify_many([token], now=mint.NOW)[0],
    ]
    for error in errors:
        assert isinstance(error, ww.VerificationError)
        assert (error.token_claims, error.token_header, error.token_hash) == (None, None, hash_of(token))


def test_a_payload_that_is_no_claims_set_has_no_claims() -> None:
    error = rejection(mint.token(b"prose"))
    assert (error.code, error.token_claims, error.token_header) == ("malformed_claims", None, mint.header())


def test_the_hash_is_of_the_token_as_it_was_presented() -> None:
    class Text(str):
        __slots__ = ()

    token = mint.token(mint.claims(exp=1))
    for presented in (token, token.encode(), Text(token)):
        assert rejection(presented).token_hash == hash_of(token)
        assert ww.verify_many([presented], KEYS, POLICY, now=mint.NOW)[0].token_hash == hash_of(token)  # type: ignore[union-attr]
    # Text that cannot be encoded has one, too.
    assert rejection("a.b.\ud800").token_hash
    # It is what a DPoP proof calls the token.
    assert rejection(token).token_hash == proofs.ath(token)
    call = {"method": proofs.METHOD, "uri": proofs.URI, "now": proofs.NOW, "access_token": "another"}
    error = _raised(lambda: ww.dpop.verify_proof(proofs.proof(proofs.claims(ath=proofs.ath(token))), **call))
    assert (error.code, error.token_hash) == ("dpop_wrong_access_token", hash_of("another"))


def test_copies_and_pickles_have_the_hash_and_what_was_asked_for() -> None:
    token = mint.token(mint.claims(exp=1))
    copies: list[Callable[[ww.VerificationError], ww.VerificationError]] = [
        copy.copy,
        copy.deepcopy,
        *(
            lambda error, protocol=protocol: pickle.loads(pickle.dumps(error, protocol))  # type: ignore[misc]
            for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
        ),
    ]
    for again in copies:
        error = rejection(token)
        unasked = again(error)
        assert (unasked.token_hash, unasked.token_claims, unasked.token_header) == (hash_of(token), None, None)
        assert error.token_claims == mint.claims(exp=1)
        asked = again(again(error))
        assert (asked.token_hash, asked.token_claims, asked.token_header) == (hash_of(token), mint.claims(exp=1), None)


def test_errors_of_a_verifier_with_several_issuers_know_their_token() -> None:
    issuers = [ww.Issuer(f"https://{name}.example", jwks=mint.jwks("ed25519")) for name in ("a", "b")]
    verifier = ww.Verifier(issuers, audience=mint.AUDIENCE)
    token = mint.token(mint.claims(iss="https://unknown.example"))
    for error in (
        _raised(lambda: verifier.verify(token, now=mint.NOW)),
        verifier.verify_many([token], now=mint.NOW)[0],
    ):
        assert isinstance(error, ww.WrongIssuerError)
        assert (error.token_hash, error.token_claims) == (hash_of(token), None)


def test_errors_of_requests_know_their_token() -> None:
    def rejected(**headers: str) -> ww.VerificationError:
        call = {"method": "GET", "uri": "https://api.example/", "headers": headers}
        return _raised(lambda: VERIFIER.verify_request(**call, now=mint.NOW))  # type: ignore[arg-type]

    expired = mint.token(mint.claims(exp=1))
    error = rejected(Authorization=f"Bearer {expired}")
    assert (error.token_hash, error.token_claims) == (hash_of(expired), mint.claims(exp=1))
    assert rejected(Authorization=f"DPoP {expired}", DPoP="a.b.c").token_hash == hash_of(expired)
    assert rejected().token_hash is None
