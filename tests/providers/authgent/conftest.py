"""The keys that a process shares, each test's own."""

from __future__ import annotations

import pytest

from watchword.providers.authgent import jwks
from watchword.providers.authgent.recent import Recent


@pytest.fixture(autouse=True)
def _own_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    # Else the keys of servers that are gone would be asked for in the background of all tests that follow.
    monkeypatch.setattr(jwks, "_fetchers", Recent(jwks.MOST_ISSUERS))
