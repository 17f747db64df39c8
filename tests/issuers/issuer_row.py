"""An issuer as it is documented: its keys, a key set and a token of the documented form, and tokens to reject."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import mint

import watchword as ww
from watchword import ErrorCode

OMIT = mint.OMIT
API = "https://api.example"


@dataclass(frozen=True)
class Change:
    """What is different in an invalid variant of a good token, and its error."""

    code: ErrorCode
    claims: Mapping[str, Any] = field(default_factory=dict)
    header: Mapping[str, Any] = field(default_factory=dict)
    key: str | None = None


@dataclass(frozen=True)
class Row:
    """An issuer, the documents that it publishes by URL, and a good token."""

    issuer: ww.Issuer
    published: Mapping[str, Any]
    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    key: str = "rsa"
    audience: str | None = API
    scopes: tuple[str, ...] = ()
    rejected: Mapping[str, Change] = field(default_factory=dict)
    #: Keys of the set that are rejected: index and reason.
    left_out: tuple[tuple[int, str], ...] = ()

    def token(
        self, claims: Mapping[str, Any] | None = None, header: Mapping[str, Any] | None = None, key: str = ""
    ) -> str:
        """The good token, changed, signed with the algorithm that the unchanged header names."""
        return mint.token(
            changed(self.claims, claims),
            changed(self.header, header),
            key=key or self.key,
            algorithm=self.header["alg"],
        )


def changed(good: Mapping[str, Any], changes: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in {**good, **(changes or {})}.items() if value is not OMIT}


def times(**more: Any) -> dict[str, Any]:
    return {"iat": mint.NOW - 60, "exp": mint.NOW + 3540, **more}


def rsa_key(kid: str, name: str = "rsa", **members: Any) -> mint.JWK:
    return mint.public_jwk(name, kid=kid, use="sig", alg="RS256", **members)


def metadata(issuer: str, jwks_uri: str, **more: Any) -> dict[str, Any]:
    return {"issuer": issuer, "jwks_uri": jwks_uri, **more}


def discovered(issuer: str, jwks_uri: str, *keys: mint.JWK) -> dict[str, Any]:
    place = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    return {place: metadata(issuer, jwks_uri), jwks_uri: {"keys": list(keys)}}
