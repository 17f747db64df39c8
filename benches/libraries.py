"""Each library's whole verification of a token: signature, issuer, audience and expiry, by a key parsed beforehand.

``cryptography``, on which the others are built, verifies the bare signature, over bytes decoded beforehand.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from samples import AUDIENCE, ISSUER, Samples, split

import watchword

#: Returns anything but ``False``, or raises.
Verify = Callable[[Any], Any]


class CannotError(Exception):
    """A library has no such algorithm, or is not installed."""


@functools.cache
def key_set(samples: Samples) -> watchword.KeySet:
    """Return the key set of the samples; all contenders share it and its tables."""
    keys = watchword.KeySet.from_json(samples.jwks)
    keys.prepare()
    return keys


def watchword_verify(samples: Samples) -> Verify:
    return _watchword_verify(samples, key_set(samples))


def watchword_cold(samples: Samples) -> Verify:
    """By a key that has no table, and gets none."""
    return _watchword_verify(samples, watchword.KeySet.from_json(samples.jwks, prepare="never"))


def _watchword_verify(samples: Samples, keys: watchword.KeySet) -> Verify:
    policy = watchword.Policy(issuer=ISSUER, audience=AUDIENCE, algorithms=[samples.algorithm])
    return lambda token: watchword.verify(token, keys, policy)


def watchword_claims(samples: Samples) -> Verify:
    """With all claims as a dict, which the others always create, and Watchword on request."""
    verify = watchword_verify(samples)
    return lambda token: verify(token).claims


def watchword_verifier(samples: Samples, **options: Any) -> Verify:
    """By the class that manages the issuer's keys; with ``token_cache``, from its token cache."""
    issuer = watchword.Issuer(ISSUER, jwks=key_set(samples), algorithms=(samples.algorithm,))
    return watchword.Verifier([issuer], audience=AUDIENCE, **options).verify


def watchword_cached(samples: Samples) -> Verify:
    return watchword_verifier(samples, token_cache=watchword.TokenCache(max_bytes=64 << 20))


def pyjwt(samples: Samples) -> Verify:
    import jwt

    key, algorithms = jwt.PyJWK(samples.jwk).key, [samples.algorithm]
    return lambda token: jwt.decode(token, key, algorithms=algorithms, audience=AUDIENCE, issuer=ISSUER, leeway=5)


def joserfc(samples: Samples) -> Verify:
    from joserfc import jwk, jwt

    key, algorithms = jwk.import_key(samples.jwk), [samples.algorithm]
    claims = jwt.JWTClaimsRegistry(
        leeway=5,
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": AUDIENCE},
        exp={"essential": True},
    )
    return lambda token: claims.validate(jwt.decode(token, key, algorithms=algorithms).claims)


def authlib(samples: Samples) -> Verify:
    with warnings.catch_warnings():
        # It warns that joserfc replaces it, and makes sure that the warning is shown.
        from authlib.deprecate import AuthlibDeprecationWarning

        warnings.simplefilter("ignore", AuthlibDeprecationWarning)
        from authlib.jose import JsonWebKey, JsonWebToken

    key, decoder = JsonWebKey.import_key(samples.jwk), JsonWebToken([samples.algorithm])
    options = {
        "iss": {"essential": True, "value": ISSUER},
        "aud": {"essential": True, "value": AUDIENCE},
        "exp": {"essential": True},
    }
    return lambda token: decoder.decode(token, key, claims_options=options).validate(leeway=5)


def jwcrypto(samples: Samples) -> Verify:
    from jwcrypto import jwk, jwt

    key, algorithms = jwk.JWK(**samples.jwk), [samples.algorithm]
    claims = {"iss": ISSUER, "aud": AUDIENCE, "exp": None}
    return lambda token: jwt.JWT(jwt=token, key=key, algs=algorithms, check_claims=claims)


