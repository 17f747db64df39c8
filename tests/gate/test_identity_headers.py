"""Identity headers: what the gate sends, the application reads, and nothing that a client sends instead."""

from __future__ import annotations

import base64
import math
import pickle
import secrets
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import watchword as ww
from watchword.gate import ConfigError, Gate, GateConfig, Identity, IdentityHeaders, Route
from watchword.testing import LocalIssuer, forged_identity_headers

ISSUER = LocalIssuer(audience="https://api.example")
URL = "https://api.example"
SECRET, OLD = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
ROUTES = [Route("/maybe", optional=True, name="per cent % and, comma"), Route("/orders", dpop="required")]
GATE = Gate(ISSUER.verifier(), ROUTES, public_url=URL, identity_secret=SECRET)
NAMES = ("Sub", "Iss", "Client-Id", "Scope", "Actors", "Jti", "Exp", "Jkt", "Route", "Trace-Id", "Secret")

Pairs = list[tuple[str, str]]


def sent(gate: Gate = GATE, target: str = "/maybe", token: str | None = None) -> Pairs:
    """The identity headers of a request that may pass."""
    headers = [] if token is None else [("Authorization", f"Bearer {token}")]
    decision = gate.check(method="GET", target=target, headers=headers)
    assert decision.allowed, decision.error
    return list(decision.identity_headers)


def reader(*several: str, **options: Any) -> IdentityHeaders:
    return IdentityHeaders(several or (SECRET,), **options)


TEXT = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=40)
#: A scope token (RFC 6749 section 3.3).
SCOPE = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters='"\\'), min_size=1, max_size=12
)
ACTOR = st.one_of(
    st.fixed_dictionaries({"sub": TEXT}),
    st.fixed_dictionaries({"client_id": st.text("abc", min_size=1)}),
)


@given(
    subject=TEXT,
    client_id=st.one_of(st.none(), TEXT),
    scopes=st.lists(SCOPE, max_size=4, unique=True),
    actors=st.lists(ACTOR, max_size=4),
    token_id=TEXT,
    lifetime=st.one_of(st.integers(10_000, 10**9), st.floats(10_000, 1e9)),
    empty_headers=st.sampled_from(["sent", "dropped"]),
)
def test_what_the_gate_has_verified_is_what_the_application_reads(
    subject: str,
    client_id: str | None,
    scopes: list[str],
    actors: list[dict[str, str]],
    token_id: str,
    lifetime: float,
    empty_headers: Any,
) -> None:
    expires_at = math.floor(ISSUER.clock()) + lifetime
    claims: dict[str, Any] = {"sub": subject, "client_id": client_id, "jti": token_id, "exp": expires_at}
    claims["scope"] = " ".join(scopes)
    act: dict[str, Any] | None = None
    for actor in reversed(actors):
        act = actor if act is None else {**actor, "act": act}
    if act is not None:
        claims["act"] = act
    headers = sent(token=ISSUER.mint(claims=claims))
    if empty_headers == "dropped":
        headers = [(name, value) for name, value in headers if value]
    identity = reader(empty_headers=empty_headers).read(headers)
    assert identity == Identity(
        subject=subject,
        issuer=ISSUER.issuer,
        client_id=client_id,
        scopes=tuple(scopes),
        actors=tuple(actor.get("sub") for actor in actors),
        token_id=token_id,
        expires_at=math.floor(expires_at),
        proof_key=None,
        route="per cent % and, comma",
        trace_id=dict(headers)["X-Auth-Trace-Id"],
    )
    assert not identity.is_anonymous


def test_a_proved_key_and_a_request_without_a_token() -> None:
    request = ISSUER.sign_request("GET", f"{URL}/orders", dpop=True)
    decision = GATE.check(method="GET", target="/orders", headers=request.headers)
    assert decision.proof is not None
    assert reader().read(decision.identity_headers).proof_key == decision.proof.jkt
    anonymous = reader().read(sent())
    assert anonymous.is_anonymous
    assert (anonymous.subject, anonymous.scopes, anonymous.actors, anonymous.expires_at) == (None, (), (), None)


