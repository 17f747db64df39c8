"""Links from the documents to the API reference: a code span that is a public name refers to its entry.

The Markdown files stay plain; only the site has the links.
"""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

#: ``ww.Verifier(…)``, ``watchword.jwks.Stats``, ``KeySet.from_json``: a class, or a name with its module before it.
_NAME = re.compile(r"(?:(?:ww|watchword)\.)?([A-Za-z_][\w.]*)(?:\(.*\))?", re.DOTALL)


class _NameLinks(SphinxPostTransform):
    default_priority = 900  # after all other references are resolved

    def run(self, **_: object) -> None:
        if self.env.docname.startswith("docs/reference/"):
            return
        for literal in list(self.document.findall(nodes.literal)):
            target = self._target(literal.astext())
            if target and not isinstance(literal.parent, nodes.reference | nodes.title):
                link = nodes.reference("", "", internal=True, refuri=target)
                literal.replace_self(link)
                link += literal

    def _target(self, text: str) -> str | None:
        name = _NAME.fullmatch(text)
        if name is None or not (text.startswith(("ww.", "watchword.")) or re.match(r"[A-Z]\w*[a-z]", text)):
            return None
        entry = self.env.domains.python_domain.objects.get(f"watchword.{name[1]}")
        if entry is None:
            return None
        page = self.app.builder.get_relative_uri(self.env.docname, entry.docname)
        return f"{page}#{entry.node_id}"


def register(app: Sphinx) -> None:
    """Add the links when pages are written."""
    app.add_post_transform(_NameLinks)
