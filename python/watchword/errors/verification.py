"""What every verdict but "valid" is: a code, a sentence, and what an HTTP server answers."""

from __future__ import annotations

from typing import ClassVar

from watchword.errors.code import ErrorCode

#: What a DPoP proof may be signed by unless told otherwise, as ``algs`` lists it (RFC 9449 section 5.1). Not ES384: the
#: sender of a proof chooses its key, and to verify one by P-384 takes twenty times as long as by the others.
DPOP_ALGORITHMS = ("EdDSA", "Ed25519", "ES256", "RS256", "PS256")


class VerificationError(Exception):
    """A token was not accepted.

    ``code`` is the :class:`ErrorCode`; ``detail`` is one sentence for a person (it never holds a token, a key or a
    secret); ``http_status`` is what a resource server answers.
    """

    code: ErrorCode
    http_status: int = 401
    #: The scheme of the challenge: ``DPoP`` for proofs, and for tokens that came with one.
    scheme: str = "Bearer"
    #: The ``error`` of the challenge; ``None`` where there is no challenge.
    oauth_error: str | None = "invalid_token"
    #: The algorithms of a ``DPoP`` challenge.
    algorithms: tuple[str, ...] = DPOP_ALGORITHMS
    _description: ClassVar[str] = "the token was not accepted"

    def __init__(self, detail: str | None = None) -> None:
        self.detail = detail if detail is not None else self._description
        super().__init__(self.detail)

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(code={self.code.value!r}, detail={self.detail!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.detail,), vars(self))

    def www_authenticate(self, *, realm: str | None = None, resource_metadata: str | None = None) -> str | None:
        """The ``WWW-Authenticate`` value to answer with (RFC 6750 section 3), or ``None`` where it is not the
        sender who has to do better.

        ``resource_metadata`` is the URL of the protected resource's metadata (RFC 9728 section 5.1). Raises
        ``ValueError`` where either holds a character that a quoted string cannot carry.
        """
        if self.oauth_error is None:
            return None
        # The fixed sentence, not the detail: a detail may quote the token's kid, which its sender chose.
        own = {"error": self.oauth_error, "error_description": self._description}
        if self.scheme == "DPoP":
            own["algs"] = " ".join(self.algorithms)
        own |= self._more_parameters()
        parameters = challenge_parameters(realm=realm) + challenge_parameters(
            **own, resource_metadata=resource_metadata
        )
        return f"{self.scheme} " + ", ".join(parameters)

    def _more_parameters(self) -> dict[str, str]:
        """What this error has to say beside ``error`` and ``error_description``."""
        return {}


def challenge_parameters(**values: str | None) -> list[str]:
    """The parameters of a challenge that have a value. Raises ``ValueError`` where one cannot be quoted."""
    return [f'{name}="{_quotable(name, value)}"' for name, value in values.items() if value is not None]


def _quotable(name: str, value: str) -> str:
    if any(ch in '"\\' or not " " <= ch <= "~" for ch in value):
        raise ValueError(f"{name} may hold printable ASCII without quotes and backslashes only")
    return value
