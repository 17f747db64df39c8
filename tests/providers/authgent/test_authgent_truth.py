"""Rows of what the published package was seen to do, replayed through the same names; each difference has its reason.

The rows name their cases, and give neither tokens nor claims: those are made here.
"""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mint
import proofs
import pytest
from authgent_tokens import ISSUER, KEYS, act, claims, now, sign

import watchword as ww
import watchword.providers.authgent as authgent
from watchword.providers.authgent.middleware.scope_challenge import ScopeChallengeHandler, parse_scope_challenge

Row = dict[str, Any]

URI = "https://api.example.com/data"


def outcome(call: Callable[[], object]) -> Any:
    """What a call gives, or the code of the error that it ends in."""
    try:
        return call()
    except authgent.AuthgentError as error:
        return f"{type(error).__name__} {error.code or error.error_code}"
    except (TypeError, ValueError) as error:
        return type(error).__name__


@pytest.fixture(name="rows", scope="module")
def _rows(shared: Path) -> dict[str, dict[str, Row]]:
    found: dict[str, dict[str, Row]] = {}
    for row in json.loads((shared / "truth" / "authgent.json").read_bytes())["rows"]:
        found.setdefault(row["fn"], {})[row["case"]] = row
    return found


def compare(
    rows: dict[str, Row], ours: dict[str, Callable[[], Any]], differences: dict[str, tuple[Any, str]], form: Any
) -> None:
    """Every row has a case, and every case is answered as in its row, or as its difference says."""
    assert set(ours) == set(rows)
    assert set(differences) <= set(rows)
    for case, row in rows.items():
        found = outcome(ours[case])
        theirs = form(row)
        if case in differences:
            assert found == differences[case][0], case
            assert found != theirs, f"no difference any more: {case}"
            assert differences[case][1]
        elif row["outcome"] == "ok":
            assert found == theirs, case
        else:
            assert isinstance(found, str), case
            assert "Error" in found, case


# Chains.

ACTS: dict[str, dict[str, Any]] = {
    "A<-user": {"sub": "user:bob", "act": act("client:A", "user:bob")},
    "sub=user, act=client:A (what the server mints for a user-rooted exchange)": {
        "sub": "user:bob",
        "act": act("client:A"),
    },
    "sub=user + human_root:true claim, act=client:A": {
        "sub": "user:bob",
        "human_root": True,
        "act": act("client:A"),
    },
    "act={} (empty dict)": {"act": {}},
    "act=[..] list": {"act": [{"sub": "client:A"}]},
    "act without sub": {"act": {"iss": ISSUER}},
    "act.sub='USER:bob'": {"act": act("USER:bob")},
    "act carries iss/extra members": {
        "iss": ISSUER,
        "act": {"sub": "client:A", "iss": "https://other.example", "x": 1},
    },
    "inner act string stops the walk": {"act": act("client:A", innermost="client:B")},
    "inner act {} stops the walk": {"act": act("client:A", innermost={})},
    "5000 nested acts (no recursion limit)": {"act": act(*["A"] * 300)},
}

_MALFORMED = ("DelegationError delegation_malformed", "RFC 8693 section 4.1: act is an object that identifies an actor")
_SUBJECT = "RFC 8693 section 1.1: the subject is who is acted for, and no actor decides whether it is a human being"

ACTS_OTHERWISE: dict[str, tuple[Any, str]] = {
    "sub=user, act=client:A (what the server mints for a user-rooted exchange)": (
        {"depth": 1, "actors": [{"sub": "client:A"}], "human_root": True},
        _SUBJECT,
    ),
    "sub=user + human_root:true claim, act=client:A": (
        {"depth": 1, "actors": [{"sub": "client:A"}], "human_root": True},
        _SUBJECT,
    ),
    "act={} (empty dict)": _MALFORMED,
    "act=[..] list": _MALFORMED,
    "act without sub": _MALFORMED,
    "inner act string stops the walk": _MALFORMED,
    "inner act {} stops the walk": _MALFORMED,
    "act carries iss/extra members": (
        {"depth": 1, "actors": [{"sub": "client:A", "iss": "https://other.example"}], "human_root": False},
        "RFC 8693 section 4.1: iss and sub name an actor together",
    ),
    "5000 nested acts (no recursion limit)": (
        "DelegationError delegation_too_deep",
        "what is read is bounded",
    ),
}


