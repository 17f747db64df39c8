"""Sends one attempt of a request within its limits: in a thread, or in a task."""

from __future__ import annotations

import asyncio
import functools
import os
import threading
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from watchword._kernel import __version__
from watchword.client.answer import Answer
from watchword.client.errors import NoAnswerError
from watchword.client.request import Request
from watchword.client.settings import CallSettings
from watchword.fork_safety import register_after_fork, without_forks
from watchword.http.body import Body
from watchword.http.deadline import Deadline
from watchword.http.errors import BodyError, DeadlineError, ExchangeError, reason
from watchword.http.httpx_interface import AsyncHttpxClient, SyncHttpxClient, check_client
from watchword.jwks.urls import check_hosts, check_url

if TYPE_CHECKING:
    import ssl


class Transport:
    """Sends requests to the paths below ``base_url``, which has been checked (:func:`check_base_url`).

    Without a client of the caller's own, each request has its own connection: nothing is left open between two calls,
    and the same object serves any number of threads, event loops and forked processes. Proxies and trust anchors are
    then those of the environment (``HTTPS_PROXY``, ``NO_PROXY``, ``SSL_CERT_FILE``, ...); plain http uses no proxy.

    ``client`` and ``async_client`` are the caller's own, for threads and for event loops, with their connection pools,
    proxies and certificates; they are used through ``stream`` alone, and their owner closes them.
    """

    def __init__(
        self,
        base_url: str,
        *,
        user_agent: str,
        headers: Mapping[str, str] | None = None,
        client: SyncHttpxClient | None = None,
        async_client: AsyncHttpxClient | None = None,
    ) -> None:
        if client is not None:
            check_client(client, what="the client for threads", is_async=False)
        if async_client is not None:
            check_client(async_client, what="the client for event loops", is_async=True)
        self.base_url = base_url
        self._headers = {"user-agent": user_agent, "accept": "application/json", **(headers or {})}
        self._client = client
        self._async_client = async_client

    def send(self, request: Request, seconds: float, settings: CallSettings) -> Answer:
        """Send a request in this thread. Raises :class:`NoAnswerError`; takes ``seconds`` at most."""
        arguments = self._arguments(request)
        deadline = Deadline(seconds)
        failure: NoAnswerError
        try:
            with deadline:
                if self._client is not None:
                    return self._exchange(self._client, request, arguments, deadline, settings)
                import httpx2

                with httpx2.Client(**_options_for(arguments["url"])) as client:
                    return self._exchange(client, request, arguments, deadline, settings)
        except Exception as error:
            failure = _no_answer(error, is_late=deadline.is_past())
        # Outside of the block: no exception of a client may be the context, as it has the whole request.
        raise failure

    async def send_async(self, request: Request, seconds: float, settings: CallSettings) -> Answer:
        """Send a request in this task. Raises :class:`NoAnswerError`; takes ``seconds`` at most."""
        # Fresh headers may be signed by a KMS, which blocks.
        made = functools.partial(self._arguments, request)
        arguments = made() if request.fresh_headers is None else await asyncio.to_thread(made)
        failure: NoAnswerError
        try:
            async with asyncio.timeout(seconds):
                if self._async_client is not None:
                    return await self._exchange_async(self._async_client, request, arguments, seconds, settings)
                import httpx2

                async with httpx2.AsyncClient(**_options_for(arguments["url"])) as client:
                    return await self._exchange_async(client, request, arguments, seconds, settings)
        except Exception as error:
            failure = _no_answer(error)
        raise failure

    def _exchange(
        self,
        client: SyncHttpxClient,
        request: Request,
        arguments: dict[str, Any],
        deadline: Deadline,
        settings: CallSettings,
    ) -> Answer:
        sent = client.stream(
            **arguments,
            follow_redirects=False,
            timeout=deadline.seconds,
            extensions={"trace": deadline.trace},
        )
        with sent as response:
            deadline.watch(getattr(response, "extensions", {}))
            headers = _lower(response.headers)
            body = Body(response.status_code, headers, settings.max_bytes)
            for chunk in response.iter_raw() if (whole := _read_before(response)) is None else (whole,):
                body.add(chunk)
                deadline.check()
            # Without a length, a body ends with its connection, which the deadline may have shut.
            deadline.check()
            return Answer(response.status_code, headers, body.whole(), request.route)

    async def _exchange_async(
        self,
        client: AsyncHttpxClient,
        request: Request,
        arguments: dict[str, Any],
        seconds: float,
        settings: CallSettings,
    ) -> Answer:
        sent = client.stream(
            **arguments,
            follow_redirects=False,
            timeout=seconds,
        )
        async with sent as response:
            headers = _lower(response.headers)
            body = Body(response.status_code, headers, settings.max_bytes)
            if (whole := _read_before(response)) is not None:
                body.add(whole)
            else:
                async for chunk in response.aiter_raw():
                    body.add(chunk)
            return Answer(response.status_code, headers, body.whole(), request.route)

    def _arguments(self, request: Request) -> dict[str, Any]:
        """Return what is sent. What this raises, such as an error of the application's signer, is no missing answer."""
        fresh = {} if request.fresh_headers is None else request.fresh_headers()
        headers = {**self._headers, **request.content_type, **request.headers, **fresh, "accept-encoding": "identity"}
        for name, value in headers.items():
            # A key with its file's line break, perhaps. An attempt would fail like a lost connection, again and again.
            if not (value.isascii() and value.isprintable()):
                why = f'the request cannot be sent: its header "{name}" has a line break, or is not ASCII'
                raise NoAnswerError(why, is_transient=False)
        return {
            "method": request.method,
            "url": (request.base_url or self.base_url) + request.path,
            "content": request.content,
            "headers": headers,
        }


