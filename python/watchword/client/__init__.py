"""Clients of HTTP APIs, each call described once for threads and for event loops.

A call is a generator (:data:`Verb`): it yields a :class:`Request`, is sent the :class:`Answer`, and returns a result;
calls of several steps are ``yield from``; anything else that it has to wait for is a :class:`~watchword.waiting.Call`.
A :class:`Caller` runs it, in this thread (:meth:`Caller.run`) or in this task (:meth:`Caller.run_async`), and owns what
every call needs: the connection, the time limits, the limit of bytes, what is sent again and when, and what is shared
by concurrent callers.

What goes wrong is a :class:`CallError`, whose message quotes neither request nor response, and which has no cause: the
exceptions of HTTP clients have the whole request, secrets included, as an attribute.
"""

from __future__ import annotations

from watchword._kernel import parse_rfc3339
from watchword.client.answer import Answer, Members
from watchword.client.caller import Caller
from watchword.client.errors import CallError, InvalidAnswerError, NoAnswerError
from watchword.client.nonces import OriginNonces
from watchword.client.request import Request, Verb, is_header_value, path_segment
from watchword.client.retries import retry_after_seconds
from watchword.client.server_words import server_text
from watchword.client.settings import CallSettings
from watchword.client.shared import Shared, digest_of
from watchword.client.transport import check_base_url, default_user_agent
from watchword.http.httpx_interface import AsyncHttpxClient, SyncHttpxClient

__all__ = [
    "Answer",
    "AsyncHttpxClient",
    "CallError",
    "CallSettings",
    "Caller",
    "InvalidAnswerError",
    "Members",
    "NoAnswerError",
    "OriginNonces",
    "Request",
    "Shared",
    "SyncHttpxClient",
    "Verb",
    "check_base_url",
    "default_user_agent",
    "digest_of",
    "is_header_value",
    "parse_rfc3339",
    "path_segment",
    "retry_after_seconds",
    "server_text",
]
