"""A user's program with every public name in it. It is never run: ``mypy --strict`` must find nothing wrong with it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TextIO

import httpx
import httpx2

import watchword as ww
from watchword import issuers as known
from watchword import jwks, testing
from watchword.gate import Gate, OnVerdict, Route
from watchword.observability import BUCKETS, DecisionLog, Metrics, combine, prometheus
from watchword.observability import opentelemetry as otel

JWKS: dict[str, Any] = {"keys": []}


def keys() -> ww.KeySet:
    key_set: ww.KeySet = ww.KeySet.from_json(JWKS)
    key_set = ww.KeySet.from_json("{}", backend="reference")
    key_set = ww.KeySet.from_json(b"{}")
    key_set = ww.KeySet.from_pem("-----BEGIN PUBLIC KEY-----", key_id="one", algorithm="EdDSA")
    key_set = ww.KeySet.from_der(b"0", key_id=None)
    key_set = ww.KeySet.from_json("{}", prepare="never")
    backend: ww.Backend = key_set.backend
    prepare: ww.Prepare = key_set.prepare_mode
    prepared: int = key_set.prepare()
    ww.tables.configure(max_bytes=prepared, width=8, after_uses=32)
    tables: ww.tables.TableStats = ww.tables.stats()
    print(tables.bytes, tables.tables, tables.built, tables.evicted, tables.refused, tables.queued, tables.max_bytes)
    print(tables.width, tables.after_uses)
    rejected: tuple[ww.RejectedKey, ...] = key_set.rejected
    for bad in rejected:
        explanation: tuple[int, str | None, str, str] = (bad.index, bad.key_id, bad.reason, bad.detail)
        print(explanation, backend, prepare)
    found: ww.PublicKey | None = key_set.get("one") or key_set.get("one", "EdDSA")
    size: int = len(key_set)
    if "one" in key_set and found is not None and size:
        curve: Literal["P-256", "P-384", "Ed25519"] | None = found.curve
        kind: Literal["EC", "OKP", "RSA"] = found.key_type
        jwk: dict[str, str] = found.to_jwk()
        print(jwk, curve, kind, found.bits.bit_length(), found.thumbprint.upper(), found.key_id)
        algorithms: tuple[str, ...] = found.algorithms
        print(algorithms)
    members: Iterator[ww.PublicKey] = iter(key_set)
    print([key.key_id for key in members])
    return key_set


def policies() -> list[ww.Policy]:
    any_audience: ww.AnyAudience = ww.ANY_AUDIENCE
    any_tenant: ww.AnyTenant = ww.ANY_TENANT
    return [
        ww.Policy(),
        ww.Policy(issuer="https://as.example", audience="https://api.example"),
        ww.Policy(issuer=["https://as.example"], audience=("https://api.example", "https://other.example")),
        ww.Policy(audience=any_audience, algorithms=("EdDSA", "ES256"), types=("at+jwt", None)),
        ww.Policy(leeway=0.5, required=("exp", "sub"), bound_tokens="accept", max_token_bytes=1, max_header_bytes=1),
        ww.Policy(issuer="https://login.example/{tid}/v2.0", tenants=["t"], scope_claims=("scope", "roles")),
        ww.Policy(issuer="https://login.example/{tid}/v2.0", tenants=any_tenant),
        ww.Policy(trust_domain="example.org", audience="https://api.example"),
    ]


def tokens(raw: str | bytes) -> ww.VerifiedToken:
    policy = policies()[0]
    token: ww.VerifiedToken = ww.verify(raw, keys(), policy)
    token = ww.verify(raw, keys(), policy, now=1_900_000_000)
    header: dict[str, Any] = token.header
    claims: dict[str, Any] = token.claims
    payload: bytes = token.payload
    texts: tuple[str | None, ...] = (token.issuer, token.subject, token.token_id, token.key_id)
    moments: tuple[float | None, ...] = (token.expires_at, token.not_before, token.issued_at)
    lists: tuple[tuple[str, ...], ...] = (token.audience, token.scopes)
    algorithm: str = token.algorithm
    confirmation: ww.Confirmation | None = token.confirmation
    if confirmation is not None:
        thumbprint: str | None = confirmation.jkt or confirmation.certificate
        jwk: dict[str, Any] | None = confirmation.jwk
        print(thumbprint, ww.thumbprint(jwk) if jwk is not None else ww.thumbprint("{}"))
    print(header, claims, payload, texts, moments, lists, algorithm, ww.__version__)
    return token


def delegation(token: ww.VerifiedToken) -> str | None:
    chain: ww.DelegationChain = token.delegation
    chain = ww.DelegationChain.from_act(token.claims, max_actors=5)
    chain = ww.DelegationChain.from_records("{}", keys=keys(), max_actors=5)
    chain = ww.DelegationChain.from_actor_chain(b"{}")
    actors: tuple[ww.Actor, ...] = chain.actors
    for actor in actors:
        named: tuple[str | None, str | None, str | None] = (actor.subject, actor.issuer, actor.delegated_at)
        held: tuple[str, ...] | None = actor.scopes
        print(named, held, {actor: 1})
    shape: tuple[int, bool, tuple[str, ...]] = (chain.depth, chain.human_root, chain.repeated)
    root: tuple[str | None, tuple[str, ...] | None] = (chain.issuer, chain.scopes)
    permitted: ww.MayAct | None = token.may_act
    if permitted is not None and actors:
        print(permitted.permits("client:a"), permitted.permits(("i", "a")), permitted.permits(actors[0]))
        print(permitted.subjects, permitted.issuer)

    def is_person(chain: ww.DelegationChain) -> bool:
        return chain.subject is not None and chain.subject.startswith("auth0|")

    try:
        chain.check()
        chain.check(max_depth=3, require_human_root=True, allowed_actors={"client:a", ("i", "b")}, human=is_person)
        chain.check(allowed_actors=actors, allow_cycles=False, allow_unknown_actors=True)
    except (ww.DelegationMalformedError, ww.DelegationHashMismatchError, ww.DelegationSignatureError) as error:
        broken: ww.DelegationError = error
        return broken.www_authenticate()
    except (
        ww.DelegationTooDeepError,
        ww.DelegationCycleError,
        ww.NoHumanRootError,
        ww.ActorNotAllowedError,
        ww.ScopeWidenedError,
    ) as error:
        rejected: ww.VerificationError = error
        return rejected.detail
    print(shape, root)
    return chain.subject


def step_up(token: ww.VerifiedToken) -> str | None:
    try:
        ww.require_authentication(token, acr_values=["urn:example:strong"], max_age=300, leeway=1.5, now=1.5)
    except ww.InsufficientUserAuthenticationError as error:
        wanted: tuple[tuple[str, ...], int | None] = (error.acr_values, error.max_age)
        print(wanted)
        return error.www_authenticate()
    return None


def signatures(raw: bytes) -> bytes:
    jws: ww.VerifiedJws = ww.verify_jws(raw, keys(), algorithms=["EdDSA"], types=("JOSE", None))
    print(jws.header, jws.key_id, jws.algorithm)
    return jws.payload


def undecided(raw: str) -> str | None:
    token: ww.UnverifiedToken = ww.decode_unverified(raw, max_token_bytes=8192, max_header_bytes=2048)
    claims: dict[str, Any] | None = token.claims
    print(token.header["alg"], len(token.payload), token.signature)
    return None if claims is None else claims["iss"]


def batches(raws: Sequence[str]) -> int:
    results: ww.BatchResult = ww.verify_many(raws, keys(), policies()[0], now=1.5, threads=2)
    codes: list[ww.ErrorCode | None] = results.codes()
    first: ww.VerifiedToken | ww.VerificationError = results[0]
    some: list[ww.VerifiedToken | ww.VerificationError] = results[1:]
    for result in results:
        if isinstance(result, ww.VerificationError):
            print(result.code.value, first, some)
        else:
            print(result.subject, codes)
    return results.valid_count + len(results)


def what_is_wrong(raw: str) -> str:
    try:
        tokens(raw)
    except (
        ww.TooLargeError,
        ww.MalformedTokenError,
        ww.MalformedHeaderError,
        ww.UnsupportedError,
        ww.UnsupportedCriticalHeaderError,
    ) as error:
        malformed: ww.MalformedError = error
        return malformed.detail
    except (
        ww.ExpiredError,
        ww.IssuedInFutureError,
        ww.MalformedClaimsError,
        ww.MissingClaimError,
        ww.NotYetValidError,
        ww.WrongAudienceError,
        ww.WrongIssuerError,
    ) as error:
        claim: ww.ClaimError = error
        return claim.detail
    except (ww.AlgorithmNotAllowedError, ww.InvalidSignatureError, ww.UnknownKeyError, ww.WrongTypeError) as error:
        return str(error)
    except ww.ProofRequiredError as error:
        audited: tuple[str | None, dict[str, Any] | None] = (error.token_hash, error.token_claims)
        print(audited, error.token_header)
        answer: str | None = error.www_authenticate(realm="api", resource_metadata="https://api.example/metadata")
        return answer or ""
    except ww.KeysUnavailableError as error:
        status: int = error.http_status
        return str(status)
    except ww.VerificationError as error:
        code: ww.ErrorCode = error.code
        return "late" if code is ww.ErrorCode.EXPIRED else code
    except ww.KeySetError as error:
        mistake: ValueError = error
        return str(mistake)
    return ""


def proofs(raw: str) -> ww.VerifiedToken:
    prover = ww.dpop.DpopProver("EdDSA")
    nonces = ww.dpop.Nonces(ww.dpop.Nonces.new_key(), lifetime=60)
    header: str = prover.proof("GET", "https://api.example/", raw, nonces.issue())
    store: ww.dpop.ReplayStore = ww.dpop.MemoryReplayStore(1000)
    proof: ww.DpopProof = ww.dpop.verify_proof(
        header, method="GET", uri="https://api.example/", access_token=raw, nonce=nonces, replay=store
    )
    about: tuple[str, str, float, str | None] = (proof.jkt, proof.token_id, proof.issued_at, proof.nonce)
    jwk: dict[str, Any] = proof.jwk
    print(about, jwk, prover.jkt == proof.jkt)
    return ww.verify(raw, keys(), policies()[0], proof=proof, certificate=testing.ClientCertificate.make().der)


def requests(verifier: ww.Verifier, scope: list[tuple[bytes, bytes]]) -> str | None:
    try:
        request: ww.VerifiedRequest = verifier.verify_request(
            method="GET", uri="https://api.example/", headers={"Authorization": "DPoP x", "DPoP": "y"}
        )
        request = verifier.verify_request(method="GET", uri="https://api.example/", headers=scope)
    except (
        ww.MissingTokenError,
        ww.MalformedRequestError,
        ww.TokenInQueryError,
        ww.TokenInBodyError,
        ww.AmbiguousPathError,
        ww.NoRouteError,
        ww.UntrustedIdentityError,
        ww.InternalError,
        ww.CertificateRequiredError,
        ww.CertificateMismatchError,
    ) as error:
        return error.www_authenticate(realm="api")
    except ww.DpopError as error:
        return error.nonce
    proof: ww.DpopProof | None = request.proof
    return request.token.subject if proof is None else proof.jkt


def issuers(jwks_file: Path) -> list[ww.Issuer]:
    public: Mapping[str, Any] = JWKS
    return [
        ww.Issuer("https://as.example"),
        ww.Issuer("https://as.example", jwks_uri="https://as.example/jwks", audience="https://api.example"),
        ww.Issuer("https://as.example", jwks=public, algorithms=("EdDSA",), types=("at+jwt", None)),
        ww.Issuer("https://as.example", jwks=keys(), required=("exp",), leeway=0, bound_tokens="accept"),
        ww.Issuer("https://as.example", jwks_file=jwks_file, backend="reference", prepare="never"),
        ww.Issuer("https://as.example", pem="-----BEGIN PUBLIC KEY-----", audience=ww.ANY_AUDIENCE),
        ww.Issuer(
            "http://127.0.0.1:8000", allow_loopback_http=True, cache_settings=jwks.CacheSettings(ttl=60, max_stale=0)
        ),
        ww.Issuer("https://as.example", aliases=["as.example"], scope_claims=("scp",), max_token_bytes=32_768),
        ww.Issuer("https://login.example/{tid}", jwks=public, tenants=["t-1"], max_header_bytes=8_192),
        ww.Issuer("https://as.example", audience=("web",), audience_claim="client_id"),
        known.apple(audience="com.example.app"),
        known.auth0("example.eu.auth0.com", rfc9068=True, scope_claims=("permissions",)),
        known.cognito("eu-central-1", "eu-central-1_X", client_ids=["web"], audience="https://api.example"),
        known.entra("8eaef023-2b34-4da1-9baa-8bc8c9d6a490", version=1, audience="api://orders"),
        known.entra(tenants=["8eaef023-2b34-4da1-9baa-8bc8c9d6a490", known.MICROSOFT_ACCOUNTS]),
        known.entra(tenants=ww.ANY_TENANT, authority="https://login.microsoftonline.us", leeway=1),
        known.entra_b2c("c.b2clogin.com", "8eaef023-2b34-4da1-9baa-8bc8c9d6a490", "b2c_1_x", tfp_issuer=True),
        known.github_actions(enterprise="octocat-inc", required=("environment",)),
        known.google(audience=["a", "b"], types=None, jwks=public),
        known.keycloak("http://localhost:8080", "shop", allow_loopback_http=True),
        known.kubernetes("https://cluster.example", jwks_file=jwks_file),
        known.okta("example.okta.com", "aus9", cache_settings=jwks.CacheSettings(ttl=60)),
        known.spiffe("example.org", jwks=keys()),
        ww.Issuer("https://login.example/{tid}", jwks=public, aliases=("https://{tid}.as",), tenants=ww.ANY_TENANT),
        ww.Issuer("spiffe://example.org", jwks_file=jwks_file),
        ww.Issuer(
            "https://as.internal",
            allow_private_hosts=["keys.internal"],
            allow_http_hosts=("as.internal",),
            cache_settings=jwks.CacheSettings(max_waiters=8),
        ),
    ]


def gateway() -> ww.Verifier:
    cache: ww.TokenCache = ww.TokenCache(max_bytes=1 << 20)
    stats: ww.TokenCacheStats = cache.stats()
    print(stats.hits, stats.misses, stats.evictions, stats.tokens, stats.bytes, stats.max_bytes)
    cache.clear()
    token: ww.VerifiedToken = cache.verify("a.b.c", keys(), policies()[0], 1_900_000_000, None)
    allowed: bool = token.resource_scopes.allows(action="read", resource="orders")
    print(allowed, token.slot_scopes, token.plain_scopes)
    return ww.Verifier(issuers(Path("keys.json")), token_cache=cache)


def keys_of_one_issuer(raw: str) -> ww.VerifiedToken:
    fetcher: jwks.Fetcher = jwks.DefaultFetcher()
    listener: jwks.Listener = listen
    with ww.IssuerKeys(
        "https://as.example", fetcher=fetcher, on_event=listener, monotonic=jwks.monotonic
    ) as issuer_keys:
        issuer_keys.refresh()
        return issuer_keys.verify(raw, ww.Policy(issuer="https://as.example"), now=1_900_000_000)


def listen(event: jwks.KeyEvent) -> None:
    if event.kind is jwks.EventKind.FETCH_FAILED:
        print(event.issuer, event.detail)


class CannedFetcher:
    """A user's own way to fetch, which is a ``jwks.Fetcher`` by its shape."""

    def get(self, url: str, *, headers: Mapping[str, str], timeout: float, max_bytes: int) -> jwks.Response:
        if not url.startswith("https:") or not headers or timeout < 1:
            raise jwks.NotPublicError("no answer") if max_bytes else jwks.FetchError("no answer")
        return jwks.Response(200, {"content-type": "application/json"}, b"{}"[:max_bytes])


