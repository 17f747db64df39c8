"""The status page: keys, caches, verdicts over time, the last rejections, the configuration."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from importlib import resources
from typing import TYPE_CHECKING

from watchword.html.document import document
from watchword.html.markup import Child, Html, element, untrusted
from watchword.html.parts import NUMBER, code, figure, legend, paragraph, section, table
from watchword.html.words import MICROSECONDS, count, duration, share, size, time_of_day
from watchword.observability.decision_record import timestamp

if TYPE_CHECKING:
    from watchword.serve.history import Minute
    from watchword.serve.state import IssuerState, ServerState

#: The keys of one issuer that are listed.
_MAX_KEYS = 20

#: The longest message of an error on the page, in characters.
_MAX_REASON = 2000

#: Units of the plot's height.
_HEIGHT = 120


def status_page(state: ServerState) -> str:
    """Return the page."""
    return document(
        "watchword serve",
        _style(),
        element(
            "header",
            element("h1", "watchword serve"),
            element("p", _lead(state), class_="lead", id="lead"),
            _warnings(state),
        ),
        element("main", _verdicts(state), _keys(state), _rejections(state), _caches(state), _configuration(state)),
        element(
            "footer",
            paragraph(element("a", "Metrics", href="/metrics"), " · ", element("a", "Readiness", href="/readyz")),
        ),
    )


@functools.cache
def _style() -> str:
    return resources.files(__package__).joinpath("status.css").read_text("utf-8")


def _lead(state: ServerState) -> str:
    if state.stopping:
        return "Stopping: no new connections, requests in flight are finished."
    if state.missing:
        return f"Not ready: the keys of {count(len(state.missing), 'issuer')} are missing."
    return "Ready."


def _warnings(state: ServerState) -> Html | None:
    warnings: list[Html] = []
    for issuer in state.issuers:
        if issuer.keys is None and issuer.name not in state.missing:
            warnings.append(
                paragraph(
                    "The keys of ",
                    untrusted(issuer.name),
                    " have expired, and cannot be fetched: its tokens are rejected.",
                )
            )
    if state.refused is not None:
        warnings.append(
            paragraph(
                "The configuration was not reloaded at ", _time(state.refused.at), ", and the one before is in use:"
            )
        )
        warnings.append(element("pre", untrusted_lines(state.refused.reason)))
    return element("div", warnings, class_="warning", role="status") if warnings else None


def untrusted_lines(text: str) -> list[Child]:
    """Return lines of text, each isolated and escaped."""
    lines = text[:_MAX_REASON].splitlines()
    return [part for line in lines for part in (untrusted(line, _MAX_REASON), "\n")]


# Verdicts.


def _verdicts(state: ServerState) -> Html:
    minutes = state.history
    allowed, rejected = sum(one.allowed for one in minutes), sum(one.rejected for one in minutes)
    busiest = max(minutes, key=lambda one: one.allowed + one.rejected)
    described = (
        f"{count(allowed + rejected, 'request')} in the last hour, of which {rejected:,} were rejected "
        f"({share(rejected, allowed + rejected)}). The most in a minute were {busiest.allowed + busiest.rejected:,}."
    )
    by_code: dict[tuple[str, str, str], int] = {}
    for labels, number in state.counters.get("verdicts", {}).items():
        issuer, name, _, _, route = labels
        by_code[issuer, name, route] = by_code.get((issuer, name, route), 0) + number
    rows = [
        (code(name), untrusted(route or None), untrusted(issuer or None), f"{number:,}")
        for (issuer, name, route), number in sorted(by_code.items(), key=lambda item: (-item[1], item[0]))[:100]
    ]
    return section(
        "verdicts",
        "Verdicts",
        figure(
            "hour",
            "The last hour by minute",
            described,
            Html(
                legend([("valid", "allowed"), ("rejected", "rejected")])
                + _columns(minutes, max(1, busiest.allowed + busiest.rejected))
            ),
            table(
                "Verdicts by minute",
                ["Minute (UTC)", f"Allowed{NUMBER}", f"Rejected{NUMBER}"],
                [
                    (_minute(one.start), f"{one.allowed:,}", f"{one.rejected:,}")
                    for one in minutes
                    if one.allowed or one.rejected
                ],
            ),
        ),
        table("Since the start", ["Code", "Route", "Issuer", f"Requests{NUMBER}"], rows)
        if rows
        else paragraph("No request was checked yet."),
    )


def _columns(minutes: Sequence[Minute], most: int) -> Html:
    shapes = []
    for class_, bottoms, numbers in (
        ("valid", [0] * len(minutes), [one.allowed for one in minutes]),
        ("rejected", [one.allowed for one in minutes], [one.rejected for one in minutes]),
    ):
        steps = []
        for position, (bottom, number) in enumerate(zip(bottoms, numbers, strict=True)):
            if number:
                low, high = round(_HEIGHT * bottom / most, 1), round(_HEIGHT * (bottom + number) / most, 1)
                # One rejection among thousands is still seen.
                tall = max(high - low, 2)
                top = max(0, _HEIGHT - low - tall)
                steps.append(f"M{position + 0.1:g} {top:g}h.8v{tall:g}h-.8z")
        shapes.append(element("path", d="".join(steps) or "M0 0", class_=class_))
    plot = element(
        "svg",
        shapes,
        viewBox=f"0 0 {len(minutes)} {_HEIGHT}",
        preserveAspectRatio="none",
        width="100%",
        height=_HEIGHT,
        class_="columns",
        aria_hidden="true",
    )
    ends = element(
        "p",
        element("span", _minute(minutes[0].start)),
        element("span", f"at most {most:,} a minute"),
        element("span", _minute(minutes[-1].start)),
        class_="axis",
        aria_hidden="true",
    )
    return Html(plot + ends)


# Keys.


def _keys(state: ServerState) -> Html:
    return section("keys", "Keys", [_issuer(issuer, issuer.name in state.missing) for issuer in state.issuers])


def _issuer(issuer: IssuerState, is_missing: bool) -> Html:  # noqa: FBT001 - one of its states
    stats = issuer.stats
    if issuer.keys is None:
        said = "never fetched" if is_missing else "expired"
    else:
        said = count(len(issuer.keys), "key")
        if stats.rejected_keys:
            said += f", and {count(stats.rejected_keys, 'key')} that cannot be used"
    facts: list[tuple[str, Child]] = [("Keys", said)]
    if stats.age is not None:
        facts.append(("Fetched", f"{duration(stats.age)} ago"))
    if stats.refresh_in is not None:
        facts.append(("Next refresh", f"in {duration(stats.refresh_in)}" if stats.refresh_in > 0 else "due"))
    if stats.expires_in is not None:
        facts.append(("Expire", f"in {duration(stats.expires_in)}" if stats.expires_in > 0 else "expired"))
    facts.append(("Fetches", f"{stats.fetches:,}, of which {stats.failures:,} failed"))
    if stats.consecutive_failures:
        facts.append(("Failing", element("strong", f"the last {count(stats.consecutive_failures, 'attempt')} failed")))
    keys = [] if issuer.keys is None else list(issuer.keys)[:_MAX_KEYS]
    rows = [
        (
            untrusted(key.key_id),
            code(", ".join(key.algorithms)),
            element("span", untrusted(key.thumbprint), class_="hash"),
        )
        for key in keys
    ]
    return element(
        "article",
        element("h3", untrusted(issuer.name, 200)),
        _facts(facts),
        table("Keys", ["kid", "Algorithms", "Thumbprint (RFC 7638)"], rows, hidden=True) if rows else None,
        None
        if issuer.keys is None or len(issuer.keys) <= _MAX_KEYS
        else paragraph(f"{len(issuer.keys) - _MAX_KEYS} more."),
    )


# Rejections.


def _rejections(state: ServerState) -> Html:
    rows = [
        (
            _time(one.at),
            code(one.code),
            str(one.status),
            untrusted(one.route),
            untrusted(one.issuer),
            element("span", untrusted(one.trace_id), class_="hash"),
        )
        for one in state.rejections
    ]
    shown = (
        table(
            "The last rejections, the latest first",
            ["Time (UTC)", "Code", "Status", "Route", "Issuer", "Trace ID"],
            rows,
            hidden=True,
        )
        if rows
        else paragraph("None.")
    )
    return section("rejections", "Last rejections", shown)


# Caches, connections and the configuration.


def _caches(state: ServerState) -> Html:
    counters, cache = state.counters, state.token_cache
    facts: list[tuple[str, Child]] = []
    if cache is None:
        facts.append(("Token cache", "none"))
    else:
        found = cache.hits + cache.misses
        facts.append(("Token cache", f"{count(cache.tokens, 'token')}, {size(cache.bytes)} of {size(cache.max_bytes)}"))
        facts.append(("Found in it", f"{share(cache.hits, found)} of {count(found, 'look-up')}"))
    if counters.get("replay_capacity") is not None:
        facts.append(("Used proofs", f"{counters.get('replay_size', 0):,} of {counters['replay_capacity']:,}"))
    for name, label in _SHOWN.items():
        if counters.get(name) is not None:
            facts.append((label, f"{counters[name]:,}"))
    return section("caches", "Connections and caches", _facts(facts))


_SHOWN = {
    "connections": "Open connections",
    "connections_limit": "At most",
    "connections_accepted": "Since the start",
    "connections_refused": "Refused",
    "connections_evicted": "Closed for new ones",
    "connections_timed_out": "Closed by a timeout",
    "bad_requests": "Closed as malformed",
    "accept_errors": "Failed to accept",
    "lookups_waiting": "Requests waiting for keys",
    "replay_errors": "Errors of the shared replay store",
    "records_dropped": "Decisions not logged",
}


def _configuration(state: ServerState) -> Html:
    facts: list[tuple[str, Child]] = [
        ("File", untrusted(state.config_file, 300)),
        ("Loaded", _time(state.loaded_at)),
        ("Reloads", f"{state.reloads.get('applied', 0):,} applied, {state.reloads.get('refused', 0):,} refused"),
        ("Issuers and routes", f"{count(len(state.issuers), 'issuer')}, {count(state.routes, 'route')}"),
        ("Proxy", code(state.proxy)),
        ("Listens at", [[code(address), " "] for address in state.addresses]),
        ("Started", _time(state.started_at)),
        ("Version", code(state.version)),
        ("This page is of", _time(state.now)),
    ]
    return section("configuration", "Configuration", _facts(facts))


def _facts(facts: Sequence[tuple[str, Child]]) -> Html:
    return element(
        "dl", [element("div", element("dt", name), element("dd", value)) for name, value in facts], class_="facts"
    )


def _time(at: float) -> Html:
    return element("time", timestamp(at).replace("T", " ").partition(".")[0])


def _minute(start: int) -> str:
    return time_of_day(start * MICROSECONDS)[:5]


__all__ = ["status_page"]