def told(chain: authgent.DelegationChain) -> dict[str, Any]:
    return {"depth": chain.depth, "actors": chain.actors, "human_root": chain.human_root}


def test_chains_that_were_read(rows: dict[str, dict[str, Row]]) -> None:
    ours = {
        case: lambda given=given: told(authgent.AgentIdentity.from_claims(given).delegation_chain)
        for case, given in ACTS.items()
    }
    compare(rows["_extract_chain"], ours, ACTS_OTHERWISE, lambda row: row["value"])


def chain_of(*subjects: str, human_root: bool = False) -> authgent.DelegationChain:
    return authgent.DelegationChain([{"sub": subject} for subject in subjects], len(subjects), human_root)


#: case -> the chain, and the demands.
CHECKS: dict[str, tuple[Callable[[], authgent.DelegationChain], dict[str, Any]]] = {
    "depth1 default": (lambda: chain_of("client:A"), {}),
    "depth5 default(max 5)": (lambda: chain_of("c0", "c1", "c2", "c3", "c4"), {}),
    "empty max_depth=0": (chain_of, {"max_depth": 0}),
    "empty max_depth=-1": (chain_of, {"max_depth": -1}),
    "empty require_human_root": (chain_of, {"require_human_root": True}),
    "client only, require_human_root": (lambda: chain_of("client:A"), {"require_human_root": True}),
    "client<-user innermost, require_human_root": (
        lambda: chain_of("client:A", "user:b", human_root=True),
        {"require_human_root": True},
    ),
    "only user": (lambda: chain_of("user:b", human_root=True), {"require_human_root": True}),
    "allowed missing one": (lambda: chain_of("client:A", "client:B"), {"allowed_actors": ["client:A"]}),
    "allowed_actors=[] ": (lambda: chain_of("client:EVIL"), {"allowed_actors": []}),
    "empty chain, allowed set": (chain_of, {"allowed_actors": ["client:A"]}),
    "allowed as str (substring!)": (lambda: chain_of("client:A"), {"allowed_actors": "client:ABC"}),
    "hand-built chain: depth=0 but 9 actors": (lambda: authgent.DelegationChain([{"sub": "x"}] * 9, depth=0), {}),
}

CHECKS_OTHERWISE: dict[str, tuple[Any, str]] = {
    "empty max_depth=-1": ("ValueError", "refused in both; a depth below 0 is a caller's mistake"),
    "empty require_human_root": (
        "DelegationError delegation_no_human_root",
        "a machine's own token has no human being behind it",
    ),
    "allowed_actors=[] ": ("DelegationError delegation_actor_not_allowed", "an empty list allows nobody"),
    "allowed as str (substring!)": ("TypeError", "a single name is a mistake; there it is searched for a part"),
    "hand-built chain: depth=0 but 9 actors": ("ValueError", "a chain does not disagree with itself"),
}

#: The published error codes, which are ours too.
CHECK_CODES = {
    "allowed missing one": "unauthorized_actor",
    "client only, require_human_root": "no_human_root",
}


def test_chains_that_were_judged(rows: dict[str, dict[str, Row]]) -> None:
    ours = {
        case: lambda made=made, demands=demands: told(authgent.verify_delegation_chain(made(), **demands))
        for case, (made, demands) in CHECKS.items()
    }
    compare(
        rows["verify_delegation_chain"],
        ours,
        CHECKS_OTHERWISE,
        lambda row: row["value"] if row["outcome"] == "ok" else row["error_code"],
    )
    for case, code in CHECK_CODES.items():
        assert rows["verify_delegation_chain"][case]["error_code"] == code
        made, demands = CHECKS[case]
        with pytest.raises(authgent.DelegationError) as caught:
            authgent.verify_delegation_chain(made(), **demands)
        assert caught.value.error_code == code


# Claims.

SCOPES = {
    "'a  b\\tc\\n'": {"scope": "a  b\tc\n"},
    "''": {"scope": ""},
    "missing": {},
    "dup 'a a'": {"scope": "a a"},
    "int 5": {"scope": 5},
    "[] empty list": {"scope": []},
}


