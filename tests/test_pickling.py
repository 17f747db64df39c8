"""What can be pickled and copied: key sets and policies, which give the same verdicts afterwards; and what cannot."""

from __future__ import annotations

import copy
import json
import multiprocessing
import pickle
import re
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import mint
import proofs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paths import KEY_OPTIONS, code_of, each_backend
from test_keyset import der, pem

import watchword as ww
from watchword.types import PolicyArguments

COPIES: dict[str, Callable[[Any], Any]] = {
    **{
        f"pickle-{protocol}": lambda value, protocol=protocol: pickle.loads(pickle.dumps(value, protocol))
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    },
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}

each_copy = pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)

ARGUMENTS: list[dict[str, Any]] = [
    {},
    {"issuer": mint.ISSUER, "audience": mint.AUDIENCE},
    {"issuer": [mint.ISSUER, "https://other.example"], "audience": [mint.AUDIENCE, "b", "a"]},
    {"audience": ww.ANY_AUDIENCE, "algorithms": ("ES256", "EdDSA"), "types": ["application/AT+JWT", None]},
    {"leeway": 0.25, "required": (), "bound_tokens": "accept", "scope_claims": ()},
    {"issuer": "https://login.example/{tid}/v2.0", "tenants": ["b", "a", "b"]},
    {"issuer": ["https://login.example/{tid}/v2.0", mint.ISSUER], "tenants": ww.ANY_TENANT},
    {"trust_domain": "example.org", "audience": "é\n'\""},
    {"audience_claim": "client_id", "audience": "web", "max_token_bytes": 99, "max_header_bytes": 2**40},
]

each_policy = pytest.mark.parametrize("arguments", ARGUMENTS, ids=lambda arguments: ",".join(arguments) or "default")

#: Of each, something is verified differently from the others.
TOKENS = [
    *(mint.token(key=name, algorithm=algorithm) for name, algorithm in mint.SIGNERS),
    *(
        mint.token(key=name, algorithm=algorithm, head=mint.header(algorithm=algorithm, kid=kid))
        for name, algorithm in mint.SIGNERS
        for kid in ("k", "", mint.OMIT)
    ),
    mint.token(mint.claims(iss="https://login.example/t1/v2.0", tid="t1")),
    mint.token(mint.claims(iss="https://login.example/t2/v2.0", tid="t2")),
    mint.token(mint.claims(exp=mint.NOW - 10)),
    mint.token(mint.claims(iss="https://other.example", aud="b")),
    mint.token(signature=bytes(64)),
]


def read_back(policy: ww.Policy) -> dict[str, Any]:
    return {name: getattr(policy, name) for name in PolicyArguments.__annotations__}


def described(keys: ww.KeySet) -> object:
    return (
        repr(keys),
        [(key.thumbprint, key.key_id, key.algorithms) for key in keys],
        [(key.index, key.key_id, key.reason, key.detail) for key in keys.rejected],
    )


def verdicts(keys: ww.KeySet, policy: ww.Policy) -> list[object]:
    """What each of the tokens is, with the key and the words of the error."""
    return [
        (one.key_id, one.algorithm) if isinstance(one, ww.VerifiedToken) else (one.code, one.detail)
        for one in ww.verify_many(TOKENS, keys, policy, now=mint.NOW)
    ]


POLICIES = [
    ww.Policy(issuer=mint.ISSUER, audience=mint.AUDIENCE),
    # By this one, a key's `issuer` counts.
    ww.Policy(issuer="https://login.example/{tid}/v2.0", tenants=ww.ANY_TENANT, audience=mint.AUDIENCE),
]


def assert_same(keys: ww.KeySet, other: ww.KeySet) -> None:
    assert described(other) == described(keys)
    for policy in POLICIES:
        assert verdicts(other, policy) == verdicts(keys, policy)


def test_the_arguments_have_one_list() -> None:
    signature = ww.Policy.__text_signature__
    assert signature is not None
    assert re.findall(r"(\w+)=", signature) == list(PolicyArguments.__annotations__)


@each_policy
def test_policies_can_be_read_back(arguments: dict[str, Any]) -> None:
    policy = ww.Policy(**arguments)
    found = read_back(policy)
    for name, value in arguments.items():
        expected = tuple(value) if isinstance(value, list) else value
        single = name in {"issuer", "audience"} and isinstance(value, str)
        assert found[name] == ((value,) if single else expected)
    assert {name: found[name] for name in found if name not in arguments} == {
        name: value for name, value in read_back(ww.Policy()).items() if name not in arguments
    }
    assert ww.Policy(**found) == policy
    assert isinstance(policy.leeway, float)


