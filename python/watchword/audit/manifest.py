"""The manifest: digests of what was read and written, and the numbers, signed by whoever answers for the audit.

Nothing in it says when it was made, so that a run that was interrupted ends with the same bytes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from watchword import KeySet, __version__, _kernel, base64url, thumbprint
from watchword.audit.counts import Counts
from watchword.audit.errors import AuditError
from watchword.audit.inputs import FORMATS
from watchword.audit.journal import parts_by_input
from watchword.durable import write_durably
from watchword.holder.compact_jws import encode_part, sign_compact

if TYPE_CHECKING:
    from watchword.audit.inputs import Input
    from watchword.audit.pipeline import AuditJob
    from watchword.holder import Signer

SIGNED = "manifest.jws"
UNSIGNED = "manifest.json"

#: The ``typ`` of a signed manifest: its payload is no JWT, and no token is a manifest.
TYPE = "watchword-audit+json"

#: The largest manifest that is read, in bytes: a million parts.
_LARGEST = 1 << 29


def make_manifest(
    job: AuditJob, parts: Sequence[Mapping[str, Any]], replays: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the manifest of a finished audit: ``parts`` are the lines of its journal."""
    counts = Counts()
    for part in parts:
        counts.add(Counts.from_dict(part["counts"]))
    of_inputs = parts_by_input(parts)
    return {
        "watchword": __version__,
        "inputs": [_input(one, of_inputs[index]) for index, one in enumerate(job.inputs)],
        "parts": [{**part["part"], "unreadable": part["unreadable"]} for part in parts],
        "replays": None if replays is None else dict(replays),
        "keys": dict(job.keys),
        "policy": dict(job.policy),
        "options": job.options(),
        "counts": {**counts.as_dict(), "replays": 0 if replays is None else replays["rows"]},
    }


def write_manifest(directory: str, manifest: Mapping[str, Any], signer: Signer | None) -> str:
    """Write the manifest, as a JWS if there is a ``signer``, whose algorithm must be EdDSA. Returns its path.

    Raises ``OSError`` if it cannot be written.
    """
    if signer is None:
        content, name, other = json.dumps(manifest, indent=2).encode() + b"\n", UNSIGNED, SIGNED
    else:
        content, name, other = _signed(manifest, signer), SIGNED, UNSIGNED
    path = os.path.join(directory, name)
    write_durably(path, content)
    with suppress(FileNotFoundError):
        os.unlink(os.path.join(directory, other))
    return path


def check_signer(signer: Signer) -> None:
    """Raise :class:`AuditError` if a manifest cannot be signed by this key."""
    if signer.algorithm != "EdDSA":
        raise AuditError(
            f"the signing key is for {signer.algorithm}: give an Ed25519 key, whose signature is the same each time"
        )


def read_manifest(directory: str, keys: KeySet | None) -> tuple[dict[str, Any], str]:
    """Return the manifest of a directory, and ``valid``, ``unchecked`` or ``unsigned`` for its signature.

    Without ``keys`` a signature is not checked. Raises :class:`AuditError` if there is no manifest, or it is malformed;
    :class:`watchword.VerificationError` if its signature is invalid.
    """
    signed = os.path.join(directory, SIGNED)
    if os.path.exists(signed):
        token = _read(signed).strip()
        if keys is not None:
            # The limit for tokens is not one for manifests.
            verified = _kernel.verify_jws(token, keys, ("EdDSA",), (TYPE,), len(token))
            return _parsed(verified.payload, signed), "valid"
        return _parsed(_payload(token, signed), signed), "unchecked"
    unsigned = os.path.join(directory, UNSIGNED)
    if not os.path.exists(unsigned):
        raise AuditError(
            f"{directory!r} has no manifest: it is not the output of an audit, or the audit is not finished"
        )
    return _parsed(_read(unsigned), unsigned), "unsigned"


def _input(one: Input, parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "path": one.path,
        "format": one.format,
        "bytes": parts[0]["bytes_of_input"],
        "sha256": parts[0]["sha256_of_input"],
        "rows": sum(part["part"]["rows"] for part in parts),
    }


def _signed(manifest: Mapping[str, Any], signer: Signer) -> bytes:
    header = {"alg": signer.algorithm, "kid": thumbprint(signer.public_jwk), "typ": TYPE}
    return sign_compact(encode_part(header), encode_part(manifest), signer).encode() + b"\n"


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise AuditError(f"{path!r} is larger than {_LARGEST:,} bytes: it is no manifest")
    return content


def _payload(token: bytes, path: str) -> bytes:
    with suppress(ValueError):
        _, payload, _ = token.decode("ascii").split(".")
        return base64url.decode(payload)
    raise AuditError(f"{path!r} is no JWS")


def _parsed(content: bytes, path: str) -> dict[str, Any]:
    manifest = None
    with suppress(ValueError, RecursionError):
        manifest = json.loads(content)
    if not isinstance(manifest, dict) or not _has_form(manifest):
        raise AuditError(f"{path!r} is no manifest of an audit")
    return manifest


def _has_form(manifest: Mapping[str, Any]) -> bool:
    """Return whether the members that are read have their types."""
    try:
        files = [*manifest["parts"], *(part["unreadable"] for part in manifest["parts"] if part["unreadable"])]
        files += [manifest["replays"]] if manifest["replays"] else []
        Counts.from_dict(manifest["counts"])
        return (
            all(_is_text(one, "path", "sha256") and isinstance(one["rows"], int) for one in files)
            and all(
                _is_text(one, "path") and one["format"] in FORMATS and "sha256" in one for one in manifest["inputs"]
            )
            and all(isinstance(one, dict) for one in manifest["policy"]["intervals"])
            and isinstance(manifest["keys"], dict)
            and _is_text(manifest["options"], "token_field")
        )
    except (KeyError, TypeError, AttributeError):
        return False


def _is_text(members: Mapping[str, Any], *names: str) -> bool:
    return all(isinstance(members[name], str) for name in names)


__all__ = ["SIGNED", "TYPE", "UNSIGNED", "check_signer", "make_manifest", "read_manifest", "write_manifest"]
