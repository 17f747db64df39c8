"""The beginning of the page: the result in words, and in figures."""

from __future__ import annotations

from watchword.audit.report.audit import Audit
from watchword.audit.report.codes import MEANINGS
from watchword.audit.report.totals import Totals, number_of_keys
from watchword.html.markup import Child, Html, element
from watchword.html.parts import code, day, paragraph, section
from watchword.html.words import DAY, count, share, time_of_day


def summary(audit: Audit) -> Html:
    """Return the section."""
    return section("summary", "Summary", _differences(audit), _sentences(audit), _figures(audit))


def _differences(audit: Audit) -> Html | None:
    differences = audit.differences()
    if not differences:
        return None
    return element(
        "div",
        paragraph(element("strong", "The files do not match the manifest."), " Do not rely on this report."),
        element("ul", [element("li", difference) for difference in differences]),
        class_="warning",
    )


def _sentences(audit: Audit) -> list[Html]:
    totals = audit.totals
    if totals.rows == 0:
        unread = audit.unreadable.rows
        end = f" None of {count(unread, 'row')} of the input could be read." if unread else " The input had no rows."
        return [paragraph("No token was audited.", end, class_="lead")]
    result = (
        "all were valid"
        if totals.rejected == 0
        else f"{totals.valid:,} were valid ({share(totals.valid, totals.rows)}) and {totals.rejected:,} were not "
        f"({share(totals.rejected, totals.rows)})"
    )
    if totals.rows == 1:
        result = "it was valid" if totals.valid else "it was not valid"
    if totals.rows == 1:
        lead: list[Child] = ["One use of a token", _period(totals), f" was audited: {result}, "]
    else:
        lead = [f"Of {count(totals.rows, 'use')} of tokens", _period(totals), f", {result}, "]
    sentences = [paragraph(lead, "under the keys and the policy of the time of use.", class_="lead")]
    codes = totals.codes().most_common()
    if codes:
        commonest, rows = min(codes, key=lambda item: (-item[1], item[0]))
        words: list[str | Html] = [
            "The only reason was " if len(codes) == 1 else "The most frequent reason was ",
            code(commonest), f", {count(rows, 'use')}",
        ]  # fmt: skip
        if commonest in MEANINGS:
            words.append(f": {MEANINGS[commonest][0].lower()}{MEANINGS[commonest][1:].rstrip('.')}")
        sentences.append(paragraph(words, "."))
    sentences += [paragraph(sentence) for sentence in _remarks(audit)]
    return sentences


def _period(totals: Totals) -> Child:
    """Return the period that the uses cover, in words."""
    first, last = totals.span.first, totals.span.last
    if first is None or last is None:
        return None
    days = last // DAY - first // DAY + 1
    if days == 1:
        return [" on ", day(first // DAY)]
    return [" from ", day(first // DAY), " to ", day(last // DAY), f" ({count(days, 'day')})"]


def _remarks(audit: Audit) -> list[str]:
    """Return what else must not be overlooked."""
    totals, remarks = audit.totals, []
    compromised = sum(span.uses for (_, _, state), span in totals.keys.items() if state == "compromised")
    if compromised:
        keys = number_of_keys({(issuer, key_id) for issuer, key_id, state in totals.keys if state == "compromised"})
        remarks.append(
            f"{count(compromised, 'use')} had a valid signature by {'a' if keys == 1 else keys} compromised "
            f"key{'' if keys == 1 else 's'}; such uses are not valid."
        )
    uncertain = sum(span.uses for (_, _, state), span in totals.keys.items() if state == "uncertain")
    if uncertain:
        remarks.append(
            f"{count(uncertain, 'signature')} could only be verified with a key whose record is uncertain at that time."
        )
    if audit.replays is not None and audit.replays.uses:
        remarks.append(f"{count(audit.replays.uses, 'use')} of a proof of possession that had been used before.")
    if audit.unreadable.rows:
        remarks.append(f"{count(audit.unreadable.rows, 'row')} of the input could not be read, and have no verdict.")
    return remarks


def _figures(audit: Audit) -> Html | None:
    totals = audit.totals
    if totals.rows == 0:
        return None
    figures: list[tuple[str, str | Html, str | None]] = [
        ("Uses of tokens", f"{totals.rows:,}", None),
        ("Valid", f"{totals.valid:,}", share(totals.valid, totals.rows)),
        ("Not valid", f"{totals.rejected:,}", share(totals.rejected, totals.rows)),
        ("Different tokens", f"{audit.most_used.distinct:,}", None),
        ("Unreadable rows", f"{audit.unreadable.rows:,}", None),
        ("Replayed proofs", "not audited" if audit.replays is None else f"{audit.replays.uses:,}", None),
    ]
    first, last = totals.span.first, totals.span.last
    if first is not None and last is not None:
        figures += [
            ("First use (UTC)", day(first // DAY), time_of_day(first)),
            ("Last use (UTC)", day(last // DAY), time_of_day(last)),
        ]
    return element(
        "dl",
        [
            element("div", element("dt", name), element("dd", value, element("small", " ", more) if more else None))
            for name, value, more in figures
        ],
        class_="figures",
    )


__all__ = ["summary"]
