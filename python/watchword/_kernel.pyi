"""The types of the compiled kernel, whose public names :mod:`watchword` and its modules publish.

The signatures are written here; the docstrings are those of ``rust/python``, copied by ``tests/typing/update_stub.py``.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, SupportsIndex, Unpack, final, overload

from watchword.errors import ErrorCode, VerificationError
from watchword.request import Headers
from watchword.types import Backend, PolicyArguments, Prepare

__all__ = [
    "ANY_AUDIENCE",
    "ANY_TENANT",
    "DEFAULT_LEEWAY",
    "DEFAULT_MAX_ACTORS",
    "DEFAULT_REQUIRED",
    "DEFAULT_SCOPE_CLAIMS",
    "DEFAULT_TYPES",
    "DPOP_ALGORITHMS",
    "DPOP_LEEWAY",
    "DPOP_MAX_AGE",
    "MAX_ACTORS",
    "MAX_HEADER_BYTES",
    "MAX_JSON_DEPTH",
    "MAX_KEYS",
    "MAX_KEY_SET_BYTES",
    "MAX_NUMBER_LENGTH",
    "MAX_NUMERIC_DATE",
    "MAX_PROOF_BYTES",
    "MAX_PROOF_HEADER_BYTES",
    "MAX_RECORD_BYTES",
    "MAX_TOKEN_BYTES",
    "Actor",
    "AnyAudience",
    "AnyTenant",
    "ArrowBatch",
    "ArrowStream",
    "AuditColumns",
    "Auditor",
    "BatchResult",
    "Confirmation",
    "Credentials",
    "Decision",
    "DelegationChain",
    "DpopProof",
    "GateConfig",
    "GateGuard",
    "GateRules",
    "IdentityReader",
    "IssuerTable",
    "KeySet",
    "MayAct",
    "NonceKeys",
    "PlainScopes",
    "Policy",
    "ProofPolicy",
    "PublicKey",
    "PublicOrigin",
    "RecordReader",
    "RejectedKey",
    "ReplayCache",
    "ResourceScopes",
    "ScopeExplanation",
    "SentToken",
    "Server",
    "SlotScopes",
    "TableStats",
    "TokenCache",
    "TokenCacheStats",
    "UnusedProof",
    "UnverifiedNames",
    "UnverifiedProof",
    "UnverifiedToken",
    "VerifiedJws",
    "VerifiedToken",
    "_Evidence",
    "__version__",
    "answer_of",
    "challenge",
    "configure_tables",
    "decode_json_object",
    "decode_unverified",
    "gate_config_schema",
    "metadata_url",
    "normal_path",
    "normalize_uri",
    "parse_rfc3339",
    "parse_spiffe_id",
    "read_credentials",
    "read_secrets",
    "require_authentication",
    "table_stats",
    "thumbprint",
    "thumbprint_uri",
    "unverified_names",
    "verify",
    "verify_jws",
    "verify_many",
    "verify_proof",
    "verify_request",
]

__version__: str
"""The version of the package."""

@final
class AnyAudience:
    """The type of ANY_AUDIENCE: `aud` is deliberately not checked."""

ANY_AUDIENCE: AnyAudience
"""Accept any audience: ``aud`` is not checked."""

@final
class AnyTenant:
    """The type of ANY_TENANT: every tenant of a multi-tenant issuer is deliberately accepted."""

ANY_TENANT: AnyTenant
"""Accept every tenant of an issuer that has several."""

DEFAULT_TYPES: tuple[str | None, ...]
"""The values of ``typ`` that a Policy accepts by default; ``None`` stands for its absence."""
DEFAULT_LEEWAY: float
"""The leeway of a Policy by default, in seconds."""
DPOP_ALGORITHMS: tuple[str, ...]
"""The algorithms of DPoP proofs that are accepted by default."""
DPOP_LEEWAY: float
"""How many seconds a proof may be in the future by default."""
DPOP_MAX_AGE: float
"""The maximum age of a proof by default, in seconds."""
DEFAULT_REQUIRED: tuple[str, ...]
"""The claims that a Policy requires by default."""
DEFAULT_SCOPE_CLAIMS: tuple[str, ...]
"""The claims that hold a token's scopes by default."""
MAX_TOKEN_BYTES: int
"""The longest token that a Policy accepts by default, in bytes."""
MAX_HEADER_BYTES: int
"""The longest encoded header that a Policy accepts by default, in bytes."""
MAX_PROOF_BYTES: int
"""The longest DPoP proof, in bytes."""
MAX_PROOF_HEADER_BYTES: int
"""The longest encoded header of a DPoP proof, in bytes."""
MAX_RECORD_BYTES: int
"""The longest record of a log in text that an audit reads by default, in bytes."""
MAX_KEY_SET_BYTES: int
"""The longest key set document, in bytes."""
MAX_KEYS: int
"""The most keys that a key set may list."""
DEFAULT_MAX_ACTORS: int
"""The longest delegation chain that is read by default, in actors."""
MAX_ACTORS: int
"""The most that ``max_actors`` may be."""
MAX_JSON_DEPTH: int
"""How deep JSON values may nest."""
MAX_NUMBER_LENGTH: int
"""The most characters of a JSON number."""
MAX_NUMERIC_DATE: float
"""The last second of the year 9999: no ``exp``, ``nbf`` or ``iat`` may be later."""

@final
class PublicKey:
    """One key of a set."""

    @property
    def key_id(self) -> str | None:
        """The `kid`, or None."""
    @property
    def key_type(self) -> Literal["EC", "OKP", "RSA"]:
        """The `kty`: "EC", "OKP" or "RSA"."""
    @property
    def curve(self) -> Literal["P-256", "P-384", "Ed25519"] | None:
        """The `crv`: "P-256", "P-384" or "Ed25519"; None for RSA."""
    @property
    def bits(self) -> int:
        """The size of the key in bits: of the modulus, or of the curve."""
    @property
    def algorithms(self) -> tuple[str, ...]:
        """The algorithms that the key may be used with."""
    @property
    def issuer(self) -> str | None:
        """The issuer to whose tokens the member `issuer` of the JWK restricts the key, or None. Policies with tenants apply it."""
    @property
    def thumbprint(self) -> str:
        """The RFC 7638 thumbprint: SHA-256, base64url without padding."""
    def to_jwk(self) -> dict[str, str]:
        """Return the key as a JWK (RFC 7517): a new dict of strings.

        It has the members that identify the key (`kty`, and `crv`, `x` and `y`, or `n` and `e`), `kid` if the key has one, and
        `alg` if it is restricted to one algorithm.
        """

@final
class RejectedKey:
    """A key of the document that is not in the set, and why."""

    @property
    def index(self) -> int:
        """Its index in the document, from 0."""
    @property
    def key_id(self) -> str | None:
        """Its `kid`; None if it is missing or not a string."""
    @property
    def reason(self) -> str:
        """Why the key was rejected, as a stable name."""
    @property
    def detail(self) -> str:
        """Why the key was rejected, as a sentence."""

@final
class KeySet:
    """The public keys of one issuer: immutable, each validated when the set is loaded.

    A bad key is rejected and listed in `rejected`; it does not affect the others.

    A set can be pickled and copied, which validates its keys again: a pickle contains the public keys, their `kid`, `alg` and
    `issuer`, and of a rejected key why it is rejected, but no secret. Precomputed tables are not part of it.
    """

    @staticmethod
    def from_json(
        jwks: str | bytes | Mapping[str, Any], *, backend: Backend = "default", prepare: Prepare = "auto"
    ) -> KeySet:
        """Return the keys of a JWK Set or of a single JWK (RFC 7517): str, bytes or a mapping, at most 1 MiB and 256 keys.

        `backend` is the implementation that verifies signatures: "default", or "reference" for the jsonwebtoken crate.
        `prepare` is "auto" (a key gets a precomputed table after some uses, or by `prepare()`) or "never".

        Raises KeySetError if the document is neither, ValueError for an unknown `backend` or `prepare`.
        """
    @staticmethod
    def from_pem(
        pem: str | bytes,
        *,
        key_id: str | None = None,
        algorithm: str | None = None,
        backend: Backend = "default",
        prepare: Prepare = "auto",
    ) -> KeySet:
        """Return the public keys of a PEM text (RFC 7468): PUBLIC KEY or RSA PUBLIC KEY blocks.

        PEM contains no `kid` and no `alg`: `key_id` and `algorithm` add them. A key without a `kid` is tried for every
        token of its algorithms. `backend` and `prepare` are as in `from_json`. Raises KeySetError if a key is rejected.
        """
    @staticmethod
    def from_der(
        der: bytes,
        *,
        key_id: str | None = None,
        algorithm: str | None = None,
        backend: Backend = "default",
        prepare: Prepare = "auto",
    ) -> KeySet:
        """Return a set of one public key in DER: SubjectPublicKeyInfo (RFC 5280) or RSAPublicKey (RFC 8017).

        The arguments are those of `from_pem`. Raises KeySetError if the key is rejected.
        """
    @staticmethod
    def _from_document(document: bytes, backend: str, prepare: str) -> KeySet:
        """Return the keys of a document whose first bytes say its form: `{` for JSON, `-----BEGIN ` for PEM, an ASN.1 SEQUENCE
        for DER. Raises KeySetError if it is none of these, or malformed.
        """
    @staticmethod
    def _restore(jwks: str, backend: str, prepare: str) -> KeySet:
        """Return the set that was pickled as this text: every key is validated again."""
    @property
    def rejected(self) -> tuple[RejectedKey, ...]:
        """The rejected keys, in the order of the document."""
    @property
    def backend(self) -> Backend:
        """The implementation that verifies with these keys: "default" or "reference"."""
    @property
    def prepare_mode(self) -> Prepare:
        """Whether these keys may get precomputed tables: "auto" (after some uses, or by `prepare()`) or "never"."""
    def get(self, key_id: str, algorithm: str | None = None) -> PublicKey | None:
        """Return the key with this `kid`, or None.

        Several keys may share a `kid` if their algorithms differ: with `algorithm`, the key for that algorithm is returned;
        without, the first in the document.
        """
    def prepare(self) -> int:
        """Build the precomputed tables of all keys now, and keep them until the set is dropped: see watchword.tables.

        Returns how many keys are as fast as they can be. The others, for which the budget has no room, verify without a
        table. Without this call, tables are built after a number of uses.
        """
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[PublicKey]: ...
    def __contains__(self, key_id: object, /) -> bool: ...

