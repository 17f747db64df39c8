"""Requests per second through nginx with ``watchword.lua``, against Lua that only sets headers, and lua-resty-jwt.

    cargo build --release -p watchword-capi
    python benches/nginx_lua.py --library target/release/libwatchword.so --resty-jwt FOLDER

It needs nginx with its Lua module, and wrk. FOLDER has ``resty/jwt.lua`` and what that needs (lua-resty-string,
lua-resty-hmac, lua-resty-openssl; lua-cjson is looked for where Lua has it). One worker serves the gateway and the
application, so both are part of every figure. "new" sends each token once, the others 100 tokens again and again.
"one" and "ten" set as many headers, and check nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from free_port import free_port
from server_process import answers, serving
from wrk import bearer, turn

from watchword.testing import LocalIssuer

ROOT = Path(__file__).parents[1]
IDENTITY = ("Sub", "Iss", "Client-Id", "Scope", "Actors", "Jti", "Exp", "Jkt", "Route", "Trace-Id")
MODULES = "/usr/lib/nginx/modules"

_NGINX = """
load_module {modules}/ndk_http_module.so; load_module {modules}/ngx_http_lua_module.so;
{user} daemon off; pid nginx.pid; worker_processes 1; error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
  scgi_temp_path scgi; keepalive_requests 100000000; large_client_header_buffers 4 32k;
  lua_package_path "{lua}/?.lua;{resty}/?.lua;{resty}/?/init.lua;;";
  lua_shared_dict proofs 4m;
  upstream application {{ server 127.0.0.1:{application}; keepalive 64; keepalive_requests 100000000; }}
  init_by_lua_block {{ watchword = require "watchword" {init} }}
  init_worker_by_lua_block {{
    gate = watchword.open {{ library = "{library}", config = "gate.json", replay = "proofs" }} }}
  server {{ listen 127.0.0.1:{application} reuseport; location / {{ return 200 ""; }} }}
  server {{
    listen 127.0.0.1:{gateway};
    proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
    location = /ready {{ return 200 ""; }}
    location /plain/ {{ proxy_pass http://application; }}
    location /one/ {{ access_by_lua_block {{ ngx.req.set_header("X-Auth-Sub", "x") }} proxy_pass http://application; }}
    location /ten/ {{ access_by_lua_block {{ {ten} }} proxy_pass http://application; }}
    location /watchword/ {{ access_by_lua_block {{ gate:access() }} proxy_pass http://application; }}
    location /resty/ {{ access_by_lua_block {{ {check} }} proxy_pass http://application; }}
  }}
}}
"""

_RESTY_INIT = """
jwt = require "resty.jwt"; validators = require "resty.jwt-validators"
validators.set_system_leeway(5)
key = io.open("key.pem"):read("*a")
expected = { iss = validators.equals("https://as.example"), aud = validators.equals("https://api.example"),
             exp = validators.is_not_expired() }
"""

_RESTY_CHECK = """
local sent = (ngx.req.get_headers()["authorization"] or ""):sub(8)
local token = jwt:verify_jwt_obj(key, jwt:load_jwt(sent), expected)
if not token.verified or not (" " .. token.payload.scope .. " "):find(" orders:read ", 1, true) then
  return ngx.exit(401)
end
ngx.req.set_header("X-Auth-Sub", token.payload.sub); ngx.req.set_header("X-Auth-Scope", token.payload.scope)
"""


@contextmanager
def nginx(folder: Path, library: Path, resty: str | None) -> Iterator[int]:
    gateway, application = free_port(), free_port()
    ten = " ".join(f'ngx.req.set_header("X-Auth-{name}", "https://as.example")' for name in IDENTITY)
    conf = _NGINX.format(
        modules=MODULES,
        # A worker of root's nginx must be able to read the folder, too.
        user="" if os.getuid() else "user root;",
        lua=ROOT / "rust/capi/lua",
        resty=resty or "",
        application=application,
        gateway=gateway,
        library=library,
        ten=ten,
        init=_RESTY_INIT if resty else "",
        check=_RESTY_CHECK if resty else "",
    )
    (folder / "nginx.conf").write_text(conf)
    command = ["nginx", "-p", str(folder), "-c", "nginx.conf", "-e", "stderr"]
    ready = f"http://127.0.0.1:{gateway}/ready"
    with serving(command, log=folder / "log", ready=lambda: answers(ready), cwd=folder):
        yield gateway


def measure(port: int, target: str, tokens: Path, folder: Path, seconds: int) -> tuple[float, float]:
    """Requests per second, and microseconds of CPU a request; raises if one was rejected."""
    found = turn(port, target, tokens, (int((folder / "nginx.pid").read_text()),), seconds=seconds, folder=folder)
    return found.rate, found.cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--library", type=Path, required=True)
    parser.add_argument("--resty-jwt", metavar="FOLDER")
    parser.add_argument("--algorithm", default="ES256", choices=("ES256", "EdDSA", "RS256"))
    parser.add_argument("--cached-only", action="store_true", help="no new tokens, which fill the cache and the heap")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run(folder, arguments)


def run(folder: Path, arguments: argparse.Namespace) -> None:
    issuer = LocalIssuer("https://as.example", audience="https://api.example", algorithms=(arguments.algorithm,))
    config = {
        "public_url": "https://api.example",
        "token": {"audience": "https://api.example"},
        "issuers": [{"issuer": issuer.issuer, "jwks_file": "jwks.json"}],
        "routes": [{"path": "/watchword/{id}", "scopes": ["orders:read"]}],
    }
    (folder / "gate.json").write_text(json.dumps(config))
    (folder / "jwks.json").write_text(json.dumps(issuer.jwks()))
    (folder / "key.pem").write_text(public_pem(issuer))

    def mint(count: int, name: str) -> Path:
        claims = ({"sub": f"agent-{index}", "scope": "orders:read", "jti": f"{index}"} for index in range(count))
        (folder / name).write_text("\n".join(bearer(issuer.mint(each, expires_in=86400)) for each in claims))
        return folder / name

    hot = mint(100, "hot")
    cases = {"plain": hot, "one": hot, "ten": hot, "watchword": hot}
    if arguments.resty_jwt:
        cases["resty"] = hot
    results: dict[str, list[tuple[float, float]]] = {}
    with nginx(folder, arguments.library.resolve(), arguments.resty_jwt) as port:
        for number in range(arguments.turns):
            for case, tokens in cases.items():
                results.setdefault(case, []).append(measure(port, f"/{case}/1", tokens, folder, arguments.seconds))
            if arguments.cached_only:
                continue
            # More tokens than a turn sends: each once.
            new = mint(15_000 * arguments.seconds, f"new-{number}")
            results.setdefault("watchword new", []).append(
                measure(port, "/watchword/1", new, folder, arguments.seconds)
            )
            new.unlink()
    print(f"{arguments.algorithm}, {time.strftime('%F')}, medians of {arguments.turns} turns")
    bases = [name for name in ("one", "ten", "resty") if name in results]
    print("requests a second, us of CPU a request; the median, within a turn, of both divided by those of another")
    for case, found in results.items():
        rate, cpu = (statistics.median(each) for each in zip(*found, strict=True))
        line = f"{case:14} {rate:8,.0f} {cpu:6.1f}"
        for base in bases:
            turns = zip(found, results[base], strict=True)
            rates, cpus = zip(*((own[0] / other[0], own[1] / other[1]) for own, other in turns), strict=True)
            line += f"   {base} {statistics.median(rates):.2f} {statistics.median(cpus):.2f}"
        print(line, flush=True)


def public_pem(issuer: LocalIssuer) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from jwt import PyJWK

    key = PyJWK(issuer.jwks()["keys"][0]).key
    return str(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), "ascii")


if __name__ == "__main__":
    main()
