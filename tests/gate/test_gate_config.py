"""GateConfig: the objects that a file describes, and where its errors are."""

from __future__ import annotations

import base64
import json
import pickle
from pathlib import Path

import pytest

import watchword as ww
from watchword.dpop import MemoryReplayStore
from watchword.gate import ConfigError, ConfigProblem, Gate, GateConfig
from watchword.testing import LocalIssuer

ISSUER = LocalIssuer(algorithms=("EdDSA",))

CONFIG = """
public_url = "https://api.test"
resource = "https://api.test/orders"
realm = "orders"
identity_prefix = "X-Id-"
scopes_supported = ["orders:read"]

[proxy]
origin = "forwarded"
certificate_header = "X-SSL-Client-Cert"
certificate_format = "escaped-pem"

[token]
audience = "https://api.test"
types = ["at+jwt", "none"]
leeway = 10

[[issuers]]
issuer = "https://issuer.test"
jwks_file = "keys.json"
cache = { check_interval = 5 }

[[issuers]]
issuer = "https://login.example/{tid}/v2.0"
tenants = "any"
jwks_uri = "https://login.example/keys"
any_audience = true

[dpop]
max_age = 30
nonce_lifetime = 120
nonce_keys_file = "nonces.txt"
replay_capacity = 1000

[token_cache]
max_bytes = 1048576

[[routes]]
path = "/health"
public = true

[[routes]]
path = "/orders/{id}"
methods = ["GET"]
name = "order"
scopes = ["orders:{id}"]
dpop = "required"
allowed_actors = ["client:planner"]

[log]
allowed = true
sample = 0.25
"""

KEY = base64.urlsafe_b64encode(bytes(range(32))).decode().rstrip("=")


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    (tmp_path / "keys.json").write_text(json.dumps(ISSUER.jwks()))
    (tmp_path / "nonces.txt").write_text(f"{KEY}\n{KEY[::-1]}\n")
    (tmp_path / "gate.toml").write_text(CONFIG)
    return tmp_path


def problems(text: str, **options: object) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        GateConfig.from_toml(text, **options)
    return [problem.describe() for problem in caught.value.problems]


def minimal(lines: str = "", *, top: str = "") -> str:
    """A configuration with these lines in its only issuer, from line 6 on."""
    return (
        f'public_url = "https://api.test"\n{top}\n[token]\naudience = "https://api.test"\n[[issuers]]\n{lines}\n'
        'issuer = "https://issuer.test"\n[[routes]]\npath = "/"\n'
    )


def test_keys_over_plain_http_only_from_listed_hosts() -> None:
    """The settings of ``Issuer``, with the same rules."""
    text = """
        public_url = "https://api.test"
        token = { audience = "https://api.test" }
        issuers = [{ issuer = "http://as.internal:8000", %s }]
    """
    with Gate.from_config(GateConfig.from_toml(text % 'allow_http_hosts = ["as.internal"]')):
        pass
    for setting in ('allow_http_hosts = ["other.internal"]', 'allow_http_hosts = ["*.internal"]', "leeway = 1"):
        with pytest.raises(ValueError, match=r"https|host"):
            Gate.from_config(GateConfig.from_toml(text % setting))


def test_a_file_describes_a_verifier_and_routes(folder: Path) -> None:
    config = GateConfig.from_file(folder / "gate.toml")
    assert config.warnings == ()
    assert [issuer.issuer for issuer in config.issuers] == ["https://issuer.test", "https://login.example/{tid}/v2.0"]
    assert config.issuers[0].cache_settings.check_interval == 5
    assert config.issuers[1].tenants is ww.ANY_TENANT
    assert config.issuers[1].audience is ww.ANY_AUDIENCE
    assert [route.path for route in config.routes] == ["/health", "/orders/{id}"]
    order = config.routes[1]
    assert (order.name, order.methods, order.scopes, order.dpop) == ("order", ("GET",), ("orders:{id}",), "required")
    assert order.allowed_actors == ("client:planner",)
    assert config.scopes_supported == ("orders:read",)
    assert config.log == {"allowed": True, "sample": 0.25}
    keywords = config.gate_keywords()
    assert (keywords["realm"], keywords["proxy"].certificate_header) == ("orders", "X-SSL-Client-Cert")
    dpop = config.dpop_verifier()
    assert isinstance(dpop.replay, MemoryReplayStore)
    assert dpop.replay.capacity == 1000
    assert dpop.nonces is not None
    assert config.token_cache().stats().max_bytes == 1048576
    with config.verifier() as verifier:
        token = verifier.verify(ISSUER.mint())
    assert token.issuer == "https://issuer.test"


