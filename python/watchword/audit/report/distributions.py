"""How late expired tokens were used, and how many actors stood between the user and the request."""

from __future__ import annotations

from collections import Counter

from watchword.audit.report.audit import Audit
from watchword.audit.report.plots import rows_of_bars
from watchword.html.markup import Html, element
from watchword.html.parts import NUMBER, figure, legend, paragraph, section, table
from watchword.html.words import count, duration, share

#: The largest number of actors that has a bar of its own.
DEPTHS = 10

_CLASSES = (
    "under 1 second", "1 to 10 seconds", "10 to 60 seconds", "1 to 5 minutes", "5 to 15 minutes", "15 to 60 minutes",
    "1 to 6 hours", "6 to 24 hours", "1 to 7 days", "7 to 30 days", "30 to 365 days", "over 365 days",
)  # fmt: skip


def lateness(audit: Audit) -> Html:
    """Return the section on expired tokens."""
    counts = audit.totals.lateness
    total = counts.total()
    if total == 0:
        return section("lateness", "Lateness of expired uses", paragraph("No token was rejected as expired."))
    # Empty classes at either end say nothing.
    classes = range(min(+counts), max(+counts) + 1)
    commonest = max(classes, key=lambda index: (counts[index], -index))
    description = (
        f"{count(total, 'use')} of expired tokens, by the time from expiry to use; each class is longer than the "
        f"one before. Most frequent: {_CLASSES[commonest]} late, {counts[commonest]:,} "
        f"({share(counts[commonest], total)}). "
        f"The latest use came {duration(audit.totals.latest)} after expiry."
    )
    most = max(counts.values())
    plot = rows_of_bars(
        ((_CLASSES[index], [("rejected", counts[index])], f"{counts[index]:,}") for index in classes), most
    )
    data = table(
        "Expired uses by lateness",
        ["Time after expiry", f"Uses{NUMBER}", f"Share{NUMBER}"],
        [[_CLASSES[index], f"{counts[index]:,}", share(counts[index], total)] for index in classes],
    )
    return section(
        "lateness", "Lateness of expired uses",
        figure("late", "How late expired tokens were used", description, plot, data),
    )  # fmt: skip


def depth(audit: Audit) -> Html:
    """Return the section on delegation."""
    counts: dict[int, Counter[bool]] = {}
    unknown = 0
    for (actors, valid), rows in audit.totals.depths.items():
        if actors is None:
            unknown += rows
        else:
            counts.setdefault(min(actors, DEPTHS), Counter())[valid] += rows
    known = sum(rows.total() for rows in counts.values())
    if not counts:
        return section("depth", "Depth of delegation", paragraph("No chain of delegation is known."))
    deepest = max(actors for actors, _ in audit.totals.depths if actors is not None)
    depths = range(min(deepest, DEPTHS) + 1)
    direct = counts.get(0, Counter()).total()
    description = (
        f"Actors in the chain of delegation of {count(known, 'use')}. {direct:,} ({share(direct, known)}) were without "
        f"delegation; the longest chain has {count(deepest, 'actor')}."
        + (f" The chain of {count(unknown, 'further use')} is not known." if unknown else "")
    )
    rows_of = {actors: counts.get(actors, Counter()) for actors in depths}
    most = max(rows.total() for rows in rows_of.values())
    plot = element(
        "div",
        legend([("rejected", "not valid (left part)"), ("valid", "valid (right part)")]),
        rows_of_bars(
            (
                (_actors(actors), [("rejected", rows[False]), ("valid", rows[True])], f"{rows.total():,}")
                for actors, rows in rows_of.items()
            ),
            most,
        ),
    )
    data = table(
        "Uses by depth of delegation",
        ["Actors", f"Uses{NUMBER}", f"Valid{NUMBER}", f"Not valid{NUMBER}"],
        [
            [_actors(actors), f"{rows.total():,}", f"{rows[True]:,}", f"{rows[False]:,}"]
            for actors, rows in rows_of.items()
        ],
    )
    return section(
        "depth", "Depth of delegation", figure("actors", "Actors between subject and request", description, plot, data)
    )  # fmt: skip


def _actors(number: int) -> str:
    if number == 0:
        return "no actor"
    return f"{DEPTHS} or more actors" if number == DEPTHS else count(number, "actor")


__all__ = ["depth", "lateness"]
