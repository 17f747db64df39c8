"""What somebody would look at next: tokens used most, replays, examples of each code, and unreadable rows."""

from __future__ import annotations

from watchword.audit.report.audit import Audit
from watchword.audit.report.codes import MEANINGS, in_order
from watchword.audit.report.side_files import Use
from watchword.audit.report.token_uses import TokenUses
from watchword.audit.report.totals import EXAMPLES, Example
from watchword.html.markup import Child, Html, element, joined, untrusted
from watchword.html.parts import NUMBER, code, moment, moments, paragraph, section, table
from watchword.html.words import count

#: Verdicts that are listed of a token, the most frequent ones.
VERDICTS = 4

#: Kinds of unreadable rows that are listed.
KINDS = 50


def tokens(audit: Audit) -> Html:
    """Return the section on the tokens that were used most."""
    most_used = audit.most_used
    if not most_used.tokens:
        found = "No token was used more than once." if most_used.distinct else "There are no tokens."
        return section("tokens", "Tokens used most", paragraph(found))
    return section(
        "tokens", "Tokens used most",
        paragraph(
            f"The {count(len(most_used.tokens), 'token')} with the most uses, of {most_used.distinct:,}. "
            "A token is named by its hash (SHA-256, base64url), as in the decision log; the token itself is not stored."
        ),
        table(
            "Tokens used most",
            ["Token hash", f"Uses{NUMBER}", "First and last use (UTC)", "Verdicts", "Subject, client, issuer"],
            [
                [
                    _hash(token.token_hash), f"{token.span.uses:,}",
                    moments(token.span.first, token.span.last), _verdicts(token),
                    joined([untrusted(text) for text in (token.subject, token.client_id, token.issuer)], "<br />"),
                ]
                for token in most_used.tokens
            ], hidden=True,
        ),
    )  # fmt: skip


def _verdicts(token: TokenUses) -> str:
    order = sorted(token.verdicts, key=lambda name: (-token.verdicts[name], name))
    shown = [f"{name} {token.verdicts[name]:,}" for name in order[:VERDICTS]]
    rest = sum(token.verdicts[name] for name in order[VERDICTS:])
    return "; ".join([*shown, *([f"others {rest:,}"] if rest else [])])


def _hash(text: str | None) -> Html:
    return element("span", untrusted(text, 43), class_="hash")


def replays(audit: Audit) -> Html:
    """Return the section on replayed proofs."""
    found = audit.replays
    if found is None:
        return section("replays", "Replays", paragraph("Proofs of possession (DPoP) were not part of this audit."))
    if not found.uses:
        return section("replays", "Replays", paragraph("No proof of possession was used more than once."))
    shown = "All are listed." if found.uses == len(found.shown) else f"The first {len(found.shown)} are listed."
    return section(
        "replays", "Replays",
        paragraph(f"{count(found.uses, 'use')} of a proof of possession (DPoP) that had been used before. {shown}"),
        table(
            "Replayed proofs",
            ["Proof hash", "First use (UTC)", "File and row", "Used again (UTC)", "File and row of that"],
            [
                [_hash(proof), moment(first.time), _origin(first), moment(again.time), _origin(again)]
                for proof, first, again in found.shown
            ], hidden=True,
        ),
    )  # fmt: skip


def _origin(use: Use | Example) -> Html:
    """Return a file and a row in it."""
    row = "" if use.row is None else f", row {use.row:,}"
    return joined([untrusted(use.file), row])


def examples(audit: Audit) -> Html:
    """Return the section with the first rows of each code."""
    found = audit.totals.examples
    if not found:
        return section("examples", "Examples of each code", paragraph("No use was rejected."))
    return section(
        "examples", "Examples of each code",
        paragraph(
            f"The first rows of each code in the order of the input, at most {EXAMPLES}. What a token says of itself "
            "is known only if its signature was valid."
        ),
        [
            element(
                "section",
                element("h3", code(name), f": {count(audit.totals.verdicts[name], 'use')}", id=f"example-{index}"),
                paragraph(MEANINGS[name]) if name in MEANINGS else None,
                _examples(name, found[name]),
                aria_labelledby=f"example-{index}",
            )
            for index, name in enumerate(in_order(found))
        ],
    )  # fmt: skip


def _examples(name: str, found: list[Example]) -> Html:
    """Return the table of one code, without the columns in which nothing is known."""
    columns: list[tuple[str, list[Child]]] = [
        ("File and row", [_origin(one) for one in found]),
        ("Time of use (UTC)", [moment(one.time) for one in found]),
    ]
    for heading, texts in (
        ("Subject", [one.subject for one in found]),
        ("Client", [one.client_id for one in found]),
        ("Issuer", [one.issuer for one in found]),
        ("Key id", [one.key_id for one in found]),
    ):
        if any(text is not None for text in texts):
            columns.append((heading, [untrusted(text) for text in texts]))
    columns.append(("Token hash", [_hash(one.token_hash) for one in found]))
    return table(
        f"Examples of {name}",
        [heading for heading, _ in columns],
        zip(*(cells for _, cells in columns), strict=True), hidden=True,
    )  # fmt: skip


def unreadable(audit: Audit) -> Html:
    """Return the section on rows without a verdict."""
    found = audit.unreadable
    if not found.rows:
        return section("unreadable", "Unreadable rows", paragraph("All rows could be read."))
    kinds = sorted(found.kinds, key=lambda kind: (-found.kinds[kind], kind[0] or "", kind[1] or ""))
    rest = found.others + sum(found.kinds[kind] for kind in kinds[KINDS:])
    return section(
        "unreadable", "Unreadable rows",
        paragraph(f"{count(found.rows, 'row')} could not be read, and have no verdict."),
        table(
            "Unreadable rows by file and reason",
            ["File", "Reason", f"Rows{NUMBER}", "First rows"],
            [
                [
                    untrusted(kind[0]), untrusted(kind[1], 200), f"{found.kinds[kind]:,}",
                    ", ".join(f"{row:,}" for row in found.examples[kind] if row is not None) or "–",
                ]
                for kind in kinds[:KINDS]
            ], hidden=True,
        ),
        paragraph(f"{count(rest, 'row')} in further files or with further reasons are not listed.", class_="note")
        if rest else None,
    )  # fmt: skip


__all__ = ["examples", "replays", "tokens", "unreadable"]
