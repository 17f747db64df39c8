"""``watchword.testing``'s issuer, whose tokens, good and bad, have the form of one provider's."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from watchword.testing import LocalIssuer
from watchword.testing.draft import Draft
from watchword.testing.signing_key import SigningKey

#: From the claims of a local issuer to those of the provider.
Shape = Callable[[dict[str, Any]], dict[str, Any]]


class ShapedIssuer(LocalIssuer):
    """A local issuer with other claims, and with ``JWT`` as ``typ``.

    So the defect of a bad token is its only one for that provider's verifier, too.
    """

    def __init__(self, shape: Shape, **options: Any) -> None:
        super().__init__(**{"clock": time.time, **options})
        self._shape = shape

    def _draft(self, key: SigningKey, expires_in: float | None) -> Draft:
        draft = super()._draft(key, expires_in)
        draft.claims = self._shape(draft.claims)
        draft.header["typ"] = "JWT"
        return draft
