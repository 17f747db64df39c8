"""A replay store that several processes share: Redis or Valkey (``pip install watchword[redis]``)."""

from __future__ import annotations

import asyncio
import secrets
import threading
import weakref
from typing import Any, Literal

from redis import BlockingConnectionPool, Redis, RedisError
from redis import asyncio as redis_asyncio
from redis.backoff import NoBackoff
from redis.retry import Retry

from watchword.errors import ReplayUnavailableError
from watchword.fork_safety import register_after_fork
from watchword.waiting import Call, Pending, Steps, finish, finish_async

_ATTEMPTS = 2


class RedisReplayStore:
    """Stores the ids of used proofs by ``SET NX`` with an expiry, which is atomic.

    ``url`` is one of redis-py's (``redis://``, ``rediss://``, ``unix://``). Every key begins with ``prefix``. At most
    ``connections`` are open at once in each process, and in each event loop; no command takes longer than ``timeout``
    seconds. If the server is unavailable, proofs are rejected (:class:`~watchword.dpop.ReplayUnavailableError`), or,
    with ``when_unavailable="accept"``, accepted without a check for replay.

    It may be used from any number of threads and event loops. The server must not lose keys: ``maxmemory-policy
    noeviction``, and persistence (``appendonly yes``) if it may be restarted; after a restart without data, each proof
    can be used once more within its lifetime.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "watchword:dpop:",
        timeout: float = 1.0,
        connections: int = 32,
        when_unavailable: Literal["reject", "accept"] = "reject",
    ) -> None:
        """Connect on first use. Raises ``ValueError`` if an argument is invalid."""
        if when_unavailable not in ("reject", "accept"):
            raise ValueError(f"when_unavailable is {when_unavailable!r}: it must be 'reject' or 'accept'")
        if not 0 < timeout < float("inf") or connections < 1:
            raise ValueError("timeout and connections must be positive")
        self._url = url
        self._prefix = prefix.encode()
        self._accept = when_unavailable == "accept"
        self._options: dict[str, Any] = {
            "max_connections": connections,
            # The longest wait for a free connection.
            "timeout": timeout,
            "socket_timeout": timeout,
            "socket_connect_timeout": timeout,
        }
        # The latest time that was given, and the shortest and longest time for which proofs are accepted. Each is one
        # value; if a thread overwrites another's with an older one, the next call corrects it. A forked child keeps
        # them.
        self._latest = float("-inf")
        self._shortest, self._longest = float("inf"), 0.0
        self._of_parents: list[object] = []
        self._connect()
        register_after_fork(self)

    def _connect(self) -> None:
        pool = BlockingConnectionPool.from_url(self._url, retry=Retry(NoBackoff(), 0), **self._options)
        self._client: Redis = Redis(connection_pool=pool)
        # An async connection belongs to the event loop that opened it.
        self._clients: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, redis_asyncio.Redis] = (
            weakref.WeakKeyDictionary()
        )
        self._lock = threading.Lock()

    def retain_for(self, seconds: float) -> None:
        """Keep ids for at least ``seconds`` after their proofs were made: for as long as a verifier accepts them.

        This affects this process only: processes that share a server should all have the same ``max_age`` and
        ``leeway``, or each call this with the longest ``max_age + leeway`` of them all.
        """
        self._shortest, self._longest = min(self._shortest, seconds), max(self._longest, seconds)

    def after_fork(self) -> None:
        """Open new connections in the child: two processes on one connection would read each other's answers."""
        # Never closed here: that would close the parent's connections, or unregister them from its event loop.
        self._of_parents += [self._client, *self._clients.values()]
        self._connect()

    def consume(self, replay_id: bytes, expires_at: float, now: float) -> bool:
        """Use an id; see :meth:`watchword.dpop.ReplayStore.consume`."""
        return finish(self._consume(replay_id, expires_at, now))

    async def consume_async(self, replay_id: bytes, expires_at: float, now: float) -> bool:
        """As :meth:`consume`, without blocking the event loop."""
        return await finish_async(self._consume(replay_id, expires_at, now))

    def close(self) -> None:
        """Close the connections of threads."""
        self._client.close()
        self._client.connection_pool.disconnect()

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        with self._lock:
            client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()
            await client.connection_pool.disconnect()

    def __repr__(self) -> str:
        """Return ``when_unavailable``, and no URL, which may contain a password."""
        return f"RedisReplayStore(when_unavailable={'accept' if self._accept else 'reject'!r})"

    def _consume(self, replay_id: bytes, expires_at: float, now: float) -> Steps[bool]:
        name, mark, milliseconds = self._terms(replay_id, expires_at, now)
        failure: Exception | None = None
        for _ in range(_ATTEMPTS):
            try:
                if (yield self._ask("set", name, mark, nx=True, px=milliseconds)):
                    return True
                # The mark of another call, or of the first attempt, whose answer was lost.
                return failure is not None and (yield self._ask("get", name)) == mark
            except (RedisError, OSError) as error:
                failure = error
        return self._unavailable(failure)

    def _ask(self, command: str, *arguments: Any, **options: Any) -> Pending[Any]:  # noqa: ANN401 - as redis-py has it
        return Call(
            lambda: getattr(self._client, command)(*arguments, **options),
            lambda: getattr(self._client_here(), command)(*arguments, **options),
        )

    def _terms(self, replay_id: bytes, expires_at: float, now: float) -> tuple[bytes, bytes, int]:
        self._latest = max(self._latest, now)
        if expires_at < self._latest:
            raise ReplayUnavailableError(
                "the proof had expired by the latest time that this process was given, so that its id may have been "
                "removed: this clock is behind"
            )
        extension = max(0.0, self._longest - self._shortest)
        # A new mark for each call distinguishes its own second attempt from another call's first.
        milliseconds = max(1, int((expires_at + extension - now) * 1000) + 1)
        return self._prefix + replay_id.hex().encode(), secrets.token_bytes(16), milliseconds

    def _client_here(self) -> redis_asyncio.Redis:
        loop = asyncio.get_running_loop()
        with self._lock:
            client = self._clients.get(loop)
            if client is None:
                retry = redis_asyncio.retry.Retry(NoBackoff(), 0)
                pool = redis_asyncio.BlockingConnectionPool.from_url(self._url, retry=retry, **self._options)
                client = self._clients[loop] = redis_asyncio.Redis(connection_pool=pool)
        return client

    def _unavailable(self, failure: Exception | None) -> bool:
        if self._accept:
            return True
        # Only the kind of the failure: its text may name the server.
        kind = type(failure).__name__ if failure is not None else "no answer"
        raise ReplayUnavailableError(f"the replay store is unavailable ({kind})") from failure
