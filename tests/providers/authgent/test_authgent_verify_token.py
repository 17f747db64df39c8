"""``verify_token``, as it is documented and as it is published."""

from __future__ import annotations

import asyncio
import inspect
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import endpoint
import mint
import pytest
from authgent_tokens import API, ISSUER, KEYS, act, claims, now, rejection, token, verify

import watchword as ww
import watchword.providers.authgent as authgent
from watchword.jwks import CacheSettings, HttpxFetcher
from watchword.providers.authgent.jwks import MAX_VERIFIERS
from watchword.providers.authgent.session import MAX_ISSUERS

JWKS = json.dumps(mint.jwks("p256")).encode()


@pytest.fixture(name="server")
def _server() -> Any:
    """An issuer on loopback, with its keys at authgent-server's path."""
    with endpoint.running() as server:
        server.routes["/.well-known/jwks.json"] = endpoint.answer(JWKS)
        yield server


def test_the_documented_call_needs_a_token_and_an_issuer(server: endpoint.Server) -> None:
    raw = token(iss=server.url, aud=server.url)
    identity = asyncio.run(authgent.verify_token(token=raw, issuer=server.url))
    assert identity.subject == "client:agnt_1"
    assert identity.scopes == ["search:execute", "read"]
    assert repr(identity.delegation_chain) == "DelegationChain(depth=0)"
    assert identity.client_id == "agnt_1"
    assert identity.audience == server.url
    assert identity.claims.jti == "tok_1"


def test_the_published_parameters_stand_in_their_order() -> None:
    assert list(inspect.signature(authgent.verify_token).parameters)[:4] == [
        "token",
        "issuer",
        "audience",
        "jwks_fetcher",
    ]
    identity = asyncio.run(authgent.verify_token(token(aud=API), ISSUER, API, KEYS))
    assert identity.audience == API


def test_the_optional_claims_of_agents_are_returned() -> None:
    optional = {f"agent_{name}": name for name in ("type", "model", "version", "provider", "instance_id")}
    identity = verify(token(**optional))
    assert {name: getattr(identity, name) for name in optional} == optional


@pytest.mark.parametrize(
    ("aud", "audience", "code"),
    [
        (ISSUER, None, None),
        (API, None, "wrong_audience"),
        (mint.OMIT, None, None),
        ([API, ISSUER], None, None),
        ([API, "https://other.example"], None, "wrong_audience"),
        (API, API, None),
        ([API, ISSUER], API, None),
        (ISSUER, API, "wrong_audience"),
        (mint.OMIT, API, "missing_claim"),
        (API, [ISSUER, API], None),
        (API, ww.ANY_AUDIENCE, None),
        (mint.OMIT, ww.ANY_AUDIENCE, None),
    ],
)
def test_the_audience_is_the_issuer_by_default(aud: Any, audience: Any, code: str | None) -> None:
    error = rejection(lambda: verify(token(aud=aud), audience=audience))
    assert (None if error is None else error.code) == code


@pytest.mark.parametrize("aud", [API, [API, "https://other.example"]])
def test_the_documented_call_with_an_exchanged_token_says_what_to_pass(aud: Any) -> None:
    # authgent-server always writes the requested audience into a token from a token exchange.
    raw = token(aud=aud, sub="user:ada", act=act("client:agnt_2"))
    error = rejection(lambda: verify(raw))
    assert isinstance(error, authgent.InvalidTokenError)
    assert error.code == "wrong_audience"
    assert "as every exchanged token is: pass audience= with the one that this service accepts" in error.message
    for secret in (raw, API, "other.example", "ada", "agnt_", "tok_"):
        assert secret not in repr(error) + str(error)
    assert verify(raw, audience=API).subject == "user:ada"


@pytest.mark.parametrize(("key", "algorithm"), mint.SIGNERS)
def test_only_the_servers_algorithm_signs_tokens(key: str, algorithm: str) -> None:
    # The issuer may have keys of other kinds, for other things.
    fetcher = authgent.JWKSFetcher(ISSUER, jwks=mint.jwks("p256", "p384", "ed25519", "rsa"))
    raw = mint.token(claims(), key=key, algorithm=algorithm)
    error = rejection(lambda: verify(raw, jwks_fetcher=fetcher))
    assert (None if error is None else error.code) == (None if algorithm == "ES256" else "algorithm_not_allowed")


