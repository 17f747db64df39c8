"""What calls share that bring neither keys nor a proof verifier of their own."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from watchword.dpop import DpopVerifier
from watchword.fork_safety import register_after_fork
from watchword.jwks.urls import check_hosts
from watchword.providers.authgent.jwks import JWKSFetcher
from watchword.providers.authgent.requirements import ALGORITHMS

#: How many issuers' keys a session keeps. The application chooses the issuers, and no sender does.
MAX_ISSUERS: Final = 64


class Session:
    """The keys of each issuer, fetched once for all calls, and a verifier that accepts each DPoP proof once.

    ``dpop`` verifies the proofs: by default a :class:`watchword.dpop.DpopVerifier` for ES256 with a replay cache of its
    own. Sessions that serve the same URIs must share one, or a proof can be used once in each. ``allow_http_hosts``
    lists exact host names or addresses whose keys are fetched over plain http if an issuer is there, in addition to
    loopback (``docs/keys.md`` says what that costs). A session may be used from any number of threads and event loops
    at once.
    """

    def __init__(self, *, dpop: DpopVerifier | None = None, allow_http_hosts: Iterable[str] = ()) -> None:
        self._dpop = DpopVerifier(algorithms=ALGORITHMS) if dpop is None else dpop
        self._http_hosts = frozenset(check_hosts(allow_http_hosts, what="allow_http_hosts"))
        # By issuer, and the hosts that its fetcher was allowed to reach over http: a call without them gets no fetcher
        # that another call with them made.
        self._fetchers: OrderedDict[tuple[str, frozenset[str]], JWKSFetcher] = OrderedDict()
        self.after_fork()
        register_after_fork(self)

    @property
    def dpop(self) -> DpopVerifier:
        """What verifies proofs. It cannot be replaced, so that no used proof is forgotten."""
        return self._dpop

    def after_fork(self) -> None:
        """Make a new lock: another thread of the parent process may have held the old one."""
        self._lock = threading.RLock()

    def fetcher(self, issuer: str, *, allow_http_hosts: Iterable[str] = ()) -> JWKSFetcher:
        """Return the keys at ``{issuer}/.well-known/jwks.json``: the same object for every caller.

        ``allow_http_hosts`` are hosts in addition to the session's. The last :data:`MAX_ISSUERS` issuers used are kept.
        Raises ``ValueError`` unless ``issuer`` is an https URL, or an http URL of this machine or of one of the hosts.
        """
        http_hosts = self._http_hosts.union(check_hosts(allow_http_hosts, what="allow_http_hosts"))
        # For https they make no difference.
        key = (issuer, frozenset[str]() if issuer.startswith("https:") else http_hosts)
        with self._lock:
            found = self._fetchers.get(key)
            if found is None:
                found = self._fetchers[key] = JWKSFetcher(issuer, allow_http_hosts=http_hosts)
                if len(self._fetchers) > MAX_ISSUERS:
                    # Not closed: whoever still uses it may finish.
                    self._fetchers.popitem(last=False)
            self._fetchers.move_to_end(key)
            return found

    def close(self) -> None:
        """Drop the keys and stop refreshing them. Used proofs stay used.

        A later call fetches the keys again. What holds on to a :meth:`fetcher`, such as a middleware, raises
        ``ValueError`` for tokens from then on.
        """
        with self._lock:
            fetchers, self._fetchers = list(self._fetchers.values()), OrderedDict()
        for fetcher in fetchers:
            fetcher.close()

    def __repr__(self) -> str:
        """Return the number of issuers."""
        return f"Session({len(self._fetchers)} issuers)"


#: The session of every call that names no other. It is the only state of the process: authgent's functions take a token
#: and an issuer and nothing else, so keys that are fetched once, and proofs that are accepted once, have to be kept
#: somewhere between two calls.
DEFAULT_SESSION: Final = Session()


__all__ = ["DEFAULT_SESSION", "MAX_ISSUERS", "Session"]