@each_policy
@each_copy
def test_policies_survive(arguments: dict[str, Any], copied: Callable[[Any], Any]) -> None:
    policy = ww.Policy(**arguments)
    again = copied(policy)
    assert (again, hash(again), repr(again)) == (policy, hash(policy), repr(policy))
    assert read_back(again) == read_back(policy)
    keys = ww.KeySet.from_json(mint.jwks("ed25519", "p256", "p384", "rsa"))
    assert verdicts(keys, again) == verdicts(keys, policy)


def test_policies_compare_by_their_arguments() -> None:
    policies = [ww.Policy(**arguments) for arguments in ARGUMENTS]
    assert len(set(policies)) == len(policies)
    assert ww.Policy(issuer="a") == ww.Policy(issuer=["a"])
    assert ww.Policy(leeway=5) == ww.Policy()
    assert ww.Policy() != ww.Policy(leeway=6)
    assert ww.Policy() != "Policy()"
    assert "max_token_bytes" not in repr(ww.Policy())
    assert "max_token_bytes=7" in repr(ww.Policy(max_token_bytes=7))


def test_replace() -> None:
    policy = ww.Policy(issuer=mint.ISSUER, audience=mint.AUDIENCE, leeway=1)
    assert policy.replace() == policy
    assert policy.replace(leeway=2, types=["JWT"]) == ww.Policy(
        issuer=mint.ISSUER, audience=mint.AUDIENCE, leeway=2, types=("JWT",)
    )
    assert policy.leeway == 1
    assert policy.replace(issuer=None, trust_domain="example.org").trust_domain == "example.org"
    with pytest.raises(ValueError, match="trust_domain"):
        policy.replace(trust_domain="example.org")
    with pytest.raises(ValueError, match="leeway"):
        policy.replace(leeway=-1)
    with pytest.raises(TypeError, match="isuer"):
        policy.replace(isuer="x")  # type: ignore[call-arg]


def test_a_policy_that_could_not_be_made_cannot_be_unpickled() -> None:
    data = pickle.dumps(ww.Policy(bound_tokens="accept"), protocol=2)
    assert b"accept" in data
    with pytest.raises(ValueError, match="bound_tokens"):
        pickle.loads(data.replace(b"accept", b"ignore"))


JWKS: dict[str, Any] = {
    "all": mint.jwks("ed25519", "p256", "p384", "rsa"),
    "without kid": mint.jwks(*(mint.public_jwk(name, kid=mint.OMIT) for name in ("ed25519", "p256", "p384", "rsa"))),
    "one kid, several algorithms": mint.jwks(
        *(mint.public_jwk("rsa", kid="k", alg=name) for name in ("PS256", "RS256", "RS512")),
        *(mint.public_jwk(name, kid="k") for name in ("p256", "ed25519")),
    ),
    "restricted": mint.jwks(
        mint.public_jwk("rsa", alg="PS384", use="sig", x5c=["MIIB"]),
        mint.public_jwk("ed25519", alg="Ed25519", key_ops=["verify", "sign"]),
        mint.public_jwk("p256", alg="ES256", use="jwt-svid", kid=""),
        mint.public_jwk("p384", kid=None, alg=None, use=None),
    ),
    "issuers": mint.jwks(
        mint.public_jwk("ed25519", issuer="https://login.example/{tenantid}/v2.0"),
        mint.public_jwk("ed25519", kid="k", issuer="https://login.example/t1/v2.0"),
        mint.public_jwk("rsa", issuer=7),
        mint.public_jwk("p256", issuer=None),
    ),
    "leading zeros": mint.jwks(mint.public_jwk("rsa", n=mint.b64(b"\0" + mint.unb64(mint.public_jwk("rsa")["n"])))),
    "kid to escape": mint.jwks(mint.public_jwk("ed25519", kid="\"\\<&>\u2028é😀\0\n\x7f")),
    "rejected": mint.jwks(
        {"kty": "oct", "k": "c2VjcmV0", "kid": "shared"},
        "ed25519",
        mint.private_jwk("p256"),
        mint.public_jwk("rsa", d=None),
        mint.public_jwk("rsa", kid="enc", use="enc"),
        mint.public_jwk("rsa", kid="sign", key_ops=["sign"]),
        mint.public_jwk("rsa", kid="ops", key_ops=["verify", 1]),
        mint.public_jwk("rsa", kid="twice", key_ops=["verify", "verify"]),
        mint.public_jwk("rsa", kid="mismatch", alg="ES256"),
        mint.public_jwk("rsa", kid="no name", alg=[]),
        mint.public_jwk("rsa", kid="number", n=12),
        mint.public_jwk("rsa", kid="even", e="AA"),
        mint.public_jwk("p256", kid="off", x=mint.public_jwk("p256")["y"]),
        mint.public_jwk("p256", kid={"a": 1}),
        mint.public_jwk("ed25519", kid="short", x="AAAA"),
        mint.public_jwk("ed25519", kid="small", x=mint.b64(b"\1" + bytes(31))),
        mint.public_jwk("ed25519", kid="curve", crv=None),
        "ed25519",
        "p521", "rsa-1024", "rsa-roca",
        {}, {"kty": None}, {"kty": "x"}, {"kid": "k"},
        "p384",
    ),
    "not objects": {"keys": [None, 7, "x", [], mint.public_jwk("rsa"), True]},
    "nothing": {"keys": []},
    "one": mint.public_jwk("p256"),
    "one, rejected": {"kty": "oct", "k": "c2VjcmV0"},
}  # fmt: skip