def test_the_policy_of_the_file_applies(folder: Path) -> None:
    with GateConfig.from_file(folder / "gate.toml").verifier() as verifier:
        with pytest.raises(ww.WrongAudienceError):
            verifier.verify(ISSUER.mint(aud="https://other.test"))
        # Of [token], not the default of 5.
        assert verifier.verify(ISSUER.mint(), now=expiry() + 8)


def expiry() -> float:
    return ww.decode_unverified(ISSUER.mint()).claims["exp"]


def test_nonces_of_the_same_file_are_the_same_in_each_process(folder: Path) -> None:
    one, another = (GateConfig.from_file(folder / "gate.toml").dpop_verifier() for _ in range(2))
    assert another.nonces.accepts(one.nonces.issue(now=1000), now=1000)


def test_a_gate_from_a_file_decides(folder: Path) -> None:
    with Gate.from_file(folder / "gate.toml") as gate:
        assert gate.check(method="GET", target="/health", headers=[]).allowed
        decision = gate.check(method="GET", target="/orders/7", headers=[("Authorization", f"Bearer {ISSUER.mint()}")])
    assert (decision.allowed, decision.code) == (False, "dpop_bound_token_required")


def test_actors_of_another_issuer(folder: Path) -> None:
    text = minimal() + 'allowed_actors = ["client:planner", ["https://other.test", "client:mailer"]]\n'
    config = GateConfig.from_toml(text.replace("issuer =", "jwks_file = 'keys.json'\nissuer ="), folder=folder)
    assert config.routes[0].allowed_actors == ("client:planner", ("https://other.test", "client:mailer"))
    with Gate(config.verifier(), config.routes, **config.gate_keywords()) as gate:
        for issuer, status in (("https://other.test", 200), ("https://issuer.test", 403)):
            token = ISSUER.mint(act={"sub": "client:mailer", "iss": issuer})
            headers = [("Authorization", f"Bearer {token}")]
            assert gate.check(method="GET", target="/", headers=headers).status == status


def test_json_has_the_same_names(folder: Path) -> None:
    text = json.dumps(
        {
            "public_url": ["https://api.test"],
            "token": {"audience": "https://api.test"},
            "issuers": [{"issuer": "https://issuer.test", "jwks": ISSUER.jwks()}],
            "routes": [{"path": "/", "allowed_actors": []}],
        }
    )
    (folder / "gate.json").write_text(text)
    config = GateConfig.from_file(folder / "gate.json")
    assert config.routes[0].allowed_actors == ()
    with config.verifier() as verifier:
        assert verifier.verify(ISSUER.mint()).subject


def test_every_error_has_its_place() -> None:
    found = problems(minimal('jwks_uri = "http://issuer.test"\ncache = { ttl = 5 }', top='relm = "x"'))
    assert found[0] == '2:1: relm: unknown key; did you mean "realm"?'
    # Errors of the file itself come first: what the library checks is not reached.
    assert len(found) == 1
    found = problems(minimal('jwks_uri = "http://issuer.test"\ncache = { ttl = 5 }'))
    assert found[0].startswith("7:17: issuers[0].cache.ttl: ttl must lie between")
    assert found[1].startswith("6:12: issuers[0].jwks_uri: ")


def test_an_error_tells_the_file_and_can_be_pickled(folder: Path) -> None:
    path = folder / "bad.toml"
    path.write_text('public_url = 1\n[[issuers]]\nissuer = "https://issuer.test"\n')
    with pytest.raises(ConfigError) as caught:
        GateConfig.from_file(path)
    message = f"{path}:1:14: public_url: must be a string or a list of strings, not a number"
    assert str(caught.value) == message
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (str(copy), copy.problems) == (message, caught.value.problems)
    assert copy.problems[0] == ConfigProblem(1, 14, "public_url", "must be a string or a list of strings, not a number")


