"""VerificationError: a code, a sentence, and what an HTTP server answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from watchword import _kernel
from watchword.errors.code import ErrorCode

if TYPE_CHECKING:
    from watchword._kernel import VerifiedToken, _Evidence

_Error = TypeVar("_Error", bound="VerificationError")

#: The algorithms of DPoP proofs that are accepted by default, as ``algs`` lists them (RFC 9449 section 5.1). Not ES384:
#: the sender of a proof chooses its key, and verifying one with P-384 takes twenty times as long as with the others.
DPOP_ALGORITHMS = _kernel.DPOP_ALGORITHMS

#: The class of each code.
CLASSES: dict[str, type[VerificationError]] = {}


class VerificationError(Exception):
    """A token, a proof or a request is invalid, or could not be verified.

    ``code`` is the :class:`ErrorCode`; ``detail`` is one sentence for a person (it never contains a token, a key or a
    secret, but may contain what the policy expects); ``http_status`` is what a resource server answers.

    For audits, three attributes identify the token: :attr:`token_hash`, and, if its signature was valid,
    :attr:`token_claims` and :attr:`token_header`. None of them is in ``str``, ``repr``, ``args`` or ``vars``. A copy
    or a pickle has the hash, claims and header only if they were read before, and never the token.
    """

    __slots__ = ("_answers", "_evidence")

    _evidence: _Evidence | None
    _answers: dict[str, Any]

    code: ErrorCode
    http_status: int = 401
    #: The scheme of the challenge: ``DPoP`` for proofs, and for tokens sent with one.
    scheme: str = "Bearer"
    #: The ``error`` of the challenge; ``None`` if there is no challenge.
    oauth_error: str | None = "invalid_token"
    #: The algorithms of a ``DPoP`` challenge.
    algorithms: tuple[str, ...] = DPOP_ALGORITHMS
    _description: ClassVar[str] = "the token was not accepted"

    def __init_subclass__(cls, **keywords: Any) -> None:  # noqa: ANN401 - whatever the base takes
        """Register the class of a code, with the answer to it. A class derived from it does not take its place."""
        super().__init_subclass__(**keywords)
        if "code" in vars(cls):
            CLASSES.setdefault(cls.code.value, cls)
            cls.http_status, cls.scheme, cls.oauth_error, cls._description = _kernel.answer_of(cls.code.value)

    def __init__(self, detail: str | None = None) -> None:
        self.detail = detail if detail is not None else self._description
        super().__init__(self.detail)

    @property
    def token_hash(self) -> str | None:
        """The SHA-256 of the token as it was sent, in base64url without padding, as ``ath`` is in a DPoP proof.

        ``None`` if the token is unknown. It is computed when it is first read.
        """
        answer: str | None = self._asked("token_hash").get("token_hash")
        return answer

    @property
    def token_claims(self) -> dict[str, Any] | None:
        """The claims of the rejected token; ``None`` unless its signature was valid and they are a JSON object.

        They are for a log of rejected tokens, never for a decision.
        """
        answer: dict[str, Any] | None = self._asked("token_claims").get("token_claims")
        return answer

    @property
    def token_header(self) -> dict[str, Any] | None:
        """The JOSE header of the rejected token; ``None`` unless its signature was valid."""
        answer: dict[str, Any] | None = self._asked("token_header").get("token_header")
        return answer

    def _asked(self, name: str) -> dict[str, Any]:
        """Return what was read so far, with this attribute if it is known."""
        answers: dict[str, Any] = getattr(self, "_answers", {})
        evidence = getattr(self, "_evidence", None)
        if name not in answers and evidence is not None:
            answers[name] = getattr(evidence, name)
            self._answers = answers
        return answers

    def about(self: _Error, token: str | bytes | None, verified: VerifiedToken | None = None) -> _Error:
        """Set the token that the error is about, and what was verified of it, unless that is known. Return the error.

        Only for an error that is raised for one token: one that several callers share is about none.
        """
        if token is not None and getattr(self, "_evidence", None) is None and not hasattr(self, "_answers"):
            from watchword._kernel import _Evidence

            self._evidence = _Evidence(token, verified)
        return self

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(code={self.code.value!r}, detail={self.detail!r})"

    def __reduce__(self) -> tuple[object, ...]:
        hashed = {} if self.token_hash is None else {"_answers": self._answers.copy()}
        return (type(self), (self.detail,), vars(self) | hashed)

    def www_authenticate(self, *, realm: str | None = None, resource_metadata: str | None = None) -> str | None:
        """Return the ``WWW-Authenticate`` value of the answer (RFC 6750 section 3).

        It is ``None`` if the error is not the sender's. ``resource_metadata`` is the URL of the protected resource's
        metadata (RFC 9728 section 5.1). Raises ``ValueError`` if either argument contains a character that a quoted
        string cannot have.
        """
        if self.oauth_error is None:
            return None
        # The fixed sentence, not the detail: a detail may quote the token's kid, chosen by its sender.
        return _kernel.challenge(
            self.scheme,
            error=self.oauth_error,
            description=self._description,
            algorithms=" ".join(self.algorithms),
            realm=realm,
            resource_metadata=resource_metadata,
            **self._more_parameters(),
        )

    def _more_parameters(self) -> dict[str, Any]:
        """Return the parameters of this error's challenge besides those of every error."""
        return {}


__all__ = ["DPOP_ALGORITHMS", "VerificationError"]
