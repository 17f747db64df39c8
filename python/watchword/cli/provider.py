"""``--provider``: what the tokens of one provider must be, beside what the other options demand."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from typing import Any

from watchword._kernel import KeySet, VerifiedToken
from watchword.cli.command_error import CommandError
from watchword.errors import VerificationError
from watchword.providers import ProviderName, detect
from watchword.providers.profiles import Profile, profile_of

Verdict = VerifiedToken | VerificationError


def profile_in(arguments: argparse.Namespace) -> Profile | None:
    """The profile that ``--provider`` names, where it is given. Raises :class:`CommandError` where keys are needed."""
    if arguments.provider is None:
        return None
    profile = profile_of(arguments.provider)
    if not profile.publishes_keys and not (arguments.jwks or arguments.pem):
        raise CommandError(f"{arguments.provider} publishes its keys nowhere. Give them with --jwks or --pem.")
    return profile


def narrowed(demands: dict[str, Any], profile: Profile, provider: ProviderName) -> dict[str, Any]:
    """The demands of the options and of the profile. Raises :class:`CommandError` where no token can meet both."""
    return {
        **demands,
        "algorithms": _both("--algorithm", demands.get("algorithms"), profile.algorithms, provider),
        "types": _both("--type", demands.get("types"), profile.types, provider),
        "required": tuple(dict.fromkeys((*profile.required, *demands["required"]))),
    }


def checked(
    verdicts: Iterable[Verdict], profile: Profile, audience: Sequence[str], keys: KeySet | None
) -> Iterable[Verdict]:
    """The verdicts, where the profile has nothing to object to what was valid so far."""
    for verdict in verdicts:
        yield _check(verdict, profile, audience, keys) if isinstance(verdict, VerifiedToken) else verdict


def hint_at_another(token: str | bytes, arguments: argparse.Namespace) -> str | None:
    """Whose the token looks like, where that is another than the one asked for."""
    looks_like = detect(token).provider if arguments.provider else None
    if looks_like is None or looks_like == arguments.provider:
        return None
    return f"A token looks like one of {looks_like}'s: --provider {looks_like}."


def _check(token: VerifiedToken, profile: Profile, audience: Sequence[str], keys: KeySet | None) -> Verdict:
    try:
        profile.check(token, audience=audience, keys=keys)
    except VerificationError as error:
        return error
    return token


def _both(
    option: str, asked: Sequence[str | None] | None, pinned: Sequence[str | None] | None, provider: str
) -> Sequence[str | None] | None:
    if asked is None or pinned is None:
        return pinned if asked is None else asked
    common = tuple(one for one in asked if one in pinned)
    if not common:
        theirs = ", ".join(one or "none" for one in pinned)
        raise CommandError(f"{option} contradicts --provider {provider}, whose tokens have {theirs}.")
    return common


__all__ = ["checked", "hint_at_another", "narrowed", "profile_in"]
