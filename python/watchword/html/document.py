"""A page as a whole: one document without scripts, and without anything from elsewhere."""

from __future__ import annotations

import base64
import functools
import hashlib
from importlib import resources

from watchword.html.markup import Child, Html, element


def document(title: Child, style: str, *body: Child) -> str:
    """Return the document, with a policy that allows its style sheet and nothing else.

    ``style`` is added to what all pages share.
    """
    style = _shared_style() + style
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


@functools.cache
def _shared_style() -> str:
    return resources.files(__package__).joinpath("base.css").read_text("utf-8")


def _content_security_policy(style: str) -> str:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


__all__ = ["document"]