@final
class Policy:
    """The requirements that a token must fulfil, compiled once.

    issuer: `iss` must be exactly this, or one of these; None: not checked. A placeholder, as in
    "https://login.example/{tid}/v2.0", stands for the value of the claim of that name in the same token; `tenants` are
    then the values that are accepted, or ANY_TENANT for all of them.
    audience: `aud` must name this, or one of these; None: the token must not name any; ANY_AUDIENCE: not checked.
    audience_claim: the claim that names the audience, for issuers that use another than `aud`; a token that also has an
    `aud` must name one of `audience` in both.
    algorithms: the accepted values of `alg`; None: the algorithms of the keys.
    types: the accepted values of `typ`, as media types, None for its absence.
    leeway: seconds by which clocks may differ, both ways, for `exp`, `nbf` and `iat`.
    required: claims that must be present and not null.
    bound_tokens: "reject" rejects a token that is bound to a key (`cnf`) and sent without a proof; "accept" accepts it as
    a bearer token.
    scope_claims: claims whose words are the token's scopes, each a string with spaces or an array of strings.
    trust_domain: the name of a SPIFFE trust domain, instead of an issuer: the token is a JWT-SVID, whose `sub` must be
    the SPIFFE ID of a workload in that domain, and whose `aud` and `exp` must be present.
    max_token_bytes, max_header_bytes: the longest encoded forms that are accepted.

    The arguments can be read back as attributes. Policies are equal if their arguments are, and can be hashed, pickled and
    copied.

    Raises ValueError or TypeError if an argument is invalid, or if two contradict each other.
    """

    def __new__(
        cls,
        *,
        issuer: str | Iterable[str] | None = None,
        audience: str | Iterable[str] | AnyAudience | None = None,
        algorithms: Iterable[str] | None = None,
        types: Iterable[str | None] = ("JWT", "at+jwt", None),
        leeway: float = 5,
        required: Iterable[str] = ...,  # ("exp",): inspect cannot read a tuple of one from a signature's text
        bound_tokens: Literal["reject", "accept"] = "reject",
        scope_claims: Iterable[str] = ("scope", "scp"),
        tenants: Iterable[str] | AnyTenant | None = None,
        trust_domain: str | None = None,
        audience_claim: str = "aud",
        max_token_bytes: int = 16384,
        max_header_bytes: int = 4096,
    ) -> Policy: ...
    @property
    def issuer(self) -> tuple[str, ...] | None:
        """The accepted values of `iss`, a tuple; None: it is not checked."""
    @property
    def audience(self) -> tuple[str, ...] | AnyAudience | None:
        """The accepted audiences, a tuple; None: a token must not name any; ANY_AUDIENCE: not checked."""
    @property
    def algorithms(self) -> tuple[str, ...] | None:
        """The accepted algorithms, a tuple; None: those of the keys."""
    @property
    def types(self) -> tuple[str | None, ...]:
        """The accepted values of `typ`, a tuple, with None for its absence."""
    @property
    def leeway(self) -> float:
        """The seconds by which clocks may differ, a float."""
    @property
    def required(self) -> tuple[str, ...]:
        """The claims that must be present, a tuple."""
    @property
    def bound_tokens(self) -> Literal["reject", "accept"]:
        """How a token is treated that is bound to a key and sent without a proof: "reject" or "accept"."""
    @property
    def scope_claims(self) -> tuple[str, ...]:
        """The claims with the token's scopes, a tuple."""
    @property
    def tenants(self) -> tuple[str, ...] | AnyTenant | None:
        """The accepted tenants, a tuple; ANY_TENANT: all; None: the issuer has none."""
    @property
    def trust_domain(self) -> str | None:
        """The SPIFFE trust domain, or None."""
    @property
    def audience_claim(self) -> str:
        """The claim that names the audience."""
    @property
    def max_token_bytes(self) -> int:
        """The length of the longest token that is accepted, in bytes."""
    @property
    def max_header_bytes(self) -> int:
        """The length of the longest header that is accepted, encoded, in bytes."""
    def replace(self, **changes: Unpack[PolicyArguments]) -> Policy:
        """Return a new policy with some arguments changed: those of the constructor, by name.

        Raises ValueError or TypeError like the constructor.
        """
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Confirmation:
    """What a token is bound to, a key or a client certificate: its `cnf` claim (RFC 7800)."""

    @property
    def jkt(self) -> str | None:
        """The RFC 7638 thumbprint of the key (RFC 9449 section 6.1), or None."""
    @property
    def jwk(self) -> dict[str, Any] | None:
        """The key itself as a JWK (RFC 7800 section 3.2), or None."""
    @property
    def certificate(self) -> str | None:
        """The thumbprint of the client certificate, its SHA-256 in base64url (RFC 8705 section 3.1), or None."""