def test_scopes_that_were_read(rows: dict[str, dict[str, Row]]) -> None:
    ours = {
        case: lambda given=given: authgent.AgentIdentity.from_claims(given).scopes for case, given in SCOPES.items()
    }
    different = {
        "'a  b\\tc\\n'": (["a", "b\tc\n"], "RFC 6749 section 3.3: spaces stand between scopes, and nothing else does")
    }
    compare(rows["AgentIdentity.from_claims.scopes"], ours, different, lambda row: row.get("value"))


def test_audiences_that_were_read(rows: dict[str, dict[str, Row]]) -> None:
    ours = {
        "aud list": lambda: authgent.AgentIdentity.from_claims({"aud": ["a", "b"]}).audience,
        "aud missing": lambda: authgent.AgentIdentity.from_claims({}).audience,
    }
    compare(rows["AgentIdentity.from_claims.audience"], ours, {}, lambda row: row["value"])


# Tokens.


def _claims(**changes: Any) -> dict[str, Any]:
    return claims(**{"sub": "client:a", "aud": "https://api", "scope": "read write", **changes})


def _token(**changes: Any) -> str:
    return sign(_claims(**changes))


def _headed(**changes: Any) -> str:
    return sign(_claims(), mint.header("p256", "ES256", **changes))


def _with_keys(jwk: dict[str, Any]) -> Callable[[], Any]:
    fetcher = Found(jwk)
    return lambda: judged(_token(), jwks_fetcher=fetcher)


@dataclasses.dataclass
class Found:
    """The key of a fetcher that looks at nothing, as the rows' fetcher did."""

    jwk: dict[str, Any]

    async def get_key(self, kid: str) -> dict[str, Any]:
        return self.jwk


def judged(raw: Any, **arguments: Any) -> dict[str, Any]:
    """What the rows tell of an identity. No audience was demanded there, which has to be said here."""
    given = {"audience": ww.ANY_AUDIENCE, "jwks_fetcher": KEYS, **arguments}
    identity = asyncio.run(authgent.verify_token(raw, ISSUER, **given))
    return {
        "subject": identity.subject,
        "scopes": identity.scopes,
        "aud": identity.audience,
        "depth": identity.delegation_chain.depth,
    }


def _signature_changed(change: Callable[[bytes], str]) -> str:
    head, payload, signature = _token().split(".")
    return f"{head}.{payload}.{change(mint.unb64(signature))}"


def _der(signature: bytes) -> str:
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    halves = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    return mint.b64(encode_dss_signature(*halves))


def _newline_inside() -> str:
    head, payload, signature = _token().split(".")
    return f"{head}.{payload[:9]}\n{payload[9:]}.{signature}"


def _unused_bits(signature: bytes) -> str:
    text = mint.b64(signature)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) | 1]


def _twice() -> Any:
    raw = _token()
    judged(raw)
    return judged(raw)


