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
    "docs/providers/*.md",
    "docs/guides/*.md",
    "docs/site/README.md",
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
        ["docs/verification", "docs/keys", "docs/issuers", "docs/dpop", "docs/scopes", "docs/delegation"],
    ),
    ("Operation", ["docs/processes", "docs/speed", "docs/costs", "SECURITY"]),
    ("Providers", ["docs/providers", "docs/providers/*"]),
    ("Reference", ["docs/reference/index", "docs/rust", "docs/testing"]),
    (
        "Project",
        ["CONTRIBUTING", "CHANGELOG", "benches/README", "fuzz/README", "tests/live/README", "docs/site/README"],
    ),
)


def register(app: Sphinx) -> None:
    """Give the front page its table of contents, and the site its ``index.html``."""
    app.connect("source-read", _append_contents)
    app.connect("build-finished", _copy_front_page)


def _append_contents(app: Sphinx, page: str, source: list[str]) -> None:
    if page != app.config.root_doc:
        return
    root = Path(app.srcdir)
    for caption, entries in SECTIONS:
        pages = [page for entry in entries for page in _matching(root, entry)]
        if pages:
            lines = "\n".join(pages)
            source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n:maxdepth: 2\n\n{lines}\n```\n"


def _matching(root: Path, entry: str) -> list[str]:
    found = sorted(path for suffix in ("md", "rst") for path in root.glob(f"{entry}.{suffix}"))
    return ["/" + path.relative_to(root).with_suffix("").as_posix() for path in found]


def _copy_front_page(app: Sphinx, failure: Exception | None) -> None:
    if failure is None and app.builder.name == "html":
        shutil.copyfile(Path(app.outdir, "README.html"), Path(app.outdir, "index.html"))