@final
class Actor:
    """A party that acts on behalf of another. Actors compare by value and are hashable."""

    @property
    def subject(self) -> str | None:
        """The actor's name; ``None`` if it is unknown, because its ``act`` has no ``sub`` but another member."""
    @property
    def issuer(self) -> str | None:
        """The issuer of that name: the ``iss`` or ``provider`` beside it, else the token's ``iss``; ``None`` if there is neither."""
    @property
    def scopes(self) -> tuple[str, ...] | None:
        """The actor's scopes, a tuple; ``None`` if the chain records no scopes."""
    @property
    def delegated_at(self) -> str | None:
        """When authority was delegated to the actor, a str as in the token; ``None`` if the chain does not record it."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class DelegationChain:
    """A delegation chain: a subject, and the actors that act on its behalf, the current actor first.

    ``token.delegation`` is the chain of a verified token. The constructors read a chain from claims, which they do not
    verify: pass them the claims of a verified token. Chains compare by value and are hashable.
    """

    @staticmethod
    def from_act(claims: str | bytes | Mapping[str, Any], *, max_actors: int = 32) -> DelegationChain:
        """Return the chain of nested acts: the claim ``act`` (RFC 8693 section 4.1), the standard form.

        A chain without actors if the claim is absent. ``claims`` are all claims of a token, a mapping or JSON.
        ``max_actors`` is the maximum number of actors, from 1 to 96.

        Raises ``DelegationError`` if the claim is malformed or the chain longer, ``ValueError`` if ``max_actors`` is out of
        range.
        """
    @staticmethod
    def from_records(
        claims: str | bytes | Mapping[str, Any],
        *,
        keys: KeySet | None = None,
        max_actors: int = 32,
        scope_claims: Iterable[str] = ("scope", "scp"),
    ) -> DelegationChain:
        """Return the recorded chain: the private claims ``delegation_chain`` and ``chain_hash``.

        A chain without actors if there are no records. ``claims`` are all claims of a token, a mapping or JSON. If
        ``chain_hash`` is present, it must be the hash of the records. With ``keys`` it must be present, and each record must
        have a valid Ed25519 signature by one of the keys. ``max_actors`` is the maximum number of actors, from 1 to 96.
        ``scope_claims`` names the claims with the token's scopes, which are the current actor's.

        Raises ``DelegationError`` if the claims are malformed, the chain is longer, or it is not what was hashed and
        signed; ``ValueError`` if ``max_actors`` or ``scope_claims`` is invalid.
        """
    @staticmethod
    def from_actor_chain(claims: str | bytes | Mapping[str, Any]) -> DelegationChain:
        """Return the actor chain: the private claim ``actor_chain``, of a principal and an agent.

        A chain without actors if the claim is absent. ``claims`` are all claims of a token, a mapping or JSON.

        Raises ``DelegationError`` if the claim is malformed.
        """
    @property
    def subject(self) -> str | None:
        """The party on whose behalf the actors act; ``None`` if the token does not name it."""
    @property
    def issuer(self) -> str | None:
        """The token's ``iss``, the issuer of the subject's name; ``None`` if the token has none."""
    @property
    def scopes(self) -> tuple[str, ...] | None:
        """The scopes of the subject, a tuple; ``None`` if the chain records no scopes."""
    @property
    def actors(self) -> tuple[Actor, ...]:
        """The actors, a tuple: the current actor, who presents the token, first; the least recent actor last."""
    @property
    def depth(self) -> int:
        """The number of actors: how many times authority was delegated. 0 for a token without delegation."""
    @property
    def human_root(self) -> bool:
        """Whether the subject is a human being: its name begins with ``user:``, or the claim ``human_root`` is true.

        For other names, use ``check(require_human_root=True)`` with ``human_prefixes`` or ``human``.
        """
    @property
    def repeated(self) -> tuple[str, ...]:
        """The names that occur in the chain more than once, a tuple in the order of the actors: a cycle of delegation."""
    def check(
        self,
        *,
        max_depth: int | None = None,
        require_human_root: bool = False,
        allowed_actors: Iterable[str | tuple[str, str] | Actor] | None = None,
        allow_cycles: bool = True,
        human: Callable[[DelegationChain], bool] | None = None,
        allow_unknown_actors: bool = False,
        human_prefixes: Iterable[str] | None = None,
        scope_grammar: Literal["slot", "resource", "plain"] = "slot",
    ) -> None:
        """Check the chain; return ``None`` if it meets all requirements, which are checked in this order.

        ``max_depth``: the maximum number of actors.

        ``allow_cycles``: whether a name may occur in the chain more than once.

        ``require_human_root``: whether the subject must be a human being, with or without actors. It is one if its name
        begins with one of ``human_prefixes`` (``None``: ``("user:",)``) or if the claim ``human_root`` is true. A function
        ``human``, from the chain to a bool, takes the place of this rule.

        ``allow_unknown_actors``: whether the chain may have actors without a subject, if there are no ``allowed_actors``.

        ``allowed_actors``: each actor must be one of these: names of the token's issuer (str), names of another issuer
        (pairs of issuer and name), or ``Actor`` objects. An empty list allows no actor.

        ``scope_grammar``: the grammar of recorded scopes, ``"slot"``, ``"resource"`` or ``"plain"``. No actor may have a scope
        that the party before it did not have, if the chain records scopes; this is always checked.

        Raises the ``DelegationError`` of the first requirement that is not met, and ``TypeError`` or ``ValueError`` if an
        argument is invalid.
        """
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class MayAct:
    """The parties that may act on behalf of a token's subject: its ``may_act`` claim (RFC 8693 section 4.4)."""

    @property
    def subjects(self) -> tuple[str, ...]:
        """The names of the parties, a tuple. Empty if the claim has no ``sub``, so that nobody may act."""
    @property
    def issuer(self) -> str | None:
        """The issuer of these names: the claim's own ``iss``, else the token's; ``None`` if there is neither."""
    def permits(self, actor: str | tuple[str, str] | Actor) -> bool:
        """Return whether this party may act on behalf of the subject.

        ``actor`` is a name of the token's issuer (str), a name of another issuer (a pair of issuer and name), or an
        ``Actor``.

        Raises ``TypeError`` if it is anything else.
        """

@final
class VerifiedToken:
    """A JWT that passed every check. Only verification makes one."""

    @property
    def header(self) -> dict[str, Any]:
        """The JOSE header: a dict, built on first access."""
    @property
    def claims(self) -> dict[str, Any]:
        """All claims: a dict, built on first access."""
    @property
    def payload(self) -> bytes:
        """The payload as it was signed: the bytes of the claims set."""
    @property
    def issuer(self) -> str | None:
        """`iss`, or None."""
    @property
    def subject(self) -> str | None:
        """`sub`, or None."""
    @property
    def audience(self) -> tuple[str, ...]:
        """`aud` as a tuple, empty if the token names no audience."""
    @property
    def expires_at(self) -> float | None:
        """`exp` in Unix seconds, or None: an int if the token has an integer, else a float."""
    @property
    def not_before(self) -> float | None:
        """`nbf` in Unix seconds, or None."""
    @property
    def issued_at(self) -> float | None:
        """`iat` in Unix seconds, or None."""
    @property
    def token_id(self) -> str | None:
        """`jti`, or None."""
    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes: the words of the claims that the policy's `scope_claims` names, in its order."""
    @property
    def resource_scopes(self) -> ResourceScopes:
        """The scopes as ResourceScopes.from_claim reads them, compiled on first access."""
    @property
    def slot_scopes(self) -> SlotScopes:
        """The scopes as SlotScopes.from_claim reads them, compiled on first access."""
    @property
    def plain_scopes(self) -> PlainScopes:
        """The scopes as PlainScopes.from_claim reads them, compiled on first access."""
    @property
    def key_id(self) -> str | None:
        """The `kid` of the key that verified the signature; None if that key has none."""
    @property
    def algorithm(self) -> str:
        """The algorithm of the signature."""
    @property
    def confirmation(self) -> Confirmation | None:
        """What the token is bound to (`cnf`), or None."""
    @property
    def delegation(self) -> DelegationChain:
        """On whose behalf the token's holder acts: a DelegationChain, without actors if the token records none.

        Raises DelegationError if `delegation_chain` or `actor_chain`, which are not registered claims, is malformed, or if the
        token has more than one form of record: read the right one with a constructor of DelegationChain.
        """
    @property
    def may_act(self) -> MayAct | None:
        """Who may act on behalf of the token's subject (`may_act`), or None if the token has no such claim."""

@final
class VerifiedJws:
    """A JWS whose signature is valid. Only verification makes one."""

    @property
    def header(self) -> dict[str, Any]:
        """The JOSE header: a dict, built on first access."""
    @property
    def payload(self) -> bytes:
        """The payload: bytes."""
    @property
    def key_id(self) -> str | None:
        """The `kid` of the key that verified the signature; None if that key has none."""
    @property
    def algorithm(self) -> str:
        """The algorithm of the signature."""

@final
class UnverifiedToken:
    """A well-formed token, decoded. Nothing of it is verified: anybody can have written it."""

    @property
    def header(self) -> dict[str, Any]:
        """The JOSE header: a dict, built on first access."""
    @property
    def claims(self) -> dict[str, Any] | None:
        """The payload as a dict, built on first access; None if it is not a strict JSON object."""
    @property
    def payload(self) -> bytes:
        """The payload: bytes."""
    @property
    def signature(self) -> bytes:
        """The signature: bytes."""

@final
class IssuerTable:
    """The configured issuers, by all names that their tokens may have. It selects an issuer and verifies nothing.

    issuers: for each its name, the values of `iss` that it uses, the tenants as for Policy, and the SPIFFE trust domain
    (None: its tokens have an `iss`). An exact spelling, a listed tenant's too, comes before a template that accepts any
    tenant, and `iss` before `sub`. max_token_bytes, max_header_bytes: the longest encoded forms that are read.

    Raises ValueError if two issuers claim the same tokens.
    """

    def __new__(
        cls,
        issuers: Sequence[tuple[str, Sequence[str], Iterable[str] | AnyTenant | None, str | None]],
        max_token_bytes: int = 16384,
        max_header_bytes: int = 4096,
    ) -> IssuerTable: ...
    def find(self, token: str | bytes) -> int | None:
        """Return the index of the issuer that an unverified token names; None if it names none of them."""
    def find_by_names(self, issuer: str | None, subject: str | None) -> int | None:
        """Return the index of the issuer of a token with this `iss` and this `sub`; None if neither names one of them."""
    def template_of(self, issuer: str) -> str | None:
        """Return the first template that `issuer` matches with any tenant, listed or not; None if there is none."""

@final
class UnverifiedNames:
    """The names that a token states. Nothing of it is verified."""

    @property
    def issuer(self) -> str | None:
        """`iss`, or None."""
    @property
    def subject(self) -> str | None:
        """`sub`, or None."""
    @property
    def key_id(self) -> str | None:
        """The header's `kid`, or None."""

@final
class _Evidence:
    """The token that an exception is about, and what was signed if its signature was valid. Its repr shows neither, and it
    cannot be pickled.
    """

    def __new__(cls, token: str | bytes, verified: VerifiedToken | None = None) -> _Evidence: ...
    @property
    def token_hash(self) -> str:
        """The SHA-256 of the token as it was passed, in base64url without padding."""
    @property
    def token_header(self) -> dict[str, Any] | None:
        """The JOSE header as a new dict; None unless the signature was valid."""
    @property
    def token_claims(self) -> dict[str, Any] | None:
        """The claims as a new dict; None unless the signature was valid and the payload is a JSON object."""

