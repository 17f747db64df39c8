"""A browser in a dozen lines: it keeps cookies, follows redirects, and fills in oidc-provider's two forms."""

from __future__ import annotations

from types import TracebackType

import httpx2


class Browser:
    """Somebody at a browser, who logs in as ``login`` and consents to everything."""

    def __init__(self, login: str) -> None:
        self._forms = {
            "login": {"prompt": "login", "login": login, "password": "any"},
            "consent": {"prompt": "consent"},
        }
        self._client = httpx2.Client(timeout=30, trust_env=False)

    def visit(self, url: str, *, until: str) -> str:
        """Open ``url``, and return the URL that it leads to in the end, which begins with ``until``."""
        for _ in range(12):
            response = self._client.get(url)
            if response.status_code == 200:
                (prompt,) = [one for one in self._forms if f'name="prompt" value="{one}"' in response.text]
                response = self._client.post(url, data=self._forms[prompt])
            assert response.status_code in {302, 303}, response.text
            url = str(response.url.join(response.headers["location"]))
            if url.startswith(until):
                return url
        raise AssertionError("the provider redirects without end")

    def get(self, url: str) -> httpx2.Response:
        return self._client.get(url)

    def post(self, url: str, form: dict[str, str]) -> httpx2.Response:
        return self._client.post(url, data=form)

    def __enter__(self) -> Browser:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()
