"""The lifetimes of keys against their use."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from watchword.audit.report.audit import Audit
from watchword.audit.report.codes import states_in_order
from watchword.audit.report.plots import spans, time_axis
from watchword.audit.report.timeline import Timeline
from watchword.audit.report.totals import MARKED_STATES, Span, number_of_keys
from watchword.audit.summary import KEY_STATES
from watchword.html.markup import Child, Html, element, untrusted
from watchword.html.parts import NUMBER, code, figure, legend, moments, paragraph, section, table
from watchword.html.words import DAY, count

#: Keys that are shown, the busiest and the compromised ones.
SHOWN = 60

_Key = tuple[str | None, str | None]


def keys(audit: Audit) -> Html:
    """Return the section."""
    used = _by_key(audit)
    if not used:
        return section("keys", "Keys", paragraph("No signature was verified by a key."))
    marked = {key for key in used if _compromised(audit, key, used[key])}
    # The compromised ones are shown however few uses they have.
    busiest = sorted(used, key=lambda key: (key not in marked, -_total(used[key]).uses, _order(key)))
    shown = sorted(busiest[:SHOWN], key=lambda key: (key[0] or "", _total(used[key]).first or 0, _order(key)))
    states = states_in_order({state for spans_ in used.values() for state in spans_})
    rest = busiest[SHOWN:]
    uses = sum(_total(used[key]).uses for key in used)
    compromised = number_of_keys(marked)
    description = (
        f"{count(number_of_keys(used), 'key')} verified {count(uses, 'signature')}; "
        f"{compromised or 'none'} {'is' if compromised == 1 else 'are'} marked as compromised. "
        "A bar goes from the first use of a key to its last."
    )
    lines = list(_lines(audit.axis, audit, used, shown)) if audit.axis else []
    return section(
        "keys", "Keys",
        figure(
            "key-use", "Lifetimes of keys and their use", description,
            element("div", _legend(audit, states), element("div", lines, class_="bars spans")),
            _table(audit, used, shown),
        ),
        paragraph(
            f"{count(len(rest), 'key')} with fewer uses, {count(sum(_total(used[key]).uses for key in rest), 'use')} "
            "together, are not shown.", class_="note",
        ) if rest else None,
        _states(used, states),
    )  # fmt: skip


def _by_key(audit: Audit) -> dict[_Key, dict[str, Span]]:
    used: defaultdict[_Key, dict[str, Span]] = defaultdict(dict)
    for (issuer, key_id, state), span in audit.totals.keys.items():
        used[issuer, key_id][state] = span
    return dict(used)


def _order(key: _Key) -> tuple[str, str]:
    return key[0] or "", key[1] or ""


def _total(by_state: dict[str, Span]) -> Span:
    total = Span()
    for span in by_state.values():
        total.add(span.uses, span.first, span.last)
    return total


def _lines(axis: Timeline, audit: Audit, used: dict[_Key, dict[str, Span]], shown: list[_Key]) -> Iterator[Child]:
    issuer: object = object()
    for key in shown:
        if key[0] != issuer:
            issuer = key[0]
            yield element("span", untrusted(key[0], 120) if key[0] else "issuer not established", class_="group")
        total = _total(used[key])
        mark = element("strong", "compromised") if _compromised(audit, key, used[key]) else None
        yield element(
            "div", element("span", _name(key), class_="label"), spans(_marks(axis, audit, key, used[key])),
            element("span", f"{total.uses:,}", " " if mark else None, mark, class_="behind"), class_="row",
        )  # fmt: skip
    yield element("div", element("span", class_="label"), time_axis(axis), element("span"), class_="row")


def _marks(
    axis: Timeline, audit: Audit, key: _Key, by_state: dict[str, Span]
) -> Iterator[tuple[str, float, float, int, int]]:
    lifetime = audit.manifest.lifetimes.get(key)
    if lifetime is not None:
        start = 0.0 if lifetime.start is None else axis.share(lifetime.start / DAY)
        end = 1.0 if lifetime.end is None else axis.share(lifetime.end / DAY)
        yield "lifetime", start, end, 1, 14
    total = _total({state: span for state, span in by_state.items() if state != "compromised"})
    if total.first is not None and total.last is not None:
        yield "use", axis.share(total.first / DAY), axis.share(total.last / DAY), 4, 8
    for state in MARKED_STATES:
        for first, end in _runs(audit, key, state, by_state.get(state, Span())):
            shape = ("compromised", 1, 14) if state == "compromised" else ("marked", 10, 4)
            yield shape[0], axis.share(first), axis.share(end), shape[1], shape[2]


def _runs(audit: Audit, key: _Key, state: str, span: Span) -> Iterator[tuple[int, int]]:
    """Yield the first day and the day after the last one of each run of days on which a key was used in a state."""
    if span.first is None or span.last is None:
        return
    if audit.totals.key_days is None:
        yield span.first // DAY, span.last // DAY + 1
        return
    days = sorted(audit.totals.key_days.get((*key, state), ()))
    start = 0
    for index, day in enumerate(days, 1):
        if index == len(days) or days[index] > day + 1:
            yield days[start], day + 1
            start = index


def _legend(audit: Audit, states: list[str]) -> Html:
    entries: list[tuple[str, Child]] = [("use", "from first to last use")]
    if audit.manifest.lifetimes:
        entries.insert(0, ("lifetime", "published by the issuer"))
    marked = [state for state in states if state in MARKED_STATES and state != "compromised"]
    if marked:
        entries.append(("marked", ["days with uses in the state ", " or ".join(marked), " (thin)"]))
    if "compromised" in states:
        entries.append(("compromised", "days with uses after the key was compromised (taller)"))
    return legend(entries)


def _name(key: _Key) -> Html:
    return element("span", "no key id") if key[1] is None else untrusted(key[1], 40)


def _compromised(audit: Audit, key: _Key, by_state: dict[str, Span]) -> bool:
    lifetime = audit.manifest.lifetimes.get(key)
    return "compromised" in by_state or (lifetime is not None and lifetime.compromised)


def _table(audit: Audit, used: dict[_Key, dict[str, Span]], shown: list[_Key]) -> Html:
    headings = ["Key id", "Issuer", f"Uses{NUMBER}", "First and last use (UTC)", "Uses by state"]
    if audit.manifest.lifetimes:
        headings.append("Published from and until (UTC)")
    rows: list[list[Child]] = []
    for key in shown:
        total = _total(used[key])
        states = [f"{state} {used[key][state].uses:,}" for state in states_in_order(used[key])]
        span = moments(total.first, total.last)
        row: list[Child] = [_name(key), untrusted(key[0]), f"{total.uses:,}", span, "; ".join(states)]
        if audit.manifest.lifetimes:
            lifetime = audit.manifest.lifetimes.get(key)
            row.append(moments(lifetime.start, lifetime.end) if lifetime else "–")
        rows.append(row)
    return table("Keys and their use", headings, rows)


def _states(used: dict[_Key, dict[str, Span]], states: list[str]) -> Html:
    uses: Counter[str] = Counter()
    having: defaultdict[str, set[_Key]] = defaultdict(set)
    for key, by_state in used.items():
        for state, span in by_state.items():
            uses[state] += span.uses
            having[state].add(key)
    return table(
        "State of the key at the time of use",
        ["State", "The key was", f"Uses{NUMBER}", f"Keys{NUMBER}"],
        [
            [code(state), KEY_STATES.get(state, "–"), f"{uses[state]:,}", f"{number_of_keys(having[state]):,}"]
            for state in states
        ],
    )


__all__ = ["keys"]
