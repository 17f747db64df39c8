"""``watchword.testing``'s issuer, whose tokens, good and bad, all have the shape of one provider's."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from watchword.testing import LocalIssuer
from watchword.testing.draft import Draft
from watchword.testing.signing_key import SigningKey

#: From the claims that a local issuer writes to those of the provider.
Shape = Callable[[dict[str, Any]], dict[str, Any]]


class ShapedIssuer(LocalIssuer):
    """As a local issuer, with other claims, and with a header whose ``typ`` is ``JWT``.

    So a bad token has nothing wrong with it but its defect, in the eyes of that provider's verifier too.
    """

    def __init__(self, shape: Shape, **options: Any) -> None:
        super().__init__(**{"clock": time.time, **options})
        self._shape = shape

    def _draft(self, key: SigningKey, expires_in: float | None) -> Draft:
        draft = super()._draft(key, expires_in)
        draft.claims = self._shape(draft.claims)
        draft.header["typ"] = "JWT"
        return draft
