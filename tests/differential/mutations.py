"""Hypothesis strategies: good tokens and keys, changed a little."""

from __future__ import annotations

import json
from typing import Any

import mint
from hypothesis import settings
from hypothesis import strategies as st


def times(factor: int) -> settings:
    """Multiply the examples of the profile: the tests here are cheap, and their space is large."""
    return settings(max_examples=settings().max_examples * factor)


#: One valid token of each algorithm.
GOOD_TOKENS = tuple(mint.token(key=key, algorithm=algorithm) for key, algorithm in mint.SIGNERS)

BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

json_values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.integers(mint.NOW - 400, mint.NOW + 400),
        st.floats(),
        st.text(max_size=8),
        st.sampled_from(
            [mint.ISSUER, mint.AUDIENCE, "1900000300", "JWT", "EdDSA", "ed25519", "p256", "\ud800", "", 10**400]
        ),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    max_leaves=5,
)

claim_names = st.one_of(
    st.sampled_from(["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "scope", "cnf", "act", "nonce"]),
    st.text(max_size=4),
)
header_names = st.one_of(
    st.sampled_from(["alg", "kid", "typ", "cty", "crit", "b64", "zip", "jwk", "jku", "x5u", "x5c", "enc"]),
    st.text(max_size=4),
)
header_values = st.one_of(
    json_values,
    st.sampled_from(
        [algorithm for _, algorithm in mint.SIGNERS] + ["none", "HS256", "ES512", "at+jwt", "application/jwt", "jwt"]
    ),
    st.sampled_from(["ed25519", "p256", "p384", "rsa", "nobody"]),
    st.sampled_from([["exp"], [], ["b64"]]),
)


def _edited(text: str, position: int, edit: str, inserted: str) -> str:
    at = position % (len(text) + 1)
    if edit == "insert":
        return text[:at] + inserted + text[at:]
    if edit == "delete":
        return text[:at] + text[at + 1 :]
    if edit == "replace":
        return text[:at] + inserted + text[at + 1 :]
    if edit == "cut":
        return text[:at]
    if edit == "double":
        return text[:at] + text[max(0, at - 4) :]
    return text[:at] + text[at : at + 1].swapcase() + text[at + 1 :]


edits = st.sampled_from(["insert", "delete", "replace", "cut", "double", "case"])


@st.composite
def edited_text(draw: st.DrawFn) -> str:
    """A valid token with a few characters inserted, deleted, replaced; nothing signed again."""
    token = draw(st.sampled_from(GOOD_TOKENS))
    for _ in range(draw(st.integers(1, 3))):
        characters = st.one_of(st.sampled_from(BASE64URL), st.sampled_from("=.+/ \n\x00é"), st.characters())
        token = _edited(token, draw(st.integers(0, 4000)), draw(edits), draw(characters))
    return token


@st.composite
def flipped_bit(draw: st.DrawFn) -> str:
    """A valid token with one bit of one decoded part flipped."""
    parts = draw(st.sampled_from(GOOD_TOKENS)).split(".")
    index = draw(st.integers(0, 2))
    raw = bytearray(mint.unb64(parts[index]))
    position = draw(st.integers(0, len(raw) * 8 - 1))
    raw[position // 8] ^= 1 << position % 8
    parts[index] = mint.b64(bytes(raw))
    return ".".join(parts)


@st.composite
def swapped_parts(draw: st.DrawFn) -> str:
    """The parts of several valid tokens, put together anew."""
    parts = [part for token in GOOD_TOKENS for part in token.split(".")]
    return ".".join(draw(st.lists(st.sampled_from(parts), min_size=2, max_size=4)))


@st.composite
def signed_again(draw: st.DrawFn) -> str:
    """Members of header and claims changed, then validly signed."""
    key, algorithm = draw(st.sampled_from(mint.SIGNERS))
    head: dict[str, Any] = mint.header(key, algorithm)
    claims: dict[str, Any] = mint.claims()
    head.update(draw(st.dictionaries(header_names, header_values, max_size=2)))
    claims.update(draw(st.dictionaries(claim_names, json_values, max_size=2)))
    for document in (head, claims):
        for name in draw(st.lists(st.sampled_from(sorted(document)), max_size=1)):
            del document[name]
    return mint.token(json.dumps(claims).encode(), json.dumps(head).encode(), key=key, algorithm=algorithm)


JSON_PIECES = (
    *'"\\{}[],: \t0-.',
    *("\ufeff", "\u00a0", "\x00", "\x0b"),
    *("e9", "null", "NaN", "1e400", "\\ud800", "\\u0041"),
    *('"x":1,', '"exp":1,', '"sub":"b",'),
)


@st.composite
def json_edited_and_signed(draw: st.DrawFn) -> str:
    """The text of header or claims edited by the character, then validly signed."""
    key, algorithm = draw(st.sampled_from(mint.SIGNERS))
    documents = [mint.encode(mint.header(key, algorithm)).decode(), mint.encode(mint.claims()).decode()]
    index = draw(st.integers(0, 1))
    for _ in range(draw(st.integers(1, 2))):
        inserted = draw(st.one_of(st.sampled_from(JSON_PIECES), st.characters()))
        documents[index] = _edited(documents[index], draw(st.integers(0, 400)), draw(edits), inserted)
    head, claims = (document.encode("utf-8", "surrogatepass") for document in documents)
    return mint.token(claims, head, key=key, algorithm=algorithm)


@st.composite
def part_spelled_otherwise(draw: st.DrawFn) -> str:
    """The same bytes in another base64: padded, with line breaks, with unused bits; signed in that form."""
    key, algorithm = draw(st.sampled_from(mint.SIGNERS))
    head = mint.encode(mint.header(key, algorithm)) + b" " * draw(st.integers(0, 2))
    claims = mint.encode(mint.claims()) + b" " * draw(st.integers(0, 2))
    parts = [mint.b64(head), mint.b64(claims)]
    signature = ""
    index = draw(st.integers(0, 2))
    spell = draw(
        st.sampled_from(
            ["pad", "pad too far", "newline", "space inside", "unused bits", "standard alphabet", "character more"]
        )
    )
    if index < 2:
        parts[index] = _spelled(parts[index], spell)
    signature = mint.b64(mint.sign(algorithm, key, ".".join(parts).encode()))
    if index == 2:
        signature = _spelled(signature, spell)
    return ".".join([*parts, signature])


def _spelled(part: str, spell: str) -> str:
    if spell == "pad":
        return part + "=" * (-len(part) % 4)
    if spell == "pad too far":
        return part + "===="
    if spell == "newline":
        return part + "\n"
    if spell == "space inside":
        return part[:8] + " " + part[8:]
    if spell == "unused bits":
        return part[:-1] + BASE64URL[BASE64URL.index(part[-1]) | (1 if len(part) % 4 else 0)]
    if spell == "standard alphabet":
        return part.replace("-", "+").replace("_", "/")
    return part + "A"


tokens = st.one_of(
    st.sampled_from(GOOD_TOKENS),
    edited_text(),
    flipped_bit(),
    swapped_parts(),
    signed_again(),
    json_edited_and_signed(),
    part_spelled_otherwise(),
)


KEY_VALUES: tuple[Any, ...] = (
    *("sig", "enc", "RSA", "EC", "OKP", "P-256", "P-384", "Ed25519"),
    *(["verify"], ["sign"], ["verify", "sign"]),
)


@st.composite
def changed_keys(draw: st.DrawFn) -> tuple[dict[str, Any], str]:
    """A JWK with a member or a few bits changed, and a token that the key verified before."""
    key, algorithm = draw(st.sampled_from(mint.SIGNERS))
    jwk = mint.public_jwk(key)
    member = draw(st.sampled_from(sorted(jwk.keys() & {"x", "y", "n", "e"})))
    how = draw(st.sampled_from(["bit", "text", "member", "shorter", "longer", "nothing"]))
    if how == "bit":
        raw = bytearray(mint.unb64(jwk[member]))
        position = draw(st.integers(0, len(raw) * 8 - 1))
        raw[position // 8] ^= 1 << position % 8
        jwk[member] = mint.b64(bytes(raw))
    elif how == "text":
        jwk[member] = _edited(
            jwk[member], draw(st.integers(0, 400)), draw(edits), draw(st.sampled_from(BASE64URL + "=+/ "))
        )
    elif how == "shorter":
        jwk[member] = mint.b64(mint.unb64(jwk[member])[1:])
    elif how == "longer":
        jwk[member] = mint.b64(b"\x00" + mint.unb64(jwk[member]))
    elif how == "member":
        names = st.sampled_from(["kty", "crv", "use", "alg", "key_ops", "kid", "d", "x", "y", "n", "e"])
        values = st.one_of(json_values, header_values, st.sampled_from(KEY_VALUES))
        jwk[draw(names)] = draw(values)
    return jwk, GOOD_TOKENS[mint.SIGNERS.index((key, algorithm))]
