"""The order of the pages in the sidebar. A page that no section lists fails the build."""

from __future__ import annotations

import shutil
from pathlib import Path

from sphinx.application import Sphinx

#: Of the repository's files, those that are pages of the site.
PATTERNS = (
    "README.md",
    "SECURITY.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/*.md",
    "docs/issuers/*.md",
    "docs/providers/*.md",
    "docs/guides/*.md",
    "docs/site/README.md",
    "examples/agents/README.md",
    "examples/gateways/*/README.md",
    "examples/incident/README.md",
    "examples/observability/README.md",
    "benches/README.md",
    "fuzz/README.md",
    "tests/live/README.md",
)

#: Caption, and its pages in order. Patterns stand for whatever matches, in alphabetical order; pages and patterns that
#: match nothing are skipped, so that a guide appears in the sidebar as soon as its file exists.
SECTIONS = (
    ("Start", ["docs/install", "docs/quickstart", "docs/cli"]),
    ("Guides", ["docs/guides/*", "docs/errors"]),
    (
        "Verification",
        [
            "docs/verification",
            "docs/keys",
            "docs/issuers",
            "docs/dpop",
            "docs/holder",
            "docs/scopes",
            "docs/delegation",
            "docs/providers",
            "examples/agents/README",
        ],
    ),
    (
        "Requests",
        [
            "docs/gate",
            "docs/gate-config",
            "docs/gateways",
            "examples/gateways/*/README",
            "docs/serve",
            "docs/nginx",
            "docs/envoy",
            "docs/identity-headers",
        ],
    ),
    (
        "Audits",
        [
            "docs/audit",
            "docs/key-archive",
            "docs/audit-policies",
            "docs/audit-engines",
            "examples/incident/README",
        ],
    ),
    (
        "Operation",
        [
            "docs/observability",
            "examples/observability/README",
            "docs/processes",
            "docs/speed",
            "docs/costs",
            "SECURITY",
        ],
    ),
    ("Reference", ["docs/reference/index", "docs/rust", "docs/testing"]),
    (
        "Project",
        ["CONTRIBUTING", "CHANGELOG", "benches/README", "fuzz/README", "tests/live/README", "docs/site/README"],
    ),
)


#: Pages below another page, in alphabetical order.
BELOW = {"docs/issuers": "docs/issuers/*", "docs/providers": "docs/providers/*"}


def register(app: Sphinx) -> None:
    """Give the pages their tables of contents, and the site its ``index.html``."""
    app.connect("source-read", _append_contents)
    app.connect("build-finished", _copy_front_page)


def _append_contents(app: Sphinx, page: str, source: list[str]) -> None:
    root = Path(app.srcdir)
    sections = SECTIONS if page == app.config.root_doc else [("", [BELOW[page]])] if page in BELOW else ()
    for caption, entries in sections:
        pages = [found for entry in entries for found in _matching(root, entry)]
        if pages:
            lines = "\n".join(pages)
            title = f":caption: {caption}\n" if caption else ""
            source[0] += f"\n```{{toctree}}\n:hidden:\n:maxdepth: 2\n{title}\n{lines}\n```\n"


def _matching(root: Path, entry: str) -> list[str]:
    found = sorted(path for suffix in ("md", "rst") for path in root.glob(f"{entry}.{suffix}"))
    return ["/" + path.relative_to(root).with_suffix("").as_posix() for path in found]


def _copy_front_page(app: Sphinx, failure: Exception | None) -> None:
    if failure is None and app.builder.name == "html":
        shutil.copyfile(Path(app.outdir, "README.html"), Path(app.outdir, "index.html"))
