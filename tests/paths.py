"""Every way to a verdict: both backends, with precomputed tables and without, three entry points and the token cache.

A table of tokens runs over all of them.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import mint
import pytest

import watchword as ww

Backend = Literal["default", "reference"]
Prepare = Literal["auto", "never"]
Entry = Literal["verify", "verify_many", "verify_jws", "cached"]


class KeyOptions(NamedTuple):
    """The keyword arguments of :class:`KeySet`'s constructors that decide how signatures are verified."""

    backend: Backend = "default"
    prepare: Prepare = "auto"

    def __str__(self) -> str:
        return f"{self.backend}-{self.prepare}"


KEY_OPTIONS = (KeyOptions(), KeyOptions(prepare="never"), KeyOptions("reference"))

#: Remembers what was accepted from one test to the next, as a gateway does.
CACHE = ww.TokenCache(max_bytes=1024 * 1024)

#: The codes that the JWS layer can yield; what comes after them is about claims.
JWS_CODES = frozenset(
    {
        ww.ErrorCode.TOO_LARGE,
        ww.ErrorCode.MALFORMED_TOKEN,
        ww.ErrorCode.UNSUPPORTED,
        ww.ErrorCode.MALFORMED_HEADER,
        ww.ErrorCode.UNSUPPORTED_CRITICAL_HEADER,
        ww.ErrorCode.WRONG_TYPE,
        ww.ErrorCode.ALGORITHM_NOT_ALLOWED,
        ww.ErrorCode.UNKNOWN_KEY,
        ww.ErrorCode.INVALID_SIGNATURE,
    }
)

#: All good keys, each under its own kid.
GOOD_KEYS = mint.jwks("ed25519", "p256", "p384", "rsa")


@dataclass(frozen=True)
class Path:
    options: KeyOptions
    entry: Entry

    def __str__(self) -> str:
        return f"{self.entry}-{self.options}"

    @property
    def reads_claims(self) -> bool:
        return self.entry != "verify_jws"

    def judge(
        self,
        token: str | bytes,
        *,
        jwks: dict[str, Any] = GOOD_KEYS,
        now: float = mint.NOW,
        **policy: Any,
    ) -> ww.ErrorCode | None:
        """The code of the verdict; ``None`` is "valid". The policy has the test issuer and audience unless told."""
        keys = key_set(json.dumps(jwks), self.options)
        if self.entry == "verify_jws":
            types = policy.get("types", ("JWT", "at+jwt", None))
            try:
                ww.verify_jws(token, keys, algorithms=policy.get("algorithms"), types=types)
            except ww.VerificationError as error:
                return error.code
            return None
        demanded = compiled_policy(**{"issuer": mint.ISSUER, "audience": mint.AUDIENCE, **policy})
        if self.entry == "verify_many":
            batch = [token, mint.token(), token.encode("utf-8", "surrogatepass") if isinstance(token, str) else token]
            first, _, second = ww.verify_many(batch, keys, demanded, now=now).codes()
            assert first == second, "text and bytes of one token got different verdicts"
            return first
        if self.entry == "cached":
            first, second = (verdict(CACHE.verify, token, keys, demanded, now=now) for _ in range(2))
            assert first == second, "a token got another verdict when it came again"
            return first
        return verdict(ww.verify, token, keys, demanded, now=now)

    def expect(self, code: ww.ErrorCode) -> ww.ErrorCode | None:
        """What this path says of a token whose first defect has ``code``: the JWS layer is blind to claims."""
        return code if self.reads_claims or code in JWS_CODES else None


def verdict(verify: Callable[..., object], *arguments: Any, now: float) -> ww.ErrorCode | None:
    try:
        verify(*arguments, now=now)
    except ww.VerificationError as error:
        return error.code
    return None


@functools.lru_cache(maxsize=256)
def key_set(jwks: str, options: KeyOptions = KEY_OPTIONS[0]) -> ww.KeySet:
    """The key set, with precomputed tables for all keys if the options allow them."""
    keys = ww.KeySet.from_json(jwks, **options._asdict())
    keys.prepare()
    return keys


def compiled_policy(**demands: Any) -> ww.Policy:
    return ww.Policy(**demands)


PATHS = (
    *(Path(options, entry) for options in KEY_OPTIONS for entry in ("verify", "verify_many", "verify_jws")),
    Path(KeyOptions(), "cached"),
)

every_path = pytest.mark.parametrize("path", PATHS, ids=str)
claim_paths = pytest.mark.parametrize("path", [path for path in PATHS if path.reads_claims], ids=str)
each_backend = pytest.mark.parametrize("backend", ["default", "reference"])
each_options = pytest.mark.parametrize("options", KEY_OPTIONS, ids=str)