class CannedPublicFetcher(CannedFetcher):
    """One that can also keep to public addresses, which is a ``jwks.PublicFetcher`` by its shape."""

    def get_public(self, url: str, *, headers: Mapping[str, str], timeout: float, max_bytes: int) -> jwks.Response:
        return self.get(url, headers=headers, timeout=timeout, max_bytes=max_bytes)


class OneKeySet:
    """A user's own source of keys, which is a ``jwks.KeySource`` by its shape."""

    def current(self) -> ww.KeySet | None:
        return keys()

    def request(self) -> jwks.Pending[ww.KeySet]:
        return jwks.Pending(keys)

    def request_newer(self, seen: ww.KeySet, key_ids: Collection[str | None]) -> jwks.Pending[ww.KeySet | None]:
        return jwks.Pending(lambda: seen if key_ids else None)

    def refresh(self) -> jwks.Pending[ww.KeySet]:
        return self.request()

    def stats(self) -> jwks.Stats:
        return jwks.Stats(fetches=0)

    def close(self) -> None:
        print("closed")


def own_ways_to_keys() -> list[ww.Verifier]:
    source: jwks.KeySource = OneKeySet()
    source = jwks.MemorySource(keys())
    client: jwks.HttpxClient = httpx2.Client()
    fetchers: list[jwks.Fetcher] = [
        CannedFetcher(),
        jwks.HttpxFetcher(client),
        jwks.HttpxFetcher(httpx.Client()),
    ]
    public: list[jwks.PublicFetcher] = [CannedPublicFetcher(), jwks.HttpxFetcher(httpx2.Client())]
    fetchers += public
    return [
        ww.Verifier(ww.Issuer("https://as.example", source=source), audience=ww.ANY_AUDIENCE),
        *(ww.Verifier(["https://as.example"], audience="https://api.example", fetcher=one) for one in fetchers),
    ]


