"""Tokens and key sets as real issuers document them, verified with the settings of ``watchword.issuers``."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import mint
import pytest
from issuer_row import Row
from issuer_rows import ROWS

import watchword as ww
from watchword import ErrorCode
from watchword.jwks import FetchError, Response

by_name = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)


class Web:
    """What an issuer publishes, and nothing else."""

    def __init__(self, published: Mapping[str, Any]) -> None:
        self.published = published
        self.asked: list[str] = []

    def get(self, url: str, *, headers: Mapping[str, str], timeout: float, max_bytes: int) -> Response:
        self.asked.append(url)
        if url not in self.published:
            raise FetchError("there is no such document")
        return Response(200, {"content-type": "application/json"}, json.dumps(self.published[url]).encode())


def verifier(row: Row, web: Web | None = None) -> ww.Verifier:
    return ww.Verifier([row.issuer], audience=row.audience, clock=lambda: mint.NOW, fetcher=web or Web(row.published))


def verdict(row: Row, token: str) -> ErrorCode | None:
    with verifier(row) as used:
        try:
            used.verify(token)
        except ww.VerificationError as error:
            return error.code
    return None


@by_name
def test_a_documented_token_is_verified(row: Row) -> None:
    web = Web(row.published)
    with verifier(row, web) as used:
        token = used.verify(row.token())
    assert token.scopes == row.scopes
    assert token.claims == dict(row.claims)
    assert token.key_id == row.header["kid"]
    # Each document is fetched once, and nothing else.
    assert sorted(web.asked) == sorted(row.published)


@by_name
def test_a_documented_key_set_is_read(row: Row) -> None:
    (jwks,) = (document for document in row.published.values() if "keys" in document)
    keys = ww.KeySet.from_json(jwks)
    assert tuple((key.index, key.reason) for key in keys.rejected) == row.left_out
    assert row.header["kid"] in keys


@by_name
def test_a_token_signed_with_an_unknown_key(row: Row) -> None:
    unknown_key = {"rsa": "rsa-b", "p256": "p256-b"}.get(row.key)
    if unknown_key is None:
        # There is one key of that curve among the tests' keys: a signature of something else does as well.
        signed, other = row.token(), row.token({"jti": "another"})
        forged = signed.rpartition(".")[0] + "." + other.rpartition(".")[2]
    else:
        forged = row.token(key=unknown_key)
    assert verdict(row, forged) is ErrorCode.INVALID_SIGNATURE


#: What no issuer may do.
WRONG_CLAIMS: list[tuple[dict[str, object], ErrorCode]] = [
    ({"exp": mint.NOW - 60}, ErrorCode.EXPIRED),
    ({"exp": None}, ErrorCode.MALFORMED_CLAIMS),
    ({"nbf": None}, ErrorCode.MALFORMED_CLAIMS),
    ({"sub": 7}, ErrorCode.MALFORMED_CLAIMS),
    ({"nbf": mint.NOW + 60}, ErrorCode.NOT_YET_VALID),
    ({"aud": ["https://somebody.else"]}, ErrorCode.WRONG_AUDIENCE),
]


@by_name
def test_wrong_claims_are_rejected(row: Row) -> None:
    for claims, code in WRONG_CLAIMS:
        # A JWT-SVID's subject names its issuer.
        expected = ErrorCode.WRONG_ISSUER if "sub" in claims and "iss" not in row.claims else code
        assert verdict(row, row.token(claims)) is expected, claims


@by_name
def test_unsigned_tokens_and_shared_secrets(row: Row) -> None:
    for algorithm, key in (("none", row.key), ("HS256", b"secret")):
        head = {**row.header, "alg": algorithm}
        forged = mint.token(dict(row.claims), head, key=key, algorithm=algorithm)
        assert verdict(row, forged) is ErrorCode.ALGORITHM_NOT_ALLOWED


@by_name
def test_a_neighbour_of_a_good_token_is_rejected(row: Row) -> None:
    for name, change in row.rejected.items():
        assert verdict(row, row.token(change.claims, change.header, change.key or "")) is change.code, name


def test_all_of_them_at_once() -> None:
    # One row an issuer; each with the audience that its own tokens have.
    rows = {row.issuer.issuer: row for row in ROWS.values()}
    trusted = [
        row.issuer if row.audience is None else dataclasses.replace(row.issuer, audience=row.audience)
        for row in rows.values()
    ]
    web = Web({url: document for row in rows.values() for url, document in row.published.items()})
    with ww.Verifier(trusted, clock=lambda: mint.NOW, fetcher=web) as verifier:
        for row in rows.values():
            assert verifier.verify(row.token()).claims == dict(row.claims)
            for other in rows.values():
                # As a token of another issuer it is signed with an unknown key.
                iss = other.claims.get("iss")
                if iss is None or row.header["kid"] == other.header["kid"]:
                    continue
                with pytest.raises(ww.VerificationError):
                    verifier.verify(row.token({"iss": iss}))
