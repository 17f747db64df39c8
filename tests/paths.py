"""Every way to verify a token: both backends, with precomputed tables and without, three entry points, the token cache.

All of them must agree: ``assert_verdict`` verifies a token on every path and names those that differ.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import mint
import pytest

import watchword as ww

Backend = Literal["default", "reference"]
Prepare = Literal["auto", "never"]
Entry = Literal["verify", "verify_many", "verify_jws", "cached"]

BACKENDS: tuple[Backend, ...] = ("default", "reference")


class KeyOptions(NamedTuple):
    """The keyword arguments of ``KeySet``'s constructors that decide how signatures are verified."""

    backend: Backend = "default"
    prepare: Prepare = "auto"

    def __str__(self) -> str:
        return f"{self.backend}-{self.prepare}"


KEY_OPTIONS = (KeyOptions(), KeyOptions(prepare="never"), KeyOptions("reference"))

#: Kept from one test to the next, as in a gateway.
CACHE = ww.TokenCache(max_bytes=1024 * 1024)

#: The codes of the JWS layer; all others are about claims.
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

#: The neighbour of a token in a batch.
VALID_TOKEN = mint.token()


@dataclass(frozen=True)
class Path:
    options: KeyOptions
    entry: Entry

    def __str__(self) -> str:
        return f"{self.entry}-{self.options}"

    @property
    def reads_claims(self) -> bool:
        return self.entry != "verify_jws"

    def verdict(
        self,
        token: str | bytes,
        *,
        jwks: dict[str, Any] = GOOD_KEYS,
        now: float = mint.NOW,
        **policy: Any,
    ) -> ww.ErrorCode | None:
        """Return the code of the error, ``None`` if the token is valid.

        The policy requires the test issuer and audience by default.
        """
        keys = key_set(json.dumps(jwks), self.options)
        if self.entry == "verify_jws":
            types = policy.get("types", ("JWT", "at+jwt", None))
            return code_of(ww.verify_jws, token, keys, algorithms=policy.get("algorithms"), types=types)
        compiled = ww.Policy(**{"issuer": mint.ISSUER, "audience": mint.AUDIENCE, **policy})
        if self.entry == "verify_many":
            batch = [token, VALID_TOKEN, token.encode("utf-8", "surrogatepass") if isinstance(token, str) else token]
            first, _, second = ww.verify_many(batch, keys, compiled, now=now).codes()
            assert first == second, f"{self}: {first} for the text of a token, {second} for its bytes"
            return first
        if self.entry == "cached":
            first, second = (code_of(CACHE.verify, token, keys, compiled, now=now) for _ in range(2))
            assert first == second, f"{self}: {first} for a token, {second} when it was repeated"
            return first
        return code_of(ww.verify, token, keys, compiled, now=now)

    def expected(self, code: ww.ErrorCode | None) -> ww.ErrorCode | None:
        """Return the verdict of this path on a token whose first defect has ``code``: the JWS layer reads no claims."""
        return code if self.reads_claims or code in JWS_CODES else None


PATHS = (
    *(Path(options, entry) for options in KEY_OPTIONS for entry in ("verify", "verify_many", "verify_jws")),
    Path(KeyOptions(), "cached"),
)
CLAIM_PATHS = tuple(path for path in PATHS if path.reads_claims)

each_backend = pytest.mark.parametrize("backend", BACKENDS)
each_options = pytest.mark.parametrize("options", KEY_OPTIONS, ids=str)


def assert_verdict(
    token: str | bytes,
    code: ww.ErrorCode | None,
    note: object = "",
    *,
    paths: Iterable[Path] = PATHS,
    **options: Any,
) -> None:
    """Verify ``token`` on every path: each must yield ``code``, or accept it if the path doesn't read what is wrong.

    ``options`` are those of ``Path.verdict``. A failure names every path that differs, and ``note``.
    """
    differing = {
        str(path): verdict for path in paths if (verdict := path.verdict(token, **options)) is not path.expected(code)
    }
    assert not differing, f"expected {code}, got {_readable(differing)} {note}"


#: The same for paths that read claims, under policies that the JWS layer doesn't know.
assert_claims_verdict = functools.partial(assert_verdict, paths=CLAIM_PATHS)


def assert_on_each_backend(check: Callable[[Backend], object], expected: object) -> None:
    """Call ``check`` for each backend. A failure names every backend whose result is not ``expected``."""
    differing = {backend: found for backend in BACKENDS if (found := check(backend)) != expected}
    assert not differing, f"expected {expected}, got {_readable(differing)}"


def _readable(results: Mapping[Any, object]) -> str:
    return ", ".join(f"{result} from {name}" for name, result in results.items())


def code_of(verify: Callable[..., object], *arguments: Any, **options: Any) -> ww.ErrorCode | None:
    try:
        verify(*arguments, **options)
    except ww.VerificationError as error:
        return error.code
    return None


@functools.lru_cache(maxsize=256)
def key_set(jwks: str, options: KeyOptions = KEY_OPTIONS[0]) -> ww.KeySet:
    """The key set, with precomputed tables for all keys if the options allow them."""
    keys = ww.KeySet.from_json(jwks, **options._asdict())
    keys.prepare()
    return keys
