"""The kernel's binding, typed by hand. Everything public here is re-exported by :mod:`watchword`."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, SupportsIndex, final, overload

from watchword.errors import ErrorCode, VerificationError

__all__ = [
    "ANY_AUDIENCE",
    "BatchResult",
    "Confirmation",
    "KeySet",
    "Policy",
    "PublicKey",
    "RejectedKey",
    "VerifiedJws",
    "VerifiedToken",
    "_AnyAudience",
    "__version__",
    "thumbprint",
    "unverified_issuer",
    "unverified_key_id",
    "verify",
    "verify_jws",
    "verify_many",
]

__version__: str

@final
class _AnyAudience:
    """The type of :data:`ANY_AUDIENCE`."""

ANY_AUDIENCE: _AnyAudience

@final
class PublicKey:
    """One key of a set, parsed and judged."""

    @property
    def key_id(self) -> str | None: ...
    @property
    def key_type(self) -> Literal["EC", "OKP", "RSA"]: ...
    @property
    def curve(self) -> Literal["P-256", "P-384", "Ed25519"] | None: ...
    @property
    def bits(self) -> int: ...
    @property
    def algorithms(self) -> tuple[str, ...]: ...
    @property
    def thumbprint(self) -> str: ...

@final
class RejectedKey:
    """A key that was left out of a set, and why."""

    @property
    def index(self) -> int: ...
    @property
    def key_id(self) -> str | None: ...
    @property
    def reason(self) -> str: ...
    @property
    def detail(self) -> str: ...

@final
class KeySet:
    @staticmethod
    def from_json(
        jwks: str | bytes | Mapping[str, Any], *, backend: Literal["default", "reference"] = "default"
    ) -> KeySet: ...
    @staticmethod
    def from_pem(
        pem: str | bytes,
        *,
        key_id: str | None = None,
        algorithm: str | None = None,
        backend: Literal["default", "reference"] = "default",
    ) -> KeySet: ...
    @staticmethod
    def from_der(
        der: bytes,
        *,
        key_id: str | None = None,
        algorithm: str | None = None,
        backend: Literal["default", "reference"] = "default",
    ) -> KeySet: ...
    @property
    def rejected(self) -> tuple[RejectedKey, ...]: ...
    @property
    def backend(self) -> Literal["default", "reference"]: ...
    def get(self, key_id: str) -> PublicKey | None: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[PublicKey]: ...
    def __contains__(self, key_id: object, /) -> bool: ...

@final
class Policy:
    def __new__(
        cls,
        *,
        issuer: str | Iterable[str] | None = None,
        audience: str | Iterable[str] | _AnyAudience | None = None,
        algorithms: Iterable[str] | None = None,
        types: Iterable[str | None] = ("JWT", "at+jwt", None),
        leeway: float = 5,
        required: Iterable[str] = ...,  # ("exp",): inspect cannot read a tuple of one from a signature's text
        bound_tokens: Literal["reject", "accept"] = "reject",
        max_token_bytes: int = 16384,
        max_header_bytes: int = 4096,
    ) -> Policy: ...

@final
class Confirmation:
    """The ``cnf`` claim (RFC 7800): the key to which a token is bound."""

    @property
    def jkt(self) -> str | None: ...
    @property
    def jwk(self) -> dict[str, Any] | None: ...

@final
class VerifiedToken:
    @property
    def header(self) -> dict[str, Any]: ...
    @property
    def claims(self) -> dict[str, Any]: ...
    @property
    def payload(self) -> bytes: ...
    @property
    def issuer(self) -> str | None: ...
    @property
    def subject(self) -> str | None: ...
    @property
    def audience(self) -> tuple[str, ...]: ...
    @property
    def expires_at(self) -> float | None: ...
    @property
    def not_before(self) -> float | None: ...
    @property
    def issued_at(self) -> float | None: ...
    @property
    def token_id(self) -> str | None: ...
    @property
    def scopes(self) -> tuple[str, ...]: ...
    @property
    def key_id(self) -> str | None: ...
    @property
    def algorithm(self) -> str: ...
    @property
    def confirmation(self) -> Confirmation | None: ...

@final
class VerifiedJws:
    @property
    def header(self) -> dict[str, Any]: ...
    @property
    def payload(self) -> bytes: ...
    @property
    def key_id(self) -> str | None: ...
    @property
    def algorithm(self) -> str: ...

@final
class BatchResult:
    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, index: SupportsIndex, /) -> VerifiedToken | VerificationError: ...
    @overload
    def __getitem__(self, index: slice, /) -> list[VerifiedToken | VerificationError]: ...
    def __iter__(self) -> Iterator[VerifiedToken | VerificationError]: ...
    @property
    def valid_count(self) -> int: ...
    def codes(self) -> list[ErrorCode | None]: ...

def verify(token: str | bytes, keys: KeySet, policy: Policy, now: float) -> VerifiedToken: ...
def verify_many(
    tokens: Iterable[str | bytes], keys: KeySet, policy: Policy, now: float, threads: int | None = None
) -> BatchResult: ...
def verify_jws(
    token: str | bytes,
    keys: KeySet,
    algorithms: Iterable[str] | None = None,
    types: Iterable[str | None] | None = None,
    max_token_bytes: int = ...,
    max_header_bytes: int = ...,
) -> VerifiedJws: ...
def thumbprint(jwk: str | bytes | Mapping[str, Any]) -> str: ...
def unverified_issuer(token: str | bytes, max_token_bytes: int = ...) -> str | None: ...
def unverified_key_id(token: str | bytes, max_token_bytes: int = ...) -> str | None: ...
