"""Compare the approved action with the expected one. Amounts are compared exactly, as decimal numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from watchword.errors import MalformedClaimsError, MissingClaimError
from watchword.providers.profiles import ProviderRuleError
from watchword.providers.profiles.paphwey.claim_names import ClaimNames

#: How amounts are compared: at most the approved one, or exactly that.
AmountRule = Literal["at_most", "exactly"]

_MEMBERS = ("scope", "amount_minor", "currency", "merchant")


@dataclass(frozen=True, kw_only=True)
class Action:
    """An expected action; members that do not matter are ``None``.

    ``amount_minor`` is in the currency's smallest unit. Raises ``TypeError`` or ``ValueError`` if a member is invalid.
    """

    scope: str
    amount_minor: int | None = None
    currency: str | None = None
    merchant: str | None = None

    def __post_init__(self) -> None:
        for name in ("scope", "currency", "merchant"):
            value = getattr(self, name)
            if (value is not None or name == "scope") and not isinstance(value, str):
                raise TypeError(f"expected_action's {name} must be a string")
        if not self.scope:
            raise ValueError("expected_action's scope must not be empty")
        amount = self.amount_minor
        # A float is inexact: 0.1 + 0.2 is another amount than 0.3.
        if amount is not None and (not isinstance(amount, int) or isinstance(amount, bool)):
            raise TypeError("expected_action's amount_minor must be an int, in the currency's smallest unit")
        if amount is not None and amount < 0:
            raise ValueError("expected_action's amount_minor must not be negative")
        if (amount is None) != (self.currency is None):
            raise ValueError("expected_action must have both amount_minor and currency, or neither")

    @classmethod
    def of(cls, members: Mapping[str, Any]) -> Action:
        """Return the action of a mapping.

        Raises ``TypeError`` or ``ValueError`` if it is not one, or has members that cannot be compared.
        """
        if not isinstance(members, Mapping):
            raise TypeError("expected_action must be a mapping or an ActionContext")
        unknown = [name for name in members if name not in _MEMBERS]
        if unknown:
            raise ValueError(f"expected_action has the member {unknown[0]!r}: it may have {', '.join(_MEMBERS)}")
        if "scope" not in members:
            raise ValueError("expected_action must have a scope")
        return cls(**members)


def compare(approved: Mapping[str, Any], expected: Action, names: ClaimNames, rule: AmountRule) -> None:
    """Raise :class:`~watchword.VerificationError` unless ``approved`` covers ``expected``.

    The numbers in ``approved`` are ``int`` and ``Decimal``.
    """
    for member in ("scope", "currency", "merchant"):
        value = getattr(expected, member)
        if value is not None and _required(approved, getattr(names, member)) != value:
            raise ProviderRuleError(f"another {member} was approved", reason="wrong_action")
    if expected.amount_minor is None:
        return
    amount = _amount(_required(approved, names.amount_minor))
    if expected.amount_minor > amount:
        raise ProviderRuleError("the amount is more than was approved", reason="amount_exceeded")
    if rule == "exactly" and expected.amount_minor != amount:
        raise ProviderRuleError("another amount was approved", reason="wrong_action")


def _required(approved: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - JSON
    value = approved.get(name)
    if value is None:
        raise MissingClaimError(f'the approved action has no "{name}"')
    return value


def _amount(value: object) -> int | Decimal:
    # 1500, 1500.0 and 15e2 are the same number in JSON. A string is not a number, and fractions of the smallest unit
    # are not amounts.
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, Decimal) and value >= 0 and value == value.to_integral_value():
        return value
    raise MalformedClaimsError("the approved amount must be a whole number that is not negative")
