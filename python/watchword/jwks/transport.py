"""The transport of the default client: directly to the server, or through the environment's proxy.

Imported when keys are first fetched: importing httpx2 takes longer than importing the whole of watchword.
"""

from __future__ import annotations

import time
import urllib.request

import httpx2

from watchword.jwks.addresses import public_addresses
from watchword.jwks.fetch import NotPublicError


class DefaultTransport(httpx2.BaseTransport):
    """Connects to what a URL names; with ``public_only``, to public addresses only.

    A host is then resolved here, once, and the connection goes to an address that was checked; SNI and certificate
    verification use the host of the URL. A proxy resolves names itself, so the address it connects to can't be checked.
    Plain http, which is only for loopback and for hosts that are configured for it, never uses a proxy.
    """

    def __init__(self, *, public_only: bool) -> None:
        self._public_only = public_only
        self._limits = httpx2.Limits(max_keepalive_connections=0)
        self._tls = httpx2.create_ssl_context()
        self._direct = httpx2.HTTPTransport(verify=self._tls, limits=self._limits, trust_env=False)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request."""
        proxy = _proxy(request.url) if request.url.scheme == "https" else None
        if proxy is not None:
            # The proxy may have changed by the next request, in a few minutes; there is no keep-alive anyway.
            through = httpx2.HTTPTransport(verify=self._tls, limits=self._limits, trust_env=False, proxy=proxy)
            return through.handle_request(request)
        if self._public_only:
            return self._to_public_address(request)
        return self._direct.handle_request(request)

    def close(self) -> None:
        """Close all connections."""
        self._direct.close()

    def _to_public_address(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        timeouts = request.extensions.get("timeout", {})
        connect = timeouts.get("connect")
        until = None if connect is None else time.monotonic() + connect
        try:
            addresses = public_addresses(url.host, url.port or 443)
        except ValueError as error:
            raise NotPublicError(str(error)) from None
        except OSError as error:
            raise httpx2.ConnectError("the host can't be resolved", request=request) from error
        failure: httpx2.TransportError = httpx2.ConnectError("the host has no address", request=request)
        for tried, address in enumerate(addresses):
            if until is not None:
                # An address that does not answer must leave time for the others.
                connect = (until - time.monotonic()) / (len(addresses) - tried)
                if connect <= 0:
                    raise httpx2.ConnectTimeout("no time left", request=request)
            there = httpx2.Request(
                request.method,
                url.copy_with(host=address),
                headers=request.headers,  # "host" among them
                stream=request.stream,
                extensions={
                    **request.extensions,
                    "sni_hostname": url.host,  # for SNI and for the certificate
                    "timeout": {**timeouts, "connect": connect},
                },
            )
            try:
                return self._direct.handle_request(there)
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                failure = error
        raise failure


def _proxy(url: httpx2.URL) -> str | None:
    """Return the proxy that the environment (or the system) names for a URL, if any."""
    proxies = urllib.request.getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if not proxy or urllib.request.proxy_bypass(url.host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
