"""``PolicyHistory``: intervals that cover every time once, and the TOML file that lists them."""

from __future__ import annotations

import copy
import datetime
import math
import pickle
from itertools import pairwise
from pathlib import Path
from typing import Any

import mint
import pytest
from hypothesis import given
from hypothesis import strategies as st

import watchword as ww
from watchword.audit import PolicyHistory, PolicyInterval
from watchword.audit.policy_input import policy_from_description, policy_from_options

OLD, NEW, NEWEST = ww.Policy(leeway=1), ww.Policy(leeway=2), ww.Policy(leeway=3)

MAY = datetime.datetime(2026, 5, 1, tzinfo=datetime.UTC).timestamp()
JULY = datetime.datetime(2026, 7, 1, tzinfo=datetime.UTC).timestamp()


def history() -> PolicyHistory:
    return PolicyHistory(
        [
            PolicyInterval(-math.inf, MAY, OLD),
            PolicyInterval(MAY, JULY, NEW, scopes=("orders:read",)),
            PolicyInterval(JULY, math.inf, NEWEST),
        ]
    )


def test_the_policy_of_a_time() -> None:
    policies = history()
    for time, policy in [
        (-1e300, OLD), (0, OLD), (math.nextafter(MAY, 0), OLD), (MAY, NEW), (int(MAY) + 1, NEW),
        (math.nextafter(JULY, 0), NEW), (JULY, NEWEST), (1e300, NEWEST),
    ]:  # fmt: skip
        assert policies.at(time) is policy
        interval = policies.interval_at(time)
        assert interval in policies.intervals
        assert interval.start <= time < interval.end
    assert policies.interval_at(MAY).scopes == ("orders:read",)
    assert policies.interval_at(0).scopes == ()


@given(st.lists(st.floats(-1e12, 1e12), unique=True, max_size=20), st.floats(-1e13, 1e13))
def test_every_time_is_in_one_interval(bounds: list[float], time: float) -> None:
    ends = [-math.inf, *sorted(bounds), math.inf]
    policies = PolicyHistory(
        PolicyInterval(start, end, ww.Policy(leeway=index)) for index, (start, end) in enumerate(pairwise(ends))
    )
    covering = [interval for interval in policies.intervals if interval.start <= time < interval.end]
    assert covering == [policies.interval_at(time)]


@pytest.mark.parametrize("time", [math.nan, math.inf, -math.inf, 10**400])
def test_times_that_are_none(time: float) -> None:
    with pytest.raises(ValueError, match="time"):
        history().at(time)


@pytest.mark.parametrize("time", [None, "2026-01-01", True, datetime.datetime.now(datetime.UTC)])
def test_times_of_the_wrong_type(time: Any) -> None:
    with pytest.raises(TypeError, match="time must be a number"):
        history().at(time)


INF = math.inf
UNCOVERED: dict[str, tuple[list[tuple[float, float]], str]] = {
    "nothing": ([], "no policy"),
    "a start": ([(MAY, INF)], "before 2026-05-01T00:00:00Z"),
    "an end": ([(-INF, MAY)], "from 2026-05-01T00:00:00Z on"),
    "a gap": (
        [(-INF, MAY), (JULY, INF)],
        "from 2026-05-01T00:00:00Z to 2026-07-01T00:00:00Z, between policies 1 and 2",
    ),
    "an overlap": ([(-INF, JULY), (MAY, INF)], "policies 1 and 2 overlap"),
    "an overlap without end": ([(-INF, INF), (MAY, INF)], "policies 1 and 2 overlap"),
    "the later one first": ([(-INF, MAY), (JULY, INF), (MAY, JULY)], "from 2026-05-01"),
    "backwards": ([(-INF, MAY), (0, 1)], "not in the order|overlap"),
    "twice": ([(-INF, INF), (-INF, INF)], "policies 1 and 2 are not in the order of time"),
}


@pytest.mark.parametrize("name", UNCOVERED)
def test_gaps_and_overlaps(name: str) -> None:
    bounds, message = UNCOVERED[name]
    with pytest.raises(ValueError, match=message):
        PolicyHistory(PolicyInterval(start, end, OLD) for start, end in bounds)


def test_invalid_intervals() -> None:
    mistakes: list[tuple[tuple[Any, ...], type[Exception], str]] = [
        ((1, 1, OLD), ValueError, "before it ends"),
        ((2, 1, OLD), ValueError, "1970-01-01T00:00:02Z to 1970-01-01T00:00:01Z"),
        ((INF, INF, OLD), ValueError, "before it ends"),
        ((math.nan, 1, OLD), ValueError, "start"),
        ((None, 1, OLD), TypeError, "start"),
        ((1, "2", OLD), TypeError, "end"),
        ((1, 2, None), TypeError, "policy must be a Policy"),
        ((1, 2, OLD, "read"), TypeError, "scopes"),
        ((1, 2, OLD, ["a b"]), ValueError, "scope"),
        ((1, 2, OLD, ['"']), ValueError, "scope"),
        ((1, 2, OLD, [1]), TypeError, "scope"),
    ]
    for arguments, kind, message in mistakes:
        with pytest.raises(kind, match=message):
            PolicyInterval(*arguments)
    with pytest.raises(TypeError, match="PolicyInterval"):
        PolicyHistory([OLD])  # type: ignore[list-item]
    assert PolicyInterval(1, 2, OLD, ["b", "a"]).scopes == ("b", "a")  # type: ignore[arg-type]


