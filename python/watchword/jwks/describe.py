"""Events that describe the change from one key set to another."""

from __future__ import annotations

from watchword._kernel import KeySet
from watchword.jwks.events import EventKind, KeyEvent, printable

# Limits the size of an event: a set may have 256 invalid keys.
_MOST_NAMED = 8


def _names(keys: KeySet | None) -> dict[tuple[str | None, str, tuple[str, ...]], str]:
    if keys is None:
        return {}
    return {
        (key.key_id, key.thumbprint, key.algorithms): printable(key.thumbprint if key.key_id is None else key.key_id)
        for key in keys
    }


def describe_change(issuer: str, old: KeySet | None, new: KeySet, url: str | None = None) -> list[KeyEvent]:
    """Return the events of a set replacing another: none if both have the same keys and rejected keys."""
    events = []
    before, after = _names(old), _names(new)
    if old is None or before.keys() != after.keys():
        added = tuple(name for key, name in after.items() if key not in before)
        removed = tuple(name for key, name in before.items() if key not in after)
        detail = f"{len(new)} keys: {len(added)} added, {len(removed)} removed"
        events.append(
            KeyEvent(
                kind=EventKind.SET_CHANGED,
                issuer=issuer,
                detail=detail,
                url=url,
                added=added,
                removed=removed,
                keys=new,
            )
        )
    reasons = rejections(new)
    if reasons and (old is None or reasons != rejections(old)):
        events.append(KeyEvent(kind=EventKind.KEYS_REJECTED, issuer=issuer, detail=reasons, url=url))
    return events


def rejections(keys: KeySet) -> str:
    """Return which keys of a document were rejected, and why; empty if none was."""
    named = [
        f"key {key.index}{'' if key.key_id is None else f' ({printable(key.key_id)})'}: {key.reason}"
        for key in keys.rejected[:_MOST_NAMED]
    ]
    if len(keys.rejected) > _MOST_NAMED:
        named.append(f"and {len(keys.rejected) - _MOST_NAMED} more")
    return ", ".join(named)
