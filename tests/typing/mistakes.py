"""A user's mistakes. It is never run: ``mypy --strict`` must find each marked one, with the code beside it."""

from __future__ import annotations

import httpx2

import watchword as ww
from watchword import jwks


def frozen(token: ww.VerifiedToken, key: ww.PublicKey, keys: ww.KeySet, issuer: ww.Issuer) -> None:
    token.subject = "somebody else"  # mistake: misc
    token.claims = {}  # mistake: misc
    key.algorithms = ("none",)  # mistake: misc
    keys.rejected = ()  # mistake: misc
    issuer.audience = None  # mistake: misc


def optional(token: ww.VerifiedToken, keys: ww.KeySet) -> None:
    print(token.subject.upper())  # mistake: union-attr
    print(token.confirmation.jkt)  # mistake: union-attr
    print(keys.get("kid").thumbprint)  # mistake: union-attr
    lifetime: float = token.expires_at  # mistake: assignment
    print(lifetime)


def arguments(raw: str, keys: ww.KeySet, policy: ww.Policy, verifier: ww.Verifier) -> None:
    ww.verify(raw, policy, keys)  # mistake: arg-type
    ww.verify(raw, keys)  # mistake: call-arg
    ww.verify(raw, keys, policy, 1.5)  # mistake: call-arg
    ww.verify(None, keys, policy)  # mistake: arg-type
    ww.verify(raw, {"keys": []}, policy)  # mistake: arg-type
    ww.Policy("https://as.example")  # mistake: call-arg
    ww.Policy(verify_exp=False)  # mistake: call-arg
    ww.Policy(bound_tokens="ignore")  # mistake: arg-type
    ww.Policy(leeway="5")  # mistake: arg-type
    ww.Policy(audience=1)  # mistake: arg-type
    ww.Policy(trust_domain=1)  # mistake: arg-type
    ww.KeySet.from_json(None)  # mistake: arg-type
    ww.KeySet.from_json("{}", backend="openssl")  # mistake: arg-type
    ww.Issuer("https://as.example", bound_tokens="ignore")  # mistake: arg-type
    ww.Verifier("https://as.example", fetcher=httpx2.Client())  # mistake: arg-type
    jwks.HttpxFetcher(httpx2.AsyncClient())  # mistake: arg-type
    print(verifier.verify_async(raw).subject)  # mistake: attr-defined


def results(raw: str, keys: ww.KeySet, policy: ww.Policy) -> None:
    print(ww.verify_many([raw], keys, policy)[0].subject)  # mistake: union-attr
    print(ww.verify_jws(raw, keys).claims)  # mistake: attr-defined
    wrong: bool = ww.verify(raw, keys, policy)  # mistake: assignment
    code: int = ww.VerificationError().code  # mistake: assignment
    print(wrong, code)


def scopes(resource: ww.scopes.ResourceScopes, plain: ww.scopes.PlainScopes, pem: bytes) -> None:
    resource.allows("read", "users")  # mistake: call-arg
    resource.allows(action="read")  # mistake: call-arg
    plain.allows(["openid"])  # mistake: arg-type
    resource.covers(plain)  # mistake: arg-type
    ww.scopes.check_narrowing(resource, plain)  # mistake: type-var
    ww.scopes.PlainScopes(None)  # mistake: arg-type
    resource.ignored = ()  # mistake: misc
    ww.thumbprint(pem)  # fine: a JWK in bytes, for all that a type can say
    ww.thumbprint()  # mistake: call-overload
    ww.thumbprint(pem=pem, der=pem)  # mistake: call-overload


class Forged(ww.VerifiedToken):  # mistake: misc
    """A token that no kernel has seen."""