TOKENS: dict[str, Callable[[], Any]] = {
    "valid": lambda: judged(_token()),
    "valid + matching audience": lambda: judged(_token(), audience="https://api"),
    "audience required but missing": lambda: judged(_token(aud=mint.OMIT), audience="https://api"),
    "expired 1s ago": lambda: judged(_token(exp=now() - 1)),
    "no exp": lambda: judged(_token(exp=mint.OMIT)),
    "no iat": lambda: judged(_token(iat=mint.OMIT)),
    "nbf in +10s": lambda: judged(_token(nbf=now() + 10)),
    "nbf +1s": lambda: judged(_token(nbf=now() + 2)),
    "exp float": lambda: judged(_token(exp=now() + 300.5)),
    "scope list in token": lambda: judged(_token(scope=["read", "write"])),
    "act.sub int in token": lambda: judged(_token(act={"sub": 5})),
    "missing kid": lambda: judged(_headed(kid=mint.OMIT)),
    "unknown kid": lambda: judged(_headed(kid="zz")),
    "kid int": lambda: judged(_headed(kid=5)),
    "kid empty string": lambda: judged(_headed(kid="")),
    "typ absent": lambda: judged(_headed(typ=mint.OMIT)),
    "alg none": lambda: judged(mint.token(_claims(), _none(), algorithm="none")),
    "EdDSA": lambda: judged(mint.token(_claims(), mint.header("p256", "EdDSA"), key="ed25519", algorithm="EdDSA")),
    "crit=['exp']": lambda: judged(_headed(crit=["exp"])),
    "crit=['http://x'] + member": lambda: judged(_headed(crit=["http://x"], **{"http://x": 1})),
    "crit=[] empty": lambda: judged(_headed(crit=[])),
    "b64=false w/o crit": lambda: judged(_headed(b64=False)),
    "DER-encoded ECDSA signature": lambda: judged(_signature_changed(_der)),
    "newline inside payload": lambda: judged(_newline_inside()),
    "empty": lambda: judged(""),
    "not ascii": lambda: judged("é.é.é"),
    "None": lambda: judged(None),
    "payload is JSON array": lambda: judged(sign(b"[]")),
    "non-canonical trailing bits in signature b64": lambda: judged(_signature_changed(_unused_bits)),
    "JWK with use=enc": _with_keys(mint.public_jwk("p256", use="enc")),
    "JWK crv=P-384 label with P-256 point": _with_keys(mint.public_jwk("p256", crv="P-384")),
    "JWK kty=RSA (no x/y)": _with_keys({"kty": "RSA", "kid": "p256"}),
    "DPoP-bound token (cnf.jkt) as plain bearer": lambda: judged(_token(cnf={"jkt": proofs.jkt()})),
    "act depth 50 accepted by verify_token": lambda: judged(_token(act=act(*["client:x"] * 50))),
    "replay same token twice #2": _twice,
}

TOKENS_OTHERWISE: dict[str, tuple[Any, str]] = {
    "no exp": ("InvalidTokenError missing_claim", "an access token ends (RFC 9068 section 2.2)"),
    "scope list in token": (
        {"subject": "client:a", "scopes": ["read", "write"], "aud": "https://api", "depth": 0},
        "an array of scopes has one meaning only; there it ends in an AttributeError",
    ),
    "JWK with use=enc": ("ServerError server_error", "RFC 7517 section 4.2: that key is for encryption"),
    "JWK crv=P-384 label with P-256 point": ("ServerError server_error", "no such point is on that curve"),
    "DPoP-bound token (cnf.jkt) as plain bearer": (
        "InvalidTokenError dpop_proof_required",
        "RFC 9449 section 7.1: without its proof a bound token is nobody's",
    ),
    "act depth 50 accepted by verify_token": ("InvalidTokenError malformed_claims", "JSON is 32 levels deep at most"),
}


def _none() -> dict[str, Any]:
    return mint.header("p256", "none")


def test_tokens_that_were_judged(rows: dict[str, dict[str, Row]]) -> None:
    compare(
        rows["verify_token"],
        TOKENS,
        TOKENS_OTHERWISE,
        lambda row: row["value"] if row["outcome"] == "ok" else row["message"],
    )


def test_tokens_are_for_nobody_where_no_audience_is_given(rows: dict[str, dict[str, Row]]) -> None:
    # The rows' tokens are for an API, which was not named: "valid" there.
    assert rows["verify_token"]["valid"]["outcome"] == "ok"
    assert outcome(lambda: judged(_token(), audience=None)) == "InvalidTokenError wrong_audience"


# Proofs.


def _proof(head: dict[str, Any] | None = None, **changes: Any) -> str:
    made = {"htm": "POST", "htu": URI, "iat": now(), "jti": f"j-{now()}-{next(_numbers)}"}
    payload = {name: value for name, value in {**made, **changes}.items() if value is not mint.OMIT}
    return proofs.proof(payload, head)


_numbers = iter(range(10_000))
RAW = "a.token"


def proved(proof: Any, uri: str = URI, token: Any = None, access_token: str | None = RAW) -> Any:
    bound = {"cnf": {"jkt": proofs.jkt()}} if token is None else token
    given = {"access_token": access_token} if access_token is not None else {}
    found = authgent.verify_dpop_proof(bound, proof, "POST", uri, **given)
    assert found["jkt"] == proofs.jkt()
    return "ok"