@pytest.mark.parametrize("name", JWKS)
@pytest.mark.parametrize("options", KEY_OPTIONS, ids=str)
def test_key_sets_survive(name: str, options: Any) -> None:
    keys = ww.KeySet.from_json(json.dumps(JWKS[name]), **options._asdict())
    for copied in COPIES.values():
        assert_same(keys, copied(keys))
    # Twice is like once.
    assert pickle.dumps(copy.copy(keys)) == pickle.dumps(keys)


@pytest.mark.parametrize(("name", "algorithm"), mint.SIGNERS)
@each_backend
def test_key_sets_of_pem_and_der_survive(name: str, algorithm: str, backend: Any) -> None:
    for keys in (
        ww.KeySet.from_pem(pem(name), backend=backend),
        ww.KeySet.from_pem(pem(name), key_id="k", algorithm=algorithm, prepare="never"),
        ww.KeySet.from_pem(pem(name) + pem("rsa"), backend=backend),
        ww.KeySet.from_der(der(name), key_id=name, algorithm=algorithm, backend=backend),
    ):
        for copied in COPIES.values():
            assert_same(keys, copied(keys))


MEMBERS = {
    "kty": st.sampled_from(["RSA", "EC", "OKP", "oct", "x", None, 1]),
    "crv": st.sampled_from(["P-256", "P-384", "Ed25519", "P-521", None, 1]),
    "kid": st.sampled_from(["k", "", "ed25519", None, 1, "\ue000"]),
    "alg": st.sampled_from(["EdDSA", "ES256", "ES384", "RS256", "PS256", "none", None, 1]),
    "use": st.sampled_from(["sig", "enc", "jwt-svid", None, 1]),
    "key_ops": st.sampled_from([[], ["verify"], ["sign"], ["verify", "verify"], ["verify", {}], "verify", None]),
    "issuer": st.sampled_from(["https://login.example/{x}/v2.0", mint.ISSUER, "", None, 1, [[]]]),
    "n": st.sampled_from(["AQAB", "A", "", None, 1, [["x"]]]),
    "x": st.sampled_from(["AQAB", "A", "", None, 1, {"a": "b"}]),
    "d": st.sampled_from(["c2VjcmV0", "", None, 1]),
    "k": st.sampled_from(["c2VjcmV0", None]),
    "x5c": st.just(["c2VjcmV0"]),
    "jwk": st.just({"d": "c2VjcmV0"}),
}

KEYS = st.one_of(
    st.builds(
        lambda name, changes: {**mint.public_jwk(name), **changes},
        st.sampled_from(["ed25519", "p256", "p384", "rsa", "rsa-1024", "p521"]),
        st.fixed_dictionaries({}, optional=MEMBERS),
    ),
    st.sampled_from([None, 7, [], "x", {}]),
)