def test_every_kind_of_headers_is_read() -> None:
    headers = sent(token=ISSUER.mint(sub="alice"))
    kinds: list[Any] = [
        headers,
        tuple(headers),
        dict(headers),
        {name.upper(): [value] for name, value in headers},
        [(name.lower().encode(), value.encode()) for name, value in headers],
        [[name.lower().encode(), value.encode()] for name, value in headers],
    ]
    for kind in kinds:
        assert reader().read(kind).subject == "alice"
    with pytest.raises(TypeError):
        reader().read([("X-Auth-Sub", 7)])  # type: ignore[list-item]


def rejected(headers: Pairs, **options: Any) -> str:
    with pytest.raises(ww.UntrustedIdentityError) as caught:
        reader(**options).read(headers)
    error = caught.value
    assert (error.code, error.http_status, error.www_authenticate()) == ("untrusted_identity", 403, None)
    assert SECRET not in str(error)
    return str(error)


def test_headers_without_the_secret_are_rejected() -> None:
    headers = sent(token=ISSUER.mint())
    assert "X-Auth-Secret is missing" in rejected(headers[:-1])
    assert "X-Auth-Secret is missing" in rejected([])
    assert "another secret" in rejected([*headers[:-1], ("X-Auth-Secret", OLD)])
    for wrong in ("", SECRET[:-1], SECRET + "A", SECRET.swapcase(), f"{SECRET}, {SECRET}", f"{SECRET} {SECRET}"):
        rejected([*headers[:-1], ("X-Auth-Secret", wrong)])
    rejected(list(forged_identity_headers()))
    rejected([*forged_identity_headers(), ("X-Auth-Secret", "forged")])
    # A gate without a secret is none that this application trusts.
    rejected(sent(Gate(ISSUER.verifier(), ROUTES, public_url=URL)))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "spell", [str, str.upper, lambda name: name.replace("-", "_"), lambda name: name.replace("-", ".")]
)
def test_a_second_header_of_a_name_is_rejected(name: str, spell: Any) -> None:
    headers = sent(token=ISSUER.mint())
    value = dict(headers)[f"X-Auth-{name}"]
    for added in (value, "admin"):
        other = (spell(f"X-Auth-{name}"), added)
        for pairs in ([*headers, other], [other, *headers]):
            for empty_headers in ("sent", "dropped"):
                assert f"X-Auth-{name} " in rejected(pairs, empty_headers=empty_headers)


def test_another_spelling_is_rejected_if_the_gates_own_was_dropped() -> None:
    headers = [pair for pair in sent() if pair[1]]
    assert reader(empty_headers="dropped").read(headers).is_anonymous
    for other in ("X_Auth_Sub", "x.auth.sub", "X-Auth_Sub"):
        assert "another spelling" in rejected([*headers, (other, "admin")], empty_headers="dropped")


def test_values_that_a_server_has_joined_are_rejected() -> None:
    for index, (name, value) in enumerate(sent(token=ISSUER.mint())):
        for joined in (f"{value}, admin", f"admin,{value}"):
            headers = sent(token=ISSUER.mint())
            headers[index] = (name, joined)
            assert f"{name} " in rejected(headers)


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_header_is_rejected(name: str) -> None:
    headers = [pair for pair in sent(token=ISSUER.mint()) if pair[0] != f"X-Auth-{name}"]
    assert f"X-Auth-{name} is missing" in rejected(headers)
    if name in ("Route", "Trace-Id", "Secret"):
        # The gate never sends them empty, so that no proxy drops them.
        rejected(headers, empty_headers="dropped")


def test_secrets_are_replaced_without_a_gap() -> None:
    before, after = (Gate(ISSUER.verifier(), ROUTES, public_url=URL, identity_secret=one) for one in (OLD, SECRET))
    both = reader(SECRET, OLD)
    assert both.read(sent(before)).is_anonymous
    assert both.read(sent(after)).is_anonymous
    rejected(sent(before))


def test_another_prefix() -> None:
    gate = Gate(ISSUER.verifier(), ROUTES, public_url=URL, identity_prefix="X-Id-", identity_secret=SECRET)
    headers = [*sent(gate, token=ISSUER.mint(sub="alice")), ("X-Auth-Sub", "mallory"), ("Host", "x")]
    own = reader(prefix="X-Id-")
    assert own.read(headers).subject == "alice"
    assert own.without([*headers, ("x_id_other", "y")]) == [("X-Auth-Sub", "mallory"), ("Host", "x")]
    rejected(headers)


