"""Keys and policies over time: each use is verified with those of its time and of its issuer."""

from __future__ import annotations

import json
import math
from typing import Any

import mint
import proofs
import pytest

pa = pytest.importorskip("pyarrow", reason="the extra audit is not installed")

import watchword as ww  # noqa: E402 - after what may be missing
from watchword.audit import Auditor, PolicyHistory, PolicyInterval, verify_column  # noqa: E402
from watchword.audit.key_histories import key_histories  # noqa: E402
from watchword.jwks.archive import ArchiveWriter, KeyArchive, KeyEpoch, KeyRules, KeyState, KeyTimeline  # noqa: E402

A, B = "https://a.example", "https://b.example"
POLICY = ww.Policy(issuer=(A, B), audience=mint.AUDIENCE, required=())
DAY = 86400.0
START = float(mint.NOW)
RULES = KeyRules(lead=60, tolerance=3600, max_gap=DAY)


def jwks(*keys: Any) -> bytes:
    return json.dumps(mint.jwks(*keys)).encode()


def signed(issuer: str = A, key: str = "ed25519", kid: str | None = None, **claims: Any) -> str:
    algorithm = {"ed25519": "EdDSA", "p256": "ES256", "rsa": "RS256"}[key]
    return mint.token(
        mint.claims(**{"iss": issuer, "exp": mint.OMIT, "iat": mint.OMIT, "nbf": mint.OMIT, **claims}),
        key=key,
        algorithm=algorithm,
        head=mint.header(kid or key, alg=algorithm),
    )


@pytest.fixture
def archive(tmp_path: Any) -> KeyArchive:
    """A has ed25519 on days 0 to 10, then p256; B has rsa throughout. The archive ends on day 20."""
    with ArchiveWriter(tmp_path / "keys.ndjson") as writer:
        for day in range(21):
            at = START + day * DAY
            writer.record_key_set(A, jwks("ed25519" if day <= 10 else "p256"), at, f"{A}/jwks")
            writer.record_key_set(B, jwks("rsa"), at, f"{B}/jwks")
    return KeyArchive.open(tmp_path / "keys.ndjson")


def verdicts(keys: Any, rows: list[tuple[str | bytes, float]], policy: Any = POLICY, **options: Any) -> list[Any]:
    data = pa.table({"token": pa.array([t for t, _ in rows]), "at": pa.array([at for _, at in rows], pa.float64())})
    for cache_bytes in (0, 1 << 20):
        auditor = Auditor(keys, policy, cache_bytes=cache_bytes, **options)
        found = []
        for _ in range(3):
            result = pa.table(auditor.verify_column(data, token="token", time="at"))
            found.append([*zip(result["code"].to_pylist(), result["key_state"].to_pylist(), strict=True)])
        assert found[0] == found[1] == found[2]
    return found[0]


TABLE = [
    ("in the middle", 5, None, "listed"),
    ("between the polls that differ", 10.5, None, "uncertain"),
    ("soon after it was withdrawn", 11 + 0.5 / 24, None, "withdrawn"),
    ("after the tolerance", 11 + 2 / 24, "unknown_key", None),
    ("long before the archive", -1, "keys_not_recorded", None),
    ("within the lead", -30 / DAY, None, "early"),
    ("at the first poll", 0, None, "listed"),
    ("long after the archive", 25, "keys_not_recorded", None),
]


