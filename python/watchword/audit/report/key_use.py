"""The lifetimes of keys against their use."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from watchword.audit.report.audit import Audit
from watchword.audit.report.codes import KEY_STATES, states_in_order
from watchword.audit.report.manifest import Lifetime
from watchword.audit.report.markup import Child, Html, element, joined, untrusted
from watchword.audit.report.parts import NUMBER, code, figure, legend, paragraph, section, table
from watchword.audit.report.plots import spans, time_axis
from watchword.audit.report.timeline import Timeline
from watchword.audit.report.totals import Span
from watchword.audit.report.words import DAY, count, time

#: Keys that are shown, the busiest and the compromised ones.
SHOWN = 60

#: States that are drawn with a mark of their own, above the whole use.
_MARKED = ("uncertain", "early", "withdrawn", "compromised")

_Key = tuple[str | None, str | None]


def keys(audit: Audit) -> Html:
    """Return the section."""
    used = _by_key(audit)
    if not used:
        return section("keys", "Keys", paragraph("No signature was verified by a key."))
    # The compromised ones are shown however few uses they have.
    busiest = sorted(used, key=lambda key: ("compromised" not in used[key], -_total(used[key]).uses, _order(key)))
    shown = sorted(busiest[:SHOWN], key=lambda key: (key[0] or "", _total(used[key]).first or 0, _order(key)))
    states = states_in_order({state for spans_ in used.values() for state in spans_})
    rest = busiest[SHOWN:]
    uses = sum(_total(used[key]).uses for key in used)
    compromised = sum(1 for key in used if "compromised" in used[key])
    description = (
        f"{count(len(used), 'key')} verified {count(uses, 'signature')}; "
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
            yield element("span", untrusted(key[0], 60) if key[0] else "issuer not established", class_="group")
        total = _total(used[key])
        mark = element("strong", "compromised") if _compromised(audit, key, used[key]) else None
        yield element("span", _name(key), class_="label")
        yield spans(_marks(axis, used[key], audit.manifest.lifetimes.get(key)))
        yield element("span", f"{total.uses:,}", " " if mark else None, mark, class_="behind")
    yield from (element("span", class_="label"), time_axis(axis), element("span", class_="behind"))


def _marks(
    axis: Timeline, by_state: dict[str, Span], lifetime: Lifetime | None
) -> Iterator[tuple[str, float, float, int, int]]:
    if lifetime is not None:
        start = 0.0 if lifetime.start is None else axis.share(lifetime.start / DAY)
        end = 1.0 if lifetime.end is None else axis.share(lifetime.end / DAY)
        yield "lifetime", start, end, 1, 12
    for state, span in [("use", _total(by_state)), *((name, by_state[name]) for name in _MARKED if name in by_state)]:
        if span.first is not None and span.last is not None:
            low, tall = (3, 8) if state in {"use", "compromised"} else (7, 4)
            yield state, axis.share(span.first / DAY), axis.share(span.last / DAY), low, tall


def _legend(audit: Audit, states: list[str]) -> Html:
    entries: list[tuple[str, Child]] = [("use", "from first to last use")]
    if audit.manifest.lifetimes:
        entries.insert(0, ("lifetime", "published by the issuer"))
    return legend([*entries, *((state, f"uses in state {state}") for state in states if state in _MARKED)])


def _name(key: _Key) -> Html:
    return element("span", "no key id") if key[1] is None else untrusted(key[1], 40)


def _compromised(audit: Audit, key: _Key, by_state: dict[str, Span]) -> bool:
    lifetime = audit.manifest.lifetimes.get(key)
    return "compromised" in by_state or (lifetime is not None and lifetime.compromised)


def _table(audit: Audit, used: dict[_Key, dict[str, Span]], shown: list[_Key]) -> Html:
    headings = ["Key id", "Issuer", f"Uses{NUMBER}", "First use (UTC)", "Last use (UTC)", "Uses by state"]
    if audit.manifest.lifetimes:
        headings += ["Published from", "Published until"]
    rows: list[list[Child]] = []
    for key in shown:
        total = _total(used[key])
        states = [f"{state} {used[key][state].uses:,}" for state in states_in_order(used[key])]
        row: list[Child] = [
            _name(key),
            untrusted(key[0]),
            f"{total.uses:,}",
            time(total.first),
            time(total.last),
            joined(states, "; "),
        ]
        if audit.manifest.lifetimes:
            lifetime = audit.manifest.lifetimes.get(key, Lifetime(None, None, compromised=False))
            row += [time(lifetime.start), time(lifetime.end)]
        rows.append(row)
    return table("Keys and their use", headings, rows)


def _states(used: dict[_Key, dict[str, Span]], states: list[str]) -> Html:
    uses: Counter[str] = Counter()
    with_state: Counter[str] = Counter()
    for by_state in used.values():
        for state, span in by_state.items():
            uses[state] += span.uses
            with_state[state] += 1
    return table(
        "State of the key at the time of use",
        ["State", "The key was", f"Uses{NUMBER}", f"Keys{NUMBER}"],
        [[code(state), KEY_STATES.get(state, "–"), f"{uses[state]:,}", f"{with_state[state]:,}"] for state in states],
    )


__all__ = ["keys"]
