"""The gate in Django REST framework: authentication, permissions, and the gate's answers through its machinery."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import override_settings
from django.urls import path
from django_project import MIDDLEWARE, gate

# isort: split  # it configures Django, which the following need
from request_samples import API, ISSUER, VERIFIER, bearer, bound, token
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.throttling import UserRateThrottle
from rest_framework.views import APIView, exception_handler

import watchword as ww
from watchword.dpop import DpopVerifier, Nonces
from watchword.gate import Gate, Route
from watchword.integrations.rest_framework import GateAuthentication, GatePermission, Principal, RequestRejected


def told(request: Any, **variables: Any) -> Response:
    token = request.auth
    user = request.user
    return Response(
        {
            "subject": None if token is None else token.subject,
            "user": type(user).__name__,
            "is_authenticated": getattr(user, "is_authenticated", None),
            "forged": [value for name, value in request.headers.items() if name.lower().startswith("x-auth")],
        }
    )


class Base(APIView):
    authentication_classes = (GateAuthentication,)
    permission_classes = (GatePermission,)
    renderer_classes = (JSONRenderer, BrowsableAPIRenderer)

    def get(self, request: Any, **variables: Any) -> Response:
        return told(request, **variables)

    post = get


class Orders(Base):
    required_scopes = ("orders:read",)


class Archive(Base):
    required_scopes = ("archive:{id}",)


class AnyToken(Base):
    required_scopes = ()


class Forgotten(Base):
    pass


class Text(Base):
    required_scopes = "orders:read"


class Invalid(Base):
    required_scopes = ('a"b',)


class OnlyPermission(Base):
    authentication_classes: tuple[Any, ...] = ()
    required_scopes = ("orders:read",)


class Open(Base):
    permission_classes = (AllowAny,)


class LoggedIn(Base):
    permission_classes = (IsAuthenticated,)


class Either(Base):
    permission_classes = (AllowAny | GatePermission,)


class Strict(Base):
    permission_classes = (GatePermission.requiring(scopes=["archive:{id}"], dpop="required"),)


class Throttled(Base):
    class OncePerDay(UserRateThrottle):
        rate = "1/day"
        timer = staticmethod(lambda: 0.0)

    required_scopes = ()
    throttle_classes = (OncePerDay,)


@api_view(["GET"])
@authentication_classes([GateAuthentication])
@permission_classes([GatePermission.requiring(scopes=["orders:read"])])
def function(request: Any) -> Response:
    return told(request)


urlpatterns = [
    *(path(f"{view.__name__.lower()}/<int:id>", view.as_view()) for view in Base.__subclasses__()),
    path("function/1", function),
]


@pytest.fixture(name="client", params=[[], [MIDDLEWARE]], ids=["alone", "middleware"])
def _client(request: pytest.FixtureRequest) -> Iterator[APIClient]:
    logging.disable(logging.CRITICAL)
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=request.param, WATCHWORD_GATE=f"{__name__}.EVERYTHING"):
        yield APIClient(raise_request_exception=False)
    logging.disable(logging.NOTSET)


#: What the middleware lets through, so that the classes decide: everything that has no invalid token.
EVERYTHING = Gate(VERIFIER, [Route("/{path...}", optional=True)], public_url=API)


def good(**claims: Any) -> dict[str, str]:
    return token(**{"scope": "orders:read archive:1", **claims})


def test_a_view_knows_its_token(client: APIClient) -> None:
    expected = {"subject": "alice", "user": "Principal", "is_authenticated": True, "forged": []}
    forged = {**good(), "X-Auth-Sub": "admin"}
    for view in ("orders", "archive", "anytoken", "open", "loggedin", "either", "function"):
        assert client.get(f"/{view}/1", headers=forged).json() == expected, view
    alone = client.get("/onlypermission/1", headers=forged).json()
    assert alone == {**expected, "subject": None, "user": "NoneType", "is_authenticated": None}


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        ("/orders/1", dict, 401, "missing_token"),
        ("/function/1", dict, 401, "missing_token"),
        ("/onlypermission/1", dict, 401, "missing_token"),
        ("/anytoken/1", dict, 401, "missing_token"),
        ("/orders/1", lambda: bearer("garbage"), 401, "malformed_token"),
        ("/onlypermission/1", lambda: bearer("garbage"), 401, "malformed_token"),
        ("/open/1", lambda: bearer("garbage"), 401, "malformed_token"),
        ("/loggedin/1", lambda: bearer("garbage"), 401, "malformed_token"),
        ("/orders/1", lambda: token(scope="other"), 403, "insufficient_scope"),
        ("/archive/2", good, 403, "insufficient_scope"),
        ("/strict/1", good, 401, "dpop_bound_token_required"),
        ("/orders/1?access_token=x", good, 400, "token_in_query"),
        ("/forgotten/1", good, 500, "internal_error"),
        ("/text/1", good, 500, "internal_error"),
        ("/invalid/1", good, 500, "internal_error"),
    ],
)
@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/html"])
def test_the_gates_answer_is_the_answer(
    client: APIClient, path: str, headers: Any, status: int, code: str, accept: str
) -> None:
    answer = client.get(path, headers={**headers(), "Accept": accept})
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = json.loads(answer.content)
    assert (problem["code"], problem["status"]) == (code, status)
    assert answer.headers["Cache-Control"] == "no-store"
    assert ("WWW-Authenticate" in answer.headers) == (status != 500)
    if code == "insufficient_scope":
        assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]


def test_without_a_token_others_may_allow_it(client: APIClient) -> None:
    for view in ("open", "either"):
        answer = client.get(f"/{view}/1").json()
        assert (answer["subject"], answer["user"]) == (None, "NoneType")


def test_what_another_class_rejects_has_the_gates_challenge(client: APIClient) -> None:
    answer = client.get("/loggedin/1")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("DPoP ")
    assert "Bearer" in answer.headers["WWW-Authenticate"]


def test_a_proof_is_used_once_however_many_check(client: APIClient) -> None:
    for view in ("orders", "strict", "loggedin", "onlypermission"):
        headers = bound(f"/{view}/1", scope="orders:read archive:1")
        assert client.get(f"/{view}/1", headers=headers).status_code == 200, view
        assert client.get(f"/{view}/1", headers=headers).status_code == 401, view


def test_a_nonce_comes_with_the_rejection(client: APIClient) -> None:
    with override_settings(WATCHWORD_GATE=f"{__name__}.WITH_NONCES"):
        answer = client.get("/orders/1", headers=bound("/orders/1", scope="orders:read"))
    assert (answer.status_code, answer.json()["code"]) == (401, "dpop_nonce_required")
    assert answer.headers["DPoP-Nonce"]


WITH_NONCES = Gate(
    ww.Verifier(
        [ww.Issuer("https://issuer.test", jwks=ISSUER.jwks())],
        audience=API,
        dpop=DpopVerifier(nonces=Nonces(Nonces.new_key())),
    ),
    [Route("/{path...}", optional=True)],
    public_url=API,
)


def envelope(error: Exception, context: Any) -> Any:
    response = exception_handler(error, context)
    if response is not None:
        response.data = {"failure": response.data}
    return response


def test_a_projects_own_handler_of_exceptions_has_its_say(client: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Orders, "get_exception_handler", lambda _: envelope)
    answer = client.get("/orders/1")
    assert answer.status_code == 401
    assert "WWW-Authenticate" in answer.headers
    assert json.loads(answer.content)["failure"]["code"] == "missing_token"


def test_throttling_counts_by_subject(client: APIClient) -> None:
    from django.core.cache import cache

    cache.clear()
    statuses = [client.get("/throttled/1", headers=token(sub=sub)).status_code for sub in ("a", "a", "b")]
    assert statuses == [200, 429, 200]


def test_a_principal_has_no_permissions_of_django_and_shows_nothing() -> None:
    verified = VERIFIER.verify(good()["Authorization"].split()[1])
    user = Principal(verified)
    assert (user.token, user.is_authenticated, user.is_anonymous, user.is_active) == (verified, True, False, True)
    assert not user.has_perm("orders.view")
    assert not user.has_perms(["orders.view"])
    assert not user.has_module_perms("orders")
    assert "alice" not in repr(user)
    assert user.pk != Principal(VERIFIER.verify(good(sub="bob")["Authorization"].split()[1])).pk


def test_invalid_requirements_are_reported_at_once() -> None:
    with pytest.raises(ValueError, match="scope"):
        GatePermission.requiring(scopes=['a"b'])
    with pytest.raises(TypeError):
        GatePermission.requiring(scope=["a"])


def bug(*_: Any, **__: Any) -> Any:
    raise RuntimeError("a bug")


@pytest.mark.parametrize("broken", ["check", "authorize", "guard"])
@pytest.mark.parametrize("view", ["orders", "onlypermission", "open", "loggedin", "function", "strict"])
def test_whatever_fails_the_view_is_not_reached(
    client: APIClient, view: str, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for owner in (Gate, type(gate.guard())):
        for name in ("check", "authorize") if broken != "guard" else ("guard",):
            if hasattr(owner, name):
                monkeypatch.setattr(owner, name, bug)
    if broken == "guard":
        # Guards are made once.
        with override_settings(WATCHWORD_GATE=f"{__name__}.WITH_NONCES", MIDDLEWARE=[]):
            answer = client.get(f"/{view}/1", headers=good())
    else:
        answer = client.get(f"/{view}/1", headers=good())
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal_error"
    assert b"alice" not in answer.content


def test_a_broken_setting_opens_nothing(client: APIClient) -> None:
    with override_settings(WATCHWORD_GATE=None, MIDDLEWARE=[]):
        for view in ("orders", "onlypermission", "open", "loggedin", "function", "strict"):
            assert client.get(f"/{view}/1", headers=good()).status_code == 500


def test_the_exception_says_what_the_answer_is() -> None:
    rejected = RequestRejected(gate.check(method="GET", target="/orders/1", headers=[]))
    assert rejected.status_code == 401
    assert rejected.detail["code"] == "missing_token"
    assert rejected.headers["Content-Type"] == "application/problem+json"