def default_user_agent() -> str:
    """Return what the package calls itself (RFC 9110 section 10.1.5)."""
    return f"watchword/{__version__}"


def check_base_url(url: str, *, what: str = "base_url", http_hosts: Iterable[str] = ()) -> str:
    """Return an API's base URL without final slashes.

    ``http_hosts`` are the hosts to which plain http is allowed, the argument ``allow_http_hosts`` of a client. Raises
    ``TypeError``, or ``ValueError`` unless the URL is https, http to loopback, or http to one of these hosts.
    """
    if not isinstance(url, str):
        raise TypeError(f"{what} must be str, not {type(url).__name__}")
    found = url.rstrip("/")
    hosts = check_hosts(http_hosts, what="allow_http_hosts")
    try:
        check_url(found, allow_loopback_http=True, what=what, http_hosts=hosts)
    except ValueError as error:
        hint = "; to allow plain http to a host, list it in allow_http_hosts" if found.startswith("http://") else ""
        raise ValueError(f"{error}{hint}") from None
    if "?" in found:
        raise ValueError(f"{what} must have no query")
    return found


class _TrustAnchors:
    """The environment's trust anchors, for the whole process: reading them takes about twenty milliseconds."""

    def __init__(self) -> None:
        self._named: tuple[str | None, ...] = ()
        self._context: ssl.SSLContext | None = None
        self.after_fork()
        register_after_fork(self)

    def after_fork(self) -> None:
        """Make a new lock: another thread of the parent process may have held the old one."""
        self._lock = threading.Lock()

    def context(self) -> ssl.SSLContext:
        """Return a TLS context that trusts them. They are read again if the environment names others."""
        named = tuple(os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"))
        with self._lock:
            if self._context is None or named != self._named:
                # Importing httpx2 takes longer than importing the whole of watchword.
                with without_forks():
                    import encodings.idna  # noqa: F401 - sockets need the codec to resolve names

                    import httpx2

                    self._context, self._named = httpx2.create_ssl_context(), named
            return self._context


_TRUST_ANCHORS = _TrustAnchors()


def _options_for(url: str) -> dict[str, Any]:
    """Return the arguments of a client that is made for one request."""
    return {"verify": _TRUST_ANCHORS.context(), "trust_env": url.startswith("https:"), "follow_redirects": False}


def _read_before(response: object) -> bytes | None:
    """Return the body of a response that is not read from a connection, as httpx's ``MockTransport`` has them."""
    content = getattr(response, "content", None) if getattr(response, "is_stream_consumed", False) else None
    return content if isinstance(content, bytes) else None


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _no_answer(error: Exception, *, is_late: bool = False) -> NoAnswerError:
    """Return what an exception means, by its kind alone."""
    if isinstance(error, BodyError):
        return NoAnswerError(str(error), is_transient=False)
    why = error if isinstance(error, ExchangeError) else reason(error, is_late=is_late)
    return NoAnswerError(str(why), is_timeout=isinstance(why, DeadlineError))


__all__ = ["Transport", "check_base_url", "default_user_agent"]