@final
class BatchResult:
    """The verdicts of verify_many, in the order of the tokens: each a VerifiedToken or a VerificationError.

    A sequence; its elements become Python objects on first access.
    """

    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, index: SupportsIndex, /) -> VerifiedToken | VerificationError: ...
    @overload
    def __getitem__(self, index: slice, /) -> list[VerifiedToken | VerificationError]: ...
    def __iter__(self) -> Iterator[VerifiedToken | VerificationError]: ...
    @property
    def valid_count(self) -> int:
        """The number of valid tokens."""
    def codes(self) -> list[ErrorCode | None]:
        """Return the ErrorCode of each token in a list, None for a valid one."""

@final
class Auditor:
    """Verifies columns of tokens as of the times at which they were used.

    keys: the keys of each issuer over time, by its name, or those of any issuer under the name None. Each history is a list
    of (start in Unix seconds, layers), each layer a state and a KeySet; no layers mean that there is no record. The first
    start is -inf. policies: a list of (start, Policy, scopes), in the same manner. proof_policy: the requirements for DPoP
    proofs. cache_bytes: what may be kept of tokens that may occur again, in bytes; 0: nothing.

    Raises ValueError if starts do not ascend from -inf, or a state is unknown.
    """

    def __new__(
        cls,
        keys: list[tuple[str | None, list[tuple[float, list[tuple[str, KeySet]]]]]],
        policies: list[tuple[float, Policy, list[str]]],
        proof_policy: ProofPolicy,
        cache_bytes: int,
    ) -> Auditor: ...
    @property
    def examined(self) -> int:
        """How many tokens were examined: fewer than there were rows if tokens occurred again."""
    def batch(self, data: object, columns: AuditColumns) -> ArrowBatch:
        """Audit a record batch (an object with __arrow_c_array__) in this thread, and return an ArrowBatch of as many rows.

        Raises ValueError if a column is missing or has an unsuitable type.
        """
    def stream(self, data: object, columns: AuditColumns, threads: int | None = None) -> ArrowStream:
        """Audit a stream of record batches (an object with __arrow_c_stream__) on up to `threads` threads (None: one for each
        processor), and return an ArrowStream, which audits as it is read.

        Raises ValueError if a column is missing or has an unsuitable type.
        """

@final
class AuditColumns:
    """The names of columns, and the time of all rows if there is no column of times."""

    def __new__(
        cls, token: str, time: str | float, request: tuple[str, str, str] | None = None, keep: list[str] = ...
    ) -> AuditColumns: ...

@final
class ArrowBatch:
    """A record batch. It has the Arrow PyCapsule interface, by which pyarrow, polars and DuckDB read it."""

    @property
    def num_rows(self) -> int:
        """The number of rows."""
    def __arrow_c_schema__(self) -> object:
        """Return the schema, as the Arrow PyCapsule interface requires."""
    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]:
        """Return schema and data, as the Arrow PyCapsule interface requires. The schema that is asked for is ignored."""

