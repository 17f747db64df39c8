"""Test an application's authentication: `pytest test_wsgi_app.py`.

`LocalIssuer` stands in for the authorization server. The application under test is `wsgi_app.py`, unchanged; its
Verifier fetches the keys over HTTP as in production.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from wsgi_app import App, make_app

from watchword.testing import Defect, LocalIssuer, ServedIssuer


@pytest.fixture(scope="module", name="issuer")
def _issuer() -> Iterator[ServedIssuer]:
    with LocalIssuer(audience="https://orders.example", algorithms=("EdDSA", "ES256")).serve() as issuer:
        yield issuer


@pytest.fixture(scope="module", name="app")
def _app(issuer: ServedIssuer) -> Iterator[App]:
    with issuer.verifier() as verifier:
        yield make_app(verifier)


def get(app: App, authorization: str | None = None) -> tuple[str, dict[str, str], bytes]:
    answer: dict[str, object] = {}
    environ = {} if authorization is None else {"HTTP_AUTHORIZATION": authorization}
    body = b"".join(app(environ, lambda status, headers: answer.update(status=status, headers=dict(headers))))
    return answer["status"], answer["headers"], body  # type: ignore[return-value]


def test_a_valid_token_is_accepted(app: App, issuer: ServedIssuer) -> None:
    status, _, body = get(app, f"Bearer {issuer.mint(sub='alice', scope='orders:read')}")
    assert status == "200 OK"
    assert b"alice" in body


def test_a_request_without_token_is_challenged(app: App) -> None:
    assert get(app)[:2] == ("401 Unauthorized", {"WWW-Authenticate": "Bearer"})


def test_a_token_without_the_scope_is_forbidden(app: App, issuer: ServedIssuer) -> None:
    assert get(app, f"Bearer {issuer.mint(scope='orders')}")[0] == "403 Forbidden"


def test_every_kind_of_bad_token_is_rejected(app: App, issuer: ServedIssuer) -> None:
    # White space around a header's value is removed, so the application sees valid tokens here.
    trimmed = {Defect.LEADING_SPACE, Defect.TRAILING_NEWLINE}
    for defect, _, token in issuer.defects():
        if defect not in trimmed:
            status, headers, body = get(app, f"Bearer {token}")
            assert status == "401 Unauthorized", defect
            assert "invalid_token" in headers["WWW-Authenticate"]
            assert body == b""


def test_a_new_key_is_found(app: App, issuer: ServedIssuer) -> None:
    issuer.rotate()
    assert get(app, f"Bearer {issuer.mint(scope='orders:read')}")[0] == "200 OK"


def test_an_outage_of_the_issuer_does_not_affect_the_application(app: App, issuer: ServedIssuer) -> None:
    with issuer.outage():
        assert get(app, f"Bearer {issuer.mint(scope='orders:read')}")[0] == "200 OK"


def test_without_keys_the_service_is_unavailable(issuer: ServedIssuer) -> None:
    with issuer.outage(), issuer.verifier() as verifier:
        status, headers, _ = get(make_app(verifier), f"Bearer {issuer.mint()}")
    assert (status, headers) == ("503 Service Unavailable", {"Retry-After": "5"})
