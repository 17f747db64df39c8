"""Issuer: a trusted issuer, where its keys come from, and the policy of its tokens."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from watchword._kernel import KeySet, Policy
from watchword.arguments import as_audience, as_tuple
from watchword.jwks.memory import MemorySource
from watchword.jwks.settings import CacheSettings
from watchword.spiffe import trust_domain_of

if TYPE_CHECKING:
    from watchword._kernel import AnyAudience, AnyTenant
    from watchword.jwks.events import Listener
    from watchword.jwks.fetch import Fetcher
    from watchword.jwks.source import KeySource
    from watchword.types import Backend, Prepare

_WAYS = ("jwks_uri", "jwks", "jwks_file", "pem", "source")
_SOURCE = ("current", "request", "request_newer", "refresh", "stats", "close")
_POLICY = (
    "audience",
    "algorithms",
    "types",
    "required",
    "leeway",
    "bound_tokens",
    "scope_claims",
    "audience_claim",
    "max_token_bytes",
    "max_header_bytes",
)
_LISTS = ("algorithms", "types", "required", "scope_claims")
_HOSTS = ("allow_private_hosts", "allow_http_hosts")


@dataclass(frozen=True)
class Issuer:
    """An issuer (RFC 7519 section 4.1.1) whose tokens a :class:`~watchword.Verifier` accepts.

    ``issuer`` is compared with the token's ``iss`` exactly, case and slashes included; ``aliases`` are other spellings
    of it that are accepted too. ``issuer`` may also be

    - a template, ``https://login.example/{tid}/v2.0``, for an issuer with many tenants: the part in braces must equal
      the token's claim of that name. ``tenants`` lists the accepted values, or is :data:`~watchword.ANY_TENANT`:
      anyone who can become a tenant of that issuer is then accepted;
    - a SPIFFE trust domain, ``spiffe://example.org``, whose JWT-SVIDs need no ``iss``: ``sub`` must be a SPIFFE ID of
      that domain. ``jwks_uri``, ``jwks`` or ``jwks_file`` gives its bundle.

    The keys come from one of

    - ``jwks_uri``: the URL of its JWK Set (RFC 7517 section 5);
    - ``jwks``: the set itself (JSON as ``str`` or ``bytes``, a mapping, or a :class:`~watchword.KeySet`); one JWK does;
    - ``jwks_file``: a file with a JWK Set, a JWK, or a public key in PEM or DER, read again when it changes;
    - ``pem``: a public key in PEM (SubjectPublicKeyInfo);
    - ``source``: an object of your own (:class:`watchword.jwks.KeySource`), which you close yourself;

    and from its published metadata (RFC 8414, OpenID Connect Discovery) if none is given. URLs are https;
    ``allow_loopback_http=True`` also allows http to loopback, for development. ``allow_http_hosts`` allows http to
    these hosts (exact names or addresses, no wildcards; on any port): **whoever is on the way to them can replace the
    keys**, and then forge every token of the issuer. The metadata's ``jwks_uri`` may lead to the issuer's own host and
    port, to the public internet, and to the hosts (names or addresses) of ``allow_private_hosts``; over http, to those
    of ``allow_http_hosts`` only.

    ``audience``, ``algorithms``, ``types``, ``required``, ``leeway`` (seconds), ``bound_tokens``, ``scope_claims`` (the
    claims with scopes), ``audience_claim`` (the claim that names the audience, ``aud`` by default),
    ``max_token_bytes`` and ``max_header_bytes`` (of the encoded forms) are this issuer's :class:`~watchword.Policy`;
    ``None`` means: what the Verifier says. ``backend`` and ``prepare`` are arguments of
    :meth:`KeySet.from_json <watchword.KeySet.from_json>`; ``cache_settings`` are the settings of fetching and
    caching.

    Raises ``TypeError`` or ``ValueError`` if an argument is invalid, :class:`~watchword.KeySetError` (a
    ``ValueError``) if ``jwks`` or ``pem`` has no usable key. Nothing is read or fetched here.
    """

    issuer: str
    _: KW_ONLY
    jwks_uri: str | None = None
    # Public keys, but not in a repr: a private key may be given by mistake.
    jwks: Mapping[str, Any] | str | bytes | KeySet | None = field(default=None, repr=False, hash=False)
    jwks_file: str | os.PathLike[str] | None = None
    pem: str | bytes | None = field(default=None, repr=False)
    source: KeySource | None = field(default=None, repr=False)
    aliases: Iterable[str] = ()
    tenants: Iterable[str] | AnyTenant | None = None
    audience: str | Iterable[str] | AnyAudience | None = None
    algorithms: Iterable[str] | None = None
    types: Iterable[str | None] | None = None
    required: Iterable[str] | None = None
    leeway: float | None = None
    bound_tokens: Literal["reject", "accept"] | None = None
    scope_claims: Iterable[str] | None = None
    audience_claim: str | None = None
    max_token_bytes: int | None = None
    max_header_bytes: int | None = None
    allow_loopback_http: bool = False
    allow_private_hosts: Iterable[str] = ()
    allow_http_hosts: Iterable[str] = ()
    backend: Backend = "default"
    prepare: Prepare = "auto"
    cache_settings: CacheSettings = field(default_factory=CacheSettings, repr=False)
    _keys: KeySet | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the arguments, without reading or fetching anything."""
        if not isinstance(self.issuer, str):
            raise TypeError("issuer must be a string: the value of the tokens' iss claim")
        if not self.issuer:
            raise ValueError("issuer must not be empty")
        if not isinstance(self.cache_settings, CacheSettings):
            raise TypeError("cache_settings must be a CacheSettings")
        if self.backend not in ("default", "reference"):
            raise ValueError('backend must be "default" or "reference"')
        if self.prepare not in ("auto", "never"):
            raise ValueError('prepare must be "auto" or "never"')
        for name in _LISTS:
            object.__setattr__(self, name, as_tuple(name, getattr(self, name)))
        object.__setattr__(self, "audience", as_audience(self.audience))
        for name in _HOSTS:
            object.__setattr__(self, name, _as_hosts(name, getattr(self, name)))
        self._check_spellings()
        # The kernel checks what a policy may contain.
        self.policy({})
        self._check_ways()

    def policy(self, defaults: Mapping[str, Any], instead: Mapping[str, Any] | None = None) -> Policy:
        """Return the policy of this issuer's tokens: its own requirements, otherwise ``defaults`` (Policy's keywords).

        ``instead`` replaces both, for what a route requires.
        Raises ``TypeError`` or ``ValueError`` if they are invalid.
        """
        if self.trust_domain is not None:
            accepted: dict[str, Any] = {"trust_domain": self.trust_domain}
        elif self.tenants is not None:
            accepted = {"issuer": self.spellings, "tenants": self.tenants}
        else:
            accepted = {"issuer": self.spellings}
        return Policy(**{**defaults, **self.requirements(), **(instead or {}), **accepted})

    def requirements(self) -> dict[str, Any]:
        """Return the keywords of Policy that are set here, and not left to the Verifier."""
        return {name: value for name in _POLICY if (value := getattr(self, name)) is not None}

    @property
    def spellings(self) -> tuple[str, ...]:
        """The accepted values of ``iss``, templates included; the first is the issuer's name."""
        return (self.issuer, *self.aliases)

    @property
    def trust_domain(self) -> str | None:
        """``example.org`` for the SPIFFE trust domain ``spiffe://example.org``; otherwise ``None``."""
        return trust_domain_of(self.issuer)

    @property
    def is_remote(self) -> bool:
        """Whether its keys are fetched over HTTP."""
        return self.source is None and self._keys is None and self.jwks_file is None

    @property
    def is_discovered(self) -> bool:
        """Whether its keys are those of its published metadata."""
        return all(getattr(self, way) is None for way in _WAYS)

    def open(self, fetcher: Fetcher | None, clock: Callable[[], float], listener: Listener | None) -> KeySource:
        """Return a source of this issuer's keys, for one Verifier.

        ``clock`` returns seconds that never go back. Raises ``TypeError`` if the keys are remote and ``fetcher`` is
        ``None``.
        """
        if self.source is not None:
            return self.source
        if self._keys is not None:
            return MemorySource(self._keys)
        # Imported on first use, as these modules are slower to import than all the rest.
        if self.jwks_file is not None:
            from watchword.jwks.file import FileSource

            return FileSource(
                self.issuer,
                os.fspath(self.jwks_file),
                settings=self.cache_settings,
                backend=self.backend,
                prepare=self.prepare,
                clock=clock,
                listener=listener,
            )
        if fetcher is None:
            raise TypeError(f"the keys of {self.issuer!r} are fetched over HTTP: give a fetcher")
        from watchword.jwks.download import Endpoint
        from watchword.jwks.remote import RemoteSource

        endpoint = Endpoint(
            self.issuer,
            self.jwks_uri,
            self.allow_loopback_http,
            self.backend,
            self.prepare,
            self.cache_settings,
            tuple(self.allow_private_hosts),
            tuple(self.allow_http_hosts),
        )
        return RemoteSource(endpoint, fetcher=fetcher, clock=clock, listener=listener)

    def _check_spellings(self) -> None:
        if isinstance(self.aliases, (str, bytes)):
            raise TypeError(f"aliases must be a list or a tuple, such as ({self.aliases!r},)")
        object.__setattr__(self, "aliases", tuple(self.aliases))
        if not all(isinstance(alias, str) and alias for alias in self.aliases):
            raise TypeError("aliases must be non-empty strings: other values of the tokens' iss claim")
        if len(set(self.spellings)) < len(self.spellings):
            raise ValueError(f"an alias of the issuer {self.issuer!r} is given twice, or is the issuer itself")
        if isinstance(self.tenants, Iterable):
            object.__setattr__(self, "tenants", as_tuple("tenants", self.tenants))
        if self.trust_domain is not None and (self.aliases or self.tenants is not None):
            raise ValueError(f"{self.issuer!r} is a SPIFFE trust domain, which has neither aliases nor tenants")

    def _check_ways(self) -> None:
        given = [way for way in _WAYS if getattr(self, way) is not None]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} are given: keys must come from one of them")
        if self.jwks_uri is not None:
            if not isinstance(self.jwks_uri, str):
                raise TypeError("jwks_uri must be a string")
            from watchword.jwks.urls import check_url

            check_url(
                self.jwks_uri,
                allow_loopback_http=self.allow_loopback_http,
                what="jwks_uri",
                http_hosts=tuple(self.allow_http_hosts),
            )
        elif self.jwks is not None:
            keys = (
                self.jwks
                if isinstance(self.jwks, KeySet)
                else KeySet.from_json(self.jwks, backend=self.backend, prepare=self.prepare)
            )
            object.__setattr__(self, "_keys", _usable("jwks", keys))
        elif self.pem is not None:
            keys = KeySet.from_pem(self.pem, backend=self.backend, prepare=self.prepare)
            object.__setattr__(self, "_keys", _usable("pem", keys))
        elif self.jwks_file is not None:
            if not isinstance(os.fspath(self.jwks_file), str):
                raise TypeError("jwks_file must be a path as str or os.PathLike[str]")
        elif self.source is not None:
            if not all(callable(getattr(self.source, name, None)) for name in _SOURCE):
                raise TypeError(f"source must have the methods of watchword.jwks.KeySource: {', '.join(_SOURCE)}")
        elif self.trust_domain is not None:
            raise ValueError(
                f"no key source given for the trust domain {self.issuer!r}, which has no metadata: give the URL of its "
                f"bundle as jwks_uri, or the bundle as jwks or jwks_file"
            )
        elif self.tenants is not None:
            raise ValueError(
                f"no key source given for the issuer {self.issuer!r}, a template, which has no metadata: give the URL "
                f"of the keys that all tenants share as jwks_uri, or the keys as jwks or jwks_file"
            )
        else:
            from watchword.jwks.urls import check_issuer_url

            check_issuer_url(
                self.issuer, allow_loopback_http=self.allow_loopback_http, http_hosts=tuple(self.allow_http_hosts)
            )


def _as_hosts(name: str, hosts: Iterable[str]) -> tuple[str, ...]:
    if hosts == ():
        return ()
    from watchword.jwks.urls import check_hosts

    return check_hosts(hosts, what=name)


def _usable(name: str, keys: KeySet) -> KeySet:
    if len(keys) > 0:
        return keys
    from watchword.errors import KeySetError
    from watchword.jwks.describe import rejections

    why = rejections(keys)
    raise KeySetError(f"{name} has no usable key" + (f": {why}" if why else ""))


__all__ = ["Issuer"]
