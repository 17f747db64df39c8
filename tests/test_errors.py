"""The exceptions: one class for each code, stable names, what an HTTP server answers, and no word of the token."""

from __future__ import annotations

import copy
import pickle

import mint
import pytest

import watchword as ww
from watchword import ErrorCode
from watchword.errors import from_code

CODES = [
    "too_large", "malformed_token", "unsupported", "malformed_header", "unsupported_critical_header", "wrong_type",
    "algorithm_not_allowed", "unknown_key", "keys_unavailable", "invalid_signature", "malformed_claims", "expired",
    "not_yet_valid", "issued_in_future", "wrong_issuer", "wrong_audience", "missing_claim", "dpop_proof_required",
    "dpop_several_proofs", "dpop_missing_proof", "dpop_too_large", "dpop_malformed_proof",
    "dpop_unsupported_critical_header", "dpop_wrong_type", "dpop_algorithm_not_allowed", "dpop_private_key",
    "dpop_invalid_key", "dpop_invalid_signature", "dpop_malformed_claims", "dpop_missing_claim", "dpop_wrong_method",
    "dpop_wrong_uri", "dpop_nonce_required", "dpop_wrong_nonce", "dpop_expired", "dpop_issued_in_future",
    "dpop_wrong_access_token", "dpop_key_mismatch", "dpop_unbound_token", "dpop_replayed", "dpop_too_many_proofs",
    "dpop_replay_unavailable", "missing_token", "malformed_request",
    "insufficient_scope", "insufficient_user_authentication",
    "delegation_malformed", "delegation_hash_mismatch", "delegation_invalid_signature", "delegation_too_deep",
    "delegation_cycle", "delegation_no_human_root", "delegation_actor_not_allowed", "delegation_scope_widened",
]  # fmt: skip

#: Where the chain is not what was recorded, the token is to blame; where it is not acceptable, what it may be used for.
BROKEN_CHAINS = {"delegation_malformed", "delegation_hash_mismatch", "delegation_invalid_signature"}

CLASSES = {code: type(from_code(code, "a detail")) for code in CODES}


#: What RFC 6750 section 3.1 and RFC 9449 section 7.1 call those that are not simply a bad token or a bad proof.
OAUTH_ERRORS = {
    "insufficient_scope": "insufficient_scope",
    "insufficient_user_authentication": "insufficient_user_authentication",
    "malformed_request": "invalid_request",
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


@pytest.mark.parametrize("code", CODES)
def test_errors_can_be_copied_and_pickled(code: str) -> None:
    error = from_code(code, "what happened")
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(error, protocol))
        assert (type(again), again.code, again.detail, str(again)) == (
            type(error),
            error.code,
            error.detail,
            str(error),
        )
        assert again.www_authenticate() == error.www_authenticate()
    assert copy.copy(error).detail == copy.deepcopy(error).detail == error.detail


@pytest.mark.parametrize("code", CODES)
def test_an_error_without_a_detail_still_says_something(code: str) -> None:
    error = CLASSES[code]()
    assert error.detail
    assert str(error).startswith(f"{code}: ")


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
    if code == "dpop_too_many_proofs":
        assert (error.http_status, answer) == (429, None)
        return
    statuses = {"malformed_request": 400, "insufficient_scope": 403}
    refused = code.startswith("delegation_") and code not in BROKEN_CHAINS
    assert error.http_status == (403 if refused else statuses.get(code, 401))
    assert answer is not None
    if code == "missing_token":
        # Who sends no token is told what to send, and of no error (RFC 6750 section 3.1).
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