def _p(head: dict[str, Any] | None = None, uri: str = URI, **changes: Any) -> Callable[[], Any]:
    """A proof that goes with a token, as every proof does that comes to a resource server."""
    return lambda: proved(_proof(head, **{"ath": proofs.ath(RAW), **changes}), uri)


def _at(**offsets: float) -> Callable[[], Any]:
    """The same with times so many seconds from now."""
    return lambda: proved(_proof(ath=proofs.ath(RAW), **{name: now() + offset for name, offset in offsets.items()}))


PROOFS: dict[str, Callable[[], Any]] = {
    "valid": _p(),
    "typ=JWT": _p(proofs.header(typ="JWT")),
    "typ=DPOP+JWT (media types are case-insensitive)": _p(proofs.header(typ="DPOP+JWT")),
    "jwk missing": _p(proofs.header(jwk=mint.OMIT)),
    "jwk kty=RSA": _p(proofs.header(jwk=proofs.jwk(kty="RSA"))),
    "jwk kty=OKP": _p(proofs.header(jwk=proofs.jwk(kty="OKP"))),
    "jwk is a string": _p(proofs.header(jwk="key")),
    "jwk crv=P-384 label, P-256 coords (cnf = thumbprint of that)": _p(proofs.header(jwk=proofs.jwk(crv="P-384"))),
    "jwk crv missing (cnf = thumbprint of 3 members)": _p(proofs.header(jwk=proofs.jwk(crv=mint.OMIT))),
    "alg=HS256": lambda: proved(
        proofs.proof(proofs.claims(), proofs.header(alg="HS256"), key=b"secret", algorithm="HS256")
    ),
    "alg=ES384 header": _p(proofs.header(alg="ES384")),
    "signature by another key": lambda: proved(proofs.proof(proofs.claims(), signature=bytes([1] * 64))),
    "crit unknown": _p(proofs.header(crit=["x"], x=1)),
    "htm GET vs POST": _p(htm="GET"),
    "htm 'post' lowercase": _p(htm="post"),
    "htm None": _p(htm=None),
    "htu other host": _p(htu="https://evil.example.com/data"),
    "htu has query, request same query": _p(htu=URI + "?a=1", uri=URI + "?a=1"),
    "scheme/host case differs": _p(htu="HTTPS://API.Example.COM/data"),
    "trailing slash": _p(htu=URI + "/"),
    "percent-encoding case %2f/%2F": _p(htu="https://api.example.com/a%2fb", uri="https://api.example.com/a%2Fb"),
    "dot segments": _p(htu="https://api.example.com/x/../data"),
    "htu missing": _p(htu=mint.OMIT),
    "empty path vs '/'": _p(htu="https://api.example.com", uri="https://api.example.com/"),
    "iat = now-59": _at(iat=-58),
    "iat = now-61": _at(iat=-62),
    "iat = now-1": _at(iat=-1),
    "iat = now+1": _at(iat=1),
    "iat = now+2": _at(iat=2),
    "iat = now+5": _at(iat=5),
    "iat = now+61": _at(iat=61),
    "iat float": _at(iat=-0.5),
    "iat null": _p(iat=None),
    "exp in past in proof": _at(exp=-10),
    "nbf future in proof": _at(nbf=10),
    "ath absent though an access token is presented": _p(ath=mint.OMIT),
    "ath of ANOTHER token": _p(ath=proofs.ath("another")),
    "nonce absent": _p(),
    "nonce arbitrary": _p(nonce="zzz"),
    "token is AgentIdentity": lambda: proved(
        _proof(ath=proofs.ath(RAW)),
        token=authgent.AgentIdentity.from_claims({"cnf": {"jkt": proofs.jkt()}}),
        access_token=None,
    ),
    "token is TokenClaims": lambda: proved(
        _proof(ath=proofs.ath(RAW)), token=authgent.TokenClaims({"cnf": {"jkt": proofs.jkt()}})
    ),
    "None proof": lambda: proved(None),
}

