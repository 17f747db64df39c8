"""Third-party authorization servers, each started once for all live tests (README.md).

``WATCHWORD_LIVE=0`` leaves these tests out; ``WATCHWORD_LIVE=all`` adds those of the servers that need Java. If a
server cannot be installed, its tests are skipped with the reason; in CI that is a failure.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from live_authgent import Authgent, authgent
from live_keycloak import Keycloak, Realm, add_clients, keycloak
from live_oidc_provider import OidcProvider, oidc_provider, serving_provider
from live_spring import Spring, spring

HERE = Path(__file__).resolve().parent
LIVE = os.environ.get("WATCHWORD_LIVE", "")

#: The servers that need Java and Maven, by their fixtures.
JAVA = {"keycloak", "realm", "spring", "java_server"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.live)
            if LIVE == "0":
                item.add_marker(pytest.mark.skip(reason="WATCHWORD_LIVE=0"))
            elif LIVE != "all" and JAVA.intersection(getattr(item, "fixturenames", ())):
                item.add_marker(pytest.mark.skip(reason="needs Java and Maven: WATCHWORD_LIVE=all"))


@pytest.fixture(scope="session", name="authgent")
def _authgent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authgent]:
    with authgent(tmp_path_factory.mktemp("authgent")) as server:
        yield server


@pytest.fixture(scope="session", name="oidc_provider")
def _oidc_provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OidcProvider]:
    with oidc_provider(tmp_path_factory.mktemp("oidc-provider")) as server:
        yield server


@pytest.fixture(scope="session")
def authpi_issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """oidc-provider with AuthPI's routes and claims."""
    with serving_provider(tmp_path_factory.mktemp("authpi"), "authpi.mjs") as issuer:
        yield issuer


@pytest.fixture(scope="session", name="keycloak")
def _keycloak(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keycloak]:
    with keycloak(tmp_path_factory.mktemp("keycloak")) as server:
        yield server


@pytest.fixture(scope="session", name="realm")
def _realm(keycloak: Keycloak) -> Realm:
    realm = keycloak.realm("tests")
    add_clients(realm)
    return realm


@pytest.fixture(scope="session", name="spring")
def _spring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spring]:
    with spring(tmp_path_factory.mktemp("spring")) as server:
        yield server
