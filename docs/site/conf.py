"""Settings of Sphinx for the documentation site; ``python docs/build.py`` builds it.

The source directory is the repository itself, so that every relative link works both on GitHub and on the site.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCES = HERE.parents[1] / "python"
sys.path.insert(0, str(HERE))
# The package in the tree, if its kernel is compiled; otherwise the installed one.
if (SOURCES / "watchword" / "_kernel.abi3.so").exists():
    sys.path.insert(0, str(SOURCES))

import docstrings  # noqa: E402
import name_links  # noqa: E402
import navigation  # noqa: E402
import reference  # noqa: E402
from sphinx.application import Sphinx  # noqa: E402

import watchword  # noqa: E402

project = "Watchword"
author = "The Watchword authors"
version = release = watchword.__version__
project_copyright = ""
html_show_copyright = False

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton"]
root_doc = "README"
include_patterns = [*navigation.PATTERNS, "docs/reference/*.rst"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}

# Anchors are those of GitHub; a link to one that does not exist is a warning, and a warning is an error.
myst_heading_anchors = 4
nitpicky = True
# Only Watchword's own names are resolved: there is no network in a build, so none of other projects' inventories.
nitpick_ignore_regex = [
    (r"py:.*", r"(?!watchword\.)[a-z_0-9]+(\..*)?"),
    (r"py:.*", r"[A-Z_]\w*(\.\w+)?"),
    (r"py:.*", r"watchword\.(.*\.)?_.*"),
    (r"py:.*", r".*\[.*"),
    (r"py:.*", reference.INTERNAL),
]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_class_signature = "mixed"
autodoc_default_options = {"members": True}
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"
add_module_names = False

html_theme = "furo"
html_title = "Watchword"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {"navigation_with_keys": True}
pygments_style = "friendly"
pygments_dark_style = "monokai"
# The fences of the documents that are neither Python nor shell.
highlight_language = "text"
suppress_warnings: list[str] = []


def setup(app: Sphinx) -> None:
    """Register what the documents need besides the extensions."""
    docstrings.register(app)
    name_links.register(app)
    navigation.register(app)
    reference.register(app)
