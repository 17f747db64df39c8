"""The OpenAPI documents of applications: valid, and of use to a generated client."""

# No postponed annotations: FastAPI could not evaluate those of the endpoints in a function.

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import httpx2
import openapi_spec_validator
import pytest
from asgi_gate import API, ISSUER, VERIFIER, make_gate
from authgent_apps import asgi as serve
from fastapi import Depends, FastAPI, Security
from fastapi.security import OAuth2AuthorizationCodeBearer

import watchword as ww
from watchword.gate import Gate
from watchword.integrations.fastapi import OPTIONAL, RESPONSES, Authenticated


def application(gate: Gate, **options: Any) -> FastAPI:
    app = FastAPI(title="Orders", responses=RESPONSES)
    authenticated = Authenticated(gate, **options)

    @app.get("/orders/{order_id}", operation_id="order")
    async def order(
        order_id: int,
        token: Annotated[ww.VerifiedToken, Depends(Authenticated(gate, scopes=["orders:{order_id}"], **options))],
    ) -> dict[str, str | None]:
        return {"of": token.subject}

    @app.get("/reports", operation_id="reports")
    async def reports(
        token: Annotated[ww.VerifiedToken, Security(authenticated, scopes=["reports:read"])],
    ) -> dict[str, str | None]:
        return {"of": token.subject}

    @app.get("/catalogue", operation_id="catalogue", openapi_extra=OPTIONAL)
    async def catalogue(
        token: Annotated[ww.VerifiedToken | None, Depends(Authenticated(gate, optional=True, **options))],
    ) -> dict[str, bool]:
        return {"anonymous": token is None}

    @app.get("/health", operation_id="health")
    async def health() -> dict[str, bool]:
        return {"ok": True}

    return app


def discovered(issuer: str) -> Gate:
    return Gate(ww.Verifier([ww.Issuer(issuer)], audience=API), public_url=API)


def schemes(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["components"]["securitySchemes"]
    return found


@pytest.mark.parametrize(
    ("issuer", "url"),
    [
        ("https://as.example", "https://as.example/.well-known/openid-configuration"),
        ("https://as.example/tenant/", "https://as.example/tenant/.well-known/openid-configuration"),
    ],
)
def test_an_issuer_is_described_by_its_discovery_url(issuer: str, url: str) -> None:
    document = application(discovered(issuer)).openapi()
    openapi_spec_validator.validate(document)
    (scheme,) = schemes(document).values()
    assert scheme["type"] == "openIdConnect"
    assert scheme["openIdConnectUrl"] == url
    paths = document["paths"]
    assert paths["/orders/{order_id}"]["get"]["security"] == [{"OpenIdConnect": ["orders:{order_id}"]}]
    assert paths["/reports"]["get"]["security"] == [{"OpenIdConnect": ["reports:read"]}]
    assert paths["/catalogue"]["get"]["security"] == [{"OpenIdConnect": []}, {}]
    assert "security" not in paths["/health"]["get"]
    # The dependency adds nothing else: its own parameters are not the endpoint's.
    assert [one["name"] for one in paths["/orders/{order_id}"]["get"]["parameters"]] == ["order_id"]


def test_other_issuers_are_described_by_the_scheme_of_their_tokens() -> None:
    several = ww.Verifier([ww.Issuer("https://a.example"), ww.Issuer("https://b.example")], audience=API)
    for gate in (make_gate(), Gate(several, public_url=API)):
        document = application(gate).openapi()
        openapi_spec_validator.validate(document)
        (scheme,) = schemes(document).values()
        assert (scheme["type"], scheme["scheme"], scheme["bearerFormat"]) == ("http", "bearer", "JWT")
        assert all(issuer.issuer in scheme["description"] for issuer in gate.verifier.issuers)


def test_a_scheme_of_the_applications_own_is_described_instead() -> None:
    own = OAuth2AuthorizationCodeBearer("https://as.example/authorize", "https://as.example/token", scheme_name="Own")
    app = application(make_gate(), scheme=own)
    document = app.openapi()
    openapi_spec_validator.validate(document)
    assert schemes(document)["Own"]["flows"]["authorizationCode"]["tokenUrl"] == "https://as.example/token"
    # It does not check anything.
    with serve(app) as url:
        answer = httpx2.get(f"{url}/reports", trust_env=False)
    assert answer.json()["code"] == "missing_token"


def test_a_generated_client_calls_the_application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    described = tmp_path / "openapi.json"
    described.write_text(json.dumps(application(discovered("https://as.example")).openapi()))
    (tmp_path / "config.yaml").write_text("post_hooks: []\n")  # they would only format it
    generated = subprocess.run(
        [
            *(sys.executable, "-m", "openapi_python_client", "generate", "--fail-on-warning", "--meta", "none"),
            *("--path", str(described), "--output-path", str(tmp_path / "orders_client")),
            *("--config", str(tmp_path / "config.yaml")),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert generated.returncode == 0, generated.stdout + generated.stderr
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "*")
    client = importlib.import_module("orders_client")
    problem = importlib.import_module("orders_client.models.gate_problem").GateProblem

    def operation(name: str) -> Any:
        return importlib.import_module(f"orders_client.api.default.{name}")

    with serve(application(make_gate())) as url:

        def holder_of(scope: str) -> Any:
            return client.AuthenticatedClient(base_url=url, token=ISSUER.mint(sub="alice", scope=scope))

        with holder_of("orders:7") as alice:
            assert operation("order").sync(7, client=alice).to_dict() == {"of": "alice"}
            assert operation("catalogue").sync(client=alice).to_dict() == {"anonymous": False}
            rejected = operation("order").sync_detailed(8, client=alice)
            assert rejected.status_code == 403
            assert isinstance(rejected.parsed, problem)
            assert rejected.parsed.code == "insufficient_scope"
        with client.Client(base_url=url) as nobody:
            assert operation("health").sync(client=nobody).to_dict() == {"ok": True}
            assert operation("order").sync(7, client=nobody).code == "missing_token"
            assert operation("catalogue").sync(client=nobody).to_dict() == {"anonymous": True}
    assert VERIFIER.stats()
