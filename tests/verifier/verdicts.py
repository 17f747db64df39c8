"""The verdict on a token from every entry point, which must be the same."""

from __future__ import annotations

import asyncio
from typing import Any

from endpoint import Server

import watchword as ww

ONE, TWO, ELSE = "https://one.example", "https://two.example", "https://else.example"


def remote(server: Server, issuer: str, path: str = "/jwks", **more: Any) -> ww.Issuer:
    return ww.Issuer(issuer, jwks_uri=server.url + path, allow_loopback_http=True, **more)


def error(verifier: ww.Verifier, token: str | bytes) -> ww.VerificationError | None:
    try:
        verifier.verify(token)
    except ww.VerificationError as error:
        return error
    return None


def code(verifier: ww.Verifier, token: str | bytes) -> ww.ErrorCode | None:
    """The verdict on one token, which is the same by each of the ways that a Verifier has."""
    request = {"method": "GET", "uri": "https://api.example/"}
    text = token if isinstance(token, str) else token.decode()

    async def alone() -> Any:
        return await verifier.verify_async(token)

    async def several() -> Any:
        return (await verifier.verify_many_async([token]))[0]

    async def requested() -> Any:
        return await verifier.verify_request_async(**request, headers={"Authorization": f"Bearer {text}"})

    ways = [
        lambda: verifier.verify(token),
        lambda: asyncio.run(alone()),
        lambda: verifier.verify_many([token])[0],
        lambda: asyncio.run(several()),
        lambda: verifier.verify_request(**request, headers={"Authorization": f"Bearer {text}"}),
        lambda: asyncio.run(requested()),
    ]
    verdicts = [_code(way) for way in ways]
    assert len(set(verdicts)) == 1, verdicts
    return verdicts[0]


def _code(way: Any) -> ww.ErrorCode | None:
    try:
        found = way()
    except ww.VerificationError as error:
        return error.code
    return getattr(found, "code", None)
