"""A gate for Django REST framework: an authentication class, and a permission class for scopes.

The gate is that of the setting ``WATCHWORD_GATE``: see :mod:`watchword.integrations.django`. A rejected request gets
the gate's answer: its status, its headers and its problem document (RFC 9457).
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured

try:
    from rest_framework.authentication import BaseAuthentication
    from rest_framework.exceptions import APIException
    from rest_framework.permissions import BasePermission
    from rest_framework.utils.encoders import JSONEncoder
except ImportError as error:
    raise ImportError(
        "this integration needs Django REST framework: pip install 'watchword[djangorestframework]'"
    ) from error

from watchword.integrations._answers import failed, joined
from watchword.integrations._deciding import authorize
from watchword.integrations.django.guards import Guards
from watchword.integrations.django.request import DjangoRequest, settle
from watchword.integrations.django.setting import get_gate

if TYPE_CHECKING:
    from rest_framework.request import Request

    from watchword import VerifiedToken
    from watchword.gate import Decision


class Principal:
    """The party that sent a request: ``request.user`` with :class:`GateAuthentication`. It is no user of a database.

    ``token`` is the :class:`~watchword.VerifiedToken`.
    """

    is_authenticated = True
    is_anonymous = False
    is_active = True

    def __init__(self, token: VerifiedToken) -> None:
        self.token = token

    @property
    def pk(self) -> str:
        """A text that no other issuer and subject has, for throttling: 64 hexadecimal digits."""
        return hashlib.sha256(json.dumps([self.token.issuer, self.token.subject]).encode()).hexdigest()

    def has_perm(self, *_: object) -> bool:
        """Return ``False``: tokens do not have the permissions of Django's users."""
        return False

    has_perms = has_module_perms = has_perm

    def __repr__(self) -> str:
        """Return the name of the class alone, as a subject may be personal data."""
        return "Principal()"


class GateAuthentication(BaseAuthentication):
    """Authenticates requests by their token: ``request.user`` is a :class:`Principal`, ``request.auth`` the token.

    A request with an invalid token is rejected. One without a token is left to the other authentication classes, and
    then to the permission classes. If the middleware has allowed a request, its token is not verified again.
    """

    def authenticate(self, request: Request) -> tuple[Principal, VerifiedToken] | None:
        """Return the principal and the token of a request, or ``None`` without one. Raises :class:`RequestRejected`."""
        token = _decision(request, _ANY_OR_NONE, {}).token
        return None if token is None else (Principal(token), token)

    def authenticate_header(self, request: Request) -> str:
        """Return the gate's challenge (RFC 9110 section 11.6.1): another class rejects a request without a token."""
        gate, guard = _ANY.current()
        decision = authorize(gate, guard, DjangoRequest(request._request), {})
        return "" if decision.allowed else joined(decision.headers).get("WWW-Authenticate", "")


class GatePermission(BasePermission):
    """Requires a token with the scopes that the view's attribute ``required_scopes`` lists.

    They may have variables of the URL: ``("orders:{id}",)``. With ``required_scopes = ()``, any valid token is enough;
    a view without the attribute is answered with 500, since a misspelt one must not open it. :meth:`requiring` is for
    views that are functions, and for other requirements.
    """

    _guards: Guards | None = None

    @classmethod
    def requiring(cls, **requirements: Any) -> type[GatePermission]:  # noqa: ANN401  # those of Gate.guard
        """Return a permission class with requirements of its own, those of :meth:`watchword.gate.Gate.guard`.

        Raises ``ValueError`` or ``TypeError`` if one is invalid, and ``ImproperlyConfigured`` without a gate.
        """
        guards = Guards(requirements)
        guards.current()
        return type(cls.__name__, (cls,), {"_guards": guards})

    def has_permission(self, request: Request, view: Any) -> bool:  # noqa: ANN401  # any view
        """Return ``True``, or raise :class:`RequestRejected` with the gate's answer."""
        try:
            guards = self._guards or _guards_of(_scopes(view))
        except Exception as error:
            raise _rejected(request, failed(get_gate(), error)) from error
        _decision(request, guards, getattr(view, "kwargs", None) or {})
        return True


class RequestRejected(APIException):
    """The gate's answer to a request, as an exception of REST framework.

    ``detail`` is its problem document (RFC 9457), ``headers`` a mapping; ``decision`` is the gate's.
    """

    def __init__(self, decision: Decision) -> None:
        # Not by the constructor of the base class, which makes text of everything.
        self.decision = decision
        self.status_code = decision.status
        self.headers = joined(decision.headers)
        self.auth_header = self.headers.get("WWW-Authenticate")
        self.detail = json.loads(decision.body)


class ProblemRenderer:
    """Renders a rejection as ``application/problem+json``, whatever the client accepts.

    It is a renderer without the base class, which cannot be imported before Django has settings.
    """

    media_type = "application/problem+json"
    format = "problem"
    charset = None

    def render(self, data: object, *_: object, **__: object) -> bytes:
        """Return the JSON of the problem document, or of what a project's own handler of exceptions made of it."""
        return json.dumps(data, cls=JSONEncoder).encode()


#: A token is enough; a token, or none.
_ANY = Guards({})
_ANY_OR_NONE = Guards({"optional": True})


@functools.lru_cache(maxsize=1024)
def _guards_of(scopes: tuple[str, ...]) -> Guards:
    return Guards({"scopes": scopes})


def _scopes(view: object) -> tuple[str, ...]:
    scopes = getattr(view, "required_scopes", None)
    if scopes is None or isinstance(scopes, str):
        raise ImproperlyConfigured(
            f"{type(view).__name__}.required_scopes must be a tuple of scopes, such as (); a view with GatePermission "
            "must have it"
        )
    return tuple(scopes)


def _decision(request: Request, guards: Guards, variables: Mapping[str, object]) -> Decision:
    """Return the decision that allows a request. Raises :class:`RequestRejected`."""
    django_request = request._request
    try:
        gate, guard = guards.current()
    except Exception as error:
        # A requirement that is invalid. Without a gate, this is raised again.
        decision = failed(get_gate(), error)
    else:
        decision = authorize(gate, guard, DjangoRequest(django_request), variables)
    settle(django_request, decision)
    if not decision.allowed:
        raise _rejected(request, decision)
    return decision


def _rejected(request: Request, decision: Decision) -> RequestRejected:
    """Return the exception, after preparing the response that REST framework makes of it."""
    rejected = RequestRejected(decision)
    view = request.parser_context.get("view")
    headers = getattr(view, "headers", None)
    if headers is not None:
        # The framework's handler of exceptions keeps two of the headers; the view adds these to any response.
        headers.update(rejected.headers)
    request.accepted_renderer, request.accepted_media_type = ProblemRenderer(), ProblemRenderer.media_type
    return rejected


__all__ = ["GateAuthentication", "GatePermission", "Principal", "ProblemRenderer", "RequestRejected"]