@pytest.mark.parametrize("claim", ["exp", "sub"])
def test_exp_and_sub_are_required(claim: str) -> None:
    error = rejection(lambda: verify(token(**{claim: mint.OMIT})))
    assert isinstance(error, authgent.InvalidTokenError)
    assert error.code == "missing_claim"


def test_clocks_must_agree_unless_a_leeway_is_given() -> None:
    for changes in ({"exp": now() - 2}, {"iat": now() + 3}, {"nbf": now() + 3, "jti": "other-1"}):
        assert rejection(lambda changes=changes: verify(token(**changes))) is not None
        assert verify(token(**changes), leeway=5).subject == "client:agnt_1"


def test_errors_have_authgents_code_and_watchwords_verdict() -> None:
    raw = token(exp=now() - 60)
    with pytest.raises(authgent.InvalidTokenError) as caught:
        verify(raw)
    error = caught.value
    assert error.error_code == "invalid_token"
    assert error.code == ww.ErrorCode.EXPIRED
    assert error.http_status == 401
    assert isinstance(error.verdict, ww.ExpiredError)
    assert error.verdict is error.__cause__
    assert str(error) == error.message
    assert raw not in repr(error) + str(error)


@pytest.mark.parametrize("issuer", ["", "not a url", "http://authgent.internal:8000", "ftp://as.example"])
def test_an_invalid_issuer_is_the_callers_mistake(issuer: str) -> None:
    with pytest.raises(ValueError, match=r"issuer|jwks_uri"):
        verify(token(), issuer, jwks_fetcher=None)


def test_the_issuers_name_is_compared_exactly() -> None:
    error = rejection(lambda: verify(token(), ISSUER + "/", audience=ISSUER))
    assert error is not None
    assert error.code == "wrong_issuer"


def test_keys_are_fetched_once_for_all_calls(server: endpoint.Server) -> None:
    raw = token(iss=server.url, aud=server.url)
    other = token(iss=server.url, aud=API)

    async def many() -> None:
        calls = [authgent.verify_token(raw, server.url) for _ in range(20)]
        await asyncio.gather(*calls, *(authgent.verify_token(other, server.url, API) for _ in range(20)))

    asyncio.run(many())
    # Another event loop, other threads, another audience: the same keys.
    asyncio.run(many())
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: authgent.verify_token_sync(raw, server.url), range(40)))
    assert server.count("/.well-known/jwks.json") == 1


def test_threads_that_come_first_together_share_one_fetch(server: endpoint.Server) -> None:
    raw = token(iss=server.url, aud=server.url)
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: authgent.verify_token_sync(raw, server.url).subject, range(16)))
    assert found == ["client:agnt_1"] * 16
    assert server.count() == 1


def test_what_a_session_and_a_fetcher_keep_is_bounded() -> None:
    session = authgent.Session()
    first = session.fetcher("https://as-0.example")
    for number in range(3 * MAX_ISSUERS):
        session.fetcher(f"https://as-{number}.example")
    assert repr(session) == f"Session({MAX_ISSUERS} issuers)"
    assert session.fetcher("https://as-0.example") is not first
    fetcher = authgent.JWKSFetcher(ISSUER, jwks=mint.jwks("p256"))
    for number in range(3 * MAX_VERIFIERS):
        audience = f"https://api-{number}.example"
        assert authgent.verify_token_sync(token(aud=audience), ISSUER, audience, fetcher).audience == audience
    assert fetcher._verifier.cache_info().currsize == MAX_VERIFIERS  # type: ignore[attr-defined]  # of lru_cache


def test_each_session_has_its_own_keys_until_it_is_closed(server: endpoint.Server) -> None:
    raw = token(iss=server.url, aud=server.url)
    session = authgent.Session()
    kept = session.fetcher(server.url)
    for one in (session, authgent.Session()):
        for _ in range(2):
            assert authgent.verify_token_sync(raw, server.url, session=one).subject == "client:agnt_1"
    assert server.count() == 2
    session.close()
    with pytest.raises(ValueError, match="closed"):
        authgent.verify_token_sync(raw, server.url, jwks_fetcher=kept)
    assert authgent.verify_token_sync(raw, server.url, session=session).subject == "client:agnt_1"
    assert server.count() == 3