@final
class ArrowStream:
    """A stream of record batches, which can be read once. It has the Arrow PyCapsule interface, by which pyarrow, polars and
    DuckDB read it.
    """

    def __arrow_c_schema__(self) -> object:
        """Return the schema, as the Arrow PyCapsule interface requires."""
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return the stream, as the Arrow PyCapsule interface requires. The schema that is asked for is ignored.

        Raises ValueError if it was consumed already.
        """

@final
class RecordReader:
    """Reads records from bytes that are fed to it, in one of the formats "ndjson", "csv" and "lines".

    token, time, method, uri, proof: the names of the fields; of those without a name there is no column. max_record_bytes:
    a longer record is an unreadable row.

    Raises ValueError if the format is unknown.
    """

    def __new__(
        cls,
        format: str,  # noqa: A002 - the name of the argument
        *,
        token: str,
        time: str | None = None,
        method: str | None = None,
        uri: str | None = None,
        proof: str | None = None,
        max_record_bytes: int,
    ) -> RecordReader: ...
    def feed(self, data: bytes) -> None:
        """Add bytes of the input. Raises ValueError if the input was ended."""
    def finish(self) -> None:
        """End the input."""
    def break_off(self) -> None:
        """End an input that is known to be incomplete: if its last line has no line end, it is unreadable."""
    def take(self, max_rows: int) -> tuple[ArrowBatch, list[tuple[int, str]], int, int] | None:
        """Return the next `max_rows` rows, or what there is before the end: a batch with the columns token, time (Unix seconds,
        NaN if there is none), row (the line on which the record begins, from 1), and method, uri, proof if they have names;
        the unreadable rows, each a line and a reason; and the offset and the line after the last record. None if there
        must be more bytes, and after the end.

        Raises ValueError if the header of a CSV file is unreadable or lacks a column.
        """

@final
class ResourceScopes:
    """An immutable, hashable set of scopes of the form ``resource(.sub)*:action``, split at the last colon.

    ``users:*`` grants every action on that resource alone, ``users:**`` on that resource and everything below it.
    ``*:read`` grants that action, and ``*:*`` every action, on resources without a dot; ``*:**`` grants everything. Any
    other ``*`` is an ordinary character. A scope without a colon (``owner``) is a word: it grants no action, and no
    wildcard grants it.

    ``scopes`` is an iterable of str, or one str with scopes separated by spaces. Iterating a set, ``len()`` and ``str()``
    give the shortest list of scopes with the same meaning, sorted; ``scope in set`` tells whether the set covers a scope.

    Raises ``ScopeSyntaxError`` for the first text that is not a scope, ``TypeError`` if an element is not a str.
    """

    def __new__(cls, scopes: str | Iterable[str]) -> ResourceScopes: ...
    @staticmethod
    def from_claim(claim: str | Iterable[str] | None) -> ResourceScopes:
        """Return the set of the scopes in a claim: a str, an iterable of str, or ``None`` for an absent claim.

        A text that is not a scope grants nothing and is listed in ``ignored``; no error is raised. Use this for
        granted scopes, and the constructor for required ones.

        Raises ``TypeError`` if an element is not a str.
        """
    @property
    def ignored(self) -> tuple[str, ...]:
        """The texts that ``from_claim`` ignored because they are not scopes, a sorted tuple."""
    def allows(self, *, action: str, resource: str) -> bool:
        """Return whether a scope allows this action on this resource. Neither is a pattern: ``*`` is an ordinary name.

        Raises ``TypeError`` if one of them is not a str.
        """
    def require(self, *, action: str, resource: str) -> None:
        """Return ``None`` if a scope allows this action on this resource.

        Raises ``InsufficientScopeError`` if none does; the error's ``scope`` is ``resource:action``. Raises ``TypeError`` if
        one of them is not a str.
        """
    def explain(self, *, action: str, resource: str) -> ScopeExplanation:
        """Return the scope that grants this action on this resource, or the nearest one that does not.

        It searches all scopes, so use ``allows`` for decisions. Raises ``TypeError`` if one of them is not a str.
        """
    def covers(self, other: ResourceScopes) -> bool:
        """Return whether this set allows every request that the other set allows.

        No set covers one that has ``ignored`` texts, because it is unknown what they require.
        """
    def missing(self, other: ResourceScopes) -> tuple[str, ...]:
        """Return the scopes of the other set that this one does not cover: an empty tuple if it covers all."""
    def require_all(self, other: ResourceScopes) -> None:
        """Return ``None`` if this set covers the other one.

        Raises ``InsufficientScopeError`` if it does not; the error's ``scope`` has the missing scopes.
        """
    def narrow(self, other: ResourceScopes) -> ResourceScopes:
        """Return the intersection: the set of the requests that both sets allow.

        Raises ``ValueError`` if the scopes that are in neither set would be longer than 64 KiB.
        """
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[str]: ...
    def __contains__(self, scope: object, /) -> bool: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class SlotScopes:
    """An immutable, hashable set of scopes of the form ``action:resource:identifier``: three parts, none empty.

    The identifier may contain further colons. ``*`` as the whole identifier is any identifier; elsewhere in the
    identifier it is an ordinary character; in the action or the resource it is an error.

    ``scopes`` is an iterable of str, or one str with scopes separated by spaces. Iterating a set, ``len()`` and ``str()``
    give the shortest list of scopes with the same meaning, sorted; ``scope in set`` tells whether the set covers a scope.

    Raises ``ScopeSyntaxError`` for the first text that is not a scope, ``TypeError`` if an element is not a str.
    """

    def __new__(cls, scopes: str | Iterable[str]) -> SlotScopes: ...
    @staticmethod
    def from_claim(claim: str | Iterable[str] | None) -> SlotScopes:
        """Return the set of the scopes in a claim: a str, an iterable of str, or ``None`` for an absent claim.

        A text that is not a scope grants nothing and is listed in ``ignored``; no error is raised. Use this for
        granted scopes, and the constructor for required ones.

        Raises ``TypeError`` if an element is not a str.
        """
    @property
    def ignored(self) -> tuple[str, ...]:
        """The texts that ``from_claim`` ignored because they are not scopes, a sorted tuple."""
    def allows(self, *, action: str, resource: str, identifier: str) -> bool:
        """Return whether a scope allows this action on the resource with this identifier. None of them is a pattern.

        Raises ``TypeError`` if one of them is not a str.
        """
    def require(self, *, action: str, resource: str, identifier: str) -> None:
        """Return ``None`` if a scope allows this action on the resource with this identifier.

        Raises ``InsufficientScopeError`` if none does; the error's ``scope`` is ``action:resource:identifier``. Raises
        ``TypeError`` if one of them is not a str.
        """
    def covers(self, other: SlotScopes) -> bool:
        """Return whether this set allows every request that the other set allows.

        No set covers one that has ``ignored`` texts, because it is unknown what they require.
        """
    def missing(self, other: SlotScopes) -> tuple[str, ...]:
        """Return the scopes of the other set that this one does not cover: an empty tuple if it covers all."""
    def require_all(self, other: SlotScopes) -> None:
        """Return ``None`` if this set covers the other one.

        Raises ``InsufficientScopeError`` if it does not; the error's ``scope`` has the missing scopes.
        """
    def narrow(self, other: SlotScopes) -> SlotScopes:
        """Return the intersection: the set of the requests that both sets allow.

        Raises ``ValueError`` if the scopes that are in neither set would be longer than 64 KiB.
        """
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[str]: ...
    def __contains__(self, scope: object, /) -> bool: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class PlainScopes:
    """An immutable, hashable set of OAuth 2 scope tokens (RFC 6749 section 3.3), compared exactly and case-sensitively.

    ``scopes`` is an iterable of str, or one str with scopes separated by spaces. Iterating a set, ``len()`` and ``str()``
    give the scopes, sorted; ``scope in set`` tells whether the set contains a scope.

    Raises ``ScopeSyntaxError`` for the first text that is not a scope token (printable ASCII without spaces, quotes and
    backslashes), ``TypeError`` if an element is not a str.
    """

    def __new__(cls, scopes: str | Iterable[str]) -> PlainScopes: ...
    @staticmethod
    def from_claim(claim: str | Iterable[str] | None) -> PlainScopes:
        """Return the set of the scopes in a claim: a str, an iterable of str, or ``None`` for an absent claim.

        A text that is not a scope grants nothing and is listed in ``ignored``; no error is raised. Use this for
        granted scopes, and the constructor for required ones.

        Raises ``TypeError`` if an element is not a str.
        """
    @property
    def ignored(self) -> tuple[str, ...]:
        """The texts that ``from_claim`` ignored because they are not scopes, a sorted tuple."""
    def allows(self, scope: str) -> bool:
        """Return whether the set contains this scope. Check several at once with ``covers``.

        Raises ``TypeError`` if it is not a str.
        """
    def require(self, scope: str) -> None:
        """Return ``None`` if the set contains this scope.

        Raises ``InsufficientScopeError`` with that ``scope`` if it does not, ``TypeError`` if it is not a str.
        """
    def covers(self, other: PlainScopes) -> bool:
        """Return whether this set allows every request that the other set allows.

        No set covers one that has ``ignored`` texts, because it is unknown what they require.
        """
    def missing(self, other: PlainScopes) -> tuple[str, ...]:
        """Return the scopes of the other set that this one does not cover: an empty tuple if it covers all."""
    def require_all(self, other: PlainScopes) -> None:
        """Return ``None`` if this set covers the other one.

        Raises ``InsufficientScopeError`` if it does not; the error's ``scope`` has the missing scopes.
        """
    def narrow(self, other: PlainScopes) -> PlainScopes:
        """Return the intersection: the set of the requests that both sets allow.

        Raises ``ValueError`` if the scopes that are in neither set would be longer than 64 KiB.
        """
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[str]: ...
    def __contains__(self, scope: object, /) -> bool: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class ScopeExplanation:
    """The scope that grants a request, or the nearest one that does not. It is true if the request is allowed.

    Its ``str()`` is one sentence for a log, escaped and bounded in length.
    """

    @property
    def allowed(self) -> bool:
        """Whether the request is allowed: the truth value of this object."""
    @property
    def scope(self) -> str | None:
        """The scope that grants the request, the narrowest if several do, or else the nearest one that does not.

        ``None`` if no scope is related to the request.
        """
    def __bool__(self) -> bool: ...

@final
class ProofPolicy:
    """The requirements for all DPoP proofs, compiled once.

    ``algorithms`` are the accepted signature algorithms, ``max_age`` is the maximum age in seconds, ``leeway`` the number of
    seconds by which a proof may be ahead of this clock.

    Raises ``ValueError`` or ``TypeError`` if an argument is invalid.
    """

    def __new__(cls, algorithms: Iterable[str], max_age: float, leeway: float) -> ProofPolicy: ...

@final
class DpopProof:
    """A verified DPoP proof (RFC 9449). Only verification makes one."""

    @property
    def jkt(self) -> str:
        """The RFC 7638 thumbprint of the key that signed the proof; a bound token has it in ``cnf.jkt``."""
    @property
    def jwk(self) -> dict[str, Any]:
        """The public key that signed the proof: the header's JWK, a dict that is built on first access."""
    @property
    def algorithm(self) -> str:
        """The signature algorithm, such as ``"ES256"``."""
    @property
    def token_id(self) -> str:
        """The claim ``jti``: a unique id of the proof among those of its key."""
    @property
    def method(self) -> str:
        """The claim ``htm``: the method of the request."""
    @property
    def uri(self) -> str:
        """The claim ``htu``, unchanged: the URI of the request."""
    @property
    def issued_at(self) -> float:
        """The claim ``iat``: when the proof was created, in Unix seconds."""
    @property
    def nonce(self) -> str | None:
        """The claim ``nonce``; ``None`` if it is absent."""
    @property
    def access_token_hash(self) -> str | None:
        """The claim ``ath``: the hash of the access token; ``None`` if it is absent."""
    @property
    def replay_id(self) -> bytes:
        """The id of the proof in a replay store: 32 bytes, of which the first 16 identify the key, the others the ``jti``."""
    @property
    def expires_at(self) -> float:
        """Until when a replay store must keep the id, in Unix seconds."""

@final
class UnverifiedProof:
    """The DPoP proof of a request, not verified yet, with what it must match.

    ``proof`` is the value of the ``DPoP`` header (str or bytes), ``method`` the request's method, ``uri`` its absolute URI,
    ``nonces`` the server's current nonces (``None``: no nonce is required). ``verify_request`` verifies it if the token is
    valid and bound to a key, and does not read it otherwise.

    Raises ``ValueError`` or ``TypeError`` if an argument is invalid.
    """

    def __new__(
        cls, proof: str | bytes, policy: ProofPolicy, method: str, uri: str, nonces: Iterable[str] | None = None
    ) -> UnverifiedProof: ...

@final
class NonceKeys:
    """The keys of nonces (RFC 9449 sections 8 and 9), and the nonces by them.

    keys: secrets of 32 bytes or more, of which the first issues nonces and each verifies its own. lifetime: seconds. Raises
    ValueError if one of them is invalid.
    """

    def __new__(cls, keys: Sequence[bytes], lifetime: float) -> NonceKeys: ...
    def valid(self, now: float) -> tuple[str, ...]:
        """Return all nonces that are valid as of `now` (Unix seconds), the newest first."""

@final
class Server:
    """What a proxy asks before it lets a request pass: `auth_request`, `forward_auth`, `ext_authz` over HTTP/1.1.

    It has threads of its own, which need no interpreter but for status pages. It belongs to the process that made it: in a
    forked child every method raises RuntimeError. `replay` is "memory", "none", or the URL of a Redis or Valkey server.
    `pages(path)` returns status, content type and content of a status page; it is called in other threads, and if it
    raises, the answer is 503. Binds the sockets. Raises ValueError or TypeError if an argument is invalid, OSError if an
    address cannot be bound.
    """

    def __new__(
        cls,
        *,
        settings: Mapping[str, Any],
        rules: GateRules,
        keys: Sequence[KeySet | None],
        cache: TokenCache | None,
        replay: str,
        replay_capacity: int | None,
        nonces: NonceKeys | None,
        pages: Callable[[str], tuple[int, str, bytes]],
        metadata: tuple[str, bytes] | None = None,
    ) -> Server: ...
    @staticmethod
    def check_replay(replay: str) -> None:
        """Raise ValueError if `replay` is neither "memory" nor "none" nor a URL that the server can use. Nothing is connected."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where proxies ask, as in `listen`, with the ports that were chosen."""

    @property
    def status_addresses(self) -> tuple[str, ...]:
        """Where the status pages are."""

    def start(self) -> None:
        """Start the threads, and return. Raises OSError if that fails, or if the server was stopped."""

    def replace(
        self,
        *,
        rules: GateRules,
        keys: Sequence[KeySet | None],
        cache: TokenCache | None,
        nonces: NonceKeys | None,
        metadata: tuple[str, bytes] | None = None,
    ) -> None:
        """Replace what requests are checked by; `keys` are those of the issuers of `rules`. Used proofs stay used."""

    def set_keys(self, issuer: str, keys: KeySet | None) -> bool:
        """Replace the keys of an issuer (None: they are unavailable). Return whether there is an issuer of this name."""

    def next_lookup(self, timeout: float) -> tuple[int, str, KeySet | None, list[str | None]] | None:
        """Return the next lookup of keys that requests wait for: its number, the issuer, the keys that they saw (None: they
        are unavailable), and the `kid`s of their tokens, unverified. Wait for one, `timeout` seconds at most; return None
        after that, or once the server was stopped.
        """

    def finish_lookup(self, number: int) -> None:
        """End a lookup: the requests that wait for it are decided with the keys that there are now."""

    def drain_records(self, timeout: float) -> list[tuple[Decision, float, float]]:
        """Return the decisions to be logged: a list of Decision, how long it took in seconds, and when it was made in Unix
        seconds. Wait for one, `timeout` seconds at most.
        """

    def stats(self) -> dict[str, Any]:
        """Return the counters since the start."""

    def stop(self, grace: float) -> None:
        """Accept no more connections, close those without a request, and wait until the others have their answer, `grace`
        seconds at most. Does nothing if the server was stopped.
        """