def verifiers(raw: str) -> ww.VerifiedToken:
    with ww.Verifier(issuers(Path("keys.json")), audience="https://api.example", on_event=listen) as verifier:
        results: ww.BatchResult | ww.MergedResults = verifier.verify_many([raw, raw.encode()], now=1.5, threads=1)
        print(results.valid_count, results.codes(), list(results), results[0], len(results))
        stats: dict[str, jwks.Stats] = verifier.stats()
        print({issuer: counters.fetches for issuer, counters in stats.items()})
        verifier.refresh()
        verifier.add_issuer("https://other.example")
        verifier.add_issuer(ww.Issuer("https://third.example"))
        verifier.remove_issuer("https://other.example")
        return verifier.verify(raw)


def scopes(token: ww.VerifiedToken, pem: bytes, der: bytes) -> str | None:
    names: list[str] = [
        ww.thumbprint(JWKS),
        ww.thumbprint(pem=pem),
        ww.thumbprint_uri(der=der),
        ww.thumbprint_uri("{}"),
    ]
    resource = ww.scopes.ResourceScopes.from_claim(token.scopes)
    slot = ww.scopes.SlotScopes(["read:data:*"]).narrow(ww.scopes.SlotScopes("read:data:customers"))
    plain = ww.scopes.PlainScopes.from_claim(token.claims.get("scope"))
    explanation: ww.scopes.ScopeExplanation = resource.explain(action="read", resource="users")
    answers: list[bool] = [
        resource.allows(action="read", resource="users.keys"),
        slot.allows(action="read", resource="data", identifier="customers"),
        plain.allows("openid"),
        plain.covers(ww.scopes.PlainScopes("openid")),
        explanation.allowed,
        "owner" in resource,
    ]
    print(names, answers, explanation.scope, list(resource), len(slot), str(plain), resource.ignored, {resource: 1})
    try:
        resource.require(action="read", resource="users")
        slot.require(action="read", resource="data", identifier="customers")
        plain.require("openid")
        plain.require_all(plain)
        ww.scopes.check_narrowing(slot, ww.scopes.SlotScopes(plain.missing(plain)))
    except ww.InsufficientScopeError as error:
        return error.scope
    except ww.ScopeSyntaxError as error:
        return str(error)
    return None


