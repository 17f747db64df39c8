"""Two servers that somebody else wrote, started once for all live tests.

``WATCHWORD_LIVE=0`` leaves these tests out. Elsewhere than in CI they are skipped, with the reason, where the servers
cannot be installed; in CI that is a failure.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from live_authgent import Authgent, authgent
from live_oidc_provider import OidcProvider, oidc_provider

HERE = Path(__file__).resolve().parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.live)
            if os.environ.get("WATCHWORD_LIVE") == "0":
                item.add_marker(pytest.mark.skip(reason="WATCHWORD_LIVE=0"))


@pytest.fixture(scope="session", name="authgent")
def _authgent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authgent]:
    with authgent(tmp_path_factory.mktemp("authgent")) as server:
        yield server


@pytest.fixture(scope="session", name="oidc_provider")
def _oidc_provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OidcProvider]:
    with oidc_provider(tmp_path_factory.mktemp("oidc-provider")) as server:
        yield server