def test_a_fetcher_may_use_another_url_than_the_issuers(server: endpoint.Server) -> None:
    fetcher = authgent.JWKSFetcher(server.url)
    assert asyncio.run(authgent.verify_token(token(), ISSUER, jwks_fetcher=fetcher)).subject == "client:agnt_1"
    server.routes["/elsewhere"] = endpoint.answer(JWKS)
    fetcher = authgent.JWKSFetcher(ISSUER, 60, jwks_uri=f"{server.url}/elsewhere")
    assert asyncio.run(authgent.verify_token(token(), ISSUER, None, fetcher)).subject == "client:agnt_1"


def test_a_client_of_the_applications_own_fetches(server: endpoint.Server) -> None:
    import httpx2

    with httpx2.Client(headers={"x-from": "application"}, trust_env=False) as client:
        fetcher = authgent.JWKSFetcher(server.url, fetcher=HttpxFetcher(client))
        asyncio.run(authgent.verify_token(token(), ISSUER, jwks_fetcher=fetcher))
    assert server.requests[0].headers["x-from"] == "application"


def test_keys_are_given_as_they_are_published(server: endpoint.Server) -> None:
    fetcher = authgent.JWKSFetcher(server.url)
    published = mint.public_jwk("p256")
    for one in (fetcher, KEYS):
        assert asyncio.run(one.get_key("p256")) == published
        assert asyncio.run(one.get_all_keys()) == {"p256": published}
        error = rejection(lambda one=one: asyncio.run(one.get_key("nobody")))
        assert isinstance(error, authgent.InvalidTokenError)
    assert "p256" not in repr(fetcher)


GOOD = mint.public_jwk("p256")
REJECTED = {
    "for encryption": {**GOOD, "use": "enc"},
    "private": mint.private_jwk("p256"),
    "off the curve": {**GOOD, "y": mint.b64(bytes(32))},
    "another key of that name": mint.public_jwk("p256-b", kid="p256"),
    "for an algorithm that it cannot have": {**GOOD, "alg": "ES384"},
    "no key": {"kid": "p256"},
    "symmetric": {"kty": "oct", "k": "c2VjcmV0", "kid": "p256"},
}


# Of two good keys with one name, the first is accepted.
@pytest.mark.parametrize(
    ("name", "first"),
    [(name, first) for name in REJECTED for first in (True, False) if not first or name != "another key of that name"],
)
def test_a_key_that_the_kernel_rejected_is_not_given(server: endpoint.Server, name: str, first: bool) -> None:
    rejected = REJECTED[name]
    listed = [5, rejected, GOOD] if first else [GOOD, rejected, "x"]
    body = json.dumps({"keys": [*listed, mint.public_jwk("p256-b")]})
    server.routes["/.well-known/jwks.json"] = endpoint.answer(body)
    for fetcher in (authgent.JWKSFetcher(server.url), authgent.JWKSFetcher(ISSUER, jwks=body)):
        assert asyncio.run(fetcher.get_key("p256")) == GOOD
        assert asyncio.run(fetcher.get_all_keys()) == {"p256": GOOD, "p256-b": mint.public_jwk("p256-b")}
    alone = authgent.JWKSFetcher(ISSUER, jwks=mint.jwks(rejected, "p256-b"))
    if name != "another key of that name":
        error = rejection(lambda: asyncio.run(alone.get_key("p256")))
        assert isinstance(error, authgent.InvalidTokenError)
        assert error.code == "unknown_key"
        assert set(asyncio.run(alone.get_all_keys())) == {"p256-b"}


def test_a_key_that_is_given_is_the_givers_no_longer(server: endpoint.Server) -> None:
    fetcher = authgent.JWKSFetcher(server.url)
    asyncio.run(fetcher.get_key("p256")).clear()
    asyncio.run(fetcher.get_all_keys()).clear()
    assert asyncio.run(fetcher.get_key("p256")) == GOOD
    assert authgent.verify_token_sync(token(), ISSUER, jwks_fetcher=fetcher).subject == "client:agnt_1"


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize(
    "body", ["<html>", "[]", '{"keys":{}}', '{"keys":[{"kid":"p256"}]}', json.dumps(mint.jwks("p256-b"))]
)
def test_keys_are_given_as_they_were_while_there_are_no_newer(server: endpoint.Server, status: int, body: str) -> None:
    fetcher = authgent.JWKSFetcher(server.url)
    before = asyncio.run(fetcher.get_all_keys())
    server.routes["/.well-known/jwks.json"] = endpoint.answer(body, status=status)
    error = rejection(lambda: asyncio.run(fetcher.refresh()))
    if error is None:
        assert asyncio.run(fetcher.get_all_keys()) == {"p256-b": mint.public_jwk("p256-b")}
    else:
        assert isinstance(error, authgent.ServerError)
        assert asyncio.run(fetcher.get_all_keys()) == before
        assert asyncio.run(fetcher.get_key("p256")) == before["p256"]


