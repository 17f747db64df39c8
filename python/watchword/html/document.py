"""A page as a whole: one document without scripts, and without anything from elsewhere."""

from __future__ import annotations

import base64
import hashlib

from watchword.html.markup import Child, Html, element


def document(title: Child, style: str, *body: Child) -> str:
    """Return the document, with a policy that allows this style sheet and nothing else."""
    html = element(
        "html",
        element(
            "head",
            element("meta", charset="utf-8"),
            element("meta", http_equiv="Content-Security-Policy", content=_content_security_policy(style)),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("meta", name="referrer", content="no-referrer"),
            element("meta", name="color-scheme", content="light dark"),
            element("title", title),
            element("style", Html(style)),
        ),
        element("body", *body),
        lang="en-GB",
    )
    return f"<!DOCTYPE html>\n{html}\n"


def _content_security_policy(style: str) -> str:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


__all__ = ["document"]