PROOFS_OTHERWISE: dict[str, tuple[Any, str]] = {
    "typ=DPOP+JWT (media types are case-insensitive)": ("ok", "RFC 7515 section 4.1.9: media types have no case"),
    "jwk crv=P-384 label, P-256 coords (cnf = thumbprint of that)": (
        "DPoPError dpop_key_mismatch",
        "here the token is bound to the key under its own curve: another key is refused before it is looked at",
    ),
    "jwk crv missing (cnf = thumbprint of 3 members)": (
        "DPoPError dpop_invalid_key",
        "RFC 7518 section 6.2.1 requires crv",
    ),
    "htm 'post' lowercase": ("DPoPError dpop_wrong_method", "RFC 9110 section 9.1: methods have case"),
    "scheme/host case differs": ("ok", "RFC 9449 section 4.3 asks for RFC 3986 normalisation"),
    "percent-encoding case %2f/%2F": ("ok", "RFC 3986 section 6.2.2.1"),
    "dot segments": ("ok", "RFC 3986 section 6.2.2.3"),
    "empty path vs '/'": ("ok", "RFC 3986 section 6.2.3"),
    "iat = now+1": ("ok", "clocks may differ by 5 seconds"),
    "iat = now+2": ("ok", "clocks may differ by 5 seconds"),
    "iat = now+5": ("ok", "clocks may differ by 5 seconds"),
    "ath absent though an access token is presented": (
        "DPoPError dpop_missing_claim",
        "RFC 9449 section 4.3, check 12",
    ),
    "ath of ANOTHER token": ("DPoPError dpop_wrong_access_token", "RFC 9449 section 4.3, check 12"),
}


def test_proofs_that_were_judged(rows: dict[str, dict[str, Row]]) -> None:
    compare(
        rows["verify_dpop_proof"],
        PROOFS,
        PROOFS_OTHERWISE,
        lambda row: "ok" if row["outcome"] == "ok" else row["message"],
    )


def test_thumbprints_that_were_made(rows: dict[str, dict[str, Row]]) -> None:
    # The published helper is nobody's name; RFC 7638's function is watchword.thumbprint, for every kind of key.
    rsa = [mint.public_jwk(name) for name in ("rsa", "rsa-b")]
    ours = {
        "extra members ignored": ww.thumbprint(proofs.jwk()) == ww.thumbprint(proofs.jwk(use="sig", x5c=["x"])),
        "two different RSA keys give the same thumbprint": ww.thumbprint(rsa[0]) == ww.thumbprint(rsa[1]),
    }
    assert rows["_compute_jkt"].keys() - ours.keys() == {"RFC 7638 RSA example (3.1)"}  # tests/test_thumbprint.py
    assert ours == {"extra members ignored": True, "two different RSA keys give the same thumbprint": False}


# Challenges, and the names of the documentation.

CHALLENGES = {
    "multi scope": ('Bearer error="insufficient_scope", scope="a b c"', "a b c", ""),
    "no spaces after comma": ('Bearer error="insufficient_scope",scope="x"', "x", ""),
    "authgent server's own header": (
        'Bearer realm="authgent", error="insufficient_scope", '
        'error_description="Requested scopes not in client registration: x", scope="x y"',
        "x y",
        "authgent",
    ),
}


def test_challenges_that_were_read(rows: dict[str, dict[str, Row]]) -> None:
    assert set(CHALLENGES) == set(rows["parse_scope_challenge"])
    for case, (header, scope, realm) in CHALLENGES.items():
        found = parse_scope_challenge(header)
        assert found is not None
        assert dataclasses.asdict(found) == {"required_scope": scope, "error": "insufficient_scope", "realm": realm}
        # RFC 6750 section 3: scopes with spaces, RFC 9110 section 5.6.1: commas without. Each row is wrong about one.
        assert dataclasses.asdict(found) != rows["parse_scope_challenge"][case]["value"]


def test_names_of_the_documentation_are_all_there(rows: dict[str, dict[str, Row]]) -> None:
    import importlib

    assert rows["seed README"]["DPoPClient.create()"]["outcome"] == "raises"
    assert authgent.DPoPClient.create().jkt
    assert rows["seed README"]["ScopeChallengeHandler.handle_scope_challenge exists"]["value"] is False
    assert inspect.iscoroutinefunction(ScopeChallengeHandler.handle_scope_challenge)
    for case in rows["seed README import"]:
        module, _, name = case.replace("authgent.", "watchword.providers.authgent.", 1).rpartition(".")
        assert hasattr(importlib.import_module(module), name)