def python_jose(samples: Samples) -> Verify:
    from jose import jwk, jwt
    from jose.constants import ALGORITHMS

    if samples.algorithm not in ALGORITHMS.SUPPORTED:
        raise CannotError(f"python-jose has no {samples.algorithm}")
    key, algorithms = jwk.construct(samples.jwk, samples.algorithm), [samples.algorithm]
    options = {"leeway": 5}
    return lambda token: jwt.decode(
        token, key, algorithms=algorithms, audience=AUDIENCE, issuer=ISSUER, options=options
    )


def cryptography_bare(samples: Samples) -> Verify:
    """Return a function that takes the result of :func:`bare`."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    key: Any = load_pem_public_key(samples.issuer.public_pem())
    if samples.algorithm == "EdDSA":
        return lambda parts: key.verify(parts[1], parts[0])
    digest = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[samples.algorithm[2:]]
    if samples.algorithm.startswith("ES"):
        ecdsa = ec.ECDSA(digest)
        return lambda parts: key.verify(parts[1], parts[0], ecdsa)
    pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
    scheme = pss if samples.algorithm.startswith("PS") else padding.PKCS1v15()
    return lambda parts: key.verify(parts[1], parts[0], scheme, digest)


def bare(algorithm: str, token: str) -> tuple[bytes, bytes]:
    """Return the message and the signature as ``cryptography`` needs them: ECDSA in DER."""
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    message, signature = split(token)
    if algorithm.startswith("ES"):
        half = len(signature) // 2
        numbers = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
        signature = encode_dss_signature(*numbers)
    return message, signature


CACHED = "Watchword Verifier, token cached"
BARE = "cryptography, bare signature"

#: Contenders that verify a whole token, and so must check its claims.
WHOLE: dict[str, Callable[[Samples], Verify]] = {
    "Watchword": watchword_verify,
    "Watchword, cold key": watchword_cold,
    "Watchword, claims as a dict": watchword_claims,
    "Watchword Verifier": watchword_verifier,
    CACHED: watchword_cached,
    "PyJWT": pyjwt,
    "joserfc": joserfc,
    "Authlib": authlib,
    "jwcrypto": jwcrypto,
    "python-jose": python_jose,
}


def contestant(name: str, samples: Samples) -> tuple[Verify, list[Any]]:
    """Return a library's function and its inputs. Raises :class:`CannotError` if the library lacks the algorithm.

    The function was checked: it accepts every valid token and rejects every invalid one.
    """
    inputs: list[Any] = samples.tokens
    bad: list[Any] = samples.forged + samples.unfit
    if name == BARE:
        inputs = [bare(samples.algorithm, token) for token in samples.tokens]
        bad = [bare(samples.algorithm, token) for token in samples.forged]
    try:
        verify = cryptography_bare(samples) if name == BARE else WHOLE[name](samples)
    except ImportError:
        raise CannotError(f"{name} is not installed") from None
    check(name, verify, inputs, bad)
    return verify, inputs


def contestants(samples: Samples, names: Iterable[str]) -> tuple[dict[str, tuple[Verify, list[Any]]], dict[str, str]]:
    """Return the libraries that can verify, as in :func:`contestant`, and the reasons why the others cannot."""
    able: dict[str, tuple[Verify, list[Any]]] = {}
    unable: dict[str, str] = {}
    for name in names:
        try:
            able[name] = contestant(name, samples)
        except CannotError as reason:
            unable[name] = str(reason)
    return able, unable


def check(name: str, verify: Verify, good: list[Any], bad: list[Any]) -> None:
    """Raises ``AssertionError`` if a valid token is rejected or an invalid one accepted."""
    for token in good:
        assert accepts(verify, token), f"{name} rejects a valid token"
    for index, token in enumerate(bad):
        assert not accepts(verify, token), f"{name} accepts invalid token {index}: the comparison is void"


def accepts(verify: Verify, token: Any) -> bool:
    try:
        return verify(token) is not False
    except Exception:  # each library has its own
        return False