def test_a_client_cannot_learn_or_send_the_secret() -> None:
    decision = GATE.check(method="GET", target="/maybe", headers=[("X_Auth.Secret", "guess"), ("Accept", "*/*")])
    assert decision.forwarded_headers([("X_Auth.Secret", "guess"), ("Accept", "*/*")]) == [("Accept", "*/*")]
    refused = GATE.check(method="GET", target="/orders", headers=[])
    assert refused.identity_headers == ()
    for shown in (repr(refused), str(refused.headers), refused.body.decode(), repr(GATE), repr(GATE._state.settings)):
        assert SECRET not in shown


def test_no_secret_is_shown() -> None:
    own = reader(SECRET, OLD)
    assert repr(own) == 'IdentityHeaders("X-Auth-", 2 secrets)'
    for wrong in ("c2VjcmV0", SECRET + "!", "", f"{SECRET}\n{OLD}"):
        with pytest.raises(ValueError, match="base64url of 32 bytes or more") as caught:
            reader(wrong)
        with pytest.raises(ValueError, match="base64url of 32 bytes or more") as of_gate:
            Gate(ISSUER.verifier(), ROUTES, public_url=URL, identity_secret=wrong)
        assert not wrong or wrong not in f"{caught.value}{of_gate.value}"


def test_invalid_arguments() -> None:
    with pytest.raises(ValueError, match="secrets is empty"):
        IdentityHeaders([])
    with pytest.raises(ValueError, match="prefix"):
        reader(prefix="X-Auth")
    with pytest.raises(ValueError, match="empty_headers"):
        reader(empty_headers="nginx")
    with pytest.raises(TypeError):
        IdentityHeaders([SECRET.encode()])  # type: ignore[list-item]


def test_an_identity_is_plain_data() -> None:
    identity = reader().read(sent(token=ISSUER.mint(sub="alice")))
    assert pickle.loads(pickle.dumps(identity)) == identity
    assert SECRET not in repr(identity)
    with pytest.raises(AttributeError):
        identity.subject = "mallory"  # type: ignore[misc]


# The file.

CONFIG = f"""
public_url = "{URL}"
identity_secret_file = "identity.secret"
token = {{ audience = "{URL}" }}

[[issuers]]
issuer = "https://issuer.test"
jwks_uri = "https://issuer.test/keys"

[[routes]]
path = "/maybe"
optional = true
"""


def test_gate_and_application_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "identity.secret"
    path.write_text(f"{SECRET}=\r\n\n{OLD}\n")
    (tmp_path / "gate.toml").write_text(CONFIG)
    config = GateConfig.from_file(tmp_path / "gate.toml")
    assert (config.identity_secret_file, config.identity_secrets()) == (path, (SECRET, OLD))
    assert config.check_files() == ()
    gate = Gate.from_config(config)
    assert dict(sent(gate))["X-Auth-Secret"] == SECRET
    application = IdentityHeaders.from_file(path)
    assert application.read(sent(gate)).is_anonymous
    path.write_text(OLD)
    gate.reload(GateConfig.from_file(tmp_path / "gate.toml"))
    assert dict(sent(gate))["X-Auth-Secret"] == OLD
    assert application.read(sent(gate)).is_anonymous
    (tmp_path / "gate.toml").write_text(CONFIG.replace("identity_secret_file", "#"))
    gate.reload(GateConfig.from_file(tmp_path / "gate.toml"))
    assert "X-Auth-Secret" not in dict(sent(gate))
    gate.close()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "can't be read: No such file"),
        ("", "there is no secret"),
        (f"{SECRET}\nc2VjcmV0\n", "secret 2 is shorter than 32 bytes"),
        (f"{SECRET},\n", "secret 1 is not base64url"),
        (base64.b64encode(b"\xff" * 33).decode(), "secret 1 is not base64url"),
    ],
)
def test_a_file_without_usable_secrets(tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "identity.secret").write_text(content)
    config = GateConfig.from_toml(CONFIG, folder=tmp_path)
    (found,) = config.check_files()
    assert (found.line, found.column, found.path) == (3, 24, "identity_secret_file")
    assert message in found.message
    with pytest.raises(ConfigError) as caught:
        Gate.from_config(config)
    with pytest.raises((ValueError, OSError)) as of_application:
        IdentityHeaders.from_file(tmp_path / "identity.secret")
    for text in (str(caught.value), found.message, str(of_application.value)):
        assert SECRET not in text
        assert "c2VjcmV0" not in text
