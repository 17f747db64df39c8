"""An authorization server reduced to what a verifier needs: its keys, and the tokens that it signs."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

from cryptography.hazmat.primitives.asymmetric import ec

from watchword import Issuer, KeySet, Policy, Verifier
from watchword.dpop import DpopProver
from watchword.testing.client_certificate import thumbprint_of
from watchword.testing.defects import BadToken, Defect
from watchword.testing.draft import Draft, to_json
from watchword.testing.key_ring import KeyRing
from watchword.testing.request_defects import BadRequest
from watchword.testing.request_signing import RequestAuth, pairs, sign
from watchword.testing.signed_request import SignedRequest
from watchword.testing.signing_key import SigningKey, is_ecdsa
from watchword.testing.tamper import can_have, tamper

if TYPE_CHECKING:
    from watchword.testing.served_issuer import ServedIssuer


class LocalIssuer:
    """An in-memory issuer, with private keys of its own. For tests only.

    ``issuer`` is its identifier (the tokens' ``iss``), ``audience`` the audience of its tokens, ``algorithms`` those
    that it signs with (one key each; any of :data:`ALGORITHMS`), ``key_ids`` the ``kid`` of each of those keys in the
    same order (by default ``eddsa-1``, ``es256-1``, ...), ``clock`` the function that returns its time in Unix seconds.

    The first algorithm is the default. RSA keys are made on first use, because that takes a moment. Raises
    ``ValueError`` for an unknown algorithm.
    """

    def __init__(
        self,
        issuer: str = "https://issuer.test",
        *,
        audience: str | Sequence[str] = "https://api.test",
        algorithms: Sequence[str] = ("EdDSA",),
        key_ids: Sequence[str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._issuer = issuer
        self._audience = audience if isinstance(audience, str) else tuple(audience)
        self._ring = KeyRing(algorithms, key_ids)
        self._clock = clock
        self._holder = ec.generate_private_key(ec.SECP256R1())

    @property
    def issuer(self) -> str:
        """The identifier. It never changes: :meth:`serve` provides another issuer instead."""
        return self._issuer

    @property
    def audience(self) -> str | tuple[str, ...]:
        """The default of ``aud``."""
        return self._audience

    @property
    def algorithms(self) -> tuple[str, ...]:
        """The algorithms that it signs with, the default first."""
        return self._ring.algorithms

    @property
    def clock(self) -> Callable[[], float]:
        """The function that returns its time in Unix seconds."""
        return self._clock

    # Valid tokens

    def mint(
        self,
        claims: Mapping[str, Any] | None = None,
        *,
        algorithm: str | None = None,
        key_id: str | None = None,
        header: Mapping[str, Any] | None = None,
        expires_in: float | None = 300,
        certificate: bytes | None = None,
        **overrides: object,
    ) -> str:
        """Return a token that is valid unless the arguments make it invalid.

        Its claims are ``iss``, ``sub``, ``aud``, ``client_id``, ``scope``, ``jti``, ``iat`` and ``exp`` (``expires_in``
        seconds from now; ``None`` omits it), its header ``alg``, ``kid`` and ``typ`` ``at+jwt`` (RFC 9068). The members
        of ``claims``, the keyword arguments and the members of ``header`` replace them or are added; a member whose
        value is ``None`` is omitted. Use ``claims`` for a claim with the name of an argument.

        ``certificate`` is the client certificate, in DER, that the token is bound to: its hash is added to ``cnf``
        as ``x5t#S256`` (RFC 8705 section 3.1).

        ``algorithm`` or ``key_id`` select the key that signs, which may be withdrawn; its algorithm makes the
        signature, whatever ``header`` contains. Raises ``ValueError`` if there is no such key.
        """
        draft = self._draft(self._ring.signing_key(algorithm, key_id), expires_in)
        draft.claims = _merged(draft.claims, claims, overrides)
        if certificate is not None:
            draft.claims["cnf"] = {**draft.claims.get("cnf", {}), "x5t#S256": thumbprint_of(certificate)}
        draft.header = _merged(draft.header, header)
        return draft.write()

    def sign(
        self,
        payload: bytes,
        *,
        algorithm: str | None = None,
        key_id: str | None = None,
        header: Mapping[str, Any] | None = None,
    ) -> str:
        """Return a JWS over exactly these bytes (RFC 7515); ``typ`` is omitted unless given."""
        draft = self._draft(self._ring.signing_key(algorithm, key_id), None)
        draft.payload = payload
        draft.header = _merged(draft.header, {"typ": None}, header)
        return draft.write()

    # Requests

    def sign_request(
        self,
        method: str,
        url: str,
        *,
        token: str | None = None,
        dpop: bool | DpopProver = False,
        nonce: str | None = None,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        claims: Mapping[str, Any] | None = None,
        **overrides: Any,  # noqa: ANN401 - arguments of mint, and claims
    ) -> SignedRequest:
        """Return a request with a new token, or ``token``, which an application accepts.

        ``url`` is absolute, with the origin by which clients know the application. ``claims`` and ``overrides`` are the
        arguments of :meth:`mint`: ``sign_request("GET", url, scope="orders:read")``. With ``dpop``, the token is bound
        to the key of :meth:`prover`, or of the given prover, and sent with a proof of it (RFC 9449 section 7.1), which
        contains ``nonce``. ``headers`` are sent too.
        """
        prover = self.prover() if dpop is True else dpop or None
        raw = token if token is not None else self._mint_for(prover, claims, overrides)
        return sign(method, url, raw, prover=prover, nonce=nonce, headers=pairs(headers))

    def auth(
        self,
        *,
        token: str | None = None,
        dpop: bool | DpopProver = False,
        claims: Mapping[str, Any] | None = None,
        **overrides: Any,  # noqa: ANN401 - arguments of mint, and claims
    ) -> RequestAuth:
        """Return the ``auth`` of a client of httpx2 or httpx: each request gets a new token, or ``token``.

        The arguments are those of :meth:`sign_request`; with ``dpop``, each request gets a new proof.
        """
        prover = self.prover() if dpop is True else dpop or None
        return RequestAuth(lambda: token if token is not None else self._mint_for(prover, claims, overrides), prover)

    def prover(self, *, clock: Callable[[], float] | None = None) -> DpopProver:
        """Return the prover of the key that this issuer's tokens are bound to: a key for ES256, of this issuer alone.

        ``clock`` returns Unix seconds, and is the issuer's by default.
        """
        return DpopProver(private_key=self._holder, clock=clock or self._clock)

    def _mint_for(self, prover: DpopProver | None, claims: Mapping[str, Any] | None, overrides: dict[str, Any]) -> str:
        bound = {} if prover is None else {"cnf": {"jkt": prover.jkt}}
        return self.mint({**bound, **(claims or {})}, **overrides)

    # Bad tokens

    def mint_bad(self, defect: Defect | str, *, algorithm: str | None = None) -> str:
        """Return a token with one defect; ``defect.code`` is the expected error code.

        Raises ``ValueError`` for an unknown defect, and for one that no token of this issuer (or of ``algorithm``) can
        have: ``SIGNATURE_DER`` requires ECDSA, ``NON_CANONICAL_SIGNATURE`` any algorithm but ES384.
        """
        defect = Defect.named(defect)
        key = self._key_for(defect, algorithm)
        if key is None:
            raise ValueError(
                f"no key of this issuer can sign a token with the defect {defect.value!r}: add another algorithm"
            )
        # Longer than any test run that mints them at collection.
        draft = self._draft(key, 3600)
        tamper(defect, draft)
        return draft.write()

    @overload
    def defects(self, *, algorithm: str | None = None, over_http: Literal[False] = False) -> Iterator[BadToken]: ...

    @overload
    def defects(
        self,
        *,
        algorithm: str | None = None,
        over_http: Literal[True],
        method: str = "GET",
        url: str | None = None,
        scope: str | None = None,
    ) -> Iterator[BadRequest]: ...

    def defects(
        self,
        *,
        algorithm: str | None = None,
        over_http: bool = False,
        method: str = "GET",
        url: str | None = None,
        scope: str | None = None,
    ) -> Iterator[BadToken] | Iterator[BadRequest]:
        """Return every bad token that this issuer can mint, as (defect, code, token).

        With ``algorithm``, all are signed with that algorithm, and defects that it cannot have are omitted.

        With ``over_http``, return every bad request instead: those of the bad tokens that an ``Authorization`` header
        can carry, and those of :class:`RequestDefect`, which have a valid token. ``method`` and ``url`` (the audience
        by default) are of a request that the application accepts with a token that has ``scope``; a token without it is
        one of the defects if it is given, and a token in the body if ``method`` has one.
        """
        if over_http:
            from watchword.testing.bad_requests import bad_requests

            return bad_requests(self, method, url or self._first_audience(), scope, algorithm)
        return self._bad_tokens(algorithm)

    def _bad_tokens(self, algorithm: str | None) -> Iterator[BadToken]:
        for defect in Defect:
            if self._key_for(defect, algorithm) is not None:
                yield BadToken(defect, defect.code, self.mint_bad(defect, algorithm=algorithm))

    def _first_audience(self) -> str:
        return self._audience if isinstance(self._audience, str) else self._audience[0]

    def _key_for(self, defect: Defect, algorithm: str | None) -> SigningKey | None:
        wanted = self.algorithms if algorithm is None else (algorithm,)
        if defect is Defect.SIGNATURE_DER:
            wanted = tuple(name for name in wanted if is_ecdsa(name))
        keys = (self._ring.signing_key(name, None) for name in wanted)
        return next((key for key in keys if can_have(defect, key)), None)

    def _draft(self, key: SigningKey, expires_in: float | None) -> Draft:
        now = int(self._clock())
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": "agent-7",
            "aud": self._audience if isinstance(self._audience, str) else list(self._audience),
            "client_id": "client-1",
            "scope": "read write",
            "jti": uuid.uuid4().hex,
            "iat": now,
        }
        if expires_in is not None:
            claims["exp"] = now + expires_in
        return Draft(key, {"alg": key.algorithm, "kid": key.key_id, "typ": "at+jwt"}, claims, now)

    # Keys

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Return the currently published public keys as a JWK Set (RFC 7517 section 5)."""
        return {"keys": [key.public_jwk() for key in self._ring.published()]}

    def key_set(self) -> KeySet:
        """Return the published public keys for :func:`watchword.verify`; a later rotation does not change them."""
        return KeySet.from_json(to_json(self.jwks()))

    def public_pem(self, key_id: str | None = None) -> bytes:
        """Return one public key in PEM: that of ``key_id``, or the one that signs by default."""
        return self._ring.signing_key(None, key_id).public_pem()

    def rotate(self) -> tuple[str, ...]:
        """Make a new key for each algorithm, which signs from now on; old ones stay published. Returns the new kids."""
        return self._ring.rotate()

    def remove_key(self, key_id: str) -> None:
        """Withdraw a key from the published set; ``mint(key_id=...)`` still signs with it.

        Raises ``ValueError`` if no published key has that ``kid``.
        """
        self._ring.remove(key_id)

    # Policies and verifiers

    def policy(self, **options: object) -> Policy:
        """Return the policy that accepts this issuer's valid tokens; ``options`` are :class:`watchword.Policy`'s."""
        given: dict[str, Any] = {"issuer": self.issuer, "audience": self._audience, "algorithms": self.algorithms}
        given.update(options)
        return Policy(**given)

    def as_issuer(self, **options: object) -> Issuer:
        """Return the :class:`watchword.Issuer` for a Verifier; ``options`` are :class:`watchword.Issuer`'s.

        The keys are those currently published: a later rotation does not change them (that of a served issuer does).
        """
        given: dict[str, Any] = {"jwks": self.jwks(), "algorithms": self.algorithms}
        given.update(options)
        return Issuer(self.issuer, **given)

    def verifier(self, **options: object) -> Verifier:
        """Return a :class:`watchword.Verifier` for the issuer of :meth:`as_issuer` alone; ``options`` are its own.

        It uses this issuer's clock. As a context manager it closes itself.
        """
        given: dict[str, Any] = {"audience": self._audience, "clock": self._clock}
        given.update(options)
        return Verifier([self.as_issuer()], **given)

    @contextlib.contextmanager
    def serve(self, *, port: int = 0, max_age: int | None = None) -> Iterator[ServedIssuer]:
        """Return a context manager that serves these keys over HTTP on loopback and closes the port at the end.

        It yields another issuer with the same keys (a rotation of either is one of both) and the same audience, whose
        identifier is its URL, ``http://127.0.0.1:PORT``, and whose verifiers discover the keys. ``port`` 0 selects a
        free port; ``max_age`` is the ``Cache-Control`` of the responses, in seconds.
        """
        from watchword.testing.served_issuer import ServedIssuer

        with ServedIssuer.start(self, port, max_age) as served:
            yield served

    def __repr__(self) -> str:
        kids = ", ".join(key.key_id for key in self._ring.published())
        return f"{type(self).__name__}({self.issuer!r}, keys: {kids})"


def _merged(members: Mapping[str, Any], *changes: Mapping[str, Any] | None) -> dict[str, Any]:
    merged = dict(members)
    for change in changes:
        merged.update(change or {})
    return {name: value for name, value in merged.items() if value is not None}
