"""nginx with ``watchword.lua``: what several workers, reloads, files that change and replay stores make of it.

The table of requests goes through it in ``test_gateways``.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from free_port import free_port
from gate_cases import FORGED, Requests
from gate_routes import ISSUER, ORIGIN, ROUTES
from gateways import NGINX_LUA, Ports, Running, running
from redis import Redis
from redis_server import Server
from redis_server import running as redis_running
from server_process import ServerDied, serving
from upstream import Upstream, recording
from wire import HOST, LONG, Answer, Wire, send

from watchword.dpop.redis import RedisReplayStore
from watchword.testing import LocalIssuer

#: Which worker answered.
WORKER = 'add_header X-Worker $pid always; location = /pid { return 200 ""; }'


@dataclass(frozen=True)
class Nginx:
    """nginx in front of an application, and what makes requests for it."""

    ran: Running
    upstream: Upstream
    requests: Requests

    def send(self, wire: Wire) -> Answer:
        return self.ran.send(wire)

    def code(self, wire: Wire) -> str | None:
        """The code of the problem document; ``None`` if the application answered."""
        answer = self.send(wire)
        return None if answer.status == 200 else answer.json["code"]

    def becomes(self, wire: Callable[[], Wire], code: str | None) -> None:
        """Wait until all of several answers have this code."""
        soon(lambda: all(self.code(wire()) == code for _ in range(8)))

    def write(self, name: str, content: str) -> None:
        """Replace a file at once."""
        (self.ran.folder / "new").write_text(content)
        (self.ran.folder / "new").rename(self.ran.folder / name)

    def write_config(self, **more: Any) -> None:
        config = json.loads((self.ran.folder / "gate.json").read_text())
        self.write("gate.json", json.dumps({**config, **more}))

    def log(self) -> str:
        return (self.ran.folder / "gateway.log").read_text()

    def workers(self) -> set[str]:
        return set(_children(_main(self.ran.folder)))


def soon(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONG
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _main(folder: Path) -> int:
    return int((folder / "nginx.pid").read_text())


def _children(process: int) -> list[str]:
    return Path(f"/proc/{process}/task/{process}/children").read_text().split()


@contextlib.contextmanager
def nginx(folder: Path, edits: Mapping[str, str] | None = None, server: str = "", **config: Any) -> Iterator[Nginx]:
    """Run the example with further edits; ``server`` is added to its server section."""
    requests = Requests(LocalIssuer(ISSUER, audience=ORIGIN))

    def edited(ports: Ports) -> Mapping[str, str]:
        return {**NGINX_LUA.edits(ports), "server_name api.example;": WORKER + server, **(edits or {})}

    gateway = replace(NGINX_LUA, edits=edited)
    with (
        recording() as upstream,
        running(gateway, folder, requests.issuer.jwks(), upstream.port, **config) as ran,
    ):
        found = Nginx(ran, upstream, requests)
        with ran.showing_logs():
            yield found


@pytest.fixture(name="shared", scope="module")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """One whose files no test changes."""
    with nginx(tmp_path_factory.mktemp("shared"), server=_LOCATIONS) as found:
        yield found


# Locations that redirect to another one, inside nginx: the first checks the request, the second checks it again.
_LOCATIONS = """
location = /orders/missing {
    access_by_lua_block { gate:access() }
    try_files /no-such-file @orders;
}
location @orders {
    access_by_lua_block { gate:access() }
    proxy_set_header Host $host;
    proxy_pass http://application;
}
location = /orders/failing {
    access_by_lua_block { gate:access() }
    proxy_pass http://127.0.0.1:1;
    error_page 502 = /orders/instead;
}
location = /orders/rewritten {
    rewrite ^ /elsewhere last;
}
"""


def _on_workers(port: int, wire: Wire) -> list[Answer]:
    """Send the request until both workers have answered it."""
    answers: list[Answer] = []

    def on_both() -> bool:
        # While this connection is open, its worker is less likely to take the next.
        with socket.create_connection(("127.0.0.1", port)):
            answers.append(send(port, wire))
        return len({answer.all("x-worker")[0] for answer in answers}) == 2

    soon(on_both)
    return answers


# Replay


def test_a_proof_is_used_once_by_all_workers(shared: Nginx) -> None:
    wire = shared.requests.proven(shared.requests.proof)
    answers = _on_workers(shared.ran.ports.http, wire)
    assert [answer.status for answer in answers] == [200] + [401] * (len(answers) - 1)
    assert {answer.json["code"] for answer in answers[1:]} == {"dpop_replayed"}
    assert all('error="invalid_dpop_proof"' in answer.all("www-authenticate")[0] for answer in answers[1:])


def test_a_reload_keeps_used_proofs(tmp_path: Path) -> None:
    with nginx(tmp_path) as found:
        wire = found.requests.proven(found.requests.proof)
        assert found.code(wire) is None
        before = found.workers()
        os.kill(_main(tmp_path), signal.SIGHUP)
        soon(lambda: not found.workers() & before)
        assert found.code(wire) == "dpop_replayed"
        assert found.code(found.requests.proven(found.requests.proof)) is None
        # The workers that ended closed their gates.
        assert "exited on signal" not in found.log()


_LIFETIMES = """
location = /lifetimes {
    content_by_lua_block {
        local use = require("watchword_replay").open("watchword_proofs")
        local proofs = ngx.shared.watchword_proofs
        for id, seconds in ipairs { 0.0004, 0.0012, 1, 64.1239 } do
            ngx.say(tostring(use(id, seconds, "mark") and proofs:ttl(id) >= seconds))
        end
    }
}
"""


def test_a_dictionary_keeps_a_proof_for_its_whole_time_and_not_for_ever(tmp_path: Path) -> None:
    with nginx(tmp_path, server=_LIFETIMES) as found:
        assert found.send(Wire("GET", "/lifetimes")).body.split() == [b"true"] * 4


def test_a_full_dictionary_rejects_proofs_and_no_other_request(tmp_path: Path) -> None:
    edits = {"lua_shared_dict watchword_proofs 16m;": "lua_shared_dict watchword_proofs 64k;"}
    with nginx(tmp_path, edits) as found:
        requests, used = found.requests, []

        def is_full() -> bool:
            used.append(requests.proven(requests.proof))
            return found.code(used[-1]) == "dpop_replay_unavailable"

        soon(is_full)
        answer = found.send(requests.proven(requests.proof))
        assert (answer.status, answer.all("retry-after")) == (503, ["5"])
        # None was removed for another.
        assert found.code(used[0]) == "dpop_replayed"
        assert found.code(requests.bearer()) is None
        assert "no memory" in found.log()


@pytest.mark.parametrize(
    ("store", "code"),
    [
        ('function() error("broken") end', "dpop_replay_unavailable"),
        ("function() return nil end", "dpop_replay_unavailable"),
        ('function() return "yes" end', "dpop_replay_unavailable"),
        ("function() return false end", "dpop_replayed"),
        ("function(id, seconds, mark) return #id == 64 and seconds > 0 and #mark == 32 end", None),
    ],
)
def test_a_store_of_ones_own(tmp_path: Path, store: str, code: str | None) -> None:
    with nginx(tmp_path, {'replay = "watchword_proofs"': f"replay = {store}"}) as found:
        assert found.code(found.requests.proven(found.requests.proof)) == code
        assert found.code(found.requests.bearer()) is None


def test_without_a_replay_store_proofs_may_be_replayed_if_the_configuration_says_so(tmp_path: Path) -> None:
    with nginx(tmp_path, {'replay = "watchword_proofs",': ""}, dpop={"replay": "none"}) as found:
        wire = found.requests.proven(found.requests.proof)
        assert [found.code(wire) for _ in range(2)] == [None, None]
        # A configuration that records proofs has nowhere to record them: they are rejected.
        found.write_config(dpop={})
        found.becomes(lambda: found.requests.proven(found.requests.proof), "dpop_replay_unavailable")
        assert found.code(found.requests.bearer()) is None


@pytest.fixture(name="redis", scope="module")
def _redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with redis_running(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(name="with_redis", scope="module")
def _with_redis(redis: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    setting = f'replay = {{ host = "127.0.0.1", port = {redis.port}, timeout = 5 }}'
    with nginx(
        tmp_path_factory.mktemp("with-redis"), {'replay = "watchword_proofs"': setting}, server=_LOCATIONS
    ) as found:
        yield found


def test_proofs_in_redis(with_redis: Nginx, redis: Server) -> None:
    requests = with_redis.requests
    wire = requests.proven(requests.proof)
    answers = _on_workers(with_redis.ran.ports.http, wire)
    assert [answer.status for answer in answers] == [200] + [401] * (len(answers) - 1)
    # With the keys of RedisReplayStore, which another gate may use for the same clients.
    with Redis(port=redis.port) as client:
        (key,) = client.keys()
    store = RedisReplayStore(redis.url)
    used = bytes.fromhex(key.decode().removeprefix("watchword:dpop:"))
    assert not store.consume(used, time.time() + 60, time.time())
    store.close()


def test_redis_that_restarts(with_redis: Nginx, redis: Server) -> None:
    requests = with_redis.requests
    used = requests.proven(requests.proof)
    assert with_redis.code(used) is None
    redis.kill()
    answer = with_redis.send(requests.proven(requests.proof))
    assert (answer.status, answer.json["code"]) == (503, "dpop_replay_unavailable")
    assert with_redis.code(requests.bearer()) is None
    redis.start()
    assert with_redis.code(requests.proven(requests.proof)) is None
    assert with_redis.code(used) == "dpop_replayed"


# Redirects inside nginx


@pytest.mark.parametrize("store", ["shared", "with_redis"])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("target", ["/orders/missing", "/orders/failing"])
def test_a_redirect_uses_a_proof_once(store: str, method: str, target: str, request: pytest.FixtureRequest) -> None:
    found: Nginx = request.getfixturevalue(store)
    token = found.requests.bound()
    proof = found.requests.proof(token, method=method, url=ORIGIN + target)
    wire = Wire(method, target, (("Authorization", f"DPoP {token}"), ("DPoP", proof)))
    assert found.code(wire) is None
    assert found.code(wire) == "dpop_replayed"


def test_a_redirect_is_checked_again(shared: Nginx) -> None:
    assert shared.code(Wire("GET", "/orders/missing")) == "missing_token"
    assert shared.code(Wire("GET", "/orders/rewritten")) == "missing_token"
    # What the client sent is decisive, not what nginx made of it.
    assert shared.code(shared.requests.bearer(target="/orders/rewritten")) is None


# Requests


def test_the_body_of_a_rejected_request_is_not_a_request(shared: Nginx) -> None:
    hidden = f"GET /public HTTP/1.1\r\nHost: {HOST}\r\nX-Case: hidden\r\nConnection: close\r\n\r\n"
    head = f"POST /orders/1 HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {len(hidden)}\r\n\r\n"
    last = f"GET /public HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", shared.ran.ports.http), timeout=LONG) as connection:
        connection.sendall(head.encode())
        # The answer comes before the body, which is then read and thrown away.
        answer = connection.recv(65536)
        connection.sendall((hidden + last).encode())
        while data := connection.recv(65536):
            answer += data
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert answer.count(b"HTTP/1.1 ") == answer.count(b"HTTP/1.1 200 ") + 1 == 2
    assert shared.upstream.seen("hidden") == []


def test_a_malformed_body_is_the_clients_mistake(shared: Nginx) -> None:
    hidden = f"GET /public HTTP/1.1\r\nHost: {HOST}\r\nX-Case: malformed-body\r\nConnection: close\r\n\r\n"
    head = f"POST /orders/1 HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(("127.0.0.1", shared.ran.ports.http), timeout=LONG) as connection:
        connection.sendall(f"{head}5\r\nhello\r\n{hidden}".encode())
        answer = b"".join(iter(functools.partial(connection.recv, 65536), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert shared.upstream.seen("malformed-body") == []


def test_more_than_a_hundred_headers(shared: Nginx) -> None:
    others = tuple((f"X-Other-{index}", "x") for index in range(150))
    forged = (("X-Auth-Sub", FORGED), ("X-Case", "many"))
    assert shared.code(shared.requests.bearer(*others, *forged)) is None
    (seen,) = shared.upstream.seen("many")
    assert seen.all("x-auth-sub") == ["alice"]
    wire = shared.requests.bearer(*others)
    doubled = replace(wire, headers=(*wire.headers, wire.headers[0]))
    assert shared.send(doubled).status == 400


def test_spellings_that_nginx_is_told_to_let_pass(tmp_path: Path) -> None:
    edits = {
        "underscores_in_headers off;": "underscores_in_headers on;",
        "ignore_invalid_headers on;": "ignore_invalid_headers off;",
    }
    names = ("X_Auth_Sub", "X-Auth_Sub", "X.Auth.Sub", "x_AUTH.sub", "X-Auth-Role", "x-auth-sub")
    with nginx(tmp_path, edits) as found:
        forged = [(name, FORGED) for name in names for _ in range(2)]
        assert found.code(found.requests.bearer(*forged, ("X-Case", "spellings"), ("X_Other", "x"))) is None
        (seen,) = found.upstream.seen("spellings")
        assert FORGED.encode() not in seen.head
        assert seen.all("x-auth-sub") == ["alice"]
        assert seen.all("x_other") == ["x"]


def test_the_host_by_which_nginx_chose_the_server_selects_the_public_url(tmp_path: Path) -> None:
    other = "https://other.example"
    with nginx(tmp_path, public_url=[ORIGIN, other]) as found:
        for target, hosts, url, code in (
            ("/orders/1", ("OTHER.example:443",), other, None),
            ("/orders/1", ("other.example",), ORIGIN, "dpop_wrong_uri"),
            ("/orders/1", ("other.example.",), other, None),
            ("/orders/1", ("other.example.",), ORIGIN, "dpop_wrong_uri"),
            ("http://other.example/orders/1", (HOST,), other, None),
            ("http://other.example/orders/1", (HOST,), ORIGIN, "dpop_wrong_uri"),
            (f"http://{HOST}/orders/1", ("other.example",), ORIGIN, None),
        ):
            proof = functools.partial(found.requests.proof, url=f"{url}/orders/1")
            wire = replace(found.requests.proven(proof), target=target, hosts=hosts)
            assert found.code(wire) == code, (target, hosts, url)


_STATUS_400 = """
location = /orders/status {
    rewrite_by_lua_block { ngx.status = 400 }
    access_by_lua_block { gate:access() }
    proxy_pass http://application;
}
"""


def test_headers_that_cannot_be_removed_are_not_passed_on(tmp_path: Path) -> None:
    with nginx(tmp_path, {"ignore_invalid_headers on;": "ignore_invalid_headers off;"}, server=_STATUS_400) as found:
        for number, name in enumerate(("X-Auth-Sub@", "X-Auth-(", "x_auth_r/x", "X-Auth-Role\xff")):
            case = f"malformed-{number}"
            wire = found.requests.bearer((name, FORGED), ("X-Case", case))
            assert (found.send(wire).status, found.upstream.seen(case)) == (400, [])
        wire = found.requests.bearer(("X-Auth-Sub", FORGED), ("X-Case", "status"), target="/orders/status")
        assert (found.send(wire).status, found.upstream.seen("status")) == (400, [])


def test_many_headers_to_be_removed_are_rejected(shared: Nginx) -> None:
    for count, status in ((100, 200), (101, 400)):
        forged = tuple((f"X-Auth-{number}", "") for number in range(count))
        assert shared.send(Wire("GET", "/public", forged)).status == status


# Files that change


def test_keys_are_replaced_without_a_reload(tmp_path: Path) -> None:
    with nginx(tmp_path) as found:
        issuer = found.requests.issuer
        old = found.requests.bearer()
        (old_key,) = (key["kid"] for key in issuer.jwks()["keys"])
        issuer.rotate()
        assert found.code(found.requests.bearer()) == "unknown_key"
        found.write("jwks.json", json.dumps(issuer.jwks()))
        found.becomes(found.requests.bearer, None)
        issuer.remove_key(old_key)
        found.write("jwks.json", json.dumps(issuer.jwks()))
        found.becomes(lambda: old, "unknown_key")
        # A file that is invalid changes nothing, and is reported.
        found.write("jwks.json", '{"keys": "none"}')
        soon(lambda: "a file with keys is refused" in found.log())
        found.becomes(found.requests.bearer, None)


def test_a_configuration_is_replaced_without_a_reload(tmp_path: Path) -> None:
    with nginx(tmp_path) as found:
        other = Wire("GET", "/other")
        assert found.code(other) == "no_route"
        found.write_config(routes=[*ROUTES, {"path": "/other", "public": True}])
        found.becomes(lambda: other, None)
        found.write_config(routes=[{"path": "no slash"}])
        soon(lambda: "a new configuration is refused" in found.log())
        found.becomes(lambda: other, None)
        found.becomes(found.requests.bearer, None)


def test_a_worker_that_starts_with_an_invalid_file_opens_its_gate_later(tmp_path: Path) -> None:
    with nginx(tmp_path) as found:
        valid = (tmp_path / "gate.json").read_text()
        found.write("gate.json", "{")
        before = found.workers()
        os.kill(int(min(before)), signal.SIGKILL)
        soon(lambda: len(found.workers() - before) == 1 and "this worker answers 500" in found.log())
        answers = _on_workers(found.ran.ports.http, found.requests.bearer())
        assert {answer.status for answer in answers} == {200, 500}
        found.write("gate.json", valid)
        soon(lambda: {answer.status for answer in _on_workers(found.ran.ports.http, found.requests.bearer())} == {200})
        assert found.log().count("this worker answers 500") == 1


# What does not start


def test_a_reload_with_a_mistake_keeps_the_workers(tmp_path: Path) -> None:
    with nginx(tmp_path) as found:
        before = found.workers()
        found.write("gate.json", "{")
        os.kill(_main(tmp_path), signal.SIGHUP)
        soon(lambda: "init_by_lua error" in found.log())
        assert found.workers() == before
        assert found.code(found.requests.bearer()) is None


def _tested(folder: Path, edits: Mapping[str, str], config: Mapping[str, Any] | None = None) -> str:
    """What nginx says of the example with these edits, which must keep it from starting."""
    texts = dict(NGINX_LUA.files)
    example = Path(__file__).parents[2] / "examples" / "gateways" / "nginx-lua" / "watchword.conf"
    texts["watchword.conf"] = example.read_text()
    for old, new in {**NGINX_LUA.edits(Ports(*(free_port() for _ in range(4)))), **edits}.items():
        assert old in texts["watchword.conf"]
        texts["watchword.conf"] = texts["watchword.conf"].replace(old, new)
    issuer = {"issuer": ISSUER, "jwks": LocalIssuer(ISSUER).jwks()}
    routes = {"issuers": [issuer], "routes": ROUTES}
    texts["gate.json"] = json.dumps({"public_url": ORIGIN, "token": {"audience": ORIGIN}, **routes, **(config or {})})
    for name, text in texts.items():
        (folder / name).write_text(text)
    binary = NGINX_LUA.binary()
    if binary is None:
        pytest.skip("nginx with Lua, or libwatchword.so, is not there: CONTRIBUTING.md says how")
    command = [binary, "-p", str(folder), "-c", "nginx.conf", "-e", "stderr"]
    env = {**os.environ, **NGINX_LUA.env}
    log = folder / "log"
    # "nginx -t" does not run Lua.
    with pytest.raises(ServerDied), serving(command, log=log, ready=lambda: False, cwd=folder, env=env, timeout=LONG):
        pass
    return log.read_text()


@pytest.mark.parametrize(
    ("edits", "config", "message"),
    [
        ({'replay = "watchword_proofs",': ""}, {}, "DPoP proofs need a replay store"),
        ({'replay = "watchword_proofs"': "replay = 1"}, {}, "replay must be the name of a shared dictionary"),
        ({'replay = "watchword_proofs"': 'replay = "other"'}, {}, 'add "lua_shared_dict other 16m;"'),
        ({'replay = "watchword_proofs"': "replay = {}"}, {}, "replay must have host (and port) or socket"),
        ({'replay = "watchword_proofs"': "replay = { hots = 1 }"}, {}, "unknown setting replay.hots"),
        ({'replay = "watchword_proofs"': 'replay = { host = "a", ssl = true }'}, {}, "lua-resty-redis 0.28 or newer"),
        ({'replay = "watchword_proofs"': 'replay = { host = "a", username = "b" }'}, {}, "replay.password is missing"),
        ({'replay = "watchword_proofs"': 'replay = { host = "a", timeout = 0 }'}, {}, "must be greater than 0"),
        ({'config = "gate.json",': ""}, {}, "the setting config is missing"),
        ({'config = "gate.json"': "confg = 1"}, {}, "unknown setting confg"),
        ({'config = "gate.json"': "config = 1"}, {}, "the setting config must be a string"),
        ({'config = "gate.json"': 'config = "none.toml"'}, {}, "none.toml cannot be read"),
        ({'config = "gate.json"': 'config = "gate.json", library = "libnone.so"'}, {}, "cannot load the library"),
        ({}, {"routes": [{"path": "x"}]}, "routes[0].path"),
        ({'keys = "keys.json",': ""}, {"issuers": [{"issuer": ISSUER}]}, "watchword keys sync"),
        ({"watchword.validate(": "watchword.open("}, {}, "open the gate in init_worker_by_lua"),
    ],
)
def test_a_mistake_keeps_nginx_from_starting(
    tmp_path: Path, edits: Mapping[str, str], config: Mapping[str, Any], message: str
) -> None:
    assert message in _tested(tmp_path, edits, config)