@final
class ReplayCache:
    """A bounded, exact set of the ids that were used: each id is accepted once until it expires. Thread-safe.

    ``capacity`` is the maximum number of ids, ``share`` that of one holder: for DPoP proofs, of one key.

    Raises ``ValueError`` or ``TypeError`` if one is not a positive int.
    """

    def __new__(cls, capacity: int, share: int) -> ReplayCache: ...
    def retain_for(self, lifetime: float) -> None:
        """Announce a caller that accepts ids for ``lifetime`` seconds after their creation; return ``None``.

        If several lifetimes are announced, every id is kept for the longest.

        Raises ``TypeError`` if it is not a number.
        """
    def consume(
        self, replay_id: bytes, expires_at: float, now: float
    ) -> Literal["first", "again", "expired", "share_full", "full"]:
        """Use an id (32 bytes) as of ``now`` and return the result. It is kept until ``expires_at``; both are Unix seconds.

        ``"first"``: the id was not used before, and is recorded. ``"again"``: it was used before. ``"expired"``: it has
        expired, so it may have been used and removed. ``"share_full"``, ``"full"``: it was not used before, but is not
        recorded, because its holder's share or the cache is full.

        Raises ``ValueError`` or ``TypeError`` if an argument is invalid.
        """
    @property
    def capacity(self) -> int:
        """The maximum number of ids."""
    @property
    def share(self) -> int:
        """The maximum number of ids of one holder."""
    def __len__(self) -> int: ...

@final
class TokenCache:
    """A cache of verified tokens, bounded by bytes: a client sends the same token with each of its requests.

    A token is found by all of its bytes, and only for the policy and the key set that it was verified with; its times
    and what it is sent with, a proof or a certificate, are checked each time. Only valid tokens are kept.
    """

    def __new__(cls, *, max_bytes: int) -> TokenCache: ...
    def verify(
        self,
        token: str | bytes,
        keys: KeySet,
        policy: Policy,
        now: float,
        proof: DpopProof | None = None,
        certificate: bytes | None = None,
    ) -> VerifiedToken:
        """Verify a JWT at the time `now` (Unix seconds) as `verify` does, or find it in the cache.

        Returns a VerifiedToken; raises VerificationError.
        """
    def verify_request(
        self,
        token: str | bytes,
        keys: KeySet,
        policy: Policy,
        now: float,
        proof: UnverifiedProof,
        certificate: bytes | None = None,
    ) -> tuple[VerifiedToken, DpopProof]:
        """Verify a JWT and the UnverifiedProof that was sent with it as `verify_request` does, or find the token in the cache.

        A token is kept even if its proof is rejected: a bad proof does not cost another verification of the token.
        Returns a VerifiedToken and a DpopProof; raises VerificationError.
        """
    def clear(self) -> None:
        """Remove every token."""
    def stats(self) -> TokenCacheStats:
        """Return the counters at this moment."""

@final
class TokenCacheStats:
    """The counters of a TokenCache."""

    @property
    def hits(self) -> int:
        """Tokens that were found and still valid."""
    @property
    def misses(self) -> int:
        """Tokens that went through every check."""
    @property
    def evictions(self) -> int:
        """Tokens that were evicted for others."""
    @property
    def tokens(self) -> int:
        """The tokens in the cache."""
    @property
    def bytes(self) -> int:
        """The bytes that they take, approximately."""
    @property
    def max_bytes(self) -> int:
        """The bytes that they may take."""

@final
class TableStats:
    """Figures about the precomputed tables of the process, and the settings in force."""

    @property
    def bytes(self) -> int:
        """The bytes that all tables take."""
    @property
    def tables(self) -> int:
        """How many keys have a table."""
    @property
    def built(self) -> int:
        """How many tables were built since the process started."""
    @property
    def evicted(self) -> int:
        """How many tables were evicted in favour of others."""
    @property
    def refused(self) -> int:
        """How often a key was refused a table because the keys that have one are used more."""
    @property
    def queued(self) -> int:
        """How many keys wait for a table, with the one whose table is being built."""
    @property
    def max_bytes(self) -> int:
        """The bytes that all tables may take."""
    @property
    def width(self) -> int:
        """The largest width of a digit, in bits."""
    @property
    def after_uses(self) -> int:
        """After how many uses a key gets a table."""

def configure_tables(*, max_bytes: int | None = None, width: int | None = None, after_uses: int | None = None) -> None:
    """Change the settings of precomputed tables for the whole process; an argument that is not given leaves its setting.

    Raises TypeError or ValueError if an argument is invalid.
    """

def table_stats() -> TableStats:
    """Return the current figures and settings of precomputed tables."""

def verify(
    token: str | bytes,
    keys: KeySet,
    policy: Policy,
    now: float,
    proof: DpopProof | None = None,
    certificate: bytes | None = None,
) -> VerifiedToken:
    """Verify a JWT (RFC 7519 section 7.2) at the time `now` (Unix seconds).

    proof: the DpopProof that was sent with the token; without one, a token that is bound to a key is rejected.
    certificate: the client certificate of the connection, in DER; without one, a token that is bound to one is rejected.
    Returns a VerifiedToken; raises VerificationError.
    """

def verify_request(
    token: str | bytes,
    keys: KeySet,
    policy: Policy,
    now: float,
    proof: UnverifiedProof,
    certificate: bytes | None = None,
) -> tuple[VerifiedToken, DpopProof]:
    """Verify a JWT and the UnverifiedProof that was sent with it, at the time `now` (Unix seconds): the token first, and the
    proof only if the token is valid and bound to a key (RFC 9449 section 7.1).

    certificate: the client certificate of the connection, in DER. Returns a VerifiedToken and a DpopProof; raises
    VerificationError.
    """

def verify_proof(
    proof: str | bytes,
    policy: ProofPolicy,
    method: str,
    uri: str,
    now: float,
    access_token: str | bytes | None = None,
    expected_jkt: str | None = None,
    nonces: Iterable[str] | None = None,
) -> DpopProof:
    """Verify a DPoP proof as of ``now`` (Unix seconds) and return it: all checks of RFC 9449 section 4.3 except replay.

    ``proof`` is the value of the ``DPoP`` header, ``method`` and ``uri`` are those of the request. If there is an
    ``access_token``, the proof must contain its hash (``ath``). ``expected_jkt`` is the thumbprint of the key that must have
    signed the proof, ``nonces`` are the server's current nonces; ``None``: not checked.

    Raises ``VerificationError`` for the first check that fails, and ``ValueError`` or ``TypeError`` if another argument is
    invalid.
    """

def normalize_uri(uri: str) -> str:
    """Return the normal form of a request's URI without query and fragment (RFC 3986 section 6.2).

    Raises ``ValueError`` if it is not an absolute http or https URI, ``TypeError`` if it is not a str.
    """

def verify_many(
    tokens: Iterable[str | bytes],
    keys: KeySet,
    policy: Policy,
    now: float | Iterable[float],
    threads: int | None = None,
) -> BatchResult:
    """Verify many tokens at the time `now` (Unix seconds), on `threads` threads (None: one for each processor). `now` is
    one time for all of them, or a list with the time of each.

    Returns a BatchResult, whose elements are what `verify` would return or raise for each token alone. Raises TypeError if
    a token is neither str nor bytes, ValueError if `now` lists another number of times, and the exception of a signal handler that runs meanwhile (KeyboardInterrupt).
    """

