"""A Django project for the tests of its integrations.

Django is configured once for a process, so this module is imported before others that need it.
"""

from __future__ import annotations

from typing import Any

import django
from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.utils.decorators import method_decorator
from django.views import View
from request_samples import API, VERIFIER

from watchword.gate import Gate, Route

ROUTES = (
    Route("/health", public=True),
    Route("/catalogue", optional=True),
    Route("/orders/{id}", methods=("GET", "POST"), scopes=("orders:read",)),
    Route("/{kind}/{id}"),
)

gate = Gate(VERIFIER, ROUTES, public_url=API)
not_a_gate = "a text"

MIDDLEWARE = "watchword.integrations.django.GateMiddleware"
SETTINGS: dict[str, Any] = {
    "ALLOWED_HOSTS": ["testserver"],
    "INSTALLED_APPS": ["watchword.integrations.django"],
    "LOGGING_CONFIG": None,
    "MIDDLEWARE": [MIDDLEWARE],
    "REST_FRAMEWORK": {"UNAUTHENTICATED_USER": None},
    "ROOT_URLCONF": __name__,
    "SECRET_KEY": "for a test",
    "WATCHWORD_GATE": f"{__name__}.gate",
}

if not settings.configured:
    settings.configure(**SETTINGS)
    django.setup()

from django.urls import path  # noqa: E402  # needs the settings

from watchword.integrations.django import authenticated  # noqa: E402  # as above


def told(request: HttpRequest, **variables: Any) -> JsonResponse:
    """Answer with what a view knows of its request."""
    token = getattr(request, "token", None)
    found = {
        "subject": None if token is None else token.subject,
        "route": getattr(getattr(request, "decision", None), "route", None),
        "forged": [value for name, value in request.headers.items() if name.lower().startswith("x-auth")],
        "variables": variables,
    }
    return JsonResponse(found)


async def told_async(request: HttpRequest, **variables: Any) -> JsonResponse:
    return told(request, **variables)


@method_decorator(authenticated(scopes=["archive:{id}"]), name="dispatch")
class Archive(View):
    def get(self, request: HttpRequest, **variables: Any) -> JsonResponse:
        return told(request, **variables)


@method_decorator(authenticated(scopes=["archive:{id}"]), name="dispatch")
class AsyncArchive(View):
    async def get(self, request: HttpRequest, **variables: Any) -> JsonResponse:
        return told(request, **variables)


class HalfArchive(View):
    def get(self, request: HttpRequest, **variables: Any) -> JsonResponse:
        return told(request, **variables)

    @method_decorator(authenticated(scopes=["archive:{id}"]))
    def post(self, request: HttpRequest, **variables: Any) -> JsonResponse:
        return told(request, **variables)


class HalfAsyncArchive(View):
    async def get(self, request: HttpRequest, **variables: Any) -> JsonResponse:
        return told(request, **variables)

    @method_decorator(authenticated(scopes=["archive:{id}"]))
    async def post(self, request: HttpRequest, **variables: Any) -> JsonResponse:
        return told(request, **variables)


archive = authenticated(scopes=["archive:{id}"])

urlpatterns = [
    path("health", told),
    path("catalogue", told),
    path("orders/<int:id>", told),
    path("café/<int:id>", told),
    path("function/<int:id>", archive(told)),
    path("async/<int:id>", archive(told_async)),
    path("class/<int:id>", Archive.as_view()),
    path("async-class/<int:id>", AsyncArchive.as_view()),
    path("half/<int:id>", HalfArchive.as_view()),
    path("half-async/<int:id>", HalfAsyncArchive.as_view()),
    path("optional/<int:id>", authenticated(optional=True)(told)),
]