def test_histories_are_values() -> None:
    policies = history()
    copies = [pickle.loads(pickle.dumps(policies, protocol)) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    for again in [*copies, copy.copy(policies), copy.deepcopy(policies)]:
        assert (again, hash(again), again.intervals) == (policies, hash(policies), policies.intervals)
        assert again.at(MAY) == NEW
    assert policies != PolicyHistory([PolicyInterval(-INF, INF, OLD)])
    assert repr(policies) == "PolicyHistory(intervals=3)"


def test_what_could_not_be_made_cannot_be_unpickled() -> None:
    data = pickle.dumps(PolicyHistory([PolicyInterval(-INF, MAY, OLD), PolicyInterval(MAY, INF, NEW)]), protocol=0)
    may = repr(MAY).encode()
    assert data.count(may) == 2
    with pytest.raises(ValueError, match="no policy covers"):
        pickle.loads(data.replace(may, repr(JULY).encode(), 1).replace(may, repr(JULY + 1).encode(), 1))


FILE = """
# Tokens for one service, whose issuer moved.
[[policy]]
to = 2026-05-01T00:00:00Z
issuer = "https://old.example"
any_audience = true

[[policy]]
from = 2026-05-01T02:00:00+02:00
issuer = ["https://old.example", "https://as.example"]
audience = "https://api.example"
algorithms = ["EdDSA", "ES256"]
types = ["at+jwt", "none"]
leeway = 2.5
required = ["exp", "jti"]
bound_tokens = "accept"
scopes = ["orders:read", "orders:write"]
scope_claims = ["scope"]
max_token_bytes = 4096
max_header_bytes = 1024

[[policy]]
from = 2026-07-01 00:00:00.250Z
issuer = "https://login.example/{tid}/v2.0"
tenants = "any"
audience = ["a", "b"]
audience_claim = "client_id"
"""


def test_a_file(tmp_path: Path) -> None:
    expected = PolicyHistory(
        [
            PolicyInterval(-INF, MAY, ww.Policy(issuer="https://old.example", audience=ww.ANY_AUDIENCE)),
            PolicyInterval(
                MAY,
                JULY + 0.25,
                ww.Policy(
                    issuer=("https://old.example", "https://as.example"),
                    audience="https://api.example",
                    algorithms=("EdDSA", "ES256"),
                    types=("at+jwt", None),
                    leeway=2.5,
                    required=("exp", "jti"),
                    bound_tokens="accept",
                    scope_claims=("scope",),
                    max_token_bytes=4096,
                    max_header_bytes=1024,
                ),
                ("orders:read", "orders:write"),
            ),
            PolicyInterval(
                JULY + 0.25,
                INF,
                ww.Policy(
                    issuer="https://login.example/{tid}/v2.0",
                    tenants=ww.ANY_TENANT,
                    audience=("a", "b"),
                    audience_claim="client_id",
                ),
            ),
        ]
    )
    assert PolicyHistory.from_toml(FILE) == expected
    path = tmp_path / "policies.toml"
    path.write_text(FILE)
    assert PolicyHistory.from_file(path) == PolicyHistory.from_file(str(path)) == expected


def test_one_table_is_enough() -> None:
    (interval,) = PolicyHistory.from_toml('[[policy]]\nissuer = "spiffe://example.org"\naudience = "a"').intervals
    assert (interval.start, interval.end, interval.scopes) == (-INF, INF, ())
    assert interval.policy == ww.Policy(trust_domain="example.org", audience="a")
    (default,) = PolicyHistory.from_toml("[[policy]]").intervals
    assert default.policy == ww.Policy()


A, B = "to = 2026-05-01T00:00:00Z", "from = 2026-05-01T00:00:00Z"
INVALID: dict[str, tuple[str, str]] = {
    "empty": ("", "no tables"),
    "no tables": ("policy = []", "no tables"),
    "not tables": ("policy = [1]", "no tables"),
    "one table": ("[policy]\nleeway = 5", r"no tables \[\[policy\]\]"),
    "another table": ("[[policies]]", 'unknown key "policies"'),
    "not TOML": ("[[policy]]\nleeway = x\n", "line 2"),
    "unknown key": (f'[[policy]]\n{A}\n[[policy]]\naudiance = "x"',
                    'policy 2: unknown key "audiance": the keys are from, to, issuer, .*audience.*max_header_bytes'),
    "an argument that is spelt otherwise": ('[[policy]]\ntrust_domain = "a"', "unknown key"),
    "local time": ("[[policy]]\nto = 2026-05-01T00:00:00", "policy 1: to must .*offset.*add Z"),
    "date": ("[[policy]]\nfrom = 2026-05-01", "policy 1: from must .*offset"),
    "time as text": ('[[policy]]\nfrom = "2026-05-01T00:00:00Z"', "policy 1: from must"),
    "time as a number": ("[[policy]]\nfrom = 1777593600", "policy 1: from must"),
    "no boundary": ("[[policy]]\n[[policy]]", "policy 1 has no to, and policy 2 has no from"),
    "gap": (f"[[policy]]\n{A}\n[[policy]]\nfrom = 2026-05-01T00:00:01Z", "no policy covers .*between policies 1 and 2"),
    "gap by an offset": (f"[[policy]]\n{A}\n[[policy]]\nfrom = 2026-05-01T00:00:00-01:00", "no policy covers"),
    "overlap": (f"[[policy]]\n{A}\n[[policy]]\nfrom = 2026-04-30T00:00:00Z", "overlap"),
    "start": (f"[[policy]]\n{B}", "no policy covers the time before"),
    "end": (f"[[policy]]\n{A}", "no policy covers .* on"),
    "empty interval": (f"[[policy]]\n{A}\n[[policy]]\n{B}\n{A}\n[[policy]]", "policy 2: .*before it ends"),
    "scopes one text": ('[[policy]]\nscopes = "a b"', "policy 1: scopes must be a list of strings"),
    "no scope": ('[[policy]]\nscopes = ["a b"]', "policy 1: .*scope"),
    "list of numbers": ("[[policy]]\nissuer = [1]", "policy 1: issuer must be a string or a list"),
    "table as a list": ("[[policy]]\nrequired = {exp = true}", "policy 1: required must be a list"),
    "bool as a number": ("[[policy]]\nleeway = true", "policy 1: leeway must be a number of seconds"),
    "float as bytes": ("[[policy]]\nmax_token_bytes = 1.5", "policy 1: max_token_bytes must be a whole number"),
    "bool as bytes": ("[[policy]]\nmax_token_bytes = true", "policy 1: max_token_bytes"),
    "negative bytes": ("[[policy]]\nmax_token_bytes = -1", "policy 1: max_token_bytes"),
    "leeway not finite": ("[[policy]]\nleeway = inf", "policy 1: leeway"),
    "unknown algorithm": ('[[policy]]\nalgorithms = ["HS256"]', "policy 1: .*HS256"),
    "unknown treatment": ('[[policy]]\nbound_tokens = "ignore"', "policy 1: bound_tokens"),
    "contradiction": ('[[policy]]\nany_audience = true\naudience = "a"', "policy 1: audience contradicts any_audience"),
    "tenants without a template": ('[[policy]]\nissuer = "a"\ntenants = "any"', "policy 1: "),
    "a template without tenants": ('[[policy]]\nissuer = "https://a.example/{tid}"', "policy 1: "),
}  # fmt: skip


@pytest.mark.parametrize("name", INVALID)
def test_invalid_files(name: str, tmp_path: Path) -> None:
    text, message = INVALID[name]
    with pytest.raises(ValueError, match=message) as caught:
        PolicyHistory.from_toml(text)
    path = tmp_path / "policies.toml"
    path.write_text(text)
    with pytest.raises(ValueError) as of_file:
        PolicyHistory.from_file(path)
    assert str(of_file.value) == f"{path}: {caught.value}"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        PolicyHistory.from_file(tmp_path / "missing.toml")
    path = tmp_path / "policies.toml"
    path.write_bytes(b'[[policy]]\nissuer = "\xff"')
    with pytest.raises(ValueError, match=r"policies\.toml: the file is not UTF-8 \(at byte 21\)"):
        PolicyHistory.from_file(path)
    with pytest.raises(TypeError, match="from_file"):
        PolicyHistory.from_toml(path)  # type: ignore[arg-type]


def test_a_policy_of_a_file_verifies() -> None:
    policies = PolicyHistory.from_toml(
        f'[[policy]]\nissuer = "https://old.example"\n[[policy]]\nfrom = 2026-05-01T00:00:00Z\n'
        f'issuer = "{mint.ISSUER}"\naudience = "{mint.AUDIENCE}"'
    )
    keys = ww.KeySet.from_json(mint.jwks("ed25519"))
    assert ww.verify(mint.token(), keys, policies.at(mint.NOW), now=mint.NOW).subject == "agent-7"
    early = mint.token(mint.claims(iat=MAY - 60, nbf=MAY - 60, exp=MAY + 60))
    with pytest.raises(ww.VerificationError, match="iss"):
        ww.verify(early, keys, policies.at(MAY - 1), now=MAY - 1)
    assert ww.verify(early, keys, policies.at(MAY), now=MAY)


@pytest.mark.parametrize("issuer", ["spiffe://example.org", ("spiffe://example.org",)])
def test_a_trust_domain_by_options_and_in_a_manifest(issuer: str | tuple[str, ...]) -> None:
    policy, described = policy_from_options({"issuer": issuer, "audience": "https://api.example"})
    assert (policy.trust_domain, policy.issuer) == ("example.org", None)
    assert policy_from_description(described) == policy
    with pytest.raises(ValueError, match="audit it alone"):
        policy_from_options({"issuer": ("spiffe://example.org", "https://as.example")})