def verify_jws(
    token: str | bytes,
    keys: KeySet,
    algorithms: Iterable[str] | None = None,
    types: Iterable[str | None] | None = None,
    max_token_bytes: int = ...,
    max_header_bytes: int = ...,
) -> VerifiedJws:
    """Verify a JWS in compact form (RFC 7515 section 5.2), whatever its payload is.

    algorithms: those that are accepted (None: those of the keys). types: the values of `typ` that are accepted, None for
    its absence (None instead of a list: `typ` is not checked). max_token_bytes, max_header_bytes: the longest encoded forms
    that are accepted. Returns a VerifiedJws; raises VerificationError.
    """

@overload
def thumbprint(jwk: str | bytes | Mapping[str, Any], *, pem: None = None, der: None = None) -> str:
    """Return the RFC 7638 thumbprint of a key: SHA-256, base64url without padding, 43 characters.

    The key is a JWK (EC, OKP, RSA or oct), PEM text with one public key (`pem=`), or a public key in DER (`der=`). It
    is not checked: a thumbprint identifies a key, it does not vouch for it.

    Raises KeySetError if the key lacks a member that the thumbprint needs, TypeError unless exactly one key is given.
    """

@overload
def thumbprint(jwk: None = None, *, pem: str | bytes, der: None = None) -> str:
    """Return the RFC 7638 thumbprint of a key: SHA-256, base64url without padding, 43 characters.

    The key is a JWK (EC, OKP, RSA or oct), PEM text with one public key (`pem=`), or a public key in DER (`der=`). It
    is not checked: a thumbprint identifies a key, it does not vouch for it.

    Raises KeySetError if the key lacks a member that the thumbprint needs, TypeError unless exactly one key is given.
    """

@overload
def thumbprint(jwk: None = None, *, pem: None = None, der: bytes) -> str:
    """Return the RFC 7638 thumbprint of a key: SHA-256, base64url without padding, 43 characters.

    The key is a JWK (EC, OKP, RSA or oct), PEM text with one public key (`pem=`), or a public key in DER (`der=`). It
    is not checked: a thumbprint identifies a key, it does not vouch for it.

    Raises KeySetError if the key lacks a member that the thumbprint needs, TypeError unless exactly one key is given.
    """

@overload
def thumbprint_uri(jwk: str | bytes | Mapping[str, Any], *, pem: None = None, der: None = None) -> str:
    """Return the URI of a key's thumbprint (RFC 9278): `urn:ietf:params:oauth:jwk-thumbprint:sha-256:` and the thumbprint.

    Arguments and errors are those of `thumbprint`.
    """

@overload
def thumbprint_uri(jwk: None = None, *, pem: str | bytes, der: None = None) -> str:
    """Return the URI of a key's thumbprint (RFC 9278): `urn:ietf:params:oauth:jwk-thumbprint:sha-256:` and the thumbprint.

    Arguments and errors are those of `thumbprint`.
    """

@overload
def thumbprint_uri(jwk: None = None, *, pem: None = None, der: bytes) -> str:
    """Return the URI of a key's thumbprint (RFC 9278): `urn:ietf:params:oauth:jwk-thumbprint:sha-256:` and the thumbprint.

    Arguments and errors are those of `thumbprint`.
    """

def decode_json_object(document: bytes) -> dict[str, Any]:
    """Return a JSON object as a dict, parsed as strictly as a token's header (RFC 8259; no repeated member at any depth).

    Raises ValueError, which does not quote the document, if it is anything else.
    """

def decode_unverified(
    token: str | bytes, *, max_token_bytes: int = 16384, max_header_bytes: int = 4096
) -> UnverifiedToken:
    """Decode a token without verifying it. Anybody can have written what it states.

    Its form is checked as strictly as for verification: the lengths, three parts, base64url, and a header that is strict
    JSON with an `alg` and without extensions (RFC 7515 sections 4 and 7.1). max_token_bytes, max_header_bytes: the
    limits of the encoded forms, in bytes. Returns an UnverifiedToken; raises VerificationError if the token is malformed.
    """

def unverified_names(token: str | bytes, max_token_bytes: int = 16384, max_header_bytes: int = 4096) -> UnverifiedNames:
    """Read the names that a token states, unverified: its `iss`, its `sub` and its `kid`.

    Returns an UnverifiedNames; each is None if it is absent or not a string, or if the token is malformed or longer than
    the limits.
    """

def parse_rfc3339(text: str) -> float:
    """Return the Unix seconds of a time such as ``2026-11-21T09:30:00Z`` (RFC 3339 section 5.6).

    The leap second at the end of a month is the first second of the next one.

    Raises ValueError, which does not quote the text, if it is none.
    """

