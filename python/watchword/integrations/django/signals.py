"""Signals for what a project does with decisions: an audit log, a limit on rejected requests of one address.

Each is sent with ``request`` and ``decision`` (a :class:`watchword.gate.Decision`), by the middleware, the decorator
and the classes for REST framework; of several that allow a request, by the first. An exception of a receiver is logged,
and changes no decision.
"""

from django.dispatch import Signal

request_allowed = Signal()
request_rejected = Signal()

__all__ = ["request_allowed", "request_rejected"]