def test_a_file_that_is_not_utf8(folder: Path) -> None:
    (folder / "bad.toml").write_bytes(b"realm = '\xff'")
    with pytest.raises(ConfigError, match="the file is not UTF-8 \\(at byte 9\\)"):
        GateConfig.from_file(folder / "bad.toml")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    config = GateConfig.from_toml(CONFIG, folder=tmp_path)
    found = [problem.describe() for problem in config.check_files()]
    assert found[0].startswith("20:13: issuers[0].jwks_file: ")
    assert found[1].startswith("32:19: dpop.nonce_keys_file: ")
    with pytest.raises(ConfigError, match="can't be read"):
        config.verifier()


@pytest.mark.parametrize(
    ("content", "message"),
    [("c2VjcmV0\n", "32 bytes or more"), ("not base64!\n", "secret 1 is not base64url"), ("", "no secret")],
)
def test_keys_of_nonces_are_secrets(folder: Path, content: str, message: str) -> None:
    (folder / "nonces.txt").write_text(content)
    config = GateConfig.from_file(folder / "gate.toml")
    with pytest.raises(ConfigError, match=message) as caught:
        config.dpop_verifier()
    assert "c2VjcmV0" not in str(caught.value)


def test_a_key_file_without_usable_keys_is_found(folder: Path) -> None:
    (folder / "keys.json").write_text('{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}')
    (found,) = GateConfig.from_file(folder / "gate.toml").check_files()
    assert "has no usable key" in found.message
    (folder / "keys.json").write_text("c2VjcmV0")
    (found,) = GateConfig.from_file(folder / "gate.toml").check_files()
    assert "c2VjcmV0" not in found.message


def test_no_secret_is_shown() -> None:
    url = "redis://user:passw0rd@redis.example/0"
    config = GateConfig.from_toml(minimal() + f'[dpop]\nreplay = "{url}"\n')
    assert "passw0rd" not in repr(config)
    assert "passw0rd" not in repr(config.dpop_verifier())
    for bad in ("redis://user:passw0rd@host:port/0", "http://user:passw0rd@host"):
        with pytest.raises(ConfigError) as caught:
            GateConfig.from_toml(minimal() + f'[dpop]\nreplay = "{bad}"\n').dpop_verifier()
        assert "passw0rd" not in str(caught.value)
        assert "dpop.replay" in str(caught.value)


def test_two_issuers_that_claim_the_same_tokens(tmp_path: Path) -> None:
    text = minimal() + '[[issuers]]\nissuer = "https://other.test"\naliases = ["https://issuer.test"]\n'
    assert problems(text) == ['10:1: issuers[1]: another issuer has the name "https://issuer.test"']


def test_the_settings_of_a_server_have_defaults() -> None:
    assert GateConfig.from_toml(minimal()).server is None
    settings = GateConfig.from_toml(minimal() + '[server]\nproxy = "caddy"\nlisten = "unix:/run/gate.sock"\n').server
    assert settings == {
        "proxy": "caddy",
        "listen": ("unix:/run/gate.sock",),
        "status_listen": ("127.0.0.1:9201",),
        "socket_mode": 0o660,
        "threads": None,
        "max_connections": 16384,
        "header_timeout": 5.0,
        "idle_timeout": 75.0,
        "max_header_bytes": 65536,
        "write_timeout": 10.0,
        "lookup_timeout": 10.0,
        "replay_timeout": 1.0,
        "stop_timeout": 10.0,
        "path_prefix": None,
    }
    assert json.loads(GateConfig.json_schema())["properties"]["server"]["required"] == ["proxy"]


def test_the_schema_is_json_with_every_section() -> None:
    schema = json.loads(GateConfig.json_schema())
    assert schema["required"] == ["issuers", "public_url"]
    assert schema["additionalProperties"] is False
    assert set(schema["properties"]["issuers"]["items"]["properties"]["cache"]["properties"]) >= {"ttl", "max_keys"}
    assert schema["properties"]["routes"]["items"]["properties"]["dpop"] == {"enum": ["allowed", "required"]}