def parse_spiffe_id(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the trust domain of a SPIFFE ID, and the segments of its path (SPIFFE ID standard, section 2).

    Raises ValueError, which does not quote the text, if it is not a SPIFFE ID.
    """

@final
class Credentials:
    """The unverified credentials of a request."""

    @property
    def scheme(self) -> Literal["Bearer", "DPoP"]:
        """The scheme of the Authorization header: "Bearer" or "DPoP"."""
    @property
    def token(self) -> str:
        """The token, as it was sent."""
    @property
    def proof(self) -> str | None:
        """The value of the DPoP header; None if the scheme is "Bearer"."""

def read_credentials(headers: Headers) -> Credentials:
    """Return the Credentials of a request's headers, unverified: its scheme, its token and its proof.

    headers: pairs, a mapping, or an object with items(). A proof with a bearer token is ignored, unless there are several.
    Raises VerificationError if there are no credentials, or if they are repeated or malformed; TypeError if a name or a
    value is neither str nor bytes.
    """

def answer_of(code: str) -> tuple[int, Literal["Bearer", "DPoP"], str | None, str]:
    """Return what a resource server answers for an error code: the status, the scheme of the challenge, its `error` (None:
    there is no challenge), and one sentence for the client.

    Raises ValueError for an unknown code.
    """

def challenge(
    scheme: str | None,
    *,
    error: str | None = None,
    description: str | None = None,
    algorithms: str | None = None,
    scope: str | None = None,
    acr_values: str | None = None,
    max_age: int | None = None,
    realm: str | None = None,
    resource_metadata: str | None = None,
) -> str:
    """Return the value of WWW-Authenticate for these parameters (RFC 6750 section 3, RFC 9449 section 7.1, RFC 9470 section 3,
    RFC 9728 section 5.1).

    scheme: "Bearer", "DPoP", or None for both and no `error`. A scope that is too long or malformed is omitted, since the
    sender of a request chooses a part of it. Raises ValueError if `realm` or `resource_metadata` has a character that a
    quoted string cannot have.
    """

def require_authentication(
    token: VerifiedToken, acr_values: list[str], max_age: int | None, leeway: float, now: float
) -> None:
    """Require that the user of a verified token authenticated strongly and recently enough (RFC 9470 section 5).

    Raises InsufficientUserAuthenticationError; ValueError if an argument is invalid.
    """

@final
class PublicOrigin:
    """The URL of a service, or several if it is known by several.

    ``public_url`` is ``https://api.example``, or a list of such URLs. Its path is a prefix of every path, for a service
    behind a proxy that removes it. Of several URLs the request's ``Host`` selects one; any other ``Host`` selects the
    first.

    Raises ``ValueError`` if there is no URL, or if one is not an ``http`` or ``https`` URL, or has a user name, a query
    or a fragment; ``TypeError`` if one is not ``str``.
    """

    def __new__(cls, public_url: str | Iterable[str] | None) -> PublicOrigin: ...
    def uri(self, path: str, *, host: str | None = None) -> str:
        """Return the URI that a client requested: an origin of this service, and ``path`` (with the query, if any).

        ``host`` is the request's ``Host``.
        """
    @property
    def urls(self) -> tuple[str, ...]:
        """The URLs in normal form, without a slash at the end."""

def read_secrets(document: bytes) -> list[tuple[str, bytes]]:
    """Read a file of secrets: base64url of 32 bytes or more, one a line, the one to use first.

    Returns for each its base64url without padding, and its bytes. Raises ValueError if one is unusable, or if there is none;
    the message quotes none.
    """

@final
class IdentityReader:
    """Reads the identity headers of requests that have passed a gate.

    prefix: that of the headers; secrets: base64url of 32 bytes or more; empty_headers: whether the proxy drops headers with
    empty values. Raises ValueError if an argument is invalid.
    """

    def __new__(cls, *, prefix: str, secrets: list[str], empty_headers_dropped: bool) -> IdentityReader: ...
    def read(
        self, headers: Headers
    ) -> tuple[
        str | None,
        str | None,
        str | None,
        tuple[str, ...],
        tuple[str | None, ...],
        str | None,
        float | None,
        str | None,
        str,
        str,
    ]:
        """Return what the identity headers of a request say: subject, issuer, client id, scopes, actors, token id, expiry (Unix
        seconds), proof key, route and trace id.

        headers: pairs, a mapping, or an object with items(). Raises UntrustedIdentityError if they are not those of the gate;
        TypeError if a name or a value is neither str nor bytes.
        """
    def without(self, headers: Headers) -> list[tuple[str, str]] | list[tuple[bytes, bytes]]:
        """Return the headers that are not below the prefix, in any spelling: a list of the pairs in their order.

        Raises TypeError if a name is neither str nor bytes.
        """

@final
class GateGuard:
    """The requirements for a request whose route a framework has chosen."""

@final
class GateRules:
    """What a gate checks requests by: immutable, and replaced as a whole.

    routes: dicts with the fields of a Route; policies: for each route the policy of each issuer, None if its tokens are not
    accepted. Raises ValueError or TypeError if an argument is invalid.
    """

    def __new__(
        cls,
        *,
        routes: list[dict[str, Any]],
        policies: list[list[Policy | None]],
        issuers: IssuerTable,
        issuer_names: list[str],
        unknown_issuer_policy: Policy,
        origin: PublicOrigin,
        proofs: ProofPolicy,
        algorithms: list[str],
        identity_prefix: str,
        identity_secret: str | None,
        realm: str | None,
        resource_metadata: str | None,
        origin_headers: str | None,
        certificate_header: str | None,
        certificate_format: str,
    ) -> GateRules: ...
    def guard(self, route: dict[str, Any], policies: list[Policy | None]) -> GateGuard:
        """Return the requirements of a route that a framework chooses, for `read_for`.

        route: a dict with the fields of a Route; policies: those of each issuer. Raises ValueError if it is invalid.
        """
    def read(
        self,
        method: str,
        target: str | bytes,
        headers: Headers,
        now: float,
        certificate: bytes | str | None = None,
        form: bytes | None = None,
    ) -> Decision | SentToken:
        """Read a request as of `now` (Unix seconds), up to its token.

        target: path and query as received; headers: pairs, a mapping, or an object with items(); certificate: that of the
        client, DER or PEM; form: the first bytes of a form in the body. Returns a Decision, or a SentToken.
        """
    def check(
        self,
        method: str,
        target: str | bytes,
        headers: Headers,
        now: float,
        keys: KeySet,
        nonces: Sequence[str] | None = None,
        cache: TokenCache | None = None,
        certificate: bytes | str | None = None,
        form: bytes | None = None,
    ) -> Decision | SentToken | UnusedProof:
        """Decide on a request as of `now` (Unix seconds) with the keys of the only issuer.

        nonces: those that are accepted now, the newest first; cache: where verified tokens are kept; the others are as for
        `read`. Returns a Decision; an UnusedProof; or a SentToken, if the keys have none that the token names.
        """
    def read_for(
        self,
        guard: GateGuard,
        variables: list[tuple[str, str]],
        method: str,
        target: str | bytes,
        headers: Headers,
        now: float,
        certificate: bytes | str | None = None,
        form: bytes | None = None,
    ) -> Decision | SentToken:
        """The same for a request whose route a framework has chosen; `variables` are those of its path."""
    def failed(self) -> Decision:
        """Return the decision for an exception in a server: the request is rejected as `internal_error`."""

@final
class SentToken:
    """The token of a request, not verified yet, with all that the decision on it needs."""

    @property
    def issuer(self) -> int:
        """The position of the issuer whose keys are needed."""
    @property
    def token(self) -> bytes:
        """The token, as it was sent."""
    def check_without_keys(self, now: float) -> Decision | None:
        """Make every check that needs no key, as of `now` (Unix seconds).

        Returns the Decision if one of them fails, or if the token names another issuer; None if keys are needed.
        """
    def verify(
        self,
        keys: KeySet,
        now: float,
        nonces: Sequence[str] | None = None,
        cache: TokenCache | None = None,
    ) -> Decision | UnusedProof:
        """Verify the token with keys of its issuer as of `now` (Unix seconds), then the proof, then what the route requires.

        nonces: those that are accepted now, the newest first. Returns a Decision, or an UnusedProof.
        """
    def reject(self, error: VerificationError) -> Decision:
        """Return the decision for an error with another cause than the token: the keys are unavailable."""

@final
class UnusedProof:
    """A request that may pass if its proof was not used before: the last check of all."""

    @property
    def proof(self) -> DpopProof:
        """The DpopProof, whose replay_id must be used before the request may pass."""
    def first_use(self) -> Decision:
        """Return the decision, if this is the first use of the proof."""
    def reject(self, error: VerificationError) -> Decision:
        """Return the decision for an error of the replay store, or for a proof that was used before."""

@final
class Decision:
    """The decision on a request: allowed, with what was verified, or rejected, with the answer. Only a Gate makes one."""

    @property
    def allowed(self) -> bool:
        """Whether the request may pass."""
    @property
    def code(self) -> str:
        """ "allowed", or the value of the ErrorCode."""
    @property
    def token(self) -> VerifiedToken | None:
        """The VerifiedToken; None if the request is rejected or anonymous."""
    @property
    def proof(self) -> DpopProof | None:
        """The DpopProof of the token's key; None if the token was sent as a bearer token."""
    @property
    def scheme(self) -> Literal["Bearer", "DPoP"] | None:
        """The scheme by which the request was sent: "Bearer", "DPoP", or None without credentials."""
    @property
    def cached(self) -> bool:
        """Whether the token was found in the token cache."""
    @property
    def issuer(self) -> str | None:
        """The name of the configured issuer that the token is from; None if it is not known."""
    @property
    def route(self) -> str | None:
        """The name of the route, else its path template; None if no route was found."""
    @property
    def variables(self) -> dict[str, str]:
        """The variables of the route's path: a dict of decoded values."""
    @property
    def trace_id(self) -> str:
        """The trace id of the request's traceparent (W3C Trace Context), or else a random one: 32 hexadecimal digits."""
    @property
    def error(self) -> VerificationError | None:
        """The VerificationError, if the request is rejected; else None."""
    @property
    def status(self) -> int:
        """The status of the answer; 200 if the request may pass."""
    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """The headers of the answer: pairs of str, empty if the request may pass."""
    @property
    def body(self) -> bytes:
        """The body of the answer: a problem document (RFC 9457) in JSON, empty if the request may pass."""
    @property
    def identity_headers(self) -> tuple[tuple[str, str], ...]:
        """The identity headers of a request that may pass: pairs of str, all of them, with empty values if unknown."""
    @property
    def has_removed_headers(self) -> bool:
        """Whether the client sent headers that must not reach the application."""
    def forwarded_headers(self, headers: Headers) -> list[tuple[Any, Any]]:
        """Return the headers that may reach the application: a list of the pairs in their order.

        Those below the prefix of the identity headers are left out, in any spelling.
        If there are none to remove, the list itself is returned. Raises TypeError if a name is neither str nor bytes.
        """
    def is_removed(self, name: str) -> bool:
        """Return whether a header of this name must not reach the application."""
    def authorize(self, guard: GateGuard, variables: list[tuple[str, str]], now: float) -> Decision:
        """Return the decision on this request, which may pass, under further requirements, as of `now` (Unix seconds)."""

_Problem = tuple[int | None, int | None, str, str]

@final
class GateConfig:
    """The configuration of a gate, read whole and checked: plain data."""

    @staticmethod
    def from_toml(text: str) -> GateConfig:
        """Read TOML. Raises watchword.gate.ConfigError with all that is wrong."""
    @staticmethod
    def from_json(text: str) -> GateConfig:
        """Read JSON with the same names. Raises watchword.gate.ConfigError with all that is wrong."""
    @property
    def issuers(self) -> list[dict[str, Any]]:
        """The keywords of an Issuer for each; `cache_settings` is a dict of those of CacheSettings."""
    @property
    def token(self) -> dict[str, Any]:
        """The keywords of a Verifier for the requirements of all issuers; those that are not configured are absent."""
    @property
    def settings(self) -> dict[str, Any]:
        """The other settings, by their names, sections as dicts; what is not configured is absent."""
    @property
    def routes(self) -> list[dict[str, Any]]:
        """The keywords of a watchword.gate.Route for each."""
    @property
    def warnings(self) -> list[_Problem]:
        """What is allowed, and probably not meant: line, column, path and message of each."""
    def position(self, path: str) -> tuple[int, int] | None:
        """Line and column of a value by its path, as "issuers[0].jwks_uri"; None for JSON, and if there is no such value."""
    def matches(self, method: str, path: str) -> list[tuple[bool, bool]]:
        """For each route, whether its path and whether its methods match a request.

        path: in normal form. Raises ValueError if it is not a path.
        """

def metadata_url(resource: str) -> str:
    """Return the URL of the metadata of a resource: the well-known path precedes the resource's (RFC 9728 section 3.1).

    Raises ValueError unless `resource` is an absolute http or https URL without a fragment (section 1.2).
    """

def normal_path(path: str) -> str:
    """Return a request's path in the normal form that routes are matched with (RFC 3986 section 6.2.2).

    Raises ValueError if it is not a path, or if two parsers could read it differently.
    """

def gate_config_schema() -> str:
    """Return the JSON Schema of a gate's configuration, by which editors complete and check a file."""
