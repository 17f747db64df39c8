"""Questions about scopes, for Watchword and for the published package that defined the grammar."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from watchword.scopes import PlainScopes, ResourceScopes, SlotScopes

Ask = Callable[[], bool]

WATCHWORD = "Watchword"
#: For applications that only change the import: scopes are lists, as in the package.
SAME_NAME = "Watchword, the package's own verb"

RESOURCE = [
    f"{name}:{action}" for name in ("users", "orders", "teams.keys", "files", "billing") for action in ("read", "write")
]
RESOURCE += [f"{name}:**" for name in ("projects", "teams.members", "audit", "search", "reports")]
RESOURCE += [f"{name}:*" for name in ("sessions", "hooks", "invoices", "plans", "labels")]
SLOT = [f"{action}:data:set-{number}" for action in ("read", "write") for number in range(10)]


def resource(number: int, library: str) -> tuple[Ask, Ask]:
    """Ask for a request that the last of ``number`` scopes grants, and for one that none grants."""
    scopes = ["labels:*"] if number == 1 else RESOURCE
    if library == WATCHWORD:
        allows = ResourceScopes(scopes).allows
        return partial(allows, action="delete", resource="labels"), partial(allows, action="delete", resource="label")
    if library == SAME_NAME:
        from watchword.providers.authpi import has_access
    else:
        from authpi_idp import has_access  # each library is needed by its own contender only

    return partial(has_access, scopes, "delete", "labels"), partial(has_access, scopes, "delete", "label")


def slot(number: int, library: str) -> tuple[Ask, Ask]:
    """As many scopes are required as are granted. Watchword has compiled both."""
    scopes = ["read:data:*"] if number == 1 else SLOT
    wanted = ["read:data:customers"] if number == 1 else SLOT
    too_much = [*wanted[:-1], "delete:data:customers"]
    if library == WATCHWORD:
        covers = SlotScopes(scopes).covers
        return partial(covers, SlotScopes(wanted)), partial(covers, SlotScopes(too_much))
    if library == SAME_NAME:
        from watchword.providers.agentwrit import scope_is_subset
    else:
        from agentwrit import scope_is_subset

    return partial(scope_is_subset, wanted, scopes), partial(scope_is_subset, too_much, scopes)


def plain(number: int, library: str) -> tuple[Ask, Ask]:
    """Ask for one of ``number`` scope tokens, compared with a list of ``str``."""
    scopes = [f"orders-{index}:read" for index in range(number)]
    if library == WATCHWORD:
        allows = PlainScopes(scopes).allows
        return partial(allows, scopes[-1]), partial(allows, "orders:read")
    return partial(scopes.__contains__, scopes[-1]), partial(scopes.__contains__, "orders:read")


Question = Callable[[int, str], tuple[Ask, Ask]]

#: The contenders: Watchword's matcher, its function with the package's name, and the package.
QUESTIONS: dict[str, tuple[Question, tuple[str, ...]]] = {
    "resource: allows": (resource, (WATCHWORD, SAME_NAME, "authpi-idp")),
    "slot: covers": (slot, (WATCHWORD, SAME_NAME, "agentwrit")),
    "plain: allows": (plain, (WATCHWORD, "a list")),
}
NUMBERS = (1, 20)


def ask(question: str, number: int, library: str) -> Ask:
    """Return the question whose answer is yes, after checking that the answer to the other one is no.

    Raises ``ImportError`` if the package is not installed.
    """
    granted, rejected = QUESTIONS[question][0](number, library)
    assert granted() is True, f"{library} rejects what the scopes grant"
    assert rejected() is False, f"{library} grants what the scopes do not"
    return granted
