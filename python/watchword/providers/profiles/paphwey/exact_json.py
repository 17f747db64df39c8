"""JSON whose numbers keep every digit, as amounts are compared exactly."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import Any


def load_exactly(document: bytes) -> Any:  # noqa: ANN401 - JSON
    """Return a document that the kernel has checked to be strict JSON; its fractions are ``Decimal``.

    A number whose exponent has too many digits for a ``Decimal`` is a ``float``, which is no amount.
    """
    return json.loads(document, parse_float=_number)


def _number(text: str) -> Decimal | float:
    try:
        return Decimal(text)
    except InvalidOperation:
        return float(text)


__all__ = ["load_exactly"]
