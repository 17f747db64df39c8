"""One GET against servers that misbehave, through httpx2, through httpx, and through the default."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Iterator

import httpx
import httpx2
import pytest
from endpoint import Hang, Server, answer, drip, eventually, head, raw, reset

from watchword.jwks.fetch import DefaultFetcher, Fetcher, FetchError, HttpxFetcher, Response


@pytest.fixture(params=["default", "httpx2", "httpx"])
def fetcher(request: pytest.FixtureRequest) -> Iterator[Fetcher]:
    if request.param == "default":
        fetcher = DefaultFetcher()
        yield fetcher
        fetcher.close()
    else:
        with (httpx2 if request.param == "httpx2" else httpx).Client(follow_redirects=True) as client:
            yield HttpxFetcher(client)


@pytest.fixture
def get(server: Server, fetcher: Fetcher) -> Callable[..., Response]:
    def get(path: str = "/", *, timeout: float = 20.0, max_bytes: int = 1000, **headers: str) -> Response:
        return fetcher.get(server.url + path, headers=headers, timeout=timeout, max_bytes=max_bytes)

    return get


def test_an_answer_comes_whole(server: Server, get: Callable[..., Response]) -> None:
    server.routes["/"] = answer(b"x" * 1000, ETag='"1"')
    response = get(accept="application/json")
    assert (response.status, response.body, response.headers["etag"]) == (200, b"x" * 1000, '"1"')
    sent = server.requests[0].headers
    assert (sent["accept"], sent["accept-encoding"]) == ("application/json", "identity")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(server: Server, get: Callable[..., Response], status: int) -> None:
    server.routes["/"] = answer(status=status, Location="/elsewhere")
    assert get().status == status
    assert server.count("/elsewhere") == 0


@pytest.mark.parametrize("status", [204, 304, 404, 500, 503])
def test_any_status_is_returned(server: Server, get: Callable[..., Response], status: int) -> None:
    server.routes["/"] = answer(status=status)
    assert get().status == status


def test_304_may_give_the_length_of_the_body_that_it_leaves_out(server: Server, get: Callable[..., Response]) -> None:
    server.routes["/"] = answer(status=304, Content_Length=500)
    assert (get().status, get().body) == (304, b"")


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [
        (raw(head(Content_Length=10) + b"short"), "RemoteProtocolError"),
        (raw(b""), "RemoteProtocolError"),
        (raw(b"\x16\x03\x01 this is not HTTP\r\n\r\n"), "RemoteProtocolError"),
        (raw(head(Content_Length="5, 6") + b"x" * 6), "RemoteProtocolError"),
        (raw(head(Transfer_Encoding="chunked") + b"5\r\nabc"), "RemoteProtocolError"),
        (reset, "no answer"),
        (raw(head(Content_Length=1001)), "longer than 1000 bytes"),
        (raw(head(Content_Length="9" * 19)), "longer than 1000 bytes"),
        (answer(b"x" * 1001), "longer than 1000 bytes"),
        (answer(b"x" * 500_000, Content_Length=None), "longer than 1000 bytes"),
        (
            raw(head(Transfer_Encoding="chunked") + b"fff\r\n" + b"x" * 0xFFF + b"\r\n0\r\n\r\n"),
            "longer than 1000 bytes",
        ),
        (answer(gzip.compress(bytes(10_000_000))[:1000], Content_Encoding="gzip"), "compressed"),
        (answer(b"x", Content_Encoding="br"), "compressed"),
        (answer(b"x", Content_Encoding="gzip, gzip"), "compressed"),
    ],
)
def test_what_is_no_answer_is_an_error(server: Server, get: Callable[..., Response], behaviour, why: str) -> None:
    server.routes["/"] = behaviour
    with pytest.raises(FetchError, match=why):
        get()


def test_what_comes_after_the_announced_length_is_not_read(server: Server, get: Callable[..., Response]) -> None:
    server.routes["/"] = answer(b'{"keys":[]} and more', Content_Length=11)
    assert get().body == b'{"keys":[]}'


def test_a_length_that_is_announced_as_too_long_is_rejected_before_the_body(
    server: Server, get: Callable[..., Response]
) -> None:
    server.routes["/"] = hang = Hang()

    def announce(connection, request) -> None:
        connection.sendall(head(Content_Length=2_000_000))
        hang(connection, request)

    server.routes["/"] = announce
    with pytest.raises(FetchError, match="longer than"):
        get()
    hang.released.set()


@pytest.mark.parametrize("what", ["headers", "body", "chunks", "nothing"])
def test_the_time_out_is_for_the_whole(server: Server, get: Callable[..., Response], what: str) -> None:
    """A byte every 50 ms: no single read ever takes long, and the whole would take half a minute."""
    body = b"x" * 600
    server.routes["/"] = {
        "headers": drip(head(X=body.decode()), every=0.05, stop=server.stop),
        "body": lambda c, r: (c.sendall(head(Content_Length=600)), drip(body, every=0.05, stop=server.stop)(c, r))[0],
        "chunks": lambda c, r: (
            c.sendall(head(Transfer_Encoding="chunked")),
            drip(b"1\r\nx\r\n" * 200, every=0.05, stop=server.stop)(c, r),
        )[0],
        "nothing": Hang(),
    }[what]
    with pytest.raises(FetchError, match="in time"):
        get(timeout=0.4)
    assert server.answered == []


@pytest.mark.parametrize("library", [httpx2, httpx])
def test_the_time_out_is_kept_between_chunks_if_no_connection_can_be_shut(library) -> None:
    """A connection that was open before, or no socket at all: then the deadline is checked at every chunk."""
    chunks = iter(range(600))

    def slowly() -> Iterator[bytes]:
        for _ in chunks:
            time.sleep(0.05)
            yield b"x"

    transport = library.MockTransport(lambda request: library.Response(200, content=slowly()))
    with library.Client(transport=transport) as client, pytest.raises(FetchError, match="in time"):
        HttpxFetcher(client).get("https://as.example", headers={}, timeout=0.3, max_bytes=1000)
    assert next(chunks, None) is not None, "the whole answer was read"


def test_no_server(server: Server, get: Callable[..., Response]) -> None:
    server.close()
    with pytest.raises(FetchError, match="no answer \\(ConnectError\\)"):
        get()


def test_a_message_quotes_nothing_of_the_answer_or_the_query(server: Server, get: Callable[..., Response]) -> None:
    server.routes["/"] = raw(b"HTTP/1.1 secret-of-the-server\r\n\r\n")
    with pytest.raises(FetchError) as caught:
        get("/?key=secret-of-the-client")
    assert "secret" not in str(caught.value)


def test_plain_http_never_goes_through_a_proxy(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.routes["/"] = answer(b"direct")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    fetcher = DefaultFetcher()
    assert fetcher.get(server.url + "/", headers={}, timeout=20, max_bytes=100).body == b"direct"
    fetcher.close()


def test_the_default_keeps_no_connection_open(server: Server) -> None:
    released = threading.Event()

    def until_the_client_hangs_up(connection, request) -> None:
        connection.sendall(head(Content_Length=2) + b"ok")
        connection.settimeout(30)
        assert connection.recv(1) == b""
        released.set()

    server.routes["/"] = until_the_client_hangs_up
    fetcher = DefaultFetcher()
    fetcher.get(server.url + "/", headers={}, timeout=20, max_bytes=100)
    eventually(released.is_set)
    fetcher.close()


def test_an_asynchronous_client_is_rejected() -> None:
    with pytest.raises(TypeError, match="synchronous"):
        HttpxFetcher(httpx2.AsyncClient())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="httpx"):
        HttpxFetcher(object())  # type: ignore[arg-type]
