"""The process-wide keys, separate for each test."""

from __future__ import annotations

import pytest

from watchword.providers.authgent import jwks
from watchword.providers.authgent.recent import Recent


@pytest.fixture(autouse=True)
def _own_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    # Otherwise the keys of stopped servers would be refreshed in the background of all later tests.
    monkeypatch.setattr(jwks, "_fetchers", Recent(jwks.MOST_ISSUERS))