@pytest.mark.parametrize(("day", "code", "state"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_the_keys_of_that_time(archive: KeyArchive, day: float, code: str | None, state: str | None) -> None:
    assert verdicts(archive, [(signed(), START + day * DAY)], rules=RULES) == [(code, state)]


def test_the_rules_of_one_call(archive: KeyArchive) -> None:
    data = pa.table({"token": [signed()]})
    at = START + 11 * DAY + 2 * 3600
    for tolerance, code in ((3600, "unknown_key"), (3 * 3600, None)):
        rules = KeyRules(tolerance=tolerance)
        result = pa.table(verify_column(data, token="token", time=at, keys=archive, policy=POLICY, rules=rules))
        assert result["code"].to_pylist() == [code]


def test_one_token_over_the_whole_time(archive: KeyArchive) -> None:
    # The same bytes in one table, before, during and after: what is kept of a token is kept for its epoch.
    rows = [(signed(), START + day * DAY) for _, day, _, _ in TABLE] * 3
    assert verdicts(archive, rows, rules=RULES) == [(code, state) for _, _, code, state in TABLE] * 3


def test_keys_of_one_issuer_never_verify_the_tokens_of_another(archive: KeyArchive) -> None:
    rows = [
        (signed(B, "ed25519"), START + DAY),  # A's key, B's name
        (signed(A, "rsa"), START + DAY),
        (signed(B, "rsa"), START + DAY),
        (signed("https://c.example", "rsa"), START + DAY),
        (signed(A + "/", "ed25519"), START + DAY),
        (signed(mint.OMIT, "ed25519"), START + DAY),
    ] * 4
    want = ["unknown_key", "unknown_key", None, "wrong_issuer", "wrong_issuer", "wrong_issuer"] * 4
    assert [code for code, _ in verdicts(archive, rows, rules=RULES)] == want


def test_the_policy_decides_which_issuers_are_accepted(archive: KeyArchive) -> None:
    only_a = ww.Policy(issuer=A, audience=mint.AUDIENCE, required=())
    rows = [(signed(A), START + DAY), (signed(B, "rsa"), START + DAY)]
    assert verdicts(archive, rows, only_a, rules=RULES) == [(None, "listed"), ("wrong_issuer", "listed")]


def test_compromise_goes_by_the_time_of_use(tmp_path: Any) -> None:
    thumbprint = ww.thumbprint(mint.public_jwk("ed25519"))
    with ArchiveWriter(tmp_path / "keys.ndjson") as writer:
        for day in range(11):
            writer.record_key_set(A, jwks("ed25519" if day <= 5 else "p256"), START + day * DAY, f"{A}/jwks")
        writer.record_compromised(A, thumbprint, since=START + 3 * DAY, time=START + 12 * DAY)
    archive = KeyArchive.open(tmp_path / "keys.ndjson")
    backdated = signed(iat=mint.NOW)
    rows = [
        (signed(), START + 2 * DAY),
        (signed(), START + 3 * DAY),
        (backdated, START + 4 * DAY),
        (backdated, START + 9 * DAY),  # long withdrawn
        (backdated, START + 50 * DAY),  # of which there is no record
        (signed(aud="other"), START + 4 * DAY),
        (signed(key="p256"), START + 50 * DAY),
    ]
    assert verdicts(archive, rows, rules=RULES) == [
        (None, "listed"),
        ("key_compromised", "compromised"),
        ("key_compromised", "compromised"),
        ("key_compromised", "compromised"),
        ("key_compromised", "compromised"),
        ("key_compromised", "compromised"),
        ("keys_not_recorded", None),
    ]


def test_the_same_kid_with_another_key_is_two_keys(tmp_path: Any) -> None:
    old, new = mint.public_jwk("p256", kid="k"), mint.public_jwk("rsa", kid="k")
    other = {**mint.public_jwk("ed25519"), "kid": "k"}
    with ArchiveWriter(tmp_path / "keys.ndjson") as writer:
        for day, jwk in enumerate([old, old, new, new, other, other]):
            writer.record_key_set(A, jwks(jwk), START + day * DAY, f"{A}/jwks")
    archive = KeyArchive.open(tmp_path / "keys.ndjson")
    rows = [
        (signed(key=key, kid="k"), START + day * DAY)
        for key in ("p256", "rsa", "ed25519")
        for day in (0.5, 1.5, 2.5, 3.5, 4.5)
    ]
    assert [state for _, state in verdicts(archive, rows, rules=RULES)] == [
        "listed", "uncertain", None, None, None,
        None, "uncertain", "listed", "uncertain", None,
        None, None, None, "uncertain", "listed",
    ]  # fmt: skip


def test_beside_a_compromised_key_there_may_be_no_record(tmp_path: Any) -> None:
    with ArchiveWriter(tmp_path / "keys.ndjson") as writer:
        writer.record_key_set(A, jwks("ed25519"), START, f"{A}/jwks")
        writer.record_compromised(A, ww.thumbprint(mint.public_jwk("ed25519")), since=START, time=START)
    archive = KeyArchive.open(tmp_path / "keys.ndjson")
    # Another key of that time may have had the same kid: that it is not this one says nothing.
    claims, head = mint.claims(iss=A), mint.header("ed25519", alg="EdDSA")
    tokens = [mint.token(claims, head, signature=bytes(64)), signed(key="p256", kid="ed25519"), signed()]
    codes = ["keys_not_recorded", "keys_not_recorded", "key_compromised"]
    found = verdicts(archive, [(token, START + 50 * DAY) for token in tokens], rules=RULES)
    assert [code for code, _ in found] == codes
    covered = verdicts(archive, [(token, START) for token in tokens], rules=RULES)
    assert [code for code, _ in covered] == ["invalid_signature", "algorithm_not_allowed", "key_compromised"]


def test_what_needs_no_key_comes_first(archive: KeyArchive) -> None:
    rows: list[tuple[str | bytes, float]] = [
        ("garbage", START - DAY),
        (mint.token(head=mint.header(typ="dpop+jwt")), START - DAY),
        (mint.token(head=mint.header(alg="none"), signature=b""), START + 500 * DAY),
    ]
    assert [code for code, _ in verdicts(archive, rows, rules=RULES)] == [
        "malformed_token",
        "wrong_type",
        "algorithm_not_allowed",
    ]


def test_a_mapping_of_issuers() -> None:
    keys = {A: ww.KeySet.from_json(jwks("ed25519")), B: ww.KeySet.from_json(jwks("rsa"))}
    rows = [(signed(A), 1.0), (signed(B, "rsa"), 2.0), (signed(B, "ed25519"), 3.0)]
    assert verdicts(keys, rows) == [(None, "given"), (None, "given"), ("unknown_key", None)]


def test_issuers_of_tenants_and_trust_domains() -> None:
    template = "https://login.example/{tid}/v2.0"
    keys = {template: ww.KeySet.from_json(jwks("ed25519")), "spiffe://a.example": ww.KeySet.from_json(jwks("p256"))}
    tenants = ww.Policy(issuer=template, tenants=["t1"], audience=mint.AUDIENCE, required=())
    rows: list[tuple[str | bytes, float]] = [
        (signed("https://login.example/t1/v2.0", tid="t1"), 1.0),
        (signed("https://login.example/t2/v2.0", tid="t2"), 1.0),
        (signed("https://login.example/t1/v2.0", tid="t2"), 1.0),
        (signed("https://login.example/t1/v2.0", "p256", tid="t1"), 1.0),
        (signed("https://login.example/t1", tid="t1"), 1.0),
    ]
    want = [(None, "given"), ("wrong_issuer", "given"), ("wrong_issuer", "given"), ("unknown_key", None)]
    assert verdicts(keys, rows, tenants) == [*want, ("wrong_issuer", None)]

    domain = ww.Policy(trust_domain="a.example", audience=mint.AUDIENCE)
    rows = [
        (signed(mint.OMIT, "p256", sub="spiffe://a.example/agent", exp=2), 1.0),
        (signed(mint.OMIT, "p256", sub="spiffe://b.example/agent", exp=2), 1.0),
        (signed(mint.OMIT, sub="spiffe://a.example/agent", exp=2), 1.0),
        # The keys of another issuer of the log are not those of the trust domain.
        (signed("https://login.example/t1/v2.0", sub="spiffe://a.example/agent", exp=2), 1.0),
    ]
    want = [(None, "given"), ("wrong_issuer", None), ("unknown_key", None), ("unknown_key", None)]
    assert verdicts(keys, rows, domain) == want


@pytest.mark.parametrize("as_key_set", [False, True])
def test_a_key_of_one_tenant_does_not_verify_the_tokens_of_another(tmp_path: Any, as_key_set: bool) -> None:
    template = "https://login.example/{tid}/v2.0"
    document = jwks({**mint.public_jwk("ed25519"), "issuer": "https://login.example/t1/v2.0"})
    with ArchiveWriter(tmp_path / "keys.ndjson") as writer:
        keys = ww.KeySet.from_json(document) if as_key_set else document
        writer.record_key_set(template, keys, START, "https://login.example/jwks")
    archive = KeyArchive.open(tmp_path / "keys.ndjson")
    policy = ww.Policy(issuer=template, tenants=ww.ANY_TENANT, audience=mint.AUDIENCE, required=())
    rows = [(signed(f"https://login.example/{tenant}/v2.0", tid=tenant), START) for tenant in ("t1", "t2")]
    for some in (archive, {template: ww.KeySet.from_json(document)}):
        assert [code for code, _ in verdicts(some, rows, policy)] == [None, "wrong_issuer"]


def test_rules_are_for_archives() -> None:
    with pytest.raises(ValueError, match="rules are for an archive"):
        key_histories(ww.KeySet.from_json(jwks("ed25519")), RULES)


def test_a_timeline_begins_with_the_beginning_of_time() -> None:
    keys = ww.KeySet.from_json(jwks("ed25519"))
    epochs = (KeyEpoch(START, ((KeyState.LISTED, keys),)),)
    timeline = KeyTimeline(issuer=A, rules=RULES, epochs=epochs, lifetimes=(), gaps=())
    with pytest.raises(ValueError, match="the first start must be -inf"):
        Auditor({A: timeline}, POLICY)


def test_the_policy_of_that_time() -> None:
    early = ww.Policy(issuer=A, audience=mint.AUDIENCE, required=())
    late = ww.Policy(issuer=A, audience="https://new.example", required=())
    history = PolicyHistory(
        [
            PolicyInterval(-math.inf, START, early),
            PolicyInterval(START, START + DAY, late),
            PolicyInterval(START + DAY, math.inf, late, scopes=("orders:read", "orders:write")),
        ]
    )
    keys = ww.KeySet.from_json(jwks("ed25519"))
    old, new = signed(), signed(aud="https://new.example", scope="orders:read")
    scoped = signed(aud="https://new.example", scope="orders:write openid orders:read")
    rows = [(token, START + day * DAY) for token in (old, new, scoped) for day in (-1, 0, 0.5, 1, 2)]
    assert [code for code, _ in verdicts(keys, rows, history)] == [
        None, "wrong_audience", "wrong_audience", "wrong_audience", "wrong_audience",
        "wrong_audience", None, None, "insufficient_scope", "insufficient_scope",
        "wrong_audience", None, None, None, None,
    ]  # fmt: skip


def test_proofs_of_possession(archive: KeyArchive) -> None:
    at = START + DAY
    token, uri = signed(cnf={"jkt": proofs.jkt()}), proofs.URI

    def proof(key: str = "p256", algorithm: str = "ES256", **changes: Any) -> str:
        claims = proofs.claims(ath=proofs.ath(token), iat=int(at), **changes)
        return proofs.proof(claims, key=key, algorithm=algorithm)

    good = proof()
    rows = [
        (token, good, "POST", uri, None),
        (token, good, "GET", uri, "dpop_wrong_method"),
        (token, good, None, uri, "dpop_wrong_method"),
        (token, proof(htm=""), None, uri, "dpop_wrong_method"),
        (token, proof(htm=""), "", uri, "dpop_wrong_method"),
        (token, proof(htm=""), b"\xff", uri, "dpop_wrong_method"),
        (token, proof(htu=""), "POST", None, "dpop_wrong_uri"),
        (token, proof(htu=""), "POST", b"\xff", "dpop_wrong_uri"),
        (token, good, "POST", "https://api.example/other", "dpop_wrong_uri"),
        (token, None, "POST", uri, "dpop_proof_required"),
        (token, proof("ed25519", "EdDSA"), "POST", uri, "dpop_key_mismatch"),
        (token, "x", "POST", uri, "dpop_malformed_proof"),
        (token, proofs.proof(proofs.claims(ath=proofs.ath(token), iat=int(at) - 600)), "POST", uri, "dpop_expired"),
        (signed(), good, "POST", uri, "dpop_unbound_token"),
        (signed(), None, None, None, None),
        (token, good, "POST", uri, None),
        (token, proof(jti="proof-2"), "POST", uri, None),
    ]
    columns = ["token", "proof", "method", "uri"]
    data = pa.table({name: pa.array([row[place] for row in rows], pa.binary()) for place, name in enumerate(columns)})
    result = pa.table(
        Auditor(archive, POLICY, rules=RULES).verify_column(
            data, token="token", time=at, method="method", uri="uri", proof="proof"
        )
    )
    assert result["code"].to_pylist() == [code for *_, code in rows]
    keys, hashes = result["proof_key"].to_pylist(), result["proof_hash"].to_pylist()
    assert keys == [proofs.jkt() if sent and not code else None for _, sent, *_, code in rows]
    assert [value is None for value in hashes] == [key is None for key in keys]
    assert hashes[0] == hashes[-2] != hashes[-1]  # the same proof again, and another one