def test_a_revoked_key_ends_with_the_next_refresh(server: endpoint.Server) -> None:
    fetcher = authgent.JWKSFetcher(server.url)
    raw = token()
    assert rejection(lambda: authgent.verify_token_sync(raw, ISSUER, jwks_fetcher=fetcher)) is None
    server.routes["/.well-known/jwks.json"] = endpoint.answer(json.dumps(mint.jwks("p256-b")))
    asyncio.run(fetcher.refresh())
    error = rejection(lambda: authgent.verify_token_sync(raw, ISSUER, jwks_fetcher=fetcher))
    assert isinstance(error, authgent.InvalidTokenError)
    assert error.code == "unknown_key"


def test_a_new_key_is_found_at_once_without_a_cooldown(server: endpoint.Server) -> None:
    server.routes["/.well-known/jwks.json"] = endpoint.answer(json.dumps(mint.jwks("p256-b")))
    fetcher = authgent.JWKSFetcher(server.url, cache_settings=CacheSettings(cooldown=0))
    assert rejection(lambda: authgent.verify_token_sync(token(), ISSUER, jwks_fetcher=fetcher)) is not None
    server.routes["/.well-known/jwks.json"] = endpoint.answer(json.dumps(mint.jwks("p256-b", "p256")))
    # The kid is cached as unknown until the set changes; a refresh changes it.
    asyncio.run(fetcher.refresh())
    assert authgent.verify_token_sync(token(), ISSUER, jwks_fetcher=fetcher).subject == "client:agnt_1"


@pytest.mark.parametrize("cache_ttl", [0, 1, 5, 30, 300, 86400])
def test_any_cache_ttl_makes_a_fetcher(cache_ttl: float, server: endpoint.Server) -> None:
    assert asyncio.run(authgent.JWKSFetcher(server.url, cache_ttl=cache_ttl).get_all_keys())


class Finder:
    """A fetcher of an application's own."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[str] = []

    async def get_key(self, kid: str) -> Any:
        self.asked.append(kid)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_a_fetcher_of_the_applications_own_finds_the_key() -> None:
    finder = Finder(mint.public_jwk("p256"))
    assert asyncio.run(authgent.verify_token(token(), ISSUER, jwks_fetcher=finder)).subject == "client:agnt_1"
    assert finder.asked == ["p256"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (mint.public_jwk("p256-b", kid="p256"), authgent.InvalidTokenError),
        (mint.private_jwk("p256"), authgent.ServerError),
        ({"kty": "RSA"}, authgent.ServerError),
        ({}, authgent.ServerError),
        (None, authgent.ServerError),
        ([], authgent.ServerError),
        (KeyError("x"), authgent.ServerError),
        (OSError("secret"), authgent.ServerError),
        (authgent.InvalidTokenError("unknown"), authgent.InvalidTokenError),
    ],
)
def test_any_failure_of_such_a_fetcher_is_an_authgent_error(answer: Any, expected: type) -> None:
    error = rejection(lambda: asyncio.run(authgent.verify_token(token(), ISSUER, jwks_fetcher=Finder(answer))))
    assert type(error) is expected
    assert "secret" not in str(error)


def test_a_token_that_names_no_key_does_not_reach_such_a_fetcher() -> None:
    finder = Finder(mint.public_jwk("p256"))
    for raw in ("", "x", "a.b.c", mint.token(claims(), {"alg": "ES256"}, key="p256", algorithm="ES256")):
        error = rejection(lambda raw=raw: asyncio.run(authgent.verify_token(raw, ISSUER, jwks_fetcher=finder)))
        assert isinstance(error, authgent.InvalidTokenError)
    assert finder.asked == []


def test_what_is_no_fetcher_is_the_callers_mistake() -> None:
    with pytest.raises(TypeError, match="jwks_fetcher"):
        asyncio.run(authgent.verify_token(token(), ISSUER, jwks_fetcher=object()))  # type: ignore[arg-type]  # the point
    with pytest.raises(TypeError, match="without an event loop"):
        authgent.verify_token_sync(token(), ISSUER, jwks_fetcher=Finder({}))  # type: ignore[arg-type]  # the point
