"""The keys of an audit from files: archives of keys, or key sets; and what the manifest says of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from watchword import KeySet, KeySetError
from watchword.audit.errors import AuditError
from watchword.audit.key_histories import Keys
from watchword.jwks.archive import ArchiveError, KeyArchive, KeyRules, KeyTimeline
from watchword.spiffe import trust_domain_of

_PEM = b"-----BEGIN "


def read_keys(
    sources: Sequence[str], issuers: Sequence[str], rules: KeyRules | None = None
) -> tuple[Keys, dict[str, Any]]:
    """Return the keys of ``FILE``, or of some ``ISSUER=FILE``, and the description of them for the manifest.

    A file is an archive of keys, a JWK Set, a JWK or a public key in PEM. A key set that is not given for one issuer is
    that of the only one in ``issuers``: keys of one issuer never verify another's tokens. ``rules`` say how long the
    keys of an archive are accepted. Raises :class:`AuditError`.
    """
    rules = rules or KeyRules()
    named = {}
    for source in sources:
        issuer, separator, path = source.partition("=")
        if not separator or "://" not in issuer:
            if len(sources) > 1:
                raise AuditError(f"--keys {source}: with several, say whose each is: --keys ISSUER=FILE")
            return _for_all(source, issuers, rules)
        if issuer in named:
            raise AuditError(f"--keys: there are two files for {issuer}: give one")
        named[issuer] = path
    found = {issuer: _of_issuer(issuer, path, rules) for issuer, path in named.items()}
    described = {issuer: description for issuer, (_, description) in found.items()}
    digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()
    description = {"kind": "issuers", "sha256": digest, "head": None, "issuers": described}
    return {issuer: keys for issuer, (keys, _) in found.items()}, description


def recorded_rules(description: Mapping[str, Any]) -> KeyRules | None:
    """Return the rules in the description of the keys of a manifest; ``None`` if there was no archive.

    Raises ``TypeError`` or ``ValueError`` if they are none.
    """
    described = [description, *description.get("issuers", {}).values()]
    return next((KeyRules(**one["rules"]) for one in described if "rules" in one), None)


def _for_all(path: str, issuers: Sequence[str], rules: KeyRules) -> tuple[Keys, dict[str, Any]]:
    keys, description = _read(path)
    if isinstance(keys, KeyArchive):
        if not keys.issuers:
            raise AuditError(f"the archive {path!r} has no record: nothing could be verified")
        timelines = {issuer: keys.timeline(issuer, rules) for issuer in keys.issuers}
        lifetimes = [one for issuer, timeline in timelines.items() for one in _lifetimes(issuer, timeline)]
        return timelines, {**description, "rules": asdict(rules), "lifetimes": lifetimes}
    if len(issuers) > 1:
        raise AuditError(
            f"{path!r} is one key set, and there are several issuers: give each its own, --keys ISSUER=FILE"
        )
    # Tokens of a trust domain or of a tenant have another iss, and the policy accepts no other ones.
    is_iss = issuers and trust_domain_of(issuers[0]) is None and "{" not in issuers[0]
    return ({issuers[0]: keys} if is_iss else keys), description


def _of_issuer(issuer: str, path: str, rules: KeyRules) -> tuple[KeySet | KeyTimeline, dict[str, Any]]:
    keys, description = _read(path)
    if isinstance(keys, KeySet):
        return keys, description
    if issuer not in keys.issuers:
        raise AuditError(f"the archive {path!r} has no record of {issuer}: it has {', '.join(keys.issuers) or 'none'}")
    timeline = keys.timeline(issuer, rules)
    return timeline, {**description, "rules": asdict(rules), "lifetimes": _lifetimes(issuer, timeline)}


def _read(path: str) -> tuple[KeySet | KeyArchive, dict[str, Any]]:
    try:
        with open(path, "rb") as file:
            document = file.read()
    except OSError as error:
        raise AuditError(f"the keys {path!r} can't be read: {error.strerror}") from None
    digest = hashlib.sha256(document).hexdigest()
    try:
        if _is_archive(document):
            archive = KeyArchive.from_lines(document.removesuffix(b"\n").split(b"\n"), path=path)
            head = None if archive.head is None else {"seq": archive.head.seq, "sha256": archive.head.digest}
            return archive, {"kind": "archive", "sha256": digest, "head": head}
        is_pem = document.lstrip().startswith(_PEM)
        keys = KeySet.from_pem(document) if is_pem else KeySet.from_json(document)
    except (ArchiveError, KeySetError) as error:
        raise AuditError(f"the keys {path!r} are unusable: {error}") from None
    if not len(keys):
        raise AuditError(f"{path!r} has no usable key; `watchword keys {path}` says why")
    return keys, {"kind": "jwks", "sha256": digest, "head": None}


def _is_archive(document: bytes) -> bool:
    first = None
    with suppress(ValueError, RecursionError):
        first = json.loads(document.partition(b"\n")[0])
    return isinstance(first, dict) and {"seq", "prev"} <= first.keys()


def _lifetimes(issuer: str, timeline: KeyTimeline) -> list[dict[str, Any]]:
    """Return when each key was published, for the report."""
    return [
        {
            "issuer": issuer,
            "key_id": life.key_id,
            "thumbprint": life.thumbprint,
            "from": life.first_seen,
            "to": life.absent_since,
            "compromised": life.compromised_since is not None,
        }
        for life in timeline.lifetimes
    ]


__all__ = ["read_keys", "recorded_rules"]