@given(st.lists(KEYS, max_size=8), st.sampled_from(KEY_OPTIONS))
def test_any_key_set_survives(listed: list[Any], options: Any) -> None:
    keys = ww.KeySet.from_json({"keys": listed}, **options._asdict())
    data = pickle.dumps(keys)
    assert b"c2VjcmV0" not in data
    assert_same(keys, pickle.loads(data))


def test_a_pickle_of_keys_has_no_secret_and_no_certificate() -> None:
    private = [mint.private_jwk(name) for name in ("ed25519", "p256", "rsa")]
    secrets = [str(jwk[name]).encode() for jwk in private for name in ("d", "p", "q") if name in jwk]
    shared = {"kty": "oct", "k": "c2hhcmVkIHNlY3JldA"}
    keys = ww.KeySet.from_json({"keys": [*private, shared, mint.public_jwk("rsa", x5c=["MIIBcert"])]})
    assert [key.reason for key in keys.rejected] == ["private_key"] * 3 + ["symmetric_key"]
    data = pickle.dumps(keys)
    assert all(secret not in data for secret in [*secrets, b"c2hhcmVkIHNlY3JldA", b"MIIBcert"])


def test_a_key_set_at_the_limit_survives() -> None:
    """Escapes that are written longer than in the document do not make it too long to be read again."""
    jwk = {**mint.public_jwk("ed25519"), "kid": "<" * (1024 * 1024 - 1000)}
    keys = ww.KeySet.from_json(jwk)
    assert described(pickle.loads(pickle.dumps(keys))) == described(keys)


def test_keys_are_validated_again() -> None:
    keys = ww.KeySet.from_json(mint.jwks("ed25519", "p256"))
    point = mint.public_jwk("ed25519")["x"].encode()
    data = pickle.dumps(keys)
    assert point in data
    altered = pickle.loads(data.replace(point, b"A" * len(point)))
    assert [key.key_id for key in altered] == ["p256"]
    assert [(key.index, key.key_id) for key in altered.rejected] == [(0, "ed25519")]
    with pytest.raises(ww.KeySetError):
        pickle.loads(data.replace(b'{"keys"', b'{"kays"'))


def code_in_a_worker(keys: ww.KeySet, policy: ww.Policy, token: str) -> str | None:
    code = code_of(ww.verify, token, keys, policy, now=mint.NOW)
    return None if code is None else code.value


@pytest.mark.slow
@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_processes_that_share_nothing(method: str) -> None:
    keys = ww.KeySet.from_json(mint.jwks("ed25519", {"kty": "oct"}))
    policy = ww.Policy(issuer=mint.ISSUER, audience=ww.ANY_AUDIENCE)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as pool:
        tokens = (mint.token(), mint.token(mint.claims(iss="x")), mint.token(key="p256", algorithm="ES256"))
        codes = [pool.submit(code_in_a_worker, keys, policy, token).result() for token in tokens]
        again = pool.submit(copy.deepcopy, keys).result()
    assert codes == [None, "wrong_issuer", "unknown_key"]
    assert_same(keys, again)


def unforgeable() -> dict[str, Any]:
    """What only verification makes, and what holds secrets or connections."""
    keys = ww.KeySet.from_json(mint.jwks("ed25519"))
    policy = ww.Policy(audience=mint.AUDIENCE)
    token = ww.verify(mint.token(), keys, policy, now=mint.NOW)
    bound = mint.claims(cnf={"jkt": ww.thumbprint(mint.public_jwk("p256"))})
    confirmed = ww.verify(mint.token(bound), keys, policy.replace(bound_tokens="accept"), now=mint.NOW)
    return {
        "VerifiedToken": token,
        "VerifiedJws": ww.verify_jws(mint.token(), keys),
        "DpopProof": ww.dpop.verify_proof(proofs.proof(), method=proofs.METHOD, uri=proofs.URI, now=mint.NOW),
        "BatchResult": ww.verify_many([mint.token()], keys, policy, now=mint.NOW),
        "Confirmation": confirmed.confirmation,
        "DelegationChain": token.delegation,
        "TokenCache": ww.TokenCache(max_bytes=1000),
    }


@pytest.mark.parametrize("name", unforgeable())
def test_what_stays_in_the_process(name: str) -> None:
    thing = unforgeable()[name]
    assert type(thing).__name__ == name
    for copied in COPIES.values():
        with pytest.raises(TypeError):
            copied(thing)
