"""``--provider``: the rules of one provider's tokens, in addition to what the other options require."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from watchword import ANY_AUDIENCE, KeySet, VerificationError, VerifiedToken
from watchword.cli.command_error import CommandError
from watchword.cli.requirement_options import types_in
from watchword.providers import detect
from watchword.providers.profiles import Rules, profile_of

Verdict = VerifiedToken | VerificationError


def rules_in(arguments: argparse.Namespace) -> Rules | None:
    """Return the rules of the provider that ``--provider`` names, narrowed by the other options; ``None`` without it.

    Raises :class:`CommandError` if keys are missing, or if no token can satisfy both.
    """
    if arguments.provider is None:
        return None
    profile = profile_of(arguments.provider)
    if not profile.publishes_keys and not (arguments.jwks or arguments.pem):
        raise CommandError(f"{arguments.provider} does not publish its keys. Give them with --jwks or --pem.")
    usual = profile.rules()
    return profile.rules(
        issuers=tuple(arguments.issuer),
        audience=ANY_AUDIENCE if arguments.any_audience else tuple(arguments.audience) or None,
        algorithms=_narrowed("--algorithm", arguments.algorithm, usual.algorithms, arguments.provider),
        types=_narrowed("--type", types_in(arguments), usual.types, arguments.provider) or (),
        required=tuple(arguments.require),
        leeway=usual.leeway if arguments.leeway is None else arguments.leeway,
        bound_tokens=_bound_tokens(arguments, usual),
    )


def publishes_keys(arguments: argparse.Namespace) -> bool:
    """Return whether keys can be fetched from the issuers: always without ``--provider``."""
    return arguments.provider is None or profile_of(arguments.provider).publishes_keys


def jwks_uri_of(issuer: str, arguments: argparse.Namespace) -> str | None:
    """Return the URL from which the provider's own verifier fetches the keys of ``issuer``; ``None``: discover it."""
    path = None if arguments.provider is None else profile_of(arguments.provider).jwks_path
    return None if path is None else issuer.rstrip("/") + path


def read_pem_of(arguments: argparse.Namespace) -> Callable[[str | bytes], KeySet]:
    """Return the function that reads a public key in PEM."""
    return KeySet.from_pem if arguments.provider is None else profile_of(arguments.provider).read_pem


def checked(
    tokens: Iterable[str | bytes], verdicts: Iterable[Verdict], rules: Rules, now: float, keys: KeySet | None
) -> Iterable[Verdict]:
    """Yield the verdicts after the provider's rules have been applied to the tokens that are valid so far."""
    for token, verdict in zip(tokens, verdicts, strict=True):
        yield _check(token, verdict, rules, now, keys) if isinstance(verdict, VerifiedToken) else verdict


def not_checked(arguments: argparse.Namespace) -> tuple[str, ...]:
    """Return what cannot be checked with the provider's tokens alone."""
    return () if arguments.provider is None else profile_of(arguments.provider).not_checked


def other_provider_hint(token: str | bytes, arguments: argparse.Namespace) -> str | None:
    """Return a hint if the token looks like one of another provider; otherwise ``None``."""
    looks_like = detect(token).provider if arguments.provider else None
    if looks_like is None or looks_like == arguments.provider:
        return None
    return f"A token looks like one of {looks_like}'s. Verify it with --provider {looks_like}."


def _check(token: str | bytes, verified: VerifiedToken, rules: Rules, now: float, keys: KeySet | None) -> Verdict:
    try:
        rules.check(verified, now=now, keys=keys)
    except VerificationError as error:
        return error.about(token, verified)
    return verified


def _bound_tokens(arguments: argparse.Namespace, usual: Rules) -> Any:  # noqa: ANN401 - one of two strings
    always = profile_of(arguments.provider).bound_tokens
    if arguments.accept_bound and always == "reject":
        raise CommandError(
            f"--accept-bound contradicts --provider {arguments.provider}, whose tokens are never bound to a key."
        )
    return "accept" if arguments.accept_bound else usual.bound_tokens


def _narrowed(
    option: str, asked: Sequence[Any] | None, usual: Sequence[Any] | None, provider: str
) -> tuple[Any, ...] | None:
    if asked is None or usual is None:
        found = usual if asked is None else asked
        return None if found is None else tuple(found)
    common = tuple(one for one in asked if one in usual)
    if not common:
        theirs = ", ".join(one or "none" for one in usual)
        raise CommandError(f"{option} contradicts --provider {provider}, whose tokens have {theirs}.")
    return common


__all__ = [
    "checked",
    "jwks_uri_of",
    "not_checked",
    "other_provider_hint",
    "publishes_keys",
    "read_pem_of",
    "rules_in",
]