async def verifiers_async(raw: str) -> ww.VerifiedToken:
    async with ww.Verifier(
        "https://as.example",
        audience=["https://api.example"],
        algorithms=("ES256",),
        types=("JWT", None),
        leeway=1.5,
        required=("exp", "iat"),
        bound_tokens="accept",
        scope_claims=("scope", "permissions"),
        max_token_bytes=32_768,
        max_header_bytes=8_192,
        dpop=ww.dpop.DpopVerifier(replay=None, max_age=30, algorithms=("ES256",)),
        clock=lambda: 1.5,
    ) as verifier:
        await verifier.refresh_async()
        print((await verifier.verify_many_async([raw])).valid_count)
        return await verifier.verify_async(raw, now=1.5)


def observed(verifier: ww.Verifier, stream: TextIO) -> None:
    metrics = Metrics(max_issuers=10)
    log = DecisionLog(stream, allowed=True, sample=0.5, max_per_second=None, burst=3, report_interval=1.5)
    hook: OnVerdict = combine(metrics, log, otel.DurationHistogram(), otel.CheckSpans(subject_attribute="enduser.id"))
    gate = Gate(verifier, [Route("/")], public_url="https://api.example", on_verdict=hook)
    otel.observe(metrics, gate, log)
    text: bytes = prometheus.exposition(metrics, gate, verifier, log)
    prometheus.registry(metrics, gate).register(prometheus.GateCollector(metrics))
    applications = [prometheus.asgi_app(metrics), prometheus.wsgi_app(metrics)]
    counts: dict[str, int] = {labels.issuer: count for labels, count in metrics.verdicts().items()}
    totals: list[float] = [histogram.total for histogram in metrics.durations().values()]
    print(text, applications, counts, totals, BUCKETS, log.stats().dropped, verifier.token_cache, verifier.dpop)
    log.flush()


def own_tests() -> None:
    issuer = testing.LocalIssuer()
    for bad in issuer.defects():
        expected: ww.ErrorCode = bad.code
        print(expected)
    with issuer.serve() as served, served.verifier() as verifier:
        token: ww.VerifiedToken = verifier.verify(served.mint(sub="alice"))
        print(token.subject, asyncio.run(verifiers_async(served.mint())))
