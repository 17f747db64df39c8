"""Questions about scopes, each asked of Watchword and of the published package whose grammar it is."""

from __future__ import annotations

from collections.abc import Callable

from watchword.scopes import PlainScopes, ResourceScopes, SlotScopes

Ask = Callable[[], bool]

RESOURCE = [
    f"{name}:{action}" for name in ("users", "orders", "teams.keys", "files", "billing") for action in ("read", "write")
]
RESOURCE += [f"{name}:**" for name in ("projects", "teams.members", "audit", "search", "reports")]
RESOURCE += [f"{name}:*" for name in ("sessions", "hooks", "invoices", "plans", "labels")]
SLOT = [f"{action}:data:set-{number}" for action in ("read", "write") for number in range(10)]


def resource(number: int, library: str) -> Ask:
    """The last of ``number`` scopes grants it."""
    scopes = ["labels:*"] if number == 1 else RESOURCE
    if library == "watchword":
        held = ResourceScopes(scopes)
        return lambda: held.allows(action="delete", resource="labels")
    from authpi_idp import has_access  # each library is needed by its own contender only

    return lambda: bool(has_access(scopes, "delete", "labels"))


def slot(number: int, library: str) -> Ask:
    """As many are demanded as are held. Watchword has compiled both."""
    scopes = ["read:data:*"] if number == 1 else SLOT
    wanted = ["read:data:customers"] if number == 1 else SLOT
    if library == "watchword":
        held, demanded = SlotScopes(scopes), SlotScopes(wanted)
        return lambda: held.covers(demanded)
    from agentwrit import scope_is_subset

    return lambda: bool(scope_is_subset(wanted, scopes))


def plain(number: int, library: str) -> Ask:
    """One of ``number`` scope tokens, against a list of str."""
    scopes = [f"orders-{index}:read" for index in range(number)]
    if library == "watchword":
        held = PlainScopes(scopes)
        return lambda: held.allows(scopes[-1])
    return lambda: scopes[-1] in scopes


QUESTIONS: dict[str, tuple[Callable[[int, str], Ask], str]] = {
    "resource: allows": (resource, "authpi-idp"),
    "slot: covers": (slot, "agentwrit"),
    "plain: allows": (plain, "a list"),
}
NUMBERS = (1, 20)
