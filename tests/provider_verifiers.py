"""Every way to verify a provider's token: the functions of its package, and the command line."""

from __future__ import annotations

import asyncio
import importlib.util
import io
import json
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any
from unittest import mock

import mint
import pytest
from provider_samples import JWKS

import watchword as ww
from watchword.cli import main

#: The code of the verdict on a token as of a moment; ``None`` is "valid".
Verb = Callable[[str, int], "str | None"]


def _agentwrit(issuer: str) -> dict[str, Verb]:
    from watchword.providers.agentwrit import Broker, trust_broker, validate

    broker = Broker("https://broker.example", JWKS, issuer=issuer, audience=mint.AUDIENCE)
    trust_broker(broker)

    def code(result: Any) -> str | None:
        return None if result.valid else str(result.code)

    return {
        "Broker.validate": lambda token, now: code(broker.validate(token, now=now)),
        "validate": lambda token, now: code(validate("https://broker.example", token, now=now)),
    }


def _authgent(issuer: str) -> dict[str, Verb]:
    from watchword.providers.authgent import AuthgentError, JWKSFetcher, verify_token, verify_token_sync

    class Keys:
        async def get_key(self, key_id: str) -> dict[str, Any]:
            return await fetcher.get_key(key_id)

    fetcher = JWKSFetcher(issuer, jwks=JWKS)

    def verb(call: Callable[[str], object]) -> Verb:
        def verify(token: str, now: int) -> str | None:
            del now  # these take the clock's
            try:
                call(token)
            except AuthgentError as error:
                return str(error.code)
            return None

        return verify

    return {
        "verify_token_sync": verb(lambda token: verify_token_sync(token, issuer, mint.AUDIENCE, fetcher)),
        "verify_token": verb(lambda token: asyncio.run(verify_token(token, issuer, mint.AUDIENCE, fetcher))),
        "verify_token, own fetcher": verb(
            lambda token: asyncio.run(verify_token(token, issuer, mint.AUDIENCE, Keys()))
        ),
    }


def _authpi(issuer: str) -> dict[str, Verb]:
    from watchword.providers.authpi import IdTokenVerifier, OAuthError

    idp = IdTokenVerifier(issuer, mint.AUDIENCE, jwks=JWKS)

    def tokens(id_token: str) -> dict[str, Any]:
        return {"access_token": "opaque", "expires_at": 1, "id_token": id_token}

    def verb(call: Callable[[str, int], object]) -> Verb:
        def verify(token: str, now: int) -> str | None:
            try:
                call(token, now)
            except OAuthError as error:
                return str(getattr(error.__cause__, "code", error.error))
            return None

        return verify

    return {
        "verify": verb(lambda token, now: idp.verify(token, now=now)),
        "verify_async": verb(lambda token, now: asyncio.run(idp.verify_async(token, now=now))),
        "create_agent": verb(lambda token, now: idp.create_agent(tokens(token), now=now)),
        "create_agent_async": verb(lambda token, now: asyncio.run(idp.create_agent_async(tokens(token), now=now))),
    }


def _clawauth(issuer: str) -> dict[str, Verb]:
    from watchword.providers.clawauth import ClawAuth

    auth = ClawAuth(service_id="orders", api_key="svc_1", jwks=mint.jwks("p256"), issuer=issuer, audience=mint.AUDIENCE)

    def code(result: Any) -> str | None:
        return None if result.valid else str(result.error.partition(":")[0])

    return {
        "verify": lambda token, now: code(auth.verify(token, now=now)),
        "verify_async": lambda token, now: code(asyncio.run(auth.verify_async(token, now=now))),
    }


def _paphwey(issuer: str) -> dict[str, Verb]:
    from watchword.providers.paphwey.errors import PaphweyVerificationError
    from watchword.providers.paphwey.verify import AsyncOfflineVerifier, OfflineVerifier

    one = OfflineVerifier(ww.Issuer(issuer, jwks=JWKS))
    other = AsyncOfflineVerifier(ww.Issuer(issuer, jwks=JWKS))
    returning = OfflineVerifier(ww.Issuer(issuer, jwks=JWKS), on_invalid="return")

    def verb(call: Callable[[str, int], object]) -> Verb:
        def verify(token: str, now: int) -> str | None:
            try:
                call(token, now)
            except PaphweyVerificationError as error:
                return error.code
            return None

        return verify

    return {
        "verify": verb(lambda token, now: one.verify(token, mint.AUDIENCE, "dlg_1", now=now)),
        "verify_async": verb(lambda token, now: asyncio.run(one.verify_async(token, mint.AUDIENCE, "dlg_1", now=now))),
        "async verify": verb(lambda token, now: asyncio.run(other.verify(token, mint.AUDIENCE, "dlg_1", now=now))),
        "outcome": lambda token, now: returning.verify(token, mint.AUDIENCE, "dlg_1", now=now).code,
    }


#: The functions of each provider that verify a token, by their names; the first is the one that programs call most.
LIBRARY: dict[str, Callable[[str], dict[str, Verb]]] = {
    "agentwrit": _agentwrit,
    "authgent": _authgent,
    "authpi": _authpi,
    "clawauth": _clawauth,
    "paphwey": _paphwey,
}


def needs(provider: str) -> None:
    """Skips what a tree without this provider, or without its extra, cannot do."""
    if importlib.util.find_spec(f"watchword.providers.{provider}") is None:
        pytest.skip(f"watchword.providers.{provider} is not part of this tree")
    if provider in ("authpi", "clawauth", "paphwey"):
        pytest.importorskip("pydantic", reason=f"watchword.providers.{provider} has pydantic's models")


def options(provider: str, keys: Path, issuer: str, now: int) -> list[str]:
    """Those of the command line that ask for what the verbs ask for."""
    meant = ["--issuer", issuer, "--audience", mint.AUDIENCE, "--at", str(now)]
    return ["verify", "--provider", provider, "--jwks", str(keys), *meant, "--json"]


def command_line(arguments: Sequence[str], tokens: Sequence[str]) -> list[str | None]:
    """The codes that the command line, in this process, prints for tokens on its standard input."""
    out, lines = io.StringIO(), io.TextIOWrapper(io.BytesIO("\n".join(tokens).encode()))
    with mock.patch("sys.stdin", lines), redirect_stdout(out):
        status = main(list(arguments))
    answers = [json.loads(line) for line in out.getvalue().splitlines()]
    assert status == (0 if all(answer["valid"] for answer in answers) else 1)
    assert all(answer["valid"] is (answer["code"] is None) for answer in answers)
    assert len(answers) == len(tokens)
    return [answer["code"] for answer in answers]
