"""A key set as an archive records it: a list of JWKs, its digest, and the keys among them that can verify."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from watchword._kernel import KeySet, PublicKey, decode_json_object
from watchword.errors import KeySetError
from watchword.jwks.archive.record import to_ascii

#: Members of private and symmetric keys (RFC 7518 section 6), which an issuer may publish by mistake, at any depth.
#: Their values are not recorded; the names stay, so that the key is rejected for the same reason as by a Verifier.
_SECRET = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_REMOVED = "removed"


class RecordedKey(NamedTuple):
    """A key that can verify signatures, as plain data."""

    key_id: str | None
    thumbprint: str
    algorithms: tuple[str, ...]
    jwk: str
    """The JWK, as JSON."""


def keys_of_document(document: str | bytes | Mapping[str, Any] | KeySet) -> tuple[Any, ...]:
    """Return the keys of a JWK Set, a JWK, a public key in PEM, or a :class:`~watchword.KeySet`, to be recorded.

    Private members are removed; keys that can't be used stay. The order does not count, so the keys are sorted, unless
    two have the same ``kid`` and algorithm, of which only the first is used. Raises
    :class:`~watchword.errors.KeySetError` if it is none of these.
    """
    if isinstance(document, KeySet):
        listed: Sequence[Any] = [_jwk_of(key) for key in document]
    elif isinstance(document, Mapping):
        listed = _listed(json.dumps(document, ensure_ascii=False).encode())
    else:
        data = document.encode() if isinstance(document, str) else bytes(document)
        if data.lstrip().startswith(b"-----BEGIN "):
            listed = [key.to_jwk() for key in KeySet.from_pem(data)]
        else:
            listed = _listed(data)
    keys = [_without_secrets(key) for key in listed]
    if all(key.reason != "duplicate_kid" for key in _parsed(keys).rejected):
        keys.sort(key=to_ascii)
    return tuple(keys)


def digest_of(keys: Iterable[Any]) -> str:
    """Return the SHA-256 of recorded keys, in lower-case hex: that of their compact JSON array, members sorted."""
    text = json.dumps(list(keys), ensure_ascii=True, allow_nan=False, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def usable_keys(keys: Iterable[Any]) -> tuple[RecordedKey, ...]:
    """Return the keys that a :class:`~watchword.KeySet` accepts, each once.

    Raises :class:`~watchword.errors.KeySetError` if they are more than a key set may list.
    """
    found = (RecordedKey(key.key_id, key.thumbprint, key.algorithms, _compact(_jwk_of(key))) for key in _parsed(keys))
    return tuple(dict.fromkeys(found))


def _listed(data: bytes) -> list[Any]:
    KeySet.from_json(data, prepare="never")  # its limits, and its errors
    try:
        members = decode_json_object(data)
    except ValueError as error:
        raise KeySetError(f"the document is not strict JSON: {error}") from None
    listed = members.get("keys", [members])
    if not isinstance(listed, list):
        raise KeySetError("the keys of a JWK Set must be an array")
    return listed


def _parsed(keys: Iterable[Any]) -> KeySet:
    return KeySet.from_json(_compact({"keys": list(keys)}), prepare="never")


def _jwk_of(key: PublicKey) -> dict[str, str]:
    """Return the JWK of a key, with the issuer to which it is restricted."""
    return key.to_jwk() if key.issuer is None else {**key.to_jwk(), "issuer": key.issuer}


def _compact(value: object) -> str:
    """Return JSON that is no longer than that of the issuer's document, whose size is limited."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _without_secrets(value: Any) -> Any:  # noqa: ANN401 - a member of JSON, whose depth the kernel limits
    if isinstance(value, list):
        return [_without_secrets(one) for one in value]
    if not isinstance(value, Mapping):
        return value
    return {name: (_REMOVED if name in _SECRET else _without_secrets(one)) for name, one in sorted(value.items())}


__all__ = ["RecordedKey", "digest_of", "keys_of_document", "usable_keys"]
