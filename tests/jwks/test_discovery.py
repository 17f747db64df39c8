"""From the issuer to its keys: RFC 8414 and OpenID Connect Discovery, and everything that must be rejected."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest
from endpoint import ISSUER, Clock, Key, Server, answer, eventually, jwks, raw

from watchword import KeysUnavailableError
from watchword.issuer import Issuer
from watchword.jwks import CacheSettings, Response
from watchword.jwks.discovery import well_known_urls
from watchword.verifier import Verifier

KEY = Key("a")
OPENID = "/.well-known/openid-configuration"
OAUTH = "/.well-known/oauth-authorization-server"


def metadata(server: Server, issuer: str, /, **changes: object) -> bytes:
    return json.dumps({"issuer": issuer, "jwks_uri": f"{server.url}/jwks", **changes}).encode()


@pytest.fixture
def discovering(server: Server, make: Callable[..., Verifier]) -> Callable[..., Verifier]:
    server.routes["/jwks"] = answer(jwks(KEY))

    def discovering(issuer: str = "", **settings: object) -> Verifier:
        cache = CacheSettings(**settings)  # type: ignore[arg-type]
        return make(issuer=Issuer(issuer or server.url, allow_loopback_http=True, cache_settings=cache))

    return discovering


@pytest.mark.parametrize(
    ("issuer", "urls"),
    [
        ("https://as.example", [f"https://as.example{OPENID}", f"https://as.example{OAUTH}"]),
        ("https://as.example/", [f"https://as.example{OPENID}", f"https://as.example{OAUTH}"]),
        (
            "https://as.example:8443/tenant/1",
            [
                f"https://as.example:8443/tenant/1{OPENID}",
                f"https://as.example:8443{OAUTH}/tenant/1",
                f"https://as.example:8443{OPENID}/tenant/1",
            ],
        ),
        (
            "https://as.example/t/",
            [f"https://as.example/t{OPENID}", f"https://as.example{OAUTH}/t", f"https://as.example{OPENID}/t"],
        ),
    ],
)
def test_the_urls_of_metadata(issuer: str, urls: list[str]) -> None:
    assert list(well_known_urls(issuer)) == urls


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("", OPENID),
        ("", OAUTH),
        ("/", OPENID),
        ("/t", "/t" + OPENID),
        ("/t", OAUTH + "/t"),
        ("/t", OPENID + "/t"),
        ("/t/", OAUTH + "/t"),
    ],
)
@pytest.mark.parametrize("absent", [404, 410])
def test_metadata_is_found_in_each_place(server, discovering, path: str, place: str, absent: int) -> None:
    issuer = server.url + path
    for url in well_known_urls(issuer):
        server.routes[url.removeprefix(server.url)] = answer(status=absent)
    server.routes[place] = answer(metadata(server, issuer))
    assert discovering(issuer).verify(KEY.token(issuer)).issuer == issuer


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"issuer": "https://as.example"}, "another issuer"),
        ({"issuer": "{url}/"}, "another issuer"),
        ({"issuer": "{url}/x"}, "another issuer"),
        ({"issuer": None}, "names no issuer"),
        ({"issuer": ["{url}"]}, "names no issuer"),
        ({"jwks_uri": None}, "names no jwks_uri"),
        ({"jwks_uri": ["{url}/jwks"]}, "names no jwks_uri"),
        ({"jwks_uri": "/jwks"}, "must be an https URL"),
        ({"jwks_uri": "http://as.example/jwks"}, "must be an https URL"),
        ({"jwks_uri": "file:///etc/passwd"}, "must be an https URL"),
        ({"jwks_uri": "data:application/json,{}"}, "must be an https URL"),
        ({"jwks_uri": "https://user:password@as.example/jwks"}, "without user information"),
        ({"jwks_uri": "https://as.example/jwks#here"}, "fragment"),
        ({"jwks_uri": "https://as.example\\@127.0.0.1/jwks"}, "must be an https URL"),
    ],
)
def test_metadata_that_must_not_be_believed(server, discovering, change, why: str) -> None:
    change = {
        name: value.replace("{url}", server.url) if isinstance(value, str) else value for name, value in change.items()
    }
    server.routes[OPENID] = answer(metadata(server, server.url, **change))
    # A good document in the next place is no excuse for a bad one in this.
    server.routes[OAUTH] = answer(metadata(server, server.url))
    with pytest.raises(KeysUnavailableError, match=why) as caught:
        discovering().verify(KEY.token(server.url))
    assert "password" not in str(caught.value)
    assert (server.count(OAUTH), server.count("/jwks")) == (0, 0)


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [
        (answer("<html>not found</html>"), "not strict JSON"),
        (answer('{"issuer": NaN}'), "not strict JSON"),
        (answer('{"issuer": 1, "issuer": 2}'), "not strict JSON"),
        (answer("\ufeff{}"), "not strict JSON"),
        (answer(b'{"issuer": "\xff"}'), "not strict JSON"),
        (answer("{}".encode("utf-16")), "not strict JSON"),
        (answer("[" * 100_000), "not strict JSON"),
        (answer('{"a": ' + "9" * 100_000 + "}"), "not strict JSON"),
        (answer("[]"), "not a JSON object"),
        (answer(b"x" * (1024 * 1024 + 1)), "longer than"),
        (answer(status=302, Location="/elsewhere"), "returned HTTP 302"),
        (answer(status=500), "returned HTTP 500"),
        (answer(status=403), "returned HTTP 403"),
        (raw(b""), "no answer"),
    ],
)
def test_what_is_no_metadata(server, discovering, behaviour, why: str) -> None:
    server.routes[OPENID] = behaviour
    server.routes[OAUTH] = answer(metadata(server, server.url))
    with pytest.raises(KeysUnavailableError, match=why):
        discovering().verify(KEY.token(server.url))
    assert server.count(OAUTH) == 0
    assert server.count("/elsewhere") == 0


def test_no_metadata_anywhere(server, discovering) -> None:
    with pytest.raises(KeysUnavailableError, match="no metadata at any of 2 well-known URLs"):
        discovering().verify(KEY.token(server.url))


def test_a_public_issuer_cannot_point_to_loopback(server) -> None:
    from watchword.jwks.discovery import read_metadata
    from watchword.jwks.fetch import FetchError

    document = metadata(server, "https://as.example")
    with pytest.raises(FetchError, match="https"):
        read_metadata(document, "https://as.example", allow_loopback_http=True)


def test_the_place_of_the_keys_is_looked_up_again_now_and_then(server, discovering, clock: Clock) -> None:
    server.routes[OPENID] = answer(metadata(server, server.url), Cache_Control="max-age=1000")
    verifier = discovering()
    token = KEY.token(server.url)
    verifier.refresh()
    clock.move(400)
    verifier.refresh()
    assert (server.count(OPENID), server.count("/jwks")) == (1, 2)
    clock.move(700)
    server.routes["/moved"] = answer(jwks(KEY))
    server.routes[OPENID] = answer(metadata(server, server.url, jwks_uri=f"{server.url}/moved"))
    verifier.refresh()
    assert (server.count(OPENID), server.count("/jwks"), server.count("/moved")) == (2, 2, 1)
    verifier.verify(token)


def test_the_place_of_the_keys_is_looked_up_again_after_a_failure(server, discovering) -> None:
    server.routes[OPENID] = answer(metadata(server, server.url))
    verifier = discovering()
    verifier.refresh()
    server.routes["/moved"] = server.routes.pop("/jwks")
    with pytest.raises(KeysUnavailableError, match="returned HTTP 404"):
        verifier.refresh()
    server.routes[OPENID] = answer(metadata(server, server.url, jwks_uri=f"{server.url}/moved"))
    verifier.refresh()
    assert (server.count(OPENID), server.count("/moved")) == (2, 1)


def test_a_validator_is_not_sent_to_another_place(server, discovering) -> None:
    server.routes[OPENID] = answer(metadata(server, server.url), Cache_Control="no-store")
    server.routes["/jwks"] = answer(jwks(KEY), ETag='"1"')
    verifier = discovering()
    verifier.refresh()
    verifier.refresh()
    assert [request.headers.get("if-none-match") for request in server.requests if request.path == "/jwks"] == [
        None,
        '"1"',
    ]
    server.routes["/moved"] = server.routes.pop("/jwks")
    with pytest.raises(KeysUnavailableError):
        verifier.refresh()
    server.routes[OPENID] = answer(metadata(server, server.url, jwks_uri=f"{server.url}/moved"))
    verifier.refresh()
    (moved,) = [request for request in server.requests if request.path == "/moved"]
    assert "if-none-match" not in moved.headers


def test_the_time_out_is_for_discovery_and_keys_together(discovering, make) -> None:
    """The next request gets the time that is left; if none is left, there is no next request."""
    left: list[float] = []

    class Slow:
        def __init__(self, each: float) -> None:
            self.each = each

        def get(self, url: str, *, headers, timeout: float, max_bytes: int) -> Response:
            left.append(timeout)
            time.sleep(self.each)
            if url.endswith("/jwks"):
                return Response(200, {}, jwks(KEY))
            document = {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/jwks"}
            return Response(404 if url.endswith(OPENID) else 200, {}, json.dumps(document).encode())

    make(issuer=Issuer(ISSUER), fetcher=Slow(0.02)).refresh()
    assert len(left) == 3
    assert left[0] <= 5.0
    assert left[0] - 0.02 >= left[1] >= left[2] + 0.02

    left.clear()
    cache = CacheSettings(timeout=0.1, min_ttl=1)
    verifier = make(issuer=Issuer(ISSUER, cache_settings=cache), fetcher=Slow(0.2))
    with pytest.raises(KeysUnavailableError, match="in time"):
        verifier.refresh()
    eventually(lambda: not verifier.stats()[ISSUER].fetching)
    assert len(left) == 1
